"""How rows are shared out over processes, and what each of them has not finished."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from routestudio.model.message import Message
from routestudio.model.outcome import rejected, retry
from routestudio.model.rows import Fault
from routestudio.pipeline.planner import Duplicate, Job, Rejection, Settled
from routestudio.pipeline.share_frames import CANCEL, ROWS, Frames, frame
from routestudio.pipeline.sharing import Outstanding, Shares, packed, unpacked
from routestudio.pipeline.tally import Tally
from tests.unit.pipeline.doubles import bad_row, make_message, make_stages

GROUP_OF = make_stages().router.group_id


@given(
    groups=st.lists(st.integers(0, 40), min_size=1, max_size=200),
    count=st.integers(1, 5),
    step=st.integers(1, 50),
)
def test_a_group_stays_with_one_process_and_in_order(
    groups: list[int], count: int, step: int
) -> None:
    rows = [make_message(n, id=f"row{group}") for n, group in enumerate(groups)]
    shares, homes = Shares(count, GROUP_OF), defaultdict(set)
    seen: list[int] = []
    for start in range(0, len(rows), step):
        for number, (positions, taken) in enumerate(
            shares.split(start, rows[start : start + step])
        ):
            assert positions == sorted(positions)
            assert [row.index for row in taken] == positions
            seen += positions
            for row in taken:
                homes[row.record["id"]].add(number)
    assert sorted(seen) == list(range(len(rows)))
    assert all(len(found) == 1 for found in homes.values())


def test_the_share_of_a_group_is_the_same_in_every_process() -> None:
    rows = [make_message(n, id=f"row {n} ä") for n in range(50)]
    here = [positions for positions, _ in Shares(3, GROUP_OF).split(0, rows)]
    program = (
        "from tests.unit.pipeline.test_sharing import *\n"
        "rows = [make_message(n, id=f'row {n} ä') for n in range(50)]\n"
        "print([positions for positions, _ in Shares(3, GROUP_OF).split(0, rows)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        env={"PYTHONHASHSEED": "77", "PYTHONPATH": ".", "PYTHONUTF8": "1"},
    )  # fmt: skip
    assert done.stdout.strip() == str(here)
    assert all(len(positions) > 5 for positions in here)


def test_what_has_no_group_is_spread_evenly() -> None:
    rows: list[Any] = [bad_row(n, "broken") for n in range(10)]
    rows += [make_message(n) for n in range(10, 20)]
    found = Shares(2, lambda message: None).split(0, rows)
    assert [len(positions) for positions, _ in found] == [10, 10]


def test_rows_are_the_same_behind_the_pipe() -> None:
    deep: Any = "end"
    for _ in range(600):
        deep = [deep]
    rows: list[Any] = [
        make_message(1, note="\ud800 lone", big=2**80, share=float("inf"), nested=deep),
        bad_row(2, "broken", 7, "{"),
        make_message(3),
    ]
    assert unpacked(packed(rows)) == rows
    rows.append(make_message(4, price=Decimal("1.50")))
    rows[0].record["nested"] = []
    assert unpacked(packed(rows)) == rows


def test_a_row_that_cannot_be_handed_over_becomes_unreadable_and_the_others_stay() -> None:
    deep: Any = Decimal(1)
    for _ in range(20_000):
        deep = [deep]
    rows = [make_message(1), make_message(2, nested=deep), make_message(3)]
    first, second, third = unpacked(packed(rows))
    assert (first, third) == (rows[0], rows[2])
    assert isinstance(second, Fault)
    assert "nested too deeply" in second.message
    assert (second.index, second.line) == (2, 3)
    while isinstance(deep, list):  # without the recursion that its end would be
        deep = deep.pop()


def _hand(left: Outstanding, positions: list[int]) -> None:
    left.hand(positions, packed([make_message(n) for n in positions]))


def _handed(payloads: list[bytes]) -> list[int]:
    found = [row for payload in payloads for row in unpacked(payload)]
    return [row.index for row in found if isinstance(row, Message)]


def test_numbers_of_a_process_become_positions_once() -> None:
    left = Outstanding()
    _hand(left, [3, 5, 8])
    _hand(left, [13, 21])
    assert left.finish([4, 0, 2]) == [21, 3, 8]
    assert left.finish([0, 4, 99]) == []
    assert len(left) == 2
    assert left.size > 0
    assert left.finish([1, 3]) == [5, 13]
    assert (len(left), left.size) == (0, 0)


@given(st.data())
def test_a_successor_gets_what_is_unfinished_in_order(data: st.DataObject) -> None:
    left, expected, next_ = Outstanding(), list[int](), 0
    numbers = list[int]()
    for _ in range(data.draw(st.integers(1, 12))):
        step = data.draw(st.sampled_from(["hand", "finish", "die"]))
        if step == "hand":
            positions = list(range(next_, next_ + data.draw(st.integers(1, 5))))
            next_ += len(positions)
            numbers += range(len(numbers), len(numbers) + len(positions))
            expected += positions
            _hand(left, positions)
        elif step == "finish" and expected:
            taken = data.draw(st.sets(st.sampled_from(range(len(numbers))), max_size=4))
            for position in left.finish(taken):
                expected.remove(position)
        else:
            payloads = left.renew()
            assert _handed(payloads) == expected
            numbers = list(range(len(expected)))
    assert _handed(left.renew()) == expected
    assert sorted(left.finish(range(next_))) == expected
    assert left.size == 0


@given(st.lists(st.binary(max_size=30), max_size=8), st.integers(1, 20))
def test_frames_are_found_however_a_pipe_cuts_them(payloads: list[bytes], step: int) -> None:
    data = b"".join(frame(ROWS, payload) for payload in payloads) + frame(CANCEL)
    frames = Frames()
    found: list[Any] = []
    for start in range(0, len(data), step):
        found += frames.feed(data[start : start + step])
    assert found == [(ROWS, payload) for payload in payloads] + [(CANCEL, b"")]


def _settled(tally: Tally, topic: str, number: int) -> None:
    message = make_message(number)
    job = Job(number, message, None, 10, (topic,), None)  # type: ignore[arg-type]
    settled = Settled([job], [Rejection(job, "no", "never")], [Duplicate(job, "known", "id", True)])
    settled.retried, settled.last = 2, retry("busy", "later")
    tally.settle((topic,), settled, 0.01 * number, 1.0)
    tally.rejected += 1
    tally.filtered += 3
    tally.batches += 1
    tally.reason("deliver", "no", rejected("no", "never").reason)


def test_the_parts_of_several_tallies_add_up_to_one() -> None:
    alone, together, parts = Tally(5), Tally(5), [Tally(5), Tally(5)]
    for number in range(12):
        topic = f"topic{number % 3}"
        _settled(alone, topic, number)
        _settled(parts[number % 2], topic, number)
        if number % 5 == 4:
            together.join(parts[number % 2].part())
    for part in parts:
        together.join(part.part())
        together.join(part.part())  # nothing is counted twice
    assert together.summary(1.0, cancelled=False) == alone.summary(1.0, cancelled=False)
    assert set(together.destinations(0, 9, 1.0)) == set(alone.destinations(0, 9, 1.0))
    assert (together.reasons, together.retries) == (alone.reasons, alone.retries)
    assert together.latency.counts == alone.latency.counts
    assert together.sizes.counts == alone.sizes.counts
