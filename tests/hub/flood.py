#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Floods a broker as fast as it takes it: flood.py SOCKET BIG_SHARE TOPIC...

Raw MQTT 3.1.1 at QoS 0 from one prepared buffer, so that this program costs little beside the broker:
bad commands, bytes that are no UTF-8, JSON 1000 deep, and one message in BIG_SHARE of 1 MiB (0: none).
Prints each second how many messages and octets it has sent since it began. Ends with its parent.
"""

import socket
import sys
import time

BIG = 1024 * 1024


def varint(number):
    out = b""
    while True:
        number, digit = divmod(number, 128)
        out += bytes([digit | (128 if number else 0)])
        if not number:
            return out


def text(word):
    return len(word).to_bytes(2, "big") + word


def packet(kind, body):
    return bytes([kind]) + varint(len(body)) + body


def publish(topic, payload):
    return packet(0x30, text(topic.encode()) + payload)


def messages(topics, big_share):
    small = [b"NONSENSE", b"\xff\xfe\xc0\x80" * 16, b"[" * 1000, b'{"a":' * 800,
             b'{"action":"DANCE","code":"482913"}', b"UNLOCK\x00"]
    share = big_share or 96
    for topic in topics:
        for i in range(share):
            is_big = big_share and i == 0
            yield publish(topic, b"U" * BIG if is_big else small[i % len(small)])


def main():
    path, big_share, topics = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    wire = list(messages(topics, big_share))
    buffer = b"".join(wire)
    broker = socket.socket(socket.AF_UNIX)
    broker.connect(path)
    broker.sendall(packet(0x10, text(b"MQTT") + b"\x04\x02\x00\x00" + text(b"flood-%d" % id(wire))))
    broker.recv(4)
    began = time.monotonic()
    told = began
    rounds = 0
    while True:
        broker.sendall(buffer)
        rounds += 1
        now = time.monotonic()
        if now - told >= 0.5:
            told = now
            print(f"{now - began:.3f} {rounds * len(wire)} {rounds * len(buffer)}", flush=True)


if __name__ == "__main__":
    main()
