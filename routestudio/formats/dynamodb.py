"""DynamoDB streams, in the form in which Lambda, Kinesis and the API give them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, Final

from routestudio.formats import _times
from routestudio.formats._envelope import (
    Envelope,
    among,
    choice,
    columns,
    is_map,
    named,
    one_of,
    some_columns,
)
from routestudio.formats.base import Change, Example, FormatError, Likeness, Raw, old_values
from routestudio.model.message import Action

_ACTIONS: Final[dict[str, Action]] = {"INSERT": "insert", "MODIFY": "update", "REMOVE": "delete"}
_TABLE: Final = re.compile(r"arn:[^:]*:dynamodb:[^:]*:[^:]*:table/([^/]+)")
_TYPES: Final = {"S": "text", "N": "numeric", "B": "bytea", "BOOL": "bool", "SS": "text[]",
                 "NS": "numeric[]", "BS": "bytea[]", "L": "jsonb", "M": "jsonb"}  # fmt: skip
_NAMES: Final = frozenset({"dynamodb", "eventID", "eventName", "eventSource", "eventSourceARN",
                           "eventVersion", "awsRegion"})  # fmt: skip
_DEPTH: Final = 64
"""How deep an item may be; DynamoDB itself allows 32 levels."""


def _record(name: str, **images: Any) -> dict[str, Any]:
    """A record of the stream, for the examples."""
    return {
        "eventID": "515d3f85ac4343c49dafb96e712b6837", "eventName": name, "eventVersion": "1.1",
        "eventSource": "aws:dynamodb", "awsRegion": "eu-central-1",
        "dynamodb": {"ApproximateCreationDateTime": 1795897122, "Keys": {"no": {"N": "1"}},
                     **images, "SequenceNumber": "1100000000017454423009", "SizeBytes": 51,
                     "StreamViewType": "NEW_AND_OLD_IMAGES"},
        "eventSourceARN": "arn:aws:dynamodb:eu-central-1:123456789012:table/orders/stream/"
        "2026-11-28T20:18:42.385",
    }  # fmt: skip


class DynamoDb(Envelope):
    """One change of an item a value."""

    key = "dynamodb"
    title = "DynamoDB streams"
    about = (
        "Records of [DynamoDB streams]"
        "(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html) as Lambda "
        'functions get them (`{"Records": [...]}`), as `GetRecords` gives them, and as Kinesis '
        'Data Streams for DynamoDB writes them. Values have their types: `{"N": "1"}`.'
    )
    facts = (
        "Run: moto 5.2.5, which stands in for AWS; read: the AWS API reference (StreamRecord) and "
        "the Lambda developer guide (with-ddb), as of 2026-11."
    )
    unknowable = (
        "The item, with the view type `KEYS_ONLY`, and the old one, with `NEW_IMAGE`: only the "
        "keys are there.",
        "The order of partition key and sort key: it is that of `Keys` in the record.",
    )
    setup = ("Use the view type `NEW_AND_OLD_IMAGES`.",)
    examples = (
        Example(
            "insert",
            _record("INSERT", NewImage={"no": {"N": "1"}, "qty": {"N": "12.50"},
                                        "tags": {"SS": ["x", "y"]},
                                        "more": {"M": {"a": {"N": "1"}, "b": {"NULL": True}}}}),
            [{"action": "insert",
              "record": {"no": "1", "qty": "12.50", "tags": ["x", "y"],
                         "more": {"a": 1, "b": None}},
              "changes": None,
              "metadata": {"table_name": "orders",
                           "commit_timestamp": "2026-11-28T20:18:42.000000Z"},
              "key": {"no": "1"}}],
        ),
        Example(
            "update",
            _record("MODIFY", NewImage={"no": {"N": "1"}, "qty": {"N": "13"}},
                    OldImage={"no": {"N": "1"}, "qty": {"N": "12.50"}, "note": {"S": "a"}}),
            [{"action": "update", "record": {"no": "1", "qty": "13", "note": None},
              "changes": {"qty": "12.50", "note": "a"}}],
        ),
        Example(
            "delete",
            _record("REMOVE", OldImage={"no": {"N": "1"}, "qty": {"N": "13"}}),
            [{"action": "delete", "record": {"no": "1", "qty": "13"}, "changes": None,
              "key": {"no": "1"}}],
        ),
        Example(
            "delete, with the keys only",
            _record("REMOVE"),
            [{"action": "delete", "record": {"no": "1"}, "key": {"no": "1"}}],
        ),
    )  # fmt: skip

    parts: ClassVar = {"eventName": one_of(*_ACTIONS), "eventSource": one_of("aws:dynamodb"),
             "dynamodb": is_map}  # fmt: skip
    others = frozenset(
        [
            "eventID",
            "eventVersion",
            "awsRegion",
            "eventSourceARN",
            "userIdentity",
            "recordFormat",
            "tableName",
        ]
    )

    def special(self, value: dict[str, Any]) -> Likeness | None:
        """The keys of an item are enough for an outline; so are the names around them."""
        inner, arn = value.get("dynamodb"), value.get("eventSourceARN")
        ours = ("dynamodb" in value or value.get("eventSource") == "aws:dynamodb"
                or (isinstance(arn, str) and ":dynamodb:" in arn))  # fmt: skip
        if not ours:
            return Likeness.NO
        if isinstance(inner, dict) and "Keys" in inner and not value.keys() - self.others - (
            self.parts.keys()
        ):  # fmt: skip
            sure = value.get("eventSource") == "aws:dynamodb" and among(
                value.get("eventName"), _ACTIONS
            )
            return Likeness.CERTAIN if sure else Likeness.LIKELY
        return Likeness.LIKELY if len(value.keys() & _NAMES) >= 3 else None

    def read(self, value: Any, raw: Raw) -> Iterable[Change]:
        """One change."""
        action: Action = choice(value, "eventName", _ACTIONS)
        inner = columns(value, "dynamodb")
        new, old = some_columns(inner, "NewImage"), some_columns(inner, "OldImage")
        keys = some_columns(inner, "Keys") or {}
        source = {**keys, **((old if action == "delete" else new) or {})}
        if not source:
            raise FormatError("`dynamodb` has neither `Keys` nor an image of the item")
        types = {name: type_ for name, item in {**(old or {}), **source}.items()
                 if (type_ := _type(item)) is not None}  # fmt: skip
        record, before = _item(source), _item(old or {})
        notes = []
        if (old if action == "delete" else new) is None:
            notes.append("Only the keys of the item are known.")
        elif action == "update":
            if old is None:
                notes.append("The old values are not known: the stream has no old images.")
            record |= dict.fromkeys(before.keys() - record.keys())
        changes = old_values(before, record) if action == "update" else None
        arn = value.get("eventSourceARN")
        table = _TABLE.match(arn) if isinstance(arn, str) else None
        metadata = named(
            table_name=table[1] if table else value.get("tableName") or raw.topic,
            commit_timestamp=_created(inner.get("ApproximateCreationDateTime")),
        )  # fmt: skip
        yield Change(action, record, changes, metadata, _item(keys) or None, types,
                     notes=tuple(notes))  # fmt: skip


def _created(value: Any) -> str | None:
    """Seconds, or milliseconds or microseconds as Kinesis may have them."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 10**11:
        return _times.epoch(value, 1_000 if value < 10**14 else 1_000_000)
    return _times.utc(value) if isinstance(value, str) else _times.seconds(value)


def _type(item: Any) -> str | None:
    return _TYPES.get(next(iter(item))) if isinstance(item, dict) and len(item) == 1 else None


def _item(image: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _top(item) for name, item in image.items()}


def _top(item: Any) -> Any:
    """An attribute as a column: numbers are decimals, bytes are those of a `bytea`."""
    kind, value = _split(item)
    if kind in ("N", "S"):
        return value if isinstance(value, str) else _bad(item)
    if kind == "B":
        return _bytes(value)
    if kind in ("SS", "NS"):
        return value if isinstance(value, list) else _bad(item)
    if kind == "BS":
        return [_bytes(part) for part in value] if isinstance(value, list) else _bad(item)
    return _inner(item, 0)


def _inner(item: Any, depth: int) -> Any:
    """An attribute as a part of a document: numbers are JSON numbers."""
    if depth > _DEPTH:
        raise FormatError("nested too deeply")
    kind, value = _split(item)
    if kind == "NULL":
        return None
    if kind == "BOOL" and isinstance(value, bool):
        return value
    if kind == "N":
        return _number(value)
    if kind == "NS" and isinstance(value, list):
        return [_number(part) for part in value]
    if kind == "M" and isinstance(value, dict):
        return {name: _inner(part, depth + 1) for name, part in value.items()}
    if kind == "L" and isinstance(value, list):
        return [_inner(part, depth + 1) for part in value]
    if kind in ("S", "B") and isinstance(value, str):
        return value
    if kind in ("SS", "BS") and isinstance(value, list):
        return value
    return _bad(item)


def _split(item: Any) -> tuple[str, Any]:
    if not isinstance(item, dict) or len(item) != 1:
        _bad(item)
    kind, value = next(iter(item.items()))
    return kind, value


def _bad(item: Any) -> Any:
    raise FormatError(
        f"{str(item)[:40]} is not a value of DynamoDB", 'expected is a value such as {"N": "1"}'
    )


def _number(text: Any) -> Any:
    """A number of JSON, or its text where a double would lose digits."""
    try:
        exact = Decimal(text) if isinstance(text, str) and len(text) <= 64 else None
    except InvalidOperation:
        exact = None
    if exact is None or not exact.is_finite():
        return _bad({"N": text})
    if exact == exact.to_integral_value() and abs(exact.adjusted()) < 40:
        return int(exact)
    return float(exact) if Decimal(repr(float(exact))) == exact else text


def _bytes(text: Any) -> str:
    try:
        return "\\x" + base64.b64decode(text, validate=True).hex()
    except (binascii.Error, TypeError, ValueError):
        return str(_bad({"B": text}))
