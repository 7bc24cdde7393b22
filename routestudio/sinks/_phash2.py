"""The partition that a Sequin server chooses for a key: Erlang's `phash2` over the key's bytes.

Bob Jenkins' 1996 block hash (lookup2) with Erlang's start values; sinks.md, 3.16 has vectors.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

_MASK: Final = 0xFFFFFFFF
_GOLDEN: Final = 0x9E3779B9
_START_C: Final = (13 * _GOLDEN) & _MASK


@lru_cache(maxsize=65_536)
def phash2(key: bytes) -> int:
    """The unsigned 32-bit hash of a binary."""
    a = b = _GOLDEN
    c = _START_C
    length = len(key)
    position = 0
    while length - position >= 12:
        a += int.from_bytes(key[position : position + 4], "little")
        b += int.from_bytes(key[position + 4 : position + 8], "little")
        c += int.from_bytes(key[position + 8 : position + 12], "little")
        a, b, c = _mix(a & _MASK, b & _MASK, c & _MASK)
        position += 12
    tail = key[position:]
    c += length
    a += int.from_bytes(tail[:4], "little")
    b += int.from_bytes(tail[4:8], "little")
    c += int.from_bytes(tail[8:], "little") << 8
    return _mix(a & _MASK, b & _MASK, c & _MASK)[2]


def partition(key: bytes, count: int) -> int:
    """The partition, from 0, of a key in a topic with `count` partitions."""
    return phash2(key) % count


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    """One mix; written out because it runs for every key."""
    a = ((a - b - c) ^ (c >> 13)) & _MASK
    b = ((b - c - a) ^ (a << 8)) & _MASK
    c = ((c - a - b) ^ (b >> 13)) & _MASK
    a = ((a - b - c) ^ (c >> 12)) & _MASK
    b = ((b - c - a) ^ (a << 16)) & _MASK
    c = ((c - a - b) ^ (b >> 5)) & _MASK
    a = ((a - b - c) ^ (c >> 3)) & _MASK
    b = ((b - c - a) ^ (a << 10)) & _MASK
    c = ((c - a - b) ^ (b >> 15)) & _MASK
    return a, b, c
