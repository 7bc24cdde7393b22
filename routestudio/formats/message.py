"""The form of messages itself: what Sequin delivers, and what RouteStudio writes and shows."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from routestudio.formats.base import Change, Example, Format, FormatError, Likeness, Raw
from routestudio.model.message import ACTIONS, MessageError, message_parts

_EXPECTED = "expected action, record, changes and metadata"
_PARTS = frozenset({"action", "record", "changes", "metadata"})


class OwnForm(Format):
    """Messages as they are."""

    key = "message"
    title = "Messages of Sequin and RouteStudio"
    one_to_one = True
    value_only = True
    about = (
        "The message itself: `action`, `record`, `changes` and `metadata`. Sequin delivers it, "
        "RouteStudio writes it into sample sets. Metadata may be left out, and gets defaults."
    )
    facts = "Sequin's reference of messages (https://sequinstream.com/docs/reference/messages)."
    unknowable = (
        "Without `commit_lsn` and `commit_idx`, the place of the row makes its idempotency key.",
    )
    examples = (
        Example(
            "insert",
            {"action": "insert", "record": {"id": 1}, "changes": None,
             "metadata": {"table_name": "orders", "commit_lsn": 5, "commit_idx": 0}},
            [{"action": "insert", "record": {"id": 1}, "changes": None}],
        ),
        Example(
            "update",
            {"action": "update", "record": {"id": 1, "qty": 2}, "changes": {"qty": 1},
             "metadata": {"table_name": "orders", "record_pks": ["1"]}},
            [{"action": "update", "record": {"id": 1, "qty": 2}, "changes": {"qty": 1}}],
        ),
        Example("delete", {"action": "delete", "record": {"id": 1}},
                [{"action": "delete", "record": {"id": 1}, "changes": None}]),
        Example("read (backfill)", {"action": "read", "record": {"id": 1}},
                [{"action": "read", "record": {"id": 1}, "changes": None}]),
    )  # fmt: skip

    def likeness(self, value: Any, raw: Raw) -> Likeness:
        """Certain with an action that exists and a record."""
        if not isinstance(value, dict) or "record" not in value:
            lost = isinstance(value, dict) and value.keys() <= _PARTS
            lost = lost and value.get("action") in ACTIONS
            return Likeness.LIKELY if lost else Likeness.NO
        if value.get("action") in ACTIONS and isinstance(value["record"], dict):
            return Likeness.CERTAIN
        outline = "action" in value or ("metadata" in value and value.keys() <= _PARTS)
        return Likeness.LIKELY if outline else Likeness.NO

    def read(self, value: Any, raw: Raw) -> Iterable[Change]:
        """One change."""
        if not isinstance(value, dict):
            raise FormatError("a message is an object with action, record, changes and metadata")
        known: dict[str, Any] = value
        notes: tuple[str, ...] = ()
        if not value.keys() <= _PARTS:
            known, notes = _without_further(value)
        try:
            action, record, changes, metadata = message_parts(known)
        except MessageError as error:
            raise FormatError(str(error), _EXPECTED) from None
        identified = (
            metadata.get("commit_lsn") is not None and metadata.get("commit_idx") is not None
        )
        return (Change(action, record, changes, metadata, identified=identified, notes=notes),)


def _without_further(value: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """A message without the keys that it does not have, and a note on them.

    Raises `FormatError` for one that is probably a part with another spelling.
    """
    further = [key for key in value if key not in _PARTS]
    for key in further:
        near = difflib.get_close_matches(key, _PARTS, n=1)
        if near:
            raise FormatError(f"unknown key `{key}`", f"did you mean `{near[0]}`?")
    known = {key: value[key] for key in value if key in _PARTS}
    return known, (f"The row has further keys, which are left out: {', '.join(further)}.",)
