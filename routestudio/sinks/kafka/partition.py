"""Where Kafka's Java client puts a record by its key. Pure; `phash2` is Sequin's own choice.

Sources: Apache Kafka's `Utils.murmur2` and `BuiltInPartitioner` (the Java client's partition of a
key).
"""

from __future__ import annotations

from typing import Final

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
