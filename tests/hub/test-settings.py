#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a lock lets people choose: shown, changed, kept over a restart."""

from case import case, expect, expect_equal, main
from rig import Lock, Rig, a_paired_hub, wait

FRONT = Lock("front-door", "nuki:gen4", "54:D2:72:00:00:01", "4711")


def settings(rig, *options, lock=FRONT):
    return {row["key"]: row for row in rig.ctl_json("settings", *options, lock.slug)["settings"]}


def values(rig, *options, lock=FRONT):
    return {key: row["value"] for key, row in settings(rig, *options, lock=lock).items()}


@case
def settings_are_shown_and_changed():
    with a_paired_hub(FRONT, broker=False) as rig:
        before = values(rig, "--read")  # not all of it has been read yet after pairing
        expect_equal(before["LEDBrightness"], 3, "as the virtual lock is made")
        expect_equal(before["LockNGoTime"], 20, "as the virtual lock is made")
        expect_equal(before["TimeZone"], "Europe/Berlin", "by its id")
        expect("MotorSpeed" not in before, "the 4th generation has no choice of motor speed")
        expect("latitude" not in str(before).lower(), "where the lock is stays its own business")

        for words, key, wanted in (
                ("AutoRelockTime=300", "AutoRelockTime", 300),
                ("autorelocktime=0", "AutoRelockTime", 0),
                ("LEDBrightness=0", "LEDBrightness", 0),
                ("EnableAutoUnlock=off", "EnableAutoUnlock", False),
                ("ButtonDoublePress=show-status", "ButtonDoublePress", "show-status"),
                ("NightModeStart=7:05", "NightModeStart", "07:05"),
                ("TimeZone=none", "TimeZone", "none"),
                ("TimeZoneOffset=-210", "TimeZoneOffset", -210),
                ("NodeLabel=Haustür", "NodeLabel", "Haustür")):
            text = rig.ctl("settings", FRONT.slug, words)
            expect(key in text and "answered by the lock" in text, f"{words}: {text}")
            before[key] = wanted
            expect_equal(values(rig), before, f"after {words}, and nothing else is another")
        # What the hub shows is what the lock says when it is asked.
        expect_equal(values(rig, "--read"), before, "asked again")
        expect("off" in rig.ctl("settings", FRONT.slug, "AutoRelockTime"), "0 is told as off")
        rig.ctl("settings", FRONT.slug, "LEDBrightness=5", "SingleLock=on")
        before.update(LEDBrightness=5, SingleLock=True)
        expect_equal(values(rig, "--read"), before, "two at once")

        texts = [row.get("text", "") for row in rig.log_rows() if row.get("act") == "put-setting"]
        expect("AutoRelockTime=300" in texts, texts)
        changes = [row for row in rig.log_rows() if row.get("type") == "setting_changed" and "LEDBrightness" in row.get("text", "")]
        expect_equal(changes, [], "what the hub itself changed is no news")


@case
def what_cannot_be_done_is_said():
    with a_paired_hub(FRONT, broker=False) as rig:
        before = values(rig, "--read")  # not all of it has been read yet after pairing
        for words, wanted in (
                ("AutoRelockTime=20", "30 to 1800 s"),
                ("AutoRelockTime=5min", "30 to 1800 s"),
                ("LEDBrightness=6", "0 to 5"),
                ("SingleLock=maybe", "on or off"),
                ("ButtonSinglePress=dance", "intelligent"),
                ("NightModeStart=25:00", "00:00 to 23:59"),
                ("AutoRelokTime=300", "AutoRelockTime"),
                ("MotorSpeed=gentle", "no MotorSpeed"),
                ("NodeLabel=" + "x" * 40, "32 octets")):
            done = rig.try_ctl("settings", FRONT.slug, words)
            expect(done.returncode == 1 and wanted in done.stderr, f"{words}: {done.returncode} {done.stderr}")
        for words in (("=5",), ("LEDBrightness", "SingleLock"), ("LEDBrightness=3", "SingleLock")):
            expect_equal(rig.try_ctl("settings", FRONT.slug, *words).returncode, 2, f"usage: {words}")
        done = rig.try_ctl("settings", FRONT.slug, "LEDBrightnes")
        expect(done.returncode == 1 and "Did you mean LEDBrightness" in done.stderr, done.stderr)
        expect_equal(values(rig, "--read"), before, "nothing of it reached the lock")


@case
def without_the_pin_they_are_shown_but_not_changed():
    with Rig() as rig:
        rig.start_bus()
        rig.start_sim(FRONT, speed=20)
        rig.start_hub()
        rig.sim_pairing(FRONT)
        rig.ctl("pair", FRONT.address, "--name", FRONT.name, "--yes")
        expect_equal(values(rig)["LEDBrightness"], 3, "reading takes no PIN")
        done = rig.try_ctl("settings", FRONT.slug, "LEDBrightness=1")
        expect(done.returncode == 1 and "set-pin" in done.stderr, done.stderr)
        rig.ctl("set-pin", FRONT.slug, "--pin-stdin", stdin=FRONT.pin + "\n")
        rig.ctl("settings", FRONT.slug, "LEDBrightness=1")
        expect_equal(values(rig, "--read")["LEDBrightness"], 1, "with it")


@case
def a_lost_link_never_lies():
    """The link is cut after each indication of the exchange in turn: what is told is what the lock has."""
    with a_paired_hub(FRONT, broker=False) as rig:
        n_done = 0
        for count in range(1, 13):
            wanted = 100 + count
            rig.trouble(FRONT, "drop-after", count)
            told = rig.try_ctl("settings", FRONT.slug, f"AutoRelockTime={wanted}")
            rig.trouble(FRONT, "drop-after", 0)
            there = values(rig, "--read")["AutoRelockTime"]
            rig.note(f"cut after {count}: exit {told.returncode}, {there} at the lock")
            if "may or may not" not in told.stderr:
                expect_equal(there == wanted, told.returncode == 0, f"cut after {count}: {told.stderr}")
            n_done += told.returncode == 0
        expect(n_done > 0, "some got through")


@case
def a_restart_forgets_and_invents_nothing():
    with a_paired_hub(FRONT, broker=False) as rig:
        rig.ctl("settings", FRONT.slug, "LEDBrightness=1")
        wait(lambda: values(rig)["LEDBrightness"] == 1, 15, "it is known")
        rig.restart_hub()
        # Known before the lock has been asked, and the same after it.
        rig.ctl("settings", FRONT.slug, "--read")
        expect_equal(values(rig)["LEDBrightness"], 1, "after a restart")
        changes = [row for row in rig.log_rows() if row.get("type") == "setting_changed" and "was" in row.get("text", "")]
        expect_equal(changes, [], "nothing has changed meanwhile")


main()
