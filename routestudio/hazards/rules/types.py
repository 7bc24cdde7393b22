"""Rules about the types of columns: what functions do with text that is a decimal, perhaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from routestudio.model import jsonio
from routestudio.model.column_types import TEXT
from routestudio.model.facts import Facts
from routestudio.model.function import Language
from routestudio.model.hazard import Finding
from routestudio.model.project import Severity
from routestudio.sinks.hazard_view import Outcome, Pair, SinkView, quote
from routestudio.sinks.hazards import rule

COLUMN_TYPE: Final = "column_type"
"""Code of a finding outside of the catalog of hazards: a function that fits one type only."""

_TYPED, _TEXT, _OTHER = "typed", "text", "other"
_HINT: Final = "name its type: `columns: {{{column}: {type}}}` of the table under `tables`"


@rule(COLUMN_TYPE)
def column_type(view: SinkView) -> Iterator[Finding]:
    """Functions that do not do the same for a column as text and as what it looks like.

    A type that nobody says is a guess; both are tried.
    """
    told: set[tuple[str, str]] = set()
    for pair in view.typings:
        guesses = _guesses(pair)
        for facts, verdict, text, severity in _verdicts(view, pair, guesses):
            column = _column(facts, guesses)
            if column is None or (facts.function.name, verdict) in told:
                continue
            told.add((facts.function.name, verdict))
            value = quote(pair.original.message.record.get(column))
            type_ = guesses[column]
            kind = f"`{column}` is {type_}"
            read = facts.first_read(column)
            yield view.at_code(
                COLUMN_TYPE,
                f"function `{facts.function.name}` {text.format(kind=kind, value=value)}",
                _HINT.format(column=column, type=type_ if verdict == _TEXT else f"{type_} or text"),
                facts, read.line if read else 1, read.column if read else 1, field=column,
                severity=severity,
            )  # fmt: skip


def _guesses(pair: Pair) -> dict[str, str]:
    """The columns whose type is a guess, with the guess."""
    typed, text = pair.original.message.types, pair.variant.message.types
    return {c: t for c, t in typed.items() if text.get(c) == TEXT and t != TEXT}


Verdict = tuple[Facts, str, str, Severity]


def _verdicts(view: SinkView, pair: Pair, guesses: dict[str, str]) -> Iterator[Verdict]:
    typed, text = pair.original, pair.variant
    at_typed, at_text = _failures(view, typed), _failures(view, text)
    for name, (facts, said) in at_typed.items():
        if name not in at_text:
            who = "a server then has no text such as {value}"
            if facts.function.language is Language.PYTHON:
                who = "rows whose format has types then have no text such as {value}"
            yield facts, _TYPED, f"fails where {{kind}} ({who}): {_safe(said)}", "warning"
    for name, (facts, said) in at_text.items():
        if name not in at_typed:
            yield (facts, _TEXT, f"works only where {{kind}}, which {{value}} is taken for; for "
                   f"text it fails: {_safe(said)}", "note")  # fmt: skip
    if at_typed or at_text:
        return
    found = _difference(typed, text)
    if found is not None:
        stage, said = found
        for facts in _first(view, stage, guesses):
            yield (facts, _OTHER, f"gives something else where {{kind}} than for the text "
                   f"{{value}}: {_safe(said)}", "warning")  # fmt: skip


def _failures(view: SinkView, outcome: Outcome) -> dict[str, tuple[Facts, str]]:
    """How functions failed, by their names."""
    by_name = {facts.function.name: facts for facts in view.functions}
    found: dict[str, tuple[Facts, str]] = {}
    for problem in outcome.problems:
        if problem.function in by_name and problem.code != "timeout":
            found.setdefault(problem.function or "", (by_name[problem.function], problem.message))
    return found


def _difference(typed: Outcome, text: Outcome) -> tuple[str, str] | None:
    """The first stage whose results differ, and how."""
    if typed.staged.filtered != text.staged.filtered:
        kept = ["drops" if item.staged.filtered else "keeps" for item in (typed, text)]
        return "filter", f"it {kept[0]} the message instead of what it does for text ({kept[1]})"
    for name in typed.values:
        one, other = typed.values.get(name), text.values.get(name)
        if one != other:
            return "routing", f"{name} is {quote(one)} instead of {quote(other)}"
    if _json(typed.payload) != _json(text.payload):
        return "transform", "the message is not the same"
    return None


def _first(view: SinkView, stage: str, guesses: dict[str, str]) -> Iterable[Facts]:
    facts = {"filter": view.filter, "routing": view.routing, "transform": view.transform}[stage]
    return () if facts is None else (facts,)


def _column(facts: Facts, guesses: dict[str, str]) -> str | None:
    """The guessed column that a function reads first."""
    read = facts.first_read(*guesses)
    return read.text if read is not None else next(iter(guesses), None)


def _json(value: Any) -> str:
    try:
        return jsonio.dumps(value)
    except (TypeError, ValueError):
        return repr(value)


def _safe(text: str) -> str:
    """Text of an error as a part of a format."""
    return " ".join(text.split())[:200].replace("{", "{{").replace("}", "}}")
