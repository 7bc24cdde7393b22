"""Choices in Elixir functions as Python: conditions, clauses and their patterns, closures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from routestudio.functions.conversion.common import ANY, ATOM, DICT, INT, NONE, Code
from routestudio.functions.conversion.from_elixir_calls import Calls
from routestudio.functions.conversion.python_code import AND, CHOICE, ORDER, Walk
from routestudio.functions.elixir.quoted import Node, is_node


@dataclass(slots=True)
class Arm:
    """One way of a choice: its test (`None`: always), names that it binds, and its value."""

    test: str | None
    body: Any
    names: dict[str, Code] = field(default_factory=dict)


class Choices:
    """The part of the conversion that knows choices."""

    def __init__(self, walk: Walk, calls: Calls) -> None:
        self.walk = walk
        self.calls = calls

    def conditions(self, clauses: list[Node]) -> list[Arm]:
        """The ways of `cond`."""
        arms = []
        for clause in clauses:
            test = clause.args[0][0]
            arms.append(
                Arm(None if test is True else self.walk.condition(test).text, clause.args[1])
            )
            if test is True:
                break
        return arms

    def clauses(self, subject: Code, clauses: list[Node]) -> list[Arm]:
        """The ways of clauses that a value is matched with."""
        arms = []
        for clause in clauses:
            head = clause.args[0][0]
            guard = None
            if is_node(head, "when"):
                head, guard = head.args
            outer = dict(self.walk.names)
            test = self._pattern(subject, head)
            if guard is not None:
                shown = self.walk.condition(guard)
                test = shown.text if test is None else f"{test} and {shown.inside(AND + 1)}"
            new = {k: v for k, v in self.walk.names.items() if outer.get(k) is not v}
            self.walk.names = outer
            arms.append(Arm(test, clause.args[1], new))
            if test is None:
                break
        return arms

    def _pattern(self, subject: Code, pattern: Any) -> str | None:
        """A test whether a value fits a pattern; `None` when every value does."""
        text = subject.inside(ATOM)
        if pattern is None or type(pattern) is bool:
            return f"{text} is {pattern}"
        if type(pattern) is str:
            return f"{text} == {self.walk.value(pattern).text}"
        if type(pattern) is int:
            test = f"{text} == {pattern}"
            if subject.kinds == INT:
                return test
            return f"isinstance({text}, int) and not isinstance({text}, bool) and {test}"
        if type(pattern) is Node and pattern.args is None:
            if not pattern.name.startswith("_"):
                if (
                    pattern.name in self.walk.names
                    and self.walk.names[pattern.name].text == subject.text
                ):
                    return None
                self.walk.names[pattern.name] = subject
            return None
        if is_node(pattern, "%{}"):
            tests = [] if subject.kinds == DICT else [f"isinstance({text}, dict)"]
            for key, inner in pattern.args:
                if type(key) is not str:
                    self.walk.refuse(pattern, "keys of a map must be text in both languages")
                shown = self.walk.value(key).text
                tests.append(f"{shown} in {text}")
                further = self._pattern(Code(f"{text}[{shown}]"), inner)
                tests += [further] if further else []
            return " and ".join(tests) if tests else None
        self.walk.refuse(
            pattern,
            "this pattern has no equal form in Python",
            "match texts, nil, true, false or maps",
        )

    def cond(self, node: Node, sections: Any) -> Code:
        """`cond` inside of an expression."""
        return self._chained(self.conditions(sections[0][1]))

    def case(self, node: Node, subject: Any, sections: Any) -> Code:
        """`case` inside of an expression."""
        return self._chained(self.clauses(self.walk.value(subject), sections[0][1]))

    def _chained(self, arms: list[Arm]) -> Code:
        texts, kinds = [], NONE - NONE
        for arm in arms:
            outer = dict(self.walk.names)
            self.walk.names.update(arm.names)
            found = self.walk.value(arm.body)
            self.walk.names = outer
            kinds |= found.kinds
            shown = found.inside(CHOICE + 1)
            texts.append(shown if arm.test is None else f"{shown} if {arm.test} else ")
        if arms[-1].test is not None:
            texts.append(self.walk.help("no_clause"))
        return Code("".join(texts), CHOICE if len(texts) > 1 else ORDER, kinds)

    def function(self, node: Node, *clauses: Node) -> Code:
        """A closure as a lambda."""
        if len(clauses) != 1 or any(
            type(item) is not Node or item.args is not None for item in clauses[0].args[0]
        ):
            self.walk.refuse(node, "this closure has no equal form in Python", "give it a name")
        outer = dict(self.walk.names)
        names = [self.calls.closures.parameter(item, ANY) for item in clauses[0].args[0]]
        body = self.walk.value(clauses[0].args[1])
        self.walk.names = outer
        return Code(f"lambda {', '.join(names)}: {body.text}", CHOICE, frozenset(["function"]))
