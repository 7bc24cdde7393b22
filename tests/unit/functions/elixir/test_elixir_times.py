"""Times of JSON samples are times for a function in Elixir, as on a server."""

from __future__ import annotations

import pytest

from routestudio.functions.elixir.incoming import timed, values_of
from routestudio.functions.elixir.inspecting import inspect
from routestudio.functions.elixir.program import compile_function
from routestudio.model.function import FunctionKind


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2024-10-28T21:37:01.127470Z", "~U[2024-10-28 21:37:01.127470Z]"),
        ("2024-10-28T21:37:01Z", "~U[2024-10-28 21:37:01.000000Z]"),
        ("2024-10-28T21:37:01+02:00", "~U[2024-10-28 19:37:01.000000Z]"),
        ("2024-10-28T21:37:01.5", "~N[2024-10-28 21:37:01.500000]"),
        ("2024-10-28", "~D[2024-10-28]"),
        ("2024-02-30", '"2024-02-30"'),
        ("2024-10-28T25:00:00Z", '"2024-10-28T25:00:00Z"'),
        ("2024-10-28 21:37:01", '"2024-10-28 21:37:01"'),
        ("2024-10-28T21:37Z", '"2024-10-28T21:37Z"'),
        ("199.99", '"199.99"'),
        ("", '""'),
    ],
)
def test_texts_that_are_times(text: str, shown: str) -> None:
    assert inspect(timed(text)) == shown


def test_only_columns_are_restored_and_the_row_is_not_changed() -> None:
    row = {"at": "2024-10-28", "json": {"at": "2024-10-28"}, "list": ["2024-10-28"], "n": 1}
    found = values_of(row)
    assert inspect(found["at"]) == "~D[2024-10-28]"
    assert (found["json"], found["list"]) == ({"at": "2024-10-28"}, ["2024-10-28"])
    assert row["at"] == "2024-10-28"
    same = {"a": "b", "c": "0123-56-89"}
    assert values_of(same) is same


def test_functions_see_times_and_deliver_text() -> None:
    code = """def transform(action, record, changes, metadata) do
      %{
        unix: DateTime.to_unix(record["at"]), old: changes["at"], all: record["at"],
        commit: DateTime.to_date(metadata.commit_timestamp), text: "#{record["at"]}"
      }
    end"""
    run = compile_function(code, FunctionKind.TRANSFORM)
    row = {"at": "2024-01-01T00:00:00Z"}
    assert run("update", row, {"at": None}, {"commit_timestamp": "2024-05-01T08:00:00.5Z"}) == {
        "unix": 1704067200, "old": None, "all": "2024-01-01T00:00:00.000000Z",
        "commit": "2024-05-01", "text": "2024-01-01 00:00:00.000000Z",
    }  # fmt: skip
