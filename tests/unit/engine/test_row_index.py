"""Packed cells of a preview are found and sorted as if they were looked at one by one."""

from __future__ import annotations

import asyncio
import random

import pytest

from routestudio.engine.row_index import FEW, RowIndex, both, chosen, either, equals


def made(seed: int, rows: int, chunk: int = 250) -> tuple[RowIndex, list[list[str]]]:
    """An index over columns of every kind, and its cells."""
    chance = random.Random(seed)
    columns = [
        ["Insert" if chance.random() < 0.7 else "delete" for _ in range(rows)],
        [str(number) for number in chance.sample(range(10**6), rows)],
        [chance.choice(["", "straße", "A b", f"k{chance.randrange(10**4)}"]) for _ in range(rows)],
        ["same"] * rows,
        [f"two\nlines {number}" for number in range(rows)],
    ]
    index = RowIndex(len(columns))
    for start in range(0, rows, chunk):
        index.add([column[start : start + chunk] for column in columns])
    return index, columns


@pytest.mark.parametrize("text", ["insert", "7", "K1", "same", "ra", "nowhere", "two"])
@pytest.mark.parametrize("column", [None, 0, 1, 2, 3])
def test_rows_that_contain_a_text(text: str, column: int | None) -> None:
    index, columns = made(1, 1_130)
    looked_at = columns if column is None else [columns[column]]
    wanted = bytes(
        any(text.lower() in cell.lower() for cell in row) for row in zip(*looked_at, strict=True)
    )
    assert index.containing(text, column) == wanted


def test_rows_by_their_numbers_and_equal_columns_kept_once() -> None:
    index, _ = made(4, 600)
    assert index.numbered("7") == bytes("7" in str(number) for number in range(600))
    twice = RowIndex(2)
    keys = [str(number) for number in range(100)]
    twice.add([keys, list(keys)])
    assert twice._columns[0][0] is twice._columns[1][0]


def test_orders_put_numbers_by_size_and_empty_cells_last() -> None:
    index, columns = made(2, 1_130)
    for column in range(4):
        found = [columns[column][row] for row in asyncio.run(index.order(column))]
        assert sorted(found) == sorted(columns[column])
        texts = [cell.lower() for cell in found if cell]
        assert texts == sorted(texts, key=int if column == 1 else None)
        assert found == [cell for cell in found if cell] + [cell for cell in found if not cell]


def test_an_order_of_many_rows_is_merged_and_forgotten_when_rows_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("routestudio.engine.row_index.RUN", 100)
    index, columns = made(3, 1_130)
    whole = list(asyncio.run(index.order(1)))
    assert whole == sorted(range(1_130), key=lambda row: int(columns[1][row]))
    index.add([["insert"], ["-"], ["x"], ["same"], ["y"]])
    assert len(asyncio.run(index.order(1))) == 1_131


def test_few_different_texts_are_kept_once() -> None:
    index = RowIndex(1)
    index.add([["a", "b"] * (FEW * 4)])
    [[pack]] = index._columns
    assert not isinstance(pack, str)
    assert len(pack[0]) == 2


def test_masks() -> None:
    assert equals(bytes([0, 1, 2, 1]), 1) == bytes([0, 1, 0, 1])
    assert both([bytes([1, 1, 0]), bytes([1, 0, 0])], 3) == bytes([1, 0, 0])
    assert both([], 3) is None
    assert either(bytes([1, 0, 0]), bytes([0, 0, 1])) == bytes([1, 0, 1])
    assert list(chosen([2, 0, 1], bytes([1, 0, 1]), ordered=True)) == [2, 0]
    assert list(chosen(range(3), bytes([1, 0, 1]), ordered=False)) == [0, 2]
