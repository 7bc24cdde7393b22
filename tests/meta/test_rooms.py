"""What is known of one service, format or source is in its room, and nowhere else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from routestudio.sinks import registry

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "routestudio"
KEYS = registry.default().keys()
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

ELSEWHERE = {}  # type: ignore
"""Places outside of a sink's room that may name it, each with the reason."""


def parts(name: str) -> list[str]:
    """The words of an identifier: `kafka_look` and `KafkaSource` both begin with kafka."""
    return name.split("_") if name.islower() else WORD.findall(name)


def named(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Texts that are one word, and the identifiers of a module, with their lines."""
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        match node:
            case ast.Constant(value=str() as text):
                yield text, line
            case ast.Name(id=name) | ast.arg(arg=name) | ast.Attribute(attr=name):
                yield name, line
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, line
            case ast.ClassDef(name=name) | ast.alias(name=name) | ast.keyword(arg=str(name)):
                yield name, line


def mentions(text: str, key: str) -> bool:
    """Whether a text or identifier is a key, or has its words among its own."""
    if not re.fullmatch(r"[\w.]+", text):
        return False
    wanted = key.split("_")
    found = [word.lower() for piece in text.split(".") for word in parts(piece)]
    return any(found[i : i + len(wanted)] == wanted for i in range(len(found)))


if __name__ == "__main__":
    for path in sorted(PACKAGE.rglob("*.py")):
        rel = path.relative_to(PACKAGE)
        for text, line in named(ast.parse(path.read_text())):
            for key in KEYS:
                if mentions(text, key) and rel.parts[:2] != ("sinks", key):
                    print(f"{rel}:{line} {key} {text}")
