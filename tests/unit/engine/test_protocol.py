"""Frames: any split of the bytes gives the same items, and bad frames cost only themselves."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routestudio.api import protocol
from routestudio.api.protocol import Cancel, Event, Failure, FrameReader, Request, Response
from routestudio.errors import ProtocolError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
MAPS = st.dictionaries(TEXT, VALUES, max_size=3)
IDS = st.integers(0, 2**53)
ITEMS = st.one_of(
    st.builds(Request, IDS, TEXT, MAPS),
    st.builds(Cancel, IDS),
    st.builds(Response, IDS, VALUES),
    st.builds(Response, IDS, st.none(), st.builds(Failure, TEXT, TEXT, st.none() | TEXT)),
    st.builds(Event, TEXT, MAPS, st.none() | IDS),
)
BAD = st.sampled_from([
    b"Content-Length: 3\r\n\r\n{[1", b"Content-Length: 2\r\n\r\n[]", b"nonsense\r\n\r\n",
    b"Content-Length: -1\r\n\r\n", b"Content-Length: 12\r\n\r\n{\"cancel\":1.", b"\r\n\r\n",
])  # fmt: skip


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(ends)]


@pytest.mark.slow
@given(st.lists(ITEMS, max_size=5), st.lists(st.integers(0), max_size=10))
def test_any_split_gives_the_same_items(items: list[protocol.Item], places: list[int]) -> None:
    reader = FrameReader()
    data = b"".join(map(protocol.encode, items))
    assert [item for part in cut(data, places) for item in reader.feed(part)] == items


@given(st.lists(st.tuples(BAD, ITEMS), min_size=1, max_size=4), st.lists(st.integers(0)))
def test_a_bad_frame_is_reported_and_the_next_is_read(
    pairs: list[tuple[bytes, protocol.Item]], places: list[int]
) -> None:
    reader = FrameReader()
    data = b"".join(bad + protocol.encode(item) for bad, item in pairs)
    found = [item for part in cut(data, places) for item in reader.feed(part)]
    good = [item for item in found if not isinstance(item, ProtocolError)]
    assert good == [item for _, item in pairs]
    assert len(found) == 2 * len(pairs)


@given(st.binary(max_size=300), st.lists(st.integers(0), max_size=5))
def test_any_bytes_are_survived(data: bytes, places: list[int]) -> None:
    reader = FrameReader()
    for part in cut(data, places):
        list(reader.feed(part))


def test_an_endless_header_is_given_up() -> None:
    reader = FrameReader()
    found = [item for _ in range(10) for item in reader.feed(b"x" * 1000)]
    assert found
    assert all(isinstance(item, ProtocolError) for item in found)


def test_a_huge_frame_is_skipped_and_the_next_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MAX_FRAME", 1000)
    reader = FrameReader()
    body = json.dumps({"id": 1, "method": "x" * 2000}).encode()
    data = b"Content-Length: %d\r\n\r\n%b" % (len(body), body) + protocol.encode(Cancel(7))
    found = [item for start in range(0, len(data), 100)
             for item in reader.feed(data[start : start + 100])]  # fmt: skip
    assert isinstance(found[0], ProtocolError)
    assert "limit" in found[0].message
    assert found[1:] == [Cancel(7)]
