"""Standard input as a source: rows as they come, all of them in order, and an end at any time."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import BinaryIO

import pytest

from routestudio.engine import standard_input
from routestudio.errors import UsageError
from routestudio.formats.reader import RowReader
from routestudio.model.message import Message
from routestudio.model.rows import RawRow
from routestudio.tasks import spawn


def line(number: int) -> bytes:
    return json.dumps({"action": "insert", "record": {"id": number}}).encode() + b"\n"


def ids(items: list[RawRow]) -> list[int]:
    found = list(RowReader().read_all(items))
    assert all(isinstance(item, Message) for item in found)
    return [item.record["id"] for item in found if isinstance(item, Message)]


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[BinaryIO]:
    """The writing end of what is standard input for the test."""
    reading, writing = os.pipe()
    with open(reading, "rb") as stdin, open(writing, "wb", buffering=0) as feed:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=stdin))
        yield feed


def reading_threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "standard input"]


async def test_rows_come_at_once_although_the_chunk_is_not_full(pipe: BinaryIO) -> None:
    source = standard_input.rows(500)
    for number in range(3):
        pipe.write(line(number))
        assert ids(await asyncio.wait_for(anext(source), 60)) == [number]
    pipe.close()
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(anext(source), 60)


async def test_every_row_comes_once_and_in_order(pipe: BinaryIO) -> None:
    count = 20_000

    def feed() -> None:
        for start in range(0, count, 37):
            pipe.write(b"".join(line(n) for n in range(start, min(start + 37, count))))
        pipe.close()

    feeding = spawn(asyncio.to_thread(feed), name="feed")
    found: list[int] = []
    async for items in standard_input.rows(100):
        assert 0 < len(items) <= 100
        found += ids(items)
    await feeding
    assert found == list(range(count))


async def test_a_reader_that_waits_for_input_can_be_left(pipe: BinaryIO) -> None:
    source = standard_input.rows(10)
    pipe.write(line(1))
    assert ids(await asyncio.wait_for(anext(source), 60)) == [1]
    assert reading_threads()
    waiting = spawn(anext(source), name="wait")
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await source.aclose()
    for _ in range(1000):
        if not reading_threads():
            return
        await asyncio.sleep(0.01)
    pytest.fail("the thread still reads")


async def test_a_reader_that_is_ahead_of_its_taker_can_be_left(pipe: BinaryIO) -> None:
    pipe.write(b"".join(line(number) for number in range(200)))
    source = standard_input.rows(10)
    assert len(ids(await asyncio.wait_for(anext(source), 60))) <= 10
    await source.aclose()
    for _ in range(1000):
        if not reading_threads():
            return
        await asyncio.sleep(0.01)
    pytest.fail("the thread still reads")


async def test_what_is_no_text_is_refused(pipe: BinaryIO) -> None:
    pipe.write(b"PK\x03\x04 and more")
    pipe.close()
    with pytest.raises(UsageError, match="zip archive"):
        await asyncio.wait_for(anext(standard_input.rows(10)), 60)


async def test_an_input_without_a_descriptor_is_read_too(monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO(line(7) + line(8))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=buffer))
    found = [number async for items in standard_input.rows(10) for number in ids(items)]
    assert found == [7, 8]
