"""What all searches share: for how long, from which seed, and bytes that are spoiled."""

from __future__ import annotations

import os
import random
import resource
import time
from collections import Counter
from collections.abc import Iterator

import pytest

SECONDS = float(os.environ.get("ROUTESTUDIO_FUZZ", "0"))

long_search = pytest.mark.skipif(not SECONDS, reason="ROUTESTUDIO_FUZZ=seconds runs it")


CEILING = 4 << 30
"""Address space of a search, so that a text that takes all memory ends its search only."""


@pytest.fixture(autouse=True)
def ceiling() -> Iterator[None]:
    """Keep a search from the machine's memory. Fixture of the modules that import it."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    if SECONDS:
        resource.setrlimit(resource.RLIMIT_AS, (CEILING, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def peak() -> int:
    """The most memory that this process ever had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


class Search:
    """One search by chance; counts say what it saw. `ROUTESTUDIO_FUZZ_SEED` repeats it."""

    def __init__(self, name: str, *, rounds: int | None = None) -> None:
        given = os.environ.get("ROUTESTUDIO_FUZZ_SEED")
        self.seed = 2026 if rounds else int(given or time.time_ns() % 1_000_000_000)
        self.chance = random.Random(self.seed)
        self.counts = Counter[str]()
        self.slowest = (0.0, "")
        self._name = name
        self._rounds = rounds
        self.round = 0

    def rounds(self, seconds: float = SECONDS) -> Iterator[int]:
        """Numbers of rounds until the time, or the number of rounds, is over."""
        end = time.monotonic() + seconds
        while self.round < self._rounds if self._rounds else time.monotonic() < end:
            yield self.round
            self.round += 1
        slow, what = self.slowest
        print(f"\nfuzz {self._name}: seed {self.seed}, {self.round} rounds, {dict(self.counts)}; "
              f"slowest {slow:.2f} s: {what[:100]}")  # fmt: skip

    def took(self, seconds: float, what: str) -> None:
        """Note how long something took, by the processor's clock."""
        if seconds > self.slowest[0]:
            self.slowest = (seconds, what)

    def about(self, what: object) -> str:
        """How to come here again."""
        return f"seed {self.seed}, round {self.round}: {what!r}"


def spoiled_text(text: str, chance: random.Random, tokens: list[str], other: str = "") -> str:
    """The text with some places cut, doubled, turned round, or filled with tokens."""
    for _ in range(chance.choice((1, 1, 2, 4))):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice((0, 1, 3, 20, 200)))
        part = text[start:end]
        match chance.randrange(6):
            case 0:
                new = ""
            case 1:
                new = part * chance.choice((2, 3, 40))
            case 2:
                new = part[::-1]
            case 3 if other:
                at = chance.randrange(len(other))
                new = other[at : at + chance.choice((5, 40, 200))]
            case _:
                new = "".join(chance.choice(tokens) for _ in range(chance.choice((1, 2, 5))))
        text = text[:start] + new + text[end:]
    return text


def spoiled_bytes(data: bytes, chance: random.Random, tokens: list[bytes]) -> bytes:
    """The bytes with one place cut, doubled, flipped, or filled with a token."""
    at = chance.randrange(len(data) + 1)
    end = min(len(data), at + chance.choice((0, 1, 1, 4, 30)))
    match chance.randrange(6):
        case 0:
            new = b""
        case 1:
            new = data[at:end] * chance.choice((2, 3, 50))
        case 2:
            new = bytes(byte ^ (1 << chance.randrange(8)) for byte in data[at:end])
        case 3:
            new = data[at:end] + data[:at]
        case _:
            new = chance.choice(tokens) + data[at:end] * chance.randrange(2)
    return data[:at] + new + data[end:]
