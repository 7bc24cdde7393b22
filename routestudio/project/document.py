"""A YAML file that is edited in place: what an edit does not concern stays byte for byte.

Edits are made in the text, at the positions that the parser gives for nodes; the result is read
again and compared with what was intended. Where that is not possible (flow collections) the
smallest block around is written anew, and as the last resort (values shared through anchors) the
whole file is written by ruamel.yaml, which keeps comments and order.
"""

from __future__ import annotations

import copy
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from routestudio.errors import Place, ProjectError
from routestudio.project.yamldata import (
    Path,
    anchored,
    commented,
    exact_floats,
    has,
    index,
    list_at,
    plain,
    same,
    set_plain,
    unshared,
    walk,
)
from routestudio.project.yamlread import read_yaml, yaml_io
from routestudio.project.yamltext import (
    after_colon,
    block,
    block_end,
    comments,
    flow,
    flow_end,
    flow_scalar_end,
    offset,
    quoted,
    scalar,
    scalar_end,
    with_comment,
    without_blank_end,
)


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
        """Plain data at `path`, anchors and merges resolved; `None` when there is nothing.

        It is shared: copy it before changing it.
        """
        try:
            return walk(self._plain, path)
        except KeyError:
            return None

    def position(self, path: Path) -> tuple[int, int]:
        """Line and column, from 1, of the deepest part of `path` that exists."""
        node: Any = self._data
        found = (1, 1)
        for key in path:
            try:
                if isinstance(node, CommentedSeq):
                    at = index(node, key)
                    line, column = node.lc.item(at)
                    node = node[at]
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
        """Set one value; maps on the way are made.

        Raises `KeyError` for a list item that is not there, `ProjectError` when it cannot be done.
        """
        value = plain(value)
        old = self.plain(path)
        if isinstance(old, dict) and isinstance(value, dict) and old and value:
            self._set_parts(path, old, value)
            return
        wanted = copy.deepcopy(self.plain())
        set_plain(wanted, path, value)
        if has(self.plain(), path) and same(self.plain(), wanted):
            return

        def change(data: CommentedMap) -> None:
            self._set_node(data, path, value)

        self._edit(self._set_in_text(path, value), path, wanted, change)

    def remove(self, path: Path) -> None:
        """Remove a key or a named list item; nothing happens when it is not there."""
        wanted = copy.deepcopy(self.plain())
        if not path or not has(wanted, path):
            return

        def change(data: Any) -> None:
            node = walk(data, path[:-1])
            del node[index(node, path[-1]) if isinstance(node, list) else path[-1]]

        change(wanted)
        self._edit([self._remove_in_text(path)], path[:-1], wanted, change)

    def exchange(self, path: Path, key: str, value: Any) -> None:
        """Set `key` in the place of the last key of `path`, which goes. Raises `ProjectError`."""
        wanted = copy.deepcopy(self.plain())
        node = walk(wanted, path[:-1])
        items = [(key, plain(value)) if k == path[-1] else (k, v) for k, v in node.items()]
        node.clear()
        node.update(items)
        parent = self._existing(path[:-1])
        own = isinstance(parent, CommentedMap) and path[-1] in (parent.lc.data or ())
        if own and not parent.fa.flow_style() and not anchored(parent[path[-1]]):
            text = self._replace_block(parent, path[-1], plain(value), key)
            if self._accept(text, wanted):
                return
        before = dict(self.__dict__)
        try:
            self.set([*path[:-1], key], value)
            self.remove(path)
        except (KeyError, ProjectError):
            self.__dict__.update(before)
            raise

    def add_item(self, path: Path, item: Mapping[str, Any]) -> None:
        """Append a mapping to the list at `path`, which is made when missing."""
        item = plain(item)
        wanted = copy.deepcopy(self.plain())
        list_at(wanted, path).append(item)

        def change(data: CommentedMap) -> None:
            list_at(data, path).append(commented(item))

        self._edit([self._append_in_text(path, item)], path, wanted, change)

    def fork(self) -> YamlDocument:
        """A document with the same text; edits of one do not concern the other."""
        return copy.copy(self)  # the nodes are never changed, only replaced

    def _set_parts(self, path: Path, old: Mapping[str, Any], value: Mapping[str, Any]) -> None:
        """Make a map say `value` key by key, so that comments in it stay; all or nothing."""
        before = dict(self.__dict__)
        try:
            for key, item in value.items():
                self.set([*path, key], item)
            for key in old:
                if key not in value:
                    self.remove([*path, key])
        except (KeyError, ProjectError):
            self.__dict__.update(before)
            raise

    def _edit(
        self,
        texts: Iterable[str | None],
        path: Path,
        wanted: Any,
        change: Callable[[CommentedMap], None],
    ) -> None:
        """Take the first text that says `wanted`, from the most local way to the least."""
        if any(self._accept(text, wanted) for text in texts):
            return
        lossy: list[str] = []
        for text, kept in self._rewritten(path, wanted):
            if not kept:
                lossy.append(text)
            elif self._accept(text, wanted):
                return
        texts = (self._dumped(change), *lossy, self._dumped(change, alone=True))
        if not any(self._accept(text, wanted) for text in texts):
            raise ProjectError(
                "this edit cannot be written without changing other values",
                place=Place(self._name, *self.position(path)), hint="edit the file by hand",
            )  # fmt: skip

    # --- reading -----------------------------------------------------------------------------

    def _load(self, text: str) -> None:
        data = read_yaml(text.removeprefix("\ufeff"), self._name)
        self._text, self._data, self._plain = text, data, plain(data)
        ends = text.count("\r\n")
        self._newline = "\r\n" if ends and ends == text.count("\n") else "\n"

    def _find(self, path: Path) -> Any:
        return walk(self._data, path)

    def _accept(self, text: str | None, wanted: Any) -> bool:
        """Take `text` when it says exactly what was wanted."""
        if text is None:
            return False
        try:
            candidate = YamlDocument(text, name=self._name)
        except ProjectError:
            return False
        if not same(candidate._plain, wanted):
            return False
        self.__dict__.update(candidate.__dict__)
        return True

    # --- edits in the text -------------------------------------------------------------------

    def _set_in_text(self, path: Path, value: Any) -> Iterator[str | None]:
        """Texts in which `path` is set, from the most local change to the least."""
        parent = self._existing(path[:-1])
        if parent is None:
            yield self._add_key(path, value)
            return
        if not isinstance(parent, CommentedMap):
            return
        key = path[-1]
        if parent.fa.flow_style() and key in (parent.lc.data or ()):
            yield from self._set_in_flow(parent, key, value)
            return
        if key not in parent or key not in (parent.lc.data or ()):
            yield self._add_key(path, value)
            return
        line, column = parent.lc.value(key)
        old = parent[key]
        if anchored(old):
            return
        if not isinstance(old, (dict, list)) and (not isinstance(value, (dict, list)) or not value):
            body, lines = self._body(), self._lines()
            if old is None:
                at = after_colon(body, offset(lines, *parent.lc.key(key)))
                yield self._joined(f"{body[:at]} {scalar(value)}{body[at:]}")
            start = offset(lines, line, column)
            end = scalar_end(body, start)
            if end is not None:
                yield self._joined(body[:start] + scalar(value) + body[end:])
        yield self._replace_block(parent, key, value)

    def _set_in_flow(self, parent: CommentedMap, key: str, value: Any) -> Iterator[str | None]:
        """Texts with another value in the place of a scalar inside of braces."""
        if anchored(parent[key]) or isinstance(parent[key], (dict, list)):
            return
        body = self._body()
        start = offset(self._lines(), *parent.lc.value(key))
        end = flow_scalar_end(body, start)
        if end is not None:
            for text in (flow(value), *([quoted(value)] if isinstance(value, str) else ())):
                yield self._joined(body[:start] + text + body[end:])

    def _replace_block(
        self, parent: CommentedMap, key: str, value: Any, name: str | None = None
    ) -> str | None:
        """Replace `key` and everything indented under it; `name` is a new name for the key."""
        line, column = parent.lc.key(key)
        lines = self._lines()
        last = block_end(lines, line, column)
        head = lines[line][:column]
        if head.strip(" -"):
            return None
        written = block({name or key: value}, column).lstrip(" ")
        comment = self._comment_behind(parent, key)
        if comment and last == line + 1:
            written = with_comment(written, comment)
        text = (head + written).split("\n")
        return self._from_lines(lines[:line] + text + lines[last:])

    def _comment_behind(self, parent: CommentedMap, key: str) -> str | None:
        """The comment behind a value of one line."""
        body, line = self._body(), parent.lc.key(key)[0]
        start = offset(self._lines(), *parent.lc.value(key))
        end = scalar_end(body, start)
        stop = body.find("\n", start)
        rest = body[end : stop if stop >= 0 else len(body)].strip() if end is not None else ""
        return rest if rest.startswith("#") and parent.lc.value(key)[0] == line else None

    def _rewritten(self, path: Path, wanted: Any) -> Iterator[tuple[str, bool]]:
        """Texts in which a block around `path` is written anew, the smallest first.

        With each comes whether all comments of the old text are still in it.
        """
        for depth in range(len(path), 0, -1):
            parent, key = self._existing(path[: depth - 1]), path[depth - 1]
            try:
                value = walk(wanted, path[:depth])
            except KeyError:
                continue
            if isinstance(parent, CommentedMap) and not parent.fa.flow_style():
                own = parent.lc.data or ()
                text = self._replace_block(parent, key, value) if key in own else None
            elif isinstance(parent, CommentedSeq) and not parent.fa.flow_style():
                text = self._replace_item(parent, key, value)
            else:
                text = None
            if text is not None:
                yield text, comments(text) >= comments(self._text)

    def _replace_item(self, parent: CommentedSeq, key: str, value: Any) -> str | None:
        line, column = parent.lc.item(index(parent, key))
        lines = self._lines()
        dash = lines[line].rfind("-", 0, column)
        if dash < 0 or lines[line][:dash].strip():
            return None
        last = block_end(lines, line, dash)
        return self._from_lines(
            [*lines[:line], *block([value], dash).split("\n"), *lines[last:]]
        )  # fmt: skip

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
        if parent.fa.flow_style():
            return self._add_in_flow(parent, entry)
        lines = self._lines()
        if not parent:
            if depth == 0:
                return self._from_lines([*without_blank_end(lines), block(entry, 0), ""])
            return None
        own = [key for key in parent if key in (parent.lc.data or ())]
        if not own:
            return None
        line, column = max(parent.lc.key(key) for key in own)
        last = block_end(lines, line, column)
        return self._from_lines([*lines[:last], *block(entry, column).split("\n"), *lines[last:]])

    def _add_in_flow(self, parent: CommentedMap, entry: Mapping[str, Any]) -> str | None:
        """Add a key before the closing brace of a map."""
        body = self._body()
        start = offset(self._lines(), parent.lc.line, parent.lc.col)
        end = flow_end(body, start) if body[start : start + 1] == "{" else None
        if end is None:
            return None
        head = body[:end].rstrip()
        gap = "" if head.endswith("{") else " " if head.endswith(",") else ", "
        return self._joined(f"{head}{gap}{flow(dict(entry))[1:-1]}{body[len(head) :]}")

    def _remove_in_text(self, path: Path) -> str | None:
        parent = self._existing(path[:-1])
        lines = self._lines()
        if isinstance(parent, CommentedSeq):
            if parent.fa.flow_style() or len(parent) == 1:
                return None
            line, column = parent.lc.item(index(parent, path[-1]))
            dash = lines[line].rfind("-", 0, column)
            if dash < 0 or lines[line][:dash].strip():
                return None
            last = block_end(lines, line, dash)
            return self._from_lines(lines[:line] + lines[last:])
        if not isinstance(parent, CommentedMap) or parent.fa.flow_style() or len(parent) == 1:
            return None
        if path[-1] not in (parent.lc.data or ()):
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
        if dash < 0:
            return None
        last = block_end(lines, line, dash)
        written = block([dict(item)], dash).split("\n")
        return self._from_lines(lines[:last] + written + lines[last:])

    def _existing(self, path: Path) -> Any:
        try:
            return self._find(path)
        except KeyError:
            return None

    def _body(self) -> str:
        body = self._text.removeprefix("\ufeff")
        return body.replace("\r\n", "\n") if self._newline == "\r\n" else body

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
                node = node[index(node, key)]
                continue
            if not isinstance(node.get(key), (CommentedMap, CommentedSeq)):
                node[key] = CommentedMap()
            elif anchored(node[key]) or key not in dict(node.items()):
                node[key] = copy.deepcopy(node[key])
            node = node[key]
        node[path[-1]] = commented(value)

    def _dumped(self, change: Callable[[CommentedMap], None], *, alone: bool = False) -> str | None:
        """The file as ruamel.yaml writes it; with `alone` nothing in it is shared any more."""
        out = io.StringIO()
        try:
            data = read_yaml(self._body(), self._name)
            data = unshared(data) if alone else data
            exact_floats(data)
            change(data)
            flat = re.search(r"(?m)^\S.*:[ ]*(#.*)?\n-\s", self._body())
            yaml_io(listed=flat is None).dump(data, out)
        except (YAMLError, KeyError, TypeError, AttributeError):
            return None
        return self._joined(out.getvalue())
