# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the cases with clients that others wrote have in common; each brand's are in a test-*.py beside it.

Our own driver and our own simulator could agree on a mistake. These clients know real locks, and learned
nothing from us: where they read what the simulator says it did, both are right. Nothing of them is in
this repository; ./run installs them and starts the cases.

Environment:

  LOCKHUB_BUILD_ROOT  build directory that holds lockhub-sim (needed)
  LOCKHUB_CLIENTS     a virtual environment of this Python version with the packages of requirements.txt
                      (`run --install BUILD` makes one and prints its name). Not needed when the Python
                      that runs this has them. Without them every case is skipped.
  LOCKHUB_RIG=vm      inside a virtual machine, by way of tests/vm/run-cases: the real bluetoothd instead
                      of the virtual org.bluez:
                        LOCKHUB_RIG=vm LOCKHUB_CLIENTS=BUILD/conformance-venv \\
                            tests/vm/run-cases tests/conformance/test-clients.py
  LOCKHUB_PATIENCE    all patience times so much (1)
"""

import asyncio
import logging
import os
import pathlib
import site
import sys
import time
import traceback
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "hub"))

# pylint: disable=wrong-import-position
import rig
from case import expect

if "LOCKHUB_CLIENTS" in os.environ:
    site.addsitedir(f"{os.environ['LOCKHUB_CLIENTS']}/lib/"
                    f"python{sys.version_info[0]}.{sys.version_info[1]}/site-packages")
try:
    import bleak
except ImportError:
    bleak = None  # whoever needs it says so

# bluetoothd 5.66 says ServicesResolved before the GATT objects are there, and bleak, at a first
# connection, then finds none of them (bluez issue 1489, bleak issue 1806). See the case about it.
IS_REAL_BLUEZ = os.environ.get("LOCKHUB_RIG") == "vm"
OBJECTS_FIRST = () if IS_REAL_BLUEZ else ("--objects-first",)

PATIENCE = rig.PATIENCE


class Heard(logging.Handler):
    """What the clients log, to be shown when a case fails."""

    def __init__(self):
        super().__init__(logging.INFO)
        self.lines = []

    def emit(self, record):
        text = f"{record.name}: {record.levelname.lower()}: {record.getMessage()}"
        if record.exc_info and record.exc_info[1] is not None:
            text += f": {record.exc_info[1]!r}"
        self.lines.append(text)

    def tell(self):
        print("# --- the clients' log")
        for line in self.lines[-30:]:
            print("#   " + line.replace("\n", " ")[:300])


def play(conversation, *locks, missing=None, seconds=30, args=OBJECTS_FIRST, after=None):
    """Runs the coroutine @conversation(rig, *locks) on a bus of its own, and then @after(Heard).

    @missing: the ImportError of a client that is not here.
    """
    if missing is not None:
        raise rig.Skipped(f"{missing.name} is not installed")
    heard = Heard()
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.addHandler(heard)
    # bleak wants to be asked for the MTU first.
    warnings.simplefilter("ignore", UserWarning)
    try:
        with rig.Rig() as here:
            here.start_bus()
            # See tests/vm/real.py; bleak gets along with the real BlueZ only when it is not that quick.
            here.is_controller_first = False
            here.start_sim(*locks, speed=20, args=args)
            os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = here.bus_address
            asyncio.run(asyncio.wait_for(conversation(here, *locks), seconds * PATIENCE))
            if after is not None:
                after(heard)
    except rig.Skipped:
        raise
    except BaseException as failure:
        for frame in traceback.extract_tb(failure.__traceback__):
            print(f"#   at {frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}: {frame.line}")
        heard.tell()
        raise
    finally:
        root.removeHandler(heard)


async def until(condition, what, seconds=10):
    deadline = time.monotonic() + seconds * PATIENCE
    while not condition():
        if time.monotonic() >= deadline:
            raise rig.Failure(f"not within {seconds:g} s: {what() if callable(what) else what}")
        await asyncio.sleep(0.02)


async def discovered(address, seconds=10):
    found = await bleak.BleakScanner.find_device_by_address(address, timeout=seconds * PATIENCE)
    expect(found is not None, f"bleak hears nothing of {address}")
    return found
