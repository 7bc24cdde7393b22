"""What an edit changes in a file: its own lines, and nothing that somebody wrote beside them."""

from __future__ import annotations

import difflib
from collections.abc import Callable

import pytest

from routestudio.errors import ProjectError
from routestudio.project.document import MAX_TEXT, YamlDocument
from routestudio.project.splicing import Change

TEXT = """\
# before the document
# in two lines
---
defaults: &kafka
  hosts: 'localhost:9092'   # shared
  tls: false
port: !!int 5   # tagged
mark: !secret   # only a tag
names: &names [a, b]   # anchored, and used nowhere
sinks:
  - name: orders
    rate: 1e3
    actions: [insert, update]   # no deletes
    destination:   # about it
      <<: *kafka   # merged
      type: kafka
      topic: orders    # the old name
  - name: spare
    destination: *kafka   # also
  - {name: flow, destination: {type: a, b: [1, 2], c: "x, y"}}  # in braces
more: [{name: one}, {name: two}]   # in brackets
code: |   # a literal
  first
  second
lonely:
  key: 1
# the end
"""

Edit = Callable[[YamlDocument], None]

CASES: list[tuple[str, Edit, str]] = [
    ("a tagged value", lambda d: d.set(("port",), 6), "-port: !!int 5   # tagged\n"
     "+port: 6   # tagged\n"),
    ("nothing but a tag", lambda d: d.set(("mark",), "x"), "-mark: !secret   # only a tag\n"
     "+mark: x   # only a tag\n"),
    ("an anchored value", lambda d: d.set(("names",), ["c"]),
     "-names: &names [a, b]   # anchored, and used nowhere\n"
     "+names: [c]   # anchored, and used nowhere\n"),
    ("an item's name", lambda d: d.set(("sinks", "orders", "name"), "bills"),
     "-  - name: orders\n+  - name: bills\n"),
    ("the key of an item's name", lambda d: d.exchange(("sinks", "orders", "name"), "title", "x"),
     "-  - name: orders\n+  - title: x\n"),
    ("an item's first key goes", lambda d: d.remove(("sinks", "orders", "name")),
     "-  - name: orders\n-    rate: 1e3\n+  - rate: 1e3\n"),
    ("a renamed key", lambda d: d.exchange(("sinks", "orders", "destination", "topic"), "t", "x"),
     "-      topic: orders    # the old name\n+      t: x   # the old name\n"),
    ("a list in brackets", lambda d: d.set(("sinks", "orders", "actions"), ["delete"]),
     "-    actions: [insert, update]   # no deletes\n+    actions: [delete]   # no deletes\n"),
    ("a scalar for a map", lambda d: d.set(("sinks", "orders", "destination"), "x"),
     "-    destination:   # about it\n-      <<: *kafka   # merged\n-      type: kafka\n"
     "-      topic: orders    # the old name\n+    destination: x   # about it\n"),
    ("a literal", lambda d: d.set(("code",), "third\nfourth\n"),
     "-  first\n-  second\n+  third\n+  fourth\n"),
    ("in braces", lambda d: d.set(("sinks", "flow", "destination", "b"), [3]),
     '-  - {name: flow, destination: {type: a, b: [1, 2], c: "x, y"}}  # in braces\n'
     '+  - {name: flow, destination: {type: a, b: [3], c: "x, y"}}  # in braces\n'),
    ("out of braces", lambda d: d.remove(("sinks", "flow", "destination", "c")),
     '-  - {name: flow, destination: {type: a, b: [1, 2], c: "x, y"}}  # in braces\n'
     "+  - {name: flow, destination: {type: a, b: [1, 2]}}  # in braces\n"),
    ("another key in braces",
     lambda d: d.exchange(("sinks", "flow", "destination", "type"), "kind", "z"),
     '-  - {name: flow, destination: {type: a, b: [1, 2], c: "x, y"}}  # in braces\n'
     '+  - {name: flow, destination: {kind: z, b: [1, 2], c: "x, y"}}  # in braces\n'),
    ("out of brackets", lambda d: d.remove(("more", "one")),
     "-more: [{name: one}, {name: two}]   # in brackets\n"
     "+more: [{name: two}]   # in brackets\n"),
    ("into brackets", lambda d: d.add_item(("more",), {"name": "three"}),
     "-more: [{name: one}, {name: two}]   # in brackets\n"
     "+more: [{name: one}, {name: two}, {name: three}]   # in brackets\n"),
    ("the only key", lambda d: d.remove(("lonely", "key")),
     "-lonely:\n-  key: 1\n+lonely: {}\n"),
    ("a value behind an alias", lambda d: d.set(("sinks", "spare", "destination", "tls"), True),
     "-    destination: *kafka   # also\n+    destination:   # also\n"
     "+      hosts: localhost:9092\n+      tls: true\n"),
    ("in the place of an alias", lambda d: d.exchange(("sinks", "spare", "destination"), "to", 1),
     "-    destination: *kafka   # also\n+    to: 1   # also\n"),
    ("a value that came by a merge", lambda d: d.remove(("sinks", "orders", "destination", "tls")),
     "-      <<: *kafka   # merged\n+      # merged\n+      hosts: localhost:9092\n"),
    ("a value that others share", lambda d: d.set(("defaults", "hosts"), "h:1"),
     "-defaults: &kafka\n-  hosts: 'localhost:9092'   # shared\n+defaults:\n"
     "+  hosts: h:1   # shared\n-      <<: *kafka   # merged\n+      # merged\n"
     "+      hosts: localhost:9092\n+      tls: false\n-    destination: *kafka   # also\n"
     "+    destination:   # also\n+      hosts: localhost:9092\n+      tls: false\n"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "wanted"), [case[1:] for case in CASES],
                         ids=[case[0] for case in CASES])  # fmt: skip
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_an_edit_changes_its_own_lines(edit: Edit, wanted: str, ends: str) -> None:
    document = YamlDocument(TEXT.replace("\n", ends))
    edit(document)
    assert document.text.count("\n") == document.text.count(ends)
    changed = document.text.replace("\r\n", "\n").splitlines(keepends=True)
    lines = difflib.unified_diff(TEXT.splitlines(keepends=True), changed, n=0)
    assert "".join(line for line in lines if line[:2] not in ("--", "++", "@@")) == wanted
    assert YamlDocument(document.text).plain() == document.plain()


def test_tabs_may_stand_around_a_value() -> None:
    document = YamlDocument("a:\tshop\t#\tabout it\nb: {c:\tx\t, d: y}\n")
    document.set(("a",), "---")
    document.set(("b", "c"), "z")
    assert document.text == "a:\t'---'\t#\tabout it\nb: {c:\tz\t, d: y}\n"


BELOW = "# above\nwho: x   # one\n\n  # under one\n  # and more\nlast: 1\n"
"""Comments that are indented under a key, whose value is one word, or nothing."""


@pytest.mark.parametrize("old", [" x", ""])
@pytest.mark.parametrize(
    ("edit", "wanted"),
    [
        (lambda d: d.set(("who",), "me"), "who: me   # one\n"),
        (lambda d: d.exchange(("who",), "by", "z"), "by: z   # one\n"),
        (lambda d: d.set(("who",), {"name": "y"}), "who:   # one\n  name: y\n"),
        (lambda d: d.set(("who",), [{"name": "y"}]), "who:   # one\n  - name: y\n"),
    ],
)
def test_comments_under_a_key_stay_when_its_value_changes(
    edit: Edit, wanted: str, old: str
) -> None:
    text = BELOW.replace("who: x", f"who:{old}")
    document = YamlDocument(text)
    edit(document)
    assert document.text == text.replace(f"who:{old}   # one\n", wanted)


def test_lines_of_a_value_that_look_like_comments_go_with_it() -> None:
    for value in ("|\n  # not a comment\n  b", '"a\n  # not a comment"'):
        document = YamlDocument(f"who: {value}\nlast: 1\n")
        document.exchange(("who",), "by", "z")
        assert document.text == "by: z\nlast: 1\n"


def test_a_long_text_is_refused_before_it_is_written() -> None:
    document = YamlDocument("functions:\n  - name: f\n    code: x   # note\n")
    before = document.text
    long = "x" * (MAX_TEXT + 1)
    edits: tuple[Callable[[], object], ...] = (
        lambda: document.set(("functions", "f", "code"), long),
        lambda: document.set(("functions", "f"), {"name": "f", "more": [{"deep": long}]}),
        lambda: document.add_item(("functions",), {"name": "g", "code": long}),
        lambda: document.exchange(("functions", "f", "code"), "text", long),
        lambda: document.change_all([Change(("a",), 1), Change(("b",), long)]),
    )
    for edit in edits:
        with pytest.raises(ProjectError, match="250,001 characters is too long for a value"):
            edit()
        assert document.text == before


@pytest.mark.parametrize("code", ["[" * 9_000, "{" * 200 + "\n", "x = '" + "[" * 160 + "'"])
def test_brackets_in_a_text_are_not_depth(code: str) -> None:
    document = YamlDocument("functions:\n  - name: f\n    code: x   # note\n")
    document.set(("functions", "f", "code"), code)
    assert YamlDocument(document.text).plain(("functions", "f", "code")) == code


def test_brackets_of_the_file_are() -> None:
    YamlDocument("a: 1\nb: " + "[" * 150 + "]" * 150)
    with pytest.raises(ProjectError, match="line 2: is nested too deeply"):
        YamlDocument("a: 1\nb: " + "[" * 151 + "]" * 151)


def test_what_stands_before_the_document_stays_when_all_is_written() -> None:
    """The last resort writes the whole document, from `---` on."""
    head = "%YAML 1.1\n# about this file\n---\n"
    document = YamlDocument(f"{head}a: &x 1\nb: &x 2   # again\nc: *x\n")
    document.set(("b",), 3)
    assert document.text.startswith(head)
    assert document.plain() == {"a": 1, "b": 3, "c": 2}
    assert "# again" in document.text
