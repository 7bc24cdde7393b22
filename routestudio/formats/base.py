"""What a row format is: the contract of the modules of this package.

A *source* (`routestudio.sources`) yields raw rows: `Raw`. A *format* makes changes of the value of
one raw row. `reader.RowReader` finds the format, and completes each change to a message with key,
position and place. Adding a format is one module with one subclass of `Format`; page, description,
recognition tests and the command line are derived from it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, ClassVar

from routestudio.model.message import UNCHANGED_TOAST as UNCHANGED_TOAST
from routestudio.model.message import Action
from routestudio.model.records import light
from routestudio.model.rows import Fault as Fault
from routestudio.model.rows import Raw as Raw


class FormatError(ValueError):
    """A value cannot be read as a row; the text explains why, `hint` what to do about it."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class PassedOver(Exception):  # noqa: N818 - not an error
    """The value is not a row change; `kind` is one of the format's `passes_over`."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@light
class Change:
    """What a format makes of a value: a message before its metadata is completed.

    `metadata` holds the keys of a message's metadata that are known, and no others. `key` maps the
    columns of the primary key to their values, in the order of the key, where the row has it.
    `types` names the types of columns, as PostgreSQL does, where the row has them. `identified`
    means that `commit_lsn` and `commit_idx` identify the change, as on a Sequin server. `notes` are
    whole sentences for the preview: what is not known of this row, and what was assumed.
    """

    action: Action
    record: dict[str, Any]
    changes: dict[str, Any] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    key: Mapping[str, Any] | None = None
    types: Mapping[str, str] = field(default_factory=dict)
    identified: bool = False
    notes: tuple[str, ...] = ()


class Likeness(IntEnum):
    """How much a value looks like a format. The format with the highest one reads the row."""

    NO = 0
    POSSIBLE = 1
    """Nothing speaks against it (any map of columns may be a plain row)."""
    LIKELY = 2
    """It has the format's outline, though something is missing or wrong."""
    CERTAIN = 3
    """It has what only this format has."""


@dataclass(frozen=True, slots=True)
class Example:
    """A value of a format, and what becomes of it: derived into docs, and run as a test.

    `gives` is the messages as `{"action", "record", "changes", "metadata", "key"}` (parts that are
    left out are not compared), or the kind as which it is passed over.
    """

    title: str
    value: Any
    gives: Sequence[Mapping[str, Any]] | str
    key: Any = None
    topic: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    named: bool = False
    """Whether the format has to be named for it, since the value alone looks like another's."""


class Format(ABC):
    """One row format. Instances live as long as one reading and may remember what they learned.

    What was learned of earlier rows may add to `notes` of a later one and to how its missing values
    are judged; it never changes positions.
    """

    key: ClassVar[str]
    """Name on the command line and in addresses, e.g. `debezium`."""
    title: ClassVar[str]
    """Name for people, e.g. `Debezium`."""
    about: ClassVar[str]
    """What it is and who writes it, in one paragraph of Markdown."""
    facts: ClassVar[str]
    """Public source of the facts, with version, and how the examples came about (run or read)."""
    passes_over: ClassVar[Mapping[str, str]] = {}
    """Kinds of values that are not row changes, each with what it is."""
    unknowable: ClassVar[Sequence[str]] = ()
    """What cannot be known from a row, one sentence each."""
    setup: ClassVar[Sequence[str]] = ()
    """What to set at the producer, one sentence each."""
    examples: ClassVar[Sequence[Example]] = ()
    one_to_one: ClassVar[bool] = False
    """Whether every value that it reads is one message: then a file's lines are its rows."""
    value_only: ClassVar[bool] = False
    """Whether likeness and `read` look at the value and at nothing else of a raw row."""
    reads_null: ClassVar[bool] = False
    """Whether `read` wants records without value, too; otherwise they are tombstones."""
    options: ClassVar[Mapping[str, str]] = {}
    """Options that a user may give in an address or on the command line, each with its help."""

    def __init__(self, **options: str) -> None:
        """Raises `ValueError` for a value that an option does not take."""
        self.chosen = options

    @abstractmethod
    def likeness(self, value: Any, raw: Raw) -> Likeness:
        """How much a decoded value looks like this format. Cheap, and never raises."""

    @abstractmethod
    def read(self, value: Any, raw: Raw) -> Iterable[Change | PassedOver]:
        """The changes in a decoded value, in their order.

        Raises `FormatError` for what cannot be read, `PassedOver` for what is not a row change.
        Where only a part of the value is not a row change, its `PassedOver` is yielded instead.
        """

    def title_of(self, value: Any, raw: Raw) -> str:
        """The title with what the row adds to it, such as `Debezium, PostgreSQL`."""
        return self.title


class Wrapper(ABC):
    """Something that rows travel in: a line of a dump, a batch of a webhook."""

    key: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str]
    facts: ClassVar[str]
    examples: ClassVar[Sequence[Any]] = ()
    """Values that `opens`, for docs and tests."""

    @abstractmethod
    def opens(self, value: Any, raw: Raw) -> Sequence[Raw] | None:
        """The raw rows in a decoded value, or `None` when it is not this wrapper.

        Raises `FormatError` for one that is cut off, or has a wrong part.

        Rows that have no others get position and place of `raw` with their number in it.
        """


def old_values(before: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    """The old values of the columns that differ, which is what `changes` holds."""
    return {k: v for k, v in before.items() if k in record and not same(record[k], v)}


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; 1, 1.0 and true are three values."""
    return type(one) is type(other) and bool(one == other)
