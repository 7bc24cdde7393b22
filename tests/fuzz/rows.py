"""Rows out of the examples of all formats and wrappers, and what spoils them."""

from __future__ import annotations

import base64
import copy
import json
import random
from dataclasses import dataclass
from typing import Any

from routestudio.formats import registry
from routestudio.formats.base import Raw

ATOMS: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 10**18, -(10**30), 1e308, "", "x", "null", "{", "NaN",
    "2024-05-06",
    "0000-00-00 00:00:00", "24:00:00", "9999-12-31T23:59:59.999999+14:00", "0/FFFFFFFF", "infinity",
    "{1,{2}}", '{"a', "\\x00", "\ud800", "a" * 5_000, "1701102296662969433.0000000000", "9" * 400,
    "1e999999", "-", [], {}, [[]], [None], {"": None}, {"$oid": 5}, {"$date": {"$numberLong": "x"}},
    {"$numberDecimal": {}}, {"N": "1e400"}, {"M": {"a": {"L": [{"N": "x"}]}}}, {"B": "=="},
    {"schema": {"type": "struct", "fields": [{"field": "a", "type": 5}]}, "payload": {"a": 1}},
)  # fmt: skip


@dataclass(frozen=True)
class Seed:
    """A value with the format that it belongs to (or `None` for a wrapper)."""

    format: str | None
    value: Any
    key: Any = None
    topic: str | None = None


def seeds() -> list[Seed]:
    """The examples of every format, and those of every wrapper."""
    found = [
        Seed(key, example.value, example.key, example.topic)
        for key, kind in registry.formats().items()
        for example in kind.examples
    ]
    for wrapper in registry.wrappers().values():
        found += [Seed(None, value) for value in wrapper.examples]
    return found


def spoiled(value: Any, chance: random.Random, pool: list[Seed]) -> Any:
    """The value with one change somewhere in it."""
    places = [*_places(value)]
    if not places or chance.random() < 0.02:
        return copy.deepcopy(chance.choice(ATOMS))
    holder, name = chance.choice(places)
    kind = chance.random()
    if kind < 0.2:
        del holder[name]
    elif kind < 0.6:
        holder[name] = copy.deepcopy(chance.choice(ATOMS))
    elif kind < 0.7:
        holder[name] = copy.deepcopy(chance.choice(pool).value)
        if isinstance(holder[name], bytes):
            holder[name] = holder[name].decode("latin-1")
    elif kind < 0.8 and isinstance(holder, dict):
        holder[chance.choice(NAMES)] = holder.pop(name)
    elif kind < 0.9:
        holder[name] = [holder[name]] * chance.randint(0, 3)
    else:
        holder[name] = json.dumps(holder[name])
    return value


NAMES = ("id", "op", "action", "type", "table", "schema", "payload", "before", "after", "source",
         "data", "old", "record", "change", "columns", "kind", "key", "value", "ts_ms", "ns",
         "_id", "", "__op", "__deleted", "Records", "metadata", "isDdl", "resolved",
         "é")  # fmt: skip


def _places(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            found += [(item, name) for name in item]
            todo += item.values()
        elif isinstance(item, list):
            found += [(item, number) for number in range(len(item))]
            todo += item
    return found


def encoded(value: Any) -> bytes:
    """The value as the bytes of a row."""
    if isinstance(value, bytes):
        return value
    return json.dumps(value, ensure_ascii=True).encode()


def scratched(data: bytes, chance: random.Random) -> bytes:
    """The bytes with some of them changed, cut out or doubled."""
    for _ in range(chance.choice((0, 0, 1, 1, 2, 5))):
        at = chance.randrange(len(data) + 1)
        end = min(len(data), at + chance.choice((0, 1, 3, 40)))
        patch = chance.choice((b"", b"\0", b"\xff\xfe", b'"', b"{", b"}", b"[" * 3, b"\t", b"null",
                               b"9" * 30, b"1e400", b"\\u0000", b"\\ud800", data[at:end] * 2,
                               base64.b64encode(data[at:end])))  # fmt: skip
        data = data[:at] + patch + data[end:]
    return data


def rows(seed: int) -> Any:
    """Endless raw rows, each with the format that it was made of."""
    chance, pool = random.Random(seed), seeds()
    number = 0
    while True:
        number += 1
        start = chance.choice(pool)
        value, key = copy.deepcopy(start.value), copy.deepcopy(start.key)
        for _ in range(chance.choice((0, 1, 1, 2, 3, 8))):
            if not isinstance(value, bytes):
                value = spoiled(value, chance, pool)
        if key is not None and chance.random() < 0.5:
            key = spoiled(key, chance, pool)
        position = f"fuzz:{number}"
        if chance.random() < 0.5:
            yield start, Raw(scratched(encoded(value), chance), encoded(key), topic=start.topic,
                             position=position, place=position)  # fmt: skip
        else:
            yield start, Raw(value, key, topic=start.topic, position=position, place=position,
                             table=chance.random() < 0.05)  # fmt: skip
