#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a lock does by itself at a time of day: set from the command line, done by the lock's own clock."""

import datetime

from case import case, expect, expect_equal, main
from rig import Lock, Rig, a_paired_hub, wait

FRONT = Lock("front-door", "nuki:gen4", "54:D2:72:00:00:01", "4711")
FRONT.extra = "zone=0"
# The test puts the lock's clock wrong on purpose.
CONFIG = "[hub]\nset_clocks = no\n"
FAR = "03:17"


def timers(rig, lock=FRONT):
    return rig.ctl_json("timer", "list", lock.slug)["timers"]


def at_lock(rig, lock=FRONT):
    """The same as the lock has it: (id, is on, hour, minute). The hub calls the lock's number 0 256."""
    return [(row["id"] or 256, row["enabled"], row["hour"], row["minute"])
            for row in rig.sim_json("show", lock.slug)["timers"]]


def bolt(rig, lock):
    return rig.show(lock)["bolt"]


def let_it_be(rig, lock, time_of_day):
    """Puts the clock of the lock to a few seconds after that time."""
    show = rig.sim_json("show", lock.slug)
    now = datetime.datetime.fromisoformat(show["clock"].replace("Z", "+00:00"))
    hour, minute = (int(part) for part in time_of_day.split(":"))
    wanted = now.replace(hour=hour, minute=minute, second=5)
    rig.sim("clock", lock.slug, f"{int(show['clock-offset'] + (wanted - now).total_seconds()):+d}")


@case
def a_timer_is_set_and_the_lock_does_it_by_its_own_clock():
    with a_paired_hub(FRONT, broker=False, config=CONFIG) as rig:
        expect("nothing by itself" in rig.ctl("timer", "list", FRONT.slug), "an empty list is told as such")
        text = rig.ctl("timer", "add", FRONT.slug, "daily", FAR, "lock")
        expect(f"daily {FAR} lock" in text, text)
        row = timers(rig)[0]
        expect_equal((row["days"], row["time"], row["act"], row["enabled"]), ("daily", FAR, "lock", True), "the timer")
        expect_equal(at_lock(rig), [(row["id"], True, 3, 17)], "as the lock has it")

        rig.ctl("unlock", FRONT.slug)
        wait(lambda: bolt(rig, FRONT) == "unlocked", 15, "the door is unlocked")
        before = rig.motor_runs(FRONT)
        let_it_be(rig, FRONT, FAR)
        wait(lambda: bolt(rig, FRONT) == "locked", 30, "the lock locks by itself")
        expect_equal(rig.motor_runs(FRONT), before, "no command of the hub")
        rig.expect_prop(FRONT, "State", "locked", 60)

        # Switched off it stays in the list, and the rest of it stays as it was.
        number = str(row["id"])
        text = rig.ctl("timer", "change", FRONT.slug, number, "--disable")
        expect(f"timer {number}: daily {FAR} lock (off)" in text, text)
        expect_equal(at_lock(rig), [(row["id"], False, 3, 17)], "switched off at the lock")
        text = rig.ctl("timer", "change", FRONT.slug, number, "Sat,Sun", "7:05", "unlock", "--enable")
        expect(f"timer {number}: Sat,Sun 07:05 unlock" in text, text)
        expect_equal(at_lock(rig), [(row["id"], True, 7, 5)], "changed at the lock")

        expect("gone" in rig.ctl("timer", "remove", FRONT.slug, number), "it is gone")
        expect_equal(at_lock(rig), [], "what the lock still has")
        expect_equal(timers(rig), [], "what the hub shows")
        texts = [row.get("text", "") for row in rig.log_rows() if row.get("act") == "put-timer"]
        expect(f"new timer: daily {FAR} lock" in texts, texts)


@case
def what_cannot_be_done_is_said():
    with a_paired_hub(FRONT, broker=False, config=CONFIG) as rig:
        for words, wanted in (
                (("add", FRONT.slug, "Mon-Fri 08:00-12:00", FAR, "lock"), "days of the week"),
                (("add", FRONT.slug, "noday", FAR, "lock"), "noday"),
                (("add", FRONT.slug, "daily", "25:00", "lock"), "25:00"),
                (("add", FRONT.slug, "daily", FAR, "calibrate"), "calibrate"),
                (("add", FRONT.slug, "daily", FAR, "dance"), "dance"),
                (("change", FRONT.slug, "7", "--disable"), "no timer 7"),
                (("remove", FRONT.slug, "7"), "no timer 7")):
            done = rig.try_ctl("timer", *words)
            expect(done.returncode == 1 and wanted in done.stderr, f"{words}: {done.returncode} {done.stderr}")
        for words in (("remove", FRONT.slug, "x"), ("change", FRONT.slug, "7"),
                      ("change", FRONT.slug, "7", "daily"),
                      ("add", FRONT.slug, "daily", FAR, "lock", "--enable", "--disable")):
            expect_equal(rig.try_ctl("timer", *words).returncode, 2, f"usage: {words}")
        expect_equal(at_lock(rig), [], "nothing of it reached the lock")


@case
def without_the_pin_it_is_said_what_to_do():
    with Rig() as rig:
        rig.start_bus()
        rig.start_sim(FRONT, speed=20)
        rig.start_hub(config=CONFIG)
        rig.sim_pairing(FRONT)
        rig.ctl("pair", FRONT.address, "--name", FRONT.name, "--yes")
        for words in (("list", FRONT.slug), ("add", FRONT.slug, "daily", FAR, "lock"), ("remove", FRONT.slug, "1")):
            done = rig.try_ctl("timer", *words)
            expect(done.returncode == 1 and "set-pin" in done.stderr, f"{words}: {done.stderr}")
        rig.ctl("set-pin", FRONT.slug, "--pin-stdin", stdin=FRONT.pin + "\n")
        rig.ctl("timer", "add", FRONT.slug, "Mon-Fri", FAR, "lock", "--disable")
        row = timers(rig)[0]
        expect_equal((row["days"], row["enabled"]), ("Mon-Fri", False), "a new one that is off")


@case
def a_lost_link_puts_no_timer_twice():
    """The link is cut after each indication of the exchange in turn: what is told is what the lock has."""
    with a_paired_hub(FRONT, broker=False, config=CONFIG) as rig:
        n_done = 0
        for count in range(1, 9):
            before = len(at_lock(rig))
            rig.trouble(FRONT, "drop-after", count)
            told = rig.try_ctl("timer", "add", FRONT.slug, "daily", f"4:{count:02d}", "lock")
            rig.trouble(FRONT, "drop-after", 0)
            there = len(at_lock(rig)) - before
            rig.note(f"cut after {count}: exit {told.returncode}, {there} more at the lock")
            if "may or may not" in told.stderr:
                expect(there <= 1, f"cut after {count}: {there} of them")
            else:
                expect_equal(there, int(told.returncode == 0), f"cut after {count}: {told.stderr}")
            expect_equal(len(timers(rig)), len(at_lock(rig)), f"what is shown after the cut after {count}")
            n_done += told.returncode == 0
        expect(n_done > 0, "some got through")


main()
