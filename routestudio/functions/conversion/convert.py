"""The conversion of a function of a project, with its verification."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from routestudio.functions import language
from routestudio.functions.conversion.common import Refused
from routestudio.functions.conversion.to_elixir import to_elixir
from routestudio.functions.conversion.to_python import to_python
from routestudio.functions.conversion.verify import Verification, View, times_of, verify
from routestudio.model.function import Diagnostic, Function, Language
from routestudio.model.message import Message

if TYPE_CHECKING:
    from routestudio.functions.pool import FunctionPool

SUFFIXES = {Language.ELIXIR: ".ex", Language.PYTHON: ".py"}


@dataclass(frozen=True, slots=True)
class Conversion:
    """A converted function, or the problems that prevent it; verified once `verification` is set.

    `restored`: closures that an earlier conversion wrote became operators again.
    """

    before: Function
    after: Function | None = None
    problems: tuple[Diagnostic, ...] = ()
    restored: bool = False
    verification: Verification | None = None

    @classmethod
    def made(
        cls, before: Function, code: str | None, problems: tuple[Diagnostic, ...] = (),
        *, restored: bool = False,
    ) -> Conversion:  # fmt: skip
        """A conversion that is not verified yet; `code` is `None` where there are problems."""
        if code is None:
            return cls(before, problems=problems)
        after = replace(before, language=_other(before.language), code=code, problems=(), file=None)
        return cls(before, after, restored=restored)

    @property
    def good(self) -> bool:
        """Whether it was converted and proved equal."""
        return self.after is not None and self.verification is not None and self.verification.equal

    def as_json(self) -> dict[str, Any]:
        found = self.verification
        return {
            "function": self.before.name,
            "from": self.before.language.value,
            "to": _other(self.before.language).value,
            "converted": self.after is not None,
            "code": None if self.after is None else self.after.code,
            "problems": [
                {"line": p.line, "column": p.column, "code": p.code, "message": p.message,
                 "hint": p.hint} for p in self.problems
            ],
            "verification": None if found is None else found.as_json(),
        }  # fmt: skip


def _other(tongue: Language) -> Language:
    return Language.ELIXIR if tongue is Language.PYTHON else Language.PYTHON


def convert(function: Function, times: Collection[str] = ()) -> Conversion:
    """The function in the other language, not verified yet. Runs nothing; for a worker.

    `times` are columns that hold dates or times.
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
            code = to_elixir(function.code, function.kind, times)
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
    function: Function, samples: Sequence[Message], pool: FunctionPool, view: View | None = None
) -> Conversion:
    """The function in the other language, tried on the samples and on hard variants of them."""
    found = await pool.convert(function, times_of(samples))
    if found.after is None:
        return found
    verification = await verify(found.before, found.after, samples, pool,
                                lenient=found.restored, view=view)  # fmt: skip
    return replace(found, verification=verification)
