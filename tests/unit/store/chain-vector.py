#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The event hash, written from the description in src/store/chain.h and not from its code."""

import hashlib
import struct

ROW = [7, 1, "unlocked", "0a1b2c3d", 1800000000, 1, 2, 123456, 1799999999, 42, 1, 3, 0xFF, 0xFF,
       0xFF, 0xFF, "Anna", 3, "0123456789abcdef", "unlock", "none", -1, "Tür"]

# Added by migration 2.
MORE = ["5a5a5a5a", 2, 1, 6, 2]


def digest(tag, row):
    message = tag + b"\0"
    for value in row:
        if isinstance(value, str):
            text = value.encode()
            message += b"t" + struct.pack("<Q", len(text)) + text
        else:
            message += b"i" + struct.pack("<q", value)
    return hashlib.sha256(message + b"\xab" * 32).hexdigest()


print(digest(b"lockhub-event-1", ROW))
print(digest(b"lockhub-event-2", ROW + MORE))
