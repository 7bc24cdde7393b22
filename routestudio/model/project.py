"""A project as data: sinks, functions, endpoints, samples, and what is wrong with the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from routestudio.errors import Place
from routestudio.model import confinement
from routestudio.model.function import Function

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class ProjectProblem:
    """Something wrong with a project that can still be opened."""

    severity: Severity
    code: str
    message: str
    place: Place
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class SharedKey:
    """A key that every sink may have in YAML, whatever its type.

    docs/reference/sequin.md#keys-of-a-sink

    `kind` is `text`, `integer`, `flag`, `choice`, `choices`, `map`, `list` or `function` (then
    `choices` are the kinds of function that fit). `form` shows whether the form offers it.
    """

    name: str
    kind: str
    label: str
    help: str
    default: Any = None
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    required: bool = False
    form: bool = True


SHARED_KEYS: Final[tuple[SharedKey, ...]] = (
    SharedKey("name", "text", "Name", "Identity of the sink; letters, digits, `_`, `-` and `.`.",
              required=True),
    SharedKey("database", "text", "Database", "Name of an entry under `databases`.",
              required=True),
    SharedKey("status", "choice", "Status", "Whether a server delivers this sink.", "active",
              ("active", "disabled", "paused")),
    SharedKey("actions", "choices", "Actions",
              "Which changes to deliver; backfill rows (`read`) are always delivered.",
              ("insert", "update", "delete"), ("insert", "update", "delete")),
    SharedKey("batch_size", "integer", "Batch size", "Maximum messages per batch.", 1,
              minimum=1, maximum=1000),
    SharedKey("filter", "function", "Filter", "Function that decides whether a message is kept.",
              choices=("filter",)),
    SharedKey("transform", "function", "Transform", "Function that shapes what is delivered.",
              choices=("transform", "path")),
    SharedKey("routing", "function", "Routing", "Function that decides where messages go.",
              choices=("routing",), form=False),
    SharedKey("enrichment", "function", "Enrichment", "Query whose row for the message's key is "
              "`metadata.enrichment`.", choices=("enrichment",)),
    SharedKey("timestamp_format", "choice", "Timestamps", "How times in rows are written.",
              "iso8601", ("iso8601", "unix_microsecond")),
    SharedKey("max_retry_count", "integer", "Attempts",
              "Maximum attempts per message; 1 means no retry.",
              minimum=1, maximum=100_000),
    SharedKey("message_grouping", "flag", "Group messages",
              "Keep messages of one row in order; the group id is its primary key.", True),
    SharedKey("load_shedding_policy", "choice", "When full", "What a server does when it is full.",
              "pause_on_full", ("pause_on_full", "discard_on_full"), form=False),
    SharedKey("annotations", "map", "Annotations", "Free notes, delivered in the metadata.",
              form=False),
    SharedKey("source", "map", "Source", "Schemas and tables to include or exclude.", form=False),
    SharedKey("tables", "list", "Tables", "Columns that form the group id, per table.", form=False),
    SharedKey("initial_backfill", "any", "Backfill", "Rows to read on creation.", form=False),
    SharedKey("table", "text", "Table", "Deprecated; use `source`.", form=False),
    SharedKey("schema", "text", "Schema", "Deprecated; use `source`.", form=False),
    SharedKey("destination", "map", "Destination", "Where messages go.", required=True, form=False),
)  # fmt: skip

LEGACY_KEYS: Final = frozenset(
    {
        "consumer_start", "active_backfill", "active_backfills", "message_kind", "id",
        "inserted_at", "updated_at", "account_id", "replication_slot_id", "sequence_id",
    }
)  # fmt: skip
"""Sink keys that a server ignores."""


@dataclass(frozen=True, slots=True)
class SinkSpec:
    """One sink as in the file; `destination` holds raw values, references unresolved."""

    name: str
    type: str
    yaml_type: str
    database: str | None = None
    status: str = "active"
    actions: tuple[str, ...] = ("insert", "update", "delete")
    batch_size: int = 1
    filter: str | None = None
    transform: str | None = None
    routing: str | None = None
    enrichment: str | None = None
    timestamp_format: str = "iso8601"
    max_retry_count: int | None = None
    load_shedding_policy: str = "pause_on_full"
    message_grouping: bool = True
    annotations: Mapping[str, Any] = field(default_factory=dict)
    source: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    destination: Mapping[str, Any] = field(default_factory=dict)

    @property
    def confine(self) -> Mapping[str, str]:
        """Patterns that routed fields must match: `annotations.routestudio.confine`.

        What is not a map of texts is ignored here; `confinement.problems` names it.
        """
        return confinement.of(self.annotations)


@dataclass(frozen=True, slots=True)
class Table:
    """What the project states about a table: `name` is `schema.table` or `table`, `key` the
    columns of its primary key in order (empty: unknown), `columns` types by PostgreSQL's names."""

    name: str
    key: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)


ENVIRONMENT_COLOURS: Final = ("green", "blue", "amber", "red", "grey")
ENVIRONMENT_NAME: Final = "[a-z0-9][a-z0-9_-]{0,39}"
"""The pattern of an environment's name."""


@dataclass(frozen=True, slots=True)
class EnvironmentMark:
    """What is known of an environment. One that is `read_only` is checked and previewed; nothing
    is delivered to its services before somebody names it."""

    name: str
    colour: str = "blue"
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Project:
    """A project: the content of its file and folders."""

    root: Path
    file: Path
    sinks: tuple[SinkSpec, ...] = ()
    functions: tuple[Function, ...] = ()
    http_endpoints: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    database_entries: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    samples: tuple[str, ...] = ()
    problems: tuple[ProjectProblem, ...] = ()
    tables: tuple[Table, ...] = ()
    environments: tuple[EnvironmentMark, ...] = ()

    @property
    def databases(self) -> tuple[str, ...]:
        """The names of the databases."""
        return tuple(self.database_entries)

    @property
    def table_keys(self) -> Mapping[str, tuple[str, ...]]:
        """The key columns that the project names, by table."""
        return {table.name: table.key for table in self.tables if table.key}

    @property
    def table_types(self) -> Mapping[str, Mapping[str, str]]:
        """The types of columns that the project names, by table, as they are written there."""
        return {table.name: table.columns for table in self.tables if table.columns}
