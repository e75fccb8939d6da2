# SPDX-License-Identifier: LGPL-2.1-or-later
"""AdvertisementMonitor1, which bluetoothd offers with -E only: used when it is there. Only for a machine."""

import time

from case import case, expect, expect_equal, main
from rig import FRONT, RADIO_CONFIG, Rig, wait

# The first window is over soon, and the next one comes after an hour: nobody but a monitor can tell.
DEAF = RADIO_CONFIG.replace("watch_every_ms = 2000", "watch_every_ms = 3600000")
ON = "BlueZ tells of advertisements that change"
MANAGER = "org.bluez.AdvertisementMonitorManager1"


def start(this, config, *args):
    this.bluetoothd_args = list(args)
    this.start_bus()
    this.start_sim(FRONT)
    this.config.write_text(config)
    this.start_hub()
    this.pair(FRONT)
    wait(lambda: not this.prop(FRONT, "Linked"), 30, "the link is over", 0.2)


def is_offered(this):
    done = this.adapter("introspect", "org.bluez", "/org/bluez/hci0")
    return MANAGER in done.stdout


def turned(this, where):
    """Seconds from the knob to the state that is shown."""
    began = time.monotonic()
    this.turn(FRONT, where)
    this.expect_prop(FRONT, "State", where + "ed", 20)
    this.expect_prop(FRONT, "MovedBy", "manual")
    return time.monotonic() - began


@case
def with_experimental_bluez_a_monitor_tells_of_the_knob_and_is_registered_again():
    with Rig() as this:
        start(this, DEAF, "-E")
        expect(is_offered(this), f"bluetoothd -E has no {MANAGER}")
        wait(lambda: ON in this.hub.log(), 30, "the monitor is active", 0.2)
        # The hub has just read the state and takes the lock's mark for an old one; but it is told of it once.
        took = [turned(this, "unlock")]
        wait(lambda: not this.prop(FRONT, "Linked"), 30, "the link is over", 0.2)
        took.append(turned(this, "lock"))
        # bluetoothd forgets monitors when it dies.
        wait(lambda: not this.prop(FRONT, "Linked"), 30, "the link is over", 0.2)
        this.sim("bluez", "kill")
        wait(lambda: not this.status()["radio_ready"], 30, "the radio is gone", 0.2)
        this.sim("bluez", "start")
        wait(lambda: this.hub.log().count(ON) == 2, 40, "the monitor is active again", 0.2)
        this.ctl("refresh", FRONT.slug)
        wait(lambda: not this.prop(FRONT, "Linked"), 30, "the link is over", 0.2)
        took.append(turned(this, "unlock"))
        this.note("seconds from the knob to the state: " + ", ".join(f"{one:.1f}" for one in took))
        expect_equal(this.motor_runs(FRONT), (0, 0, 0), "motor runs")


@case
def without_experimental_bluez_windows_tell_of_the_knob():
    with Rig() as this:
        start(this, RADIO_CONFIG)
        expect(not is_offered(this), f"bluetoothd has {MANAGER}: is it not experimental any more?")
        this.note(f"seconds from the knob to the state: {turned(this, 'unlock'):.1f}")
        expect(ON not in this.hub.log(), "a monitor where there is none")


main()
