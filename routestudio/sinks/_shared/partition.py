"""Where services and clients put a record by its key. Pure.

Sources: Apache Kafka's `Utils.murmur2` and `BuiltInPartitioner` (the Java client's partition of a
key), Amazon Kinesis (MD5 of the partition key in equal ranges, as a stream has that never was
resharded), and `phash2` for Sequin's own choice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

Partitioner = Callable[[bytes, int], int]
"""From key and number of partitions to the number of one, from 0."""

_M: Final = 0x5BD1E995
_MASK: Final = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """Kafka's 32-bit hash of a key, unsigned."""
    size = len(data)
    found = (0x9747B28C ^ size) & _MASK
    whole = size & ~3
    for start in range(0, whole, 4):
        k = int.from_bytes(data[start : start + 4], "little") * _M & _MASK
        k = (k ^ (k >> 24)) * _M & _MASK
        found = (found * _M & _MASK) ^ k
    if size > whole:
        found = (found ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    found = (found ^ (found >> 13)) * _M & _MASK
    return found ^ (found >> 15)


def java_client(key: bytes, count: int) -> int:
    """The partition that Kafka's Java client chooses for a key."""
    return (murmur2(key) & 0x7FFFFFFF) % count


def kinesis_shard(key: bytes, count: int) -> int:
    """The shard of a stream whose `count` shards share the keys equally."""
    number = int.from_bytes(hashlib.md5(key, usedforsecurity=False).digest(), "big")
    return number * count >> 128
