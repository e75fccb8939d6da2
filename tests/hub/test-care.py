#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guided care on virtual locks: answers come from standard input, what is said is what was measured."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import time

from case import case, expect, expect_equal, main
from rig import FRONT, Lock, PATIENCE, a_paired_hub, program, wait

YES = "y\n" * 60


def history(rig, lock=FRONT):
    return json.loads(rig.busctl("call", "org.lockhub1", rig.lock_path(lock.slug),
                                 "org.lockhub1.Lock", "History", "a{sv}", 0)["data"][0])


class Talk:
    """lockhubctl with somebody at standard input who reads what it says, and answers then."""

    def __init__(self, rig, *args):
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            [program("lockhubctl"), *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=rig.env())
        os.set_blocking(self.process.stdout.fileno(), False)
        self.said = ""
        self.read_to = 0

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(1)
        self.process.kill()
        self.process.wait()

    def hear(self, words, seconds=30):
        """Until it has said that, after what was heard before."""
        def has_said():
            with contextlib.suppress(BlockingIOError):
                self.said += (self.process.stdout.read() or b"").decode()
            return words in self.said[self.read_to:]
        wait(has_said, seconds, lambda: f"{words!r} is said: {self.said[self.read_to:]}")
        self.read_to = self.said.index(words, self.read_to) + len(words)

    def say(self, answer):
        self.process.stdin.write(f"{answer}\n".encode())
        self.process.stdin.flush()

    def end(self):
        return self.process.wait(60 * PATIENCE)


def rewrite_history(rig, samples):
    """As if the hub had been there for months: kind, days ago, value."""
    rig.hub.stop()
    database = sqlite3.connect(rig.state / "lockhub.db")
    with database:
        lock_id, = database.execute("SELECT id FROM lock").fetchone()
        database.execute("DELETE FROM sample")
        now = int(time.time())
        for kind, days, value in sorted(samples, key=lambda sample: -sample[1]):
            database.execute(
                "INSERT INTO sample (lock_id, kind, at, is_time_trusted, value) VALUES (?, ?, ?, 1, ?)",
                (lock_id, kind, now - int(days * 86400), value))
    database.close()
    rig.start_hub()
    rig.expect_prop(FRONT, "Reachable", True)


def steps_of(result):
    return {step["step"]: step["result"] for step in result["steps"]}


@case
def battery_shows_bars_and_says_why_there_is_no_forecast_yet():
    with a_paired_hub(FRONT, broker=False) as rig:
        text = rig.ctl("battery", "--read")
        expect("LAST 90 DAYS" in text and "EMPTY IN" in text, text)
        expect("not known yet" in text, text)
        expect(any(bar in text for bar in "▁▂▃▄▅▆▇█"), text)
        lock = rig.ctl_json("battery")["locks"][0]
        expect_equal(lock["forecast"]["known"], False, "forecast")
        expect(lock["forecast"]["reason"], lock["forecast"])
        expect_equal(lock["percents"][-1][1], lock["battery_percent"], "newest reading")


@case
def battery_forecasts_from_what_was_observed():
    with a_paired_hub(FRONT, broker=False) as rig:
        # Changed 70 days ago, and a percent each day since: 30 % now. The maker warns at 20 %.
        rig.battery(FRONT, 30)
        rewrite_history(rig, [(13, 70.1, 1), *[(1, 70 - day, 100 - day) for day in range(71)]])
        rig.ctl("refresh", FRONT.slug)
        forecast = rig.ctl_json("battery")["locks"][0]["forecast"]
        expect_equal(forecast["known"], True, forecast)
        expect(forecast["least"] <= 10 <= forecast["most"], forecast)
        expect(3 <= forecast["days"] <= 30, forecast)
        expect(0.8 <= forecast["percent_per_day"] <= 1.2, forecast)
        text = rig.ctl("battery")
        expect(f"about {forecast['days']} days ({forecast['least']} to {forecast['most']})" in text, text)
        bars = [word for word in text.split() if set(word) <= set("▁▂▃▄▅▆▇█")]
        expect_equal(len(bars), 1, text)
        expect(bars[0].startswith("█") and bars[0][-1] in "▂▃", f"falls from full: {bars}")
        expect_equal(list(bars[0]), sorted(bars[0], reverse=True), "never rises")
        due = {row["task"]: row["why"] for row in rig.ctl_json("care")["due"]}
        expect(f"empty in about {forecast['days']} days" in due["batteries"], due)


@case
def batteries_are_changed_and_measured_before_and_after():
    with a_paired_hub(FRONT, broker=False) as rig:
        rig.battery(FRONT, 6)
        rig.ctl("refresh", FRONT.slug)
        due = rig.ctl_json("care")["due"]
        expect(any(row["task"] == "batteries" and "nearly empty" in row["why"] for row in due), due)
        before = rig.motor_runs(FRONT)

        # Measured, and at hand: yes. Then whoever answers goes away, and lockhubctl ends.
        done = rig.try_ctl("care", "batteries", FRONT.slug, stdin="y\n")
        expect_equal(done.returncode, 1, done.stdout + done.stderr)
        expect("4 x AA" in done.stdout, "kind and count: " + done.stdout)
        expect("battery compartment is at the bottom" in done.stdout, done.stdout)
        expect("Go on with: lockhubctl care batteries front-door" in done.stdout, done.stdout)
        expect_equal(rig.motor_runs(FRONT), before, "motor runs")
        attempts = history(rig)["attempts"]
        expect_equal([a["outcome"] for a in attempts], ["running"], attempts)
        expect_equal(attempts[0]["fault"], "battery-critical", "fault")
        expect(attempts[0]["before"].startswith("6 %"), attempts)
        status = rig.ctl_json("care", "batteries", FRONT.slug, "--status")
        expect_equal([step["step"] for step in status["steps"] if step["done"]],
                     ["before", "prepare"], "done so far")

        # Even a new start of the hub does not forget where it was.
        rig.restart_hub()
        rig.expect_prop(FRONT, "Reachable", True)
        rig.battery(FRONT, 100)
        text = rig.ctl("care", "batteries", FRONT.slug, stdin="y\ny\n", seconds=120)
        expect("100 %, ok now, 6 %" in text, text)
        expect("1 times there and back" in text, text)
        after = history(rig)
        expect_equal([a["outcome"] for a in after["attempts"]], ["helped"], after["attempts"])
        expect(after["attempts"][0]["after"].startswith("100 %"), after["attempts"])
        # 1: a person said so; 2: seen in the level, which the hub does by itself.
        expect(1 in [how for _, how in after["samples"]["battery_changed"]], after["samples"])
        expect("batteries" not in after["notes"], after["notes"])
        expect("batteries-done" in after["notes"], after["notes"])
        runs = rig.motor_runs(FRONT)
        expect_equal((runs[0] - before[0], runs[1] - before[1]), (1, 1), "lock and unlock")
        expect(time.strftime("%Y-") in rig.ctl("battery", FRONT.slug), "the day of the change")


@case
def a_task_survives_being_killed():
    with a_paired_hub(FRONT, broker=False) as rig:
        with Talk(rig, "care", "batteries", FRONT.slug) as talk:
            talk.hear("at hand")
            talk.say("y")
            talk.hear("Are the new ones in")
            talk.process.send_signal(signal.SIGKILL)
            expect_equal(talk.end(), -signal.SIGKILL, "exit status")
        with Talk(rig, "care", "batteries", FRONT.slug) as talk:
            talk.hear("done: said so")  # what is needed: that was before
            talk.hear("Are the new ones in")
            talk.say("y")
            talk.hear("May it?")
            # Who does not want the bolt to move has the rest all the same.
            talk.say("n")
            talk.hear("the bolt was not to move")
            expect_equal(talk.end(), 0, talk.said)
        expect_equal(rig.motor_runs(FRONT), (0, 0, 0), "motor runs")
        expect_equal([a["outcome"] for a in history(rig)["attempts"]], ["helped"], "one attempt")


@case
def batteries_that_are_not_fresh_are_not_believed():
    with a_paired_hub(FRONT, broker=False) as rig:
        rig.battery(FRONT, 6)
        rig.ctl("refresh", FRONT.slug)
        # The person says yes to everything, and has changed nothing.
        done = rig.try_ctl("care", "batteries", FRONT.slug, "--yes", "--json", "--skip", "bolt",
                           seconds=120)
        expect_equal(done.returncode, 1, done.stdout + done.stderr)
        result = json.loads(done.stdout)
        expect_equal(result["done"], False, "done")
        expect_equal(steps_of(result)["level"], "failed", result)
        expect_equal(steps_of(result)["bolt"], "skipped", result)
        expect(not history(rig)["samples"].get("battery_changed"), "a change was noted")
        expect("batteries" in history(rig)["notes"], "it is not remembered")


@case
def nothing_moves_without_being_allowed_to():
    with a_paired_hub(FRONT, broker=False) as rig:
        before = rig.motor_runs(FRONT)
        for task in ("batteries", "install", "restart", "firmware", "key"):
            done = rig.try_ctl("care", task, FRONT.slug, "--no-input", "--json", seconds=180)
            expect_equal(done.returncode, 1, f"{task}: {done.stdout}{done.stderr}")
            expect("open" in steps_of(json.loads(done.stdout)).values(), done.stdout)
        expect_equal(rig.motor_runs(FRONT), before, "motor runs")
        expect(not any("reboot" in json.dumps(row) for row in rig.log_rows()), "it was restarted")


@case
def an_installation_is_accepted_by_measuring():
    with a_paired_hub(FRONT, broker=False) as rig:
        before = rig.motor_runs(FRONT)
        # Knob and key: a person turns it while the question stands.
        done = rig.try_ctl("care", "install", FRONT.slug, "--cycles", "3", "--skip", "key",
                           "--skip", "remote", "--skip", "keypad", "--skip", "knob", "--skip", "door",
                           "--skip", "handle", stdin=YES, seconds=240)
        expect_equal(done.returncode, 0, done.stdout + done.stderr)
        expect("3 times there and back" in done.stdout, done.stdout)
        expect("round 3 of 3" in done.stdout, done.stdout)
        runs = rig.motor_runs(FRONT)
        expect_equal((runs[0] - before[0], runs[1] - before[1]), (3, 3), "lock and unlock")
        notes = history(rig)["notes"]
        expect("install" not in notes and "install-done" in notes, notes)


@case
def a_whole_acceptance_with_door_knob_key_keypad_and_broker():
    lock = Lock("front-door", "nuki:gen4", FRONT.address, FRONT.pin)
    lock.extra = "keypad=1,sensor=1"
    with a_paired_hub(lock) as rig:
        rig.ctl("user", "add", "Anna", "--lock", lock.slug)
        rig.ctl("code", "add", "anna", "--lock", lock.slug, "--stdin", stdin="481526\n")
        with Talk(rig, "care", "install", lock.slug, "--cycles", "1") as talk:
            for words in ("fit this lock?", "tool at hand?", "plate firm", "Are fresh", "sit on its plate",
                          "a good name?", "lock by itself as you want", "May it?"):
                talk.hear(words)
                talk.say("y")
            talk.hear("at most ")
            talk.hear(" mA, at the lowest ")
            talk.hear("open the door. Is it open?")
            # It is not, and the sensor knows.
            talk.say("y")
            talk.hear("failed: the sensor says closed, not open")
            talk.hear("Try it again?")
            talk.say("y")
            talk.hear("open the door. Is it open?")
            rig.turn(lock, "unlock")
            rig.sim("door", lock.slug, "open")
            talk.say("y")
            talk.hear("Shut the door. Is it shut?")
            rig.sim("door", lock.slug, "close")
            talk.say("y")
            talk.hear("open and closed, as the sensor says")
            talk.hear("handle be lifted")
            talk.say("n")
            talk.hear("Turn the knob")
            rig.turn(lock, "lock")
            talk.say("y")
            talk.hear("done: seen: locked")
            talk.hear("key from outside")
            talk.say("n")
            talk.hear("skipped: not tried")
            talk.hear("Home Assistant, or with lockhubctl. Done?")
            # What the cycles did before is not taken for it.
            talk.say("y")
            talk.hear("failed: the hub has not seen it")
            talk.hear("Try it again?")
            talk.say("y")
            talk.hear("Done?")
            rig.command(lock, "UNLOCK")
            rig.expect_prop(lock, "State", "unlocked")
            talk.say("y")
            talk.hear("done: seen: unlocked by mqtt")
            talk.hear("Lock it, then enter a code")
            rig.turn(lock, "lock")
            rig.expect_prop(lock, "State", "locked")
            rig.sim("code", lock.slug, "481526")
            rig.expect_prop(lock, "State", "unlocked")
            talk.say("y")
            talk.hear("done: seen: unlocked by Anna, keypad")
            talk.hear("is installed and was tried")
            expect_equal(talk.end(), 0, talk.said)


@case
def an_installation_that_jams_is_not_accepted():
    with a_paired_hub(FRONT, broker=False) as rig:
        rig.ctl("lock", FRONT.slug)
        rig.jam(FRONT, True)
        done = rig.try_ctl("care", "install", FRONT.slug, "--cycles", "2", stdin=YES[:48], seconds=240)
        expect_equal(done.returncode, 1, done.stdout + done.stderr)
        status = {step["step"]: step["done"]
                  for step in rig.ctl_json("care", "install", FRONT.slug, "--status")["steps"]}
        expect_equal(status["signal"], True, "signal")
        expect_equal(status["cycles"], False, "cycles")
        rig.jam(FRONT, False)
        text = rig.ctl("care", "install", FRONT.slug, "--cycles", "1", "--skip", "key", "--skip",
                       "remote", "--skip", "keypad", "--skip", "knob", "--skip", "door", "--skip",
                       "handle", stdin="y\n", seconds=240)
        expect("1 times there and back" in text, text)
        # Begun anew, nothing is done.
        status = rig.ctl_json("care", "install", FRONT.slug, "--status")
        expect(not any(step["done"] for step in status["steps"]), status)


@case
def knob_and_key_are_seen_by_the_hub():
    with a_paired_hub(FRONT, broker=False) as rig:
        # Said, but not done: the hub knows better.
        done = rig.try_ctl("care", "key", FRONT.slug, "--yes", "--json", "--skip", "spare", seconds=120)
        expect_equal(done.returncode, 1, done.stdout + done.stderr)
        expect_equal(steps_of(json.loads(done.stdout))["knob"], "failed", done.stdout)
        due = {row["task"]: row["why"] for row in rig.ctl_json("care")["due"]}
        expect("begun and not finished" in due["key"], due)

        with Talk(rig, "care", "key", FRONT.slug) as talk:
            talk.hear("Turn the knob by hand")
            rig.turn(FRONT, "lock")
            talk.say("y")
            talk.hear("done: seen: ")
            talk.hear("turn the key from outside")
            rig.turn(FRONT, "unlock")
            talk.say("y")
            talk.hear("done: seen: ")
            talk.hear("skipped (--skip)")  # remembered from before
            talk.hear("opens without electronics")
            expect_equal(talk.end(), 0, talk.said)
        due = [row["task"] for row in rig.ctl_json("care")["due"]]
        expect("key" not in due, due)


@case
def a_restart_is_verified():
    with a_paired_hub(FRONT, broker=False) as rig:
        done = rig.try_ctl("care", "restart", FRONT.slug, "--yes", "--json", "--skip", "adapter",
                           seconds=180)
        result = json.loads(done.stdout)
        steps = steps_of(result)
        expect_equal(steps["lock"], "done", done.stdout + done.stderr)
        expect_equal(steps["back"], "done", done.stdout)
        expect_equal(steps["clock"], "done", done.stdout)
        expect_equal(steps["broker"], "skipped", done.stdout)
        expect_equal(steps["again"], "done", done.stdout)
        texts = {step["step"]: step["text"] for step in result["steps"]}
        expect("by command" in texts["lock"], texts)


@case
def a_restart_goes_on_to_adapter_and_broker_where_that_is_allowed():
    with a_paired_hub(FRONT, config="[ble]\nsole_user = yes\n") as rig:
        done = rig.try_ctl("care", "restart", FRONT.slug, "--yes", "--json", seconds=240)
        result = json.loads(done.stdout)
        texts = {step["step"]: f"{step['result']}: {step['text']}" for step in result["steps"]}
        expect(texts["adapter"].startswith("done: power-adapter"), done.stdout + done.stderr)
        expect(texts["broker"].startswith("done: reconnect-broker"), done.stdout + done.stderr)
        expect(texts["again"].startswith("done"), done.stdout + done.stderr)


@case
def a_lock_that_takes_no_command_is_restarted_by_its_batteries():
    with a_paired_hub(FRONT, broker=False) as rig:
        rig.range(FRONT, False)
        with Talk(rig, "care", "restart", FRONT.slug, "--skip", "adapter", "--skip", "hub") as talk:
            talk.hear("Restart it?")
            talk.say("y")
            talk.hear("by hand then", 120)
            talk.hear("pull the battery compartment out")
            talk.hear("Is the power taken away")
            talk.say("y")
            # The waiting time of the model's data is waited for.
            talk.hear("Is it back", 60)
            rig.range(FRONT, True)
            talk.say("y")
            talk.hear("without power for 10 s")
            talk.hear("it answers", 120)
            talk.hear("was restarted and answers", 120)
            expect_equal(talk.end(), 0, talk.said)
        expect_equal([a["outcome"] for a in history(rig)["attempts"]], ["helped"], "attempt")


@case
def firmware_that_did_not_change_is_said_so():
    with a_paired_hub(FRONT, broker=False) as rig:
        done = rig.try_ctl("care", "firmware", FRONT.slug, "--yes", "--json", seconds=180)
        expect_equal(done.returncode, 1, done.stdout + done.stderr)
        result = json.loads(done.stdout)
        texts = {step["step"]: step["text"] for step in result["steps"]}
        version = rig.prop(FRONT, "Firmware")
        expect(version in texts["version"], texts)
        expect("nothing was updated" in texts["verify"], texts)
        # "n" to the update: there is none, and that is remembered for the next months.
        rig.ctl("care", "firmware", FRONT.slug, "--restart", "--skip", "bolt", stdin="n\n", seconds=180)
        due = [row["task"] for row in rig.ctl_json("care")["due"]]
        expect("firmware" not in due, due)


@case
def firmware_that_the_app_brought_is_compared_with_the_one_before():
    with a_paired_hub(FRONT, broker=False) as rig:
        before = rig.prop(FRONT, "Firmware")
        major, minor, patch = before.split(".")
        newer = f"{major}.{minor}.{int(patch) + 1}"
        rig.ctl("unlock", FRONT.slug)
        rig.ctl("lock", FRONT.slug)
        with Talk(rig, "care", "firmware", FRONT.slug) as talk:
            talk.hear(f"now: {before}")
            talk.hear("locking ")
            talk.hear("Has the app said that the update is done?")
            rig.sim("firmware", FRONT.slug, newer)
            talk.say("y")
            talk.hear(f"{newer}, before it was {before}", 60)
            talk.hear("May it?", 60)
            talk.say("y")
            talk.hear("Before: ", 120)
            talk.hear("locking ")
            talk.hear(f"The firmware of {FRONT.slug}: {newer}, before {before}.", 60)
            expect_equal(talk.end(), 0, talk.said)
        attempt, = history(rig)["attempts"]
        expect_equal((attempt["remedy"], attempt["outcome"], attempt["before"], attempt["after"]),
                     ("update-firmware", "helped", before, newer), "what is kept")
        notes = history(rig)["notes"]
        expect("firmware" not in notes and "firmware-done" in notes, notes)
        expect(any(newer in json.dumps(row) for row in rig.log_rows()), "the log does not tell of it")


main()
