# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cases of a whole-program test: functions marked with @case, run in order, reported as TAP.

A program named with arguments runs only the cases whose names contain one of them.
"""

import signal
import sys
import time
import traceback

from rig import Failure, Skipped

_cases = []


def case(function):
    _cases.append(function)
    return function


def expect(condition, what):
    if not condition:
        raise Failure(what() if callable(what) else what)


def expect_equal(got, wanted, what):
    if got != wanted:
        raise Failure(f"{what}: {got!r}, wanted {wanted!r}")


def is_meant(name, word):
    """A part of a case's name, or with ^ and $ around it all of it."""
    return word == f"^{name}$" if word.startswith("^") else word in name


def _terminated(number, _frame):
    # Unwinds through every Rig's __exit__.
    sys.exit(128 + number)


def main():
    signal.signal(signal.SIGTERM, _terminated)
    signal.signal(signal.SIGINT, _terminated)
    signal.signal(signal.SIGHUP, _terminated)
    wanted = [one for one in _cases
              if len(sys.argv) < 2 or any(is_meant(one.__name__, word) for word in sys.argv[1:])]
    print(f"1..{len(wanted)}", flush=True)
    is_bad = False
    for number, function in enumerate(wanted, 1):
        name = function.__name__.replace("_", " ")
        began = time.monotonic()
        try:
            function()
            print(f"ok {number} - {name}", flush=True)
        except Skipped as reason:
            print(f"ok {number} - {name} # SKIP {reason}", flush=True)
        except Exception as error:  # pylint: disable=broad-except
            is_bad = True
            print(f"not ok {number} - {name}")
            for line in f"{type(error).__name__}: {error}".splitlines():
                print(f"# {line}")
            place = traceback.extract_tb(error.__traceback__)
            for frame in place:
                if "/hub/" in frame.filename:
                    print(f"#   at {frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}: "
                          f"{frame.line}")
            sys.stdout.flush()
        print(f"# {time.monotonic() - began:.1f} s", flush=True)
    sys.exit(1 if is_bad else 0)
