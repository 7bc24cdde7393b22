"""Texts that are often written, for completion."""

from __future__ import annotations

from routestudio.ui.editor.completion import Item

_PYTHON = (
    Item("if action: a branch per action", "snippet", "One branch for each action", "snippet",
         'if action == "delete":\n    return {$0}\n'
         'if action == "update":\n    return {}\n'
         "return {}  # insert, and read for rows of a backfill"),
    Item("if delete with keys only", "snippet",
         "A delete may hold the key columns only: read others with a default", "snippet",
         'if action == "delete":\n    # A delete may hold the key columns only.\n'
         '    value = record.get("$0")'),
    Item("topic of the table", "snippet", "A name made of values of the message", "snippet",
         'f"{metadata.table_schema}.{metadata.table_name}$0"'),
    Item("keys joined", "snippet", "The primary key as one text", "snippet",
         '"-".join(metadata.record_pks)'),
    Item("match action", "snippet", "One case for each action", "snippet",
         'match action:\n    case "insert" | "read":\n        return {$0}\n'
         '    case "update":\n        return {}\n    case _:\n        return {}'),
)  # fmt: skip

_ELIXIR = (
    Item("case action: a branch per action", "snippet", "One branch for each action", "snippet",
         'case action do\n  "delete" -> %{$0}\n  "update" -> %{}\n  _ -> %{}\nend'),
    Item("if delete with keys only", "snippet",
         "A delete may hold the key columns only: read others with a default", "snippet",
         'if action == "delete" do\n  # A delete may hold the key columns only.\n'
         '  Map.get(record, "$0", "")\nend'),
    Item("topic of the table", "snippet", "A name made of values of the message", "snippet",
         '"#{metadata.table_schema}.#{metadata.table_name}$0"'),
    Item("keys joined", "snippet", "The primary key as one text", "snippet",
         'Enum.join(metadata.record_pks, "-")'),
)  # fmt: skip


def snippets(language: str) -> tuple[Item, ...]:
    """The snippets of a language; `$0` is where the cursor ends."""
    return _ELIXIR if language == "elixir" else _PYTHON
