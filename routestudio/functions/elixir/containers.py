"""What stands between brackets: lists, tuples, maps, arguments, parentheses."""

from __future__ import annotations

from typing import Any

from routestudio.functions.elixir.escapes import SourceError
from routestudio.functions.elixir.lexer import Token
from routestudio.functions.elixir.quoted import Node, is_node
from routestudio.functions.elixir.reading import Expressions, Reader
from routestudio.functions.elixir.texts import Texts
from routestudio.functions.elixir.values import atom


class Containers:
    """The part of the parser that knows brackets."""

    def __init__(self, reader: Reader, values: Expressions, texts: Texts) -> None:
        self.reader = reader
        self.values = values
        self.texts = texts

    def open_arguments(self) -> list[Any]:
        """Arguments without parentheses."""
        args: list[Any] = []
        while True:
            if self.reader.token.kind in ("key", "quoted key"):
                args.append(self.keywords(no_do=True))
                break
            args.append(self._plain(self.values.expression(40, no_do=True)))
            if self.reader.token.kind != ",":
                break
            self.reader.next()
            self.reader.skip_lines()
        return args

    def arguments(self) -> list[Any]:
        """Arguments in parentheses."""
        opened = self.reader.expect("(")
        args = self._elements(")", opened, trailing=False)
        self.reader.expect(")", opened)
        return args

    def container(self, close: str, opened: Token) -> list[Any]:
        """The values of a list, tuple or binary."""
        items = self._elements(close, opened, trailing=True)
        self.reader.expect(close, opened)
        return items

    def _elements(self, close: str, opened: Token, *, trailing: bool) -> list[Any]:
        """Values separated by commas; key-value pairs at the end are one list."""
        items: list[Any] = []
        self.reader.skip_lines()
        while self.reader.token.kind != close:
            if self.reader.token.kind in ("key", "quoted key"):
                pairs = self.keywords(no_do=False, trailing=trailing)
                if close == "]":
                    items += pairs
                else:
                    items.append(pairs)
                self.reader.skip_lines()
                break
            items.append(self._plain(self.values.expression()))
            many = "open many" in flags_of(items[-1])
            if many and (trailing or len(items) > 1 or self.reader.token.kind == ","):
                raise SourceError(
                    "unexpected comma. Parentheses are required to solve ambiguity inside "
                    "containers and calls",
                    items[-1].place,
                )
            self._skip_lines_before(close)
            if self.reader.token.kind != ",":
                break
            self.reader.next()
            self.reader.skip_lines()
            if self.reader.token.kind == close and not trailing:
                raise self.reader.unexpected()
        if self.reader.token.kind == "eof":
            self.reader.expect(close, opened)
        return items

    def _skip_lines_before(self, close: str) -> None:
        if self.reader.token.kind == "eol" and self.reader.peek().kind in (close, "eof"):
            self.reader.next()

    def _plain(self, value: Any) -> Any:
        if type(value) is Node and "many" in value.flags:
            raise SourceError("unexpected parentheses around several values", value.place)
        return value

    def keywords(self, *, no_do: bool, trailing: bool = False) -> list[Any]:
        """Pairs of key and value."""
        pairs: list[Any] = []
        while True:
            token = self.reader.token
            if token.kind == "key":
                self.reader.next()
                key = token.value
            elif token.kind == "quoted key":
                self.reader.next()
                key = self.texts.quoted_atom(token)
            else:
                raise SourceError(
                    "unexpected expression after keyword list. Keyword lists must always come as "
                    "the last argument",
                    token.place,
                )
            self.reader.skip_lines()
            pairs.append((key, self._plain(self.values.expression(40, no_do=no_do))))
            if self.reader.token.kind != ",":
                return pairs
            self.reader.next()
            self.reader.skip_lines()
            if trailing and self.reader.token.kind in ("]", "}", ">>"):
                return pairs

    def parentheses(self) -> Any:
        """What stands in parentheses."""
        opened = self.reader.next()
        self.reader.skip_ends()
        if self.reader.token.kind == ")":
            self.reader.next()
            # Before `->` these are not parameters; anywhere else they are an empty block.
            flags = frozenset(["many"] if self.reader.token.kind in ("->", "when") else [])
            return Node("__block__", [], opened.place, self.reader.closed, flags)
        start = self.reader.at, self.reader.depth
        if self.reader.token.kind not in ("key", "quoted key"):
            items = self._guarded_items()
            if items is not None:
                self.reader.expect(")", opened)
                if len(items) == 1 and type(items[0]) is list and is_clauses(items[0]):
                    return items[0]
                return parenthesized(block(items, opened.place, self.reader.closed))
            self.reader.at, self.reader.depth = start
            self.reader.token = self.reader.tokens[self.reader.at]
        values = self._elements(")", opened, trailing=False)
        self.reader.expect(")", opened)
        if self.reader.token.kind not in ("->", "when"):
            raise SourceError(
                "unexpected parentheses around several values",
                opened.place,
                "write `{...}` for a tuple",
            )
        return Node("__block__", values, opened.place, self.reader.closed, frozenset(["many"]))

    def _guarded_items(self) -> list[Any] | None:
        """What stands in parentheses, or `None` for several values before an arrow."""
        first = self.values.expression()
        if self.reader.token.kind == ",":
            return None
        if self.reader.token.kind == "->":
            head = self.values.head([first])
            arrow = self.reader.next()
            body = self.values.items((")",))
            return [[Node("->", [head, block(body, arrow.place, self.reader.closed)], arrow.place)]]
        if self.reader.token.kind in ("eol", ";"):
            self.reader.skip_ends()
            if self.reader.token.kind == ")":
                return [first]
            return [first, *self.values.items((")",))]
        return [first]

    def map(self) -> Any:
        """A map or struct."""
        token = self.reader.next()
        struct: Any = None
        if token.kind == "%":
            if self.reader.token.space:
                raise self.reader.unexpected()
            struct = self._struct_name()
        opened = self.reader.token
        if opened.kind != "{" or opened.space:
            raise self.reader.unexpected()
        self.reader.next()
        node = Node("%{}", self._entries(opened), token.place, self.reader.closed)
        if struct is None:
            return node
        return Node("%", [struct, node], token.place, self.reader.closed)

    def _struct_name(self) -> Any:
        token = self.reader.next()
        if token.kind == "alias":
            name: Any = Node("__aliases__", [atom(token.value)], token.place, token.end)
            while self.reader.token.kind == "." and self.reader.peek().kind == "alias":
                self.reader.next()
                part = self.reader.next()
                name = Node("__aliases__", [*name.args, atom(part.value)], token.place, part.end)
            return name
        if token.kind == "name":
            return Node(token.value, None, token.place, token.end)
        if token.kind == "^" and self.reader.token.kind == "name":
            name = self.reader.next()
            return Node("^", [Node(name.value, None, name.place, name.end)], token.place, name.end)
        if token.kind == "atom":
            return token.value
        raise SourceError("syntax error after: '%'", token.place)

    def _entries(self, opened: Token) -> list[Any]:
        """Pairs of a map, or one `|` node for the update form."""
        entries: list[Any] = []
        self.reader.skip_lines()
        while self.reader.token.kind != "}":
            if self.reader.token.kind in ("key", "quoted key"):
                entries += self.keywords(no_do=False, trailing=True)
                self.reader.skip_lines()
                break
            key = self._plain(self.values.expression(80 if entries else 75))
            if self.reader.token.kind == "|" and not entries:
                bar = self.reader.next()
                self.reader.skip_lines()
                pairs = self._entries(opened)
                return [Node("|", [key, pairs], bar.place, self.reader.closed)]
            if self.reader.token.kind == "=>":
                self.reader.next()
                self.reader.skip_lines()
                entries.append((key, self._plain(self.values.expression(60))))
            elif type(key) is Node and (
                type(key.name) is Node or key.args is None or key.name.isidentifier()
            ):
                entries.append(key)  # no pair, which only the rules of a server refuse
            else:
                raise self.reader.unexpected()
            self._skip_lines_before("}")
            if self.reader.token.kind != ",":
                break
            self.reader.next()
            self.reader.skip_lines()
        self.reader.expect("}", opened)
        return entries


def flags_of(value: Any) -> frozenset[str]:
    """The flags of a node; none for a literal."""
    return value.flags if type(value) is Node else frozenset()


def bare(value: Any) -> bool:
    """A name or field without arguments: a bracket after a space is its argument."""
    return type(value) is Node and (value.args is None or "field" in value.flags)


def is_clauses(items: list[Any]) -> bool:
    """Whether these are the clauses of `->`."""
    return bool(items) and all(is_node(item, "->", 2) for item in items)


def block(items: list[Any], place: tuple[int, int], end: tuple[int, int]) -> Any:
    """Expressions as one: a block unless there is just one."""
    if len(items) == 1:
        item = items[0]
        if is_node(item, "unquote_splicing", 1):
            return Node("__block__", items, place, end)
        return item
    return Node("__block__", items, place, end)


def parenthesized(value: Any) -> Any:
    """A value that stood in parentheses."""
    if type(value) is Node:
        value = Node(
            value.name,
            value.args,
            value.place,
            value.end,
            (value.flags | {"parens"}) - {"open many", "open"},
        )
    return value


def tuple_of(items: list[Any], token: Token, end: tuple[int, int]) -> Any:
    """A tuple; pairs stand for themselves."""
    if len(items) == 2:
        return tuple(items)
    return Node("{}", items, token.place, end)
