#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rig itself: it leaves nothing behind, however it ends."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys

from case import case, expect, expect_equal, main
from rig import Rig, wait


def is_there(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


@case
def a_message_reaches_a_watcher_and_retained_ones_are_marked():
    with Rig() as rig:
        rig.start_broker()
        rig.publish("a/b", "one", retain=True)
        watcher = rig.watch()
        wait(lambda: watcher.value("a/b") == "one", 5, "the retained message")
        rig.publish("a/b", '{"x": 1}')
        wait(lambda: watcher.value("a/b") == '{"x": 1}', 5, "the second message")
        flags = [retain for topic, _, retain in watcher.snapshot() if topic == "a/b"]
        expect_equal(flags, [True, False], "retain flags")


@case
def the_private_bus_answers_and_nothing_stays_behind():
    with Rig() as rig:
        rig.start_bus()
        rig.start_broker()
        done = rig.run(["dbus-send", f"--bus={rig.bus_address}", "--print-reply",
                        "--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.ListNames"])
        expect_equal(done.returncode, 0, done.stderr)
        pids = [child.pid for child in rig.children]
        folder = rig.dir
    expect(not folder.exists(), "the folder is still there")
    expect_equal([pid for pid in pids if is_there(pid)], [], "processes left")


SELF = """
import sys, time
sys.path.insert(0, sys.argv[1])
from rig import Rig
with Rig() as rig:
    rig.start_bus()
    rig.start_broker()
    print(rig.dir, *[child.pid for child in rig.children], flush=True)
    import case
    import signal
    signal.signal(signal.SIGTERM, case._terminated)
    print("ready", flush=True)
    time.sleep(60)
"""


def ended_by(number):
    with subprocess.Popen(
            [sys.executable, "-c", SELF, os.path.dirname(os.path.abspath(__file__))],
            stdout=subprocess.PIPE, text=True) as program:
        folder, *pids = program.stdout.readline().split()
        expect_equal(program.stdout.readline(), "ready\n", "second line")
        program.send_signal(number)
        program.wait(20)
    expect_equal(len(pids), 2, "children")
    wait(lambda: not any(is_there(pid) for pid in pids), 5, "the children are gone")
    return pathlib.Path(folder)


@case
def nothing_stays_behind_after_sigterm():
    folder = ended_by(signal.SIGTERM)
    expect(not folder.exists(), "the folder is still there")


@case
def nothing_stays_behind_after_sigkill():
    shutil.rmtree(ended_by(signal.SIGKILL))


main()
