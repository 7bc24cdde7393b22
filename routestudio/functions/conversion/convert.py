"""The conversion of a function of a project, for a worker: `verify` asks one for it."""

from __future__ import annotations

from collections.abc import Collection

from routestudio.functions.analysis import reading
from routestudio.functions.conversion.common import Refused
from routestudio.functions.conversion.result import Conversion
from routestudio.functions.conversion.to_elixir import to_elixir
from routestudio.functions.conversion.to_python import to_python
from routestudio.model.function import Diagnostic, Function, Language


def convert(
    function: Function, times: Collection[str] = (), known: Collection[str] = ()
) -> Conversion:
    """The function in the other language, not verified yet. Runs nothing; for a worker.

    `times` are columns that hold dates or times by their form, `known` those whose type is known.
    """
    if function.kind.entry_point is None:
        text = f"a function of the kind {function.kind.value} has no code to convert"
        return Conversion(function, problems=(Diagnostic(1, 1, "not_converted", text),))
    errors = [item for item in reading.check(function) if item.severity == "error"]
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
    wrong = [item for item in reading.check(made.after) if item.severity == "error"]
    if wrong:
        text = f"the converted function is not accepted: {wrong[0].message}"
        problem = Diagnostic(1, 1, "not_converted", text, hint="split the function, or shorten it")
        return Conversion(function, problems=(problem,))
    return made
