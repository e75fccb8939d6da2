#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""yalexs-ble, with which Home Assistant speaks to locks of August and Yale, against ours: see bench.py.

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
    import yalexs_ble
    from yalexs_ble.const import OperationError
    MISSING = None
except ImportError as error:
    MISSING = error

KEY = "0123456789abcdef0123456789abcdef"
WRONG_KEY = "f" + KEY[1:]
SLOT = 7
MODELS = ("august:asl-01", "august:asl-03", "yale:assure", "yale:linus")


def a_lock(model, is_fragile=False):
    number = MODELS.index(model) + 1
    return rig.Lock(f"front-{model.partition(':')[2]}", model, f"78:9C:85:00:00:0{number}", "",
                    extra=f"key={KEY},slot={SLOT},battery=64,fragile={int(is_fragile)}")


def play(conversation, lock, cooldown=0):
    """@cooldown: silence in front of each write, in seconds; None: as much as the client is for."""
    if MISSING is None:
        usual = yalexs_ble.session.COOLDOWN_TIME
        yalexs_ble.session.COOLDOWN_TIME = usual if cooldown is None else cooldown
    try:
        bench.play(conversation, lock, missing=MISSING)
    finally:
        if MISSING is None:
            yalexs_ble.session.COOLDOWN_TIME = usual


class Phone:
    """yalexs-ble with the lock's key; use as `async with Phone(lock) as phone`."""

    def __init__(self, lock, key=KEY, slot=SLOT):
        self.lock = lock
        self.key = (key, slot)
        self.client = None
        self.told = []

    async def __aenter__(self):
        device = await discovered(self.lock.address)
        self.client = yalexs_ble.Lock(lambda: device, *self.key, self.lock.slug, self.told.extend)
        try:
            await self.client.connect()
        except BaseException:
            await self.client.disconnect()
            raise
        return self

    async def __aexit__(self, *_failure):
        await self.client.disconnect()

    async def is_told(self, status):
        await until(lambda: status in self.told, lambda: f"{self.lock.slug}: {status}: {self.told}")

    async def move(self, verb, end):
        """Up to its end: the result, and the state that follows it or comes before."""
        self.told.clear()
        await getattr(self.client, f"force_{verb}")()
        await self.is_told(end)


async def operate(here, lock):
    status = yalexs_ble.LockStatus
    async with Phone(lock) as phone:
        info = await phone.client.lock_info()
        shown = here.show(lock)
        expect_equal((info.model, info.serial, info.firmware),
                     (shown["text"], shown["serial"], shown["firmware"]), "what it is")
        expect_equal(await phone.client.lock_status(), status.LOCKED, "state")
        if info.door_sense:
            expect_equal(await phone.client.door_status(), yalexs_ble.DoorStatus.CLOSED, "door")
        if info.battery_reporting:
            state = await phone.client.battery()
            expect(4.96 < state.voltage < 6.3 and 0 < state.percentage < 100, f"battery {state}")
        await phone.move("unlock", status.UNLOCKED)
        await phone.move("lock", status.LOCKED)
        await phone.move("securemode", status.SECUREMODE)
        await phone.move("unlock", status.UNLOCKED)
        expect_equal(await phone.client.lock_status(), status.UNLOCKED, "state in the end")
        expect_equal(here.motor_runs(lock), (2, 2, 0), "lock, unlock, unlatch commands")
        expect_equal(here.counters(lock)["refused"], 0, "refused")
        expect(not here.show(lock)["crashed"], "written to so fast that it crashed")


@case
def the_first_august_is_read_locked_and_unlocked_at_the_pace_that_it_bears():
    play(operate, a_lock("august:asl-01", is_fragile=True), cooldown=None)


@case
def an_assure_is_read_locked_and_unlocked():
    play(operate, a_lock("yale:assure"))


@case
def a_linus_is_unlatched_too():
    async def talk(here, lock):
        await operate(here, lock)
        async with Phone(lock) as phone:
            await phone.client.force_unlatch()
            await phone.is_told(yalexs_ble.LockStatus.UNLOCKED)
        expect_equal(here.counters(lock)["motor-unlatch"], 1, "the latch was pulled")
    play(talk, a_lock("yale:linus"))


@case
def an_august_tells_what_a_hand_does():
    async def talk(here, lock):
        async with Phone(lock) as phone:
            here.turn(lock, "unlock")
            await phone.is_told(yalexs_ble.LockStatus.UNLOCKED)
            here.sim("door", lock.slug, "open")
            await phone.is_told(yalexs_ble.DoorStatus.OPENED)
            # Oldest first, each once: by hand, then the door.
            first, second = [record async for record in phone.client.drain_lock_activity()]
            expect_equal((first.status, first.source),
                         (yalexs_ble.LockStatus.UNLOCKED, yalexs_ble.LockOperationSource.MANUAL), "first record")
            expect_equal(second.status, yalexs_ble.DoorStatus.OPENED, "second record")
            expect_equal([record async for record in phone.client.drain_lock_activity()], [], "what is left")
    play(talk, a_lock("august:asl-03"))


@case
def the_results_of_an_august_are_understood():
    async def refused(phone, verb, result):
        try:
            await getattr(phone.client, f"force_{verb}")()
        except yalexs_ble.OperationFailedError as failure:
            expect_equal(failure.error, result, verb)
        else:
            raise rig.Failure(f"{verb}: done, wanted {result}")

    async def talk(here, lock):
        async with Phone(lock) as phone:
            await phone.move("unlock", yalexs_ble.LockStatus.UNLOCKED)
            here.jam(lock, True)
            await refused(phone, "lock", OperationError.MECH_POSITION)
            expect_equal(await phone.client.lock_status(), yalexs_ble.LockStatus.JAMMED, "jammed")
            here.jam(lock, False)
            await phone.move("lock", yalexs_ble.LockStatus.LOCKED)
            for result in (OperationError.MECH_HANDLE_NOT_LIFTED, OperationError.VBAT_LOW):
                here.sim("set", lock.slug, f"refuse={result.value}")
                await refused(phone, "unlock", result)
            here.sim("set", lock.slug, "refuse=0")
            here.sim("set", lock.slug, "busy=1")
            await refused(phone, "unlock", OperationError.BUSY)
            await phone.move("unlock", yalexs_ble.LockStatus.UNLOCKED)
    play(talk, a_lock("august:asl-03"))


@case
def an_august_takes_no_other_key():
    async def talk(_here, lock):
        for key in ((WRONG_KEY, SLOT), (KEY, SLOT + 1)):
            try:
                async with Phone(lock, *key):
                    raise rig.Failure(f"opened with another key or slot: {key[1]}")
            except yalexs_ble.AuthError:
                pass
        async with Phone(lock) as phone:
            expect_equal(await phone.client.lock_status(), yalexs_ble.LockStatus.LOCKED, "with the right key")
    play(talk, a_lock("august:asl-03"))


@case
def settings_and_codes_of_an_august_are_as_they_are_known():
    async def talk(here, lock):
        async with Phone(lock) as phone:
            for mode, seconds, shown in ((yalexs_ble.AutoLockMode.TIMER, 120, (120, 120)),
                                         (yalexs_ble.AutoLockMode.INSTANT, 30, (30, 0)),
                                         (yalexs_ble.AutoLockMode.OFF, 0, (0, 0))):
                await phone.client.set_auto_lock(mode, seconds)
                row = here.show(lock)
                expect_equal((row["relock"], row["relock-closed"]), shown, mode.name)
                phone.told.clear()
                await phone.client.auto_lock_status()
                await until(lambda mode=mode: [one.mode for one in phone.told] == [mode],
                            lambda: f"told: {phone.told}")
            expect_equal(await phone.client.get_keycode(3), None, "an empty place")
            await phone.client.set_keycode(3, "482915")
            expect_equal(await phone.client.get_keycode(3), "482915", "what is in the place")
            expect_equal(here.show(lock)["codes"], 1, "codes")
            try:
                await phone.client.set_keycode(4, "482915")
            except yalexs_ble.KeycodeError as failure:
                expect_equal(failure.error, OperationError.KEYCODE_EXISTING_KEY, "the same code twice")
            await phone.client.clear_keycode(3)
            expect_equal(await phone.client.get_keycode(3), None, "the place after clearing")
            expect_equal(here.show(lock)["codes"], 0, "codes in the end")
    play(talk, a_lock("august:asl-03"))


@case
def an_august_is_heard_as_it_is():
    async def talk(here, lock):
        """The client's decision: ask it now, or not."""
        heard = []
        phone = yalexs_ble.PushLock(local_name=None, address=lock.address, key=KEY, key_index=SLOT)
        phone._schedule_future_update_with_debounce = heard.append  # pylint: disable=protected-access

        def hear(device, said):
            if device.address == lock.address:
                phone.update_advertisement(device, said)

        async with bleak.BleakScanner(hear):
            await until(lambda: heard, "it is heard")
            expect_equal(phone.ble_device.name, yalexs_ble.serial_to_local_name(here.show(lock)["serial"]), "its name")
            expect(yalexs_ble.local_name_is_unique(phone.ble_device.name), f"its name {phone.ble_device.name}")
            for where in ("unlock", "lock"):
                heard.clear()
                here.turn(lock, where)
                await until(lambda: heard, f"that it was turned is heard: {where}")
    play(talk, a_lock("yale:assure"))


main()
