# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rig of tests/hub with the real BlueZ below it, for the inside of a virtual machine.

What a case says to the virtual org.bluez (`rig.sim("bluez", "kill")`) is done to the real bluetoothd, so
that one set of cases runs on both. The private bus stays: bluetoothd goes to the bus that it is told.
"""

import os
import pathlib
import shutil
import subprocess

import rig

BLUETOOTHD = ("/usr/libexec/bluetooth/bluetoothd", "/usr/lib/bluetooth/bluetoothd")
MEMORY = pathlib.Path("/var/lib/bluetooth")
LOGS = pathlib.Path("/run/vm-log")
# An emulated processor does not keep up with a lock that lives twenty times as fast.
SPEED_MOST = 4


class RealRig(rig.Rig):
    """A Rig whose org.bluez is the distribution's."""

    case = "case"
    is_controller_first = True
    count_of_rigs = 0

    def __init__(self, keep=False):
        super().__init__(keep)
        self.bluetoothd = None
        self.bluetoothd_args = []
        self.monitor = None
        RealRig.count_of_rigs += 1
        self.logs = LOGS / f"{RealRig.count_of_rigs:02d}-{RealRig.case}"
        self.logs.mkdir(parents=True)

    def close(self):
        if self.monitor is not None:
            self.monitor.terminate()
            self.monitor.wait()
        keep, self.keep = self.keep, True
        super().close()
        for path in [*self.dir.glob("*.log"), self.config, self.dir / "sim.json"]:
            if path.exists():
                shutil.copy(path, self.logs)
        if not keep:
            shutil.rmtree(self.dir, ignore_errors=True)

    def start_bus(self, rules=""):
        super().start_bus(rules)
        # A new one writes a file of its own.
        number = len(list(self.logs.glob("bus-*.pcap"))) + 1
        with open(self.logs / f"bus-{number}.pcap", "wb") as trace:
            # pylint: disable=consider-using-with
            self.monitor = subprocess.Popen(
                ["dbus-monitor", "--address", self.bus_address, "--pcap"],
                stdin=subprocess.DEVNULL, stdout=trace, stderr=subprocess.DEVNULL)

    # -- the radio

    def start_sim(self, *locks, speed=None, args=()):
        self.speed = min(speed or self.speed, SPEED_MOST)
        super().start_sim(*locks, speed=self.speed, args=["--face=vhci", *args])

    def restart_sim(self):
        super().restart_sim()
        # A controller is hardware: the kernel gives it two seconds for an answer. So quick a one has
        # bluetoothd answer Connect before it could say Connected=true: the hub knows that, bleak does not.
        if self.is_controller_first:
            os.setpriority(os.PRIO_PROCESS, self.sim_child.pid, -15)
        if self.bluetoothd is None or not self.bluetoothd.is_running():
            # Nothing of an earlier case.
            shutil.rmtree(MEMORY, ignore_errors=True)
            MEMORY.mkdir(mode=0o700)
            self.start_bluetoothd()

    def start_bluetoothd(self):
        daemon = next((path for path in BLUETOOTHD if pathlib.Path(path).exists()), None)
        if daemon is None:
            raise rig.Skipped("bluetoothd is not installed")
        self.bluetoothd = rig.Child(self, "bluetoothd", [daemon, "-n", *self.bluetoothd_args], env=self.env())
        self.wait_powered(True)

    def adapter(self, *words):
        return self.run(["busctl", f"--address={self.bus_address}", *words])

    def wait_powered(self, is_on):
        def is_so():
            if not self.bluetoothd.is_running():
                raise rig.Failure("bluetoothd: " + rig.tail(self.bluetoothd.output()))
            done = self.adapter("get-property", "org.bluez", "/org/bluez/hci0", "org.bluez.Adapter1",
                                "Powered")
            return done.stdout.split() == ["b", "true" if is_on else "false"]
        rig.wait(is_so, 20, "bluetoothd has an adapter", 0.1)

    def sim(self, *args):
        words = [str(arg) for arg in args]
        if words == ["bluez", "kill"]:
            self.bluetoothd.kill()
        elif words == ["bluez", "start"]:
            self.start_bluetoothd()
        elif words in (["adapter", "0", "off"], ["adapter", "0", "on"]):
            is_on = words[2] == "on"
            done = self.adapter("set-property", "org.bluez", "/org/bluez/hci0", "org.bluez.Adapter1",
                                "Powered", "b", "true" if is_on else "false")
            if done.returncode != 0:
                raise rig.Failure(f"adapter {words[2]}: {done.stderr}")
        else:
            return super().sim(*args)
        return ""
