#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The event hash, written from the description in src/store/chain.h and not from its code."""

import hashlib
import struct

ROW = [7, 1, "unlocked", "0a1b2c3d", 1800000000, 1, 2, 123456, 1799999999, 42, 1, 3, 0xFF, 0xFF,
       0xFF, 0xFF, "Anna", 3, "0123456789abcdef", "unlock", "none", -1, "Tür"]

message = b"lockhub-event-1\0"
for value in ROW:
    if isinstance(value, str):
        text = value.encode()
        message += b"t" + struct.pack("<Q", len(text)) + text
    else:
        message += b"i" + struct.pack("<q", value)
message += b"\xab" * 32
print(hashlib.sha256(message).hexdigest())
