"""What was recognised of rows, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from routestudio.model.wording import counted

OWN: Final = "Messages of Sequin and RouteStudio"
"""The title of our own form."""
_ORIGINS: Final = {
    "user": "as named here",
    "project": "named by the project",
    "row": "named by the rows",
    "guess": "a guess",
}


def summary_of(found: Mapping[str, Any]) -> str:
    """Such as `Debezium, PostgreSQL: 61 messages; 8 passed over (8 tombstones); 1 bad row`."""
    parts = [f"{title}: {counted(count, 'message')}"
             for title, count in found["recognised"].items()]  # fmt: skip
    parts = parts or ["No messages"]
    passed = passed_text(found["passed_over"])
    if passed:
        parts.append(passed)
    if found.get("faults"):
        parts.append(f"{counted(found['faults'], 'row')} cannot be read")
    return "; ".join(parts)


def source_text(recognised: Mapping[str, int | None], passed: Mapping[str, int]) -> str:
    """What rows are, for the head of a preview; empty for messages in our own form alone."""
    titles = [title for title in recognised if title != OWN or len(recognised) > 1 or passed]
    return "; ".join(title if recognised[title] is None else f"{title}: {recognised[title]:,}"
                     for title in titles)  # fmt: skip


def passed_text(passed: Mapping[str, int]) -> str:
    """Such as `8 passed over (8 tombstones)`; empty where nothing was."""
    if not passed:
        return ""
    kinds = ", ".join(counted(count, kind) for kind, count in passed.items())
    return f"{sum(passed.values()):,} passed over ({kinds})"


def key_text(keys: Sequence[Mapping[str, Any]]) -> str:
    """The key columns of most rows, and who names them."""
    if not keys:
        return ""
    columns, origin = keys[0]["columns"], keys[0]["origin"]
    if origin == "unknown":
        return "unknown: name the columns of the primary key"
    named = ", ".join(columns)
    how = _ORIGINS.get(origin, origin)
    return f"{named} ({how})" if named else how
