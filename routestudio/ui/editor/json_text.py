"""JSON text over several lines and on one, digit by digit as it was: nothing is converted."""

from __future__ import annotations

import json
import re

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
INDENT = "  "


def on_one_line(text: str) -> str:
    """The text without white space between its parts."""
    return "".join(match[0] for match in _TOKEN.finditer(text))


def indented(text: str) -> str:
    """The text with one entry a line; empty maps and lists stay together."""
    words = [match[0] for match in _TOKEN.finditer(text)]
    parts: list[str] = []
    depth = 0
    for number, part in enumerate(words):
        after = words[number + 1] if number + 1 < len(words) else ""
        if part in ("{", "["):
            depth += 1
            empty = after in ("}", "]")
            parts.append(part if empty else f"{part}\n{INDENT * depth}")
        elif part in ("}", "]"):
            depth = max(0, depth - 1)
            empty = number > 0 and words[number - 1] in ("{", "[")
            parts.append(part if empty else f"\n{INDENT * depth}{part}")
        elif part == ",":
            parts.append(f",\n{INDENT * depth}")
        else:
            parts.append(": " if part == ":" else part)
    return "".join(parts)


def items_of(text: str) -> list[str]:
    """The items of a valid JSON array, each on one line."""
    found: list[str] = []
    item = ""
    depth = 0
    for match in _TOKEN.finditer(text):
        part = match[0]
        depth -= part in ("}", "]")
        if depth == 1 and part == ",":
            found.append(item)
            item = ""
        elif depth:
            item += part
        depth += part in ("{", "[")
    return [*found, item] if item else found


def entries_of(text: str) -> list[tuple[str, str]]:
    """The entries of a JSON object: name, and value on one line as it is written.

    Raises `ValueError` for what is not a valid JSON object.
    """
    if not isinstance(json.loads(text), dict):
        raise ValueError("this is not a JSON object")
    found: list[tuple[str, str]] = []
    name: str | None = None
    value = ""
    depth = 0
    for match in _TOKEN.finditer(text):
        part = match[0]
        depth -= part in ("}", "]")
        if depth == 0 or (depth == 1 and part == ","):
            if name is not None:
                found.append((name, value))
            name, value = None, ""
        elif name is None:
            name = json.loads(part)
        elif part != ":" or value:
            value += part
        depth += part in ("{", "[")
    return found
