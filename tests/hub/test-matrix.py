#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every fault the simulator knows against an unlock: sent once at most, and told as it is."""

import time

from case import case, expect, main
from rig import FRONT, a_paired_hub, wait

# On a link that is there already, these have no say.
UNTIL_UP = ("connect", "phantom", "never-resolve", "late-objects", "no-objects", "stale-handles")
# Answers that come late, spoilt or not at all: the driver's own tests do that faster.
NOT_OF_THE_LINK = ("none", "slow", "lose", "garble", "reorder", "early", "duplicate")


def kinds(rig, is_linked):
    """The first word of each line of `ctl faults`."""
    words = [line.split()[0] for line in rig.sim("faults").splitlines() if line.strip()]
    return [word for word in words
            if word not in NOT_OF_THE_LINK and word.startswith(UNTIL_UP) is not is_linked]


def try_unlock(rig, kind, is_linked):
    """One cell: seconds, exit status, runs of the motor."""
    rig.ctl("lock", FRONT.slug)
    if not is_linked:
        wait(lambda: not rig.prop(FRONT, "Linked"), 30, "the link is over")
    before = rig.motor_runs(FRONT)[1]
    rig.sim("fault", FRONT.slug, kind)
    began = time.monotonic()
    done = rig.try_ctl("unlock", FRONT.slug)
    took = time.monotonic() - began
    rig.sim("fault", FRONT.slug, "none")
    rig.ctl("refresh", FRONT.slug)
    runs = rig.motor_runs(FRONT)[1] - before
    is_open = rig.show(FRONT)["bolt"] != "locked"
    rig.note(f"{'linked' if is_linked else 'idle':8} {kind:20} exit {done.returncode} after "
             f"{took:5.1f} s, motor {runs}, {'open' if is_open else 'closed'}")
    expect(runs <= 1, f"{kind}: the motor ran {runs} times")
    expect(done.returncode != 0 or is_open, f"{kind}: said to be done, and is closed")
    expect(done.returncode in (0, 1), f"{kind}: exit status {done.returncode}: {done.stderr}")
    rig.expect_prop(FRONT, "State", "unlocked" if is_open else "locked")


@case
def an_unlock_meets_each_fault_with_no_link_yet():
    with a_paired_hub(FRONT) as rig:
        for kind in kinds(rig, False):
            try_unlock(rig, kind, False)


@case
def an_unlock_meets_each_fault_on_a_link():
    with a_paired_hub(FRONT) as rig:
        for kind in kinds(rig, True):
            try_unlock(rig, kind, True)


main()
