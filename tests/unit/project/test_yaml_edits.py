"""What an edit changes in a file: its own lines, and nothing that somebody wrote beside them."""

from __future__ import annotations

import difflib
from collections.abc import Callable

import pytest

from routestudio.project.document import YamlDocument

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


def test_what_stands_before_the_document_stays_when_all_is_written() -> None:
    """The last resort writes the whole document, from `---` on."""
    head = "%YAML 1.1\n# about this file\n---\n"
    document = YamlDocument(f"{head}a: &x 1\nb: &x 2   # again\nc: *x\n")
    document.set(("b",), 3)
    assert document.text.startswith(head)
    assert document.plain() == {"a": 1, "b": 3, "c": 2}
    assert "# again" in document.text
