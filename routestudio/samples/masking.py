"""Replace values of columns by masks of the same kind, the same one for the same value."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

_DATE: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})(.*)", re.DOTALL)
_HEX: Final = re.compile(r"[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")


def mask_text(text: str, columns: Collection[str], key: bytes) -> str:
    """JSON lines with the columns masked in `record`, `changes` and the primary key.

    Lines that hold no message stay as they are. A value gets the same mask in all rows and
    columns for one `key`, so that rows that belong together still do; without the key nobody can
    find the value by trying.
    """
    return "".join(_line(line, columns, key) for line in text.splitlines(keepends=True))


def masked(value: Any, key: bytes) -> Any:
    """A mask of one value: text keeps its length and shape, numbers their digits, null is null."""
    if value is None:
        return None
    if isinstance(value, dict):
        return {name: masked(item, key) for name, item in value.items()}
    if isinstance(value, list):
        return [masked(item, key) for item in value]
    stream = _stream(json.dumps(str(value)).encode(), key)
    if isinstance(value, bool):
        return next(stream) % 2 == 0
    if isinstance(value, int):
        return int(_digits(str(value), stream))
    if isinstance(value, Decimal):
        return Decimal(_digits(format(value, "f"), stream))
    if isinstance(value, float):
        text = repr(value)
        return float(_digits(text, stream)) if "e" not in text else float(next(stream))
    return _text(str(value), stream)


def _line(line: str, columns: Collection[str], key: bytes) -> str:
    body = line.strip()
    try:
        message = json.loads(body, parse_float=Decimal, parse_constant=_refuse) if body else None
    except (ValueError, RecursionError):
        return line
    if not isinstance(message, dict) or not isinstance(message.get("record"), dict):
        return line
    replaced: dict[str, str] = {}
    for part in ("record", "changes"):
        values = message.get(part)
        if not isinstance(values, dict):
            continue
        for name in columns:
            if name in values:
                new = masked(values[name], key)
                if part == "record":
                    replaced[str(values[name])] = str(new)
                values[name] = new
    metadata = message.get("metadata")
    if isinstance(metadata, dict) and isinstance(metadata.get("record_pks"), list):
        pks = metadata["record_pks"]
        metadata["record_pks"] = [
            replaced.get(item, item) if isinstance(item, str) else item for item in pks
        ]
    return _written(message) + line[len(line.rstrip("\r\n")) :]


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _written(value: Any) -> str:
    """Compact JSON that keeps every digit of a number: other columns must not change."""
    if isinstance(value, dict):
        items = (f"{_written(name)}:{_written(item)}" for name, item in value.items())
        return "{" + ",".join(items) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)


def _text(text: str, stream: Iterator[int]) -> str:
    match = _DATE.fullmatch(text)
    if match and _is_date(match):
        day = f"{match[1]}-{next(stream) % 12 + 1:02}-{next(stream) % 28 + 1:02}"
        return day + match[4]
    if _HEX.fullmatch(text):
        return "".join(f"{next(stream) % 16:x}" if c != "-" else c for c in text)
    return "".join(_character(character, stream) for character in text)


def _is_date(match: Mapping[Any, Any] | re.Match[str]) -> bool:
    try:
        dt.date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return False
    return True


def _character(character: str, stream: Iterator[int]) -> str:
    if character.isdigit():
        return str(next(stream) % 10)
    if character.isalpha():
        letter = chr(ord("a") + next(stream) % 26)
        return letter.upper() if character.isupper() else letter
    return character


def _digits(text: str, stream: Iterator[int]) -> str:
    """Other digits; the first one is not zero where it was not, so that the length stays."""
    found, first = [], True
    for character in text:
        if not character.isdigit():
            found.append(character)
            continue
        keep_zero = first and character == "0"
        found.append("0" if keep_zero else str(next(stream) % (9 if first else 10) + first))
        first = False
    return "".join(found)


def _stream(value: bytes, key: bytes) -> Iterator[int]:
    """Numbers from 0 to 255 that depend on value and key, without end."""
    block = 0
    while True:
        yield from hashlib.blake2b(value + block.to_bytes(8, "big"), key=key).digest()
        block += 1
