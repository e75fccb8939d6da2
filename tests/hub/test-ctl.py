#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""lockhubctl as people use it: mistakes are explained, scripts get exit codes and JSON."""

import json

from case import case, expect, expect_equal, main
from rig import FRONT, Rig, a_paired_hub


@case
def usage_mistakes_are_explained_and_exit_with_2():
    with Rig() as rig:
        rig.start_bus()
        for words, hint in (
                (["unlok"], "unlock"),
                (["unlock"], "LOCK"),
                (["pair"], "address"),
                (["list", "--jsno"], "--json"),
                (["log", "-n", "many"], "number"),
                (["log", "-n"], "value"),
                (["list", "--force"], "--force"),
                (["unlock", "a", "b", "c"], "unlock"),
                (["rename", "front-door"], "NAME"),
        ):
            done = rig.try_ctl(*words)
            expect_equal(done.returncode, 2, f"{words}: {done.stdout}{done.stderr}")
            expect_equal(done.stdout, "", f"{words} printed to standard output")
            expect(hint in done.stderr, f"{words}: no {hint!r} in {done.stderr}")


@case
def help_and_version_need_no_hub():
    with Rig() as rig:
        for words in (["--help"], ["help"], ["--version"], ["unlock", "--help"], ["help", "log"]):
            done = rig.try_ctl(*words)
            expect_equal(done.returncode, 0, f"{words}: {done.stderr}")
            expect(done.stdout.strip(), f"{words} printed nothing")


@case
def without_a_hub_it_says_how_to_start_one():
    with Rig() as rig:
        rig.start_bus()
        done = rig.try_ctl("list")
        expect_equal(done.returncode, 1, done.stdout + done.stderr)
        expect("lockhubd" in done.stderr, done.stderr)
        expect("systemctl" in done.stderr, "no hint: " + done.stderr)


@case
def without_a_bus_it_says_so():
    with Rig() as rig:
        done = rig.try_ctl("list")
        expect_equal(done.returncode, 1, done.stdout + done.stderr)
        expect("bus" in done.stderr.lower(), done.stderr)


@case
def a_lock_that_does_not_exist_gets_the_nearest_name():
    with a_paired_hub(FRONT, broker=False) as rig:
        done = rig.try_ctl("unlock", "frnt-door")
        expect_equal(done.returncode, 1, done.stdout + done.stderr)
        expect("front-door" in done.stderr, done.stderr)
        expect_equal(rig.motor_runs(FRONT)[1], 0, "unlocks")
        # By id, by name and by address it is found.
        for word in (rig.id(FRONT), "Front door", FRONT.address):
            rig.ctl("show", word)


@case
def every_reading_command_prints_json():
    with a_paired_hub(FRONT) as rig:
        for words in (["list"], ["show", FRONT.slug], ["status"], ["log"], ["battery"], ["signal"]):
            text = rig.ctl(*words, "--json")
            try:
                json.loads(text)
            except ValueError:
                # A log may come as one object a line.
                for line in text.splitlines():
                    json.loads(line)
        done = rig.try_ctl("unlock", FRONT.slug, "--json")
        expect_equal(done.returncode, 0, done.stderr)
        expect("done" in json.dumps(json.loads(done.stdout)), done.stdout)


@case
def no_colour_and_no_progress_reach_a_pipe():
    with a_paired_hub(FRONT, broker=False) as rig:
        for words in (["list"], ["show", FRONT.slug], ["log"], ["unlock", FRONT.slug]):
            done = rig.try_ctl(*words)
            for text in (done.stdout, done.stderr):
                expect("\x1b" not in text and "\r" not in text, f"{words}: {text!r}")


@case
def a_rename_keeps_the_id_and_the_topics():
    with a_paired_hub(FRONT) as rig:
        identity = rig.id(FRONT)
        rig.ctl("rename", FRONT.slug, "Haustür")
        rows = rig.locks()
        expect_equal(rows[0]["id"], identity, "id")
        expect_equal(rows[0]["name"], "Haustür", "name")
        rig.ctl("unlock", rows[0]["slug"])


main()
