#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
A transcript holds what was said and nothing that opens a door or tells who lives there.

With LOCKHUB_TRANSCRIPT_WRITE=1 the transcripts are kept in tests/transcripts/nuki, for
tests/unit/drivers/test-nuki-record.c, which replays them.
"""

import os
import re
import signal
import time

from case import case, expect, expect_equal, main
from rig import Lock, Rig, program, source_root, wait

# Nobody meets these by chance.
FRONT = Lock("zwiebelturm", "nuki:gen4", "54:D2:72:0A:B1:C2", "7391", "Zwiebelturm")
GARAGE = Lock("apfelkammer", "nuki:5g", "54:D2:72:0D:E3:F4", "739164", "Apfelkammer")
CODE = "847261"


def octets(number, width):
    return number.to_bytes(width, "little").hex()


def secrets_of(rig, lock):
    memory = rig.memory()
    nuki_id = int(lock.address.replace(":", "")[-8:], 16)
    yield "the PIN", octets(int(lock.pin), 2 if len(lock.pin) == 4 else 4)
    yield "the keypad code", octets(int(CODE), 4)
    yield "the lock's id", octets(nuki_id, 4)
    yield "the address", lock.address.replace(":", "").lower()
    for name in (lock.name, "lockhub"):
        yield f"the name {name}", name.encode().hex()
    keys = re.findall(r'"key"\s*:\s*"([0-9a-f]{64})"', memory)
    expect(keys, "the simulator shows no key to look for")
    for key in keys:
        yield "a key", key


def record(rig, lock, what):
    """Records while @what runs; the lines."""
    path = rig.dir / f"{lock.slug}.txt"
    path.unlink(missing_ok=True)
    recorder = rig.child("record", [str(program("lockhubctl")), "record", lock.slug, str(path)])
    wait(lambda: path.exists() and "# milli" in path.read_text(), 10, "the recording runs")
    what()
    wait(lambda: "done" in path.read_text().splitlines()[-1] or "down" in path.read_text(), 15,
         "the last job is recorded")
    status = recorder.stop(signal.SIGINT)
    expect_equal(status, 0, recorder.output())
    return path.read_text()


@case
def a_transcript_tells_nobody_anything():
    with Rig() as rig:
        rig.start_bus()
        for lock in (FRONT, GARAGE):
            lock.extra = "keypad=1"
        rig.start_broker()
        rig.start_sim(FRONT, GARAGE)
        rig.start_hub()
        rig.pair(FRONT, GARAGE)
        for lock in (FRONT, GARAGE):
            def use(lock=lock):
                rig.ctl("set-pin", lock.slug, "--pin-stdin", stdin=lock.pin + "\n")
                rig.ctl("unlock", lock.slug)
                rig.ctl("lock", lock.slug)
                for act in ("ReadConfig", "ReadBattery", "ReadLog"):
                    path = rig.busctl("call", "org.lockhub1", rig.lock_path(lock.slug),
                                      "org.lockhub1.Lock", act)["data"][0]
                    wait(lambda p=path: rig.busctl(
                        "get-property", "org.lockhub1", p, "org.lockhub1.Operation",
                        "State")["data"] == "finished", 20, act)
            rig.try_sim("code", lock.slug, CODE) # a wrong one: it stands in the lock's log
            text = record(rig, lock, use)
            for word in ("= start unlock", "= start read-config", "= start read-log",
                         "= done none", "> a92ee202 ", "< a92ee202 "):
                expect(word in text, f"no {word!r} in\n{text[:3000]}")
            for what, pattern in secrets_of(rig, lock):
                expect(pattern not in text.lower(), f"{what} ({pattern}) of {lock.slug}:\n{text}")
            for name in (lock.name, lock.pin, lock.address):
                body = "\n".join(line for line in text.splitlines() if not line[:1].isdigit())
                expect(name not in body, f"{name} in\n{body}")
            if os.environ.get("LOCKHUB_TRANSCRIPT_WRITE"):
                folder = source_root() / "tests" / "transcripts" / "nuki"
                folder.mkdir(parents=True, exist_ok=True)
                made = "# made by: LOCKHUB_TRANSCRIPT_WRITE=1 LOCKHUB_BUILD_ROOT=build " \
                       "tests/hub/test-record.py, from lockhub-sim\n"
                (folder / f"{lock.model.split(':')[1]}.txt").write_text(
                    text.replace("# driver", made + "# driver", 1))


@case
def one_recording_at_a_time_and_a_file_is_not_overwritten():
    with Rig() as rig:
        rig.start_bus()
        rig.start_broker()
        rig.start_sim(FRONT)
        rig.start_hub()
        rig.pair(FRONT)
        path = rig.dir / "first.txt"
        first = rig.child("record", [str(program("lockhubctl")), "record", FRONT.slug, str(path)])
        wait(path.exists, 10, "the recording runs")
        done = rig.try_ctl("record", FRONT.slug, str(rig.dir / "second.txt"))
        expect_equal(done.returncode, 1, done.stdout + done.stderr)
        expect("already" in done.stderr, done.stderr)
        first.kill() # the reader is gone: the next one may
        wait(lambda: rig.try_ctl("record", FRONT.slug, str(rig.dir / f"{time.monotonic()}.txt"),
                                 "--seconds", "1").returncode == 0, 10, "another recording")
        done = rig.try_ctl("record", FRONT.slug, str(path), "--seconds", "1")
        expect_equal(done.returncode, 1, done.stdout)
        expect("exists" in done.stderr, done.stderr)
        rig.ctl("lock", FRONT.slug) # and the hub does as ever


main()
