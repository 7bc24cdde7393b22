"""A YAML file that is edited in place: what an edit does not concern stays byte for byte.

Edits are made in the text, at the positions that the parser gives for nodes; the result is read
again and compared with what was intended. Where that is not possible (flow collections, values
shared through anchors) the file is written by ruamel.yaml, which keeps comments and order.
"""

from __future__ import annotations

import copy
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from routestudio.errors import Place, ProjectError
from routestudio.project.yamltext import (
    block,
    block_end,
    offset,
    scalar,
    scalar_end,
    without_blank_end,
)

MAX_NODES: Final = 200_000
"""Most values a file may hold, aliases expanded (guards against alias bombs)."""

Path = Sequence[str]


class YamlDocument:
    """The text of a YAML file and what it says. Items of lists are addressed by their `name`."""

    def __init__(self, text: str, *, name: str = "sequin.yaml") -> None:
        self._name = name
        self._load(text)

    @property
    def text(self) -> str:
        """The current text; equal to what was read as long as nothing was edited."""
        return self._text

    def plain(self, path: Path = ()) -> Any:
        """Plain data at `path`, anchors and merges resolved; `None` when there is nothing."""
        try:
            node = self._find(path)
        except KeyError:
            return None
        return _plain(node)

    def position(self, path: Path) -> tuple[int, int]:
        """Line and column, from 1, of the deepest part of `path` that exists."""
        node: Any = self._data
        found = (1, 1)
        for key in path:
            try:
                if isinstance(node, CommentedSeq):
                    index = _index(node, key)
                    line, column = node.lc.item(index)
                    node = node[index]
                elif isinstance(node, CommentedMap) and key in node:
                    line, column = node.lc.key(key)
                    node = node[key]
                else:
                    break
            except (KeyError, TypeError, AttributeError):
                break
            found = (line + 1, column + 1)
        return found

    def set(self, path: Path, value: Any) -> None:
        """Set one value; maps on the way are made. Raises `ProjectError` when it cannot be."""
        wanted = copy.deepcopy(self.plain()) or {}
        _set_plain(wanted, path, value)
        if self.plain() == wanted and _has(self.plain(), path):
            return
        text = self._set_in_text(path, value)
        if text is None or not self._accept(text, wanted):
            data = self._fresh()
            self._set_node(data, path, value)
            self._dump(data, wanted)

    def remove(self, path: Path) -> None:
        """Remove a key or a named list item; nothing happens when it is not there."""
        wanted = copy.deepcopy(self.plain())
        if not _has(wanted, path):
            return
        parent = _walk(wanted, path[:-1])
        if isinstance(parent, list):
            del parent[_index(parent, path[-1])]
        else:
            del parent[path[-1]]
        text = self._remove_in_text(path)
        if text is None or not self._accept(text, wanted):
            data = self._fresh()
            node = _walk(data, path[:-1])
            if isinstance(node, list):
                del node[_index(node, path[-1])]
            else:
                del node[path[-1]]
            self._dump(data, wanted)

    def add_item(self, path: Path, item: Mapping[str, Any]) -> None:
        """Append a mapping to the list at `path`, which is made when missing."""
        wanted = copy.deepcopy(self.plain()) or {}
        _list_at(wanted, path).append(copy.deepcopy(dict(item)))
        text = self._append_in_text(path, item)
        if text is None or not self._accept(text, wanted):
            data = self._fresh()
            _list_at(data, path).append(_commented(item))
            self._dump(data, wanted)

    # --- reading -----------------------------------------------------------------------------

    def _load(self, text: str) -> None:
        body = text.removeprefix("\ufeff")
        for number, line in enumerate(body.splitlines(), 1):
            indent = line[: len(line) - len(line.lstrip())]
            if "\t" in indent and line.strip() and not line.strip().startswith("#"):
                raise ProjectError(
                    "a tab is used for indentation", place=Place(self._name, number,
                                                                 indent.index("\t") + 1),
                    hint="YAML wants spaces",
                )  # fmt: skip
        try:
            data = _yaml().load(body)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = Place(self._name, mark.line + 1, mark.column + 1) if mark else Place(self._name)
            raise ProjectError(_sentence(error), place=place, hint=_hint(error)) from None
        except (YAMLError, ValueError, RecursionError) as error:
            detail = str(error).split("\n", 1)[0][:200] or "nested too deeply"
            raise ProjectError(f"is not YAML: {detail}", place=Place(self._name)) from None
        if data is None:
            data = CommentedMap()
        if not isinstance(data, CommentedMap):
            raise ProjectError(
                "must be a map with keys like `sinks` and `functions`", place=Place(self._name, 1)
            )
        _count(data, [0], self._name)
        self._text, self._data = text, data
        self._newline = "\r\n" if "\r\n" in text else "\n"

    def _fresh(self) -> CommentedMap:
        loaded = _yaml().load(self._text.removeprefix("\ufeff"))
        return loaded if isinstance(loaded, CommentedMap) else CommentedMap()

    def _find(self, path: Path) -> Any:
        return _walk(self._data, path)

    def _accept(self, text: str, wanted: Any) -> bool:
        """Take `text` when it says exactly what was wanted."""
        try:
            candidate = YamlDocument(text, name=self._name)
        except ProjectError:
            return False
        if candidate.plain() != wanted:
            return False
        self._load(text)
        return True

    # --- edits in the text -------------------------------------------------------------------

    def _set_in_text(self, path: Path, value: Any) -> str | None:
        parent = self._existing(path[:-1])
        if parent is None:
            return self._add_key(path, value)
        if not isinstance(parent, CommentedMap) or parent.fa.flow_style():
            return None
        key = path[-1]
        if key not in parent or key not in parent.lc.data:
            return self._add_key(path, value)
        line, column = parent.lc.value(key)
        old = parent[key]
        lines = self._lines()
        if isinstance(old, (CommentedMap, CommentedSeq)) or isinstance(value, (Mapping, list)):
            return self._replace_block(parent, key, value)
        if _anchored(old):
            return None
        start = offset(lines, line, column)
        body = self._body()
        end = scalar_end(body, start)
        if end is None:
            return self._replace_block(parent, key, value)
        shown = scalar(value)
        return self._joined(body[:start] + shown + body[end:])

    def _replace_block(self, parent: CommentedMap, key: str, value: Any) -> str | None:
        """Replace `key` and everything indented under it."""
        line, column = parent.lc.key(key)
        lines = self._lines()
        last = block_end(lines, line, column)
        head = lines[line][:column]
        if head.strip(" -"):
            return None
        written = block({key: value}, column).lstrip(" ")
        text = (head + written).split("\n")
        return self._from_lines(lines[:line] + text + lines[last:])

    def _add_key(self, path: Path, value: Any) -> str | None:
        """Add a key to the deepest map that exists, after its last line."""
        depth = len(path) - 1
        while depth > 0 and not isinstance(self._existing(path[:depth]), CommentedMap):
            if self._existing(path[:depth]) is not None:
                return None
            depth -= 1
        parent = self._existing(path[:depth])
        if not isinstance(parent, CommentedMap):
            return None
        nested: Any = value
        for part in reversed(path[depth + 1 :]):
            nested = {part: nested}
        entry = {path[depth]: nested}
        lines = self._lines()
        if not parent:
            if depth == 0:
                return self._from_lines([*without_blank_end(lines), block(entry, 0), ""])
            return None
        if parent.fa.flow_style():
            return None
        own = [key for key in parent if key in parent.lc.data]
        if not own:
            return None
        line, column = max(parent.lc.key(key) for key in own)
        last = block_end(lines, line, column)
        return self._from_lines([*lines[:last], *block(entry, column).split("\n"), *lines[last:]])

    def _remove_in_text(self, path: Path) -> str | None:
        parent = self._existing(path[:-1])
        lines = self._lines()
        if isinstance(parent, CommentedSeq):
            if parent.fa.flow_style() or len(parent) == 1:
                return None
            line, column = parent.lc.item(_index(parent, path[-1]))
            dash = lines[line].rfind("-", 0, column)
            last = block_end(lines, line, dash)
            return self._from_lines(lines[:line] + lines[last:])
        if not isinstance(parent, CommentedMap) or parent.fa.flow_style() or len(parent) == 1:
            return None
        if path[-1] not in parent.lc.data:
            return None
        line, column = parent.lc.key(path[-1])
        if lines[line][:column].strip():
            return None
        last = block_end(lines, line, column)
        return self._from_lines(lines[:line] + lines[last:])

    def _append_in_text(self, path: Path, item: Mapping[str, Any]) -> str | None:
        node = self._existing(path)
        lines = self._lines()
        if node is None:
            return self._add_key(path, [dict(item)]) if len(path) == 1 else None
        if not isinstance(node, CommentedSeq) or node.fa.flow_style() or not node:
            return None
        line, column = node.lc.item(len(node) - 1)
        dash = lines[line].rfind("-", 0, column)
        last = block_end(lines, line, dash)
        written = block([dict(item)], dash).split("\n")
        return self._from_lines(lines[:last] + written + lines[last:])

    def _existing(self, path: Path) -> Any:
        try:
            return self._find(path)
        except KeyError:
            return None

    def _body(self) -> str:
        return self._text.removeprefix("\ufeff").replace("\r\n", "\n")

    def _lines(self) -> list[str]:
        return self._body().split("\n")

    def _from_lines(self, lines: Sequence[str]) -> str:
        return self._joined("\n".join(lines))

    def _joined(self, body: str) -> str:
        mark = "\ufeff" if self._text.startswith("\ufeff") else ""
        return mark + (body.replace("\n", "\r\n") if self._newline == "\r\n" else body)

    # --- edits through ruamel.yaml -----------------------------------------------------------

    def _set_node(self, data: CommentedMap, path: Path, value: Any) -> None:
        node: Any = data
        for key in path[:-1]:
            if isinstance(node, list):
                node = node[_index(node, key)]
                continue
            if not isinstance(node.get(key), (CommentedMap, CommentedSeq)):
                node[key] = CommentedMap()
            elif _anchored(node[key]) or key not in dict(node.items()):
                node[key] = copy.deepcopy(node[key])
            node = node[key]
        node[path[-1]] = _commented(value)

    def _dump(self, data: CommentedMap, wanted: Any) -> None:
        out = io.StringIO()
        _yaml().dump(data, out)
        if not self._accept(self._joined(out.getvalue()), wanted):
            raise ProjectError(
                "this edit cannot be written without changing other values",
                place=Place(self._name), hint="edit the file by hand",
            )  # fmt: skip


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.allow_duplicate_keys = False
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _sentence(error: MarkedYAMLError) -> str:
    text = (error.problem or str(error)).strip()
    if "could not find expected" in text or "expected <block end>" in text:
        return "the structure ends unexpectedly or the indentation is wrong"
    if "found duplicate key" in text:
        return text.split(" with value", 1)[0]
    if "found undefined alias" in text:
        return text
    if "cannot start any token" in text and "\\t" in text:
        return "a tab is used where YAML wants spaces"
    return f"is not valid YAML: {text.splitlines()[0][:160]}"


def _hint(error: MarkedYAMLError) -> str | None:
    text = error.problem or ""
    if "duplicate key" in text:
        return "remove one of them"
    if "end of stream" in text or "unexpected end" in text or "end" in (error.context or ""):
        return "the file may be cut off"
    return "check indentation, quotes and colons near this line"


def _count(node: Any, seen: list[int], name: str) -> None:
    stack = [node]
    while stack:
        item = stack.pop()
        seen[0] += 1
        if seen[0] > MAX_NODES:
            raise ProjectError(
                f"holds more than {MAX_NODES:,} values once its aliases are expanded",
                place=Place(name), hint="remove nested aliases",
            )  # fmt: skip
        if isinstance(item, Mapping):
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


def _plain(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {_key(key): _plain(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [_plain(item) for item in node]
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


def _walk(node: Any, path: Path) -> Any:
    for key in path:
        if isinstance(node, list):
            node = node[_index(node, key)]
        elif isinstance(node, Mapping) and key in node:
            node = node[key]
        else:
            raise KeyError(key)
    return node


def _has(node: Any, path: Path) -> bool:
    try:
        _walk(node, path)
    except KeyError:
        return False
    return True


def _index(items: Sequence[Any], name: str) -> int:
    for index, item in enumerate(items):
        if isinstance(item, Mapping) and item.get("name") == name:
            return index
    if name.isdigit() and int(name) < len(items):
        return int(name)
    raise KeyError(name)


def _set_plain(data: Any, path: Path, value: Any) -> None:
    node = data
    for key in path[:-1]:
        if isinstance(node, list):
            node = node[_index(node, key)]
        else:
            if not isinstance(node.get(key), (dict, list)):
                node[key] = {}
            node = node[key]
    if isinstance(node, list):
        node[_index(node, path[-1])] = value
    else:
        node[path[-1]] = value


def _list_at(data: Any, path: Path) -> Any:
    node = data
    for key in path[:-1]:
        node = node[_index(node, key)] if isinstance(node, list) else node[key]
    if not isinstance(node.get(path[-1]), list):
        node[path[-1]] = CommentedSeq() if isinstance(node, CommentedMap) else []
    return node[path[-1]]


def _commented(value: Any) -> Any:
    if isinstance(value, Mapping):
        return CommentedMap({key: _commented(item) for key, item in value.items()})
    if isinstance(value, (list, tuple)):
        return CommentedSeq([_commented(item) for item in value])
    return value


def _anchored(node: Any) -> bool:
    anchor = getattr(node, "anchor", None)
    return bool(anchor is not None and getattr(anchor, "value", None))
