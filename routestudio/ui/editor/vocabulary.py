"""What the editor proposes: real columns, metadata, routed fields, the library of functions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from routestudio.derive import catalog
from routestudio.derive.library import METADATA_FIELDS, entries
from routestudio.ui.editor.completion import Item, Vocabulary

_WORDS = (
    Item("action", "text", "insert, update, delete or read", "metadata"),
    Item("record", "map", "the row", "metadata"),
    Item("changes", "map or None", "old values of changed columns", "metadata"),
    Item("metadata", "", "where the message comes from", "metadata"),
    *(Item(word, "keyword") for word in ("return", "if", "else", "elif", "for", "in", "not", "and",
                                         "or", "None", "True", "False", "lambda", "match",
                                         "case", "raise", "try", "except")),
)  # fmt: skip


def vocabulary(sink_type: str | None, columns: Sequence[tuple[str, str]]) -> Vocabulary:
    """Proposals for a function of a sink type; `columns` are names and types of the samples."""
    routed: tuple[Item, ...] = ()
    if catalog.known(sink_type) and sink_type is not None:
        routed = tuple(
            Item(row.name, row.kind, f"{row.help} Default: {row.default}", "routed")
            for row in catalog.docs(sink_type)
        )
    return Vocabulary(
        columns=[Item(name, kind, "column of the samples", "column") for name, kind in columns],
        metadata=[Item(name, "", "metadata", "metadata") for name in sorted(METADATA_FIELDS)],
        routed=routed,
        library=_library(),
        words=_WORDS,
    )


@cache
def _library() -> tuple[Item, ...]:
    return tuple(Item(e.name, e.signature, e.doc, "function") for e in entries())
