"""Dead letters read back: whatever cuts the files off, no message leaves the list unsent."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routestudio.errors import UsageError
from routestudio.model.message import message_from
from routestudio.pipeline import letters as module
from routestudio.pipeline.dead_letters import DeadLetter, DeadLetterError, DeadLetters
from routestudio.pipeline.letters import Letters


def message(number: int) -> dict[str, Any]:
    return {"action": "insert", "record": {"id": number}, "metadata": {"table_name": "t"}}


def letter(number: int, reason: str = "no such order", code: str = "http") -> DeadLetter:
    return DeadLetter(message_from(message(number)), "deliver", code, reason, attempts=2)


def written(path: Path, *letters: DeadLetter) -> Letters:
    with DeadLetters(path, "s") as file:
        file.add(letters)
    found = Letters(path)
    asyncio.run(found.refresh())
    return found


def ids(letters: Letters, group: int | None = None) -> list[int]:
    rows = letters.rows(group, 0, 10_000)
    return [letters.letter(row.number)["message"]["record"]["id"] for row in rows]


def test_reasons_that_differ_in_numbers_and_names_are_one_group(tmp_path: Path) -> None:
    reasons = [f"order {n} is unknown in 'table{n}'" for n in range(50)] + ["busy", "busy"]
    found = written(tmp_path / "d", *(letter(n, text) for n, text in enumerate(reasons)))
    assert [(g.reason, g.count) for g in found.groups] == [
        ("order 0 is unknown in 'table0'", 50), ("busy", 2)
    ]  # fmt: skip
    assert ids(found, 1) == [50, 51]
    assert found.open == 52


def test_the_number_of_groups_is_bounded(tmp_path: Path) -> None:
    words = [f"{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}" for n in range(676)]
    found = written(tmp_path / "d", *(letter(n, w, code=w) for n, w in enumerate(words)))
    assert len(found.groups) <= 600
    assert found.open == 676
    assert sum(len(found.numbers(g.number)) for g in found.groups) == 676


def test_a_line_that_is_being_written_comes_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "d"
    found = written(path, letter(1))
    line = path.read_bytes()
    with path.open("ab") as file:
        file.write(line[:20])
    asyncio.run(found.refresh())
    assert found.open == 1
    with path.open("ab") as file:
        file.write(line[20:])
    asyncio.run(found.refresh())
    assert found.open == 2


def test_readers_that_take_turns_take_each_line_once(tmp_path: Path) -> None:
    path = tmp_path / "d"
    written(path, *(letter(n) for n in range(3_000)))
    found = Letters(path)

    async def both() -> None:
        await asyncio.gather(found.refresh(), found.refresh(), found.refresh())

    asyncio.run(both())
    assert found.open == 3_000
    assert ids(found) == list(range(3_000))


@pytest.mark.slow
@given(settle=st.lists(st.integers(0, 9), max_size=6), cut=st.integers(0, 6))
def test_a_settled_file_that_is_cut_off_loses_no_letter(
    tmp_path_factory: pytest.TempPathFactory, settle: list[int], cut: int
) -> None:
    path = tmp_path_factory.mktemp("letters") / "d"
    found = written(path, *(letter(n) for n in range(12)))
    for number in settle:
        found.settle([number])
    if found.settled_path.exists():
        size = found.settled_path.stat().st_size
        os.truncate(found.settled_path, max(0, size - cut))
    again = Letters(path)
    asyncio.run(again.refresh())
    assert set(ids(again)) >= set(range(12)) - set(settle)
    again.settle([11])
    last = Letters(path)
    asyncio.run(last.refresh())
    assert set(ids(last)) >= set(range(11)) - set(settle)
    assert 11 not in ids(last)


def test_a_corrected_message_takes_the_place_of_its_letter(tmp_path: Path) -> None:
    path = tmp_path / "d"
    found = written(path, letter(1), letter(2))
    (number,) = found.replace({0: {**message(7), "action": "delete"}})
    assert ids(found) == [2, 7]
    full = found.letter(number)
    assert (full["message"]["action"], full["reason"]["code"], full["attempts"]) == (
        "delete", "http", 2
    )  # fmt: skip
    again = Letters(path)
    asyncio.run(again.refresh())
    assert ids(again) == [2, 7]
    with pytest.raises(UsageError, match="`record`"):
        found.replace({1: {"action": "insert"}})
    assert ids(found) == [2, 7]


def test_what_cannot_be_noted_stays_in_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = written(tmp_path / "d", letter(1), letter(2))

    def full(path: Path, data: bytes, *, sync: bool = False) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_append", full)
    with pytest.raises(DeadLetterError, match="No space left"):
        found.settle([0])
    with pytest.raises(DeadLetterError, match="No space left"):
        found.replace({0: message(5)})
    assert ids(found) == [1, 2]


def test_lines_that_are_no_letters_are_kept_and_not_sent(tmp_path: Path) -> None:
    path = tmp_path / "d"
    path.write_text('not json\n{"message": 5, "reason": {}}\n' + json.dumps(message(1)) + "\n")
    found = Letters(path)
    asyncio.run(found.refresh())
    assert found.open == 3
    assert [row.readable for row in found.rows(None, 0, 9)] == [False] * 3

    async def sent() -> list[Any]:
        return [item async for part in found.messages(found.numbers()) for item in part]

    assert asyncio.run(sent()) == []
    assert found.letter(0)["raw"] == "not json"
    assert Letters(tmp_path / "none").open == 0


def test_messages_carry_the_number_of_their_letter(tmp_path: Path) -> None:
    found = written(tmp_path / "d", *(letter(n) for n in range(5)))
    found.settle([1])

    async def sent() -> list[int]:
        return [item.index async for part in found.messages([0, 1, 4]) for item in part]

    assert asyncio.run(sent()) == [0, 4]
