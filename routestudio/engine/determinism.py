"""Whether a route gives the same for the same message: at another time, and when asked again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from routestudio.engine.expectations import expectation
from routestudio.engine.workspace import PreparedSink
from routestudio.model.message import Message
from routestudio.pipeline.stages import Staged

TIMES: Final = ("2024-02-29T23:59:59.999999+00:00", "2031-07-08T09:10:11+00:00")
"""Two moments that differ in every part of a date and a time."""


@dataclass(frozen=True, slots=True)
class Unsteady:
    """A message whose outcome depends on when it is evaluated. `index` is its place in the list."""

    index: int
    one: dict[str, Any]
    other: dict[str, Any]
    what: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain data: `what` are routed fields, or `payload`, `filtered`, `error`."""
        return {
            "index": self.index,
            "one": self.one,
            "other": self.other,
            "what": list(self.what),
            "times": list(TIMES),
        }


async def unsteady(prepared: PreparedSink, messages: Sequence[Message]) -> list[Unsteady]:
    """Evaluate every message at two times; those that differ.

    Raises `WorkerError` when there is no function worker.
    """
    if not prepared.stages.uses_pool:
        return []
    first = await prepared.stages.apply(messages, now=TIMES[0])
    second = await prepared.stages.apply(messages, now=TIMES[1])
    found = []
    for index, (one, other) in enumerate(zip(first, second, strict=True)):
        what = _differing(one, other)
        if what:
            sink = prepared.sink
            found.append(
                Unsteady(index, expectation(one, sink), expectation(other, sink), tuple(what))
            )
    return found


def _differing(one: Staged, other: Staged) -> list[str]:
    if one.filtered != other.filtered:
        return ["filtered"]
    if [p.code for p in one.problems] != [p.code for p in other.problems]:
        return ["error"]
    before = one.effective.values if one.effective else {}
    after = other.effective.values if other.effective else {}
    found = [name for name in before if before[name] != after.get(name)]
    payloads = (one.payload, other.payload)
    if None not in payloads and len({repr(item and item.value) for item in payloads}) > 1:
        found.append("payload")
    return found
