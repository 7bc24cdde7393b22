"""Programs, blocks and clauses of Elixir's grammar."""

from __future__ import annotations

from typing import Any

from routestudio.functions.elixir.containers import Containers, block, flags_of, is_clauses
from routestudio.functions.elixir.escapes import SourceError
from routestudio.functions.elixir.quoted import Node, is_node
from routestudio.functions.elixir.reading import Expressions, Reader


class Programs:
    """What consists of several expressions. `values` reads each of them."""

    def __init__(self, reader: Reader, values: Expressions, containers: Containers) -> None:
        self.reader = reader
        self.values = values
        self.containers = containers

    def program(self) -> Any:
        """Everything up to the end of the text."""
        place = self.reader.token.place
        items = self.items(("eof",))
        if self.reader.token.kind != "eof":
            raise self.reader.unexpected()
        if len(items) == 1 and type(items[0]) is list and is_clauses(items[0]):
            raise SourceError("syntax error before: '->'", items[0][0].place)
        return block(items, place, self.reader.closed)

    def items(self, ends: tuple[str, ...]) -> list[Any]:
        """Expressions, or the clauses of `->`, up to one of the closing tokens."""
        self.reader.skip_ends()
        items: list[Any] = []
        clauses: list[Node] | None = None
        body: list[Any] = items
        arrow_before = False
        while self.reader.token.kind not in ends and self.reader.token.kind != "eof":
            start = self.reader.token
            if start.kind == "->":
                head: list[Any] | None = []
            elif start.kind in ("key", "quoted key"):
                head = self.head([])
            else:
                value = self.values.expression()
                head = None
                if self.reader.token.kind in (",", "->"):
                    head = self.head([value])
                elif type(value) is Node and "many" in value.flags:
                    raise SourceError("unexpected parentheses around several values", value.place)
            if head is None:
                body.append(value)
            else:
                if arrow_before:
                    raise self.reader.unexpected()  # what follows an arrow is its body
                arrow = self.reader.expect("->")
                if clauses is None:
                    if items:
                        raise SourceError(
                            "unexpected operator ->. If you want to define clauses, the first "
                            "expression must be one too",
                            arrow.place,
                        )
                    clauses = []
                self._close_clause(clauses, body)
                body = []
                clauses.append(Node("->", [head, body], arrow.place))
            arrow_before = head is not None and self.reader.token.kind != ";"
            if self.reader.token.kind in ("eol", ";"):
                self.reader.skip_ends()
            elif head is None and self.reader.token.kind not in ends:
                raise self.reader.unexpected()
        if clauses is None:
            return items
        self._close_clause(clauses, body)
        return [clauses]

    def _close_clause(self, clauses: list[Node], body: list[Any]) -> None:
        if clauses:
            node = clauses[-1]
            assert node.args is not None
            node.args[1] = block(body, node.place, self.reader.closed)
            node.end_line, node.end_column = self.reader.closed

    def head(self, values: list[Any]) -> list[Any]:
        """The parameters of a clause, with a guard around them when there is one."""
        if not values:
            values = self._pairs_or_value(values)
        while self.reader.token.kind == ",":
            self.reader.next()
            self.reader.skip_lines()
            values = self._pairs_or_value(values)
        last = values[-1]
        if is_node(last, "when", 2) and "many" in flags_of(last.args[0]):
            guarded: Node = last
            assert guarded.args is not None
            return [
                Node("when", [*guarded.args[0].args, guarded.args[1]], guarded.place, guarded.end)
            ]
        if "many" in flags_of(last) and len(values) == 1:
            return list(last.args)
        if len(values) > 1 and is_node(last, "when", 2):
            return [Node("when", [*values[:-1], *last.args], last.place, last.end)]
        return values

    def _pairs_or_value(self, values: list[Any]) -> list[Any]:
        if self.reader.token.kind in ("key", "quoted key"):
            return [*values, self.containers.keywords(no_do=False)]
        return [*values, self.values.expression()]
