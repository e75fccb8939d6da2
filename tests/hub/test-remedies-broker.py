#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The ways in which a broker fails its hub, each with a real one over TCP: named, mended, kept."""

import contextlib
import os
import shutil
import socket
import subprocess

from case import case, expect, expect_equal, main
from remedy import attempts, diagnose, expect_first, expect_well, fix, target
from rig import BROKER_SEARCH, FRONT, Child, Failure, Rig, Skipped, wait

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
PASSWORD = "correct horse"


def is_heard(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


class TcpBroker:
    """mosquitto on a port of this machine that nobody else had when it was picked."""

    def __init__(self, rig):
        self.rig = rig
        self.daemon = shutil.which("mosquitto", path=BROKER_SEARCH)
        if self.daemon is None or shutil.which("openssl") is None:
            raise Skipped("mosquitto or openssl is not installed")
        self.child = None
        self.port = 0

    def start(self, extra=""):
        for _ in range(5):
            if self.try_start(extra):
                return
            self.port = 0
        raise Failure("mosquitto finds no port: " + self.child.output())

    def try_start(self, extra):
        if self.port == 0:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
        user = "user root\n" if os.getuid() == 0 else ""
        config = self.rig.dir / "tcp.conf"
        config.write_text(f"{user}listener {self.port} 127.0.0.1\nlog_type all\n{extra}")
        self.child = Child(self.rig, "mosquitto", [self.daemon, "-c", config])
        wait(lambda: not self.child.is_running() or is_heard(self.port), 10, "mosquitto listens")
        return self.child.is_running()

    def restart(self, extra=""):
        """At the same port."""
        self.child.stop()
        wait(lambda: not is_heard(self.port), 10, "the port is free")
        self.start(extra)


class BrokerRig(Rig):
    """A hub without locks, certificates, and a broker that listens on TCP."""

    def __enter__(self):
        super().__enter__()
        try:
            self.start_bus()
            self.start_sim(FRONT)
            self.tcp = TcpBroker(self)
        except BaseException:
            self.close()
            raise
        return self

    def openssl(self, *words):
        done = subprocess.run(["openssl", *map(str, words)], cwd=self.dir, capture_output=True,
                              text=True, check=False)
        expect_equal(done.returncode, 0, done.stderr)

    def authority(self, name="ca"):
        self.openssl("req", "-x509", *KEY, "-days", 2, "-keyout", f"{name}.key", "-out", f"{name}.crt",
                     "-subj", f"/CN={name}")

    def certificate(self, name="localhost", days=2, authority="ca"):
        """For the broker, instead of the one that it had."""
        self.openssl("req", *KEY, "-keyout", "server.key", "-out", "server.csr", "-subj", f"/CN={name}")
        (self.dir / "ext").write_text(f"subjectAltName=DNS:{name}")
        self.openssl("x509", "-req", "-in", "server.csr", "-CA", f"{authority}.crt", "-CAkey",
                     f"{authority}.key", "-CAcreateserial", "-days", days, "-out", "server.crt",
                     "-extfile", "ext")

    @property
    def tls(self):
        return (f"allow_anonymous true\ncertfile {self.dir}/server.crt\nkeyfile "
                f"{self.dir}/server.key\n")

    def with_password(self, extra=""):
        """What the broker is told: who hub is, by which password."""
        path = self.dir / "users"
        path.write_text("")
        path.chmod(0o600)
        subprocess.run(["mosquitto_passwd", "-b", path, "hub", PASSWORD], check=True,
                       capture_output=True)
        return f"allow_anonymous false\npassword_file {path}\n{extra}"

    def hub_with(self, text="", host="localhost"):
        self.start_hub(config=f"[mqtt]\nhost = {host}\nport = {self.tcp.port}\n{text}")

    def hub_with_tls(self, authority="ca", host="localhost"):
        self.hub_with(f"tls = yes\nca_file = {self.dir}/{authority}.crt\n", host)

    def hub_with_password(self, password):
        path = self.dir / "password"
        path.write_text(password)
        path.chmod(0o600)
        self.hub_with(f"username = hub\npassword_file = {path}\n")

    def expect_kept(self, fault, outcome="helped"):
        """Found again, what was tried against it is told with it."""
        diagnosis, _ = diagnose(self)
        finding = next(one for one in target(diagnosis)["findings"] if one["fault"] == fault)
        tried = {remedy["name"]: [one["outcome"] for one in remedy["tried"]]
                 for remedy in finding["remedies"] if remedy.get("tried")}
        expect_equal(tried, {"reconnect-broker": [outcome]}, f"tried against {fault}")


@case
def a_certificate_for_another_name():
    with BrokerRig() as rig:
        rig.authority()
        rig.certificate("elsewhere.test")
        rig.tcp.start(rig.tls)
        rig.hub_with_tls()
        expect_first(rig, "broker-wrong-name", "match-certificate", "reconnect-broker",
                     evidence="host name")
        rig.certificate("localhost")
        fix(rig, "hub", "broker-wrong-name", "reconnect-broker", lambda: rig.tcp.restart(rig.tls),
            before="host name", after="connected to")
        expect_well(rig, "broker-wrong-name")
        rig.certificate("elsewhere.test")
        rig.tcp.restart(rig.tls)
        expect_first(rig, "broker-wrong-name")
        rig.expect_kept("broker-wrong-name")


@case
def an_authority_that_is_not_known():
    with BrokerRig() as rig:
        rig.authority()
        rig.authority("other")
        rig.certificate()
        rig.tcp.start(rig.tls)
        rig.hub_with_tls("other")
        expect_first(rig, "broker-tls", "trust-broker", evidence="verify failed")
        # Nobody but a person can say whom to trust; the hub tries again with it.
        fix(rig, "hub", "broker-tls", "reconnect-broker",
            lambda: shutil.copy(rig.dir / "ca.crt", rig.dir / "other.crt"),
            before="verify failed", after="connected to")
        expect_well(rig, "broker-tls")


@case
def a_certificate_that_has_expired():
    with BrokerRig() as rig:
        rig.authority()
        rig.certificate(days=-1)
        rig.tcp.start(rig.tls)
        rig.hub_with_tls()
        expect_first(rig, "broker-expired", "renew-certificate", "sync-time", evidence="expired")
        rig.certificate()
        fix(rig, "hub", "broker-expired", "reconnect-broker", lambda: rig.tcp.restart(rig.tls),
            before="expired", after="connected to")
        expect_well(rig, "broker-expired")


@case
def a_port_that_speaks_no_tls():
    with BrokerRig() as rig:
        rig.authority()
        rig.tcp.start("allow_anonymous true\n")
        rig.hub_with_tls()
        expect_first(rig, "broker-tls", "trust-broker")


@case
def a_password_that_is_wrong():
    with BrokerRig() as rig:
        users = rig.with_password()
        rig.tcp.start(users)
        rig.hub_with_password("wrong " + PASSWORD)
        expect_first(rig, "broker-refused", "fix-login", "reconnect-broker")
        (rig.dir / "users").write_text("")
        subprocess.run(["mosquitto_passwd", "-b", rig.dir / "users", "hub", "wrong " + PASSWORD],
                       check=True, capture_output=True)
        fix(rig, "hub", "broker-refused", "reconnect-broker", lambda: rig.tcp.restart(users),
            after="connected to")
        expect_well(rig)
        expect_equal([PASSWORD in str(row) for row in attempts(rig)], [False], "password is kept")


@case
def an_access_list_that_denies():
    with BrokerRig() as rig:
        acl = rig.dir / "acl"
        users = rig.with_password(f"acl_file {acl}\n")
        acl.write_text("user hub\ntopic readwrite elsewhere/#\n")
        acl.chmod(0o600)
        rig.tcp.start(users)
        rig.hub_with_password(PASSWORD)
        expect_first(rig, "broker-denied", "fix-acl", "reconnect-broker")
        # It may hear, but what it says is thrown away.
        acl.write_text("user hub\ntopic read #\n")
        rig.tcp.restart(users)
        expect_first(rig, "broker-denied", "fix-acl", "reconnect-broker", seconds=60)
        acl.write_text("user hub\ntopic readwrite lockhub/#\ntopic readwrite homeassistant/#\n")
        fix(rig, "hub", "broker-denied", "reconnect-broker", lambda: rig.tcp.restart(users),
            after="connected to")
        expect_well(rig)


@case
def a_broker_that_lets_strangers_in():
    """The hub has a password; whether others need one shows only to somebody who has none."""
    def protection(*args):
        diagnosis, _ = diagnose(rig, *args)
        return next(row for row in target(diagnosis)["checks"] if row["name"] == "broker-protection")

    def text(row):
        return " / ".join(proof["text"] for proof in row["proof"])

    def tries():
        """mosquitto does not even say who it was."""
        return rig.tcp.child.output().count("not authorised")

    with BrokerRig() as rig:
        rig.authority()
        rig.certificate()
        safe = rig.with_password() + rig.tls.replace("allow_anonymous true\n", "")
        rig.tcp.start(safe)
        path = rig.dir / "password"
        path.write_text(PASSWORD)
        path.chmod(0o600)
        rig.hub_with(f"tls = yes\nca_file = {rig.dir}/ca.crt\nusername = hub\npassword_file = {path}\n")
        wait(lambda: rig.status()["mqtt_connected"], 30, "the hub is connected", 0.2)
        # By itself it asks nobody.
        expect_equal(protection("--quiet")["result"], "unknown", "before anybody has asked")
        expect_equal(tries(), 0, "connections made by itself")
        row = protection()
        expect_equal((row["result"], text(row)), ("ok", "it refuses whoever gives no name"), "protection")
        expect_equal(tries(), 1, "connections made because a person asked")
        # What is known now is told without asking again, and the hub was not pushed out by itself.
        expect_equal(protection("--quiet")["result"], "ok", "as it is remembered")
        expect_equal(protection()["result"], "ok", "asked again at once")
        expect_equal(tries(), 1, "connections made for it")
        expect(rig.status()["mqtt_connected"], "the hub's own connection")
        rig.tcp.restart(safe.replace("allow_anonymous false", "allow_anonymous true"))
        wait(lambda: rig.status()["mqtt_connected"], 60, "the hub is connected again", 0.2)
        finding = expect_first(rig, "broker-unprotected", evidence="lets anybody in")
        rig.note(f"{finding['fault']}: {finding['confidence']} %")
        rig.tcp.restart(safe)
        wait(lambda: rig.status()["mqtt_connected"], 60, "the hub is connected again", 0.2)
        expect_well(rig, "broker-unprotected")
        # By certificates instead: whoever has none is not even heard out.
        rig.certificate("hub")
        for end in ("crt", "key"):
            (rig.dir / f"server.{end}").rename(rig.dir / f"hub.{end}")
        rig.certificate()
        rig.tcp.restart(rig.tls + f"cafile {rig.dir}/ca.crt\nrequire_certificate true\n")
        rig.hub.stop()
        rig.hub_with(f"tls = yes\nca_file = {rig.dir}/ca.crt\ncert_file = {rig.dir}/hub.crt\n"
                     f"key_file = {rig.dir}/hub.key\n")
        wait(lambda: rig.status()["mqtt_connected"], 30, "the hub is connected", 0.2)
        expect_equal(protection()["result"], "ok", "with certificates")


@case
def a_name_that_leads_nowhere():
    with BrokerRig() as rig:
        rig.tcp.start("allow_anonymous true\n")
        rig.hub_with("insecure = yes\n", host="lockhub-broker.invalid")
        expect_first(rig, "broker-name", "fix-broker-name", "check-broker", "reconnect-broker",
                     seconds=90)
        rig.hub.stop()
        rig.hub_with()
        expect_well(rig, "broker-name", "broker-unreachable")


main()
