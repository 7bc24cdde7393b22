"""Columns with types: what lint, preview, tests, conversion and export say of functions on them.

The functions are those of users: one that works on a server, one that fails there for every row.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from routestudio.app import main

PROJECT = """\
{tables}functions:
  - name: by-size
    type: routing
    sink_type: nats
    {language}code: |
{code}
sinks:
  - {{name: s, database: shop, routing: by-size,
     destination: {{type: nats, host: localhost, port: 4222}}}}
"""
TABLES = "tables:\n  - {{name: public.orders, columns: {{total: {}}}}}\n"
HEAD = "def route(action, record, changes, metadata) do\n"
WORKS = (
    HEAD
    + """\
  size = if Decimal.compare(record["total"], Decimal.new(100)) == :gt, do: "big", else: "small"
  %{subject: "orders.#{size}",
    headers: %{"X-Total" => to_string(Decimal.to_float(record["total"]))}}
end
"""
)
FAILS = (
    HEAD
    + """\
  size = if String.to_float(record["total"] || "0.0") > 100.0, do: "big", else: "small"
  %{subject: "orders.#{size}"}
end
"""
)
DIFFERS = (
    HEAD
    + """\
  %{subject: if(record["total"] == "250.00", do: "orders.exact", else: "orders.other")}
end
"""
)
BOTH = HEAD + '  %{subject: "orders.#{record["total"]}"}\nend\n'
SPLITS = """\
def route(action, record, changes, metadata):
    return {"subject": "orders." + record["total"].split(".")[0]}
"""
COMPARES = """\
def route(action, record, changes, metadata):
    return {"subject": "orders.big" if float(record["total"]) > 100 else "orders.small"}
"""


def row(total: Any = "250.00", **more: Any) -> dict[str, Any]:
    metadata = {"table_schema": "public", "table_name": "orders", "commit_lsn": 1, "commit_idx": 0}
    return {"action": "insert", "record": {"id": 1, "total": total}, "changes": None,
            "metadata": metadata, **more}  # fmt: skip


def project(
    folder: Path, code: str, *rows: dict[str, Any], tables: str = "", python: bool = False
) -> Path:
    lines = "".join(f"      {line}\n" for line in code.splitlines())
    text = PROJECT.format(code=lines.rstrip("\n"), tables=TABLES.format(tables) if tables else "",
                          language="language: python\n    " if python else "")  # fmt: skip
    (folder / "sequin.yaml").write_text(text)
    (folder / "samples").mkdir()
    written = "".join(json.dumps(item) + "\n" for item in rows or (row(),))
    (folder / "samples" / "orders.jsonl").write_text(written)
    return folder


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and messages of a command."""
    code = main(list(arguments))
    output = capsys.readouterr()
    return code, output.out, output.err


def rows(capsys: pytest.CaptureFixture[str], folder: Path, *more: str) -> list[dict[str, Any]]:
    source = more or ("--sample", "orders")
    _, out, _ = run(capsys, "preview", str(folder), "s", *source, "--format", "json")
    return [json.loads(line) for line in out.splitlines()]


def findings(capsys: pytest.CaptureFixture[str], folder: Path) -> list[dict[str, Any]]:
    _, out, _ = run(capsys, "lint", str(folder), "--format", "json")
    return [item for item in json.loads(out) if item["code"] == "column_type"]


# --- a function that works on a server ------------------------------------------------------------


def test_a_function_that_works_on_a_server_works_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = project(tmp_path, WORKS)
    (found,) = rows(capsys, folder)
    assert found["ok"]
    assert found["routing"]["subject"] == "orders.big"
    assert found["routing"]["headers"] == {"X-Total": "250.0"}
    assert found["payload"]["record"] == {"id": 1, "total": "250.00"}
    assert found["types"] == {"total": {"type": "numeric", "origin": "guess"}}
    guess = "`total` is numeric by a guess: name its type under `tables` in the project."
    assert guess in found["notes"]
    (note,) = findings(capsys, folder)
    assert (note["severity"], note["field"]) == ("note", "total")
    assert "works only where `total` is numeric" in note["message"]


@pytest.mark.parametrize(
    ("given", "tables", "origin"),
    [
        (row({"$decimal": "250.00"}), "", "row"),
        (row(types={"total": "numeric"}), "", "row"),
        (row(), "numeric", "project"),
        (row(), '"numeric(10,2)"', "project"),
        (row(250), '"numeric(10,2)"', "project"),
        (row(250.0), '"numeric(10,2)"', "project"),
    ],
)
def test_a_type_that_is_said_is_no_guess(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: dict[str, Any], tables: str,
    origin: str,
) -> None:  # fmt: skip
    folder = project(tmp_path, WORKS, given, tables=tables)
    (found,) = rows(capsys, folder)
    assert found["routing"]["headers"] == {"X-Total": "250.0"}
    assert found["payload"]["record"]["total"] == "250.00"
    assert found["types"]["total"] == {"type": "numeric", "origin": origin}
    assert not [note for note in found["notes"] if "by a guess: name" in note]
    assert findings(capsys, folder) == []


# --- a function that fails there ------------------------------------------------------------------


def test_lint_finds_a_function_that_fails_on_a_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = project(tmp_path, FAILS)
    (found,) = findings(capsys, folder)
    assert (found["severity"], found["field"]) == ("warning", "total")
    assert "function `by-size` fails where `total` is numeric" in found["message"]
    assert "columns: {total: numeric or text}" in found["hint"]
    (shown,) = rows(capsys, folder)
    assert shown["routing"]["subject"] == "orders.big"
    assert any("fails where `total` is numeric, as on a server" in n for n in shown["notes"])


def test_a_function_that_fails_for_a_known_type_fails_in_the_preview(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = project(tmp_path, FAILS, tables="numeric")
    (shown,) = rows(capsys, folder)
    assert not shown["ok"]
    assert "ArgumentError" in shown["error"]["message"]
    assert findings(capsys, folder) == []


def test_text_that_is_said_to_be_text_is_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = project(tmp_path, FAILS, tables="text")
    (shown,) = rows(capsys, folder)
    assert shown["routing"]["subject"] == "orders.big"
    assert not any("numeric" in note for note in shown["notes"])
    assert findings(capsys, folder) == []


def test_lint_finds_a_function_that_says_something_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (found,) = findings(capsys, project(tmp_path, DIFFERS))
    assert found["severity"] == "warning"
    assert "gives something else where `total` is numeric" in found["message"]
    assert "subject is `orders.other` instead of `orders.exact`" in found["message"]


@pytest.mark.parametrize(("code", "python"), [(BOTH, False), (COMPARES, True)])
def test_a_function_for_both_has_no_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str, python: bool
) -> None:
    assert findings(capsys, project(tmp_path, code, python=python)) == []


def test_lint_tries_functions_in_python_both_ways_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = project(tmp_path, SPLITS, python=True)
    assert rows(capsys, folder)[0]["routing"]["subject"] == "orders.250"
    (found,) = findings(capsys, folder)
    assert "fails where `total` is numeric" in found["message"]
    assert "on a server" not in found["message"]


# --- one engine -----------------------------------------------------------------------------------


@pytest.mark.parametrize("tables", ["", "numeric"])
def test_preview_test_eval_and_dry_run_see_the_same_types(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], tables: str
) -> None:
    folder = project(tmp_path, WORKS, tables=tables)
    (folder / "tests").mkdir()
    (folder / "tests" / "t.yaml").write_text(
        "- {name: sample, sink: s, sample: {name: orders, row: 0},\n"
        "   expect: {routing: {subject: orders.big}}}\n"
        "- {name: inline, sink: s, message: {action: insert, record: {id: 1, total: "
        "{$decimal: '250.00'}}},\n   expect: {routing: {subject: orders.big}}}\n"
    )
    source = str(folder / "samples" / "orders.jsonl")
    assert rows(capsys, folder, "--input", source)[0]["routing"]["subject"] == "orders.big"
    code, out, err = run(capsys, "test", str(folder))
    assert code == 0, out + err
    code, out, err = run(capsys, "run", str(folder), "s", "--input", source, "--dry-run")
    assert "orders.big" in out + err
    (tmp_path / "f.ex").write_text(WORKS)
    code, out, _ = run(capsys, "eval", str(tmp_path / "f.ex"), "--kind", "route",
                       "--input", source, "--format", "json")  # fmt: skip
    assert json.loads(out)["output"]["subject"] == "orders.big"


def test_a_sample_of_typed_rows_keeps_the_types(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change = {"action": "I", "schema": "public", "table": "orders", "columns": [
        {"name": "id", "type": "integer", "value": 1},
        {"name": "total", "type": "numeric(10,2)", "value": 250.0},
    ]}  # fmt: skip
    source = tmp_path / "changes.jsonl"
    source.write_text(json.dumps(change) + "\n")
    _, out, _ = run(capsys, "sample", str(source))
    line = json.loads(out)
    assert line["record"] == {"id": 1, "total": "250.00"}
    assert line["types"] == {"id": "int4", "total": "numeric"}
    _, out, _ = run(capsys, "sample", str(source), "--format", "json")
    first = json.loads(out.splitlines()[0])
    assert set(first["message"]) == {"action", "record", "changes", "metadata"}
    assert first["types"] == line["types"]
    folder = project(tmp_path, WORKS, line)
    assert rows(capsys, folder)[0]["types"]["total"] == {"type": "numeric", "origin": "row"}


# --- conversions ----------------------------------------------------------------------------------


def test_a_conversion_is_not_called_equal_where_a_server_has_a_decimal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "f.py").write_text(SPLITS)
    (tmp_path / "m.jsonl").write_text(json.dumps(row()) + "\n")
    arguments = ("convert", str(tmp_path / "f.py"), "--to", "elixir", "--input",
                 str(tmp_path / "m.jsonl"))  # fmt: skip
    for more in ((), ("--sink-type", "nats")):
        code, out, err = run(capsys, *arguments, *more)
        assert (code, out) == (1, "")
        assert "message 0 differs where `total` is numeric: fails" in err
        assert "same result" not in err
    code, out, _ = run(capsys, *arguments, "--format", "json")
    (difference,) = json.loads(out)["verification"]["differences"]
    assert (code, difference["where"]) == (1, "`total` is numeric")


def test_a_conversion_for_text_and_decimals_is_equal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "f.py").write_text(COMPARES)
    (tmp_path / "m.jsonl").write_text(json.dumps(row()) + "\n")
    code, _, err = run(capsys, "convert", str(tmp_path / "f.py"), "--to", "elixir", "--input",
                       str(tmp_path / "m.jsonl"))  # fmt: skip
    assert code == 0, err
    assert "same result for" in err


def test_a_conversion_of_which_both_versions_always_fail_is_not_called_equal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = project(tmp_path, SPLITS, tables="numeric", python=True)
    target = f"{folder}:by-size"
    code, out, err = run(capsys, "convert", target, "--to", "elixir")
    assert (code, out) == (1, "")
    assert "same result" not in err
    assert "both versions fail on every sample, so nothing shows that they do the same" in err
    code, out, _ = run(capsys, "convert", target, "--to", "elixir", "--format", "json")
    verification = json.loads(out)["verification"]
    assert (code, verification["equal"], verification["differences"]) == (1, False, [])
    assert "split" in verification["failing"]["before"]
    code, _, err = run(capsys, "export", str(folder), "--target", "sequin")
    assert code
    assert "fails on every sample, in both languages" in err


def test_a_conversion_of_a_function_that_fails_on_all_samples_is_not_called_equal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "f.py").write_text(COMPARES.replace('"total"', '"missing"'))
    arguments = ("convert", str(tmp_path / "f.py"), "--to", "elixir", "--input")
    for name, more, exits in (("bad", {}, 1), ("good", {"missing": 5}, 0)):
        given = row()
        given["record"] |= more
        (tmp_path / name).write_text(json.dumps(given) + "\n")
        code, _, err = run(capsys, *arguments, str(tmp_path / name))
        assert code == exits, err
    assert "same result for" in err


@pytest.mark.parametrize(("tables", "exits"), [("", 1), ("text", 0)])
def test_an_export_does_not_call_a_conversion_equal_that_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], tables: str, exits: int
) -> None:
    folder = project(tmp_path, SPLITS, tables=tables, python=True)
    code, out, err = run(capsys, "export", str(folder), "--target", "sequin")
    assert bool(code) is bool(exits), err
    if exits:
        assert "where `total` is numeric" in out + err
        assert "under `tables`" in out + err


TYPED = """def transform(action, record, changes, metadata):
    return {"at": record["at"], "text": f"{record['at']} {record['day']} {record['total']}",
            "total": record["total"], "day": record["day"], "big": record["total"] > 100,
            "same": record["total"] == record["total"], "sums": record["sums"]}
"""


def test_a_function_on_typed_columns_is_converted_with_equal_values(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = {
        "id": 1, "total": {"$decimal": "250.00"}, "day": {"$date": "2024-05-06"},
        "at": {"$datetime": "2024-05-06T07:08:09.000000Z"}, "sums": [{"$decimal": "1.50"}],
    }  # fmt: skip
    (tmp_path / "f.py").write_text(TYPED)
    (tmp_path / "m.jsonl").write_text(json.dumps({"action": "insert", "record": record}) + "\n")
    code, out, err = run(capsys, "convert", str(tmp_path / "f.py"), "--to", "elixir", "--input",
                         str(tmp_path / "m.jsonl"))  # fmt: skip
    assert code == 0, err
    (tmp_path / "g.ex").write_text(out)
    results = []
    for name in ("f.py", "g.ex"):
        _, shown, _ = run(
            capsys,
            "eval",
            str(tmp_path / name),
            "--kind",
            "transform",
            "--input",
            str(tmp_path / "m.jsonl"),
            "--format",
            "json",
        )
        results.append(json.loads(shown)["output"])  # fmt: skip
    text = "2024-05-06T07:08:09.000000Z 2024-05-06 250.00"
    assert results[0]["text"] == results[1]["text"] == text
    code, _, err = run(capsys, "convert", str(tmp_path / "g.ex"), "--to", "python", "--input",
                       str(tmp_path / "m.jsonl"))  # fmt: skip
    assert code == 0, err


def test_a_type_that_is_written_wrongly_is_noted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = project(tmp_path, WORKS, tables="numerc")
    code, out, _ = run(capsys, "lint", str(folder))
    assert "warning: the type `numerc` of `total` in table `public.orders` is not known" in out
    assert "did you mean `numeric`?" in out
    assert code == 0
    (folder / "sequin.yaml").write_text(
        (folder / "sequin.yaml").read_text().replace("numerc", "mood_of_a_customer")
    )
    assert "is not known" not in run(capsys, "lint", str(folder))[1]
