#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Requests to the hub by MQTT, and the promise of docs/mqtt: every message on the broker fits the
schema that is written down for its topic, and a topic without one must not be used."""

import json
import re
import time

from case import case, expect, expect_equal, main
from rig import FRONT, GARAGE, Rig, source_root, wait
from schemas import Contract, examples

FRONT.extra = "keypad=2,sensor=1,door=closed"
CONFIG = """user_switches = yes
maintenance = yes
pin_code_base = zigbee2mqtt
"""
PAGES = ("mqtt.md", "mqtt-requests.md")


def request_names():
    """The rows of the table in src/mqtt/request.c."""
    text = (source_root() / "src" / "mqtt" / "request.c").read_text()
    table = text[text.index("rows[] = {"):]
    return re.findall(r'^\t\{ "([a-z_]+)", MQTT_REQUESTS', table[:table.index("};")], re.M)


class Asker:
    """Asks, and waits for the answer to just that."""

    def __init__(self, rig):
        self.rig = rig
        self.watcher = rig.watch("lockhub/#")
        self.count = 0

    def send(self, name, transaction, **data):
        self.rig.publish(f"lockhub/hub/request/{name}",
                         json.dumps({"transaction": transaction, **data}))

    def heard(self, name, transaction):
        return [answer for answer in map(json.loads, self.watcher.on(f"lockhub/hub/response/{name}"))
                if answer.get("transaction") == transaction]

    def answer(self, name, seconds=60, **data):
        self.count += 1
        transaction = f"test-{self.count}"
        self.send(name, transaction, **data)
        return wait(lambda: self.heard(name, transaction), seconds, f"an answer to {name}")[0]

    def ok(self, name, **data):
        answer = self.answer(name, **data)
        expect_equal(answer["status"], "ok", f"{name}: {answer}")
        return answer["data"]

    def refused(self, name, fault, **data):
        answer = self.answer(name, **data)
        expect_equal((answer["status"], answer.get("error", {}).get("name")), ("error", fault),
                     f"{name}: {answer}")


def a_hub(*locks, requests="admin", env=None):
    rig = Rig()
    try:
        rig.start_bus()
        rig.start_sim(*locks)
        rig.start_broker()
        # As systemd would start it, for those requests that need somebody who does.
        rig.start_hub(config=f"requests = {requests}\n{CONFIG}", env=env)
    except BaseException:
        rig.tell()
        rig.close()
        raise
    return rig


@case
def what_is_written_down_is_valid():
    contract = Contract()
    expect(contract.check_files() is None, contract.check_files)
    known = set(contract.names())
    used = {row["schema"] for row in contract.rows}
    expect(used <= known, f"topics.json names what is not there: {used - known}")
    helpers = {"transaction", "fault", "fault_or_null", "refusal", "time_or_null"}
    unused = {name for name in known - used if name.rsplit("/", 1)[-1] not in helpers}
    expect(not unused, f"no topic uses {unused}")
    names = request_names()
    expect(len(names) >= 10, f"only {names} were found in the table of requests")
    for name in names:
        for topic in (f"lockhub/hub/request/{name}", f"lockhub/hub/response/{name}"):
            expect(len(contract.rows_of(topic)) == 1, f"{topic} has no schema")
    shown = set()
    for page in PAGES:
        found, n_bare = examples(source_root() / "docs" / page)
        expect_equal(n_bare, 0, f"docs/{page}: JSON examples that name no schema")
        for name, text in found:
            for line in filter(None, text.split("\n\n")):
                fault = contract.misfit(name, line)
                expect(fault is None, f"docs/{page}: {line}\n{name}: {fault}")
            shown.add(name.rsplit("/", 1)[-1])
    missing = {f"{kind}_{name}" for name in names for kind in ("request", "response")} - shown
    expect(not missing, f"docs/mqtt-requests.md gives no example of {missing}")


@case
def a_wrong_payload_is_noticed():
    # The judge himself: a schema that lets everything pass would prove nothing.
    contract = Contract()
    good = {"lockhub/status": "online", "lockhub/0a1b2c3d/lock/state": "JAMMED",
            "lockhub/0a1b2c3d/battery": "87", "lockhub/0a1b2c3d/lock/set": '{"action":"LOCK"}'}
    for topic, payload in good.items():
        expect(contract.judge(topic, payload) is None, contract.judge(topic, payload))
        expect(contract.judge(topic, payload + "x"), f"{topic} takes anything")
    for topic, payload, is_retained in (
            ("lockhub/0a1b2c3d/new_thing", "1", False), ("lockhub/status", '"online"', True),
            ("lockhub/0a1b2c3d/battery", "101", True), ("lockhub/0a1b2c3d/door", "open", True),
            ("lockhub/0a1b2c3d/lock/set", '{"action":"LOCK","pin":"1"}', False),
            ("lockhub/0a1b2c3d/lock/set", "LOCK", True),
            ("lockhub/0a1b2c3d/event", '{"event_type":"locked"}', False),
            ("lockhub/hub/response/backup", '{"status":"ok"}', False),
            ("lockhub/hub/response/health", '{"status":"error","data":{}}', False)):
        expect(contract.judge(topic, payload, is_retained), f"{topic} {payload} was let pass")


def people_and_codes(rig):
    rig.ctl("user", "add", "Anna", "--lock", FRONT.slug)
    rig.ctl("code", "add", "Anna", "--stdin", stdin="482913\n")
    rig.publish("zigbee2mqtt/Front door/set", json.dumps(
        {"pin_code": {"user": 7, "user_type": "unrestricted", "user_enabled": True,
                      "pin_code": "731864"}}))
    rig.publish("zigbee2mqtt/Front door/get", json.dumps({"pin_code": {"user": 7}}))
    wait(lambda: rig.prop(FRONT, "Sync")["present"]["data"] == 2, 30, "both codes are in the lock")
    wait(lambda: len(rig.ctl_json("user", "list")["users"]) == 2, 10, "the user by MQTT")


def operations(rig, watcher):
    rig.command(FRONT, json.dumps({"action": "UNLOCK", "code": None, "ts": round(time.time(), 3),
                                   "id": "first"}))
    rig.expect_topic(watcher, FRONT, "lock/state", "UNLOCKED")
    rig.command(FRONT, "LOCK")
    rig.expect_topic(watcher, FRONT, "lock/state", "LOCKED")
    rig.command(FRONT, "SESAME")  # refused, and told so
    rig.publish(rig.topic(FRONT, "setting/NightModeStart/set"), "21:45")
    rig.expect_topic(watcher, FRONT, "setting/NightModeStart", "21:45")
    rig.turn(FRONT, "unlock")
    rig.expect_topic(watcher, FRONT, "lock/state", "UNLOCKED")
    rig.sim("keypad", FRONT.slug, "482913")
    rig.ctl("unlock", FRONT.slug)
    rig.jam(FRONT, True)
    rig.try_ctl("lock", FRONT.slug)
    rig.expect_topic(watcher, FRONT, "lock/state", "JAMMED")
    rig.expect_topic(watcher, FRONT, "problem", "ON")
    rig.jam(FRONT, False)
    rig.ctl("lock", FRONT.slug)
    rig.battery(FRONT, 9)
    rig.publish(rig.topic(FRONT, "button/check"), "PRESS")
    battery = rig.topic(FRONT, "battery")
    wait(lambda: int(watcher.value(battery)) <= 9, 60, lambda: watcher.value(battery))


def questions(rig, asker):
    health = asker.ok("health")
    expect_equal([(one["id"], one["reachable"]) for one in health["locks"]],
                 [(rig.id(FRONT), True), (rig.id(GARAGE), True)], "locks of the health")
    expect(health["bluetooth"]["ready"] and health["bluetooth"]["adapters"], health["bluetooth"])
    devices = asker.ok("devices")
    expect_equal((devices["total"], devices["next"]), (2, None), "devices")
    first = devices["devices"][0]
    expect_equal((first["slug"], first["brand"]), (FRONT.slug, "Nuki"), "the first device")
    expect("unlatch" in first["acts"], first["acts"])
    expect_equal(asker.ok("devices", start=1)["devices"][0]["slug"], GARAGE.slug, "the second one")
    options = asker.ok("options", id=FRONT.slug)
    expect(options["options"]["LEDBrightness"]["settable"], options)
    expect(not options["options"]["EnableAutoUnlatch"]["settable"], options)


def deeds(rig, asker):
    done = asker.ok("options", id=FRONT.slug,
                    options={"LEDBrightness": 1, "EnableInsideStatusLED": False})
    expect_equal(done["options"], {"LEDBrightness": "1", "EnableInsideStatusLED": "off"}, "set")
    options = asker.ok("options", id=FRONT.slug)["options"]
    expect_equal((options["LEDBrightness"]["value"], options["EnableInsideStatusLED"]["value"]),
                 ("1", "off"), "settings as the lock has them")
    # Nothing that lets anybody in, and nothing of a message one part of which is wrong.
    asker.refused("options", "denied", id=FRONT.slug,
                  options={"LEDBrightness": 5, "EnableAutoUnlatch": True})
    asker.refused("options", "bad-argument", id=FRONT.slug, options={"LEDBrightness": 99})
    expect_equal(asker.ok("options", id=FRONT.slug)["options"]["LEDBrightness"]["value"], "1",
                 "brightness")
    check = asker.ok("check", id=FRONT.slug)
    expect_equal(check["worst"], "findings", f"a check of a lock at 9 %: {check}")
    expect(any("battery" in one["fault"] or "cells" in one["fault"] for one in check["findings"]),
           check)
    asker.refused("check", "denied", id=FRONT.slug)  # so soon
    backup = asker.ok("backup")
    expect(backup["name"].startswith("by-request-") and backup["locks"] == 2, backup)
    expect((rig.state / "backup" / backup["name"]).exists(), f"{backup['name']} is not there")
    asker.ok("logging", level="debug", minutes=1)
    renamed = asker.ok("rename", id=GARAGE.slug, to="Haustür")
    expect_equal(renamed["slug"], "haustuer", "the new slug")
    expect_equal(rig.locks()[1]["name"], "Haustür", "the new name")
    asker.refused("rename", "no-such-lock", id="nowhere", to="x")
    asker.refused("restart", "denied")  # nobody would start it again
    asker.ok("restart", id=FRONT.slug)
    expect("front-door: > Request Reboot" in rig.hub.log(), "the lock was told nothing of it")


def the_end_of_a_lock(rig, asker):
    garage = rig.id(GARAGE)
    asker.refused("remove", "bad-argument", id="haustuer")
    gone = asker.ok("remove", id=garage)
    expect_equal(gone["id"], garage, "the lock that was removed")
    expect((rig.state / "backup" / gone["backup"]).exists(), f"{gone['backup']} is not there")
    expect_equal([lock["slug"] for lock in rig.locks()], [FRONT.slug], "locks that are left")


def judged(contract, watcher, kept=()):
    """All that was seen and fits; what was refused on purpose is left out."""
    seen = {(topic, payload, False) for topic, payload, _ in watcher.snapshot()}
    seen |= {(topic, payload, True) for topic, payload in kept}
    # Home Assistant's own form has a judge of its own: tools/ha-validate.
    seen = {(topic, payload, is_retained) for topic, payload, is_retained in seen
            if not topic.startswith(("rig/", "homeassistant/")) and payload != "SESAME"
            and topic not in ("lockhub/hub/request/no_such_thing", "lockhub/hub/request/remove")}
    faults = [fault for fault in (contract.judge(*message) for message in sorted(seen)) if fault]
    expect(not faults, lambda: f"{len(faults)} misfits:\n" + "\n".join(faults[:20]))
    return seen


@case
def every_message_fits_its_schema():
    contract = Contract()
    with a_hub(FRONT, GARAGE) as rig:
        watcher = rig.watch()
        rig.pair(FRONT, GARAGE)
        asker = Asker(rig)
        rig.expect_topic(watcher, FRONT, "lock/state", "LOCKED")
        people_and_codes(rig)
        operations(rig, watcher)
        questions(rig, asker)
        deeds(rig, asker)
        user = next(topic for topic in watcher.values if re.fullmatch("lockhub/hub/user_.{8}", topic))
        rig.publish(f"{user}/set", "OFF")
        wait(lambda: watcher.value(user) == "OFF", 10, f"{user} is off")
        rig.publish("lockhub/hub/request/no_such_thing", "{}")
        wait(lambda: watcher.on("lockhub/hub/response/unknown"), 10, "the answer to nonsense")
        kept = [(topic, payload) for topic, payload, is_retained in rig.watch().snapshot()
                if is_retained]
        expect(len(kept) > 30, f"only {len(kept)} retained messages were seen")
        the_end_of_a_lock(rig, asker)
        seen = judged(contract, watcher, kept)
        used = {row["topic"] for topic, _, _ in seen for row in contract.rows_of(topic)}
        rare = {row["topic"] for row in contract.rows} - used
        rig.note(f"{len(seen)} messages on {len(used)} kinds of topics; never seen: {sorted(rare)}")
        # What is locked away must not come out by any of them (L9).
        text = "\n".join(payload for topic, payload, _ in seen if not topic.endswith("/set"))
        for secret in ("482913", "731864", FRONT.pin + "\""):
            expect(secret not in text, f"{secret} was published")


@case
def a_lock_in_pairing_mode_is_paired_while_the_window_is_open():
    with a_hub(FRONT, GARAGE) as rig:
        asker = Asker(rig)
        rig.sim_pairing(FRONT)
        expect_equal(rig.locks(), [], "locks before the window")
        asker.ok("permit_pairing", time=300)
        wait(lambda: [lock["address"] for lock in rig.locks()] == [FRONT.address], 60,
             "the lock in pairing mode, and only that, is paired")

        def pairing():
            return json.loads(asker.watcher.value("lockhub/hub/pairing"))
        wait(lambda: pairing()["paired"] == 1, 10, pairing)
        expect(pairing()["open"] and 0 < pairing()["seconds"] <= 300, pairing)
        asker.ok("permit_pairing", time=0)
        wait(lambda: not pairing()["open"], 10, pairing)
        rig.sim_pairing(GARAGE)
        asker.ok("health")
        expect_equal(len(rig.locks()), 1, "locks after the window")
        judged(Contract(), asker.watcher)


@case
def the_hub_restarts_where_somebody_starts_it_again():
    with a_hub(FRONT, requests="maintain", env={"INVOCATION_ID": "0" * 32}) as rig:
        asker = Asker(rig)
        asker.refused("permit_pairing", "denied", time=60)
        asker.ok("restart")
        # As a failure, which is what Restart=on-failure starts again.
        expect_equal(rig.hub.child.exit_status(30), 75, "exit status")
        wait(lambda: asker.watcher.value("lockhub/status") == "offline", 10, "the farewell")
        rig.start_hub()
        wait(lambda: asker.watcher.value("lockhub/status") == "online", 15, "it is back")


main()
