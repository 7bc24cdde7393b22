"""Values of columns as a server gives them for their types."""

from __future__ import annotations

from typing import Any

import pytest

from routestudio.formats import _mysql
from routestudio.formats._columns import array_of, plain_digits, scale_of, type_name, value_of
from routestudio.formats._decode import Number
from routestudio.formats._times import epoch, seconds, utc


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("numeric(10,2)", "numeric"),
        ("timestamp(3) with time zone", "timestamptz"),
        ("timestamp without time zone", "timestamp"),
        ("character varying(20)", "varchar"),
        ("double precision", "float8"),
        ("INTEGER", "int4"),
        ("integer[]", "int4[]"),
        ("numeric(4,1)[][]", "numeric[]"),
        ("time(0) with time zone", "timetz"),
        ("mood", "mood"),
        ("", ""),
    ],
)
def test_types_have_postgresql_s_short_names(written: str, name: str) -> None:
    assert type_name(written) == name


@pytest.mark.parametrize(
    ("value", "type_", "given"),
    [
        ("12.50", "numeric", "12.50"),
        (Number("12.50"), "numeric", "12.50"),
        (Number("1e3"), "numeric", "1000"),
        (Number("-1.5E-3"), "numeric", "-0.0015"),
        (5, "numeric", "5"),
        (True, "numeric", True),
        ("NaN", "numeric", "NaN"),
        ("2024-05-06 07:08:09.5+02", "timestamptz", "2024-05-06T05:08:09.500000Z"),
        ("2024-05-06 23:30:00-00:45", "timestamptz", "2024-05-07T00:15:00.000000Z"),
        ("1890-01-01 00:00:00+00:53:28", "timestamptz", "1889-12-31T23:06:32.000000Z"),
        ("infinity", "timestamptz", "infinity"),
        ("2024-05-06 07:08", "timestamp", "2024-05-06T07:08:00.000000"),
        ("2024-05-06T07:08:09", "timestamp", "2024-05-06T07:08:09.000000"),
        ("0000-00-00 00:00:00", "timestamp", "0000-00-00 00:00:00"),
        ("20000-01-01 00:00:00", "timestamp", "20000-01-01 00:00:00"),
        ("07:08:09.999", "time", "07:08:09"),
        ("24:00:00", "time", "24:00:00"),
        ("-838:59:59", "time", "-838:59:59"),
        ("07:08:09+02", "timetz", "07:08:09"),
        ("1 year 2 mons", "interval", {"months": 14, "days": 0, "microseconds": 0}),
        ("-00:00:01.5", "interval", {"months": 0, "days": 0, "microseconds": -1_500_000}),
        ("P1D", "interval", "P1D"),
        ("", "interval", ""),
        ("t", "bool", True),
        ("x", "bool", "x"),
        ("00ff", "bytea", "\\x00ff"),
        ("\\x00ff", "bytea", "\\x00ff"),
        ("{bad", "jsonb", "{bad"),
        ("[1]", "json", [1]),
        ("5", "int8", 5),
        ("5x", "int8", "5x"),
        ("NaN", "float8", "NaN"),
        ("{{1,2},{NULL,4}}", "int4[]", [[1, 2], [None, 4]]),
        ("{}", "int4[]", []),
        ("[2:3]={1,2}", "int4[]", [1, 2]),
        ('{"a,b","c\\\\d",e}', "text[]", ["a,b", "c\\d", "e"]),
        ("{1,2", "int4[]", "{1,2"),
        ("x", "mood", "x"),
        (None, "int4", None),
    ],
)
def test_values_are_those_of_a_server(value: Any, type_: str, given: Any) -> None:
    found = value_of(value, type_)
    assert found == given
    assert type(found) is type(given)


@pytest.mark.parametrize("scale", ["numeric(10,2)", "numeric(10, 2)"])
def test_a_double_gets_the_digits_back_that_it_lost(scale: str) -> None:
    assert value_of(12.5, "numeric", scale=scale_of(scale)) == "12.50"
    assert value_of(12, "numeric", scale=scale_of("numeric(10)")) == "12"


@pytest.mark.parametrize("written", ["numeric(5,999999999999)", "numeric(1,1001)", "text", "n()"])
def test_a_scale_that_no_type_has_is_none(written: str) -> None:
    assert scale_of(written) is None


@pytest.mark.parametrize("text", ["{", "}", "{}}", "{{}", "{a}b", "{,", "{}{}", '{"', "{\\", "a"])
def test_what_is_not_an_array_is_none(text: str) -> None:
    assert array_of(text) is None


def test_numbers_lose_their_exponent_unless_it_is_absurd() -> None:
    assert plain_digits("1e+20") == "1" + "0" * 20
    assert plain_digits("1.25e1") == "12.5"
    assert plain_digits("1e-5") == "0.00001"
    assert plain_digits("1e999999") == "1e999999"


@pytest.mark.parametrize(
    ("written", "text", "type_", "given"),
    [
        ("decimal(10,2)", "13.0", "numeric", "13.00"),
        ("decimal(10,2)", "-5", "numeric", "-5.00"),
        ("decimal", "5", "numeric", "5"),
        ("decimal(10,2)", "x", "numeric", "x"),
        ("bigint(20) unsigned", "18446744073709551615", "numeric", "18446744073709551615"),
        ("bigint", "-1", "int8", -1),
        ("int(10) unsigned", "4294967295", "int8", 4294967295),
        ("tinyint(3) unsigned", "255", "int2", 255),
        ("enum('sad','it''s')", "2", "text", "it's"),
        ("enum('sad','happy')", "0", "text", "0"),
        ("enum('sad','happy')", "happy", "text", "happy"),
        ("set('a','b','c')", "5", "text", "a,c"),
        ("set('a')", "9", "text", "9"),
        ("varbinary(8)", "\0ÿ", "bytea", "\\x00ff"),
        ("blob", "€", "bytea", "€"),
        ("datetime(3)", "2024-05-06 07:08:09.123", "timestamp", "2024-05-06T07:08:09.123000"),
        ("geometry", "x", "geometry", "x"),
        ("", "x", "text", "x"),
    ],
)
def test_types_of_mysql_become_the_nearest_of_postgresql(
    written: str, text: str, type_: str, given: Any
) -> None:
    assert _mysql.type_name(written) == type_
    assert _mysql.value(text, type_, written) == given


def test_times_are_in_utc_with_six_digits() -> None:
    assert epoch(1_477_053_217, 1) == "2016-10-21T12:33:37.000000Z"
    assert epoch(1_701_102_296_662_969_433, 10**9) == "2023-11-27T16:24:56.662969Z"
    assert seconds(1.5) == "1970-01-01T00:00:01.500000Z"
    assert utc("2024-05-06T07:08:09Z") == "2024-05-06T07:08:09.000000Z"
    assert utc("2024-05-06") == "2024-05-06T00:00:00.000000Z"


@pytest.mark.parametrize("value", [True, -1, 10**30, "5", None, 1.5, float("inf"), float("nan")])
def test_what_is_not_a_time_is_none(value: Any) -> None:
    assert epoch(value, 1) is None
    assert seconds(value) is None or value == 1.5
    assert utc(value) is None
