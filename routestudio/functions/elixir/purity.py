"""What can be written as one Python expression, and what is certainly a boolean."""

from __future__ import annotations

from typing import Any, Final

from routestudio.functions.elixir.quoted import Node, is_node

_COMPARISONS: Final = frozenset(
    ["==", "!=", "===", "!==", "<", ">", "<=", ">=", "in", "not", "match?"]
)
_SAFE_TESTS: Final = frozenset(
    [
        "is_integer",
        "is_binary",
        "is_bitstring",
        "is_atom",
        "is_boolean",
        "is_float",
        "is_number",
        "is_list",
        "is_map",
        "is_nil",
        "is_reference",
        "is_tuple",
        "is_exception",
        "is_struct",
        "is_function",
    ]
)


def is_boolean(value: Any) -> bool:
    """Whether a quoted value can only be true or false (or raise)."""
    if value is True or value is False:
        return True
    if type(value) is not Node or type(value.name) is Node or value.args is None:
        return False
    name, args = value.name, value.args
    if name in ("and", "or"):
        return all(map(is_boolean, args))
    if name == "__block__" and len(args) == 1:
        return is_boolean(args[0])
    return name in _COMPARISONS or name in _SAFE_TESTS or name == "is_map_key"


def never_raises(value: Any) -> bool:
    """Whether a guard is one of those that cannot raise."""
    if type(value) is not Node:
        if isinstance(value, (list, tuple)):
            return all(map(never_raises, value))
        return True
    if value.args is None:
        return True
    if type(value.name) is Node:
        return False
    name, args = value.name, value.args
    if name in ("==", "!=", "===", "!==", "<", ">", "<=", ">="):
        return all(map(never_raises, args))
    if name == "in":
        return isinstance(args[1], list) and all(map(never_raises, args))
    if name in _SAFE_TESTS:
        return len(args) == 1 and never_raises(args[0])
    if name in ("and", "or", "not"):
        return all(is_boolean(arg) and never_raises(arg) for arg in args)
    return name in ("__aliases__", "{}")


class Purity:
    """Remembers, for one source, which values are pure expressions: they need no statements."""

    def __init__(self) -> None:
        self._known: dict[int, bool] = {}

    def __call__(self, value: Any) -> bool:
        if type(value) is not Node:
            if isinstance(value, (list, tuple)):
                return all(map(self, value))
            return True
        known = self._known.get(id(value))
        if known is None:
            known = self._known[id(value)] = self._find(value)
        return known

    def _find(self, node: Node) -> bool:
        if node.args is None:
            return True
        args = node.args
        if type(node.name) is Node:
            return self(node.name) and all(map(self, args))
        match node.name:
            case "=" | "with":
                return False
            case "fn" if loops(args):
                return False
            case "__block__":
                return len(args) <= 1 and all(map(self, args))
            case "match?":
                return self(args[1]) if len(args) == 2 else True
            case "->":
                # Patterns and guards are always conditions.
                return self(args[1])
            case "cond":
                return all(self(c.args[0]) and self(c.args[1]) for c in _clauses(args))
            case "::":
                return self(args[0])
        return all(map(self, args))


def _clauses(args: list[Any]) -> list[Node]:
    found = args[0][0][1] if args and args[0] else []
    return [item for item in found if is_node(item, "->", 2)] if isinstance(found, list) else []


def is_closure_call(value: Any, arity: int) -> bool:
    """Whether a value is `name.(...)` with so many arguments."""
    return (
        type(value) is Node
        and type(value.name) is Node
        and value.name.name == "."
        and len(value.name.args) == 1
        and type(value.name.args[0]) is Node
        and value.name.args[0].args is None
        and len(value.args or []) == arity
    )


def loops(clauses: list[Node]) -> bool:
    """Whether a closure calls a closure last, and can be written as a loop.

    A closure made in its body would see the variables of later turns, so there must be none.
    """
    arity = arity_of(clauses[0])
    bodies = [clause.args[1] for clause in clauses if clause.args]
    return any(_ends(body, arity) for body in bodies) and not any(map(_blocks, bodies))


def _ends(value: Any, arity: int) -> bool:
    if is_closure_call(value, arity):
        return True
    if type(value) is not Node or not value.args or type(value.name) is Node:
        return False
    if value.name == "__block__":
        return _ends(value.args[-1], arity)
    if value.name in ("if", "case", "cond"):
        for _, content in value.args[-1]:
            for part in content if isinstance(content, list) else [content]:
                if _ends(part.args[1] if is_node(part, "->", 2) else part, arity):
                    return True
    return False


def _blocks(value: Any) -> bool:
    """Whether something in a body stands against a loop: closures, captures, `with`."""
    if isinstance(value, (list, tuple)):
        return any(map(_blocks, value))
    if type(value) is not Node:
        return False
    if value.name in ("fn", "&", "with"):
        return True
    return (type(value.name) is Node and _blocks(value.name)) or _blocks(value.args or [])


def arity_of(clause: Node) -> int:
    """The number of parameters of a clause."""
    patterns = (clause.args or [[]])[0]
    if len(patterns) == 1 and is_node(patterns[0], "when"):
        return len(patterns[0].args) - 1
    return len(patterns)
