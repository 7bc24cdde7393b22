"""List."""

from __future__ import annotations

from typing import Any

from routestudio.functions.elixir import ops
from routestudio.functions.elixir.errors import ElixirError, NotEvaluated, argument_error, clause
from routestudio.functions.elixir.inspecting import inspect
from routestudio.functions.elixir.lib.common import binary, limited, unary
from routestudio.functions.elixir.myers import script
from routestudio.functions.elixir.registry import ANY, FUNCTIONS, elixir, unevaluated
from routestudio.functions.elixir.runtime import MISSING, to_text
from routestudio.functions.elixir.values import Cons


def need(value: Any, where: str) -> list[Any]:
    """A list, or no clause of `where` matches."""
    if type(value) is list:
        return value
    if type(value) is Cons:  # how far each function walks before it notices is its own affair
        raise NotEvaluated(f"{where} on an improper list")
    raise clause(where)


@elixir("List.first(list, [default])", "The first item, or the default.")
def first(value: Any, default: Any = None) -> Any:
    given = need(value, "List.first/2")
    return given[0] if given else default


@elixir("List.last(list, [default])", "The last item, or the default.")
def last(value: Any, default: Any = None) -> Any:
    given = need(value, "List.last/2")
    return given[-1] if given else default


@elixir("List.flatten(list, [tail])", "Lists inside of lists put into one.")
def flatten(value: Any, tail: Any = MISSING) -> list[Any]:
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


@elixir("List.wrap(value)", "The value in a list, unless it is one; nil gives an empty list.")
def wrap(value: Any) -> Any:
    if value is None:
        return []
    return value if type(value) in (list, Cons) else [value]


@elixir("List.delete(list, value)", "Without the first item that is the value.")
def delete(value: Any, item: Any) -> list[Any]:
    given = need(value, "lists:delete/2")
    at = next((i for i, entry in enumerate(given) if ops.same(entry, item)), None)
    return given if at is None else given[:at] + given[at + 1 :]


@elixir("List.duplicate(value, count)", "The value several times.")
def duplicate(value: Any, count: Any) -> list[Any]:
    if type(count) is not int or count < 0:
        raise clause("List.duplicate/2")
    return [value] * limited(count)


def _index(given: list[Any], index: Any, where: str) -> int:
    if type(index) is not int:
        raise clause(where)
    return index + len(given) if index < 0 else index


@elixir("List.delete_at(list, index)", "Without the item at a position.")
def delete_at(value: Any, index: Any) -> list[Any]:
    given = value
    if type(given) is not list and type(index) is int:
        raise clause("List.do_pop_at/4")
    at = _index(given, index, "List.delete_at/2")
    return given[:at] + given[at + 1 :] if 0 <= at < len(given) else given


@elixir("List.pop_at(list, index, [default])", "An item, and the list without it.")
def pop_at(value: Any, index: Any, default: Any = None) -> Any:
    given = need(value, "List.pop_at/3")
    at = _index(given, index, "List.pop_at/3")
    if 0 <= at < len(given):
        return given[at], given[:at] + given[at + 1 :]
    return default, given


@elixir("List.insert_at(list, index, value)", "With a value at a position.")
def insert_at(value: Any, index: Any, item: Any) -> list[Any]:
    given = need(value, "List.insert_at/3")
    if type(index) is not int:
        raise clause("List.insert_at/3")
    at = max(0, index + len(given) + 1) if index < 0 else index
    return [*given[:at], item, *given[at:]]


@elixir("List.replace_at(list, index, value)", "Another item at a position.")
def replace_at(value: Any, index: Any, item: Any) -> list[Any]:
    given = need(value, "List.replace_at/3")
    at = _index(given, index, "List.replace_at/3")
    return [*given[:at], item, *given[at + 1 :]] if 0 <= at < len(given) else given


@elixir("List.update_at(list, index, fun)", "The item at a position changed.", closure=(2, ANY))
def update_at(value: Any, index: Any, function: Any) -> list[Any]:
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


@elixir("List.keyfind(list, key, position, [default])", "The first tuple that has the key.")
def keyfind(value: Any, key: Any, position: Any, default: Any = None) -> Any:
    at = _found(value, key, position, "List.keyfind/4")
    return default if at is None else value[at]


@elixir("List.keyfind!(list, key, position)", "The same; raises when there is none.")
def keyfind_b(value: Any, key: Any, position: Any) -> Any:
    at = _found(value, key, position, "List.keyfind!/3")
    if at is None:
        raise ElixirError(
            "KeyError",
            f"key {inspect(key)} at position {position} not found in: {inspect(value)}",
        )
    return value[at]


@elixir("List.keymember?(list, key, position)", "Whether a tuple has the key.")
def keymember(value: Any, key: Any, position: Any) -> bool:
    return _found(value, key, position, "List.keymember?/3") is not None


@elixir("List.keydelete(list, key, position)", "Without the first tuple that has the key.")
def keydelete(value: Any, key: Any, position: Any) -> list[Any]:
    at = _found(value, key, position, "List.keydelete/3")
    return value if at is None else value[:at] + value[at + 1 :]


@elixir("List.keyreplace(list, key, position, tuple)", "The first tuple that has the key replaced.")
def keyreplace(value: Any, key: Any, position: Any, new: Any) -> list[Any]:
    at = _found(value, key, position, "List.keyreplace/4")
    return value if at is None else [*value[:at], new, *value[at + 1 :]]


@elixir("List.keystore(list, key, position, tuple)", "A tuple replaced, or put at the end.")
def keystore(value: Any, key: Any, position: Any, new: Any) -> list[Any]:
    if type(new) is not tuple:
        raise clause(":lists.keystore/4")
    at = _found(value, key, position, "List.keystore/4")
    return [*value, new] if at is None else [*value[:at], new, *value[at + 1 :]]


@elixir("List.keytake(list, key, position)", "The first tuple that has the key, and the rest.")
def keytake(value: Any, key: Any, position: Any) -> Any:
    at = _found(value, key, position, "List.keytake/3")
    return None if at is None else (value[at], value[:at] + value[at + 1 :])


@elixir("List.keysort(list, position, [sorter])", "Tuples in the order of one of their items.")
def keysort(value: Any, position: Any, sorter: Any = MISSING) -> list[Any]:
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


@elixir(
    "List.foldl(list, start, fun)",
    "One value made from the items, from the left.",
    closure=(2, ANY),
)
def foldl(value: Any, start: Any, function: Any) -> Any:
    step = binary(function)
    for item in need(value, "List.foldl/3"):
        start = step(item, start)
    return start


@elixir(
    "List.foldr(list, start, fun)",
    "One value made from the items, from the right.",
    closure=(2, ANY),
)
def foldr(value: Any, start: Any, function: Any) -> Any:
    step = binary(function)
    for item in reversed(need(value, "List.foldr/3")):
        start = step(item, start)
    return start


@elixir("List.zip(lists)", "Items of several lists side by side.")
def zip_(value: Any) -> list[Any]:
    lists = [
        list(part) if type(part) is tuple else need(part, "List.to_list/1")
        for part in need(value, "List.zip/1")
    ]
    return list(zip(*lists, strict=False))


@elixir("List.to_tuple(list)", "The items as a tuple.")
def to_tuple(value: Any) -> tuple[Any, ...]:
    if type(value) is not list:
        raise argument_error(1, "not a list")
    return tuple(value)


@elixir("List.to_string(list)", "Code points and texts as one text.")
def to_string(value: Any) -> str:
    return to_text(need(value, "List.to_string/1"))


@elixir("List.to_charlist(list)", "Code points and texts as one list of code points.")
def to_charlist(value: Any) -> list[int]:
    return [ord(char) for char in to_text(need(value, "List.to_charlist/1"))]


@elixir("List.starts_with?(list, start)", "Whether a list starts with another.")
def starts_with(value: Any, prefix: Any) -> bool:
    given, start = need(value, "List.starts_with?/2"), need(prefix, "List.starts_with?/2")
    return len(given) >= len(start) and ops.same(given[: len(start)], start)


@elixir("List.ends_with?(list, end)", "Whether a list ends in another.")
def ends_with(value: Any, suffix: Any) -> bool:
    given, end = need(value, "List.ends_with?/2"), need(suffix, "List.ends_with?/2")
    return not end or (len(given) >= len(end) and ops.same(given[-len(end) :], end))


@elixir("List.improper?(list)", "Whether the tail is not a list.")
def improper(value: Any) -> bool:
    if type(value) is Cons:
        return True
    need(value, "List.improper?/1")
    return False


@elixir("List.ascii_printable?(list, [limit])", "Whether all code points are printable ASCII.")
def ascii_printable(value: Any, limit: Any = None) -> bool:
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


@elixir("List.to_integer(charlist, [base])", "The integer that the code points spell.")
def to_integer(value: Any, base: Any = 10) -> Any:
    return FUNCTIONS["String", "to_integer", 2](_chars(value, "List.to_integer/1"), base)


@elixir("List.to_float(charlist)", "The float that the code points spell.")
def to_float(value: Any) -> Any:
    return FUNCTIONS["String", "to_float", 1](_chars(value, "List.to_float/1"))


@elixir("List.myers_difference(a, b)", "The shortest way from one list to the other.")
def myers_difference(left: Any, right: Any) -> Any:
    where = "List.myers_difference/2"
    return script(need(left, where), need(right, where))


unevaluated(
    "List",
    "myers_difference/3 to_atom/1 to_existing_atom/1",
)
