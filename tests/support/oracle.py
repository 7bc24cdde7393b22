"""A judge of deliveries that knows nothing of the program: input, what arrived, dead letters.

It imports nothing of RouteStudio. Its input are numbers: every message of the source carries the
number of its place in a field of its own, and readers that belong to each service give back the
numbers in the order in which the service got them.

**Nothing lost.** Every message that was to be delivered arrived, or is in the dead-letter file.

**Order.** A service keeps one or more *sequences*, such as the partitions of a topic, the entries
of a stream or the requests of a server. Take what one sequence holds of one group, and leave away
everything that repeats a message which arrived before: what is left, the first arrivals, must be in
source order. Moreover a repetition (after a lost answer, or a crash) must be a *replay*: it may go
back to any earlier message, and from there on it must go forward again, message by message, without
leaving one out, until it meets what is new. Only messages that are in the dead letters may be left
out. So the last arrival of a group is its newest message, and whoever keeps the last state of a
row ends with the right one. The newest is one that is not in the dead letters: a message may have
arrived and, when it came again with others around it, have been rejected.

**Duplicates.** How often a message arrived beyond the first time. One is *explained* when its
earlier attempt ended without an answer or when a process died between it and the next checkpoint;
the caller says for which messages that was so.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

NUMBER: Final = "number"
"""Name of the field that holds a message's place in the source."""

_FOUND: Final = re.compile(r'\\?"' + NUMBER + r'\\?":\s*(\d+)')


@dataclass(frozen=True, slots=True)
class Wanted:
    """A message that is to be delivered: its place in the source, and its group if it has one."""

    number: int
    group: str | None


@dataclass(slots=True)
class Verdict:
    """What the judge found. `disorder` names sequence, group and the two messages.

    `stale` are groups whose last arrival is not the newest one; `foreign` are numbers that nobody
    sent to where they were found.
    """

    wanted: int = 0
    arrived: int = 0
    rejected: int = 0
    missing: list[int] = field(default_factory=list)
    foreign: list[int] = field(default_factory=list)
    disorder: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    doubled: int = 0
    unexplained: list[int] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether nothing was lost, overtaken or doubled without a reason."""
        return not (self.missing or self.foreign or self.disorder or self.stale or self.unexplained)

    def __str__(self) -> str:
        bad = {
            name: found[:10]
            for name in ("missing", "foreign", "disorder", "stale", "unexplained")
            if (found := getattr(self, name))
        }
        counts = f"{self.arrived} of {self.wanted} arrived, {self.rejected} rejected"
        return f"{counts}, {self.doubled} doubled" + (f"; {bad}" if bad else "")


def judge(
    wanted: Iterable[Wanted],
    sequences: Mapping[str, Sequence[int]],
    *,
    letters: Collection[int] = (),
    explained: Collection[int] = (),
) -> Verdict:
    """The verdict on `sequences`: what each of them holds, in order, with all repetitions.

    `letters` are the numbers in the dead letters, `explained` those that may have been doubled.
    """
    groups = {item.number: item.group for item in wanted}
    rejected, reasons = set(letters), set(explained)
    times = Counter(number for found in sequences.values() for number in found)
    verdict = Verdict(len(groups), len(times.keys() & groups), len(rejected & groups.keys()))
    verdict.missing = sorted(groups.keys() - times.keys() - rejected)
    verdict.foreign = sorted((times.keys() | rejected) - groups.keys())
    verdict.doubled = sum(times.values()) - len(times)
    verdict.unexplained = sorted(n for n, count in times.items() if count > 1 and n not in reasons)
    for name, found in sequences.items():
        lanes: dict[str, list[int]] = defaultdict(list)
        for number in found:
            group = groups.get(number)
            if group is not None:
                lanes[group].append(number)
        for group, lane in lanes.items():
            verdict.disorder += [f"{name}: {group}: {text}" for text in _breaks(lane, rejected)]
            newest = max((number for number in lane if number not in rejected), default=-1)
            if lane[-1] < newest:
                verdict.stale.append(f"{name}: {group}: {lane[-1]} after {newest}")
    return verdict


def judge_states(
    wanted: Iterable[Wanted], states: Mapping[str, int], *, letters: Collection[int] = ()
) -> Verdict:
    """The verdict on a service that keeps only the last message of each group.

    `states` gives its number by group. What was overwritten cannot be missed, and is not counted.
    """
    newest: dict[str, int] = {}
    rejected = set(letters)
    for item in wanted:
        if item.group is not None and item.number not in rejected:
            newest[item.group] = max(item.number, newest.get(item.group, -1))
    verdict = Verdict(len(newest), len(states.keys() & newest.keys()), len(rejected))
    verdict.missing = sorted(newest[group] for group in newest.keys() - states.keys())
    verdict.foreign = sorted(states[group] for group in states.keys() - newest.keys())
    verdict.stale = [
        f"{group}: {states[group]} instead of {number}"
        for group, number in newest.items()
        if group in states and states[group] != number
    ]
    return verdict


def _breaks(lane: Sequence[int], rejected: Collection[int]) -> Iterator[str]:
    """Where the arrivals of one group go forward by more than one message."""
    known = sorted(set(lane))
    place = {number: index for index, number in enumerate(known)}
    highest = -1
    for before, number in zip([None, *lane], lane, strict=False):
        index = place[number]
        last = -1 if before is None else place[before]
        skipped = [n for n in known[last + 1 : index] if n not in rejected]
        if index > last and skipped:
            what = "arrived before" if index > highest else "was replayed without"
            yield f"{number} {what} {skipped[0]}"
        highest = max(highest, index)


def number_in(text: str) -> int:
    """The number of the one message in `text`, which holds it as JSON, also within JSON."""
    [number] = numbers_in(text)
    return number


def numbers_in(text: str) -> list[int]:
    """The numbers of all messages in `text`, in order."""
    return [int(found) for found in _FOUND.findall(text)]


def letters_of(path: Path) -> list[int]:
    """The numbers in a dead-letter file. Raises `ValueError` when a line is not whole."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    if text and not text.endswith("\n"):
        raise ValueError(f"the last line of {path.name} is not whole")
    found = []
    for line in text.splitlines():
        letter = json.loads(line)
        message = letter["message"]
        found.append(number_in(letter["raw"] if message is None else json.dumps(message)))
    return found
