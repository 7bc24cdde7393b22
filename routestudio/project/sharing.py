"""Anchors and aliases written out, so that a value that others share can be edited by itself.

Nothing here changes anything; whoever takes a text reads it and proves that it says the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import tokens
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from routestudio.project.yamldata import anchored, index, plain
from routestudio.project.yamlread import yaml_io
from routestudio.project.yamltext import block, flow

Place = tuple[int, int, str]
"""Start and end of a part of the text, and what comes in its place."""

_STARTS = (tokens.BlockMappingStartToken, tokens.FlowMappingStartToken,
           tokens.BlockSequenceStartToken, tokens.FlowSequenceStartToken)  # fmt: skip
_ENDS = (tokens.BlockEndToken, tokens.FlowMappingEndToken, tokens.FlowSequenceEndToken)


@dataclass(slots=True)
class _Frame:
    """A map or list of the text: its keys with their places, and whether it is in braces."""

    flow: bool
    keys: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Alias:
    """An alias in the text. `key` is where its key starts, `colon` where the value may begin."""

    name: str
    start: int
    end: int
    frame: _Frame
    key: int | None
    colon: int
    merge: bool


def written_out(body: str, data: CommentedMap, path: Sequence[str]) -> list[Place] | None:
    """What to change so that nothing at `path` is shared; `None` when there is nothing to do.

    The alias that the path goes through is written out; where there is none, those of the anchors
    on the path are, and these anchors go.
    """
    aliases, anchors = _found(body)
    values = _values(data)
    starts = [0]
    for line in body.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    keys, merging, names = _on_path(data, path, starts)
    through = [
        alias
        for alias in aliases
        if (merging & {*alias.frame.keys.values()} if alias.merge else alias.key in keys)
    ]
    if through:
        chosen, gone = through[:1], []
    else:
        chosen = [alias for alias in aliases if alias.name in names]
        gone = [place for name, *place in anchors if name in names]
    if not (chosen or gone) or any(
        alias.name not in values or sum(name == alias.name for name, *_ in anchors) != 1
        for alias in chosen
    ):
        return None
    found: list[Place] = []
    for alias in chosen:
        places = _instead(body, alias, values[alias.name])
        if places is None:
            return None
        found += places
    return [*found, *(_without_anchor(body, *place) for place in gone)]


def _found(body: str) -> tuple[list[_Alias], list[tuple[str, int, int]]]:
    """The aliases of a text, and its anchors with their places."""
    aliases: list[_Alias] = []
    anchors: list[tuple[str, int, int]] = []
    frames = [_Frame(flow=False)]
    before: list[Any] = [None, None, None]
    for token in yaml_io().scan(body):
        start, end = token.start_mark.index, token.end_mark.index
        if isinstance(token, _STARTS):
            inside = isinstance(token, tokens.FlowMappingStartToken | tokens.FlowSequenceStartToken)
            frames.append(_Frame(flow=inside))
        elif isinstance(token, _ENDS) and len(frames) > 1:
            frames.pop()
        elif isinstance(token, tokens.AnchorToken):
            anchors.append((token.value, start, end))
        elif isinstance(token, tokens.ScalarToken) and isinstance(before[-1], tokens.KeyToken):
            frames[-1].keys[token.value] = start
        elif isinstance(token, tokens.AliasToken):
            valued = isinstance(before[-1], tokens.ValueToken)
            name: Any = before[-2] if valued else None
            known = isinstance(name, tokens.ScalarToken)
            aliases.append(_Alias(
                token.value, start, end, frames[-1],
                key=name.start_mark.index if known else None,
                colon=before[-1].end_mark.index if valued else start,
                merge=known and name.value == "<<" and name.plain,
            ))  # fmt: skip
        before = [*before[1:], token]
    return aliases, anchors


def _values(data: Any) -> dict[str, Any]:
    """What the anchors stand for, by name."""
    found: dict[str, Any] = {}
    todo, seen = [data], set()
    while todo:
        node = todo.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if anchored(node):
            found[str(node.anchor.value)] = plain(node)
        if isinstance(node, CommentedMap):
            todo += node.values()
            todo += _merged_into(node)
        elif isinstance(node, CommentedSeq):
            todo += node
    return found


def _merged_into(node: CommentedMap) -> list[Any]:
    """The maps whose keys a map has, too."""
    found: list[Any] = getattr(getattr(node, "merge", None), "value", None) or []
    return found


def _on_path(
    data: Any, path: Sequence[str], starts: Sequence[int]
) -> tuple[set[int], set[int], set[str]]:
    """Where the keys of a path start, and keys beside a merged one of it; the anchors on it."""
    keys: set[int] = set()
    merging: set[int] = set()
    names: set[str] = set()
    node = data
    for key in path:
        try:
            if isinstance(node, CommentedMap):
                own = {name: starts[place[0]] + place[1]
                       for name, place in (node.lc.data or {}).items()}  # fmt: skip
                if key in own:
                    keys.add(own[key])
                if any(key in other for other in _merged_into(node)):
                    merging |= set(own.values())
                node = node[key]
            else:
                node = node[index(node, key)]
        except (KeyError, TypeError, IndexError):
            return keys, merging, names
        if anchored(node):
            names.add(str(node.anchor.value))
    return keys, merging, names | set(_values(node))


def _instead(body: str, alias: _Alias, value: Any) -> list[Place] | None:
    """What comes in the place of an alias."""
    if alias.merge:
        return _merged(body, alias, value)
    line_end = body.find("\n", alias.end)
    line_end = len(body) if line_end < 0 else line_end
    line = body.rfind("\n", 0, alias.start) + 1
    deep = isinstance(value, (dict, list)) and bool(value)
    if not deep or alias.frame.flow or alias.key is None or body[line : alias.key].strip(" -"):
        return [(alias.start, alias.end, flow(value))]
    return [(alias.colon, alias.end, ""),
            (line_end, line_end, "\n" + block(value, alias.key - line + 2))]  # fmt: skip


def _merged(body: str, alias: _Alias, value: Any) -> list[Place] | None:
    """The keys of a merged map that the map itself does not have."""
    assert alias.key is not None
    if not isinstance(value, Mapping):
        return None
    more = {key: item for key, item in value.items() if str(key) not in alias.frame.keys}
    if not more:
        return None
    if alias.frame.flow:
        return [(alias.key, alias.end, flow(more)[1:-1])]
    line = body.rfind("\n", 0, alias.key) + 1
    column = alias.key - line
    end = body.find("\n", alias.end)
    end = len(body) if end < 0 else end
    note = body[alias.end : end].strip()
    written = block(more, column)
    if note:
        return [(alias.key, end, f"{note}\n{written}")]
    return [(alias.key, end, written.lstrip(" "))]


def _without_anchor(body: str, start: int, end: int) -> Place:
    while body[end : end + 1] in (" ", "\t"):
        end += 1
    if body[end : end + 1] in ("\n", "") and body[start - 1 : start] == " ":
        start -= 1
    return start, end, ""


def prefix_end(body: str) -> int:
    """Where the document itself begins, after comments, directives and `---`."""
    at = 0
    for token in _first(body):
        if isinstance(token, tokens.DocumentStartToken):
            end = body.find("\n", token.end_mark.index)
            rest = body[token.end_mark.index : end if end >= 0 else len(body)].strip()
            if end >= 0 and (not rest or rest.startswith("#")):
                at = end + 1
    return at


def _first(body: str) -> Iterator[Any]:
    """The tokens up to the first one that belongs to the document."""
    for token in yaml_io().scan(body):
        yield token
        if not isinstance(token, tokens.StreamStartToken | tokens.DirectiveToken):
            return
