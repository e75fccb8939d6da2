# SPDX-License-Identifier: LGPL-2.1-or-later
"""The doctor over a real radio stack; for run-cases. Runs on the virtual org.bluez too."""

import doctor
from case import case, expect_equal, main
from rig import Lock, Rig, wait

NEAR = Lock("near", "nuki:gen4", "54:D2:72:00:00:11", "4711")
WEAK = Lock("weak", "nuki:gen4", "54:D2:72:00:00:12", "4711")
GONE = Lock("gone", "nuki:gen3", "54:D2:72:00:00:13", "4711")
for one in (NEAR, WEAK, GONE):
    one.extra = "zone=0"


def findings(rig, lock):
    return [one["fault"] for one in
            doctor.lock_target(doctor.ask_doctor(rig, lock.slug)[1])["findings"]]


@case
def weak_and_gone_are_told_apart_and_what_is_well_is_left_alone():
    with Rig() as rig:
        rig.start_bus()
        rig.start_sim(NEAR, WEAK, GONE, args=["--patience", "41"])
        rig.start_hub(config=doctor.HUB_CONFIG)
        rig.pair(NEAR, WEAK, GONE)
        rig.sim("rssi", WEAK.slug, "-93")
        rig.range(GONE, False)
        last = {}

        def is_first(lock, fault):
            last[lock.slug] = findings(rig, lock)
            return last[lock.slug][:1] == [fault]
        wait(lambda: is_first(GONE, "lock-not-heard"), 300, lambda: f"out of range: {last}", 2)
        wait(lambda: is_first(WEAK, "signal-weak"), 300, lambda: f"weak: {last}", 2)
        expect_equal(findings(rig, NEAR), [], "of a lock that is well")


main()
