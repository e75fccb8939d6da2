#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may enter: users, codes and schedules, from the command line to the keypad and back into the log."""

import base64
import hmac
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import time

from case import case, expect, expect_equal, main
from rig import Lock, Rig, Skipped, a_paired_hub, program, wait
from terminal import Terminal

FRONT = Lock("front-door", "nuki:gen4", "54:D2:72:00:00:01", "4711")
FRONT.extra = "keypad=2"
BACK = Lock("back-door", "nuki:gen4", "54:D2:72:00:00:02", "4712")
BACK.extra = "keypad=2"


def codes(rig, *args):
    return rig.ctl_json("code", "list", *args)


def at_lock(rig, code, lock=FRONT):
    """What became of a code at a lock: its row, or None when it is not to be there."""
    for row in codes(rig)["codes"]:
        if row["id"] == code:
            for at in row["locks"]:
                if at["lock"] == lock.slug:
                    return at
    return None


def expect_state(rig, code, wanted, lock=FRONT, seconds=40):
    last = None

    def is_so():
        nonlocal last
        row = at_lock(rig, code, lock)
        last = row["state"] if row else None
        return last == wanted
    wait(is_so, seconds, lambda: f"{code} is {last} at {lock.slug}, wanted {wanted}", 0.1)


def add_code(rig, user, pin, *args):
    """A code that was typed by somebody; its id."""
    text = rig.ctl("code", "add", user, "--stdin", "--json", *args, stdin=pin + "\n")
    return json.loads(text)["id"]


def press(rig, lock, pin):
    return rig.try_sim("keypad", lock.slug, pin)


def bolt(rig, lock):
    return rig.show(lock)["bolt"]


def relock(rig, lock):
    rig.ctl("lock", lock.slug)
    wait(lambda: bolt(rig, lock) == "locked", 15, f"{lock.slug} is locked")


@case
def a_code_opens_at_the_keypad_and_the_log_names_the_user():
    with a_paired_hub(FRONT, broker=False) as rig:
        rig.ctl("user", "add", "Anna Huber", "--lock", FRONT.slug)
        text = rig.ctl("code", "add", "anna-huber", "--generate")
        pin = re.search(r"Code: (\d{6,})", text)[1]
        expect("front-door: present" in text, text)
        press(rig, FRONT, pin)
        wait(lambda: bolt(rig, FRONT) == "unlocked", 15, "the code opens")

        def named():
            for row in rig.log_rows("--type", "unlocked"):
                if row.get("user") == "Anna Huber":
                    return row
            return None
        row = wait(named, 40, lambda: f"unlocked by Anna Huber: {rig.ctl('log')}", 0.2)
        expect_equal(row["source"], "keypad", "source")
        expect_equal(row["attribution"], "credential", "evidence")
        expect("by the credential in the lock's log" in rig.ctl("log"), rig.ctl("log"))
        # A wrong one does not open, and is nobody's.
        relock(rig, FRONT)
        press(rig, FRONT, "582741")
        rig.ctl("refresh", FRONT.slug)
        expect_equal(bolt(rig, FRONT), "locked", "bolt")


@case
def a_code_with_a_window_gets_it_at_the_lock():
    with a_paired_hub(FRONT, broker=False) as rig:
        rig.ctl("user", "add", "Anna", "--lock", FRONT.slug, "--valid", "Mon-Fri 08:00-12:00")
        code = add_code(rig, "anna", "582741", "--until", "2037-03-01")
        expect_state(rig, code, "present")
        slots = rig.prop(FRONT, "Users")
        own = [row for row in slots if row.get("credential", {}).get("data") == code]
        expect_equal(len(own), 1, f"slots: {slots}")
        window = own[0]["window"]["data"]
        expect("Mon-Fri 08:00-12:00" in window, window)
        expect("until 2037-03-0" in window, window)
        expect_equal(own[0]["user"]["data"], "anna", "user of the slot")


@case
def a_revocation_out_of_range_is_alarmed_until_it_is_confirmed():
    with a_paired_hub(FRONT, broker=False) as rig:
        rig.ctl("user", "add", "Anna", "--lock", FRONT.slug)
        code = add_code(rig, "anna", "582741")
        expect_state(rig, code, "present")
        wait(lambda: not rig.prop(FRONT, "Linked"), 30, "the link is over")
        rig.range(FRONT, False)
        done = rig.try_ctl("code", "revoke", code, "--timeout", "60", seconds=90)
        expect_equal(done.returncode, 1, done.stdout + done.stderr)
        expect("not confirmed" in done.stderr, done.stderr)
        expect_state(rig, code, "leaving")
        rig.expect_prop(FRONT, "Fault", "revocation-pending", 60)
        # It still opens: that is what the alarm is about.
        press(rig, FRONT, "582741")
        wait(lambda: bolt(rig, FRONT) == "unlocked", 15, "the code still opens")
        rig.range(FRONT, True)
        wait(lambda: at_lock(rig, code) is None, 120, lambda: f"gone: {codes(rig)}", 0.2)
        wait(lambda: rig.prop(FRONT, "Fault") != "revocation-pending", 30,
             lambda: f"the alarm is over: {rig.prop(FRONT, 'Fault')}", 0.2)
        relock(rig, FRONT)
        press(rig, FRONT, "582741")
        rig.ctl("refresh", FRONT.slug)
        expect_equal(bolt(rig, FRONT), "locked", "bolt after the revocation")


@case
def a_user_is_removed_from_all_locks():
    with a_paired_hub(FRONT, BACK, broker=False) as rig:
        rig.ctl("user", "add", "Anna", "--lock", FRONT.slug)
        rig.ctl("access", "grant", "anna", BACK.slug)
        code = add_code(rig, "anna", "582741")
        expect_state(rig, code, "present", FRONT)
        expect_state(rig, code, "present", BACK)
        text = rig.ctl("access", "revoke", "anna", BACK.slug)
        expect("confirmed by reading back" in text, text)
        expect(at_lock(rig, code, BACK) is None, "still at the back door")
        expect_state(rig, code, "present", FRONT)
        text = rig.ctl("user", "remove", "anna", "--yes")
        expect("confirmed by reading back" in text, text)
        wait(lambda: not rig.ctl_json("user", "list")["users"], 15, "the user is gone")
        for lock in (FRONT, BACK):
            press(rig, lock, "582741")
            rig.ctl("refresh", lock.slug)
            expect_equal(bolt(rig, lock), "locked", f"bolt of {lock.slug}")


@case
def a_foreign_code_is_shown_and_adopted():
    with a_paired_hub(FRONT, broker=False) as rig:
        rig.sim("app", FRONT.slug, "add-code", "582741", "Cleaner")
        rig.ctl("code", "sync", FRONT.slug)

        def foreign():
            return [row for row in codes(rig)["foreign"] if row["name"] == "Cleaner"]
        row = wait(foreign, 60, lambda: f"a foreign code: {codes(rig)}", 0.2)[0]
        expect("foreign" in rig.ctl("code", "list"), "not in the table")
        rig.ctl("user", "add", "Berta", "--lock", FRONT.slug)
        rig.ctl("code", "adopt", FRONT.slug, str(row["ref"]), "berta")
        wait(lambda: not foreign(), 30, "it is nobody's any more", 0.2)
        expect_equal([one["user"] for one in codes(rig)["codes"]], ["berta"], "owner")
        press(rig, FRONT, "582741")
        wait(lambda: bolt(rig, FRONT) == "unlocked", 15, "the adopted code still opens")
        wait(lambda: any(row.get("user") == "Berta" for row in rig.log_rows("--type", "unlocked")),
             40, lambda: f"the log names Berta: {rig.ctl('log')}", 0.2)


@case
def a_foreign_code_is_left_alone_until_it_is_revoked():
    with a_paired_hub(FRONT, broker=False) as rig:
        rig.sim("app", FRONT.slug, "add-code", "582741", "Stranger")
        rig.ctl("user", "add", "Anna", "--lock", FRONT.slug)
        code = add_code(rig, "anna", "739158")
        expect_state(rig, code, "present")
        rows = wait(lambda: codes(rig)["foreign"], 60, "a foreign code", 0.2)
        press(rig, FRONT, "582741")
        wait(lambda: bolt(rig, FRONT) == "unlocked", 15, "the foreign code still opens")
        rig.ctl("code", "revoke", FRONT.slug, str(rows[0]["ref"]))
        wait(lambda: all(row["name"] != "Stranger" for row in rig.show(FRONT).get("codes", []))
             and len(rig.prop(FRONT, "Users")) == 2, 60, "it is gone", 0.2)
        relock(rig, FRONT)
        press(rig, FRONT, "582741")
        rig.ctl("refresh", FRONT.slug)
        expect_equal(bolt(rig, FRONT), "locked", "bolt")
        expect_state(rig, code, "present")


@case
def a_code_for_once_works_once():
    with a_paired_hub(FRONT, broker=False) as rig:
        # Its use is the very first entry of the lock's log, and counts all the same.
        rig.ctl("user", "add", "Visitor", "--lock", FRONT.slug)
        code = add_code(rig, "visitor", "582741", "--once")
        expect_state(rig, code, "present")
        press(rig, FRONT, "582741")
        wait(lambda: bolt(rig, FRONT) == "unlocked", 15, "it opens once")
        wait(lambda: at_lock(rig, code) is None, 90, lambda: f"taken away: {codes(rig)}", 0.2)
        relock(rig, FRONT)
        press(rig, FRONT, "582741")
        rig.ctl("refresh", FRONT.slug)
        expect_equal(bolt(rig, FRONT), "locked", "bolt at the second time")


@case
def everything_survives_a_restart():
    with a_paired_hub(FRONT, broker=False) as rig:
        rig.ctl("user", "add", "Anna", "--lock", FRONT.slug, "--valid", "Mon-Fri 08:00-12:00")
        code = add_code(rig, "anna", "582741", "--label", "cleaner")
        expect_state(rig, code, "present")
        rig.ctl("rules", FRONT.slug, "factor=either", "wrong-code-limit=3")
        rig.ctl("holiday", "add", FRONT.slug, "2037-08-01 - 2037-08-14")

        def picture():
            users = rig.ctl_json("user", "show", "anna")
            row = at_lock(rig, code)
            return (users["name"], users["locks"], [s["text"] for s in users["schedules"]],
                    [(c["id"], c["label"], c["state"]) for c in users["credentials"]],
                    row["state"], row["ref"],
                    [rig.ctl_json("rules", FRONT.slug)[key] for key in ("factor", "wrong_code_limit")],
                    [h["text"] for h in rig.ctl_json("holiday", "list")["holidays"]])
        before = picture()
        rig.restart_hub()
        expect_equal(picture(), before, "after the restart")
        expect_equal(rig.ctl("code", "reveal", code).strip(), "582741", "the code")
        rig.hub.child.kill()
        rig.start_hub()
        expect_equal(picture(), before, "after kill -9")
        rig.ctl("log", "verify")


@case
def many_are_imported_and_the_whole_log_is_exported():
    with a_paired_hub(FRONT, broker=False) as rig:
        lines = ["name,locks,valid"] + [f"Guest {number},{FRONT.slug},Mon-Fri 08:00-12:00"
                                        for number in range(1, 221)]
        began = time.monotonic()
        text = rig.ctl("user", "import", "-", stdin="\n".join(lines) + "\n", seconds=120)
        expect("220 added, 0 there already, 0 failed" in text, text[-300:])
        rig.note(f"220 users in {time.monotonic() - began:.1f} s")
        expect_equal(len(rig.ctl_json("user", "list")["users"]), 220, "users")
        expect_equal(rig.ctl_json("user", "show", "Guest 220")["locks"], [FRONT.slug], "access")
        # More than a page of the log, from the very first entry on, each once.
        target = rig.dir / "log.jsonl"
        rig.ctl("log", "export", target)
        rows = [json.loads(line) for line in target.read_text().splitlines()]
        expect(len(rows) > 600, f"{len(rows)} entries")
        expect_equal([row["seq"] for row in rows], list(range(1, len(rows) + 1)), "numbers")
        expect_equal(target.stat().st_mode & 0o777, 0o600, "mode")
        table = rig.ctl("log", "export", "-", "--csv", "--user", "Guest 7").splitlines()
        expect(len(table) > 2 and all("Guest 7" in line for line in table[1:]), table[:5])
        done = rig.try_ctl("log", "export", target)
        expect_equal(done.returncode, 1, "an export over a file")


@case
def a_code_is_nowhere_but_at_the_lock():
    with Rig() as rig:
        rig.start_bus()
        rig.start_broker()
        rig.start_sim(FRONT)
        rig.start_hub()
        watcher = rig.watch()
        bus = rig.child("dbus-monitor", ["dbus-monitor", "--address", rig.bus_address,
                                         "type='signal',sender='org.lockhub1'"])
        rig.pair(FRONT)
        rig.ctl("user", "add", "Anna", "--lock", FRONT.slug)
        code = add_code(rig, "anna", "739158")
        expect_state(rig, code, "present")
        rig.ctl("user", "edit", "anna", "--code", "--stdin", stdin="926583\n")
        rig.ctl("code", "change", code, "--stdin", stdin="648357\n")
        expect_state(rig, code, "present")
        rig.try_ctl("code", "add", "anna", "--stdin", stdin="648357\n")
        press(rig, FRONT, "648357")
        wait(lambda: bolt(rig, FRONT) == "unlocked", 15, "the code opens")
        generated = json.loads(rig.ctl("code", "add", "anna", "--generate", "--json"))["pin"]
        rig.ctl("code", "reveal", code)
        wait(lambda: any(row["kind"] == "code_revealed" for row in rig.log_rows()), 15,
             "that it was shown is in the log", 0.1)
        shown = {
            "the journal": rig.hub.log(),
            "MQTT": "\n".join(f"{topic} {payload}" for topic, payload, _ in watcher.snapshot()),
            "D-Bus signals": bus.output(),
            "the command line": pathlib.Path(f"/proc/{rig.hub.child.pid}/cmdline").read_text(),
            "lockhubctl": "".join(rig.ctl(*words) for words in (
                ("user", "show", "anna"), ("code", "list"), ("log",), ("code", "list", "--json"),
                ("user", "show", "anna", "--json"), ("log", "--json"), ("user", "export", "-"))),
        }
        rig.hub.stop()
        stored = b"".join(path.read_bytes() for path in rig.state.rglob("*") if path.is_file())
        for pin in ("739158", "926583", "648357", generated):
            for place, text in shown.items():
                match = re.search(rf"(?<![0-9A-Fa-f:.-]){pin}(?![0-9A-Fa-f:.-])", text)
                expect(match is None, lambda p=place, m=match, t=text:
                       f"a code in {p}: ...{t[max(0, m.start() - 80):m.end() + 40]!r}")
            expect(pin.encode() not in stored, "a code in clear in the database")


@case
def weak_and_taken_codes_are_refused_with_the_reason():
    with a_paired_hub(FRONT, broker=False) as rig:
        rig.ctl("user", "add", "Anna", "--lock", FRONT.slug)
        rig.ctl("user", "add", "Berta", "--lock", FRONT.slug)
        add_code(rig, "anna", "582741", "--no-wait")
        for pin, why in (("111111", "same"), ("123456", "sequence"), ("582741", ""), ("12", "")):
            done = rig.try_ctl("code", "add", "berta", "--stdin", stdin=pin + "\n")
            expect_equal(done.returncode, 1, f"{pin}: {done.stdout}{done.stderr}")
            expect(pin not in done.stderr or len(pin) < 3, done.stderr)
            expect(why in done.stderr, f"{pin}: {done.stderr}")
        # The keypad of a Nuki takes no 0 and nothing that begins with 12.
        for pin in ("502741", "128493"):
            done = rig.try_ctl("code", "add", "berta", "--stdin", "--lock", FRONT.slug,
                               stdin=pin + "\n")
            expect_equal(done.returncode, 1, f"{pin}: {done.stdout}{done.stderr}")


@case
def who_is_nobody_may_nothing():
    if os.getuid() != 0 or shutil.which("setpriv") is None:
        raise Skipped("needs root and setpriv")
    with a_paired_hub(FRONT, broker=False) as rig:
        # As if the bus let him in: the hub itself must refuse.
        rig.dir.chmod(0o755)
        os.chmod(rig.dir / "bus", 0o777)
        rig.ctl("user", "add", "Anna", "--lock", FRONT.slug)
        code = add_code(rig, "anna", "582741")

        def as_nobody(*words, stdin=""):
            return rig.run(["setpriv", "--reuid=1", "--regid=4242", "--clear-groups",
                            program("lockhubctl"), *words], stdin)
        if as_nobody("--version").returncode != 0:
            raise Skipped("others cannot run the programs of this build")
        for words, stdin in ((("code", "reveal", code), ""), (("code", "revoke", code), ""),
                             (("code", "add", "anna", "--stdin"), "739158\n"),
                             (("user", "add", "Mallory"), ""), (("user", "remove", "anna", "--yes"), ""),
                             (("user", "edit", "anna", "--code", "--stdin"), "739158\n"),
                             (("access", "grant", "anna", FRONT.slug), ""),
                             (("rules", FRONT.slug, "factor=none"), ""),
                             (("code", "sync"), "")):
            done = as_nobody(*words, stdin=stdin)
            expect_equal(done.returncode, 1, f"{words}: {done.stdout}{done.stderr}")
            expect("Not allowed" in done.stderr, f"{words}: {done.stderr}")
            expect("582741" not in done.stdout + done.stderr, f"{words} tells the code")
        expect_state(rig, code, "present")
        expect_equal([user["slug"] for user in rig.ctl_json("user", "list")["users"]], ["anna"], "users")


def totp(key, now):
    """RFC 6238 as a phone does it."""
    digest = hmac.new(key, struct.pack(">Q", int(now) // 30), "sha1").digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7fffffff) % 1000000:06d}"


def enrol(rig, user):
    """Sets up one-time passwords as a person with a phone does; the key, and what was shown."""
    child = subprocess.Popen(  # pylint: disable=consider-using-with
        [program("lockhubctl"), "user", "edit", user, "--totp", "--stdin"], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=rig.env())
    text = ""
    while "otpauth://" not in text:
        line = child.stdout.readline()
        expect(line, f"no URI: {text}")
        text += line
    uri = re.search(r"otpauth://\S+", text)[0]
    key = base64.b32decode(re.search(r"secret=([A-Z2-7]+)", uri)[1])
    rest, _ = child.communicate(totp(key, time.time()) + "\n", 60)
    expect_equal(child.returncode, 0, f"{text}{rest}")
    return key, uri, text


def pixels(text):
    """The QR code in the text as a portable bitmap."""
    rows = []
    for line in text.splitlines():
        if re.fullmatch("[ \u2580\u2584\u2588]{20,}", line):
            rows.append([char in "\u2580\u2588" for char in line])
            rows.append([char in "\u2584\u2588" for char in line])
    scale = 4
    out = [f"P1 {len(rows[0]) * scale} {len(rows) * scale}"]
    for row in rows:
        out += [" ".join(("0" if light else "1") for light in row for _ in range(scale))] * scale
    return "\n".join(out) + "\n"


@case
def one_time_passwords_are_enrolled_and_count_once():
    with a_paired_hub(FRONT, broker=False) as rig:
        rig.ctl("user", "add", "Anna Müller", "--lock", FRONT.slug)
        key, uri, text = enrol(rig, "anna-mueller")
        expect(uri.startswith("otpauth://totp/lockhub:Anna%20M%C3%BCller?secret="), uri)
        expect(rig.ctl_json("user", "show", "1")["has_totp"], "has_totp")
        rig.ctl("rules", FRONT.slug, "factor=totp")
        digits = totp(key, time.time())
        rig.ctl("unlock", FRONT.slug, "--code", "--stdin", stdin=digits + "\n")
        expect_equal(rig.motor_runs(FRONT)[1], 1, "unlocks")
        relock(rig, FRONT)
        done = rig.try_ctl("unlock", FRONT.slug, "--code", "--stdin", stdin=digits + "\n")
        expect_equal(done.returncode, 1, done.stdout + done.stderr)
        expect_equal(rig.motor_runs(FRONT)[1], 1, "unlocks with a password used before")
        secret = re.search(r"secret=([A-Z2-7]+)", uri)[1]
        expect(secret not in rig.hub.log() and key.hex() not in rig.hub.log(), "the key in the journal")
        rig.hub.stop()
        stored = b"".join(path.read_bytes() for path in rig.state.rglob("*") if path.is_file())
        expect(key not in stored, "the key in clear in the database")
        if shutil.which("zbarimg") is None:
            raise Skipped("zbarimg is not installed: the QR code was not read")
        picture = rig.dir / "qr.pbm"
        picture.write_text(pixels(text))
        done = rig.run(["zbarimg", "--quiet", "--raw", picture])
        expect_equal(done.stdout.strip(), uri, f"the QR code says: {done.stderr}")


@case
def a_lock_that_comes_back_empty_gets_everything_again():
    with a_paired_hub(FRONT, broker=False) as rig:
        rig.ctl("user", "add", "Anna", "--lock", FRONT.slug)
        code = add_code(rig, "anna", "582741")
        expect_state(rig, code, "present")
        ref = at_lock(rig, code)["ref"]
        rig.sim("app", FRONT.slug, "remove-code", str(ref))
        rig.ctl("code", "sync", FRONT.slug)

        def is_again():
            row = at_lock(rig, code)
            return row and row["state"] == "present" and row["ref"] != ref
        wait(is_again, 60, lambda: f"put there again: {codes(rig)}", 0.2)
        press(rig, FRONT, "582741")
        wait(lambda: bolt(rig, FRONT) == "unlocked", 15, "the code opens again")


@case
def a_person_at_a_terminal_is_asked_without_showing():
    with a_paired_hub(FRONT, broker=False) as rig:
        rig.ctl("user", "add", "Anna", "--lock", FRONT.slug)
        terminal = Terminal(rig, "code", "add", "anna")
        terminal.read_until("Code: ")
        terminal.type("582741\r582742\r")  # pasted: nothing may show between the questions either
        expect_equal(terminal.finish(), 1, terminal.text)
        expect("the two are not the same" in terminal.text, terminal.text)
        expect("58274" not in terminal.text, f"shown: {terminal.text!r}")
        terminal = Terminal(rig, "code", "add", "anna")
        terminal.read_until("Code: ")
        terminal.type("582741\r")
        terminal.read_until("Code again: ")
        terminal.type("582741\r")
        expect_equal(terminal.finish(), 0, terminal.text)
        expect("58274" not in terminal.text, f"shown: {terminal.text!r}")
        # On a terminal one sees how it goes, and in the end only how it went.
        last = terminal.text.rsplit("\x1b[K", 1)[-1]
        expect("front-door: " in last and "present" in last, f"{terminal.text!r}")
        terminal = Terminal(rig, "user", "remove", "anna")
        terminal.read_until("[y/N]")
        terminal.type("n\r")
        expect_equal(terminal.finish(), 1, terminal.text)
        expect("nothing was changed" in terminal.text, terminal.text)
        expect_equal(len(rig.ctl_json("user", "list")["users"]), 1, "users")


@case
def a_remote_unlock_is_proven_by_a_personal_code():
    with a_paired_hub(FRONT) as rig:
        rig.ctl("user", "add", "Anna", "--lock", FRONT.slug)
        rig.ctl("user", "edit", "anna", "--code", "--stdin", stdin="926583\n")
        rig.ctl("rules", FRONT.slug, "factor=code")
        # By a manager with a wrong code: what is sent is always checked.
        done = rig.try_ctl("unlock", FRONT.slug, "--code", "--stdin", stdin="926584\n")
        expect_equal(done.returncode, 1, done.stdout + done.stderr)
        expect_equal(rig.motor_runs(FRONT)[1], 0, "unlocks")
        rig.ctl("unlock", FRONT.slug, "--code", "--stdin", stdin="926583\n")
        expect_equal(rig.motor_runs(FRONT)[1], 1, "unlocks")

        def named():
            return [row for row in rig.log_rows() if row.get("user") == "Anna" and
                    row.get("attribution") == "factor"]
        wait(named, 15, lambda: f"the log names Anna: {rig.ctl('log')}", 0.1)
        # By MQTT without one: not at all.
        relock(rig, FRONT)
        rig.command(FRONT, "UNLOCK")
        wait(lambda: "factor" in rig.hub.log().lower(), 15, "the refusal is said")
        expect_equal(rig.motor_runs(FRONT)[1], 1, "unlocks after MQTT")
        expect_equal(bolt(rig, FRONT), "locked", "bolt")


main()
