"""What generated code calls besides the library: access, truth, text, and the errors of forms."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any, Final

from routestudio.functions.elixir.errors import (
    ElixirError,
    NotEvaluated,
    argument,
    argument_error,
    clause,
)
from routestudio.functions.elixir.inspecting import float_text, inspect
from routestudio.functions.elixir.value_errors import (
    bad_boolean,
    bad_map,
    key_error,
    protocol,
    shown,
)
from routestudio.functions.elixir.values import (
    STRUCT,
    Atom,
    Cons,
    Struct,
    atom,
    bytes_of,
    full_map,
    key_in,
    text_of,
    whole,
)

MISSING: Final = object()
LISTS: Final = frozenset((list, Cons))
"""What `[head | tail]` may match."""

_INDEX: Final = (
    "the Access module does not support accessing lists by index, got: {}\n\nAccessing a list by "
    "index is typically discouraged in Elixir, instead we prefer to use the Enum module to "
    "manipulate lists as a whole. If you really must access a list element by index, you can use "
    "Enum.at/2 or the functions in the List module"
)


def access(value: Any, key: Any, default: Any = None) -> Any:
    """`value[key]`."""
    kind = type(value)
    if kind is dict:
        return value.get(key_in(key), default)
    if value is None:
        return default
    if kind is list:
        if type(key) not in (Atom, bool, type(None)):
            if type(key) is int:
                raise argument(_INDEX.format(key))
            raise argument(
                "the Access module supports only keyword lists (with atom keys), got: "
                f"{inspect(key)}\n\nIf you want to search lists of tuples, use List.keyfind/3"
            )
        for entry in value:
            if type(entry) is tuple and len(entry) == 2 and entry[0] is key:
                return entry[1]
        return default
    if isinstance(value, Struct):
        raise ElixirError(
            "UndefinedFunctionError",
            f"function {value.module}.fetch/2 is undefined ({value.module} does not implement the "
            "Access behaviour",
        )
    raise clause("Access.get/3")


def dot(value: Any, name: str) -> Any:
    """`value.name`."""
    data = as_map(value)
    if data is None:
        raise bad_map(value)
    found = data.get(atom(name), MISSING)
    if found is MISSING:
        raise key_error(atom(name), value)
    return found


def dot_call(value: Any, name: str, count: int) -> Any:
    """`value.name(arguments)`, which calls a function of a module; no value here is one."""
    raise argument(
        f"you attempted to apply a function named :{name} on {inspect(value)}. If you are using "
        "Kernel.apply/3, make sure the module is an atom. If you are using the dot syntax, such as "
        "module.function(), make sure the left-hand side of the dot is a module atom"
    )


def as_map(value: Any) -> dict[Any, Any] | None:
    """A map, or a struct as one; `None` for anything else."""
    if type(value) is dict:
        return value
    return full_map(value) if isinstance(value, Struct) else None


def struct_name(value: Any) -> Any:
    """The module of a struct as an atom, `MISSING` for anything else."""
    if isinstance(value, Struct):
        return atom(f"Elixir.{value.module}")
    if type(value) is dict and type(value.get(STRUCT)) is Atom:
        return value[STRUCT]
    return MISSING


def truthy(value: Any) -> bool:
    """Everything but nil and false."""
    return value is not None and value is not False


def boolean(operator: str, value: Any) -> bool:
    """The left side of `and` or `or`."""
    if value is True or value is False:
        return value
    raise bad_boolean(operator, value)


def negation(value: Any) -> bool:
    """`not value`."""
    if value is True or value is False:
        return not value
    raise argument("argument error")


def guard(test: Callable[[], Any]) -> bool:
    """A guard that may raise, which is false then."""
    try:
        return test() is True
    except ElixirError:
        return False


def concat(*parts: Any) -> str:
    """`a <> b <> c`."""
    try:
        text = "".join(parts)
    except TypeError:
        for position, part in enumerate(parts, 1):
            if type(part) is not str:
                raise argument(
                    f"construction of binary failed: segment {position} of type 'binary': "
                    f"expected a binary but got: {inspect(part)}"
                ) from None
        raise
    return text if text.isascii() else whole(text)


def append(left: Any, right: Any) -> Any:
    """`left ++ right`."""
    if type(left) is not list:
        raise argument_error(1, "not a list")
    if type(right) is list:
        return left + right
    if not left:
        return right
    if type(right) is Cons:
        return Cons(left + right.items, right.tail)
    return Cons(list(left), right)


def cons(items: list[Any], tail: Any) -> Any:
    """`[a, b | tail]`."""
    if type(tail) is list:
        return items + tail
    if type(tail) is Cons:
        return Cons(items + tail.items, tail.tail)
    return Cons(items, tail)


_LIST_TEXT: Final = """cannot convert the given list to a string.

To be converted to a string, a list must either be empty or only
contain the following elements:

  * strings
  * integers representing Unicode code points
  * a list containing one of these three elements

Please check the given list or call inspect/1 to get the list representation, got:

"""


def to_text(value: Any) -> str:
    """`to_string(value)`."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is int:
        return str(value)
    if value is None:
        return ""
    if kind is Atom:
        return value.name  # type: ignore[no-any-return]
    if kind is bool:
        return "true" if value else "false"
    if kind is float:
        return float_text(value)
    if kind is list:
        return whole("".join(_chardata(value, value)))
    text = getattr(value, "text", None)
    if text is not None and isinstance(value, Struct):
        return text() if callable(text) else str(text)
    raise protocol("String.Chars", value)


def _chardata(value: list[Any], top: list[Any]) -> list[str]:
    parts: list[str] = []
    for item in value:
        if type(item) is str:
            parts.append(item)
        elif type(item) is int and 0 <= item <= 0x10FFFF and not 0xD800 <= item <= 0xDFFF:
            parts.append(chr(item))
        elif type(item) is list:
            parts += _chardata(item, top)
        elif type(item) is int:
            raise ElixirError("UnicodeConversionError", f"invalid code point {item}")
        else:
            raise argument(_LIST_TEXT + inspect(top) + "\n")
    return parts


def called(value: Any, count: int) -> Any:
    """A closure that takes `count` arguments."""
    if type(value) is FunctionType:
        arity = value.__code__.co_argcount
        if arity == count:
            return value
        given = "no arguments" if count == 0 else f"{count} argument{'s' * (count != 1)}"
        raise ElixirError(
            "BadArityError", f"{inspect(value)} with arity {arity} called with {given}"
        )
    raise ElixirError("BadFunctionError", f"expected a function, got: {inspect(value)}")


# Errors of forms


def match_error(value: Any) -> Any:
    """The right side of `=` does not match."""
    raise ElixirError("MatchError", f"no match of right hand side value:{shown(value)}")


def case_error(value: Any) -> Any:
    """No clause of `case` matches."""
    raise ElixirError("CaseClauseError", f"no case clause matching:{shown(value)}")


def cond_error() -> Any:
    """No condition of `cond` holds."""
    raise ElixirError("CondClauseError", "no cond clause evaluated to a truthy value")


def with_error(value: Any) -> Any:
    """No clause of the `else` of `with` matches."""
    raise ElixirError("WithClauseError", f"no with clause matching:{shown(value)}")


def function_error(count: int) -> Any:
    """No clause of a closure matches."""
    where = f':erl_eval."-inside-an-interpreted-fun-"/{count}'
    raise ElixirError("FunctionClauseError", f"no function clause matching in {where}")


def undefined_error(module: str, name: str, arity: int) -> Any:
    """There is no such function."""
    raise ElixirError(
        "UndefinedFunctionError", f"function {module}.{name}/{arity} is undefined or private"
    )


def macro_error(module: str, name: str, arity: int) -> Any:
    """This is a macro of a module that is not required."""
    raise ElixirError(
        "UndefinedFunctionError",
        f"function {module}.{name}/{arity} is undefined or private. However, there is a macro with "
        "the same name and arity. Be sure to require Integer if you intend to invoke this macro",
    )


def not_evaluated(what: str) -> Any:
    """A function that servers have, and we do not."""
    raise NotEvaluated(what)


# Binaries

Segment = tuple[Any, str, int | None, bool, bool]
"""Value, type, size (bits of integers, bytes of binaries), signed, little."""


def build_binary(segments: list[Segment]) -> str:
    """`<<...>>`."""
    parts: list[bytes] = []
    for position, (value, kind, size, _, little) in enumerate(segments, 1):
        parts.append(_piece(value, kind, size, little, position))
    return text_of(b"".join(parts))


def _piece(value: Any, kind: str, size: int | None, little: bool, position: int) -> bytes:
    if kind == "integer" and type(value) is int:
        bits = 8 if size is None else size
        _need_size(bits, kind, position)
        number = value & ((1 << bits) - 1)
        return number.to_bytes(bits // 8, "little" if little else "big")
    if kind == "binary" and type(value) is str:
        data = bytes_of(value)
        _need_size(len(data) if size is None else size, kind, position)
        if size is not None and size > len(data):
            raise argument("construction of binary failed: segment too short")
        return data if size is None else data[:size]
    whole_number = kind == "utf8" and type(value) is int
    if whole_number and 0 <= value <= 0x10FFFF and not 0xD800 <= value <= 0xDFFF:
        return chr(value).encode()
    if kind == "utf8" and type(value) is str:
        return bytes_of(value)
    raise argument(
        f"construction of binary failed: segment {position} of type '{kind}': unexpected value: "
        f"{inspect(value)}"
    )


def _need_size(size: Any, kind: str, position: int) -> None:
    if type(size) is not int or size < 0:
        raise argument(
            f"construction of binary failed: segment {position} of type '{kind}': expected a "
            f"non-negative integer as size but got: {inspect(size)}"
        )


def match_binary(value: Any, segments: list[Segment]) -> tuple[Any, ...] | None:
    """The values of the segments of a binary, or `None` when they do not cover it."""
    if type(value) is not str:
        return None
    data = bytes_of(value)
    found: list[Any] = []
    at = 0
    for literal, kind, size, signed, little in segments:
        if size is not None and (type(size) is not int or size < 0):
            return None  # as on a server: such a size matches nothing
        if kind == "binary":
            if type(literal) is str:
                size = len(bytes_of(literal))
            end = len(data) if size is None else at + size
            if end > len(data):
                return None
            part: Any = text_of(data[at:end])
        elif kind == "utf8":
            lead = data[at] if at < len(data) else 0xFF
            width = 1 if lead < 0x80 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
            end = at + width
            try:
                part = ord(data[at:end].decode())
            except (UnicodeDecodeError, TypeError):
                return None
        else:
            end = at + (8 if size is None else size) // 8
            if end > len(data):
                return None
            part = int.from_bytes(data[at:end], "little" if little else "big", signed=signed)
        if literal is not None and literal != part:
            return None
        found.append(part)
        at = end
    return tuple(found) if at == len(data) else None
