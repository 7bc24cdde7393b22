"""Canal's flat messages, and TiCDC's canal-json: changes of MySQL and TiDB."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from routestudio.formats import _mysql, _times
from routestudio.formats._envelope import (
    Envelope,
    choice,
    is_map,
    is_text,
    is_whole,
    key_of,
    kind,
    named,
    one_of,
)
from routestudio.formats.base import (
    Change,
    Example,
    FormatError,
    Likeness,
    PassedOver,
    Raw,
    old_values,
)
from routestudio.model.message import Action

_ACTIONS: Final[dict[str, Action]] = {"INSERT": "insert", "UPDATE": "update", "DELETE": "delete"}
_WATERMARK: Final = "TIDB_WATERMARK"
_TSO: Final = 18
"""Bits of a TiDB timestamp below its milliseconds."""


def _rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(is_map, value))


class Canal(Envelope):
    """Row changes of one table in one transaction; every value is text."""

    key = "canal"
    title = "Canal"
    about = (
        "Flat messages of [Canal](https://github.com/alibaba/canal), which reads the binary log of "
        "MySQL, and the `canal-json` protocol of TiDB's TiCDC. One message holds the rows that one "
        "statement changed, with all values as text beside their MySQL types."
    )
    facts = (
        "Run: Canal 1.1.7 (canal.server and connector.core of Maven Central) with MariaDB 10.11; "
        "read: MQMessageUtils.java and FlatMessage.java of github.com/alibaba/canal at commit "
        "e20e4424 (1.1.9-SNAPSHOT), and for TiCDC, which was not run, TiDB's documentation, "
        "ticdc/ticdc-canal-json of github.com/pingcap/docs at commit 0487c6a."
    )
    passes_over: ClassVar = {
        "schema change": "A change of a table or database (`isDdl` is true).",
        "statement": "The text of a statement that changes rows, which comes before its rows "
        "(`type` is `QUERY` without data).",
        "watermark": "TiCDC's `TIDB_WATERMARK`: every change before a time was sent.",
    }
    unknowable = (
        "The time zone of `timestamp` columns: they are read as times without zone.",
        "Labels of `enum` and `set` columns, which are numbers, unless `mysqlType` lists them (as "
        "Canal does, and TiCDC with `content-compatible=true`).",
        "Old values, when a message of several rows lists an unchanged column as changed: "
        "columns that "
        "are equal are left out of `changes`.",
    )
    setup = (
        "Canal: set `canal.mq.flatMessage = true`.",
        "TiCDC: set `enable-tidb-extension=true`, so that each row has its commit time.",
    )
    examples = (
        Example(
            "insert of two rows",
            {"id": 1, "database": "shop", "table": "orders", "pkNames": ["id"], "isDdl": False,
             "type": "INSERT", "es": 1639633141000, "ts": 1639633142960, "sql": "",
             "sqlType": {"id": 4, "price": 3, "at": 93},
             "mysqlType": {"id": "int(11)", "price": "decimal(10,2)", "at": "datetime(3)"},
             "data": [{"id": "1", "price": "12.50", "at": "2024-05-06 07:08:09.123"},
                      {"id": "2", "price": None, "at": None}], "old": None},
            [{"action": "insert",
              "record": {"id": 1, "price": "12.50", "at": "2024-05-06T07:08:09.123000"},
              "metadata": {"table_schema": "shop", "table_name": "orders", "database_name": "shop",
                           "commit_timestamp": "2021-12-16T05:39:01.000000Z"},
              "key": {"id": 1}},
             {"action": "insert", "record": {"id": 2, "price": None, "at": None},
              "key": {"id": 2}}],
        ),
        Example(
            "update by TiCDC, which writes all old values",
            {"id": 0, "database": "test", "table": "tp_int", "pkNames": ["id"], "isDdl": False,
             "type": "UPDATE", "es": 1639633141221, "ts": 1639633142960, "sql": "",
             "sqlType": {"c": 4, "id": 4}, "mysqlType": {"c": "int", "id": "int"},
             "data": [{"c": "0", "id": "2"}], "old": [{"c": "2147483647", "id": "2"}],
             "_tidb": {"commitTs": 429918007904436226}},
            [{"action": "update", "record": {"c": 0, "id": 2}, "changes": {"c": 2147483647},
              "metadata": {"commit_timestamp": "2021-12-20T13:30:49.196000Z"}, "key": {"id": 2}}],
        ),
        Example(
            "delete",
            {"id": 3, "database": "shop", "table": "orders", "pkNames": ["id"], "isDdl": False,
             "type": "DELETE", "es": 1639633141000, "ts": 1639633142960, "sql": "",
             "sqlType": {"id": 4, "note": 12}, "mysqlType": {"id": "int(11)", "note": "text"},
             "data": [{"id": "1", "note": "x"}], "old": None},
            [{"action": "delete", "record": {"id": 1, "note": "x"}, "changes": None,
              "key": {"id": 1}}],
        ),
        Example("change of a table",
                {"id": 0, "database": "test", "table": "", "pkNames": None, "isDdl": True,
                 "type": "QUERY", "es": 1639633094670, "ts": 1639633095489,
                 "sql": "drop database if exists test", "sqlType": None, "mysqlType": None,
                 "data": None, "old": None}, "schema change"),
        Example("text of a statement",
                {"id": 1, "database": "", "table": "", "pkNames": None, "isDdl": False,
                 "type": "QUERY", "es": 1795898253000, "ts": 1795898258729, "gtid": "",
                 "sql": "delete from orders", "sqlType": None, "mysqlType": None, "data": None,
                 "old": None}, "statement"),
        Example("watermark",
                {"id": 0, "database": "", "table": "", "pkNames": None, "isDdl": False,
                 "type": "TIDB_WATERMARK", "es": 1640007049196, "ts": 1640007050284, "sql": "",
                 "sqlType": None, "mysqlType": None, "data": None, "old": None,
                 "_tidb": {"watermarkTs": 429918007904436226}}, "watermark"),
    )  # fmt: skip

    parts: ClassVar = {"database": is_text, "table": is_text, "isDdl": lambda value: value is False,
             "type": one_of(*_ACTIONS), "es": is_whole, "data": _rows,
             "mysqlType": is_map}  # fmt: skip
    others = frozenset(["id", "ts", "sql", "sqlType", "old", "pkNames", "gtid", "_tidb"])
    peculiar = frozenset(["isDdl", "mysqlType", "sqlType", "pkNames", "_tidb"])

    def special(self, value: dict[str, Any]) -> Likeness | None:
        """What is not a row change has no data."""
        if value.get("isDdl") is True or value.get("type") == _WATERMARK:
            known = value.keys() <= self.parts.keys() | self.others
            return Likeness.CERTAIN if known and "es" in value else Likeness.LIKELY
        if value.get("isDdl") is False and value.get("type") == "QUERY" and not value.get("data"):
            return Likeness.CERTAIN if "es" in value and "sql" in value else Likeness.LIKELY
        return None

    def title_of(self, value: Any, raw: Raw) -> str:
        """TiCDC's messages have `_tidb`, if that is asked for."""
        return "Canal, TiCDC" if "_tidb" in value else self.title

    def read(self, value: Any, raw: Raw) -> Iterable[Change]:
        """A change for each row."""
        if value.get("type") == _WATERMARK:
            raise PassedOver("watermark")
        if value.get("isDdl") is True:
            raise PassedOver("schema change")
        if value.get("type") == "QUERY" and not value.get("data"):
            raise PassedOver("statement")
        action: Action = choice(value, "type", _ACTIONS)
        rows, old = _list(value, "data"), value.get("old")
        before = _list(value, "old") if action == "update" and old is not None else []
        if before and len(before) != len(rows):
            raise FormatError(f"`old` has {len(before)} rows, and `data` has {len(rows)}")
        written = value.get("mysqlType")
        known = {
            name: type_
            for name, type_ in (written.items() if isinstance(written, dict) else ())
            if isinstance(type_, str)
        }
        types = {name: _mysql.type_name(type_) for name, type_ in known.items()}
        metadata = named(
            table_schema=value.get("database"), database_name=value.get("database"),
            table_name=value.get("table"), commit_timestamp=_committed(value),
        )  # fmt: skip
        notes = () if types else ("The row has no types: all its values are text.",)
        for number, columns in enumerate(rows):
            record = _values(columns, types, known)
            earlier = _values(before[number], types, known) if before else {}
            changes = old_values(earlier, record) if action == "update" else None
            key = key_of(value.get("pkNames"), record)
            yield Change(action, record, changes, metadata, key, types, notes=notes)


def _list(value: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = value.get(name)
    if not _rows(found):
        raise FormatError(f"`{name}` must be a list of rows, not {kind(found)}")
    return list(found)  # type: ignore[arg-type]


def _values(
    columns: dict[str, Any], types: dict[str, str], known: dict[str, str]
) -> dict[str, Any]:
    return {
        name: _mysql.value(text, types[name], known[name]) if name in types else text
        for name, text in columns.items()
    }


def _committed(value: dict[str, Any]) -> str | None:
    """When the change was committed: TiDB's commit timestamp is nearer than `es`."""
    tidb = value.get("_tidb")
    tso = tidb.get("commitTs") if isinstance(tidb, dict) else None
    if isinstance(tso, int) and tso > 0:
        return _times.epoch(tso >> _TSO, 1_000)
    return _times.epoch(value.get("es"), 1_000)
