"""Kernel: guards, numbers, tuples, sizes; paths of `put_in` and the like."""

from __future__ import annotations

import math
from types import FunctionType
from typing import Any

from routestudio.functions.elixir import ops
from routestudio.functions.elixir.errors import (
    ElixirError,
    argument,
    argument_error,
    arithmetic,
    clause,
)
from routestudio.functions.elixir.inspecting import inspect
from routestudio.functions.elixir.lib.common import unary
from routestudio.functions.elixir.registry import (
    ANY,
    FUNCTIONS,
    Varies,
    elixir,
    inline,
    unevaluated,
)
from routestudio.functions.elixir.runtime import (
    MISSING,
    access,
    append,
    as_map,
    called,
    struct_name,
)
from routestudio.functions.elixir.value_errors import bad_map
from routestudio.functions.elixir.values import (
    Atom,
    Cons,
    Reference,
    Struct,
    atom,
    bytes_of,
    key_in,
    text_of,
)

_NUMBERS = frozenset((int, float))
_ATOMS = frozenset((Atom, bool, type(None)))
_EXCEPTION = atom("__exception__")

for _name, _operator in {
    "==": ops.equal, "!=": ops.not_equal, "===": ops.same, "!==": ops.not_same,
    "<": ops.less, ">": ops.greater, "<=": ops.less_equal, ">=": ops.greater_equal,
    "+": ops.add, "-": ops.subtract, "*": ops.multiply, "/": ops.divide, "++": append,
}.items():  # fmt: skip
    FUNCTIONS["Kernel", _name, 2] = _operator

elixir("Kernel.div(a, b)", "The integer quotient, cut toward zero.")(ops.div)
elixir("Kernel.rem(a, b)", "The rest of an integer division, with the sign of the first.")(ops.rem)
inline("Kernel.is_binary(value)", "Whether the value is a text.")
inline("Kernel.is_nil(value)", "Whether the value is nil.")
inline("Kernel.not(value)", "The opposite of true or false.")
inline("Kernel.to_string(value)", "The value as text; nil is empty.")


@elixir("Kernel.is_integer(value)", "Whether the value is an integer.")
def is_integer(value: Any) -> bool:
    return type(value) is int


@elixir("Kernel.is_bitstring(value)", "Whether the value is a text or other bits.")
def is_bitstring(value: Any) -> bool:
    return type(value) is str


@elixir("Kernel.is_atom(value)", "Whether the value is an atom; nil, true and false are.")
def is_atom(value: Any) -> bool:
    return type(value) in _ATOMS


@elixir("Kernel.is_boolean(value)", "Whether the value is true or false.")
def is_boolean(value: Any) -> bool:
    return type(value) is bool


@elixir("Kernel.is_float(value)", "Whether the value is a floating-point number.")
def is_float(value: Any) -> bool:
    return type(value) is float


@elixir("Kernel.is_number(value)", "Whether the value is an integer or a float; a Decimal is not.")
def is_number(value: Any) -> bool:
    return type(value) in _NUMBERS


@elixir("Kernel.is_list(value)", "Whether the value is a list.")
def is_list(value: Any) -> bool:
    return type(value) is list or type(value) is Cons


@elixir("Kernel.is_map(value)", "Whether the value is a map; dates and decimals are, too.")
def is_map(value: Any) -> bool:
    return type(value) is dict or isinstance(value, Struct)


@elixir("Kernel.is_tuple(value)", "Whether the value is a tuple.")
def is_tuple(value: Any) -> bool:
    return type(value) is tuple


@elixir("Kernel.is_reference(value)", "Whether the value is a reference.")
def is_reference(value: Any) -> bool:
    return type(value) is Reference and value.text.startswith("#Ref")


@elixir(
    "Kernel.is_struct(value, [name])", "Whether the value is a struct, such as a date or a decimal."
)
def is_struct(value: Any, module: Any = None) -> bool:
    name = struct_name(value)
    if module is None:
        return name is not MISSING
    return name is module


@elixir("Kernel.is_exception(value, [name])", "Whether the value is an exception.")
def is_exception(value: Any, module: Any = None) -> bool:
    data = as_map(value)
    found = data is not None and data.get(_EXCEPTION) is True and struct_name(value) is not MISSING
    return found and (module is None or struct_name(value) is module)


@elixir("Kernel.is_function(value, [arity])", "Whether the value is a closure.")
def is_function(value: Any, arity: Any = None) -> bool:
    if arity is not None and type(arity) is not int:
        raise argument_error(2, "not an integer")
    if arity is not None and arity < 0:
        raise argument_error(2, "out of range")
    if type(value) is not FunctionType:
        return False
    return arity is None or value.__code__.co_argcount == arity


@elixir("Kernel.is_map_key(map, key)", "Whether the map has the key.")
def is_map_key(value: Any, key: Any) -> bool:
    data = as_map(value)
    if data is None:
        raise bad_map(value)
    return key_in(key) in data


@elixir("Kernel.abs(number)", "The number without its sign.")
def absolute(value: Any) -> Any:
    if type(value) not in _NUMBERS:
        raise argument_error(1, "not a number")
    return abs(value)


@elixir("Kernel.max(a, b)", "The greater of two values.")
def maximum(a: Any, b: Any) -> Any:
    return b if ops.compare(b, a) > 0 else a


@elixir("Kernel.min(a, b)", "The smaller of two values.")
def minimum(a: Any, b: Any) -> Any:
    return b if ops.compare(b, a) < 0 else a


def _number(value: Any) -> Any:
    if type(value) not in _NUMBERS:
        raise argument_error(1, "not a number")
    return value


@elixir("Kernel.round(number)", "The nearest integer; halves away from zero.")
def rounded(value: Any) -> int:
    number = _number(value)
    if type(number) is int:
        return number
    whole = math.floor(abs(number))
    up = abs(number) - whole >= 0.5
    return int(math.copysign(1, number)) * (whole + up)


@elixir("Kernel.trunc(number)", "The number without its fraction.")
def truncated(value: Any) -> int:
    return math.trunc(_number(value))


@elixir("Kernel.ceil(number)", "The smallest integer that is not below the number.")
def ceiling(value: Any) -> int:
    return math.ceil(_number(value))


@elixir("Kernel.floor(number)", "The largest integer that is not above the number.")
def floored(value: Any) -> int:
    return math.floor(_number(value))


@elixir("Kernel.hd(list)", "The first item of a list that is not empty.")
def head(value: Any) -> Any:
    items = value.items if type(value) is Cons else value
    if type(items) is not list or not items:
        raise argument_error(1, "not a nonempty list")
    return items[0]


@elixir("Kernel.tl(list)", "The list without its first item.")
def tail(value: Any) -> Any:
    if type(value) is Cons:
        return Cons(value.items[1:], value.tail) if len(value.items) > 1 else value.tail
    if type(value) is not list or not value:
        raise argument_error(1, "not a nonempty list")
    return value[1:]


@elixir("Kernel.length(list)", "The number of items of a list.")
def length(value: Any) -> int:
    if type(value) is not list:
        raise argument_error(1, "not a list")
    return len(value)


@elixir("Kernel.elem(tuple, index)", "The item of a tuple at a position from 0.")
def element(value: Any, index: Any) -> Any:
    if type(index) is not int:
        if type(index) is float:
            raise argument_error(1, "not an integer")
        raise arithmetic()
    if type(value) is not tuple:
        raise argument_error(2, "not a tuple")
    if not 0 <= index < len(value):
        raise argument_error(1, "out of range")
    return value[index]


@elixir("Kernel.put_elem(tuple, index, value)", "The tuple with another item at a position.")
def put_element(value: Any, index: Any, new: Any) -> Any:
    element(value, index)
    return (*value[:index], new, *value[index + 1 :])


@elixir("Kernel.tuple_size(tuple)", "The number of items of a tuple.")
def tuple_size(value: Any) -> int:
    if type(value) is not tuple:
        raise argument_error(1, "not a tuple")
    return len(value)


@elixir("Kernel.map_size(map)", "The number of entries of a map.")
def map_size(value: Any) -> int:
    data = as_map(value)
    if data is None:
        raise bad_map(value)
    return len(data)


@elixir("Kernel.byte_size(text)", "The number of bytes of a text.")
def byte_size(value: Any) -> int:
    if type(value) is not str:
        raise argument_error(1, "not a bitstring")
    return len(value) if value.isascii() else len(bytes_of(value))


@elixir("Kernel.bit_size(text)", "The number of bits of a text.")
def bit_size(value: Any) -> int:
    return byte_size(value) * 8


@elixir("Kernel.binary_part(text, start, length)", "A part of the bytes of a text.")
def binary_part(value: Any, start: Any, count: Any) -> str:
    if type(value) is not str:
        raise argument_error(1, "not a binary")
    if type(start) is not int:
        raise argument_error(2, "not an integer")
    if type(count) is not int:
        raise argument_error(3, "not an integer")
    data = bytes_of(value)
    if not 0 <= start <= len(data):
        raise argument_error(2, "out of range")
    first, last = (start, start + count) if count >= 0 else (start + count, start)
    if first < 0 or last > len(data):
        raise argument_error(3, "out of range")
    return text_of(data[first:last])


@elixir("Kernel.inspect(value)", "The value as Elixir writes it; only as the capture `&inspect/1`.")
def inspected(value: Any) -> str:
    return inspect(value)


@elixir("Kernel.make_ref()", "A reference that nothing else is equal to.", varies=Varies.CHANCE)
def make_ref() -> Reference:
    return Reference()


@elixir("Kernel.self()", "The process; of no use here.", varies=Varies.CHANCE)
def self_() -> Reference:
    return Reference("#PID<0.100.0>")


_GET, _UPDATE, _POP = atom("get"), atom("get_and_update"), atom("pop")


def _keys(keys: Any, where: str) -> list[Any]:
    if type(keys) is not list:
        raise clause(where)
    if not keys:
        raise clause(where)
    return keys


@elixir("Kernel.get_in(data, keys)", "A nested value, nil where a key is missing.")
def get_in(data: Any, keys: Any) -> Any:
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


@elixir("Kernel.put_in(data, keys, value)", "The data with another nested value.")
def put_in(data: Any, keys: Any, value: Any) -> Any:
    return _walk(data, _keys(keys, "Kernel.put_in/3"), lambda old: (None, value))[1]


@elixir(
    "Kernel.update_in(data, keys, fun)",
    "The data with a nested value changed by a closure.",
    closure=(2, ANY),
)
def update_in(data: Any, keys: Any, function: Any) -> Any:
    where = _keys(keys, "Kernel.update_in/3")
    return _walk(data, where, lambda old: (None, called(function, 1)(old)))[1]


@elixir(
    "Kernel.get_and_update_in(data, keys, fun)",
    "Reads and changes a nested value at once.",
    closure=(2, 1),
)
def get_and_update_in(data: Any, keys: Any, function: Any) -> Any:
    return _walk(data, _keys(keys, "Kernel.get_and_update_in/3"), unary(function))


@elixir("Kernel.pop_in(data, keys)", "A nested value, and the data without it.")
def pop_in(data: Any, keys: Any) -> Any:
    where = _keys(keys, "Kernel.pop_in/2")
    if data is None:
        raise argument(f"could not pop key {inspect(where[0])} on a nil value")
    return _pop(data, where)


def pop_path(data: Any, keys: list[Any]) -> Any:
    """`pop_in(map["a"]["b"])`: the form of `Kernel.pop_in/1` that is written as an access."""
    if data is None and len(keys) > 1:
        raise argument(f"could not put/update key {inspect(keys[0])} on a nil value")
    return _pop(data, keys)


FUNCTIONS["Kernel", "pop_path", 2] = pop_path


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


unevaluated(
    "Kernel",
    "apply/2,3 binary_slice/2,3 exit/1 function_exported?/3 inspect/2 is_pid/1 is_port/1 "
    "macro_exported?/3 node/0,1 not/1 send/2 spawn/1,3 spawn_link/1,3 spawn_monitor/1,3 "
    "struct/1,2 struct!/1,2 throw/1",
)
