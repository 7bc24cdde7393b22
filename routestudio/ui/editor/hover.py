"""Help for the name under the mouse: what it is, its type, an example."""

from __future__ import annotations

import re
from collections.abc import Iterable

from routestudio.ui.editor.completion import Item, Vocabulary

_NAME = re.compile(r"[A-Za-z_]\w*[?!]?")
_PATH = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*[?!]?)*")


def help_at(vocabulary: Vocabulary, line: str, column: int) -> str:
    """Help for the name at a column (from 0) of a line of code; empty when there is none.

    A column in `record["name"]`, a field of `metadata`, a routed field as a key, or a name of the
    library.
    """
    match = next((m for m in _NAME.finditer(line) if m.start() <= column < m.end()), None)
    if match is None:
        return ""
    name, before, after = match[0], line[: match.start()], line[match.end() :]
    if re.search(r"(record|changes)(\[|\.get\()\s*[\"']$", before):
        return _said(vocabulary.columns, name, "column")
    if re.search(r"(record|changes)\.$", before):
        return _said(vocabulary.columns, name, "column")
    if re.search(r"metadata(\.|(\[|\.get\()\s*[\"'])$", before):
        return _said(vocabulary.metadata, name, "metadata")
    quoted = before[-1:] in ("'", '"') and after[:1] == before[-1:]
    if (quoted and re.match(r"[\"']\s*(:|\]\s*=|=>)", after)) or re.match(r":\s", after):
        return _said(vocabulary.routed, name, "routed field")
    if quoted or _in_comment(before):
        return ""
    path = next((m[0][: match.end() - m.start()] for m in _PATH.finditer(line)
                 if m.start() <= match.start() < m.end()), name)  # fmt: skip
    return _said(vocabulary.library, path, "") or _said(vocabulary.words, name, "")


def _said(items: Iterable[Item], name: str, what: str) -> str:
    item = next((item for item in items if item.text == name), None)
    if item is None:
        return ""
    head = item.detail if item.detail.startswith(item.text) else f"{item.text}  {item.detail}"
    lines = [head.strip() + (f"  ({what})" if what else ""), item.doc]
    return "\n".join(line for line in lines if line)


def _in_comment(before: str) -> bool:
    """Whether a `#` outside of quotes is before; f-strings and interpolation have them inside."""
    bare = re.sub(r"\"[^\"]*\"?|'[^']*'?", "", before)
    return "#" in bare
