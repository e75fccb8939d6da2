#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Starting when something is wrong, and stopping at any moment."""

import signal
import sqlite3
import stat

from case import case, expect, expect_equal, main
from rig import FRONT, Rig, a_paired_hub, program, wait


def refused(rig, *args, seconds=15):
    """Starts a hub that must not come up; what it said."""
    hub = rig.start_hub(*args, wait_ready=False)
    status = hub.child.exit_status(seconds)
    expect(status != 0, f"it ended with 0:\n{hub.log()}")
    expect(status > 0, f"it was ended by a signal: {status}\n{hub.log()}")
    expect("READY=1" not in hub.notifications(), "it said that it was ready")
    return hub.log()


def database(rig):
    found = [path for path in rig.state.iterdir()
             if path.is_file() and path.read_bytes()[:6] == b"SQLite"]
    expect_equal(len(found), 1, f"databases in {list(rig.state.iterdir())}")
    return found[0]


@case
def a_second_hub_on_the_same_database_is_refused():
    with a_paired_hub(FRONT) as rig:
        first = rig.hub
        said = refused(rig)
        expect(str(first.child.pid) in said or "in use" in said, said)
        rig.hub = first
        rig.ctl("unlock", FRONT.slug)


@case
def a_database_of_a_newer_version_is_left_alone():
    with Rig() as rig:
        rig.start_bus()
        rig.start_hub()
        rig.hub.stop()
        path = database(rig)
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA user_version = 9999")
        connection.close()
        before = path.read_bytes()
        said = refused(rig)
        expect("newer" in said, said)
        expect(path.read_bytes() == before, "the database was changed")


@case
def a_broken_configuration_names_file_line_and_nearest_key():
    with Rig() as rig:
        rig.start_bus()
        rig.config.write_text("[mqtt]\nhost = localhost\nprot = 1883\n")
        said = refused(rig)
        expect(f"{rig.config}:3" in said, said)
        expect("port" in said, said)
        done = rig.run([program("lockhubd"), "--check-config", "--config", rig.config])
        expect(done.returncode != 0, "--check-config is content")
        expect(f"{rig.config}:3" in done.stdout + done.stderr, done.stdout + done.stderr)
        for text, word in (("[mqt]\nhost = x\n", "mqtt"), ("host = x\n", "section"),
                           ("[hub]\npoll_min = often\n", "number"), ("[hub]\njust words\n", "key"),
                           ("[hub]\nname = " + "x" * 3000 + "\n", "long"),
                           # What no single key shows, but a start refuses.
                           ("[mqtt]\nhost = 192.0.2.1\n", "unencrypted"),
                           ("[mqtt]\nhost = localhost\nca_file = /etc/ca.pem\n", "tls = yes")):
            rig.config.write_text(text)
            done = rig.run([program("lockhubd"), "--check-config", "--config", rig.config])
            expect(done.returncode != 0, f"--check-config is content with {text[:40]!r}")
            expect(word in done.stdout + done.stderr, f"{text[:40]!r}: {done.stdout}{done.stderr}")


@case
def the_sample_configuration_is_valid():
    with Rig() as rig:
        sample = rig.run([program("lockhubd"), "--print-config"])
        expect_equal(sample.returncode, 0, sample.stderr)
        for text in (sample.stdout, sample.stdout.replace("\n#", "\n").replace("\n ", "\n# ")):
            rig.config.write_text(text)
            done = rig.run([program("lockhubd"), "--check-config", "--config", rig.config])
            expect_equal(done.returncode, 0, done.stdout + done.stderr)


@case
def a_key_file_that_others_can_read_is_refused():
    with Rig() as rig:
        rig.start_bus()
        rig.start_hub()
        rig.hub.stop()
        key = rig.state / "db.key"
        expect_equal(stat.S_IMODE(key.stat().st_mode), 0o600, "mode of db.key")
        expect_equal(stat.S_IMODE(database(rig).stat().st_mode) & 0o077, 0, "mode of the database")
        key.chmod(0o644)
        said = refused(rig)
        expect("db.key" in said, said)


@case
def a_wrong_database_key_is_said_and_changes_nothing():
    with Rig() as rig:
        rig.start_bus()
        rig.start_hub()
        rig.hub.stop()
        before = database(rig).read_bytes()
        (rig.state / "db.key").write_text("00" * 32 + "\n")
        said = refused(rig)
        expect("key" in said.lower(), said)
        expect(database(rig).read_bytes() == before, "the database was changed")


@case
def a_key_from_the_credentials_leaves_no_key_file():
    with Rig() as rig:
        rig.start_bus()
        credentials = rig.dir / "credentials"
        credentials.mkdir(mode=0o700)
        (credentials / "db-key").write_bytes(bytes(range(32)))
        rig.start_hub(env={"CREDENTIALS_DIRECTORY": str(credentials)})
        expect(not (rig.state / "db.key").exists(), "a key file was made all the same")


@case
def a_bus_that_denies_the_name_is_said():
    with Rig() as rig:
        rig.start_bus(rules='<deny own="org.lockhub1"/>')
        rig.start_hub()
        wait(lambda: "org.lockhub1" in rig.hub.log(), 15, "a line about the name")
        expect(rig.hub.child.is_running(), "the hub gave up")


@case
def a_caller_whom_the_bus_denies_is_told_what_to_do():
    with Rig() as rig:
        rig.start_bus(rules='<deny send_destination="org.lockhub1"/>')
        rig.start_hub()
        done = rig.try_ctl("list")
        expect_equal(done.returncode, 1, done.stdout + done.stderr)
        expect("does not let you" in done.stderr, done.stderr)
        expect("group" in done.stderr, "no hint: " + done.stderr)


@case
def bluez_that_denies_us_is_said():
    with Rig() as rig:
        rig.start_bus(rules='<deny send_destination="org.bluez"/>')
        rig.start_sim(FRONT)
        rig.start_hub()
        wait(lambda: rig.status().get("radio", "") == "bluez-denied", 15,
             lambda: f"radio is {rig.status().get('radio')!r}")


@case
def sigterm_ends_it_in_every_phase():
    with Rig() as rig:
        rig.start_bus()
        rig.start_broker()
        rig.start_sim(FRONT, speed=2)
        rig.write_config()
        # While it starts: at a different moment each time.
        for phase in range(8):
            hub = rig.start_hub(wait_ready=False)
            wait(lambda: hub.log().count("\n") >= phase or "READY=1" in hub.notifications(), 10,
                 "the start goes on", 0.001)
            status = hub.stop()
            expect(status in (0, -signal.SIGTERM), f"phase {phase}: {status}\n{hub.log()}")
        # While it scans, pairs, connects, unlocks, imports the log.
        rig.start_hub()
        rig.pair(FRONT)
        for phase in ("idle", "unlock", "refresh", "lock"):
            if phase != "idle":
                rig.ctl(phase, FRONT.slug, "--no-wait")
            expect_equal(rig.hub.stop(), 0, f"exit status while {phase}")
            rig.start_hub()
        runs = rig.motor_runs(FRONT)
        expect(runs[0] <= 1 and runs[1] <= 1, f"motor runs {runs}")
        rig.ctl("log", "verify")


@case
def everything_is_still_there_after_a_restart():
    with a_paired_hub(FRONT) as rig:
        rig.ctl("unlock", FRONT.slug)
        before = rig.log_rows("-n", "1000")
        identity = rig.id(FRONT)
        rig.restart_hub()
        rig.expect_prop(FRONT, "State", "unlocked")
        expect_equal(rig.prop(FRONT, "Id"), identity, "id")
        after = rig.log_rows("-n", "1000")
        lost = {row["seq"] for row in before} - {row["seq"] for row in after}
        expect_equal(lost, set(), "log entries lost")
        rig.ctl("lock", FRONT.slug)


main()
