"""Where the text of a YAML file changes for an edit: found at the positions of its nodes.

Nothing here changes anything; whoever takes a splice reads the new text and proves it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate, starmap
from typing import Any, NamedTuple

from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from routestudio.project import flowmaps, sharing
from routestudio.project.yamldata import (
    Path,
    anchored,
    exact_floats,
    exchange_plain,
    index,
    plain,
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
    scalar,
    scalar_end,
    with_comment,
    without_blank_end,
)

_FIRST = re.compile(r"\*[^\s,\[\]{}]+|[|>][0-9+-]*(?=[ \t])|(?=#)|(?:[&!]\S*[ \t]*)+(?=#)")
"""An alias, the head of a literal block, or nothing before a comment."""

_ALIAS = re.compile(r"[ \t]*\*")


class Splice(NamedTuple):
    """Other text between two places of a body. Of two at one place the deeper one comes first."""

    start: int
    end: int
    text: str
    depth: int = 0


class Change:
    """One change of many: a value that is set (`value`), renamed (`name`), or removed."""

    def __init__(
        self, path: Path, value: Any = None, *, name: str = "", gone: bool = False
    ) -> None:
        self.path = tuple(path)
        self.value = plain(value)
        self.name = name
        self.gone = gone

    def apply(self, data: Any) -> None:
        """Make it in plain data."""
        if self.name:
            exchange_plain(data, self.path, self.name, self.value)
        elif self.gone:
            node = walk(data, self.path[:-1])
            del node[self.path[-1]]
        else:
            set_plain(data, self.path, self.value)


class Splicer:
    """The text of a YAML file with its nodes."""

    def __init__(self, text: str, data: CommentedMap, name: str) -> None:
        self._text = text
        self._data = data
        self._name = name
        ends = text.count("\r\n")
        self._newline = "\r\n" if ends and ends == text.count("\n") else "\n"

    def splice_for(self, change: Change) -> Splice | None:
        """The most local way to make a change; `None` when it has to be made alone."""
        path, old = change.path, self.existing(change.path)
        parent = self.existing(path[:-1])
        if not isinstance(parent, CommentedMap):
            return None
        if change.gone:
            return self.removal(path) if path[-1] in parent else None
        if change.name:
            return self.renamed(path, change.name, change.value)
        if isinstance(old, dict) and isinstance(change.value, dict):
            return None
        return next(iter(self.set_in_text(path, change.value)), None)

    def set_in_text(self, path: Path, value: Any) -> Iterator[Splice | None]:
        """Texts in which `path` is set, from the most local change to the least."""
        parent = self.existing(path[:-1])
        if parent is None:
            yield self._add_key(path, value)
            return
        if not isinstance(parent, CommentedMap):
            return
        key = path[-1]
        if parent.fa.flow_style() and key in (parent.lc.data or ()):
            if not anchored(parent[key]):
                start = self._offset(*parent.lc.value(key))
                yield from starmap(Splice, flowmaps.set_value(self._body, start, value))
            return
        if key not in parent or key not in (parent.lc.data or ()):
            yield self._add_key(path, value)
            return
        line, column = parent.lc.value(key)
        old = parent[key]
        body = self._body
        if anchored(old):  # its place is that of the anchor, the key's is its own
            if _ALIAS.match(body, after_colon(body, self._offset(*parent.lc.key(key)))):
                yield self.replace_block(parent, key, value)
            return
        if self._body[self._offset(line, column) :][:1] in ("{", "["):
            yield from starmap(Splice, flowmaps.set_value(body, self._offset(line, column), value))
        elif not isinstance(old, (dict, list)) and (
            not isinstance(value, (dict, list)) or not value
        ):
            if old is None:
                at = after_colon(body, self._offset(*parent.lc.key(key)))
                yield Splice(at, at, f" {scalar(value)}")
            start = self._offset(line, column)
            end = scalar_end(body, start)
            if end is not None:
                yield Splice(start, end, scalar(value))
        yield self.replace_block(parent, key, value)

    def replace_block(
        self, parent: CommentedMap, key: str, value: Any, name: str | None = None
    ) -> Splice | None:
        """Replace `key` and everything indented under it; `name` is a new name for the key."""
        line, column = parent.lc.key(key)
        lines = self.lines
        last = block_end(lines, line, column)
        if self._only_comments_below(parent, key, last):
            last = line + 1
        head = lines[line][:column]
        if head.strip(" -"):
            return None
        written = block({name or key: value}, column).lstrip(" ")
        comment = self._comment_behind(parent, key)
        if comment:
            written = with_comment(written, comment)
        return self._between(line, last, (head + written).split("\n"))

    def _only_comments_below(self, parent: CommentedMap, key: str, last: int) -> bool:
        """Whether a value is on the line of its key, or missing, and the lines that are indented
        under it hold comments: these are not about the value."""
        old = parent[key]
        if isinstance(old, (dict, list)):
            return False
        if old is not None and scalar_end(self._body, self._offset(*parent.lc.value(key))) is None:
            return False
        below = (text.strip() for text in self.lines[parent.lc.key(key)[0] + 1 : last])
        return all(not text or text.startswith("#") for text in below)

    def _comment_behind(self, parent: CommentedMap, key: str) -> str | None:
        """The comment on the line of a key, behind its value or the beginning of it."""
        body, line = self._body, parent.lc.key(key)[0]
        start = after_colon(body, self._offset(*parent.lc.key(key)))
        start += len(body[start:]) - len(body[start:].lstrip(" \t"))
        stop = self._starts[line + 1] - 1
        first = _FIRST.match(body, start)
        end = first.end() if first else flowmaps.value_end(body, start) \
            if body[start : start + 1] in ("[", "{") else scalar_end(body, start)  # fmt: skip
        if end is None or not start <= end <= stop:
            return None
        rest = body[end:stop].strip()
        return rest if rest.startswith("#") else None

    def rewritten(self, path: Path, wanted: Any) -> Iterator[tuple[str, bool]]:
        """Texts in which a block around `path` is rewritten, the smallest first.

        With each comes whether all comments of the old text are still in it.
        """
        for depth in range(len(path), 0, -1):
            parent, key = self.existing(path[: depth - 1]), path[depth - 1]
            try:
                value = walk(wanted, path[:depth])
            except KeyError:
                continue
            if isinstance(parent, CommentedMap) and not parent.fa.flow_style():
                own = parent.lc.data or ()
                splice = self.replace_block(parent, key, value) if key in own else None
            elif isinstance(parent, CommentedSeq) and not parent.fa.flow_style():
                splice = self._replace_item(parent, key, value)
            else:
                splice = None
            text = self.with_one(splice)
            if text is not None:
                yield text, comments(text) >= comments(self._text)

    def _replace_item(self, parent: CommentedSeq, key: str, value: Any) -> Splice | None:
        line, column = parent.lc.item(index(parent, key))
        lines = self.lines
        dash = lines[line].rfind("-", 0, column)
        if dash < 0 or lines[line][:dash].strip():
            return None
        last = block_end(lines, line, dash)
        return self._between(line, last, block([value], dash).split("\n"))

    def _add_key(self, path: Path, value: Any) -> Splice | None:
        """Add a key to the deepest map that exists, after its last line."""
        depth = len(path) - 1
        while depth > 0 and not isinstance(self.existing(path[:depth]), CommentedMap):
            if self.existing(path[:depth]) is not None:
                return None
            depth -= 1
        parent = self.existing(path[:depth])
        if not isinstance(parent, CommentedMap):
            return None
        nested: Any = value
        for part in reversed(path[depth + 1 :]):
            nested = {part: nested}
        entry = {path[depth]: nested}
        if parent.fa.flow_style():
            start = self._offset(parent.lc.line, parent.lc.col)
            return _splice(flowmaps.added(self._body, start, entry))
        lines = self.lines
        if not parent:
            if depth == 0:
                kept = without_blank_end(lines)
                return self._between(len(kept), len(lines), [*block(entry, 0).split("\n"), ""])
            return None
        own = [key for key in parent if key in (parent.lc.data or ())]
        if not own:
            return None
        line, column = max(parent.lc.key(key) for key in own)
        last = block_end(lines, line, column)
        return self._between(last, last, block(entry, column).split("\n"), column)

    def removal(self, path: Path) -> Splice | None:
        parent = self.existing(path[:-1])
        lines = self.lines
        if isinstance(parent, (CommentedMap, CommentedSeq)) and parent.fa.flow_style():
            return self._removal_in_flow(parent, path[-1])
        if isinstance(parent, CommentedSeq):
            if len(parent) == 1:
                return None
            line, column = parent.lc.item(index(parent, path[-1]))
            dash = lines[line].rfind("-", 0, column)
            if dash < 0 or lines[line][:dash].strip():
                return None
            last = block_end(lines, line, dash)
            return self._between(line, last, [])
        if not isinstance(parent, CommentedMap) or len(parent) == 1:
            return None
        if path[-1] not in (parent.lc.data or ()):
            return None
        line, column = parent.lc.key(path[-1])
        last = block_end(lines, line, column)
        head = lines[line][:column]
        if not head.strip():
            return self._between(line, last, [])
        if head.strip(" -") or last >= len(lines):
            return None
        # The first key of an item: the next one follows the dash, or comments below it.
        below = lines[last]
        if below[:column].strip() or below[column : column + 1] in ("", " ", "#"):
            return self._between(line, last, [head.rstrip()])
        return self._between(line, last + 1, [head + below[column:]])

    def emptied(self, path: Path) -> Splice | None:
        """An empty map or list in the place of the one that has nothing but the end of `path`."""
        parent, holder = self.existing(path[:-1]), self.existing(path[:-2])
        if len(path) < 2 or not isinstance(holder, CommentedMap) or holder.fa.flow_style():
            return None
        if path[-2] not in (holder.lc.data or ()) or len(parent) != 1 or anchored(parent):
            return None
        return self.replace_block(holder, path[-2], [] if isinstance(parent, list) else {})

    def _removal_in_flow(self, parent: CommentedMap | CommentedSeq, key: str) -> Splice | None:
        if isinstance(parent, CommentedMap):
            if key not in (parent.lc.data or ()) or anchored(parent[key]):
                return None
            places = (self._offset(*parent.lc.key(key)), self._offset(*parent.lc.value(key)))
        else:
            at = index(parent, key)
            if anchored(parent[at]):
                return None
            places = (self._offset(*parent.lc.item(at)),) * 2
        return _splice(flowmaps.removed(self._body, *places))

    def renamed(self, path: Path, name: str, value: Any) -> Splice | None:
        """Another key and value in the place of those at `path`."""
        parent = self.existing(path[:-1])
        own = isinstance(parent, CommentedMap) and path[-1] in (parent.lc.data or ())
        if not own:
            return None
        if not parent.fa.flow_style():
            return self.replace_block(parent, path[-1], value, name)
        key, old = parent.lc.key(path[-1]), parent.lc.value(path[-1])
        return _splice(
            flowmaps.entry(self._body, self._offset(*key), self._offset(*old), name, value)
        )

    def written_out(self, path: Path) -> str | None:
        """The text in which nothing at `path` shares its value with another place."""
        places = sharing.written_out(self._body, self._data, path)
        return None if places is None else self.with_all([*starmap(Splice, places)])

    def appended(self, path: Path, item: Mapping[str, Any]) -> Splice | None:
        node = self.existing(path)
        lines = self.lines
        if node is None:
            return self._add_key(path, [dict(item)]) if len(path) == 1 else None
        if not isinstance(node, CommentedSeq):
            return None
        if node.fa.flow_style():
            start = self._offset(node.lc.line, node.lc.col)
            return _splice(flowmaps.appended(self._body, start, dict(item)))
        if not node:
            return None
        line, column = node.lc.item(len(node) - 1)
        dash = lines[line].rfind("-", 0, column)
        if dash < 0:
            return None
        last = block_end(lines, line, dash)
        return self._between(last, last, block([dict(item)], dash).split("\n"))

    def existing(self, path: Path) -> Any:
        try:
            return walk(self._data, path)
        except KeyError:
            return None

    @cached_property
    def _body(self) -> str:
        body = self._text.removeprefix("\ufeff")
        return body.replace("\r\n", "\n") if self._newline == "\r\n" else body

    @cached_property
    def lines(self) -> list[str]:
        return self._body.split("\n")

    @cached_property
    def _starts(self) -> list[int]:
        """Where each line starts, and where one after the last would."""
        return [0, *accumulate(len(line) + 1 for line in self.lines)]

    def _offset(self, line: int, column: int) -> int:
        return self._starts[line] + column

    def _between(self, first: int, last: int, lines: Sequence[str], depth: int = 0) -> Splice:
        """Other lines in the place of those from `first` to before `last`."""
        text = "\n".join(lines)
        if last < len(self.lines):
            return Splice(self._starts[first], self._starts[last],
                          text + "\n" if lines else "", depth)  # fmt: skip
        if first == 0:
            return Splice(0, len(self._body), text, depth)
        return Splice(self._starts[first] - 1, len(self._body), "\n" + text if lines else "",
                      depth)  # fmt: skip

    def with_one(self, splice: Splice | None) -> str | None:
        """The whole text after one change."""
        if splice is None:
            return None
        body = self._body
        return self.joined(body[: splice.start] + splice.text + body[splice.end :])

    def with_all(self, splices: Sequence[Splice]) -> str | None:
        """The whole text after several changes; `None` when they are about the same place."""
        body, parts, at = self._body, [], 0
        for splice in sorted(splices, key=lambda item: (item.start, -item.depth)):
            if splice.start < at:
                return None
            parts += [body[at : splice.start], splice.text]
            at = splice.end
        return self.joined("".join([*parts, body[at:]]))

    def joined(self, body: str) -> str:
        mark = "\ufeff" if self._text.startswith("\ufeff") else ""
        return mark + (body.replace("\n", "\r\n") if self._newline == "\r\n" else body)

    # --- edits through ruamel.yaml -----------------------------------------------------------

    def dumped(self, change: Callable[[CommentedMap], None], *, alone: bool = False) -> str | None:
        """The file as ruamel.yaml writes it; with `alone` nothing in it is shared any more."""
        out = io.StringIO()
        try:
            data = read_yaml(self._body, self._name)
            data = unshared(data) if alone else data
            exact_floats(data)
            change(data)
            flat = re.search(r"(?m)^\S.*:[ ]*(#.*)?\n-\s", self._body)
            yaml_io(listed=flat is None).dump(data, out)
        except (YAMLError, KeyError, TypeError, AttributeError):
            return None
        # What stands before the document is not written by ruamel.yaml, or in another form.
        head = self._body[: sharing.prefix_end(self._body)]
        written = re.sub(r"\A(?:%.*\n)*---[ \t]*\n", "", out.getvalue()) if head else out.getvalue()
        return self.joined(head + written)


def _splice(place: flowmaps.Place | None) -> Splice | None:
    return None if place is None else Splice(*place)
