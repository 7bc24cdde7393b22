"""Values from PostgreSQL: a look, changes and expected JSON written by hand, for every type.

The server's settings are hostile: they change every text that settings can change, for all who do
not set them themselves.
"""

from __future__ import annotations

import contextlib
import json
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest

from routestudio.engine.reading import Reading
from routestudio.errors import LinkError
from routestudio.model.message import Message
from routestudio.sources.postgres import PostgresSource
from tests.support.postgres_server import PostgresServer

pytestmark = pytest.mark.real

HOSTILE = {
    "datestyle": "German, DMY", "intervalstyle": "iso_8601", "timezone": "Asia/Tokyo",
    "bytea_output": "escape", "extra_float_digits": "-10", "search_path": "pg_catalog",
    "xmlbinary": "hex", "lc_monetary": "C", "statement_timeout": "1ms",
    "default_transaction_isolation": "serializable", "quote_all_identifiers": "on",
}  # fmt: skip
SMALL = ["create type public.mood as enum ('sad', 'ok', 'happy')",
         "create type public.addr as (street text, zip int)",
         "create domain public.price as numeric check (value > 0)",
         "create domain public.mail as text"]  # fmt: skip

VALUES: dict[str, tuple[str, str, Any]] = {
    # column: its type, the value in SQL, the JSON by hand
    "n102": ("numeric(10,2)", "12.5", "12.50"),
    "nfree": ("numeric", "12.5", "12.5"),
    "tiny": ("numeric", "1e-20", "0.00000000000000000001"),
    "nan": ("numeric", "'NaN'", "NaN"),
    "inf": ("numeric", "'-Infinity'", "-Infinity"),
    "f8": ("float8", "1e300", 1e300),
    "f8x": ("float8", "0.1::float8 + 0.2", 0.30000000000000004),
    "f8nan": ("float8", "'NaN'", "NaN"),
    "f8inf": ("float8", "'Infinity'", "Infinity"),
    "f4": ("float4", "16777217", 16777216.0),
    "i2": ("int2", "-3", -3),
    "i8": ("int8", "9007199254740993", 9007199254740993),
    "m": ("money", "1234.5", "$1,234.50"),
    "bo": ("bool", "true", True),
    "tstz": ("timestamptz", "'2024-05-06 07:08:09.123456+02'", "2024-05-06T05:08:09.123456Z"),
    "tstzinf": ("timestamptz", "'infinity'", "infinity"),
    "tstzfar": ("timestamptz", "'20000-01-01 00:00+00'", "20000-01-01 00:00:00+00"),
    "tstzbc": ("timestamptz", "'0044-03-15 00:00+00 BC'", "0044-03-15 00:00:00+00 BC"),
    "ts": ("timestamp", "'2024-05-06 07:08:09.123456'", "2024-05-06T07:08:09.123456"),
    "ts0": ("timestamp(0)", "'2024-05-06 07:08:09'", "2024-05-06T07:08:09.000000"),
    "d": ("date", "'2024-05-06'", "2024-05-06"),
    "dinf": ("date", "'-infinity'", "-infinity"),
    "t": ("time", "'07:08:09.5'", "07:08:09"),
    "tend": ("time", "'24:00:00'", "24:00:00"),
    "ttz": ("timetz", "'07:08:09.5+02'", "07:08:09"),
    "iv": ("interval", "'1 mon 1 day 02:03:04.5'",
           {"months": 1, "days": 1, "microseconds": 7384500000}),
    "ivneg": ("interval", "'-10 mons -3 days +04:05:06.789'",
              {"months": -10, "days": -3, "microseconds": 14706789000}),
    "b": ("bytea", "'\\x00ff'", "\\x00ff"),
    "u": ("uuid", "'3f2504e0-4f89-11d3-9a0c-0305e82c3301'", "3f2504e0-4f89-11d3-9a0c-0305e82c3301"),
    "j": ("json", "'{\"a\": 1,  \"a\": 2}'", {"a": 2}),
    "jb": ("jsonb", "'{\"a\": \"Zoë 🚚\", \"b\": [1, null]}'", {"a": "Zoë 🚚", "b": [1, None]}),
    "x": ("xml", "'<a b=\"1\">x</a>'", '<a b="1">x</a>'),
    "tv": ("tsvector", "'cats fat'", "'cats' 'fat'"),
    "ta": ("text[]", "array['a', null, 'q\"uo,te', '']", ["a", None, 'q"uo,te', ""]),
    "ia": ("int[]", "array[1, null, 3]", [1, None, 3]),
    "na": ("numeric(10,2)[]", "array[1.5, null]", ["1.50", None]),
    "ba": ("bool[]", "array[true, false, null]", [True, False, None]),
    "tsa": ("timestamptz[]", "array['2024-05-06 05:08:09.123456+00'::timestamptz, null]",
            ["2024-05-06T05:08:09.123456Z", None]),
    "da": ("date[]", "array['2024-05-06'::date]", ["2024-05-06"]),
    "ja": ("jsonb[]", "array['{\"a\": 1}'::jsonb]", [{"a": 1}]),
    "i2d": ("int[]", "array[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
    "empty": ("int[]", "'{}'", []),
    "byta": ("bytea[]", "array['\\x00ff'::bytea]", ["\\x00ff"]),
    "ea": ("public.mood[]", "array['ok', 'sad']::public.mood[]", ["ok", "sad"]),
    "r4": ("int4range", "'[1,5)'", "[1,5)"),
    "tstzr": ("tstzrange", "'[2024-01-01 00:00+02,)'", '["2023-12-31 22:00:00+00",)'),
    "mr": ("int4multirange", "'{[1,3),[5,7)}'", "{[1,3),[5,7)}"),
    "ip": ("inet", "'10.0.0.1/24'", "10.0.0.1/24"),
    "mac": ("macaddr", "'08:00:2b:01:02:03'", "08:00:2b:01:02:03"),
    "bit8": ("bit(8)", "B'10000001'", "10000001"),
    "oi": ("oid", "4294967295", 4294967295),
    "e": ("public.mood", "'happy'", "happy"),
    "comp": ("public.addr", "row('Main \"St\", 1', 12345)::public.addr",
             '("Main ""St"", 1",12345)'),
    "dp": ("public.price", "9.99", "9.99"),
    "dt": ("public.mail", "'a@b.c'", "a@b.c"),
    "c5": ("char(5)", "'ab'", "ab   "),
    "vc": ("varchar(20)", "'vc'", "vc"),
    "pt": ("point", "'(1.5,2)'", "(1.5,2)"),
    "lsn": ("pg_lsn", "'16/B374D848'", "16/B374D848"),
    "cls": ("regclass", "'public.known'::regclass", "known"),
    "nothing": ("text", "null", None),
}  # fmt: skip
TYPES = {"n102": "numeric", "tstz": "timestamptz", "ia": "int4[]", "ea": "mood[]", "dp": "numeric",
         "dt": "text", "e": "mood", "c5": "bpchar", "iv": "interval"}  # fmt: skip
EXTENDED: dict[str, tuple[str, str, Any]] = {
    "hs": ("public.hstore", "'a=>1, \"b c\"=>NULL'", '"a"=>"1", "b c"=>NULL'),
    "ci": ("public.citext", "'HeLLo'", "HeLLo"),
    "lt": ("public.ltree", "'top.a.b'", "top.a.b"),
}


@pytest.fixture
def values(
    request: pytest.FixtureRequest, postgres: PostgresServer, shop: str
) -> dict[str, tuple[str, str, Any]]:
    """The table `everything` in a database with hostile settings, and what its row holds."""
    has = {row[0] for row in postgres.ask("select name::text from pg_available_extensions")}
    found = dict(VALUES)
    if request.node.callspec.params["postgres"] == "18":
        del found["x"]  # built without libxml
    [[number]] = postgres.ask("select current_setting('server_version_num')::int")
    if number < 140_000:
        del found["mr"], found["inf"]  # multiranges and infinite numerics came with 14
    extensions = ("hstore", "citext", "ltree")
    if has.issuperset(extensions):
        postgres.run(*(f"create extension {name}" for name in extensions), database=shop)
        found |= EXTENDED
    columns = ", ".join(f"{name} {type_}" for name, (type_, _, _) in found.items())
    postgres.run(
        *SMALL, "create table public.known ()",
        f"create table everything (id int primary key, {columns}, "
        "made int generated always as (id + 1) stored)",
        "create publication routes for table everything", database=shop,
    )  # fmt: skip
    postgres.ask("select pg_create_logical_replication_slot('routes', 'pgoutput')", shop)
    listed = ", ".join(sql for _, sql, _ in found.values())
    postgres.run(f"insert into everything values (1, {listed})", database=shop)
    postgres.run(*(f"alter database {shop} set {name} = '{value}'"
                   for name, value in HOSTILE.items()))  # fmt: skip
    return found


async def looked(server: PostgresServer, shop: str, **options: str) -> list[Message]:
    address = server.address(shop, table="everything", **options)
    found: list[Message] = []
    reader = Reading().reader(None)
    async for chunk in PostgresSource(address, lambda _: None, looking=True).look(10):
        for raw in chunk:
            found += [row for row in reader.read(raw) if isinstance(row, Message)]
    return found


async def changed(server: PostgresServer, shop: str) -> list[Message]:
    address = server.address(shop, slot="routes", publication="routes", until="end")
    source = PostgresSource(address, lambda _: None)
    reader = Reading().reader(None)
    found: list[Message] = []
    async for session in source.sessions():
        async for chunk in session.chunks():
            for raw in chunk:
                found += [row for row in reader.read(raw) if isinstance(row, Message)]
        await session.finish()
    return found


async def test_values_are_those_written_by_hand(
    postgres: PostgresServer, shop: str, values: dict[str, tuple[str, str, Any]]
) -> None:
    expected = {"id": 1, **{name: value for name, (_, _, value) in values.items()}}
    (read,) = await looked(postgres, shop)
    (insert,) = await changed(postgres, shop)
    assert (read.action, insert.action) == ("read", "insert")
    for message in (read, insert):
        wrong = {name: (message.record.get(name), value) for name, value in expected.items()
                 if message.record.get(name) != value
                 or type(message.record.get(name)) is not type(value)}  # fmt: skip
        assert not wrong, f"{message.action}: {wrong}"
        assert list(message.record) == list(expected), "generated columns are left out"
        assert message.record_pks == ["1"]
        assert {name: message.types[name] for name in TYPES} == TYPES
        assert message.metadata["database"]["database"] == shop
    assert read.notes
    assert "`made`" in read.notes[0]


async def test_values_agree_with_to_jsonb(
    postgres: PostgresServer, shop: str, values: dict[str, tuple[str, str, Any]]
) -> None:
    """The server's own JSON of the same row, where it means the same: numbers, texts, arrays."""
    (read,) = await looked(postgres, shop)
    with postgres.link(shop, options="-c statement_timeout=0 -c timezone=UTC -c datestyle=ISO "
                       "-c bytea_output=hex -c extra_float_digits=1 -c intervalstyle=postgres "
                       "-c search_path=public") as link:  # fmt: skip
        row = link.execute("select to_jsonb(whole)::text from everything whole").fetchone()
    own = json.loads(row[0], parse_float=Decimal)
    exact = {name for name, (type_, _, _) in values.items()
             if type_.split("(")[0] in ("text", "varchar", "char", "uuid", "int2", "int8", "bool",
                                        "inet", "text[]", "int[]", "bool[]", "jsonb", "jsonb[]",
                                        "date", "date[]", "public.mood", "public.mood[]", "bytea",
                                        "xml", "money", "oid", "point")}  # fmt: skip
    exact -= {"oi"}  # text in the server's JSON
    assert len(exact) > 20
    assert {n: read.record[n] for n in exact} == {n: own[n] for n in exact}
    for name in ("n102", "nfree", "tiny"):
        assert Decimal(read.record[name]) == own[name]


async def test_rows_of_a_condition_at_random_and_newest(
    postgres: PostgresServer, shop: str
) -> None:
    postgres.run("create table everything (id int primary key, note text)",
                 "insert into everything select n, 'x' || n from generate_series(1, 300) n",
                 database=shop)  # fmt: skip
    newest = await looked(postgres, shop)
    assert [message.record["id"] for message in newest] == list(range(300, 290, -1))
    some = await looked(postgres, shop, rows="random")
    assert len({message.record["id"] for message in some}) == 10
    again = await looked(postgres, shop, where="note%20=%20'x7'%20--%20a%20remark")
    assert [message.record["id"] for message in again] == [7]
    assert again[0].position == (await looked(postgres, shop, where="id=7"))[0].position
    assert len({message.metadata["idempotency_key"] for message in newest}) == 10


@pytest.mark.parametrize("where", [
    "1=1); delete from everything; select (1", "id = (select count(*) from everything where "
    "(select set_config('transaction_read_only', 'off', true)) is null and false)",
])  # fmt: skip
async def test_a_look_writes_nothing(postgres_15: PostgresServer, where: str) -> None:
    with postgres_15.database("quiet") as name:
        postgres_15.run("create table everything (id int primary key)",
                        "insert into everything values (1)", database=name)  # fmt: skip
        with contextlib.suppress(LinkError):
            await looked(postgres_15, name, where=quote(where))
        assert postgres_15.value("select count(*) from everything", name) == 1


async def test_a_look_ends_in_time(postgres_15: PostgresServer) -> None:
    with postgres_15.database("slow") as name:
        postgres_15.run("create table everything (id int primary key)",
                        "insert into everything values (1)", database=name)  # fmt: skip
        with pytest.raises(LinkError, match="timeout"):
            await looked(postgres_15, name, timeout="1", where="pg_sleep(20)%20is%20not%20null")
        postgres_15.until("select count(*) = 0 from pg_stat_activity where datname = 'slow' "
                          "and pid <> pg_backend_pid()")  # fmt: skip
