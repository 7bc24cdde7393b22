"""Map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from routestudio.functions.elixir import ops
from routestudio.functions.elixir.errors import (
    ElixirError,
    argument,
    argument_error,
    bad_map,
    clause,
    key_error,
)
from routestudio.functions.elixir.inspecting import inspect
from routestudio.functions.elixir.lib.common import items, truthy, unary
from routestudio.functions.elixir.registry import define
from routestudio.functions.elixir.runtime import MISSING, called
from routestudio.functions.elixir.structs import from_fields
from routestudio.functions.elixir.values import (
    ERROR,
    OK,
    STRUCT,
    Atom,
    Struct,
    atom,
    atom_name,
    full_map,
    key_in,
    key_out,
)

Data = dict[Any, Any]


def need(value: Any) -> Data:
    """A map, or a struct as one. Raises `BadMapError`."""
    if type(value) is dict:
        return value
    if isinstance(value, Struct):
        return full_map(value)
    raise bad_map(value)


def back(data: Data) -> Any:
    """A map that was changed: a struct again when it has the key of one."""
    module = data.get(STRUCT)
    if type(module) is Atom:
        rest = {key: value for key, value in data.items() if key is not STRUCT}
        return from_fields(module.name.removeprefix("Elixir."), rest)
    return data


def _changed(value: Any, key: Any, new: Any) -> Any:
    data = dict(need(value))
    data[key_in(key)] = new
    return data if type(value) is dict and key is not STRUCT else back(data)


@define("Map", "new", 0, 1, 2)
def new(source: Any = MISSING, function: Any = MISSING) -> Data:
    """`Map.new/0`, `/1`, `/2`."""
    if source is MISSING:
        return {}
    if function is MISSING and type(source) is dict:
        return source
    pairs = items(source)
    if function is not MISSING:
        pairs = list(map(unary(function), pairs))
    result: Data = {}
    for pair in pairs:
        if type(pair) is not tuple or len(pair) != 2:
            if function is not MISSING:
                raise ElixirError("ArgumentError", "expected a two-element tuple")
            raise argument(
                "errors were found at the given arguments:\n\n  * 1st argument: not a list\n"
            )
        result[key_in(pair[0])] = pair[1]
    return result


@define("Map", "from_keys", 2)
def from_keys(keys: Any, value: Any) -> Data:
    """`Map.from_keys/2`."""
    if type(keys) is not list:
        raise argument_error(1, "not a list")
    return {key_in(key): value for key in keys}


@define("Map", "get", 2, 3)
def get(value: Any, key: Any, default: Any = None) -> Any:
    """`Map.get/2`, `/3`."""
    if type(value) is dict:
        return value.get(key_in(key), default)
    return need(value).get(key_in(key), default)


@define("Map", "get_lazy", 3)
def get_lazy(value: Any, key: Any, function: Any) -> Any:
    """`Map.get_lazy/3`."""
    found = need(value).get(key_in(key), MISSING)
    return called(function, 0)() if found is MISSING else found


@define("Map", "fetch", 2)
def fetch(value: Any, key: Any) -> Any:
    """`Map.fetch/2`."""
    found = need(value).get(key_in(key), MISSING)
    return ERROR if found is MISSING else (OK, found)


@define("Map", "fetch!", 2)
def fetch_b(value: Any, key: Any) -> Any:
    """`Map.fetch!/2`."""
    found = need(value).get(key_in(key), MISSING)
    if found is MISSING:
        raise key_error(key, value)
    return found


@define("Map", "has_key?", 2)
def has_key(value: Any, key: Any) -> bool:
    """`Map.has_key?/2`."""
    return key_in(key) in need(value)


@define("Map", "put", 3)
def put(value: Any, key: Any, new_value: Any) -> Any:
    """`Map.put/3`."""
    return _changed(value, key, new_value)


@define("Map", "put_new", 3)
def put_new(value: Any, key: Any, new_value: Any) -> Any:
    """`Map.put_new/3`."""
    return value if key_in(key) in need(value) else _changed(value, key, new_value)


@define("Map", "put_new_lazy", 3)
def put_new_lazy(value: Any, key: Any, function: Any) -> Any:
    """`Map.put_new_lazy/3`."""
    return value if key_in(key) in need(value) else _changed(value, key, called(function, 0)())


@define("Map", "replace", 3)
def replace(value: Any, key: Any, new_value: Any) -> Any:
    """`Map.replace/3`."""
    return _changed(value, key, new_value) if key_in(key) in need(value) else value


@define("Map", "replace!", 3)
def replace_b(value: Any, key: Any, new_value: Any) -> Any:
    """`Map.replace!/3`."""
    fetch_b(value, key)
    return _changed(value, key, new_value)


@define("Map", "replace_lazy", 3)
def replace_lazy(value: Any, key: Any, function: Any) -> Any:
    """`Map.replace_lazy/3`."""
    found = need(value).get(key_in(key), MISSING)
    return value if found is MISSING else _changed(value, key, unary(function)(found))


@define("Map", "update", 4)
def update(value: Any, key: Any, default: Any, function: Any) -> Any:
    """`Map.update/4`."""
    found = need(value).get(key_in(key), MISSING)
    return _changed(value, key, default if found is MISSING else unary(function)(found))


@define("Map", "update!", 3)
def update_b(value: Any, key: Any, function: Any) -> Any:
    """`Map.update!/3`."""
    return _changed(value, key, unary(function)(fetch_b(value, key)))


@define("Map", "delete", 2)
def delete(value: Any, key: Any) -> Any:
    """`Map.delete/2`."""
    data = dict(need(value))
    data.pop(key_in(key), None)
    return data if type(value) is dict else back(data)


def _keys(keys: Any) -> list[Any]:
    return [key_in(key) for key in items(keys)]


@define("Map", "drop", 2)
def drop(value: Any, keys: Any) -> Any:
    """`Map.drop/2`."""
    data = dict(need(value))
    for key in _keys(keys):
        data.pop(key, None)
    return back(data)


@define("Map", "take", 2)
def take(value: Any, keys: Any) -> Any:
    """`Map.take/2`."""
    data = need(value)
    return back({key: data[key] for key in _keys(keys) if key in data})


@define("Map", "split", 2)
def split(value: Any, keys: Any) -> Any:
    """`Map.split/2`."""
    return take(value, keys), drop(value, keys)


@define("Map", "merge", 2, 3)
def merge(left: Any, right: Any, function: Any = MISSING) -> Any:
    """`Map.merge/2`, `/3`."""
    a, b = need(left), need(right)
    if function is MISSING:
        return back({**a, **b}) if not (type(left) is dict and type(right) is dict) else {**a, **b}
    resolve = called(function, 3)
    result = dict(a)
    for stored in ops.sorted_keys(b):
        value = b[stored]
        if stored in result:
            value = resolve(key_out(stored), result[stored], value)
        result[stored] = value
    return back(result)


@define("Map", "intersect", 2, 3)
def intersect(left: Any, right: Any, function: Any = MISSING) -> Data:
    """`Map.intersect/2`, `/3`."""
    a, b = need(left), need(right)
    resolve: Callable[..., Any] | None = None if function is MISSING else called(function, 3)
    return {
        key: b[key] if resolve is None else resolve(key_out(key), a[key], b[key])
        for key in ops.sorted_keys(a) if key in b
    }  # fmt: skip


@define("Map", "keys", 1)
def keys_of(value: Any) -> list[Any]:
    """`Map.keys/1`."""
    return [key_out(key) for key in ops.sorted_keys(need(value))]


@define("Map", "values", 1)
def values_of(value: Any) -> list[Any]:
    """`Map.values/1`."""
    data = need(value)
    return [data[key] for key in ops.sorted_keys(data)]


@define("Map", "to_list", 1)
def to_list(value: Any) -> list[Any]:
    """`Map.to_list/1`."""
    return ops.sorted_items(need(value))


@define("Map", "from_struct", 1)
def from_struct(value: Any) -> Data:
    """`Map.from_struct/1`."""
    if isinstance(value, Struct):
        return value.fields()
    if type(value) is dict and type(value.get(STRUCT)) is Atom:
        return {key: item for key, item in value.items() if key is not STRUCT}
    name = atom_name(value)
    if name is not None:
        raise ElixirError(
            "UndefinedFunctionError", f"function {inspect(value)}.__struct__/0 is undefined"
        )
    raise clause("Map.from_struct/1")


@define("Map", "equal?", 2)
def is_equal(left: Any, right: Any) -> bool:
    """`Map.equal?/2`."""
    return ops.same(need(left), need(right))


def _filtered(value: Any, function: Any, keep: bool) -> Any:
    if type(value) is not dict and not isinstance(value, Struct):
        raise clause("Map.filter/2" if keep else "Map.reject/2")
    test = unary(function)
    data = need(value)
    return back({
        key: data[key] for key in ops.sorted_keys(data)
        if truthy(test((key_out(key), data[key]))) is keep
    })  # fmt: skip


@define("Map", "filter", 2)
def filter_(value: Any, function: Any) -> Any:
    """`Map.filter/2`."""
    return _filtered(value, function, True)


@define("Map", "reject", 2)
def reject(value: Any, function: Any) -> Any:
    """`Map.reject/2`."""
    return _filtered(value, function, False)


@define("Map", "split_with", 2)
def split_with(value: Any, function: Any) -> Any:
    """`Map.split_with/2`."""
    test = unary(function)
    yes: Data = {}
    no: Data = {}
    data = need(value)
    for key in ops.sorted_keys(data):
        (yes if truthy(test((key_out(key), data[key]))) else no)[key] = data[key]
    return yes, no


@define("Map", "pop", 2, 3)
def pop(value: Any, key: Any, default: Any = None) -> Any:
    """`Map.pop/2`, `/3`."""
    data = need(value)
    stored = key_in(key)
    return (data[stored], delete(value, key)) if stored in data else (default, value)


@define("Map", "pop!", 2)
def pop_b(value: Any, key: Any) -> Any:
    """`Map.pop!/2`."""
    return fetch_b(value, key), delete(value, key)


@define("Map", "pop_lazy", 3)
def pop_lazy(value: Any, key: Any, function: Any) -> Any:
    """`Map.pop_lazy/3`."""
    if key_in(key) in need(value):
        return pop(value, key)
    return called(function, 0)(), value


def _updated(value: Any, key: Any, answer: Any, current: Any) -> Any:
    if answer is atom("pop"):
        return current, delete(value, key)
    if type(answer) is tuple and len(answer) == 2:
        return answer[0], _changed(value, key, answer[1])
    raise ElixirError(
        "RuntimeError",
        f"the given function must return a two-element tuple or :pop, got: {inspect(answer)}",
    )


@define("Map", "get_and_update", 3)
def get_and_update(value: Any, key: Any, function: Any) -> Any:
    """`Map.get_and_update/3`."""
    current = get(value, key)
    return _updated(value, key, unary(function)(current), current)


@define("Map", "get_and_update!", 3)
def get_and_update_b(value: Any, key: Any, function: Any) -> Any:
    """`Map.get_and_update!/3`."""
    current = fetch_b(value, key)
    return _updated(value, key, unary(function)(current), current)


@define("Map", "size", 1)
def size(value: Any) -> int:
    """`Map.size/1`."""
    return len(need(value))


@define("Map", "map", 2)
def map_(value: Any, function: Any) -> Any:
    """`Map.map/2`."""
    if type(value) is not dict and not isinstance(value, Struct):
        raise clause("Map.map/2")
    change = unary(function)
    return back(
        {key: change(pair) for pair in ops.sorted_items(need(value)) for key in [key_in(pair[0])]}
    )
