# SPDX-License-Identifier: LGPL-2.1-or-later
"""What stands between the hub and a broker in the tests of MQTT: a road that can be bad."""

import contextlib
import socket
import threading
import time

from rig import Failure, wait

PUBLISH = 0x30
DUP = 0x08


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
