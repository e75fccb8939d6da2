#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How secure it is: what doctor security says comes from the real things, and goes when they do."""

import contextlib
import json
import random
import sqlite3
import time

import doctor
from case import case, expect, expect_equal, main
from rig import Child, Lock, Rig, a_paired_hub, build_root, program, wait

# No DDMM, no sequence, none of the usual.
GOOD = Lock("good", "nuki:5g", "54:D2:72:00:01:01", "704193")
WEAK = Lock("weak", "nuki:gen2", "54:D2:72:00:01:02", "1234")
UNSET = Lock("unset", "nuki:gen4", "54:D2:72:00:01:03", "0000")
KEYPAD = Lock("keypad", "nuki:gen4", "54:D2:72:00:01:04", "7084")
KEYPAD.extra = "keypad=1"
ZONE = "[hub]\ntime_zone = Etc/GMT-1\n"
DAY_S = 86400


def security(rig, *args):
    """What doctor security says, by lock (the hub is "")."""
    done = rig.try_ctl("doctor", "security", *args, "--json", seconds=120)
    expect(done.returncode in (0, 3, 4), f"{done.returncode}: {done.stdout}{done.stderr}")
    return {one.get("lock", ""): one for one in json.loads(done.stdout)["targets"]}


def names(target):
    return [finding["fault"] for finding in target["findings"]]


def result(target, check):
    return next(one["result"] for one in target["checks"] if one["name"] == check)


def proof(target, check):
    return " / ".join(one["text"] for one in next(
        row["proof"] for row in target["checks"] if row["name"] == check))


def in_the_past(rig, statement, *values):
    """Changes the memory of the hub while it is not there."""
    rig.hub.stop()
    with contextlib.closing(sqlite3.connect(rig.state / "lockhub.db")) as db, db:
        changed = db.execute(statement, values).rowcount
        expect(changed > 0, f"nothing was changed: {statement}")
    rig.start_hub()


def start_network_manager(rig, network):
    """One that tells of the network what the file @network says."""
    child = Child(rig, "network-manager",
                  [build_root() / "tests" / "hub" / "mock-network-manager", rig.bus_address,
                   network], env=rig.env())
    wait(lambda: "READY" in child.output(), 10, "the mock is ready")


@case
def the_protection_of_the_wifi():
    with Rig() as rig:
        rig.start_bus()
        network = rig.dir / "network"
        root = rig.dir / "root"
        root.mkdir()

        def be(words):
            network.write_text(words)
            return security(rig)[""]
        rig.start_hub(config=ZONE, env={"LOCKHUB_ROOT": str(root)})
        # Nobody manages the network: nobody is accused, and it is said that nothing is known.
        hub = security(rig)[""]
        expect_equal(result(hub, "wifi-protection"), "unknown", "without NetworkManager")
        start_network_manager(rig, network)

        hub = be("type=802-11-wireless flags=0 wpa=0 rsn=0 mhz=2437")
        expect("wifi-unprotected" in names(hub), names(hub))
        expect("without a password" in proof(hub, "wifi-protection"), hub)
        expect_equal((hub["facts"]["wifi_security"], hub["facts"]["wifi_24ghz"]), ("open", True),
                     "an open network")
        text = rig.try_ctl("doctor", "security").stdout
        expect("Wi-Fi is not protected" in text, text)
        # Not only when somebody asks how secure it is.
        text = rig.try_ctl("doctor").stdout
        expect("Wi-Fi is not protected" in text, text)
        for words, kind in (("flags=1 wpa=0 rsn=0", "wep"), ("flags=1 wpa=0x144 rsn=0", "wpa")):
            hub = be(f"type=802-11-wireless {words} mhz=5180")
            expect("wifi-unprotected" in names(hub), f"{kind}: {names(hub)}")
            expect_equal((hub["facts"]["wifi_security"], hub["facts"]["wifi_24ghz"]),
                         (kind, False), kind)
        for words, kind in (("rsn=0x188", "wpa2"), ("rsn=0x488", "wpa3")):
            hub = be(f"type=802-11-wireless flags=1 wpa=0 {words} mhz=2412")
            expect("wifi-unprotected" not in names(hub), f"{kind}: {names(hub)}")
            expect_equal(result(hub, "wifi-protection"), "ok", kind)
            expect_equal(hub["facts"]["wifi_security"], kind, kind)
        hub = be("type=802-3-ethernet")
        expect_equal(result(hub, "wifi-protection"), "skipped", "by cable")
        expect_equal(hub["facts"]["wifi"], False, "by cable")


@case
def the_band_of_the_wifi():
    with Rig() as rig:
        rig.start_bus()
        rig.start_sim(GOOD)
        root = rig.dir / "root"
        chip = root / "sys/devices/soc/serial0/serial0-0"
        chip.mkdir(parents=True)
        (root / "sys/class/bluetooth/hci0").mkdir(parents=True)
        (root / "sys/class/bluetooth/hci0/device").symlink_to(chip)
        env = {"LOCKHUB_ROOT": str(root)}
        rig.start_hub(config=ZONE, env=env)
        rig.pair(GOOD)
        lock_id = rig.id(GOOD)
        rig.hub.stop()
        doctor.write_past(rig, [doctor.Past(lock_id, random.Random(1)).radio(
            8, -62, attempts=12, failures=7)])
        network = rig.dir / "network"
        network.write_text("type=802-11-wireless flags=1 rsn=0x188 mhz=2462")
        start_network_manager(rig, network)
        rig.start_hub(env=env)
        rig.expect_prop(GOOD, "Reachable", True)
        target = doctor.lock_target(doctor.ask_doctor(rig, GOOD.slug)[1])
        expect_equal(names(target)[:1], ["wifi-interference"], names(target))
        # In the other band it is not the Wi-Fi.
        network.write_text("type=802-11-wireless flags=1 rsn=0x188 mhz=5500")
        target = doctor.lock_target(doctor.ask_doctor(rig, GOOD.slug)[1])
        expect("wifi-interference" not in names(target), names(target))
        expect_equal(names(target)[:1], ["links-failing"], names(target))


@case
def the_security_pin():
    with a_paired_hub(GOOD, WEAK, UNSET, broker=False, config=ZONE) as rig:
        told = security(rig)
        expect("pin-default" in names(told["unset"]), names(told["unset"]))
        expect("pin-weak" in names(told["weak"]), names(told["weak"]))
        expect("sequence" in proof(told["weak"], "pin-strength"), "why it is weak")
        for fault in ("pin-default", "pin-weak", "pin-old"):
            expect(fault not in names(told["good"]), names(told["good"]))
        for check in ("default-pin", "pin-strength", "pin-age"):
            expect_equal(result(told["good"], check), "ok", check)
        expect("1234" not in json.dumps(told["weak"]["findings"]), "the PIN itself is told")

        # Of this one it is known since when the hub has it.
        in_the_past(rig, "UPDATE note SET at = ? WHERE key = 'pin' AND lock_id = "
                    "(SELECT id FROM lock WHERE slug = 'good')", int(time.time()) - 900 * DAY_S)
        told = security(rig)
        expect("pin-old" in names(told["good"]), names(told["good"]))
        expect("pin-old" not in names(told["weak"]), names(told["weak"]))
        # The same once more is no new one ...
        rig.ctl("set-pin", GOOD.slug, "--pin-stdin", stdin=GOOD.pin + "\n")
        expect("pin-old" in names(security(rig)["good"]), "the same PIN counts as new")
        # ... another one is.
        rig.sim("set", GOOD.slug, "pin=580317")
        rig.ctl("set-pin", GOOD.slug, "--pin-stdin", stdin="580317\n")
        wait(lambda: "pin-old" not in names(security(rig)["good"]), 20, "a new PIN is not old", 0.5)
        expect_equal(result(security(rig)["good"], "pin-age"), "ok", "age of the new one")
        # Where there was none, one of one's own ends it.
        rig.sim("set", UNSET.slug, "pin=6294")
        rig.ctl("set-pin", UNSET.slug, "--pin-stdin", stdin="6294\n")
        expect("pin-default" not in names(security(rig)["unset"]), "still the maker's")


@case
def codes_of_people():
    with a_paired_hub(KEYPAD, broker=False, config=ZONE) as rig:
        # What the hub would not take, an app does.
        rig.sim("app", KEYPAD.slug, "add-code", "778899", "Cleaner")
        rig.ctl("code", "sync", KEYPAD.slug)

        def foreign():
            return rig.ctl_json("code", "list")["foreign"]
        row = wait(foreign, 60, "a foreign code", 0.2)[0]
        rig.ctl("user", "add", "Berta", "--lock", KEYPAD.slug)
        rig.ctl("code", "adopt", KEYPAD.slug, str(row["ref"]), "berta")
        wait(lambda: not foreign(), 30, "it is nobody's any more", 0.2)
        told = security(rig)["keypad"]
        expect("codes-weak" in names(told) and "codes-old" not in names(told), names(told))
        in_the_past(rig, "UPDATE credential SET pin_set_at = ?", int(time.time()) - 900 * DAY_S)
        expect("codes-old" in names(security(rig)["keypad"]), "two years and a half")
        code = rig.ctl_json("code", "list")["codes"][0]["id"]
        rig.ctl("code", "change", code, "--stdin", stdin="648357\n")
        told = security(rig)["keypad"]
        expect("codes-weak" not in names(told) and "codes-old" not in names(told), names(told))
        expect_equal(result(told, "code-guessable"), "ok", "the code of now")


@case
def the_protocol_of_each_lock():
    with a_paired_hub(GOOD, WEAK, broker=False, config=ZONE) as rig:
        told = security(rig)
        for lock in (GOOD, WEAK):
            target = told[lock.slug]
            expect_equal(result(target, "protocol"), "ok", "check")
            expect("protocol-weak" not in names(target), names(target))
            protocol = target["protocol"]
            expect_equal({key: protocol[key] for key in (
                "class", "mutual", "tamper_proof", "replay_safe", "fresh_nonces")},
                {"class": "B", "mutual": "yes", "tamper_proof": "yes", "replay_safe": "yes",
                 "fresh_nonces": "no"}, lock.slug)
            expect(protocol["source"] and protocol["weakness"], protocol)
            expect_equal(rig.ctl_json("show", lock.slug)["locks"][0]["protocol"]["class"],
                         "B", "show --json")
        expect("5th generation" in told["good"]["protocol"]["name"], told["good"]["protocol"])
        expect("4th generation" in told["weak"]["protocol"]["name"], told["weak"]["protocol"])
        text = rig.ctl("show", GOOD.slug)
        expect("class B" in text and "answers can be repeated" in text, text)
        text = rig.try_ctl("doctor", "security", "--verbose").stdout
        expect("class B: Nuki Bluetooth API" in text, text)


SIX = [Lock(f"door-{number}", "nuki:gen4", f"54:D2:72:00:02:{number:02X}", "7084")
       for number in range(1, 7)]
NEAR = Lock("near", "nuki:gen4", "54:D2:72:00:02:70", "7084")


@case
def six_locks_that_are_away_are_asked_side_by_side():
    rig = Rig()
    with rig:
        rig.start_bus()
        rig.start_sim(NEAR, *SIX, args=["--adapters", 2])
        rig.start_hub(config=ZONE)
        rig.pair(NEAR, *SIX)
        for lock in SIX:
            rig.range(lock, False)
        # Whatever is known is known no longer.
        rig.restart_hub()
        began = time.monotonic()
        child = rig.child("doctor", [program("lockhubctl"), "doctor", "--json"])
        # Two adapters: three each.
        wait(lambda: sum(row["queue_length"] > 0 for row in rig.locks()
                         if row["slug"] != NEAR.slug) == 6, 30, "all six are asked", 0.1)
        # Who wants to get in does not wait for any of them.
        rig.ctl("unlock", NEAR.slug)
        wait(lambda: rig.show(NEAR)["bolt"] == "unlocked", 15, "the door that is near is open")
        expect(child.is_running(), "doctor had ended before: nothing was shown")
        status = child.exit_status(180)
        rig.note(f"six locks out of reach: {time.monotonic() - began:.0f} s")
        text = child.output()
        told = {one.get("lock", ""): one for one in json.loads(text[text.index("{"):])["targets"]}
        expect_equal(status, 3, text[:500])
        expect_equal([slug for slug in told if slug],
                     [NEAR.slug, *(lock.slug for lock in SIX)], "order of the locks")
        for lock in SIX:
            faults = [row.get("fault") for row in told[lock.slug]["probes"]]
            expect(faults and faults[0] in ("lock-not-heard", "lock-unreachable"),
                   f"{lock.slug}: {told[lock.slug]['probes']}")
            expect(names(told[lock.slug]), f"{lock.slug}: nothing was found")
        expect_equal(names(told[NEAR.slug]), [], "the one that is near")


main()
