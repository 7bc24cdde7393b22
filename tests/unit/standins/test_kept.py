"""What a stand-in keeps is bounded, and the newest stays."""

from __future__ import annotations

from routestudio.sinks._shared.standins.kept import Kept
from routestudio.sinks.standin import Arrived


def bodies(kept: Kept, limit: int = 100) -> list[str]:
    return [item.body for item in kept.latest(limit)]


def test_the_oldest_are_forgotten_first() -> None:
    kept = Kept(items=3, characters=10)
    for body in ("a", "b", "c", "d"):
        kept.add(Arrived("x", body))
    assert bodies(kept) == ["b", "c", "d"]
    assert bodies(kept, 2) == ["c", "d"]
    assert bodies(kept, 0) == []
    kept.add(Arrived("x", "e" * 9))
    assert bodies(kept) == ["d", "e" * 9]
    kept.add(Arrived("x", "f" * 50))
    assert bodies(kept) == ["f" * 50]


def test_forgetting_frees_the_room() -> None:
    kept = Kept(items=2, characters=4)
    for _ in range(100):
        kept.add(Arrived("x", "ab"))
    assert bodies(kept) == ["ab", "ab"]
    kept.clear()
    assert bodies(kept) == []
    kept.add(Arrived("x", "abcd"))
    assert bodies(kept) == ["abcd"]
