#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Law L3: what the lock wrote down arrives here exactly once."""

import collections
import signal

from case import case, expect, expect_equal, main
from rig import FRONT, Lock, a_paired_hub, wait

LONG = Lock(FRONT.slug, FRONT.model, FRONT.address, FRONT.pin)
LONG.extra = "log=600"


def imported(rig):
    """Numbers of the lock's own log that stand in the hub's log, with how often."""
    rows = rig.log_rows("-n", "10000")
    return collections.Counter(row["lock_seq"] for row in rows if row.get("lock_seq"))


def newest_at_lock(rig):
    return max((entry["index"] for entry in rig.sim_json("log", FRONT.slug)), default=0)


def check(rig, count):
    newest = newest_at_lock(rig)
    doubled = [seq for seq, times in count.items() if times > 1]
    expect_equal(doubled, [], "imported more than once")
    missing = sorted(set(range(1, newest + 1)) - set(count))
    expect(not missing, f"{len(missing)} entries missing: {missing[:10]}")


@case
def entries_are_imported_once_over_two_restarts_and_a_kill():
    with a_paired_hub(LONG) as rig:
        wait(lambda: len(imported(rig)) >= 40, 60, "some entries have been imported", 0.05)
        # In the middle of it, if the machine is quick enough to catch it there.
        rig.hub.child.kill()
        rig.start_hub()
        wait(lambda: len(imported(rig)) >= newest_at_lock(rig), 90,
             lambda: f"{len(imported(rig))} of {newest_at_lock(rig)} entries imported", 0.3)
        check(rig, imported(rig))
        for _ in range(2):
            rig.turn(FRONT, "unlock")
            rig.turn(FRONT, "lock")
            rig.restart_hub()
            wait(lambda: len(imported(rig)) >= newest_at_lock(rig), 60,
                 lambda: f"{len(imported(rig))} of {newest_at_lock(rig)} entries imported", 0.3)
            check(rig, imported(rig))
        rig.ctl("log", "verify")


@case
def an_operation_is_written_down_before_and_after():
    with a_paired_hub(FRONT) as rig:
        rig.ctl("unlock", FRONT.slug)
        kinds = [row["kind"] for row in rig.log_rows("-n", "100")]
        expect("operation_requested" in kinds, f"no intent: {kinds}")
        expect("operation_finished" in kinds, f"no outcome: {kinds}")
        rig.ctl("log", "verify")


@case
def a_hub_killed_in_an_unlock_says_that_the_outcome_is_not_known():
    # The motor turns for seven seconds: time enough to be killed in.
    with a_paired_hub(FRONT, speed=0.3) as rig:
        before = rig.motor_runs(FRONT)[1]
        done = rig.ctl("unlock", FRONT.slug, "--no-wait")
        expect(done.strip(), "no operation was printed")
        wait(lambda: rig.motor_runs(FRONT)[1] > before, 20, "the motor turns")
        rig.hub.stop(signal.SIGKILL)
        rig.start_hub()
        rig.expect_prop(FRONT, "State", "unlocked", 30)
        # It was asked once, and once it turned.
        expect_equal(rig.motor_runs(FRONT)[1], before + 1, "unlocks")
        rows = rig.log_rows("-n", "100")
        expect(any("interrupted" in str(row) for row in rows), "no interrupted outcome in the log")
        rig.ctl("log", "verify")


main()
