"""What a route test may expect of a message, how it is compared, and made of a result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from routestudio.engine.rows import destination_of
from routestudio.pipeline.stages import Staged
from routestudio.sinks.base import Sink

KEYS: Final = ("destination", "routing", "filtered", "error")
"""`destination`: the rendered destination; `routing`: routed fields, as many as are named;
`filtered`: true or false; `error`: the code or field of a problem, or true for any."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One expectation that was not met. `what` is `destination`, a routed field, `error` ..."""

    what: str
    expected: Any
    got: Any
    text: str

    def as_json(self) -> dict[str, Any]:
        """Plain data for the window."""
        return {"what": self.what, "expected": self.expected, "got": self.got, "text": self.text}


def rendered(staged: Staged, sink: type[Sink]) -> str | None:
    """The destination of a message in one line; `None` when it was not routed."""
    values = staged.effective.values if staged.effective else {}
    return destination_of(values, sink.batch_by) if values else None


def differences(expect: Mapping[str, Any], staged: Staged, sink: type[Sink]) -> list[Difference]:
    """Everything in which `staged` differs from `expect`; an empty list when it is.

    A message that fails, or that is filtered, although the test does not expect it is one, too.
    """
    found: list[Difference] = []
    filtered = staged.filtered is not None
    if "filtered" in expect:
        if filtered is not bool(expect["filtered"]):
            found.append(_differs("filtered", bool(expect["filtered"]), filtered))
    elif filtered:
        text = f"the message was filtered by its {staged.filtered}"
        found.append(Difference("filtered", False, True, text))
    first = staged.problems[0] if staged.problems else None
    if "error" in expect:
        wanted = expect["error"]
        codes = {p.code for p in staged.problems} | {p.field for p in staged.problems}
        if (wanted is True and first is None) or (wanted is not True and wanted not in codes):
            got = first.code if first else None
            text = f"error: expected {wanted}, got {got or 'no error'}"
            found.append(Difference("error", wanted, got, text))
    elif first is not None:
        place = f" (line {first.line})" if first.line else ""
        text = f"{first.stage} failed: {first.message}{place}"
        found.append(Difference("error", None, first.code, text))
    if filtered:
        return found
    if "destination" in expect:
        got = rendered(staged, sink)
        if got != expect["destination"]:
            found.append(_differs("destination", expect["destination"], got))
    values = staged.effective.values if staged.effective else {}
    for name, wanted in (expect.get("routing") or {}).items():
        if name not in values:
            known = ", ".join(values) or "nothing was routed"
            text = f"{name}: is not a routed field of this sink (known: {known})"
            found.append(Difference(name, wanted, None, text))
        elif values[name] != wanted:
            found.append(_differs(name, wanted, values[name]))
    return found


def expectation(staged: Staged, sink: type[Sink]) -> dict[str, Any]:
    """What a test of this very result expects: filtered, the error, or destination and fields."""
    if staged.filtered is not None:
        return {"filtered": True}
    if staged.problems:
        return {"error": staged.problems[0].code}
    values = staged.effective.values if staged.effective else {}
    return {"destination": rendered(staged, sink), "routing": dict(values)}


def _differs(what: str, expected: Any, got: Any) -> Difference:
    return Difference(what, expected, got, f"{what}: expected {_say(expected)}, got {_say(got)}")


def _say(value: Any) -> str:
    return repr(value) if isinstance(value, str) else str(value)
