"""What the recorded records must become, written by hand from the statements that were run.

The statements, in their order (tables with the replica identity in brackets):

    t_gen (total generated: price * 2), t_key, t_null, t_part, t_snap have rows before the snapshot
    INSERT t_types: all types; all NULL; zeros, 24:00:00, -10 mons -3 days +04:05:06.789
    t_key [default]: INSERT 1; UPDATE name; UPDATE id 1 -> 2; UPDATE id 50 -> 1050; DELETE 2
    t_full [FULL]: INSERT 1; UPDATE name; UPDATE without a change; UPDATE id 1 -> 2; DELETE 2
    t_nopk [default, no key]: INSERT; t_nopkfull [FULL, no key]: INSERT, UPDATE b, DELETE
    t_compound (key code, tenant): INSERT, UPDATE v, DELETE
    t_idx [USING INDEX on other]: INSERT 1; UPDATE v; UPDATE other 10 -> 11; UPDATE id 1 -> 9;
        DELETE
    "My-Table.v1": INSERT; t_gen: INSERT 2 with price 1.25 * 2, UPDATE price
    t_snap, one transaction: INSERT 4, INSERT 5, UPDATE 4
    t_part (by at): INSERT 2, INSERT 3, UPDATE 2 into the other partition, DELETE 3
    t_null: INSERT 1 (all NULL), UPDATE plain, INSERT 2; t_alter: INSERTs while columns come and go
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

U1 = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
U0 = "00000000-0000-0000-0000-000000000001"


class Expected(NamedTuple):
    action: str
    table: str
    key: dict[str, Any] | None
    record: dict[str, Any]
    changes: dict[str, Any] | None = None


@dataclass(frozen=True)
class Forms:
    """How values look under some settings: amounts and dates, and the JSON of t_null."""

    amounts: dict[str, str]
    dates: dict[str, Any]
    json: Any


EXACT = Forms(
    {a: a for a in ("12.50", "1.00", "1.50", "3.00", "2.50", "1.25")},
    {d: d for d in ("2024-05-06", "2024-01-01", "2024-06-06", "2025-06-06", "2025-07-07")},
    {},
)
"""With the schema: as a Sequin server gives them."""

BARE = Forms(
    {"12.50": "BOI=", "1.00": "ZA==", "1.50": "AJY=", "3.00": "ASw=", "2.50": "APo=",
     "1.25": "fQ=="},
    {"2024-05-06": 19849, "2024-01-01": 19723, "2024-06-06": 19880, "2025-06-06": 20245,
     "2025-07-07": 20276},
    "{}",
)  # fmt: skip
"""Without schema nothing is guessed: decimals stay Base64, dates stay numbers."""

ISO = Forms(EXACT.amounts, {d: d + "Z" for d in EXACT.dates}, "{}")


def snapshot(f: Forms) -> list[Expected]:
    first = {"id": 1, "at": f.dates["2024-05-06"]}
    return [
        Expected("read", "t_gen", {"id": 1}, {"id": 1, "price": f.amounts["1.50"],
                                              "total": f.amounts["3.00"], "e": "ok"}),
        Expected("read", "t_key", {"id": 50}, fifty(f, 50, "snap")),
        Expected("read", "t_null", {"id": 50}, nulls(f, 50)),
        Expected("read", "t_part", first, {**first, "v": "snap"}),
        Expected("read", "t_part_2024", first, {**first, "v": "snap"}),
        *(Expected("read", "t_snap", {"id": n}, {"id": n, "name": name})
          for n, name in ((1, "first"), (2, "middle"), (3, "last"))),
    ]  # fmt: skip


def fifty(f: Forms, number: int, name: str) -> dict[str, Any]:
    return {"id": number, "name": name, "qty": 1, "note": "x", "ok": True,
            "at": "2024-01-01T00:00:00.000000Z", "price": f.amounts["1.00"], "u": U0,
            "d": f.dates["2024-01-01"], "opt": 5}  # fmt: skip


def ann(f: Forms, number: int, name: str) -> dict[str, Any]:
    return {"id": number, "name": name, "qty": 3, "note": "n1", "ok": True,
            "at": "2024-05-06T07:08:09.000000Z", "price": f.amounts["12.50"], "u": U1,
            "d": f.dates["2024-05-06"], "opt": 5}  # fmt: skip


def gone(number: int) -> dict[str, Any]:
    """A deleted row of t_key: the database sent its key and nothing else."""
    return {"id": number, "name": None, "qty": None, "note": None, "ok": None, "at": None,
            "price": None, "u": None, "d": None, "opt": None}  # fmt: skip


def nulls(f: Forms, number: int, plain: Any = None) -> dict[str, Any]:
    """A row of t_null, all NULL but for `plain`: the converter wrote the columns' defaults."""
    return {"id": number, "qty": 5, "txt": "new", "n": f.amounts["1.25"], "ok": True,
            "at": "2020-01-01T00:00:00.000000Z", "j": f.json, "plain": plain}  # fmt: skip


def full(number: int, name: str) -> dict[str, Any]:
    return {"id": number, "name": name, "qty": 3, "big": "x" * 10}


def stream(f: Forms) -> list[Expected]:
    """The changes after those of t_types."""
    code = {"code": "c", "tenant": 1}
    one, two, nine, zero = {"id": 1}, {"id": 2}, {"id": 9}, {"id": 0}
    moved = {"id": 2, "at": f.dates["2024-06-06"]}, {"id": 2, "at": f.dates["2025-07-07"]}
    third = {"id": 3, "at": f.dates["2025-06-06"]}
    return [
        Expected("insert", "t_key", one, ann(f, 1, "ann")),
        Expected("update", "t_key", one, ann(f, 1, "bob"), {}),
        Expected("delete", "t_key", one, gone(1)),
        Expected("insert", "t_key", two, ann(f, 2, "bob")),
        Expected("delete", "t_key", {"id": 50}, gone(50)),
        Expected("insert", "t_key", {"id": 1050}, fifty(f, 1050, "pk and more")),
        Expected("delete", "t_key", two, gone(2)),
        Expected("insert", "t_full", one, full(1, "ann")),
        Expected("update", "t_full", one, full(1, "bob"), {"name": "ann"}),
        Expected("update", "t_full", one, full(1, "bob"), {}),
        Expected("delete", "t_full", one, full(1, "bob")),
        Expected("insert", "t_full", two, full(2, "bob")),
        Expected("delete", "t_full", two, full(2, "bob")),
        Expected("insert", "t_nopk", None, {"a": 1, "b": "x"}),
        Expected("insert", "t_nopkfull", None, {"a": 1, "b": "x"}),
        Expected("update", "t_nopkfull", None, {"a": 1, "b": "y"}, {"b": "x"}),
        Expected("delete", "t_nopkfull", None, {"a": 1, "b": "y"}),
        Expected("insert", "t_compound", code, {"tenant": 1, "code": "c", "v": 10}),
        Expected("update", "t_compound", code, {"tenant": 1, "code": "c", "v": 11}, {}),
        Expected("delete", "t_compound", code, {"tenant": 1, "code": "c", "v": None}),
        Expected("insert", "t_idx", one, {"id": 1, "other": 10, "v": "x"}),
        Expected("update", "t_idx", one, {"id": 1, "other": 10, "v": "y"}, {}),
        Expected("delete", "t_idx", zero, {"id": 0, "other": 10, "v": None}),
        Expected("insert", "t_idx", one, {"id": 1, "other": 11, "v": "y"}),
        Expected("update", "t_idx", nine, {"id": 9, "other": 11, "v": "y"}, {}),
        Expected("delete", "t_idx", zero, {"id": 0, "other": 11, "v": None}),
        Expected("insert", "My-Table.v1", {"Id": 1}, {
            "Id": 1, "a-b": "dash", "a.b": "dot", "with space": "space", "ünï": "uml",
            "MyCol": "camel", "1st": "digit"}),
        Expected("insert", "t_gen", two, {"id": 2, "price": f.amounts["2.50"], "e": "sad"}),
        Expected("update", "t_gen", two, {"id": 2, "price": f.amounts["3.00"], "e": "sad"}, {}),
        Expected("insert", "t_snap", {"id": 4}, {"id": 4, "name": "tx-a"}),
        Expected("insert", "t_snap", {"id": 5}, {"id": 5, "name": "tx-b"}),
        Expected("update", "t_snap", {"id": 4}, {"id": 4, "name": "tx-c"}, {}),
        Expected("insert", "t_part_2024", moved[0], {**moved[0], "v": "p"}),
        Expected("insert", "t_part_2025", third, {**third, "v": "p"}),
        Expected("delete", "t_part_2024", moved[0], {**moved[0], "v": None}),
        Expected("insert", "t_part_2025", moved[1], {**moved[1], "v": "p"}),
        Expected("delete", "t_part_2025", third, {**third, "v": None}),
        Expected("insert", "t_null", one, nulls(f, 1)),
        Expected("update", "t_null", one, nulls(f, 1, 1), {}),
        Expected("insert", "t_null", two, nulls(f, 2)),
        Expected("insert", "t_alter", one, {"id": 1, "a": "x"}),
        Expected("insert", "t_alter", two, {"id": 2, "a": "y", "b": 9}),
        Expected("insert", "t_alter", {"id": 3}, {"id": 3, "b": 4}),
        END,
    ]  # fmt: skip


END = Expected("insert", "t_end", {"id": 1}, {"id": 1})

TYPES = {
    "id": 1, "n102": "12.50", "nfree": "12.5", "n5": "42", "f8": 1e300, "f4": 0.1, "i2": -3,
    "i8": 9007199254740993, "m": "1234.50", "bo": True, "tstz": "2024-05-06T05:08:09.123456Z",
    "ts": "2024-05-06T07:08:09.123456", "ts3": "2024-05-06T07:08:09.123000",
    "ts0": "2024-05-06T07:08:09.000000", "d": "2024-05-06", "t": "07:08:09",
    "t3": "07:08:09", "ttz": "05:08:09",
    "iv": {"months": 1, "days": 1, "microseconds": 7_384_500_000}, "b": "\\x00ff", "u": U1,
    "j": {"a": 2}, "jb": {"a": "Zoë 🚚", "b": 12345678901234567890.10}, "x": '<a b="1">x</a>',
    "tv": "'cats' 'fat'", "hs": {"a": "1", "b c": None}, "ci": "HeLLo", "lt": "top.a.b",
    "ta": ["a", None, 'q"uo,te', ""], "ia": [1, None, 3], "na": ["1.50", None],
    "ba": [True, False, None], "tsa": ["2024-05-06T05:08:09.123456Z", None], "da": ["2024-05-06"],
    "ja": [{"a": 1}], "ua": [U1], "i2d": [None, None], "byta": ["\\x00ff"], "ea": ["ok", "sad"],
    "r4": "[1,5)", "nr": "(1.5,)", "tsr": '["2024-01-01 00:00:00","2024-01-02 00:00:00")',
    "tstzr": '["2023-12-31 22:00:00+00",)', "dr": "[2024-01-01,2024-02-01)",
    "ip": "10.0.0.1/24", "ci4": "10.0.0.0/8", "mac": "08:00:2b:01:02:03", "bit1": True,
    "bit8": "10000001", "vb": "101", "oi": 4294967295, "e": "happy", "dp": "9.99", "dt": "a@b.c",
    "c5": "ab   ", "vc": "vc", "pt": "(1.5,2)", "nm": None, "dft": 7, "dfttxt": "new", "ident": 1,
}  # fmt: skip
"""The row of all types with its schema. `i2d` ({{1,2},{3,4}}) and `nm` are Debezium's losses."""

TYPES_BARE = {
    **TYPES, "n102": "BOI=", "n5": "Kg==", "m": "AeI6", "ts": 1714979289123456,
    "ts3": 1714979289123, "ts0": 1714979289000, "d": 19849, "t": 25689500000, "t3": 25689500,
    "ttz": "05:08:09.5Z", "iv": 2723584500000, "b": "AP8=", "j": '{"a": 1,  "a": 2}',
    "jb": '{"a": "Zoë 🚚", "b": 12345678901234567890.10}', "hs": '{"a":"1","b c":null}',
    "na": ["AJY=", None], "da": [19849], "ja": ['{"a": 1}'], "byta": ["AP8="], "bit8": "gQ==",
    "vb": "BQ==", "dp": "A+c=",
}  # fmt: skip
"""The same without schema: `nfree` and the point say for themselves what they are."""

TYPES_ISO = {
    **TYPES, "ts": "2024-05-06T07:08:09.123456Z", "ts3": "2024-05-06T07:08:09.123Z",
    "ts0": "2024-05-06T07:08:09Z", "d": "2024-05-06Z", "t": "07:08:09.5Z", "t3": "07:08:09.5Z",
    "ttz": "05:08:09.5Z", "iv": "P0Y1M1DT2H3M4.5S", "b": "00ff", "j": TYPES_BARE["j"],
    "jb": TYPES_BARE["jb"], "da": ["2024-05-06Z"], "ja": ['{"a": 1}'], "byta": ["00ff"],
    "bit8": "gQ==", "vb": "BQ==", "nm": "nm",
    "mr": b"{[1,3),[5,7)}".hex(), "comp": b'("Main ""St"", 1",12345)'.hex(),
    "bx": b"(1.0,1.0),(0.0,0.0)".hex(), "ci2": b"<(0.0,0.0),5.0>".hex(),
    "lsn": b"16/B374D848".hex(), "jp": b'$."a"'.hex(),
}  # fmt: skip

ZEROS = {"nfree": "0", "f8": 0.0, "ta": [], "i2d": []}


def types(row: dict[str, Any], zeros: dict[str, Any]) -> list[Expected]:
    """The three rows of t_types: all values; all NULL; those in `zeros`."""
    empty: dict[str, Any] = {**dict.fromkeys(row), "dft": 7, "dfttxt": "new"}
    second, third = {**empty, "id": 2, "ident": 2}, {**empty, "id": 3, "ident": 3}
    return [Expected("insert", "t_types", {"id": 1}, row),
            Expected("insert", "t_types", {"id": 2}, second),
            Expected("insert", "t_types", {"id": 3}, {**third, **ZEROS, **zeros})]  # fmt: skip


_SUM = {"months": -10, "days": -2, "microseconds": -71_693_211_000}
SCHEMA_ON = [
    *snapshot(EXACT),
    *types(TYPES, {"n102": "0.00", "m": "-0.01", "t": "24:00:00", "iv": _SUM}),
    *stream(EXACT),
]
"""The interval is -10 months and -3 days +04:05:06.789; its sum loses how it was put together."""

DEFAULT = [
    *snapshot(BARE),
    *types(TYPES_BARE, {"n102": "AA==", "m": "/w==", "t": 86400000000, "iv": -26542493211000}),
    *stream(BARE),
]

STRING_ISO = [*snapshot(ISO), *types(TYPES_ISO, {
    "n102": "0.00", "m": "-0.01", "t": "00:00:00Z", "iv": "P0Y-10M-3DT4H5M6.789S"}),
    *stream(ISO)]  # fmt: skip

TXMETA = [*snapshot(BARE), *stream(BARE)]

ONETABLE = [*snapshot(BARE)[5:], END]


def unwrapped() -> list[Expected]:
    """Flattened without any field: rows are `read`, deletes have only their key."""
    found = []
    for item in DEFAULT:
        if item.action != "delete":
            found.append(item._replace(action="read", changes=None))
        elif item.key is not None:
            found.append(item._replace(record=dict(item.key)))
    return found


UNWRAP = unwrapped()

UNWRAP_REWRITE = [item._replace(changes={}) if item.action == "update" else item
                  for item in DEFAULT]  # fmt: skip
"""Flattened with `__op` and `__deleted`: the old row of updates is gone, all else is there."""

NOT_SENT = (
    "txt", "i2", "i8", "f8", "nfree", "n102", "m", "bo", "tstz", "tstzd", "ts", "d", "dd", "t",
    "ttz", "iv", "b", "u", "ud", "jb", "jbd", "ta", "tad", "ia", "e", "ed", "r", "ip", "bit8",
    "c5", "x", "hs", "ci", "dp", "pt", "sd", "ser",
)  # fmt: skip
NOTNULL = [
    *snapshot(BARE),
    Expected("insert", "t_nn", {"id": 1}, {
        "id": 1, "txt": "x", "i2": 1, "i8": 1, "f8": 1.0, "nfree": "1", "n102": "ZA==",
        "m": "ZA==", "bo": True, "tstz": "2026-11-28T17:01:42.584014Z",
        "tstzd": "2026-11-28T17:01:42.584014Z", "ts": 1795885302584014, "d": 20785, "dd": 18262,
        "t": 61302584014, "ttz": "17:01:42.584014Z", "iv": 86400000000, "b": "AQ==", "u": U1,
        "ud": "fe64966d-1206-4a9b-ac08-d1523dbb5259", "jb": '{"k": 1}', "jbd": '{"a": 1}',
        "ta": ["a"], "tad": ["x"], "ia": [1], "e": "ok", "ed": "happy", "r": "[1,2)",
        "ip": "10.0.0.1", "bit8": "AQ==", "c5": "a    ", "x": "<a/>", "hs": '{"a":"1"}',
        "ci": "c", "dp": "ZA==", "pt": "(1,1)", "sd": "active", "ser": 1}),
    Expected("delete", "t_nn", {"id": 1}, {"id": 1, **dict.fromkeys(NOT_SENT)}),
    *(Expected("read", "t_snap", {"id": n}, {"id": n, "name": name})
      for n, name in ((1, "first"), (2, "middle"), (3, "last"))),
    END,
]  # fmt: skip

_SAME = "unchanged_toast"
TOAST = [
    *snapshot(BARE),
    Expected("update", "t_toast", {"id": 1}, {
        "id": 1, "n": 1, "txt": _SAME, "b": _SAME, "jb": _SAME, "j": _SAME, "x": _SAME,
        "ta": _SAME, "ia": _SAME, "i8a": _SAME, "ua": _SAME, "da": _SAME, "fa": None, "na": None,
        "ba": None, "tsa": None, "hs": _SAME, "ci": _SAME, "num": None, "num2": ...,
        "tv": _SAME, "vc": _SAME, "lt": _SAME, "ja": _SAME, "vb": None, "ea": None, "bya": _SAME},
        {}),
    END,
]  # fmt: skip
"""`...` is a real value, a number of 1,000 digits in Base64, which is left as it came."""

FILES: dict[str, tuple[list[Expected], dict[str, int]]] = {
    "default": (DEFAULT, {"tombstone": 11, "message": 3}),
    "schema_on": (SCHEMA_ON, {"tombstone": 11, "message": 3}),
    "string_iso": (STRING_ISO, {"tombstone": 11, "message": 3, "truncate": 3}),
    "txmeta": (TXMETA, {"tombstone": 11, "message": 3, "truncate": 3, "transaction": 78,
                        "heartbeat": 8}),
    "unwrap": (UNWRAP, {"tombstone": 1, "message": 3}),
    "unwrap_rewrite": (UNWRAP_REWRITE, {"message": 3}),
    "toast": (TOAST, {}),
    "notnull": (NOTNULL, {"tombstone": 1, "signal": 5}),
    "onetable": (ONETABLE, {}),
}  # fmt: skip
