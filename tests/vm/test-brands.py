# SPDX-License-Identifier: LGPL-2.1-or-later
"""The brands besides Nuki over a radio; for run-cases. Runs on the virtual org.bluez too."""

import json

from case import case, expect, expect_equal, main
from rig import Lock, Rig, wait

HEX = "0123456789abcdef0123456789abcdef"
RECORD = {"aesKey": HEX, "admin": {"adminPs": 12345678, "unlockKey": 87654321}}

AUGUST = Lock("front-door", "august:asl-03", "78:9C:85:00:00:01", "", key=f"{HEX} 7", extra=f"key={HEX},slot=7")
SWITCHBOT = Lock("side-door", "switchbot:pro", "B0:E9:FE:00:00:01", "", key=f"34 {HEX}",
                 extra=f"key={HEX},key-id=34")
TTLOCK = Lock("cellar", "ttlock:s534", "6C:B2:FD:00:00:03", "", key=json.dumps(RECORD),
              extra=f"owner={HEX}/12345678/87654321")


def unlinked(rig, lock):
    wait(lambda: not rig.prop(lock, "Linked"), 40, f"{lock.slug}: the link is over", 0.1)


def a_hub(lock):
    rig = Rig()
    try:
        rig.start_bus()
        rig.start_sim(lock)
        rig.start_hub()
        rig.pair(lock)
    except BaseException:
        rig.tell()
        rig.close()
        raise
    return rig


def serves(lock):
    """Paired, moved once for each command, and what a hand does is seen."""
    with a_hub(lock) as rig:
        for act, word in (("unlock", "unlocked"), ("lock", "locked")):
            rig.ctl(act, lock.slug)
            rig.expect_prop(lock, "State", word)
        expect_equal(rig.motor_runs(lock), (1, 1, 0), "motor runs")
        unlinked(rig, lock)
        rig.turn(lock, "unlock")
        rig.expect_prop(lock, "State", "unlocked", 40)
        # A link that breaks: whatever is said of it, nothing is done twice.
        before = rig.motor_runs(lock)[0]
        rig.sim("fault", lock.slug, "drop-after-write")
        rig.try_ctl("lock", lock.slug)
        rig.ctl("refresh", lock.slug)
        runs = rig.motor_runs(lock)[0] - before
        expect(runs <= 1, f"locked {runs} times")
        wait(lambda: rig.prop(lock, "State") == rig.show(lock)["bolt"], 30, "what is shown is what is so", 0.3)


@case
def a_lock_of_august_is_served():
    serves(AUGUST)


@case
def a_lock_of_switchbot_is_served():
    serves(SWITCHBOT)


@case
def a_lock_of_ttlock_is_served():
    serves(TTLOCK)


main()
