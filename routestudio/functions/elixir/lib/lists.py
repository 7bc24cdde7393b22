"""List."""

from __future__ import annotations

from typing import Any

from routestudio.functions.elixir import ops
from routestudio.functions.elixir.errors import NotEvaluated, argument_error, clause
from routestudio.functions.elixir.lib.common import binary, limited, unary
from routestudio.functions.elixir.registry import FUNCTIONS, define
from routestudio.functions.elixir.runtime import MISSING, to_text
from routestudio.functions.elixir.values import Cons


def need(value: Any, where: str) -> list[Any]:
    """A list, or no clause of `where` matches."""
    if type(value) is list:
        return value
    if type(value) is Cons:  # how far each function walks before it notices is its own affair
        raise NotEvaluated(f"{where} on an improper list")
    raise clause(where)


@define("List", "first", 1, 2)
def first(value: Any, default: Any = None) -> Any:
    """`List.first/1`, `/2`."""
    given = need(value, "List.first/2")
    return given[0] if given else default


@define("List", "last", 1, 2)
def last(value: Any, default: Any = None) -> Any:
    """`List.last/1`, `/2`."""
    given = need(value, "List.last/2")
    return given[-1] if given else default


@define("List", "flatten", 1, 2)
def flatten(value: Any, tail: Any = MISSING) -> list[Any]:
    """`List.flatten/1`, `/2`."""
    if type(value) is not list:
        raise clause("lists:flatten/1")
    found: list[Any] = []

    def walk(part: list[Any]) -> None:
        for item in part:
            if type(item) is list:
                walk(item)
            else:
                found.append(item)

    walk(value)
    return found if tail is MISSING else found + need(tail, "lists:flatten/2")


@define("List", "wrap", 1)
def wrap(value: Any) -> Any:
    """`List.wrap/1`."""
    if value is None:
        return []
    return value if type(value) in (list, Cons) else [value]


@define("List", "delete", 2)
def delete(value: Any, item: Any) -> list[Any]:
    """`List.delete/2`."""
    given = need(value, "lists:delete/2")
    at = next((i for i, entry in enumerate(given) if ops.same(entry, item)), None)
    return given if at is None else given[:at] + given[at + 1 :]


@define("List", "duplicate", 2)
def duplicate(value: Any, count: Any) -> list[Any]:
    """`List.duplicate/2`."""
    if type(count) is not int or count < 0:
        raise clause("List.duplicate/2")
    return [value] * limited(count)


def _index(given: list[Any], index: Any, where: str) -> int:
    if type(index) is not int:
        raise clause(where)
    return index + len(given) if index < 0 else index


@define("List", "delete_at", 2)
def delete_at(value: Any, index: Any) -> list[Any]:
    """`List.delete_at/2`."""
    given = value
    if type(given) is not list and type(index) is int:
        raise clause("List.do_pop_at/4")
    at = _index(given, index, "List.delete_at/2")
    return given[:at] + given[at + 1 :] if 0 <= at < len(given) else given


@define("List", "pop_at", 2, 3)
def pop_at(value: Any, index: Any, default: Any = None) -> Any:
    """`List.pop_at/2`, `/3`."""
    given = need(value, "List.pop_at/3")
    at = _index(given, index, "List.pop_at/3")
    if 0 <= at < len(given):
        return given[at], given[:at] + given[at + 1 :]
    return default, given


@define("List", "insert_at", 3)
def insert_at(value: Any, index: Any, item: Any) -> list[Any]:
    """`List.insert_at/3`."""
    given = need(value, "List.insert_at/3")
    if type(index) is not int:
        raise clause("List.insert_at/3")
    at = max(0, index + len(given) + 1) if index < 0 else index
    return [*given[:at], item, *given[at:]]


@define("List", "replace_at", 3)
def replace_at(value: Any, index: Any, item: Any) -> list[Any]:
    """`List.replace_at/3`."""
    given = need(value, "List.replace_at/3")
    at = _index(given, index, "List.replace_at/3")
    return [*given[:at], item, *given[at + 1 :]] if 0 <= at < len(given) else given


@define("List", "update_at", 3)
def update_at(value: Any, index: Any, function: Any) -> list[Any]:
    """`List.update_at/3`."""
    given = need(value, "List.update_at/3")
    at = _index(given, index, "List.update_at/3")
    if not 0 <= at < len(given):
        return given
    return [*given[:at], unary(function)(given[at]), *given[at + 1 :]]


def _found(given: Any, key: Any, position: Any, where: str) -> int | None:
    if type(position) is not int:
        raise clause(where)
    if where.startswith(("List.keyfind", "List.keymember")):
        if position < 0:
            raise argument_error(2, "out of range")
        if type(given) is not list:
            raise argument_error(3, "not a list")
    if type(given) is not list or position < 0:
        raise clause(where)
    for index, item in enumerate(given):
        if type(item) is tuple and len(item) > position and ops.equal(item[position], key):
            return index
    return None


@define("List", "keyfind", 3, 4)
def keyfind(value: Any, key: Any, position: Any, default: Any = None) -> Any:
    """`List.keyfind/3`, `/4`."""
    at = _found(value, key, position, "List.keyfind/4")
    return default if at is None else value[at]


@define("List", "keyfind!", 3)
def keyfind_b(value: Any, key: Any, position: Any) -> Any:
    """`List.keyfind!/3`."""
    from routestudio.functions.elixir.errors import ElixirError
    from routestudio.functions.elixir.inspecting import inspect

    at = _found(value, key, position, "List.keyfind!/3")
    if at is None:
        raise ElixirError(
            "KeyError",
            f"key {inspect(key)} at position {position} not found in: {inspect(value)}",
        )
    return value[at]


@define("List", "keymember?", 3)
def keymember(value: Any, key: Any, position: Any) -> bool:
    """`List.keymember?/3`."""
    return _found(value, key, position, "List.keymember?/3") is not None


@define("List", "keydelete", 3)
def keydelete(value: Any, key: Any, position: Any) -> list[Any]:
    """`List.keydelete/3`."""
    at = _found(value, key, position, "List.keydelete/3")
    return value if at is None else value[:at] + value[at + 1 :]


@define("List", "keyreplace", 4)
def keyreplace(value: Any, key: Any, position: Any, new: Any) -> list[Any]:
    """`List.keyreplace/4`."""
    at = _found(value, key, position, "List.keyreplace/4")
    return value if at is None else [*value[:at], new, *value[at + 1 :]]


@define("List", "keystore", 4)
def keystore(value: Any, key: Any, position: Any, new: Any) -> list[Any]:
    """`List.keystore/4`."""
    if type(new) is not tuple:
        raise clause(":lists.keystore/4")
    at = _found(value, key, position, "List.keystore/4")
    return [*value, new] if at is None else [*value[:at], new, *value[at + 1 :]]


@define("List", "keytake", 3)
def keytake(value: Any, key: Any, position: Any) -> Any:
    """`List.keytake/3`."""
    at = _found(value, key, position, "List.keytake/3")
    return None if at is None else (value[at], value[:at] + value[at + 1 :])


@define("List", "keysort", 2, 3)
def keysort(value: Any, position: Any, sorter: Any = MISSING) -> list[Any]:
    """`List.keysort/2`, `/3`."""
    given = need(value, "List.keysort/3")
    if type(position) is not int or position < 0:
        raise clause("List.keysort/3")
    # A list of one is as it has to be, so that nobody looks at its item.
    alone = len(given) == 1
    if not alone and not all(type(item) is tuple and len(item) > position for item in given):
        raise argument_error(2, "not a list of tuples")
    extra = () if sorter is MISSING else (sorter,)
    sort_by = FUNCTIONS["Enum", "sort_by", 2 + len(extra)]
    return sort_by(given, lambda t: None if alone else t[position], *extra)  # type: ignore[no-any-return]


@define("List", "foldl", 3)
def foldl(value: Any, start: Any, function: Any) -> Any:
    """`List.foldl/3`."""
    step = binary(function)
    for item in need(value, "List.foldl/3"):
        start = step(item, start)
    return start


@define("List", "foldr", 3)
def foldr(value: Any, start: Any, function: Any) -> Any:
    """`List.foldr/3`."""
    step = binary(function)
    for item in reversed(need(value, "List.foldr/3")):
        start = step(item, start)
    return start


@define("List", "zip", 1)
def zip_(value: Any) -> list[Any]:
    """`List.zip/1`."""
    lists = [
        list(part) if type(part) is tuple else need(part, "List.to_list/1")
        for part in need(value, "List.zip/1")
    ]
    return list(zip(*lists, strict=False))


@define("List", "to_tuple", 1)
def to_tuple(value: Any) -> tuple[Any, ...]:
    """`List.to_tuple/1`."""
    if type(value) is not list:
        raise argument_error(1, "not a list")
    return tuple(value)


@define("List", "to_string", 1)
def to_string(value: Any) -> str:
    """`List.to_string/1`."""
    return to_text(need(value, "List.to_string/1"))


@define("List", "to_charlist", 1)
def to_charlist(value: Any) -> list[int]:
    """`List.to_charlist/1`."""
    return [ord(char) for char in to_text(need(value, "List.to_charlist/1"))]


@define("List", "starts_with?", 2)
def starts_with(value: Any, prefix: Any) -> bool:
    """`List.starts_with?/2`."""
    given, start = need(value, "List.starts_with?/2"), need(prefix, "List.starts_with?/2")
    return len(given) >= len(start) and ops.same(given[: len(start)], start)


@define("List", "ends_with?", 2)
def ends_with(value: Any, suffix: Any) -> bool:
    """`List.ends_with?/2`."""
    given, end = need(value, "List.ends_with?/2"), need(suffix, "List.ends_with?/2")
    return not end or (len(given) >= len(end) and ops.same(given[-len(end) :], end))


@define("List", "improper?", 1)
def improper(value: Any) -> bool:
    """`List.improper?/1`."""
    if type(value) is Cons:
        return True
    need(value, "List.improper?/1")
    return False


@define("List", "ascii_printable?", 1, 2)
def ascii_printable(value: Any, limit: Any = None) -> bool:
    """`List.ascii_printable?/1`, `/2`."""
    given = need(value, "List.ascii_printable?/2")
    if limit is not None:
        if type(limit) is not int or limit < 0:
            raise clause("List.ascii_printable?/2")
        given = given[:limit]
    return all(type(c) is int and (32 <= c <= 126 or 7 <= c <= 13 or c == 27) for c in given)


def _chars(value: Any, where: str) -> str:
    if type(value) is not list:
        raise argument_error(1, "not a list")
    given = need(value, where)
    if not all(type(c) is int and 0 <= c < 256 for c in given):
        raise argument_error(1, "not a textual representation of an integer")
    return "".join(map(chr, given))


@define("List", "to_integer", 1, 2)
def to_integer(value: Any, base: Any = 10) -> Any:
    """`List.to_integer/1`, `/2`."""
    return FUNCTIONS["String", "to_integer", 2](_chars(value, "List.to_integer/1"), base)


@define("List", "to_float", 1)
def to_float(value: Any) -> Any:
    """`List.to_float/1`."""
    return FUNCTIONS["String", "to_float", 1](_chars(value, "List.to_float/1"))
