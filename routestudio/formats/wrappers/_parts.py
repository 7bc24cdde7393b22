"""What the wrappers share: parts that are text of JSON become bytes again."""

from __future__ import annotations

from typing import Any


def undecoded(value: Any) -> Any:
    """Text as the bytes that a record held; anything else as it is."""
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value


def is_whole(value: Any) -> bool:
    """Whether it is an integer."""
    return isinstance(value, int) and not isinstance(value, bool)
