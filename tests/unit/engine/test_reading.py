"""How a request says its rows are read."""

from __future__ import annotations

from routestudio.engine.reading import reading_of


def test_an_address_says_how_its_rows_are_read_and_goes_first() -> None:
    address = "redis://h/0?stream=s&envelope=plain&key=tenant%2Ccode"
    found = reading_of({"input": address, "envelope": "auto", "key": None, "limit": 5})
    assert (found.envelope, found.key, found.limit) == ("plain", ("tenant", "code"), 5)
    found = reading_of({"input": "rows.jsonl", "envelope": "message", "key": "id"})
    assert (found.envelope, found.key) == ("message", ("id",))
