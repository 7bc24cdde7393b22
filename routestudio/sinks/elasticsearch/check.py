"""Whether an index takes what the sink sends: its state, asked for without writing.

The resolve-index, get-alias and get-index APIs of Elasticsearch and OpenSearch are alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from routestudio.sinks._shared.http.client import Answer
from routestudio.sinks._shared.http.service import ServiceLink, Verdict, failed, segment


@dataclass(frozen=True, slots=True)
class Found:
    """An index, or what stands for it. `seen`: its settings were read and allow writing."""

    text: str
    seen: bool


async def look(link: ServiceLink, name: str) -> Found | Verdict | None:
    """What is called `name`, or why it takes nothing; `None` when that cannot be known this way."""
    answer = await _resolved(link, name)
    if _named(answer, "data_streams", name) is not None:
        return failed(
            f"`{name}` is a data stream, which takes new documents only: this sink replaces and "
            "deletes documents by their id",
            "route to an index, or to an alias of one",
        )
    alias = _named(answer, "aliases", name)
    if alias is not None:
        return await _alias(link, name)
    index = _named(answer, "indices", name)
    if index is None:
        return None
    return await _index(link, name, f"`{name}`", index)


async def _alias(link: ServiceLink, name: str) -> Found | Verdict:
    answer = await link.call("GET", f"/_alias/{segment(name)}")
    held = answer.json() if answer.ok else None
    if not isinstance(held, dict):
        return Found(f"the alias `{name}` exists", seen=False)
    marks = {index: _at(entry, "aliases", name, "is_write_index") for index, entry in held.items()}
    chosen = [index for index, mark in marks.items() if mark is True]
    if not chosen and len(marks) == 1 and None in marks.values():
        chosen = list(marks)
    if len(chosen) != 1:
        count = f"{len(marks)} index" + ("es" if len(marks) != 1 else "")
        return failed(
            f"the alias `{name}` of {count} has no write index, so every document is refused",
            "set is_write_index for one of its indexes, or route to an index",
        )
    [target] = chosen
    index = _named(await _resolved(link, target), "indices", target) or {}
    return await _index(
        link, target, f"the alias `{name}`, whose write index is `{target}`,", index
    )


async def _index(
    link: ServiceLink, name: str, shown: str, resolved: Mapping[str, Any]
) -> Found | Verdict:
    if "closed" in (resolved.get("attributes") or ()):
        return failed(f"the index `{name}` is closed", "open it, or route elsewhere")
    answer = await link.call("GET", f"/{segment(name)}")
    found = _at(answer.json(), name) if answer.ok else None
    if not isinstance(found, dict):
        return Found(f"{shown} exists", seen=False)
    blocks = _at(found, "settings", "index", "blocks")
    blocks = blocks if isinstance(blocks, dict) else {}
    for block, why, hint in _BLOCKS:
        if str(blocks.get(block)).lower() == "true":
            return failed(f"the index `{name}` {why} (index.blocks.{block})", hint)
    if _at(found, "mappings", "_routing", "required") is True:
        return failed(
            f"the index `{name}` takes only documents with a routing value, and this sink sends "
            "none (_routing.required)",
            "route to an index without it",
        )
    return Found(f"{shown} exists", seen=True)


_BLOCKS = (
    ("write", "takes no writes", "set index.blocks.write to false, or route elsewhere"),
    ("read_only", "is read-only", "set index.blocks.read_only to false, or route elsewhere"),
    ("read_only_allow_delete", "is read-only, as servers make it when a disk is nearly full",
     "free space on the server's disk"),
)  # fmt: skip
"""Settings of an index that refuse documents, in the order in which they are looked at."""


async def _resolved(link: ServiceLink, name: str) -> Answer:
    path = f"/_resolve/index/{segment(name)}"
    return await link.call("GET", path, query={"expand_wildcards": "all"})


def _named(answer: Answer, kind: str, name: str) -> Mapping[str, Any] | None:
    """The entry of a resolved list that has exactly this name."""
    listed = _at(answer.json(), kind) if answer.ok else None
    entries = listed if isinstance(listed, list) else []
    return next((e for e in entries if isinstance(e, dict) and e.get("name") == name), None)


def _at(value: Any, *path: str) -> Any:
    """What is at a path of maps; `None` when it is not there."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value
