"""From raw rows to messages: recognises the format, and completes key, position and place."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from routestudio.errors import UsageError
from routestudio.formats import registry
from routestudio.formats._declared import Declared
from routestudio.formats._decode import Decoder, is_broken_connect, is_connect, loads
from routestudio.formats.base import (
    Change,
    Fault,
    Format,
    FormatError,
    Likeness,
    PassedOver,
    Raw,
    Wrapper,
)
from routestudio.model.message import (
    KeyOrigin,
    Message,
    MessageError,
    complete_metadata,
    key_text,
    position_key,
)
from routestudio.model.rows import RawRow

Row = Message | Fault

TOMBSTONE: Final = "tombstone"
EMPTY: Final = "empty batch"
_SHOWN: Final = 2_000
_NESTED: Final = 3
"""How deep wrappers may be in wrappers: a dump of a topic that holds batches."""
_TOPICS: Final = 10_000
"""Topics that are remembered for their records without value."""

_GUESSED: Final = "The key is a guess: the row does not name it, but has a column `id`."
_ONLY_GUESSED: Final = (_GUESSED,)
_ID: Final = ("id",)
_UNKNOWN: Final = "The key is unknown: the row does not name it."

_SCHEMA_REGISTRY: Final = (
    "the value begins like Avro or Protobuf of a schema registry, which is not read",
    "use the JSON converter (org.apache.kafka.connect.json.JsonConverter), or convert the records",
)


@dataclass(frozen=True, slots=True)
class KeyBook:
    """What people say of tables: the key of all rows (`--key`); keys and types of columns by table
    (the project's `tables`).

    `tables` and `types` have `schema.table` or `table` as their keys. Columns are in the order of
    the key; types are written as people write them, such as `numeric(10,2)`.
    """

    user: tuple[str, ...] = ()
    tables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    types: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def columns_of(self, metadata: Mapping[str, Any]) -> tuple[tuple[str, ...], KeyOrigin]:
        """The key columns of a message's table."""
        schema = metadata.get("table_schema", "public")
        return self.columns(schema, metadata.get("table_name", "unknown"))

    def columns(self, schema: str, table: str) -> tuple[tuple[str, ...], KeyOrigin]:
        """The key columns of a table, and who names them; none when nobody does."""
        if self.user:
            return self.user, "user"
        if self.tables:
            found = self.tables.get(f"{schema}.{table}") or self.tables.get(table)
            if found:
                return tuple(found), "project"
        return (), "unknown"

    def types_of(self, metadata: Mapping[str, Any]) -> Mapping[str, str]:
        """The types that a message's table has, by column."""
        schema = metadata.get("table_schema", "public")
        return self.named_types(schema, metadata.get("table_name", "unknown"))

    def named_types(self, schema: object, table: object) -> Mapping[str, str]:
        """The types of a table's columns, as the project writes them."""
        return self.types.get(f"{schema}.{table}") or self.types.get(str(table)) or {}


class RowReader:
    """Reads raw rows of one place, in their order. One reader serves one reading.

    `counts` has the messages by the title of what was recognised, `passed_over` what is not a row
    change by kind, `faults` the rows that could not be read. `cut` is the number of rows after
    which the reading ended although there were more, and nobody had asked for that.
    """

    def __init__(
        self,
        *,
        envelope: str = registry.AUTO,
        keys: KeyBook | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        """Raises `UsageError` for a format or an option that does not exist."""
        wanted = registry.formats() if envelope == registry.AUTO else None
        chosen = wanted.values() if wanted is not None else [registry.get(envelope)]
        self._formats = [_made(kind, options or {}) for kind in chosen]
        known = {name for kind in chosen for name in kind.options}
        for name in options or {}:
            if name not in known:
                raise UsageError(f"`{name}` is not an option of the row format {envelope}")
        self._fixed = self._formats[0] if wanted is None else None
        self._wrappers: list[Wrapper] = [kind() for kind in registry.wrappers().values()]
        self._last: Format | None = self._fixed
        self._topics: dict[str | None, Format] = {}
        self._keys = keys or KeyBook()
        self._named = bool(self._keys.user or self._keys.tables)
        self._typed = Declared() if self._keys.types else None
        self._values, self._record_keys = Decoder(), Decoder()
        self.count = 0
        self.counts: Counter[str] = Counter()
        self.passed_over: Counter[str] = Counter()
        self.faults = 0
        self.cut: int | None = None

    def beside(self) -> RowReader:
        """A reader that knows what this one has learned and will learn, and counts for itself."""
        other = copy.copy(self)
        other._values, other._record_keys = Decoder(), Decoder()
        other.counts, other.passed_over = Counter(), Counter()
        other.count = other.faults = 0
        return other

    @property
    def one_to_one(self) -> bool:
        """Whether each value of the format that was recognised last is one message."""
        return self._last is None or self._last.one_to_one

    def read_all(self, rows: Iterable[RawRow]) -> Iterator[Row]:
        """The messages and faults of raw rows, in their order."""
        for raw in rows:
            yield from self.read(raw)

    def read(self, raw: RawRow) -> list[Row]:
        """The messages in one raw row: none when it is passed over. Never raises."""
        if isinstance(raw, Fault):
            fault = replace(raw, index=self.count)
            self.count += 1
            self.faults += 1
            return [fault]
        return self._read(raw, 0)

    # --- one row -------------------------------------------------------------------------------

    def _read(self, raw: Raw, depth: int) -> list[Row]:
        last = self._last
        if last is not None and last.value_only and raw.key is None and raw.schema is None:
            message = self._quickly(raw, last)
            if message is not None:
                return [message]
        ready = self._decoded(raw, depth)
        if isinstance(ready, list):
            return ready
        raw, value = ready, ready.value
        try:
            if type(value) is dict and len(value) == 2 and is_broken_connect(value):
                raise FormatError(
                    "`schema` is not a schema of Kafka Connect",
                    "it stands beside `payload`, as the JSON converter writes both",
                )
            format_ = self._format(value, raw)
            if format_ is None or isinstance(format_, list):
                opens = depth < _NESTED and raw.schema is None
                inner = self._opened(value, raw) if opens else None
                if inner is not None:
                    return self._inner(inner, depth)
                if value is None:
                    raise PassedOver(TOMBSTONE)
                raise _unknown(value, format_)
            found = list(format_.read(value, raw))
            if self._topics.get(raw.topic) is not format_ and len(self._topics) < _TOPICS:
                self._topics[raw.topic] = format_
            title = format_.title_of(value, raw)
            rows = self._messages(found, raw, format_.key)
        except PassedOver as passed:
            self.passed_over[passed.kind] += 1
            return []
        except FormatError as error:
            return [self._fault(raw, str(error), error.hint)]
        except MessageError as error:
            return [self._fault(raw, str(error), "expected action, record, changes and metadata")]
        except RecursionError:
            return [self._fault(raw, "nested too deeply")]
        self.counts[title] += len(rows)
        return rows

    def _quickly(self, raw: Raw, last: Format) -> Message | None:
        """The message of a row like those before it, if there is nothing else to say about it.

        Otherwise nothing happened, and the whole way finds out what the row is.
        """
        try:
            value = loads(raw.value) if type(raw.value) is bytes else raw.value
            if last.likeness(value, raw) is not Likeness.CERTAIN:
                return None
            [change] = last.read(value, raw)
            if type(change) is not Change or self._topics.get(raw.topic) is not last:
                return None
            message = self._message(change, raw, last.key, None)
        except (ValueError, PassedOver, RecursionError):
            return None
        self.counts[last.title_of(value, raw)] += 1
        return message

    def _inner(self, parts: Sequence[Raw], depth: int) -> list[Row]:
        if not parts:
            self.passed_over[EMPTY] += 1
        return [row for part in parts for row in self._read(part, depth + 1)]

    def _format(self, value: Any, raw: Raw) -> Format | list[Format] | None:
        """The format of a value; several that it could be alike; or none."""
        if self._fixed is not None:
            if value is None and not self._fixed.reads_null:
                return None
            if value is None or self._fixed.likeness(value, raw) > Likeness.NO:
                return self._fixed
            return [self._fixed]
        last = self._last
        if value is None:
            # Of the format that made messages of this topic: heartbeats may have come between.
            last = self._topics.get(raw.topic, last)
            return last if last is not None and last.reads_null else None
        if last is not None and last.likeness(value, raw) is Likeness.CERTAIN:
            return last
        ranked = [(item.likeness(value, raw), item) for item in self._formats]
        best = max(likeness for likeness, _ in ranked)
        found = [item for likeness, item in ranked if likeness is best]
        if best is Likeness.NO or (best is Likeness.POSSIBLE and self._is_wrapped(value, raw)):
            return None
        if len(found) > 1:
            return found
        self._last = found[0]
        return found[0]

    def _is_wrapped(self, value: Any, raw: Raw) -> bool:
        return not raw.table and self._opened(value, raw) is not None

    def _opened(self, value: Any, raw: Raw) -> Sequence[Raw] | None:
        for wrapper in self._wrappers:
            inner = wrapper.opens(value, raw)
            if inner is not None:
                return [_placed(part, raw, number) for number, part in enumerate(inner)]
        return None

    def _decoded(self, raw: Raw, depth: int) -> Raw | list[Row]:
        """The row with value and key decoded, or what becomes of a value that is not JSON."""
        value, schema, text = raw.value, raw.schema, raw.text
        if isinstance(value, bytes):
            text = data = value
            try:
                value, schema = self._values.decode(data)
            except ValueError as error:
                if data != b"default" and data.strip():
                    return self._undecoded(raw, data, error, depth)
                # Debezium Server writes this word for a record without value to Redis streams.
                value = None
        elif schema is None and is_connect(value):
            value, schema = value["payload"], value["schema"]
        key, key_schema = raw.key, raw.key_schema
        if isinstance(key, bytes):
            try:
                key, key_schema = self._record_keys.decode(key)
            except ValueError:
                key = key.decode(errors="replace")
        elif key is not None and is_connect(key):
            key, key_schema = key["payload"], key["schema"]
        return Raw(value, key, raw.headers, raw.topic, raw.position, raw.place, raw.line, schema,
                   key_schema, raw.table, text, raw.types)  # fmt: skip

    def _undecoded(self, raw: Raw, data: bytes, error: ValueError, depth: int) -> list[Row]:
        """What becomes of bytes that are not JSON: rows of a wrapper, or a fault."""
        if data[:1] == b"\0":
            return [self._fault(raw, *_SCHEMA_REGISTRY)]
        if isinstance(error, UnicodeDecodeError):
            return [self._fault(raw, "the row is not text in UTF-8", "convert it to UTF-8",
                                error.start + 1)]  # fmt: skip
        inner = self._opened(data, raw) if depth < _NESTED else None
        if inner is not None:
            return self._inner(inner, depth)
        return [self._fault(raw, *_not_json(error, data))]

    # --- completing ----------------------------------------------------------------------------

    def _messages(self, found: list[Change | PassedOver], raw: Raw, format_: str) -> list[Row]:
        if len(found) == 1 and type(found[0]) is Change:
            return [self._message(found[0], raw, format_, None)]
        changes = [part for part in found if isinstance(part, Change)]
        self.passed_over.update(part.kind for part in found if isinstance(part, PassedOver))
        return [self._message(change, raw, format_, number if len(changes) > 1 else None)
                for number, change in enumerate(changes)]  # fmt: skip

    def _message(self, change: Change, raw: Raw, format_: str, number: int | None) -> Message:
        position = raw.position if number is None else f"{raw.position}#{number}"
        given = change.metadata
        if not change.identified and given.get("idempotency_key") is None:
            given = {**given, "idempotency_key": position_key(position)}
        declared: Mapping[str, str] = {}
        if self._typed is not None:
            change, declared = self._typed.applied(change, self._keys.types_of(given))
        columns, origin, values = self._key_of(change, given)
        notes = change.notes
        if values is None and origin == "unknown" and given.get("record_pks") is None:
            values = []
        if origin == "guess":
            notes = (*notes, _GUESSED) if notes else _ONLY_GUESSED
        elif origin == "unknown":
            notes = (*notes, _UNKNOWN)
        metadata = complete_metadata(given, change.record, position, values)
        message = Message(
            change.action, change.record, change.changes, metadata, self.count, raw.line, position,
            raw.place, columns, origin, change.types, format_, notes, declared,
        )  # fmt: skip
        self.count += 1
        return message

    def _key_of(
        self, change: Change, given: Mapping[str, Any]
    ) -> tuple[tuple[str, ...] | None, KeyOrigin, list[str] | None]:
        """Key columns, who named them, and the key's values as text where they are to be set."""
        if change.key is None and not self._named:
            if given.get("record_pks") is not None:
                return None, "row", None
            value = change.record.get("id")
            if value is None:
                return None, "unknown", None
            return _ID, "guess", [key_text(value, change.types.get("id"))]
        own, types = change.key or {}, change.types
        columns, origin = self._keys.columns_of(given) if self._named else ((), "unknown")
        if columns:
            values = [own.get(c, change.record.get(c)) for c in columns]
            if all(value is not None for value in values):
                pairs = zip(columns, values, strict=True)
                return columns, origin, [key_text(v, types.get(c)) for c, v in pairs]
        if own:
            texts = [key_text(v, types.get(c)) for c, v in own.items() if v is not None]
            return tuple(own), "row", texts
        if given.get("record_pks") is not None:
            return None, "row", None
        if change.record.get("id") is not None:
            return _ID, "guess", [key_text(change.record["id"], types.get("id"))]
        return None, "unknown", None

    def _fault(
        self, raw: Raw, message: str, hint: str | None = None, column: int | None = None
    ) -> Fault:
        text = raw.value
        if isinstance(text, bytes):
            text = text[: 4 * _SHOWN].decode(errors="replace")
        elif not isinstance(text, str):
            text = _text(text)
        fault = Fault(raw.line or 0, message, hint, column, text[:_SHOWN], self.count, raw.place)
        self.count += 1
        self.faults += 1
        return fault


def _made(kind: type[Format], options: Mapping[str, str]) -> Format:
    given = {name: value for name, value in options.items() if name in kind.options}
    try:
        return kind(**given)
    except ValueError as error:
        raise UsageError(f"row format {kind.key}: {error}") from None


def _placed(part: Raw, raw: Raw, number: int) -> Raw:
    """A row out of a wrapper, with the wrapper's position and place where it has none itself."""
    return replace(
        part,
        position=part.position or f"{raw.position}#{number}",
        place=part.place or raw.place,
        line=raw.line if part.line is None else part.line,
        topic=part.topic or raw.topic,
    )


def _text(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:
        return "…"


def _unknown(value: Any, formats: list[Format] | None) -> FormatError:
    if formats is not None and len(formats) == 1:
        return FormatError(
            f"this is not a row of the format {formats[0].title}",
            "leave the format out, and it is recognised",
        )
    if formats:
        names = " or ".join(item.title for item in formats)
        keys = " or ".join(item.key for item in formats)
        return FormatError(f"this could be {names}", f"name the format: {keys}")
    if isinstance(value, dict):
        return FormatError("the row has no columns")
    kind = {list: "a list", str: "text", bool: "true or false"}.get(type(value), "a number")
    return FormatError(f"a row is an object, not {kind}", "one JSON object per row is expected")


def _not_json(error: ValueError, data: bytes) -> tuple[str, str | None, int | None]:
    if not isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error}", None, None
    text = data.decode(errors="replace")
    ends = error.pos >= len(text) - 1 or error.msg.startswith("Unterminated string")
    hint = "the row looks cut off" if ends else "one JSON object per row is expected"
    return f"not JSON: {error.msg.lower()}", hint, error.pos + 1
