"""The decoder of pgoutput: hand-made messages, cut off at every byte, and of unknown kinds."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from routestudio.sources._pgoutput import BrokenStreamError, Committed, Decoder, Relation
from routestudio.sources._postgres_catalog import listed, split
from routestudio.sources._postgres_feed import lsn_text


def text(value: str) -> bytes:
    return value.encode() + b"\0"


def row(*values: Any) -> bytes:
    """A tuple: texts, `None` for null, `...` for a value that did not change."""
    found = struct.pack("!h", len(values))
    for value in values:
        if value is None:
            found += b"n"
        elif value is ...:
            found += b"u"
        else:
            data = value if isinstance(value, bytes) else value.encode()
            found += b"t" + struct.pack("!I", len(data)) + data
    return found


BEGIN = b"B" + struct.pack("!qqI", 172049824, 5_000_000, 2178)
COMMIT = b"C" + struct.pack("!Bqqq", 0, 172049824, 172049872, 5_000_000)
RELATION = (
    b"R" + struct.pack("!I", 7) + text("public") + text("t") + b"d" + struct.pack("!h", 2)
    + b"\1" + text("id") + struct.pack("!Ii", 23, -1)
    + b"\0" + text("note") + struct.pack("!Ii", 25, -1)
)  # fmt: skip
INSERT = b"I" + struct.pack("!I", 7) + b"N" + row("1", "Zoë")
UPDATE = b"U" + struct.pack("!I", 7) + b"N" + row("1", ...)
UPDATE_KEY = b"U" + struct.pack("!I", 7) + b"K" + row("1", None) + b"N" + row("2", "b")
UPDATE_FULL = b"U" + struct.pack("!I", 7) + b"O" + row("1", "a") + b"N" + row("1", ...)
DELETE = b"D" + struct.pack("!I", 7) + b"K" + row("1", None)
TRUNCATE = b"T" + struct.pack("!IBI", 1, 0, 7)
SHAPE = {"schema": "public", "name": "t", "columns": ["id", "note"], "types": ["int4", "text"],
         "key": ["id"]}  # fmt: skip


def annotation(kind: str, content: bytes) -> bytes:
    return (b"M" + struct.pack("!Bq", 1, 5) + text(f"sequin:transaction_annotations.{kind}")
            + struct.pack("!I", len(content)) + content)  # fmt: skip


@pytest.fixture
def decoder() -> Decoder:
    found = Decoder()
    assert found.decode(BEGIN) is None
    relation = found.decode(RELATION)
    assert isinstance(relation, Relation)
    assert (relation.columns, relation.marked) == (["id", "note"], [True, False])
    assert (relation.types, relation.identity) == ([23, 25], "d")
    found.complete(relation, SHAPE)
    return found


def value(found: Any) -> dict[str, Any]:
    return {k: v for k, v in found[1]["postgres"].items() if k not in ("table",)}


def test_rows_have_the_position_of_their_commit(decoder: Decoder) -> None:
    first = value(decoder.decode(INSERT))
    moment = "2000-01-01T00:00:05.000000Z"
    assert first == {"action": "insert", "new": ["1", "Zoë"], "commit_lsn": 172049824,
                     "commit_idx": 0, "commit_timestamp": moment}  # fmt: skip
    assert value(decoder.decode(DELETE))["commit_idx"] == 1
    assert decoder.decode(COMMIT) == Committed(172049824, 172049872)
    decoder.decode(BEGIN)
    assert value(decoder.decode(INSERT))["commit_idx"] == 0


def test_updates_in_all_their_forms(decoder: Decoder) -> None:
    plain = value(decoder.decode(UPDATE))
    assert (plain["new"], plain["unchanged"]) == (["1", None], ["note"])
    assert "old" not in plain
    moved = value(decoder.decode(UPDATE_KEY))
    assert (moved["old"], moved["new"], "full" in moved) == (["1", None], ["2", "b"], False)
    full = value(decoder.decode(UPDATE_FULL))
    assert (full["old"], full["full"], full["unchanged"]) == (["1", "a"], True, ["note"])


def test_a_truncate_is_no_row_and_takes_no_index(decoder: Decoder) -> None:
    assert decoder.decode(TRUNCATE)[0] == -1  # type: ignore[index]
    assert value(decoder.decode(INSERT))["commit_idx"] == 0


def test_annotations_are_of_their_transaction(decoder: Decoder) -> None:
    decoder.decode(annotation("set", b'{"by": "ann"}'))
    assert value(decoder.decode(INSERT))["transaction_annotations"] == {"by": "ann"}
    decoder.decode(annotation("clear", b""))
    assert "transaction_annotations" not in value(decoder.decode(INSERT))
    decoder.decode(annotation("set", b"no JSON"))
    assert "transaction_annotations" not in value(decoder.decode(INSERT))
    decoder.decode(annotation("set", b"1"))
    decoder.decode(COMMIT)
    decoder.decode(BEGIN)
    assert "transaction_annotations" not in value(decoder.decode(INSERT))


def test_a_text_that_is_not_utf8_counts_as_a_row(decoder: Decoder) -> None:
    with pytest.raises(UnicodeDecodeError):
        decoder.decode(b"I" + struct.pack("!I", 7) + b"N" + row("1", b"\xe9"))
    assert value(decoder.decode(INSERT))["commit_idx"] == 1


@pytest.mark.parametrize(
    "message", [BEGIN, COMMIT, RELATION, INSERT, UPDATE_FULL, DELETE, TRUNCATE]
)
def test_what_is_cut_off_is_an_error_and_nothing_else(decoder: Decoder, message: bytes) -> None:
    for length in range(len(message)):
        with pytest.raises(BrokenStreamError):
            decoder.decode(message[:length])


@pytest.mark.parametrize("message", [b"S", b"Z...", b"I" + struct.pack("!I", 8) + b"N" + row("1"),
                                     b"I" + struct.pack("!I", 7) + b"N\0\1b\0\0\0\1x"])  # fmt: skip
def test_what_is_not_known_is_an_error(decoder: Decoder, message: bytes) -> None:
    with pytest.raises(BrokenStreamError):
        decoder.decode(message)


def test_names_of_tables_as_people_write_them() -> None:
    assert split("orders") == ("public", "orders")
    assert split("sales.orders") == ("sales", "orders")
    assert split('"Sales Data"."a.b""c"') == ("Sales Data", 'a.b"c')
    assert listed('a, "b,""c".d ,,e') == ["a", '"b,""c".d', "e"]
    assert lsn_text(172049824) == "0/A4145A0"
