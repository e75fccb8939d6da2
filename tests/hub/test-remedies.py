#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Troubles of hub and locks that a remedy ends: named first, mended, measured again, and kept."""

import contextlib
import json
import pathlib
import random
import shutil
import sqlite3
import subprocess

import doctor
from case import case, expect, expect_equal, main
from remedy import attempts, diagnose, expect_first, expect_well, fix, names, target
from rig import FRONT, Lock, Skipped, a_paired_hub, source_root, wait

# The virtual locks' own zone, so that it is not wrong.
ZONE = "[hub]\ntime_zone = Etc/GMT-1\n"
# The radio's own patience, shortened.
QUICK = ZONE + "[ble]\ntime_percent = 20\n"
ALONE = QUICK + "sole_user = yes\nrestart_service = yes\n"
WITH_KEYPAD = Lock("front-door", "nuki:gen4", FRONT.address, FRONT.pin)
WITH_KEYPAD.extra = "keypad=1"


def a_hub(lock=FRONT, config=ZONE):
    return a_paired_hub(lock, broker=False, config=config)


class Machine:
    """What of /sys the hub sees."""

    def __init__(self, rig):
        self.root = rig.dir / "root"

    def write(self, path, text):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")

    def link(self, path, target):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(self.root / target)


def fix_words(rig, word, remedy):
    return ["busctl", f"--address={rig.bus_address}", "--timeout=200", "call", "org.lockhub1",
            "/org/lockhub1/manager", "org.lockhub1.Manager", "Fix", "sssa{sv}", word, "", remedy,
            "1", "confirmed", "b", "true"]


def by_itself(rig, word, remedy):
    """Carried out though nothing is wrong, as `care` does; the attempt."""
    done = rig.run(fix_words(rig, word, remedy), seconds=200)
    expect_equal(done.returncode, 0, done.stderr)
    return attempts(rig)[-1]


# ---- the hub

@case
def the_machine_below_the_hub():
    with a_hub() as rig:
        machine = Machine(rig)
        throttled = "sys/devices/platform/soc/soc:firmware/get_throttled"
        machine.write(throttled, "0")
        expect_well(rig)
        machine.write(throttled, "50000")
        expect_first(rig, "undervoltage", "better-power", evidence="supply voltage")
        (machine.root / throttled).unlink()
        machine.write("sys/class/hwmon/hwmon1/name", "rpi_volt")
        machine.write("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1")
        expect_first(rig, "undervoltage", "better-power")
        machine.write("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "0")
        expect_well(rig)
        # bluetoothd says no more than that it is off.
        machine.write("sys/class/bluetooth/hci0/type", "primary")
        machine.write("sys/class/rfkill/rfkill3/name", "hci0")
        machine.write("sys/class/rfkill/rfkill3/soft", "1")
        machine.write("sys/class/rfkill/rfkill3/hard", "0")
        rig.sim("adapter", "0", "off")
        expect_first(rig, "adapter-blocked", "unblock-adapter", evidence="rfkill")
        machine.write("sys/class/rfkill/rfkill3/soft", "0")
        expect_first(rig, "adapter-off", "switch-adapter-on")
        rig.sim("adapter", "0", "on")
        expect_well(rig)


@case
def the_port_of_the_adapter():
    with a_hub() as rig:
        machine = Machine(rig)
        usb = "sys/devices/pci0000:00/usb1/1-2"
        for name, text in (("speed", "12"), ("power/control", "auto"), ("removable", "removable"),
                           ("idVendor", "0bda"), ("idProduct", "a728"), ("product", "Bluetooth 5.3"),
                           ("1-2:1.0/bInterfaceClass", "e0")):
            machine.write(f"{usb}/{name}", text)
        machine.link("sys/class/bluetooth/hci0/device", f"{usb}/1-2:1.0")
        disk = "sys/bus/usb/devices/2-1"
        machine.write(f"{disk}/bDeviceClass", "00")
        machine.write(f"{disk}/speed", "5000")
        # Both are there, and no matter: links do not fail.
        expect_well(rig, lock=FRONT)
        lock_id = rig.id(FRONT)
        rig.hub.stop()
        doctor.write_past(rig, [doctor.Past(lock_id, random.Random(1)).radio(
            8, -62, attempts=12, failures=7)])
        rig.start_hub()
        rig.expect_prop(FRONT, "Reachable", True)
        finding = expect_first(rig, "adapter-autosuspend", "stop-power-saving", lock=FRONT,
                               evidence="auto")
        share = next(proof["value"] for proof in finding["proof"] if proof.get("unit") == "%")
        expect(30 < share < 80, finding["proof"])
        machine.write(f"{usb}/power/control", "on")
        expect_first(rig, "usb-interference", "extension-cable", lock=FRONT, evidence="USB 3")
        machine.write(f"{disk}/speed", "480")
        expect_first(rig, "links-failing", lock=FRONT)


@contextlib.contextmanager
def a_hub_on_a_small_disk(mib):
    """Its state lies on a file system of its own, which nobody else sees."""
    wrap = ["unshare", "--mount", "sh", "-c",
            'mount -t tmpfs -o "$1" state "$2" && shift 2 && exec "$@"', "sh"]
    with doctor.Rig() as rig:
        wrap += [f"size={mib}m,mode=700", str(rig.state)]
        tried = subprocess.run([*wrap, "true"], capture_output=True, text=True, check=False)
        if tried.returncode != 0:
            raise Skipped(f"a disk of our own: {tried.stderr.strip()}")
        rig.start_bus()
        rig.start_sim(FRONT)
        rig.start_hub(config=ZONE, wrap=wrap)
        rig.pair(FRONT)
        yield rig, pathlib.Path(f"/proc/{rig.hub.child.pid}/root{rig.state}")


def fill(path, mib):
    """Until it is so much, or nothing more fits."""
    with contextlib.suppress(OSError), open(path, "ab", buffering=0) as file:
        while file.tell() < mib << 20:
            file.write(bytes(1 << 16))


@case
def a_disk_that_fills():
    with a_hub_on_a_small_disk(72) as (rig, disk):
        expect_well(rig)
        fill(disk / "ballast", 40)
        finding = expect_first(rig, "disk-low", "free-disk", evidence="free on the disk")
        free = next(proof["value"] for proof in finding["proof"] if proof.get("unit") == "MiB")
        expect(0 < free < 50, finding["proof"])
        # To the last octet: what cannot be recorded is not done.
        fill(disk / "ballast", 80)
        done = rig.try_ctl("unlock", FRONT.slug)
        expect_equal(done.returncode, 1, done.stdout + done.stderr)
        expect_first(rig, "disk-low", "free-disk")
        diagnosis, _ = diagnose(rig)
        causes = {one["fault"]: one["because_of"] for one in target(diagnosis)["findings"]}
        expect_equal(causes["database-full"], "disk-low", "why nothing can be recorded")
        (disk / "ballast").unlink()
        rig.ctl("unlock", FRONT.slug)
        expect_well(rig, "disk-low", "database-full")


@case
def a_clock_that_nobody_has_set():
    with a_hub() as rig:
        rig.hub.stop()
        rig.start_hub(env={"LOCKHUB_TRUST_CLOCK": "0"})
        expect_first(rig, "hub-clock", "sync-time", evidence="time server")
        rig.restart_hub()
        expect_well(rig)


@case
def a_log_that_somebody_has_changed():
    with a_hub() as rig:
        rig.ctl("unlock", FRONT.slug)
        rig.hub.stop()

        with contextlib.closing(sqlite3.connect(rig.state / "lockhub.db")) as db, db:
            guard, = db.execute("SELECT sql FROM sqlite_schema WHERE name = 'event_no_update'").fetchone()
            db.execute("DROP TRIGGER event_no_update")
            changed = db.execute("UPDATE event SET time = time - 3600 WHERE seq = 3").rowcount
            db.execute(guard)
        expect_equal(changed, 1, "rows that were changed")
        rig.start_hub()
        done = rig.try_ctl("log", "verify")
        expect_equal(done.returncode, 1, done.stdout + done.stderr)
        expect_first(rig, "log-broken", "keep-evidence", "check-disk")


@case
def backups_that_fail():
    with a_hub() as rig:
        folder = rig.state / "backup"
        shutil.rmtree(folder, ignore_errors=True)
        folder.write_text("in the way")
        # Not waited for: it is measured for half a minute whether that has helped.
        rig.child("backup", fix_words(rig, "", "make-backup"))
        finding = expect_first(rig, "backup-failed", "make-backup")
        expect_equal(finding["remedies"][0]["by"], "hub", "who makes it")
        folder.unlink()
        fix(rig, "hub", "backup-failed", "make-backup", after="newest backup")
        expect_well(rig)
        expect(list(folder.iterdir()), "no backup is there")


@case
def an_adapter_that_is_wedged():
    with a_hub(config=ALONE) as rig:
        rig.sim("adapter", "0", "wedged")
        finding = expect_first(rig, "adapter-deaf", "power-adapter", "restart-bluetooth", seconds=120,
                               evidence="hears nobody")
        expect_equal([one["by"] for one in finding["remedies"][:2]], ["hub", "hub"], "by whom")
        fix(rig, "hub", "adapter-deaf", "power-adapter", before="hears nobody")
        rig.ctl("refresh", FRONT.slug)
        expect_well(rig)


@case
def a_bluetoothd_that_hangs():
    with a_hub(config=QUICK + "restart_service = yes\n") as rig:
        rig.sim("bluez", "hang", "on")
        rig.hub.stop()
        rig.start_hub()
        # The hub has tried it by itself, when there was nobody to ask.
        expect_first(rig, "bluez-hung", "restart-bluetooth", seconds=120)
        wait(lambda: "restart-denied" in names(target(diagnose(rig)[0])), 120,
             "the hub says that it was not let", 1)
        attempt = fix(rig, "hub", "bluez-hung", "restart-bluetooth", wanted="failed")
        expect("could not restart" in attempt["after"], attempt)
        rig.sim("bluez", "manager", "on")
        fix(rig, "hub", "bluez-hung", "restart-bluetooth", before="does not answer", after="answers")
        wait(lambda: rig.status()["radio_ready"], 30, "the radio is ready")
        rig.ctl("refresh", FRONT.slug)
        expect_well(rig, "bluez-hung", "restart-denied")


# ---- locks

def with_model(rig, **values):
    """A hub that knows other things of the model."""
    folder = rig.dir / "models"
    shutil.copytree(source_root() / "conf" / "models", folder, dirs_exist_ok=True)
    for path in folder.glob("*.ini"):
        text = path.read_text()
        for key, value in values.items():
            text = text.replace(f"\n{key} = yes\n", f"\n{key} = {value}\n")
        path.write_text(text)
    rig.hub.stop()
    rig.start_hub(env={"LOCKHUB_MODELS": str(folder)})
    rig.expect_prop(FRONT, "Reachable", True)


@case
def nobody_gets_in_when_the_batteries_end():
    with a_hub() as rig:
        with_model(rig, mechanical_key="no")
        expect_well(rig, lock=FRONT)
        rig.battery(FRONT, 6)
        rig.ctl("battery", "--read")
        expect_first(rig, "battery-critical", "change-batteries", lock=FRONT)
        diagnosis, _ = diagnose(rig, FRONT.slug)
        risk = next(one for one in target(diagnosis, "lock")["findings"]
                    if one["fault"] == "lockout-risk")
        expect_equal((risk["because_of"], risk["severity"], risk["remedies"][0]["name"]),
                     ("battery-critical", "critical", "keep-a-way-in"), "the risk")
        expect("mechanical key" in rig.try_ctl("doctor", FRONT.slug).stdout, "it is not told to people")
        rig.battery(FRONT, 100)
        rig.ctl("battery", "--read")
        expect_well(rig, "battery-critical", "lockout-risk", lock=FRONT)


@case
def codes_that_a_lock_does_not_keep():
    with a_hub(WITH_KEYPAD) as rig:
        rig.sim("set", FRONT.slug, "codes-stuck=1")
        rig.ctl("user", "add", "Anna", "--lock", FRONT.slug)
        rig.ctl("code", "add", "anna", "--lock", FRONT.slug, "--stdin", "--no-wait", stdin="481526\n")
        # Rounds that bring nothing are further and further apart, until the hub gives up.
        expect_first(rig, "sync-broken", "sync-codes", lock=FRONT, seconds=240)
        rig.sim("set", FRONT.slug, "codes-stuck=0")
        fix(rig, FRONT.slug, "sync-broken", "sync-codes", before="without progress")
        expect_well(rig, "sync-broken", "sync-pending", lock=FRONT)


@case
def a_keypad_that_takes_no_more_codes():
    with a_hub(WITH_KEYPAD) as rig:
        rig.sim("app", FRONT.slug, "add-code", "481526", "Anna")

        expect_well(rig, "keypad-locked", "code-guessing", lock=FRONT)
        # After the fifth in a row the right one is refused, too, and that is in no log.
        for code in range(777771, 777776):
            rig.try_sim("keypad", FRONT.slug, code)
        done = rig.try_sim("keypad", FRONT.slug, 481526)
        expect("locked after too many" in done.stdout + done.stderr, done)
        # The beacon tells that something was, the log what: also when a question of ours took the mark away.
        rig.ctl("refresh", FRONT.slug)
        wait(lambda: sum(row["kind"] == "lock_operation_error" for row in rig.log_rows()) == 5,
             90, "five wrong codes are in the hub's log", 0.5)
        expect_first(rig, "code-guessing", "look-at-log", lock=FRONT, evidence="in a row")
        diagnosis, _ = diagnose(rig, FRONT.slug)
        finding = next(one for one in target(diagnosis, "lock")["findings"]
                       if one["fault"] == "keypad-locked")
        expect_equal(finding["because_of"], "code-guessing", "the reason")
        expect("takes none for 30 s" in rig.try_ctl("doctor", FRONT.slug, "--verbose").stdout,
               "it is not told to people")


@case
def what_the_hub_does_at_a_lock_by_itself():
    with a_hub() as rig:
        rig.sim("set", FRONT.slug, "calibrated=0")
        rig.ctl("refresh", FRONT.slug)
        expect_first(rig, "not-calibrated", "calibrate", lock=FRONT)
        fix(rig, FRONT.slug, "not-calibrated", "calibrate")
        expect_well(rig, lock=FRONT)
        attempt = by_itself(rig, FRONT.slug, "restart-lock")
        expect_equal((attempt["remedy"], attempt["outcome"]), ("restart-lock", "no-change"), "restart")
        expect(any("reboot" in json.dumps(row) for row in rig.log_rows()), "it was not restarted")
        # It says nothing for a moment.
        rig.expect_prop(FRONT, "Reachable", True)
        rig.trouble(FRONT, "mute", 999)
        rig.try_ctl("refresh", FRONT.slug)
        expect_first(rig, "lock-silent", "measure-again", lock=FRONT)
        fix(rig, FRONT.slug, "lock-silent", "measure-again",
            lambda: rig.sim("fault", FRONT.slug, "none"))
        expect_well(rig, "lock-silent", lock=FRONT)
        # Its log ran over while nobody listened.
        rig.hub.stop()
        rig.sim("set", FRONT.slug, "log=1100")
        rig.start_hub()
        rig.expect_prop(FRONT, "Reachable", True)
        rig.ctl("refresh", FRONT.slug)
        expect_first(rig, "log-gap", "import-log", lock=FRONT)
        fix(rig, FRONT.slug, "log-gap", "import-log", before="entries lost")
        expect_well(rig, "log-gap", lock=FRONT)


main()
