"""What is known of a service, format or source is in its room alone (decision 0040)."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

import pytest

from routestudio.formats import registry as formats
from routestudio.sinks import registry as sinks
from routestudio.sources import registry as sources

PACKAGE = Path(__file__).parents[2] / "routestudio"
WORD = re.compile(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+")

SINKS = {
    "sinks/_shared/aws/standin.py": "one server on one port answers for the three services",
    "sinks/_shared/kafka_look.py": "the sink and the source of Kafka look at topics alike",
    "sources/kafka.py": "Kafka as a source, with the names of its library",
    "sources/kafka_look.py": "Kafka as a source",
    "sources/kafka_session.py": "Kafka as a source",
    "formats/cockroachdb.py": "an example row, whose text is CockroachDB's",
    "functions/elixir/lib/decimal.py": "the second of two signs is called s2",
}
"""Modules outside of a sink's room that name one, each with the reason."""

FORMATS = {
    "engine/runs.py": "letters that are tried again are read as what RouteStudio itself wrote",
    "sinks/gcp_pubsub/sink.py": "the name of a picture and of a stand-in",
    "sinks/gcp_pubsub/standin.py": "the name of a stand-in",
    "sinks/kafka/sink.py": "a program of the shell",
}
"""Modules outside of `formats` that name one of its formats, each with the reason."""

SOURCES = {
    "formats/": "names of the database that a format's rows come from",
    "sinks/kafka/": "the sink of the same service",
    "sinks/redis_stream/": "the sink of the same service",
    "sinks/redis_string/": "the sink of the same service",
    "sinks/_shared/": "what is shared with the sink of the same service",
}
"""Modules outside of `sources` that name one of its schemes, each with the reason."""

COMMON = {"array", "console", "message", "plain", "postgres", "record"}
"""Keys that are words of the language, or the name of a user."""


@cache
def modules() -> dict[str, ast.Module]:
    return {
        path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def texts(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The texts of a module with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value, node.lineno


def names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The identifiers of a module with their lines."""
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        match node:
            case ast.Name(id=name) | ast.arg(arg=name) | ast.Attribute(attr=name):
                yield name, line
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, line
            case ast.ClassDef(name=name) | ast.alias(name=name) | ast.keyword(arg=str(name)):
                yield name, line


def has(name: str, key: str) -> bool:
    """Whether the words of a key are among those of a name: `kafka_look` and `KafkaLink`."""
    words = name.split("_") if name.islower() else WORD.findall(name)
    found, wanted = [word.lower() for word in words], key.split("_")
    return any(found[i : i + len(wanted)] == wanted for i in range(len(found)))


def strangers(
    keys: Collection[str], room: str, known: Collection[str], *, named: bool
) -> list[str]:
    """Places outside of `room`, in which `{}` is a key, that are a key or are named after one."""
    found = []
    for module, tree in modules().items():
        if module.startswith(tuple(known)):
            continue
        outside = [key for key in keys if not module.startswith(room.format(key))]
        places = [(text, line) for text, line in texts(tree) if text in outside]
        if named:
            places += [
                (name, line) for name, line in names(tree) if any(has(name, k) for k in outside)
            ]
        found += [f"{module}:{line} {text}" for text, line in places]
    return found


def test_only_its_room_knows_a_sink() -> None:
    """Registry, forms, rules, exports and stand-ins know sinks by what each of them states."""
    assert strangers(sinks.default().keys(), "sinks/{}/", SINKS, named=True) == []


def test_only_their_package_knows_a_format() -> None:
    keys = {*formats.formats(), *formats.wrappers()} - COMMON
    assert strangers(keys, "formats/", FORMATS, named=False) == []


def test_only_their_package_knows_a_source() -> None:
    assert strangers({*sources.by_scheme()} - COMMON, "sources/", SOURCES, named=False) == []


@pytest.mark.parametrize("exceptions", [SINKS, FORMATS, SOURCES])
def test_exceptions_are_still_there(exceptions: dict[str, str]) -> None:
    assert [each for each in exceptions if not (PACKAGE / each).exists()] == []


def test_a_room_has_what_is_scanned() -> None:
    """A forgotten module would be found when somebody needs it, not here."""
    for key in sinks.default().keys():  # noqa: SIM118
        room = PACKAGE / "sinks" / key
        assert {"hazards.py", "server.py", "sink.py"} <= {each.name for each in room.iterdir()}


@pytest.mark.parametrize(
    ("name", "key", "wanted"),
    [("KafkaLink", "kafka", True), ("redis_string_key", "redis_string", True),
     ("S2Link", "s2", True), ("redis_link", "redis_string", False), ("sqsx", "sqs", False)],
)  # fmt: skip
def test_names_are_read_word_by_word(name: str, key: str, wanted: bool) -> None:
    assert has(name, key) is wanted
