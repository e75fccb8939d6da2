# SPDX-License-Identifier: LGPL-2.1-or-later
"""For the tests of MQTT: the broker of the sample files, certificates, and a road that can be bad."""

import contextlib
import os
import shutil
import socket
import subprocess
import threading
import time

from rig import BROKER_SEARCH, Broker, Child, Failure, Skipped, is_listening, source_root, wait

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
SAMPLES = source_root() / "conf" / "mosquitto"

PUBLISH = 0x30
DUP = 0x08


def a_port():
    """A port of loopback, and the socket that keeps it ours: mosquitto takes it all the same."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return holder.getsockname()[1], holder


class Authority:
    """Makes certificates in the rig's folder."""

    def __init__(self, rig, name="ca"):
        self.rig = rig
        self.name = name
        self.openssl("req", "-x509", *KEY, "-days", "9", "-keyout", f"{name}.key", "-out",
                     f"{name}.crt", "-subj", f"/CN=Test {name}")

    def openssl(self, *words):
        done = subprocess.run(["openssl", *words], cwd=self.rig.dir, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise Failure(f"openssl {' '.join(words)}: {done.stdout}")

    def sign(self, name, subject="localhost", days=9):
        (self.rig.dir / "ext").write_text(f"subjectAltName=DNS:{subject}\n")
        self.openssl("req", *KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj",
                     f"/CN={subject}")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{self.name}.crt", "-CAkey",
                     f"{self.name}.key", "-CAcreateserial", "-days", str(days), "-out",
                     f"{name}.crt", "-extfile", "ext")


class SampleBroker(Broker):
    """mosquitto with conf/mosquitto as it is shipped: only paths and ports are others, and the lines of
    the listener with TLS are taken out of their comment. The rig looks on as Home Assistant."""

    LOGINS = {"lockhub": "hub-in-this-test", "homeassistant": "ha-in-this-test",
              "display": "display-in-this-test"}

    def start(self):
        daemon = shutil.which("mosquitto", path=BROKER_SEARCH)
        if daemon is None:
            raise Skipped("mosquitto is not installed")
        folder = self.rig.dir
        if self.child is None:
            self.is_stranger = False
            self.tls_port, self.tls_holder = a_port()
            self.port, self.holder = a_port()
            Authority(self.rig).sign("server")
            for user, password in self.LOGINS.items():
                secret = folder / f"password-{user}"
                secret.write_text(password)
                secret.chmod(0o600)
                is_new = [] if (folder / "lockhub.passwd").exists() else ["-c"]
                subprocess.run(["mosquitto_passwd", "-b", *is_new, folder / "lockhub.passwd", user,
                                password], check=True, capture_output=True)
            (folder / "lockhub.acl").write_bytes((SAMPLES / "acl").read_bytes())
            (folder / "lockhub.acl").chmod(0o600)
        text = (SAMPLES / "mosquitto.conf").read_text()
        head, tls = text.split("#listener 8883\n")
        text = head + "listener 8883\n" + "".join(
            line.removeprefix("#") for line in tls.splitlines(keepends=True))
        for old, new in {"/run/mosquitto/lockhub.sock": self.socket,
                         "listener 1883 localhost": f"listener {self.port} localhost",
                         "listener 8883": f"listener {self.tls_port} localhost",
                         "/etc/mosquitto": folder}.items():
            if old not in text:
                raise Failure(f"{old} is not in the sample file")
            text = text.replace(old, str(new))
        user = "user root\n" if os.getuid() == 0 else ""
        self.config.write_text(f"{user}log_type all\nlog_timestamp false\n{text}")
        self.socket.unlink(missing_ok=True)
        self.child = Child(self.rig, "mosquitto", [daemon, "-c", self.config])
        wait(lambda: is_listening(self.child, self.socket), 10, "mosquitto listens")

    def login(self, user):
        return ["-u", user, "-P", self.LOGINS[user]]

    def client_args(self):
        return [*super().client_args(), *([] if self.is_stranger else self.login("homeassistant"))]


class Road:
    """A UNIX socket that leads to the broker's. All that comes back is kept packet by packet."""

    def __init__(self, rig):
        self.path = rig.dir / "road.sock"
        self.broker = rig.broker.socket
        self.is_silent = False   # takes what comes, and passes nothing on
        self.octets_per_s = 0    # 0: as fast as it goes
        self.last_publish = None  # the last PUBLISH to the hub on a topic that ends in lock/set
        self.ends = []
        self.lock = threading.Lock()
        self.path.unlink(missing_ok=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            hub, _ = self.listener.accept()
            broker = socket.socket(socket.AF_UNIX)
            try:
                broker.connect(str(self.broker))
            except OSError:
                hub.close()
                continue
            with self.lock:
                self.ends = [hub, broker]
            threading.Thread(target=self._pass_on, args=(hub, broker), daemon=True).start()
            threading.Thread(target=self._bring_back, args=(broker, hub), daemon=True).start()

    def _send(self, to, octets):
        while self.is_silent:
            time.sleep(0.05)
        if self.octets_per_s:
            for octet in octets:
                time.sleep(1 / self.octets_per_s)
                to.sendall(bytes([octet]))
        else:
            to.sendall(octets)

    def _pass_on(self, hub, broker):
        with contextlib.suppress(OSError):
            while octets := hub.recv(65536):
                self._send(broker, octets)
        self._close(hub, broker)

    def _bring_back(self, broker, hub):
        with contextlib.suppress(OSError, EOFError):
            while True:
                packet = _packet(broker)
                if packet[0] & 0xF0 == PUBLISH and b"/lock/set" in packet[:80]:
                    self.last_publish = packet
                self._send(hub, packet)
        self._close(hub, broker)

    @staticmethod
    def _close(*ends):
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def again(self):
        """The broker sends the last command once more, as MQTT has it: with DUP."""
        packet = wait(lambda: self.last_publish, 10, "a command has passed")
        if packet[0] & 0x06 == 0:
            raise Failure("it came at QoS 0")
        with self.lock:
            self.ends[0].sendall(bytes([packet[0] | DUP]) + packet[1:])


def _octets(end, n):
    octets = b""
    while len(octets) < n:
        more = end.recv(n - len(octets))
        if not more:
            raise EOFError
        octets += more
    return octets


def _packet(end):
    """One MQTT control packet, header and all."""
    head = _octets(end, 2)
    while head[-1] & 0x80:
        head += _octets(end, 1)
    n = sum((digit & 0x7F) << (7 * i) for i, digit in enumerate(head[1:]))
    return head + _octets(end, n)
