"""Pages of a long table: which were asked for, and which are asked for again."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

PAUSE = 1.0
"""Seconds until a page that could not be had is asked for again."""


class Paging:
    """Asks for each page once, when it is looked at; `fetch` gets the number of its first row.

    One whose request failed is asked for again when it is looked at later, after `pause` seconds:
    a table may be painted often. One that came short, because there were fewer rows when it was
    asked for, is asked for again.
    """

    def __init__(
        self,
        fetch: Callable[[int], None],
        size: int,
        *,
        pause: float = PAUSE,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._fetch, self._size = fetch, size
        self._pause, self._clock = pause, clock
        self._asked: dict[int, int] = {}
        """The number of rows in all when each page was asked for."""
        self._rest: dict[int, float] = {}

    def ask(self, page: int, count: int) -> None:
        """Ask for a page of a table of so many rows, unless that was done."""
        if page in self._asked or self._clock() < self._rest.get(page, 0.0):
            return
        self._asked[page] = count
        self._rest.pop(page, None)
        self._fetch(page * self._size)

    def came(self, page: int, rows: int, count: int) -> None:
        """So many rows of a page are here, of a table of so many."""
        asked = self._asked.setdefault(page, count)
        if rows < min(self._size, count - page * self._size) and count > asked:
            del self._asked[page]
            self.ask(page, count)

    def grew(self, old: int, rows: int | None) -> None:
        """There are more than `old` rows; of the page in which the old ones end, so many are here
        (`None` while it is asked for)."""
        if old % self._size and rows is not None and rows < self._size:
            self._asked.pop(old // self._size, None)

    def lost(self, page: int) -> None:
        """The request for a page failed."""
        if self._asked.pop(page, None) is not None:
            self._rest[page] = self._clock() + self._pause

    def forget(self, page: int | None = None) -> None:
        """A page, or every one, is asked for again when it is looked at."""
        if page is None:
            self._asked.clear()
            self._rest.clear()
        else:
            self._asked.pop(page, None)

    def keep(self, pages: set[int]) -> None:
        """All pages but these are asked for again when they are looked at."""
        self._asked = {page: count for page, count in self._asked.items() if page in pages}
