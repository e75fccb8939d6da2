#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What tools/demo shows once everything is built: three virtual locks, a broker, a hub; and either a
shell to play in or a tour that checks what it shows."""

import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time

SOURCE = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SOURCE / "tests" / "hub"))

# pylint: disable=wrong-import-position
from rig import BACK, FRONT, GARAGE, Failure, Rig, Skipped, program, wait

LOCKS = (FRONT, BACK, GARAGE)
FRONT.extra = "keypad=1"
IS_TTY = sys.stdout.isatty() and "NO_COLOR" not in os.environ
BOLD, FAINT, GOOD, END = ("\x1b[1m", "\x1b[2m", "\x1b[32m", "\x1b[0m") if IS_TTY else ("",) * 4

TRY = """
Five things to try (the locks: front-door, back-door, garage):

  1. lockhubctl list; lockhubctl unlock front-door; lockhubctl show front-door
  2. Home Assistant's side:  mosquitto_sub -v -t 'lockhub/#' &
     and unlock as it would: mosquitto_pub -t lockhub/{front}/lock/set -m UNLOCK
  3. Be the hand at the door: sim turn back-door unlock; sleep 2; lockhubctl list
  4. Jam the bolt:            sim jam garage on; lockhubctl lock garage; sim jam garage off
  5. Flat battery and the log: sim battery front-door 5; lockhubctl refresh front-door;
     lockhubctl doctor front-door; lockhubctl log

More: lockhubctl --help, sim --help. The hub's journal: less {log}
"exit" ends it all; nothing stays behind.
"""


def say(text=""):
    print(text, flush=True)


def show(command, text=""):
    say(f"{FAINT}$ {command}{END}")
    text = text.rstrip()
    if text:
        say(textwrap.indent(text, "    "))


class Tour:
    """The steps in their order; each one raises what failed."""

    def __init__(self, rig):
        self.rig = rig
        self.watcher = rig.watch()

    def ctl(self, *words):
        text = self.rig.ctl(*words)
        show("lockhubctl " + " ".join(words), text)
        return text

    def sim(self, *words):
        text = self.rig.sim(*words)
        show("sim " + " ".join(words), text)
        return text

    def expect_topic(self, lock, leaf, wanted):
        self.rig.expect_topic(self.watcher, lock, leaf, wanted, 40)
        show(f"mosquitto_sub -v -t {self.rig.topic(lock, leaf)}",
             f"{self.rig.topic(lock, leaf)} {wanted}")

    def list_the_locks(self):
        """List the locks"""
        text = self.ctl("list")
        for lock in LOCKS:
            if lock.slug not in text and lock.name not in text:
                raise Failure(f"{lock.slug} is not in the list")

    def unlock_from_the_command_line(self):
        """Unlock from the command line"""
        self.ctl("unlock", FRONT.slug)
        self.expect_topic(FRONT, "lock/state", "UNLOCKED")

    def unlock_through_mqtt_as_home_assistant_does(self):
        """Unlock through MQTT, exactly as Home Assistant would"""
        topic = self.rig.topic(BACK, "lock/set")
        payload = f'{{"action":"UNLOCK","code":null,"ts":{time.time():.3f}}}'
        show(f"mosquitto_pub -t {topic} -m '{payload}'")
        self.rig.publish(topic, payload)
        self.expect_topic(BACK, "lock/state", "UNLOCKED")

    def turn_the_knob_by_hand(self):
        """Turn the knob by hand at the door, and see it arrive"""
        self.sim("turn", FRONT.slug, "lock")
        self.expect_topic(FRONT, "lock/state", "LOCKED")
        self.ctl("list")

    def jam_the_bolt(self):
        """Jam the bolt, and see it said"""
        self.sim("jam", GARAGE.slug, "on")
        done = self.rig.try_ctl("unlock", GARAGE.slug)
        show(f"lockhubctl unlock {GARAGE.slug}", done.stdout + done.stderr)
        if done.returncode == 0:
            raise Failure("the jammed bolt was not said")
        self.expect_topic(GARAGE, "lock/state", "JAMMED")
        self.sim("jam", GARAGE.slug, "off")
        self.ctl("unlock", GARAGE.slug)
        self.expect_topic(GARAGE, "lock/state", "UNLOCKED")

    def drain_the_battery(self):
        """Drain the battery"""
        self.sim("battery", FRONT.slug, "7")
        self.ctl("refresh", FRONT.slug)
        self.ctl("battery")
        self.expect_topic(FRONT, "battery_low", "ON")

    def ask_what_is_wrong(self):
        """Ask what is wrong, and what to do"""
        done = self.rig.try_ctl("doctor", FRONT.slug, seconds=120)
        show(f"lockhubctl doctor {FRONT.slug}", done.stdout + done.stderr)
        if done.returncode != 3 or "batteries" not in done.stdout:
            raise Failure("the doctor does not speak of the batteries")

    def give_somebody_a_code(self):
        """Give somebody a code, and enter it at the keypad"""
        self.ctl("user", "add", "Anna", "--lock", FRONT.slug)
        text = self.ctl("code", "add", "anna", "--lock", FRONT.slug, "--generate")
        code = re.search(r"\b\d{6}\b", text)
        if code is None:
            raise Failure("no code was shown")
        wait(lambda: "present" in self.rig.ctl("code", "list"), 40, "the code is at the lock")
        self.sim("code", FRONT.slug, code.group())
        wait(lambda: "keypad" in self.rig.ctl("log", "-n", "20"), 40, "the log tells of it")
        self.ctl("log", "-n", "5")

    def read_the_activity_log(self):
        """Read the activity log, and verify that nobody changed it"""
        text = self.ctl("log", "-n", "20")
        if FRONT.slug not in text and FRONT.name not in text:
            raise Failure("the log does not speak of the front door")
        self.ctl("log", "verify")

    def restart_the_hub_and_find_everything_there(self):
        """Restart the hub, and find everything still there"""
        before = {row["seq"] for row in self.rig.log_rows("-n", "10000")}
        show("systemctl restart lockhubd   # here: SIGTERM, and started again")
        self.rig.restart_hub()
        for lock, state in ((FRONT, "unlocked"), (BACK, "unlocked"), (GARAGE, "unlocked")):
            self.rig.expect_prop(lock, "State", state, 40)
        after = {row["seq"] for row in self.rig.log_rows("-n", "10000")}
        if before - after:
            raise Failure(f"{len(before - after)} log entries are gone")
        self.ctl("list")

    def play(self):
        steps = (self.list_the_locks, self.unlock_from_the_command_line,
                 self.unlock_through_mqtt_as_home_assistant_does, self.turn_the_knob_by_hand,
                 self.jam_the_bolt, self.drain_the_battery, self.ask_what_is_wrong,
                 self.give_somebody_a_code, self.read_the_activity_log,
                 self.restart_the_hub_and_find_everything_there)
        for number, step in enumerate(steps, 1):
            say(f"\n{BOLD}{number}. {step.__doc__}{END}")
            try:
                step()
            except Exception as error:
                raise Failure(f"step {number} ({step.__doc__}) failed: {error}") from error
            say(f"{GOOD}ok{END}")


def wrapper(folder, name, *words):
    path = folder / name
    line = " ".join("'" + str(word).replace("'", "'\\''") + "'" for word in words)
    path.write_text(f'#!/bin/sh\nexec {line} "$@"\n')
    path.chmod(0o755)


def open_shell(rig):
    folder = rig.dir / "bin"
    folder.mkdir()
    wrapper(folder, "lockhubctl", program("lockhubctl"))
    wrapper(folder, "sim", *rig.sim_words())
    for client in ("mosquitto_sub", "mosquitto_pub"):
        wrapper(folder, client, shutil.which(client), *rig.broker.client_args())
    completion = SOURCE / "src/ctl/completions/lockhubctl.bash"
    rc = rig.dir / "bashrc"
    rc.write_text(textwrap.dedent(f"""
        [ -f ~/.bashrc ] && . ~/.bashrc
        PATH='{folder}':$PATH
        PS1='(lockhub demo) \\w\\$ '
        [ -f /usr/share/bash-completion/bash_completion ] && . /usr/share/bash-completion/bash_completion
        [ -f '{completion}' ] && . '{completion}'
        """))
    env = rig.env()
    env["PATH"] = f"{folder}:{env['PATH']}"
    if sys.stdout.isatty():
        env.pop("NO_COLOR")
    say(TRY.format(front=rig.id(FRONT), log=rig.hub.child.log))
    is_interactive = sys.stdin.isatty()
    argv = ["bash", "--rcfile", str(rc), "-i"] if is_interactive else ["bash"]
    if is_interactive:
        # Ctrl-C belongs to the shell and what runs in it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    # pylint: disable=consider-using-with
    shell = subprocess.Popen(argv, env=env, preexec_fn=lambda: signal.signal(
        signal.SIGINT, signal.SIG_DFL))
    try:
        shell.wait()
    finally:
        if shell.poll() is None:
            shell.send_signal(signal.SIGHUP)
            shell.wait()
    return shell.returncode


def stop(number, _frame):
    sys.exit(128 + number)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--speed", type=float)
    args = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    os.environ.setdefault("LOCKHUB_PATIENCE", "2")
    status = 0
    try:
        with Rig(keep=args.keep) as rig:
            rig.is_quiet = True
            if args.keep:
                say(f"Everything is kept in {rig.dir}")
            say("Starting a private bus, three virtual locks, a broker and the hub ...")
            rig.start_bus()
            rig.start_sim(*LOCKS, speed=args.speed or (10 if args.once else 1))
            rig.start_broker()
            rig.start_hub()
            for lock in LOCKS:
                say(f"Pairing {lock.name} ({lock.model}) ...")
                rig.pair(lock)
            if args.once:
                Tour(rig).play()
                say("\nThat was the tour: all of it worked. Without --once you get a shell to "
                    "play in.")
            else:
                open_shell(rig)
    except (Failure, Skipped, OSError, subprocess.SubprocessError) as error:
        say(f"tools/demo: {error}")
        status = 1
    sys.exit(status)


main()
