"""Whether a message belongs to a sink: its `actions` and `source`.

Facts: docs/reference/sequin.md#keys-of-a-sink.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from routestudio.model.message import Message

_CACHE_LIMIT: Final = 4096
_LISTS: Final = ("include_schemas", "exclude_schemas", "include_tables", "exclude_tables")


def matcher(
    actions: Collection[str] | None, source: Mapping[str, Collection[str]] | None
) -> Callable[[Message], str | None] | None:
    """A test that gives `None` for a message of the sink, else `"actions"` or `"source"`.

    `actions` are the accepted ones; `read` always passes, because backfills bypass the list.
    `source` has any of `include_schemas`, `exclude_schemas`, `include_tables`, `exclude_tables`;
    tables are `schema.table`, or `table` for `public.table`. `None` instead of a test means that
    every message belongs to the sink.
    """
    wanted = None if actions is None else frozenset(actions) | {"read"}
    if wanted is not None and wanted >= {"insert", "update", "delete"}:
        wanted = None
    lists = _lists(source)
    if wanted is None and not lists:
        return None
    belongs = table_test(source)
    known: dict[tuple[str, str], bool] = {}

    def match(message: Message) -> str | None:
        if wanted is not None and message.action not in wanted:
            return "actions"
        if not lists:
            return None
        metadata = message.metadata
        key = (metadata["table_schema"], metadata["table_name"])
        accepted = known.get(key)
        if accepted is None:
            if len(known) >= _CACHE_LIMIT:
                known.clear()
            accepted = known[key] = belongs(*key)
        return None if accepted else "source"

    return match


def table_test(source: Mapping[str, Collection[str]] | None) -> Callable[[str, str], bool]:
    """A test whether `source` lets rows of a table through, by schema and name."""
    lists = _lists(source)
    in_schemas, out_schemas = lists.get("include_schemas"), lists.get("exclude_schemas")
    in_tables, out_tables = (
        _tables(lists.get("include_tables")),
        _tables(lists.get("exclude_tables")),
    )

    def belongs(schema: str, table: str) -> bool:
        if out_schemas and schema in out_schemas:
            return False
        if in_schemas and schema not in in_schemas:
            return False
        name = f"{schema}.{table}"
        if out_tables and name in out_tables:
            return False
        return not in_tables or name in in_tables

    return belongs


def _lists(source: Mapping[str, Collection[str]] | None) -> dict[str, frozenset[str]]:
    return {
        key: frozenset(map(str, (value,) if isinstance(value, str) else value))
        for key, value in (source or {}).items()
        if value and key in _LISTS and isinstance(value, (str, list, tuple, set, frozenset))
    }


def _tables(names: Collection[str] | None) -> frozenset[str] | None:
    if not names:
        return None
    return frozenset(name if "." in name else f"public.{name}" for name in names)
