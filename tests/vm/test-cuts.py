# SPDX-License-Identifier: LGPL-2.1-or-later
"""The link is cut at the first packet of an operation, then at the second, and so on until it is through.

For run-cases. With the radio of lockhub-sim (--face=vhci) what is counted is packets of either side: a
message is lost on its way with the one number and its acknowledgement with the next. The virtual
org.bluez has no packets: there the link is cut after the first, second, ... message of the lock.
"""

import collections
import contextlib
import json
import os
import time

from case import case, expect, expect_equal, main
from rig import FRONT, RADIO_CONFIG, Failure, Lock, Rig, wait

# A link stays until the fault is set.
CONFIG = RADIO_CONFIG.replace("linger_ms = 1000", "linger_ms = 15000")
CUTS_MOST = 90
LEAST = 3  # of packets or messages that an operation has
ENTRIES = 2
COARSE = 12
MEMORY_MOST = 2048  # KiB more, after all of a case
LONG = Lock(FRONT.slug, FRONT.model, FRONT.address, FRONT.pin)
LONG.extra = "log=12,keypad=1"


def start(rig, lock):
    rig.start_bus()
    rig.start_sim(lock)
    rig.config.write_text(CONFIG)
    rig.start_hub()


@contextlib.contextmanager
def paired(lock):
    with Rig() as rig:
        start(rig, lock)
        rig.pair(lock)
        yield rig


class Cutter:
    """Operations that are cut, and how they ended."""

    def __init__(self, rig, lock=FRONT):
        self.rig = rig
        self.lock = lock
        has_packets = "drop-packets" in rig.sim("faults")
        self.fault = "drop-packets" if has_packets else "drop-after"
        self.unit = "packets" if has_packets else "messages of the lock"
        self.packets_of_message = 2 if has_packets else 1
        self.ends = collections.Counter()
        self.began = time.monotonic()
        self.before = None

    # -- nothing is left behind

    def ask_bus(self, *words):
        return self.rig.busctl("call", "org.freedesktop.DBus", "/org/freedesktop/DBus", *words)["data"][0]

    def held(self):
        """What the hub holds: descriptors, match rules of all its connections, KiB of memory."""
        pid = self.rig.hub.child.pid
        rules = 0
        for name in self.ask_bus("org.freedesktop.DBus", "ListNames"):
            # busctl itself has gone when it is asked about.
            with contextlib.suppress(Failure):
                if name[0] == ":" and pid == self.ask_bus(
                        "org.freedesktop.DBus", "GetConnectionUnixProcessID", "s", name):
                    rules += self.ask_bus("org.freedesktop.DBus.Debug.Stats", "GetConnectionStats", "s",
                                          name)["MatchRules"]["data"]
        expect(rules > 0, "the hub has no match rules: they were not counted")
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            status = dict(line.split(":", 1) for line in file)
        return len(os.listdir(f"/proc/{pid}/fd")), rules, int(status["VmRSS"].split()[0])

    def begin(self):
        # The thread for long work opens the database when it is first used, and keeps it open.
        self.rig.ctl("log", "verify")
        self.before = self.held()

    def end(self):
        self.rig.sim("fault", self.lock.slug, "drop")
        wait(lambda: self.rig.show(self.lock)["links"] == 0, 60, "the last link is over", 0.2)
        after = self.held()
        self.rig.note(f"descriptors, match rules, KiB of memory: {self.before}, then {after}")
        expect(after[0] <= self.before[0], f"descriptors: {self.before}, then {after}")
        expect(after[1] <= self.before[1], f"match rules: {self.before}, then {after}")
        with open(f"/proc/{self.rig.hub.child.pid}/maps", encoding="utf-8") as file:
            keeps_freed = "libasan" in file.read()
        expect(keeps_freed or after[2] <= self.before[2] + MEMORY_MOST,
               f"memory: {self.before}, then {after}")
        self.rig.ctl("log", "verify")

    # -- cutting

    def arm(self, number):
        self.rig.sim("fault", self.lock.slug, self.fault, number)

    def count(self, end, is_cut):
        self.ends[end if is_cut else f"{end} without a cut"] += 1

    def tell(self, what, number):
        self.rig.note(f"{what}: through after {number - 1} {self.unit}; "
                      + ", ".join(f"{count} {end}" for end, count in sorted(self.ends.items()))
                      + f"; {time.monotonic() - self.began:.0f} s")
        self.began = time.monotonic()
        self.ends.clear()

    def at_rest(self, where=None):
        """A link is there, the motor at rest, the bolt @where, and the hub knows it."""
        rig = self.rig
        truth = rig.show(self.lock)
        if where is not None and truth["bolt"] != where:
            # Not while the motor turns.
            wait(lambda: rig.try_sim("turn", self.lock.slug, where[:-2]).returncode == 0, 20,
                 "the knob can be turned", 0.2)
        elif truth["links"] > 0:
            return
        rig.ctl("refresh", self.lock.slug)

    def state_is_so(self, where):
        def is_so():
            is_open = self.rig.show(self.lock)["bolt"] != "locked"
            return (self.rig.prop(self.lock, "State") != "locked") == is_open
        wait(is_so, 30, lambda: f"{where}: {self.rig.prop(self.lock, 'State')} is shown, but the bolt is "
                                f"{self.rig.show(self.lock)['bolt']}", 0.3)

    def operate(self, verb, number):
        """One operation with a cut at @number; whether it was cut."""
        rig = self.rig
        before = rig.counters(self.lock)
        self.arm(number)
        said = rig.try_ctl(verb, self.lock.slug, "--json")
        self.arm(0)
        # Over a new link when the old one is gone.
        rig.ctl("refresh", self.lock.slug)
        after = rig.counters(self.lock)
        result = json.loads(said.stdout)
        outcome = result["outcome"]
        runs = after[f"commands-{verb}"] - before[f"commands-{verb}"]
        where = f"{verb}, cut at {number}: {outcome}, {runs} runs; {result['message']}"
        expect(runs <= 1, where)
        expect(outcome in ("done", "failed", "unknown"), where)
        if outcome != "unknown":
            expect_equal(runs, int(outcome == "done"), where)
        expect_equal(said.returncode, 0 if outcome == "done" else 1, where)
        self.state_is_so(where)
        is_cut = after["connections"] != before["connections"]
        if not is_cut:
            expect_equal(outcome, "done", where)
        self.count(outcome, is_cut)
        return is_cut

    def operate_until_through(self, verb, first=1, step=1):
        """@verb, cut at @first, then @step later, and so on until it is not cut any more."""
        number = first
        while True:
            self.at_rest("unlocked" if verb == "lock" else "locked")
            if not self.operate(verb, number):
                break
            number += step
            expect(number < CUTS_MOST, f"{verb} was still cut at {number}")
        expect(number > LEAST, f"{verb} was not cut at {number}: nothing was tested")
        self.tell(verb, number)


@case
def an_unlock_cut_at_each_packet_is_done_once_or_not_at_all():
    with paired(FRONT) as rig:
        cutter = Cutter(rig)
        cutter.begin()
        cutter.operate_until_through("unlock")
        cutter.end()


@case
def a_lock_and_an_unlatch_cut_at_each_message_are_done_once_or_not_at_all():
    with paired(FRONT) as rig:
        cutter = Cutter(rig)
        cutter.begin()
        # On its way; and when it is acknowledged.
        cutter.operate_until_through("lock", first=1, step=cutter.packets_of_message)
        cutter.operate_until_through("unlatch", first=2, step=cutter.packets_of_message)
        cutter.end()


def imported(rig):
    """Numbers of the lock's own log that stand in the hub's log, with how often."""
    return collections.Counter(row["lock_seq"] for row in rig.log_rows("-n", "10000")
                               if row.get("lock_seq"))


def newest_at_lock(rig):
    return max((entry["index"] for entry in rig.sim_json("log", FRONT.slug)), default=0)


@case
def the_import_of_the_log_cut_at_each_message_takes_each_entry_once():
    with paired(LONG) as rig:
        cutter = Cutter(rig)
        rig.ctl("set-pin", FRONT.slug, "--pin-stdin", stdin=FRONT.pin + "\n")
        wait(lambda: len(imported(rig)) >= newest_at_lock(rig), 60, "what is in the log at first", 0.5)
        cutter.begin()
        number = 1
        while True:
            # Entries more, of which nobody but the log tells.
            cutter.at_rest()
            for _ in range(ENTRIES):
                # A wrong one. After too many the keypad takes none for a while.
                rig.try_sim("code", FRONT.slug, "246813")
            before = rig.counters(FRONT)["connections"]
            cutter.arm(number)
            path = rig.busctl("call", "org.lockhub1", rig.lock_path(FRONT.slug), "org.lockhub1.Lock",
                              "ReadLog")["data"][0]

            def read(name, path=path):
                return rig.busctl("get-property", "org.lockhub1", path, "org.lockhub1.Operation",
                                  name)["data"]
            wait(lambda: read("State") == "finished", 60, "the log has been read", 0.1)
            outcome = read("Outcome")
            cutter.arm(0)
            rig.ctl("refresh", FRONT.slug)
            is_cut = rig.counters(FRONT)["connections"] != before
            expect(outcome in ("done", "failed"), f"read-log, cut at {number}: {outcome}")
            cutter.count(outcome, is_cut)
            if not is_cut:
                expect_equal(outcome, "done", "read-log without a cut")
                break
            number += cutter.packets_of_message
            expect(number < CUTS_MOST, f"read-log was still cut at {number}")
        expect(number > LEAST, f"read-log was not cut at {number}: nothing was tested")
        cutter.tell("read-log", number)
        wait(lambda: len(imported(rig)) >= newest_at_lock(rig), 60,
             lambda: f"{len(imported(rig))} of {newest_at_lock(rig)} entries imported", 0.5)
        count = imported(rig)
        expect_equal(sorted(count), list(range(1, newest_at_lock(rig) + 1)), "entries imported")
        expect_equal([seq for seq, times in count.items() if times > 1], [], "imported twice")
        cutter.end()


def links_broken(rig):
    """How many links or attempts at one the hub knows to have failed."""
    return sum(row["losses"] + row["failures"] for row in rig.ctl_json("signal")["adapters"])


@case
def a_pairing_cut_at_each_message_can_be_done_again():
    with Rig() as rig:
        start(rig, FRONT)
        rig.pair(FRONT)
        rig.ctl("unpair", FRONT.slug, "--yes")
        cutter = Cutter(rig)
        cutter.begin()
        # BlueZ looks at the lock first: many packets, none of which is ours.
        step = COARSE if cutter.fault == "drop-packets" else 1
        number = step
        while True:
            # Or else the cut would be that of the link that is about to end.
            wait(lambda: rig.show(FRONT)["links"] == 0, 30, "the link of the last time is over", 0.1)
            rig.sim_pairing(FRONT)
            before = rig.counters(FRONT)
            broken = links_broken(rig)
            cutter.arm(number)
            done = rig.try_ctl("pair", FRONT.address, "--name", FRONT.name, "--yes", "--pin-stdin",
                               stdin=FRONT.pin + "\n")
            cutter.arm(0)
            after = rig.counters(FRONT)
            # In the middle of it the hub itself makes a new link.
            is_cut = links_broken(rig) != broken
            if step == COARSE and after["writes"] != before["writes"]:
                number, step = max(1, number - COARSE), 2
            where = f"pair, cut at {number}: {done.returncode}; {done.stderr.strip()}"
            expect(done.returncode in (0, 1), where)
            expect_equal(len(rig.locks()), int(done.returncode == 0), where)
            if done.returncode == 0:
                # Whatever was cut, this one is whole.
                rig.ctl("refresh", FRONT.slug)
                rig.ctl("unpair", FRONT.slug, "--yes")
            cutter.count("done" if done.returncode == 0 else "failed", is_cut)
            if not is_cut:
                expect_equal(done.returncode, 0, where)
                break
            number += step
            expect(number < 2 * CUTS_MOST, f"pair was still cut at {number}")
        expect(number > LEAST, f"pair was not cut at {number}: nothing was tested")
        cutter.tell("pair", number)
        rig.pair(FRONT)
        rig.ctl("unlock", FRONT.slug)
        expect_equal(rig.motor_runs(FRONT), (0, 1, 0), "motor runs")
        rig.ctl("unpair", FRONT.slug, "--yes")
        cutter.end()


main()
