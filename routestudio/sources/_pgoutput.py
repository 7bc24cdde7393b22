"""Decodes pgoutput, PostgreSQL's own output of logical replication, protocol version 1.

https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html

Pure: bytes in, rows out. `Decoder` gives the value that the row format `postgres` takes. What the
stream does not say of a table (types by name, often the primary key) its reader gives it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from struct import Struct, error
from typing import Any, Final

_EPOCH: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_BEGIN: Final = Struct("!qqI")
_COMMIT: Final = Struct("!Bqqq")
_OID: Final = Struct("!I")
_SHORT: Final = Struct("!h")
_COLUMN: Final = Struct("!Ii")
_MESSAGE: Final = Struct("!Bq")
_ANNOTATE: Final = "sequin:transaction_annotations."
"""Prefix of messages that annotate their transaction, as a Sequin server takes them."""


class BrokenStreamError(ValueError):
    """What came is not pgoutput, or of another version."""


@dataclass(slots=True)
class Relation:
    """A table as the stream describes it. `identity` is d, n, f or i as in the catalogue."""

    oid: int
    schema: str
    name: str
    identity: str
    columns: list[str]
    marked: list[bool]
    """Columns of the replica identity (all of them with the full row), not of the primary key."""
    types: list[int]
    shape: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Committed:
    """The end of a transaction: all rows before it may be acknowledged up to `end_lsn`."""

    lsn: int
    end_lsn: int


Row = tuple[int, dict[str, Any]]
"""The index in its transaction and the value of the row format."""


class Decoder:
    """Decodes the messages of one stream in their order."""

    def __init__(self) -> None:
        self._relations: dict[int, Relation] = {}
        self._common: dict[str, Any] = {}
        self.lsn = 0
        self.xid = 0
        self.index = 0
        self._read: dict[int, Callable[[bytes], Row | Committed | Relation | None]] = {
            ord("B"): self._begin, ord("C"): self._commit, ord("R"): self._relation,
            ord("I"): self._insert, ord("U"): self._update, ord("D"): self._delete,
            ord("T"): self._truncate, ord("M"): self._message,
            ord("O"): lambda data: None, ord("Y"): lambda data: None,
        }  # fmt: skip

    def decode(self, data: bytes) -> Row | Committed | Relation | None:
        """What one message says. Raises `BrokenStreamError`, and `UnicodeDecodeError` for a row
        with a text that is not UTF-8, which counts nevertheless.

        A `Relation` is to be completed with `complete` before the next message is decoded.
        """
        read = self._read.get(data[0]) if data else None
        if read is None:
            raise BrokenStreamError(f"a message of the kind {data[:1]!r} is not known")
        try:
            return read(data)
        except UnicodeDecodeError:
            self.index += 1
            raise
        except (error, IndexError) as broken:
            raise BrokenStreamError(f"a message {data[:1]!r} is cut off: {broken}") from None

    def complete(self, relation: Relation, shape: dict[str, Any]) -> None:
        """Take a relation into use; `shape` is the table as the row format takes it."""
        relation.shape = shape
        self._relations[relation.oid] = relation

    # --- messages ------------------------------------------------------------------------------

    def _begin(self, data: bytes) -> None:
        self.lsn, micros, self.xid = _BEGIN.unpack_from(data, 1)
        self.index = 0
        self._common = {"commit_lsn": self.lsn, "commit_timestamp": moment(micros)}

    def _commit(self, data: bytes) -> Committed:
        _, lsn, end, _ = _COMMIT.unpack_from(data, 1)
        return Committed(lsn, end)

    def _relation(self, data: bytes) -> Relation:
        oid = _OID.unpack_from(data, 1)[0]
        schema, at = _text(data, 5)
        name, at = _text(data, at)
        identity = chr(data[at])
        count = _SHORT.unpack_from(data, at + 1)[0]
        at += 3
        found = Relation(oid, schema or "pg_catalog", name, identity, [], [], [])
        for _ in range(count):
            found.marked.append(bool(data[at] & 1))
            column, at = _text(data, at + 1)
            type_, _ = _COLUMN.unpack_from(data, at)
            at += 8
            found.columns.append(column)
            found.types.append(type_)
        return found

    def _insert(self, data: bytes) -> Row:
        relation = self._known(data)
        new, _, _ = _tuple(data, 6)
        return self._row({"action": "insert", "table": relation.shape, "new": new})

    def _update(self, data: bytes) -> Row:
        relation = self._known(data)
        value: dict[str, Any] = {"action": "update", "table": relation.shape}
        at = 5
        if data[at] != ord("N"):
            value["old"], _, after = _tuple(data, at + 1)
            if data[at] == ord("O"):
                value["full"] = True
            at = after
        value["new"], unchanged, _ = _tuple(data, at + 1)
        if unchanged:
            value["unchanged"] = [relation.columns[number] for number in unchanged]
        return self._row(value)

    def _delete(self, data: bytes) -> Row:
        relation = self._known(data)
        old, _, _ = _tuple(data, 6)
        value: dict[str, Any] = {"action": "delete", "table": relation.shape, "old": old}
        if data[5] == ord("O"):
            value["full"] = True
        return self._row(value)

    def _truncate(self, data: bytes) -> Row | None:
        count = _OID.unpack_from(data, 1)[0]
        found = [self._relations[oid] for (oid,) in
                 (_OID.unpack_from(data, 6 + 4 * number) for number in range(count))
                 if oid in self._relations]  # fmt: skip
        if not found:
            return None
        # It has no place among the rows: a server counts rows only.
        value = {"action": "truncate", "table": found[0].shape, **self._common}
        return -1, {"postgres": value}

    def _message(self, data: bytes) -> None:
        """A message of `pg_logical_emit_message`: annotations of its transaction, or nothing."""
        transactional, _ = _MESSAGE.unpack_from(data, 1)
        prefix, at = _text(data, 10)
        if not transactional or not prefix.startswith(_ANNOTATE):
            return
        length = _OID.unpack_from(data, at)[0]
        content = data[at + 4 : at + 4 + length]
        common = dict(self._common)
        common.pop("transaction_annotations", None)
        if prefix == _ANNOTATE + "set":
            from routestudio.model import jsonio

            try:
                common["transaction_annotations"] = jsonio.loads(content)
            except ValueError:
                pass  # as on a server: no annotations
        self._common = common

    def _row(self, value: dict[str, Any]) -> Row:
        index = self.index
        self.index = index + 1
        value.update(self._common)
        value["commit_idx"] = index
        return index, {"postgres": value}

    def _known(self, data: bytes) -> Relation:
        oid = _OID.unpack_from(data, 1)[0]
        try:
            return self._relations[oid]
        except KeyError:
            raise BrokenStreamError(f"a row of the table {oid}, which was not described") from None


def moment(micros: int) -> str:
    """Microseconds since 2000 as `metadata.commit_timestamp` has them."""
    found = _EPOCH + dt.timedelta(microseconds=micros)
    return found.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _text(data: bytes, at: int) -> tuple[str, int]:
    end = data.index(0, at) if 0 in data[at:] else -1
    if end < 0:
        raise IndexError("a name has no end")
    return data[at:end].decode(), end + 1


def _tuple(data: bytes, at: int) -> tuple[list[str | None], Sequence[int], int]:
    """The texts of a row, the numbers of its columns that did not change, and where it ends."""
    (count,) = _SHORT.unpack_from(data, at)
    at += 2
    values: list[str | None] = []
    unchanged: list[int] = []
    add, size = values.append, _OID.unpack_from
    for number in range(count):
        kind = data[at]
        at += 1
        if kind == 116:  # t: text
            (length,) = size(data, at)
            at += 4
            end = at + length
            if end > len(data):
                raise IndexError("a value has no end")
            add(data[at:end].decode())
            at = end
        elif kind == 110:  # n: null
            add(None)
        elif kind == 117:  # u: unchanged, and stored apart
            add(None)
            unchanged.append(number)
        else:
            raise BrokenStreamError(f"a value of the kind {bytes([kind])!r} is not text")
    return values, unchanged, at
