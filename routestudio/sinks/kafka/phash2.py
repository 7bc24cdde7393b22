"""The partition that a Sequin server chooses for a key: Erlang's `phash2` over the key's bytes.

Bob Jenkins' 1996 block hash (lookup2) with Erlang's start values; docs/reference/sequin.md#hashes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
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


# --- many keys at once ------------------------------------------------------------------------

_LANE: Final = 12
"""Bytes of one lane: a block of the hash. 32 bits of it hold a value, the rest catches carries."""

_LENGTHS: Final = tuple(bytes((length, 0, 0, 0)) for length in range(256))


def hashes(keys: Sequence[bytes]) -> list[int]:
    """The hash of each key, as `phash2` gives it.

    The keys are hashed side by side, as lanes of long integers: a quarter of the time or less.
    """
    found = [0] * len(keys)
    groups: dict[int, list[int]] = {}
    for index, key in enumerate(keys):
        length = len(key)
        groups.setdefault(length // _LANE if length < 256 else -1, []).append(index)
    for blocks, members in groups.items():
        if blocks < 0 or len(members) < 4:
            for index in members:
                found[index] = phash2(keys[index])
        elif len(members) == len(keys):
            return _side_by_side(keys, blocks)
        else:
            values = _side_by_side([keys[index] for index in members], blocks)
            for index, value in zip(members, values, strict=True):
                found[index] = value
    return found


@lru_cache(maxsize=1024)
def _lanes(size: int) -> tuple[int, int, int, int]:
    """For so many lanes: their mask, a bias that keeps differences positive, and both starts."""
    ones = int.from_bytes(bytes((1, *[0] * (_LANE - 1))) * size, "little")
    return ones * _MASK, ones << 34, ones * _GOLDEN, ones * _START_C


def _side_by_side(keys: Sequence[bytes], blocks: int) -> list[int]:
    """The hashes of keys of under 256 bytes that hold `blocks` whole blocks each."""
    mask, bias, a, c = _lanes(len(keys))
    b = a
    for block in range(blocks):
        start = block * _LANE
        data = int.from_bytes(b"".join([key[start : start + _LANE] for key in keys]), "little")
        a, b, c = _mix_lanes(
            (a + (data & mask)) & mask,
            (b + ((data >> 32) & mask)) & mask,
            (c + ((data >> 64) & mask)) & mask,
            mask,
            bias,
        )
    start, middle = blocks * _LANE, blocks * _LANE + 8
    if start == 0 and max(map(len, keys)) <= 8:
        rest = [key.ljust(8, b"\0") + _LENGTHS[len(key)] for key in keys]
    else:
        rest = [
            key[start:middle].ljust(8, b"\0")
            + _LENGTHS[len(key)][:1]
            + key[middle:].ljust(3, b"\0")
            for key in keys
        ]
    data = int.from_bytes(b"".join(rest), "little")
    c = _mix_lanes(
        (a + (data & mask)) & mask,
        (b + ((data >> 32) & mask)) & mask,
        (c + ((data >> 64) & mask)) & mask,
        mask,
        bias,
    )[2]
    written = c.to_bytes(len(keys) * _LANE, "little")
    return [value for (value,) in struct.iter_unpack("<I8x", written)]


def _mix_lanes(a: int, b: int, c: int, mask: int, bias: int) -> tuple[int, int, int]:
    """`_mix` in every lane. What a shift moves over a lane's edge, the mask takes away."""
    a = ((a - b - c + bias) ^ (c >> 13)) & mask
    b = ((b - c - a + bias) ^ (a << 8)) & mask
    c = ((c - a - b + bias) ^ (b >> 13)) & mask
    a = ((a - b - c + bias) ^ (c >> 12)) & mask
    b = ((b - c - a + bias) ^ (a << 16)) & mask
    c = ((c - a - b + bias) ^ (b >> 5)) & mask
    a = ((a - b - c + bias) ^ (c >> 3)) & mask
    b = ((b - c - a + bias) ^ (a << 10)) & mask
    c = ((c - a - b + bias) ^ (b >> 15)) & mask
    return a, b, c
