"""The form of messages itself: what Sequin delivers, and what RouteStudio writes and shows."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from routestudio.formats.base import Change, Example, Format, FormatError, Likeness, Raw
from routestudio.model import column_types
from routestudio.model.message import ACTIONS, MessageError, message_parts, typed_parts

_EXPECTED = "expected action, record, changes and metadata"
_PARTS = frozenset({"action", "record", "changes", "metadata"})
_TYPES = "types"
_KNOWN = _PARTS | {_TYPES}


class OwnForm(Format):
    """Messages as they are."""

    key = "message"
    title = "Messages of Sequin and RouteStudio"
    one_to_one = True
    value_only = True
    about = (
        "The message itself: `action`, `record`, `changes` and `metadata`. Sequin delivers it, "
        "RouteStudio writes it into sample sets. Metadata may be left out, and gets defaults. A "
        'value may name its type, `{"$decimal": "12.50"}`, `$date`, `$time`, `$naive` (a time '
        "without zone) or `$datetime`, and so may `types` beside the four parts."
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
        Example(
            "insert with types",
            {"action": "insert", "record": {"id": 1, "total": {"$decimal": "12.50"},
                                            "due": "2024-05-06"}, "types": {"due": "date"}},
            [{"action": "insert", "record": {"id": 1, "total": "12.50", "due": "2024-05-06"}}],
        ),
        Example("delete", {"action": "delete", "record": {"id": 1}},
                [{"action": "delete", "record": {"id": 1}, "changes": None}]),
        Example("read (backfill)", {"action": "read", "record": {"id": 1}},
                [{"action": "read", "record": {"id": 1}, "changes": None}]),
    )  # fmt: skip

    def likeness(self, value: Any, raw: Raw) -> Likeness:
        """Certain with an action that exists and a record."""
        if not isinstance(value, dict) or "record" not in value:
            lost = isinstance(value, dict) and value.keys() <= _KNOWN
            lost = lost and value.get("action") in ACTIONS
            return Likeness.LIKELY if lost else Likeness.NO
        if value.get("action") in ACTIONS and isinstance(value["record"], dict):
            return Likeness.CERTAIN
        outline = "action" in value or (
            value.keys() <= _KNOWN and ("metadata" in value or "types" in value)
        )
        return Likeness.LIKELY if outline else Likeness.NO

    def read(self, value: Any, raw: Raw) -> Iterable[Change]:
        """One change."""
        text = raw.text or raw.value
        if type(value) is dict and len(value) == 4 and type(text) is bytes and b'"$' not in text:
            change = _plain(value)
            if change is not None:
                return (change,)
        if not isinstance(value, dict):
            raise FormatError("a message is an object with action, record, changes and metadata")
        known: dict[str, Any] = value
        notes: tuple[str, ...] = ()
        types: Mapping[str, str] = {}
        if not value.keys() <= _PARTS:
            known, notes = _without_further(value)
        try:
            action, record, changes, metadata = message_parts(known)
            if type(text) is not bytes or b'"$' in text or _TYPES in known:
                record, changes, types = typed_parts(known, record, changes)
        except MessageError as error:
            raise FormatError(str(error), _EXPECTED) from None
        identified = (
            metadata.get("commit_lsn") is not None and metadata.get("commit_idx") is not None
        )
        return (Change(action, record, changes, metadata, types=types, identified=identified,
                       notes=notes),)  # fmt: skip


def _plain(value: dict[str, Any]) -> Change | None:
    """The change of a row with the four parts, each as it should be, and nothing else; otherwise
    `None`, and the whole way finds out what is wrong."""
    try:
        action, record, changes = value["action"], value["record"], value["changes"]
        metadata = value["metadata"]
    except KeyError:
        return None
    if (
        type(record) is not dict
        or type(metadata) is not dict
        or not (type(changes) is dict or (changes is None and action != "update"))
        or action not in ACTIONS
    ):
        return None
    identified = metadata.get("commit_lsn") is not None and metadata.get("commit_idx") is not None
    return Change(action, record, changes, metadata, None, _NO_TYPES, identified, ())


_NO_TYPES: Mapping[str, str] = {}


def _without_further(value: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """A message without the keys that it does not have, and a note on them.

    Raises `FormatError` for one that is probably a part with another spelling.
    """
    further = [
        key for key in value if key not in _PARTS
        and (key != _TYPES or column_types.named(value[key]) is None)
    ]  # fmt: skip
    if not further:
        return value, ()
    for key in further:
        near = difflib.get_close_matches(key, _PARTS, n=1)
        if near:
            raise FormatError(f"unknown key `{key}`", f"did you mean `{near[0]}`?")
    known = {key: value[key] for key in value if key not in further}
    return known, (f"The row has further keys, which are left out: {', '.join(further)}.",)
