"""A Python function's tree as the parts of its analysis look at it: walked once, with places."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from routestudio.model.analysis import Spot

_PARAMETERS: Final = ("action", "record", "changes", "metadata")


@dataclass(frozen=True, slots=True)
class Access:
    """An expression that reads one key of something, or asks whether it is there.

    `default` means that it gives something without the key; `sure` that nothing else of what
    `of` names can be read by it.
    """

    node: ast.expr
    of: ast.expr
    key: ast.expr
    default: bool
    sure: bool


class Tree:
    """The tree of a text, with all nodes in one order. `nodes` go from the outside inwards."""

    def __init__(self, code: str, module: ast.Module) -> None:
        self.module = module
        self.nodes = list(ast.walk(module))
        self.lines = re.split("\r\n|\r|\n", code)

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """The node around each node."""
        return {child: node for node in self.nodes for child in ast.iter_child_nodes(node)}

    @cached_property
    def accesses(self) -> list[Access]:
        """All expressions that read one key."""
        found = map(_access, self.nodes)
        return [access for access in found if access is not None]

    @cached_property
    def assigned(self) -> dict[str, ast.expr]:
        """By name, the first value that a statement gives it."""
        found: dict[str, ast.expr] = {}
        for node in self.nodes:
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        found.setdefault(target.id, node.value)
        return found

    def column(self, line: int, offset: int) -> int:
        """The column in characters, from 1, of a byte offset in a line."""
        shown = self.lines[line - 1] if line <= len(self.lines) else ""
        return len(shown.encode()[:offset].decode(errors="replace")) + 1

    def spot(self, node: ast.AST, text: str) -> Spot:
        """Where a node begins."""
        line = getattr(node, "lineno", 1)
        return Spot(text, line, self.column(line, getattr(node, "col_offset", 0)))


class Entry:
    """The function of a tree that is called, and what its parameters stand for."""

    def __init__(self, tree: Tree, node: ast.FunctionDef) -> None:
        self.tree = tree
        self.node = node
        names = [arg.arg for arg in node.args.args]
        roles = dict(zip(names, _PARAMETERS, strict=False))
        self._roles = roles | {name.lstrip("_"): role for name, role in roles.items()}

    def role(self, node: ast.AST) -> str | None:
        """The part of a message that a name stands for."""
        return self._roles.get(node.id) if isinstance(node, ast.Name) else None


def _access(node: ast.AST) -> Access | None:
    match node:
        case ast.Subscript(value=of, slice=key, ctx=ast.Load()):
            return Access(node, of, key, False, True)
        case ast.Call(func=ast.Attribute(value=of, attr="get"), args=[key, *rest]):
            sure = not node.keywords and len(rest) < 2
            return Access(node, of, key, bool(rest),
                          sure and not isinstance(node.args[-1], ast.Starred))  # fmt: skip
        case ast.Compare(left=key, ops=[ast.In() | ast.NotIn(), *more], comparators=[of, *_]):
            return Access(node, of, key, True, not more)
    return None
