#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Locks of August and Yale: paired with the offline key, asked when they say that something changed."""

import json

from case import case, expect, expect_equal, main
from rig import Lock, a_hub, wait

KEY = "0123456789abcdef0123456789abcdef 7"
WORDS = "key=0123456789abcdef0123456789abcdef,slot=7"


def august(slug, model, last, more=""):
    return Lock(slug, model, f"78:9C:85:00:00:0{last}", "", key=KEY, extra=WORDS + more)


FRONT = august("front-door", "august:asl-03", 1)
ASSURE = august("office", "yale:assure", 2)
LINUS = august("side-door", "yale:linus", 3)
OLD = august("shed", "august:asl-01", 4)


@case
def its_key_pairs_it_and_is_never_shown():
    with a_hub(FRONT, paired=False) as rig:
        done = rig.try_ctl("pair", FRONT.address, "--accept-weak", "--key-file", "-", stdin=KEY.split()[0] + "\n")
        expect(done.returncode != 0, "paired without a slot")
        expect("32 hex digits" in done.stderr, done.stderr)
        wrong = KEY.replace("01234567", "76543210", 1)
        for words in ("says-refusal=0", "says-refusal=1"):
            rig.sim("set", FRONT.slug, words)
            done = rig.try_ctl("pair", FRONT.address, "--accept-weak", "--key-file", "-", stdin=wrong + "\n")
            expect(done.returncode != 0, "paired with a wrong key")
            expect("key" in done.stderr, done.stderr)
        expect_equal(rig.locks(), [], "locks")
        rig.pair(FRONT)
        row = rig.ctl_json("show", FRONT.slug)["locks"][0]
        expect_equal(row["model"], "August Smart Lock ASL-03", "model")
        expect_equal(row["firmware"], "2.4.1", "firmware")
        expect_equal(row["protocol"]["class"], "C", "class")
        shown = rig.ctl("show", FRONT.slug) + json.dumps(row) + rig.hub.log()
        for text in (KEY, wrong):
            expect(text.split()[0] not in shown, "the key is shown")


@case
def a_lock_with_a_new_key_is_paired_again_as_itself():
    new = KEY.replace("01234567", "76543210", 1)
    with a_hub(FRONT) as rig:
        before = rig.ctl_json("show", FRONT.slug)["locks"][0]
        # A link that was made with the old one may use it to its end.
        wait(lambda: not rig.prop(FRONT, "Linked"), 30, "no link is left")
        # The maker's app has made a new one: the old one is refused, and that is said.
        rig.sim("set", FRONT.slug, f"key={new.split()[0]}")
        rig.sim("set", FRONT.slug, "says-refusal=1")
        done = rig.try_ctl("unlock", FRONT.slug, seconds=90)
        expect(done.returncode != 0 and "may have made a new one" in done.stderr, done.stderr)
        rig.expect_prop(FRONT, "Fault", "not-authorized")
        done = rig.try_ctl("reset", "--restore", FRONT.slug, "--key-file", "-", "--accept-weak", stdin=new + "\n",
                           seconds=90)
        expect_equal(done.returncode, 0, done.stderr)
        expect_equal(rig.ctl_json("show", FRONT.slug)["locks"][0]["id"], before["id"], "id")
        rig.ctl("unlock", FRONT.slug)
        rig.expect_prop(FRONT, "State", "unlocked")
        rig.expect_prop(FRONT, "Fault", "none")


@case
def they_are_locked_and_unlocked_each_in_its_way():
    with a_hub(FRONT, ASSURE, LINUS, OLD) as rig:
        for lock in (FRONT, ASSURE, LINUS, OLD):
            for act, word in (("unlock", "unlocked"), ("lock", "locked")):
                rig.ctl(act, lock.slug)
                rig.expect_prop(lock, "State", word)
            expect_equal(rig.motor_runs(lock), (1, 1, 0), f"commands of {lock.slug}")
            expect(not rig.show(lock)["crashed"], "written to so fast that it crashed")
        rig.ctl("unlatch", LINUS.slug)
        rig.expect_prop(LINUS, "State", "unlocked")
        done = rig.try_ctl("unlatch", FRONT.slug)
        expect(done.returncode != 0, "pulled a latch that is not there")


@case
def what_a_person_does_is_seen_by_its_mark():
    with a_hub(FRONT, ASSURE) as rig:
        for lock in (FRONT, ASSURE):
            rig.expect_prop(lock, "State", "locked")
            wait(lambda lock=lock: not rig.prop(lock, "Linked"), 30, "no link is left")
            rig.turn(lock, "unlock")
            rig.expect_prop(lock, "State", "unlocked")
            rig.sim("door", lock.slug, "open")
            rig.expect_prop(lock, "Door", "open")


@case
def jam_and_refusals_are_told():
    with a_hub(FRONT) as rig:
        rig.ctl("unlock", FRONT.slug)
        rig.jam(FRONT, True)
        done = rig.try_ctl("lock", FRONT.slug)
        expect(done.returncode != 0, "locked against a jam")
        expect("stopped early" in done.stderr, done.stderr)
        rig.expect_prop(FRONT, "Fault", "jammed")
        found = rig.try_ctl("doctor", FRONT.slug, "--json").stdout
        expect("jammed" in found, found)
        rig.jam(FRONT, False)
        rig.ctl("lock", FRONT.slug)
        rig.expect_prop(FRONT, "Fault", "none")
        # Each has a fault of its own, which the doctor still knows when it is asked later.
        for result, word, fault in ((0x23, "handle", "handle-not-lifted"), (0x34, "magnet", "door-sensor-faulty"),
                                    (0x44, "calibration", "not-calibrated"), (0x32, "weak", "motor-low-voltage")):
            rig.sim("set", FRONT.slug, f"refuse={result}")
            done = rig.try_ctl("lock", FRONT.slug)
            expect(done.returncode != 0 and word in done.stderr, done.stderr)
            found = json.loads(rig.try_ctl("doctor", FRONT.slug, "--json").stdout)
            faults = [one["fault"] for target in found["targets"] for one in target["findings"]]
            expect(fault in faults and "jammed" not in faults, f"found {faults}")
        rig.sim("set", FRONT.slug, "refuse=0")
        rig.sim("set", FRONT.slug, "busy=1")
        rig.ctl("unlock", FRONT.slug)
        rig.expect_prop(FRONT, "State", "unlocked")
        rig.sim("set", FRONT.slug, f"refuse={0x37}")
        done = rig.try_ctl("lock", FRONT.slug)
        expect(done.returncode != 0 and "cannot" in done.stderr, done.stderr)


@case
def it_locks_again_when_it_is_told_to():
    with a_hub(FRONT) as rig:
        rig.ctl("settings", FRONT.slug, "AutoRelockTime=120")
        row = rig.show(FRONT)
        expect_equal((row["relock"], row["relock-closed"]), (120, 120), "relock")
        rig.ctl("settings", FRONT.slug, "RelockWhenClosed=on")
        row = rig.show(FRONT)
        expect_equal((row["relock"], row["relock-closed"]), (120, 0), "relock")
        # What only the hub knows: locking switches the knob inside off.
        rig.ctl("unlock", FRONT.slug)
        rig.ctl("settings", FRONT.slug, "SecureMode=on")
        rig.ctl("lock", FRONT.slug)
        expect(rig.show(FRONT)["secured"], "not secured")


@case
def codes_and_log_only_when_they_are_switched_on():
    with a_hub(FRONT) as rig:
        expect_equal(rig.show(FRONT)["records"], 0, "records")
        rig.turn(FRONT, "unlock")
        rig.expect_prop(FRONT, "State", "unlocked")
        expect_equal(rig.show(FRONT)["records"], 1, "records that nobody has taken")
        rig.ctl("settings", FRONT.slug, "ReadActivityLog=on")
        rig.turn(FRONT, "lock")
        rig.expect_prop(FRONT, "State", "locked")
        wait(lambda: rig.show(FRONT)["records"] == 0, 30, "the log is read")
        wait(lambda: "manual" in rig.ctl("log", FRONT.slug), 15, "who it was is told")
        rig.ctl("settings", FRONT.slug, "ExperimentalCodes=on")
        rig.ctl("user", "add", "Anna", "--lock", FRONT.slug)
        rig.ctl("code", "add", "anna", "--stdin", stdin="482915\n")
        wait(lambda: rig.show(FRONT)["codes"] == 1, 60, "the code is in the lock")


main()
