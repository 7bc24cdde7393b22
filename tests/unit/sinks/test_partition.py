"""Partitions of keys, against an independent client and against facts that can be looked up."""

from __future__ import annotations

import hashlib
import warnings

from hypothesis import given
from hypothesis import strategies as st

from routestudio.sinks import registry
from routestudio.sinks.kafka.partition import java_client, murmur2
from routestudio.sinks.kinesis.shard import equal_shards

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka.partitioner.default import murmur2 as independent


@given(st.binary(max_size=40))
def test_murmur2_is_what_clients_compute(key: bytes) -> None:
    assert murmur2(key) == independent(key) & 0xFFFFFFFF
    assert java_client(key, 7) == (independent(key) & 0x7FFFFFFF) % 7


@given(st.binary(max_size=40), st.integers(1, 50))
def test_a_shard_holds_an_equal_range_of_hashes(key: bytes, count: int) -> None:
    shard = equal_shards(key, count)
    number = int(hashlib.md5(key).hexdigest(), 16)
    assert shard * 2**128 <= number * count < (shard + 1) * 2**128


def test_sinks_say_what_decides() -> None:
    kafka = registry.default().get("kafka")
    assert kafka.partition_key({"topic": "t", "message_key": "k"}, "g") == b"k"
    assert kafka.partition_key({"topic": "t", "message_key": ""}, "g") is None
    kinesis = registry.default().get("kinesis")
    assert kinesis.partition_key({"stream_arn": "a"}, "g") == b"g"
    for sink in map(registry.default().get, registry.default().names()):
        for choose in sink.partitioners.values():
            assert 0 <= choose(b"some key", 3) < 3
