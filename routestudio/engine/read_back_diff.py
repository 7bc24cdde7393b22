"""Compares what a preview expects at a service with what was read there. Pure.

Equal records are paired first. Of the others, one with the same identity (the id of its message),
or else the same key, is what became of an expected record, and differs in some parts. What is left
on one side is missing; on the other it belongs to somebody else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from routestudio.model import jsonio
from routestudio.sinks.reading import Stored, Window

Verdict = Literal["equal", "repeated", "different", "replaced", "missing", "unread", "other"]

MEANINGS: Final[Mapping[Verdict, str]] = {
    "equal": "as previewed",
    "repeated": "as previewed, once more",
    "different": "not as previewed",
    "replaced": "a later record of the preview took its place",
    "missing": "previewed, and not there",
    "unread": "beyond what was read",
    "other": "not from this preview",
}
"""Every verdict on a record, with what it means."""

_PATHS: Final = 20
_ID_HEADERS: Final = ("nats-msg-id", "message-id", "messagededuplicationid")


@dataclass(frozen=True, slots=True)
class Change:
    """One place in which a record differs: `destination`, `key`, `headers.NAME`, or a path of its
    body; a side without it is `None`."""

    path: str
    expected: Any
    found: Any


@dataclass(frozen=True, slots=True)
class Compared:
    """One record, or one that is missing. `index` is the row of the preview."""

    verdict: Verdict
    index: int | None
    expected: Stored | None
    found: Stored | None
    parts: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()


def compare(
    expected: Sequence[tuple[int, Stored]],
    windows: Mapping[str, Window],
    *,
    keyed: bool = False,
) -> list[Compared]:
    """Compare previewed records (with their rows, in order) with what each destination holds.

    The records that were read come in their order, then what was not found. `keyed`: only the last
    record of a key is held.
    """
    replaced: list[Compared] = []
    if keyed:
        last = {(item.destination, item.key): index for index, item in expected}
        old = [p for p in expected if last[p[1].destination, p[1].key] != p[0]]
        replaced = [Compared("replaced", index, item, None) for index, item in old]
        expected = [p for p in expected if last[p[1].destination, p[1].key] == p[0]]
    left = _Left(expected)
    read = [record for window in windows.values() for record in window.records]
    found: dict[int, Compared] = {}
    for place, record in enumerate(read):
        if (pair := left.equal(record, place)) is not None:
            found[place] = Compared("equal", pair[0], pair[1], record)
    for place in range(len(read) - 1, -1, -1):  # the newest is what became of a record
        if place not in found:
            found[place] = left.verdict(read[place], place)
    rows = [found[place] for place in range(len(read))]
    return [*rows, *replaced, *_absent(left.pairs(), rows, windows)]


def _absent(
    pairs: Iterable[tuple[int, Stored]], rows: Sequence[Compared], windows: Mapping[str, Window]
) -> Iterator[Compared]:
    """What of the preview was not found: missing, unless it may be beyond what was read.

    Only records of one key are in the order of the preview: what comes after one that was found is
    not older.
    """
    first: dict[tuple[str, str], int] = {}
    for row in rows:
        item = row.expected
        if row.index is not None and item is not None and item.key and row.verdict == "equal":
            lane = item.destination, item.key
            first[lane] = min(first.get(lane, row.index), row.index)
    for index, item in pairs:
        window = windows.get(item.destination)
        beyond = window is None or window.more
        behind = first.get((item.destination, item.key or ""), index) < index
        known = behind and window is not None and not window.oldest
        yield Compared("unread" if beyond and not known else "missing", index, item, None)


class _Left:
    """Previewed records that are not paired yet, and those that are, with the place of the record
    that each was paired with."""

    def __init__(self, expected: Sequence[tuple[int, Stored]]) -> None:
        self._all = dict(expected)
        self._open = dict(expected)
        self._places: dict[int, int] = {}
        self._by_key: dict[Any, list[int]] = defaultdict(list)
        self._by_identity: dict[str, list[int]] = defaultdict(list)
        self._by_body: dict[bytes, list[int]] = defaultdict(list)
        for index, item in expected:
            if item.body is not None:
                self._by_body[_canonical(item.body)].append(index)
            if item.key is not None:
                self._by_key[item.destination, item.key].append(index)
            if (identity := identity_of(item)) is not None:
                self._by_identity[identity].append(index)

    def pairs(self) -> list[tuple[int, Stored]]:
        """What was not paired, in the order of the preview."""
        return sorted(self._open.items(), key=lambda pair: pair[0])

    def equal(self, record: Stored, place: int) -> tuple[int, Stored] | None:
        """The first open record that is the same in all parts; it is paired with `place`."""
        for index in self._alike(record):
            if index in self._open and not parts_of(self._open[index], record):
                self._take(index, place)
                return index, self._all[index]
        return None

    def verdict(self, record: Stored, place: int) -> Compared:
        """What a record is that equals no open one."""
        for index in self._alike(record):
            if not parts_of(self._all[index], record):
                return Compared("repeated", index, self._all[index], record)
        became = self._became(record, place)
        if became is None:
            return Compared("other", None, None, record)
        index = became
        item = self._all[index]
        self._take(index, place)
        if record.body is None:
            return Compared("missing", index, item, None)
        changes = tuple(changes_of(item, record))
        return Compared("different", index, item, record, parts_of(item, record), changes)

    def _became(self, record: Stored, place: int) -> int | None:
        """The previewed record that became this one. An older version of one that was found later
        is none: it comes from an earlier run."""
        identity = identity_of(record)
        if identity is not None and identity in self._by_identity:
            same = self._by_identity[identity]
            index = next((i for i in same if i in self._open), same[-1])
            return index if self._places.get(index, -1) < place else None
        likely = [*self._by_key.get((record.destination, record.key), ()), *self._bodies(record)]
        return next((index for index in likely if index in self._open), None)

    def _alike(self, record: Stored) -> Iterator[int]:
        """Previewed records that may be the same in all parts."""
        yield from self._bodies(record)
        for index in self._by_key.get((record.destination, record.key), ()):
            if record.body is None or self._all[index].partial:
                yield index

    def _bodies(self, record: Stored) -> Sequence[int]:
        return self._by_body.get(_canonical(record.body), ()) if record.body is not None else ()

    def _take(self, index: int, place: int) -> None:
        self._open.pop(index, None)
        self._places[index] = place


def identity_of(record: Stored) -> str | None:
    """The id of a record's message, where the record has one: in a header, or in its metadata."""
    for name, value in record.headers.items():
        if name.lower() in _ID_HEADERS and value:
            return str(value)
    value = _decoded(record.body)
    metadata = value.get("metadata") if isinstance(value, dict) else None
    if isinstance(metadata, str):
        metadata = _decoded(metadata.encode("utf-8", "surrogatepass"))
    found = metadata.get("idempotency_key") if isinstance(metadata, dict) else None
    return found if isinstance(found, str) and found else None


def parts_of(expected: Stored, found: Stored) -> tuple[str, ...]:
    """The parts in which two records differ."""
    parts = []
    if expected.destination != found.destination:
        parts.append("destination")
    if expected.key != found.key:
        parts.append("key")
    if any(_differing("", dict(expected.headers), dict(found.headers))):
        parts.append("headers")
    if expected.body != found.body and any(_body_changes(expected, found)):
        parts.append("body")
    return tuple(parts)


def changes_of(expected: Stored, found: Stored) -> Iterator[Change]:
    """Where two records differ, at most some places of the body."""
    if expected.destination != found.destination:
        yield Change("destination", expected.destination, found.destination)
    if expected.key != found.key:
        yield Change("key", expected.key, found.key)
    yield from _differing("headers", dict(expected.headers), dict(found.headers))
    for count, change in enumerate(_body_changes(expected, found)):
        if count == _PATHS:
            return
        yield change


def _body_changes(expected: Stored, found: Stored) -> Iterator[Change]:
    one, other = _value(expected.body), _value(found.body)
    if expected.partial and isinstance(one, dict) and isinstance(other, dict):
        other = {name: value for name, value in other.items() if name in one}
    yield from _differing("", one, other)


def _differing(path: str, one: Any, other: Any) -> Iterator[Change]:
    if isinstance(one, dict) and isinstance(other, dict):
        for name in [*one, *(name for name in other if name not in one)]:
            inner = f"{path}.{name}" if path else name
            if name not in one or name not in other:
                yield Change(inner, one.get(name), other.get(name))
            else:
                yield from _differing(inner, one[name], other[name])
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (item, there) in enumerate(zip(one, other, strict=True)):
            yield from _differing(f"{path}[{number}]", item, there)
    elif isinstance(one, bool) is not isinstance(other, bool) or one != other:
        yield Change(path or "body", one, other)


def _value(body: bytes | None) -> Any:
    """A body's value, or its text when it is not JSON."""
    if body is None:
        return None
    try:
        return jsonio.loads(body)
    except ValueError:
        return body.decode("utf-8", "backslashreplace")


def _decoded(body: bytes | None) -> Any:
    try:
        return jsonio.loads(body) if body is not None else None
    except ValueError:
        return None


def _canonical(body: bytes) -> bytes:
    """The same for bodies that are equal as JSON; how they are written does not count."""
    value = _decoded(body)
    if not isinstance(value, (dict, list)):
        return body
    try:
        return jsonio.dump_bytes(_sorted(value))
    except ValueError:
        return body


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
