"""The conversion of a function of a project, with its verification."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from routestudio.functions import language
from routestudio.functions.conversion.common import Refused
from routestudio.functions.conversion.result import SUFFIXES, Conversion
from routestudio.functions.conversion.to_elixir import to_elixir
from routestudio.functions.conversion.to_python import to_python
from routestudio.functions.conversion.verify import View, Workers, known_of, times_of, verify
from routestudio.model.function import Diagnostic, Function, Language
from routestudio.model.message import Message

__all__ = ["SUFFIXES", "Conversion", "convert", "convert_verified"]


def convert(
    function: Function, times: Collection[str] = (), known: Collection[str] = ()
) -> Conversion:
    """The function in the other language, not verified yet. Runs nothing; for a worker.

    `times` are columns that hold dates or times by their form, `known` those whose type is known.
    """
    if function.kind.entry_point is None:
        text = f"a function of the kind {function.kind.value} has no code to convert"
        return Conversion(function, problems=(Diagnostic(1, 1, "not_converted", text),))
    errors = [item for item in language.check(function) if item.severity == "error"]
    if errors:
        return Conversion(function, problems=tuple(errors))
    restored = False
    try:
        if function.language is Language.PYTHON:
            code = to_elixir(function.code, function.kind, times, known)
        else:
            code, restored = to_python(function.code, function.kind)
    except Refused as refused:
        return Conversion(function, problems=(refused.diagnostic,))
    except RecursionError:
        text = "the function is nested too deeply to be converted"
        return Conversion(function, problems=(Diagnostic(1, 1, "not_converted", text),))
    made = Conversion.made(function, code, restored=restored)
    assert made.after is not None
    wrong = [item for item in language.check(made.after) if item.severity == "error"]
    if wrong:
        text = f"the converted function is not accepted: {wrong[0].message}"
        problem = Diagnostic(1, 1, "not_converted", text, hint="split the function, or shorten it")
        return Conversion(function, problems=(problem,))
    return made


async def convert_verified(
    function: Function, samples: Sequence[Message], pool: Workers, view: View | None = None
) -> Conversion:
    """The function in the other language, tried on the samples and on hard variants of them."""
    found = await pool.convert(function, times_of(samples), known_of(samples))
    if found.after is None:
        return found
    verification = await verify(
        found.before, found.after, samples, pool, lenient=found.restored, view=view
    )
    return replace(found, verification=verification)
