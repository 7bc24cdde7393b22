"""What a function did for a message: the branches taken, and where each result was written.

A function is compiled with small calls in its tree that note what is evaluated; its result is the
same. Python and Elixir share this, because both are compiled from a Python tree with the places
of the user's text. For the worker process only; `Point` and `Trace` are plain data.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from routestudio.model.analysis import Point

MAX_EVENTS: Final = 10_000
"""Notes kept of one call: a loop may make any number."""

_HOPS: Final = 5
"""Variables through which a value is followed to the line that made it."""

_DEEP: Final = 30_000
"""Calls inside each other while a tree is walked, in Python alone: 10,000 bytes of code fit."""

HIT: Final = "__hit"
NOTE: Final = "__note"
TEST: Final = "__test"

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Trace:
    """What one call did: numbers of the points taken, in order, and where results were written.

    `places` has line and column, from 1, by the key of the result.
    """

    taken: tuple[int, ...] = ()
    places: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Written:
    """A place where names or keys get values: key or variable -> (line, column, variable)."""

    keys: Mapping[str, tuple[int, int, str | None]] = field(default_factory=dict)
    names: Mapping[str, tuple[int, int, str | None]] = field(default_factory=dict)


class Recorder:
    """Collects the notes of one call at a time. Points and writings are known before."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self._written: list[_Written] = []
        self._taken: dict[int, None] = {}
        self._events: list[int] = []

    # --- while compiling -----------------------------------------------------------------------

    def point(self, line: int, column: int, kind: str) -> int:
        """The number of a new point."""
        self.points.append(Point(line, column, kind))
        return len(self.points) - 1

    def written(self, written: _Written) -> int:
        """The number of a new place where something is written."""
        self._written.append(written)
        return len(self._written) - 1

    def names(self) -> dict[str, Callable[..., Any]]:
        """What the compiled tree calls."""
        return {HIT: self._hit, NOTE: self._note, TEST: self._test}

    # --- while running -------------------------------------------------------------------------

    def begin(self) -> None:
        """Forget the call before."""
        self._taken.clear()
        self._events.clear()

    def _hit(self, number: int) -> None:
        self._taken[number] = None

    def _test(self, number: int, value: Any) -> Any:
        """A condition: its point when true, the next one when false."""
        self._taken[number if value else number + 1] = None
        return value

    def _note(self, number: int, value: Any = None) -> Any:
        if len(self._events) < MAX_EVENTS:
            self._events.append(number)
        return value

    # --- afterwards ----------------------------------------------------------------------------

    @property
    def taken(self) -> list[int]:
        """Numbers of the points passed, in the order of the first time."""
        return list(self._taken)

    def places(self, keys: Any) -> dict[str, Place]:
        """Where the value of each key of a result was last written, as line and column."""
        found: dict[str, Place] = {}
        for key in keys:
            place = self._place_of(key)
            if place is not None:
                found[key] = place
        return found

    def _place_of(self, key: str) -> Place | None:
        for position in range(len(self._events) - 1, -1, -1):
            place = self._written[self._events[position]].keys.get(key)
            if place is not None:
                return self._followed(place, position)
        return None

    def _followed(self, place: tuple[int, int, str | None], position: int) -> Place:
        line, column, name = place
        for _ in range(_HOPS):
            if name is None:
                break
            for before in range(position - 1, -1, -1):
                made = self._written[self._events[before]].names.get(name)
                if made is not None:
                    position = before
                    line, column, name = made
                    break
            else:
                break
        return line, column


class Instrument(ast.NodeTransformer):
    """Puts the notes into a tree.

    `atoms` are the texts of names that stand for keys (Elixir); `column` makes the column, in
    characters from 1, of a line and Python's offset.
    """

    def __init__(
        self,
        recorder: Recorder,
        *,
        branches: bool,
        atoms: Mapping[str, str] | None = None,
        column: Callable[[int, int], int] = lambda _, offset: offset + 1,
    ) -> None:
        self._recorder = recorder
        self._branches = branches
        self._atoms = atoms or {}
        self._column = column

    def whole(self, tree: ast.Module) -> ast.Module:
        """The tree with its notes. A chain of `elif` is as deep as it is long."""
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, _DEEP))
        try:
            found: ast.Module = self.visit(tree)
        finally:
            sys.setrecursionlimit(limit)
        return found

    # --- branches of Python ----------------------------------------------------------------------

    def visit_If(self, node: ast.If) -> ast.AST:
        self.generic_visit(node)
        if self._branches:
            node.test = self._tested(
                node.test, self._place(node.orelse[0]) if node.orelse else None
            )
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        if self._branches:
            node.test = self._tested(node.test, self._place(node.orelse))
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        self.generic_visit(node)
        if self._branches:
            node.test = self._tested(node.test, None)
        return node

    def visit_match_case(self, node: ast.match_case) -> ast.AST:
        self.generic_visit(node)
        if self._branches:
            node.body.insert(0, self._hit(node.body[0], self._place(node.pattern), "case"))
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        self.generic_visit(node)
        if self._branches:
            node.body.insert(0, self._hit(node.body[0], self._place(node), "except"))
        return node

    def _tested(self, test: ast.expr, other: Place | None) -> ast.expr:
        line, column = self._place(test)
        number = self._recorder.point(line, column, "if")
        self._recorder.point(*(other or (line, column)), "else")
        return _call(TEST, test, number, test)

    def _hit(self, at: ast.stmt, place: Place, kind: str) -> ast.stmt:
        number = self._recorder.point(*place, kind)
        return ast.copy_location(ast.Expr(_call(HIT, at, number)), at)

    # --- where values are written ----------------------------------------------------------------

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        keys = {
            text: self._origin(value, node)
            for key, value in zip(node.keys, node.values, strict=True)
            if (text := self._text(key)) is not None
        }
        self.generic_visit(node)
        if not keys:
            return node
        return _call(NOTE, node, self._recorder.written(_Written(keys=keys)), node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        keys = {word.arg: self._origin(word.value, node) for word in node.keywords if word.arg}
        self.generic_visit(node)
        if not (keys and isinstance(node.func, ast.Name) and node.func.id == "dict"):
            return node
        return _call(NOTE, node, self._recorder.written(_Written(keys=keys)), node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.AST:
        names = {node.target.id: self._origin(node.value, node)}
        self.generic_visit(node)
        return _call(NOTE, node, self._recorder.written(_Written(names=names)), node)

    def visit_Assign(self, node: ast.Assign) -> Any:
        return self._assigned(node, node.targets, node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        return self._assigned(node, [node.target], node.value) if node.value else node

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        return self._assigned(node, [node.target], node.value)

    def _assigned(self, node: ast.stmt, targets: list[ast.expr], value: ast.expr) -> Any:
        origin = self._origin(value, node)
        keys: dict[str, tuple[int, int, str | None]] = {}
        names: dict[str, tuple[int, int, str | None]] = {}
        for target in targets:
            if isinstance(target, ast.Name):
                names[target.id] = origin
            elif isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
                keys[str(target.slice.value)] = origin
        self.generic_visit(node)
        if not (keys or names):
            return node
        number = self._recorder.written(_Written(keys, names))
        return [node, ast.copy_location(ast.Expr(_call(NOTE, node, number)), node)]

    def _place(self, node: Any) -> Place:
        return node.lineno, self._column(node.lineno, node.col_offset)

    def _origin(self, value: ast.expr, within: ast.AST) -> tuple[int, int, str | None]:
        # Elixir's literals have no place.
        line, column = max(self._place(value), self._place(within))
        return line, column, value.id if isinstance(value, ast.Name) else None

    def _text(self, key: ast.expr | None) -> str | None:
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            return key.value
        return self._atoms.get(key.id) if isinstance(key, ast.Name) else None


def _call(name: str, at: Any, number: int, *more: ast.expr) -> ast.expr:
    arguments: list[ast.expr] = [ast.Constant(number), *more]
    call = ast.copy_location(ast.Call(ast.Name(name, ast.Load()), arguments, []), at)
    for part in (call.func, call.args[0]):
        ast.copy_location(part, at)
    return call
