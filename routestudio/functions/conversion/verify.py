"""Runs a function and its conversion on the same messages and shows where they differ.

Workers do both, so nothing that parses a text is imported here.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final, Protocol

from routestudio.functions.conversion.result import Conversion, Difference, Verification
from routestudio.model.column_origins import as_text, settled, unsure
from routestudio.model.column_types import TEXT
from routestudio.model.function import Function, FunctionResult, Language
from routestudio.model.message import ACTIONS, Message, complete_metadata

_NOW: Final = "2024-05-01T09:30:00Z"
_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)?)?", re.ASCII
)
_UNUSUAL: Final[tuple[Any, ...]] = (
    None, "", "Zoë's 👩‍👩‍👧 e\u0301 / ñ:.*>", "0", " padded ", True, False, 0, -7, 2**63, 3.0,
    1000.0, 1e-7,
    [], ["a", "b"], {}, {"key": "value"},
)  # fmt: skip
_DEFAULT: Final[dict[str, Any]] = {
    "id": 42, "name": "Ada", "email": "ada@example.com", "status": "paid", "region": "eu",
    "total": 120, "price": 19.99, "active": True, "tags": ["new", "vip"], "note": None,
    "created_at": "2024-05-01T09:30:00.000000Z",
}  # fmt: skip


View = Callable[[Message, FunctionResult], str]


class Workers(Protocol):
    """What converts functions and evaluates them: a `FunctionPool`."""

    async def convert(
        self, function: Function, times: Collection[str], known: Collection[str] = ()
    ) -> Conversion:
        """The function in the other language, not verified yet."""
        ...

    async def evaluate(
        self, functions: Sequence[Function], messages: Sequence[Message], *, now: str | None = None
    ) -> list[list[FunctionResult]]:
        """One list of results per function."""
        ...


async def convert_verified(
    function: Function, samples: Sequence[Message], pool: Workers, view: View | None = None
) -> Conversion:
    """The function in the other language, tried on the samples and on hard variants of them."""
    found = await pool.convert(function, times_of(samples), known_of(samples))
    if found.after is None:
        return found
    verification = await verify(
        found.before, found.after, samples, pool, lenient=found.restored, view=view
    )
    return replace(found, verification=verification)


async def verify(
    before: Function, after: Function, samples: Sequence[Message], pool: Workers,
    *, lenient: bool = False, view: View | None = None,
) -> Verification:  # fmt: skip
    """Both on the samples and their variants. Equal: the same value and types, or both fail, but
    not on all samples.

    `view` shows what of a result counts, as text, instead of its whole value. With `lenient`, a
    value where the first function failed on an invented message is not a difference.

    Where the type of a column is a guess that may be wrong, the function in Elixir is tried with
    the guess, as on a server, and with text; the one in Python has the text, as in every run.
    """
    messages = [as_on_server(message) for message in variants(samples)]
    guesses = [unsure(message) for message in messages]
    different: list[Difference] = []
    stricter: list[Difference] = []
    failing: Difference | None = None
    values = 0
    for text in (False, True) if any(guesses) else (False,):
        first = await _results(before, messages, guesses, text, pool)
        second = await _results(after, messages, guesses, text, pool)
        shown = list(zip(first, second, strict=True))
        if not text and all(_failed(a) and _failed(b) for a, b in shown[: len(samples) or None]):
            failing = Difference(0, _shown(first[0]), _shown(second[0]), _assumed(guesses[0], text))
        for index, (one, two) in enumerate(shown):
            if text and not guesses[index]:
                continue
            both = one.fault is None and two.fault is None
            values += both and not text
            if both and (
                view(messages[index], one) == view(messages[index], two)
                if view
                else comparable(one.value) == comparable(two.value)
            ):
                continue
            if _failed(one) and _failed(two):
                continue
            found = Difference(index, _shown(one), _shown(two), _assumed(guesses[index], text))
            if index >= len(samples) and one.fault is None and _failed(two):
                stricter.append(found)
            elif not (lenient and index >= len(samples) and _failed(one) and two.fault is None):
                different.append(found)
    return Verification(
        len(samples), len(messages), values, tuple(different), tuple(stricter), failing
    )


async def _results(
    function: Function,
    messages: Sequence[Message],
    guesses: Sequence[dict[str, str]],
    text: bool,
    pool: Workers,
) -> list[FunctionResult]:
    """What a function gives where guessed types are right, or where the columns are text."""
    if function.language is Language.ELIXIR:
        messages = [
            settled(message, as_text(found) if text else found) if found else message
            for message, found in zip(messages, guesses, strict=True)
        ]
    return (await pool.evaluate([function], messages, now=_NOW))[0]


def _assumed(guesses: dict[str, str], text: bool) -> str:
    return " and ".join(
        f"`{column}` is {TEXT if text else type_}" for column, type_ in guesses.items()
    )


def as_on_server(message: Message) -> Message:
    """The message with its times as a server has them: in UTC, with six digits of a second."""
    changes = message.changes and _times(message.changes)
    given = message.metadata.get("commit_timestamp")
    metadata = {**message.metadata, "commit_timestamp": time_of(given) or given}
    return replace(message, record=_times(message.record), changes=changes, metadata=metadata)


def _times(entries: dict[str, Any]) -> dict[str, Any]:
    return {name: time_of(item) or item for name, item in entries.items()}


def time_of(value: Any) -> str | None:
    """The date or time that a text is, as a server writes it; `None` for anything else."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        if len(value) == 10:
            return dt.date.fromisoformat(value).isoformat()
        moment = dt.datetime.fromisoformat(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return moment.isoformat(timespec="microseconds")
    moment = moment.astimezone(dt.UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="microseconds") + "Z"


def times_of(samples: Iterable[Message]) -> frozenset[str]:
    """Columns in which samples have dates or times, as far as nobody says their type."""
    return frozenset(
        name
        for message in samples
        for part in (message.record, message.changes or {})
        for name, item in part.items()
        if name not in message.types and time_of(item) is not None
    )


def known_of(samples: Iterable[Message]) -> frozenset[str]:
    """Columns whose type is known in all samples that have them: Python gets what Elixir gets."""
    known: set[str] = set()
    unknown: set[str] = set()
    for message in samples:
        known.update(message.types)
        unknown.update({**message.record, **(message.changes or {})}.keys() - message.types.keys())
    return frozenset(known - unknown)


def _failed(result: FunctionResult) -> bool:
    """Whether a function itself ended with an error, or gave what cannot be used."""
    return result.fault is not None and result.fault.code in ("raised", "output")


def comparable(value: Any) -> str:
    """A value so that equal texts are equal deliveries: 1, 1.0 and true stay apart."""
    return json.dumps(_plain(value), sort_keys=True, ensure_ascii=True)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dt.datetime):
        if value.tzinfo is None:
            return value.isoformat(timespec="microseconds")
        moment = value.astimezone(dt.UTC).replace(tzinfo=None)
        return moment.isoformat(timespec="microseconds") + "Z"
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value


def _shown(result: FunctionResult) -> str:
    if result.fault is None:
        return repr(result.value)[:200]
    where = f" (line {result.fault.line})" if result.fault.line else ""
    return f"fails: {result.fault.message}{where}"[:200]


def variants(samples: Iterable[Message], *, limit: int = 400) -> list[Message]:
    """The samples, and what is hard about rows: each action, nulls, missing columns, other types,
    deletes with keys only. Without samples, those of an example row. In order, numbered again."""
    given = list(samples)
    base = given or [Message("update", _DEFAULT, {"status": "new", "total": 100},
                             complete_metadata({"table_name": "orders"}, _DEFAULT))]  # fmt: skip
    found = list(given)
    for message in base[:8]:
        found += _of(message)
        if len(found) >= limit:
            break
    kept = found[: max(limit, len(given))]
    return [replace(message, index=index) for index, message in enumerate(kept)]


def _of(message: Message) -> list[Message]:
    record = message.record
    found = []
    for action in ACTIONS:
        changes = message.changes or {} if action == "update" else None
        found.append(replace(message, action=action, changes=changes))
    keys = {name: value for name, value in record.items() if name == "id"}
    found.append(replace(message, action="delete", record=keys, changes=None))
    found.append(replace(message, record={}))
    if message.action == "update":
        names = list(record)[:6]
        found += [replace(message, changes={name: record[name]}) for name in names]
    for at, name in enumerate(record):
        missing = {key: value for key, value in record.items() if key != name}
        found.append(replace(message, record=missing))
        for turn in range(5):
            other = _UNUSUAL[(at * 3 + turn * 4) % len(_UNUSUAL)] if turn else None
            found.append(replace(message, record={**record, name: other}))
    enriched = {
        **message.metadata,
        "enrichment": {"plan": "pro"},
        "transaction_annotations": {"source": "app"},
    }
    found.append(replace(message, metadata=enriched))
    return found
