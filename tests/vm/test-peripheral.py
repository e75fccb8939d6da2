# SPDX-License-Identifier: LGPL-2.1-or-later
"""A lock over the air: lockhub-sim and the hub at two adapters of one bluetoothd. Only for a machine."""

import contextlib
import fcntl
import pathlib
import shutil
import socket
import struct
import time

import rig
from case import case, expect, expect_equal, main
from rig import Child, Lock, Rig, program, wait

# btvirt's adapters have these addresses. The hub's first.
HUB_ADAPTER = "00:AA:01:00:00:00"
OVER_AIR = Lock("front-door", "nuki:gen4", "00:AA:01:01:00:01", "4711")
CONTROLLERS = pathlib.Path("/sys/class/bluetooth")
TRIES = 5
# Not every Python knows these.
AF_BLUETOOTH = 31
BTPROTO_HCI = 1
HCIGETDEVINFO = 0x800448d3
CONFIG = f"[ble]\nadapter = {HUB_ADAPTER}\nwatch_ms = 1800\nwatch_every_ms = 2000\nlinger_ms = 1000\n"


def is_set_up(number):
    """Whether the kernel has learnt the address of controller @number."""
    info = bytearray(struct.pack("<H", number).ljust(92, b"\0"))
    with socket.socket(AF_BLUETOOTH, socket.SOCK_RAW, BTPROTO_HCI) as hci:
        try:
            fcntl.ioctl(hci, HCIGETDEVINFO, info)
        except OSError:
            return False
    return any(info[10:16])


def adapters(this, count):
    """btvirt with so many LE controllers, then the bluetoothd for them."""
    if shutil.which("btvirt") is None:
        raise rig.Skipped("btvirt is not installed (package bluez-test-tools)")
    for _ in range(TRIES):
        radio = Child(this, "btvirt", ["btvirt", "-L", f"-l{count}"])
        with contextlib.suppress(rig.Failure):
            wait(lambda: all(is_set_up(number) for number in range(count)), 2, "the controllers answer", 0.05)
            break
        # The kernel may send its first command before it tells btvirt the controller's number: btvirt
        # takes the one for the other, and never answers it.
        radio.kill()
        wait(lambda: not list(CONTROLLERS.iterdir()), 20, "btvirt's controllers are gone", 0.1)
    else:
        raise rig.Failure(f"btvirt's controllers did not answer {TRIES} times")
    this.start_bluetoothd()


def start_lock(this, extra=""):
    OVER_AIR.extra = extra
    this.sim_args = ["--bus-address", this.bus_address, "--state", this.dir / "sim.json", "--speed", 2,
                     "--face=bluez", "--adapter=hci1", "--verbose", *this.lock_args(OVER_AIR)]
    # Not the Rig's own, which would start another bluetoothd.
    this.sim_child = Child(this, "lockhub-sim", [program("lockhub-sim"), *this.sim_args], env=this.env())


def on_the_air(this, seconds=20):
    def is_up():
        expect(this.sim_child.is_running(), this.sim_child.output())
        return "READY=1" in this.sim_child.output()
    wait(is_up, seconds, "lockhub-sim is ready", 0.1)


def start_all(this, extra=""):
    this.start_bus()
    adapters(this, 2)
    start_lock(this, extra)
    on_the_air(this)
    this.config.write_text(CONFIG)
    this.start_hub()
    this.pair(OVER_AIR)


@case
def a_lock_over_the_air_is_paired_opened_and_says_so():
    with Rig() as this:
        start_all(this)
        this.ctl("unlock", OVER_AIR.slug)
        this.expect_prop(OVER_AIR, "State", "unlocked")
        this.ctl("lock", OVER_AIR.slug)
        this.expect_prop(OVER_AIR, "State", "locked")
        expect_equal(this.motor_runs(OVER_AIR), (1, 1, 0), "motor runs")
        this.note(f"seconds of a refresh: {this.timed_ctl('refresh', OVER_AIR.slug):.1f}")
        # Only a changed advertisement can tell of this.
        wait(lambda: not this.prop(OVER_AIR, "Linked"), 30, "the link is over", 0.2)
        this.turn(OVER_AIR, "unlock")
        this.expect_prop(OVER_AIR, "State", "unlocked", 40)


@case
def a_lock_over_the_air_outlives_bluetoothd():
    with Rig() as this:
        start_all(this)
        this.bluetoothd.kill()
        wait(lambda: "bluetoothd has gone" in this.sim_child.output(), 20, "it is noticed", 0.2)
        this.start_bluetoothd()
        wait(lambda: this.sim_child.output().count("is on the air") == 2, 20, "registered again", 0.2)
        wait(lambda: this.status()["radio_ready"], 30, "the hub's radio is ready", 0.2)
        this.ctl("unlock", OVER_AIR.slug)
        expect_equal(this.motor_runs(OVER_AIR)[1], 1, "unlocks")


@case
def a_lock_over_the_air_is_back_when_its_adapter_is_switched_on_again():
    with Rig() as this:
        start_all(this)
        for word in ("false", "true"):
            this.adapter("set-property", "org.bluez", "/org/bluez/hci1", "org.bluez.Adapter1", "Powered",
                         "b", word)
        wait(lambda: this.sim_child.output().count("is on the air") == 2, 20, "registered again", 0.2)
        this.ctl("unlock", OVER_AIR.slug)
        expect_equal(this.motor_runs(OVER_AIR)[1], 1, "unlocks")


@case
def a_lock_over_the_air_with_a_small_mtu_speaks_in_pieces():
    with Rig() as this:
        start_all(this, "mtu=23")
        began = time.monotonic()
        this.ctl("unlock", OVER_AIR.slug)
        this.note(f"{time.monotonic() - began:.1f} s")
        this.expect_prop(OVER_AIR, "State", "unlocked")
        counters = this.counters(OVER_AIR)
        expect(counters["indications"] > 2 * counters["writes"], f"pieces: {counters}")


@case
def what_is_missing_for_the_air_is_said():
    with Rig() as this:
        this.start_bus()
        start_lock(this)
        wait(lambda: "no bluetoothd on this bus" in this.sim_child.output(), 10, "no bluetoothd", 0.1)
        adapters(this, 1)
        wait(lambda: "no such adapter" in this.sim_child.output(), 20, "no adapter", 0.1)
        this.sim_child.stop()
        this.adapter("set-property", "org.bluez", "/org/bluez/hci0", "org.bluez.Adapter1", "Powered", "b",
                     "false")
        words = ["--bus-address", this.bus_address, "--face=bluez", "--adapter=hci0",
                 *this.lock_args(OVER_AIR)]
        this.sim_child = Child(this, "lockhub-sim", [program("lockhub-sim"), *words], env=this.env())
        wait(lambda: "switched off" in this.sim_child.output(), 20, "not powered", 0.1)
        this.adapter("set-property", "org.bluez", "/org/bluez/hci0", "org.bluez.Adapter1", "Powered", "b",
                     "true")
        on_the_air(this)


main()
