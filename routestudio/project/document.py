"""A YAML file that is edited in place: what an edit does not concern stays byte for byte.

Edits are made in the text, at the positions that the parser gives for nodes; the result is read
again and compared with what was intended: the whole text, or, for an item of a long list, that item
by itself. Where that is not possible (flow collections) the
smallest block around is rewritten, and as the last resort (values shared through anchors) the
whole file is written by ruamel.yaml, which keeps comments and order.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from routestudio.errors import Place, ProjectError
from routestudio.project.yamldata import (
    Path,
    anchored,
    commented,
    copied,
    exchange_plain,
    has,
    index,
    list_at,
    longest,
    plain,
    same,
    set_plain,
    walk,
)
from routestudio.project.yamlread import read_parts

if TYPE_CHECKING:
    from routestudio.project.splicing import Change, Splice, Splicer


class Replaced(NamedTuple):
    """An item that was edited by itself: its nodes, the line where it began when the whole text was
    read last, and by how many lines it is longer now."""

    node: Any
    line: int
    longer: int


_BLOCKS: Final = 8
"""Items of a list from which on one is edited by itself."""

MAX_TEXT: Final = 250_000
"""Most characters of one text that is written into the file: each is written, read again and
compared, in half a second at most. A function may have 10,000 bytes."""


class YamlDocument:
    """The text of a YAML file and its content. Items of lists are addressed by their `name`."""

    _text: str
    _local: bool
    _plain: Any
    _tree: CommentedMap
    _read: str
    _made: Splicer | None
    _lines: list[str] | None
    _replaced: dict[tuple[str, int], Replaced]

    def __init__(self, text: str, *, name: str = "sequin.yaml") -> None:
        self._name = name
        self._load(text)

    @property
    def text(self) -> str:
        """The current text; equal to what was read as long as nothing was edited."""
        return self._text

    @property
    def name(self) -> str:
        """The name of the file in messages."""
        return self._name

    def replace(self, text: str) -> None:
        """Take another text as a whole. Raises `ProjectError`, and changes nothing, when it cannot
        be read."""
        self._load(text)

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
        node: Any = self._tree
        found, shift, first = (1, 1), 0, 0
        if self._replaced and len(path) > 1:
            node, found, shift, first = self._placed(path)
        for key in path[first:]:
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
        return found[0] + (shift if first else self._shift(found[0] - 1)), found[1]

    def _shift(self, line: int) -> int:
        """How far a line of the text that was read last has moved."""
        return sum(item.longer for item in self._replaced.values() if item.line < line)

    def _placed(self, path: Path) -> tuple[Any, tuple[int, int], int, int]:
        """The nodes of an item that was edited by itself: where to go on in the path."""
        try:
            section = self._tree[path[0]]
            at = index(self._plain[path[0]], path[1])
            item = self._replaced[path[0], at]
            column = section.lc.item(at)[1]
        except (KeyError, TypeError, AttributeError, IndexError):
            return self._tree, (1, 1), 0, 0
        # Its first line is the second of the small document.
        shift = item.line - 1 + self._shift(item.line)
        return item.node, (2, column + 1), shift, 2

    def set(self, path: Path, value: Any) -> None:
        """Set one value; maps on the way are made.

        Raises `KeyError` for a list item that is not there, `ProjectError` when it cannot be done.
        """
        value = self._writable(path, value)
        if self._in_block(path, lambda small: small.set(path, value)):
            return
        old = self.plain(path)
        if isinstance(old, dict) and isinstance(value, dict) and old and value:
            self._set_parts(path, old, value)
            return
        wanted = copied(self.plain())
        set_plain(wanted, path, value)
        if has(self.plain(), path) and same(self.plain(), wanted):
            return

        def change(data: CommentedMap) -> None:
            _set_node(data, path, value)

        self._edit(self._splicer.set_in_text(path, value), path, wanted, change,
                   lambda document: document.set(path, value))  # fmt: skip

    def remove(self, path: Path) -> None:
        """Remove a key or a named list item; nothing happens when it is not there."""
        if self._in_block(path, lambda small: small.remove(path)):
            return
        wanted = copied(self.plain())
        if not path or not has(wanted, path):
            return

        def change(data: Any) -> None:
            node = walk(data, path[:-1])
            del node[index(node, path[-1]) if isinstance(node, list) else path[-1]]

        change(wanted)
        splices = (self._splicer.removal(path), self._splicer.emptied(path))
        self._edit(splices, path[:-1], wanted, change, lambda document: document.remove(path), path)

    def exchange(self, path: Path, key: str, value: Any) -> None:
        """Set `key` in the place of the last key of `path`, which goes. Raises `ProjectError`."""
        value = self._writable(path, value)
        if self._in_block(path, lambda small: small.exchange(path, key, value)):
            return
        wanted = copied(self.plain())
        exchange_plain(wanted, path, key, value)
        splice = self._splicer.renamed(path, key, value)
        if self._accept(self._splicer.with_one(splice), wanted) or self._apart(
            path, wanted, lambda document: document.exchange(path, key, value)
        ):
            return
        before = dict(self.__dict__)
        try:
            self.set([*path[:-1], key], value)
            self.remove(path)
        except (KeyError, ProjectError):
            self._become(before)
            raise

    def add_item(self, path: Path, item: Mapping[str, Any]) -> None:
        """Append a mapping to the list at `path`, which is made when missing."""
        item = self._writable(path, item)
        wanted = copied(self.plain())
        list_at(wanted, path).append(item)

        def change(data: CommentedMap) -> None:
            list_at(data, path).append(commented(item))

        self._edit([self._splicer.appended(path, item)], path, wanted, change,
                   lambda document: document.add_item(path, item))  # fmt: skip

    def change_all(self, changes: Sequence[Change]) -> None:
        """Make many changes with one reading of the result, which takes the time of one.

        Those that cannot be made together are made in parts, in the end one by one. Raises
        `ProjectError` and `KeyError` as `set` does.
        """
        if len(changes) <= 1:
            for change in changes:
                self._alone(change)
            return
        for change in changes:
            self._writable(change.path, change.value)
        found = [(change, self._splicer.splice_for(change)) for change in changes]
        wanted = copied(self._plain)
        for change, splice in found:
            if splice is not None:
                change.apply(wanted)
        splices = [splice for _, splice in found if splice is not None]
        if self._accept(self._splicer.with_all(splices), wanted):
            for change, splice in found:
                if splice is None:
                    self._alone(change)
            return
        half = len(changes) // 2
        self.change_all(changes[:half])
        self.change_all(changes[half:])

    def _writable(self, path: Path, value: Any) -> Any:
        """A value as plain data. Raises `ProjectError` when it holds a text that is too long."""
        value = plain(value)
        size = longest(value)
        if size > MAX_TEXT:
            raise ProjectError(
                f"a text of {size:,} characters is too long for a value (at most {MAX_TEXT:,})",
                place=Place(self._name, *self.position(path)), hint="keep it in its own file",
            )  # fmt: skip
        return value

    def _alone(self, change: Change) -> None:
        if change.gone:
            self.remove(change.path)
        elif change.name:
            self.exchange(change.path, change.name, change.value)
        else:
            self.set(change.path, change.value)

    def fork(self) -> YamlDocument:
        """A document with the same text; edits of one do not concern the other."""
        return copy.copy(self)  # the nodes are never changed, only replaced

    def _in_block(self, path: Path, edit: Callable[[YamlDocument], None]) -> bool:
        """Whether an edit could be made in the list item that it concerns, read by itself.

        The item's text, old and new, is read as its own small document and proved there;
        nothing outside of it changes.
        """
        from routestudio.project.yamltext import block_end

        items = self._plain.get(path[0]) if len(path) > 2 else None
        if not self._local or not isinstance(items, list) or len(items) < _BLOCKS:
            return False
        section, parent = path[0], self._tree.get(path[0])
        try:
            at = index(items, path[1])
            old = self._replaced.get((section, at))
            line, column = parent.lc.item(at)
            now = line + self._shift(line)
            lines = self._lines or self._splices.lines
            dash = lines[now].rfind("-", 0, column)
            end = block_end(lines, now, dash)
            if dash < 0 or lines[now][:dash].strip() or items[at].get("name") != path[1]:
                return False
            small = YamlDocument("\n".join([f"{section}:", *lines[now:end], ""]), name=self._name)
            if not same(small._plain, {section: [items[at]]}):
                return False
            edit(small)
            changed = small._plain[section]
            written = small._text.split("\n")
        except (KeyError, AttributeError, TypeError, IndexError, ProjectError):
            return False
        known = list(small._plain) == [section] and len(changed) == 1 and written[-1] == ""
        if not known or written[0] != f"{section}:":
            return False
        new = [*lines[:now], *written[1:-1], *lines[end:]]
        longer = len(new) - len(lines) + (old.longer if old else 0)
        self._take_block(
            new, (section, at), Replaced(small._splicer.existing((section,))[0], line, longer)
        )
        self._plain = {**self._plain, section: [*items[:at], changed[0], *items[at + 1 :]]}
        return True

    def _take_block(self, lines: list[str], at: tuple[str, int], item: Replaced) -> None:
        self._text = self._splices.joined("\n".join(lines))
        self._lines = lines
        self._replaced = {**self._replaced, at: item}

    def _set_parts(self, path: Path, old: Mapping[str, Any], value: Mapping[str, Any]) -> None:
        """Make a map equal to `value` key by key, so that comments in it stay; all or nothing."""
        before = dict(self.__dict__)
        try:
            for key, item in value.items():
                self.set([*path, key], item)
            for key in old:
                if key not in value:
                    self.remove([*path, key])
        except (KeyError, ProjectError):
            self._become(before)
            raise

    def _edit(
        self,
        splices: Iterable[Splice | None],
        path: Path,
        wanted: Any,
        change: Callable[[CommentedMap], None],
        again: Callable[[YamlDocument], None],
        shared: Path | None = None,
    ) -> None:
        """Take the first text that means `wanted`, from the most local way to the least."""
        if any(self._accept(self._splicer.with_one(splice), wanted) for splice in splices):
            return
        if self._apart(path if shared is None else shared, wanted, again):
            return
        lossy: list[str] = []
        for text, kept in self._splicer.rewritten(path, wanted):
            if not kept:
                lossy.append(text)
            elif self._accept(text, wanted):
                return
        texts = (self._splicer.dumped(change), *lossy, self._splicer.dumped(change, alone=True))
        if not any(self._accept(text, wanted) for text in texts):
            raise ProjectError(
                "this edit cannot be written without changing other values",
                place=Place(self._name, *self.position(path)), hint="edit the file by hand",
            )  # fmt: skip

    def _apart(self, path: Path, wanted: Any, again: Callable[[YamlDocument], None]) -> bool:
        """Whether the edit could be made after writing out what `path` shares with other places."""
        text = None if self._local else self._splicer.written_out(path)
        if text is None:
            return False
        try:
            apart = YamlDocument(text, name=self._name)
            if not same(apart._plain, self._plain):
                return False
            again(apart)
        except (KeyError, ProjectError):
            return False
        if not same(apart._plain, wanted):
            return False
        self._become(apart.__dict__)
        return True

    # --- reading -----------------------------------------------------------------------------

    def _load(self, text: str) -> None:
        data, self._local = read_parts(text.removeprefix("\ufeff"), self._name)
        self._text, self._tree, self._plain = text, data, plain(data)
        self._read, self._made = text, None
        self._lines = None
        self._replaced = {}

    @property
    def _splices(self) -> Splicer:
        """Where the text that was read last can be changed; most commands change nothing."""
        if self._made is None:
            from routestudio.project.splicing import Splicer

            self._made = Splicer(self._read, self._tree, self._name)
        return self._made

    @property
    def _splicer(self) -> Splicer:
        """The whole text with its nodes, which is read again after edits of blocks."""
        if self._replaced:
            self._load(self._text)
        return self._splices

    def _accept(self, text: str | None, wanted: Any) -> bool:
        """Take `text` when it means exactly what was wanted."""
        if text is None:
            return False
        try:
            candidate = YamlDocument(text, name=self._name)
        except ProjectError:
            return False
        if not same(candidate._plain, wanted):
            return False
        self._become(candidate.__dict__)
        return True

    def _become(self, state: Mapping[str, Any]) -> None:
        state = dict(state)
        self.__dict__.clear()
        self.__dict__.update(state)


def _set_node(data: CommentedMap, path: Path, value: Any) -> None:
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
