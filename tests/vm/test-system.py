# SPDX-License-Identifier: LGPL-2.1-or-later
"""The installed package under the real systemd, in a machine that boots with it; for run-cases.

All cases share one installation and go on where the one before left it.
"""

import atexit
import json
import os
import pathlib
import re
import shutil
import subprocess
import time

from case import case, expect, expect_equal, main
from real import RealRig
from rig import FRONT, Child, Skipped, wait

UNIT = "lockhubd.service"
STATE = pathlib.Path("/var/lib/lockhub")
KEY = bytes(range(32))
WATCHDOG_S = 10
PASSPHRASE = "the quick brown fox sleeps under the bridge"

# The simulator's own control, which is not for systems: only here does it need a policy.
SIM_POLICY = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><policy user="root">
<allow own="org.lockhub1.Sim"/><allow send_destination="org.lockhub1.Sim"/>
</policy></busconfig>
"""
BROKER = "/run/mosquitto/lockhub.sock"


class Installed(RealRig):
    """The system bus, systemd's bluetoothd and lockhubd; broker and locks are children of ours."""

    def __init__(self):
        super().__init__()
        self.bus_address = "unix:path=/run/dbus/system_bus_socket"

    def env(self):
        env = super().env()
        # systemctl and journalctl find their own way.
        del env["DBUS_SYSTEM_BUS_ADDRESS"]
        return env

    def start_bluetoothd(self):
        self.tool("systemctl", "start", "bluetooth.service")
        self.bluetoothd = Child(self, "bluetoothd-journal", ["journalctl", "-f", "-u", "bluetooth"])
        self.wait_powered(True)

    def tool(self, *words, seconds=60):
        done = self.run(words, seconds=seconds)
        expect_equal(done.returncode, 0, f"{' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def unit(self, *names, unit=UNIT):
        """Properties of the unit."""
        text = self.tool("systemctl", "show", unit, *(f"--property={name}" for name in names))
        values = dict(line.split("=", 1) for line in text.splitlines())
        return values[names[0]] if len(names) == 1 else values

    def journal(self):
        text = self.tool("journalctl", "--no-pager", "-o", "json", "-u", UNIT)
        return [json.loads(line) for line in text.splitlines()]

    def install(self):
        root = os.environ["LOCKHUB_VM_INSTALL"]
        self.tool("cp", "-a", f"{root}/.", "/")
        self.tool("systemd-sysusers")
        self.tool("journalctl", "--update-catalog")
        pathlib.Path("/etc/dbus-1/system.d/lockhub-sim.conf").write_text(SIM_POLICY)
        store = pathlib.Path("/etc/credstore")
        store.mkdir(mode=0o700, exist_ok=True)
        (store / "db-key").write_bytes(KEY)
        (store / "db-key").chmod(0o600)
        folder = pathlib.Path("/etc/lockhub")
        folder.mkdir(exist_ok=True)
        (folder / "lockhubd.conf").write_text(
            f"[ble]\nwatch_ms = 1800\nwatch_every_ms = 2000\n[mqtt]\nhost = {BROKER}\nport = 0\n")
        drop_in = pathlib.Path("/run/systemd/system") / f"{UNIT}.d" / "test.conf"
        drop_in.parent.mkdir()
        # A test does not wait for half a minute; the rest of the unit is what is installed.
        drop_in.write_text(f"[Service]\nWatchdogSec={WATCHDOG_S}\nEnvironment=LOCKHUB_LOG=debug\n")
        self.tool("systemctl", "daemon-reload")
        self.tool("systemctl", "reload", "dbus.service")
        shutil.rmtree(STATE, ignore_errors=True)

    def start_broker(self, extra=""):
        socket = pathlib.Path(BROKER)
        socket.parent.mkdir(exist_ok=True)
        config = self.dir / "mosquitto.conf"
        config.write_text(f"user root\nlistener 0 {BROKER}\nallow_anonymous true\n{extra}")
        Child(self, "mosquitto", ["/usr/sbin/mosquitto", "-c", config])
        wait(socket.exists, 10, "mosquitto listens")
        socket.chmod(0o666)

    def wait_active(self, seconds=30):
        wait(lambda: self.unit("ActiveState") == "active", seconds, "the unit is active", 0.3)


rig = Installed()
atexit.register(rig.close)


def proc_status(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


@case
def the_installed_unit_starts_in_its_sandbox():
    rig.install()
    rig.start_broker()
    rig.start_sim(FRONT)
    rig.tool("systemctl", "start", UNIT)
    values = rig.unit("ActiveState", "SubState", "Type", "MainPID", "NRestarts")
    expect_equal((values["ActiveState"], values["SubState"], values["Type"], values["NRestarts"]),
                 ("active", "running", "notify", "0"), "state")
    status = proc_status(values["MainPID"])
    expect(status["Uid"].split()[0] != "0", f"it runs as {status['Uid']}")
    expect_equal(int(status["CapEff"], 16), 0, "capabilities")
    expect_equal(status["NoNewPrivs"], "1", "NoNewPrivs")
    expect_equal(status["Seccomp"], "2", "Seccomp")
    wait(lambda: rig.status()["radio_ready"], 30, "the radio is ready", 0.3)
    wait(lambda: rig.status()["mqtt_connected"], 30, "the broker has been reached", 0.3)
    # Nothing that the sandbox keeps from it is missed.
    said = [row["MESSAGE"] for row in rig.journal() if "MESSAGE" in row]
    complaints = [text for text in said
                  if re.search(r"not permitted|Permission denied|Read-only file", text, re.I)]
    expect_equal(complaints, [], "complaints of the sandbox")


@case
def the_database_key_comes_from_the_credential_store():
    names = sorted(path.name for path in STATE.iterdir())
    expect("lockhub.db" in names, f"files: {names}")
    expect("db.key" not in names, f"files: {names}")
    expect_equal(oct(STATE.stat().st_mode & 0o777), "0o700", "mode of the folder")
    expect(STATE.stat().st_uid != 0, "the folder is root's")


@case
def a_lock_is_paired_and_opened_over_the_system_bus():
    rig.pair(FRONT)
    rig.ctl("unlock", FRONT.slug)
    rig.ctl("lock", FRONT.slug)
    expect_equal(rig.motor_runs(FRONT), (1, 1, 0), "motor runs")


def as_user(name, *words):
    return rig.run(["runuser", "-u", name, "--", "lockhubctl", "--system-bus", "--no-ask-password",
                    *words])


@case
def members_of_the_hubs_group_operate_and_others_are_not_let_in():
    rig.tool("useradd", "--no-create-home", "--groups", "lockhub", "alice")
    rig.tool("useradd", "--no-create-home", "mallory")
    before = rig.motor_runs(FRONT)
    for words in (["list"], ["unlock", FRONT.slug], ["lock", FRONT.slug]):
        alice = as_user("alice", *words)
        expect_equal(alice.returncode, 0, f"{words}: {alice.stdout}{alice.stderr}")
    # To manage is another role, for which polkit wants an administrator.
    alice = as_user("alice", "rename", FRONT.slug, "Barn")
    expect_equal(alice.returncode, 1, alice.stdout + alice.stderr)
    expect("llowed" in alice.stderr, alice.stderr)
    mallory = as_user("mallory", "unlock", FRONT.slug)
    expect_equal(mallory.returncode, 1, mallory.stdout + mallory.stderr)
    expect("group" in mallory.stderr, f"no hint: {mallory.stderr}")
    expect_equal(rig.motor_runs(FRONT), (before[0] + 1, before[1] + 1, before[2]), "motor runs")


@case
def journal_entries_explain_themselves():
    rig.sim("jam", FRONT.slug, "on")
    done = rig.try_ctl("unlock", FRONT.slug)
    expect_equal(done.returncode, 1, done.stdout + done.stderr)
    rig.sim("jam", FRONT.slug, "off")
    rows = [row for row in rig.journal() if row.get("MESSAGE_ID")]
    expect(rows, "no entry has a message id")
    catalog = rig.tool("journalctl", "--list-catalog")
    unknown = {row["MESSAGE_ID"] for row in rows if row["MESSAGE_ID"] not in catalog
               and row.get("_COMM") == "lockhubd"}
    expect_equal(unknown, set(), "message ids without a catalog entry")
    text = rig.tool("journalctl", "--no-pager", "-x", "-u", UNIT)
    expect(re.search(r"^░░ .*jam|^░░ .*block", text, re.I | re.M), "journalctl -x explains no jam")
    pin = re.compile(rf"(?<!\d){FRONT.pin}(?!\d)")
    for row in rows:
        # A time of journald's own may have these digits in it.
        told = {key: value for key, value in row.items() if not key.startswith("_")}
        expect(not pin.search(json.dumps(told)), f"the PIN is in the journal: {told}")
    rig.ctl("unlock", FRONT.slug)
    rig.ctl("lock", FRONT.slug)


def diagnosis(*args):
    done = rig.try_ctl("doctor", *args, "--json", seconds=240)
    expect(done.returncode in (0, 3, 4), f"doctor {args}: {done.returncode} {done.stderr}")
    return json.loads(done.stdout)


def hub_of(told):
    return next(one for one in told["targets"] if one["kind"] == "hub")


def hub_findings():
    return [(one["fault"], [proof["text"] for proof in one["proof"]])
            for one in hub_of(diagnosis())["findings"]]


def expect_first(fault):
    """Of the hub; returns its first remedy."""
    last = {}

    def is_first():
        last["hub"] = hub_of(diagnosis())
        return [one["fault"] for one in last["hub"]["findings"]][:1] == [fault]
    wait(is_first, 90, lambda: f"{fault} is first: {last['hub']['findings']}", 1)
    finding = last["hub"]["findings"][0]
    rig.note(f"doctor: {fault}: {[proof['text'] for proof in finding['proof']]}")
    return finding["remedies"][0]


# For what this machine has no source, inside of the sandbox or out of it.
NOT_HERE = {
    "power-supply",       # it is no Raspberry Pi
    "wifi-protection",    # there is no network
    "broker-protection",  # who may use a UNIX socket is a matter of files
    "backup",             # none was due yet
}


@case
def the_doctor_sees_from_its_sandbox_what_it_needs():
    began = time.time()
    hub = hub_of(diagnosis())
    results = {check["name"]: check["result"] for check in hub["checks"]}
    rig.note(" ".join(f"{name}={result}" for name, result in sorted(results.items())))
    blind = {name for name, result in results.items() if result == "unknown"}
    expect_equal(blind - NOT_HERE, set(), "checks of the hub that the sandbox blinds")
    # What is known is what root sees from outside.
    facts = hub["facts"]
    rig.note(json.dumps(facts))
    disk = os.statvfs(STATE)
    expect(abs(facts["disk_free"] - disk.f_bavail * disk.f_frsize) < 1 << 24, f"{facts} {disk}")
    expect(facts["database_size"] >= (STATE / "lockhub.db").stat().st_size, facts)
    expect_equal(facts["kernel"].split()[0], os.uname().release, "kernel")
    expect(facts["os"] in pathlib.Path("/etc/os-release").read_text(), facts)
    expect_equal(facts["board"],
                 pathlib.Path("/sys/class/dmi/id/product_name").read_text().strip(), "board")
    adapter, = facts["adapters"]
    expect_equal((adapter["name"], adapter["powered"], adapter["blocked"], adapter["chip"]),
                 ("hci0", True, False, "virtual"), "the adapter as the kernel has it")
    diagnosis("security")
    said = [row["MESSAGE"] for row in rig.journal()
            if "MESSAGE" in row and int(row["__REALTIME_TIMESTAMP"]) > began * 1e6]
    complaints = [text for text in said
                  if re.search(r"not permitted|Permission denied|Read-only file", text, re.I)]
    expect_equal(complaints, [], "complaints of the sandbox")


@case
def a_backup_is_made_and_verified_in_the_sandbox():
    """The key of a passphrase takes a child with 256 MiB, which OOMPolicy, ProcSubset and PrivateUsers must let be."""
    began = time.time()
    path = rig.dir / "system.backup"
    restarts = rig.unit("NRestarts")
    rig.ctl("backup", path, "--passphrase-file", "-", stdin=PASSPHRASE + "\n", seconds=180)
    rig.note(f"{path.stat().st_size} octets in {time.time() - began:.1f} s")
    expect_equal(path.stat().st_mode & 0o777, 0o600, "mode of the backup")
    done = rig.try_ctl("backup", "verify", path, "--passphrase-file", "-", stdin=PASSPHRASE + "\n", seconds=180)
    expect_equal(done.returncode, 0, done.stdout + done.stderr)
    expect("is good" in done.stdout, done.stdout)
    done = rig.try_ctl("backup", "verify", path, "--passphrase-file", "-", stdin="some other words\n", seconds=180)
    expect(done.returncode != 0 and "passphrase does not open" in done.stderr, done.stdout + done.stderr)
    wait(lambda: not (STATE / "backup.tmp").exists(), 60, "no database on the side is left")
    expect_equal((rig.unit("ActiveState"), rig.unit("NRestarts"), rig.unit("Result")),
                 ("active", restarts, "success"), "the unit")
    said = [row["MESSAGE"] for row in rig.journal()
            if isinstance(row.get("MESSAGE"), str) and int(row["__REALTIME_TIMESTAMP"]) > began * 1e6]
    complaints = [text for text in said
                  if re.search(r"not permitted|Permission denied|Read-only file|out of memory|oom-kill", text, re.I)]
    expect_equal(complaints, [], "complaints of the sandbox")


@case
def the_rfkill_of_the_kernel_is_named():
    folders = list(pathlib.Path("/sys/class/bluetooth/hci0").glob("rfkill*"))
    if not folders:
        raise Skipped("this kernel has no rfkill")
    (folders[0] / "soft").write_text("1")
    expect_equal(expect_first("adapter-blocked")["name"], "unblock-adapter", "remedy")
    (folders[0] / "soft").write_text("0")
    wait(lambda: "adapter-blocked" not in dict(hub_findings()), 60, "it is blocked no more", 1)
    # That is one switch, and power the other.
    rig.sim("adapter", "0", "on")
    wait(lambda: rig.status()["radio_ready"], 60, "the radio is ready", 0.3)
    rig.ctl("refresh", FRONT.slug)


@case
def bluetoothd_that_hangs_is_restarted_where_polkit_allows_it():
    pid = rig.unit("MainPID", unit="bluetooth.service")
    subprocess.run(["kill", "-STOP", pid], check=True)
    # Not without being allowed to: by lockhub's own configuration ...
    remedy = expect_first("bluez-hung")
    expect_equal((remedy["name"], remedy["by"]), ("restart-bluetooth", "person"), "remedy")
    config = pathlib.Path("/etc/lockhub/lockhubd.conf")
    usual = config.read_text()
    config.write_text(usual.replace("[ble]\n", "[ble]\nrestart_service = yes\n"))
    rig.tool("systemctl", "restart", UNIT)
    remedy = expect_first("bluez-hung")
    expect_equal((remedy["name"], remedy["by"]), ("restart-bluetooth", "hub"), "remedy")
    # ... and by polkit: it has tried by itself.
    wait(lambda: any(row.get("LOCKHUB_FAULT") == "restart-denied" for row in rig.journal()), 90,
         "it is told that polkit does not allow it", 1)
    expect_equal(rig.unit("MainPID", unit="bluetooth.service"), pid, "bluetoothd")
    wait(lambda: "restart-denied" in dict(hub_findings()), 60, "the doctor names it, too", 1)
    done = rig.try_ctl("fix", "hub", "bluez-hung", "restart-bluetooth", "--yes", "--json", seconds=240)
    result = json.loads(done.stdout)
    expect_equal((result["outcome"], result.get("fault")), ("failed", "restart-denied"), "fix while it is denied")
    rules = pathlib.Path("/usr/share/doc/lockhub/examples/systemd/bluetooth-restart.rules")
    rule = pathlib.Path("/etc/polkit-1/rules.d/60-lockhub-bluetooth.rules")
    shutil.copy(rules, rule)
    done = rig.try_ctl("fix", "hub", "bluez-hung", "restart-bluetooth", "--yes", "--json", seconds=240)
    expect_equal(done.returncode, 0, done.stdout[:2000] + done.stderr)
    result = json.loads(done.stdout)
    rig.note(f"fix: {result['outcome']}; before: {result['before']}; after: {result['after']}")
    expect_equal(result["outcome"], "helped", "outcome")
    expect("does not answer" in result["before"] and "answers" in result["after"], result)
    expect(rig.unit("MainPID", unit="bluetooth.service") != pid, "bluetoothd is the same")
    # As the cases after this one expect it.
    rule.unlink()
    config.write_text(usual)
    rig.tool("systemctl", "restart", UNIT)
    wait(lambda: rig.status()["radio_ready"], 60, "the radio is ready", 0.3)
    rig.ctl("refresh", FRONT.slug)


@case
def bluetooth_restarted_by_the_manager_within_an_unlock_is_survived():
    wait(lambda: not rig.prop(FRONT, "Linked"), 30, "the link is over", 0.2)
    before = rig.motor_runs(FRONT)[1]
    rig.ctl("unlock", FRONT.slug, "--no-wait")
    wait(lambda: rig.prop(FRONT, "Linked"), 15, "a link", 0.05)
    rig.tool("systemctl", "restart", "bluetooth.service")
    wait(lambda: rig.status()["radio_ready"], 40, "the radio is ready", 0.3)
    rig.ctl("refresh", FRONT.slug)
    runs = rig.motor_runs(FRONT)[1] - before
    expect(runs <= 1, f"unlocked {runs} times")
    rig.ctl("lock", FRONT.slug)
    expect_equal(rig.unit("NRestarts"), "0", "restarts of the hub")


@case
def a_hub_that_hangs_is_restarted_by_the_watchdog():
    pid = rig.unit("MainPID")
    began = time.monotonic()
    subprocess.run(["kill", "-STOP", pid], check=True)
    wait(lambda: rig.unit("NRestarts") == "1" and rig.unit("ActiveState") == "active", 60,
         lambda: f"it has been restarted: {rig.unit('NRestarts', 'ActiveState', 'Result')}", 0.5)
    rig.note(f"{time.monotonic() - began:.1f} s with a watchdog of {WATCHDOG_S} s")
    expect(rig.unit("MainPID") != pid, "it is the same process")
    rig.expect_prop(FRONT, "State", "locked", 30)
    rig.ctl("unlock", FRONT.slug)
    rig.ctl("log", "verify")


@case
def it_stops_in_order_within_an_operation_and_starts_on_demand():
    before = rig.motor_runs(FRONT)
    rig.ctl("lock", FRONT.slug, "--no-wait")
    # An operation that has not begun is let go when the hub stops.
    wait(lambda: rig.motor_runs(FRONT) != before, 60, "the lock has taken the command")
    rig.tool("systemctl", "stop", UNIT)
    values = rig.unit("ActiveState", "Result", "ExecMainStatus")
    expect_equal(values, {"ActiveState": "inactive", "Result": "success", "ExecMainStatus": "0"},
                 "how it ended")
    # D-Bus starts it when somebody asks.
    rig.ctl("list")
    rig.wait_active()
    rig.expect_prop(FRONT, "State", "locked", 40)
    rig.ctl("log", "verify")


main()
