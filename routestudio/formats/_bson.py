"""Documents of MongoDB's change events: their plain values, their times, paths into them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from routestudio.formats import _extended_json as extended
from routestudio.formats import _times
from routestudio.formats._envelope import columns
from routestudio.formats.base import FormatError

_DEPTH: Final = 100
"""How many steps a path may have: MongoDB allows documents that deep."""


def plain(value: Any) -> Any:
    """A value without `$oid`, `$date` and the like. Raises `FormatError` if it is too deep."""
    try:
        return extended.plain(value)
    except ValueError as error:
        raise FormatError(str(error)) from None


def document(value: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """The document in the part `name`, plain; `None` where it is null or left out."""
    if value.get(name) is None:
        return None
    columns(value, name)
    return {key: plain(item) for key, item in value[name].items()}


def moment(value: Any) -> str | None:
    """A time of the server (`$date`, `$timestamp`) as ISO 8601 in UTC."""
    done = plain(value) if isinstance(value, dict) and len(value) == 1 else value
    return _times.utc(done) if isinstance(done, str) else None


def path_of(record: dict[str, Any], path: str, item: Any) -> None:
    """Put an item where a path such as `address.city` or `lines.0` leads."""
    *steps, last = path.split(".")[:_DEPTH]
    place: Any = record
    for number, step in enumerate(steps):
        inner = _step(place, step)
        if not isinstance(inner, (dict, list)):
            if not isinstance(place, dict):
                return
            rest = ".".join([*steps[number + 1 :], last])
            if rest[:1].isdigit():  # an item of a list that is not known
                place[".".join([step, rest])] = item
                return
            inner = place[step] = {}
        place = inner
    if isinstance(place, dict):
        place[last] = item
    elif last.isdigit() and len(last) < 6 and int(last) < len(place):
        place[int(last)] = item


def _step(place: Any, step: str) -> Any:
    if isinstance(place, dict):
        return place.get(step)
    small = step.isdigit() and len(step) < 6 and int(step) < len(place)
    return place[int(step)] if small else None
