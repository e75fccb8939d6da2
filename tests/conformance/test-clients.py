#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""pyNukiBT, and bleak alone, against our virtual locks: see bench.py, which names the environment, too.

Arguments: words; only the cases with one of them in their name.
"""

import asyncio
import binascii
import datetime
import logging
import pathlib
import struct
import sys
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

# pylint: disable=wrong-import-position,wrong-import-order
import bench
import rig
from bench import IS_REAL_BLUEZ, PATIENCE, discovered, until
from case import case, expect, expect_equal, main

try:
    import bleak
    import bleak_retry_connector
    import construct
    import nacl.public
    import pyNukiBT
    MISSING = None
except ImportError as error:
    MISSING = error

# It may also never say Connected=true, when it answers Connect first; bleak then takes the link for a lost
# one and hangs up. In both cases people just try again.
TRIES = 6

NAME = "Conformance"
APP_ID = 0x4c6f636b
ADDRESS = "54:D2:72:00:00:0"
PINS = {"gen1": "1234", "gen2": "1234", "gen3": "1234", "gen4": "1234", "5g": "123456"}
# The last field of States that a lock of this age sends, by pyNukiBT's names, and its device type.
LAST_OF_STATES = {"gen2": "accessory_battery_state", "gen3": "mqtt_status", "gen4": "thread_status",
                  "5g": "thread_status"}
STATES_IN_ORDER = ["door_sensor_state", "nightmode_active", "accessory_battery_state",
                   "remote_access_status", "ble_strength", "wifi_strength", "wifi_status",
                   "mqtt_status", "thread_status"]
DEVICE_TYPE = {"gen2": None, "gen3": "SMARTLOCK_3_4", "gen4": "SMARTLOCK_3_4",
               "5g": "SMARTLOCK_ULTRA"}

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

# Words with which pyNukiBT says that a message is not as it thinks; and what is known of it.
COMPLAINTS = ("unexpected message length", "crc=0", "Checksum error")
KNOWN_COMPLAINTS = {
    # A 5th generation lock has one octet more at the end than the client has learned.
    "5g": "unexpected message length for command CONFIG. Got 1 unknown bytes",
}

SERVICE = "a92ee200-5501-11e4-916c-0800200c9a66"
PAIRING = {"5g": ("a92ee300-5501-11e4-916c-0800200c9a66", "a92ee301-5501-11e4-916c-0800200c9a66")}
PAIRING_OLD = ("a92ee100-5501-11e4-916c-0800200c9a66", "a92ee101-5501-11e4-916c-0800200c9a66")
KEYTURNER = ("a92ee201-5501-11e4-916c-0800200c9a66", "a92ee202-5501-11e4-916c-0800200c9a66")
SERIAL, FIRMWARE, HARDWARE = (f"00002a{n}-0000-1000-8000-00805f9b34fb" for n in ("25", "26", "27"))
APPLE = 76


def a_lock(model, number=1):
    lock = rig.Lock(f"front-{model}", f"nuki:{model}", f"{ADDRESS}{number}", PINS[model])
    lock.extra = "battery=64,sensor=1,keypad=1"
    return lock


def complain_of_nothing_new(heard, *locks):
    known = [KNOWN_COMPLAINTS[lock.model[5:]] for lock in locks if lock.model[5:] in KNOWN_COMPLAINTS]
    for line in heard.lines:
        if any(word in line for word in COMPLAINTS):
            expect(any(words in line for words in known), f"pyNukiBT complains: {line}")


def play(conversation, *locks, **kwargs):
    """Runs the coroutine @conversation(rig, *locks) on a bus of its own."""
    bench.play(conversation, *locks, missing=MISSING,
               after=lambda heard: complain_of_nothing_new(heard, *locks), **kwargs)


# ---- pyNukiBT


async def establish_stubbornly(kind, device, name, **kwargs):
    """bleak-retry-connector, which tries again with a client that thinks it is connected."""
    for attempt in range(1, TRIES + 1):
        try:
            return await bleak_retry_connector.establish_connection(kind, device, name, **kwargs)
        except bleak_retry_connector.BleakConnectionError:
            if attempt == TRIES:
                raise
            logging.info("connection %d failed", attempt)


if MISSING is None and IS_REAL_BLUEZ:
    pyNukiBT.nuki.establish_connection = establish_stubbornly


class Phone:
    """pyNukiBT with keys of its own; use as `async with Phone(rig, lock) as phone`."""

    def __init__(self, here, lock, keys=None, is_bridge=False):
        self.here = here
        self.lock = lock
        self.pin = int(lock.pin)
        self.key = nacl.public.PrivateKey.generate()
        self.keys = keys
        kinds = pyNukiBT.NukiConst.NukiClientType
        self.kind = kinds.BRIDGE if is_bridge else kinds.APP
        self.nuki = None
        self.states = []

    def _device(self, ble_device):
        auth_id, lock_key, key = self.keys or (bytes(4), None, self.key)
        self.key = key
        return pyNukiBT.NukiDevice(
            self.lock.address, auth_id, lock_key, bytes(key.public_key), bytes(key), APP_ID, NAME,
            client_type=self.kind, ble_device=ble_device)

    async def __aenter__(self):
        found = await discovered(self.lock.address)
        for attempt in range(1, TRIES + 1):
            self.nuki = self._device(found)
            try:
                await self.nuki.connect()
                break
            except AttributeError:
                await self.nuki.disconnect()
                if attempt == TRIES or not IS_REAL_BLUEZ:
                    raise
        self.nuki.subscribe(self._on_message)
        return self

    async def __aexit__(self, kind, failure, trace):
        await self.nuki.disconnect()

    def _on_message(self, command):
        if str(command) == "KEYTURNER_STATES":
            self.states.append(str(self.nuki.last_state.lock_state))

    async def pair(self):
        self.here.sim_pairing(self.lock)
        paired = await self.nuki.pair(self.pin)
        self.keys = (paired["auth_id"], paired["nuki_public_key"], self.key)
        # What pair() left to the next job of the client: a new link.
        await self.nuki.update_state()

    async def move(self, verb, end, through):
        """lock, unlock or unlatch, up to its end; what was pushed on the way."""
        self.states.clear()
        self.nuki.last_action_status = None
        answer = await getattr(self.nuki, verb)()
        expect(str(answer.status) in ("ACCEPTED", "COMPLETED"), f"{verb}: {answer.status}")
        await until(lambda: str(self.nuki.last_action_status) == "COMPLETED"
                    and self.states[-1:] == [end],
                    lambda: f"{verb}: {self.nuki.last_action_status}, {self.states}")
        for state in through:
            expect(state in self.states, f"{verb}: no {state} in {self.states}")


async def refused(job, code, what):
    try:
        await job
    except pyNukiBT.NukiErrorException as failure:
        expect_equal(str(failure.error_code), code, what)
    else:
        raise rig.Failure(f"{what}: was not refused")


async def pair_and_read(here, lock):
    model = lock.model[5:]
    async with Phone(here, lock) as phone:
        await refused(phone.nuki.pair(phone.pin), "P_ERROR_NOT_PAIRING", "pair before the button")
        expect_equal(here.show(lock)["authorisations"], [], "users before")
        await phone.pair()
        users = here.show(lock)["authorisations"]
        expect_equal([(user["name"], user["type"], user["enabled"]) for user in users],
                     [(NAME, "app", True)], "users")
        expect_equal(int.from_bytes(phone.keys[0], "little"), users[0]["id"], "authorization ID")

    # Another day: only the keys were kept.
    async with Phone(here, lock, phone.keys) as phone:
        nuki = phone.nuki
        await nuki.update_state()
        truth = here.show(lock)
        state = nuki.last_state
        expect_equal(str(state.nuki_state), "DOOR_MODE", "nuki_state")
        expect_equal(str(state.lock_state).lower(), truth["lock-state"], "lock_state")
        expect_equal(str(state.door_sensor_state), "DOOR_CLOSED", "door_sensor_state")
        expect_equal(nuki.battery_percentage, truth["battery"], "battery")
        expect_equal(nuki.is_battery_critical, False, "battery is critical")
        here.battery(lock, 12)
        here.turn(lock, "unlock")
        # The lock tells by itself, too, and pyNukiBT would take that for the answer to a question.
        await until(lambda: str(nuki.last_state.lock_state) == "UNLOCKED",
                    lambda: f"turned by hand: {nuki.last_state.lock_state}")
        await nuki.update_state()
        expect_equal(nuki.battery_percentage, 12, "low battery")
        expect_equal(nuki.is_battery_critical, True, "low battery is critical")
        expect_equal(str(nuki.last_state.lock_state), "UNLOCKED", "lock_state turned by hand")
        expect_equal(str(nuki.last_state.trigger), "MANUAL", "trigger turned by hand")
        last = STATES_IN_ORDER.index(LAST_OF_STATES[model])
        for number, field in enumerate(STATES_IN_ORDER):
            expect_equal(state[field] is not None, number <= last, f"States has {field}")

        await nuki.update_config()
        config = nuki.config
        expect_equal(f"{config.nuki_id:08X}", truth["nuki-id"], "nuki_id")
        expect_equal(config.name, lock.slug, "name")
        expect_equal(".".join(map(str, config.firmware_version)), truth["firmware"], "firmware")
        expect_equal(config.has_keypad, 1, "has_keypad")
        expect_equal(config.device_type and str(config.device_type), DEVICE_TYPE[model],
                     "device_type")
        expect(config.current_time is not None, "current_time is no time")


async def operate(here, lock):
    async with Phone(here, lock) as phone:
        await phone.pair()
        await phone.move("unlock", "UNLOCKED", ["UNLOCKING"])
        expect_equal(here.show(lock)["bolt"], "unlocked", "bolt")
        await phone.move("lock", "LOCKED", ["LOCKING"])
        expect_equal(here.show(lock)["bolt"], "locked", "bolt")
        await phone.move("unlatch", "UNLOCKED", ["UNLATCHING", "UNLATCHED"])
        expect_equal(here.show(lock)["bolt"], "unlocked", "bolt")
        await phone.nuki.update_state()
        state = phone.nuki.last_state
        expect_equal(str(state.last_lock_action), "UNLATCH", "last_lock_action")
        expect_equal(str(state.last_lock_action_completion_status), "SUCCESS", "its outcome")
        expect_equal(here.motor_runs(lock), (1, 1, 1), "lock, unlock, unlatch commands")


async def use_pin_and_log(here, lock):
    async with Phone(here, lock) as phone:
        await phone.pair()
        nuki = phone.nuki
        expect_equal(await nuki.verify_security_pin(phone.pin), True, "the right PIN")
        expect_equal(await nuki.verify_security_pin(phone.pin + 1), False, "a wrong PIN")
        await phone.move("unlock", "UNLOCKED", [])
        await phone.move("lock", "LOCKED", [])
        here.turn(lock, "unlock")
        await until(lambda: here.show(lock)["lock-state"] == "unlocked", "the knob turns")
        entries = await nuki.request_log_entries(phone.pin, count=20)
        indices = [entry.index for entry in entries]
        expect_equal(indices, sorted(indices, reverse=True), "newest first")
        expect_equal(len(set(indices)), here.show(lock)["log-entries"], "entries")
        ours = [entry for entry in entries if entry.name == NAME]
        expect_equal([(str(entry.type), str(entry.data.lock_action),
                       str(entry.data.completion_status)) for entry in ours],
                     [("LOCK_ACTION", "LOCK", "SUCCESS"), ("LOCK_ACTION", "UNLOCK", "SUCCESS")],
                     "what the log says of us")
        expect_equal({bytes(entry.auth_id) for entry in ours}, {phone.keys[0]}, "auth_id")
        expect(all(entry.timestamp is not None for entry in entries), "a time is no time")
        by_hand = [entry for entry in entries if entry not in ours]
        expect_equal([str(entry.data.trigger) for entry in by_hand], ["MANUAL"], "turned by hand")
        await refused(nuki.request_log_entries(phone.pin + 1), "K_ERROR_BAD_PIN",
                      "the log with a wrong PIN")
        here.sim("clock", lock.slug, "7200")
        answer = await nuki.update_nuki_time(phone.pin)
        expect_equal(str(answer.status), "COMPLETED", "set the clock")
        expect(abs(here.show(lock)["clock-offset"]) < 60, "the clock was not set")


async def with_challenge(phone, command, answer, aggregate=None, **fields):
    """A command of pyNukiBT for which it has the words, but no method."""
    nuki = phone.nuki
    # pylint: disable=protected-access
    commands = nuki._const.NukiCommand
    challenge = await nuki._send_encrypted_command(
        commands.REQUEST_DATA, {"command": commands.CHALLENGE}, expected_response=commands.CHALLENGE)
    done = await nuki._send_encrypted_command(
        command, {**fields, "nonce": challenge.nonce, "security_pin": phone.pin},
        aggregate_messages=aggregate, expected_response=answer)
    expect_equal(str(done.status), "COMPLETED", str(command))
    return nuki._messages


async def change_code_and_use_it(here, lock):
    async with Phone(here, lock) as phone:
        await phone.pair()
        const = phone.nuki._const  # pylint: disable=protected-access
        commands = const.NukiCommand
        # Structures that pyNukiBT has, but does not use; and two that it has not.
        const.message_types.update({
            commands.UPDATE_KEYPAD_CODE: const.UpdatedKeypadCode,
            commands.KEYPAD_CODE: const.KeypadCodeEntry,
            commands.KEYPAD_CODE_COUNT: construct.Struct("count" / construct.Int16ul),
            commands.REQUEST_KEYPAD_CODES: construct.Struct(
                "offset" / construct.Int16ul, "count" / construct.Int16ul, "nonce" / construct.Bytes(32),
                "security_pin" / const.NukiSecurityPinDataType),
        })
        number = int(here.sim("app", lock.slug, "add-code", "345678", "Otto"))
        wanted = {
            "code_id": number, "code": 987654, "name": "Eva", "enabled": 1, "time_limited": 1,
            "allowed_from_date": datetime.datetime(2026, 3, 1),
            "allowed_until_date": datetime.datetime(2099, 3, 1, 12, 30, 15),
            "allowed_weekdays": {day: int(not day.startswith("s")) for day in DAYS},
            "allowed_from_time": {"hour": 8, "minute": 0}, "allowed_until_time": {"hour": 17, "minute": 30},
        }
        await with_challenge(phone, commands.UPDATE_KEYPAD_CODE, commands.STATUS, **wanted)
        code, = here.show(lock)["codes"]
        expect_equal((code["code"], code["name"], code["enabled"]), (987654, "Eva", True), "the code")
        expect_equal(code["window"], "2026-03-01T00:00:00Z .. 2099-03-01T12:30:15Z, MTWTF--, 08:00-17:30",
                     "its window")
        listed, = await with_challenge(phone, commands.REQUEST_KEYPAD_CODES, commands.STATUS,
                                       aggregate=[commands.KEYPAD_CODE], offset=0, count=10)
        for field, value in wanted.items():
            got = listed[field]
            if isinstance(value, dict):
                got = {key: got[key] for key in value}
            elif isinstance(value, datetime.datetime):
                got = got.replace(tzinfo=None)
            expect_equal(got, value, f"{field} as listed")

        here.sim("app", lock.slug, "add-code", "234567", "Ida")
        here.sim("keypad", lock.slug, "234567", "unlock")
        await until(lambda: here.show(lock)["lock-state"] == "unlocked", "the keypad unlocks")
        here.try_sim("keypad", lock.slug, "999999")
        wrong, right = await phone.nuki.request_log_entries(phone.pin, count=2)
        expect_equal([str(entry.type) for entry in (wrong, right)], ["KEYPAD_ACTION"] * 2, "types")
        expect_equal((right.name, str(right.data.lock_action), right.data.source, right.data.code_id,
                      str(right.data.completion_status)), ("Ida", "UNLOCK", 1, 2, "SUCCESS"), "the right code")
        expect_equal((wrong.name, wrong.data.source, wrong.data.code_id,
                      str(wrong.data.completion_status)), ("", 1, 65535, "INVALID_CODE"), "the wrong code")


@case
def codes_are_changed_and_used():
    play(change_code_and_use_it, a_lock("gen4"))


@case
def gen1_is_paired_and_shows_its_configuration():
    async def talk(here, lock):
        async with Phone(here, lock) as phone:
            nuki = phone.nuki
            here.sim_pairing(lock)
            await nuki.pair(phone.pin)
            # pyNukiBT wants more of States than the 15 octets of this lock, and so cannot operate it.
            await nuki.update_config()
            truth = here.show(lock)
            expect_equal(f"{nuki.config.nuki_id:08X}", truth["nuki-id"], "nuki_id")
            expect_equal(".".join(map(str, nuki.config.firmware_version)), truth["firmware"],
                         "firmware")
            expect_equal(await nuki.verify_security_pin(phone.pin), True, "the right PIN")
            expect_equal(await nuki.verify_security_pin(phone.pin + 1), False, "a wrong PIN")
    play(talk, a_lock("gen1"))


@case
def gen2_is_paired_and_read():
    play(pair_and_read, a_lock("gen2"))


@case
def gen3_is_paired_and_read():
    play(pair_and_read, a_lock("gen3"))


@case
def gen4_is_paired_and_read():
    play(pair_and_read, a_lock("gen4"))


@case
def a_5g_is_paired_and_read():
    play(pair_and_read, a_lock("5g"))


@case
def gen2_is_locked_unlocked_and_unlatched():
    play(operate, a_lock("gen2"))


@case
def gen3_is_locked_unlocked_and_unlatched():
    play(operate, a_lock("gen3"))


@case
def gen4_is_locked_unlocked_and_unlatched():
    play(operate, a_lock("gen4"))


@case
def a_5g_is_locked_unlocked_and_unlatched():
    play(operate, a_lock("5g"))


@case
def gen2_checks_the_PIN_and_shows_its_log():
    play(use_pin_and_log, a_lock("gen2"))


@case
def gen3_checks_the_PIN_and_shows_its_log():
    play(use_pin_and_log, a_lock("gen3"))


@case
def gen4_checks_the_PIN_and_shows_its_log():
    play(use_pin_and_log, a_lock("gen4"))


@case
def a_5g_checks_the_PIN_and_shows_its_log():
    play(use_pin_and_log, a_lock("5g"))


@case
def a_5g_is_not_paired_with_a_wrong_PIN():
    async def talk(here, lock):
        async with Phone(here, lock) as phone:
            here.sim_pairing(lock)
            # Our lock says BAD_PIN in an open message. The client takes whatever comes here for an
            # encrypted one and stumbles. What real locks do is not documented.
            try:
                await phone.nuki.pair(phone.pin + 1)
            except (pyNukiBT.NukiErrorException, construct.StreamError):
                pass
            else:
                raise rig.Failure("paired with a wrong PIN")
            expect_equal(here.show(lock)["authorisations"], [], "users")
            await phone.pair()
            expect_equal(len(here.show(lock)["authorisations"]), 1, "users, with the right PIN")
    play(talk, a_lock("5g"))


@case
def a_beacon_says_that_something_has_changed():
    async def talk(here, lock):
        # The mark goes out when a bridge has read the state, and only then.
        async with Phone(here, lock, is_bridge=True) as phone:
            await phone.pair()
            await phone.nuki.update_state()
        nuki = phone.nuki
        expect_equal(nuki.poll_needed(), False, "news before")

        def on_advertisement(device, said):
            if device.address == lock.address:
                nuki.parse_advertisement_data(device, said)
        async with bleak.BleakScanner(on_advertisement):
            await until(lambda: nuki.rssi is not None, "a beacon that pyNukiBT knows")
            expect_equal(nuki.poll_needed(), False, "news without a change")
            here.turn(lock, "unlock")
            await until(nuki.poll_needed, "the beacon's change bit")
    play(talk, a_lock("gen4"))


# ---- bleak alone


@case
def bleak_discovers_locks():
    async def talk(here, *locks):
        for lock in locks[:2]:
            here.sim_pairing(lock)
        heard = {}

        def is_complete():
            return all(lock.address in heard for lock in locks) and all(
                heard[lock.address].service_data for lock in locks[:2])

        def on_advertisement(device, said):
            heard[device.address] = said
        async with bleak.BleakScanner(on_advertisement):
            await until(is_complete, lambda: f"all five are heard: {heard}")
        for number, lock in enumerate(locks):
            said = heard[lock.address]
            nuki_id = bytes.fromhex(here.show(lock)["nuki-id"])
            expect(-100 < said.rssi < 0, f"{lock.slug}: {said.rssi} dBm")
            if number < 2:
                service = PAIRING.get(lock.model[5:], PAIRING_OLD)[0]
                expect_equal(said.service_data.get(service), nuki_id, f"{lock.slug}: service data")
                expect_equal(said.local_name, f"Nuki_{nuki_id.hex().upper()}", f"{lock.slug}: name")
            else:
                # An iBeacon: kind and length, UUID, the Nuki ID as major and minor, power.
                beacon = said.manufacturer_data.get(APPLE, b"")
                expect_equal(beacon[:22], b"\x02\x15" + uuid.UUID(SERVICE).bytes + nuki_id,
                             f"{lock.slug}: beacon")
                expect_equal(len(beacon), 23, f"{lock.slug}: length of its beacon")
    play(talk, *(a_lock(model, number)
                 for number, model in enumerate(("gen4", "5g", "gen3", "gen2", "gen1"), 1)))


async def connected(lock, **kwargs):
    """A client with services; on the real BlueZ that may take a second connection."""
    found = await discovered(lock.address)
    for attempt in range(1, TRIES + 1):
        client = bleak.BleakClient(found, timeout=20 * PATIENCE, **kwargs)
        try:
            await client.connect()
        except bleak.BleakError as failure:
            if attempt == TRIES or not IS_REAL_BLUEZ:
                raise
            logging.info("connection %d: %s", attempt, failure)
            continue
        if any(service.uuid == SERVICE for service in client.services):
            return client
        await client.disconnect()
    raise rig.Failure(f"{TRIES} connections showed no services")


@case
def bleak_reads_characteristics():
    async def talk(here, *locks):
        for lock in locks:
            truth = here.show(lock)
            client = await connected(lock)
            for service, *wanted in ((SERVICE, *KEYTURNER),
                                     PAIRING.get(lock.model[5:], PAIRING_OLD)):
                have = {one.uuid: one for one in client.services.get_service(service).characteristics}
                for one in wanted:
                    expect(one in have, f"{lock.slug}: no {one}")
                    expect({"write", "indicate"} <= set(have[one].properties),
                           f"{lock.slug}: {one} is {have[one].properties}")
            expect_equal((await client.read_gatt_char(FIRMWARE)).decode(), truth["firmware"],
                         "firmware")
            expect_equal((await client.read_gatt_char(SERIAL)).decode(), truth["nuki-id"], "serial")
            expect((await client.read_gatt_char(HARDWARE)).decode() != "", "hardware is empty")
            await client.disconnect()
    play(talk, a_lock("gen4", 1), a_lock("5g", 2))


def message(command, payload=b""):
    """An open message. CRC-CCITT by Python's own function, not by ours."""
    data = struct.pack("<H", command) + payload
    return data + struct.pack("<H", binascii.crc_hqx(data, 0xffff))


@case
def bleak_subscribes_and_writes():
    async def talk(here, *locks):
        for lock in locks:
            here.sim_pairing(lock)
            client = await connected(lock)
            pairing = PAIRING.get(lock.model[5:], PAIRING_OLD)[1]
            heard = asyncio.Queue()
            await client.start_notify(
                pairing, lambda _, data, heard=heard: heard.put_nowait(bytes(data)))
            # Request Data: Public Key.
            await client.write_gatt_char(pairing, message(1, b"\x03\x00"), response=True)
            answer = await asyncio.wait_for(heard.get(), 10 * PATIENCE)
            expect_equal((len(answer), answer[:2]), (36, b"\x03\x00"), "length and command")
            expect_equal(answer, message(3, answer[2:-2]), "CRC")
            # A wrong CRC is answered with Error Report: BAD_CRC.
            await client.write_gatt_char(pairing, message(1, b"\x03\x00")[:-1] + b"\xff",
                                         response=True)
            answer = await asyncio.wait_for(heard.get(), 10 * PATIENCE)
            expect_equal(answer[:3], b"\x12\x00\xfd", "error report")
            await client.stop_notify(pairing)
            await client.disconnect()
            await until(lambda lock=lock: here.show(lock)["links"] == 0, "the link ends")
    play(talk, a_lock("gen4", 1), a_lock("5g", 2))


@case
def bleak_is_told_of_a_lost_link():
    async def talk(here, lock):
        ended = []
        client = await connected(lock, disconnected_callback=ended.append)
        here.trouble(lock, "drop")
        await until(lambda: ended, "the callback")
        expect_equal(client.is_connected, False, "is_connected")
        client = await connected(lock)
        expect_equal((await client.read_gatt_char(FIRMWARE)).decode(), here.show(lock)["firmware"],
                     "firmware after a new connection")
        await client.disconnect()
    play(talk, a_lock("gen4"))


@case
def bleak_finds_the_services_in_the_order_of_bluez_5_66():
    async def talk(here, lock):
        client = await connected(lock)
        print(f"# bleak needed {here.counters(lock)['connections']} connection(s)")
        await client.disconnect()
    play(talk, a_lock("gen4"), args=())


main()
