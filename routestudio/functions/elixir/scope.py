"""Variables: which are bound where. Finds what would not compile on a server."""

from __future__ import annotations

import difflib
from typing import Any, Final

from routestudio.functions.elixir import names
from routestudio.functions.elixir.checker import BadPattern, bound, diagnostic
from routestudio.functions.elixir.quoted import Node, is_node
from routestudio.model.function import Diagnostic

MAX_GUESSES: Final = 20
Names = frozenset[str]


def undefined(body: Any) -> list[Diagnostic]:
    """All uses of variables that are not bound there, and other faults of names."""
    scope = _Scope()
    scope.walk(body, frozenset(names.PARAMETERS))
    return scope.found


class _Scope:
    def __init__(self) -> None:
        self.found: list[Diagnostic] = []
        self._guesses = MAX_GUESSES

    def walk(self, value: Any, known: Names) -> Names:
        """Check one value; the names known after it."""
        if isinstance(value, (list, tuple)):
            return self._each(value, known)
        if type(value) is not Node:
            return known
        if type(value.name) is Node:
            return self._each([value.name, *(value.args or [])], known)
        if value.args is None:
            self._use(value, known)
            return known
        handler = getattr(self, _HANDLERS.get(value.name, ""), None)
        if handler is not None:
            result: Names = handler(value, value.args, known)
            return result
        return self._each(value.args, known)

    def _each(self, values: Any, known: Names) -> Names:
        """Neighbours do not see each other's bindings; what follows sees all."""
        after = known
        for value in values:
            after = after | self.walk(value, known)
        return after

    def _use(self, node: Node, known: Names) -> None:
        name = node.name
        if name == "_":
            self.found.append(
                diagnostic("compile", "invalid use of _: it can only be used in patterns", node)
            )
        elif name not in known and name not in names.SPECIAL:
            self.found.append(
                diagnostic("compile", f"undefined variable `{name}`", node, self._hint(name, known))
            )

    def _hint(self, name: str, known: Names) -> str | None:
        if name in ("null", "None", "undefined"):
            return "write `nil`"
        if f"_{name}" in known or (name.startswith("_") and name[1:] in names.PARAMETERS):
            return f"the value is called `{name.lstrip('_')}`"
        self._guesses -= 1
        near = difflib.get_close_matches(name, known, n=1) if self._guesses >= 0 else None
        return f"did you mean `{near[0]}`?" if near else None

    def _bind(self, pattern: Any, known: Names) -> Names:
        """A pattern's names, after a look at the names that it only uses."""
        self._used_in_pattern(pattern, known)
        return known | frozenset(_all_bound(pattern))

    def _used_in_pattern(self, pattern: Any, known: Names) -> None:
        if isinstance(pattern, (list, tuple)):
            for part in pattern:
                self._used_in_pattern(part, known)
        elif type(pattern) is Node and pattern.args is not None:
            if pattern.is_call("^", 1):
                self.walk(pattern.args[0], known)
            elif pattern.is_call("::", 2):
                self._used_in_pattern(pattern.args[0], known)
            elif pattern.name == "%{}":
                for entry in pattern.args:
                    self._used_in_pattern(entry, known)
            else:
                for part in pattern.args:
                    self._used_in_pattern(part, known)

    # Forms with their own names

    def match(self, node: Node, args: list[Any], known: Names) -> Names:
        after = self.walk(args[1], known) if len(args) == 2 else known
        return self._bind(args[0], after)

    def block(self, node: Node, args: list[Any], known: Names) -> Names:
        for value in args:
            known = self.walk(value, known)
        return known

    def closure(self, node: Node, args: list[Any], known: Names) -> Names:
        self._clauses(args, known)
        return known

    def sections(self, node: Node, args: list[Any], known: Names) -> Names:
        """`if`, `case`, `cond`: what the head binds is seen inside and after, the rest is not."""
        after = self._each(args[:-1], known)
        if node.name == "case":
            self._need_clauses(node, args[-1] if args else [], "do")
        self._sections(args[-1] if args else [], after)
        return after

    def _need_clauses(self, node: Node, sections: Any, name: str) -> None:
        for entry in sections if isinstance(sections, list) else []:
            if isinstance(entry, tuple) and getattr(entry[0], "name", "") == name:
                content = entry[1]
                good = isinstance(content, list) and content and is_node(content[0], "->", 2)
                if not good:
                    text = f'expected -> clauses for :{name} in "{node.name}"'
                    self.found.append(diagnostic("compile", text, node))

    def pipe(self, node: Node, args: list[Any], known: Names) -> Names:
        """`a |> name`: a name that is piped into is a function."""
        after = self.walk(args[0], known)
        right = args[1] if len(args) > 1 else None
        if type(right) is Node and type(right.name) is str and right.args is None:
            if right.name not in names.KERNEL and right.name != "inspect":
                text = f"undefined function {right.name}/1"
                self.found.append(diagnostic("compile", text, right))
            return after
        return after | self.walk(right, known)

    def _sections(self, sections: Any, known: Names) -> None:
        for entry in sections if isinstance(sections, list) else []:
            content = entry[1] if isinstance(entry, tuple) else entry
            if isinstance(content, list) and content and is_node(content[0], "->", 2):
                self._clauses(content, known)
            else:
                self.walk(content, known)

    def condition(self, node: Node, args: list[Any], known: Names) -> Names:
        self._need_clauses(node, args[-1] if args else [], "do")
        for _, content in _pairs(args):
            for clause in content if isinstance(content, list) else []:
                if is_node(clause, "->", 2):
                    self.walk(clause.args[1], self._each(clause.args[0], known))
        return known

    def with_form(self, node: Node, args: list[Any], known: Names) -> Names:
        inner = known
        self._need_clauses(node, args[-1] if args else [], "else")
        has_sections = args and isinstance(args[-1], list)
        for item in args[:-1] if has_sections else args:
            if is_node(item, "<-", 2):
                after = self.walk(item.args[1], inner)
                inner = self._head([item.args[0]], after)
            else:
                inner = self.walk(item, inner)
        for entry in args[-1] if has_sections else []:
            name = getattr(entry[0], "name", "") if isinstance(entry, tuple) else ""
            self._sections([entry], inner if name == "do" else known)
        return known

    def _clauses(self, clauses: list[Any], known: Names) -> None:
        for clause in clauses:
            if is_node(clause, "->", 2):
                self.walk(clause.args[1], self._head(clause.args[0], known))
            else:
                self.walk(clause, known)

    def _head(self, patterns: list[Any], known: Names) -> Names:
        guard = None
        if len(patterns) == 1 and is_node(patterns[0], "when"):
            *patterns, guard = patterns[0].args
        inner = known
        for pattern in patterns:
            inner = inner | self._bind(pattern, known)
        if guard is not None:
            self.walk(guard, inner)
            self._guard(guard)
        return inner

    def _guard(self, guard: Any) -> None:
        """Only some functions may stand in a guard."""
        if isinstance(guard, (list, tuple)):
            for part in guard:
                self._guard(part)
            return
        if type(guard) is not Node or guard.args is None:
            return
        name = guard.name
        if type(name) is Node:
            field = "field" in guard.flags
            kernel = (
                getattr(name.args[0], "name", "") == "__aliases__"
                and name.args[0].args[0].name == "Kernel"
            )
            if not field and not kernel:
                text = "cannot invoke a function of a module inside a guard"
                self.found.append(diagnostic("compile", text, guard))
                return
        elif (
            name not in names.GUARD_CALLS | names.GUARD_OPERATORS
            and name
            not in ("%{}", "{}", "<<>>", "::", "__aliases__", "|", "^", "when", "%", "<>", "++")
            and not name.startswith("sigil_")
        ):
            text = f"cannot use `{name}` inside a guard"
            self.found.append(diagnostic("compile", text, guard))
            return
        for part in guard.args:
            self._guard(part)

    def short(self, node: Node, args: list[Any], known: Names) -> Names:
        """`&&`, `||`, `and`, `or`: the right side may not run, so its bindings stay inside."""
        after = self.walk(args[0], known)
        for value in args[1:]:
            self.walk(value, after)
        return after

    def matches(self, node: Node, args: list[Any], known: Names) -> Names:
        self._head([args[0]], known)
        return self._each(args[1:], known)

    def capture(self, node: Node, args: list[Any], known: Names) -> Names:
        target: Any = args[0] if args else None
        if is_node(target, "/", 2) and type(target.args[1]) is int:
            name = target.args[0]
            if type(name) is Node and (name.args is None or "field" in name.flags):
                return known
        self.walk(target, known)
        return known

    def segment(self, node: Node, args: list[Any], known: Names) -> Names:
        return self.walk(args[0], known)

    def no_names(self, node: Node, args: list[Any], known: Names) -> Names:
        return known

    def local(self, node: Node, args: list[Any], known: Names) -> Names:
        text = f"undefined function {node.name}/{len(args)}"
        self.found.append(diagnostic("compile", text, node))
        return self._each(args, known)


_HANDLERS: Final[dict[str, str]] = {
    "=": "match", "__block__": "block", "fn": "closure", "if": "sections", "unless": "sections",
    "case": "sections", "cond": "condition", "with": "with_form", "for": "with_form",
    "&&": "short", "||": "short", "and": "short", "or": "short", "match?": "matches",
    "&": "capture", "|>": "pipe", "::": "segment", "__aliases__": "no_names", "action": "local",
    "record": "local", "changes": "local", "metadata": "local", "try": "sections",
    "receive": "sections", "def": "no_names", "defp": "no_names", "defmodule": "no_names",
    "@": "no_names", "import": "no_names", "alias": "no_names", "require": "no_names",
}  # fmt: skip


def _all_bound(pattern: Any) -> list[str]:
    """Every name that a pattern binds, also where a server would not understand it."""
    try:
        found = [name for name, _ in bound(pattern)]
    except BadPattern:
        found = []
    return found + _variables(pattern)


def _variables(pattern: Any) -> list[str]:
    if isinstance(pattern, (list, tuple)):
        return [name for part in pattern for name in _variables(part)]
    if type(pattern) is not Node:
        return []
    if pattern.args is None:
        return [pattern.name] if pattern.name != "_" else []
    if pattern.name in ("^", "__aliases__"):
        return []
    if pattern.is_call("::", 2):
        return _variables(pattern.args[0])
    if pattern.name == "%{}":
        return [n for e in pattern.args if isinstance(e, tuple) for n in _variables(e[1])]
    return [name for part in pattern.args for name in _variables(part)]


def _pairs(args: list[Any]) -> list[tuple[Any, Any]]:
    """The parts of a call with `do`; a list in their place may hold anything."""
    last = args[-1] if args else None
    return [entry for entry in last if isinstance(entry, tuple)] if isinstance(last, list) else []
