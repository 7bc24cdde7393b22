"""Recognising and reading rows, in processor time, against what any reader has to do.

Bars: Debezium's envelopes with their schema at most 1.5 times `orjson.loads` of value and key and
one dict a row; rows of our own form at most 1.2 times `jsonio.loads` and `message_from`.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from time import process_time
from typing import Any

import orjson

from routestudio.formats.base import Raw
from routestudio.formats.reader import RowReader
from routestudio.model import jsonio
from routestudio.model.message import Message, message_from
from tests.benchmarks.harness import Measure, Options, make_messages, rate

RECORDS = Path(__file__).parents[1] / "data" / "debezium" / "schema_on.jsonl"
CHUNK = 20_000
"""Rows that are in memory at a time; as many as are asked for are made of them."""


async def measure(options: Options) -> Sequence[Measure]:
    """Envelopes with schema and without, and messages."""
    found = []
    with_schema, without = debezium(CHUNK)
    for what, rows, bar in (
        ("Debezium with schema, recognised and read", with_schema, 1.5),
        ("Debezium without schema, recognised and read", without, None),
    ):
        found.append(_compared(what, rows, _decoded, bar, options))
    found.append(_compared("messages, recognised and read", own_form(CHUNK), _messages, 1.2,
                           options))  # fmt: skip
    return found


def _compared(
    what: str,
    rows: list[Raw],
    bare: Callable[[list[Raw]], int],
    bar: float | None,
    options: Options,
) -> Measure:
    """Both sides in turns on the same rows; of each the best round counts."""
    times = max(1, options.rows // len(rows))
    count = times * len(rows)
    assert _read(rows) == len(rows)
    best = [float("inf"), float("inf")]
    gc.collect()
    gc.freeze()  # the input stands for a file on disk: the collector need not walk it
    try:
        for _ in range(options.rounds):
            for side, work in enumerate((_read, bare)):
                started = process_time()
                for _ in range(times):
                    work(rows)
                best[side] = min(best[side], process_time() - started)
    finally:
        gc.unfreeze()
    ours, theirs = best
    size = sum(len(row.value) for row in rows) / len(rows)
    note = f"{size:.0f} bytes a row, {ours / count * 1e6:.1f} us"
    return Measure(what, rate(count, ours), rate(count, theirs), ours / theirs, bar,
                   at_least=False, note=note)  # fmt: skip


def _read(rows: list[Raw]) -> int:
    """Rows that became messages. Nothing is kept, as in a stream, by either side."""
    return sum(isinstance(row, Message) for raw in rows for row in _reader.read(raw))


_reader = RowReader()


def _decoded(rows: list[Raw]) -> int:
    found = 0
    for raw in rows:
        value, _ = orjson.loads(raw.value), orjson.loads(raw.key)
        payload = value.get("payload", value)
        found += bool(dict(payload["after"] or payload["before"]))
    return found


def _messages(rows: list[Raw]) -> int:
    found = 0
    for index, raw in enumerate(rows):
        message = message_from(
            jsonio.loads(raw.value.decode()), index=index, line=raw.line, position=""
        )
        found += isinstance(message, Message)
    return found


def debezium(count: int) -> tuple[list[Raw], list[Raw]]:
    """Inserts and updates of one table with ten columns, with their schema and without."""
    lines = [json.loads(line) for line in RECORDS.read_text().splitlines()]
    line = next(item for item in lines if item["topic"] == "pre.public.t_key")
    value, key = json.loads(line["value"]), json.loads(line["key"])
    headers = dict(line["headers"])
    with_schema, without = [], []
    for number in range(count):
        payload = _payload(value["payload"], number)
        names = {"id": number}
        position = f"orders/0/{number}"
        rest = {"headers": headers, "topic": line["topic"], "position": position}
        with_schema.append(Raw(
            orjson.dumps({"schema": value["schema"], "payload": payload}),
            orjson.dumps({"schema": key["schema"], "payload": names}), **rest))  # fmt: skip
        without.append(Raw(orjson.dumps(payload), orjson.dumps(names), **rest))
    return with_schema, without


def _payload(recorded: dict[str, Any], number: int) -> dict[str, Any]:
    row = {
        **recorded["after"], "id": number, "name": f"name {number}", "qty": number % 100,
        "price": ("BOI=", "ZA==", "AJY=")[number % 3], "d": 19_000 + number % 900,
        "ok": number % 2 == 0,
    }  # fmt: skip
    moment = recorded["source"]["ts_us"] + 1_000 * number
    source = {**recorded["source"], "snapshot": "false", "lsn": 45_634_000 + 8 * number,
              "ts_us": moment, "ts_ms": moment // 1_000, "ts_ns": moment * 1_000}  # fmt: skip
    return {**recorded, "after": row, "source": source, "op": "cuuc"[number % 4]}


def own_form(count: int) -> list[Raw]:
    """Messages as we write them, one a line."""
    return [
        Raw(orjson.dumps(message.as_json()), position=f"orders.jsonl:{number + 1}",
            place=f"orders.jsonl:{number + 1}", line=number + 1)
        for number, message in enumerate(make_messages(count))
    ]  # fmt: skip
