# SPDX-License-Identifier: LGPL-2.1-or-later
"""Headless Chromium, for tests that look at a page: spoken to over its pipe, nothing listens.

    with Browser() as browser:
        page = browser.open("/tmp/page.html", width=360, is_dark=True)
        page.evaluate("document.title")
        page.screenshot("/tmp/page.png")
"""

import base64
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import tempfile
import time

from rig import PATIENCE, Failure, Skipped

ANSWER_SECONDS = 60


class Browser:
    def __init__(self):
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        if program is None:
            raise Skipped("chromium is not installed")
        self.home = tempfile.mkdtemp(prefix="lockhub-browser-")
        self.count = 0
        self.events = []
        self.buffer = b""
        to_read, self.writer = os.pipe()
        self.reader, to_write = os.pipe()

        def prepare():
            # The browser wants them as 3 and 4; neither may overwrite the other on the way.
            first, second = os.dup(to_read), os.dup(to_write)
            high = [os.dup2(fd, 60 + i, True) for i, fd in enumerate((first, second))]
            os.dup2(high[0], 3, True)
            os.dup2(high[1], 4, True)
            os.setsid()
        environment = dict(os.environ, HOME=self.home, XDG_CONFIG_HOME=self.home,
                           XDG_CACHE_HOME=self.home, DBUS_SESSION_BUS_ADDRESS="disabled:")
        # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
        self.process = subprocess.Popen(
            [program, "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--force-color-profile=srgb", "--hide-scrollbars", f"--user-data-dir={self.home}/data",
             "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=environment, preexec_fn=prepare, close_fds=False)
        os.close(to_read)
        os.close(to_write)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.writer)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self.reader)
        shutil.rmtree(self.home, ignore_errors=True)

    def _next(self, deadline):
        while b"\0" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.reader], [], [], left)[0]:
                raise Failure("chromium does not answer")
            piece = os.read(self.reader, 1 << 20)
            if not piece:
                raise Failure("chromium ended")
            self.buffer += piece
        line, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(line)

    def call(self, method, session=None, **params):
        self.count += 1
        message = {"id": self.count, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        os.write(self.writer, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + ANSWER_SECONDS * PATIENCE
        while True:
            answer = self._next(deadline)
            if answer.get("id") == self.count:
                if "error" in answer:
                    raise Failure(f"chromium: {method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def wait_event(self, method, session):
        deadline = time.monotonic() + ANSWER_SECONDS * PATIENCE
        while True:
            for event in self.events:
                if event.get("method") == method and event.get("sessionId") == session:
                    return event
            self.events.append(self._next(deadline))

    def open(self, path, width=1280, height=800, is_dark=False, medium="screen"):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        page.call("Page.enable")
        page.call("Network.enable")
        page.call("Runtime.enable")
        page.call("Log.enable")
        page.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 600)
        page.call("Emulation.setEmulatedMedia", media=medium, features=[
            {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}])
        page.call("Page.navigate", url=pathlib.Path(path).resolve().as_uri())
        self.wait_event("Page.loadEventFired", session)
        return page


class Page:
    def __init__(self, browser, session):
        self.browser = browser
        self.session = session

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def evaluate(self, script):
        """The value of an expression, which may be a promise."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in result:
            raise Failure(f"in the page: {result['exceptionDetails']}")
        return result["result"].get("value")

    def requests(self):
        """Addresses that the page asked for, its own left out."""
        own = self.evaluate("location.href")
        return [event["params"]["request"]["url"] for event in self.browser.events
                if event.get("method") == "Network.requestWillBeSent"
                and event.get("sessionId") == self.session
                and event["params"]["request"]["url"] != own]

    def complaints(self):
        """What the console says: refused scripts and styles, errors."""
        return [event["params"] for event in self.browser.events
                if event.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown",
                                           "Page.javascriptDialogOpening")
                and event.get("sessionId") == self.session]

    def screenshot(self, path):
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True, format="png")["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))

    def print_pdf(self, path):
        data = self.call("Page.printToPDF", printBackground=False, preferCSSPageSize=False)["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))
