"""Values of the texts that PostgreSQL itself writes, most of them without a closer look.

`_columns.value_of` reads texts of any origin. Those of a connection with known settings have one
form for each type, which is seen at once; whatever looks otherwise goes the whole way.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from routestudio.formats._columns import value_of

Cast = Callable[[Any], Any]

_MOMENT: Final = re.compile(
    r"((?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}) ([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,6}))?"
)
_ODD: Final = re.compile(r'["\\{}\s]|null', re.IGNORECASE)
_DIGITS: Final = 18
_TRUTHS: Final = {"t": True, "f": False}


def cast_of(type_: str) -> Cast | None:
    """What makes a value of a type's text; `None` where the text is the value."""
    return None if type_ in _PLAIN else text_cast(type_)


def text_cast(type_: str) -> Cast:
    """What `value_of` makes of texts of a type, as a function that is found once."""
    if type_.endswith("[]"):
        return _list_cast(type_)
    return _QUICK.get(type_) or partial(value_of, type_=type_)


def _integer(type_: str) -> Cast:
    def cast(text: Any) -> Any:
        if type(text) is str and text.isdigit() and text.isascii() and len(text) <= _DIGITS:
            return int(text)
        return value_of(text, type_)

    return cast


def _truth(text: Any) -> Any:
    found = _TRUTHS.get(text) if type(text) is str else None
    return value_of(text, "bool") if found is None else found


def _moment(type_: str, zone: str, end: str) -> Cast:
    size = len(zone)

    def cast(text: Any) -> Any:
        if type(text) is str and text.endswith(zone):
            found = _MOMENT.fullmatch(text, 0, len(text) - size)
            if found is not None and _is_real(found[1], found[2]):
                return f"{found[1]}T{found[2]}.{(found[3] or '').ljust(6, '0')}{end}"
        return value_of(text, type_)

    return cast


def _is_real(day: str, time: str) -> bool:
    """Whether the day is in every month, and the time one of a day: then nothing is to be asked."""
    return (
        "01" <= day[5:7] <= "12"
        and "01" <= day[8:] <= "28"
        and (time[:2] < "24" and time[3:5] < "60" and time[6:] < "60")
    )


def _list_cast(type_: str) -> Cast:
    item = cast_of(type_[:-2])

    def cast(text: Any) -> Any:
        if type(text) is str and len(text) > 2 and text[0] == "{" and text[-1] == "}":
            inner = text[1:-1]
            if not _ODD.search(inner) and ",," not in inner and inner[0] != "," != inner[-1]:
                parts = inner.split(",")
                return parts if item is None else [item(part) for part in parts]
        return value_of(text, type_)

    return cast


_PLAIN: Final = frozenset({"text", "varchar", "bpchar", "numeric", "uuid", "name", "citext",
                           "money", "xml", "hstore"})  # fmt: skip
"""Types whose values are the texts themselves."""
_QUICK: Final[dict[str, Cast]] = {
    **{name: _integer(name) for name in ("int2", "int4", "int8", "oid")},
    "bool": _truth,
    "timestamptz": _moment("timestamptz", "+00", "Z"),
    "timestamp": _moment("timestamp", "", ""),
}
