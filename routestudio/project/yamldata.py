"""The content of YAML nodes: plain data, paths into it, comparison."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ruamel.yaml.comments import Comment, CommentedMap, CommentedSeq
from ruamel.yaml.scalarfloat import ScalarFloat

Path = Sequence[str]
"""Keys from the top; items of lists are addressed by their `name`."""


def plain(node: Any) -> Any:
    """Plain data of a node, anchors and merges resolved."""
    if isinstance(node, Mapping):
        return {_key(key): plain(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [plain(item) for item in node]
    if isinstance(node, bool) or node is None:
        return node
    for kind in (str, int, float):
        if isinstance(node, kind):
            return kind(node)
    if type(node).__name__ == "ScalarBoolean":
        return bool(node)
    return str(node)


def _key(key: Any) -> Any:
    return str(key) if isinstance(key, str) else key


def walk(node: Any, path: Path) -> Any:
    """What is at `path`. Raises `KeyError`."""
    for key in path:
        if isinstance(node, list):
            node = node[index(node, key)]
        elif isinstance(node, Mapping) and key in node:
            node = node[key]
        else:
            raise KeyError(key)
    return node


def has(node: Any, path: Path) -> bool:
    """Whether there is something at `path`, be it null."""
    try:
        walk(node, path)
    except KeyError:
        return False
    return True


def index(items: Sequence[Any], name: str) -> int:
    """The position of the list item with that name, or of that number. Raises `KeyError`."""
    if len(items) >= _MANY:
        position = _looked_up(items, name)
        if position is not None:
            return position
    else:
        for position, item in enumerate(items):
            if isinstance(item, Mapping) and item.get("name") == name:
                return position
    if name.isdecimal() and len(name) < 9 and int(name) < len(items):
        return int(name)
    raise KeyError(name)


_MANY: Final = 40
"""Items of a list from which on their names are looked up in a table."""
_KEPT: Final = 6
_TABLES: Final[list[tuple[Sequence[Any], dict[str, int]]]] = []


def _looked_up(items: Sequence[Any], name: str) -> int | None:
    """The position of a name in a long list, by tables of the lists that were asked for last."""
    for kept, table in _TABLES:
        if kept is items and (position := table.get(name)) is not None and position < len(items):
            item = items[position]
            if isinstance(item, Mapping) and item.get("name") == name:
                return position
    table = {}
    for position, item in enumerate(items):
        if isinstance(item, Mapping) and isinstance(item.get("name"), str):
            table.setdefault(str(item["name"]), position)
    _TABLES[:] = [(items, table), *((k, t) for k, t in _TABLES if k is not items)][:_KEPT]
    return table.get(name)


def longest(data: Any) -> int:
    """Characters of the longest text in plain data."""
    if isinstance(data, dict):
        return max((max(len(str(key)), longest(item)) for key, item in data.items()), default=0)
    if isinstance(data, list):
        return max(map(longest, data), default=0)
    return len(data) if isinstance(data, str) else 0


def copied(data: Any) -> Any:
    """A copy of plain data."""
    if isinstance(data, dict):
        return {key: copied(item) for key, item in data.items()}
    return [copied(item) for item in data] if isinstance(data, list) else data


def exchange_plain(data: Any, path: Path, key: str, value: Any) -> None:
    """Set `key` in the place of the last key of `path` in plain data, which goes."""
    node = walk(data, path[:-1])
    items = [(key, value) if k == path[-1] else (k, v) for k, v in node.items()]
    node.clear()
    node.update(items)


def set_plain(data: Any, path: Path, value: Any) -> None:
    """Set a value in plain data; maps on the way are made. Raises `KeyError` in lists."""
    node = data
    for key in path[:-1]:
        if isinstance(node, list):
            node = node[index(node, key)]
            if not isinstance(node, (dict, list)):
                raise KeyError(key)
        else:
            if not isinstance(node.get(key), (dict, list)):
                node[key] = {}
            node = node[key]
    if isinstance(node, list):
        node[index(node, path[-1])] = value
    else:
        node[path[-1]] = value


def list_at(data: Any, path: Path) -> Any:
    """The list at `path`, made when there is none. Raises `KeyError`."""
    node = walk(data, path[:-1])
    if not isinstance(node, dict):
        raise KeyError(path[-1])
    if not isinstance(node.get(path[-1]), list):
        node[path[-1]] = CommentedSeq() if isinstance(node, CommentedMap) else []
    return node[path[-1]]


def commented(value: Any) -> Any:
    """A value as the nodes that ruamel.yaml writes."""
    if isinstance(value, Mapping):
        return CommentedMap({key: commented(item) for key, item in value.items()})
    if isinstance(value, (list, tuple)):
        return CommentedSeq([commented(item) for item in value])
    return value


def unshared(node: Any) -> Any:
    """A copy of nodes in which aliases and merges are written out; comments stay."""
    copied: Any
    if isinstance(node, CommentedMap):
        copied = CommentedMap((key, unshared(value)) for key, value in node.items())
    elif isinstance(node, CommentedSeq):
        copied = CommentedSeq(unshared(item) for item in node)
    elif anchored(node):
        return type(node)(node) if isinstance(node, str) else plain(node)
    else:
        return node
    setattr(copied, Comment.attrib, getattr(node, Comment.attrib, None) or Comment())
    if node.fa.flow_style():
        copied.fa.set_flow_style()
    return copied


def exact_floats(node: Any) -> None:
    """Let numbers be written by value: ruamel.yaml rounds some when it keeps their form."""
    items = node.items() if isinstance(node, CommentedMap) else enumerate(node)
    for key, value in list(items):
        if isinstance(value, (CommentedMap, CommentedSeq)):
            exact_floats(value)
        elif isinstance(value, ScalarFloat) and (
            isinstance(node, CommentedSeq) or key in (node.lc.data or ())
        ):
            node[key] = float(value)


def anchored(node: Any) -> bool:
    """Whether a node has an anchor, so that others may share it."""
    anchor = getattr(node, "anchor", None)
    return bool(anchor is not None and getattr(anchor, "value", None))


def same(one: Any, other: Any) -> bool:
    """Whether two plain values mean the same, types included: `1`, `1.0` and `true` differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return repr(one) == repr(other)
    return type(one) is type(other) and bool(one == other)


def texts_of(data: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text in plain data with its path; items of lists are named as `Path` describes."""
    if isinstance(data, str):
        yield path, data
    elif isinstance(data, dict):
        for key, item in data.items():
            yield from texts_of(item, (*path, str(key)))
    elif isinstance(data, list):
        for number, item in enumerate(data):
            name = item.get("name") if isinstance(item, dict) else None
            yield from texts_of(item, (*path, name if isinstance(name, str) else str(number)))
