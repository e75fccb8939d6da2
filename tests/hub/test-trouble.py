#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What goes away comes back: broker, bluetoothd, bus, adapter, lock."""

import signal

from case import case, expect, expect_equal, main
from rig import FRONT, Rig, a_paired_hub, wait


def retained(rig):
    """Topics and values that a newcomer is told."""
    watcher = rig.watch()
    wait(lambda: watcher.value(rig.topic(FRONT, "lock/state")), 15, "the retained state")
    return {topic: payload for topic, payload, is_retained in watcher.snapshot() if is_retained}


@case
def a_broker_that_forgot_everything_is_told_again():
    with a_paired_hub(FRONT) as rig:
        before = set(retained(rig))
        expect("lockhub/status" in before, f"retained: {sorted(before)}")
        rig.broker.stop(signal.SIGKILL)
        rig.ctl("unlock", FRONT.slug)
        rig.broker.start()
        watcher = rig.watch()
        rig.expect_topic(watcher, FRONT, "lock/state", "UNLOCKED", 70)
        wait(lambda: watcher.value("lockhub/status") == "online", 15, "online")
        wait(lambda: before <= set(watcher.values), 15,
             lambda: f"not published again: {sorted(before - set(watcher.values))}")
        # What happened meanwhile is told, once.
        events = [text for text in watcher.on(rig.topic(FRONT, "event"))]
        expect_equal(len(events), len(set(events)), "events told twice")


@case
def a_hub_that_dies_is_offline_by_its_will():
    with a_paired_hub(FRONT) as rig:
        watcher = rig.watch()
        wait(lambda: watcher.value("lockhub/status") == "online", 15, "online")
        rig.hub.child.kill()
        wait(lambda: watcher.value("lockhub/status") == "offline", 15, "offline by will")
        rig.start_hub()
        wait(lambda: watcher.value("lockhub/status") == "online", 15, "online again")
        rig.hub.stop()
        wait(lambda: watcher.value("lockhub/status") == "offline", 15, "offline by message")


@case
def bluetoothd_restarts_and_the_locks_come_back():
    with a_paired_hub(FRONT) as rig:
        rig.sim("bluez", "kill")
        wait(lambda: not rig.status()["radio_ready"], 15, "the radio is said to be gone")
        done = rig.try_ctl("unlock", FRONT.slug)
        expect_equal(done.returncode, 1, done.stdout + done.stderr)
        rig.sim("bluez", "start")
        wait(lambda: rig.status()["radio_ready"], 20, "the radio is back")
        # With the real one an unlock's ten seconds may not do: see tests/vm/test-radio.py.
        rig.ctl("refresh", FRONT.slug)
        rig.ctl("unlock", FRONT.slug)
        expect_equal(rig.motor_runs(FRONT)[1], 1, "unlocks")


@case
def a_knob_turned_while_bluetoothd_was_away_is_seen_afterwards():
    with a_paired_hub(FRONT) as rig:
        rig.sim("bluez", "kill")
        wait(lambda: not rig.status()["radio_ready"], 15, "the radio is said to be gone")
        rig.turn(FRONT, "unlock")
        rig.sim("bluez", "start")
        rig.expect_prop(FRONT, "State", "unlocked", 40)


@case
def a_lock_out_of_range_is_said_and_comes_back():
    with a_paired_hub(FRONT) as rig:
        rig.range(FRONT, False)
        done = rig.try_ctl("lock", FRONT.slug)
        expect_equal(done.returncode, 1, done.stdout + done.stderr)
        expect(any(word in done.stderr for word in ("range", "reach", "heard", "link")), done.stderr)
        rig.range(FRONT, True)
        rig.ctl("refresh", FRONT.slug)
        rig.expect_prop(FRONT, "Reachable", True)


@case
def without_an_adapter_the_hub_waits_for_one():
    with Rig() as rig:
        rig.start_bus()
        rig.start_sim(FRONT)
        rig.sim("adapter", "0", "remove")
        rig.start_hub()
        status = rig.status()
        expect_equal(status["radio_ready"], False, "radio_ready")
        # At first bluetoothd has not said yet what it has.
        wait(lambda: "adapter" in rig.ctl("status").lower(), 15, lambda: rig.ctl("status"), 0.2)
        rig.sim("adapter", "0", "return")
        wait(lambda: rig.status()["radio_ready"], 15, "the radio is ready")
        rig.pair(FRONT)


@case
def without_bluetoothd_the_hub_starts_and_says_so():
    with Rig() as rig:
        rig.start_bus()
        rig.start_hub()
        expect_equal(rig.status()["radio_ready"], False, "radio_ready")
        text = rig.ctl("status")
        expect("bluetooth" in text.lower() or "bluez" in text.lower(), text)
        rig.start_sim(FRONT)
        wait(lambda: rig.status()["radio_ready"], 20, "the radio is ready")


@case
def without_a_broker_everything_else_works():
    with a_paired_hub(FRONT, broker=False,
                      config="[mqtt]\nhost = /nonexistent/broker.sock\nport = 0\n") as rig:
        text = rig.ctl("status")
        expect("broker" in text.lower(), text)
        rig.ctl("unlock", FRONT.slug)
        expect_equal(rig.motor_runs(FRONT)[1], 1, "unlocks")


@case
def the_bus_restarts_and_the_hub_serves_on_it_again():
    with a_paired_hub(FRONT) as rig:
        pid = rig.hub.child.pid
        rig.sim_child.stop()
        rig.bus.stop(signal.SIGKILL)
        rig.start_bus()
        rig.restart_sim()
        wait(lambda: rig.try_ctl("list").returncode == 0, 70, "lockhubctl works again", 0.3)
        expect_equal(rig.hub.child.pid, pid, "pid of the hub")
        expect(rig.hub.child.is_running(), "the hub ended")


main()
