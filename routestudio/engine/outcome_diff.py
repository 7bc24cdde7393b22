"""Which rows end elsewhere: two forms of a sink over the same messages, by the same stages.

The window compares a sink before and after an edit, `routestudio diff` two projects, `plan` a
server's file with the project. Either side may be `None`: a sink that is not there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from routestudio.engine.rows import destination_of
from routestudio.engine.workspace import PreparedSink
from routestudio.model import jsonio
from routestudio.model.message import Message
from routestudio.model.rows import Fault
from routestudio.pipeline.stages import Staged
from routestudio.project.yamldata import same

State = Literal["delivered", "filtered", "failed", "absent"]
Kind = Literal["moved", "content", "delivered", "filtered", "failed", "removed"]
"""What became of a row that changes: another destination; the same one with other routed fields
or another payload; what it now is and was not before; or its sink is gone."""

MAX_MOVES: Final = 2_000
"""Most pairs of destinations that are counted apart."""


@dataclass(frozen=True, slots=True)
class End:
    """Where one row ends on one side.

    `destination` is set when it is delivered, `reason` when it is not: what filtered it, or the
    first problem. `routing` is the effective routing, if there is one.
    """

    state: State
    destination: str | None = None
    reason: str | None = None
    routing: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        if self.state == "delivered":
            return self.destination or "(none)"
        if self.state == "absent":
            return "(no sink)"
        return f"({self.state}: {self.reason})" if self.reason else f"({self.state})"

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"state": self.state, "destination": self.destination, "reason": self.reason,
                "routing": dict(self.routing) if self.routing is not None else None}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row that ends elsewhere, or arrives with something else.

    `fields` are the routed fields that differ; `payload` among them stands for the payload.
    """

    index: int
    action: str
    pks: tuple[str, ...]
    kind: Kind
    old: End
    new: End
    fields: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"index": self.index, "action": self.action, "pks": list(self.pks),
                "kind": self.kind, "fields": list(self.fields), "from": self.old.as_json(),
                "to": self.new.as_json()}  # fmt: skip


@dataclass(slots=True)
class OutcomeDiff:
    """Totals of a comparison. `moves` counts rows by where they ended and end now.

    `unreadable` rows are neither messages nor changes. `cut` is the number of rows that were
    looked at, where there are more and nobody named a number.
    """

    rows: int = 0
    unreadable: int = 0
    cut: int | None = None
    kinds: Counter[str] = field(default_factory=Counter)
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def changed(self) -> int:
        """Rows that change in any way."""
        return sum(self.kinds.values())

    def as_json(self) -> dict[str, Any]:
        """Plain data; the most frequent moves first."""
        return {
            "rows": self.rows,
            "changed": self.changed,
            "unreadable": self.unreadable,
            "cut": self.cut,
            "kinds": dict(sorted(self.kinds.items())),
            "moves": [
                {"from": old, "to": new, "rows": count}
                for (old, new), count in self.moves.most_common(100)
            ],
        }


async def compare(
    old: PreparedSink | None,
    new: PreparedSink | None,
    chunks: AsyncIterable[Sequence[Message | Fault]],
    on_change: Callable[[RowChange], None] | None = None,
) -> OutcomeDiff:
    """Evaluate every message on both sides; `on_change` gets each row that changes, in order.

    Nothing is kept of rows but counts, so a source may be of any length. Raises `WorkerError`
    when there is no function worker.
    """
    totals = OutcomeDiff()
    typed = old is not None and new is not None and old.sink is not new.sink
    async for items in chunks:
        messages = [item for item in items if isinstance(item, Message)]
        before = await _ends(old, messages, typed)
        after = await _ends(new, messages, typed)
        pairs = iter(zip(before, after, strict=True))
        for item in items:
            index, totals.rows = totals.rows, totals.rows + 1
            if not isinstance(item, Message):
                totals.unreadable += 1
                continue
            change = _change(index, item, *next(pairs))
            if change is None:
                continue
            totals.kinds[change.kind] += 1
            move = (str(change.old), str(change.new))
            if move in totals.moves or len(totals.moves) < MAX_MOVES:
                totals.moves[move] += 1
            if on_change is not None:
                on_change(change)
    return totals


_Row = tuple[End, Any]
"""Where a row ends, and its payload."""


async def _ends(
    prepared: PreparedSink | None, messages: Sequence[Message], typed: bool
) -> list[_Row]:
    if prepared is None:
        return [(End("absent"), None)] * len(messages)
    staged = await prepared.stages.apply(messages)
    return [(_end(item, prepared, typed), item.payload and item.payload.value) for item in staged]


def _end(staged: Staged, prepared: PreparedSink, typed: bool) -> End:
    if staged.filtered is not None:
        return End("filtered", reason=staged.filtered)
    values = dict(staged.effective.values) if staged.effective else None
    if staged.problems:
        first = staged.problems[0]
        where = f"{first.field}: " if first.field else ""
        return End("failed", reason=f"{first.stage}: {where}{first.message}", routing=values)
    name = destination_of(values or {}, prepared.sink.batch_by)
    return End("delivered", f"{prepared.sink.title}: {name}" if typed else name, None, values)


def _change(index: int, message: Message, old: _Row, new: _Row) -> RowChange | None:
    before, after = old[0], new[0]
    kind: Kind
    fields: list[str] = []
    if before.state != after.state:
        if {before.state, after.state} == {"absent", "filtered"}:
            return None  # Either way nothing is delivered.
        kind = "removed" if after.state == "absent" else after.state
    elif after.state != "delivered":
        if before.reason == after.reason or after.state != "failed":
            return None
        kind = "failed"
    else:
        one, other = before.routing or {}, after.routing or {}
        fields = [n for n in dict.fromkeys([*one, *other]) if not _same(one.get(n), other.get(n))]
        if not _same(old[1], new[1]):
            fields.append("payload")
        if not fields and before.destination == after.destination:
            return None
        kind = "content" if before.destination == after.destination else "moved"
    pks = tuple(str(item) for item in message.record_pks)
    return RowChange(index, message.action, pks, kind, before, after, tuple(fields))


def _same(one: Any, other: Any) -> bool:
    """Whether two values are delivered alike: as JSON, in which order keys ever stand."""
    if same(one, other):
        return True
    try:
        return same(*(jsonio.loads(jsonio.dump_bytes(value)) for value in (one, other)))
    except (TypeError, ValueError):
        return False
