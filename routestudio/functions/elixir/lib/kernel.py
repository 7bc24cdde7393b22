"""Kernel: guards, numbers, tuples, sizes."""

from __future__ import annotations

import math
from types import FunctionType
from typing import Any

from routestudio.functions.elixir import ops
from routestudio.functions.elixir.errors import (
    argument_error,
    arithmetic,
    bad_map,
)
from routestudio.functions.elixir.inspecting import inspect
from routestudio.functions.elixir.registry import FUNCTIONS, define
from routestudio.functions.elixir.runtime import MISSING, append, as_map, struct_name
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
    "div": ops.div, "rem": ops.rem,
}.items():  # fmt: skip
    FUNCTIONS["Kernel", _name, 2] = _operator


@define("Kernel", "is_integer", 1)
def is_integer(value: Any) -> bool:
    """`Kernel.is_integer/1`."""
    return type(value) is int


@define("Kernel", "is_bitstring", 1)
def is_bitstring(value: Any) -> bool:
    """`Kernel.is_bitstring/1`."""
    return type(value) is str


@define("Kernel", "is_atom", 1)
def is_atom(value: Any) -> bool:
    """`Kernel.is_atom/1`."""
    return type(value) in _ATOMS


@define("Kernel", "is_boolean", 1)
def is_boolean(value: Any) -> bool:
    """`Kernel.is_boolean/1`."""
    return type(value) is bool


@define("Kernel", "is_float", 1)
def is_float(value: Any) -> bool:
    """`Kernel.is_float/1`."""
    return type(value) is float


@define("Kernel", "is_number", 1)
def is_number(value: Any) -> bool:
    """`Kernel.is_number/1`."""
    return type(value) in _NUMBERS


@define("Kernel", "is_list", 1)
def is_list(value: Any) -> bool:
    """`Kernel.is_list/1`."""
    return type(value) is list or type(value) is Cons


@define("Kernel", "is_map", 1)
def is_map(value: Any) -> bool:
    """`Kernel.is_map/1`."""
    return type(value) is dict or isinstance(value, Struct)


@define("Kernel", "is_tuple", 1)
def is_tuple(value: Any) -> bool:
    """`Kernel.is_tuple/1`."""
    return type(value) is tuple


@define("Kernel", "is_reference", 1)
def is_reference(value: Any) -> bool:
    """`Kernel.is_reference/1`."""
    return type(value) is Reference and value.text.startswith("#Ref")


@define("Kernel", "is_struct", 1, 2)
def is_struct(value: Any, module: Any = None) -> bool:
    """`Kernel.is_struct/1`, `/2`."""
    name = struct_name(value)
    if module is None:
        return name is not MISSING
    return name is module


@define("Kernel", "is_exception", 1, 2)
def is_exception(value: Any, module: Any = None) -> bool:
    """`Kernel.is_exception/1`, `/2`."""
    data = as_map(value)
    found = data is not None and data.get(_EXCEPTION) is True and struct_name(value) is not MISSING
    return found and (module is None or struct_name(value) is module)


@define("Kernel", "is_function", 1, 2)
def is_function(value: Any, arity: Any = None) -> bool:
    """`Kernel.is_function/1`, `/2`."""
    if arity is not None and type(arity) is not int:
        raise argument_error(2, "not an integer")
    if arity is not None and arity < 0:
        raise argument_error(2, "out of range")
    if type(value) is not FunctionType:
        return False
    return arity is None or value.__code__.co_argcount == arity


@define("Kernel", "is_map_key", 2)
def is_map_key(value: Any, key: Any) -> bool:
    """`Kernel.is_map_key/2`."""
    data = as_map(value)
    if data is None:
        raise bad_map(value)
    return key_in(key) in data


@define("Kernel", "abs", 1)
def absolute(value: Any) -> Any:
    """`Kernel.abs/1`."""
    if type(value) not in _NUMBERS:
        raise argument_error(1, "not a number")
    return abs(value)


@define("Kernel", "max", 2)
def maximum(a: Any, b: Any) -> Any:
    """`Kernel.max/2`."""
    return b if ops.compare(b, a) > 0 else a


@define("Kernel", "min", 2)
def minimum(a: Any, b: Any) -> Any:
    """`Kernel.min/2`."""
    return b if ops.compare(b, a) < 0 else a


def _number(value: Any) -> Any:
    if type(value) not in _NUMBERS:
        raise argument_error(1, "not a number")
    return value


@define("Kernel", "round", 1)
def rounded(value: Any) -> int:
    """`Kernel.round/1`."""
    number = _number(value)
    if type(number) is int:
        return number
    whole = math.floor(abs(number))
    up = abs(number) - whole >= 0.5
    return int(math.copysign(1, number)) * (whole + up)


@define("Kernel", "trunc", 1)
def truncated(value: Any) -> int:
    """`Kernel.trunc/1`."""
    return math.trunc(_number(value))


@define("Kernel", "ceil", 1)
def ceiling(value: Any) -> int:
    """`Kernel.ceil/1`."""
    return math.ceil(_number(value))


@define("Kernel", "floor", 1)
def floored(value: Any) -> int:
    """`Kernel.floor/1`."""
    return math.floor(_number(value))


@define("Kernel", "hd", 1)
def head(value: Any) -> Any:
    """`Kernel.hd/1`."""
    items = value.items if type(value) is Cons else value
    if type(items) is not list or not items:
        raise argument_error(1, "not a nonempty list")
    return items[0]


@define("Kernel", "tl", 1)
def tail(value: Any) -> Any:
    """`Kernel.tl/1`."""
    if type(value) is Cons:
        return Cons(value.items[1:], value.tail) if len(value.items) > 1 else value.tail
    if type(value) is not list or not value:
        raise argument_error(1, "not a nonempty list")
    return value[1:]


@define("Kernel", "length", 1)
def length(value: Any) -> int:
    """`Kernel.length/1`."""
    if type(value) is not list:
        raise argument_error(1, "not a list")
    return len(value)


@define("Kernel", "elem", 2)
def element(value: Any, index: Any) -> Any:
    """`Kernel.elem/2`."""
    if type(index) is not int:
        if type(index) is float:
            raise argument_error(1, "not an integer")
        raise arithmetic()
    if type(value) is not tuple:
        raise argument_error(2, "not a tuple")
    if not 0 <= index < len(value):
        raise argument_error(1, "out of range")
    return value[index]


@define("Kernel", "put_elem", 3)
def put_element(value: Any, index: Any, new: Any) -> Any:
    """`Kernel.put_elem/3`."""
    element(value, index)
    return (*value[:index], new, *value[index + 1 :])


@define("Kernel", "tuple_size", 1)
def tuple_size(value: Any) -> int:
    """`Kernel.tuple_size/1`."""
    if type(value) is not tuple:
        raise argument_error(1, "not a tuple")
    return len(value)


@define("Kernel", "map_size", 1)
def map_size(value: Any) -> int:
    """`Kernel.map_size/1`."""
    data = as_map(value)
    if data is None:
        raise bad_map(value)
    return len(data)


@define("Kernel", "byte_size", 1)
def byte_size(value: Any) -> int:
    """`Kernel.byte_size/1`."""
    if type(value) is not str:
        raise argument_error(1, "not a bitstring")
    return len(value) if value.isascii() else len(bytes_of(value))


@define("Kernel", "bit_size", 1)
def bit_size(value: Any) -> int:
    """`Kernel.bit_size/1`."""
    return byte_size(value) * 8


@define("Kernel", "binary_part", 3)
def binary_part(value: Any, start: Any, count: Any) -> str:
    """`Kernel.binary_part/3`."""
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


@define("Kernel", "inspect", 1)
def inspected(value: Any) -> str:
    """`Kernel.inspect/1`."""
    return inspect(value)


@define("Kernel", "make_ref", 0)
def make_ref() -> Reference:
    """`Kernel.make_ref/0`."""
    return Reference()


@define("Kernel", "self", 0)
def self_() -> Reference:
    """`Kernel.self/0`."""
    return Reference("#PID<0.100.0>")
