"""Edits inside of the braces and brackets of a YAML text: what stands around a value stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from routestudio.project.yamltext import flow, flow_end, flow_scalar_end, quoted

Place = tuple[int, int, str]
"""Start and end of a part of the text, and what comes in its place."""


def set_value(body: str, start: int, value: Any) -> Iterator[Place]:
    """Another value in the place of the one that starts at `start`, in the ways there are."""
    end = value_end(body, start)
    if end is not None:
        for text in (flow(value), *([quoted(value)] if isinstance(value, str) else ())):
            yield start, end, text


def entry(body: str, start: int, value: int, name: str, new: Any) -> Place | None:
    """Another key and value in the place of the entry with its key at `start`."""
    end = value_end(body, value)
    return None if end is None else (start, end, flow({name: new})[1:-1])


def added(body: str, start: int, new: Mapping[str, Any]) -> Place | None:
    """More keys before the brace that closes the one at `start`."""
    return _before_end(body, start, "{", flow(dict(new))[1:-1])


def appended(body: str, start: int, item: Any) -> Place | None:
    """One more item before the bracket that closes the one at `start`."""
    return _before_end(body, start, "[", flow(item))


def _before_end(body: str, start: int, opening: str, text: str) -> Place | None:
    end = flow_end(body, start) if body[start : start + 1] == opening else None
    if end is None:
        return None
    head = body[:end].rstrip()
    gap = "" if head.endswith(opening) else " " if head.endswith(",") else ", "
    return len(head), len(head), f"{gap}{text}"


def removed(body: str, start: int, value: int) -> Place | None:
    """Nothing in the place of the entry, or item, that starts at `start`, with its comma."""
    end = value_end(body, value)
    if end is None:
        return None
    behind = end + len(body[end:]) - len(body[end:].lstrip(" \t"))
    if body[behind : behind + 1] == ",":
        behind += 1
        return start, behind + len(body[behind:]) - len(body[behind:].lstrip(" \t")), ""
    head = body[:start].rstrip()
    return (len(head) - 1 if head.endswith(",") else start), end, ""


def value_end(body: str, start: int) -> int | None:
    """Where the value that starts at `start` ends; `None` when it cannot be told."""
    first = body[start : start + 1]
    if first in ("[", "{"):
        end = flow_end(body, start)
        return None if end is None else end + 1
    if first == "!":
        return _tagged(body, start)
    return flow_scalar_end(body, start)


def _tagged(body: str, start: int) -> int | None:
    at = start
    while at < len(body) and body[at] not in " \t\n,]}":
        at += 1
    rest = at + len(body[at:]) - len(body[at:].lstrip(" \t"))
    if body[rest : rest + 1] in ("", ",", "]", "}", "\n", "!", "&"):
        return at if body[rest : rest + 1] not in ("!", "&", "\n") else None
    return value_end(body, rest)
