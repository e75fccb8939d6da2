#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is remembered of a lock's health, from the lock to the bus, over a restart and a kill."""

import json
import signal
import sqlite3

from case import case, expect, expect_equal, main
from rig import BACK, FRONT, a_paired_hub, wait

# Looks at what the lock tells, not at how often.
CONFIG = "[hub]\nset_clocks = no\n"


def call(rig, lock, method, *args):
    reply = rig.busctl("call", "org.lockhub1", rig.lock_path(lock.slug), "org.lockhub1.Lock", method, *args)
    return reply["data"] if reply else None


def history(rig, lock=FRONT):
    return json.loads(call(rig, lock, "History", "a{sv}", "0")[0])


def counts(rig, lock=FRONT):
    """All days together: a test may run over midnight."""
    total = {}
    for day in history(rig, lock)["days"]:
        for key, value in day.items():
            if key != "day":
                total[key] = total.get(key, 0) + value
    return total


def move(rig, lock=FRONT):
    rig.ctl("lock", lock.slug)
    rig.ctl("unlock", lock.slug)


def values(told, kind):
    return [value for _, value in told["samples"].get(kind, [])]


@case
def what_happens_is_remembered():
    with a_paired_hub(FRONT, broker=False, config=CONFIG) as rig:
        move(rig)
        move(rig)
        # The lock's own log tells of the runs, when it has been read.
        wait(lambda: counts(rig).get("moves", 0) >= 4, 30, "four runs of the motor")
        told = history(rig)
        expect_equal(told["lock"], FRONT.slug, "lock")
        for kind in ("battery_percent", "battery_level", "battery_mv", "firmware", "lock_ms", "unlock_ms"):
            expect(values(told, kind), lambda kind=kind: f"no {kind}: {told['samples']}")
        expect(all(100 < ms < 60000 for ms in values(told, "lock_ms") + values(told, "unlock_ms")),
               f"motor times {told['samples']}")
        total = counts(rig)
        expect_equal(total["ops_done"], 4, "operations")
        expect_equal((total["locks"], total["unlocks"]), (2, 2), "runs by direction")
        expect(total["links"] >= 1 and total["attempts"] >= total["links"], f"links {total}")
        expect(any(key.startswith("rssi_") for key in total), f"no strengths: {total}")
        expect_equal(total.get("failures", 0) + total.get("jams_lock", 0), 0, "failures")

        # Other batteries.
        rig.battery(FRONT, 30)
        rig.ctl("refresh", FRONT.slug)
        wait(lambda: values(history(rig), "battery_percent")[-1] <= 30, 20, "a low level")
        rig.battery(FRONT, 100)
        rig.ctl("refresh", FRONT.slug)
        wait(lambda: values(history(rig), "battery_changed") == [2], 20, "other batteries are seen")


@case
def a_restart_neither_loses_nor_doubles():
    with a_paired_hub(FRONT, broker=False, config=CONFIG) as rig:
        move(rig)
        wait(lambda: counts(rig).get("moves", 0) >= 2, 30, "two runs of the motor")
        before, total = history(rig), counts(rig)
        rig.restart_hub()
        wait(lambda: rig.show(FRONT), 15)
        rig.expect_prop(FRONT, "Reachable", True)
        after = counts(rig)
        for key in ("ops_done", "moves", "locks", "unlocks"):
            expect_equal(after[key], total[key], key)
        for key in ("links", "attempts", "link_s"):
            expect(after.get(key, 0) >= total.get(key, 0), f"{key}: {after} after {total}")
        rig.ctl("refresh", FRONT.slug)
        told = history(rig)
        for kind in ("battery_level", "firmware"):
            expect_equal(values(told, kind), values(before, kind), kind)
        # And once more, as when the power fails: what the disk has stays.
        rig.restart_hub(signal.SIGKILL)
        expect_equal(counts(rig)["moves"], total["moves"], "runs after a kill")


@case
def what_was_acknowledged_survives_a_kill():
    with a_paired_hub(FRONT, broker=False, config=CONFIG) as rig:
        number = call(rig, FRONT, "BeginAttempt", "sss", "battery-low", "change-batteries", "12 %")[0]
        call(rig, FRONT, "SetNote", "ss", "install", "step 3")
        rig.restart_hub(signal.SIGKILL)
        told = history(rig)
        expect_equal([(row["id"], row["outcome"]) for row in told["attempts"]], [(number, "running")], "attempts")
        expect_equal(told["notes"]["install"]["text"], "step 3", "note")
        call(rig, FRONT, "EndAttempt", "sss", number, "helped", "100 %")
        rig.restart_hub(signal.SIGKILL)
        told = history(rig)["attempts"]
        expect_equal([(row["outcome"], row["before"], row["after"]) for row in told],
                     [("helped", "12 %", "100 %")], "attempts")


@case
def it_goes_with_the_lock():
    with a_paired_hub(FRONT, BACK, broker=False, config=CONFIG) as rig:
        for lock in (FRONT, BACK):
            call(rig, lock, "BeginAttempt", "sss", "", "install", "")
            call(rig, lock, "SetNote", "ss", "install", "step 3")
            call(rig, lock, "BatteryChanged")
            move(rig, lock)
        gone = rig.id(FRONT)
        rig.ctl("unpair", FRONT.slug, "--yes")
        wait(lambda: FRONT.slug not in rig.ctl("list"), 15, "the lock is gone")
        rig.restart_hub()
        total = counts(rig, BACK)
        expect(total["ops_done"] == 2, f"of the other lock: {total}")
        rig.hub.stop()
        connection = sqlite3.connect(f"file:{rig.state}/lockhub.db?mode=ro", uri=True)
        for table in ("sample", "day_count", "attempt", "note"):
            rows = dict(connection.execute(f"SELECT lock_id, count(*) FROM {table} GROUP BY lock_id"))
            expect(gone not in rows and len(rows) == 1, f"{table}: {rows}")
        connection.close()


main()
