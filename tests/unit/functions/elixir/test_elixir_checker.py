"""The server's rules: all problems of a text, each with its place and a way out."""

from __future__ import annotations

import pytest

from routestudio.functions.elixir import checking
from routestudio.model.function import Diagnostic, FunctionKind

HEAD = "def route(action, record, changes, metadata) do\n"


def check(body: str) -> list[Diagnostic]:
    return checking.check(f"{HEAD}{body}\nend\n", FunctionKind.ROUTING)


def places(found: list[Diagnostic]) -> list[tuple[int, int, str]]:
    return [(item.line, item.column, item.code) for item in found]


def test_a_good_function_has_no_problems() -> None:
    assert check('%{topic: "a.#{metadata.table_name}"}') == []


def test_all_problems_are_reported_with_their_places() -> None:
    found = check('a = !record["x"]\nb = Float.round(1.0, 2)\nunless a, do: nope')
    assert places(found) == [
        (2, 5, "forbidden_function"), (3, 11, "forbidden_module"), (4, 1, "forbidden_function"),
        (4, 15, "compile"),
    ]  # fmt: skip
    assert found[0].message == "Forbidden function: !"
    assert found[1].message == "Forbidden function: Elixir.Float.round"
    assert "is_nil" in (found[0].hint or "")


def test_columns_count_characters_and_tabs_are_one() -> None:
    found = check('"é😀" <> inspect(1)\n\tnope')
    assert places(found) == [(2, 9, "forbidden_function"), (3, 2, "compile")]


def test_the_range_of_a_problem() -> None:
    (found,) = check('metadata.table_name <> recrod["x"]')
    assert (found.column, found.end_column) == (24, 30)
    assert found.hint == "did you mean `record`?"


@pytest.mark.parametrize(
    ("body", "line", "column"),
    [
        ("Map.take(record, [1],)", 2, 22),
        ("[1, 2", 3, 1),
        ('"abc', 2, 1),
        ('"#{1 + }"', 2, 8),
        ("x = = 1", 2, 5),
        ("a\n, b", 3, 1),
        ("%{1, 2}", 2, 4),
        ("{a: 1}", 2, 2),
        ("1 2", 2, 3),
        ("fn x end", 2, 1),
        ("x.", 3, 1),
        ("a:b", 2, 1),
        ("1x", 2, 1),
        ("“a”", 2, 1),
    ],
)
def test_a_syntax_error_has_its_place(body: str, line: int, column: int) -> None:
    found = check(body)[0]
    assert (found.code, found.line, found.column) == ("parse", line, column)


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ('record["n"] in 18..65', "there are no ranges"),
        ('case record["x"] do\n  ^y -> y\nend', "guard"),
        ('"user." <> rest = record["t"]', "replace_prefix"),
        ("record.id", 'record["id"]'),
        ('ts = record["t"]\nts.year', "Map.get(ts, :year)"),
        ('%{record | "a" => 1}', "Map.put"),
        ("recrod = 1\nrecrd", "did you mean"),
        ("null", "nil"),
        ("Enum.flat_mpa([1], fn x -> x end)", "Enum.flat_map"),
        ("Integer.is_even(2)", "rem(x, 2) == 0"),
        ("if a then b", "do"),
        ('raise "x"', "return a value"),
    ],
)
def test_hints_say_what_to_write(body: str, hint: str) -> None:
    assert any(hint in (item.hint or "") for item in check(body))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("Enum.flatten([1])", "there is no Enum.flatten/1"),
        ("Map.get(%{})", "there is no Map.get/1"),
        ("Integer.is_even(2)", "there is no Integer.is_even/1"),
        ("&apply/3", "not evaluated here: &apply/3"),
        ("Regex.recompile!(~r/a/)", "not evaluated here: Regex.recompile!/1"),
    ],
)
def test_what_a_server_accepts_is_a_warning_at_most(body: str, text: str) -> None:
    (found,) = check(body)
    assert (found.severity, found.message) == ("warning", text)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("(x = 5) + x", "undefined variable `x`"),
        ("if true, do: (y = 1)\ny", "undefined variable `y`"),
        ("_", "invalid use of _"),
        ("case 1 do\n  x when String.length(x) > 1 -> x\nend", "inside a guard"),
        ("&(&2)", "&2 cannot be defined without &1"),
        ("Enum.map([1], &(&1 |> Enum.map(&(&1))))", "nested captures"),
        ("&1", "must be used within the capture operator"),
        ("~D[2024-13-01]", "cannot parse"),
        ("~r/(/", "missing"),
        ("%Date{year: 1}", "keys must also be given"),
        ("1 |> 2", "cannot pipe"),
        ("changes(1)", "undefined function changes/1"),
        ("cond do\nend", "expected -> clauses for :do"),
        ("case 1, do: 2", "expected -> clauses for :do"),
        ("with 1 <- 1 do 1 else 5 end", "expected -> clauses for :else"),
        ('"a" |> nope', "undefined function nope/1"),
    ],
)
def test_what_does_not_compile(body: str, text: str) -> None:
    found = check(body)
    assert [item.code for item in found] == ["compile"]
    assert text in found[0].message


def test_names_that_stay_visible() -> None:
    body = (
        'a = 1\nif (b = a) do\n  b\nend\nc = fn record -> record["x"] end\n'
        "with {:ok, d} <- {:ok, b}, e = d do\n  [d, e, c]\nend"
    )
    assert check(body) == []


def test_a_problem_of_brackets_comes_first_as_on_a_server() -> None:
    found = check("if record do\n  1 then 2 end\nend\nend")
    assert [item.code for item in found] == ["parse", "parse"]
    assert found[0].message == "unexpected reserved word: end"
    assert found[0].line == 5
    assert "then" in found[1].message


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x" * 10_001, "too_long"),
        ("é" * 5_001, "too_long"),
        ("", "toplevel"),
        ("# only a comment", "toplevel"),
        ("defp route(action, record, changes, metadata), do: 1", "toplevel"),
        ("def other(action, record, changes, metadata), do: 1", "toplevel"),
        ("def route(action, record, metadata), do: 1", "arguments"),
        ("def route(action, record, changes, metadata) do\n" + "[" * 4_000, "parse"),
        ("def route(a", "parse"),
        ("\0", "parse"),
        ("def route(action, record, changes, metadata), do: " + "9" * 5_000, "parse"),
    ],
)
def test_the_outside(code: str, expected: str) -> None:
    found = checking.check(code, FunctionKind.ROUTING)
    assert found[0].code == expected
    assert found[0].severity == "error"


DEEP = [
    "- " * 4_000 + "1",
    "1" + " + 1" * 2_400,
    "(" * 4_000 + ")" * 4_000,
    "[" * 150 + "]" * 150,
    "if 1, do: " * 800 + "1",
    "fn -> " * 150 + "1" + " end" * 150,
    '"#{' * 180 + "1" + '}"' * 180,
    "with 1 <- 1, do: " * 40 + "1",
]


@pytest.mark.parametrize("body", DEEP)
def test_deep_nesting_is_a_diagnostic_not_a_crash(body: str) -> None:
    for item in check(body):
        assert item.severity == "error"
        assert "deep" in item.message


@pytest.mark.parametrize(
    "body",
    ["cond 'hi'", "cond [1, 2]", "case 1, 'hi'", "with 'hi'", "with x <- 1, 'hi'", "if 1, 'hi'",
     "unless 1, [1]", "for x <- [1], 'hi'", "with [{1}]", "cond do: 'hi'", "case 1, do: [1]"],
)  # fmt: skip
def test_a_list_in_the_place_of_a_block_is_a_problem(body: str) -> None:
    """`cond'hi'` is what stands there while somebody types."""
    assert check(f"x = 1\n{body}")
