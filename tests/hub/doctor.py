# SPDX-License-Identifier: LGPL-2.1-or-later
"""What can be wrong, how a virtual lock is brought to it, and what the doctor must say first.

A Trouble is one way in which a lock fails its owner. Its `causes` are the faults that name the cause; more
than one only where nobody could tell them apart from outside; `also` are those that follow from it and must
be named behind it. It is brought about in up to five steps:

    extra    keys of --lock: how the lock has been from the beginning
    age      days that have passed before the hub meets it, with the log that they leave
    past     what the hub has measured in days before: rows of its own history
    away     what happens while the hub is off
    act      what happens now, or what its people do with it

Nothing here knows how the doctor judges: only what is wrong.
"""

import concurrent.futures
import contextlib
import dataclasses
import json
import random
import re
import shutil
import sqlite3
import time

from rig import Failure, Lock, Rig, source_root, wait

DAY_S = 86400
PROBE_PATIENCE_S = 240


@dataclasses.dataclass
class Trouble:
    name: str
    causes: tuple
    subject: str
    also: tuple = ()
    extra: str = ""
    age: tuple = ()          # DAYS, MOVES a day
    past: object = None      # callable(Past)
    away: object = None      # callable(rig, lock), while no hub looks
    act: object = None       # callable(rig, lock), while one does
    model: str = "nuki:gen4"
    rssi: int = -62
    battery: int = 80
    has_pin: bool = True
    alone: bool = False      # makes no sense beside another one
    absent: bool = False     # takes no link: it keeps an adapter from serving others
    touches: frozenset = frozenset()  # no pair with another one that touches the same


TROUBLES = []


def trouble(name, causes, subject, touches="", **kwargs):
    causes = (causes,) if isinstance(causes, str) else tuple(causes)
    TROUBLES.append(Trouble(name, causes, subject, touches=frozenset(touches.split()), **kwargs))


# ---- what people and the world do

def use(rig, lock, times=2):
    """Somebody locks and unlocks by the hub; whether it works is not our business here."""
    for _ in range(times):
        rig.try_ctl("unlock", lock.slug, seconds=90)
        rig.try_ctl("lock", lock.slug, seconds=90)


def sim(*words):
    return lambda rig, lock: rig.sim(words[0], lock.slug, *words[1:])


def key(text):
    return lambda rig, lock: rig.sim("set", lock.slug, text)


def both(*acts):
    def run(rig, lock):
        for act in acts:
            act(rig, lock)
    return run


def look(rig, lock):
    """The hub reads it once more, if it can."""
    rig.try_ctl("refresh", lock.slug, seconds=90)


def our_phone(rig, lock):
    """The id of the hub's own authorisation in the lock."""
    return next(auth["id"] for auth in rig.show(lock)["authorisations"])


def wrong_codes(rig, lock):
    for number in range(12):
        rig.try_sim("keypad", lock.slug, 500000 + number)
        # Five in a row lock it for 30 s of its own time; the one that knows a code goes on.
        if number % 4 == 3:
            rig.try_sim("keypad", lock.slug, lock.code)
    look(rig, lock)


def keypad_blocked(rig, lock):
    """So many wrong codes in a row that the keypad takes none, and nothing else in the log."""
    for number in range(5):
        done = rig.try_sim("keypad", lock.slug, 600000 + number)
        if done.returncode == 0:
            raise Failure(f"{lock.slug}: a wrong code was taken")
    done = rig.try_sim("keypad", lock.slug, lock.code)
    if "locked after too many" not in done.stdout + done.stderr:
        raise Failure(f"{lock.slug}: the keypad is not blocked: {done.stdout}{done.stderr}")
    look(rig, lock)


def app_code(rig, lock):
    rig.sim("app", lock.slug, "add-code", lock.code, "Anna")


# ---- the subjects

# 1. Batteries
trouble("battery empty", "battery-critical", "battery", extra="battery=7", touches="level")
trouble("battery low, NiMH", ("battery-critical", "battery-low"), "battery",
        extra="cells=nimh,battery=16", touches="level")
trouble("cells worn", "cells-weak", "battery", extra="battery=55,worn=420,cell-days=600",
        age=(6, 6), act=use, touches="level motor sag")
trouble("cells give out", ("cells-weak", "battery-critical", "motor-low-voltage"), "battery",
        extra="battery=45,worn=1000", act=use, touches="level motor sag")
trouble("keypad battery", "keypad-battery-low", "battery",
        extra="keypad=1,keypad-battery=critical", touches="keypad")
trouble("sensor battery", "door-sensor-battery-low", "battery",
        extra="sensor=1,sensor-battery=critical", touches="sensor")
# As the set before: nothing drains it faster, it is simply at its end.
trouble("battery ends soon", "battery-soon", "battery", extra="battery=22",
        past=lambda past: past.battery(165, 100, 22, until=83).sample("changed", 82.9, 1)
        .battery(82, 100, 22), touches="level history")
trouble("drains fast", ("battery-drain", "battery-soon"), "battery", extra="battery=52",
        past=lambda past: past.battery(90, 99, 92, until=20).battery(20, 92, 52),
        touches="level history")

# 2. Connectivity
trouble("weak signal", "signal-weak", "connection", rssi=-92, extra="jitter=4,loss=3",
        past=lambda past: past.radio(8, -92, attempts=12, failures=4, lost=2), act=look,
        touches="radio")
trouble("out of range", "out-of-range", "connection", rssi=-90,
        past=lambda past: past.radio(8, -90, attempts=10, failures=3, lost=1),
        away=sim("range", "out"), absent=True)
trouble("lock dead", "lock-dead", "connection", extra="battery=9", away=sim("range", "out"),
        absent=True)
trouble("gone silent", "lock-not-heard", "connection", away=sim("range", "out"), absent=True)
trouble("taken by a phone", "lock-taken", "connection", act=both(sim("taken", "on"), look),
        absent=True)
trouble("links fail", ("links-failing", "lock-unreachable"), "connection",
        past=lambda past: past.radio(8, -62, attempts=12, failures=7),
        act=both(sim("fault", "connect-flip", "5"), look), touches="radio")
trouble("links drop", "links-dropping", "connection", extra="loss=2",
        past=lambda past: past.radio(8, -62, attempts=12, failures=1, lost=6), act=look,
        touches="radio")
trouble("disturbed in the evening", ("radio-interference", "wifi-interference"), "connection",
        past=lambda past: past.radio(14, -66, attempts=16, failures=5, evening=True),
        touches="radio")
trouble("does not answer", "lock-silent", "connection", 
        act=both(sim("fault", "mute", "999"), look), alone=True)
trouble("hears no command", "lock-silent", "connection", 
        act=both(sim("fault", "deaf", "999"), look), alone=True)
trouble("services missing", ("gatt-mismatch", "lock-unreachable"), "connection",
        act=both(sim("fault", "never-resolve", "99"), sim("fault", "drop"), look), absent=True)

# 3. Installation and set-up
trouble("jams always", ("bolt-stiff", "jammed"), "installation",
        extra="sensor=1,jam=on", age=(10, 6), touches="motor")
trouble("binds when shut", "misaligned", "installation",
        extra="sensor=1,jam=shut+lock", age=(10, 6), touches="motor")
trouble("binds now and then when shut", "misaligned", "installation",
        extra="sensor=1,jam=shut+lock+50%", age=(14, 6), touches="motor")
trouble("jams just now", ("jammed", "bolt-stiff", "misaligned"), "installation",
        act=both(sim("jam", "on"), use), touches="motor")
trouble("motor slower each week", "motor-slow", "installation",
        past=lambda past: past.motor(28, 1900, 3400), touches="motor history")
trouble("not calibrated", "not-calibrated", "installation",
        act=both(key("calibrated=0"), look), touches="motor")
trouble("clock wrong", "clock-wrong", "installation", extra="clock-stuck=1",
        act=both(sim("clock", "+4000"), look), touches="clock")
trouble("clock lost", "clock-lost", "installation", extra="clock-stuck=1",
        act=both(sim("clock", "lost"), look), touches="clock")
trouble("other zone", "zone-wrong", "installation", extra="zone=300", touches="clock")
trouble("log switched off", "log-disabled", "installation", extra="logging=0", touches="log")
trouble("log overwritten", "log-gap", "installation", extra="log=20",
        away=key("log=1100"), touches="log")

# 5. Reset, keys, PIN
trouble("reset behind our back", "lock-reset", "reset", act=both(sim("reset"), look), alone=True)
trouble("key deleted by the app", ("lock-reset", "not-authorized"), "reset",
        act=both(lambda rig, lock: rig.sim(
            "app", lock.slug, "remove-phone", our_phone(rig, lock)), look), alone=True)
trouble("key disabled", ("key-disabled", "not-authorized"), "reset",
        act=both(lambda rig, lock: rig.sim(
            "app", lock.slug, "disable-phone", our_phone(rig, lock)), look), alone=True)
trouble("PIN changed", "bad-pin", "reset",
        act=both(key("pin=9182"),
                 lambda rig, lock: rig.try_ctl("verify-pin", lock.slug),
                 lambda rig, lock: rig.sim("turn", lock.slug, "unlock"), look), touches="pin log")
trouble("another lock in its place", "wrong-lock", "reset",
        away=key("id=1234ABCD"), alone=True)
trouble("no PIN, clock wrong", ("pin-required", "clock-wrong"), "reset", has_pin=False,
        act=both(sim("clock", "-7200"), look), touches="pin clock")

# 6. Firmware
trouble("old firmware", "firmware-outdated", "firmware",
        model="nuki:gen3", extra="firmware=3.4.7", touches="firmware")
trouble("firmware with a known fault", "firmware-faulty", "firmware",
        model="nuki:gen3", extra="firmware=3.1.3", touches="firmware")

trouble("worse since its update", "worse-since-update", "firmware",
        past=lambda past: past.radio(16, -62, attempts=12)
        .count_more(7, failures=6, attempts=8)
        .sample("firmware", 40, 0x04030a).sample("firmware", 8, 0x04030b),
        touches="firmware radio history")

# 8. Questions: how secure
trouble("codes tried out", "code-guessing", "questions", extra="keypad=1",
        act=both(app_code, wrong_codes), touches="keypad log")
trouble("keypad takes no codes", "code-guessing", "questions", extra="keypad=1",
        act=both(app_code, keypad_blocked), also=("keypad-locked",), touches="keypad log pin")
# The door opens although the bolt is out: what holds it is no longer in the wall.
trouble("door forced", "tampered", "questions", extra="sensor=1",
        act=both(look, key("frame=broken"), sim("door", "open"), look),
        touches="sensor motor log")


# ---- the history of the hub

class Past:
    """Rows of the history for one lock, as if the hub had measured them."""

    KINDS = {"percent": 1, "level": 2, "mv": 3, "sag": 4, "ma": 5, "mohm": 6, "celsius": 7,
             "lock_ms": 11, "unlock_ms": 12, "changed": 13, "firmware": 14}

    def __init__(self, lock_id, chance):
        self.lock_id = lock_id
        self.chance = chance
        self.samples = []
        self.days = {}
        self.now = int(time.time())

    def sample(self, kind, days_ago, value):
        self.samples.append((self.KINDS[kind], self.now - int(days_ago * DAY_S), int(value)))
        return self

    def count(self, days_ago, **counts):
        day = self.now // DAY_S - days_ago
        row = self.days.setdefault(day, {})
        for name, number in counts.items():
            row[name] = row.get(name, 0) + number
        return self

    def count_more(self, days, **counts):
        """The same on each of the last so many days."""
        for day in range(1, days + 1):
            self.count(day, **counts)
        return self

    def battery(self, days, first, last, until=0):
        """From @days ago to @until days ago the level went from @first to @last."""
        told = None
        for step in range((days - until) * 4 + 1):
            share = step / ((days - until) * 4)
            percent = 2 * round((first + (last - first) * share) / 2)
            if percent != told:
                self.sample("percent", days - (days - until) * share, percent)
                told = percent
        return self

    def motor(self, days, first_ms, last_ms):
        for day in range(days):
            now_ms = first_ms + (last_ms - first_ms) * day / (days - 1)
            for run in range(3):
                noise = self.chance.uniform(0.97, 1.03)
                at = days - day - run * 0.2
                self.sample("lock_ms", at, now_ms * noise)
                self.sample("unlock_ms", at - 0.1, now_ms * 0.87 * noise)
        return self

    def radio(self, days, rssi, attempts, failures=0, lost=0, evening=False):
        """So many attempts a day, of which so many failed or broke, heard at about @rssi."""
        names = ["rssi_50", "rssi_60", "rssi_70", "rssi_80", "rssi_90", "rssi_weaker"]
        parts = ["night", "morning", "noon", "evening"]
        for day in range(1, days + 1):
            good = attempts - failures
            self.count(day, attempts=attempts, failures=failures, links=good, link_s=4 * good,
                       link_time_ms=900 * good, ends_us=good - min(lost, good),
                       ends_lost=min(lost, good), ops_done=min(4, good))
            for number in range(attempts):
                self.count(day, **{parts[number % 4] + "_attempts": 1})
            for number in range(failures):
                part = "evening" if evening else parts[(number + day) % 4]
                self.count(day, **{part + "_failures": 1})
            for _ in range(120):
                dbm = rssi + self.chance.gauss(0, 3)
                self.count(day, **{names[min(5, max(0, int((-dbm - 41) // 10)))]: 1})
        return self

    def aged(self, rows):
        """What `lockhub-sim ctl age --json` told of the days that passed."""
        told = {}
        for row in rows:
            at = (self.now - row["at"]) / DAY_S
            values = {"percent": row["percent"] // 2 * 2, "mv": row["millivolt"],
                      "celsius": row["celsius"]}
            if row["moves"]:
                values |= {"sag": row["millivolt"] - row["lowest"], "ma": row["current"],
                           "mohm": row["milliohm"]}
            if row["lock-ms"]:
                values |= {"lock_ms": row["lock-ms"], "unlock_ms": row["unlock-ms"]}
            for kind, value in values.items():
                if told.get(kind) != value:
                    self.sample(kind, at, value)
                    told[kind] = value
        return self


def write_samples(db, past):
    """Among those that are there, in the order in which they were made."""
    if not past.samples:
        return
    last = {kind: value for kind, _, value in sorted(past.samples, key=lambda row: row[1])}
    there = db.execute("SELECT kind, at, value FROM sample WHERE lock_id = ?", [past.lock_id])
    # The hub keeps only what changes: it would have known these already.
    rows = past.samples + [row for row in there if last.get(row[0]) != row[2]]
    db.execute("DELETE FROM sample WHERE lock_id = ?", [past.lock_id])
    db.executemany(
        "INSERT INTO sample (lock_id, kind, at, is_time_trusted, value) VALUES (?, ?, ?, 1, ?)",
        [(past.lock_id, *row) for row in sorted(rows, key=lambda row: row[1])])


def write_past(rig, pasts):
    """Into the database of a hub that is stopped, for which it is its own memory."""
    with contextlib.closing(sqlite3.connect(rig.state / "lockhub.db")) as db, db:
        for past in pasts:
            write_samples(db, past)
            db.executemany(
                "INSERT INTO day_count (lock_id, day, key, value) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (lock_id, day, key) DO UPDATE SET value = value + excluded.value",
                [(past.lock_id, day, name, number) for day, counts in past.days.items()
                 for name, number in counts.items() if number > 0])


# ---- locks in a ward

HUB_CONFIG = "[hub]\ntime_zone = Etc/UTC\nunreachable_min = 1\n"
MODELS = ["nuki:gen1", "nuki:gen2", "nuki:gen3", "nuki:gen4", "nuki:5g"]


# What a maker tells of its firmware changes; of the virtual locks it is this, always.
FIRMWARE = {"nuki-gen1": ("1.10.1", "", ""), "nuki-gen2": ("2.8.15", "", ""),
            "nuki-gen3": ("3.5.20", "3.3.0", "loses its calibration"),
            "nuki-gen4": ("4.3.11", "", ""), "nuki-5g": ("5.4.6", "", "")}


def start_hub(rig, **kwargs):
    """A hub that knows only virtual machines and models of which all is known."""
    models = rig.dir / "models"
    root = rig.dir / "root"
    if not models.exists():
        root.mkdir()
        shutil.copytree(source_root() / "conf" / "models", models)
        for name, (newest, least, fault) in FIRMWARE.items():
            text = (models / f"{name}.ini").read_text()
            text = re.sub(r"(?ms)^\[firmware\]$.*?(?=^\[|\Z)", "", text)
            text += f"\n[firmware]\nnewest = {newest}\nchecked = 2026-11-01\n"
            if least:
                text += f"min = {least}\nfault = {fault}\n"
            (models / f"{name}.ini").write_text(text)
    rig.start_hub(env={"LOCKHUB_MODELS": str(models), "LOCKHUB_ROOT": str(root)}, **kwargs)


class Patient:
    """A virtual lock, what was done to it, and what the doctor said."""

    def __init__(self, number, troubles=(), model="nuki:gen4", extra="", rssi=-62, battery=80,
                 age=(), past=None, text="healthy"):
        self.troubles = tuple(troubles)
        self.text = " + ".join(one.name for one in self.troubles) or text
        for one in self.troubles:
            model = one.model if one.model != "nuki:gen4" else model
            rssi = min(rssi, one.rssi)
            age = one.age or age
        has_pin = all(one.has_pin for one in self.troubles)
        parts = ["zone=0", f"rssi={rssi}", f"battery={battery}", extra,
                 *(one.extra for one in self.troubles)]
        self.lock = Lock(f"lock-{number:03}", model,
                         f"54:D2:72:{number >> 16 & 255:02X}:{number >> 8 & 255:02X}"
                         f":{number & 255:02X}",
                         ("246810" if model == "nuki:5g" else "2468"))
        self.lock.extra = ",".join(part for part in parts if part)
        self.lock.code = 731946
        self.lock.has_pin = has_pin
        self.rssi = rssi
        self.age = age
        self.past = past
        self.target = None

    @property
    def slug(self):
        return self.lock.slug

    @property
    def causes(self):
        return tuple(cause for one in self.troubles for cause in one.causes)

    @property
    def also(self):
        return tuple(fault for one in self.troubles for fault in one.also)

    @property
    def findings(self):
        return [one["fault"] for one in self.target["findings"]]

    @property
    def first(self):
        if self.target is None:
            return "nothing known"
        return self.findings[0] if self.findings else "nothing"

    @property
    def is_right(self):
        if not self.troubles:
            return self.first == "nothing"
        return self.first in self.causes and all(fault in self.findings for fault in self.also)

    def named(self):
        """How many of its troubles the doctor has named at any place."""
        return sum(any(cause in self.findings for cause in one.causes) for one in self.troubles)

    def facts(self):
        """The JSON that whoever owns the checks needs to see why."""
        return json.dumps(self.target, separators=(",", ":"))


def targets_of(text, kind):
    return [target for target in json.loads(text)["targets"] if target["kind"] == kind]


def ask_doctor(rig, *args):
    """lockhubctl doctor; (exit status, the diagnosis)."""
    done = rig.try_ctl("doctor", *args, "--json", seconds=PROBE_PATIENCE_S)
    if done.returncode not in (0, 3, 4):
        raise Failure(f"doctor {' '.join(args)}: {done.returncode}\n{done.stderr[:1000]}")
    return done.returncode, json.loads(done.stdout)


def lock_target(diagnosis):
    return next(one for one in diagnosis["targets"] if one["kind"] == "lock")


def hub_target(diagnosis):
    return next(one for one in diagnosis["targets"] if one["kind"] == "hub")


class Ward:
    """Many patients in one simulator and at one hub; use as `with Ward(patients) as ward`."""

    def __init__(self, patients, speed=50, adapters=4, seed=1):
        self.patients = patients
        self.rig = Rig()
        self.speed = speed
        self.adapters = adapters
        self.chance = random.Random(seed)

    def __enter__(self):
        try:
            self.admit()
        except BaseException:
            self.rig.tell()
            self.rig.close()
            raise
        return self

    def __exit__(self, kind, error, trace):
        return self.rig.__exit__(kind, error, trace)

    def admit(self):
        rig = self.rig
        rig.start_bus()
        rig.start_sim(*(one.lock for one in self.patients), speed=self.speed,
                      args=["--adapters", self.adapters, "--seed", 7, "--patience", 41])
        # A hub keeps in mind so many strangers and no more.
        for one in self.patients:
            rig.range(one.lock, False)
        start_hub(rig, config=HUB_CONFIG, log_level="notice")
        for one in self.patients:
            self.pair(one)
        self.wait_for_rest()
        rig.hub.stop()
        pasts = [self.live_through(one) for one in self.patients]
        write_past(rig, pasts)
        start_hub(rig, log_level="notice")
        self.wait_for_rest()
        self.each(self.act)
        self.wait_for_rest()

    def pair(self, one):
        rig, lock = self.rig, one.lock
        # A signal that loses packets must not keep us from beginning.
        rig.range(lock, True)
        loss = rig.show(lock)["loss"]
        rig.sim("loss", lock.slug, "0")
        rig.sim_pairing(lock)
        words = ["--pin-stdin"] if lock.has_pin else []
        rig.ctl("pair", lock.address, "--name", lock.name, "--yes", *words,
                stdin=lock.pin + "\n" if lock.has_pin else "", seconds=90)
        rig.sim("loss", lock.slug, loss)

    def live_through(self, one):
        """The days before, while no hub looks."""
        rig = self.rig
        past = Past(rig.ids.setdefault(one.slug, self.ids[one.slug]), self.chance)
        if one.age:
            past.aged(rig.sim_json("age", one.slug, *one.age))
        if one.past is not None:
            one.past(past)
        for trouble_ in one.troubles:
            if trouble_.past is not None:
                trouble_.past(past)
            if trouble_.away is not None:
                trouble_.away(rig, one.lock)
        return past

    def act(self, one):
        for trouble_ in one.troubles:
            if trouble_.act is not None:
                trouble_.act(self.rig, one.lock)

    def wait_for_rest(self):
        """Until the hub has asked its locks whatever it wanted to know."""
        rig = self.rig
        last = None

        def is_resting():
            nonlocal last
            now = [(row["slug"], row["queue_length"], row["linked"], row["log_cursor"])
                   for row in rig.locks()]
            is_same, last = now == last, now
            return is_same and not any(row[1] for row in now)
        wait(is_resting, 120, "the hub rests", 0.5)
        self.ids = {row["slug"]: row["id"] for row in rig.locks()}

    def each(self, function, at_once=4):
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            list(pool.map(function, self.patients))

    def examine(self):
        def one_by_one(one):
            one.target = lock_target(ask_doctor(self.rig, one.slug)[1])
        self.each(one_by_one)
        return self.patients


# ---- the matrix

# Percent a day that a lock's cells lose by themselves, and with each run (src/sim/cells.c, body.h).
LOSS = {"alkaline": 0.12, "lithium": 0.10, "nimh": 0.25}
LOSS_PER_MOVE = 0.0125


def healthy(number, chance):
    """A lock to which nothing is wrong, unlike the others."""
    model = MODELS[number % len(MODELS)]
    sensor = chance.random() < 0.6
    rssi = -chance.randint(50, 80)
    battery = chance.randint(25, 100)
    days = chance.choice([0, 3, 7, 14, 21])
    moves = chance.choice([0, 2, 4, 6, 8, 12, 16, 24])
    cells = chance.choice(["alkaline", "alkaline", "lithium", "nimh"])
    celsius = chance.randint(8, 30)
    if battery < 45:
        # The cold lowers what a lock tells, and what is used a lot or discharges by itself ends soon: then
        # it would be right to say so.
        celsius, moves, cells = max(19, celsius), min(6, moves), "alkaline"
    extra = (f"cells={cells},cell-days={chance.randint(0, 500)},celsius={celsius},"
             f"friction={chance.randint(90, 125)},jitter={chance.randint(1, 6)},"
             f"sensor={int(sensor)}")
    if model != "nuki:gen1":
        extra += f",keypad={chance.choice([0, 0, 1])}"
    attempts = chance.randint(3, 20)

    def past(rows):
        if model == "nuki:gen1":  # its firmware tells no percentage
            rows.samples = [row for row in rows.samples if row[0] != Past.KINDS["percent"]]
        rows.radio(days, rssi, attempts, failures=int(attempts >= 10 and chance.random() < 0.5))
    spent = days * (LOSS[cells] + moves * LOSS_PER_MOVE)
    return Patient(number, model=model, extra=extra, rssi=rssi,
                   battery=min(100, round(battery + spent)), age=(days, moves) if days else (),
                   past=past if days else None,
                   text=f"healthy {model} {cells} {celsius} C {rssi} dBm {battery} % "
                        f"{moves} moves")


def pairs(chance, most):
    """Troubles that one lock can have together."""
    found = [(a, b) for i, a in enumerate(TROUBLES) for b in TROUBLES[i + 1:]
             if not (a.alone or b.alone or a.absent or b.absent or a.touches & b.touches or
                     (a.model != b.model and "nuki:gen4" not in (a.model, b.model)))]
    chance.shuffle(found)
    return found[:most]


def cohort(n_alone=None, n_pairs=30, n_healthy=100, seed=3):
    """The patients of the matrix; small numbers make a small one of the same kind."""
    chance = random.Random(seed)
    alone = list(TROUBLES)
    if n_alone is not None:
        # Absence takes its time; test-doctor.py has all of it.
        alone = [one for one in alone if not one.absent]
        chance.shuffle(alone)
        alone = alone[:n_alone]
    groups = [(one,) for one in alone] + pairs(chance, n_pairs)
    patients = [Patient(number, group) for number, group in enumerate(groups)]
    return patients + [healthy(len(patients) + number, chance) for number in range(n_healthy)]


# A message bus allows 512 match rules to each client, and the hub needs up to eight a lock.
WARD_MOST = 50


def examine_all(patients, note):
    """Those that keep a radio busy by their absence in a ward of their own, the others by the ward."""
    absent = [one for one in patients if any(trouble_.absent for trouble_ in one.troubles)]
    present = [one for one in patients if one not in absent]
    groups = [present[at:at + WARD_MOST] for at in range(0, len(present), WARD_MOST)]
    for group in [*groups, absent]:
        if group:
            began = time.monotonic()
            with Ward(group, adapters=8 if group is absent else 4) as ward:
                admitted = time.monotonic()
                ward.examine()
            note(f"{len(group)} locks: {admitted - began:.0f} s until all was as it is, "
                 f"{time.monotonic() - admitted:.0f} s to examine")
    return patients


def report(patients, note):
    """Prints the matrix. Returns (share of right firsts, false accusations)."""
    ill = [one for one in patients if one.troubles]
    well = [one for one in patients if not one.troubles]
    right = sum(one.is_right for one in ill)
    note(f"{'injected':58} first finding")
    for one in ill:
        mark = " " if one.is_right else "!"
        wanted = " or ".join(one.causes) + "".join(f" and {fault}" for fault in one.also)
        wanted = "" if one.is_right else f"   (wanted {wanted})"
        rest = f" +{len(one.findings) - 1}" if one.target and len(one.findings) > 1 else ""
        note(f"{mark} {one.text:56} {one.first}{rest}{wanted}")
    false = [one for one in well if not one.is_right]
    for one in false:
        note(f"! {one.text:56} {' '.join(one.findings)}   (wanted nothing)")
    named = sum(one.named() for one in ill if one.target)
    share = 100 * right / len(ill) if ill else 100
    note(f"diagonal: {right} of {len(ill)} ({share:.1f} %), "
         f"named at all: {named} of {sum(len(one.troubles) for one in ill)}, "
         f"false accusations: {len(false)} of {len(well)} healthy locks")
    return share, len(false)
