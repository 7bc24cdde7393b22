"""The verdict of a rehearsal: what was sent against what arrived, message by message.

Messages are numbers here: their places in the source. The fault tests have another judge, which
shares no code with this one; a test compares both.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Overtaken:
    """A message that stands where an older one of its group should: at a place, behind `before`."""

    place: str
    group: str
    number: int
    before: int

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"place": self.place, "group": self.group, "number": self.number,
                "before": self.before}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """`doubled` counts arrivals beyond the first; `unexplained` are the messages of those for which
    no answer had been lost. `stale` are groups whose last arrival is older than another one
    that was not given up."""

    wanted: int
    arrived: int
    lost: tuple[int, ...]
    doubled: int
    unexplained: tuple[int, ...]
    overtaken: tuple[Overtaken, ...]
    stale: tuple[str, ...]

    @property
    def disorder(self) -> int:
        """How often the order of a group was broken."""
        return len(self.overtaken) + len(self.stale)

    @property
    def good(self) -> bool:
        """Whether nothing was lost, out of order, or doubled without a reason."""
        return not (self.lost or self.unexplained or self.disorder)


def verdict_on(
    groups: Mapping[int, str | None],
    places: Mapping[str, Sequence[int]],
    *,
    given_up: Collection[int] = (),
    doubtful: Collection[int] = (),
) -> Verdict:
    """Compare messages (their groups by number) with what each place holds, in order of arrival.

    `given_up` are dead letters, `doubtful` messages that may have been written without an answer.
    """
    counts: Counter[int] = Counter()
    for numbers in places.values():
        counts.update(number for number in numbers if number in groups)
    overtaken: list[Overtaken] = []
    stale: list[str] = []
    for place, numbers in places.items():
        for group, lane in _lanes(groups, numbers).items():
            overtaken += _overtaken(place, group, lane, given_up)
            if any(number > lane[-1] and number not in given_up for number in lane):
                stale.append(f"{place}: {group}")
    return Verdict(
        len(groups),
        len(counts),
        tuple(sorted(n for n in groups if n not in counts and n not in given_up)),
        counts.total() - len(counts),
        tuple(sorted(n for n, times in counts.items() if times > 1 and n not in doubtful)),
        tuple(overtaken),
        tuple(stale),
    )


def _lanes(groups: Mapping[int, str | None], numbers: Iterable[int]) -> dict[str, list[int]]:
    """What a place holds of each group, in order."""
    lanes: dict[str, list[int]] = {}
    for number in numbers:
        group = groups.get(number)
        if group is not None:
            lanes.setdefault(group, []).append(number)
    return lanes


def _overtaken(
    place: str, group: str, lane: Sequence[int], given_up: Collection[int]
) -> Iterable[Overtaken]:
    """A group goes forward one message at a time. It may go back (after a lost answer, a crash)
    and is then gone through again without leaving one out."""
    steps = sorted({number for number in lane if number not in given_up})
    last = -1
    for number in lane:
        # Messages of the group at this place that belong between the last one and this one.
        first, end = bisect_right(steps, last), bisect_left(steps, number)
        if number > last and first < end:
            yield Overtaken(place, group, number, steps[first])
        last = number
