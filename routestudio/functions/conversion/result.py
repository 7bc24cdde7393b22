"""What a conversion gives. Apart from what converts, which most commands never need."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from routestudio.model.function import Diagnostic, Function, Language

if TYPE_CHECKING:
    from routestudio.functions.conversion.verify import Verification

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
