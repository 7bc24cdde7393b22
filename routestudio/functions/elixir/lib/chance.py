"""Enum's functions that draw by chance: another result each time, of the right kind."""

from __future__ import annotations

import random
from typing import Any

from routestudio.functions.elixir.errors import clause
from routestudio.functions.elixir.lib.common import items
from routestudio.functions.elixir.lib.enum import empty_error
from routestudio.functions.elixir.registry import define


@define("Enum", "random", 1)
def pick(value: Any) -> Any:
    """`Enum.random/1`."""
    given = items(value)
    if not given:
        raise empty_error()
    return random.choice(given)  # noqa: S311 - no secret depends on it


@define("Enum", "shuffle", 1)
def shuffle(value: Any) -> list[Any]:
    """`Enum.shuffle/1`."""
    return random.sample(items(value), len(items(value)))


@define("Enum", "take_random", 2)
def take_random(value: Any, count: Any) -> list[Any]:
    """`Enum.take_random/2`."""
    if type(count) is not int or count < 0:
        raise clause("Enum.take_random/2")
    given = items(value)
    return random.sample(given, min(count, len(given)))
