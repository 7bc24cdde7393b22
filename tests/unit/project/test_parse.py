"""What is wrong with a project is said with line, column and a hint; the rest is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from routestudio.errors import ProjectError
from routestudio.model.function import FunctionKind, Language
from routestudio.model.project import SHARED_KEYS, ProjectProblem
from routestudio.project.store import MAX_YAML, OpenProject
from tests.unit.project.conftest import TEXT, TYPES


def problems(folder: Path, old: str, new: str) -> list[ProjectProblem]:
    assert old in TEXT
    path = folder / "sequin.yaml"
    path.write_text(TEXT.replace(old, new))
    before = path.read_bytes()
    found = list(OpenProject.open(folder, TYPES).project.problems)
    assert path.read_bytes() == before
    return found


UNDER_ORDERS = "    routing: by-region\n"


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "column", "hint"),
    [
        ("type: kafka\n      h", "type: kafak\n      h", "sink_type", 29, 7, "`kafka`"),
        ("type: kafka\n      h", "type: 5\n      h", "sink_type", 29, 7, "types: kafka"),
        ("type: kafka\n      h", "type: [a]\n      h", "sink_type", 29, 7, "types: kafka"),
        ("type: kafka\n      h", "h", "sink_type", 28, 5, "types: kafka"),
        (UNDER_ORDERS, "    ruoting: by-region\n", "unknown_key", 26, 5, "`routing`"),
        (UNDER_ORDERS, "    routing: by-regoin\n", "missing_function", 26, 5, "`by-region`"),
        (UNDER_ORDERS, "    routing: wanted\n", "function_kind", 26, 5, "choose another"),
        (UNDER_ORDERS, "    routing: [a]\n", "missing_function", 26, 5, "add it under"),
        (UNDER_ORDERS, "    batch_size: ${SIZE}\n", "wrong_type", 26, 5, "stays text"),
        (UNDER_ORDERS, "    batch_size: true\n", "wrong_type", 26, 5, None),
        (UNDER_ORDERS, "    batch_size: 1.5\n", "wrong_type", 26, 5, None),
        (UNDER_ORDERS, "    batch_size: 0\n", "range", 26, 5, None),
        (UNDER_ORDERS, "    batch_size: 1001\n", "range", 26, 5, None),
        (UNDER_ORDERS, "    max_retry_count: 0\n", "range", 26, 5, None),
        (UNDER_ORDERS, "    status: off\n", "choice", 26, 5, None),
        (UNDER_ORDERS, "    actions: [insert, upsert]\n", "choice", 26, 5, None),
        (UNDER_ORDERS, "    actions: insert\n", "choice", 26, 5, None),
        (UNDER_ORDERS, "    message_grouping: maybe\n", "wrong_type", 26, 5, None),
        (UNDER_ORDERS, "    source: [a]\n", "wrong_type", 26, 5, None),
        (UNDER_ORDERS, "    tables: [a]\n", "tables", 26, 5, None),
        (UNDER_ORDERS, "    database: [a]\n    routing: by-region\n".replace("    database: [a]\n",
         "    timestamp_format: now\n"), "choice", 26, 5, None),
        ("    database: shop\n    routing", "    routing", "missing", 24, 5, "server demands"),
        ("  - name: hook\n", "  - name: orders\n", "duplicate", 32, 5, "rename one"),
        ("  - name: hook\n", "  - name: none\n", "name", 32, 5, "letters"),
        ("  - name: hook\n", "  - name: a b\n", "name", 32, 5, "letters"),
        ("  - name: hook\n", "  - name: 5\n", "name", 32, 5, "letters"),
        ("functions:\n", "functions: none\nfunctionz:\n", "wrong_type", 11, 1, "start each"),
        ("functions/by_region.py", "functions/by_regoin.py", "file", 16, 5, "correct the path"),
        ("language: python", "language: ruby", "language", 15, 5, "python, elixir"),
        ("    type: filter\n", "    type: fliter\n", "function_type", 17, 5, "types: routing"),
        ("    type: filter\n", "    type: path\n", "path", 17, 5, None),
        ("    type: filter\n", "    typ: filter\n", "unknown_key", 18, 5, "`type`"),
        ("${KAFKA_PASSWORD}", "'*****'", "masked_secret", 31, 7, "sensitive values"),
        ("${KAFKA_PASSWORD}", "h*****2", "masked_secret", 31, 7, "sensitive values"),
        ("${KAFKA_PASSWORD}", "hun********r", "masked_secret", 31, 7, "sensitive values"),
        ("Bearer ${HOOK_TOKEN}", "Bea*********9", "masked_secret", 10, 7, "sensitive values"),
        ("password: ${DB_PASSWORD}", "password: pos****s", "masked_secret", 5, 5, "reference"),
    ],
)  # fmt: skip
def test_a_problem_has_a_place_and_a_hint(
    folder: Path, old: str, new: str, code: str, line: int, column: int, hint: str | None
) -> None:
    found = [p for p in problems(folder, old, new) if p.code == code]
    assert len(found) == 1
    assert (found[0].place.file, found[0].place.line) == ("sequin.yaml", line)
    assert found[0].place.column == column
    assert (hint or "") in (found[0].hint or "")


def test_the_other_sinks_are_read(folder: Path) -> None:
    problems(folder, "type: kafka\n      h", "type: kafak\n      h")
    project = OpenProject.open(folder, TYPES).project
    assert [s.name for s in project.sinks] == ["hook"]
    assert [f.name for f in project.functions] == ["by-region", "wanted"]


@pytest.mark.parametrize("value", ["${TOKEN}", "a*b", "**", "orders.*", "*.example.com", "sk-***"])
def test_what_is_not_masked_is_accepted(folder: Path, value: str) -> None:
    assert problems(folder, "${KAFKA_PASSWORD}", f"'{value}'") == []


def test_a_value_that_cannot_be_used_gives_the_default(folder: Path) -> None:
    problems(folder, UNDER_ORDERS, "    batch_size: many\n    actions: 5\n    status: 1\n"
             "    message_grouping: 'FALSE'\n    annotations: 3\n")  # fmt: skip
    spec = OpenProject.open(folder, TYPES).project.sinks[0]
    assert (spec.batch_size, spec.actions, spec.status) == (
        1, ("insert", "update", "delete"), "active"
    )  # fmt: skip
    assert (spec.message_grouping, spec.annotations) == (False, {})


@pytest.mark.parametrize("written", ["none", "null", "~", "", "'none'"])
def test_no_function_is_written_in_several_ways(folder: Path, written: str) -> None:
    assert problems(folder, UNDER_ORDERS, f"    routing: {written}\n") == []
    assert OpenProject.open(folder, TYPES).project.sinks[0].routing is None


FUNCTIONS = """\
{key}:
  - name: f
    description: what it does
{body}
"""


@pytest.mark.parametrize(
    ("key", "body", "kind", "sink_type"),
    [
        ("functions", "    type: routing\n    sink_type: webhook\n    code: x", "routing",
         "http_push"),
        ("functions", "    type: routing\n    sink_type: http_push\n    code: x", "routing",
         "http_push"),
        ("functions", "    function: {type: routing, sink_type: kafka, code: x}", "routing",
         "kafka"),
        ("functions", "    transform: {type: function, code: x}", "transform", None),
        ("functions", "    type: function\n    code: x", "transform", None),
        ("functions", "    type: enrichment\n    code: x", "enrichment", None),
        ("transforms", "    transform:\n      type: function\n      code: x", "transform", None),
        ("transforms", "    code: x", "transform", None),
    ],
)  # fmt: skip
def test_the_accepted_shapes_of_functions(
    tmp_path: Path, key: str, body: str, kind: str, sink_type: str | None
) -> None:
    (tmp_path / "sequin.yaml").write_text(FUNCTIONS.format(key=key, body=body))
    project = OpenProject.open(tmp_path, TYPES)
    assert project.project.problems == ()
    (function,) = project.project.functions
    assert (function.kind, function.sink_type) == (FunctionKind(kind), sink_type)
    assert (function.code, function.language) == ("x", Language.ELIXIR)
    assert function.description == "what it does"
    project.apply({"op": "set_code", "name": "f", "code": "def a\n  b\n"})
    assert project.project.functions[0].code == "def a\n  b\n"
    assert project.project.functions[0].kind == kind


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("functions: [{name: a, type: path, path: action}]\ntransforms: [{name: b, code: x}]",
         "both"),
        ("functions: [{name: a, function: {code: x}, transform: {code: x}}]", "both"),
        ("sinkz: []", "unknown_key"), ("function: []", "unknown_key"),
    ],
)  # fmt: skip
def test_keys_that_do_not_go_together(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "sequin.yaml").write_text(text)
    assert code in {p.code for p in OpenProject.open(tmp_path, TYPES).project.problems}


def test_keys_that_servers_know_or_ignore_are_no_problem(tmp_path: Path) -> None:
    keys = "".join(f"    {key.name}: null\n" for key in SHARED_KEYS
                   if key.name not in ("name", "database", "destination"))  # fmt: skip
    (tmp_path / "sequin.yaml").write_text(
        "x-anchors: {a: 1}\naccount: {name: a}\nchange_retentions: []\nsinks:\n"
        f"  - name: s\n    database: d\n    id: 1\n    message_kind: event\n{keys}"
        "    destination: {type: kafka, hosts: h}\n"
    )
    assert OpenProject.open(tmp_path, TYPES).project.problems == ()


def test_tables_name_the_columns_of_groups(folder: Path) -> None:
    problems(folder, UNDER_ORDERS, "    tables:\n      - name: orders\n        group_column_names:"
             " [a, b]\n      - name: s.t\n")  # fmt: skip
    tables = OpenProject.open(folder, TYPES).project.sinks[0].tables
    assert tables == {"public.orders": ("a", "b"), "s.t": ()}


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n"
    for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("content", "place", "text"),
    [
        (TEXT.encode() + b'  - name: "cut', "line 37", "cut off"),
        (b"sinks:\n\t- name: a\n", "line 2, column 1", "spaces"),
        (b"sinks:\n  - name: a\n  \tdatabase: b\n", "line 3, column 3", "spaces"),
        (b"a: 1\nb: 2\na: 3\n", "line 3, column 1", "remove one"),
        (b"a: *nothing\n", "line 1, column 4", "undefined alias"),
        (b"a: [1, 2\n", "line 2", "cut off"),
        (b"a: 'x\n", "line", "cut off"),
        (b"- a\n- b\n", "line 1", "must be a map"), (b"text", "line 1", "must be a map"),
        (b"sinks:\n  - a\n b\n", "line", "hint"),
        (b"\x89PNG\r\n\x1a\n\0\0\xff\xfe", "line 1", "UTF-8"),
        (b"a: \xff\xfe\n", "line 1", "UTF-8"), (b"a: 1\nb: \0\n", "line 2", "U+0000"),
        (b"a: 1\n---\nb: 2\n", "line 2", "more than one document"),
        (b"a: " + b"[" * 5000, "", "nested too deeply"),
        (BOMB.encode(), "", "aliases"),
        (b"a: !!int x\n", "", "is not YAML"), (b"<<: 5\n", "line 1", ""),
        (b"a: " + b"9" * 5000, "", "is not YAML"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_place(
    tmp_path: Path, content: bytes, place: str, text: str
) -> None:
    path = tmp_path / "sequin.yaml"
    path.write_bytes(content)
    with pytest.raises(ProjectError) as caught:
        OpenProject.open(tmp_path, TYPES)
    assert str(caught.value).startswith(str(path))
    assert place in str(caught.value)
    assert text == "hint" or text in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert path.read_bytes() == content


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "sequin.yaml"
    with path.open("wb") as file:
        file.truncate(MAX_YAML + 1)
    with pytest.raises(ProjectError, match="at most 2 MB"):
        OpenProject.open(tmp_path, TYPES)


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"# only\n", b"---\n", b"{}\n"])
def test_an_empty_file_is_an_empty_project(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "sequin.yaml").write_bytes(content)
    project = OpenProject.open(tmp_path, TYPES)
    assert project.project.sinks == ()
    project.apply({"op": "add_sink", "item": {"name": "s", "database": "d",
                   "destination": {"type": "kafka", "hosts": "h"}}})  # fmt: skip
    project.save()
    assert OpenProject.open(tmp_path, TYPES).project.sinks[0].name == "s"
    assert (tmp_path / "sequin.yaml").read_bytes().startswith(content.rstrip(b"{}\n"))


def test_tabs_inside_code_are_text(tmp_path: Path) -> None:
    (tmp_path / "sequin.yaml").write_text(
        "functions:\n  - name: f\n    type: transform\n    code: |\n      a\n      \tb\n"
    )
    assert OpenProject.open(tmp_path, TYPES).project.functions[0].code == "a\n\tb\n"
