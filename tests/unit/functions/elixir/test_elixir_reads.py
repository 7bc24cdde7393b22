"""A worker is sent only what an Elixir function reads."""

from __future__ import annotations

import pytest

from routestudio.functions.analysis.reading import analyse
from routestudio.functions.elixir.program import compile_function
from routestudio.functions.projection import project, rows
from routestudio.model.analysis import WHOLE, Reads
from routestudio.model.function import Function, FunctionKind, Language
from routestudio.model.message import message_from

HEAD = "def transform(action, record, changes, metadata) do\n"


def of(body: str) -> Reads:
    code = f"{HEAD}{body}\nend"
    return analyse(Function("f", FunctionKind.TRANSFORM, Language.ELIXIR, code)).reach


ALL = frozenset({"record", "changes", "metadata"})


@pytest.mark.parametrize(
    ("body", "record", "changes", "metadata"),
    [
        ('record["a"]', ("a",), (), ()),
        ('"#{record["a"]["z"]}-#{metadata.table_name}"', ("a",), (), ("table_name",)),
        ('if is_nil(changes), do: 1, else: changes["a"]', (), ("a",), ()),
        ("metadata.consumer.name", (), (), ("consumer",)),
        ('fn _ -> record["b"] || record["a"] end', ("a", "b"), (), ()),
        ("Map.keys(record)", None, (), ()),
        ('%{"a" => x} = record\nx', None, (), ()),
        ("record[:a]", None, (), ()),
        ("record[action]", None, (), ()),
        ('r = record\nr["a"]', None, (), ()),
        ('(changes || %{})["a"]', (), None, ()),
        ("metadata[:table_name]", (), (), None),
        ("metadata.nope", (), (), None),
        ("changes.a", (), None, ()),
        ('get_in(record, ["a"])', None, (), ()),
    ],
)
def test_what_is_read(
    body: str,
    record: tuple[str, ...] | None,
    changes: tuple[str, ...] | None,
    metadata: tuple[str, ...] | None,
) -> None:
    found = of(body)
    assert (found.record, found.changes, found.metadata) == (record, changes, metadata)


def test_parts_that_are_not_mentioned_are_not_sent() -> None:
    assert of("action").unread == ALL
    assert of('record["a"]').unread == ALL - {"record"}
    assert of("is_nil(changes)").unread == ALL - {"changes"}
    assert of("1 +") == WHOLE


BODIES = [
    'record["a"]', "is_nil(changes)", 'changes["b"]', "action",
    "metadata.commit_timestamp", "metadata.consumer.name",
    '[record["none"], record["at"], metadata.table_name]',
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
def test_the_results_are_those_of_the_whole_message(body: str) -> None:
    row = {
        "action": "update", "record": {"a": 1, "at": "2024-01-31", "z": [1]},
        "changes": {"b": None}, "metadata": {"table_name": "t", "record_pks": ["1"]},
    }  # fmt: skip
    messages = [message_from(row, index=0), message_from(
        {**row, "action": "insert", "changes": None}, index=1
    )]  # fmt: skip
    run = compile_function(f"{HEAD}{body}\nend", FunctionKind.TRANSFORM)

    def results(wanted: Reads) -> list[object]:
        parts = [rows(part, 2) for part in project(messages, wanted)]
        return [run(m.action, *given) for m, *given in zip(messages, *parts, strict=True)]

    assert results(of(body)) == results(WHOLE)
