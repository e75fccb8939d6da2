# SPDX-License-Identifier: LGPL-2.1-or-later
"""A whole hub in a folder: private bus, virtual locks, broker and lockhubd, each a child of ours.

    with Rig() as rig:
        rig.start_bus()
        rig.start_sim(FRONT)
        rig.start_broker()
        rig.start_hub()
        rig.pair(FRONT)
        rig.ctl("unlock", "front-door")
        rig.expect_topic("front-door", "lock/state", "UNLOCKED")

Nothing of it touches the system: the bus and the broker listen on sockets in a temporary folder. All
children are ended by pid on every way out; should this program be killed, the kernel ends them
(PR_SET_PDEATHSIG). Nobody sleeps for a fixed time: wait() polls a condition until its deadline.
"""

import contextlib
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

# Sanitizers and loaded machines make everything slower, never wrong.
PATIENCE = float(os.environ.get("LOCKHUB_PATIENCE", "1"))
PROGRAMS = {
    "lockhubd": "src/daemon/lockhubd",
    "lockhubctl": "src/ctl/lockhubctl",
    "lockhub-sim": "src/sim/lockhub-sim",
}
BROKER_SEARCH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"

_libc = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


class Failure(AssertionError):
    """Something that a test expected did not happen."""


class Skipped(Exception):
    """The machine lacks what the case needs."""


def source_root():
    return pathlib.Path(os.environ.get(
        "LOCKHUB_SOURCE_ROOT", pathlib.Path(__file__).resolve().parents[2]))


def unit_data_limit():
    """Octets of data that the packaged unit lets each of the hub's processes have."""
    text = (source_root() / "systemd/lockhubd.service.in").read_text()
    return int(re.search(r"^LimitDATA=(\d+)M$", text, re.M)[1]) * 1024 * 1024


def as_by_the_unit():
    """For start_hub(wrap=...): with the unit's limit; [] where the address sanitizer needs far more."""
    if b"__asan_init" in pathlib.Path(program("lockhubd")).read_bytes():
        return []
    return ["prlimit", f"--data={unit_data_limit()}", "--"]


def build_root():
    root = os.environ.get("LOCKHUB_BUILD_ROOT")
    if root is None:
        raise Failure("LOCKHUB_BUILD_ROOT names no build directory")
    return pathlib.Path(root)


def program(name):
    path = build_root() / PROGRAMS[name]
    if not path.exists():
        raise Failure(f"{path} has not been built")
    return str(path)


def wait(condition, seconds=10, what=None, every=0.02):
    """Polls until condition() is true, and returns what it returned."""
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            if callable(what):
                what = what()
            raise Failure(f"not within {seconds:g} s: {what or condition.__doc__ or condition}")
        time.sleep(every)


def never(condition, seconds, what):
    """For what must not happen: it is watched for that long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            raise Failure(f"happened though it must not: {what}: {value}")
        time.sleep(0.02)


def _in_child(parent):
    def prepare():
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
    return prepare


class Child:
    """A running program whose output goes to a file of the rig."""

    def __init__(self, rig, name, argv, env=None, stdin=subprocess.DEVNULL, **kwargs):
        self.name = name
        self.argv = [str(arg) for arg in argv]
        rig.count += 1
        self.log = rig.dir / f"{rig.count:02d}-{name}.log"
        with open(self.log, "wb") as log:
            # pylint: disable=consider-using-with
            self.process = subprocess.Popen(
                self.argv, stdin=stdin, stdout=log, stderr=subprocess.STDOUT, env=env,
                preexec_fn=_in_child(os.getpid()), **kwargs)
        rig.children.append(self)

    @property
    def pid(self):
        return self.process.pid

    def is_running(self):
        return self.process.poll() is None

    def output(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def send(self, number):
        if self.is_running():
            self.process.send_signal(number)

    def exit_status(self, seconds=10):
        try:
            return self.process.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} did not end within {seconds} s") from None

    def stop(self, number=signal.SIGTERM, seconds=30):
        """Ends it; its exit status (negative: by that signal)."""
        self.send(number)
        try:
            return self.exit_status(seconds)
        except Failure:
            self.process.kill()
            self.process.wait()
            raise

    def kill(self):
        if self.is_running():
            self.process.kill()
        return self.process.wait()


def is_listening(child, path):
    """Whether it takes connections there; its socket exists a moment before."""
    if not child.is_running():
        raise Failure(f"{child.name}: {child.output()}")
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
        probe.connect(str(path))
        return True
    return False


class Broker:
    """mosquitto on a UNIX socket; keeps what it was told when it is stopped, like a real one."""

    def __init__(self, rig, extra=""):
        self.rig = rig
        self.socket = rig.dir / "broker.sock"
        self.config = rig.dir / "mosquitto.conf"
        self.extra = extra
        self.child = None
        self.start()

    def start(self):
        daemon = shutil.which("mosquitto", path=BROKER_SEARCH)
        if daemon is None:
            raise Skipped("mosquitto is not installed")
        # As root it would become another user, whom the folder does not let in.
        user = "user root\n" if os.getuid() == 0 else ""
        self.config.write_text(
            f"{user}listener 0 {self.socket}\nallow_anonymous true\nset_tcp_nodelay true\n"
            f"max_inflight_messages 0\nlog_type all\nlog_timestamp false\n{self.extra}")
        self.socket.unlink(missing_ok=True)
        self.child = Child(self.rig, "mosquitto", [daemon, "-c", self.config])

        wait(lambda: is_listening(self.child, self.socket), 10, "mosquitto listens")

    def stop(self, number=signal.SIGTERM):
        self.child.stop(number)
        self.socket.unlink(missing_ok=True)

    def client_args(self):
        return ["--unix", str(self.socket)]


class Messages:
    """mosquitto_sub on everything: what was published, and what is retained now."""

    def __init__(self, rig, topic="#", args=()):
        self.lock = threading.Lock()
        self.all = []
        self.values = {}
        self.qos = {}
        # Two clients of one name would throw each other out.
        name = f"watch-{rig.count}-{len(rig.watchers)}"
        self.marker = f"rig/{name}"
        argv = ["mosquitto_sub", *rig.broker.client_args(), *args, "-i", name, "-q", "1",
                "-t", topic, "-t", "rig/#", "-F", "%j"]
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            preexec_fn=_in_child(os.getpid()))
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        rig.watchers.append(self)
        wait(lambda: self._is_listening(rig), 10, "mosquitto_sub has subscribed", every=0.05)

    def _is_listening(self, rig):
        if any(topic == self.marker for topic, _, _ in self.snapshot()):
            return True
        rig.publish(self.marker, "here")
        return False

    def _read(self):
        for line in self.process.stdout:
            try:
                message = json.loads(line)
            except ValueError:
                continue
            payload = message.get("payload")
            if isinstance(payload, (dict, list)):
                payload = json.dumps(payload)
            payload = "" if payload is None else str(payload)
            with self.lock:
                self.all.append((message["topic"], payload, bool(message.get("retain"))))
                self.values[message["topic"]] = payload
                self.qos[message["topic"]] = message.get("qos", 0)

    def snapshot(self):
        with self.lock:
            return list(self.all)

    def value(self, topic):
        with self.lock:
            return self.values.get(topic)

    def last(self):
        """{topic: what came last}: what lies there, as far as it is retained."""
        with self.lock:
            return dict(self.values)

    def count(self):
        with self.lock:
            return len(self.all)

    def on(self, topic, since=0):
        return [payload for t, payload, _ in self.snapshot()[since:] if t == topic]

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Hub:
    """lockhubd; its service manager is us."""

    def __init__(self, rig, args=(), env=None, is_ready_awaited=True, log_level="debug", wrap=()):
        self.rig = rig
        path = rig.dir / f"notify-{rig.count}"
        # pylint: disable=consider-using-with
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(path))
        self.told = []
        # A service manager that does not read would block its service.
        threading.Thread(target=self._listen, daemon=True).start()
        environment = rig.env() | {"NOTIFY_SOCKET": str(path), "LOCKHUB_LOG": log_level,
                                   "LOCKHUB_TRUST_CLOCK": "1"} | (env or {})
        self.started = time.monotonic()
        self.ready_after = None
        self.child = Child(
            rig, "lockhubd",
            [*wrap, program("lockhubd"), "--config", rig.config, "--state-dir", rig.state,
             "--bus-address", rig.bus_address, *args], env=environment)
        if is_ready_awaited:
            self.wait_ready()

    def _listen(self):
        while True:
            lines = self.notify.recv(4096).decode().splitlines()
            if not lines:
                self.notify.close()
                return
            self.told += lines

    def notifications(self):
        """What it has told its service manager: READY=1, STATUS=..., STOPPING=1."""
        return self.told

    def wait_ready(self, seconds=15):
        def is_ready():
            if not self.child.is_running():
                raise Failure(f"lockhubd ended with {self.child.process.returncode}:\n"
                              + tail(self.child.output(), 30))
            return "READY=1" in self.notifications()
        wait(is_ready, seconds, "lockhubd is ready", 0.002)
        self.ready_after = time.monotonic() - self.started

    def stop(self, number=signal.SIGTERM):
        return self.child.stop(number)

    def log(self):
        return self.child.output()


def tail(text, lines=40):
    return "\n".join(text.splitlines()[-lines:])


class Lock:
    """What the rig knows of a virtual lock."""

    def __init__(self, slug, model, address, pin, name=None, key=None, extra=""):
        self.slug = slug
        self.model = model
        self.address = address
        self.pin = pin  # "": it has none
        self.key = key  # that its maker keeps, as a person gives it; such a lock has no PIN
        self.extra = extra
        self.name = name or slug.replace("-", " ").capitalize()


FRONT = Lock("front-door", "nuki:gen4", "54:D2:72:00:00:01", "4711")
BACK = Lock("back-door", "nuki:gen2", "54:D2:72:00:00:02", "1234")
GARAGE = Lock("garage", "nuki:5g", "54:D2:72:00:00:03", "271828")

# Listens nearly all the time, so that a beacon is heard soon; links end soon.
RADIO_CONFIG = """[ble]
watch_ms = 1800
watch_every_ms = 2000
linger_ms = 1000
"""

BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    {rules}
  </policy>
</busconfig>
"""


class Rig:
    """See the module's text."""

    def __init__(self, keep=False):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="lockhub-rig-"))
        self.keep = keep
        self.state = self.dir / "state"
        self.state.mkdir(mode=0o700)
        self.config = self.dir / "lockhubd.conf"
        self.bus_address = f"unix:path={self.dir}/bus"
        self.count = 0
        self.children = []
        self.watchers = []
        self.bus = None
        self.bus_rules = ""
        self.sim_child = None
        self.broker = None
        self.hub = None
        self.speed = 20
        self.sim_args = []
        self.ids = {}
        self.is_quiet = False

    # -- life

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        try:
            if kind is None:
                self.end_well()
        except BaseException:
            self.tell()
            raise
        finally:
            if kind is not None and issubclass(kind, Exception) and not issubclass(kind, Skipped):
                self.tell()
            self.close()

    def end_well(self):
        """A hub that still runs must stop in order, and without a sanitizer's word."""
        if self.hub is not None and self.hub.child.is_running():
            status = self.hub.stop()
            if status != 0:
                raise Failure(f"lockhubd ended with {status} on SIGTERM")
        if self.sim_child is not None and self.sim_child.is_running():
            self.sim_child.stop()
        for child in self.children:
            text = child.output()
            if re.search(r"Sanitizer|runtime error:|Assertion .* failed", text):
                raise Failure(f"{child.name}:\n" + tail(text))

    def close(self):
        for watcher in self.watchers:
            watcher.stop()
        # The hub first, the bus last.
        for child in reversed(self.children):
            child.send(signal.SIGTERM)
        deadline = time.monotonic() + 3
        for child in reversed(self.children):
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, deadline - time.monotonic()))
        for child in self.children:
            child.kill()
        if not self.keep:
            shutil.rmtree(self.dir, ignore_errors=True)

    def tell(self):
        """For a failed case: the last words of everybody."""
        if self.is_quiet:
            return
        for child in self.children:
            text = child.output().strip()
            if text:
                print(f"# --- {child.name} (pid {child.pid}, "
                      f"{'running' if child.is_running() else child.process.returncode})")
                lines = 60 if child.name == "lockhubd" else 15
                for line in tail(text, lines).splitlines():
                    print("#   " + line[:300])
        sys.stdout.flush()

    def env(self):
        env = dict(os.environ)
        for name in ("DBUS_SESSION_BUS_ADDRESS", "STATE_DIRECTORY", "CREDENTIALS_DIRECTORY",
                     "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM"):
            env.pop(name, None)
        env["DBUS_SYSTEM_BUS_ADDRESS"] = self.bus_address
        env["LOCKHUB_BUS_ADDRESS"] = self.bus_address
        # Not this machine's adapters, disk and model data.
        env["LOCKHUB_MODELS"] = str(source_root() / "conf/models")
        env["LOCKHUB_ROOT"] = str(self.dir / "root")
        env["LC_ALL"] = "C.UTF-8"
        env["NO_COLOR"] = "1"
        return env

    # -- the pieces

    def start_bus(self, rules=""):
        path = self.dir / "bus"
        path.unlink(missing_ok=True)
        config = self.dir / "bus.conf"
        self.bus_rules = rules
        config.write_text(BUS_CONFIG.format(path=path, rules=rules))
        self.bus = Child(self, "dbus-daemon", [
            "dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile"])
        wait(lambda: is_listening(self.bus, path), 10, "dbus-daemon listens")

    def start_broker(self, extra=""):
        self.broker = Broker(self, extra)

    def lock_args(self, lock):
        pin = f",pin={lock.pin}" if lock.pin else ""
        return ["--lock", f"name={lock.slug},model={lock.model},address={lock.address}{pin}"
                          f"{',' + lock.extra if lock.extra else ''}"]

    def start_sim(self, *locks, speed=None, args=()):
        self.speed = speed or self.speed
        self.sim_args = [
            "--bus-address", self.bus_address, "--state", self.dir / "sim.json",
            "--speed", self.speed, *args]
        for lock in locks:
            self.sim_args += self.lock_args(lock)
        self.restart_sim()

    def restart_sim(self):
        self.sim_child = Child(
            self, "lockhub-sim", [program("lockhub-sim"), *self.sim_args], env=self.env())

        def is_up():
            if not self.sim_child.is_running():
                raise Failure("lockhub-sim: " + tail(self.sim_child.output()))
            return "READY=1" in self.sim_child.output()
        wait(is_up, 10, "lockhub-sim is ready")

    def write_config(self, text=""):
        """A configuration with this rig's broker; @text goes on in the section [mqtt]."""
        config = RADIO_CONFIG
        if self.broker is not None:
            config += f"[mqtt]\nhost = {self.broker.socket}\nport = 0\n"
        self.config.write_text(config + text)

    def start_hub(self, *args, env=None, config=None, wait_ready=True, log_level="debug", wrap=()):
        """@wrap: a program that becomes lockhubd, with its arguments."""
        if config is not None or not self.config.exists():
            self.write_config(config or "")
        self.hub = Hub(self, args, env, wait_ready, log_level, wrap)
        if wait_ready and self.bus is not None and not self.bus_rules:
            # Ready is said of the locks; the name on the bus comes a moment later.
            wait(lambda: self.busctl(
                "call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "NameHasOwner", "s",
                "org.lockhub1")["data"][0], 10, "org.lockhub1 is owned")
        return self.hub

    def child(self, name, argv):
        return Child(self, name, argv, env=self.env())

    def restart_hub(self, number=signal.SIGTERM):
        status = self.hub.stop(number)
        if number == signal.SIGTERM and status != 0:
            raise Failure(f"lockhubd ended with {status} on SIGTERM")
        return self.start_hub()

    # -- programs that people use

    def run(self, argv, stdin="", seconds=60, env=None):
        return subprocess.run(
            [str(arg) for arg in argv], input=stdin, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=seconds * PATIENCE, check=False,
            env=env or self.env(), preexec_fn=_in_child(os.getpid()))

    def try_ctl(self, *args, stdin="", seconds=60):
        """lockhubctl, however it ends."""
        return self.run([program("lockhubctl"), *args], stdin, seconds)

    def ctl(self, *args, stdin="", seconds=60):
        """lockhubctl, which must succeed; what it printed."""
        done = self.try_ctl(*args, stdin=stdin, seconds=seconds)
        if done.returncode != 0:
            raise Failure(f"lockhubctl {' '.join(map(str, args))}: {done.returncode}\n"
                          f"{done.stdout}{done.stderr}")
        return done.stdout

    def ctl_json(self, *args):
        text = self.ctl(*args, "--json")
        try:
            return json.loads(text)
        except ValueError as error:
            raise Failure(f"lockhubctl {' '.join(args)} --json: {error}\n{text[:500]}") from None

    def timed_ctl(self, *args):
        """lockhubctl, which must succeed; how many seconds it took."""
        began = time.monotonic()
        self.ctl(*args)
        return time.monotonic() - began

    @staticmethod
    def note(text):
        """For whoever reads the test's output: a figure that was measured."""
        print("# " + "\n# ".join(text.splitlines()), flush=True)

    def try_sim(self, *args):
        return self.run([*self.sim_words(), *args])

    def sim(self, *args):
        """The simulator's own control, which must succeed."""
        done = self.try_sim(*args)
        if done.returncode != 0:
            raise Failure(f"lockhub-sim ctl {' '.join(map(str, args))}: {done.returncode}\n"
                          f"{done.stdout}{done.stderr}")
        return done.stdout

    def publish(self, topic, payload, retain=False, qos=1, args=()):
        done = self.run(
            ["mosquitto_pub", *self.broker.client_args(), *args, "-q", qos, "-t", topic,
             *(["-r"] if retain else []), *(["-n"] if payload is None else ["-s"])],
            stdin=payload or "")
        if done.returncode != 0:
            raise Failure(f"mosquitto_pub: {done.stderr}")

    def watch(self, topic="#", args=()):
        return Messages(self, topic, args)

    def dump(self, watcher):
        """What lies on the broker, and what else @watcher has seen: the form of tools/ha-validate."""
        fresh = self.watch()
        wait(lambda: fresh.value("lockhub/status"), 10, "the retained messages")
        kept = {topic for topic, payload, is_retained in fresh.snapshot() if is_retained and payload}
        topics = {topic for topic in (*fresh.values, *watcher.values)
                  if topic in kept or watcher.values.get(topic)}
        return {topic: {"payload": fresh.values.get(topic) or watcher.values[topic],
                        "retain": topic in kept,
                        "qos": fresh.qos.get(topic, watcher.qos.get(topic))}
                for topic in topics if not topic.startswith("rig/")}

    def subscriptions(self):
        """Topic filters that the hub has subscribed, by the broker's log."""
        found = set()
        is_ours = False
        for line in self.broker.child.output().splitlines():
            if "SUBSCRIBE from" in line:
                is_ours = "Received SUBSCRIBE from lockhub-" in line
            elif is_ours and re.match(r"\t\S+ \(QoS \d\)", line):
                found.add(line.split()[0])
            elif not line.startswith("\t"):
                is_ours = is_ours and "lockhub-" in line
        return sorted(found)

    # -- the hub as seen on the bus

    def busctl(self, *args):
        done = self.run(["busctl", f"--address={self.bus_address}", "--json=short", *args])
        if done.returncode != 0:
            raise Failure(f"busctl {' '.join(args)}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def lock_path(self, word):
        return self.busctl("call", "org.lockhub1", "/org/lockhub1/manager", "org.lockhub1.Manager",
                           "FindLock", "s", word)["data"][0]

    def prop(self, lock, name):
        """A property of the lock's object."""
        return self.busctl("get-property", "org.lockhub1", self.lock_path(lock.slug),
                           "org.lockhub1.Lock", name)["data"]

    def id(self, lock):
        if lock.slug not in self.ids:
            self.ids[lock.slug] = self.prop(lock, "Id")
        return self.ids[lock.slug]

    def status(self):
        data = self.busctl("get-property", "org.lockhub1", "/org/lockhub1/manager",
                           "org.lockhub1.Manager", "Status")["data"]
        return {key: value["data"] for key, value in data.items()}

    def expect_prop(self, lock, name, wanted, seconds=15):
        last = None

        def is_so():
            nonlocal last
            last = self.prop(lock, name)
            return last == wanted
        wait(is_so, seconds, lambda: f"{lock.slug}: {name} is {last!r}, wanted {wanted!r}", 0.05)

    # -- the simulator's side of the door

    def show(self, lock):
        return self.sim_json("show", lock.slug)

    def counters(self, lock):
        return self.show(lock)["counters"]

    def motor_runs(self, lock):
        """Commands that the lock has taken over the radio: (lock, unlock, unlatch)."""
        counters = self.counters(lock)
        return tuple(counters["commands-" + word] for word in ("lock", "unlock", "unlatch"))

    def sim_words(self):
        return [program("lockhub-sim"), "ctl", f"--bus-address={self.bus_address}"]

    def sim_json(self, *args):
        return json.loads(self.sim("--json", *args))

    def sim_pairing(self, lock):
        self.sim("pairing", lock.slug, "on")

    def turn(self, lock, where):
        self.sim("turn", lock.slug, where)

    def jam(self, lock, is_on):
        self.sim("jam", lock.slug, "on" if is_on else "off")

    def battery(self, lock, percent):
        self.sim("battery", lock.slug, percent)

    def range(self, lock, is_in):
        self.sim("range", lock.slug, "in" if is_in else "out")

    def trouble(self, lock, name, count=1):
        self.sim("fault", lock.slug, name, count)

    def memory(self):
        """What the virtual locks remember, their secrets too."""
        self.sim("save")
        return (self.dir / "sim.json").read_text()

    # -- what people do

    def pair(self, *locks):
        for lock in locks:
            if lock.key:
                self.ctl("pair", lock.address, "--name", lock.name, "--key-file", "-",
                         "--accept-weak", stdin=lock.key + "\n")
            elif not lock.pin:
                self.ctl("pair", lock.address, "--name", lock.name, "--yes", "--accept-weak")
            else:
                self.sim_pairing(lock)
                self.ctl("pair", lock.address, "--name", lock.name, "--yes", "--pin-stdin",
                         stdin=lock.pin + "\n")
            self.expect_prop(lock, "Reachable", True)

    def locks(self):
        return self.ctl_json("list")["locks"]

    def log_rows(self, *args):
        return self.ctl_json("log", *args)["events"]

    def topic(self, lock, leaf):
        return f"lockhub/{self.id(lock)}/{leaf}"

    def expect_topic(self, watcher, lock, leaf, wanted, seconds=15):
        topic = self.topic(lock, leaf)
        wait(lambda: watcher.value(topic) == wanted, seconds,
             lambda: f"{topic} is {watcher.value(topic)!r}, wanted {wanted!r}")

    def command(self, lock, payload, **kwargs):
        self.publish(self.topic(lock, "lock/set"), payload, **kwargs)


def a_hub(*locks, paired=True, broker=False, config="", speed=20, wrap=()):
    """A rig with everything running and these locks paired; use as `with a_hub(FRONT) as rig`."""
    rig = Rig()
    try:
        rig.start_bus()
        rig.start_sim(*locks, speed=speed)
        if broker:
            rig.start_broker()
        rig.start_hub(config=config, wrap=wrap)
        if locks:
            wait(lambda: rig.status()["radio_ready"], 15, "the radio is ready")
        if paired:
            rig.pair(*locks)
    except BaseException:
        rig.tell()
        rig.close()
        raise
    return rig


def a_paired_hub(*locks, **kwargs):
    """The same with a broker, if nothing else is said."""
    return a_hub(*locks, **{"broker": True, **kwargs})
