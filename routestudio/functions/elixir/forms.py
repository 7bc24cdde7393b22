"""Control flow: `if`, `case`, `cond`, `with`, closures, `&&` and its kin."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, Final

from routestudio.functions.elixir import pyast
from routestudio.functions.elixir.patterns import Patterns
from routestudio.functions.elixir.purity import arity_of, is_boolean, is_closure_call, loops
from routestudio.functions.elixir.quoted import Node, is_node
from routestudio.functions.elixir.unit import Unit, Values
from routestudio.functions.elixir.values import atom
from routestudio.functions.tracing import HIT

Place = pyast.Place
Into = Callable[[ast.expr, Place], ast.stmt]
"""What becomes of a branch's value: returned, or assigned to a name."""

_DO: Final = atom("do")
_ELSE: Final = atom("else")


def section(sections: Any, name: Any) -> Any:
    """What stands behind `do` or `else`; `None` (nil) when it is not there."""
    return next((content for key, content in sections if key is name), None)


class Loop:
    """A closure that may call itself last: its Python name and its parameters."""

    def __init__(self, title: str, names: list[str]) -> None:
        self.title = title
        self.names = names

    def finish(self, value: ast.expr, place: Place) -> ast.stmt:
        return pyast.result(value, place)


class Forms:
    """The part of the compiler that knows control flow.

    `points` numbers the ways through the function when its calls are traced.
    """

    def __init__(self, unit: Unit, values: Values, patterns: Patterns) -> None:
        self.unit = unit
        self.values = values
        self.patterns = patterns
        self.loop: Loop | None = None
        self.points: Callable[[int, int, str], int] | None = None

    # Values

    def form(self, node: Node) -> ast.expr:
        """A form as an expression; through a name and statements when it must be."""
        if self.unit.pure(node):
            return self._pure(node)
        name = self.unit.temporary()
        self.into(node, lambda value, place: pyast.assign(name, value, place))
        return pyast.name(name, node.place)

    def returning(self, body: Any) -> list[ast.stmt]:
        """The statements of a function's body."""
        outer, self.unit.out = self.unit.out, []
        self.into(body, pyast.result)
        statements, self.unit.out = self.unit.out, outer
        return statements

    def into(self, value: Any, finish: Into) -> None:
        """Write the statements of a value to `self.unit.out`; `finish` makes the last of them."""
        loop = self.loop if self.loop is not None and finish == self.loop.finish else None
        if loop is not None and is_closure_call(value, len(loop.names)):
            _again(self.unit, self.values, value, loop)
            return
        if (
            type(value) is Node
            and value.args is not None
            and (loop is not None or not self.unit.pure(value))
        ):
            match value.name:
                case "__block__" if value.args:
                    for item in value.args[:-1]:
                        part = self.values.expression(item)
                        if not isinstance(part, (ast.Name, ast.Constant)):
                            self.unit.out.append(pyast.run(part, value.place))
                    self.into(value.args[-1], finish)
                    return
                case "if":
                    self._if(value, finish)
                    return
                case "case":
                    self._case(value, finish)
                    return
                case "cond":
                    self._cond(value, finish)
                    return
                case "with":
                    self._with(value, finish)
                    return
        place = value.place if type(value) is Node else (1, 1)
        self.unit.out.append(finish(self.values.expression(value), place))

    def branch(
        self,
        body: Any,
        finish: Into,
        env: dict[str, str] | None = None,
        *,
        point: tuple[str, Place] | None = None,
    ) -> list[ast.stmt]:
        """The statements of a branch, whose bindings stay inside. `point` names it for traces."""
        outer_out, outer_env = self.unit.out, self.unit.env
        self.unit.out, self.unit.env = [], dict(env if env is not None else outer_env)
        if point is not None and self.points is not None:
            self.unit.out.append(pyast.run(self._hit(*point), point[1]))
        self.into(body, finish)
        statements, self.unit.out, self.unit.env = self.unit.out, outer_out, outer_env
        return statements

    def _hit(self, kind: str, place: Place) -> ast.expr:
        assert self.points is not None
        return pyast.call(HIT, [pyast.const(self.points(*place, kind), place)], place)

    def _taken(self, kind: str, value: ast.expr, place: Place) -> ast.expr:
        """The value of a branch; when calls are traced, one that shows that it was taken."""
        if self.points is None:
            return value
        return pyast.either([self._hit(kind, place), value], place)

    def _pure(self, node: Node) -> ast.expr:
        args, place = node.args or [], node.place
        if node.name == "if":
            condition = self.truth(args[0], place)
            yes = self._taken("if", self.scoped(section(args[1], _DO)), place)
            no = self._taken("else", self.scoped(section(args[1], _ELSE)), place)
            return pyast.choose(condition, yes, no, place)
        if node.name == "cond":
            clauses = section(args[0], _DO) or []
            # The line that a server reports is that of the last clause.
            result = pyast.call("cond_error", [], clauses[-1].place if clauses else place)
            for clause in reversed(clauses):
                test, body = clause.args
                value = self._taken("cond", self.scoped(body), clause.place)
                result = pyast.choose(
                    self.truth(test[0], clause.place), value, result, clause.place
                )
            return result
        subject = self.values.expression(args[0])
        keep: ast.expr | None = None
        if not isinstance(subject, ast.Name):
            name = self.unit.temporary()
            keep = pyast.walrus(name, subject, place)
            subject = pyast.name(name, place)
        result = self._clauses(
            section(args[1], _DO) or [], [subject], pyast.call("case_error", [subject], place)
        )
        if keep is not None:
            kept = pyast.is_not(keep, pyast.name("MISSING", place), place)
            result = pyast.choose(kept, result, pyast.const(None, place), place)
        return result

    def scoped(self, body: Any) -> ast.expr:
        """A value whose bindings stay inside."""
        outer = self.unit.env
        self.unit.env = dict(outer)
        value = self.values.expression(body)
        self.unit.env = outer
        return value

    def _clauses(self, clauses: list[Node], subjects: list[ast.expr], error: ast.expr) -> ast.expr:
        """Pure clauses as one conditional expression."""
        compiled = []
        for clause in clauses:
            patterns, body = clause.args or ([], None)
            conditions, env = self.patterns.head(patterns, subjects, clause.place)
            outer, self.unit.env = self.unit.env, env
            value = self._taken("case", self.values.expression(body), clause.place)
            self.unit.env = outer
            compiled.append((conditions, value, clause.place))
            if not conditions:
                break
        result = error
        for conditions, value, place in reversed(compiled):
            result = (
                pyast.choose(pyast.both(conditions, place), value, result, place)
                if conditions
                else value
            )
        return result

    def truth(self, value: Any, place: Place) -> ast.expr:
        """A condition: everything but nil and false counts as true."""
        expression = self.values.expression(value)
        if is_boolean(value):
            return expression
        if not isinstance(expression, ast.Name):
            name = self.unit.temporary()
            first = pyast.walrus(name, expression, place)
            expression = pyast.name(name, place)
        else:
            first = expression
        return pyast.both(
            [
                pyast.is_not(first, pyast.const(None, place), place),
                pyast.is_not(expression, pyast.const(False, place), place),
            ],
            place,
        )

    # Statements

    def _if(self, node: Node, finish: Into) -> None:
        args = node.args or []
        condition = self.truth(args[0], node.place)
        yes = self.branch(section(args[1], _DO), finish, point=("if", node.place))
        no = self.branch(section(args[1], _ELSE), finish, point=("else", node.place))
        self.unit.out.append(pyast.branch(condition, yes, no, node.place))

    def _case(self, node: Node, finish: Into) -> None:
        args = node.args or []
        subject = self.values.named(args[0], node.place)
        error = pyast.run(pyast.call("case_error", [subject], node.place), node.place)
        self.unit.out += self._chain(section(args[1], _DO) or [], [subject], [error], finish)

    def _chain(
        self, clauses: list[Node], subjects: list[ast.expr], error: list[ast.stmt], finish: Into
    ) -> list[ast.stmt]:
        """Clauses as `if ... elif ... else`."""
        compiled = []
        for clause in clauses:
            patterns, body = clause.args or ([], None)
            conditions, env = self.patterns.head(patterns, subjects, clause.place)
            statements = self.branch(body, finish, env, point=("case", clause.place))
            compiled.append((conditions, statements, clause.place))
            if not conditions:
                break
        result = error
        for conditions, statements, place in reversed(compiled):
            if not conditions:
                result = statements
            else:
                test = pyast.both(conditions, place)
                result = [pyast.branch(test, statements, result, place)]
        return result

    def _cond(self, node: Node, finish: Into) -> None:
        clauses = section((node.args or [[]])[0], _DO) or []
        outer_out, outer_env = self.unit.out, self.unit.env
        levels: list[tuple[list[ast.stmt], ast.expr, list[ast.stmt], Place]] = []
        for clause in clauses:
            test, body = clause.args
            self.unit.out, self.unit.env = [], dict(outer_env)
            condition = self.truth(test[0], clause.place)
            before = self.unit.out
            statements = self.branch(body, finish, point=("cond", clause.place))
            levels.append((before, condition, statements, clause.place))
        self.unit.out, self.unit.env = outer_out, outer_env
        last = clauses[-1].place if clauses else node.place
        result: list[ast.stmt] = [pyast.run(pyast.call("cond_error", [], last), last)]
        for before, condition, statements, place in reversed(levels):
            result = [*before, pyast.branch(condition, statements, result, place)]
        self.unit.out += result

    def _with(self, node: Node, finish: Into) -> None:
        """Steps that must match, in a loop that runs once: leaving it means a step did not."""
        args, place = node.args or [], node.place
        steps, sections = args[:-1], args[-1]
        outer_out, outer_env = self.unit.out, self.unit.env
        failed, done = self.unit.temporary(), self.unit.temporary()
        self.unit.out, self.unit.env = [], dict(outer_env)
        self.unit.out.append(pyast.assign(done, pyast.const(False, place), place))
        head, self.unit.out = self.unit.out, []
        for step in steps:
            if not is_node(step, "<-", 2):
                value = self.values.expression(step)
                if not isinstance(value, (ast.Name, ast.Constant)):
                    self.unit.out.append(pyast.run(value, step.place))
                continue
            pattern, source = step.args
            subject = self.values.named(source, step.place)
            conditions, self.unit.env = self.patterns.head([pattern], [subject], step.place)
            if conditions:
                test = pyast.not_(pyast.both(conditions, step.place), step.place)
                leave = [
                    pyast.assign(failed, subject, step.place),
                    pyast.at(ast.Break(), step.place),
                ]
                self.unit.out.append(pyast.branch(test, leave, [], step.place))
        self.into(section(sections, _DO), finish)
        self.unit.out.append(pyast.assign(done, pyast.const(True, place), place))
        self.unit.out.append(pyast.at(ast.Break(), place))
        loop = pyast.at(ast.While(pyast.const(True, place), self.unit.out, []), place)
        self.unit.out, self.unit.env = outer_out, outer_env
        self.unit.out += [*head, loop]
        subject = pyast.name(failed, place)  # type: ignore[assignment]
        clauses = next((content for key, content in sections if key is _ELSE), None)
        if clauses is None:
            rest = [finish(subject, place)]
        else:
            error = pyast.run(pyast.call("with_error", [subject], place), place)
            rest = self._chain(clauses, [subject], [error], finish)
        test = pyast.not_(pyast.name(done, place), place)
        self.unit.out.append(pyast.branch(test, rest, [], place))

    # Closures

    def closure(self, node: Node) -> ast.expr:
        """`fn ... end`."""
        clauses: list[Node] = node.args or []
        place = node.place
        count = arity_of(clauses[0])
        names = [self.unit.temporary() for _ in range(count)]
        subjects = [pyast.name(name, place) for name in names]
        error = pyast.call("function_error", [pyast.const(count, place)], place)
        if self.unit.pure(node) and not loops(clauses):
            return pyast.lambda_(names, self._clauses(clauses, subjects, error), place)
        title = self.unit.temporary()
        outer, self.loop = self.loop, None
        if loops(clauses):
            self.loop = Loop(title, names)
            chain = self._chain(clauses, subjects, [pyast.run(error, place)], self.loop.finish)
            body = [pyast.at(ast.While(pyast.const(True, place), chain, []), place)]
        else:
            body = self._chain(clauses, subjects, [pyast.run(error, place)], pyast.result)
        self.loop = outer
        self.unit.out.append(pyast.function(title, names, body, place))
        return pyast.name(title, place)


def _again(unit: Unit, values: Values, node: Node, loop: Loop) -> None:
    """A closure called last: when it is the closure itself, its body runs once more."""
    place = node.place
    target, *args = values.several([node.name.args[0], *(node.args or [])], place)
    callee = unit.temporary()
    count = pyast.const(len(args), place)
    unit.out.append(pyast.assign(callee, pyast.call("called", [target, count], place), place))
    held = pyast.name(callee, place)
    targets = pyast.at(
        ast.Tuple(
            [pyast.at(ast.Name(name, ast.Store()), place) for name in loop.names], ast.Store()
        ),
        place,
    )
    rebind = pyast.at(ast.Assign([targets], pyast.tuple_(args, place)), place)
    again = [rebind, pyast.at(ast.Continue(), place)]
    test = pyast.is_(held, pyast.name(loop.title, place), place)
    other = [pyast.result(pyast.call(held, args, place), place)]
    unit.out.append(pyast.branch(test, again, other, place))
