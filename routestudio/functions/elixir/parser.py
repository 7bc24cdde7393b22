"""Elixir's grammar: text to quoted form.

A precedence parser after the operator table of the language. Line and column of every node are
those of its operator or name, as in Elixir, with the end of the whole added.
"""

from __future__ import annotations

from typing import Any, Final

from routestudio.functions.elixir.containers import (
    Containers,
    bare,
    block,
    is_clauses,
    tuple_of,
)
from routestudio.functions.elixir.escapes import SourceError
from routestudio.functions.elixir.lexer import BLOCKS, Lexer, Token
from routestudio.functions.elixir.programs import Programs
from routestudio.functions.elixir.quoted import Node, is_node
from routestudio.functions.elixir.reading import Reader, unbalanced
from routestudio.functions.elixir.texts import Texts
from routestudio.functions.elixir.values import atom, module_atom

MAX_DEPTH: Final = 200
"""Deepest nesting that is parsed; the interpreter under us is no deeper either."""

_LEFT, _RIGHT = 0, 1
_BINARY: Final[dict[str, tuple[int, int]]] = {}
for _level, _side, _names in (
    (40, _LEFT, "<- \\\\"), (50, _RIGHT, "when"), (60, _RIGHT, "::"), (70, _RIGHT, "|"),
    (100, _RIGHT, "="), (120, _LEFT, "|| ||| or"), (130, _LEFT, "&& &&& and"),
    (140, _LEFT, "== != =~ === !=="), (150, _LEFT, "< > <= >="),
    (160, _LEFT, "|> <<< >>> <<~ ~>> <~ ~> <~> <|>"), (170, _LEFT, "in"), (180, _LEFT, "^^^"),
    (190, _RIGHT, "//"), (200, _RIGHT, "++ -- +++ --- <> .."), (210, _LEFT, "+ -"),
    (220, _LEFT, "* /"), (230, _LEFT, "**"),
):  # fmt: skip
    for _name in _names.split():
        _BINARY[_name] = (_level, _side)
_BINARY["not in"] = (170, _LEFT)
_UNARY: Final = {"&": 90, "...": 90, "+": 300, "-": 300, "!": 300, "^": 300, "not": 300,
                 "~~~": 300, "@": 320}  # fmt: skip
_STARTS: Final = frozenset(
    ["name", "alias", "int", "float", "string", "charlist", "atom", "quoted atom", "sigil",
     "capture", "[", "{", "(", "%{}", "%", "<<", "fn", "true", "false", "nil", "not", "!", "^",
     "&", "@", "~~~", "key", "quoted key"]
)  # fmt: skip
_CONSTANTS: Final = {"true": True, "false": False, "nil": None}


def parse(text: str) -> Any:
    """The quoted form of a source. Raises `SourceError` for the first thing that is wrong."""
    tokens = Lexer(text).tokens()
    # Elixir looks at brackets and `end`s first, so what is wrong with them is what it reports.
    uneven = unbalanced(tokens)
    try:
        quoted = _Parser(tokens, 0).program()
    except RecursionError:
        raise SourceError("the code is nested too deeply to be evaluated here", (1, 1)) from None
    except SourceError as error:
        if uneven is None or uneven.place == error.place:
            raise
        uneven.others = [error]
        raise uneven from None
    if uneven is not None:
        raise uneven
    return quoted


class _Parser:
    """Expressions. It holds what knows programs, texts and containers."""

    def __init__(self, tokens: list[Token], depth: int) -> None:
        self.reader = Reader(tokens, depth)
        self.texts = Texts(self.reader, self)
        self.containers = Containers(self.reader, self, self.texts)
        self.programs = Programs(self.reader, self, self.containers)
        self.items, self.head = self.programs.items, self.programs.head

    def inner(self, tokens: list[Token], depth: int) -> Any:
        return _Parser(tokens, depth).program()

    # Programs and blocks

    def program(self) -> Any:
        """Everything up to the end of the text."""
        return self.programs.program()

    # Expressions

    def expression(self, level: int = 0, *, no_do: bool = False) -> Any:
        self.reader.depth += 1
        if self.reader.depth > MAX_DEPTH:
            raise SourceError(
                "the code is nested too deeply to be evaluated here", self.reader.token.place
            )
        left = self._unary(no_do)
        while True:
            token = self.reader.token
            found = _BINARY.get(token.kind)
            if found is None or found[0] < level:
                break
            if token.kind == "//" and not is_node(left, "..", 2):
                raise self.reader.unexpected()
            power, side = found
            self.reader.next()
            self.reader.skip_lines()
            if token.kind == "when" and self.reader.token.kind in ("key", "quoted key"):
                right: Any = self.containers.keywords(no_do=no_do)
            else:
                right = self.expression(power + (side == _LEFT), no_do=no_do)
            left = self._binary(token, left, right)
        self.reader.depth -= 1
        return left

    def _binary(self, token: Token, left: Any, right: Any) -> Any:
        name, end = token.kind, self.reader.closed
        if name == "not in":
            inner = Node("in", [left, right], token.place, end)
            return Node("not", [inner], token.place, end)
        if name == "in" and type(left) is Node and left.name in ("not", "!") \
                and left.args is not None and "parens" not in left.flags:  # fmt: skip
            inner = Node("in", [left.args[0], right], token.place, end)
            return Node(left.name, [inner], left.place, end)
        if name == "//" and left.args is not None:
            return Node("..//", [*left.args, right], left.place, end)
        return Node(name, [left, right], token.place, end)

    def _unary(self, no_do: bool) -> Any:
        token = self.reader.token
        power = _UNARY.get(token.kind)
        if power is None:
            return self._postfix(self._primary(no_do), no_do)
        self.reader.next()
        if token.kind == "..." and self.reader.token.kind in ("eol", "eof", ")", "]", "}", ","):
            return Node("...", [], token.place, token.end)
        self.reader.skip_lines()
        operand = self.expression(power, no_do=no_do)
        node = Node(token.kind, [operand], token.place, self.reader.closed)
        return self._postfix(node, no_do) if token.kind == "@" else node

    def _primary(self, no_do: bool) -> Any:
        token = self.reader.token
        match token.kind:
            case "int" | "float" | "atom":
                self.reader.next()
                return token.value
            case "true" | "false" | "nil":
                self.reader.next()
                return _CONSTANTS[token.kind]
            case "string":
                self.reader.next()
                return self.texts.text(token.value, token)
            case "charlist":
                self.reader.next()
                return self.texts.charlist(token)
            case "quoted atom":
                self.reader.next()
                return self.texts.quoted_atom(token)
            case "sigil":
                self.reader.next()
                return self.texts.sigil(token)
            case "capture":
                self.reader.next()
                return Node("&", [token.value], token.place, token.end)
            case "name":
                return self._name(no_do)
            case "alias":
                self.reader.next()
                return Node("__aliases__", [atom(token.value)], token.place, token.end)
            case "(":
                return self.containers.parentheses()
            case "[":
                self.reader.next()
                return self.containers.container("]", token)
            case "{":
                self.reader.next()
                if self.reader.token.kind in ("key", "quoted key"):
                    text = "unexpected keyword list inside tuple"
                    raise SourceError(text, self.reader.token.place, "write `%{...}` for a map")
                return tuple_of(self.containers.container("}", token), token, self.reader.closed)
            case "<<":
                self.reader.next()
                items = self.containers.container(">>", token)
                return Node("<<>>", items, token.place, self.reader.closed)
            case "%{}" | "%":
                return self.containers.map()
            case "fn":
                return self._fn()
        raise self.reader.unexpected()

    def _postfix(self, value: Any, no_do: bool) -> Any:
        while True:
            token = self.reader.token
            if token.kind == "[" and (not token.space or not bare(value)):
                self.reader.next()
                self.reader.skip_lines()
                if self.reader.token.kind in ("key", "quoted key"):
                    key: Any = self.containers.keywords(no_do=False)
                else:
                    key = self.expression()
                self.reader.skip_lines()
                self.reader.expect("]", token)
                access = Node(".", [module_atom("Access"), atom("get")], token.place)
                value = Node(
                    access, [value, key], token.place, self.reader.closed, frozenset(["access"])
                )
            elif token.kind == "." and token.value is None:
                value = self._dot(value, no_do)
            else:
                return value

    def _dot(self, value: Any, no_do: bool) -> Any:
        dot = self.reader.next()
        self.reader.skip_lines()
        token = self.reader.token
        if token.kind == "alias":
            self.reader.next()
            if is_node(value, "__aliases__"):
                return Node("__aliases__", [*value.args, atom(token.value)], value.place, token.end)
            return Node("__aliases__", [value, atom(token.value)], token.place, token.end)
        if token.kind == "(":
            args = self.containers.arguments()
            callee = Node(".", [value], dot.place, dot.end)
            node = Node(callee, args, dot.place, self.reader.closed)
            return self._with_block(node, no_do)
        if token.kind == "{":
            raise SourceError("`Module.{...}` is not evaluated here", token.place)
        if token.kind == "string":
            name = "".join(p for p in token.value if isinstance(p, str))
        elif token.kind == "name":
            name = token.value
        elif token.kind in _BINARY or token.kind in _UNARY:
            name = token.kind
        else:
            raise self.reader.unexpected()
        self.reader.next()
        callee = Node(".", [value, atom(name)], dot.place, token.end)
        return self._call(callee, token, no_do)

    def _call(self, callee: Any, token: Token, no_do: bool) -> Any:
        """The rest of a call of a name that was just read, in any of its forms."""
        remote = type(callee) is Node
        if self.reader.token.kind == "(" and not self.reader.token.space:
            args = self.containers.arguments()
            if self.reader.token.kind == "(" and not self.reader.token.space:
                inner = Node(callee, args, token.place, self.reader.closed)
                node = Node(inner, self.containers.arguments(), token.place, self.reader.closed)
            else:
                node = Node(callee, args, token.place, self.reader.closed, frozenset(["closed"]))
            return self._with_block(node, no_do)
        if self._starts_argument():
            args = self.containers.open_arguments()
            flags = frozenset(["open many"] if len(args) > 1 else ["open"])
            node = Node(callee, args, token.place, self.reader.closed, flags)
            return self._with_block(node, no_do)
        if self.reader.token.kind == "do" and not no_do:
            return self._with_block(Node(callee, [], token.place, token.end), no_do)
        if remote:
            return Node(callee, [], token.place, token.end, frozenset(["field"]))
        return Node(callee, None, token.place, token.end)

    def _name(self, no_do: bool) -> Any:
        token = self.reader.next()
        return self._call(token.value, token, no_do)

    def _starts_argument(self) -> bool:
        """Whether a name is followed by the argument of a call without parentheses."""
        token = self.reader.token
        if not token.space and token.kind in ("(", "[", "+", "-", "..."):
            return False
        if token.kind in ("+", "-", "..."):
            following = self.reader.peek()
            return not following.space and following.kind in _STARTS
        return token.kind == "[" or token.kind in _STARTS

    def _with_block(self, node: Node, no_do: bool) -> Node:
        if self.reader.token.kind != "do" or no_do:
            return node
        opened = self.reader.next()
        sections: list[Any] = []
        name, place = "do", opened.place
        while True:
            items = self.items(("end", *BLOCKS))
            if len(items) == 1 and type(items[0]) is list and is_clauses(items[0]):
                body: Any = items[0]
            else:
                body = block(items, place, self.reader.closed)
            sections.append((atom(name), body))
            if self.reader.token.kind == "end":
                self.reader.next()
                break
            if self.reader.token.kind not in BLOCKS:
                self.reader.expect("end", opened)
            name, place = self.reader.token.kind, self.reader.token.place
            self.reader.next()
        args = [*(node.args or []), sections]
        return Node(node.name, args, node.place, self.reader.closed, frozenset(["do"]))

    def _fn(self) -> Any:
        opened = self.reader.next()
        items = self.items(("end",))
        self.reader.expect("end", opened)
        if len(items) != 1 or type(items[0]) is not list or not is_clauses(items[0]):
            raise SourceError(
                "expected anonymous functions to be defined with -> inside",
                opened.place,
                "write `fn x -> x end`",
            )
        return Node("fn", items[0], opened.place, self.reader.closed)
