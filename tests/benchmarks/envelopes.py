"""Debezium's envelopes with their schema, as large as rows are, and the messages they become."""

from __future__ import annotations

import orjson

from routestudio.formats.base import Raw
from routestudio.formats.reader import RowReader
from routestudio.model.message import Message
from tests.benchmarks.bench_rows import debezium


def envelopes(count: int, size: int) -> tuple[list[Message], list[Raw]]:
    """`count` changes whose rows have about `size` bytes; each row changes three times in a row."""
    made: list[Raw] = []
    found, _ = debezium(count // 3 + 1)
    for number in range(count):
        raw = found[number // 3]
        value = orjson.loads(raw.value)
        payload = value["payload"]
        row = payload["after"]
        row["name"] = f"change {number} ".ljust(size - len(orjson.dumps(row)), "x")
        payload["op"] = "cuu"[number % 3]
        payload["source"]["lsn"] += number
        position = f"orders/0/{number}"
        made.append(Raw(orjson.dumps(value), raw.key, headers=raw.headers, topic=raw.topic,
                        position=position))  # fmt: skip
    reader = RowReader()
    messages = [each for raw in made for each in reader.read(raw) if isinstance(each, Message)]
    assert len(messages) == count
    return messages, made
