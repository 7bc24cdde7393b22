"""Properties of Debezium's formats: nothing raises, what is encoded is decoded, keys differ."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Context, Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routestudio.formats import _connect_types as types
from routestudio.formats import _times as times
from routestudio.formats._debezium_values import Unavailable, is_zero
from routestudio.formats._extended_json import plain
from routestudio.formats.base import FormatError, PassedOver, Raw
from routestudio.formats.debezium import Debezium
from routestudio.formats.debezium_cloudevents import DebeziumCloudEvents
from routestudio.formats.debezium_flat import DebeziumFlat
from routestudio.formats.debezium_mongodb import DebeziumMongodb
from routestudio.formats.reader import RowReader
from routestudio.model.message import Message

FORMATS = [Debezium, DebeziumFlat, DebeziumCloudEvents, DebeziumMongodb]
NAMES = sorted({
    "before", "after", "source", "op", "ts_ms", "ts_us", "transaction", "payload", "schema",
    "fields", "field", "type", "name", "items", "default", "optional", "parameters", "scale",
    "value", "connector", "table", "db", "collection", "lsn", "total_order", "id", "data",
    "status", "message", "specversion", "iodebeziumop", "__op", "__deleted", "__table",
    "updateDescription", "updatedFields", "filter", "patch", "$oid", "$date", "$binary", "wkb",
    "x", "y", "srid", "length", "ddl", "databaseName",
})  # fmt: skip
WORDS = sorted({
    "c", "u", "d", "r", "t", "m", "struct", "array", "map", "bytes", "string", "int32", "int64",
    "true", "postgresql", "", "AQ==", '{"a": 1}', "2024-05-06T07:08:09Z",
    "__debezium_unavailable_value", *types.NAMED, types.DECIMAL, "io.debezium.data.Bits",
})  # fmt: skip
SCALARS = (st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
           | st.sampled_from(WORDS) | st.text(max_size=8))  # fmt: skip
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=20,
)
ROWS = st.none() | st.dictionaries(st.sampled_from(["id", "a", "b"]), JSON, max_size=3) | JSON
FIELDS = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["bytes", "string", "int32", "int64", "array", "struct", "map"]),
         "field": st.sampled_from(["id", "a", "b"])},
        optional={"name": st.sampled_from(WORDS), "parameters": JSON, "items": JSON,
                  "default": JSON, "optional": st.booleans()},
    ), max_size=4,
)  # fmt: skip
SCHEMAS = st.none() | JSON | st.builds(
    lambda fields: {"type": "struct", "fields": [
        {"type": "struct", "fields": fields, "field": part} for part in ("before", "after")]},
    FIELDS,
)  # fmt: skip
EVENTS = st.fixed_dictionaries(
    {"op": st.sampled_from(["c", "u", "d", "r"])},
    optional={"before": ROWS, "after": ROWS, "source": JSON, "ts_ms": JSON, "transaction": JSON,
              "__op": JSON, "iodebeziumop": st.sampled_from(["c", "u", "d"]), "specversion": JSON,
              "data": JSON},
)  # fmt: skip
VALUES = JSON | EVENTS


@pytest.mark.slow
@pytest.mark.parametrize("kind", FORMATS)
@given(value=VALUES, key=JSON, schema=SCHEMAS, key_schema=SCHEMAS,
       headers=st.dictionaries(st.sampled_from(["__debezium.newkey", "__op", "__deleted", "x"]),
                               st.text(max_size=9) | st.just('"d"'), max_size=3),
       topic=st.none() | st.sampled_from(["p.s.t", "t", "", ".", "..."]))  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_any_value_is_read_refused_or_passed_over(
    kind: Any, value: Any, key: Any, schema: Any, key_schema: Any, headers: Any, topic: Any
) -> None:
    before = json.dumps([value, key, schema])
    format_ = kind()
    raw = Raw(value, key, headers, topic, "p", "p", 1, schema, key_schema)
    format_.likeness(value, raw)
    for _ in range(2):
        try:
            found = list(format_.read(value, raw))
        except (FormatError, PassedOver):
            continue
        assert len(found) == 1
        assert isinstance(format_.title_of(value, raw), str)
    assert json.dumps([value, key, schema]) == before


@pytest.mark.slow
@pytest.mark.parametrize("envelope", ["auto", *(kind.key for kind in FORMATS)])
@given(rows=st.lists(st.tuples(VALUES | st.none(), JSON, SCHEMAS), max_size=6))
@settings(max_examples=20, deadline=None)
def test_the_reader_never_raises_and_gives_each_row_a_key_of_its_own(
    envelope: str, rows: list[tuple[Any, Any, Any]]
) -> None:
    reader = RowReader(envelope=envelope)
    found: list[Any] = []
    for number, (value, key, schema) in enumerate(rows):
        data = json.dumps(value if schema is None else {"schema": schema, "payload": value})
        raw = Raw(data.encode(), json.dumps(key).encode(), position=f"p{number}")
        found += [row for row in reader.read(raw) if isinstance(row, Message)]
    keys = [row.metadata["idempotency_key"] for row in found if row.format.startswith("debezium")]
    assert len(set(keys)) == len(keys)
    assert len({row.position for row in found}) == len(found)


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    reader = RowReader(envelope="debezium")
    reader.read(Raw(data, data, position="p"))
    reader.read(Raw(b'{"schema":' + data + b',"payload":' + data + b"}", position="q"))


# --- what was encoded is decoded -----------------------------------------------------------------


def encoded(number: int) -> str:
    """A whole number as Java writes it: two's complement, the highest byte first, in Base64."""
    size = (number if number >= 0 else ~number).bit_length() // 8 + 1
    return base64.b64encode(number.to_bytes(size, "big", signed=True)).decode()


@given(number=st.integers(-(10**200), 10**200), scale=st.integers(-30, 60))
def test_decimals(number: int, scale: int) -> None:
    text = types.decimal_of(scale)(encoded(number))
    assert Decimal(text) == Decimal(number).scaleb(-scale, _exact())
    assert "E" not in text.upper()
    if scale > 0:
        assert len(text.partition(".")[2]) == scale
    assert types.scaled({"scale": scale, "value": encoded(number)}) == text


def _exact() -> Any:
    return Context(prec=400)


@given(digits=st.integers(0, 10**6), size=st.integers(4_000, 30_000))
@settings(max_examples=10, deadline=None)
def test_decimals_of_thousands_of_digits(digits: int, size: int) -> None:
    number = 10**size + digits
    text = types.decimal_text(number, 6)
    assert len(text) == size + 2
    assert text.endswith(f".{digits % 10**6:06}")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4,
                   min_value=-(10**25), max_value=10**25))  # fmt: skip
def test_decimals_as_numbers_of_json(number: Decimal) -> None:
    schema = {
        "type": "struct",
        "fields": [
            {
                "type": "struct",
                "field": "after",
                "fields": [
                    {
                        "type": "bytes",
                        "name": types.DECIMAL,
                        "parameters": {"scale": "4"},
                        "field": "n",
                    }
                ],
            }
        ],
    }
    payload = {"before": None, "after": {"n": "@"}, "op": "c", "source": {"table": "t"}}
    text = json.dumps({"schema": schema, "payload": payload})
    text = text.replace('"@"', format(number, "f"))
    message = RowReader().read(Raw(text.encode(), position="p"))[0]
    assert isinstance(message, Message)
    assert message.record["n"] == format(number, ".4f")


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)))
def test_timestamps(moment: datetime) -> None:
    micros = (moment - datetime(1970, 1, 1)) // timedelta(microseconds=1)
    text = times.timestamp(micros)
    assert datetime.fromisoformat(text) == moment
    assert len(text) == 26
    assert times.zoned(text + "Z") == text + "Z"
    java = moment.isoformat() + "Z"
    assert times.zoned(java) == text + "Z"
    assert times.unzoned(java) == text


@given(st.dates())
def test_dates(moment: date) -> None:
    assert times.day((moment - date(1970, 1, 1)).days) == moment.isoformat()


@given(st.integers(-(10**9), 10**9))
def test_days_of_all_years_follow_each_other(days: int) -> None:
    """PostgreSQL's form of days that no `date` holds: year, month, day, era."""
    year, month, number, era = _parts(times.day(days))
    later = _parts(times.day(days + 146_097))
    assert (later[1], later[2]) == (month, number)
    signed = year if era == "" else 1 - year
    assert (later[0] if later[3] == "" else 1 - later[0]) == signed + 400


def _parts(text: str) -> tuple[int, int, int, str]:
    day, _, era = text.partition(" ")
    year, month, number = day.split("-")
    return int(year), int(month), int(number), era


@given(st.integers(0, 86_399_999_999))
def test_times_of_day(micros: int) -> None:
    text = times.time_of_day(micros)
    moment = datetime.fromisoformat("2024-01-01T" + text) - datetime(2024, 1, 1)
    assert moment // timedelta(seconds=1) == micros // 10**6
    assert "." not in text


PARTS = st.integers(-999, 999)


@given(PARTS, PARTS, PARTS, PARTS, PARTS, st.integers(-59_999_999, 59_999_999))
def test_intervals(years: int, months: int, days: int, hours: int, minutes: int, us: int) -> None:
    seconds = f"{'-' if us < 0 else ''}{abs(us) // 10**6}.{abs(us) % 10**6:06}"
    text = f"P{years}Y{months}M{days}DT{hours}H{minutes}M{seconds}S"
    assert times.interval(text) == {
        "months": 12 * years + months, "days": days,
        "microseconds": (hours * 60 + minutes) * 60_000_000 + us,
    }  # fmt: skip


@given(st.integers(-(2**63), 2**63 - 1))
def test_sums_of_intervals_stay_the_same_sum(micros: int) -> None:
    found = times.interval_sum(micros)
    month, day = 2_629_800_000_000, 86_400_000_000
    assert found["months"] * month + found["days"] * day + found["microseconds"] == micros
    assert all(part * micros >= 0 for part in found.values())


@given(st.binary(max_size=30))
def test_bytes_and_bits(data: bytes) -> None:
    assert types.from_base64(base64.b64encode(data).decode()) == data
    assert types.from_base64(base64.urlsafe_b64encode(data).decode()) == data
    bits = types.converter({"type": "bytes", "name": "io.debezium.data.Bits",
                            "parameters": {"length": str(8 * len(data))}})[0]  # fmt: skip
    assert bits is not None
    if data:
        text = bits(base64.b64encode(data).decode())
        assert len(text) == 8 * len(data)
        assert int(text, 2).to_bytes(len(data), "little") == data


@given(st.text(min_size=1, max_size=20))
def test_every_form_of_any_placeholder_is_known(text: str) -> None:
    data = text.encode()
    unavailable = Unavailable("hex:" + data.hex())
    coded = base64.b64encode(data).decode()
    for form in (text, coded, [text], [coded], list(data), {text: text}):
        assert form in unavailable
    assert data.hex() in unavailable


@pytest.mark.slow
@given(JSON)
def test_extended_json_of_any_kind(value: Any) -> None:
    plain(value)
    is_zero(value)
    types.converter(value)
    if isinstance(value, Mapping):
        types.Columns(value)
