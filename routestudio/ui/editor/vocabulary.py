"""What the editor proposes: real columns, metadata, routed fields, the library of functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

from routestudio.derive import catalog
from routestudio.derive.library import METADATA_FIELDS, elixir_functions, entries
from routestudio.ui.editor.completion import Item, Vocabulary
from routestudio.ui.editor.snippets import snippets

_ARGUMENTS = (
    Item("action", "text", "insert, update, delete or read", "metadata"),
    Item("record", "map", "the row", "metadata"),
    Item("changes", "map or None", "old values of changed columns", "metadata"),
    Item("metadata", "", "where the message comes from", "metadata"),
)
_PYTHON = ("return if else elif for in not and or None True False lambda match case raise try "
           "except")  # fmt: skip
_ELIXIR = "if else case cond with do end fn when not and or in nil true false"

_METADATA: Mapping[str, tuple[str, str]] = {
    "table_schema": ("text", "schema of the table"),
    "table_name": ("text", "name of the table"),
    "database_name": ("text", "name of the database"),
    "commit_timestamp": ("text", "when the change was committed, ISO 8601"),
    "commit_lsn": ("number", "place of the transaction in the write-ahead log"),
    "commit_idx": ("number", "place of the change in its transaction"),
    "record_pks": ("list of text", "values of the primary key"),
    "idempotency_key": ("text", "the same each time this change is delivered"),
    "transaction_annotations": ("map or None", "what the application wrote into the transaction"),
    "enrichment": ("map or None", "what the enrichment query gave"),
    "consumer": ("map", "the sink: id, name, annotations"),
    "database": ("map", "the database: id, name, hostname, annotations"),
}

Examples = Mapping[str, Mapping[str, str]]


def vocabulary(
    sink_type: str | None,
    columns: Sequence[tuple[str, str, str]],
    *,
    language: str = "python",
    examples: Examples | None = None,
) -> Vocabulary:
    """Proposals for a function of a sink type; `columns` are names, types and origins of types of
    the samples' columns.

    `examples` is the answer of the request of that name.
    """
    routed: tuple[Item, ...] = ()
    if catalog.known(sink_type) and sink_type is not None:
        routed = tuple(
            Item(row.name, row.kind, _lines(f"{row.help} Default: {row.default}",
                 row.limits and f"Limits: {row.limits}", row.example and f"Example: {row.example}"),
                 "routed")
            for row in catalog.docs(sink_type)
        )  # fmt: skip
    seen = examples or {}
    of_columns, of_metadata = seen.get("columns", {}), seen.get("metadata", {})
    words = _ELIXIR if language == "elixir" else _PYTHON
    keys: tuple[Item, ...] = ()
    if language == "elixir":
        # Keys of a map are bare words there: `%{topic: ...}`.
        keys = tuple(replace(item, body=f"{item.text}: $0") for item in routed)
    return Vocabulary(
        columns=[
            _seen(Item(name, kind, column_text(origin), "column"), of_columns)
            for name, kind, origin in columns
        ],
        metadata=[
            _seen(Item(name, *_METADATA.get(name, ("", "metadata")), "metadata"), of_metadata)
            for name in sorted(METADATA_FIELDS)
        ],
        routed=routed,
        library=_library(language),
        words=(*_ARGUMENTS, *keys, *(Item(word, "keyword") for word in words.split()),
               *snippets(language)),
    )  # fmt: skip


_ORIGINS: Mapping[str, str] = {
    "project": "its type is named in the project",
    "row": "its type comes with the rows",
    "guess": "its type is a guess, by the form of its values",
}


def column_text(origin: str) -> str:
    """What is shown about a column of the samples: who names its type."""
    if origin == "database":
        return "column of the database's table"
    said = _ORIGINS.get(origin)
    return f"column of the samples; {said}" if said else "column of the samples"


def _seen(item: Item, examples: Mapping[str, str]) -> Item:
    if item.text not in examples:
        return item
    return replace(item, doc=_lines(item.doc, f"Example: {examples[item.text]}"))


def _lines(*texts: str) -> str:
    return "\n".join(text for text in texts if text)


@cache
def _library(language: str) -> tuple[Item, ...]:
    found = elixir_functions() if language == "elixir" else entries()
    return tuple(Item(e.name, e.signature, e.doc, "function") for e in found)
