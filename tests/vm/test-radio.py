# SPDX-License-Identifier: LGPL-2.1-or-later
"""The hub and its radio over a long day; for run-cases. Runs on the virtual org.bluez too."""

import os
import signal
import threading
import time

from case import case, expect, expect_equal, main
from rig import BACK, FRONT, GARAGE, RADIO_CONFIG, Lock, Rig, a_paired_hub, never, wait

CYCLES = 50
MANY = 20


def radio_is(rig, is_ready, seconds=30):
    wait(lambda: rig.status()["radio_ready"] == is_ready, seconds,
         lambda: f"radio_ready is {is_ready}; the status is {rig.status()}", 0.2)


def unlinked(rig, lock, seconds=30):
    path = rig.lock_path(lock.slug)
    wait(lambda: not rig.busctl("get-property", "org.lockhub1", path, "org.lockhub1.Lock",
                                "Linked")["data"],
         seconds, f"{lock.slug}: the link is over", 0.1)


def heard(rig, seconds=8):
    text = rig.ctl_json("scan", "--seconds", str(seconds))
    return {row["address"]: row for row in text["locks"]}


@case
def locks_in_reach_are_found_with_their_strength():
    with Rig() as rig:
        rig.start_bus()
        rig.start_sim(FRONT, BACK, GARAGE)
        rig.start_hub()
        rig.sim("rssi", BACK.slug, "-85")
        rig.range(GARAGE, False)
        rows = heard(rig)
        expect_equal(sorted(rows), [FRONT.address, BACK.address], "locks heard")
        expect(rows[BACK.address]["rssi"] < -75, f"strength: {rows}")
        expect(rows[FRONT.address]["rssi"] > rows[BACK.address]["rssi"], f"strength: {rows}")


@case
def a_pairing_brings_state_and_log_and_the_knob_is_announced_by_beacon():
    with a_paired_hub(FRONT) as rig:
        rig.ctl("unlock", FRONT.slug)
        rig.ctl("unlatch", FRONT.slug)
        rig.ctl("lock", FRONT.slug)
        expect_equal(rig.motor_runs(FRONT), (1, 1, 1), "motor runs")
        rig.ctl("set-pin", FRONT.slug, "--pin-stdin", stdin=FRONT.pin + "\n")
        newest = max(entry["index"] for entry in rig.sim_json("log", FRONT.slug))
        wait(lambda: newest in [row.get("lock_seq") for row in rig.log_rows("-n", "100")], 60,
             "the lock's own log has been imported", 0.5)
        # Nobody but the beacon can tell of this.
        unlinked(rig, FRONT)
        rig.turn(FRONT, "unlock")
        rig.expect_prop(FRONT, "State", "unlocked", 30)
        rig.expect_prop(FRONT, "MovedBy", "manual", 30)
        rig.ctl("log", "verify")


@case
def fifty_links_one_after_the_other_leave_nothing_behind():
    with a_paired_hub(FRONT, broker=False) as rig:
        took = []

        def descriptors():
            return len(os.listdir(f"/proc/{rig.hub.child.pid}/fd"))

        before = descriptors()
        for number in range(CYCLES):
            word = "unlock" if number % 2 == 0 else "lock"
            took.append(rig.timed_ctl(word, FRONT.slug))
            if number % 10 != 9:  # the hub itself takes three seconds for it
                rig.sim("fault", FRONT.slug, "drop")
            unlinked(rig, FRONT)
        expect_equal(rig.motor_runs(FRONT), (CYCLES // 2, CYCLES // 2, 0), "motor runs")
        rig.note(f"{CYCLES} operations: {min(took):.2f} to {max(took):.2f} s, "
                 f"the middle one {sorted(took)[CYCLES // 2]:.2f} s")
        expect(descriptors() <= before + 2, f"descriptors: {before}, then {descriptors()}")


@case
def bluetoothd_killed_while_nothing_goes_on_is_found_again():
    with a_paired_hub(FRONT) as rig:
        unlinked(rig, FRONT)
        for number in range(2):
            rig.sim("bluez", "kill")
            radio_is(rig, False)
            rig.sim("bluez", "start")
            radio_is(rig, True)
            # When it died in a window of listening, the kernel goes on with that for 10 s and hears no
            # lock twice: Connect may have to wait longer than an unlock may.
            rig.ctl("refresh", FRONT.slug)
            rig.ctl("unlock" if number == 0 else "lock", FRONT.slug)
        expect_equal(rig.motor_runs(FRONT), (1, 1, 0), "motor runs")


@case
def bluetoothd_killed_within_an_unlock_moves_the_bolt_once_at_most():
    with a_paired_hub(FRONT, speed=1) as rig:
        unlinked(rig, FRONT)
        for moment in ("link", "motor"):
            before = rig.motor_runs(FRONT)[1]
            rig.ctl("unlock", FRONT.slug, "--no-wait")
            if moment == "link":
                wait(lambda: rig.prop(FRONT, "Linked"), 15, "a link", 0.05)
            else:
                wait(lambda b=before: rig.motor_runs(FRONT)[1] > b, 20, "the motor turns", 0.05)
            rig.sim("bluez", "kill")
            radio_is(rig, False)
            rig.sim("bluez", "start")
            radio_is(rig, True)
            rig.ctl("refresh", FRONT.slug)
            runs = rig.motor_runs(FRONT)[1] - before
            expect(runs <= 1, f"killed at the {moment}: unlocked {runs} times")
            # The bolt may still have been on its way when it was looked at.
            wait(lambda: (rig.show(FRONT)["bolt"] == "locked") == (rig.prop(FRONT, "State") == "locked"),
                 30, "what is shown is what is so", 0.3)
            rig.ctl("lock", FRONT.slug)
            unlinked(rig, FRONT)
        rig.ctl("log", "verify")


@case
def an_adapter_switched_off_and_on_serves_again():
    with a_paired_hub(FRONT) as rig:
        rig.sim("adapter", "0", "off")
        radio_is(rig, False)
        done = rig.try_ctl("unlock", FRONT.slug)
        expect_equal(done.returncode, 1, done.stdout + done.stderr)
        expect("adapter" in done.stderr.lower(), f"no word of the adapter: {done.stderr}")
        rig.sim("adapter", "0", "on")
        radio_is(rig, True)
        never(lambda: rig.motor_runs(FRONT)[1], 1, "the unlock came late")
        rig.ctl("unlock", FRONT.slug)
        expect_equal(rig.motor_runs(FRONT)[1], 1, "unlocks")


@case
def a_lock_carried_out_of_range_within_a_link_comes_back():
    with a_paired_hub(FRONT) as rig:
        rig.ctl("refresh", FRONT.slug)
        rig.range(FRONT, False)
        done = rig.try_ctl("unlock", FRONT.slug)
        expect_equal(done.returncode, 1, done.stdout + done.stderr)
        rig.range(FRONT, True)
        rig.ctl("refresh", FRONT.slug)
        rig.expect_prop(FRONT, "State", "locked")
        expect_equal(rig.motor_runs(FRONT)[1], 0, "unlocks")
        rig.ctl("unlock", FRONT.slug)
        expect_equal(rig.motor_runs(FRONT)[1], 1, "unlocks")


@case
def a_hub_killed_with_a_link_open_gets_along_with_it():
    with Rig() as rig:
        rig.start_bus()
        rig.start_sim(FRONT)
        # Long enough to find the link open, however slow the machine.
        rig.config.write_text(RADIO_CONFIG.replace("linger_ms = 1000", "linger_ms = 15000"))
        rig.start_hub()
        rig.pair(FRONT)
        for number in (signal.SIGKILL, signal.SIGTERM):
            rig.ctl("refresh", FRONT.slug)
            wait(lambda: rig.prop(FRONT, "Linked"), 15, "a link", 0.02)
            rig.restart_hub(number)
            rig.expect_prop(FRONT, "State", "locked", 30)
            rig.ctl("unlock", FRONT.slug)
            rig.ctl("lock", FRONT.slug)
        expect_equal(rig.motor_runs(FRONT), (2, 2, 0), "motor runs")


@case
def four_of_twenty_locks_are_served_at_once():
    locks = [Lock(f"door-{number}", "nuki:gen4", f"54:D2:72:00:01:{number:02X}", "4711")
             for number in range(MANY)]
    used = locks[:4]
    with Rig() as rig:
        rig.start_bus()
        rig.start_sim(*locks)
        rig.start_hub()
        rig.pair(*used)
        took = {}

        def operate(lock):
            took[lock.slug] = rig.timed_ctl("unlock", lock.slug)

        threads = [threading.Thread(target=operate, args=(lock,)) for lock in used]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expect_equal(sorted(took), sorted(lock.slug for lock in used), "unlocked")
        for lock in used:
            expect_equal(rig.motor_runs(lock), (0, 1, 0), f"motor runs of {lock.slug}")
            rig.expect_prop(lock, "State", "unlocked")
        rig.note("seconds: " + ", ".join(f"{seconds:.1f}" for seconds in took.values()))


def spoilt(rig, *troubles):
    """An unlock under each of these: however it ends, it was done once at most, and what is shown is so."""
    for trouble in troubles:
        unlinked(rig, FRONT)
        before = rig.motor_runs(FRONT)[1]
        rig.trouble(FRONT, trouble)
        began = time.monotonic()
        done = rig.try_ctl("unlock", FRONT.slug)
        took = time.monotonic() - began
        rig.sim("fault", FRONT.slug, "none")
        rig.ctl("refresh", FRONT.slug)
        runs = rig.motor_runs(FRONT)[1] - before
        rig.note(f"{trouble}: exit status {done.returncode} after {took:.1f} s, {runs} runs of the motor")
        expect(runs <= 1, f"{trouble}: unlocked {runs} times")
        if done.returncode == 0:
            expect_equal(runs, 1, f"{trouble}: said to be done, but runs of the motor")
        is_open = rig.show(FRONT)["bolt"] != "locked"
        rig.expect_prop(FRONT, "State", "unlocked" if is_open else "locked")
        rig.ctl("lock", FRONT.slug)


@case
def a_link_that_lies_in_an_unlock_opens_once_at_most():
    """Those that break it are in tests/hub/test-matrix.py and test-cuts.py."""
    with a_paired_hub(FRONT, broker=False) as rig:
        spoilt(rig, "lose", "duplicate", "reorder", "garble", "early")


main()
