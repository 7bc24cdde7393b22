"""Regular expressions are measured before anything compiles them, and refused in PCRE's words."""

from __future__ import annotations

import tracemalloc

import pytest

from routestudio.functions.elixir import checking
from routestudio.functions.elixir.errors import NotEvaluated
from routestudio.functions.elixir.pcre import Pattern
from routestudio.functions.elixir.pcre_pieces import PatternError
from routestudio.model.function import FunctionKind

LARGE = "regular expression is too large"

# What `re:compile/1` of OTP 28 answers. None: it is accepted.
ANSWERS = {
    "a{65535}": None,
    "a{65536}": ("number too big in {} quantifier", 7),
    "a{3,2}": ("numbers out of order in {} quantifier", 5),
    "(?:a{250}){250}": None,
    "(a{1,100}){1,5000}": (LARGE, 0),
    "(?:a){8191}": None,
    "(?:a){8192}": (LARGE, 0),
    "(?:abc){5460}": None,
    "(?:abc){5461}": (LARGE, 0),
    "(?:[ab]){1500}": None,
    "(?:[ab]){1800}": (LARGE, 0),
    "(?:a?){6000}": None,
    "(?:a?){60000}": (LARGE, 0),
    "(?<n": ("syntax error in subpattern name (missing terminator?)", 4),
    "(?'a": ("syntax error in subpattern name (missing terminator?)", 4),
    "(?P<a": ("syntax error in subpattern name (missing terminator?)", 5),
    "(?#abc": ("missing ) after (?# comment", 6),
    "(?(1": ("missing closing parenthesis for condition", 4),
    r"\c": (r"\c at end of pattern", 2),
    r"\Qabc": None,
    "[abc": ("missing terminating ] for character class", 4),
}


@pytest.mark.parametrize(("pattern", "answer"), ANSWERS.items(), ids=list(ANSWERS))
def test_patterns_are_refused_as_on_a_server(pattern: str, answer: tuple[str, int] | None) -> None:
    if answer is None:
        assert Pattern(pattern, frozenset()).compiled is not None
        return
    with pytest.raises(PatternError) as caught:
        Pattern(pattern, frozenset())
    assert (str(caught.value), caught.value.position) == answer


@pytest.mark.parametrize(
    "pattern",
    ["((a{999}){999}){999}", "(?:a{9,}){65000}", "a{60000}" * 5, r"(?:\Qabcdef\E){65000}",
     "(?:(?:(?:b{99}c){99}d){99}e){99}", "(?:[a-z]{60000}x){60000}"],
)  # fmt: skip
def test_large_patterns_reach_no_compiler(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a guard stands between such a pattern and all memory: nothing may compile it."""
    monkeypatch.setattr("routestudio.functions.elixir.pcre.regex.compile", _never)
    tracemalloc.start()
    try:
        with pytest.raises((PatternError, NotEvaluated)):
            Pattern(pattern, frozenset())
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def _never(*_: object) -> object:
    raise AssertionError("it was compiled")


@pytest.mark.parametrize("size", range(1, 34))
def test_a_name_may_be_typed(size: int) -> None:
    """Each beginning of a pattern is answered: a text is checked while somebody types it."""
    pattern = "(?<year>[0-9]{4})-\\x{e9}(?#c)(?(1)a)"[:size]
    code = f"def route(action, record, changes, metadata) do\n  ~r|{pattern}|\nend"
    assert isinstance(checking.check(code, FunctionKind.ROUTING), list)


def test_the_check_of_a_large_literal_names_its_place() -> None:
    code = "def route(action, record, changes, metadata) do\n  x = ~r/(a{1,99}){9999}/\nend"
    errors = [item for item in checking.check(code, FunctionKind.ROUTING)
              if item.severity == "error"]  # fmt: skip
    (found,) = errors
    assert (found.line, found.message) == (2, f"{LARGE} at position 0")


def test_what_only_we_refuse_is_a_warning() -> None:
    code = "def route(action, record, changes, metadata) do\n  x = ~r/(a{999}){999}/\nend"
    (found,) = [item for item in checking.check(code, FunctionKind.ROUTING)
                if "regular" in item.message]  # fmt: skip
    assert (found.severity, found.code, found.line) == ("warning", "not_evaluated", 2)
