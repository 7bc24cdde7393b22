"""What every benchmark shares: results, options, messages and the search for benchmarks."""

from __future__ import annotations

import importlib
import pkgutil
import random
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import tests.benchmarks as package
from routestudio.formats.base import Raw
from routestudio.model.message import Message, message_from


@dataclass(frozen=True, slots=True)
class Options:
    """How much to measure. `rounds`: each side is run so often, in turns; the best counts."""

    messages: int = 100_000
    rows: int = 1_000_000
    rounds: int = 3


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the table: ours against a bare client, measured in the same run.

    `ratio` is compared with `bar`: at least (`at_least`) or at most. `None` is no bar.
    """

    what: str
    ours: str
    bare: str
    ratio: float
    bar: float | None = None
    at_least: bool = True
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; `None` without one."""
        if self.bar is None:
            return None
        return self.ratio >= self.bar if self.at_least else self.ratio <= self.bar


class Unavailable(Exception):  # noqa: N818 - a reason, not a fault
    """This machine cannot run a benchmark; the text says what is missing."""


def benchmarks() -> Iterator[tuple[str, ModuleType]]:
    """Every module `bench_<name>` of this package, by name.

    It has `async def measure(options) -> Sequence[Measure]`, and may raise `Unavailable`; or
    `table(options) -> AsyncIterator[str]`, lines of a table of its own.
    """
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda item: item.name):
        if info.name.startswith("bench_"):
            module = importlib.import_module(f"{package.__name__}.{info.name}")
            yield info.name.removeprefix("bench_"), module


REPEATED = "each row three times in a row"
SKEWED = "a hundredth of the rows has half of the changes"


def shapes(count: int) -> Iterator[tuple[str, list[Message]]]:
    """Changes as streams have them: rows that change again before the last change is delivered."""
    yield REPEATED, make_messages(count, row=lambda n: n // 3)
    chance = random.Random(7)
    rows = max(100, count // 10)
    few = max(1, rows // 100)
    drawn = [chance.randrange(few) if n % 2 else chance.randrange(rows) for n in range(count)]
    yield SKEWED, make_messages(count, row=drawn.__getitem__)


Job = tuple[str, list[Message], list[Raw], float | None]
"""A name, messages, the rows that are read for them on the way, and the bar."""


def jobs(options: Options, bar: float, other: float) -> Iterator[Job]:
    """What brokers are measured with: changes as users have them first, then rows that differ.

    `bar` is that of rows that repeat, `other` that of rows that do not.
    """
    from tests.benchmarks.envelopes import envelopes

    for name, messages in shapes(options.messages):
        yield name, messages, [], bar
    for kilobytes, count in ((1, options.messages), (20, options.messages // 10)):
        messages, raw = envelopes(count, kilobytes * 1000)
        yield f"Debezium with schema, {kilobytes} kB", messages, raw, None
    yield "no row twice", make_messages(options.messages), [], other


def make_messages(
    count: int, start: int = 0, row: Callable[[int], int] | None = None
) -> list[Message]:
    """Orders of a shop with four actions: all rows different, or those of `row` by number."""
    made = []
    for n in range(start, start + count):
        action = ("insert", "update", "update", "delete")[n % 4]
        value: dict[str, Any] = {
            "action": action,
            "record": {
                "id": n if row is None else row(n),
                "customer_id": n % 5000,
                "country": ("AT", "DE", "FR", "US", "JP")[n % 5],
                "status": ("new", "paid", "shipped", "returned")[n % 4],
                "total": f"{n % 900}.{n % 100:02d}",
                "placed_at": "2024-05-01T12:30:00.000000Z",
                "note": "leave at the door, ring twice" if n % 3 else None,
            },
            "changes": {"status": "new"} if action == "update" else None,
            "metadata": {"table_name": "orders", "commit_lsn": 1000 + n, "commit_idx": n % 50},
        }
        made.append(message_from(value, index=n, line=n + 1))
    return made


async def chunked(rows: Sequence[Message], size: int = 500) -> AsyncIterator[Sequence[Message]]:
    """`rows` as a source of the pipeline."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def rate(count: int, seconds: float) -> str:
    """E.g. `34.1 k/s`."""
    value = count / seconds
    return f"{value / 1000:.1f} k/s" if value >= 1000 else f"{value:.0f} /s"


def peak() -> float:
    """Most resident memory of this process so far, in MB."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1024 / (1024 if sys.platform == "darwin" else 1)
