# SPDX-License-Identifier: LGPL-2.1-or-later
"""A hub with more than one adapter, one of which comes and goes; for run-cases, on either org.bluez."""

import time

from case import case, expect, expect_equal, main
from rig import FRONT, RADIO_CONFIG, Failure, Rig, wait

# Of lockhub-sim, with either face.
ADDRESSES = ["00:1A:7D:DA:71:13", "00:1A:7D:DA:71:14", "00:1A:7D:DA:71:15"]


def indices(rig):
    """The number of hciN by adapter, as bluetoothd says it."""
    found = {}
    for index in range(len(ADDRESSES) + 1):
        try:
            address = rig.busctl("get-property", "org.bluez", f"/org/bluez/hci{index}",
                                 "org.bluez.Adapter1", "Address")["data"]
        except Failure:
            continue
        found[ADDRESSES.index(address)] = index
    return found


def bluez_has(rig, wanted):
    """These adapters, {number: hci}."""
    wait(lambda: indices(rig) == wanted, 30, lambda: f"adapters are {indices(rig)}, wanted {wanted}", 0.3)


def hub_has(rig, wanted):
    """The same, and the hub can use all of them."""
    bluez_has(rig, wanted)
    wait(lambda: rig.status()["adapters"] == len(wanted), 30,
         lambda: f"the hub knows of {len(wanted)}: {rig.status()}", 0.3)


def in_use(rig):
    """The number of the adapter over which the lock was reached last."""
    row = rig.ctl_json("signal", FRONT.slug)["locks"][0]
    return ADDRESSES.index(row["adapter"])


def start(rig, config=""):
    """Adapters 0 and 1, and a third that is not plugged in."""
    rig.start_bus()
    rig.start_sim(FRONT, speed=2, args=["--adapters=3"])
    rig.sim("adapter", "2", "remove")
    rig.config.write_text(RADIO_CONFIG + config)
    rig.start_hub()
    bluez_has(rig, {0: 0, 1: 1})
    rig.pair(FRONT)


@case
def an_adapter_pulled_out_in_use_is_replaced_and_serves_again_under_another_index():
    with Rig() as rig:
        start(rig)
        # Within an unlock: the command has gone out by the adapter that goes.
        rig.ctl("unlock", FRONT.slug, "--no-wait")
        wait(lambda: rig.motor_runs(FRONT)[1] == 1, 30, "the motor turns", 0.05)
        first = in_use(rig)
        other = 1 - first
        rig.sim("adapter", first, "remove")
        rig.expect_prop(FRONT, "State", "unlocked", 40)
        hub_has(rig, {other: other})
        rig.ctl("refresh", FRONT.slug)
        expect_equal(rig.motor_runs(FRONT)[1], 1, "unlocks")
        expect_equal(in_use(rig), other, "the adapter in use")
        rig.ctl("lock", FRONT.slug)

        # The third takes the index that is free, and the first comes back behind it.
        rig.sim("adapter", "2", "return", first)
        hub_has(rig, {other: other, 2: first})
        rig.sim("adapter", first, "return", "2")
        hub_has(rig, {other: other, 2: first, first: 2})
        rig.sim("adapter", "2", "remove")
        hub_has(rig, {other: other, first: 2})

        # Within a link that nobody uses at the moment.
        rig.ctl("refresh", FRONT.slug)
        second = in_use(rig)
        rig.sim("adapter", other, "remove")
        hub_has(rig, {first: 2})
        took = rig.timed_ctl("unlock", FRONT.slug)
        expect_equal(in_use(rig), first, "the adapter in use")
        expect_equal(rig.motor_runs(FRONT), (1, 2, 0), "motor runs")
        rig.note(f"pulled out: adapter {first} in an unlock; then the other, with the link at adapter "
                 f"{second}: the next unlock took {took:.1f} s")
        rig.ctl("log", "verify")


@case
def the_only_adapter_that_may_be_used_is_known_again_by_its_address():
    with Rig() as rig:
        start(rig, f"adapter = {ADDRESSES[0]}\n")
        rig.ctl("refresh", FRONT.slug)
        expect_equal(in_use(rig), 0, "the adapter in use")
        rig.sim("adapter", "0", "remove")
        bluez_has(rig, {1: 1})
        began = time.monotonic()
        done = rig.try_ctl("unlock", FRONT.slug)
        expect_equal(done.returncode, 1, done.stdout + done.stderr)
        expect("adapter" in done.stderr, f"no word of the adapter: {done.stderr}")
        rig.note(f"refused after {time.monotonic() - began:.1f} s: {done.stderr.strip()[:200]}")
        rig.sim("adapter", "2", "return", "0")
        bluez_has(rig, {1: 1, 2: 0})
        rig.sim("adapter", "0", "return", "2")
        bluez_has(rig, {1: 1, 2: 0, 0: 2})
        rig.ctl("refresh", FRONT.slug)
        rig.ctl("unlock", FRONT.slug)
        expect_equal(in_use(rig), 0, "the adapter in use")
        expect_equal(rig.motor_runs(FRONT), (0, 1, 0), "motor runs")


main()
