"""The examples of every row format give what they say; formats are described in full.

The examples are what the documentation shows, so they are run here: named and recognised, as bytes
and decoded.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from routestudio.formats import registry
from routestudio.formats.base import Example, Format, Raw
from routestudio.formats.reader import TOMBSTONE, RowReader
from routestudio.model.message import Message, text_of

PARTS = {"action", "record", "changes", "metadata", "key"}

FORMATS = [pytest.param(kind, id=key) for key, kind in registry.formats().items()]


EXAMPLES = [
    pytest.param(kind, example, id=f"{key}: {example.title}")
    for key, kind in registry.formats().items()
    for example in kind.examples
]


NAMED = [
    pytest.param(
        kind, example, named, id=f"{key}: {example.title}, {'named' if named else 'recognised'}"
    )
    for key, kind in registry.formats().items()
    for example in kind.examples
    for named in (True, False)
    if named or not example.named
]
"""With the format named, and without: but where an example has to be named."""


def raw_of(example: Example, *, encoded: bool) -> Raw:
    def shaped(part: Any) -> Any:
        if not encoded or part is None or isinstance(part, bytes):
            return part
        return json.dumps(part, ensure_ascii=False).encode()

    return Raw(shaped(example.value), shaped(example.key), example.headers, example.topic,
               position="here:1", place="here:1", line=1)  # fmt: skip


def parts_of(message: Message, wanted: dict[str, Any]) -> dict[str, Any]:
    """What is compared of a message: the parts that the example states, and no others."""
    found: dict[str, Any] = {
        "action": message.action, "record": message.record, "changes": message.changes,
        "metadata": {k: message.metadata.get(k) for k in wanted.get("metadata", {})},
    }  # fmt: skip
    if "key" in wanted:
        found["key"] = dict(zip(message.key_columns or (), message.record_pks, strict=True))
    return {part: found[part] for part in wanted}


def stated(wanted: dict[str, Any]) -> dict[str, Any]:
    """The example's parts, with the key's values as the text that `record_pks` has."""
    if "key" not in wanted:
        return wanted
    return {**wanted, "key": {column: text_of(value) for column, value in wanted["key"].items()}}


def exact(value: Any) -> str:
    """JSON text: `==` takes true for 1 and 1.0 for 1."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=repr)


@pytest.mark.parametrize("encoded", [True, False], ids=["bytes", "decoded"])
@pytest.mark.parametrize(("kind", "example", "named"), NAMED)
def test_an_example_gives_what_it_says(
    kind: type[Format], example: Example, named: bool, encoded: bool
) -> None:
    reader = RowReader(envelope=kind.key if named else registry.AUTO)
    rows = reader.read(raw_of(example, encoded=encoded))
    if isinstance(example.gives, str):
        assert (rows, dict(reader.passed_over)) == ([], {example.gives: 1})
        return
    for row in rows:
        assert isinstance(row, Message), row
        assert row.format == kind.key
    messages = [row for row in rows if isinstance(row, Message)]
    wanted = [dict(item) for item in example.gives]
    assert exact([parts_of(m, w) for m, w in zip(messages, wanted, strict=True)]) == exact(
        [stated(w) for w in wanted]
    )
    assert len({m.position for m in messages}) == len(messages)
    assert len({m.metadata["idempotency_key"] for m in messages}) == len(messages)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_format_is_described_in_full(kind: type[Format]) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", kind.key)
    assert kind.title
    for text in (kind.about, kind.facts, *kind.unknowable, *kind.setup, *kind.options.values(),
                 *kind.passes_over.values()):  # fmt: skip
        assert text == text.strip()
        assert text
    assert kind.examples
    titles = [example.title for example in kind.examples]
    assert len(set(titles)) == len(titles)
    for example in kind.examples:
        if not isinstance(example.gives, str):
            assert example.gives, example.title
            assert all({"action"} <= part.keys() <= PARTS for part in example.gives)


@pytest.mark.parametrize("kind", FORMATS)
def test_every_kind_that_is_passed_over_has_an_example_and_a_description(
    kind: type[Format],
) -> None:
    shown = {example.gives for example in kind.examples if isinstance(example.gives, str)}
    assert shown - {TOMBSTONE} == set(kind.passes_over) - {TOMBSTONE}
