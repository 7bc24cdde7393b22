"""The engine as window and commands see it: a group of methods for each thing that it does."""

from __future__ import annotations

import typing
from dataclasses import dataclass
from typing import Final, Protocol

from routestudio.api.calls import Call, Serving, client
from routestudio.api.checks import CheckApi
from routestudio.api.codec import load
from routestudio.api.finding import FindingApi
from routestudio.api.reading import ReadingApi
from routestudio.api.runs import LetterApi, RunApi

GROUPS: Final[dict[str, type]] = {
    "checks": CheckApi, "runs": RunApi, "letters": LetterApi, "reading": ReadingApi,
    "finding": FindingApi,
}  # fmt: skip
"""The groups by the names that they have in `EngineApi` and on the pipe."""


@dataclass(frozen=True, slots=True)
class RunsChanged:
    """The list of kept runs is another."""


@dataclass(frozen=True, slots=True)
class BadFrame:
    """The engine was sent something that it cannot read."""

    message: str


Event = RunsChanged | BadFrame
"""What the engine reports although nothing was asked."""


def event_of(name: str, data: object) -> Event | None:
    """An event of the pipe; `None` for one of an unknown name."""
    kinds: dict[str, type[Event]] = {kind.__name__: kind for kind in (RunsChanged, BadFrame)}
    return load(kinds[name], data) if name in kinds else None


class EngineApi(Protocol):
    """What the engine can be asked, by groups."""

    @property
    def checks(self) -> CheckApi: ...
    @property
    def runs(self) -> RunApi: ...
    @property
    def letters(self) -> LetterApi: ...
    @property
    def reading(self) -> ReadingApi: ...
    @property
    def finding(self) -> FindingApi: ...


class _Client:
    def __init__(self, call: Call) -> None:
        for name, group in GROUPS.items():
            setattr(self, name, client(group, name, call))


def engine_client(call: Call) -> EngineApi:
    """An engine behind `call`, which sends requests and returns the JSON of their answers."""
    return typing.cast(EngineApi, _Client(call))


def serving(engine: EngineApi) -> Serving:
    """The methods of an engine by the names that they have on the pipe."""
    found = Serving()
    for name, group in GROUPS.items():
        found.add(group, name, getattr(engine, name))
    return found
