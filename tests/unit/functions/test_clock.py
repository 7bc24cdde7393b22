"""The clock that functions read can be stopped, in both languages, and runs on afterwards."""

from __future__ import annotations

import datetime as dt

import pytest

from routestudio.functions import clock
from routestudio.functions.pool import FunctionPool
from routestudio.model.function import Function, FunctionKind, Language
from routestudio.model.message import message_from

MOMENT = "2024-05-06T07:08:09Z"
CODES = {
    Language.PYTHON: "def transform(action, record, changes, metadata):\n    return "
    "[datetime.datetime.now(datetime.timezone.utc).isoformat(), "
    "isinstance(datetime.datetime.today(), datetime.date), str(datetime.date(2024, 1, 2))]\n",
    Language.ELIXIR: "def transform(action, record, changes, metadata) do\n"
    "  [DateTime.to_iso8601(DateTime.utc_now()), true, to_string(~D[2024-01-02])]\nend\n",
}


@pytest.mark.parametrize("of", list(CODES))
async def test_functions_read_a_clock_that_can_be_stopped(of: Language) -> None:
    function = Function("f", FunctionKind.TRANSFORM, of, CODES[of])
    given = [message_from({"action": "insert", "record": {}})]
    pool = FunctionPool()
    try:
        stopped = (await pool.evaluate([function], given, now=MOMENT))[0][0]
        running = (await pool.evaluate([function], given))[0][0]
    finally:
        await pool.close()
    text, is_date, day = stopped.value
    assert dt.datetime.fromisoformat(text) == dt.datetime.fromisoformat(MOMENT)
    assert (is_date, day) == (True, "2024-01-02")
    ago = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(running.value[0])
    assert abs(ago) < dt.timedelta(minutes=5)


def test_values_made_by_the_classes_are_plain() -> None:
    for value in (clock.Datetime(2024, 1, 2), clock.Datetime.strptime("2024", "%Y"),
                  clock.Datetime.fromtimestamp(0, dt.UTC), clock.Datetime.now(dt.UTC)):  # fmt: skip
        assert type(value) is dt.datetime
    for day in (clock.Date(2024, 1, 2), clock.Date.fromisoformat("2024-01-02"), clock.Date.today()):
        assert type(day) is dt.date


def test_a_stopped_clock_knows_zones() -> None:
    clock.stop("2024-05-06T07:08:09")
    try:
        zone = dt.timezone(dt.timedelta(hours=2))
        assert clock.Datetime.now(zone).isoformat() == "2024-05-06T09:08:09+02:00"
        assert clock.Datetime.now().tzinfo is None
    finally:
        clock.stop(None)
    with pytest.raises(ValueError, match="isoformat"):
        clock.stop("noon")
