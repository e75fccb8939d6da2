#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Taking locks in, and letting them go."""

from case import case, expect, expect_equal, main
from rig import BACK, FRONT, GARAGE, Rig, a_paired_hub, wait


@case
def three_generations_are_paired_and_listed():
    with a_paired_hub(FRONT, BACK, GARAGE) as rig:
        rows = {row["slug"]: row for row in rig.locks()}
        expect_equal(sorted(rows), ["back-door", "front-door", "garage"], "locks listed")
        for lock in (FRONT, BACK, GARAGE):
            rig.expect_prop(lock, "State", "locked")
            row = rig.ctl_json("show", lock.slug)["locks"][0]
            expect_equal(row["address"], lock.address, "address")
            expect("Nuki" in row["model"], f"model {row['model']!r}")
        text = rig.ctl("list")
        for lock in (FRONT, BACK, GARAGE):
            expect(lock.slug in text or lock.name in text, f"{lock.slug} is not in:\n{text}")


@case
def a_lock_that_is_not_in_pairing_mode_says_what_to_press():
    with Rig() as rig:
        rig.start_bus()
        rig.start_sim(FRONT)
        rig.start_hub()
        wait(lambda: rig.status()["radio_ready"], 10, "the radio is ready")
        done = rig.try_ctl("pair", FRONT.address, "--yes", "--seconds", "4")
        expect_equal(done.returncode, 1, done.stdout + done.stderr)
        expect("button" in done.stderr + done.stdout, done.stdout + done.stderr)
        expect_equal(rig.locks(), [], "locks")


@case
def a_wrong_pin_is_said_with_what_to_do():
    with Rig() as rig:
        rig.start_bus()
        rig.start_sim(FRONT, GARAGE)
        rig.start_hub()
        # The fifth generation asks for it in order to pair.
        rig.sim_pairing(GARAGE)
        done = rig.try_ctl("pair", GARAGE.address, "--name", GARAGE.name, "--yes", "--pin-stdin",
                           stdin="999999\n")
        expect_equal(done.returncode, 1, done.stdout + done.stderr)
        expect("PIN" in done.stderr, done.stderr)
        # The others after pairing.
        rig.pair(FRONT)
        done = rig.try_ctl("set-pin", FRONT.slug, "--pin-stdin", stdin="1\n")
        expect_equal(done.returncode, 1, done.stdout + done.stderr)
        expect("PIN" in done.stderr, done.stderr)
        expect("lockhubctl" in done.stderr or "app" in done.stderr, "no hint: " + done.stderr)
        rig.ctl("set-pin", FRONT.slug, "--pin-stdin", stdin=FRONT.pin + "\n")


@case
def a_lock_that_was_reset_asks_to_be_paired_again():
    with a_paired_hub(FRONT) as rig:
        rig.sim("reset", FRONT.slug)
        done = rig.try_ctl("unlock", FRONT.slug)
        expect_equal(done.returncode, 1, done.stdout + done.stderr)
        expect("pair" in done.stderr.lower(), done.stderr)
        expect_equal(rig.motor_runs(FRONT)[1], 0, "unlocks")
        wait(lambda: rig.prop(FRONT, "Fault") != "none", 15, "a standing fault")


@case
def unpairing_clears_what_was_retained():
    with a_paired_hub(FRONT, BACK) as rig:
        watcher = rig.watch()
        front, back = rig.id(FRONT), rig.id(BACK)
        wait(lambda: watcher.value(f"lockhub/{front}/lock/state"), 15, "state of the front door")
        wait(lambda: watcher.value(f"lockhub/{back}/lock/state"), 15, "state of the back door")
        rig.ctl("unpair", FRONT.slug, "--yes")
        wait(lambda: "front-door" not in [row["slug"] for row in rig.locks()], 15,
             "the lock is gone from the list")

        def left():
            fresh = rig.watch()
            wait(lambda: fresh.value(f"lockhub/{back}/lock/state"), 10, "retained messages")
            return [topic for topic, payload, _ in fresh.snapshot()
                    if front in topic and payload]
        wait(lambda: not left(), 20, lambda: f"still retained: {left()}", 0.5)
        expect(watcher.value(f"lockhub/{back}/lock/state"), "the other lock's topics are gone too")
        # The lock has forgotten us too.
        expect_equal(rig.show(FRONT)["authorisations"], [], "authorisations at the lock")


main()
