# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real Home Assistant, headless, as another child of the rig; and a client of its WebSocket API.

What is spoken here is documented at developers.home-assistant.io ("WebSocket API", "Authentication API");
the WebSocket itself by RFC 6455. Only what Python brings along is needed.
"""

import base64
import hashlib
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import struct
import threading
import time
import urllib.parse

from rig import PATIENCE, Child, Failure, wait

HERE = pathlib.Path(__file__).resolve().parent
# The first start writes thousands of .pyc files.
START_SECONDS = 180
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
# What Home Assistant says of itself in this set-up, and of nothing that we publish.
HARMLESS = re.compile(
    r"\[homeassistant\.bootstrap\] (Skipping pip|Support for the running Python)|"
    r"\[aiohttp_fast_zlib\]|"
    # A code and a value that a case had it refuse.
    r"The code for \S+ doesn't match pattern|Value 77\.0 for \S+ is outside valid range|"
    # A part of it that MQTT brings up at a restart, and that wants more than is installed.
    r"\[homeassistant\.setup\] Setup failed for 'camera': Unable to import component: No module named 'numpy'|"
    # The machine was slow.
    r"\[homeassistant\.helpers\.entity\] Updating state for \S+ \(.*\) took [\d.]+ seconds|"
    # It clears the topic of a device that goes once more for each entity that was disabled, and hears that;
    # and when the move from one form of discovery to the other ends as its documentation has it.
    r"No device components to cleanup for lockhub_|"
    # The broker was taken away by the case itself.
    r"\[paho\.mqtt\.client\] failed to (receive|send)|"
    r"\[homeassistant\.components\.mqtt\.client\] (Disconnected from MQTT server|Failed to connect to MQTT"
    r"|Error returned from MQTT server|Error in .*on_disconnect)")


def free_port():
    """A port that nobody has on the loopback now. Another could take it before we do: not on a test's."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Refused(Failure):
    """Home Assistant answered a request with an error."""

    def __init__(self, what, error):
        super().__init__(f"{what}: {error}")
        self.code = error.get("code") if isinstance(error, dict) else None


class Talk:
    """One WebSocket: requests, and events that were subscribed to."""

    def __init__(self, port, token):
        self.socket = socket.create_connection(("127.0.0.1", port), 30 * PATIENCE)
        self.stream = self.socket.makefile("rb")
        key = base64.b64encode(os.urandom(16))
        self.socket.sendall(
            b"GET /api/websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key +
            b"\r\n\r\n")
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.stream.readline()
            if not line:
                raise Failure("Home Assistant closed the WebSocket")
            head += line
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        if b" 101 " not in head or accept.lower() not in head.lower():
            raise Failure(f"no WebSocket: {head[:200]}")
        self.socket.settimeout(None)
        self.lock = threading.Condition()
        self.is_open = True
        self.count = 0
        self.answers = {}
        self.events = []
        self._expect("auth_required")
        self._send({"type": "auth", "access_token": token})
        self._expect("auth_ok")
        threading.Thread(target=self._listen, daemon=True).start()

    def _frame(self):
        """(kind, payload) of the next frame that is not fragmented further."""
        whole, kind = b"", None
        while True:
            head = self.stream.read(2)
            if len(head) < 2:
                return None, b""
            length = head[1] & 0x7F
            if length == 126:
                length = struct.unpack(">H", self.stream.read(2))[0]
            elif length == 127:
                length = struct.unpack(">Q", self.stream.read(8))[0]
            payload = self.stream.read(length)
            this = head[0] & 0x0F
            if this >= 8:
                return this, payload
            kind = this or kind
            whole += payload
            if head[0] & 0x80:
                return kind, whole

    def _write(self, kind, payload):
        length = len(payload)
        head = bytes([0x80 | kind])
        if length < 126:
            head += bytes([0x80 | length])
        elif length < 1 << 16:
            head += bytes([0x80 | 126]) + struct.pack(">H", length)
        else:
            head += bytes([0x80 | 127]) + struct.pack(">Q", length)
        mask = os.urandom(4)
        self.socket.sendall(
            head + mask + bytes(octet ^ mask[i % 4] for i, octet in enumerate(payload)))

    def _send(self, message):
        self._write(1, json.dumps(message).encode())

    def _next(self):
        """The next message, a list of messages, or None at the end."""
        while True:
            kind, payload = self._frame()
            if kind is None or kind == 8:
                return None
            if kind == 9:
                self._write(10, payload)
            elif kind in (1, 2):
                return json.loads(payload)

    def _expect(self, kind):
        message = self._next()
        if message is None or message.get("type") != kind:
            raise Failure(f"Home Assistant said {message}, not {kind}")

    def _listen(self):
        message = None
        while True:
            try:
                message = self._next()
            except (OSError, ValueError):
                message = None
            with self.lock:
                if message is None:
                    self.is_open = False
                    self.lock.notify_all()
                    return
                for one in message if isinstance(message, list) else [message]:
                    if one["type"] == "result":
                        self.answers[one["id"]] = one
                    elif one["type"] == "event":
                        self.events.append((time.monotonic(), one["id"], one["event"]))
                self.lock.notify_all()

    def begin(self, kind, **params):
        with self.lock:
            self.count += 1
            number = self.count
        self._send({"id": number, "type": kind, **params})
        return number

    def call(self, kind, seconds=30, **params):
        number = self.begin(kind, **params)
        deadline = time.monotonic() + seconds * PATIENCE
        with self.lock:
            while number not in self.answers:
                left = deadline - time.monotonic()
                if left <= 0 or not self.is_open:
                    raise Failure(f"Home Assistant does not answer {kind} {params}")
                self.lock.wait(left)
            answer = self.answers.pop(number)
        if not answer["success"]:
            raise Refused(kind, answer["error"])
        return answer["result"]

    def close(self):
        self.socket.close()


class HomeAssistant:
    """Its folder lives as long as the rig does; start() and stop() as often as one likes.

    @how: {"root": a root folder to run it in, or None, "python": the Python of its environment}
    """

    def __init__(self, rig, how, broker_port, login):
        self.rig = rig
        self.how = how
        self.broker_port = broker_port
        self.login = login
        self.port = free_port()
        self.dir = rig.dir / "homeassistant"
        self.dir.mkdir()
        self.child = None
        self.talk = None
        self.token = None
        self.read = 0
        self.complaints = []
        text = (HERE / "configuration.yaml").read_text(encoding="utf-8")
        (self.dir / "configuration.yaml").write_text(
            text.replace("@PORT@", str(self.port)), encoding="utf-8")
        # The other steps of its first evening would set up integrations that ask the internet.
        storage = self.dir / ".storage"
        storage.mkdir()
        (storage / "onboarding").write_text(json.dumps({
            "version": 4, "minor_version": 1, "key": "onboarding",
            "data": {"done": ["core_config", "analytics", "integration"]}}), encoding="utf-8")
        (self.dir / "automations.yaml").write_text("[]\n", encoding="utf-8")

    def start(self):
        words = [self.how["python"], "-m", "homeassistant", "--skip-pip", "--log-no-color"]
        if self.how["root"]:
            argv = [HERE / "in-root", self.how["root"], self.dir, *words, "-c", "/config"]
        else:
            argv = [*words, "-c", self.dir]
        env = {name: value for name, value in self.rig.env().items()
               if not name.startswith(("PYTHON", "DBUS", "LOCKHUB"))}
        # It asks the internet for nothing here; should it try, it is told no at once.
        env.update(HOME=str(self.rig.dir), TZ="UTC")
        began = time.monotonic()
        self.read = 0
        self.child = Child(self.rig, "homeassistant", argv, env=env)
        return began

    def wait_up(self, seconds=START_SECONDS):
        def answers():
            if not self.child.is_running():
                raise Failure(f"Home Assistant ended: {self.child.output()[-3000:]}")
            try:
                return self.request("GET", "/api/onboarding")[0] in (200, 404)
            except OSError:
                return False
        wait(answers, seconds, "Home Assistant answers", 0.1)

    def request(self, method, path, body=None, form=None, token=None):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60 * PATIENCE)
        headers = {}
        data = None
        if form is not None:
            data = urllib.parse.urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        elif body is not None:
            data = json.dumps(body)
            headers["Content-Type"] = "application/json"
        if token or self.token:
            headers["Authorization"] = f"Bearer {token or self.token}"
        try:
            link.request(method, path, data, headers)
            answer = link.getresponse()
            text = answer.read().decode()
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            link.close()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text

    def ask(self, method, path, body=None, form=None, token=None):
        status, said = self.request(method, path, body, form, token)
        if status not in (200, 201):
            raise Failure(f"Home Assistant: {method} {path}: {status} {str(said)[:500]}")
        return said

    def onboard(self):
        """What a person does on the first evening, and a token for the tests."""
        client = f"http://127.0.0.1:{self.port}/"
        code = self.ask("POST", "/api/onboarding/users", {
            "name": "Test", "username": "test", "password": "only-in-this-test", "client_id": client,
            "language": "en"})["auth_code"]
        token = self.ask("POST", "/auth/token", form={
            "grant_type": "authorization_code", "code": code, "client_id": client})["access_token"]
        talk = Talk(self.port, token)
        self.token = talk.call("auth/long_lived_access_token", client_name="tests", lifespan=1)
        talk.close()
        self.connect()

    def add_broker(self):
        """Settings, Devices & services, Add integration, MQTT."""
        flow = self.ask("POST", "/api/config/config_entries/flow",
                        {"handler": "mqtt", "show_advanced_options": False})
        answer = {"broker": "127.0.0.1", "port": self.broker_port, "username": self.login[0],
                  "password": self.login[1]}
        path = f"/api/config/config_entries/flow/{flow['flow_id']}"
        done = self.ask("POST", path, answer)
        if done["type"] != "create_entry":
            raise Failure(f"the MQTT integration refuses: {done}")

    def connect(self):
        self.talk = Talk(self.port, self.token)

    def stop(self):
        if self.talk is not None:
            self.talk.close()
        status = self.child.stop(seconds=60)
        if status not in (0, -15):
            raise Failure(f"Home Assistant ended with {status}")

    def restart(self):
        self.stop()
        self.start()
        self.wait_up()
        self.connect()
        self.wait_running()

    def wait_running(self):
        wait(lambda: self.talk.call("get_config")["state"] == "RUNNING", START_SECONDS,
             "Home Assistant has started", 0.1)

    # -- what it knows

    def entities(self):
        """{unique id: row of the registry}, MQTT's only."""
        return {row["unique_id"]: self.talk.call(
            "config/entity_registry/get", entity_id=row["entity_id"])
                for row in self.talk.call("config/entity_registry/list") if row["platform"] == "mqtt"}

    def devices(self):
        """{identifier: row of the registry}, MQTT's only."""
        return {pair[1]: row for row in self.talk.call("config/device_registry/list")
                for pair in row["identifiers"] if pair[0] == "mqtt"}

    def states(self):
        return {row["entity_id"]: row for row in self.talk.call("get_states")}

    def state(self, entity):
        return self.states().get(entity)

    def expect_state(self, entity, wanted, seconds=20):
        """Waits for it; after how many seconds it was so."""
        began = time.monotonic()
        last = None

        def is_so():
            nonlocal last
            last = (self.state(entity) or {}).get("state")
            return last == wanted
        wait(is_so, seconds, lambda: f"{entity} is {last!r}, wanted {wanted!r}", 0.05)
        return time.monotonic() - began

    def service(self, name, entity=None, **data):
        domain, service = name.split(".")
        params = {"target": {"entity_id": entity}} if entity else {}
        return self.talk.call("call_service", domain=domain, service=service, service_data=data,
                              **params)

    def sent(self):
        """How many events have come in: a place to look from later."""
        with self.talk.lock:
            return len(self.talk.events)

    def changes(self, entity, since=0):
        """New states of an entity, as (time of arrival, state); subscribe() first."""
        with self.talk.lock:
            events = self.talk.events[since:]
        return [(at, event["data"]["new_state"]) for at, _, event in events
                if event.get("event_type") == "state_changed"
                and event["data"]["entity_id"] == entity and event["data"]["new_state"]]

    def subscribe(self):
        self.talk.call("subscribe_events", event_type="state_changed")

    # -- what it complains about

    def grumbles(self):
        """Lines of its log that are warnings or worse and not of this set-up's own making."""
        found = []
        for child in self.rig.children:
            if child.name == "homeassistant":
                found += [line for line in child.output().splitlines()
                          if re.search(r" (WARNING|ERROR|CRITICAL) \(", line)
                          and not HARMLESS.search(line)]
        return found

    def add_file(self, name, source):
        target = self.dir / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
