"""The engine as window and commands see it: a group of methods for each thing that it does."""

from __future__ import annotations

import typing
from typing import Final, Protocol

from routestudio.api.calls import Call, Serving, client
from routestudio.api.checks import CheckApi

GROUPS: Final[dict[str, type]] = {"checks": CheckApi}
"""The groups by the names that they have in `EngineApi` and on the pipe."""


class EngineApi(Protocol):
    """What the engine can be asked, by groups."""

    @property
    def checks(self) -> CheckApi: ...


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
