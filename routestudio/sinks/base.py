"""The contract of a sink type. Everything else about a sink is derived from what is stated here.

The module `sink` of a sink's room holds one public subclass of `Sink`: identity, where it delivers
to (`Config`), what may vary per message (`Routing`), how a message becomes a record (`encode`,
pure) and how records travel (`connect` gives an idle `Link`). It states nothing about widgets,
YAML, docs or retries.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from pydantic import BaseModel, ConfigDict, PrivateAttr

from routestudio.model import jsonio
from routestudio.model.cross_rules import CrossRule
from routestudio.model.fields import (
    Difference,
)
from routestudio.model.message import Message
from routestudio.model.outcome import CheckStep, Outcome
from routestudio.sinks.reading import NoReadBack, ReadBack

if TYPE_CHECKING:
    from routestudio.sinks._shared.shell import ShellCommand


Partitioner = Callable[[bytes, int], int]
"""From key and number of partitions to the number of one, from 0."""


class SinkConfig(BaseModel):
    """Settings that are fixed for a sink. Constructing one does no I/O."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    rules: ClassVar[tuple[CrossRule, ...]] = ()


class SinkRouting(BaseModel):
    """The routed fields: exactly the keys that a routing function may return.

    `group_id` comes with them for `encode`: services that order by key need the message's group.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    _group_id: str | None = PrivateAttr(default=None)
    _sampled: tuple[Any, ...] = PrivateAttr(default=())
    _beside: Mapping[str, Sequence[SinkRouting]] = PrivateAttr(default_factory=dict)

    @property
    def group_id(self) -> str | None:
        """The group id of the message that is routed here; `None` when it belongs to no group."""
        return self._group_id

    @property
    def sampled(self) -> tuple[Any, ...]:
        """Records of samples that are routed here, for a check that looks at size and key."""
        found: tuple[Any, ...] = (self.__pydantic_private__ or {}).get("_sampled", ())
        return found

    @property
    def beside(self) -> Mapping[str, Sequence[SinkRouting]]:
        """Where the project's other sinks of the same service send the samples, by their names."""
        found: Mapping[str, Sequence[SinkRouting]] = (self.__pydantic_private__ or {}).get(
            "_beside", {}
        )
        return found

    def with_sampled(
        self, records: Iterable[Any], beside: Mapping[str, Sequence[SinkRouting]] | None = None
    ) -> Self:
        """The same destination with the records of samples that are routed there."""
        found = self.model_copy()
        found._sampled = tuple(records)
        found._beside = dict(beside or self.beside)
        return found


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Limits of one delivery: `messages` at most, `size` in bytes at most, `wait` in seconds.

    `default` is the number of messages proposed for a new sink. `fixed` means that the sink-level
    `batch_size` is not used by a Sequin server. `keeps_order`: see `Sink.keeps_order`.
    """

    messages: int = 1000
    default: int = 1
    size: int | None = None
    wait: float = 0.005
    fixed: bool = False
    keeps_order: bool = False


class InOrder(list[Any]):
    """Records of a batch in which groups repeat, in their order, with their groups.

    `nth` shows for each how many of its group stand in front of it: only the first one (0) may be
    sent before all that stands in front of it.
    """

    def __init__(self, records: Iterable[Any], groups: Iterable[str | None]) -> None:
        super().__init__(records)
        counts: dict[str, int] = {}
        self.groups = list(groups)
        self.nth: list[int] = []
        for group in self.groups:
            before = counts.get(group, 0) if group is not None else 0
            self.nth.append(before)
            if group is not None:
                counts[group] = before + 1


class Record(Protocol):
    """One encoded message, ready to send. `size` is what counts against limits, in bytes."""

    @property
    def size(self) -> int: ...

    def describe(self) -> dict[str, Any]:
        """The request as plain data for people; secrets are replaced by dots."""
        ...


class Payload:
    """What is delivered for a message: the transform's result, or the whole message.

    `finite` means that it holds no infinite number or NaN, so that writing need not look for one.
    """

    __slots__ = ("_finite", "_json", "value")

    def __init__(self, value: Any, *, finite: bool = False) -> None:
        self.value = value
        self._finite = finite
        self._json: bytes | None = None

    @property
    def json(self) -> bytes:
        """The value as compact JSON in UTF-8, made once."""
        if self._json is None:
            self._json = jsonio.dump_bytes(self.value, finite=self._finite)
        return self._json


class Link(ABC):
    """A connection of one sink to its service. Idle until `check` or `send` is awaited.

    Blocking client libraries run in an executor that the link owns; each call has a deadline.
    """

    @abstractmethod
    def check(self, targets: Sequence[SinkRouting]) -> AsyncIterator[CheckStep]:
        """Yield the steps of a connection test, in order; never raise, never write data.

        `targets` are the effective routings to prove: one in static mode, the distinct
        destinations of the samples in dynamic mode, none when there are no samples.
        """

    @abstractmethod
    async def send(self, batch: Sequence[Any]) -> Sequence[Outcome]:
        """Deliver records of one batch key; one outcome per record, in the same order.

        In a list that is not `InOrder` no two records belong to one group, so a link may send them
        in any order and in several requests; those without a group stand in the order of the
        source, which a link keeps where that costs nothing. `InOrder` comes to sinks that say
        `keeps_order`: of one group, nothing is written after a record whose outcome is retry.
        Several calls may run at the same time.

        A record is rejected only for what was reported about it when it was alone, or about its
        destination as a whole. A service that refuses a whole request is asked in halves
        (`halves.in_halves`, decision 0014). What was perhaps written is `unknown`, and is never
        sent again within the same call.

        Expected failures are outcomes. Raises `LinkError` only when nothing can be known about
        any record because the connection is gone before anything was written.
        """

    @abstractmethod
    async def close(self) -> None:
        """Release sockets, threads and tasks. May be called more than once."""


@dataclass(frozen=True, slots=True)
class StandinAddress:
    """Where a stand-in listens."""

    host: str
    port: int


class Sink(ABC):
    """A sink type. Never instantiated: subclasses are the definition.

    `yaml_type` and `aliases` are the names of the type in YAML (its `key` when empty);
    `batch_by` names the routed fields whose values form the batch key; `standin` names the kind
    of stand-in that speaks this sink's protocol; `differences` list where RouteStudio knowingly
    differs from a Sequin server.
    """

    key: ClassVar[str]
    title: ClassVar[str]
    yaml_type: ClassVar[str] = ""
    aliases: ClassVar[tuple[str, ...]] = ()
    icon: ClassVar[str] = "sink"
    batch: ClassVar[BatchLimits] = BatchLimits()
    keeps_order: ClassVar[bool] = False
    """Whether a batch may hold several messages of one group, in order.

    Then a batch is written in its order, and a failure in it cannot let a later message of a group
    pass an earlier one: whenever one is to be tried again, no later one of its group was written.
    Every sink states it, with the reason (decision 0019).
    """
    batch_by: ClassVar[tuple[str, ...]] = ()
    standin: ClassVar[str | None] = None
    differences: ClassVar[tuple[Difference, ...]] = ()
    one_process: ClassVar[str] = ""
    """Why all messages must pass through one process; empty when several may share them."""
    write_always: ClassVar[tuple[str, ...]] = ()
    """Configuration keys that an export always writes, because a server loses their default."""
    max_record: ClassVar[int | None] = None
    """Size in bytes over which the service refuses one message by default."""
    payload_keys: ClassVar[tuple[str, ...]] = ()
    """Top-level keys that a transform's result must have, such as the id of a document."""
    host_label: ClassVar[str | None] = None
    """Routed field that is the first label of a destination's host name, where each has its own."""

    partitioners: ClassVar[Mapping[str, Partitioner]] = {}
    """Who may choose the partition of a key, and how: from key and number of partitions."""
    partition_by: ClassVar[str | None] = None
    """Routed field whose value is the partition key; `None`: the group id is."""
    read_back: ClassVar[ReadBack | NoReadBack] = NoReadBack(
        "RouteStudio does not read from this service", "look at it with the service's own tools"
    )
    """How what was delivered is read again (decision 0027)."""

    tool: ClassVar[str] = ""
    """The program of the shell that sends a record as this sink does; empty when there is none."""

    Config: ClassVar[type[SinkConfig]]
    Routing: ClassVar[type[SinkRouting]]

    @staticmethod
    @abstractmethod
    def encode(config: Any, message: Message, routing: Any, payload: Payload) -> Record:
        """The record to send for `message`. Pure and deterministic.

        Raises `RuleError` only for a payload whose shape the sink cannot take.
        """

    @staticmethod
    @abstractmethod
    def connect(config: Any) -> Link:
        """An idle link. Client libraries are imported on first use of the link."""

    @staticmethod
    def command(config: Any, record: Any) -> ShellCommand:
        """A record as a command of `tool`; secrets in it are hidden by whoever writes it.

        Raises `RuleError` for a record that such a command cannot send.
        """
        raise NotImplementedError("this sink has no tool")

    @classmethod
    def limits(cls, config: Any, batch_size: int | None) -> BatchLimits:
        """Effective batch limits of one sink with its sink-level `batch_size`."""
        limits = replace(cls.batch, keeps_order=cls.keeps_order)
        if limits.fixed or batch_size is None:
            return limits
        return replace(limits, messages=max(1, min(batch_size, limits.messages)))

    @classmethod
    def shared_with(cls, config: Any) -> Hashable:
        """What sinks share that send to one service which drops messages by their ids.

        Sinks with equal answers are looked at together by a check; `None`: nothing is shared.
        """
        return None

    @classmethod
    def batch_key(cls, values: Mapping[str, Any]) -> Hashable:
        """The batch key of effective routing values: records with equal keys travel together."""
        found = [values.get(name) for name in cls.batch_by]
        return tuple([v if type(v) is str else _hashable(v) for v in found])

    @classmethod
    def partition_key(cls, values: Mapping[str, Any], group: str | None) -> bytes | None:
        """What decides over the partition of a message; `None` when nothing does."""
        key = group if cls.partition_by is None else values.get(cls.partition_by)
        return key.encode() if isinstance(key, str) and key else None

    @classmethod
    def at_standin(cls, config: Any, address: StandinAddress) -> Any:
        """`config` pointed at a stand-in: no TLS, no credentials."""
        raise NotImplementedError(f"{cls.key} has no stand-in")


def _hashable(value: Any) -> Hashable:
    kind = type(value)
    if kind is str or value is None:
        return value  # type: ignore[no-any-return]
    if kind is dict and not value:
        return ()
    if isinstance(value, Mapping):
        return tuple(sorted((key, _hashable(item)) for key, item in value.items()))
    return tuple(value) if isinstance(value, list) else value
