"""What stands between brackets: lists, tuples, maps, arguments, parentheses."""

from __future__ import annotations

from typing import Any

from routestudio.functions.elixir.escapes import SourceError
from routestudio.functions.elixir.lexer import Token
from routestudio.functions.elixir.quoted import Node, is_node
from routestudio.functions.elixir.texts import Texts
from routestudio.functions.elixir.values import atom


class Containers(Texts):
    """The part of the parser that knows brackets."""

    def _expression(self, level: int = 0, *, no_do: bool = False) -> Any:
        raise NotImplementedError

    def _items(self, ends: tuple[str, ...]) -> list[Any]:
        raise NotImplementedError

    def _head(self, values: list[Any]) -> list[Any]:
        raise NotImplementedError

    def _open_arguments(self) -> list[Any]:
        args: list[Any] = []
        while True:
            if self._token.kind in ("key", "quoted key"):
                args.append(self._keywords(no_do=True))
                break
            args.append(self._plain(self._expression(40, no_do=True)))
            if self._token.kind != ",":
                break
            self._next()
            self._skip_lines()
        return args

    def _arguments(self) -> list[Any]:
        opened = self._expect("(")
        args = self._elements(")", opened, trailing=False)
        self._expect(")", opened)
        return args

    def _container(self, close: str, opened: Token) -> list[Any]:
        items = self._elements(close, opened, trailing=True)
        self._expect(close, opened)
        return items

    def _elements(self, close: str, opened: Token, *, trailing: bool) -> list[Any]:
        """Values separated by commas; key-value pairs at the end are one list."""
        items: list[Any] = []
        self._skip_lines()
        while self._token.kind != close:
            if self._token.kind in ("key", "quoted key"):
                pairs = self._keywords(no_do=False, trailing=trailing)
                if close == "]":
                    items += pairs
                else:
                    items.append(pairs)
                self._skip_lines()
                break
            items.append(self._plain(self._expression()))
            many = "open many" in flags_of(items[-1])
            if many and (trailing or len(items) > 1 or self._token.kind == ","):
                raise SourceError(
                    "unexpected comma. Parentheses are required to solve ambiguity inside "
                    "containers and calls", items[-1].place,
                )  # fmt: skip
            self._skip_lines_before(close)
            if self._token.kind != ",":
                break
            self._next()
            self._skip_lines()
            if self._token.kind == close and not trailing:
                raise self._unexpected()
        if self._token.kind == "eof":
            self._expect(close, opened)
        return items

    def _skip_lines_before(self, close: str) -> None:
        if self._token.kind == "eol" and self._peek().kind in (close, "eof"):
            self._next()

    def _plain(self, value: Any) -> Any:
        if type(value) is Node and "many" in value.flags:
            raise SourceError("unexpected parentheses around several values", value.place)
        return value

    def _keywords(self, *, no_do: bool, trailing: bool = False) -> list[Any]:
        pairs: list[Any] = []
        while True:
            token = self._token
            if token.kind == "key":
                self._next()
                key = token.value
            elif token.kind == "quoted key":
                self._next()
                key = self._quoted_atom(token)
            else:
                raise SourceError(
                    "unexpected expression after keyword list. Keyword lists must always come as "
                    "the last argument", token.place,
                )  # fmt: skip
            self._skip_lines()
            pairs.append((key, self._plain(self._expression(40, no_do=no_do))))
            if self._token.kind != ",":
                return pairs
            self._next()
            self._skip_lines()
            if trailing and self._token.kind in ("]", "}", ">>"):
                return pairs

    def _parentheses(self) -> Any:
        opened = self._next()
        self._skip_ends()
        if self._token.kind == ")":
            self._next()
            # Before `->` these are not parameters; anywhere else they are an empty block.
            flags = frozenset(["many"] if self._token.kind in ("->", "when") else [])
            return Node("__block__", [], opened.place, self._closed, flags)
        start = self._at, self._depth
        if self._token.kind not in ("key", "quoted key"):
            items = self._guarded_items()
            if items is not None:
                self._expect(")", opened)
                if len(items) == 1 and type(items[0]) is list and is_clauses(items[0]):
                    return items[0]
                return parenthesized(block(items, opened.place, self._closed))
            self._at, self._depth = start
            self._token = self._tokens[self._at]
        values = self._elements(")", opened, trailing=False)
        self._expect(")", opened)
        if self._token.kind not in ("->", "when"):
            raise SourceError("unexpected parentheses around several values", opened.place,
                              "write `{...}` for a tuple")  # fmt: skip
        return Node("__block__", values, opened.place, self._closed, frozenset(["many"]))

    def _guarded_items(self) -> list[Any] | None:
        """What stands in parentheses, or `None` for several values before an arrow."""
        first = self._expression()
        if self._token.kind == ",":
            return None
        if self._token.kind == "->":
            head = self._head([first])
            arrow = self._next()
            body = self._items((")",))
            return [[Node("->", [head, block(body, arrow.place, self._closed)], arrow.place)]]
        if self._token.kind in ("eol", ";"):
            self._skip_ends()
            if self._token.kind == ")":
                return [first]
            return [first, *self._items((")",))]
        return [first]

    def _map(self) -> Any:
        token = self._next()
        struct: Any = None
        if token.kind == "%":
            if self._token.space:
                raise self._unexpected()
            struct = self._struct_name()
        opened = self._token
        if opened.kind != "{" or opened.space:
            raise self._unexpected()
        self._next()
        node = Node("%{}", self._entries(opened), token.place, self._closed)
        if struct is None:
            return node
        return Node("%", [struct, node], token.place, self._closed)

    def _struct_name(self) -> Any:
        token = self._next()
        if token.kind == "alias":
            name: Any = Node("__aliases__", [atom(token.value)], token.place, token.end)
            while self._token.kind == "." and self._peek().kind == "alias":
                self._next()
                part = self._next()
                name = Node("__aliases__", [*name.args, atom(part.value)], token.place, part.end)
            return name
        if token.kind == "name":
            return Node(token.value, None, token.place, token.end)
        if token.kind == "^" and self._token.kind == "name":
            name = self._next()
            return Node("^", [Node(name.value, None, name.place, name.end)], token.place, name.end)
        if token.kind == "atom":
            return token.value
        raise SourceError("syntax error after: '%'", token.place)

    def _entries(self, opened: Token) -> list[Any]:
        """Pairs of a map, or one `|` node for the update form."""
        entries: list[Any] = []
        self._skip_lines()
        while self._token.kind != "}":
            if self._token.kind in ("key", "quoted key"):
                entries += self._keywords(no_do=False, trailing=True)
                self._skip_lines()
                break
            key = self._plain(self._expression(80 if entries else 75))
            if self._token.kind == "|" and not entries:
                bar = self._next()
                self._skip_lines()
                pairs = self._entries(opened)
                return [Node("|", [key, pairs], bar.place, self._closed)]
            if self._token.kind == "=>":
                self._next()
                self._skip_lines()
                entries.append((key, self._plain(self._expression(60))))
            elif type(key) is Node and (
                type(key.name) is Node or key.args is None or key.name.isidentifier()
            ):  # fmt: skip
                entries.append(key)  # no pair, which only the rules of a server refuse
            else:
                raise self._unexpected()
            self._skip_lines_before("}")
            if self._token.kind != ",":
                break
            self._next()
            self._skip_lines()
        self._expect("}", opened)
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
        value = Node(value.name, value.args, value.place, value.end,
                     (value.flags | {"parens"}) - {"open many", "open"})  # fmt: skip
    return value


def tuple_of(items: list[Any], token: Token, end: tuple[int, int]) -> Any:
    """A tuple; pairs stand for themselves."""
    if len(items) == 2:
        return tuple(items)
    return Node("{}", items, token.place, end)
