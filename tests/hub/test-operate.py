#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the hub is for: doors that lock and unlock, and people who are told."""

import json
import time

from case import case, expect, expect_equal, main
from rig import BACK, FRONT, GARAGE, a_paired_hub, never, wait


@case
def each_generation_locks_and_unlocks_from_the_command_line():
    with a_paired_hub(FRONT, BACK, GARAGE) as rig:
        for lock in (FRONT, BACK, GARAGE):
            rig.ctl("unlock", lock.slug)
            rig.expect_prop(lock, "State", "unlocked")
            rig.ctl("lock", lock.slug)
            rig.expect_prop(lock, "State", "locked")
            rig.ctl("unlatch", lock.slug)
            # Exactly one run each: nothing was sent twice.
            expect_equal(rig.motor_runs(lock), (1, 1, 1), f"motor runs of {lock.slug}")


@case
def an_unlock_by_mqtt_as_home_assistant_sends_it():
    with a_paired_hub(FRONT) as rig:
        watcher = rig.watch()
        rig.expect_topic(watcher, FRONT, "lock/state", "LOCKED")
        rig.expect_topic(watcher, FRONT, "availability", "online")
        config = wait(lambda: watcher.value(f"homeassistant/device/lockhub_{rig.id(FRONT)}/config"),
                      15, "the discovery message")
        lock = next(part for part in json.loads(config)["components"].values()
                    if part["platform"] == "lock")
        expect_equal(lock["command_topic"], rig.topic(FRONT, "lock/set"), "command topic")
        expect_equal(lock["retain"], False, "retain")
        # What Home Assistant makes of the template.
        payload = lock.get("command_template", "{{ value }}")
        payload = payload.replace("{{ value }}", lock.get("payload_unlock", "UNLOCK"))
        payload = payload.replace("{{ code | tojson }}", "null")
        payload = payload.replace("{{ now().timestamp() | round(3) }}", f"{time.time():.3f}")
        expect("{{" not in payload, f"a template that this test does not know: {payload}")
        rig.command(FRONT, payload)
        rig.expect_topic(watcher, FRONT, "lock/state", "UNLOCKED")
        expect_equal(rig.motor_runs(FRONT), (0, 1, 0), "motor runs")
        rig.command(FRONT, "LOCK")
        rig.expect_topic(watcher, FRONT, "lock/state", "LOCKED")
        states = watcher.on(rig.topic(FRONT, "lock/state"))
        expect("UNLOCKING" in states or len(states) >= 3, f"states shown: {states}")


@case
def a_knob_turned_by_hand_arrives_by_beacon():
    with a_paired_hub(FRONT) as rig:
        watcher = rig.watch()
        rig.expect_topic(watcher, FRONT, "lock/state", "LOCKED")
        rig.turn(FRONT, "unlock")
        rig.expect_topic(watcher, FRONT, "lock/state", "UNLOCKED", 30)
        rig.expect_prop(FRONT, "MovedBy", "manual")
        rig.turn(FRONT, "lock")
        rig.expect_topic(watcher, FRONT, "lock/state", "LOCKED", 30)
        expect_equal(rig.motor_runs(FRONT), (0, 0, 0), "motor runs")


@case
def a_jammed_bolt_is_said_everywhere():
    with a_paired_hub(FRONT) as rig:
        watcher = rig.watch()
        rig.expect_topic(watcher, FRONT, "lock/state", "LOCKED")
        rig.jam(FRONT, True)
        done = rig.try_ctl("unlock", FRONT.slug)
        expect_equal(done.returncode, 1, done.stdout + done.stderr)
        expect("jam" in done.stderr.lower() or "block" in done.stderr.lower(), done.stderr)
        rig.expect_topic(watcher, FRONT, "lock/state", "JAMMED")
        expect(rig.prop(FRONT, "Jammed"), "Jammed is false on D-Bus")
        wait(lambda: any(json.loads(text).get("event_type") == "jammed"
                         for text in watcher.on(rig.topic(FRONT, "event"))), 15, "a jammed event")
        rig.jam(FRONT, False)
        rig.ctl("unlock", FRONT.slug)
        rig.expect_topic(watcher, FRONT, "lock/state", "UNLOCKED")


@case
def a_drained_battery_is_said():
    with a_paired_hub(FRONT) as rig:
        watcher = rig.watch()
        rig.battery(FRONT, 8)
        rig.ctl("refresh", FRONT.slug)
        rig.expect_topic(watcher, FRONT, "battery", "8")
        rig.expect_topic(watcher, FRONT, "battery_low", "ON")
        expect_equal(rig.prop(FRONT, "BatteryPercent"), 8, "percent on D-Bus")
        text = rig.ctl("battery")
        expect("8" in text, text)


@case
def a_lock_out_of_range_never_unlocks_late():
    with a_paired_hub(FRONT) as rig:
        wait(lambda: not rig.prop(FRONT, "Linked"), 30, "the link of the pairing is over")
        rig.range(FRONT, False)
        done = rig.try_ctl("unlock", FRONT.slug)
        expect_equal(done.returncode, 1, done.stdout + done.stderr)
        rig.range(FRONT, True)
        rig.ctl("refresh", FRONT.slug)
        never(lambda: rig.motor_runs(FRONT)[1], 1, "the unlock came late")
        rig.expect_prop(FRONT, "State", "locked")
        rig.ctl("unlock", FRONT.slug)
        expect_equal(rig.motor_runs(FRONT)[1], 1, "unlocks")


@case
def a_link_that_breaks_after_the_command_does_not_unlock_twice():
    with a_paired_hub(FRONT) as rig:
        for trouble in ("drop-after-write", "drop-in-write", "mute"):
            before = rig.motor_runs(FRONT)
            rig.trouble(FRONT, trouble)
            rig.try_ctl("unlock", FRONT.slug)
            rig.sim("fault", FRONT.slug, "none")
            rig.ctl("refresh", FRONT.slug)
            after = rig.motor_runs(FRONT)
            expect(after[1] - before[1] <= 1, f"{trouble}: unlocked {after[1] - before[1]} times")
            is_open = rig.show(FRONT)["bolt"] != "locked"
            rig.expect_prop(FRONT, "State", "unlocked" if is_open else "locked")
            rig.ctl("lock", FRONT.slug)


main()
