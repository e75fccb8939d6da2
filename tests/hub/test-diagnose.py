#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The troubleshooter end to end: what is wrong is named first, what is well is not accused."""

import json

from case import case, expect, expect_equal, main
from rig import FRONT, Failure, Lock, Rig, a_paired_hub, program, wait

HEALTHY, FINDINGS, UNCHECKED = 0, 3, 4
# The virtual locks' own, so that it is not wrong.
ZONE = "[hub]\ntime_zone = Etc/GMT-1\n"


def a_hub(config=ZONE):
    return a_paired_hub(FRONT, config=config)


def doctor(rig, *args):
    """The diagnosis and doctor's exit status."""
    done = rig.try_ctl("doctor", *args, "--json", seconds=120)
    try:
        return json.loads(done.stdout), done.returncode
    except ValueError:
        raise Failure(f"doctor {args}: {done.returncode}\n{done.stdout}{done.stderr}") from None


def target(diagnosis, kind):
    return next(one for one in diagnosis["targets"] if one["kind"] == kind)


def names(one):
    return [finding["fault"] for finding in one["findings"]]


def told(one):
    return [(finding["fault"], finding["severity"], [proof["text"] for proof in finding["proof"]])
            for finding in one["findings"]]


def first(rig, *args):
    """The first finding of the first target that has one."""
    diagnosis, _ = doctor(rig, *args)
    for one in diagnosis["targets"]:
        if one["findings"]:
            return one["findings"][0]["fault"]
    return None


def expect_first(rig, fault, kind="lock"):
    diagnosis, status = doctor(rig, FRONT.slug)
    one = target(diagnosis, kind)
    expect(names(one)[:1] == [fault], lambda: f"first is not {fault}: {told(one)}")
    expect_equal(status, FINDINGS, "exit status")
    expect_equal(diagnosis["worst"], "findings", "worst")
    expect(one["verdict"], "no verdict")
    return one


@case
def a_healthy_lock_has_no_finding():
    with a_hub() as rig:
        diagnosis, status = doctor(rig, FRONT.slug)
        for one in diagnosis["targets"]:
            expect_equal(told(one), [], f"findings of {one['kind']}")
        expect_equal(status, HEALTHY, diagnosis["verdict"])
        lock = target(diagnosis, "lock")
        expect_equal(lock["lock"], FRONT.slug, "lock")
        expect_equal(lock["model_file"], "nuki-gen4", "model data")
        expect(len(lock["checks"]) >= 10, f"only {len(lock['checks'])} checks")
        expect(any(check["result"] == "ok" and check["proof"] for check in lock["checks"]),
               "no check that is ok has proof")
        expect_equal(diagnosis["format"], 1, "format")
        # As people see it.
        text = rig.ctl("doctor", FRONT.slug)
        expect(FRONT.name in text and "1." not in text, text)
        verbose = rig.ctl("doctor", FRONT.slug, "--verbose")
        expect("Checked:" in verbose and "ok" in verbose, verbose)


@case
def what_is_fresh_is_not_asked_again_and_quiet_asks_nothing():
    with a_hub() as rig:
        doctor(rig, FRONT.slug)
        # The link lasts a moment longer than the question, and the time of it is counted.
        before = rig.counters(FRONT) | {"link-ms": 0}
        diagnosis, _ = doctor(rig, FRONT.slug, "--quiet")
        expect_equal(target(diagnosis, "lock")["probes"], [], "probes of a quiet one")
        diagnosis, _ = doctor(rig, FRONT.slug)
        expect_equal(target(diagnosis, "lock")["probes"], [], "probes within a minute")
        expect_equal(rig.counters(FRONT) | {"link-ms": 0}, before, "what the lock has counted")


@case
def drained_batteries_are_named():
    with a_hub() as rig:
        rig.battery(FRONT, 4)
        rig.ctl("battery", "--read")
        one = expect_first(rig, "battery-critical")
        remedies = [remedy["name"] for remedy in one["findings"][0]["remedies"]]
        expect("change-batteries" in remedies, f"remedies: {remedies}")
        expect(any(proof.get("unit") == "%" for proof in one["findings"][0]["proof"]),
               f"no level in {one['findings'][0]['proof']}")
        text = rig.try_ctl("doctor", FRONT.slug).stdout
        expect("What to do" in text, text)


@case
def an_adapter_that_is_off_is_the_cause():
    with a_hub() as rig:
        rig.sim("adapter", "0", "off")
        wait(lambda: not rig.status()["radio_ready"], 15, "the radio is off")
        diagnosis, status = doctor(rig)
        hub = target(diagnosis, "hub")
        expect_equal(names(hub)[:1], ["adapter-off"], "first finding of the hub")
        expect_equal(status, FINDINGS, "exit status")
        for finding in target(diagnosis, "lock")["findings"]:
            expect(finding["fault"] == "adapter-off" or finding["because_of"],
                   f"accused beside the cause: {finding['fault']}")


@case
def a_broker_that_is_gone_is_named_and_comes_back():
    with a_hub() as rig:
        rig.broker.stop()
        wait(lambda: not rig.status()["mqtt_connected"], 15, "the broker is missed")
        diagnosis, status = doctor(rig)
        expect_equal(names(target(diagnosis, "hub"))[:1], ["broker-unreachable"], "first")
        expect_equal(status, FINDINGS, "exit status")
        expect_equal(told(target(diagnosis, "lock")), [], "findings of the lock")
        rig.broker.start()
        result = json.loads(rig.ctl(
            "fix", "hub", "broker-unreachable", "reconnect-broker", "--json", seconds=120))
        expect_equal(result["outcome"], "helped", result)


@case
def a_jam_is_named():
    with a_hub() as rig:
        rig.jam(FRONT, True)
        rig.try_ctl("unlock", FRONT.slug)
        rig.try_ctl("lock", FRONT.slug)
        expect_first(rig, "jammed")


@case
def a_door_that_opens_while_the_bolt_is_out_is_tampering():
    guarded = Lock(FRONT.slug, FRONT.model, FRONT.address, FRONT.pin, extra="sensor=1")
    bare = Lock("bare", FRONT.model, "54:D2:72:00:00:0B", FRONT.pin)
    with a_paired_hub(guarded, bare, config=ZONE) as rig:
        watcher = rig.watch()
        rig.expect_topic(watcher, guarded, "tamper", "OFF", 60)
        rig.ctl("refresh", guarded.slug)
        rig.sim("set", guarded.slug, "frame=broken")
        rig.sim("door", guarded.slug, "open")
        rig.expect_topic(watcher, guarded, "tamper", "ON", 120)
        diagnosis, _ = doctor(rig, guarded.slug)
        expect("tampered" in names(target(diagnosis, "lock")), told(target(diagnosis, "lock")))
        # Till a person has seen to it, and says so.
        done = rig.try_ctl("fix", guarded.slug, "tampered", "look-at-door", seconds=120)
        expect(done.returncode != 0 and "--yes when it is done" in done.stderr, done.stdout + done.stderr)
        rig.ctl("fix", guarded.slug, "tampered", "look-at-door", "--yes", seconds=120)
        diagnosis, _ = doctor(rig, guarded.slug, "--quiet")
        expect("tampered" not in names(target(diagnosis, "lock")), told(target(diagnosis, "lock")))
        # What has neither door sensor nor codes could never say so.
        expect(watcher.value(rig.topic(bare, "tamper")) is None, "a tamper sensor of nothing")


@case
def a_lock_that_is_silent_is_named():
    with a_hub() as rig:
        # Others are there: it is not the hub that hears nothing.
        rig.sim("storm", 8, 40)
        rig.range(FRONT, False)
        rig.try_ctl("refresh", FRONT.slug)
        diagnosis, status = doctor(rig, FRONT.slug)
        lock = target(diagnosis, "lock")
        expect(names(lock)[:1] and names(lock)[0] in ("lock-not-heard", "lock-unreachable"),
               lambda: f"{told(lock)}")
        expect(status in (FINDINGS, UNCHECKED), f"exit status {status}")
        probes = lock["probes"]
        expect(probes and not probes[0]["done"], f"probes: {probes}")
        expect("adapter-deaf" not in names(lock) + names(target(diagnosis, "hub")),
               f"accused though it hears others: {names(lock)}")


@case
def a_clock_is_set_and_the_attempt_is_shown():
    with a_hub(ZONE + "set_clocks = no\n") as rig:
        rig.sim("clock", FRONT.slug, "7200")
        rig.ctl("refresh", FRONT.slug)
        one = expect_first(rig, "clock-wrong")
        remedies = {remedy["name"]: remedy for remedy in one["findings"][0]["remedies"]}
        expect_equal(remedies["set-clock"]["by"], "hub", "who sets it")
        result = json.loads(rig.ctl(
            "fix", FRONT.slug, "clock-wrong", "set-clock", "--json", seconds=120))
        expect_equal(result["outcome"], "helped", result)
        expect(result["before"] != result["after"], f"{result['before']} is as {result['after']}")
        diagnosis, _ = doctor(rig, FRONT.slug)
        expect("clock-wrong" not in names(target(diagnosis, "lock")), "it is still found")
        # Found again, what was tried is told with it.
        rig.sim("clock", FRONT.slug, "7200")
        rig.ctl("refresh", FRONT.slug)
        one = expect_first(rig, "clock-wrong")
        remedies = {remedy["name"]: remedy for remedy in one["findings"][0]["remedies"]}
        expect_equal([tried["outcome"] for tried in remedies["set-clock"]["tried"]], ["helped"],
                     "attempts")


@case
def a_remedy_must_fit_and_be_agreed_to():
    with a_hub() as rig:
        def fix(*args):
            return rig.run(["busctl", f"--address={rig.bus_address}", "call", "org.lockhub1",
                            "/org/lockhub1/manager", "org.lockhub1.Manager", "Fix", "sssa{sv}",
                            FRONT.slug, *args])
        done = fix("clock-wrong", "calibrate", "0")
        expect(done.returncode != 0 and "does nothing about" in done.stderr, done.stderr)
        done = fix("", "no-such-remedy", "0")
        expect(done.returncode != 0 and "no remedy" in done.stderr, done.stderr)
        done = fix("", "calibrate", "0")
        expect(done.returncode != 0 and "agreed" in done.stderr, done.stderr)
        done = fix("", "change-batteries", "0")
        expect(done.returncode != 0 and "person" in done.stderr, done.stderr)
        expect_equal(rig.counters(FRONT)["motor-runs"] if "motor-runs" in rig.counters(FRONT)
                     else 0, 0, "motor runs")


@case
def a_hub_that_stops_in_the_middle_ends_in_order():
    with a_hub() as rig:
        rig.range(FRONT, False)
        rig.try_ctl("refresh", FRONT.slug)
        child = rig.child("doctor", [program("lockhubctl"), "doctor", FRONT.slug])
        gone = rig.child("doctor-gone", [program("lockhubctl"), "doctor", FRONT.slug])
        wait(lambda: rig.prop(FRONT, "QueueLength") >= 2, 15, "both wait for the lock")
        gone.kill()
        expect_equal(rig.hub.stop(), 0, "exit status of the hub")
        expect(child.exit_status(30) in (1, FINDINGS, UNCHECKED), child.output())
        expect(child.output(), "doctor said nothing")


@case
def without_the_daemon_doctor_says_so():
    with Rig() as rig:
        rig.start_bus()
        diagnosis, status = doctor(rig)
        expect_equal(status, FINDINGS, "exit status")
        expect_equal(first(rig), "service-not-running", "first finding")
        expect_equal(diagnosis["worst"], "findings", "worst")
        text = rig.try_ctl("doctor").stdout
        expect("systemctl start lockhubd" in text, text)
        rig.bus.stop()
        diagnosis, status = doctor(rig)
        expect_equal(status, FINDINGS, "exit status without a bus")
        expect_equal(first(rig), "bus-lost", "first finding without a bus")


main()
