"""How control and values flow through a Python function: returns, branches, shared values."""

from __future__ import annotations

import ast

from routestudio.functions.conversion import scope


def returns(node: ast.stmt) -> bool:
    """Whether a statement always ends the function."""
    return any(isinstance(inner, ast.Return) for inner in scope.walk_own(node))


def branches(node: ast.If) -> list[list[ast.stmt]]:
    """The bodies of an `if` with its `elif` and `else`, in their order."""
    inner = node.orelse[0] if len(node.orelse) == 1 else None
    rest = branches(inner) if isinstance(inner, ast.If) else [node.orelse]
    return [node.body, *rest]


def always_assigns(body: list[ast.stmt], name: str) -> bool:
    """Whether every way through `body` gives `name` a value."""
    for statement in body:
        if isinstance(statement, ast.If):
            if all(always_assigns(branch, name) for branch in branches(statement)):
                return True
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)) and any(
            isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)
            for n in scope.walk_own(statement)
        ):
            return True
    return False


def shared(entry: ast.FunctionDef) -> dict[str, int]:
    """Names whose value something else may hold, too, and the line from which it does."""
    found: dict[str, int] = {}

    def visit(node: ast.AST, line: int | None) -> None:
        at = line if line is not None else getattr(node, "lineno", 0)
        for item in _held(node):
            found[item] = min(found.get(item, at), at)
        inner = node.lineno - 1 if isinstance(node, (ast.For, ast.FunctionDef)) else None
        for child in ast.iter_child_nodes(node):
            visit(child, line if line is not None else inner)

    for statement in entry.body:
        visit(statement, None)
    return found


def _held(node: ast.AST) -> set[str]:
    """Names that a node makes into other names of a value that is there already."""
    held: list[ast.expr] = []
    names: set[str] = set()
    match node:
        case ast.Dict():
            held = [v for k, v in zip(node.keys, node.values, strict=True) if k is not None]
        case ast.List() | ast.Tuple() | ast.Set():
            held = list(node.elts)
        case ast.Assign():
            held = [node.value]
            kinds = (ast.Name, ast.Subscript, ast.Attribute, ast.BoolOp, ast.IfExp, ast.Call)
            if isinstance(node.value, kinds) and not _new(node.value):
                names = {n.id for n in node.targets if isinstance(n, ast.Name)}
        case ast.Call():
            held = list(node.args) if not _new(node) and not _looks(node) else []
        case ast.BoolOp():
            held = list(node.values)
        case ast.IfExp():
            held = [node.body, node.orelse]
        case ast.For():
            names = {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
        case ast.FunctionDef():
            names = {argument.arg for argument in node.args.args}
    return names | {
        item.id for item in held if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Load)
    }


def _looks(node: ast.Call) -> bool:
    """Whether a call only looks at its arguments."""
    return isinstance(node.func, ast.Name) and node.func.id in ("len", "any", "all", "sum",
                                                                "isinstance", "bool")  # fmt: skip


def _new(node: ast.expr) -> bool:
    """Whether a call makes a value that nothing else holds."""
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in ("dict", "list", "sorted", "split", "copy", "str", "int", "join", "lower",
                    "upper", "float", "len", "strip", "replace")  # fmt: skip
