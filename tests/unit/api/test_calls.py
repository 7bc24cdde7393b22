"""Methods of a `Protocol`, called through a client and served at the other end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pytest

from routestudio import tasks
from routestudio.api import codec, protocol
from routestudio.api.calls import Hear, Serving, Tell, client, methods_of, unheard
from routestudio.api.client import EngineClient
from routestudio.api.engine import GROUPS
from routestudio.errors import ProtocolError, UsageError


@dataclass(frozen=True, slots=True)
class Step:
    number: int


@dataclass(frozen=True, slots=True)
class Ended:
    reason: str | None = None


class CountApi(Protocol):
    async def count(
        self, upto: int, *, first: int = 0, tell: Tell[Step | Ended] = unheard
    ) -> Sequence[Step]:
        """Count."""
        ...

    async def forget(self) -> None:
        """Answer nothing."""
        ...


class Counter:
    async def count(
        self, upto: int, *, first: int = 0, tell: Tell[Step | Ended] = unheard
    ) -> Sequence[Step]:
        steps = [Step(number) for number in range(first, upto)]
        for step in steps:
            tell(step)
        tell(Ended())
        return steps

    async def forget(self) -> None:
        return


class Pipe:
    """Carries requests to what is served, as JSON, and notes what passed."""

    def __init__(self) -> None:
        self.serving = Serving()
        self.serving.add(CountApi, "counts", Counter())  # type: ignore[type-abstract]
        self.passed: list[object] = []

    def _through(self, value: object) -> object:
        self.passed.append(json.loads(json.dumps(value, default=codec.plain)))
        return self.passed[-1]

    async def call(self, method: str, params: Mapping[str, object], hear: Hear | None) -> object:
        def tell(event: object) -> None:
            if hear is not None:
                hear(type(event).__name__, self._through(event))

        given = self._through(dict(params))
        assert isinstance(given, dict)
        return self._through(await self.serving.call(method, given, tell))


async def test_answers_and_events_come_as_they_were_made() -> None:
    pipe = Pipe()
    counts: CountApi = client(CountApi, "counts", pipe.call)  # type: ignore[type-abstract]
    heard: list[Step | Ended] = []
    assert await counts.count(3, first=1, tell=heard.append) == (Step(1), Step(2))
    assert heard == [Step(1), Step(2), Ended()]
    assert await counts.count(1) == (Step(0),)
    await counts.forget()
    assert pipe.passed[0] == {"upto": 3, "first": 1}
    assert pipe.passed[-2:] == [{}, None], "only what is given is sent"


@pytest.mark.parametrize(
    ("method", "params", "error", "text"),
    [
        ("counts.other", {}, UsageError, "no method `counts.other`"),
        ("counts.count", {}, UsageError, "`counts.count` needs the parameter `upto`"),
        ("counts.count", {"upto": 1, "till": 2}, UsageError, "no parameter `till`"),
        ("counts.count", {"upto": "1"}, ProtocolError, "a number is expected, not a text"),
    ],
)
async def test_a_call_that_is_wrong_is_refused(
    method: str, params: dict[str, object], error: type[Exception], text: str
) -> None:
    with pytest.raises(error) as caught:
        await Pipe().serving.call(method, params)
    assert text in str(caught.value)


async def test_an_event_that_cannot_be_read_is_reported_and_ends_nothing() -> None:
    bad: list[ProtocolError] = []
    sent: list[bytes] = []

    class Writer:
        def write(self, data: bytes) -> None:
            sent.append(data)

    engine = EngineClient(Writer(), on_bad_frame=bad.append)

    async def call(method: str, params: Mapping[str, object], hear: Hear | None) -> object:
        return await engine.request(method, on_event=hear, **params)

    counts: CountApi = client(CountApi, "counts", call)  # type: ignore[type-abstract]
    heard: list[Step | Ended] = []
    work = tasks.spawn(counts.count(1, tell=heard.append), name="count")
    await asyncio.sleep(0)
    for data in ({"number": "1"}, {"number": 1}):
        engine.feed(protocol.encode(protocol.Event("Step", data, 1)))
    engine.feed(protocol.encode(protocol.Response(1, [{"number": 0}])))
    assert await work == (Step(0),)
    assert heard == [Step(1)]
    assert [error.message for error in bad] == ["Step.number: a number is expected, not a text"]


@pytest.mark.parametrize("group", GROUPS.values(), ids=list(GROUPS))
def test_every_method_of_the_engine_has_a_json_form(group: type) -> None:
    assert methods_of(group)
