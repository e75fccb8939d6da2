# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is wrong is named, something is done about it, and what was tried is kept: for tests of remedies."""

import contextlib
import json
import sqlite3

from case import expect, expect_equal
from rig import Failure, program, wait

FINDINGS = 3


def diagnose(rig, *args):
    """The diagnosis and doctor's exit status."""
    done = rig.try_ctl("doctor", *args, "--json", seconds=120)
    try:
        return json.loads(done.stdout), done.returncode
    except ValueError:
        raise Failure(f"doctor {args}: {done.returncode}\n{done.stdout}{done.stderr}") from None


def target(diagnosis, kind="hub"):
    return next(one for one in diagnosis["targets"] if one["kind"] == kind)


def told(one):
    return [(finding["fault"], finding["severity"], finding["confidence"],
             [proof["text"] for proof in finding["proof"]]) for finding in one["findings"]]


def names(one):
    return [finding["fault"] for finding in one["findings"]]


def expect_first(rig, fault, *remedies, lock=None, seconds=40, evidence=""):
    """It (or one of them) is named first, with proof, and the remedies begin with these; the finding."""
    last = {}
    faults = (fault,) if isinstance(fault, str) else fault

    def is_named():
        diagnosis, last["status"] = diagnose(rig, *([lock.slug] if lock else []))
        last["target"] = target(diagnosis, "lock" if lock else "hub")
        return names(last["target"]) and names(last["target"])[0] in faults
    # What kernel, broker or bluetoothd do takes a moment to show.
    wait(is_named, seconds, lambda: f"{faults} first: {told(last['target'])}", 0.3)
    finding = last["target"]["findings"][0]
    fault = finding["fault"]
    if finding["severity"] != "info":
        expect_equal(last["status"], FINDINGS, "exit status")
    expect(finding["proof"], f"{fault} without proof")
    text = "; ".join(proof["text"] for proof in finding["proof"])
    expect(evidence in text, f"{fault}: no {evidence!r} in {text!r}")
    offered = [remedy["name"] for remedy in finding["remedies"]]
    expect_equal(offered[:len(remedies)], list(remedies), f"remedies of {fault}")
    expect_equal(offered[-1], "contact-support", f"last remedy of {fault}")
    rig.note(f"doctor: {fault} ({finding['confidence']} %): {text}")
    return finding


def expect_well(rig, *faults, lock=None, seconds=40):
    """None of these is found any more; without any: nothing at all."""
    last = {}

    def is_well():
        diagnosis, _ = diagnose(rig, *([lock.slug] if lock else []))
        last["target"] = target(diagnosis, "lock" if lock else "hub")
        found = names(last["target"])
        return not (set(faults) & set(found) if faults else found)
    wait(is_well, seconds, lambda: f"still found: {told(last['target'])}", 0.3)


def attempts(rig):
    """All that was tried, as it is kept: the oldest first."""
    outcomes = ["running", "helped", "no-change", "failed", "abandoned", "unverified"]
    with contextlib.closing(sqlite3.connect(f"file:{rig.state}/lockhub.db?mode=ro", uri=True)) as db:
        rows = db.execute("SELECT fault, remedy, outcome, before, after, begun_at, ended_at, by "
                          "FROM attempt ORDER BY number").fetchall()
    keys = ("fault", "remedy", "outcome", "before", "after", "begun", "ended", "by")
    return [dict(zip(keys, row)) | {"outcome": outcomes[row[2]]} for row in rows]


def fix(rig, word, fault, remedy, mend=None, wanted="helped", before="", after=""):
    """lockhubctl fix; @mend is done when the attempt is kept and before it is judged. The attempt."""
    n = len(attempts(rig))
    child = rig.child("fix", [program("lockhubctl"), "fix", word, fault, remedy, "--yes", "--json"])
    if mend is not None:
        wait(lambda: len(attempts(rig)) > n or not child.is_running(), 60, "the attempt is kept", 0.05)
        mend()
    status = child.exit_status(200)
    try:
        result = json.loads(child.output())
    except ValueError:
        raise Failure(f"fix {word} {fault} {remedy}: {status}\n{child.output()}") from None
    expect_equal(result["outcome"], wanted, f"fix {word} {fault} {remedy}: {result['before']} -> "
                                            f"{result['after']} {result.get('message', '')}")
    expect_equal(status, 0 if wanted == "helped" else 1, "exit status of fix")
    attempt = attempts(rig)[-1]
    expect_equal((attempt["fault"], attempt["remedy"], attempt["outcome"]), (fault, remedy, wanted),
                 "what is kept")
    expect(attempt["ended"] >= attempt["begun"] > 0 and attempt["by"], f"when and by whom: {attempt}")
    expect(attempt["before"] and before in attempt["before"], f"evidence before: {attempt}")
    expect(attempt["after"] and after in attempt["after"], f"evidence after: {attempt}")
    expect_equal((result["before"], result["after"]), (attempt["before"], attempt["after"]),
                 "what is told and what is kept")
    rig.note(f"fix {word} {fault} {remedy}: {wanted}; before: {attempt['before']}; "
             f"after: {attempt['after']}")
    return attempt
