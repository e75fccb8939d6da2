#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Law L9: what is secret is nowhere to be read. And what is published is right."""

import contextlib
import pathlib
import re
import shutil
import subprocess
import sys

from case import case, expect, main
from rig import GARAGE, Lock, Rig, Skipped, source_root, wait

VALIDATOR = source_root() / "tools" / "ha-validate"
sys.path.insert(0, str(VALIDATOR))
import ha_validate  # pylint: disable=wrong-import-position

# Numbers that nobody meets by chance.
FRONT = Lock("front-door", "nuki:gen4", "54:D2:72:00:00:01", "7391")
PIN_5G = "739164"
GARAGE.pin = PIN_5G
PASSWORD = "planted-broker-password-8841"


def command_lines(rig):
    text = []
    # The simulator's own is full of them: it plays the locks.
    for child in rig.children:
        if child.is_running() and child.name == "lockhubd":
            text.append(pathlib.Path(f"/proc/{child.pid}/cmdline").read_bytes().decode())
            with contextlib.suppress(PermissionError):  # lockhubd is not dumpable
                text.append(pathlib.Path(f"/proc/{child.pid}/environ").read_bytes().decode())
    return "\n".join(text)


@case
def planted_secrets_are_nowhere():
    with Rig() as rig:
        if shutil.which("mosquitto_passwd") is None:
            raise Skipped("mosquitto_passwd is not installed")
        rig.start_bus()
        passwords = rig.dir / "passwords"
        subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "lockhub", PASSWORD],
                       check=True, stderr=subprocess.DEVNULL)
        passwords.chmod(0o600)
        rig.start_broker(f"password_file {passwords}\n")
        secret = rig.dir / "mqtt-password"
        secret.touch(mode=0o600)
        secret.write_text(PASSWORD + "\n")
        rig.start_sim(FRONT, GARAGE)
        rig.start_hub(config=f"username = lockhub\npassword_file = {secret}\n")
        args = ("-u", "lockhub", "-P", PASSWORD)
        watcher = rig.watch(args=args)
        bus = rig.child("dbus-monitor", ["dbus-monitor", "--address", rig.bus_address,
                                         "type='signal',sender='org.lockhub1'"])
        rig.pair(FRONT, GARAGE)
        for lock in (FRONT, GARAGE):
            rig.try_ctl("set-pin", lock.slug, "--pin-stdin", stdin=lock.pin + "\n")
            rig.ctl("unlock", lock.slug)
            rig.ctl("lock", lock.slug)
        rig.try_ctl("set-pin", FRONT.slug, "--pin-stdin", stdin="7392\n")
        wait(lambda: watcher.value(rig.topic(FRONT, "lock/state")) == "LOCKED", 15, "LOCKED")
        keys = [bytes.fromhex(word) for word in secret_keys(rig)]
        expect(keys, "the simulator shows no key to look for")
        shown = {
            "the journal": rig.hub.log(),
            "MQTT": "\n".join(f"{topic} {payload}" for topic, payload, _ in watcher.snapshot()),
            "D-Bus signals": bus.output(),
            "command lines": command_lines(rig),
            "lockhubctl": "".join(rig.ctl(*words) for words in (
                ("list",), ("show", FRONT.slug), ("log",), ("status",), ("list", "--json"),
                ("show", FRONT.slug, "--json"), ("log", "--json"))),
        }
        rig.hub.stop()
        stored = b"".join(path.read_bytes() for path in rig.state.rglob("*")
                          if path.is_file() and path.name != "db.key")
        database_key = (rig.state / "db.key").read_text().strip()
        for place, text in shown.items():
            for what, pattern in (
                    ("the PIN", rf"(?<![0-9A-Fa-f:.-]){FRONT.pin}(?![0-9A-Fa-f:.-])"),
                    ("the long PIN", PIN_5G), ("the password", re.escape(PASSWORD)),
                    ("the database key", database_key)):
                match = re.search(pattern, text)
                expect(match is None, lambda p=place, w=what, m=match, t=text:
                       f"{w} in {p}: ...{t[max(0, m.start() - 80):m.end() + 40]!r}")
            for key in keys:
                expect(key.hex() not in text.lower(), f"a lock key in {place}")
        for key in keys:
            expect(key not in stored and key.hex().encode() not in stored,
                   "a lock key in clear in the database")
        expect(PASSWORD.encode() not in stored, "the password in the database")


def secret_keys(rig):
    """The shared keys as the virtual locks know them: 64 hex digits in their saved memory."""
    text = rig.memory()
    return set(re.findall(r'"key"\s*:\s*"([0-9a-f]{64})"', text))


@case
def what_is_published_is_what_home_assistant_takes():
    with Rig() as rig:
        rig.start_bus()
        rig.start_broker()
        rig.start_sim(FRONT, GARAGE)
        rig.start_hub()
        watcher = rig.watch()
        rig.pair(FRONT, GARAGE)
        for lock in (FRONT, GARAGE):
            rig.expect_topic(watcher, lock, "lock/state", "LOCKED")
            rig.ctl("unlock", lock.slug)
        rig.expect_topic(watcher, GARAGE, "lock/state", "UNLOCKED")
        validate(rig, watcher)


@case
def the_single_form_is_what_home_assistant_takes():
    with Rig() as rig:
        rig.start_bus()
        rig.start_broker()
        rig.start_sim(FRONT)
        rig.start_hub(config="discovery = single\n")
        watcher = rig.watch()
        rig.pair(FRONT)
        rig.expect_topic(watcher, FRONT, "lock/state", "LOCKED")
        validate(rig, watcher)


def validate(rig, watcher):
    dump = rig.dump(watcher)
    filters = rig.subscriptions()
    expect(len(dump) > 20, f"only {len(dump)} topics")
    expect("lockhub/+/lock/set" in filters, f"subscribed: {filters}")
    mistakes = ha_validate.validate(
        dump, subscribed=filters, secrets=[FRONT.pin, PIN_5G],
        unique_ids=str(VALIDATOR / "unique-ids.txt"))
    expect(not mistakes, lambda: "\n".join(mistakes))


main()
