"""RouteStudio's own key `tables`: what no row states about a table, its key and types of its
columns."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any, Final

from routestudio.formats.types import KNOWN, type_name
from routestudio.model.project import Severity, Table

KEY: Final = "tables"
_KEYS: Final = frozenset({"name", "key", "columns"})

Report = Callable[[str, tuple[str, ...], str | None, Severity], None]
"""Takes a fault, the path to it, a hint, and how severe it is."""


def read(value: Any, note: Report) -> tuple[Table, ...]:
    """The tables that a project describes; what is not well-formed is reported and left out.

    An entry has `name` (`schema.table` or `table`), `key` (a column, or a list in the key's order)
    and `columns` (types by column, by PostgreSQL's names).
    """

    def report(text: str, path: tuple[str, ...], hint: str | None) -> None:
        note(text, path, hint, "error")

    if value is None:
        return ()
    if not isinstance(value, list):
        report(f"`{KEY}` must be a list", (KEY,), "start each entry with `-`")
        return ()
    found: dict[str, Table] = {}
    for index, item in enumerate(value):
        path = (KEY, str(index))
        if not isinstance(item, Mapping) or not isinstance(item.get("name"), str):
            report(f"an entry of `{KEY}` must be a map with a `name`", path, "name: public.orders")
            continue
        name = item["name"]
        for unknown in [str(key) for key in item if key not in _KEYS]:
            report(f"table `{name}` has an unknown key `{unknown}`", path,
                   "known: name, key, columns")  # fmt: skip
        if name in found:
            report(f"`{name}` is twice in `{KEY}`", path, "put the entries together")
            continue
        key, columns = _key(item.get("key")), _columns(item.get("columns"))
        if key is None:
            report(f"the `key` of table `{name}` must be a column or a list of columns", path,
                   "key: [tenant, id]")  # fmt: skip
        if columns is None:
            report(f"the `columns` of table `{name}` must be a map of types", path,
                   "columns: {total: numeric}")  # fmt: skip
        for column, type_ in (columns or {}).items():
            near = _near(type_)
            if near:
                note(f"the type `{type_}` of `{column}` in table `{name}` is not known",
                     (*path, "columns", column), f"did you mean `{near}`?", "warning")  # fmt: skip
        found[name] = Table(name, key or (), columns or {})
    return tuple(found.values())


def _key(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return ()
    columns = [value] if isinstance(value, str) else value
    if not isinstance(columns, list) or not all(isinstance(c, str) and c for c in columns):
        return None
    return tuple(columns)


def _columns(value: Any) -> dict[str, str] | None:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        return None
    pairs = value.items()
    good = all(isinstance(name, str) and isinstance(kind, str) for name, kind in pairs)
    return dict(pairs) if good else None


def _near(type_: str) -> str | None:
    """A built-in type that is meant, perhaps; enums and other types have any name."""
    name = type_name(type_).rstrip("[]").lower()
    found = difflib.get_close_matches(name, KNOWN, n=1, cutoff=0.8)
    return found[0] if found and name not in KNOWN else None
