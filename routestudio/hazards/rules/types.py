"""Rules about the types of columns: what functions do with text that is a decimal, perhaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from routestudio.model import jsonio
from routestudio.model.analysis import Analysis
from routestudio.model.column_types import TEXT
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
        for known, verdict, text, severity in _verdicts(view, pair, guesses):
            column = _column(known, guesses)
            if column is None or (known.function.name, verdict) in told:
                continue
            told.add((known.function.name, verdict))
            value = quote(pair.original.message.record.get(column))
            type_ = guesses[column]
            kind = f"`{column}` is {type_}"
            read = known.first_read(column)
            yield view.at_code(
                COLUMN_TYPE,
                f"function `{known.function.name}` {text.format(kind=kind, value=value)}",
                _HINT.format(column=column, type=type_ if verdict == _TEXT else f"{type_} or text"),
                known, read.line if read else 1, read.column if read else 1, field=column,
                severity=severity,
            )  # fmt: skip


def _guesses(pair: Pair) -> dict[str, str]:
    """The columns whose type is a guess, with the guess."""
    typed, text = pair.original.message.types, pair.variant.message.types
    return {c: t for c, t in typed.items() if text.get(c) == TEXT and t != TEXT}


Verdict = tuple[Analysis, str, str, Severity]


def _verdicts(view: SinkView, pair: Pair, guesses: dict[str, str]) -> Iterator[Verdict]:
    typed, text = pair.original, pair.variant
    at_typed, at_text = _failures(view, typed), _failures(view, text)
    for name, (known, said) in at_typed.items():
        if name not in at_text:
            who = "a server then has no text such as {value}"
            if known.function.language is Language.PYTHON:
                who = "rows whose format has types then have no text such as {value}"
            yield known, _TYPED, f"fails where {{kind}} ({who}): {_safe(said)}", "warning"
    for name, (known, said) in at_text.items():
        if name not in at_typed:
            yield (known, _TEXT, f"works only where {{kind}}, which {{value}} is taken for; for "
                   f"text it fails: {_safe(said)}", "note")  # fmt: skip
    if at_typed or at_text:
        return
    found = _difference(typed, text)
    if found is not None:
        stage, said = found
        for known in _first(view, stage, guesses):
            yield (known, _OTHER, f"gives something else where {{kind}} than for the text "
                   f"{{value}}: {_safe(said)}", "warning")  # fmt: skip


def _failures(view: SinkView, outcome: Outcome) -> dict[str, tuple[Analysis, str]]:
    """How functions failed, by their names."""
    by_name = {known.function.name: known for known in view.functions}
    found: dict[str, tuple[Analysis, str]] = {}
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


def _first(view: SinkView, stage: str, guesses: dict[str, str]) -> Iterable[Analysis]:
    known = {"filter": view.filter, "routing": view.routing, "transform": view.transform}[stage]
    return () if known is None else (known,)


def _column(known: Analysis, guesses: dict[str, str]) -> str | None:
    """The guessed column that a function reads first."""
    read = known.first_read(*guesses)
    return read.text if read is not None else next(iter(guesses), None)


def _json(value: Any) -> str:
    try:
        return jsonio.dumps(value)
    except (TypeError, ValueError):
        return repr(value)


def _safe(text: str) -> str:
    """Text of an error as a part of a format."""
    return " ".join(text.split())[:200].replace("{", "{{").replace("}", "}}")
