"""Rows of the fault suite, in the forms in which users have them, read by the program's own reader.

`numbered` is our own form with a position of a server's log; in all others nothing but the row's
place tells two changes apart, as with most rows that people have.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final

from routestudio.formats.reader import RowReader
from routestudio.model.message import Message
from routestudio.model.rows import Raw
from tests.support.oracle import NUMBER

GROUPS: Final = 30
REPEATS: Final = 3
"""Changes of a row that follow each other at once: batches that keep their order hold them all."""

Records = list[dict[str, Any]]
Form = Callable[[Records, bool], Iterator[Raw]]


def messages_of(form: str, count: int, *, deletes: bool) -> list[Message]:
    """Messages of `GROUPS` rows in a form; each has its number in a field, and noise.

    The noise keeps requests long, also when they are compressed. `deletes` allows deletes, where
    the service keeps them as messages.
    """
    random = Random(count)
    records = [
        {
            "id": f"row{number // REPEATS * 7 % GROUPS}",
            NUMBER: number,
            "noise": random.randbytes(100).hex(),
        }
        for number in range(count)
    ]
    reader = RowReader()
    found = list(reader.read_all(FORMS[form](records, deletes)))
    messages = [row for row in found if isinstance(row, Message)]
    assert len(messages) == len(found) == count, found[0]
    assert len({m.metadata["idempotency_key"] for m in messages}) == count
    return messages


def _raw(value: Any, number: int, key: Any = None) -> Raw:
    return Raw(json.dumps(value).encode(), None if key is None else json.dumps(key).encode(),
               topic="shop.public.orders", position=f"orders/0/{number}",
               place=f"orders[0]@{number}")  # fmt: skip


def _own(record: dict[str, Any], number: int, **metadata: Any) -> dict[str, Any]:
    names = {"table_name": "orders", "table_schema": "public", "database_name": "shop"}
    return {"action": "insert" if number < GROUPS else "update", "record": record,
            "metadata": {**names, **metadata}}  # fmt: skip


def _numbered(records: Records, deletes: bool) -> Iterator[Raw]:
    for number, record in enumerate(records):
        yield _raw(_own(record, number, commit_lsn=1000 + number, commit_idx=0), number)


def _unnumbered(records: Records, deletes: bool) -> Iterator[Raw]:
    for number, record in enumerate(records):
        yield _raw(_own(record, number), number)


def _event(op: str, before: Any, after: Any, lsn: int) -> dict[str, Any]:
    source = {"version": "3.6.1.Final", "connector": "postgresql", "name": "shop", "db": "shop",
              "schema": "public", "table": "orders", "lsn": lsn, "ts_ms": 1_700_000_000_000,
              "ts_us": 1_700_000_000_000_123}  # fmt: skip
    return {"before": before, "after": after, "source": source, "op": op, "transaction": None,
            "ts_ms": 1_700_000_000_500}  # fmt: skip


def _snapshot(records: Records, deletes: bool) -> Iterator[Raw]:
    """All rows of a snapshot have one position of the log."""
    for number, record in enumerate(records):
        yield _raw(_event("r", None, record, 27_917_080), number, {"id": record["id"]})


def _changes(records: Records, deletes: bool) -> Iterator[Raw]:
    """Changes, among them changed keys: a delete, its tombstone and a create share a position."""
    at = iter(range(10 * len(records)))
    for number, record in enumerate(records):
        key = {"id": record["id"]}
        lsn = 27_917_080 + number // 3
        if deletes and number < len(records) // 2 and number % 10 == 4:
            yield _raw(_event("d", record, None, lsn), next(at), key)
            yield Raw(None, json.dumps(key).encode(), topic="shop.public.orders",
                      position=f"orders/0/{next(at)}")  # fmt: skip
        elif number < GROUPS or (deletes and number % 10 == 5):
            yield _raw(_event("c", None, record, lsn), next(at), key)
        else:
            old = {**record, "noise": ""}
            yield _raw(_event("u", old, record, lsn), next(at), key)


def _flattened(records: Records, deletes: bool) -> Iterator[Raw]:
    for number, record in enumerate(records):
        added = {"__op": "c" if number < GROUPS else "u", "__table": "orders", "__lsn": 27_917_080,
                 "__deleted": "false"}  # fmt: skip
        yield _raw({**record, **added}, number, {"id": record["id"]})


def _table(records: Records, deletes: bool) -> Iterator[Raw]:
    """Rows of a CSV file, whose numbers are numbers again for the judge."""
    for line, record in enumerate(records, 2):
        yield Raw(dict(record), topic="orders.csv", position=f"orders.csv:{line}",
                  place=f"orders.csv:{line}", line=line, table=True)  # fmt: skip


FORMS: Final[dict[str, Form]] = {
    "numbered": _numbered,
    "own form without positions": _unnumbered,
    "Debezium snapshot": _snapshot,
    "Debezium changes": _changes,
    "Debezium flattened": _flattened,
    "CSV": _table,
}
