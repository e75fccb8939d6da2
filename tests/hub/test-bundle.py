#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""lockhubctl support-bundle: what helps is in it, and what is secret or personal is not."""

import base64
import hmac
import html
import io
import json
import re
import shutil
import struct
import subprocess
import tarfile
import time
import urllib.parse
import zlib

from case import case, expect, expect_equal, main
from rig import GARAGE, Lock, Rig, Skipped, a_paired_hub, program, wait

# Names and numbers that nobody meets by chance.
HOUSE = Lock("quintessas-turm", "nuki:gen4", "54:D2:72:0A:4B:31", "7391", name="Quintessas Turm")
PASSWORD = "planted-broker-password-8841"
BROKER_USER = "xylobroker"
PERSON = "Quintessa Überschwang"
FOREIGN = "Zebulon Ärmelkanal"
LABEL = "Wuselkarte neun"
PASSPHRASE = "plantedpassphrase-3107"
KEY = "the key of one-time passwords"
PNG = bytes.fromhex("89504e470d0a1a0a") + b"IHDR and so on"


def unpacked(path):
    """Name without the folder: content."""
    with tarfile.open(path) as archive:
        members = archive.getmembers()
        for member in members:
            expect(member.isfile() and not member.name.startswith(("/", "..")), member.name)
            expect_equal((member.uid, member.gid, member.uname, member.gname), (0, 0, "", ""),
                         f"owner of {member.name}")
        return {member.name.split("/", 1)[1]: archive.extractfile(member).read()
                for member in members}


def forms(word):
    """All the forms in which a secret may stand, in lower case."""
    octets = word if isinstance(word, bytes) else word.encode()
    yield octets
    yield octets.hex().encode()
    yield ":".join(f"{octet:02x}" for octet in octets).encode()
    for skip in range(3):
        # What of base64 does not depend on the neighbours.
        code = base64.b64encode(b"x" * skip + octets)
        begin = (0, 2, 3)[skip]
        end = len(code) - (4 if (len(octets) + skip) % 3 else 0)
        for piece in (code[begin:end], base64.urlsafe_b64decode(b"") or code[begin:end]):
            yield piece
    if isinstance(word, str):
        yield urllib.parse.quote(word).encode()
        yield json.dumps(word)[1:-1].encode()
        yield html.escape(word).encode()
        yield word.encode("utf-16-le")


def layers(data, depth=0):
    """The octets, and what gzip streams in them hold."""
    yield data
    if depth < 3:
        for match in re.finditer(b"\x1f\x8b\x08", data):
            try:
                inner = zlib.decompressobj(31).decompress(data[match.start():])
            except zlib.error:
                continue
            if inner:
                yield from layers(inner, depth + 1)


def find_planted(raw, members, planted):
    """Where something planted is found: (what, form, place) of each."""
    found = []
    places = {"the file itself": raw, **members}
    for place, data in places.items():
        if place.startswith("picture-"):
            continue  # is as it was given
        for octets in layers(data):
            low = octets.lower()
            for what, word in planted.items():
                for form in forms(word):
                    if len(form) >= 4 and form.lower() in low:
                        at = low.index(form.lower())
                        found.append((what, form[:40], place, octets[max(0, at - 60):at + 60]))
    return found


def make(rig, *args):
    rig.count += 1
    path = rig.dir / f"bundle-{rig.count}.tar.gz"
    done = rig.try_ctl("support-bundle", *args, "-o", path, seconds=120)
    expect_equal(done.returncode, 0, f"support-bundle: {done.stdout}{done.stderr}")
    return path, done.stdout + done.stderr


def secret_keys(rig):
    return set(re.findall(r'"key"\s*:\s*"([0-9a-f]{64})"', rig.memory()))


def totp(key, now):
    """RFC 6238 as a phone does it."""
    digest = hmac.new(key, struct.pack(">Q", int(now) // 30), "sha1").digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7fffffff) % 1000000:06d}"


def enrol(rig):
    """One-time passwords for the person; the key in base32, as it is typed into a phone."""
    child = subprocess.Popen(  # pylint: disable=consider-using-with
        [program("lockhubctl"), "user", "edit", PERSON, "--totp", "--stdin"], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=rig.env())
    text = ""
    while "otpauth://" not in text:
        line = child.stdout.readline()
        expect(line, f"no URI: {text}")
        text += line
    key = re.search(r"secret=([A-Z2-7]+)", text)[1]
    rest, _ = child.communicate(totp(base64.b32decode(key), time.time()) + "\n", 60)
    expect_equal(child.returncode, 0, f"{text}{rest}")
    return key


def plant(rig):
    """People, codes, keys, names; what must not be found again."""
    rig.ctl("user", "add", PERSON)
    code = rig.ctl_json("code", "add", PERSON, "--generate", "--digits", "6", "--label", LABEL,
                        "--no-wait")
    pin = code.get("pin") or code.get("code") or re.search(r"\d{6}", json.dumps(code)).group()
    rig.try_ctl("user", "edit", PERSON, "--code", "--stdin", stdin="48151623\n")
    rig.try_ctl("set-pin", HOUSE.slug, "--pin-stdin", stdin=HOUSE.pin + "\n")
    one_time = enrol(rig)
    rig.ctl("user", "export", rig.dir / "people.json", "--with-codes", "--stdin",
            stdin=PASSPHRASE + "\n")
    rig.ctl("unlock", HOUSE.slug)
    rig.ctl("lock", HOUSE.slug)
    rig.try_ctl("unlock", HOUSE.slug, "--code", "--stdin", stdin="48151623\n")
    planted = {
        "a user's name": PERSON, "a first name": PERSON.split()[0], "a last name": PERSON.split()[1],
        "the lock's name": HOUSE.name, "the lock's short name": HOUSE.slug,
        "a label": LABEL, "a passphrase": PASSPHRASE, KEY: one_time,
        "the same, raw": base64.b32decode(one_time), "another person": FOREIGN, "a code": str(pin), "a personal code": "48151623",
        "the broker's password": PASSWORD, "the broker's user": BROKER_USER,
        "the database key": (rig.state / "db.key").read_text().strip(),
        "the whole address": HOUSE.address, "the whole address, bare": HOUSE.address.replace(":", ""),
        "the address in a path": HOUSE.address.replace(":", "_"),
    }
    for number, key in enumerate(secret_keys(rig)):
        planted[f"lock key {number}"] = bytes.fromhex(key)
        planted[f"lock key {number} in hex"] = key
    expect(any("lock key" in what for what in planted), "the simulator shows no key to look for")
    return planted


@case
def secrets_and_names_are_nowhere_in_it():
    if shutil.which("mosquitto_passwd") is None:
        raise Skipped("mosquitto_passwd is not installed")
    with Rig() as rig:
        rig.start_bus()
        passwords = rig.dir / "passwords"
        subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), BROKER_USER, PASSWORD],
                       check=True, stderr=subprocess.DEVNULL)
        passwords.chmod(0o600)
        rig.start_broker(f"password_file {passwords}\n")
        secret = rig.dir / "mqtt-password"
        secret.touch(mode=0o600)
        secret.write_text(PASSWORD + "\n")
        rig.start_sim(HOUSE, GARAGE)
        rig.start_hub(config=f"username = {BROKER_USER}\npassword_file = {secret}\n")
        rig.pair(HOUSE, GARAGE)
        planted = plant(rig)
        journal = plant_journal(rig, planted)
        picture = rig.dir / f"{PERSON}.png"
        picture.write_bytes(PNG)
        transcript = record(rig)
        path, said = make(rig, HOUSE.slug, "--attach", picture, "--attach", transcript)
        expect(str(path) in said, f"where it is: {said}")
        members = unpacked(path)
        raw = path.read_bytes()
        found = find_planted(raw, members, planted)
        expect(not found, lambda: f"{len(found)}: " + "; ".join(map(str, found[:6])))
        # The search itself finds what is there.
        expect(find_planted(raw, {"x": b"-" + PERSON.encode()}, planted), "the search is blind")
        expect(find_planted(raw, {"x": base64.b64encode(b"ab" + PERSON.encode())}, planted),
               "the search is blind to base64")
        expect_equal(members["picture-1.png"], PNG, "the picture")
        expect(b"# lockhub transcript 1" in members["transcript-2.txt"], "the transcript")
        if journal:
            expect(b"XX:XX:XX:XX:4B:31" in members["journal-lockhubd.txt"]
                   and b"user " in members["journal-lockhubd.txt"], "the journal is not there")


def record(rig):
    path = rig.dir / "transcript.txt"
    child = rig.child("record", [program("lockhubctl"), "record", HOUSE.slug, path])
    wait(path.exists, 15, "the transcript is begun")
    rig.ctl("refresh", HOUSE.slug)
    wait(lambda: len(path.read_text().splitlines()) > 5, 20, "the transcript has lines")
    child.stop(2)
    return path


def plant_journal(rig, planted):
    """A journal of its own with everything in it that must not get out; False: cannot be made."""
    maker = shutil.which("systemd-journal-remote", path="/lib/systemd:/usr/lib/systemd")
    if maker is None:
        rig.note("systemd-journal-remote is not installed: no journal is planted")
        return False
    folder = rig.dir / "journal"
    folder.mkdir()
    lines = [
        f"asked by {PERSON}", f"{HOUSE.name}: jammed at {HOUSE.address}",
        f"password={PASSWORD} username={BROKER_USER}", f"PIN {HOUSE.pin} and code: 48151623",
        f"json {json.dumps(PERSON)} url {urllib.parse.quote(PERSON)}",
        f"key {base64.b64encode(PERSON.encode() * 3).decode()}",
        f"passphrase is {PASSPHRASE}", f"otpauth://totp/x?secret={planted[KEY]}&x=1",
        f"a lock key {planted['lock key 0 in hex']}", f"the same {planted['lock key 0'].hex(':')}",
        f"mqtts://{BROKER_USER}:{PASSWORD}@broker.example:8883 {PERSON.upper()}",
    ]
    now = int(time.time() * 1e6)
    export = io.BytesIO()
    for number, line in enumerate(lines):
        for key, value in {
                "__REALTIME_TIMESTAMP": now - 10**6 + number, "__MONOTONIC_TIMESTAMP": number + 1,
                "_BOOT_ID": "0123456789abcdef0123456789abcdef",
                "_SYSTEMD_UNIT": "lockhubd.service", "SYSLOG_IDENTIFIER": "lockhubd",
                "PRIORITY": 5, "_HOSTNAME": "turmzimmerhub", "LOCKHUB_USER": FOREIGN,
                "MESSAGE": line}.items():
            export.write(f"{key}={value}\n".encode())
        export.write(b"\n")
    done = subprocess.run([maker, "-o", str(folder / "planted.journal"), "-"], check=False,
                          input=export.getvalue(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    expect_equal(done.returncode, 0, f"systemd-journal-remote: {done.stdout.decode()}")
    rig.journal = folder
    before = rig.env

    def env():
        return dict(before(), LOCKHUB_JOURNAL=str(folder))
    rig.env = env
    return True


@case
def what_helps_is_in_it():
    with a_paired_hub(GARAGE) as rig:
        rig.battery(GARAGE, 4)
        rig.ctl("refresh", GARAGE.slug)
        path, _ = make(rig, GARAGE.slug)
        members = unpacked(path)
        for name in ("00-summary.txt", "diagnosis.json", "history.json", "statistics.json",
                     "events.json", "report.html"):
            expect(name in members, f"{name} is missing: {sorted(members)}")
        expect_equal(sorted(members)[0], "00-summary.txt", "what is read first")
        summary = members["00-summary.txt"].decode()
        for word in ("LOCK garage", "model", "firmware", "kernel", "lockhubd", "BlueZ",
                     "Everything tried", "Time to ask the maker", "TAKEN OUT", "battery"):
            expect(word in summary, f"{word!r} is not in the summary:\n{summary}")
        diagnosis = json.loads(members["diagnosis.json"])
        expect_equal(diagnosis["format"], 1, "format")
        for target in diagnosis["targets"]:
            for finding in target["findings"]:
                expect(finding["summary"] in summary, f"{finding['summary']} is not in the summary")
        expect(json.loads(members["events.json"]), "no events")
        expect(members["report.html"].startswith(b"<!DOCTYPE html>"), "the report")
        # Read by nobody but its owner; never over another file.
        expect_equal(path.stat().st_mode & 0o777, 0o600, "mode")
        again = rig.try_ctl("support-bundle", GARAGE.slug, "-o", path)
        expect_equal(again.returncode, 1, "an existing file")


@case
def a_text_for_a_form_says_whether_it_is_time():
    with a_paired_hub(GARAGE) as rig:
        rig.battery(GARAGE, 4)
        rig.ctl("refresh", GARAGE.slug)
        text = rig.ctl("support-bundle", GARAGE.slug, "--text")
        expect("A smart lock needs help" in text and "Time to ask the maker: not yet" in text, text)
        expect("https://support.nuki.io/" in text, text)
        expect("TAKEN OUT" not in text and "FILES" not in text, text)


@case
def what_is_no_picture_is_refused():
    with a_paired_hub(GARAGE, broker=False) as rig:
        other = rig.dir / "notes.txt"
        other.write_text("anything")
        target = rig.dir / "none.tar.gz"
        done = rig.try_ctl("support-bundle", GARAGE.slug, "--attach", other, "-o", target)
        expect_equal(done.returncode, 1, "attaching a text")
        expect("neither a picture nor a transcript" in done.stderr, done.stderr)
        expect(not target.exists(), "a bundle was made all the same")


@case
def without_lockhubd_there_is_still_a_bundle():
    with Rig() as rig:
        rig.start_bus()
        path = rig.dir / "alone.tar.gz"
        done = rig.try_ctl("support-bundle", "-o", path)
        expect_equal(done.returncode, 0, f"{done.stdout}{done.stderr}")
        expect("lockhubd is not running" in done.stderr, done.stderr)
        summary = unpacked(path)["00-summary.txt"].decode()
        expect("lockhubd could not be asked" in summary and "kernel" in summary, summary)


main()
