"""Pieces of YAML text: where a value ends, how a value is written."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.representer import RoundTripRepresenter

_ESCAPED = re.compile(
    "[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
"""Control characters and line ends of an older YAML: only a quoted text keeps them."""


_QUOTED = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'""", re.DOTALL)


_COMMENT = re.compile(r"[ \t]#")
_TAG = re.compile(r"![^\s,\[\]{}]*[ \t]*")


class _Inline(RoundTripRepresenter):
    """Writes texts on one line."""


class _Block(RoundTripRepresenter):
    """Writes texts of several lines as literal blocks."""


def _inline(representer: Any, text: str) -> Any:
    style = '"' if "\n" in text or _ESCAPED.search(text) else None
    return representer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _literal(representer: Any, text: str) -> Any:
    style = '"' if _ESCAPED.search(text) else "|" if "\n" in text else None
    return representer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Inline.add_representer(str, _inline)
_Block.add_representer(str, _literal)


def offset(lines: Sequence[str], line: int, column: int) -> int:
    """Position in the text of a line and column, both from 0."""
    return sum(len(item) + 1 for item in lines[:line]) + column


def scalar_end(body: str, start: int) -> int | None:
    """Where the scalar that starts at `start` ends; `None` for what is not a one-line scalar."""
    tag = _TAG.match(body, start)
    if tag and body[tag.end() : tag.end() + 1] in ("", "\n", "#"):
        return start + len(tag[0].rstrip())
    start = tag.end() if tag else start
    if start >= len(body) or body[start] in "|>&*!{[\n":
        return None
    if body[start] in "\"'":
        quote, at = body[start], start + 1
        while at < len(body) and body[at] != "\n":
            if body[at] == "\\" and quote == '"':
                at += 2
                continue
            if body[at] == quote:
                if quote == "'" and body[at + 1 : at + 2] == "'":
                    at += 2
                    continue
                return at + 1
            at += 1
        return None
    end = body.find("\n", start)
    end = len(body) if end < 0 else end
    comment = _COMMENT.search(body, start, end)
    end = comment.start() if comment else end
    return start + len(body[start:end].rstrip())


def flow_scalar_end(body: str, start: int) -> int | None:
    """Where a one-line scalar inside of brackets or braces ends; `None` for anything else."""
    if body[start : start + 1] in ("'", '"'):
        return scalar_end(body, start)
    match = re.compile(r"[^\s,\[\]{}&*!|>#][^,\[\]{}\n]*").match(body, start)
    if match is None:
        return None
    text = _COMMENT.split(match[0], maxsplit=1)[0]
    return start + len(text.rstrip())


def quoted(value: Any) -> str:
    """A text in double quotes, which every place of YAML takes; other values as they are."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else scalar(value)


def flow(value: Any) -> str:
    """A value on one line, as it may stand inside of braces."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(k)}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    text = scalar(value)
    return quoted(value) if re.search(r"[,\[\]{}]|: ", text) else text


def flow_end(body: str, start: int) -> int | None:
    """Where the brace that closes the one at `start` is; `None` when it cannot be known."""
    depth, at = 0, start
    while at < len(body):
        char = body[at]
        if char in "\"'" and body[at - 1] in " \t\n,[{:":
            match = _QUOTED.match(body, at)
            if match is None:
                return None
            at = match.end()
            continue
        if char == "#" and body[at - 1] in " \t\n":
            at = body.find("\n", at)
            if at < 0:
                return None
        depth += (char in "{[") - (char in "}]")
        if depth == 0:
            return at
        at += 1
    return None


def with_comment(written: str, old: str) -> str:
    """A block with the comment that stood behind the value on the line that it replaces."""
    if "\n" not in written:
        return f"{written}   {old}"
    first, _, rest = written.partition("\n")
    return f"{first}   {old}\n{rest}"


def after_colon(body: str, start: int) -> int:
    """Where a value may be written for the key that starts at `start`."""
    end = (scalar_end(body, start) or start) if body[start] in "\"'" else start
    match = re.compile(r":(?=\s|$)").search(body, end)
    return match.end() if match else end


def comments(text: str) -> int:
    """How many lines of `text` seem to hold a comment."""
    return len(re.findall(r"(?m)(?:^|\s)#", text))


def scalar(value: Any) -> str:
    """One value as YAML on one line, quoted where an older YAML would read something else."""
    if value is None:
        return "null"
    if isinstance(value, (dict, list)) and not value:
        return "{}" if isinstance(value, dict) else "[]"
    if isinstance(value, str) and value.lower() in ("yes", "no", "on", "off", "y", "n"):
        return f'"{value}"'
    out = io.StringIO()
    yaml = YAML()
    yaml.Representer = _Inline
    yaml.width = 1 << 30
    yaml.dump({"k": value}, out)
    return out.getvalue().removeprefix("k:").strip()


def block(value: Any, indent: int) -> str:
    """Block YAML of a map or list, indented by `indent` columns, without a final line end."""
    out = io.StringIO()
    yaml = YAML()
    yaml.width = 1 << 30
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.Representer = _Block
    yaml.dump(value, out)
    # A text that ends in empty lines is followed by an end mark, which belongs to no block.
    text = out.getvalue()
    text = text[:-4] if text.endswith("\n...\n") else text
    lines = text.removesuffix("\n").split("\n")
    if isinstance(value, list):
        lines = [line[2:] if line.startswith("  ") else line for line in lines]
    return "\n".join(" " * indent + line if line else line for line in lines)


def block_end(lines: Sequence[str], line: int, column: int) -> int:
    """The line after the last one that belongs to the block starting at `line`, `column`."""
    last = line + 1
    for number in range(line + 1, len(lines)):
        text = lines[number]
        if not text.strip():
            continue
        indent = len(text) - len(text.lstrip())
        same_list = text.lstrip().startswith("- ") and indent == column
        inside = indent > column or (same_list and not _is_item(lines[line], column))
        if text.lstrip().startswith("#") and not inside:
            break
        if not inside:
            break
        last = number + 1
    return last


def _is_item(text: str, column: int) -> bool:
    return text[column : column + 1] == "-"


def without_blank_end(lines: list[str]) -> list[str]:
    """`lines` without empty ones at the end."""
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return lines
