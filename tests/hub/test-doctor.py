#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""lockhubctl doctor: for each subject something is wrong, and the first finding is the cause."""

import os
import signal

import doctor
from case import case, expect, expect_equal, main
from rig import Lock, a_paired_hub, wait

FRONT = Lock("front-door", "nuki:gen4", "54:D2:72:00:00:01", "4711")
FRONT.extra = "zone=0"
TROUBLES = {one.name: one for one in doctor.TROUBLES}


def patients_with(*names):
    return [doctor.Patient(number, (TROUBLES[name],)) for number, name in enumerate(names)]


def check_right(patients):
    wrong = [f"{one.text}: first {one.first}, wanted {' or '.join(one.causes) or 'nothing'}; "
             f"all: {' '.join(one.findings)}" for one in patients if not one.is_right]
    expect(not wrong, "\n".join(wrong))


def check_advice(patients):
    """Each cause comes with proof and with something to do, last of all the maker's support."""
    for one in patients:
        if not one.troubles:
            continue
        first = one.target["findings"][0]
        expect(first["proof"], f"{one.text}: {first['fault']} without proof")
        expect(first["meaning"] and first["summary"], f"{one.text}: without words")
        names = [remedy["name"] for remedy in first["remedies"]]
        expect(len(names) >= 2 and names[-1] == "contact-support", f"{one.text}: {names}")
        checks = {check["name"]: check["result"] for check in one.target["checks"]}
        expect_equal(checks.get(first["check"]), "bad", f"{one.text}: check {first['check']}")
        expect(one.target["verdict"], f"{one.text}: no verdict")


def examine(*names):
    patients = patients_with(*names)
    with doctor.Ward(patients) as ward:
        ward.examine()
        check_right(patients)
        check_advice(patients)


@case
def batteries():
    examine("battery empty", "cells worn", "keypad battery", "sensor battery", "drains fast",
            "battery ends soon")


@case
def connectivity():
    examine("weak signal", "taken by a phone", "gone silent", "out of range", "lock dead",
            "does not answer")


@case
def installation():
    examine("jams always", "binds when shut", "not calibrated", "clock lost", "log switched off",
            "log overwritten")


@case
def reset_and_keys():
    examine("reset behind our back", "key disabled", "PIN changed", "another lock in its place")


@case
def firmware():
    examine("old firmware", "firmware with a known fault", "worse since its update")


@case
def questions():
    patients = patients_with("codes tried out")
    with doctor.Ward(patients) as ward:
        ward.examine()
        check_right(patients)
        # Manual operations are seen and said.
        lock = patients[0].lock
        ward.rig.turn(lock, "unlock")
        ward.rig.expect_prop(lock, "State", "unlocked", 60)
        done = ward.rig.try_ctl("doctor", "security", "--json", seconds=240)
        expect(done.returncode in (0, 3), done.stderr)


@case
def a_lock_that_is_well_is_not_accused():
    patients = [doctor.Patient(0), doctor.Patient(1, model="nuki:gen2", rssi=-79, battery=31),
                doctor.Patient(2, model="nuki:5g", extra="cells=lithium,celsius=9", age=(7, 12))]
    with doctor.Ward(patients) as ward:
        ward.examine()
        check_right(patients)
        for one in patients:
            done = ward.rig.try_ctl("doctor", one.slug, seconds=240)
            expect_equal(done.returncode, 0, done.stdout + done.stderr)


# ---- the hub's own troubles, with what brings the radio or the broker round afterwards

def names(target):
    return [one["fault"] for one in target["findings"]]


def expect_first(rig, causes, what, seconds=60):
    """Of the hub; and nothing else stands above it at the lock, which only suffers from it."""
    last = {}

    def is_named():
        status, diagnosis = doctor.ask_doctor(rig, FRONT.slug)
        last["hub"] = names(doctor.hub_target(diagnosis))
        last["lock"] = names(doctor.lock_target(diagnosis))
        return (status == 3 and last["hub"] and last["hub"][0] in causes and
                (not last["lock"] or last["lock"][0] in causes))
    # What the kernel or bluetoothd does may take a moment to show.
    wait(is_named, seconds, lambda: f"{what}: {last}, wanted {causes} first", 0.5)
    rig.note(f"{what}: {last['hub'][0]}")


@case
def the_radio_of_the_hub():
    with a_paired_hub(FRONT, broker=False, config=doctor.HUB_CONFIG) as rig:
        rig.sim("adapter", "0", "block")
        expect_first(rig, ["adapter-blocked"], "blocked adapter")
        rig.sim("adapter", "0", "unblock")
        rig.sim("adapter", "0", "off")
        expect_first(rig, ["adapter-off"], "adapter off")
        rig.sim("adapter", "0", "on")
        wait(lambda: rig.status()["radio_ready"], 30, "the radio is ready")
        rig.sim("adapter", "0", "remove")
        expect_first(rig, ["adapter-missing"], "adapter missing")
        rig.sim("adapter", "0", "return")
        wait(lambda: rig.status()["radio_ready"], 30, "the radio is ready")
        rig.sim("bluez", "kill")
        expect_first(rig, ["bluez-missing"], "bluetoothd gone")
        rig.sim("bluez", "start")
        wait(lambda: rig.status()["radio_ready"], 30, "the radio is ready")


@case
def a_hung_bluetoothd():
    with a_paired_hub(FRONT, broker=False, config=doctor.HUB_CONFIG) as rig:
        rig.sim("bluez", "hang", "on")
        expect_first(rig, ["bluez-hung"], "bluetoothd hung", 120)
        rig.sim("bluez", "hang", "off")


@case
def a_deaf_adapter():
    with a_paired_hub(FRONT, broker=False, config=doctor.HUB_CONFIG) as rig:
        rig.sim("adapter", "0", "deaf")
        expect_first(rig, ["adapter-deaf", "adapter-failing"], "deaf adapter", 180)


@case
def the_broker():
    with a_paired_hub(FRONT, config="[hub]\ntime_zone = Etc/UTC\n") as rig:
        rig.broker.stop(signal.SIGKILL)
        expect_first(rig, ["broker-unreachable"], "broker stopped")
        # Who is let in by no password.
        rig.broker.extra = f"allow_anonymous false\npassword_file {rig.dir}/nobody\n"
        (rig.dir / "nobody").write_text("")
        os.chmod(rig.dir / "nobody", 0o600)
        rig.broker.start()
        expect_first(rig, ["broker-refused"], "broker refuses", 120)


main()
