#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Backups: written, verified, lost with everything, and brought back; a database that is broken."""

import contextlib
import pathlib
import re
import resource
import shutil
import signal
import sqlite3
import stat
import time

from case import case, expect, expect_equal, main
from rig import Failure, Lock, Rig, a_paired_hub, as_by_the_unit, program, wait

FRONT = Lock("front-door", "nuki:gen4", "54:D2:72:00:00:01", "7391")
FRONT.extra = "keypad=2"
BACK = Lock("back-door", "nuki:gen2", "54:D2:72:00:00:02", "1234")
PASSPHRASE = "Canary-Passphrase of four words"
PIN = "739164"
BROKER_PASSWORD = "planted-broker-password-5527"
RESTART = 75


def add_code(rig, user, pin):
    rig.ctl("code", "add", user, "--stdin", stdin=pin + "\n")


def states(rig):
    """What became of each code at each lock."""
    return {(row["user"], at["lock"]): at["state"]
            for row in rig.ctl_json("code", "list")["codes"] for at in row["locks"]}


def expect_states(rig, wanted, seconds=60):
    wait(lambda: states(rig) == wanted, seconds,
         lambda: f"codes are {states(rig)}, wanted {wanted}", 0.2)


def backup(rig, path, *args):
    return rig.ctl("backup", path, "--passphrase-file", "-", *args, stdin=PASSPHRASE + "\n",
                   seconds=120)


def verify(rig, path, passphrase=PASSPHRASE):
    return rig.try_ctl("backup", "verify", path, "--passphrase-file", "-",
                       stdin=passphrase + "\n", seconds=120)


def a_lived_in_hub():
    # The key of a passphrase is made within what the packaged unit allows.
    rig = a_paired_hub(FRONT, BACK, broker=False, wrap=as_by_the_unit())
    try:
        rig.ctl("user", "add", "Anna Huber", "--lock", FRONT.slug)
        add_code(rig, "anna-huber", PIN)
        rig.ctl("user", "add", "Bert", "--lock", BACK.slug)
        rig.ctl("schedule", "add", "bert", "Mon-Fri 08:00-12:00")
        rig.ctl("unlock", FRONT.slug)
        rig.ctl("lock", FRONT.slug)
        expect_states(rig, {("anna-huber", FRONT.slug): "present"})
    except BaseException:
        rig.tell()
        rig.close()
        raise
    return rig


def works_as_before(rig):
    """Locks operate without being paired again, and the code is known by the lock's own list."""
    for lock in (FRONT, BACK):
        rig.expect_prop(lock, "Reachable", True, 40)
        before = rig.motor_runs(lock)
        rig.ctl("unlock", lock.slug)
        rig.ctl("lock", lock.slug)
        after = rig.motor_runs(lock)
        expect_equal((after[0] - before[0], after[1] - before[1]), (1, 1), "motor runs")
    expect_states(rig, {("anna-huber", FRONT.slug): "present"})
    wait(lambda: rig.prop(FRONT, "Sync").get("read_at", {}).get("data", 0) > 0, 40,
         lambda: f"the list of codes was not read again: {rig.prop(FRONT, 'Sync')}", 0.2)
    rig.sim("keypad", FRONT.slug, PIN)
    wait(lambda: rig.show(FRONT)["bolt"] == "unlocked", 15, "the code opens")
    users = {user["name"] for user in rig.ctl_json("user", "list")["users"]}
    expect_equal(users, {"Anna Huber", "Bert"}, "users")
    text = rig.ctl("schedule", "list")
    expect("bert" in text and "Mon-Fri 08:00-12:00" in text, text)
    rig.ctl("log", "verify")


@case
def a_backup_is_written_verified_and_private():
    with a_lived_in_hub() as rig:
        path = rig.dir / "my.backup"
        had = most_memory(rig)
        text = backup(rig, path)
        # Argon2 needs 64 MiB at least; mapped by the hub itself they would hold up its loop.
        expect(most_memory(rig) - had < 48, f"from {had} to {most_memory(rig)} MiB for a key")
        expect("2 locks, 2 users, 1 code and key" in text, text)
        expect_equal(stat.S_IMODE(path.stat().st_mode), 0o600, "mode of the backup")
        expect(not (rig.dir / "my.backup.part").exists(), "a part is left")
        # The daily one may be under way by now.
        wait(lambda: not (rig.state / "backup.tmp").exists(), 60, "no database on the side is left")
        done = verify(rig, path)
        expect_equal(done.returncode, 0, done.stderr)
        expect("is good" in done.stdout and "are the same" in done.stdout, done.stdout)
        types = [row["type"] for row in rig.log_rows("-n", "1000")]
        expect("backed_up" in types, f"not in the log: {types}")

        rig.ctl("user", "add", "Clara")
        done = verify(rig, path)
        expect(re.search(r"user +Clara: not in the backup", done.stdout), done.stdout)

        done = verify(rig, path, "another passphrase of words")
        expect_equal(done.returncode, 1, done.stdout)
        expect("passphrase does not open" in done.stderr, done.stderr)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        bad = rig.dir / "bad.backup"
        bad.write_bytes(data)
        done = verify(rig, bad)
        expect_equal(done.returncode, 1, done.stdout)
        expect("damaged" in done.stderr, done.stderr)
        bad.write_bytes(path.read_bytes()[:-20])
        done = verify(rig, bad)
        expect("damaged" in done.stderr, done.stderr)


def most_memory(rig):
    """MiB that the hub has ever been resident with."""
    text = pathlib.Path(f"/proc/{rig.hub.child.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", text)[1]) // 1024


@case
def before_what_cannot_be_taken_back_there_is_a_good_backup():
    with a_lived_in_hub() as rig:
        folder = rig.state / "backup"
        shutil.rmtree(folder, ignore_errors=True)
        folder.write_text("")  # in its way, also for root
        for words in (("reset",), ("reset", "--for-sale")):
            done = rig.try_ctl(*words, "--yes", FRONT.slug)
            expect_equal(done.returncode, 1, done.stdout)
            expect("Nothing has been reset" in done.stderr, done.stderr)
            expect("Reset the lock" not in done.stdout, done.stdout)
            expect_equal(states(rig), {("anna-huber", FRONT.slug): "present"}, "codes")
        folder.unlink()
        done = rig.try_ctl("reset", "--for-sale", "--yes", FRONT.slug)
        expect_equal(done.returncode, 0, done.stderr)
        expect("restored on the side and compared: before-sale-" in done.stdout, done.stdout)
        expect("2 locks, 2 users, 1 code" in done.stdout, done.stdout)

        # What came of it, by its name alone: nobody but the hub can read the folder.
        name = rig.ctl_json("backup", "list")["backups"][0]["name"]
        expect(name.startswith("before-sale-"), name)
        done = rig.try_ctl("backup", "verify", name)
        expect_equal(done.returncode, 0, done.stderr)
        expect("is good" in done.stdout and "only in the backup" in done.stdout, done.stdout)
        done = rig.try_ctl("backup", "verify", name.replace("sale", "none"))
        expect_equal(done.returncode, 1, done.stdout)
        expect("the hub has no backup" in done.stderr, done.stderr)
        done = rig.try_ctl("restore", name, "--yes", seconds=120)
        expect_equal(done.returncode, 0, done.stderr)
        expect_equal(rig.hub.child.exit_status(30), RESTART, "exit status")
        data = bytearray((folder / name).read_bytes())
        data[len(data) // 2] ^= 1
        (folder / name).write_bytes(data)
        rig.start_hub()
        expect_equal(len(rig.locks()), 2, "locks after the restoration")
        done = rig.try_ctl("backup", "verify", name)
        expect_equal(done.returncode, 1, done.stdout)
        expect("damaged" in done.stderr, done.stderr)


@case
def what_is_refused_is_explained():
    with Rig() as rig:
        rig.start_bus()
        rig.start_hub()
        path = rig.dir / "x.backup"
        for word in ("short", "aaaaaaaaaaaaaaaa", "Password12345"):
            done = rig.try_ctl("backup", path, "--passphrase-file", "-", stdin=word + "\n")
            expect_equal(done.returncode, 1, done.stdout)
            expect("can be guessed" in done.stderr, done.stderr)
            expect(word not in done.stdout + done.stderr, "the passphrase is shown")
        expect(not path.exists() and not (rig.dir / "x.backup.part").exists(), "a file is left")
        path.write_text("precious")
        done = rig.try_ctl("backup", path, "--passphrase-file", "-", stdin=PASSPHRASE + "\n")
        expect_equal(done.returncode, 1, done.stdout)
        expect_equal(path.read_text(), "precious", "another file")
        done = verify(rig, path)
        expect("no backup" in done.stderr, done.stderr)
        done = rig.try_ctl("restore", path, "--passphrase-file", "-", "--yes",
                           stdin=PASSPHRASE + "\n")
        expect_equal(done.returncode, 1, done.stdout)
        expect(rig.hub.child.is_running(), "the hub ended")


@case
def a_wiped_hub_is_restored_and_needs_no_pairing():
    with a_lived_in_hub() as rig:
        path = rig.dir / "my.backup"
        identity = rig.status()["hub_id"]
        backup(rig, path)
        rig.hub.stop()
        shutil.rmtree(rig.state)
        rig.state.mkdir(mode=0o700)
        rig.start_hub()
        expect_equal(rig.locks(), [], "locks of a new hub")
        expect(rig.status()["hub_id"] != identity, "a new hub has another id")
        done = rig.try_ctl("restore", path, "--passphrase-file", "-", "--yes",
                           stdin=PASSPHRASE + "\n", seconds=120)
        expect_equal(done.returncode, 0, done.stderr)
        expect("only in the backup" in done.stdout, done.stdout)
        expect_equal(rig.hub.child.exit_status(30), RESTART, "exit status")
        rig.start_hub()
        expect_equal(rig.status()["hub_id"], identity, "the hub's id")
        expect("restored_at" in rig.status(), rig.status())
        works_as_before(rig)
        rows = [row for row in rig.log_rows("-n", "1000") if row["type"] == "restored"]
        expect_equal(len(rows), 1, f"events {rows}")
        names = [each["name"] for each in rig.ctl_json("backup", "list")["backups"]]
        expect(any(name.startswith("before-restore-") for name in names), names)
        rig.restart_hub()
        expect("restored_at" not in rig.status(), "it is told for ever")


@case
def what_was_revoked_since_is_not_put_back_by_itself():
    with a_lived_in_hub() as rig:
        path = rig.dir / "my.backup"
        backup(rig, path)
        code = rig.ctl_json("code", "list")["codes"][0]["id"]
        rig.ctl("code", "revoke", code)
        wait(lambda: not rig.ctl_json("code", "list")["codes"], 40, "the code is gone", 0.2)
        done = rig.try_ctl("restore", path, "--passphrase-file", "-", "--yes",
                           stdin=PASSPHRASE + "\n", seconds=120)
        expect_equal(done.returncode, 0, done.stderr)
        expect_equal(rig.hub.child.exit_status(30), RESTART, "exit status")
        rig.start_hub()
        for _ in range(2):
            wait(lambda: rig.prop(FRONT, "Fault") == "codes-held", 60, "the fault", 0.2)
            with contextlib.suppress(Failure):  # the lock does not know it
                rig.sim("keypad", FRONT.slug, PIN)
            rig.ctl("refresh", FRONT.slug)
            expect_equal(rig.show(FRONT)["bolt"], "locked", "the revoked code opens")
            rig.restart_hub()
        rig.ctl("code", "sync", FRONT.slug)
        expect_states(rig, {("anna-huber", FRONT.slug): "present"})
        wait(lambda: rig.prop(FRONT, "Fault") != "codes-held", 40, "the fault is over", 0.2)


@case
def a_new_machine_is_set_up_from_the_file():
    with a_lived_in_hub() as rig:
        path = rig.dir / "my.backup"
        backup(rig, path)
        rig.hub.stop()
        old = rig.state
        rig.state = rig.dir / "new-state"
        env = dict(rig.env(), LOCKHUBD=program("lockhubd"))
        words = [program("lockhubctl"), "restore", path, "--into", rig.state, "--passphrase-file",
                 "-"]
        done = rig.run(words, stdin="a wrong passphrase of words\n", env=env)
        expect_equal(done.returncode, 1, done.stdout)
        expect(not (rig.state / "lockhub.db").exists(), "a database with a wrong passphrase")
        done = rig.run(words, stdin=PASSPHRASE + "\n", env=env)
        expect_equal(done.returncode, 0, done.stderr)
        expect("2 locks" in done.stdout, done.stdout)
        expect((rig.state / "restored" / "config" / "lockhubd.conf").exists(), "configuration")
        expect((rig.state / "db.key").read_text() != (old / "db.key").read_text(),
               "the old machine's key lives on")
        done = rig.run(words, stdin=PASSPHRASE + "\n", env=env)
        expect_equal(done.returncode, 1, "it was put over a database")
        rig.start_hub()
        works_as_before(rig)


def wait_generation(rig):
    return wait(lambda: rig.ctl_json("backup", "list")["backups"], 60, "a generation", 0.2)


def make_generation(rig, reason):
    return rig.busctl("call", "org.lockhub1", "/org/lockhub1/manager", "org.lockhub1.Manager",
                      "MakeGeneration", "s", reason)


def corrupt(path):
    with open(path, "r+b") as file:
        file.seek(0, 2)
        size = file.tell()
        for at in range(0, size, 2048):
            file.seek(at + 20)
            file.write(b"\xa5" * 600)


@case
def a_broken_database_gives_way_to_the_newest_generation():
    with a_lived_in_hub() as rig:
        made = wait_generation(rig)
        expect_equal(made[0]["reason"], "daily", "the first generation")
        make_generation(rig, "before-test")
        newest = rig.ctl_json("backup", "list")["backups"][0]["name"]
        rig.hub.stop()
        before = (rig.state / "lockhub.db").read_bytes()
        corrupt(rig.state / "lockhub.db")
        rig.start_hub()
        expect_equal(rig.status().get("recovered"), True, f"status {rig.status()}")
        expect_equal(rig.status()["restored_from"], newest, "what was taken")
        expect("damaged, and a backup was put" in rig.hub.log(), "nothing in the journal")
        kept = list(rig.state.glob("lockhub.db.corrupt-*"))
        expect(kept, "the broken database is gone")
        expect(kept[0].stat().st_size == len(before), "the broken database was changed")
        rows = [row for row in rig.log_rows("-n", "1000") if row["type"] == "restored"]
        expect_equal(rows[0]["fault"], "database-restored", rows)
        works_as_before(rig)


@case
def a_database_that_is_gone_comes_back():
    with a_lived_in_hub() as rig:
        make_generation(rig, "before-test")
        rig.hub.stop()
        for path in rig.state.glob("lockhub.db*"):
            path.unlink()
        rig.start_hub()
        expect_equal(rig.status().get("recovered"), True, f"status {rig.status()}")
        works_as_before(rig)


@case
def without_a_good_generation_it_does_not_start_empty():
    with a_paired_hub(FRONT, broker=False) as rig:
        make_generation(rig, "before-test")
        rig.hub.stop()
        for path in (rig.state / "backup").iterdir():
            path.write_bytes(path.read_bytes()[:-1])
        corrupt(rig.state / "lockhub.db")
        before = (rig.state / "lockhub.db").read_bytes()
        hub = rig.start_hub(wait_ready=False)
        expect_equal(hub.child.exit_status(15), 1, "exit status")
        expect("damaged" in hub.log(), hub.log())
        expect_equal((rig.state / "lockhub.db").read_bytes(), before, "the database")


@case
def a_kill_at_any_time_of_a_restoration_leaves_old_or_new():
    with a_paired_hub(FRONT, broker=False) as rig:
        path = rig.dir / "my.backup"
        backup(rig, path)
        saved = rig.dir / "saved"
        rig.ctl("user", "add", "Later")
        rig.hub.stop()
        shutil.copytree(rig.state, saved)
        seen = set()
        for number in range(10):
            shutil.rmtree(rig.state)
            shutil.copytree(saved, rig.state)
            rig.start_hub()
            child = rig.child("restore", [program("lockhubctl"), "restore", path, "--yes",
                                          "--passphrase-file", passphrase_file(rig)])
            # At another place each time: while it verifies, keeps, lays ready, ends.
            marks = ("backup.tmp", "backup/new.part", "restore.part", "restore")
            mark = rig.state / marks[number % len(marks)]
            wait(lambda m=mark: m.exists() or not rig.hub.child.is_running(), 60,
                 "the restoration goes on", 0.001)
            time.sleep(0.02 * (number // len(marks)))
            rig.hub.child.kill()
            child.exit_status(60)
            rig.start_hub()
            users = [user["name"] for user in rig.ctl_json("user", "list")["users"]]
            expect(users in ([], ["Later"]), f"neither old nor new: {users}")
            seen.add(bool(users))
            for leftover in ("backup.tmp", "restore.part", "restore"):
                expect(not (rig.state / leftover).exists(), f"{leftover} is left")
            rig.expect_prop(FRONT, "Reachable", True, 40)
            rig.ctl("log", "verify")
            rig.hub.stop()
        rig.note(f"old and new seen: {sorted(seen)}")


def children_of(pid):
    """Of a process: also those that last as long as the making of one key."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(path.parent.name))
    return found


@case
def secrets_are_nowhere():
    with a_lived_in_hub() as rig:
        secret = rig.dir / "mqtt-password"
        secret.touch(mode=0o600)
        secret.write_text(BROKER_PASSWORD + "\n")
        rig.hub.stop()
        rig.write_config(f"[mqtt]\npassword_file = {secret}\n")
        rig.start_hub()
        bus = rig.child("dbus-monitor", ["dbus-monitor", "--address", rig.bus_address,
                                         "type='signal',sender='org.lockhub1'"])
        path = rig.dir / "my.backup"
        child = rig.child("lockhubctl", [
            program("lockhubctl"), "backup", path, "--with-passwords", "--passphrase-file",
            passphrase_file(rig)])
        seen = ""
        key_children = set()
        while child.is_running():
            with contextlib.suppress(OSError):
                for what in ("cmdline", "environ"):
                    seen += pathlib.Path(f"/proc/{child.pid}/{what}").read_bytes().decode()
                seen += pathlib.Path(f"/proc/{rig.hub.child.pid}/cmdline").read_bytes().decode()
            for pid in children_of(rig.hub.child.pid):
                key_children.add(pid)
                with contextlib.suppress(OSError):
                    for what in ("cmdline", "environ"):
                        seen += pathlib.Path(f"/proc/{pid}/{what}").read_bytes().decode()
            time.sleep(0.005)
        expect_equal(child.exit_status(), 0, child.output())
        expect(key_children, "the hub had no child while it made a key")
        make_generation(rig, "before-test")
        verify(rig, path)
        done = rig.try_ctl("restore", path, "--passphrase-file", passphrase_file(rig), "--yes")
        expect_equal(done.returncode, 0, done.stderr)
        rig.hub.child.exit_status(30)
        limits = resource.getrlimit(resource.RLIMIT_CORE)
        rig.note(f"core limit of the test {limits}; lockhubd sets its own to 0")
        key = bytes.fromhex((rig.state / "db.key").read_text().strip())
        locks = [bytes.fromhex(word) for word in
                 re.findall(r'"key"\s*:\s*"([0-9a-f]{64})"', rig.memory())]
        expect(locks, "the simulator shows no key to look for")
        files = [path, *(rig.state / "backup").iterdir(), *rig.state.glob("lockhub.db*"),
                 *(rig.state / "restore").rglob("*")]
        texts = {"seen": seen.encode(), "bus": bus.output().encode(), "journal": rig.hub.log().encode(),
                 "lockhubctl": (child.output() + done.stdout + done.stderr).encode()}
        texts |= {str(file): file.read_bytes() for file in files if file.is_file()
                  and "passwords" not in str(file)}
        canaries = {"PIN": PIN.encode(), "passphrase": PASSPHRASE.encode(), "master key": key,
                    "master key as digits": key.hex().encode(),
                    "broker's password": BROKER_PASSWORD.encode()}
        canaries |= {f"key {i}": value for i, value in enumerate(locks)}
        canaries |= {f"key {i} as digits": value.hex().encode() for i, value in enumerate(locks)}
        for place, text in texts.items():
            for what, canary in canaries.items():
                expect(canary not in text, f"the {what} is in {place}")
        for name in (path, *(rig.state / "backup").iterdir()):
            expect(b"Anna" not in name.read_bytes(), f"a name in clear in {name}")
        cores = [*rig.dir.rglob("core*"), *pathlib.Path.cwd().glob("core*")]
        expect(not [core for core in cores if core.is_file()], f"core dumps: {cores}")


def passphrase_file(rig):
    file = rig.dir / "passphrase"
    file.touch(mode=0o600)
    file.write_text(PASSPHRASE + "\n")
    return file


@case
def a_service_stopped_while_it_backs_up_stops():
    with a_lived_in_hub() as rig:
        child = rig.child("lockhubctl", [
            program("lockhubctl"), "backup", rig.dir / "my.backup", "--passphrase-file",
            passphrase_file(rig)])
        wait(lambda: (rig.state / "backup.tmp").exists() or not child.is_running(), 30,
             "the backup begins", 0.001)
        expect_equal(rig.hub.stop(signal.SIGTERM), 0, "exit status")
        child.exit_status(60)
        expect(not (rig.dir / "my.backup.part").exists(), "a part is left")
        rig.start_hub()
        expect(not (rig.state / "backup.tmp").exists(), "a database on the side is left")
        with contextlib.closing(sqlite3.connect(rig.state / "lockhub.db")) as connection:
            expect_equal(connection.execute("PRAGMA integrity_check").fetchone()[0], "ok", "it")


main()
