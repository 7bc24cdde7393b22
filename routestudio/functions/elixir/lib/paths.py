"""`get_in`, `put_in`, `update_in`, `pop_in`, `get_and_update_in`."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from routestudio.functions.elixir.errors import ElixirError, argument, clause
from routestudio.functions.elixir.inspecting import inspect
from routestudio.functions.elixir.lib.common import unary
from routestudio.functions.elixir.registry import define
from routestudio.functions.elixir.runtime import access, called
from routestudio.functions.elixir.values import Atom, Struct, atom, key_in

_GET, _UPDATE, _POP = atom("get"), atom("get_and_update"), atom("pop")


def _keys(keys: Any, where: str) -> list[Any]:
    if type(keys) is not list:
        raise clause(where)
    if not keys:
        raise clause(where)
    return keys


@define("Kernel", "get_in", 2)
def get_in(data: Any, keys: Any) -> Any:
    """`Kernel.get_in/2`."""
    for position, key in enumerate(_keys(keys, "Kernel.get_in/2")):
        if type(key) is FunctionType:
            rest = keys[position + 1 :]

            def further(value: Any, rest: list[Any] = rest) -> Any:
                return get_in(value, rest) if rest else value

            return called(key, 3)(_GET, data, _one(further))
        if data is None:
            return None
        data = access(data, key)
    return data


def _one(function: Any) -> Any:
    """A closure of exactly one parameter, which a function of the user may call."""

    def call(value: Any) -> Any:
        return function(value)

    return call


def _replace(data: Any, key: Any, change: Any) -> tuple[Any, Any]:
    """`Access.get_and_update`: `change` gives a pair, or `:pop`."""
    if data is None:
        raise argument(f"could not put/update key {inspect(key)} on a nil value")
    if isinstance(data, Struct):
        raise ElixirError(
            "UndefinedFunctionError",
            f"function {data.module}.get_and_update/3 is undefined ({data.module} does not "
            "implement the Access behaviour",
        )
    if type(data) is list and type(key) not in (Atom, bool, type(None)):
        text = "the Access module supports only keyword lists (with atom keys), got: "
        raise argument(text + inspect(key))
    current = access(data, key)
    answer = change(current)
    if type(data) is dict:
        new = dict(data)
        if answer is _POP:
            new.pop(key_in(key), None)
            return current, new
        got, value = _pair(answer)
        new[key_in(key)] = value
        return got, new
    if type(data) is not list or type(key) not in (Atom, bool, type(None)):
        raise clause("Access.get_and_update/3")
    at = next((i for i, e in enumerate(data) if type(e) is tuple and e and e[0] is key), None)
    if answer is _POP:
        return current, [e for e in data if not (type(e) is tuple and e and e[0] is key)]
    got, value = _pair(answer)
    if at is None:
        return got, [(key, value), *data]
    return got, [*data[:at], (key, value), *data[at + 1 :]]


def _pair(answer: Any) -> tuple[Any, Any]:
    if type(answer) is tuple and len(answer) == 2:
        return answer
    raise ElixirError(
        "RuntimeError",
        "the given function must return a two-element tuple or :pop, got: " + inspect(answer),
    )


def _walk(data: Any, keys: list[Any], change: Any) -> tuple[Any, Any]:
    key, rest = keys[0], keys[1:]

    def inner(value: Any) -> Any:
        return change(value) if not rest else _walk(value, rest, change)

    if type(key) is FunctionType:
        return _pair(called(key, 3)(_UPDATE, data, _one(inner)))
    return _replace(data, key, inner)


@define("Kernel", "put_in", 3)
def put_in(data: Any, keys: Any, value: Any) -> Any:
    """`Kernel.put_in/3`."""
    return _walk(data, _keys(keys, "Kernel.put_in/3"), lambda old: (None, value))[1]


@define("Kernel", "update_in", 3)
def update_in(data: Any, keys: Any, function: Any) -> Any:
    """`Kernel.update_in/3`."""
    where = _keys(keys, "Kernel.update_in/3")
    return _walk(data, where, lambda old: (None, called(function, 1)(old)))[1]


@define("Kernel", "get_and_update_in", 3)
def get_and_update_in(data: Any, keys: Any, function: Any) -> Any:
    """`Kernel.get_and_update_in/3`."""
    return _walk(data, _keys(keys, "Kernel.get_and_update_in/3"), unary(function))


@define("Kernel", "pop_in", 2)
def pop_in(data: Any, keys: Any) -> Any:
    """`Kernel.pop_in/2`."""
    where = _keys(keys, "Kernel.pop_in/2")
    if data is None:
        raise argument(f"could not pop key {inspect(where[0])} on a nil value")
    return _pop(data, where)


@define("Kernel", "pop_path", 2)
def pop_path(data: Any, keys: list[Any]) -> Any:
    """`pop_in(map["a"]["b"])`: the form of `Kernel.pop_in/1` that is written as an access."""
    if data is None and len(keys) > 1:
        raise argument(f"could not put/update key {inspect(keys[0])} on a nil value")
    return _pop(data, keys)


def _pop(data: Any, keys: list[Any]) -> tuple[Any, Any]:
    if data is None:
        return None, None
    key, rest = keys[0], keys[1:]
    if type(key) is FunctionType:
        return _pair(called(key, 3)(_UPDATE, data, _one(lambda v: _pop(v, rest) if rest else _POP)))
    if type(data) is list and type(key) not in (Atom, bool, type(None)):
        raise clause("Keyword.get_and_update/3")
    if not rest:
        return _replace(data, key, lambda old: _POP)
    if access(data, key) is None:
        return None, data
    return _replace(data, key, lambda old: _pop(old, rest))
