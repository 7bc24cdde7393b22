"""Quick casts of PostgreSQL's texts give what the slow way gives, for every text."""

from __future__ import annotations

import random
from typing import Any

import pytest

from routestudio.formats._columns import value_of
from routestudio.formats._text_casts import text_cast

TEXTS = (
    "0", "7", "-7", "007", "12345678901234567890123", "1.5", "٣", "", " 1", "t", "f", "true", "T",
    "2026-01-02 03:04:05+00", "2026-01-02 03:04:05.5+00", "2026-01-02 03:04:05.123456+00",
    "2026-02-29 03:04:05+00", "2024-02-29 23:59:59.999999+00", "2026-01-31 00:00:00+00",
    "2026-01-02 24:00:00+00", "2026-01-02 03:04:60+00", "2026-13-02 03:04:05+00",
    "0001-01-01 00:00:00+00", "0000-01-01 00:00:00+00", "0044-03-15 12:00:00+00 BC",
    "10000-01-01 00:00:00+00", "infinity", "-infinity", "2026-01-02 03:04:05+02",
    "2026-01-02 03:04:05", "2026-01-02 03:04:05.25", "2026-01-02T03:04:05+00",
    "{}", "{1}", "{1,2,-3}", "{a,b7}", "{NULL}", "{null}", "{a,NULL}", '{"a b",c}', "{{1,2},{3,4}}",
    "[0:1]={1,2}", "{a", "a}", "{,}", "{a,}", "{,a}", "{a,,b}", "{ a }", "{a\\,b}", "{t,f}",
    "{2026-01-02 03:04:05+00}", '{"2026-01-02 03:04:05+00"}', "{Zoë,ß}", "{a\u2003b}",
)  # fmt: skip
TYPES = ("int2", "int4", "int8", "oid", "bool", "timestamptz", "timestamp", "date", "json",
         "float8", "interval", "bytea", "int4[]", "text[]", "bool[]", "timestamptz[]",
         "numeric[]", "uuid[]", "money[]", "hstore[]", "an_enum", "an_enum[]")  # fmt: skip


SIGNS = '0123456789-:. +{},"\\tfnulNUL'


def same(first: Any, second: Any) -> bool:
    return repr(first) == repr(second)


@pytest.mark.parametrize("type_", TYPES)
def test_they_agree_on_texts_of_every_kind(type_: str) -> None:
    cast = text_cast(type_)
    for text in (*TEXTS, None, 7, True, [1], {"a": 1}):
        assert same(cast(text), value_of(text, type_)), text


def test_they_agree_on_random_texts() -> None:
    chance = random.Random(3)
    for _ in range(20_000):
        text = "".join(chance.choices(SIGNS, k=chance.randrange(1, 24)))
        type_ = chance.choice(TYPES)
        assert same(text_cast(type_)(text), value_of(text, type_)), (type_, text)
