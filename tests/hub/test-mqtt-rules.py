#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rules for commands and events by MQTT, M1 to M11 (docs/mqtt.md), by both versions of MQTT
where they differ. M10, floods, has a file of its own."""

import json
import re
import signal
import time

from case import case, expect, expect_equal, main
from mqtt import Road, SampleBroker
from rig import FRONT, PATIENCE, Rig, a_paired_hub, never, wait

OLD = "protocol = 3.1.1\n"
NEW = "protocol = 5\n"
BOTH = (OLD, NEW)


def unlocks(rig):
    return sum(rig.motor_runs(FRONT)[1:])


def says(rig, word, seconds=15):
    wait(lambda: word in rig.hub.log(), seconds, f"a line with {word!r} in the journal")


def is_online(rig):
    wait(lambda: rig.status()["mqtt"] == "ok" and rig.status()["mqtt_connected"], 20,
         lambda: f"mqtt is {rig.status()['mqtt']}: {rig.status().get('mqtt_text')}")


def kept(rig):
    """What lies on the broker: topic to payload."""
    fresh = rig.watch()
    found = {topic: payload for topic, payload, is_retained in fresh.snapshot()
             if is_retained and payload}
    fresh.stop()
    return found


def another_version(rig, version):
    """The same hub, with that version of MQTT from now on; the clean session is the broker's word."""
    rig.hub.stop()
    rig.start_hub(config=version)
    is_online(rig)
    wanted = "3.1.1" if version == OLD else "5"
    expect_equal(rig.status()["mqtt_protocol"], wanted, "what is spoken")


@case
def m1_an_unlock_sent_while_the_hub_is_away_never_runs():
    with a_paired_hub(FRONT) as rig:
        topic = rig.topic(FRONT, "lock/set")
        for version in BOTH:
            another_version(rig, version)
            rig.hub.stop()
            rig.publish(topic, "UNLOCK")
            rig.publish(topic, json.dumps({"action": "UNLOCK", "ts": time.time()}))
            rig.start_hub()
            is_online(rig)
            rig.expect_prop(FRONT, "State", "locked")
            # "c1": a clean session, and with MQTT 5 none outlives the connection ("p5").
            word = "(p2, c1," if version == OLD else "(p5, c1,"
            expect(word in rig.broker.child.output(), f"the broker saw {word}")
        never(lambda: unlocks(rig), 1, "an unlock of former times was carried out")


@case
def m2_a_retained_command_is_dropped_told_and_cleared():
    with a_paired_hub(FRONT, config=OLD) as rig:
        topic = rig.topic(FRONT, "lock/set")
        rig.hub.stop()
        rig.publish(topic, "UNLOCK", retain=True)
        rig.start_hub()
        says(rig, "a retained command lies on " + topic)
        wait(lambda: topic not in kept(rig), 10, "it is cleared", 0.2)
        # With MQTT 5 it is not even handed over...
        rig.hub.stop()
        rig.publish(topic, "UNLOCK", retain=True)
        rig.start_hub(config=NEW)
        is_online(rig)
        rig.expect_prop(FRONT, "State", "locked")
        expect("retained" not in rig.hub.log(), "it was handed over")
        # ...and one that comes meanwhile is known by its flag, which 3.1.1 does not show.
        rig.publish(topic, "UNLOCK", retain=True)
        says(rig, "a retained command lies on " + topic)
        wait(lambda: topic not in kept(rig), 10, "it is cleared", 0.2)
        # Whoever wants to keep it may.
        rig.hub.stop()
        rig.start_hub(config=NEW + "clear_retained = no\n")
        is_online(rig)
        rig.publish(topic, "UNLOCK", retain=True)
        says(rig, "a retained command lies on " + topic)
        expect(topic in kept(rig), "it was cleared")
        never(lambda: unlocks(rig), 0.5, "a retained unlock was carried out")


@case
def m3_no_unlock_is_carried_out_late():
    with a_paired_hub(FRONT, config=NEW) as rig:
        rig.range(FRONT, False)
        # The sender's own limit is shorter than ours...
        began = time.monotonic()
        rig.command(FRONT, "UNLOCK", args=[
            "-V", "5", "-D", "publish", "message-expiry-interval", "3"])
        wait(lambda: rig.hub.log().count(" unlock failed: ") == 1, 20, "it is given up")
        first = time.monotonic() - began
        # ...and ours is ten seconds.
        began = time.monotonic()
        rig.command(FRONT, json.dumps({"action": "UNLOCK", "ts": time.time()}))
        wait(lambda: rig.hub.log().count(" unlock failed: ") == 2, 20, "it is given up")
        second = time.monotonic() - began
        Rig.note(f"given up after {first:.1f} s by the sender's limit, {second:.1f} s by ours")
        expect(first < second and second <= 10 + 2 * PATIENCE, f"{first:.1f}, {second:.1f}")
        rig.range(FRONT, True)
        # It can be reached again, and is asked for something else.
        wait(lambda: rig.try_ctl("lock", FRONT.slug).returncode == 0, 30, "it locks", 0.5)
        never(lambda: unlocks(rig), 0.5, "a late unlock was carried out")


@case
def m3_an_id_is_good_for_one_command():
    with a_paired_hub(FRONT) as rig:
        for version in BOTH:
            another_version(rig, version)
            before = unlocks(rig)
            payload = json.dumps({"action": "UNLOCK", "id": "once-" + version[11:12]})
            rig.command(FRONT, payload)
            rig.expect_prop(FRONT, "State", "unlocked")
            rig.ctl("lock", FRONT.slug)
            refused = rig.status()["mqtt_refused"]
            rig.command(FRONT, payload)
            wait(lambda: rig.status()["mqtt_refused"] > refused, 10, "it is refused")
            expect_equal(unlocks(rig), before + 1, "unlocks")


@case
def m4_an_unlock_that_the_broker_sends_again_runs_once():
    with Rig() as rig:
        rig.start_bus()
        rig.start_sim(FRONT)
        rig.start_broker()
        road = Road(rig)
        first = True
        for version in BOTH:
            rig.config.write_text(
                f"[ble]\nwatch_ms = 1800\nwatch_every_ms = 2000\nlinger_ms = 1000\n"
                f"[mqtt]\nhost = {road.path}\nport = 0\n{version}")
            rig.start_hub()
            if first:
                rig.pair(FRONT)
            first = False
            is_online(rig)
            before = unlocks(rig)
            road.last_publish = None
            # A bare word has neither id nor time: only the flag tells that it is the same one.
            rig.command(FRONT, "UNLOCK")
            rig.expect_prop(FRONT, "State", "unlocked")
            rig.ctl("lock", FRONT.slug)
            expect_equal(rig.prop(FRONT, "State"), "locked", "state")
            road.again()
            says(rig, "sent the same message before")
            never(lambda: unlocks(rig) > before + 1, 0.5, "it was carried out again")
            # It is not the word that is refused now.
            rig.command(FRONT, json.dumps({"action": "UNLOCK", "ts": time.time()}))
            rig.expect_prop(FRONT, "State", "unlocked")
            rig.ctl("lock", FRONT.slug)
            rig.hub.stop()


@case
def m5_discovery_asks_for_commands_that_are_not_kept():
    with a_paired_hub(FRONT) as rig:
        is_online(rig)

        def discovery():
            return {topic: json.loads(payload) for topic, payload in kept(rig).items()
                    if topic.startswith("homeassistant/")}

        def lock_entities():
            return [component for config in discovery().values()
                    for component in config.get("components", {}).values()
                    if component["platform"] == "lock" and len(component) > 1]
        locks = wait(lock_entities, 15, "the lock's own message", 0.2)
        configs = discovery()
        expect_equal(len(locks), 1, "lock entities")
        expect_equal(locks[0]["retain"], False, "retain")
        expect_equal(locks[0]["optimistic"], False, "optimistic")
        expect(locks[0]["state_topic"], "a state topic")
        for config in configs.values():
            for component in config.get("components", {}).values():
                expect(not component.get("retain"), component)
                expect(not component.get("optimistic"), component)


@case
def m6_all_is_there_again_after_the_broker_has_lost_its_store():
    with a_paired_hub(FRONT) as rig:
        is_online(rig)
        before = kept(rig)
        expect(len(before) > 20, before)
        rig.broker.stop(signal.SIGKILL)
        wait(lambda: not rig.status()["mqtt_connected"], 10, "it is missed")
        time.sleep(3)  # long enough for the tries to have become rare
        rig.broker.start()
        back = time.monotonic()

        def missing():
            now = kept(rig)
            return sorted(topic for topic in before if topic not in now)
        wait(lambda: not missing(), 20, lambda: f"missing: {missing()}", 0.1)
        took = time.monotonic() - back
        Rig.note(f"{len(before)} topics are there {took:.1f} s after the broker")
        expect(took <= 5 * PATIENCE, f"within five seconds, not {took:.1f}")
        expect_equal(rig.prop(FRONT, "State"), "locked", "state")
        expect_equal(kept(rig)[rig.topic(FRONT, "lock/state")], "LOCKED", "state on the broker")


@case
def m7_the_state_is_what_the_lock_has_said():
    with a_paired_hub(FRONT) as rig:
        watcher = rig.watch()
        rig.expect_topic(watcher, FRONT, "lock/state", "LOCKED")
        mark = watcher.count()
        rig.trouble(FRONT, "deaf", 1000)  # takes the command, and stays where it is
        rig.command(FRONT, "UNLOCK")
        wait(lambda: "UNLOCKING" in watcher.on(rig.topic(FRONT, "lock/state"), mark), 15,
             "it is under way")
        wait(lambda: watcher.value(rig.topic(FRONT, "lock/state")) in ("LOCKED", "None"), 40,
             "the wish is given up")
        words = watcher.on(rig.topic(FRONT, "lock/state"), mark)
        expect("UNLOCKED" not in words, words)


@case
def m8_only_home_assistant_may_command_by_the_sample_files():
    with Rig() as rig:
        rig.start_bus()
        rig.start_sim(FRONT)
        broker = rig.broker = SampleBroker(rig)
        login = f"username = lockhub\npassword_file = {rig.dir}/password-lockhub\n"
        roads = {OLD: f"host = {broker.socket}\nport = 0\n",
                 NEW: f"host = localhost\nport = {broker.tls_port}\ntls = yes\n"
                      f"ca_file = {rig.dir}/ca.crt\n"}
        for version, road in roads.items():
            rig.config.write_text("[ble]\nwatch_ms = 1800\nwatch_every_ms = 2000\nlinger_ms = 1000\n"
                                  f"[mqtt]\n{road}{login}{version}")
            rig.start_hub()
            if version == OLD:
                rig.pair(FRONT)
            is_online(rig)
            before = unlocks(rig)
            code = "482913"
            word = json.dumps({"action": "UNLOCK", "code": code})
            # Who has no password is not let in, and who has one, and is not named, is not heard.
            broker.is_stranger = True
            for stranger in ([], ["-u", "homeassistant", "-P", "guessed"]):
                done = rig.run(["mosquitto_pub", *broker.client_args(), *stranger, "-q", "1",
                                "-t", rig.topic(FRONT, "lock/set"), "-m", word])
                expect("not authori" in done.stderr.lower(), f"{stranger}: {done.stderr}")
            broker.is_stranger = False
            for stranger in ("display", "lockhub"):
                rig.command(FRONT, word, args=broker.login(stranger))
            never(lambda: unlocks(rig) > before, 0.7, "a stranger opened the door")
            rig.command(FRONT, word)
            rig.expect_prop(FRONT, "State", "unlocked")
            expect_equal(unlocks(rig), before + 1, "unlocks")
            # All that lockhub needs passes, and it does not stumble over what is denied.
            expect_equal(rig.status()["mqtt"], "ok", "mqtt")
            expect(code not in rig.hub.log(), "the code is in the journal")
            for user, is_told in (("homeassistant", True), ("display", False)):
                done = rig.run([
                    "mosquitto_sub", "-h", "localhost", "-p", broker.port, *broker.login(user),
                    "-t", rig.topic(FRONT, "lock/state"), "-C", "1", "-W", "10" if is_told else "1"])
                expect_equal(done.stdout.strip(), "UNLOCKED" if is_told else "", f"{user} reads")
            if version == NEW:
                # Here the broker tells: a retained command has to be cleared by somebody else.
                rig.command(FRONT, "UNLOCK", retain=True)
                says(rig, "does not let us clear a retained command")
                expect_equal(rig.status()["mqtt"], "ok", "mqtt")
                rig.command(FRONT, None, retain=True)
            rig.ctl("lock", FRONT.slug)
            rig.hub.stop()
        said = broker.child.output()
        expect("Denied PUBLISH from lockhub" not in re.sub(r".*lock/set.*", "", said),
               "the sample list denies the hub something that it needs")


def events(rig, watcher, since=0):
    return [json.loads(payload) for topic, payload, _ in watcher.snapshot()[since:]
            if topic in (rig.topic(FRONT, "event"), "lockhub/hub/event")]


def finished(rig, watcher):
    return sum(event["event_type"] == "finished" for event in events(rig, watcher))


@case
def m9_events_wait_for_the_broker_and_are_numbered():
    with a_paired_hub(FRONT) as rig:
        is_online(rig)
        for version in BOTH:
            another_version(rig, version)
            watcher = rig.watch()
            rig.ctl("unlock", FRONT.slug)
            wait(lambda: finished(rig, watcher) == 1, 15, "the first event")
            first = events(rig, watcher)
            rig.broker.stop(signal.SIGKILL)
            for word in ("lock", "unlock", "lock", "unlock", "lock"):
                rig.ctl(word, FRONT.slug)
            rig.broker.start()
            watcher = rig.watch()
            # The broker is found again at the earliest a second later: the watcher is there first.
            wait(lambda: finished(rig, watcher) == 5, 20,
                 lambda: f"all events: {events(rig, watcher)}")
            all_of_them = first + events(rig, watcher)
            ids = {event["boot_id"] for event in all_of_them}
            expect_equal(len(ids), 1, f"ids of the start {ids}")
            numbers = sorted({event["boot_seq"] for event in all_of_them})
            expect_equal(numbers, list(range(numbers[0], numbers[0] + len(numbers))), "numbers")
            later = [event["boot_seq"] for event in events(rig, watcher)]
            expect_equal(later, sorted(later), "order")
            # Refusals stand in no log, but have a number.
            rig.command(FRONT, "DANCE")
            wait(lambda: any(e["event_type"] == "command_refused" and e["boot_seq"] > numbers[-1]
                             for e in events(rig, watcher)), 10, "a refusal with a number")
            watcher.stop()
            if version == OLD:
                former = ids
        expect(former != ids, "another start has another id")


@case
def m11_the_last_will_and_a_clean_stop_leave_every_entity_unavailable():
    with a_paired_hub(FRONT) as rig:
        watcher = rig.watch()
        for version in BOTH:
            another_version(rig, version)
            wait(lambda: watcher.value("lockhub/status") == "online", 10, "online")
            rig.hub.child.kill()
            wait(lambda: watcher.value("lockhub/status") == "offline", 10, "the will")
            rig.start_hub()
            wait(lambda: watcher.value("lockhub/status") == "online", 20, "online again")
            rig.hub.stop()
            wait(lambda: watcher.value("lockhub/status") == "offline", 10, "the farewell")
            rig.start_hub()
        is_online(rig)
        count = 0
        for topic, payload in kept(rig).items():
            if not topic.startswith("homeassistant/device/"):
                continue
            config = json.loads(payload)
            for name, component in config["components"].items():
                if set(component) == {"platform"}:
                    continue  # going
                if component.get("state_topic") == "lockhub/status":
                    continue  # this one tells by its state that the hub is away
                count += 1
                named = component.get("availability", config.get("availability", []))
                expect("lockhub/status" in [one["topic"] for one in named], f"{topic}: {name}")
                mode = component.get("availability_mode", config.get("availability_mode"))
                expect(len(named) < 2 or mode == "all", f"{topic}: {name}: mode {mode}")
        expect(count > 15, f"only {count} entities")


main()
