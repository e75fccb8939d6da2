#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""pySwitchbot, with which Home Assistant speaks to these locks, against ours: see bench.py.

Arguments: words; only the cases with one of them in their name.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

# pylint: disable=wrong-import-position,wrong-import-order
import bench
import rig
from bench import discovered, until
from case import case, expect, expect_equal, main

try:
    import bleak
    import switchbot
    from switchbot.adv_parser import parse_advertisement_data
    MISSING = None
    MODELS = switchbot.SwitchbotModel
    KINDS = {"lock": MODELS.LOCK, "lite": MODELS.LOCK_LITE, "pro": MODELS.LOCK_PRO,
             "pro-wifi": MODELS.LOCK_PRO_WIFI, "ultra": MODELS.LOCK_ULTRA, "vision": MODELS.LOCK_VISION,
             "vision-pro": MODELS.LOCK_VISION_PRO}
except ImportError as error:
    MISSING = error

KEY = "0123456789abcdef0123456789abcdef"
WRONG_KEY = "f" + KEY[1:]
KEY_ID = "34"


def a_lock(model, more=""):
    number = list(KINDS).index(model) + 1 if MISSING is None else 0
    return rig.Lock(f"front-{model}", f"switchbot:{model}", f"B0:E9:FE:00:00:0{number}", "",
                    extra=f"key={KEY},key-id={KEY_ID},battery=64{more}")


def play(conversation, *locks):
    bench.play(conversation, *locks, missing=MISSING)


def kind(lock):
    return KINDS[lock.model.partition(":")[2]]


class Ears:
    """What pySwitchbot makes of what is in the air."""

    def __init__(self):
        self.heard = {}
        self.scanner = bleak.BleakScanner(self._on_advertisement)

    def _on_advertisement(self, device, said):
        self.heard[device.address] = parse_advertisement_data(device, said)

    async def __aenter__(self):
        await self.scanner.start()
        return self

    async def __aexit__(self, *_failure):
        await self.scanner.stop()

    def of(self, lock):
        told = self.heard.get(lock.address)
        return told.data["data"] if told else {}

    async def until(self, lock, **wanted):
        def said():
            return {key: self.of(lock).get(key) for key in wanted}
        await until(lambda: said() == wanted, lambda: f"{lock.slug}: {self.heard.get(lock.address)}, "
                                                      f"wanted {wanted}")


class Phone:
    """pySwitchbot with the lock's key; use as `async with Phone(lock) as phone`."""

    def __init__(self, lock, key_id=KEY_ID, key=KEY):
        self.lock = lock
        self.keys = (key_id, key)
        self.client = None
        self.states = []

    async def __aenter__(self):
        async with Ears() as ears:
            await until(lambda: ears.of(self.lock), f"{self.lock.slug} is heard")
            told = ears.heard[self.lock.address]
        self.client = switchbot.SwitchbotLock(told.device, *self.keys, model=kind(self.lock))
        self.client.subscribe(lambda: self.states.append(self.client.get_lock_status().name))
        # update_from_advertisement() would start to read beside us.
        self.client._set_advertisement_data(told)  # pylint: disable=protected-access
        return self

    async def __aexit__(self, *_failure):
        await self.client._execute_forced_disconnect()  # pylint: disable=protected-access

    async def move(self, verb, end, here):
        """Up to its end, as the client learns of it."""
        await self.client.update()
        expect_equal(await getattr(self.client, verb)(), True, f"{self.lock.slug}: {verb}")
        if here.show(self.lock)["mode"] == "gcm":
            # With which start value news are made, nobody knows: it is asked.
            await until(lambda: here.show(self.lock)["bolt"] == end.lower(), f"{verb}: the bolt")
            await self.client.update()
        await until(lambda: self.client.get_lock_status().name == end,
                    lambda: f"{self.lock.slug}: {verb}: {self.states}")


@case
def switchbots_are_heard_as_they_are():
    async def talk(here, *locks):
        async with Ears() as ears:
            for lock in locks:
                model = kind(lock)
                has_door = model not in (MODELS.LOCK_LITE, MODELS.LOCK_VISION)
                await ears.until(lock, calibration=True, status=switchbot.LockStatus.LOCKED, battery=64,
                                 sequence_number=here.show(lock)["sequence"],
                                 **({"door_open": False} if has_door else {}))
                expect_equal(ears.heard[lock.address].data["modelName"], model, f"model of {lock.slug}")
                here.turn(lock, "unlock")
                await ears.until(lock, status=switchbot.LockStatus.UNLOCKED,
                                 sequence_number=here.show(lock)["sequence"])
                here.sim("door", lock.slug, "open")
                here.battery(lock, 3)
                await ears.until(lock, battery=3, **({"door_open": True} if has_door else {}))
                here.sim("set", lock.slug, "calibrated=0")
                await ears.until(lock, calibration=False)
                expect("door_open" in ears.of(lock) or not has_door, "the door is not told")
            first, _, *pros, ultra, _, vision_pro = locks
            expect_equal(ears.of(first)["night_latch"], True, "the latch of the first")
            for lock in pros:
                expect(ears.of(lock)["left_battery_compartment_alarm"]
                       and ears.of(lock)["right_battery_compartment_alarm"],
                       f"both compartments of {lock.slug}: {ears.of(lock)}")
            for lock in (ultra, vision_pro):
                expect_equal(ears.of(lock)["power_alarm"], True, f"the alarm of {lock.slug}")
    play(talk, a_lock("lock", ",night-latch=1"), *(a_lock(model) for model in (
        "lite", "pro", "pro-wifi", "ultra", "vision", "vision-pro")))


async def operate(here, lock):
    async with Phone(lock) as phone:
        info = await phone.client.get_basic_info()
        expect_equal((info["battery"], info["status"].name, info["calibration"]), (64, "LOCKED", True), "info")
        expect_equal(f"{info['firmware']:.1f}", here.show(lock)["firmware"], "firmware")
        await phone.move("unlock_without_unlatch", "UNLOCKED", here)
        await phone.move("lock", "LOCKED", here)
        # What the client calls unlock pulls the latch where there is one.
        await phone.move("unlock", "UNLOCKED", here)
        expect_equal(here.motor_runs(lock), (1, 1, 1), "lock, unlock, unlatch commands")
        expect_equal(here.counters(lock)["motor-unlatch"], 1, "the latch was pulled")
        if here.show(lock)["mode"] == "ctr":
            expect("UNLOCKING" in phone.states or "LOCKING" in phone.states, f"on the way: {phone.states}")
        expect_equal(here.counters(lock)["refused"], 0, "refused")


@case
def the_first_is_locked_unlocked_and_unlatched():
    play(operate, a_lock("lock", ",night-latch=1"))


@case
def a_lite_is_locked_unlocked_and_unlatched():
    play(operate, a_lock("lite", ",night-latch=1"))


@case
def a_pro_is_locked_unlocked_and_unlatched():
    play(operate, a_lock("pro", ",night-latch=1"))


@case
def a_pro_with_wifi_is_locked_unlocked_and_unlatched():
    play(operate, a_lock("pro-wifi", ",night-latch=1"))


@case
def visions_are_locked_unlocked_and_unlatched():
    play(operate, a_lock("vision", ",night-latch=1"))
    play(operate, a_lock("vision-pro", ",night-latch=1"))


@case
def an_ultra_is_locked_unlocked_and_unlatched_in_either_mode():
    play(operate, a_lock("ultra", ",night-latch=1,mode=ctr"))
    play(operate, a_lock("ultra", ",night-latch=1,mode=gcm"))


@case
def a_switchbot_tells_what_a_hand_does():
    async def talk(here, lock):
        async with Phone(lock) as phone:
            await phone.move("unlock_without_unlatch", "UNLOCKED", here)
            here.turn(lock, "lock")
            await until(lambda: phone.client.get_lock_status().name == "LOCKED",
                        lambda: f"turned by hand: {phone.states}")
            here.turn(lock, "unlock")
            here.sim("door", lock.slug, "open")
            await until(phone.client.is_door_open, "the door")
            expect_equal(phone.client.get_lock_status().name, "UNLOCKED", "turned by hand again")
    play(talk, a_lock("pro"))


@case
def a_switchbot_takes_no_other_key():
    async def talk(_here, lock):
        for keys in ((KEY_ID, WRONG_KEY), ("35", KEY)):
            async with Phone(lock, *keys) as phone:
                try:
                    expect_equal(await phone.client.get_basic_info(), None, "read with a wrong key")
                except switchbot.SwitchbotOperationError:
                    pass
        async with Phone(lock) as phone:
            expect(await phone.client.get_basic_info() is not None, "the right key reads nothing")
    play(talk, a_lock("pro"))


@case
def the_results_of_a_switchbot_are_understood():
    async def talk(here, lock):
        async with Phone(lock) as phone:
            here.battery(lock, 3)
            # 06: it obeys, and is weak.
            await phone.move("unlock_without_unlatch", "UNLOCKED", here)
            expect_equal(phone.client.get_battery_percent(), 3, "percent")
            # 02, 03: it does not.
            for result in (2, 3):
                here.sim("set", lock.slug, f"refuse={result}")
                await phone.client.update()
                expect_equal(await phone.client.lock(), False, f"result {result}")
            expect_equal(here.show(lock)["bolt"], "unlocked", "bolt")
    play(talk, a_lock("pro"))


main()
