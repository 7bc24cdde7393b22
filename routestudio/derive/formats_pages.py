"""Pages and descriptions of row formats, derived from their classes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from routestudio.formats import registry
from routestudio.formats.base import Example, Format, Wrapper

FOLDER = "formats"


def describe(kind: type[Format]) -> dict[str, Any]:
    """A format as plain data, as the command line gives it."""
    return {
        "key": kind.key,
        "title": kind.title,
        "about": kind.about,
        "facts": kind.facts,
        "passes_over": dict(kind.passes_over),
        "unknowable": list(kind.unknowable),
        "setup": list(kind.setup),
        "options": dict(kind.options),
        "examples": [
            {"title": e.title, "value": e.value, "key": e.key, "topic": e.topic,
             "headers": dict(e.headers),
             "gives": e.gives if isinstance(e.gives, str) else [dict(item) for item in e.gives]}
            for e in kind.examples
        ],
    }  # fmt: skip


def lines(kind: type[Format]) -> Iterator[str]:
    """The page of a format below its title, in Markdown."""
    yield from ("", kind.about, "", f"Name on the command line: `{kind.key}`.", "")
    if kind.options:
        yield from _list("Options", _pairs(kind.options))
    if kind.setup:
        yield from _list("What to set at the producer", kind.setup)
    if kind.unknowable:
        yield from _list("What cannot be known from a row", kind.unknowable)
    if kind.passes_over:
        yield from _list("What is passed over, and counted", _pairs(kind.passes_over))
    if kind.examples:
        yield from ("## Examples", "")
        for example in kind.examples:
            yield from _example(example)
    yield from (f"Facts: {kind.facts}", "")


def page(kind: type[Format]) -> str:
    """The page of a format."""
    return "\n".join((f"# {kind.title}", *lines(kind)))


def index() -> str:
    """The page that lists all formats and wrappers."""
    found = ["# Row formats", "", (
        "Rows are recognised by themselves, row by row; `--envelope NAME` names a format instead. "
        "What is not a row change is passed over and counted by kind; what cannot be read is a "
        "fault with its place."
    ), "", "| Format | Name | Passed over |", "| --- | --- | --- |"]  # fmt: skip
    for kind in registry.formats().values():
        over = ", ".join(kind.passes_over) or "–"
        found.append(f"| [{kind.title}]({kind.key}.md) | `{kind.key}` | {over} |")
    found += ["", "Rows may travel in something else, which is opened:", "",
              "| Wrapper | What it is |", "| --- | --- |"]  # fmt: skip
    found += [f"| {_cell(item)} |" for item in registry.wrappers().values()]
    found += ["", "Avro and Protobuf of a schema registry are recognised and refused: use Kafka "
              "Connect's JSON converter, or convert the records.", ""]  # fmt: skip
    return "\n".join(found)


def pages() -> dict[str, str]:
    """All pages by their file names below `docs/`."""
    found = {f"{FOLDER}/index.md": index()}
    for kind in registry.formats().values():
        found[f"{FOLDER}/{kind.key}.md"] = page(kind)
    return found


def _cell(kind: type[Wrapper]) -> str:
    return f"{kind.title} | {kind.about}"


def _list(title: str, items: Any) -> Iterator[str]:
    yield from (f"## {title}", "", *(f"- {item}" for item in items), "")


def _pairs(items: Mapping[str, str]) -> Iterator[str]:
    return (f"`{name}`: {text}" for name, text in items.items())


def _example(example: Example) -> Iterator[str]:
    yield from (f"### {example.title[:1].upper()}{example.title[1:]}", "")
    if example.topic:
        yield from (f"In the topic `{example.topic}`:", "")
    if example.key is not None:
        yield from ("Key:", "", "```json", json.dumps(example.key, ensure_ascii=False), "```", "")
    value = json.dumps(example.value, ensure_ascii=False, indent=2)
    yield from ("```json", value, "```", "")
    if isinstance(example.gives, str):
        yield from (f"It is passed over: {example.gives}.", "")
        return
    many = len(example.gives) > 1
    yield from ("gives the messages" if many else "gives", "", "```json")
    yield from (json.dumps(dict(item), ensure_ascii=False) for item in example.gives)
    yield from ("```", "")
