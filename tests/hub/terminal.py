# SPDX-License-Identifier: LGPL-2.1-or-later
"""Somebody at a terminal, who reads what lockhubctl asks and types."""

import os
import pty
import select
import subprocess
import time

from case import expect
from rig import PATIENCE, program


class Terminal:
    """lockhubctl on a terminal of its own."""

    def __init__(self, rig, *words):
        self.master, slave = pty.openpty()
        env = dict(rig.env(), TERM="xterm", LC_ALL="C.UTF-8")
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [program("lockhubctl"), *words], stdin=slave, stdout=slave, stderr=slave, env=env,
            start_new_session=True)
        os.close(slave)
        self.text = ""

    def read_until(self, word, seconds=30):
        deadline = time.monotonic() + seconds * PATIENCE
        while word not in self.text:
            expect(time.monotonic() < deadline, lambda: f"no {word!r} in {self.text!r}")
            ready, _, _ = select.select([self.master], [], [], 0.1)
            if ready and not self._read():
                break
        expect(word in self.text, lambda: f"no {word!r} in {self.text!r}")

    def _read(self):
        try:
            data = os.read(self.master, 4096)
        except OSError:  # the other end is closed
            return False
        self.text += data.decode(errors="replace")
        return bool(data)

    def type(self, text):
        os.write(self.master, text.encode())

    def finish(self, seconds=60):
        deadline = time.monotonic() + seconds * PATIENCE
        while time.monotonic() < deadline:
            ready, _, _ = select.select([self.master], [], [], 0.1)
            if ready and not self._read():
                break
        os.close(self.master)
        return self.process.wait(10 * PATIENCE)
