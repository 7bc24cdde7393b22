"""What a route does to delivery: destinations, batches, groups and partitions of evaluated rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from routestudio.engine.rows import destination_of
from routestudio.engine.workspace import PreparedSink
from routestudio.pipeline.stages import Staged

MAX_DESTINATIONS: Final = 5_000
MAX_KEYS: Final = 20_000
"""Batch keys and groups that are counted apart."""

SHOWN: Final = 500
PARTITIONS: Final = 6
"""Partitions that a forecast assumes; a topic's real number is only known with its service."""

_MANY: Final = 20
_HOT: Final = 0.5
_PER_ROW: Final = 0.5


@dataclass(slots=True)
class _Destination:
    rows: int = 0
    size: int = 0
    actions: Counter[str] = field(default_factory=Counter)
    first: int = 0


@dataclass(slots=True)
class _Open:
    """The batch of one key that is being filled."""

    count: int = 0
    size: int = 0
    batches: int = 0
    hottest: int = 0

    @property
    def least(self) -> int:
        """Batches at least: one carries one message of a group, where it cannot carry several."""
        return max(self.batches, self.hottest)


class Forecast:
    """Adds up delivered rows in their order. Memory is bounded; what is over is counted together.

    Batches are those that fill without waiting: the most messages a request can carry. Where the
    sink's batches do not keep their order, each holds one message of a group at most.
    """

    def __init__(self, prepared: PreparedSink) -> None:
        self._prepared = prepared
        self._sink = prepared.sink
        self._limits = prepared.bound.limits
        self._destinations: dict[str, _Destination] = {}
        self._open: dict[Hashable, _Open] = {}
        self._groups: Counter[str] = Counter()
        self._apart: Counter[tuple[Hashable, str]] = Counter()
        self._partitions = {name: [0] * PARTITIONS for name in self._sink.partitioners}
        self._more = False
        self._ungrouped = 0
        self.rows = 0
        self.size = 0

    def add(self, staged: Sequence[Staged], first: int) -> None:
        """Count evaluated messages; `first` is the number of the first. Undelivered ones do not
        count."""
        for index, item in enumerate(staged, first):
            if item.filtered is None and not item.problems and item.effective is not None:
                self._add(item, index)

    def _add(self, item: Staged, index: int) -> None:
        effective = item.effective
        assert effective is not None
        size = item.record.size if item.record is not None else 0
        self.rows += 1
        self.size += size
        name = destination_of(effective.values, self._sink.batch_by)
        found = self._destinations.get(name)
        if found is None:
            if len(self._destinations) >= MAX_DESTINATIONS:
                self._more = True
                return
            found = self._destinations[name] = _Destination(first=index)
        found.rows += 1
        found.size += size
        found.actions[item.message.action] += 1
        group = effective.group_id
        self._batch(effective.batch_key, size, group)
        if group is None:
            self._ungrouped += 1
        elif group in self._groups or len(self._groups) < MAX_KEYS:
            self._groups[group] += 1
        key = self._sink.partition_key(effective.values, group)
        if key is not None:
            for title, partition in self._sink.partitioners.items():
                self._partitions[title][partition(key, PARTITIONS)] += 1

    def _batch(self, key: Hashable, size: int, group: str | None) -> None:
        found = self._open.get(key)
        if found is None:
            if len(self._open) >= MAX_KEYS:
                key = None
            found = self._open.setdefault(key, _Open())
        limits = self._limits
        if group is not None and not limits.keeps_order:
            one = (key, group)
            if one in self._apart or len(self._apart) < MAX_KEYS:
                self._apart[one] += 1
                found.hottest = max(found.hottest, self._apart[one])
        full = found.count >= limits.messages or (
            limits.size is not None and found.size + size > limits.size
        )
        if found.count == 0 or full:
            found.batches += 1
            found.count = found.size = 0
        found.count += 1
        found.size += size

    def as_json(self) -> dict[str, Any]:
        """Plain data: destinations by rows, batching, groups, partitions, warnings."""
        ranked = sorted(self._destinations.items(), key=lambda pair: (-pair[1].rows, pair[0]))
        batches = sum(item.least for item in self._open.values())
        return {
            "rows": self.rows,
            "bytes": self.size,
            "distinct": len(self._destinations),
            "more": self._more,
            "destinations": [
                {
                    "name": name,
                    "rows": item.rows,
                    "bytes": item.size,
                    "share": item.rows / self.rows,
                    "actions": dict(sorted(item.actions.items())),
                    "first": item.first,
                }
                for name, item in ranked[:SHOWN]
            ],
            "batch": {
                "limit": self._limits.messages,
                "keeps_order": self._limits.keeps_order,
                "keys": len(self._open),
                "batches": batches,
                "mean": round(self.rows / batches, 2) if batches else 0,
                "requests_per_1000": round(1000 * batches / self.rows, 1) if self.rows else 0,
            },
            "groups": {
                "distinct": len(self._groups),
                "none": self._ungrouped,
                "hottest": [
                    {"group": name, "rows": count, "share": count / self.rows}
                    for name, count in self._groups.most_common(10)
                ],
            },
            "partitions": [
                {"by": name, "rows": counts} for name, counts in self._partitions.items()
            ],
            "warnings": list(self._warnings(batches)),
        }

    def _warnings(self, batches: int) -> list[str]:
        found: list[str] = []
        if self.rows < _MANY:
            return found
        fields = " and ".join(self._sink.batch_by) or "the destination"
        distinct = len(self._destinations)
        if self._limits.messages > 1 and len(self._open) > _PER_ROW * self.rows:
            found.append(
                f"{fields} differ from row to row: {len(self._open):,} batch keys for "
                f"{self.rows:,} rows, so requests carry {self.rows / batches:.1f} messages on "
                f"average where {self._limits.messages:,} fit"
            )
        if distinct > _PER_ROW * self.rows or self._more:
            found.append(
                f"destinations grow with the rows: {distinct:,}{'+' if self._more else ''} of them "
                f"for {self.rows:,} rows; a value of a row is part of the destination"
            )
        hottest = self._groups.most_common(1)
        if hottest and hottest[0][1] > _HOT * self.rows:
            name, count = hottest[0]
            how = "batch by batch" if self._limits.keeps_order else "one after the other"
            found.append(
                f"one group has {count / self.rows:.0%} of the rows (`{name[:60]}`): its messages "
                f"are delivered {how}"
            )
        for title, counts in self._partitions.items():
            if max(counts) > _HOT * self.rows and len(self._groups) > PARTITIONS:
                found.append(
                    f"one of {PARTITIONS} partitions ({title}) gets {max(counts) / self.rows:.0%} "
                    "of the rows"
                )
        return found
