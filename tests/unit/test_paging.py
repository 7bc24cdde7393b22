"""Pages of a long table are asked for once, and again when their answer was lost or came short."""

from __future__ import annotations

import pytest

from routestudio.ui.widgets.paging import Paging


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def asked() -> list[int]:
    return []


@pytest.fixture
def pages(clock: Clock, asked: list[int]) -> Paging:
    return Paging(asked.append, 100, pause=2.0, clock=clock)


def test_a_page_is_asked_for_once(pages: Paging, asked: list[int]) -> None:
    for _ in range(3):
        pages.ask(2, 1000)
    pages.came(2, 100, 1000)
    pages.ask(2, 1000)
    assert asked == [200]


def test_a_lost_page_is_asked_for_again_after_a_pause(
    pages: Paging, asked: list[int], clock: Clock
) -> None:
    pages.ask(0, 50)
    pages.lost(0)
    clock.now += 1.9
    pages.ask(0, 50)
    assert asked == [0]
    clock.now += 0.2
    pages.ask(0, 50)
    pages.ask(0, 50)
    assert asked == [0, 0]


def test_a_page_that_nobody_waits_for_is_not_lost(pages: Paging, asked: list[int]) -> None:
    pages.lost(3)
    pages.ask(3, 1000)
    assert asked == [300]


def test_a_page_that_came_short_because_rows_were_added_is_asked_for_at_once(
    pages: Paging, asked: list[int]
) -> None:
    pages.ask(0, 40)
    pages.came(0, 40, 60)
    assert asked == [0, 0]
    pages.came(0, 60, 60)
    pages.ask(0, 60)
    assert asked == [0, 0]


def test_a_page_that_came_short_without_a_reason_is_not_asked_for_without_end(
    pages: Paging, asked: list[int]
) -> None:
    pages.ask(0, 40)
    pages.came(0, 0, 40)
    pages.ask(0, 40)
    assert asked == [0]


def test_a_page_in_which_rows_were_added_is_asked_for_when_it_is_looked_at(
    pages: Paging, asked: list[int]
) -> None:
    pages.ask(1, 140)
    pages.came(1, 40, 140)
    pages.grew(140, 40)
    pages.ask(1, 150)
    assert asked == [100, 100]


@pytest.mark.parametrize(("old", "rows"), [(140, None), (140, 100), (200, 40)])
def test_rows_that_were_added_elsewhere_change_nothing(
    old: int, rows: int | None, pages: Paging, asked: list[int]
) -> None:
    pages.ask(1, old)
    pages.grew(old, rows)
    pages.ask(1, 300)
    assert asked == [100]


def test_what_is_forgotten_is_asked_for_at_once(pages: Paging, asked: list[int]) -> None:
    for page in (0, 1, 2):
        pages.ask(page, 300)
    pages.lost(0)
    pages.forget()
    pages.ask(0, 300)
    pages.ask(1, 300)
    pages.forget(1)
    pages.ask(0, 300)
    pages.ask(1, 300)
    pages.keep({0})
    pages.ask(0, 300)
    pages.ask(1, 300)
    assert asked == [0, 100, 200, 0, 100, 100, 100]
