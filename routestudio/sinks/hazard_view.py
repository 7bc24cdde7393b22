"""What rules see: one sink with its settings, functions and evaluated messages. Plain data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from routestudio.errors import FieldProblem
from routestudio.model.analysis import Analysis
from routestudio.model.function import Function
from routestudio.model.hazard import Finding, Hazard
from routestudio.model.message import Message, table_of
from routestudio.model.project import Severity, SinkSpec
from routestudio.sinks.base import Payload, Record

SHOWN: Final = 60
"""Most characters of a value that a finding quotes."""

Position = Callable[[tuple[str, ...]], tuple[int, int]]
"""Line and column of a path in the project's file."""

Keys = Mapping[str, tuple[str, ...]]
"""Columns of the primary key by `schema.table`, as the samples let it be seen."""


class Problem(Protocol):
    """Why a stage failed for a message, as `pipeline.stages.StageProblem`."""

    @property
    def stage(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def field(self) -> str | None: ...
    @property
    def line(self) -> int | None: ...
    @property
    def column(self) -> int | None: ...
    @property
    def hint(self) -> str | None: ...
    @property
    def function(self) -> str | None: ...


class Route(Protocol):
    """The effective routing of a message, as `routing.Effective`."""

    @property
    def values(self) -> Mapping[str, Any]: ...
    @property
    def provenance(self) -> Mapping[str, str]: ...
    @property
    def group_id(self) -> str | None: ...
    @property
    def batch_key(self) -> Hashable: ...
    @property
    def warnings(self) -> tuple[FieldProblem, ...]: ...


class Staged(Protocol):
    """A message after all stages, as `pipeline.stages.Staged`."""

    @property
    def message(self) -> Message: ...
    @property
    def filtered(self) -> str | None: ...
    @property
    def effective(self) -> Route | None: ...
    @property
    def payload(self) -> Payload | None: ...
    @property
    def record(self) -> Record | None: ...
    @property
    def problems(self) -> Sequence[Problem]: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """One message of a sample after all stages of a sink. `file` is relative to the project."""

    file: str
    staged: Staged

    @property
    def message(self) -> Message:
        return self.staged.message

    @property
    def table(self) -> str:
        """`schema.table` of the message."""
        return table_of(self.staged.message)

    @property
    def values(self) -> Mapping[str, Any]:
        """The effective routing; empty when the routing function failed."""
        return self.staged.effective.values if self.staged.effective else {}

    @property
    def group_id(self) -> str | None:
        return self.staged.effective.group_id if self.staged.effective else None

    @property
    def batch_key(self) -> Hashable:
        return self.staged.effective.batch_key if self.staged.effective else None

    @property
    def warnings(self) -> tuple[FieldProblem, ...]:
        return self.staged.effective.warnings if self.staged.effective else ()

    @property
    def problems(self) -> Sequence[Problem]:
        return self.staged.problems

    @property
    def payload(self) -> Any:
        """What is delivered; `None` also when there is nothing."""
        return self.staged.payload.value if self.staged.payload else None

    @property
    def size(self) -> int | None:
        """Bytes that count against the service's limit; `None` without a record."""
        return self.staged.record.size if self.staged.record is not None else None

    def given(self, name: str) -> bool:
        """Whether the routing function gave this field."""
        effective = self.staged.effective
        return effective is not None and effective.provenance.get(name) == "function"


@dataclass(frozen=True, slots=True)
class Pair:
    """A message and a variant of it, both after all stages."""

    original: Outcome
    variant: Outcome


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the hazards of one service, stated in the room of its sink.

    `hazards` are its own, under `title`; `also` are the ids of others that concern it. `explain`
    gives the id of the hazard that a problem of a message is, or `None`. What rules for every sink
    ask: `target` is the routed field with an ARN or the like, `places` are the routed fields that
    say where a copy of a row is kept (`documents`: under an id), `url_fields` those
    that a server puts into a URL as they are (`url_ids`: and ids of deleted rows), `routed_at_once`
    is the size of the batches that a server routes as a whole (0: the sink's own), and
    `transforms_alone` that a failing transform fails no other message. `grouped` is whether the
    group of a message matters, where it depends; `alone_in_group` that grouped messages travel
    alone. `lost_defaults` are keys whose absence a server takes for null, `dead_keys` those that it
    documents and ignores, with the reason, `told` further keys that it does not read and on which
    rules report more. `finds` is how a rule for several sinks finds its hazard in this one.
    """

    title: str = ""
    hazards: tuple[Hazard, ...] = ()
    also: tuple[str, ...] = ()
    target: str = ""
    places: tuple[str, ...] = ()
    documents: bool = False
    url_fields: tuple[str, ...] = ()
    url_ids: bool = False
    routed_at_once: int | None = None
    transforms_alone: bool = False
    grouped: Callable[[SinkView, Outcome], bool] | None = None
    alone_in_group: bool = False
    lost_defaults: tuple[str, ...] = ()
    dead_keys: Mapping[str, str] = field(default_factory=dict)
    told: frozenset[str] = frozenset()
    explain: Callable[[SinkView, Outcome, Problem], str | None] | None = None
    finds: Mapping[str, Callable[[SinkView], Iterator[Finding]]] = field(default_factory=dict)


@dataclass(frozen=True)
class SinkView:
    """One sink of a project, as rules see it.

    `raw` and `destination` are the file's content, references unresolved; `config` and `static`
    are the validated values (`config` is empty while it is invalid). `problems` are what is wrong
    with the destination, `advice` what the service may refuse of static values. `outcomes` holds
    the messages of all samples; `bare` pairs deletes that carry the whole row with the same ones
    that carry the key only, `reads` pairs messages with their form in a backfill, `olds` pairs
    updates with the row before, `typings` messages whose columns have guessed types with the same
    ones where they are text. `before` are the sinks that the file has above it. `position`
    gives line and column of a key path in `file`.
    """

    spec: SinkSpec
    file: str
    raw: Mapping[str, Any]
    destination: Mapping[str, Any]
    config: Mapping[str, Any] = field(default_factory=dict)
    endpoint: Mapping[str, Any] = field(default_factory=dict)
    static: Mapping[str, Any] = field(default_factory=dict)
    dynamic: bool = False
    ignored: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[FieldProblem, ...] = ()
    advice: tuple[FieldProblem, ...] = ()
    fixed_batch: bool = False
    usual_batch: int = 1
    own_batch: bool = False
    known: Known = field(default_factory=Known)
    write_always: tuple[str, ...] = ()
    max_record: int | None = None
    text_fields: frozenset[str] = frozenset()
    routing: Analysis | None = None
    filter: Analysis | None = None
    transform: Analysis | None = None
    enrichment: str | None = None
    enrichments: bool = False
    outcomes: tuple[Outcome, ...] = ()
    bare: tuple[Pair, ...] = ()
    reads: tuple[Pair, ...] = ()
    olds: tuple[Pair, ...] = ()
    typings: tuple[Pair, ...] = ()
    keys: Keys = field(default_factory=dict)
    before: tuple[SinkSpec, ...] = ()
    position: Position = lambda path: (1, 1)

    @property
    def type(self) -> str:
        """Key of the sink type."""
        return self.spec.type

    @property
    def functions(self) -> tuple[Analysis, ...]:
        """The analyses of its filter, routing and transform functions."""
        return tuple(f for f in (self.filter, self.routing, self.transform) if f is not None)

    @property
    def kept(self) -> list[Outcome]:
        """The messages that are for this sink."""
        return [item for item in self.outcomes if item.staged.filtered is None]

    @property
    def routed(self) -> list[Outcome]:
        """Those of them that have an effective routing without any problem."""
        return [item for item in self.kept if item.values and not item.problems]

    def by_table(self) -> dict[str, list[Outcome]]:
        """The kept messages by `schema.table`."""
        found: dict[str, list[Outcome]] = defaultdict(list)
        for item in self.kept:
            found[item.table].append(item)
        return found

    # --- findings ----------------------------------------------------------------------------

    def at_key(
        self, code: str, message: str, hint: str, *path: str, severity: Severity | None = None
    ) -> Finding:
        """A finding at a key of the sink in the YAML file, such as `destination`, `topic`."""
        line, column = self.position(("sinks", self.spec.name, *path))
        name = path[-1] if path else None
        return Finding(code, self._named(message), hint, severity, self.file, line, column,
                       self.spec.name, name)  # fmt: skip

    def at_endpoint(
        self, code: str, message: str, hint: str, key: str, *, severity: Severity | None = None
    ) -> Finding:
        """A finding at a key of the HTTP endpoint that the sink names."""
        name = str(self.destination.get("http_endpoint"))
        line, column = self.position(("http_endpoints", name, key))
        text = f"http endpoint `{name}`: {message}"
        return Finding(code, text, hint, severity, self.file, line, column, self.spec.name, key)

    def at_code(
        self, code: str, message: str, hint: str, known: Analysis, line: int = 1,
        column: int | None = 1, *, field: str | None = None, severity: Severity | None = None,
    ) -> Finding:  # fmt: skip
        """A finding at a line of a function; where its code stands in the YAML, at that place."""
        place = place_of_code(known.function, self.file, self.position, line, column)
        return Finding(code, self._named(message), hint, severity, *place, self.spec.name, field)

    def at_row(
        self, code: str, message: str, hint: str, outcome: Outcome, *,
        field: str | None = None, severity: Severity | None = None,
    ) -> Finding:  # fmt: skip
        """A finding at a line of a sample."""
        return Finding(code, self._named(message), hint, severity, outcome.file,
                       outcome.message.line, None, self.spec.name, field)  # fmt: skip

    def at_routing(
        self, code: str, message: str, hint: str, field: str, *, severity: Severity | None = None
    ) -> Finding:
        """A finding about a routed field: where the function returns it, or at its static key."""
        if self.routing is not None and self.dynamic:
            spot = next((s for s in self.routing.keys if s.text == field), self.routing.entry)
            line, column = (spot.line, spot.column) if spot else (1, 1)
            return self.at_code(code, message, hint, self.routing, line, column, field=field,
                                severity=severity)  # fmt: skip
        return self.at_key(code, message, hint, "destination", field, severity=severity)

    def _named(self, message: str) -> str:
        return f"sink `{self.spec.name}`: {message}"


def place_of_code(
    function: Function, file: str, position: Position, line: int, column: int | None
) -> tuple[str, int, int | None]:
    """File, line and column of a place in a function's text, which may be in the YAML file."""
    if function.file is not None:
        return function.file, line, column
    for key in ("functions", "transforms"):
        start, _ = position((key, function.name, "code"))
        if start > 1:
            return file, start + (line if "\n" in function.code else 0), None
    return file, line, column


def quote(value: object) -> str:
    """A value in a finding's text, shortened."""
    text = value if isinstance(value, str) else repr(value)
    return f"`{text if len(text) <= SHOWN else text[: SHOWN - 1] + '…'}`"


def many(count: int, one: str) -> str:
    """`1 row`, `2 rows`."""
    return f"1 {one}" if count == 1 else f"{count:,} {one}s"


def counted(outcomes: list[Outcome], one: str = "message") -> str:
    """How many, with the sample files they are in."""
    files = sorted({item.file.rsplit("/", 1)[-1] for item in outcomes})
    return f"{many(len(outcomes), one)} of {', '.join(files[:3])}"


def texts(value: Any) -> Iterator[str]:
    """Every text in plain data, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
