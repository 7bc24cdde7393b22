"""Changefeeds of CockroachDB, in the envelopes `wrapped` and `enriched`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from routestudio.formats import _decode, _times
from routestudio.formats._columns import scale_of, type_name, value_of
from routestudio.formats._envelope import (
    choice,
    is_map,
    is_whole,
    key_of,
    map_or_null,
    named,
    some_columns,
)
from routestudio.formats.base import (
    Change,
    Example,
    Format,
    FormatError,
    Likeness,
    PassedOver,
    Raw,
    old_values,
)
from routestudio.model.message import Action

_CLOCK: Final = re.compile(r"(\d{10,20})\.\d{10}\Z")
"""A hybrid logical clock: nanoseconds since 1970, and a counter of ten digits."""
_ACTIONS: Final[dict[str, Action]] = {"c": "insert", "u": "update", "d": "delete"}
_FACTS: Final = (
    "Read in CockroachDB's documentation, changefeed-messages and "
    "changefeed-message-envelopes of v25.4 (github.com/cockroachdb/docs at commit 79e9a5d03f); "
    "not run: the examples follow those pages."
)


class CockroachWrapped(Format):
    """The envelope `wrapped`, which is the default."""

    key = "cockroachdb"
    title = "CockroachDB"
    about = (
        "Changefeeds of [CockroachDB](https://www.cockroachlabs.com/docs/stable/"
        "changefeed-messages) in the default envelope, `wrapped`: `after` with the row, and "
        "`before`, `key`, `updated`, `topic` as far as options ask for them."
    )
    facts = _FACTS
    passes_over: ClassVar = {
        "resolved timestamp": "A resolved timestamp: every change before it was sent."
    }
    unknowable = (
        "Whether a change is an insert or an update, without the option `diff`: it is read as an "
        "update without old values.",
        "Types of columns: a decimal is a JSON number.",
        "The names of the key's columns, unless the record's key is an object: `key` is a list of "
        "values. Columns that have these values, in this order, are taken for it where only one "
        "choice of columns has them.",
    )
    setup = (
        "Use the options `diff`, `updated`, `key_in_value` and `topic_in_value`, or the envelope "
        "`enriched` with `enriched_properties='source,schema'`.",
    )
    examples = (
        Example(
            "insert, with the options diff, updated and key_in_value",
            {"after": {"id": 1, "name": "Terry"}, "before": None, "key": [1],
             "updated": "1701102296662969433.0000000000"},
            [{"action": "insert", "record": {"id": 1, "name": "Terry"}, "changes": None,
              "metadata": {"table_name": "office_dogs",
                           "commit_timestamp": "2023-11-27T16:24:56.662969Z"},
              "key": {"id": 1}}],
            topic="office_dogs",
        ),
        Example(
            "update, with the option diff",
            {"after": {"id": 1, "name": "Terri"}, "before": {"id": 1, "name": "Terry"}, "key": [1],
             "updated": "1701102311425045162.0000000000"},
            [{"action": "update", "record": {"id": 1, "name": "Terri"},
              "changes": {"name": "Terry"}}],
        ),
        Example(
            "change, without the option diff",
            {"after": {"id": 2, "name": "Alex"}, "key": [2]},
            [{"action": "update", "record": {"id": 2, "name": "Alex"}, "changes": {}}],
        ),
        Example(
            "delete, with the option diff",
            {"after": None, "before": {"id": 5, "name": "Robbie"}, "key": [5]},
            [{"action": "delete", "record": {"id": 5, "name": "Robbie"}, "changes": None,
              "key": {"id": 5}}],
        ),
        Example(
            "delete, whose key is that of the record",
            {"after": None},
            [{"action": "delete", "record": {"id": 5}, "key": {"id": 5}}],
            key={"id": 5}, topic="office_dogs",
        ),
        Example("resolved timestamp", {"resolved": "1701102561022789676.0000000000"},
                "resolved timestamp"),
    )  # fmt: skip

    _KNOWN: Final = frozenset({"after", "before", "key", "updated", "topic", "mvcc_timestamp"})

    def likeness(self, value: Any, raw: Raw) -> Likeness:
        """By `after`, and the form of a timestamp."""
        if raw.table or not isinstance(value, dict):
            return Likeness.NO
        if value.keys() == {"resolved"} or value.keys() == {"resolved", "topic"}:
            return Likeness.CERTAIN if _moment(value["resolved"]) else Likeness.NO
        if not value.keys() <= self._KNOWN or isinstance(value.get("key"), dict):
            return Likeness.NO
        clock = _moment(value.get("updated")) or _moment(value.get("mvcc_timestamp"))
        listed = isinstance(value.get("key"), list)
        if "after" not in value:
            if clock or (listed and "before" in value):
                return Likeness.LIKELY
            return Likeness.POSSIBLE if listed else Likeness.NO
        wrong = [name for name in ("after", "before") if not map_or_null(value.get(name))]
        if wrong:
            half = len(wrong) == 1 and "before" in value
            return Likeness.LIKELY if clock or listed else Likeness(1 if half else 0)
        return Likeness.CERTAIN if clock or listed else Likeness.LIKELY

    def read(self, value: Any, raw: Raw) -> Iterable[Change]:
        """One change."""
        if "resolved" in value:
            raise PassedOver("resolved timestamp")
        if "after" not in value:
            raise FormatError("`after` is missing")
        after, before = some_columns(value, "after"), some_columns(value, "before")
        known = "before" in value
        notes = []
        action: Action = "update"
        if after is None:
            action = "delete"
        elif known and before is None:
            action = "insert"
        elif not known:
            notes.append("An insert and an update look alike without the option `diff`.")
        row = after if after is not None else before
        names = _names(value.get("key", raw.key if isinstance(raw.key, list) else None), row)
        key = key_of(names, row)
        if key is None and isinstance(raw.key, dict):
            key = raw.key
        if action == "delete" and row is None:
            row = dict(key or {})
            notes.append("Only the key of the deleted row is known.")
        topic = value.get("topic") or raw.topic
        metadata = named(
            table_name=topic, commit_timestamp=_moment(value.get("updated"))
            or _moment(value.get("mvcc_timestamp")),
        )  # fmt: skip
        changes = old_values(before or {}, row or {}) if action == "update" else None
        yield Change(action, row or {}, changes, metadata, key, notes=tuple(notes))


class CockroachEnriched(Format):
    """The envelope `enriched`."""

    key = "cockroachdb-enriched"
    title = "CockroachDB, enriched"
    about = (
        "Changefeeds of [CockroachDB](https://www.cockroachlabs.com/docs/stable/"
        "changefeed-message-envelopes) in the envelope `enriched`: `op`, `after`, `ts_ns`, and "
        "`source`, `before` and a schema as far as options ask for them."
    )
    facts = _FACTS
    unknowable = (
        "Types of columns, without `enriched_properties='schema'`: a decimal is a JSON number.",
        "Old values, without the option `diff`.",
        "When the change was committed, without the options `updated` or `mvcc_timestamp` and "
        "`enriched_properties='source'`: `ts_ns` is when the changefeed read it.",
    )
    setup = (
        "Use `WITH envelope = enriched, enriched_properties = 'source,schema', diff, updated, "
        "key_in_value`.",
    )
    _SOURCE: ClassVar = {
        "database_name": "shop", "schema_name": "public", "table_name": "products",
        "primary_keys": ["id"], "origin": "cockroachdb", "changefeed_sink": "kafka",
        "ts_hlc": "1746045115619002000.0000000000", "ts_ns": 1746045115619002000,
    }  # fmt: skip
    examples = (
        Example(
            "insert",
            {"after": {"id": 1, "name": "Lamp"}, "op": "c", "ts_ns": 1747245104106528000,
             "source": _SOURCE},
            [{"action": "insert", "record": {"id": 1, "name": "Lamp"}, "changes": None,
              "metadata": {"database_name": "shop", "table_schema": "public",
                           "table_name": "products",
                           "commit_timestamp": "2025-04-30T20:31:55.619002Z"},
              "key": {"id": 1}}],
        ),
        Example(
            "update, with the option diff and the schema",
            {"schema": {"type": "struct", "fields": [
                {"field": "after", "type": "struct", "fields": [
                    {"field": "id", "type": "int64"},
                    {"field": "price", "name": "decimal", "type": "float64",
                     "parameters": {"precision": "10", "scale": "2"}}]}]},
             "payload": {"after": {"id": 1, "price": 22.30}, "before": {"id": 1, "price": 20.00},
                         "op": "u", "ts_ns": 1747245104106528000, "key": {"id": 1}}},
            [{"action": "update", "record": {"id": 1, "price": "22.30"},
              "changes": {"price": "20.00"}, "key": {"id": 1}}],
        ),
        Example(
            "delete",
            {"after": None, "op": "d", "ts_ns": 1747245104106528000, "key": {"id": 1}},
            [{"action": "delete", "record": {"id": 1}, "changes": None, "key": {"id": 1}}],
        ),
    )  # fmt: skip

    _KNOWN: Final = frozenset({"after", "before", "key", "op", "ts_ns", "source", "updated"})

    def likeness(self, value: Any, raw: Raw) -> Likeness:
        """By `op` and `ts_ns` without the other times that Debezium has, or by the source."""
        if raw.table or not isinstance(value, dict):
            return Likeness.NO
        source = value.get("source")
        ours = isinstance(source, dict) and (
            source.get("origin") == "cockroachdb"
            or {"changefeed_sink", "source_node_locality"} <= source.keys()
        )
        if (source and isinstance(source, dict) and not ours) or not value.keys() <= self._KNOWN:
            return Likeness.NO
        after = "after" in value and map_or_null(value["after"])
        good = (value.get("op") in ("c", "u", "d")) + is_whole(value.get("ts_ns")) + after + ours
        if good >= 3 and after and value.get("op") in ("c", "u", "d"):
            return Likeness.CERTAIN
        told = ours or "ts_ns" in value or is_map(value.get("key")) or "before" in value
        if good >= 2 and told:
            return Likeness.LIKELY
        return Likeness.POSSIBLE if after and is_map(value.get("key")) else Likeness.NO

    def read(self, value: Any, raw: Raw) -> Iterable[Change]:
        """One change."""
        action: Action = choice(value, "op", _ACTIONS)
        written = _types(raw.schema)
        types = {name: type_name(type_) for name, type_ in written.items()}
        exact = _exact(raw, types)
        after, before = (
            _cast(some_columns(value, name), types, written, exact.get(name))
            for name in ("after", "before")
        )
        if action != "delete" and after is None:
            raise FormatError(f"`after` must hold the row of an {action}")
        source = value["source"] if is_map(value.get("source")) else {}
        own = value.get("key", raw.key)
        row = after if action != "delete" else (before or after)
        key = key_of(source.get("primary_keys"), row, own if isinstance(own, dict) else None)
        if key is None and isinstance(own, dict) and own:
            key = own
        notes = () if row is not None else ("Only the key of the deleted row is known.",)
        metadata = named(
            database_name=source.get("database_name"), table_schema=source.get("schema_name"),
            table_name=source.get("table_name") or raw.topic, commit_timestamp=_committed(source),
        )  # fmt: skip
        record = row if row is not None else dict(key or {})
        changes = old_values(before or {}, record) if action == "update" else None
        yield Change(action, record, changes, metadata, key, types, notes=notes)


def _moment(text: Any) -> str | None:
    """A hybrid logical clock as a time."""
    found = _CLOCK.match(text) if isinstance(text, str) else None
    return _times.epoch(int(found[1]), 1_000_000_000) if found else None


def _committed(source: Mapping[str, Any]) -> str | None:
    clocks = (source.get("ts_hlc"), source.get("mvcc_timestamp"))
    found = next((moment for moment in map(_moment, clocks) if moment), None)
    return found or _times.epoch(source.get("ts_ns"), 1_000_000_000)


def _names(key: Any, row: Mapping[str, Any] | None) -> list[str] | None:
    """The columns that have the key's values, where only one column has each."""
    if not isinstance(key, list) or not key or row is None:
        return None
    names = []
    for value in key:
        found = [name for name, item in row.items() if type(item) is type(value) and item == value]
        if len(found) != 1 or found[0] in names:
            return None
        names.append(found[0])
    return names


def _types(schema: Any) -> dict[str, str]:
    """Types of columns out of the schema, with size where it has one."""
    fields = _fields(schema)
    part = next((item for name in ("after", "before") for item in fields
                 if item.get("field") == name and _fields(item)), {})  # fmt: skip
    found = {}
    for item in _fields(part):
        type_ = _NAMED.get(str(item.get("name")), None) or _PLAIN.get(str(item.get("type")))
        if type_ is None:
            continue
        sizes = item.get("parameters")
        if type_ == "numeric" and isinstance(sizes, dict) and str(sizes.get("scale")).isdigit():
            type_ = f"numeric({sizes.get('precision', 0)},{sizes['scale']})"
        found[str(item.get("field"))] = type_
    return found


_NAMED: Final = {"decimal": "numeric", "timestamp": "timestamp", "timestamptz": "timestamptz",
                 "date": "date", "time": "time", "interval": "interval", "json": "jsonb",
                 "uuid": "uuid"}  # fmt: skip
_PLAIN: Final = {"boolean": "bool", "int64": "int8", "int32": "int4", "int16": "int2",
                 "float64": "float8", "float32": "float4"}  # fmt: skip


def _fields(schema: Any) -> list[dict[str, Any]]:
    fields = schema.get("fields") if isinstance(schema, dict) else None
    return [item for item in fields if isinstance(item, dict)] if isinstance(fields, list) else []


def _cast(
    row: dict[str, Any] | None, types: Mapping[str, str], written: Mapping[str, str], exact: Any
) -> dict[str, Any] | None:
    """The row by its types; `exact` is the row with the digits of its decimals, if it is there."""
    if row is None:
        return None
    digits = exact if isinstance(exact, dict) else {}
    return {
        name: value_of(
            digits.get(name, value) if types.get(name) == "numeric" else value,
            types.get(name, ""), scale=scale_of(written.get(name, "")),
        )
        for name, value in row.items()
    }  # fmt: skip


def _exact(raw: Raw, types: Mapping[str, str]) -> dict[str, Any]:
    """The value with the digits of its decimals, where there are some."""
    if raw.text is None or "numeric" not in types.values():
        return {}
    try:
        exact = _decode.exact(raw.text)
    except ValueError:
        return {}
    return exact if isinstance(exact, dict) else {}
