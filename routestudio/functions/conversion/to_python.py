"""Elixir functions as Python functions of equal meaning, or the places where that is not possible.

A name that a branch of Elixir binds is gone after the branch; in Python it gets its own name.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

from routestudio.functions.conversion.common import (
    ANY,
    ATOM,
    Code,
    Kinds,
    Refused,
)
from routestudio.functions.conversion.from_elixir import FromElixir
from routestudio.functions.conversion.from_elixir_choices import Arm
from routestudio.functions.conversion.from_elixir_lists import called
from routestudio.functions.conversion.prelude import PRELUDE
from routestudio.functions.conversion.python_helpers import helpers
from routestudio.functions.elixir import source
from routestudio.functions.elixir.parser import parse
from routestudio.functions.elixir.quoted import Node, is_node, printed
from routestudio.functions.elixir.values import Atom
from routestudio.model.function import FunctionKind

_CHOICES: Final = ("if", "cond", "case")
_PLACES: Final = re.compile(r"line: \d+")


def to_python(code: str, kind: FunctionKind) -> tuple[str, bool]:
    """The Python text, and whether closures that conversion once wrote became operators again.

    Raises `Refused` for the first part without an equal form, `ValueError` when the text itself has
    errors.
    """
    read = source.read(code)
    if not read.accepted:
        raise ValueError("the function itself has errors")
    function = _Function(code, kind)
    try:
        return function.text(read.body), bool(function.walk.known)
    except (AttributeError, TypeError, LookupError) as error:
        # A form that a server accepts in a shape that is not thought of here.
        raise Refused(
            (function.walk.line, 1), "this has no equal form in Python", "write it another way"
        ) from error


class _Function:
    """Statements."""

    def __init__(self, code: str, kind: FunctionKind) -> None:
        self.walk = FromElixir()
        self._results: list[Kinds] = []
        self._kind = kind
        self._lines = code.split("\n")
        self._comments = [
            (at, line.strip())
            for at, line in enumerate(self._lines, 1)
            if line.strip().startswith("#")
        ]
        self._start = next(
            (at for at, line in enumerate(code.split("\n"), 1) if re.match(r"\s*def\b", line)), 1
        )

    def text(self, body: Any) -> str:
        head = self._before(self._start)
        lines = self._block(body, None)
        lines += self._before(1 << 30)
        inner = [line for text in helpers(self.walk.used) for line in [*text.split("\n")]]
        shown = ["    " + line if line else "" for line in [*inner, *lines]]
        first = f"def {self._kind.entry_point}(action, record, changes, metadata):"
        return formatted("\n".join([*head, first, *shown]) + "\n")

    def _before(self, line: int) -> list[str]:
        found = [text for at, text in self._comments if at < line]
        self._comments = [item for item in self._comments if item[0] >= line]
        return found

    # Statements

    def _block(self, body: Any, target: str | None) -> list[str]:
        """Lines that return the value of a body, or give it to a name."""
        items = body.args if is_node(body, "__block__") else [body]
        lines: list[str] = []
        for item in items[:-1]:
            lines += self._statement(item)
        last = items[-1] if items else None
        if type(last) is Node:
            self.walk.line = last.line
            lines += self._before(last.line)
        if type(last) is Node and last.is_call("=", 2):
            lines += self._statement(last)
            last = last.args[0]
        if type(last) is Node and last.name in _CHOICES and "do" in last.flags:
            return lines + self._choice(last, target)
        found = self._result(last, target)
        return [*lines, f"{target} = {found}" if target else f"return {found}"]

    def _result(self, node: Any, target: str | None) -> str:
        if target and ", " in target and (type(node) is tuple or is_node(node, "{}")):
            items = node.args if type(node) is Node else node
            return ", ".join(self.walk.value(item).text for item in items)
        if is_node(node, "%{}") and target is None:
            entries: list[str] = []
            for entry in node.args:
                if type(entry) is not tuple:
                    break
                place = self._line_of(entry[0], node)
                above = self._before(place) if place else []
                entries += [*above, f"{self.walk.map(node, entry).text[1:-1]},"]
            else:
                notes = self._before(node.end_line + 1)
                if any(e.startswith("#") for e in entries) or notes:
                    return "{\n" + "\n".join([*entries, *notes]) + "\n}"
                return "{" + " ".join(entries).rstrip(",") + "}"
        found = self.walk.value(node)
        self._results.append(found.kinds)
        return found.text

    def _line_of(self, key: Any, node: Node) -> int | None:
        """The line of an entry of a map: the quoted form of its key has no place."""
        if type(key) is Node:
            return key.line
        name = key.name if type(key) is Atom else str(key)
        wanted = re.compile(rf"^\s*(?:{re.escape(name)}:|\"{re.escape(name)}\" =>)")
        lines = range(node.line, min(node.end_line, len(self._lines)) + 1)
        return next((at for at in lines if wanted.match(self._lines[at - 1])), None)

    def _statement(self, node: Any) -> list[str]:
        lines = []
        if type(node) is Node:
            self.walk.line = node.line
            lines = self._before(node.line)
        if not is_node(node, "=", 2):
            if type(node) is Node and node.name in _CHOICES:
                return lines  # its value goes nowhere, and it can change nothing
            return [*lines, self.walk.value(node).text] if type(node) is Node else lines
        left, right = node.args
        names = left.args if is_node(left, "{}") else list(left) if type(left) is tuple else [left]
        if any(type(name) is not Node or name.args is not None for name in names):
            self.walk.refuse(
                node,
                "patterns on the left have no equal form in Python",
                "give plain names, and read the entries",
            )
        if is_node(right, "fn") and names == [left]:
            return [] if self._own(left.name, right) else [*lines, *self._def(left, right)]
        if type(right) is tuple or is_node(right, "{}"):
            items = right.args if type(right) is Node else list(right)
            if len(items) != len(names):
                self.walk.refuse(node, "the two sides have different lengths")
            values = [self.walk.value(item) for item in items]
            heads = [self._target(item, value) for item, value in zip(names, values, strict=True)]
            return [*lines, f"{', '.join(heads)} = {', '.join(value.text for value in values)}"]
        is_loop = (
            type(right) is Node
            and type(right.name) is Node
            and called(right) == "Enum.reduce"
            and len(right.args) == 3
        )
        is_choice = type(right) is Node and right.name in _CHOICES and "do" in right.flags
        if not is_loop and not is_choice:
            if names != [left]:
                self.walk.refuse(node, "only several values can be given to several names")
            value = self.walk.value(right)
            return [*lines, f"{self._target(left, value)} = {value.text}"]
        before = dict(self.walk.names)
        codes = {name.name: Code(self._target(name, Code(""))) for name in names}
        self.walk.names, self._results = before, []
        target = ", ".join(code.text for code in codes.values())
        lines += self._loop(right, target) if is_loop else self._choice(right, target)
        if len(codes) == 1 and is_choice and self._results:
            kinds = frozenset().union(*self._results)
            codes = {name: Code(code.text, kinds=kinds) for name, code in codes.items()}
        self.walk.names.update(codes)
        return lines

    def _loop(self, node: Node, target: str) -> list[str]:
        """`Enum.reduce(list, start, fn item, acc -> ... end)` as a loop."""
        source, start, closure = node.args
        whole = self.walk.iterated(self.walk.value(source))
        first = self._result(start, target)
        if not is_node(closure, "fn", 1) or len(closure.args[0].args[0]) != 2:
            self.walk.refuse(closure, "only `fn item, acc -> ... end` is converted here")
        (item, acc), body = closure.args[0].args
        accs = acc.args if is_node(acc, "{}") else list(acc) if type(acc) is tuple else [acc]
        texts = target.split(", ")
        if len(accs) != len(texts):
            self.walk.refuse(closure, "the closure takes another number of values")
        outer, outside = dict(self.walk.names), self._outer
        for name, text in zip(accs, texts, strict=True):
            if type(name) is not Node or name.args is not None:
                self.walk.refuse(closure, "patterns of parameters have no equal form in Python")
            self.walk.names[name.name] = Code(text)
        self._outer = outside | {v.text for v in outer.values() if v.text not in texts}
        variable = self.walk.calls.closures.parameter(item, ANY)
        lines = [f"{target} = {first}", f"for {variable} in {whole}:"]
        lines += ["    " + line for line in self._block(body, target) or ["pass"]]
        self.walk.names, self._outer = outer, outside
        return [line for line in lines if line != f"{target} = {target}"]

    def _target(self, node: Any, value: Code) -> str:
        if type(node) is not Node or node.args is not None:
            self.walk.refuse(node, "patterns on the left have no equal form in Python")
        if node.name in self.walk.names and self.walk.names[node.name].text not in self._outer:
            return (
                self.walk.bind(node.name, value, keep=True)
                if self._mine(node.name)
                else self.walk.bind(node.name, value)
            )
        return self.walk.bind(node.name, value)

    _outer: frozenset[str] = frozenset()

    def _mine(self, name: str) -> bool:
        """Whether a name was given in this same block, so that it may be given again."""
        text = self.walk.names[name].text
        base = re.sub(r"[?!]", "", name)
        return text == base and text not in self._outer

    def _own(self, name: str, closure: Node) -> bool:
        """Whether a closure is one that conversion to Elixir once wrote."""
        if name in PRELUDE and _shape(closure) == _own_shape(name):
            self.walk.known[name] = name
            return True
        return False

    def _def(self, left: Node, closure: Node) -> list[str]:
        outer, outside = dict(self.walk.names), self._outer
        clauses = closure.args
        head = clauses[0].args[0]
        name = self.walk.bind(left.name, Code(""))
        self._outer = outside | {item.text for item in self.walk.names.values()}
        if len(clauses) == 1 and not any(is_node(item, "when") for item in head):
            names = [self.walk.calls.closures.parameter(item, ANY) for item in head]
            body = self._block(clauses[0].args[1], None)
        else:
            if any(
                len(clause.args[0]) != 1
                or (is_node(clause.args[0][0], "when") and len(clause.args[0][0].args) != 2)
                for clause in clauses
            ):
                self.walk.refuse(
                    closure,
                    "clauses of several parameters have no equal form",
                    "use case inside of one clause",
                )
            names = [self.walk.bind("argument", Code(""))]
            body = self._arms(self.walk.choices.clauses(Code(names[0]), clauses), None)
        self.walk.names, self._outer = outer, outside
        self.walk.names[left.name] = Code(name)
        return [f"def {name}({', '.join(names)}):", *("    " + line for line in body), ""]

    # Choices

    def _choice(self, node: Node, target: str | None) -> list[str]:
        if node.name == "if":
            test = self.walk.condition(node.args[0]).text
            parts = {key.name: item for key, item in node.args[1]}
            arms = [Arm(test, parts.get("do")), Arm(None, parts.get("else"))]
        elif node.name == "cond":
            arms = self.walk.choices.conditions(node.args[0][0][1])
        else:
            subject = self.walk.value(node.args[0])
            lines = []
            if subject.power < ATOM or "(" in subject.text:
                name = self.walk.bind("subject", subject)
                lines = [f"{name} = {subject.text}"]
                subject = Code(name, kinds=subject.kinds, items=subject.items)
            return lines + self._arms(
                self.walk.choices.clauses(subject, node.args[1][0][1]), target
            )
        return self._arms(arms, target)

    def _arms(self, arms: list[Arm], target: str | None) -> list[str]:
        lines: list[str] = []
        complete = any(arm.test is None for arm in arms)
        for at, arm in enumerate(arms):
            outer, outside = dict(self.walk.names), self._outer
            self.walk.names.update(arm.names)
            self._outer = outside | {v.text for v in self.walk.names.values() if v.text != target}
            body = self._block(arm.body, target)
            self.walk.names, self._outer = outer, outside
            if body == [f"{target} = {target}"]:
                body = ["pass"]
            if arm.test is None:
                if at == 0:
                    return body
                nested = (
                    body[0].startswith("if ")
                    and all(
                        line.startswith(("    ", "if ", "elif ", "else:")) or not line
                        for line in body
                    )
                    and sum(line.startswith("if ") for line in body) == 1
                )
                if target is None:
                    lines += body
                elif nested:
                    lines += ["el" + body[0], *body[1:]]
                elif body != ["pass"]:
                    lines += ["else:", *("    " + line for line in body)]
                break
            word = "elif" if at and target is not None else "if"
            lines += [f"{word} {arm.test}:", *("    " + line for line in body)]
        if not complete:
            fail = 'raise ValueError("no clause matches")'
            lines += [fail] if target is None else ["else:", "    " + fail]
        return lines


def formatted(text: str) -> str:
    """The text in the usual layout of Python."""
    import black

    return black.format_str(text, mode=black.Mode(line_length=100))


def _shape(node: Any) -> str:
    return _PLACES.sub("", printed(node))


@lru_cache(maxsize=32)
def _own_shape(name: str) -> str:
    found = parse(PRELUDE[name])
    assert is_node(found, "=", 2)
    return _shape(found.args[1])
