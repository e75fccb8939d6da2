#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A lock that was reset is paired again as the lock that it was, and gets back what it had."""

import signal
import sqlite3
import subprocess

from case import case, expect, expect_equal, main
from rig import Lock, a_paired_hub, program, wait

FRONT = Lock("front-door", "nuki:gen4", "54:D2:72:00:00:01", "4711")
FRONT.extra = "keypad=1"
# A virtual Nuki has this one after a reset.
NEW_PIN = "0000"
CODE = "583926"
# One that is off: a lock takes it as on first, so that it takes two messages.
TIMERS = [("daily", "22:30", "lock", True), ("Mon-Fri", "06:45", "unlock", False)]
CHANGED = {"LEDBrightness": 1, "AutoRelockTime": 300, "ButtonDoublePress": "show-status", "NodeLabel": "Haustür"}


def values(rig):
    return {row["key"]: row["value"] for row in rig.ctl_json("settings", "--read", FRONT.slug)["settings"]}


def timers(rig):
    rows = rig.ctl_json("timer", "list", FRONT.slug)["timers"]
    return sorted((row["days"], row["time"], row["act"], row["enabled"]) for row in rows)


def all_rows(rig):
    return rig.log_rows("--lines", "2000")


def furnish(rig):
    """A user with a code, settings and timers of one's own; what the lock has then."""
    rig.ctl("user", "add", "Anna Huber", "--lock", FRONT.slug)
    rig.ctl("code", "add", "anna-huber", "--stdin", stdin=CODE + "\n")
    rig.ctl("settings", FRONT.slug, *(f"{key}={value}" for key, value in CHANGED.items()))
    for days, time, act, is_on in TIMERS:
        rig.ctl("timer", "add", FRONT.slug, days, time, act, *([] if is_on else ["--disable"]))
    return values(rig)


def lock_of(rig):
    return rig.ctl_json("show", FRONT.slug)["locks"][0]


def reset_behind_our_back(rig):
    rig.sim("reset", FRONT.slug)
    rig.sim_pairing(FRONT)


def restore(rig, pin=NEW_PIN):
    return rig.try_ctl("reset", "--restore", FRONT.slug, "--pin-stdin", stdin=pin + "\n", seconds=120)


def expect_whole(rig, before, had):
    expect_equal(lock_of(rig)["id"], before["id"], "it is the same lock")
    expect_equal(values(rig), had, "its settings")
    expect_equal(timers(rig), sorted(TIMERS), "its timers")
    codes = rig.ctl_json("code", "list", "anna-huber")["codes"]
    expect_equal([at["state"] for at in codes[0]["locks"]], ["present"], "the code is in the lock")
    rig.ctl("calibrate", FRONT.slug)
    rig.ctl("lock", FRONT.slug)
    rig.sim("keypad", FRONT.slug, CODE)
    wait(lambda: rig.show(FRONT)["bolt"] == "unlocked", 30, "the code opens")


@case
def what_a_lock_had_is_put_back():
    with a_paired_hub(FRONT, broker=False) as rig:
        had = furnish(rig)
        before = lock_of(rig)
        # A longer log than the new one will be, so that its numbers come again.
        for _ in range(10):
            rig.ctl("unlock", FRONT.slug)
            rig.ctl("lock", FRONT.slug)
        wait(lambda: lock_of(rig)["log_cursor"] >= 20, 60, "the log is read")
        n_before = len(all_rows(rig))
        reset_behind_our_back(rig)
        done = restore(rig)
        rig.note(done.stdout)
        expect_equal(done.returncode, 0, f"{done.stdout}{done.stderr}")
        expect("reset" in done.stdout and "paired again" in done.stdout and "it has what it had" in done.stdout, done.stdout)
        expect("and 2 timers put back" in done.stdout, done.stdout)
        expect_whole(rig, before, had)
        # History stays, and what the lock writes into its new log goes on behind it, once each.
        expect(len(all_rows(rig)) > n_before, "nothing of the log is lost")

        def is_told():
            return any(row.get("user") == "Anna Huber" and row.get("type") == "unlocked" for row in all_rows(rig))
        wait(is_told, 60, "the new log is read, though its numbers begin anew")
        seqs = [row["lock_seq"] for row in all_rows(rig) if row.get("lock_seq")]
        expect_equal(len(seqs), len(set(seqs)), "each entry once")
        expect_equal([row for row in all_rows(rig) if row.get("type") == "log_gap"], [], "no hole is made up")
        again = [row for row in all_rows(rig) if row.get("type") == "paired" and "again" in row.get("text", "")]
        expect_equal(len(again), 1, "it is on record")
        expect(rig.ctl_json("log", "verify")["ok"], "the chain holds")
        # A second time there is nothing to do.
        done = restore(rig)
        expect(done.returncode == 0 and "0 settings and 0 timers put back" in done.stdout, f"{done.stdout}{done.stderr}")


@case
def another_lock_is_not_taken_for_it():
    other = Lock("back-door", "nuki:gen4", "54:D2:72:00:00:02", "4712")
    with a_paired_hub(FRONT, other, broker=False) as rig:
        furnish(rig)
        rig.sim_pairing(other)
        done = rig.try_ctl("reset", "--restore", FRONT.slug, "--seconds", "3", "--pin-stdin", stdin=NEW_PIN + "\n")
        # The lock knows the hub: nothing is to be paired, whoever else is ready for it.
        expect_equal(done.returncode, 0, f"{done.stdout}{done.stderr}")
        rig.sim("reset", FRONT.slug)
        done = rig.try_ctl("reset", "--restore", FRONT.slug, "--seconds", "3", "--pin-stdin", stdin=NEW_PIN + "\n")
        # It was heard in pairing mode some minutes ago; the other one is so now, and is left alone.
        expect(done.returncode == 1 and "pairing mode" in done.stderr, f"{done.stdout}{done.stderr}")
        rig.ctl("refresh", other.slug)
        expect_equal(lock_of(rig)["fault"], "not-authorized", "the hub knows how things stand")


@case
def a_wrong_pin_is_mended_and_it_goes_on():
    with a_paired_hub(FRONT, broker=False) as rig:
        had = furnish(rig)
        before = lock_of(rig)
        reset_behind_our_back(rig)
        done = restore(rig, "9999")
        expect(done.returncode == 1 and "PIN" in done.stderr, f"{done.stdout}{done.stderr}")
        rig.ctl("set-pin", FRONT.slug, "--pin-stdin", stdin=NEW_PIN + "\n")
        done = restore(rig)
        expect_equal(done.returncode, 0, f"{done.stdout}{done.stderr}")
        expect_whole(rig, before, had)


@case
def kill_9_at_any_moment_loses_nothing():
    with a_paired_hub(FRONT, broker=False) as rig:
        had = furnish(rig)
        before = lock_of(rig)
        reset_behind_our_back(rig)
        # Each of these words in the journal is a moment in which the power goes.
        for word in ("Authorization-ID Confirmation", "again)", "> Set Config", "> Add Time Control Entry", "> Add Keypad Code"):
            child = subprocess.Popen([str(program("lockhubctl")), "reset", "--restore", FRONT.slug, "--pin-stdin"],
                                     stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                     text=True, env=rig.env())
            child.stdin.write(NEW_PIN + "\n")
            child.stdin.close()
            wait(lambda: word in rig.hub.log() or child.poll() is not None, 60, f"'{word}' in the journal")
            rig.note(f"killed at '{word}': {'seen' if word in rig.hub.log() else 'not seen, it had ended'}")
            rig.restart_hub(signal.SIGKILL)
            child.wait(60)
            if rig.show(FRONT).get("pairing") is False:
                rig.sim_pairing(FRONT)
        rig.sim_pairing(FRONT)
        done = restore(rig)
        expect_equal(done.returncode, 0, f"{done.stdout}{done.stderr}")
        expect_whole(rig, before, had)
        expect(rig.ctl_json("log", "verify")["ok"], "the chain holds")


@case
def the_whole_way_asks_backs_up_and_tells_the_steps():
    with a_paired_hub(FRONT, broker=False) as rig:
        had = furnish(rig)
        before = lock_of(rig)
        done = rig.try_ctl("reset", FRONT.slug, "--pin-stdin", stdin=NEW_PIN + "\n")
        expect_equal(done.returncode, 2, f"without a terminal nobody can agree: {done.stderr}")
        reset_behind_our_back(rig)
        done = rig.try_ctl("reset", FRONT.slug, "--yes", "--no-backup", "--pin-stdin", stdin=NEW_PIN + "\n", seconds=120)
        rig.note(done.stdout)
        expect_equal(done.returncode, 0, f"{done.stdout}{done.stderr}")
        expect("Lost for good" in done.stdout and "1 codes of this hub with their times, 2 timers" in done.stdout, done.stdout)
        expect_whole(rig, before, had)


@case
def before_it_a_backup_is_made():
    with a_paired_hub(FRONT, broker=False) as rig:
        had = furnish(rig)
        before = lock_of(rig)
        reset_behind_our_back(rig)
        done = rig.try_ctl("reset", FRONT.slug, "--yes", "--pin-stdin", stdin=NEW_PIN + "\n", seconds=120)
        expect_equal(done.returncode, 0, f"{done.stdout}{done.stderr}")
        expect("Backed up" in done.stdout, done.stdout)
        expect("before-reset" in str(rig.ctl_json("backup", "list")), "a generation with its reason")
        expect_whole(rig, before, had)


@case
def a_lock_that_is_full_is_told_and_mended():
    small = Lock("front-door", "nuki:gen4", "54:D2:72:00:00:01", "4711")
    small.extra = "keypad=1,codes-max=1"
    with a_paired_hub(small, broker=False) as rig:
        had = furnish(rig)
        before = lock_of(rig)
        reset_behind_our_back(rig)
        # Somebody was quicker: the number that the hub's code had is that of another one now.
        rig.sim("app", FRONT.slug, "add-code", "694837", "Cleaner")
        done = restore(rig)
        expect(done.returncode == 1 and "refused 1 codes" in done.stderr, f"{done.stdout}{done.stderr}")
        codes = rig.sim_json("show", FRONT.slug)["codes"]
        expect_equal([row["name"] for row in codes], ["Cleaner"], "what others made is left alone")
        rig.sim("app", FRONT.slug, "remove-code", codes[0]["id"])
        done = restore(rig)
        expect_equal(done.returncode, 0, f"{done.stdout}{done.stderr}")
        expect_whole(rig, before, had)


@case
def what_is_sold_is_wiped():
    with a_paired_hub(FRONT, broker=False) as rig:
        furnish(rig)
        expect_equal(rig.try_ctl("reset", "--for-sale", FRONT.slug).returncode, 2, "nobody agreed")
        done = rig.try_ctl("reset", "--for-sale", "--yes", FRONT.slug)
        expect_equal(done.returncode, 0, f"{done.stdout}{done.stderr}")
        expect("Not wiped:" in done.stdout and "0 codes, 0 apps" in done.stdout, done.stdout)
        expect("before" in done.stdout and "Reset to factory settings".lower() in done.stdout.lower(), done.stdout)
        show = rig.sim_json("show", FRONT.slug)
        expect_equal(show["codes"], [], "no code is in the lock")
        expect_equal(show["authorisations"], [], "nor the hub's key")
        expect_equal(rig.ctl_json("list")["locks"], [], "nor anything of it here")
        expect(FRONT.slug not in str(rig.ctl_json("user", "show", "anna-huber")), "no right to it")


def rows_with(rig, word):
    """Tables of the hub's database in which a row has the word: how many rows."""
    found = {}
    base = sqlite3.connect(f"file:{rig.state / 'lockhub.db'}?mode=ro", uri=True)
    names = [row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for name in names:
        n = sum(any(word in str(value) for value in row) for row in base.execute(f"SELECT * FROM {name}"))
        if n > 0:
            found[name] = n
    base.close()
    return found


def sealed_keys(rig):
    base = sqlite3.connect(f"file:{rig.state / 'lockhub.db'}?mode=ro", uri=True)
    blobs = [value for row in base.execute("SELECT * FROM lock") for value in row if isinstance(value, bytes)]
    base.close()
    return blobs


def files_with(rig, blob):
    """Files of the state folder in which these octets are, backups (which are sealed) left out."""
    files = (path for path in rig.state.rglob("*") if path.is_file() and "backup" not in path.parts)
    return [path.name for path in files if blob in path.read_bytes()]


@case
def nothing_of_what_is_sold_stays_here():
    with a_paired_hub(FRONT) as rig:
        furnish(rig)
        number = rig.id(FRONT)
        rig.sim("bond", FRONT.slug, "on")
        watch = rig.watch()
        wait(lambda: any(number in topic or FRONT.slug in topic for topic, payload in list(watch.values.items()) if payload), 30,
             "topics of it are retained")
        keys = sealed_keys(rig)
        expect(keys and all(files_with(rig, blob) for blob in keys), "its keys are on the disk")
        expect({"lock", "user_access", "placement", "slot"} & set(rows_with(rig, number)), f"rows: {rows_with(rig, number)}")
        done = rig.try_ctl("reset", "--for-sale", "--yes", FRONT.slug)
        rig.note(done.stdout)
        expect_equal(done.returncode, 0, f"{done.stdout}{done.stderr}")
        # The bond that somebody made past lockhub.
        expect("the keys that BlueZ had of it" in done.stdout, done.stdout)
        expect_equal(rig.sim_json("show", FRONT.slug)["bonded"], False, "BlueZ forgot it")
        # The broker: whoever comes now is told nothing of it, discovery included.
        fresh = rig.watch()
        wait(lambda: fresh.value("lockhub/status") is not None or fresh.values, 30, "what is retained is told")

        def retained():
            return [topic for topic, payload in list(rig.watch().values.items())
                    if payload and (number in topic or number in payload or FRONT.slug in topic)]
        wait(lambda: retained() == [], 30, "nothing of it is retained")
        # The database: what is told to stay, and no more. Then the keys, to the last octet.
        expect_equal(set(rows_with(rig, number)) - {"event", "op"}, set(), "rows of it")
        expect("entries of this hub's log" in done.stdout and "backups made before" in done.stdout, done.stdout)
        expect_equal(rig.hub.stop(), 0, "the hub stops")
        for blob in keys:
            expect_equal(files_with(rig, blob), [], "the sealed keys are on the disk no more")


@case
def what_is_out_of_reach_is_wiped_here_and_told():
    with a_paired_hub(FRONT, broker=False) as rig:
        furnish(rig)
        number = rig.id(FRONT)
        rig.range(FRONT, False)
        done = rig.try_ctl("reset", "--for-sale", "--force", "--yes", FRONT.slug)
        rig.note(done.stdout)
        expect_equal(done.returncode, 0, f"{done.stdout}{done.stderr}")
        expect("the lock was not asked" in done.stdout, done.stdout)
        expect("1 codes in the lock, which open it as before, the hub's key there" in done.stdout, done.stdout)
        expect("their codes in the lock" not in done.stdout, "it is not claimed that the codes are gone")
        show = rig.sim_json("show", FRONT.slug)
        expect_equal((len(show["codes"]), len(show["authorisations"]), len(show["timers"])), (1, 1, 2), "the lock knows nothing of it")
        expect_equal(rig.ctl_json("list")["locks"], [], "here it is gone")
        expect_equal(set(rows_with(rig, number)) - {"event", "op"}, set(), "rows of it")
        # It comes back in the buyer's hands: nothing here listens to it any more.
        rig.range(FRONT, True)
        expect_equal(rig.try_ctl("show", FRONT.slug).returncode, 1, "nobody knows it")


@case
def a_bond_that_cannot_be_taken_away_is_told():
    with a_paired_hub(FRONT, broker=False) as rig:
        rig.sim("bond", FRONT.slug, "on")
        rig.ctl("refresh", FRONT.slug)
        rig.sim("bluez", "hang", "on")
        done = rig.try_ctl("reset", "--for-sale", "--force", "--yes", FRONT.slug)
        rig.sim("bluez", "hang", "off")
        expect_equal(done.returncode, 0, f"{done.stdout}{done.stderr}")
        expect(f"sudo bluetoothctl remove {FRONT.address}" in done.stdout, done.stdout)
        expect_equal(rig.sim_json("show", FRONT.slug)["bonded"], True, "it is still there")


@case
def a_reset_behind_our_back_is_found_and_the_way_is_told():
    with a_paired_hub(FRONT, broker=False) as rig:
        had = furnish(rig)
        before = lock_of(rig)
        reset_behind_our_back(rig)
        # The hub was not running either, when it comes to it: what it had is on the disk.
        rig.restart_hub(signal.SIGKILL)
        rig.try_ctl("refresh", FRONT.slug)
        expect_equal(lock_of(rig)["fault"], "not-authorized", "it is told at once")
        done = rig.try_ctl("doctor", FRONT.slug, "--json")
        first = rig.first_finding(done.stdout) if hasattr(rig, "first_finding") else done.stdout
        expect("not-authorized" in first or "lock-reset" in first, first[:2000])
        expect(f"reset --restore {FRONT.slug}" in done.stdout, "the restoration is offered")
        done = restore(rig)
        expect_equal(done.returncode, 0, f"{done.stdout}{done.stderr}")
        expect("2 timers put back" in done.stdout, done.stdout)
        expect_whole(rig, before, had)


main()
