"""Supabase's database webhooks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from routestudio.formats._envelope import (
    Envelope,
    choice,
    columns,
    is_text,
    map_or_null,
    named,
    one_of,
    some_columns,
)
from routestudio.formats.base import Change, Example, Raw, old_values
from routestudio.model.message import Action

_ACTIONS: Final[dict[str, Action]] = {"INSERT": "insert", "UPDATE": "update", "DELETE": "delete"}


class Supabase(Envelope):
    """One row change a request, with the full old row."""

    key = "supabase"
    title = "Supabase webhooks"
    about = (
        "The body of [Supabase's database webhooks]"
        "(https://supabase.com/docs/guides/database/webhooks): `record` with the new row and "
        "`old_record` with the full old one."
    )
    facts = (
        "Read in excerpts of "
        "Supabase's documentation, apps/docs/content/guides/database/webhooks of "
        "github.com/supabase/supabase at commit 075053a; not run: the examples follow that page."
    )
    unknowable = (
        "The primary key of the table.",
        "Types of columns: a decimal is a JSON number.",
        "When the change was committed.",
    )
    examples = (
        Example(
            "insert",
            {"type": "INSERT", "table": "orders", "schema": "public",
             "record": {"id": 1, "note": "a"}, "old_record": None},
            [{"action": "insert", "record": {"id": 1, "note": "a"}, "changes": None,
              "metadata": {"table_schema": "public", "table_name": "orders"}}],
        ),
        Example(
            "update",
            {"type": "UPDATE", "table": "orders", "schema": "public",
             "record": {"id": 1, "note": "b"}, "old_record": {"id": 1, "note": "a"}},
            [{"action": "update", "record": {"id": 1, "note": "b"}, "changes": {"note": "a"}}],
        ),
        Example(
            "delete",
            {"type": "DELETE", "table": "orders", "schema": "public", "record": None,
             "old_record": {"id": 1, "note": "b"}},
            [{"action": "delete", "record": {"id": 1, "note": "b"}, "changes": None}],
        ),
    )  # fmt: skip

    parts: ClassVar = {"type": one_of(*_ACTIONS), "table": is_text, "schema": is_text,
             "record": map_or_null, "old_record": map_or_null}  # fmt: skip
    others = frozenset({"user_id"})

    def read(self, value: Any, raw: Raw) -> Iterable[Change]:
        """One change."""
        action: Action = choice(value, "type", _ACTIONS)
        record = columns(value, "old_record" if action == "delete" else "record")
        old = some_columns(value, "old_record") or {}
        changes = old_values(old, record) if action == "update" else None
        metadata = named(table_schema=value.get("schema"), table_name=value.get("table"))
        yield Change(action, record, changes, metadata)
