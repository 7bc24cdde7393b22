"""How the function worker writes results: JSON, because the parent trusts nothing it reads.

The counterpart of `decode`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import json
import sys
from collections.abc import Callable
from typing import Any, Final

import orjson

from routestudio.functions.exact import Exact, Guessed
from routestudio.functions.metadata import Metadata
from routestudio.model.column_types import Moment
from routestudio.model.function import Identifier

MAX_DEPTH: Final = 64
MAX_DIGITS: Final = 200_000
"""Most digits of a decimal written out; PostgreSQL's `numeric` has at most 147,455."""

FAST: Final = b"f"
SLOW: Final = b"s"
"""First byte of an answer: whether the compiled reader gives exactly the values back, or only the
interpreter's own does."""

MAX_TEXT: Final = 500


class RefusedError(Exception):
    """A result that is not plain data."""


_SIMPLE: Final = frozenset((str, int, bool, type(None)))
_SHORT: Final = frozenset((bool, type(None)))
_WIDE: Final = 1 << 63
_TEXT: Final = frozenset((str,))


def _encoder() -> Callable[[Any], str]:
    """JSON text of a value. `JSONEncoder.encode` builds the encoder used here at every call."""
    make = getattr(json.encoder, "c_make_encoder", None)
    text = getattr(json.encoder, "c_encode_basestring_ascii", None)
    if make is None or text is None:
        return json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
    encode = make(None, None, text, None, ":", ",", False, False, False)
    return lambda value: "".join(encode(value, 0))


_encode_json: Final = _encoder()
_FEW: Final = 4096
SURELY_ENOUGH: Final = 16 * _FEW
"""An output limit that nothing of `plain_size` can reach."""


def plain_size(value: Any) -> int:
    """Characters of a small map of simple values, or of one such value; -1 for everything else."""
    kind = type(value)
    if kind is dict:
        size = 2
        for key, item in value.items():
            if type(key) is not str:
                return -1
            kind = type(item)
            if kind is str:
                size += len(key) + len(item)
            elif kind in _SHORT:
                size += len(key) + 5
            elif kind is int and -_WIDE < item < _WIDE:
                size += len(key) + 20
            else:
                return -1
        return size if size <= _FEW else -1
    if kind is str:
        return len(value) if len(value) <= _FEW else -1
    return 5 if kind in _SHORT or (kind is int and -_WIDE < value < _WIDE) else -1


def encode(value: Any) -> tuple[str, int]:
    """A result as JSON `{"v": plain}`, or `{"t": tagged}` when it holds other plain types.

    With its size in characters, decimals as a sink writes them: "1E+200000" counts 200,001.
    """
    try:
        if type(value) is dict:
            if _SIMPLE.issuperset(map(type, value.values())) and _TEXT.issuperset(map(type, value)):
                return _sized(f'{{"v":{_encode_json(value)}}}')
        elif type(value) in _SIMPLE:
            return _sized(f'{{"v":{_encode_json(value)}}}')
        elif type(value) is Exact:
            return _sized(f'{{"x":{value.text}}}')
        elif type(value) is Guessed:
            text, size = encode(value.value)
            return f'{text[:-1]},"g":{json.dumps(value.fault)}}}', size
        digits = [0]
        text = f'{{"t":{_encode_json(_tagged(value, 0, digits))}}}'
    except ValueError:  # the interpreter writes no longer integer
        limit = f"{sys.get_int_max_str_digits():,}"
        raise RefusedError(f"the result holds an integer of more than {limit} digits") from None
    return text, len(text) + digits[0]


def _sized(text: str) -> tuple[str, int]:
    return text, len(text)


def _tagged(value: Any, depth: int, digits: list[int]) -> Any:
    """Maps become `["m", {key: value, ...}]`, lists `["l", [...]]`; other types carry their tag.

    `digits` adds up what decimals grow by when they are written out.
    """
    if depth > MAX_DEPTH:
        raise RefusedError(f"the result is nested more than {MAX_DEPTH} levels deep")
    kind = type(value)
    if kind in _SIMPLE:
        return value
    if kind is float:
        return ["f", repr(value)]
    if kind is Identifier:
        return ["a", str(value)]
    if kind is dict or kind is Metadata:
        for key in value:
            if type(key) is not str:
                raise RefusedError(f"keys of a map must be text, not {type(key).__name__}")
        return ["m", {key: _tagged(item, depth + 1, digits) for key, item in value.items()}]
    if kind in (list, tuple):
        return ["l", [_tagged(item, depth + 1, digits) for item in value]]
    if kind in (set, frozenset):
        return ["l", [_tagged(item, depth + 1, digits) for item in sorted(value, key=repr)]]
    if kind is decimal.Decimal:
        # Written out, "1E+999999999" is a gigabyte: it must not reach a process without a limit.
        exponent = value.as_tuple().exponent
        places = max(abs(exponent), abs(value.adjusted())) if type(exponent) is int else 0
        if value.is_snan() or places > MAX_DIGITS:
            raise RefusedError(f"the result holds a decimal of more than {MAX_DIGITS:,} digits")
        text = str(value)
        digits[0] += max(0, places - len(text))
        return ["n", text]
    if kind is dt.datetime:
        return ["T", value.isoformat()]
    if kind is Moment:
        return ["M", value.isoformat()]
    if kind is dt.date:
        return ["d", value.isoformat()]
    if kind is dt.time:
        return ["h", value.isoformat()]
    if kind.__name__ == "UUID":
        return str(value)
    raise RefusedError(f"the result holds a {kind.__name__}; return plain data")


def fault(code: str, message: str) -> str:
    """A fault as JSON, its message cut."""
    return json.dumps({"f": {"code": code, "message": message[:MAX_TEXT]}})


def too_long(size: int, limit: int) -> str:
    """The fault of a result of so many characters."""
    shown = f"{size:,} characters; at most {limit:,} are allowed"
    return fault("output", f"the result has {shown}")


class Column:
    """The results of one program. Plain ones are written all at once in the end; the others, with
    their rows, as they come, because they may be large."""

    __slots__ = ("others", "plain")

    def __init__(self) -> None:
        self.plain: list[Any] = []
        self.others: list[str] = []

    def add(self, text: str) -> None:
        """A result in the form that `answers.result_of` reads."""
        self.others.append(f"[{len(self.plain)},{text}]")
        self.plain.append(None)


def joined(columns: list[Column]) -> bytes:
    """All results. What `orjson` can write, its reader gets back unchanged; the first byte shows
    whether it did. It refuses integers over 64 bits and halves of surrogate pairs."""
    if not any(column.others for column in columns):
        with contextlib.suppress(TypeError):
            return FAST + orjson.dumps([[column.plain, ()] for column in columns])
    text = ",".join(
        f"[{_encode_json(column.plain)},[{','.join(column.others)}]]" for column in columns
    )
    return SLOW + f"[{text}]".encode("utf-8", "surrogatepass")
