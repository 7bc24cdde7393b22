"""Confinement: a pattern per routed field that no route may leave.

It stands in a sink's annotations, which a Sequin server keeps as they are:
`annotations: {routestudio: {confine: {topic: "orders\\.(eu|us)"}}}`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, Final

from routestudio.errors import FieldProblem

SECONDS: Final = 0.05
"""Longest time for one value: a pattern of somebody else's project must not hang the program."""

MAX_PATTERN: Final = 1_000


class Limit:
    """One pattern, to be matched by whole values."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._compiled = _compiled(pattern)

    def allows(self, value: Any) -> bool:
        """Whether a value is inside; what takes too long is not. `None` and maps are."""
        if value is None or isinstance(value, (Mapping, list)):
            return True
        text = value if isinstance(value, str) else str(value)
        try:
            return self._compiled.fullmatch(text, timeout=SECONDS) is not None
        except TimeoutError:
            return False

    def problem(self, field: str, value: Any) -> FieldProblem:
        """What is reported about a value that is outside."""
        return FieldProblem(
            field,
            f"`{str(value)[:60]}` is outside of what this sink is confined to",
            f"it must match {self.pattern[:80]}",
        )


def of(annotations: Mapping[str, Any]) -> dict[str, str]:
    """The patterns in a sink's annotations by routed field; those that are not text are left
    out."""
    own = annotations.get("routestudio")
    given = own.get("confine") if isinstance(own, Mapping) else None
    if not isinstance(given, Mapping):
        return {}
    return {name: text for name, text in given.items() if isinstance(text, str)}


def limits(patterns: Mapping[str, str]) -> dict[str, Limit]:
    """The patterns ready for use. One that cannot be compiled lets nothing pass."""
    found = {}
    for name, text in patterns.items():
        try:
            found[name] = Limit(text)
        except ValueError:
            found[name] = Limit("(?!)")
    return found


def problems(annotations: Mapping[str, Any], fields: Collection[str]) -> list[FieldProblem]:
    """What is wrong with the confinement of a sink whose routed fields are `fields`."""
    own = annotations.get("routestudio")
    if not isinstance(own, Mapping) or "confine" not in own:
        return []
    given = own["confine"]
    if not isinstance(given, Mapping):
        return [FieldProblem("confine", "must be a map from routed fields to patterns")]
    found = []
    for name, text in given.items():
        place = f"confine.{name}"
        if name not in fields:
            known = ", ".join(sorted(fields))
            found.append(
                FieldProblem(place, "is not a routed field of this sink", f"known: {known}")
            )
        elif not isinstance(text, str) or len(text) > MAX_PATTERN:
            found.append(
                FieldProblem(place, f"must be a pattern of at most {MAX_PATTERN:,} characters")
            )
        else:
            try:
                _compiled(text)
            except ValueError as error:
                found.append(FieldProblem(place, f"is not a valid pattern: {error}"))
    return found


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    import regex  # most projects have no pattern

    try:
        return regex.compile(pattern)
    except regex.error as error:
        raise ValueError(str(error)) from None
