"""Values of Elixir functions.

nil, booleans, integers, floats, lists and tuples are Python's own (lists are never changed in
place). A binary is a `str`; bytes that are not UTF-8 stand in it as surrogate escapes. A map is a
`dict` whose keys are stored by `key_in`, because Python would merge the keys 1, 1.0 and true.
A closure is a Python function whose number of parameters is its arity.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any, ClassVar, Final


class Atom:
    """An atom other than nil, true and false; one object per name (`atom`)."""

    __slots__ = ("name",)
    _known: ClassVar[dict[str, Atom]] = {}

    def __init__(self, name: str) -> None:
        self.name = name

    def __reduce__(self) -> tuple[Any, ...]:
        return atom, (self.name,)

    def __repr__(self) -> str:
        return f":{self.name}"


def atom(name: str) -> Any:
    """The atom of a name; nil, true and false are Python's objects."""
    found = Atom._known.get(name)
    if found is None:
        if name in _NAMED:
            return _NAMED[name]
        found = Atom._known[name] = Atom(name)
    return found


_NAMED: Final[dict[str, Any]] = {"nil": None, "true": True, "false": False}

OK: Final[Atom] = atom("ok")
ERROR: Final[Atom] = atom("error")
GT: Final[Atom] = atom("gt")
LT: Final[Atom] = atom("lt")
EQ: Final[Atom] = atom("eq")
STRUCT: Final[Atom] = atom("__struct__")


def atom_name(value: Any) -> str | None:
    """The name of an atom (nil and booleans too), `None` for any other value."""
    if type(value) is Atom:
        return value.name
    if value is None:
        return "nil"
    if value is True:
        return "true"
    return "false" if value is False else None


class Key:
    """A map key that Python's `dict` would confuse: compared strictly, 1 is not 1.0."""

    __slots__ = ("_hash", "_text", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self._text = identity(value)
        self._hash = hash(self._text)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return type(other) is Key and self._text == other._text

    def __reduce__(self) -> tuple[Any, ...]:
        return Key, (self.value,)


_PLAIN: Final = frozenset((str, Atom, int, type(None)))


def key_in(value: Any) -> Any:
    """How a value is stored as a key."""
    return value if type(value) in _PLAIN else Key(value)


def key_out(stored: Any) -> Any:
    """The value of a stored key."""
    return stored.value if type(stored) is Key else stored


def identity(value: Any) -> Any:
    """Something hashable that is equal for two values exactly when `===` holds for them."""
    kind = type(value)
    if kind is str or kind is Atom or value is None:
        return value
    if kind is int:
        return value
    if kind is bool:
        return (bool, value)
    if kind is float:
        return (float, value.hex())
    if kind is list:
        return (list, tuple(map(identity, value)))
    if kind is tuple:
        return (tuple, tuple(map(identity, value)))
    if kind is dict:
        return (dict, frozenset((identity(key_out(k)), identity(v)) for k, v in value.items()))
    if kind is FunctionType:
        return (FunctionType, id(value))
    if isinstance(value, Struct):
        return (Struct, value.module, identity(value.fields()))
    return (kind, id(value))


class Reference:
    """What `make_ref` and `self` give: something equal to itself only."""

    __slots__ = ("text",)

    def __init__(self, text: str = "#Reference<0.0.0.0>") -> None:
        self.text = text


class Cons:
    """An improper list: items, and a tail that is not a list."""

    __slots__ = ("items", "tail")

    def __init__(self, items: list[Any], tail: Any) -> None:
        self.items = items
        self.tail = tail

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: Any) -> Any:
        """An item, or what is left after some items: the tail when these were all."""
        found = self.items[index]
        if isinstance(index, slice):
            return Cons(found, self.tail) if found else self.tail
        return found


class Struct:
    """A struct: `module` without the prefix `Elixir.`; `fields` as a map with atom keys."""

    __slots__ = ()
    module: str = ""

    def fields(self) -> dict[Any, Any]:
        """All fields but `__struct__`, as a new map; none, unless a class has some."""
        return {}


class AnyStruct(Struct):
    """A struct of a module without its own class, or one whose fields were replaced."""

    __slots__ = ("_fields", "module")

    def __init__(self, module: str, fields: dict[Any, Any]) -> None:
        self.module = module
        self._fields = fields

    def fields(self) -> dict[Any, Any]:
        return dict(self._fields)


def module_atom(module: str) -> Any:
    """The atom of a module's name: `Date` is `Elixir.Date`."""
    return atom(f"Elixir.{module}")


def full_map(value: Struct) -> dict[Any, Any]:
    """A struct as the map it is, with `__struct__`."""
    return {STRUCT: module_atom(value.module), **value.fields()}


def text_of(data: bytes) -> str:
    """A binary of bytes."""
    return data.decode("utf-8", "surrogateescape")


def bytes_of(text: str) -> bytes:
    """The bytes of a binary."""
    return text.encode("utf-8", "surrogateescape")


def whole(text: str) -> str:
    """A binary put together from parts: escaped bytes that now form a character become it."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text_of(bytes_of(text))
    return text


def is_utf8(text: str) -> bool:
    """Whether a binary is valid UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
