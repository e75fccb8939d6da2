#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""lockhubctl signal --watch: a strength each moment while somebody looks for a good place."""

import json
import signal

from case import case, expect, expect_equal, main
from rig import BACK, FRONT, Rig, never, program, wait

# Otherwise a window of listening comes every ten minutes: what is heard, --watch has asked for.
SELDOM = "[ble]\nwatch_ms = 1000\nwatch_every_ms = 600000\nlinger_ms = 100\n"


def a_quiet_hub(*locks):
    rig = Rig()
    try:
        rig.start_bus()
        rig.start_sim(*locks)
        rig.config.write_text(SELDOM)
        rig.start_hub()
        rig.pair(*locks)
        for lock in locks:
            # Pairing is over when its answer is there; what is read behind it takes some more.
            wait(lambda: not is_linked(rig, lock), 30, "the link of the pairing is over", 0.2)
        wait(lambda: not is_discovering(rig), 30, "the radio rests")
    except BaseException:
        rig.tell()
        rig.close()
        raise
    return rig


def is_linked(rig, lock):
    device = "dev_" + lock.address.replace(":", "_")
    return rig.busctl("get-property", "org.bluez", f"/org/bluez/hci0/{device}",
                      "org.bluez.Device1", "Connected")["data"]


def is_discovering(rig):
    return rig.busctl("get-property", "org.bluez", "/org/bluez/hci0", "org.bluez.Adapter1",
                      "Discovering")["data"]


def watching(rig, *args):
    return rig.child("watch", [program("lockhubctl"), "signal", "--watch", *args])


def lines_of(child):
    return [json.loads(line) for line in child.output().splitlines() if line.startswith("{")]


def heard(child):
    return [line["rssi"] for line in lines_of(child) if line["rssi"] is not None]


@case
def each_place_shows_its_strength():
    with a_quiet_hub(FRONT) as rig:
        rig.sim("rssi", FRONT.slug, -60, 2)
        child = watching(rig, FRONT.slug, "--json")
        wait(lambda: len(heard(child)) >= 3, 30, lambda: f"three strengths: {child.output()}")
        expect(all(-66 <= rssi <= -54 for rssi in heard(child)), f"{heard(child)}")
        expect_equal(lines_of(child)[-1]["quality"], "good", "at -60 dBm")
        rig.sim("rssi", FRONT.slug, -92, 2)
        wait(lambda: heard(child)[-1] < -80, 30, lambda: f"the other place: {heard(child)}")
        last = lines_of(child)[-1]
        expect_equal((last["min"], last["max"]), (min(heard(child)), max(heard(child))), "spread")
        rig.sim("rssi", FRONT.slug, -55, 0)
        wait(lambda: heard(child)[-1] == -55, 30, lambda: f"and back: {heard(child)}")
        expect_equal(child.stop(signal.SIGINT), 0, f"Ctrl-C: {child.output()}")


@case
def the_radio_rests_when_nobody_watches():
    with a_quiet_hub(FRONT) as rig:
        before = rig.counters(FRONT)
        child = watching(rig, FRONT.slug, "--json")
        other = watching(rig, FRONT.slug, "--json")
        wait(lambda: heard(child) and heard(other), 30, "both hear it")
        expect_equal(child.stop(signal.SIGINT), 0, "Ctrl-C")
        count = len(heard(other))
        wait(lambda: len(heard(other)) > count + 1, 30, "the other one still hears it")
        # However it ends: nobody says goodbye.
        other.kill()
        wait(lambda: not is_discovering(rig), 30, "the radio rests")
        never(lambda: is_discovering(rig), 1.5, "it listens though nobody watches")
        after = rig.counters(FRONT)
        # Nothing of it costs the lock a link.
        for key in ("connections", "writes"):
            expect_equal(after[key], before[key], key)
        rig.ctl("unlock", FRONT.slug)


@case
def only_the_one_that_was_asked_for():
    with a_quiet_hub(FRONT, BACK) as rig:
        rig.sim("rssi", FRONT.slug, -50, 0)
        rig.sim("rssi", BACK.slug, -80, 0)
        child = watching(rig, BACK.slug, "--json")
        wait(lambda: len(heard(child)) >= 3, 30, "three strengths")
        expect_equal(set(heard(child)), {-80}, "strengths")


@case
def people_read_it_too():
    with a_quiet_hub(FRONT) as rig:
        rig.sim("rssi", FRONT.slug, -89, 0)
        text = rig.ctl("signal", FRONT.slug, "--watch", "--seconds", "6")
        for word in ("Ctrl-C", "-89 dBm", "poor", "30 s: weakest -89, middle -89, strongest -89",
                     "A poor place: -89 dBm in the middle."):
            expect(word in text, f"{word!r} is not in:\n{text}")
        expect("\r" not in text and "\033" not in text, "not a terminal")


@case
def silence_and_an_end_of_lockhubd_are_said():
    with a_quiet_hub(FRONT) as rig:
        rig.range(FRONT, False)
        child = watching(rig, FRONT.slug, "--json")
        wait(lambda: any(line["rssi"] is None for line in lines_of(child)), 60, "it is not heard")
        rig.hub.stop(signal.SIGKILL)
        expect_equal(child.exit_status(10), 1, "exit status")
        expect("lockhubd ended it" in child.output(), child.output())


main()
