"""wal2json: a plug-in for logical decoding of PostgreSQL that writes JSON, in two versions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

from routestudio.formats import _decode
from routestudio.formats._columns import scale_of, type_name, value_of
from routestudio.formats._envelope import choice, is_text, key_of, kind, named
from routestudio.formats._times import utc
from routestudio.formats.base import (
    UNCHANGED_TOAST,
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

_FACTS: Final = (
    "Run: wal2json 2.5 (Debian's postgresql-15-wal2json) with PostgreSQL 15.18; read: the README "
    "of github.com/eulerto/wal2json at commit ac6c876."
)
_UNKNOWABLE: Final = (
    "`NaN` and infinite numbers: wal2json writes them as null.",
    "The old row of an update or delete, without `REPLICA IDENTITY FULL`: only the key is there.",
    "Large values that an update did not change: wal2json leaves the column out. It becomes "
    "`unchanged_toast` where an earlier row of the table had it.",
    "The primary key, unless `include-pk` gives it: the replica identity is taken for it, unless "
    "that is the full row.",
)
_SETUP: Final = (
    "Set `include-pk=1`, `include-timestamp=1` and `include-lsn=1`.",
    "Set `REPLICA IDENTITY FULL` on tables whose old values you need.",
    "Leave `pretty-print` and `write-in-chunks` off, so that each change is one line.",
)
_TOASTED: Final = frozenset({"text", "varchar", "bpchar", "bytea", "json", "jsonb", "xml",
                             "numeric", "hstore", "tsvector", "citext"})  # fmt: skip
_TABLES: Final = 1_000
"""Tables whose columns are remembered at a time."""

Column = tuple[str, str, Any]
"""Name, type as written, value."""


class _Wal2json(Format):
    """What both versions have in common."""

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._tables: dict[tuple[str, str], dict[str, str]] = {}

    def change(
        self, action: Action, table: tuple[str, str], new: list[Column], old: list[Column],
        names: Sequence[str] | None, metadata: Mapping[str, Any],
    ) -> Change:  # fmt: skip
        """One change out of its columns and those of its replica identity."""
        types = {name: type_name(type_) for name, type_, _ in (*old, *new)}
        before = {name: _value(type_, value) for name, type_, value in old}
        record = {name: _value(type_, value) for name, type_, value in new}
        notes: list[str] = []
        if action == "delete":
            record = dict(before)
            if len(before) < len(self._tables.get(table, {})):
                record = {name: before.get(name) for name in self._tables[table]} | before
                notes.append("Only the replica identity of the deleted row is known.")
        elif action == "update":
            notes += self._fill(table, record, before, types)
        if action != "delete":
            self._learn(table, types)
        full = action != "insert" and len(before) >= len(self._tables.get(table, types))
        key = key_of(names, record, before)
        if key is None and names is None and old and not (full and len(before) > 1):
            key = {name: record.get(name, value) for name, value in before.items()}
        changes = old_values(before, record) if action == "update" else None
        return Change(action, record, changes, metadata, key, types, notes=tuple(notes))

    def _fill(
        self, table: tuple[str, str], record: dict[str, Any], before: dict[str, Any],
        types: dict[str, str],
    ) -> list[str]:  # fmt: skip
        """Put in the large columns that an update left out, since they did not change."""
        left_out = []
        for name, type_ in self._tables.get(table, {}).items():
            if name in record:
                continue
            if name in before:
                record[name] = before[name]
            elif type_ in _TOASTED or type_.endswith("[]"):
                record[name], types[name] = UNCHANGED_TOAST, type_
                left_out.append(f"`{name}`")
        if not left_out:
            return []
        return [f"The update left out {', '.join(left_out)}: taken as a large value that it did "
                "not change."]  # fmt: skip

    def _learn(self, table: tuple[str, str], types: dict[str, str]) -> None:
        if table not in self._tables and len(self._tables) >= _TABLES:
            self._tables.pop(next(iter(self._tables)))
        self._tables[table] = dict(types)


class Wal2jsonOne(_Wal2json):
    """Version 1: one object per transaction."""

    key = "wal2json1"
    title = "wal2json, version 1"
    about = (
        "The output of [wal2json](https://github.com/eulerto/wal2json) in its first format "
        "(`format-version` 1, the default): one object per transaction, with a list of changes. "
        "Written by `pg_recvlogical` or `pg_logical_slot_get_changes`."
    )
    facts = _FACTS
    passes_over: ClassVar = {
        "empty transaction": "A transaction without changes of tables, such as a DDL statement.",
        "message": "A message of `pg_logical_emit_message`.",
    }
    unknowable = (
        *_UNKNOWABLE,
        "The primary key of a table with `REPLICA IDENTITY FULL`: `include-pk` does not write "
        "it in this version.",
        "A `TRUNCATE`, which is a transaction without changes here.",
        "`commit_lsn` is `nextlsn`, the LSN after the commit; a server has that of the commit.",
    )
    setup = _SETUP
    examples = (
        Example(
            "insert",
            {"xid": 732, "nextlsn": "0/1969A28", "timestamp": "2026-11-28 20:06:21.104784+00",
             "change": [{"kind": "insert", "schema": "public", "table": "orders",
                         "columnnames": ["id", "price", "at"],
                         "columntypes": ["integer", "numeric(10,2)", "timestamp with time zone"],
                         "columnvalues": [1, 12.50, "2024-05-06 05:08:09.123456+00"],
                         "pk": {"pknames": ["id"], "pktypes": ["integer"]}}]},
            [{"action": "insert",
              "record": {"id": 1, "price": "12.50", "at": "2024-05-06T05:08:09.123456Z"},
              "metadata": {"table_schema": "public", "table_name": "orders", "commit_lsn": 26647080,
                           "commit_timestamp": "2026-11-28T20:06:21.104784Z"},
              "key": {"id": 1}}],
        ),
        Example(
            "update and delete in one transaction",
            {"change": [
                {"kind": "update", "schema": "public", "table": "lines",
                 "columnnames": ["no", "qty"], "columntypes": ["integer", "integer"],
                 "columnvalues": [1, 6],
                 "oldkeys": {"keynames": ["no"], "keytypes": ["integer"], "keyvalues": [1]}},
                {"kind": "delete", "schema": "public", "table": "lines",
                 "oldkeys": {"keynames": ["no"], "keytypes": ["integer"], "keyvalues": [2]}}]},
            [{"action": "update", "record": {"no": 1, "qty": 6}, "changes": {}, "key": {"no": 1}},
             {"action": "delete", "record": {"no": 2, "qty": None}, "key": {"no": 2}}],
        ),
        Example("transaction without changes", {"change": []}, "empty transaction"),
        Example("message",
                {"change": [{"kind": "message", "transactional": True, "prefix": "p",
                             "content": "c"}]}, "message"),
    )  # fmt: skip

    _KNOWN: Final = frozenset({"change", "xid", "nextlsn", "timestamp", "origin"})
    _ACTIONS: Final = ("insert", "update", "delete", "message")

    def likeness(self, value: Any, raw: Raw) -> Likeness:
        """By the list `change`, whose items have a `kind`."""
        if raw.table or not isinstance(value, dict):
            return Likeness.NO
        items, known = value.get("change"), value.keys() <= self._KNOWN
        if isinstance(items, list) and known:
            good = all(isinstance(item, dict) and item.get("kind") in self._ACTIONS
                       for item in items)  # fmt: skip
            return Likeness.CERTAIN if good else Likeness.LIKELY
        extras = ("xid", "nextlsn", "timestamp")
        if known and ("change" in value or all(name in value for name in extras)):
            if all(name in value for name in extras):
                return Likeness.LIKELY
            return Likeness.POSSIBLE if value.get("change") is None else Likeness.NO
        return Likeness.NO

    def read(self, value: Any, raw: Raw) -> Iterable[Change | PassedOver]:
        """The changes of one transaction."""
        items = _exact(value, raw).get("change")
        if not isinstance(items, list):
            raise FormatError(f"`change` must be a list of changes, not {kind(items)}")
        if not items:
            raise PassedOver("empty transaction")
        metadata = named(commit_timestamp=utc(value.get("timestamp")),
                         commit_lsn=lsn(value.get("nextlsn")))  # fmt: skip
        parts = [self._part(item, number, metadata) for number, item in enumerate(items)]
        if len(parts) == 1 and isinstance(parts[0], PassedOver):
            raise parts[0]
        return parts

    def _part(self, item: Any, number: int, metadata: Mapping[str, Any]) -> Change | PassedOver:
        if not isinstance(item, dict):
            raise FormatError(f"a change must be an object, not {kind(item)}")
        action = choice(item, "kind", {name: name for name in self._ACTIONS})
        if action in self.passes_over:
            return PassedOver(action)
        old = _lists(item.get("oldkeys") or {}, "key")
        new = [] if action == "delete" else _lists(item, "column")
        if not (old if action == "delete" else new):
            raise FormatError(
                f"the {action} has no columns",
                "a table without primary key needs REPLICA IDENTITY FULL",
            )
        primary = item.get("pk")
        names = primary.get("pknames") if isinstance(primary, dict) else None
        given = named(table_schema=item.get("schema"), table_name=item.get("table"),
                      commit_idx=number)  # fmt: skip
        return self.change(action, _table(item), new, old, names, {**metadata, **given})


class Wal2jsonTwo(_Wal2json):
    """Version 2: one object per change."""

    key = "wal2json2"
    title = "wal2json, version 2"
    about = (
        "The output of [wal2json](https://github.com/eulerto/wal2json) with `format-version` 2: "
        "one object per change, between the objects that begin and commit a transaction."
    )
    facts = _FACTS
    passes_over: ClassVar = {
        "transaction": "The begin (`B`) and the commit (`C`) of a transaction.",
        "message": "A message of `pg_logical_emit_message` (`M`).",
        "truncate": "A `TRUNCATE` (`T`).",
    }
    unknowable = (
        *_UNKNOWABLE,
        "`commit_lsn` is that of the transaction's `B`, if it was read, and otherwise the row's.",
    )
    setup = ("Set `format-version=2`.", *_SETUP)
    examples = (
        Example(
            "insert",
            {"action": "I", "xid": 732, "timestamp": "2026-11-28 20:06:21.104784+00",
             "lsn": "0/1969908", "schema": "public", "table": "orders",
             "columns": [{"name": "id", "type": "integer", "value": 1},
                         {"name": "price", "type": "numeric(10,2)", "value": 12.50},
                         {"name": "data", "type": "jsonb", "value": "{\"a\": [1]}"}],
             "pk": [{"name": "id", "type": "integer"}]},
            [{"action": "insert", "record": {"id": 1, "price": "12.50", "data": {"a": [1]}},
              "metadata": {"table_schema": "public", "table_name": "orders", "commit_lsn": 26646792,
                           "commit_timestamp": "2026-11-28T20:06:21.104784Z"},
              "key": {"id": 1}}],
        ),
        Example(
            "update with the full old row",
            {"action": "U", "schema": "public", "table": "lines",
             "columns": [{"name": "no", "type": "integer", "value": 1},
                         {"name": "qty", "type": "integer", "value": 6}],
             "identity": [{"name": "no", "type": "integer", "value": 1},
                          {"name": "qty", "type": "integer", "value": 5}]},
            [{"action": "update", "record": {"no": 1, "qty": 6}, "changes": {"qty": 5}}],
        ),
        Example(
            "delete",
            {"action": "D", "schema": "public", "table": "orders",
             "identity": [{"name": "id", "type": "integer", "value": 2}]},
            [{"action": "delete", "record": {"id": 2}, "changes": None, "key": {"id": 2}}],
        ),
        Example("begin of a transaction", {"action": "B"}, "transaction"),
        Example("commit of a transaction",
                {"action": "C", "xid": 732, "lsn": "0/19699F8", "nextlsn": "0/1969A28"},
                "transaction"),
        Example("truncate", {"action": "T", "schema": "public", "table": "lines"}, "truncate"),
        Example("message",
                {"action": "M", "transactional": True, "prefix": "p", "content": "c"}, "message"),
    )  # fmt: skip

    _ACTIONS: ClassVar = {"I": "insert", "U": "update", "D": "delete", "B": "transaction",
                       "C": "transaction", "T": "truncate", "M": "message"}  # fmt: skip
    _COMMON: Final = frozenset({"action", "xid", "timestamp", "origin", "lsn", "nextlsn"})
    _ROW: Final = _COMMON | {"schema", "table", "columns", "identity", "pk"}
    _MESSAGE: Final = _COMMON | {"transactional", "prefix", "content"}

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._transaction: tuple[Any, int] | None = None
        """The `xid` and the LSN of the transaction that is being read."""

    def likeness(self, value: Any, raw: Raw) -> Likeness:
        """By the letter in `action`, and the lists of columns."""
        if raw.table or not isinstance(value, dict):
            return Likeness.NO
        action = value.get("action")
        kind_ = self._ACTIONS.get(action) if isinstance(action, str) else None
        if kind_ == "transaction":
            return Likeness.LIKELY if value.keys() <= self._COMMON else Likeness.NO
        if kind_ == "message":
            known = value.keys() <= self._MESSAGE and "prefix" in value and "content" in value
            return Likeness.CERTAIN if known else Likeness.POSSIBLE
        named_ = is_text(value.get("schema")) + is_text(value.get("table"))
        if kind_ == "truncate":
            return (Likeness.NO, Likeness.POSSIBLE, Likeness.CERTAIN)[named_]
        if kind_ is None and value.keys() <= self._MESSAGE and "transactional" in value:
            return Likeness.LIKELY if {"prefix", "content"} <= value.keys() else Likeness.POSSIBLE
        if value.keys() == {"schema", "table"}:
            return Likeness.POSSIBLE
        lists = _is_list(value.get("columns")) or _is_list(value.get("identity"))
        good = (kind_ is not None) + named_ + lists
        if good == 4 and value.keys() <= self._ROW:
            return Likeness.CERTAIN
        known = value.keys() <= self._ROW
        if good >= 3 or (known and (lists or {"lsn", "nextlsn"} <= value.keys())):
            return Likeness.LIKELY
        # A letter without columns, or a table with something else as its letter.
        odd = kind_ is not None or (action is not None and not isinstance(action, str))
        odd = odd or (action is None and "action" in value)
        listed = value.keys() & {"columns", "identity"}
        return Likeness.POSSIBLE if good >= 1 and odd and (listed or good == 2) and known else (
            Likeness.NO)  # fmt: skip

    def read(self, value: Any, raw: Raw) -> Iterable[Change]:
        """One change."""
        action = choice(value, "action", self._ACTIONS)
        if action in self.passes_over:
            if value["action"] == "B":
                at = lsn(value.get("lsn"))
                self._transaction = None if at is None else (value.get("xid"), at)
            raise PassedOver(action)
        value = _exact(value, raw)
        old = _pairs(value, "identity")
        new = [] if action == "delete" else _pairs(value, "columns")
        if not (old if action == "delete" else new):
            raise FormatError(
                f"the {action} has no columns",
                "a table without primary key needs REPLICA IDENTITY FULL",
            )
        primary = value.get("pk")
        names = [str(item.get("name")) for item in primary if isinstance(item, dict)] if (
            isinstance(primary, list)) else None  # fmt: skip
        at = lsn(value.get("lsn"))
        if at is not None and self._transaction and self._transaction[0] == value.get("xid"):
            at = self._transaction[1]
        metadata = named(
            table_schema=value.get("schema"), table_name=value.get("table"),
            commit_timestamp=utc(value.get("timestamp")), commit_lsn=at,
        )  # fmt: skip
        yield self.change(action, _table(value), new, old, names, metadata)


def lsn(text: Any) -> int | None:
    """An LSN such as `0/1969A28` as the number that it is."""
    high, slash, low = text.partition("/") if isinstance(text, str) else ("", "", "")
    try:
        number = (int(high, 16) << 32) | int(low, 16) if slash and len(text) <= 17 else None
    except ValueError:
        return None
    return number if number is None or number >= 0 else None


def _table(item: Mapping[str, Any]) -> tuple[str, str]:
    return str(item.get("schema")), str(item.get("table"))


def _exact(value: dict[str, Any], raw: Raw) -> dict[str, Any]:
    """The value with the digits of its decimals, where its bytes are there."""
    if raw.text is None or b'"numeric' not in raw.text:
        return value
    try:
        again = _decode.exact(raw.text)
    except ValueError:
        return value
    return again if isinstance(again, dict) else value


def _value(written: str, value: Any) -> Any:
    type_ = type_name(written)
    done = value_of(value, type_, scale=scale_of(written) if type_ == "numeric" else None)
    return float(done) if isinstance(done, _decode.Number) else done


def _is_list(items: Any) -> bool:
    return isinstance(items, list) and all(
        isinstance(item, dict) and "name" in item and "value" in item for item in items
    )


def _pairs(value: Mapping[str, Any], name: str) -> list[Column]:
    """Columns of version 2: a list of `{"name", "type", "value"}`."""
    items = value.get(name)
    if items is None:
        return []
    if not _is_list(items):
        raise FormatError(f"`{name}` must be a list of objects with name, type and value")
    return [(str(item["name"]), str(item.get("type", "")), item["value"]) for item in items]


def _lists(value: Any, kind_: str) -> list[Column]:
    """Columns of version 1: three lists, of names, types and values."""
    if not isinstance(value, dict):
        raise FormatError(f"`oldkeys` must be an object, not {kind(value)}")
    names, values = value.get(f"{kind_}names", []), value.get(f"{kind_}values", [])
    count = len(names) if isinstance(names, list) else -1
    types = value.get(f"{kind_}types", [""] * count)
    lists = (names, types, values)
    if not all(isinstance(part, list) and len(part) == count for part in lists):
        raise FormatError(
            f"`{kind_}names`, `{kind_}types` and `{kind_}values` must be lists of one length"
        )
    return [(str(n), str(t), v) for n, t, v in zip(names, types, values, strict=True)]
