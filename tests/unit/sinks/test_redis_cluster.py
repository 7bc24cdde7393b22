"""Which server of a Redis cluster holds a key."""

from __future__ import annotations

import pytest

from routestudio.sinks._shared.redis.cluster import SLOTS, owners, slot_of


@pytest.mark.parametrize(("key", "slot"), [
    ("123456789", 12739), ("foo", 12182), ("", 0), ("{user1000}.following", 3443),
    ("{user1000}.followers", 3443), ("user1000", 3443),
])  # fmt: skip
def test_slots_as_the_specification_has_them(key: str, slot: int) -> None:
    assert slot_of(key) == slot


def test_braces() -> None:
    assert slot_of("foo{}{bar}") == slot_of("foo{}{bar}") != slot_of("bar")
    assert slot_of("foo{{bar}}zap") == slot_of("{bar")
    assert slot_of("foo{bar}{zap}") == slot_of("bar")
    assert slot_of("ü{é}") == slot_of("é")
    assert 0 <= slot_of("foo{bar") < SLOTS


def test_owners_of_slots() -> None:
    reply = [
        [0, 2, [b"10.0.0.1", 6379, b"id"], [b"10.0.0.9", 6379, b"replica"]],
        [3, 3, [None, 6380, b"id"]],
        [4, 4, [b"", 6381, b"id"]],
    ]
    assert owners(reply, "asked") == {
        0: ("10.0.0.1", 6379), 1: ("10.0.0.1", 6379), 2: ("10.0.0.1", 6379),
        3: ("asked", 6380), 4: ("asked", 6381),
    }  # fmt: skip
    assert owners(None, "asked") == {}
