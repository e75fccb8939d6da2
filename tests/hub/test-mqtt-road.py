#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The way to the broker, when it is bad: certificates, what the broker denies, silence, slowness,
restarts. Each is noticed and named, and heals by itself when somebody has mended it."""

import contextlib
import json
import shutil
import signal
import time

from case import case, expect, expect_equal, main
from mqtt import KEY, Authority, Road, a_port
from rig import FRONT, PATIENCE, Child, Rig, a_paired_hub, wait


def listener(rig, port, certificate, more=""):
    return (f"listener {port} 127.0.0.1\ncertfile {rig.dir}/{certificate}.crt\n"
            f"keyfile {rig.dir}/{certificate}.key\n{more}")


def use(rig, extra, number=signal.SIGTERM):
    """The broker, started anew with these lines."""
    rig.broker.stop(number)
    rig.broker.extra = extra
    rig.broker.start()


def is_told(rig, fault, *words):
    last = {}

    def is_so():
        last.update(rig.status())
        text = (last.get("mqtt_text") or "") + (last.get("mqtt_detail") or "")
        return last["mqtt"] == fault and all(word in text for word in words)
    began = time.monotonic()
    wait(is_so, 15, lambda: f"wanted {fault} {words}, got "
         + str({key: value for key, value in last.items() if key.startswith("mqtt")}), 0.05)
    Rig.note(f"{fault} after {time.monotonic() - began:.1f} s: "
             f"{last.get('mqtt_detail') or last.get('mqtt_text')}")


def is_well(rig, seconds=20):
    wait(lambda: rig.status()["mqtt"] == "ok" and rig.status()["mqtt_connected"], seconds,
         lambda: f"{rig.status()['mqtt']}: {rig.status().get('mqtt_text')}", 0.05)


@case
def a_certificate_that_is_not_good_is_named_and_mended():
    with Rig() as rig:
        rig.start_bus()
        rig.start_sim(FRONT)
        ours, others = Authority(rig), Authority(rig, "other")
        ours.sign("good")
        ours.sign("expired", days=-1)
        ours.sign("elsewhere", subject="elsewhere.test")
        others.sign("foreign")
        ours.openssl("req", "-x509", *KEY, "-days", "9", "-keyout", "self.key", "-out",
                     "self.crt", "-subj", "/CN=localhost", "-addext",
                     "subjectAltName=DNS:localhost")
        port, holder = a_port()
        good = listener(rig, port, "good")
        rig.start_broker(good)
        rig.config.write_text(f"[mqtt]\nhost = localhost\nport = {port}\ntls = yes\n"
                              f"ca_file = {rig.dir}/ca.crt\n")
        rig.start_hub()
        is_well(rig)
        for certificate, fault, words in (
                ("expired", "broker-expired", ["has expired", "valid until"]),
                ("elsewhere", "broker-wrong-name", ["elsewhere.test", "localhost"]),
                ("self", "broker-tls", ["self-signed", "ca_file"]),
                ("foreign", "broker-tls", ["signer", "ca.crt"])):
            use(rig, listener(rig, port, certificate))
            is_told(rig, fault, *words)
            use(rig, good)
            is_well(rig)
        # It wants a certificate of ours, and we have none.
        demanding = listener(rig, port, "good",
                             f"require_certificate true\ncafile {rig.dir}/ca.crt\n")
        use(rig, demanding)
        is_told(rig, "broker-tls", "cert_file")
        ours.sign("client", subject="lockhub")
        rig.hub.stop()
        with open(rig.config, "a", encoding="ascii") as config:
            config.write(f"cert_file = {rig.dir}/client.crt\nkey_file = {rig.dir}/client.key\n")
        rig.start_hub()
        is_well(rig)
        # One of the wrong signer is not taken.
        others.sign("client", subject="lockhub")
        rig.restart_hub()
        is_told(rig, "broker-tls", "cert_file")
        holder.close()


@case
def a_broker_that_speaks_only_old_tls_is_refused():
    with Rig() as rig:
        rig.start_bus()
        rig.start_sim(FRONT)
        Authority(rig).sign("good")
        port, holder = a_port()
        holder.close()  # s_server does not share it
        old = Child(rig, "s_server", [
            shutil.which("openssl"), "s_server", "-accept", f"127.0.0.1:{port}", "-cert",
            rig.dir / "good.crt", "-key", rig.dir / "good.key", "-tls1_1", "-cipher",
            "ALL:@SECLEVEL=0", "-quiet"])
        rig.config.write_text(f"[mqtt]\nhost = localhost\nport = {port}\ntls = yes\n"
                              f"ca_file = {rig.dir}/ca.crt\n")
        rig.start_hub()
        is_told(rig, "broker-tls", "TLS 1.2")
        old.stop(signal.SIGKILL)
        rig.start_broker(listener(rig, port, "good"))
        is_well(rig, 40)


@case
def what_the_access_list_denies_is_told_at_once():
    with Rig() as rig:
        rig.start_bus()
        rig.start_sim(FRONT)
        acl = rig.dir / "acl"
        lines = ("user lockhub\ntopic read lockhub/#\ntopic readwrite homeassistant/#\n"
                 "topic write lockhub/status\n")
        acl.write_text(lines)
        rig.start_broker(f"acl_file {acl}\n")
        rig.start_hub(config="username = lockhub\nprotocol = 5\n")
        is_told(rig, "broker-denied", "publishing on lockhub/hub/")
        expect(rig.status()["mqtt_connected"], "it stays connected")
        # Mended without a restart of anybody: the broker reads the list again.
        acl.write_text(lines + "topic write lockhub/#\n")
        rig.broker.child.send(signal.SIGHUP)
        wait(lambda: rig.status()["mqtt"] == "ok", 20, "it is tried again", 0.2)
        # 3.1.1 has no such answer: what does not come back is missed.
        acl.write_text("user lockhub\ntopic read lockhub/#\n")
        use(rig, f"acl_file {acl}\n")
        rig.hub.stop()
        rig.start_hub(config="username = lockhub\nprotocol = 3.1.1\n")
        is_told(rig, "broker-denied", "lockhub/status", "does not come back")


@case
def a_denied_subscription_is_told_at_once():
    plugin = "/usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so"
    with contextlib.suppress(OSError), open(plugin, "rb"):
        with Rig() as rig:
            rig.start_bus()
            rig.start_sim(FRONT)
            rules = {"defaultACLAccess": {
                "publishClientSend": True, "publishClientReceive": True, "subscribe": False,
                "unsubscribe": True}, "clients": [], "groups": [], "roles": []}
            (rig.dir / "rules.json").write_text(json.dumps(rules))
            rig.start_broker(f"plugin {plugin}\nplugin_opt_config_file {rig.dir}/rules.json\n")
            for version in ("5", "3.1.1"):
                rig.start_hub(config=f"protocol = {version}\n")
                is_told(rig, "broker-denied", "subscribing to lockhub/+/lock/set")
                rig.hub.stop()


@case
def a_broker_that_falls_silent_is_missed_and_found_again():
    with Rig() as rig:
        rig.start_bus()
        rig.start_sim(FRONT)
        rig.start_broker()
        road = Road(rig)
        rig.config.write_text(f"[mqtt]\nhost = {road.path}\nport = 0\nkeepalive_s = 5\n")
        rig.start_hub()
        is_well(rig)
        # The connection stands, but nothing passes: a cable pulled behind a switch.
        road.is_silent = True
        began = time.monotonic()
        wait(lambda: not rig.status()["mqtt_connected"], 20, "it is missed", 0.1)
        Rig.note(f"missed after {time.monotonic() - began:.1f} s with keepalive_s = 5")
        expect("silent" in rig.status().get("mqtt_text", "") + rig.hub.log(), "it is named")
        road.is_silent = False
        is_well(rig, 40)


@case
def a_slow_broker_is_borne():
    with Rig() as rig:
        rig.start_bus()
        rig.start_sim(FRONT)
        rig.start_broker()
        road = Road(rig)
        road.octets_per_s = 5000  # octet by octet, both ways
        rig.config.write_text(
            f"[ble]\nwatch_ms = 1800\nwatch_every_ms = 2000\nlinger_ms = 1000\n"
            f"[mqtt]\nhost = {road.path}\nport = 0\ndiscovery = off\n")
        rig.start_hub()
        rig.pair(FRONT)
        is_well(rig, 30)
        expect(rig.timed_ctl("unlock", FRONT.slug) < 2 * PATIENCE, "people do not wait for it")
        rig.command(FRONT, "LOCK")
        rig.expect_prop(FRONT, "State", "locked", 20)


@case
def a_name_that_stops_to_resolve_is_named():
    with Rig() as rig:
        rig.start_bus()
        rig.start_sim(FRONT)
        rig.config.write_text("[mqtt]\nhost = broker.invalid\nport = 1883\ninsecure = yes\n")
        rig.start_hub()
        is_told(rig, "broker-name", "broker.invalid")


@case
def a_storm_of_restarts_loses_nothing():
    with a_paired_hub(FRONT) as rig:
        is_well(rig)
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGTERM):
            rig.broker.stop(number)
            rig.ctl("unlock", FRONT.slug)
            rig.broker.start()
            if number == signal.SIGTERM:
                rig.restart_hub()
            rig.ctl("lock", FRONT.slug)
        watcher = rig.watch()
        is_well(rig)
        rig.expect_topic(watcher, FRONT, "lock/state", "LOCKED")
        expect_equal(watcher.value("lockhub/status"), "online", "status")


main()
