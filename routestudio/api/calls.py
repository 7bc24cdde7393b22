"""Methods that a `Protocol` declares, called over a pipe and served at its other end.

A group of methods is a `Protocol` of coroutines whose parameters and answer have JSON forms
(`codec`). One that reports on its way has a parameter `tell: Tell[Event | ...] = unheard`
with the dataclasses that it reports. On the pipe a method is `group.method`, an event the name of
its dataclass.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from routestudio.api import codec
from routestudio.errors import UsageError

E = TypeVar("E")
T = TypeVar("T")

Tell = Callable[[E], object]
"""Is called with each event of a request."""

Hear = Callable[[str, object], None]
"""Is called with name and JSON of each event of a request."""

_TELL = "tell"


def unheard(event: object) -> None:
    """A `tell` for callers who do not want to hear."""


class Call(typing.Protocol):
    """What sends a request and waits for the JSON of its answer."""

    def __call__(
        self, method: str, params: Mapping[str, object], hear: Hear | None
    ) -> Awaitable[object]: ...


@dataclass(frozen=True, slots=True)
class Method:
    """One declared method: how its parameters, its answer and its events are read."""

    name: str
    signature: inspect.Signature
    parameters: Mapping[str, codec.Load]
    required: frozenset[str]
    answer: codec.Load
    events: Mapping[str, codec.Load]


def methods_of(group: type) -> Mapping[str, Method]:
    """The methods of a group by name."""
    return _declared(typing.cast(Hashable, group))


@cache
def _declared(group: object) -> Mapping[str, Method]:
    names = [name for name in dir(group) if not name.startswith("_")]
    return {name: _method(name, getattr(group, name)) for name in names}


def _method(name: str, function: Callable[..., object]) -> Method:
    hints = typing.get_type_hints(function)
    signature = inspect.signature(function)
    parameters = [item for item in signature.parameters.values() if item.name != "self"]
    return Method(
        name=name,
        signature=signature.replace(parameters=parameters),
        parameters={p.name: codec.loader(hints[p.name]) for p in parameters if p.name != _TELL},
        required=frozenset(p.name for p in parameters if p.default is p.empty),
        answer=codec.loader(hints["return"]),
        events=_events(hints[_TELL]) if _TELL in hints else {},
    )


def _events(tell: object) -> Mapping[str, codec.Load]:
    [[told], _] = typing.get_args(tell)
    kinds = typing.get_args(told) or (told,)
    return {kind.__name__: codec.loader(kind) for kind in kinds}


def client(group: type[T], name: str, call: Call) -> T:
    """An object with the methods of the group called `name`, each of which sends a request."""
    made = {method.name: _sending(method, name, call) for method in methods_of(group).values()}
    return typing.cast(T, type(f"{group.__name__}Client", (), made)())


def _sending(method: Method, group: str, call: Call) -> Callable[..., object]:
    full, bind, answer = f"{group}.{method.name}", method.signature.bind, method.answer

    async def send(_: object, /, *args: object, **named: object) -> object:
        params = bind(*args, **named).arguments
        tell = params.pop(_TELL, None)
        return answer(await call(full, params, None if tell is None else _hearing(method, tell)))

    return send


def _hearing(method: Method, tell: Tell[object]) -> Hear:
    def hear(name: str, data: object) -> None:
        load = method.events.get(name)
        if load is not None:
            tell(load(data))

    return hear


class Serving:
    """Calls the methods of an object's groups by the names that they have on the pipe."""

    def __init__(self) -> None:
        self._methods: dict[str, tuple[Method, Callable[..., Awaitable[object]]]] = {}

    def add(self, group: type[T], name: str, served: T) -> None:
        """Serve a group of methods by an object that has them."""
        for method in methods_of(group).values():
            self._methods[f"{name}.{method.name}"] = (method, getattr(served, method.name))

    def __contains__(self, name: object) -> bool:
        return name in self._methods

    async def call(
        self, name: str, params: Mapping[str, object], tell: Tell[object] = unheard
    ) -> object:
        """Call a method with parameters as they came. Raises `UsageError` for others than it has
        and `ProtocolError` for values of another type."""
        if name not in self._methods:
            raise UsageError(f"there is no method `{name}`")
        method, function = self._methods[name]
        unknown, missing = params.keys() - method.parameters.keys(), method.required - params.keys()
        if unknown:
            raise UsageError(f"`{name}` has no parameter `{min(unknown)}`")
        if missing:
            raise UsageError(f"`{name}` needs the parameter `{min(missing)}`")
        given = {key: method.parameters[key](value) for key, value in params.items()}
        if method.events:
            given[_TELL] = tell
        return await function(**given)
