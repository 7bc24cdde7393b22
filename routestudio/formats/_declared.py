"""Types that the project says of a table's columns, applied to changes of any format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from routestudio.formats._columns import NO_TEXT, scale_of, type_name, value_of
from routestudio.formats.base import Change
from routestudio.model.message import UNCHANGED_TOAST

_MOST: Final = 10_000
"""Tables that are remembered."""


class Declared:
    """Applies types: values become what a server writes for them, and the types go along.

    What the project says goes before what the row says.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[Mapping[str, str], dict[str, str], _Scales]] = {}

    def applied(
        self, change: Change, written: Mapping[str, str]
    ) -> tuple[Change, Mapping[str, str]]:
        """The change with the types, and those of the project by PostgreSQL's short names."""
        if not written:
            return change, written
        known = self._known.get(id(written))
        if known is None or known[0] is not written:
            names = {column: type_name(type_) for column, type_ in written.items()}
            scales: _Scales = {column: scale_of(type_) for column, type_ in written.items()}
            if len(self._known) >= _MOST:
                self._known.clear()
            known = self._known[id(written)] = written, names, scales
        _, names, scales = known
        record = _cast(change.record, names, scales)
        changes = change.changes and _cast(change.changes, names, scales)
        key = change.key and _cast(dict(change.key), names, scales)
        types = {**change.types, **names} if change.types else names
        done = Change(change.action, record, changes, change.metadata, key, types,
                      change.identified, change.notes)  # fmt: skip
        return done, names


_Scales = Mapping[str, int | None]


def _cast(columns: dict[str, Any], types: Mapping[str, str], scales: _Scales) -> dict[str, Any]:
    done = columns
    for column, type_ in types.items():
        value = columns.get(column)
        if value is None or value == UNCHANGED_TOAST:
            continue
        if value == "" and (type_ in NO_TEXT or type_.endswith("[]")):
            new = None  # of a CSV file with quotes around every cell: no such column holds it
        else:
            new = value_of(value, type_, scale=scales[column])
        if new is not value:
            done = dict(columns) if done is columns else done
            done[column] = new
    return done
