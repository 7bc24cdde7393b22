"""What a conversion gives. Apart from what converts, which most commands never need."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from routestudio.model.function import Diagnostic, Function, Language

SUFFIXES = {Language.ELIXIR: ".ex", Language.PYTHON: ".py"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One message on which the two do not agree: what each gave, as short text."""

    index: int
    before: str
    after: str
    where: str = ""
    """What was assumed of columns whose type nobody says, such as "`total` is numeric"."""

    def as_json(self) -> dict[str, Any]:
        found = {"index": self.index, "before": self.before, "after": self.after}
        return {**found, "where": self.where} if self.where else found

    @property
    def condition(self) -> str:
        """The assumption as a part of a sentence; empty without one."""
        return f" where {self.where}" if self.where else ""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was tried: messages (samples first, then invented variants), how many gave values.

    `differences`: the two gave different values, or one failed on a sample. `stricter`: on an
    invented message the converted function fails where the first one gives a value, such as the
    text of a list; it never gives another value. `failing`: both failed on all samples (without
    samples, on all messages), so nothing shows that they do the same; its first message, with what
    was assumed.
    """

    samples: int
    messages: int
    values: int
    differences: tuple[Difference, ...]
    stricter: tuple[Difference, ...] = ()
    failing: Difference | None = None

    @property
    def equal(self) -> bool:
        """Whether something speaks for using the converted function, and nothing against it."""
        return not self.differences and self.failing is None

    def as_json(self) -> dict[str, Any]:
        return {
            "samples": self.samples,
            "messages": self.messages,
            "values": self.values,
            "equal": self.equal,
            "different": len(self.differences),
            "differences": [item.as_json() for item in self.differences[:20]],
            "stricter": [item.as_json() for item in self.stricter[:20]],
            "failing": self.failing.as_json() if self.failing is not None else None,
        }


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
