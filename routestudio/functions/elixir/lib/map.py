"""Map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from routestudio.functions.elixir import ops
from routestudio.functions.elixir.errors import ElixirError, argument, argument_error, clause
from routestudio.functions.elixir.inspecting import inspect
from routestudio.functions.elixir.lib.common import items, truthy, unary
from routestudio.functions.elixir.registry import elixir
from routestudio.functions.elixir.runtime import MISSING, called
from routestudio.functions.elixir.structs import from_fields
from routestudio.functions.elixir.value_errors import bad_map, key_error
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


@elixir("Map.new([entries], [fun])", "A map of `{key, value}` pairs.", closure=(1, 1))
def new(source: Any = MISSING, function: Any = MISSING) -> Data:
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


@elixir("Map.from_keys(keys, value)", "A map of these keys, all with one value.")
def from_keys(keys: Any, value: Any) -> Data:
    if type(keys) is not list:
        raise argument_error(1, "not a list")
    return {key_in(key): value for key in keys}


@elixir("Map.get(map, key, [default])", "The value, or the default when the key is missing.")
def get(value: Any, key: Any, default: Any = None) -> Any:
    if type(value) is dict:
        return value.get(key_in(key), default)
    return need(value).get(key_in(key), default)


@elixir(
    "Map.get_lazy(map, key, fun)",
    "The value, or what the closure gives when the key is missing.",
    closure=(2, 0),
)
def get_lazy(value: Any, key: Any, function: Any) -> Any:
    found = need(value).get(key_in(key), MISSING)
    return called(function, 0)() if found is MISSING else found


@elixir("Map.fetch(map, key)", "`{:ok, value}`, or `:error` when the key is missing.")
def fetch(value: Any, key: Any) -> Any:
    found = need(value).get(key_in(key), MISSING)
    return ERROR if found is MISSING else (OK, found)


@elixir("Map.fetch!(map, key)", "The value; raises when the key is missing.")
def fetch_b(value: Any, key: Any) -> Any:
    found = need(value).get(key_in(key), MISSING)
    if found is MISSING:
        raise key_error(key, value)
    return found


@elixir("Map.has_key?(map, key)", "Whether the map has the key.")
def has_key(value: Any, key: Any) -> bool:
    return key_in(key) in need(value)


@elixir("Map.put(map, key, value)", "The map with the key set.")
def put(value: Any, key: Any, new_value: Any) -> Any:
    return _changed(value, key, new_value)


@elixir("Map.put_new(map, key, value)", "The map with the key set, unless it has one.")
def put_new(value: Any, key: Any, new_value: Any) -> Any:
    return value if key_in(key) in need(value) else _changed(value, key, new_value)


@elixir(
    "Map.put_new_lazy(map, key, fun)", "The same, with a closure for the value.", closure=(2, 0)
)
def put_new_lazy(value: Any, key: Any, function: Any) -> Any:
    return value if key_in(key) in need(value) else _changed(value, key, called(function, 0)())


@elixir("Map.replace(map, key, value)", "The map with another value, when it has the key.")
def replace(value: Any, key: Any, new_value: Any) -> Any:
    return _changed(value, key, new_value) if key_in(key) in need(value) else value


@elixir("Map.replace!(map, key, value)", "The same; raises when the key is missing.")
def replace_b(value: Any, key: Any, new_value: Any) -> Any:
    fetch_b(value, key)
    return _changed(value, key, new_value)


@elixir(
    "Map.replace_lazy(map, key, fun)",
    "The map with a value changed, when it has the key.",
    closure=(2, 1),
)
def replace_lazy(value: Any, key: Any, function: Any) -> Any:
    found = need(value).get(key_in(key), MISSING)
    return value if found is MISSING else _changed(value, key, unary(function)(found))


@elixir(
    "Map.update(map, key, default, fun)",
    "The map with a value changed; the default when it is missing.",
    closure=(3, 1),
)
def update(value: Any, key: Any, default: Any, function: Any) -> Any:
    found = need(value).get(key_in(key), MISSING)
    return _changed(value, key, default if found is MISSING else unary(function)(found))


@elixir(
    "Map.update!(map, key, fun)",
    "The map with a value changed; raises when it is missing.",
    closure=(2, 1),
)
def update_b(value: Any, key: Any, function: Any) -> Any:
    return _changed(value, key, unary(function)(fetch_b(value, key)))


@elixir("Map.delete(map, key)", "The map without a key.")
def delete(value: Any, key: Any) -> Any:
    data = dict(need(value))
    data.pop(key_in(key), None)
    return data if type(value) is dict else back(data)


def _keys(keys: Any) -> list[Any]:
    return [key_in(key) for key in items(keys)]


@elixir("Map.drop(map, keys)", "The map without several keys.")
def drop(value: Any, keys: Any) -> Any:
    data = dict(need(value))
    for key in _keys(keys):
        data.pop(key, None)
    return back(data)


@elixir("Map.take(map, keys)", "Only the entries of these keys.")
def take(value: Any, keys: Any) -> Any:
    data = need(value)
    return back({key: data[key] for key in _keys(keys) if key in data})


@elixir("Map.split(map, keys)", "The entries of these keys, and the others.")
def split(value: Any, keys: Any) -> Any:
    return take(value, keys), drop(value, keys)


@elixir("Map.merge(a, b, [fun])", "Both maps together; the second one wins.", closure=(2, 3))
def merge(left: Any, right: Any, function: Any = MISSING) -> Any:
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


@elixir("Map.intersect(a, b, [fun])", "The entries whose keys are in both maps.")
def intersect(left: Any, right: Any, function: Any = MISSING) -> Data:
    a, b = need(left), need(right)
    resolve: Callable[..., Any] | None = None if function is MISSING else called(function, 3)
    return {
        key: b[key] if resolve is None else resolve(key_out(key), a[key], b[key])
        for key in ops.sorted_keys(a)
        if key in b
    }


@elixir("Map.keys(map)", "All keys, in order.")
def keys_of(value: Any) -> list[Any]:
    return [key_out(key) for key in ops.sorted_keys(need(value))]


@elixir("Map.values(map)", "All values, in the order of the keys.")
def values_of(value: Any) -> list[Any]:
    data = need(value)
    return [data[key] for key in ops.sorted_keys(data)]


@elixir("Map.to_list(map)", "The entries as `{key, value}` pairs.")
def to_list(value: Any) -> list[Any]:
    return ops.sorted_items(need(value))


@elixir("Map.from_struct(struct)", "The fields of a struct as a map.")
def from_struct(value: Any) -> Data:
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


@elixir("Map.equal?(a, b)", "Whether two maps hold the same.")
def is_equal(left: Any, right: Any) -> bool:
    return ops.same(need(left), need(right))


def _filtered(value: Any, function: Any, keep: bool) -> Any:
    if type(value) is not dict and not isinstance(value, Struct):
        raise clause("Map.filter/2" if keep else "Map.reject/2")
    test = unary(function)
    data = need(value)
    return back(
        {
            key: data[key]
            for key in ops.sorted_keys(data)
            if truthy(test((key_out(key), data[key]))) is keep
        }
    )


@elixir(
    "Map.filter(map, fun)",
    "The entries for which the closure returns a true value, as a map.",
    closure=(1, 1),
)
def filter_(value: Any, function: Any) -> Any:
    return _filtered(value, function, True)


@elixir(
    "Map.reject(map, fun)",
    "The map without the entries for which the closure returns a true value.",
    closure=(1, 1),
)
def reject(value: Any, function: Any) -> Any:
    return _filtered(value, function, False)


@elixir(
    "Map.split_with(map, fun)",
    "The entries for which the closure returns a true value, and the others.",
)
def split_with(value: Any, function: Any) -> Any:
    test = unary(function)
    yes: Data = {}
    no: Data = {}
    data = need(value)
    for key in ops.sorted_keys(data):
        (yes if truthy(test((key_out(key), data[key]))) else no)[key] = data[key]
    return yes, no


@elixir("Map.pop(map, key, [default])", "The value and the map without it.")
def pop(value: Any, key: Any, default: Any = None) -> Any:
    data = need(value)
    stored = key_in(key)
    return (data[stored], delete(value, key)) if stored in data else (default, value)


@elixir("Map.pop!(map, key)", "The same; raises when the key is missing.")
def pop_b(value: Any, key: Any) -> Any:
    return fetch_b(value, key), delete(value, key)


@elixir(
    "Map.pop_lazy(map, key, fun)", "The same, with a closure for a missing key.", closure=(2, 0)
)
def pop_lazy(value: Any, key: Any, function: Any) -> Any:
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


@elixir("Map.get_and_update(map, key, fun)", "Reads and changes one value at once.", closure=(2, 1))
def get_and_update(value: Any, key: Any, function: Any) -> Any:
    current = get(value, key)
    return _updated(value, key, unary(function)(current), current)


@elixir(
    "Map.get_and_update!(map, key, fun)",
    "The same; raises when the key is missing.",
    closure=(2, 1),
)
def get_and_update_b(value: Any, key: Any, function: Any) -> Any:
    current = fetch_b(value, key)
    return _updated(value, key, unary(function)(current), current)


@elixir("Map.size(map)", "Deprecated: write map_size(map).")
def size(value: Any) -> int:
    return len(need(value))


@elixir("Map.map(map, fun)", "Deprecated: write Map.new(map, fun).")
def map_(value: Any, function: Any) -> Any:
    if type(value) is not dict and not isinstance(value, Struct):
        raise clause("Map.map/2")
    change = unary(function)
    return back(
        {key: change(pair) for pair in ops.sorted_items(need(value)) for key in [key_in(pair[0])]}
    )
