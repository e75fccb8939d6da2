#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Locks of SwitchBot: paired with the key that their maker keeps, heard without a link."""

import datetime
import json
import os
import time

from case import case, expect, expect_equal, main
from rig import FRONT, Failure, Lock, a_hub, wait
from terminal import Terminal

KEY = "34 0123456789abcdef0123456789abcdef"
WORDS = "key=0123456789abcdef0123456789abcdef,key-id=34"


def switchbot(slug, model, last, more=""):
    return Lock(slug, f"switchbot:{model}", f"B0:E9:FE:00:00:0{last}", "", key=KEY, extra=WORDS + more)


# What is said wherever somebody looks for codes: why not, and what to do instead.
NO_CODES = "its keypad keeps them and cannot be read; use the SwitchBot app"

PRO = switchbot("side-door", "pro", 1)
OLD = switchbot("shed", "lock", 2)
ULTRA = switchbot("office", "ultra", 3, ",mode=gcm")
# It advertises in one layout and answers in another.
VISION = switchbot("barn", "vision-pro", 5)


@case
def its_key_pairs_it_and_is_never_shown():
    with a_hub(PRO, paired=False) as rig:
        done = rig.try_ctl("pair", PRO.address, "--key-file", "-", stdin=KEY + "\n")
        expect(done.returncode != 0, "paired without consent to its protocol")
        expect("forged" in done.stderr and "--accept-weak" in done.stderr, done.stderr)
        done = rig.try_ctl("pair", PRO.address, "--yes", "--accept-weak")
        expect(done.returncode != 0, "paired without a key")
        expect("key" in done.stderr and "--key-file" in done.stderr, done.stderr)
        done = rig.try_ctl("pair", PRO.address, "--accept-weak", "--key-file", "-", stdin="34 0123\n")
        expect(done.returncode != 0, "paired with half a key")
        expect("32 hex digits" in done.stderr, done.stderr)
        wrong = KEY.replace("01234567", "76543210", 1)
        done = rig.try_ctl("pair", PRO.address, "--accept-weak", "--key-file", "-", stdin=wrong + "\n")
        expect(done.returncode != 0, "paired with a wrong key")
        expect("key" in done.stderr, done.stderr)
        expect_equal(rig.locks(), [], "locks")
        rig.pair(PRO)
        row = rig.ctl_json("show", PRO.slug)["locks"][0]
        expect_equal(row["model"], "SwitchBot Lock Pro", "model")
        expect_equal(row["firmware"], "2.3", "firmware")
        shown = rig.ctl("show", PRO.slug) + json.dumps(row) + rig.hub.log()
        for text in (KEY, wrong):
            expect(text.split()[1] not in shown, "the key is shown")


@case
def a_lock_with_a_new_key_is_paired_again_as_itself():
    new = KEY.replace("01234567", "76543210", 1)
    with a_hub(PRO) as rig:
        before = rig.ctl_json("show", PRO.slug)["locks"][0]
        rig.sim("set", PRO.slug, f"key={new.split()[1]}")
        words = ("reset", "--restore", PRO.slug, "--key-file", "-")
        done = rig.try_ctl(*words, stdin=new + "\n", seconds=90)
        expect(done.returncode != 0 and "--accept-weak" in done.stderr, done.stderr)
        done = rig.try_ctl(*words, "--accept-weak", stdin=new + "\n", seconds=90)
        expect_equal(done.returncode, 0, done.stderr)
        expect_equal(rig.ctl_json("show", PRO.slug)["locks"][0]["id"], before["id"], "id")
        rig.ctl("unlock", PRO.slug)
        rig.expect_prop(PRO, "State", "unlocked")
        expect("PIN" not in rig.ctl("show", PRO.slug).replace("PIN credential", ""), "a PIN that it has not")
        done = rig.try_ctl("care", "install", "--no-input", PRO.slug, seconds=90)
        expect("paired on" in done.stdout and "PIN" not in done.stdout, done.stdout + done.stderr)


@case
def its_state_is_heard_without_a_link():
    with a_hub(PRO, OLD) as rig:
        for lock in (PRO, OLD):
            rig.expect_prop(lock, "State", "locked")
        wait(lambda: all(not rig.prop(lock, "Linked") for lock in (PRO, OLD)), 15, "no link is left")
        before = [rig.counters(lock)["connections"] for lock in (PRO, OLD)]
        for lock in (PRO, OLD):
            rig.turn(lock, "unlock")
            rig.expect_prop(lock, "State", "unlocked")
            rig.sim("door", lock.slug, "open")
            rig.expect_prop(lock, "Door", "open")
            rig.battery(lock, 15)
            rig.expect_prop(lock, "Fault", "battery-low")
        after = [rig.counters(lock)["connections"] for lock in (PRO, OLD)]
        expect_equal(after, before, "links")


@case
def it_is_locked_and_unlocked_in_either_mode():
    locks = (PRO, OLD, ULTRA, VISION)
    with a_hub(*locks) as rig:
        expect_equal([rig.prop(lock, "Model") for lock in locks], ["SwitchBot " + name for name in (
            "Lock Pro", "Lock", "Lock Ultra", "Lock Vision Pro")], "models")
        for lock in locks:
            for act, word in (("unlock", "unlocked"), ("lock", "locked"), ("unlatch", "unlocked")):
                rig.ctl(act, lock.slug)
                rig.expect_prop(lock, "State", word)
            expect_equal(rig.motor_runs(lock), (1, 2, 0), f"commands of {lock.slug}")


@case
def jam_and_refusal_are_told():
    with a_hub(PRO) as rig:
        rig.ctl("unlock", PRO.slug)
        rig.jam(PRO, True)
        done = rig.try_ctl("lock", PRO.slug)
        expect(done.returncode != 0, "locked against a jam")
        expect("jam" in done.stderr.lower() or "stopped" in done.stderr, done.stderr)
        rig.expect_prop(PRO, "Fault", "jammed")
        found = rig.try_ctl("doctor", PRO.slug, "--json").stdout
        expect("jammed" in found, found)
        rig.jam(PRO, False)
        rig.ctl("lock", PRO.slug)
        rig.expect_prop(PRO, "Fault", "none")
        rig.sim("set", PRO.slug, "calibrated=0")
        rig.expect_prop(PRO, "Fault", "not-calibrated")


@case
def who_agreed_to_its_weak_protocol_is_told():
    before = time.time()
    with a_hub(PRO) as rig:
        protocol = rig.ctl_json("show", PRO.slug)["locks"][0]["protocol"]
        expect_equal(protocol["class"], "C", "class")
        expect(f"uid {os.getuid()}" in protocol["accepted_by"], protocol)
        since = datetime.datetime.fromisoformat(protocol["accepted_at"].replace("Z", "+00:00"))
        expect(before - 1 <= since.timestamp() <= time.time() + 1, protocol)
        text = rig.ctl("show", PRO.slug)
        for words in ("class C (weak)", "can be forged", f"agreed to by: {protocol['accepted_by']}, "):
            expect(words in text, text)
        found = protocol_check(rig, "security")
        expect_equal(found["result"], "bad", "the check of doctor security")
        told = [one for one in found["proof"] if "agreed to rely on it" in one["text"]]
        expect(len(told) == 1 and protocol["accepted_by"] in told[0]["text"], found)
        expect_equal(told[0]["at"], protocol["accepted_at"], "since when")
        text = " ".join(rig.try_ctl("doctor", "security").stdout.split())
        expect("not secure by today's standard" in text, text)
        expect(f"agreed to rely on it all the same, on {protocol['accepted_at'][:10]}" in text, text)
        # Whoever asks what is wrong is not told each time what somebody has agreed to.
        expect_equal(protocol_check(rig, PRO.slug)["result"], "ok", "the check of doctor")
        # Nobody agrees for somebody else.
        try:
            rig.busctl("call", "org.lockhub1", rig.lock_path(PRO.slug), "org.lockhub1.Lock", "SetNote",
                       "ss", "weak", "somebody")
        except Failure as refusal:
            expect("the hub's own" in str(refusal), refusal)
        else:
            raise Failure("somebody else's consent was written")


def protocol_check(rig, *what):
    done = rig.try_ctl("doctor", *what, "--json")
    target = next(one for one in json.loads(done.stdout)["targets"] if one.get("lock") == PRO.slug)
    return next(one for one in target["checks"] if one["name"] == "protocol")


@case
def at_a_terminal_pairing_asks_before_it_trusts_it():
    with a_hub(PRO, paired=False) as rig:
        terminal = Terminal(rig, "pair", PRO.address)
        terminal.read_until("Pair it all the same?")
        expect("weak" in terminal.text and "can be forged" in terminal.text, terminal.text)
        terminal.type("n\r")
        expect_equal(terminal.finish(), 1, terminal.text)
        expect("nothing was done" in terminal.text, terminal.text)
        expect_equal(rig.locks(), [], "locks")
        # To take any lock is not to take a weak one.
        terminal = Terminal(rig, "pair", PRO.address, "--yes")
        terminal.read_until("Pair it all the same?")
        terminal.type("y\r")
        terminal.read_until("hex digits")
        terminal.type(KEY + "\r")
        expect_equal(terminal.finish(), 0, terminal.text)
        expect(KEY.split()[1] not in terminal.text, "the key is shown")
        expect_equal([row["address"] for row in rig.locks()], [PRO.address], "locks")


@case
def what_each_can_do_is_told():
    lite = switchbot("shed", "lite", 4)
    with a_hub(FRONT, PRO, lite) as rig:
        def can(lock):
            return rig.ctl_json("show", lock.slug)["locks"][0]["capabilities"]
        rig.expect_prop(PRO, "Door", "closed")
        pro, weak, nuki = can(PRO), can(lite), can(FRONT)
        expect_equal(list(pro), list(nuki), "keys")
        for key, wanted in (("unlatch", ("yes", "yes", "yes")), ("pin", (f"no, {NO_CODES}", f"no, {NO_CODES}", "no")),
                            ("log", ("no", "no", "yes")), ("protocol_class", ("C", "C", "B")),
                            ("state_advertised", ("the state", "the state", "that something changed")),
                            ("door_state", ("yes", "not known", "not known")),
                            ("auto_relock", ("no", "no", "yes, can be set"))):
            expect_equal((pro[key], weak[key], nuki[key]), wanted, key)
        text = rig.ctl("show", PRO.slug)
        expect("state advertised: the state" in text and "door state: yes" in text, text)


def findings(rig):
    targets = json.loads(rig.try_ctl("doctor", PRO.slug, "--json").stdout)["targets"]
    return [one["fault"] for one in next(t for t in targets if t.get("lock") == PRO.slug)["findings"]]


@case
def what_it_says_of_itself_is_what_the_doctor_finds():
    with a_hub(PRO) as rig:
        expect_equal(findings(rig), [], "a healthy lock")
        for what, value, fault in (("battery", 15, "battery-low"), ("battery", 3, "battery-critical"),
                                   ("calibrated", 0, "not-calibrated")):
            def put(to, what=what):
                return rig.battery(PRO, to) if what == "battery" else rig.sim("set", PRO.slug, f"{what}={to}")
            put(value)
            rig.expect_prop(PRO, "Fault", fault)
            expect_equal(findings(rig), [fault], f"{what} {value}")
            put(90 if what == "battery" else 1)
            rig.expect_prop(PRO, "Fault", "none")
            expect_equal(findings(rig), [], f"after {what} {value}")
        # Refusals (switchbot-lock.md 8): anybody could have made them, so the state is read as well.
        for sent, (number, words, fault) in enumerate((
                (3, "busy", None), (5, "This lock cannot do that", None),
                (2, "refused the action", "action-rejected"), (4, "firmware", "firmware-update-needed")), 1):
            rig.sim("set", PRO.slug, f"refuse={number}")
            done = rig.try_ctl("unlock", PRO.slug, "--json")
            told = json.loads(done.stdout)
            expect(done.returncode != 0 and words in told["message"], f"{number}: {told}")
            expect_equal(told["state_after"], "locked", "what was read")
            expect_equal(rig.motor_runs(PRO)[1], sent, "commands: each was sent once")
            rig.sim("set", PRO.slug, "refuse=0")
            expect_equal(findings(rig)[:1], [fault] if fault else [], f"after {number}")
        # What it can do again clears it.
        rig.ctl("unlock", PRO.slug)
        rig.expect_prop(PRO, "Fault", "none")
        expect_equal(findings(rig), [], "after a run that went well")
        # A refusal with its reason is the reason's.
        rig.sim("set", PRO.slug, "calibrated=0")
        rig.expect_prop(PRO, "Fault", "not-calibrated")
        expect(rig.try_ctl("lock", PRO.slug).returncode != 0, "moved without knowing where")
        expect_equal(findings(rig)[0], "not-calibrated", "the first finding")


@case
def where_its_codes_are_is_told():
    front = Lock(FRONT.slug, FRONT.model, FRONT.address, FRONT.pin, extra="keypad=1")
    with a_hub(front, PRO) as rig:
        rig.ctl("user", "add", "Eva")
        done = rig.try_ctl("code", "add", "eva", "--lock", PRO.slug, "--generate")
        expect(done.returncode != 0, "a code that no lock keeps")
        expect(f"{PRO.slug} keeps no codes that the hub could set: {NO_CODES}" in done.stderr, done.stderr)
        rig.ctl("access", "grant", "eva", PRO.slug)
        done = rig.try_ctl("code", "add", "eva", "--generate")
        expect(done.returncode != 0 and NO_CODES in done.stderr, done.stderr)
        done = rig.try_ctl("code", "sync", PRO.slug)
        expect(done.returncode != 0 and NO_CODES in done.stderr, done.stderr)
        # With a lock that keeps codes beside it the code is made, and it is told where it does not count.
        rig.ctl("access", "grant", "eva", FRONT.slug)
        told = rig.ctl("code", "add", "eva", "--generate")
        expect("front-door: present" in told and "side-door: unsupported" in told, told)
        expect(f"no, {NO_CODES}" in rig.ctl("show", PRO.slug), "show")


@case
def its_latch_is_pulled_where_it_has_one_and_only_then():
    latched = switchbot("shed", "lock", 2, ",night-latch=1")
    with a_hub(latched, PRO) as rig:
        for lock, pulled in ((latched, 1), (PRO, 0)):
            rig.ctl("unlock", lock.slug)
            rig.expect_prop(lock, "State", "unlocked")
            expect_equal(rig.counters(lock)["motor-unlatch"], 0, f"an unlock of {lock.slug} pulls no latch")
            rig.ctl("lock", lock.slug)
            rig.ctl("unlatch", lock.slug)
            rig.expect_prop(lock, "State", "unlocked")
            expect_equal(rig.motor_runs(lock), (1, 2 - pulled, pulled), f"commands of {lock.slug}")
            expect_equal(rig.counters(lock)["motor-unlatch"], pulled, f"latch of {lock.slug}")


@case
def a_nuki_beside_it_is_none_of_its_business():
    with a_hub(FRONT, PRO) as rig:
        rig.ctl("unlock", FRONT.slug)
        rig.ctl("unlock", PRO.slug)
        rig.expect_prop(PRO, "State", "unlocked")
        rig.expect_prop(FRONT, "State", "unlocked")
        rig.ctl("unpair", PRO.slug, "--yes")
        wait(lambda: [row["slug"] for row in rig.locks()] == [FRONT.slug], 15, "one lock is left")


main()
