"""Edits of a YAML file: the data is what a plain dict would say, the rest of the text stays."""

from __future__ import annotations

import copy
import difflib
from typing import Any

import pytest
from hypothesis import assume, event, example, given, settings
from hypothesis import strategies as st

from routestudio.errors import ProjectError
from routestudio.project.document import YamlDocument
from routestudio.project.yamldata import same

TEXT = """\
# A project: comments, anchors, quotes and odd spacing stay.
defaults: &kafka
  hosts: 'localhost:9092'   # shared by two sinks
  tls: false

databases:
  - name: shop
    hostname: "db.example"   # quoted
    port: 5432

functions:
  # What goes where.
  - name: by-region
    type: routing
    sink_type: kafka
    code: |
      def route(action, record, changes, metadata) do
        %{topic: record["region"]}   # not a comment of YAML
      end

  - {name: flow, type: path, path: record.id}

sinks:
  - name: orders
    database: shop
    actions: [insert, update]   # no deletes
    destination:
      <<: *kafka
      type: kafka
      topic: orders    # the old name

  # Second sink.
  - name: cache
    database: shop
    unknown_key: kept
    destination:
      type: redis_string
      host: >-
        redis.example
      port: 6379
  - name: spare
    destination: *kafka
empty:
"""

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(
        st.characters(exclude_categories=("Cs",), exclude_characters="\r\x85\u2028\u2029"),  # type: ignore[arg-type]
        max_size=30,
    ),
    st.sampled_from(
        ["yes", "null", "~", "1", "0x1", "1e3", "# no", "a: b", "- x", "${VAR}", "a\nb\n", " lead",
         "trail ", "&a", "*a", "!x", "{", "[", "'", '"', "|", "---", "...", "2024-01-01", "<<",
         "a #b", "def f:\n\tpass\n", "\n", "x\n\n\n", "  two\nlines", ""]
    ),
)  # fmt: skip
DEEP = VALUES | st.lists(VALUES, max_size=3) | st.dictionaries(
    st.sampled_from(["a", "b-c", "x y", "1", "yes"]), VALUES, max_size=3
)  # fmt: skip
PATHS = st.sampled_from(
    [
        ("defaults", "hosts"), ("defaults", "tls"), ("databases", "shop", "port"),
        ("databases", "shop", "slot", "name"), ("functions", "by-region", "code"),
        ("functions", "by-region", "path"), ("functions", "flow", "path"),
        ("sinks", "orders", "actions"), ("sinks", "orders", "destination", "hosts"),
        ("sinks", "orders", "destination", "topic"), ("sinks", "orders", "destination", "tls"),
        ("sinks", "orders", "destination", "new"), ("sinks", "cache", "destination", "host"),
        ("sinks", "cache", "destination", "port"), ("sinks", "cache", "batch_size"),
        ("sinks", "spare", "destination", "hosts"), ("sinks", "spare", "destination"),
        ("empty",), ("empty", "a"), ("new",), ("new", "deep", "er"),
    ]
)  # fmt: skip
EDITS = st.one_of(
    st.tuples(st.just("set"), PATHS, DEEP),
    st.tuples(st.just("remove"), PATHS | st.sampled_from(
        [("sinks", "orders"), ("sinks", "cache"), ("sinks", "spare"), ("functions", "flow"),
         ("functions", "by-region"), ("databases",)]), st.none()),
    st.tuples(st.just("add"), st.sampled_from([("sinks",), ("functions",), ("databases",),
                                               ("http_endpoints",), ("empty",)]), DEEP),
)  # fmt: skip


def _at(data: Any, key: str) -> Any:
    return next(i for i in data if i["name"] == key) if isinstance(data, list) else data[key]


def _model(data: Any, edit: tuple[str, tuple[str, ...], Any], number: int) -> bool:
    """The same edit on plain data; `False` when it makes no sense there."""
    kind, path, value = edit
    node = data
    for key in path[:-1]:
        if isinstance(node, list):
            if not any(item["name"] == key for item in node):
                return False
            node = _at(node, key)
        elif isinstance(node.get(key), (dict, list)):
            node = node[key]
        elif kind == "set":
            node[key] = {}
            node = node[key]
        else:
            return True
    if kind == "add":
        if not isinstance(node.get(path[-1]), list):
            node[path[-1]] = []
        node[path[-1]].append({"name": f"n{number}", "value": value})
    elif kind == "set":
        if isinstance(node, list):
            return False
        node[path[-1]] = value
    elif isinstance(node, list):
        node[:] = [item for item in node if item["name"] != path[-1]]
    else:
        node.pop(path[-1], None)
    return True


def _apply(document: YamlDocument, edit: tuple[str, tuple[str, ...], Any], number: int) -> None:
    kind, path, value = edit
    if kind == "set":
        document.set(path, value)
    elif kind == "remove":
        document.remove(path)
    else:
        document.add_item(path, {"name": f"n{number}", "value": value})


@pytest.mark.slow
@settings(max_examples=60)
@given(
    form=st.sampled_from(["plain", "crlf", "bom", "no final line end"]),
    edits=st.lists(EDITS, min_size=1, max_size=4),
)
@example(form="plain", edits=[("set", ("sinks", "spare", "destination", "hosts"), "mine")])
@example(form="plain", edits=[("remove", ("sinks", "orders"), None), ("add", ("sinks",), 1)])
@example(form="plain", edits=[("set", ("sinks", "cache", "batch_size"), 1),
                ("set", ("sinks", "cache", "batch_size"), True)])  # fmt: skip
def test_edits_say_what_the_same_edits_of_a_dict_say(
    form: str, edits: list[tuple[str, tuple[str, ...], Any]]
) -> None:
    text = {
        "plain": TEXT, "crlf": TEXT.replace("\n", "\r\n"), "bom": "\ufeff" + TEXT,
        "no final line end": TEXT.rstrip("\n"),
    }[form]  # fmt: skip
    document = YamlDocument(text)
    wanted = copy.deepcopy(document.plain())
    for number, edit in enumerate(edits):
        trial = copy.deepcopy(wanted)
        if not _model(trial, edit, number):
            continue
        _apply(document, edit, number)
        wanted = trial
        assert same(document.plain(), wanted)
        assert same(YamlDocument(document.text).plain(), wanted)
    assert document.text.startswith("\ufeff") == (form == "bom")
    if form == "crlf":
        assert document.text.count("\n") == document.text.count("\r\n")


LOCAL = st.sampled_from(
    [
        ("databases", "shop", "port"), ("databases", "shop", "hostname"),
        ("functions", "by-region", "type"), ("sinks", "orders", "destination", "topic"),
        ("sinks", "orders", "destination", "hosts"), ("sinks", "cache", "batch_size"),
        ("sinks", "cache", "destination", "port"), ("sinks", "cache", "destination", "host"),
        ("sinks", "orders", "database"), ("empty",),
    ]
)  # fmt: skip


@pytest.mark.slow
@given(path=LOCAL, value=VALUES)
def test_setting_a_value_changes_only_its_lines(path: tuple[str, ...], value: Any) -> None:
    document = YamlDocument(TEXT)
    document.set(path, value)
    old, new = TEXT.splitlines(keepends=True), document.text.splitlines(keepends=True)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    changed = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    assert len(changed) <= 1
    for _, start, end, _, _ in changed:
        assert end - start <= 2
        assert all("#" not in line or line.split("#")[1] in document.text
                   for line in old[start:end])  # fmt: skip


@given(st.lists(st.sampled_from(
    ["a", "b", ":", ": ", "\n", "  ", "- ", "[", "]", "{", "}", ",", "&x ", "*x", "<<", "!!", "!t ",
     "? ", "| ", ">", '"', "'", "#", "\t", "%YAML 1.1\n", "---\n", "...\n", "int ", "set ", "omap ",
     "timestamp ", "binary ", "float ", "bool ", "1", "0x", ".", "e9", "\x00", "\r", "\ufeff",
     "\u2028", "name", "sinks:\n", "null", "~", "=", "2024-13-45", "\\"]),
    max_size=25).map("".join))  # fmt: skip
def test_any_text_is_read_or_refused_with_its_place(text: str) -> None:
    read = _read(text)
    event(type(read).__name__)
    if isinstance(read, ProjectError):
        assert str(read).startswith("some.yaml: ")
    else:
        assert read.text == text
        assert isinstance(read.plain(), dict)
        assert read.position(("sinks", "a", "b")) >= (1, 1)


def _read(text: str) -> YamlDocument | ProjectError:
    try:
        return YamlDocument(text, name="some.yaml")
    except ProjectError as error:
        return error


@pytest.mark.slow
@given(st.text(max_size=60))
@example("\x1f\n")
@example("\n\x07")
@example("a\n\n\n")
@example("...\n")
@example("a\r\nb")
def test_any_code_is_kept_exactly(code: str) -> None:
    assume(not any(0xD800 <= ord(c) < 0xE000 for c in code))
    document = YamlDocument(TEXT)
    document.set(("functions", "by-region", "code"), code)
    assert document.plain(("functions", "by-region", "code")) == code
    assert YamlDocument(document.text).plain(("functions", "by-region", "code")) == code


def test_a_reference_is_written_as_people_write_it() -> None:
    document = YamlDocument("sinks:\n  - name: a\n    key: old   # note\n")
    document.set(("sinks", "a", "key"), "https://${USER}@h/x?y=1")
    assert document.text.endswith("    key: https://${USER}@h/x?y=1   # note\n")
    document.set(("sinks", "a", "key"), "${KEY}")
    assert document.text.endswith("    key: ${KEY}   # note\n")
