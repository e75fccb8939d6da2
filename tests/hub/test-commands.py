#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Law L2: no late, doubled or replayed unlock, whatever the broker hands over."""

import json
import time

from case import case, expect, expect_equal, main
from rig import FRONT, Rig, a_paired_hub, never, wait


def unlocks(rig):
    return sum(rig.motor_runs(FRONT)[1:])


def said(rig, word, seconds=10):
    wait(lambda: word in rig.hub.log(), seconds, f"a line with {word!r} in the journal")


@case
def a_retained_unlock_is_dropped_and_said():
    with a_paired_hub(FRONT, config="protocol = 3.1.1\n") as rig:
        topic = rig.topic(FRONT, "lock/set")
        # As it would be found at a start: published while the hub is away.
        rig.hub.stop()
        rig.publish(topic, "UNLOCK", retain=True)
        rig.start_hub()
        said(rig, "retained")
        # The journal names the topic and how to get rid of it.
        said(rig, topic)
        said(rig, "mosquitto_pub -r -n")
        watcher = rig.watch()
        never(lambda: unlocks(rig), 1, "a retained unlock was carried out")
        rig.expect_topic(watcher, FRONT, "lock/state", "LOCKED")


@case
def an_unlock_sent_while_the_hub_was_away_is_not_carried_out():
    with a_paired_hub(FRONT) as rig:
        topic = rig.topic(FRONT, "lock/set")
        rig.hub.stop()
        rig.publish(topic, "UNLOCK")
        rig.start_hub()
        rig.expect_prop(FRONT, "State", "locked")
        never(lambda: unlocks(rig), 1, "an old unlock was carried out")


@case
def stale_and_future_commands_are_dropped():
    with a_paired_hub(FRONT) as rig:
        for offset in (-120, -31 * 86400, 3600):
            rig.command(FRONT, json.dumps({"action": "UNLOCK", "ts": round(time.time() + offset, 3)}))
        never(lambda: unlocks(rig), 1.5, "a stale unlock was carried out")
        rig.command(FRONT, json.dumps({"action": "UNLOCK", "ts": round(time.time(), 3)}))
        wait(lambda: unlocks(rig) == 1, 15, "a fresh one is carried out")


@case
def a_duplicate_is_carried_out_once():
    with a_paired_hub(FRONT) as rig:
        payload = json.dumps({"action": "UNLOCK", "ts": round(time.time(), 3), "id": "abc-1"})
        for _ in range(3):
            rig.command(FRONT, payload)
        rig.expect_prop(FRONT, "State", "unlocked")
        rig.ctl("lock", FRONT.slug)
        rig.command(FRONT, payload)
        never(lambda: unlocks(rig) > 1, 1.5, "a duplicate unlock was carried out")
        rig.expect_prop(FRONT, "State", "locked")


@case
def nonsense_is_refused_and_harmless():
    with a_paired_hub(FRONT) as rig:
        nonsense = [
            "unlock", "UNLOCK ", "OPEN SESAME", "{", "[]", "null", '{"action": 1}',
            '{"action": "UNLOCK"', '{"action":"UNLOCK","ts":"yesterday"}',
            '{"action":"UNLOCK","action":"LOCK"}', "UNLOCK\x00", "\u202eKCOLNU", "[" * 5000,
            "U" * 200000, '{"action":"UNLOCK","id":"' + "x" * 5000 + '"}',
        ]
        for payload in nonsense:
            rig.command(FRONT, payload)
        rig.publish("lockhub/ffffffff/lock/set", "UNLOCK")
        rig.publish("lockhub/../lock/set", "UNLOCK")
        never(lambda: unlocks(rig), 1.5, "nonsense opened the door")
        # And the hub is well.
        rig.command(FRONT, "UNLOCK")
        rig.expect_prop(FRONT, "State", "unlocked")
        expect_equal(unlocks(rig), 1, "unlocks")


@case
def unlocking_by_mqtt_can_be_forbidden():
    with a_paired_hub(FRONT, config="[policy]\nmqtt_unlock = no\n") as rig:
        rig.command(FRONT, "UNLOCK")
        rig.command(FRONT, "OPEN")
        never(lambda: unlocks(rig), 1, "a forbidden unlock was carried out")
        rig.ctl("unlock", FRONT.slug)
        rig.command(FRONT, "LOCK")
        rig.expect_prop(FRONT, "State", "locked")
        expect_equal(rig.motor_runs(FRONT)[0], 1, "locks")


@case
def a_flood_does_not_stop_a_local_unlock():
    with a_paired_hub(FRONT) as rig:
        # One client, 5000 lines of nonsense in one go.
        done = rig.run(["mosquitto_pub", *rig.broker.client_args(), "-q", "0", "-l", "-t",
                        rig.topic(FRONT, "lock/set")], stdin="NONSENSE\n" * 5000)
        expect_equal(done.returncode, 0, done.stderr)
        # It would be given up after ten seconds.
        rig.ctl("unlock", FRONT.slug)
        expect_equal(unlocks(rig), 1, "unlocks")


main()
