"""What the modules of formats with an envelope share: likeness by parts, and careful access."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar, Final

from routestudio.formats.base import Format, FormatError, Likeness, Raw

Check = Callable[[Any], bool]

_SHOWN: Final = 40


class Envelope(Format):
    """A format whose values are objects with known parts.

    `parts` are the parts of every value that is a row change, each with its check; `others` the
    parts that may come with them. A value is certain with all `parts` and nothing unknown, likely
    when one of them is missing or wrong, possible with half of them: then it may as well be a plain
    row, and the reader reports it.
    """

    parts: ClassVar[Mapping[str, Check]]
    others: ClassVar[frozenset[str]] = frozenset()
    peculiar: ClassVar[frozenset[str]] = frozenset()
    """Names of parts that hardly anything else has: two of them make an outline."""

    def likeness(self, value: Any, raw: Raw) -> Likeness:
        """By `special`, then by how many `parts` there are."""
        if raw.table or not isinstance(value, dict):
            return Likeness.NO
        special = self.special(value)
        if special is not None:
            return special
        good = sum(1 for name, check in self.parts.items() if name in value and check(value[name]))
        missing = len(self.parts) - good
        if not missing:
            known = value.keys() <= self.parts.keys() | self.others
            return Likeness.CERTAIN if known else Likeness.LIKELY
        if (missing == 1 and good > 1) or len(value.keys() & self.peculiar) >= 2:
            return Likeness.LIKELY
        present = sum(1 for name in self.parts if name in value)
        return Likeness.POSSIBLE if good > 1 and 2 * present >= len(self.parts) else Likeness.NO

    def special(self, value: dict[str, Any]) -> Likeness | None:
        """The likeness of what `parts` cannot judge, or `None` to go by them."""
        return None


def is_text(value: Any) -> bool:
    """Whether it is text that is not empty."""
    return isinstance(value, str) and bool(value)


def is_map(value: Any) -> bool:
    """Whether it is an object."""
    return isinstance(value, dict)


def is_whole(value: Any) -> bool:
    """Whether it is an integer."""
    return isinstance(value, int) and not isinstance(value, bool)


def among(value: Any, names: Collection[str]) -> bool:
    """Whether it is one of these texts; lists and objects are not."""
    return isinstance(value, str) and value in names


def one_of(*values: str) -> Check:
    """A check for one of these texts."""
    return lambda value: among(value, values)


def map_or_null(value: Any) -> bool:
    """Whether it is an object or null."""
    return value is None or isinstance(value, dict)


def columns(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The part `name`, which must be an object of columns. Raises `FormatError`."""
    found = value.get(name)
    if not isinstance(found, dict):
        raise FormatError(f"`{name}` must be an object of columns, not {kind(found)}")
    return found


def some_columns(value: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """The part `name`: an object of columns, or `None` where it is null or left out."""
    return None if value.get(name) is None else columns(value, name)


def choice(value: Mapping[str, Any], name: str, known: Mapping[str, Any]) -> Any:
    """What `known` has for the part `name`. Raises `FormatError` for anything else."""
    found = value.get(name)
    if isinstance(found, str) and found in known:
        return known[found]
    names = list(known)
    listed = ", ".join(names[:-1]) + " or " + names[-1] if len(names) > 1 else names[0]
    shown = "missing" if found is None else str(found)[:_SHOWN]
    raise FormatError(f"`{name}` is {shown}; it must be {listed}")


def named(**values: Any) -> dict[str, Any]:
    """Metadata of what is known: texts that are not empty, and integers."""
    return {name: value for name, value in values.items() if is_text(value) or is_whole(value)}


def key_of(names: Any, *rows: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The columns of a primary key with their values from the first row that has each.

    `None` when there are no names, or when a value is nowhere.
    """
    if not isinstance(names, Sequence) or isinstance(names, str) or not names:
        return None
    key: dict[str, Any] = {}
    for name in names:
        row = next((row for row in rows if row is not None and name in row), None) if (
            isinstance(name, str)) else None  # fmt: skip
        if row is None:
            return None
        key[name] = row[name]
    return key


def kind(value: Any) -> str:
    """A value's kind in words."""
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false"}
    return "null" if value is None else names.get(type(value), "a number")
