#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Locks of TTLock: set up by the hub, or with the numbers of whoever did it before."""

import concurrent.futures
import datetime
import json

from case import case, expect, expect_equal, main
from rig import Lock, a_hub, never, wait

KEY = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
RECORD = {"aesKey": KEY, "admin": {"adminPs": 12345678, "unlockKey": 87654321}}


def ttlock(slug, model, last, extra="", key=None):
    return Lock(slug, f"ttlock:{model}", f"6C:B2:FD:00:00:0{last}", "", key=key, extra=extra)


DOOR = ttlock("workshop", "s534", 1)
SHED = ttlock("shed", "d01", 2, "frugal=0")
OWNED = ttlock("cellar", "s534", 3, f"owner={KEY}/12345678/87654321", key=json.dumps(RECORD))


def words(rig, lock):
    """What the history tells of a lock, oldest first."""
    return [(row["kind"], row.get("operation"), row.get("source"), row.get("user"))
            for row in reversed(rig.log_rows(lock.slug))]


def has_row(rig, lock, **wanted):
    return any(all(row.get(key) == value for key, value in wanted.items())
               for row in rig.log_rows(lock.slug))


@case
def a_lock_in_setting_mode_is_set_up():
    with a_hub(DOOR, paired=False) as rig:
        done = rig.try_ctl("pair", DOOR.address, "--yes")
        expect(done.returncode != 0, "paired without consent to its protocol")
        expect("--accept-weak" in done.stderr, done.stderr)
        done = rig.try_ctl("pair", DOOR.address, "--accept-weak", "--key-file", "-", stdin="x\n")
        expect(done.returncode != 0, "took a key for a lock that makes one")
        rig.pair(DOOR)
        mine = rig.show(DOOR)
        expect(mine["owned"] and not mine["setting"], "it is not set up")
        row = rig.ctl_json("show", DOOR.slug)["locks"][0]
        expect_equal(row["model"], "TTLock S534", "model")
        expect_equal(row["firmware"], "2.1.16.705", "firmware")
        expect_equal(row["protocol"]["class"], "C", "class")
        shown = rig.ctl("show", DOOR.slug) + json.dumps(row) + rig.hub.log()
        for secret in (mine["key"], str(mine["admin"]), str(mine["unlock"])):
            expect(secret not in shown, "a secret is shown")
        rig.ctl("unpair", DOOR.slug, "--yes")
        wait(lambda: rig.show(DOOR)["setting"], 15, "it is as it left the factory")


@case
def a_record_of_another_client_pairs_it():
    with a_hub(OWNED, paired=False) as rig:
        done = rig.try_ctl("pair", OWNED.address, "--yes", "--accept-weak")
        expect(done.returncode != 0, "paired without a key")
        expect("aesKey" in done.stderr and "--key-file" in done.stderr, done.stderr)
        wrong = json.dumps({**RECORD, "admin": {"adminPs": 1, "unlockKey": 2}})
        done = rig.try_ctl("pair", OWNED.address, "--accept-weak", "--key-file", "-", stdin=wrong + "\n")
        expect(done.returncode != 0, "paired with a wrong number")
        expect("admin number" in done.stderr, done.stderr)
        expect_equal(rig.locks(), [], "locks")
        # As that client keeps it, which is a file of all its locks.
        store = rig.dir / "lockData.json"
        row = {"address": OWNED.address, "battery": 70,
               "privateData": {**RECORD, "pwdInfo": [{"year": year, "code": 7, "secret": "9" * 10} for year in range(30)]}}
        others = [{**row, "address": DOOR.address, "privateData": {"aesKey": "00" * 16}}, {**row, "address": SHED.address}]
        store.write_text(json.dumps(others, indent=2))
        done = rig.try_ctl("pair", OWNED.address, "--accept-weak", "--key-file", store)
        expect(done.returncode != 0 and "none of " + OWNED.address in done.stderr, done.stderr)
        store.write_text(json.dumps([*others, row], indent=2))
        rig.ctl("pair", OWNED.address, "--name", OWNED.name, "--accept-weak", "--key-file", store)
        rig.ctl("unpair", OWNED.slug, "--yes")
        rig.pair(OWNED)
        rig.ctl("unlock", OWNED.slug)
        rig.expect_prop(OWNED, "State", "unlocked")
        expect(KEY not in rig.hub.log(), "the key is in the journal")
        # It was not the hub's, so the hub leaves it as it is.
        rig.ctl("unpair", OWNED.slug, "--yes")
        expect(rig.show(OWNED)["owned"], "it was reset")


@case
def it_is_moved_and_heard():
    with a_hub(DOOR, SHED) as rig:
        rig.ctl("unlock", DOOR.slug)
        rig.expect_prop(DOOR, "State", "unlocked")
        rig.ctl("lock", DOOR.slug)
        rig.expect_prop(DOOR, "State", "locked")
        expect_equal(rig.motor_runs(DOOR), (1, 1, 0), "commands")
        rig.ctl("unlock", SHED.slug)
        rig.expect_prop(SHED, "State", "unlocked")
        done = rig.try_ctl("lock", SHED.slug)
        expect(done.returncode != 0, "a padlock was locked")
        rig.turn(DOOR, "unlock")
        rig.expect_prop(DOOR, "State", "unlocked")
        wait(lambda: has_row(rig, DOOR, operation="unlock", source="manual"), 30, "the log says by whom")
        rig.battery(DOOR, 15)
        rig.expect_prop(DOOR, "Fault", "battery-low")


@case
def jam_refusal_and_damage_are_told():
    with a_hub(DOOR) as rig:
        rig.sim("set", DOOR.slug, "bad-crc=1")
        rig.ctl("unlock", DOOR.slug)
        rig.sim("set", DOOR.slug, "refuse-crc=1")
        rig.ctl("lock", DOOR.slug)
        expect_equal(rig.motor_runs(DOOR), (1, 1, 0), "commands")
        rig.sim("set", DOOR.slug, "refuse=19")
        done = rig.try_ctl("unlock", DOOR.slug)
        expect(done.returncode != 0 and "0x13" in done.stderr, done.stderr)
        rig.expect_prop(DOOR, "Fault", "jammed")
        expect("jammed" in rig.try_ctl("doctor", DOOR.slug, "--json").stdout, "doctor says nothing of a jam")
        rig.sim("set", DOOR.slug, "refuse=0")
        rig.ctl("unlock", DOOR.slug)
        rig.expect_prop(DOOR, "Fault", "none")
        rig.jam(DOOR, True)
        done = rig.try_ctl("lock", DOOR.slug, seconds=90)
        expect(done.returncode != 0 and "no record" in done.stderr, done.stderr)
        rig.jam(DOOR, False)
        rig.battery(DOOR, 3)
        done = rig.try_ctl("lock", DOOR.slug)
        expect(done.returncode != 0 and "power" in done.stderr, done.stderr)


@case
def a_state_that_never_changes_is_not_believed():
    with a_hub(DOOR) as rig:
        rig.sim("set", DOOR.slug, "state-stuck=1")
        rig.ctl("unlock", DOOR.slug)
        rig.ctl("lock", DOOR.slug, seconds=90)
        rig.expect_prop(DOOR, "State", "locked")
        expect(rig.show(DOOR)["bolt"] == "locked", "it is not locked")
        rig.ctl("refresh", DOOR.slug)
        rig.expect_prop(DOOR, "State", "locked")


@case
def codes_and_their_use():
    with a_hub(DOOR) as rig:
        rig.ctl("user", "add", "Ada")
        rig.ctl("access", "grant", "ada", DOOR.slug)
        rig.ctl("code", "add", "ada", "--stdin", stdin="704128\n")
        wait(lambda: [row["code"] for row in rig.show(DOOR)["codes"]] == ["704128"], 30, "the code is in the lock")
        rig.sim("keypad", DOOR.slug, "704128")
        rig.expect_prop(DOOR, "State", "unlocked")
        wait(lambda: has_row(rig, DOOR, operation="unlock", source="keypad", user="Ada"), 30,
             lambda: f"the log says by whom: {words(rig, DOOR)}")
        rig.sim("keypad", DOOR.slug, "990099")
        rig.ctl("lock", DOOR.slug)  # what moved nothing is read with the next that does
        wait(lambda: has_row(rig, DOOR, source="keypad", error="invalid_credential"), 90,
             lambda: f"the log tells the wrong code: {words(rig, DOOR)}")
        expect("704128" not in rig.hub.log() and "990099" not in json.dumps(rig.log_rows(DOOR.slug)),
               "a code is in the journal or the history")
        rig.ctl("access", "revoke", "ada", DOOR.slug)
        wait(lambda: rig.show(DOOR)["codes"] == [], 30, "the code is gone from the lock")


@case
def each_kind_of_time_that_a_code_can_have():
    """Dates are kept by the lock; of a week, and of once, the hub has to take care."""
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    today = datetime.datetime.now().weekday()
    near = ",".join(days[(today + step) % 7] for step in (-1, 0, 1))
    far = ",".join(days[(today + step) % 7] for step in (3, 4))
    codes = {"Always": "510001", "Dates": "510002", "Week": "510003", "Later": "510004", "Once": "510005"}
    valid = {"Dates": "2020-01-01 00:00 - 2090-01-01 00:00", "Week": f"{near} 00:00-24:00",
             "Later": f"{far} 00:00-24:00"}
    with a_hub(DOOR) as rig:
        def there():
            return {row["code"]: row["type"] for row in rig.show(DOOR)["codes"]}
        for name, code in codes.items():
            rig.ctl("user", "add", name, "--lock", DOOR.slug, *(["--valid", valid[name]] if name in valid else []),
                    *(["--type", "disposable"] if name == "Once" else []))
            rig.ctl("code", "add", name.lower(), "--stdin", stdin=code + "\n")
        wanted = {codes["Always"]: 1, codes["Dates"]: 3, codes["Week"]: 1, codes["Once"]: 1}
        wait(lambda: there() == wanted, 60, lambda: f"the lock has {there()}, wanted {wanted}")
        for name in ("Dates", "Week", "Once"):
            rig.ctl("lock", DOOR.slug)
            rig.sim("keypad", DOOR.slug, codes[name])
            rig.expect_prop(DOOR, "State", "unlocked", 30)
        wait(lambda: codes["Once"] not in there(), 60, lambda: f"the spent code is gone: {there()}")
        rig.ctl("lock", DOOR.slug)
        rig.sim("keypad", DOOR.slug, codes["Once"])
        rig.sim("keypad", DOOR.slug, codes["Later"])
        never(lambda: rig.show(DOOR)["bolt"] != "locked", 1, "opened by a spent code, or one of another day")


@case
def a_card_is_given_to_somebody():
    with a_hub(DOOR) as rig:
        rig.sim("app", DOOR.slug, "add-card", "aabbccdd")
        rig.ctl("code", "sync", DOOR.slug)

        def foreign():
            return [row["ref"] for row in rig.ctl_json("code", "list", "--lock", DOOR.slug)["foreign"]
                    if row["type"] == "rfid"]
        wait(foreign, 30, "the card is listed")
        rig.ctl("user", "add", "Ada")
        made = rig.ctl_json("code", "adopt", DOOR.slug, foreign()[0], "ada", "--type", "rfid")
        wait(lambda: not foreign(), 30, "it is nobody's no more")
        expect_equal(rig.show(DOOR)["cards"], 1, "cards")
        rig.ctl("code", "revoke", made["id"], seconds=90)
        wait(lambda: rig.show(DOOR)["cards"] == 0, 30, "the card is gone from the lock")


@case
def its_log_tells_where_the_door_is():
    with a_hub(DOOR) as rig:
        rig.ctl("unlock", DOOR.slug)
        rig.sim("door", DOOR.slug, "open")
        rig.ctl("unlock", DOOR.slug)  # with which the log is read
        rig.expect_prop(DOOR, "Door", "open")
        wait(lambda: any(row["kind"] == "door_state_change" for row in rig.log_rows(DOOR.slug)), 60,
             lambda: f"the history tells it: {words(rig, DOOR)}")
        rig.sim("door", DOOR.slug, "close")
        rig.ctl("lock", DOOR.slug)
        rig.expect_prop(DOOR, "Door", "closed")


@case
def it_learns_what_is_held_to_it():
    with a_hub(DOOR) as rig:
        rig.ctl("user", "add", "Ada")

        def learn(*words):
            op = rig.ctl_json("code", "learn", DOOR.slug, "ada", "--no-wait", *words)["id"]
            wait(lambda: rig.show(DOOR)["learning"], 30, "the lock waits for somebody")
            return op

        def mine(kind):
            return [(row["type"], row["label"], [at["state"] for at in row["locks"]])
                    for row in rig.ctl_json("code", "list", "ada")["codes"] if row["type"] == kind]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            asked = pool.submit(rig.try_ctl, "code", "learn", DOOR.slug, "ada", "--label", "blue tag")
            wait(lambda: rig.show(DOOR)["learning"], 30, "the lock waits for somebody")
            rig.sim("app", DOOR.slug, "present-card", "aabbccdd")
            done = asked.result()
        expect("hold it to the lock now" in done.stderr, done.stderr)
        expect(done.returncode == 0 and done.stdout.startswith("Learnt as "), done.stdout)
        wait(lambda: mine("rfid") == [("rfid", "blue tag", ["present"])], 30,
             lambda: f"the card is hers: {mine('rfid')}")
        learn("--type", "fingerprint")
        for _touch in range(4):
            rig.sim("finger", DOOR.slug, 7)
        wait(lambda: mine("fingerprint") == [("fingerprint", "", ["present"])], 30,
             lambda: f"the finger is hers: {mine('fingerprint')}")
        rig.sim("app", DOOR.slug, "present-card", "aabbccdd")
        rig.expect_prop(DOOR, "State", "unlocked")
        rig.ctl("lock", DOOR.slug)  # with which the log is read at once
        wait(lambda: has_row(rig, DOOR, operation="unlock", source="rfid", user="Ada"), 60,
             lambda: f"the log says by whom: {words(rig, DOOR)}")
        # Who may not enter is shut out, and needs not come to the door again when he may.
        rig.ctl("user", "edit", "ada", "--disable")
        wait(lambda: rig.show(DOOR)["tokens-off"] == 2, 30, "card and finger are off")
        expect_equal((rig.show(DOOR)["cards"], rig.show(DOOR)["fingers"]), (1, 1), "what it holds")
        rig.ctl("user", "edit", "ada", "--enable")
        wait(lambda: rig.show(DOOR)["tokens-off"] == 0, 30, "card and finger are on")
        # Nobody comes, and whoever asked takes it back.
        rig.ctl("cancel", learn())
        wait(lambda: not rig.show(DOOR)["learning"], 30, "the lock waits no longer")
        rig.ctl("access", "revoke", "ada", DOOR.slug, seconds=90)
        wait(lambda: (rig.show(DOOR)["cards"], rig.show(DOOR)["fingers"]) == (0, 0), 30, "both are gone")


@case
def settings_and_clock():
    with a_hub(DOOR) as rig:
        rig.ctl("settings", DOOR.slug, "AutoRelockTime=30")
        expect_equal(rig.show(DOOR)["auto-lock"], 30, "auto-lock")
        rig.ctl("settings", DOOR.slug, "PassageMode=Mon,Wed 08:00-18:00")
        expect_equal(rig.show(DOOR)["passages"], 2, "hours")
        done = rig.try_ctl("settings", DOOR.slug, "PassageMode=always")
        expect(done.returncode != 0 and "daily" in done.stderr, done.stderr)
        before = rig.show(DOOR)["clock-offset"]
        rig.sim("clock", DOOR.slug, before + 7200)
        rig.ctl("sync-clock", DOOR.slug)
        wait(lambda: abs(rig.show(DOOR)["clock-offset"] - before) < 60, 30, "its clock was set")


main()
