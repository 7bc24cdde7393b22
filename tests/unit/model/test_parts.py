"""Outcomes, projects and origins of columns: what they say of themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from routestudio.model import column_origins, outcome
from routestudio.model.fields import Headers, RuleError, Secret
from routestudio.model.function import FunctionKind
from routestudio.model.message import MessageError, message_from
from routestudio.model.project import Project, SinkSpec, Table


def test_what_an_outcome_means() -> None:
    back = outcome.kept_back("waits", "for another")
    assert (back.status, back.unsent, back.unreachable) == ("retry", True, False)
    away = outcome.unreachable("connect", "refused")
    assert (away.status, away.unsent, away.unreachable) == ("retry", False, True)
    known = outcome.duplicate("duplicate", "it has this id", held=True)
    assert (known.status, known.held) == ("duplicate", True)


def test_what_a_project_says_of_its_parts() -> None:
    given = {"routestudio": {"confine": {"topic": "orders", "key": 5}}}
    assert SinkSpec("s", "kafka", "kafka", annotations=given).confine == {"topic": "orders"}
    tables = (Table("public.a", ("id",)), Table("public.b", columns={"n": "int4"}))
    project = Project(Path(), Path("sequin.yaml"), tables=tables,
                      database_entries={"shop": {}, "log": {}})  # fmt: skip
    assert project.databases == ("shop", "log")
    assert project.table_keys == {"public.a": ("id",)}
    assert project.table_types == {"public.b": {"n": "int4"}}


def test_what_a_function_defines() -> None:
    found = {kind.value: kind.entry_point for kind in FunctionKind}
    assert found == {"routing": "route", "filter": "filter", "transform": "transform",
                     "path": None, "enrichment": None}  # fmt: skip


def test_who_says_the_types_of_columns() -> None:
    message = message_from({
        "action": "update", "record": {"id": 1, "since": "2024-05-06", "gone": None, "void": None},
        "changes": {"gone": "2024-05-06", "since": "x"}, "types": {"id": "int8"},
    })  # fmt: skip
    assert column_origins.types_of(message) == {
        "id": ("int8", "row"), "since": ("date", "guess"), "gone": ("date", "guess"),
    }  # fmt: skip
    assert column_origins.type_of(message, "nothing") == (None, "unknown")
    guesses = column_origins.unsure(replace(message, record={"n": "1.10"}))
    assert guesses == {"n": "numeric"}
    assert column_origins.settled(message, guesses).types == {"id": "int8", "n": "numeric"}
    assert column_origins.as_text(guesses) == {"n": "text"}
    assert message.as_row()["types"] == {"id": "int8"}


def test_a_value_that_is_nested_too_deeply_to_be_written_is_still_a_message() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    message = message_from({"action": "insert", "record": {"a": deep}}, index=3)
    assert message.position == "row 3:"
    with pytest.raises(MessageError, match="a key is nested too deeply"):
        message_from({"action": "insert", "record": {"id": deep}})


@pytest.mark.parametrize("part", ["consumer", "database"])
def test_a_part_of_the_metadata_that_is_no_map_is_refused(part: str) -> None:
    with pytest.raises(MessageError, match=rf"metadata\.{part}"):
        message_from({"action": "insert", "record": {}, "metadata": {part: 5}})


def test_a_sample_of_a_secret_is_the_secret() -> None:
    assert Secret().sample("hush") == "hush"


def test_too_many_headers_are_refused() -> None:
    with pytest.raises(RuleError, match="at most 1 entries"):
        Headers(max_entries=1).cast({"a": "1", "b": "2"})


def test_numbers_and_texts_of_a_kind_of_their_own_are_metadata() -> None:
    class Name(str):
        __slots__ = ()

    class Number(int):
        pass

    given = {"table_name": Name("orders"), "commit_lsn": Number(5), "commit_idx": 0}
    message = message_from({"action": "insert", "record": {}, "metadata": given}, position="p")
    assert (message.metadata["table_name"], message.metadata["commit_lsn"]) == ("orders", 5)
    assert "types" not in message.as_row()
