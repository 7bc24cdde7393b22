"""Frozen dataclasses as JSON and back, by their annotations.

A dataclass is an object with its fields as keys; a field that holds its default is left out. What
comes back is checked: an unknown key, a missing key and a value of another type are named in a
`ProtocolError`. Fields of the type `Json` hold any JSON value and are passed on as they are.

Understood are `str`, `int`, `float`, `bool`, `None`, `Json`, `Literal`, dataclasses, unions,
`tuple`, `Sequence`, `list`, `Mapping` and `dict` with texts as keys. Where a union has several
dataclasses, each has a `TAG`, a key and its value, by which it is known.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections import abc
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from routestudio.errors import ProtocolError

if TYPE_CHECKING:
    Json: typing.TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
else:
    Json = object

JsonMap = Mapping[str, Json]
"""A JSON object."""

T = TypeVar("T")
Load = Callable[[object], object]
"""Makes a value of what JSON gave. Raises `ProtocolError`."""

_PLAIN: dict[object, frozenset[type]] = {
    str: frozenset({str}),
    int: frozenset({int}),
    float: frozenset({float, int}),
    bool: frozenset({bool}),
    None: frozenset({type(None)}),
    type(None): frozenset({type(None)}),
}
_WORDS = {
    dict: "a map",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}


def plain(value: object) -> object:
    """One step towards JSON, for `json.dumps(default=plain)`: the rest are values of fields."""
    cls = type(value)
    if dataclasses.is_dataclass(cls):
        return _shape(cls).dump(value)
    if isinstance(value, (set, frozenset)):
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def complete(value: object) -> object:
    """Dictionaries and lists of all of `value`, with every field of each dataclass."""
    cls = type(value)
    if cls in (str, int, float, bool, type(None)):
        return value
    if dataclasses.is_dataclass(cls):
        return {name: complete(getattr(value, name)) for name in _shape(cls).names}
    if isinstance(value, Mapping):
        return {key: complete(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [complete(item) for item in value]
    return value


def with_texts(value: T, change: Callable[[str], str]) -> T:
    """`value` with `change` made of every text in it, keys of maps included."""
    return typing.cast(T, _with_texts(value, change))


def _with_texts(value: object, change: Callable[[str], str]) -> object:
    cls = type(value)
    if cls is str:
        return change(typing.cast(str, value))
    if cls is dict:
        items = typing.cast("dict[str, object]", value).items()
        return {change(k) if type(k) is str else k: _with_texts(v, change) for k, v in items}
    if cls in (list, tuple):
        return cls(_with_texts(item, change) for item in typing.cast("list[object]", value))
    if dataclasses.is_dataclass(cls):
        names = _shape(cls).names
        return cls(**{name: _with_texts(getattr(value, name), change) for name in names})
    return value


def load(kind: type[T], data: object) -> T:
    """A dataclass of what JSON gave. Raises `ProtocolError`."""
    return typing.cast(T, loader(typing.cast(abc.Hashable, kind))(data))


@cache
def loader(kind: object) -> Load:
    """What makes a value of the type `kind`; made once for each type."""
    allowed = _plain_types(kind)
    if kind is object:
        return _as_it_is
    if allowed is not None:
        return _checked(allowed)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _shape(kind).load
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return _one_of(arguments)
    if origin in (typing.Union, types.UnionType):
        return _either(arguments)
    if origin is tuple and not (len(arguments) == 2 and arguments[1] is Ellipsis):
        return _fixed(tuple(loader(item) for item in arguments))
    if origin in (tuple, abc.Sequence):
        return _several(arguments[0], tuple)
    if origin is list:
        return _several(arguments[0], list)
    if origin in (dict, abc.Mapping) and arguments[0] is str:
        return _map(arguments[1])
    raise TypeError(f"there is no JSON form of {kind}")


class _Shape:
    """How one dataclass is written and read."""

    def __init__(self, cls: type) -> None:
        fields = dataclasses.fields(cls)
        self.cls = cls
        self.names = tuple(field.name for field in fields)
        self.tag: tuple[str, str] | None = getattr(cls, "TAG", None)
        self._optional = frozenset(
            field.name for field in fields
            if field.default is not dataclasses.MISSING
            or field.default_factory is not dataclasses.MISSING
        )  # fmt: skip
        self._defaults = tuple((field.name, _default(field)) for field in fields)
        self._fields: tuple[tuple[str, frozenset[type] | None, Load], ...] | None = None

    def dump(self, value: object) -> dict[str, object]:
        """The fields that differ from their defaults, their values as they are."""
        found: dict[str, object] = {} if self.tag is None else {self.tag[0]: self.tag[1]}
        for name, default in self._defaults:
            item = getattr(value, name)
            if item is not default and (item or item != default):
                found[name] = item
        return found

    def load(self, data: object) -> object:
        """An instance of what JSON gave."""
        if type(data) is not dict:
            raise ProtocolError(f"{self.cls.__name__}: {_other('a map', data)}")
        values: dict[str, object] = {}
        for name, allowed, inner in self._fields or self._read():
            if name not in data:
                if name in self._optional:
                    continue
                raise ProtocolError(f"{self.cls.__name__}: `{name}` is missing")
            item = data[name]
            if allowed is not None and type(item) in allowed:
                values[name] = item
                continue
            try:
                values[name] = inner(item)
            except ProtocolError as error:
                text = f"{self.cls.__name__}.{name}: {error.message}"
                raise ProtocolError(text) from None
        if len(values) != len(data):
            self._refuse_unknown(data, values)
        return self.cls(**values)

    def _read(self) -> tuple[tuple[str, frozenset[type] | None, Load], ...]:
        hints = typing.get_type_hints(self.cls)
        self._fields = tuple(
            (name, _plain_types(hints[name]), loader(hints[name])) for name in self.names
        )
        return self._fields

    def _refuse_unknown(self, data: Mapping[str, object], values: Iterable[str]) -> None:
        for name in data.keys() - set(values):
            if self.tag is None or (name, data[name]) != self.tag:
                raise ProtocolError(f"{self.cls.__name__}: there is no `{name}`")


def _default(field: dataclasses.Field[object]) -> object:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return dataclasses.MISSING


@cache
def _shape(cls: type) -> _Shape:
    return _Shape(cls)


def _plain_types(kind: object) -> frozenset[type] | None:
    """The Python types of a type that needs no more than a look at them."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        found = [_plain_types(item) for item in typing.get_args(kind)]
        if all(item is not None for item in found):
            return frozenset().union(*(item for item in found if item is not None))
    return None


def _other(wanted: str, value: object) -> str:
    return f"{wanted} is expected, not {_WORDS.get(type(value), type(value).__name__)}"


def _as_it_is(value: object) -> object:
    return value


def _checked(allowed: frozenset[type]) -> Load:
    words = " or ".join(dict.fromkeys(word for cls, word in _WORDS.items() if cls in allowed))

    def read(value: object) -> object:
        if type(value) not in allowed:
            raise ProtocolError(_other(words, value))
        return value

    return read


def _one_of(values: tuple[object, ...]) -> Load:
    def read(value: object) -> object:
        if value not in values:
            raise ProtocolError(f"{value!r} is none of {', '.join(map(repr, values))}")
        return value

    return read


def _several(kind: object, make: Callable[[Iterable[object]], object]) -> Load:
    allowed, inner = _plain_types(kind), loader(kind)

    def read(value: object) -> object:
        if type(value) is not list and type(value) is not tuple:
            raise ProtocolError(_other("a list", value))
        if inner is _as_it_is or (allowed is not None and all(type(v) in allowed for v in value)):
            return make(value)
        return make(map(inner, value))

    return read


def _fixed(inner: tuple[Load, ...]) -> Load:
    def read(value: object) -> object:
        if not isinstance(value, (list, tuple)) or len(value) != len(inner):
            raise ProtocolError(_other(f"a list of {len(inner)}", value))
        return tuple(make(item) for make, item in zip(inner, value, strict=True))

    return read


def _map(kind: object) -> Load:
    inner = loader(kind)

    def read(value: object) -> object:
        if type(value) is not dict:
            raise ProtocolError(_other("a map", value))
        if inner is _as_it_is:
            return value
        return {key: inner(item) for key, item in value.items()}

    return read


def _either(kinds: tuple[object, ...]) -> Load:
    """Of a union: simple values by their types, dataclasses by their tags, lists and maps."""
    allowed = frozenset[type]().union(*(_plain_types(kind) or () for kind in kinds))
    classes = [k for k in kinds if dataclasses.is_dataclass(k) and isinstance(k, type)]
    others = [k for k in kinds if _plain_types(k) is None and k not in classes]
    tagged = {shape.tag: shape for shape in map(_shape, classes) if shape.tag is not None}
    if len(others) > 1 or (len(classes) > 1 and len(tagged) != len(classes)):
        raise TypeError(f"one JSON form for {' and '.join(map(str, kinds))}")
    rest: list[Load] = [_shape(kind).load for kind in classes] or [loader(kind) for kind in others]

    def read(value: object) -> object:
        if type(value) in allowed:
            return value
        if tagged and isinstance(value, dict):
            for tag, shape in tagged.items():
                if value.get(tag[0]) == tag[1]:
                    return shape.load(value)
            raise ProtocolError("this map is of no known kind")
        if rest:
            return rest[0](value)
        raise ProtocolError(_other("another value", value))

    return read
