"""Rules about deletes, backfills, updates that move a row, and markers of unchanged values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from routestudio.hazards.variants import carries_row
from routestudio.model.analysis import Analysis
from routestudio.model.hazard import Finding
from routestudio.model.project import Severity
from routestudio.sinks.hazard_view import Outcome, Pair, SinkView, counted, many, quote
from routestudio.sinks.hazards import rule

TOAST: Final = "unchanged_toast"
"""What an update holds for a large value that did not change.

docs/reference/sequin.md#messages
"""

PASSING: Final = frozenset(
    {"headers", "message_id", "method", "action", "expire_ms", "message_key"}
)
"""Routed fields that show nothing of where a message goes."""

_HINT: Final = "set REPLICA IDENTITY FULL on the table, or route deletes by key columns only"


@rule("GEN-02")
def keys_only(view: SinkView) -> Iterator[Finding]:
    """Deletes with key columns only are filtered, routed or transformed otherwise than rows."""
    if "delete" not in view.spec.actions:
        return
    groups: dict[str, list[tuple[Pair, str]]] = defaultdict(list)
    for pair in view.bare:
        full, bare = pair.original.staged, pair.variant.staged
        if full.filtered is not None or full.problems or _stopped(pair):
            continue
        if bare.filtered is not None:
            groups["filter"].append((pair, "are filtered out, unlike the row"))
        elif bare.problems:
            first = bare.problems[0]
            stage: str = first.stage if first.stage in ("filter", "transform") else "route"
            if first.stage == "encode" and view.transform is not None:
                stage = "transform"
            what = f"fail: {first.field + ' ' if first.field else ''}{first.message}"
            groups[stage].append((pair, what))
        elif moved := _moved(pair):
            was, now = pair.original.values[moved], pair.variant.values[moved]
            text = f"are routed differently: {moved} is {quote(now)} instead of {quote(was)}"
            groups["route"].append((pair, text))
    by_stage = {"filter": view.filter, "route": view.routing, "transform": view.transform}
    for stage, found in groups.items():
        known = by_stage[stage]
        if known is not None:
            yield _keys_only(view, known, found)
    if not groups and (view.bare or not view.outcomes):
        yield from _unproven(view)


def _keys_only(view: SinkView, known: Analysis, found: list[tuple[Pair, str]]) -> Finding:
    pair, what = found[0]
    reads = [r for r in known.reads if r.source == "record" and not _is_key(view, r.text)]
    tables = {each.original.table for each, _ in found}
    seen = any(_bare_delete(view, item) for item in view.kept if item.table in tables)
    prepared = bool(reads) and all(r.guarded for r in reads) and not pair.variant.problems
    passing = not pair.variant.staged.filtered and not pair.variant.problems
    passing = passing and _moved(pair) in PASSING - {"message_key", "action", "method"}
    severity: Severity = "note" if prepared or passing else "error" if seen else "warning"
    column = f"`{reads[0].text}` is not a key column: " if reads else ""
    message = f"{column}deletes of {pair.original.table} that carry the key only {what}"
    line, place = (reads[0].line, reads[0].column) if reads else (1, 1)
    return view.at_code("GEN-02", message, _HINT, known, line, place, severity=severity)


def _stopped(pair: Pair) -> bool:
    """Whether the variant shows nothing because its evaluation took too long or too much."""
    codes = {problem.code for problem in pair.variant.problems}
    return bool(codes & {"not_evaluated", "timeout", "crashed", "memory"})


def _moved(pair: Pair) -> str | None:
    """The routed field that differs, rather one that shows where the message goes."""
    before, after = pair.original.values, pair.variant.values
    differ = [name for name in before if before[name] != after.get(name)]
    return min(differ, key=lambda name: name in PASSING, default=None)


def _is_key(view: SinkView, column: str) -> bool:
    return any(column in columns for columns in view.keys.values()) or (
        not view.keys and column == "id"
    )


def _bare_delete(view: SinkView, item: Outcome) -> bool:
    message = item.message
    return message.action == "delete" and not carries_row(message, view.keys.get(item.table, ()))


def _unproven(view: SinkView) -> Iterator[Finding]:
    """Where functions cannot be evaluated, what their text reads."""
    if view.outcomes:
        return
    for known in view.functions:
        columns = [r for r in known.reads if r.source == "record" and not r.guarded]
        reads = [r for r in columns if not _is_key(view, r.text)]
        handled = any(spot.text == "delete" for spot in known.branches)
        if reads and known is not view.transform and not handled:
            yield view.at_code("GEN-02", f"`{reads[0].text}` is null in deletes that carry the "
                               "key only, and the function reads it for them, too", _HINT, known,
                               reads[0].line, reads[0].column, severity="warning")  # fmt: skip


@rule("GEN-03")
def unchanged_marker(view: SinkView) -> Iterator[Finding]:
    """Messages that hold the marker of a large value that did not change."""
    found: dict[str, list[Outcome]] = defaultdict(list)
    for item in view.kept:
        for column, value in item.message.record.items():
            if value == TOAST:
                found[column].append(item)
    for column, items in found.items():
        hint = 'set REPLICA IDENTITY FULL on the table, or compare with "unchanged_toast"'
        handled = [f for f in view.functions if TOAST in f.function.code]
        reader = next((f for f in view.functions if f.first_read(column)), None)
        if reader is not None and not handled:
            read = reader.first_read(column)
            assert read is not None
            yield view.at_code("GEN-03", f"`{column}` is read, and it is the text `{TOAST}` "
                               f"instead of its value in {counted(items)}", hint, reader,
                               read.line, read.column)  # fmt: skip
        elif not handled:
            yield view.at_row("GEN-03", f"`{column}` of {counted(items)} is delivered as the text "
                              f"`{TOAST}`, which is not its value", hint, items[0],
                              field=column, severity="note")  # fmt: skip


@rule("GEN-35")
def stale_copies(view: SinkView) -> Iterator[Finding]:
    """Updates after which the same row is at another place, with its copy left at the old one."""
    place = view.known.places
    moved: list[tuple[Pair, str]] = []
    for pair in view.olds:
        new, old = pair.original, pair.variant
        if new.problems or old.problems or not new.values or not old.values:
            continue
        if new.staged.filtered is not None or old.staged.filtered is not None:
            continue
        same_key = new.message.record_pks == old.message.record_pks
        names = place or tuple(n for n in new.values if n not in PASSING and same_key)
        name = next((n for n in names if new.values.get(n) != old.values.get(n)), None)
        if name is not None:
            text = f"{quote(old.values[name])} to {quote(new.values[name])}"
            moved.append((pair, f"{name} changes from {text}"))
        elif view.known.documents:
            was, now = _document_id(old), _document_id(new)
            if was != now:
                moved.append((pair, f"the document's id changes from {quote(was)} to {quote(now)}"))
    if not moved:
        return
    pair, what = moved[0]
    columns = ", ".join(f"`{c}`" for c in list(pair.original.message.changes or {})[:3])
    text = f"an update of {columns} moves a row ({what}; {many(len(moved), 'sample row')})"
    if place:
        hint = "route by columns that never change, or delete the old copy in another way"
        yield view.at_row("GEN-35", f"{text}, and its old copy stays", hint, pair.original)
    else:
        hint = "route by columns that never change where the order of one row's messages matters"
        yield view.at_row("GEN-35", f"{text}, so its messages are in two places", hint,
                          pair.original, severity="note")  # fmt: skip


def _document_id(outcome: Outcome) -> str:
    payload = outcome.payload
    if isinstance(payload, dict) and payload.get("id") is not None:
        return str(payload["id"])
    return "-".join(outcome.message.record_pks)


@rule("GEN-37")
def no_read_branch(view: SinkView) -> Iterator[Finding]:
    """Functions that fail on the rows of a backfill."""
    hint = 'add a branch for "read", or one for everything else'
    told: set[str] = set()
    for pair in view.reads:
        if pair.original.problems or pair.original.staged.filtered or _stopped(pair):
            continue
        for problem in pair.variant.problems[:1]:
            known = {"filter": view.filter, "transform": view.transform}.get(
                problem.stage, view.routing
            )
            if known is not None and known.function.name not in told:
                told.add(known.function.name)
                line = problem.line or (known.entry.line if known.entry else 1)
                message = f"rows of a backfill (action `read`) fail: {problem.message}"
                yield view.at_code("GEN-37", message, hint, known, line, problem.column or 1)
    for known in view.functions:
        named = {spot.text for spot in known.branches}
        if known.function.name in told or view.reads or not named:
            continue
        if "read" not in named and not known.catch_all:
            spot = known.branches[0]
            message = "the rows of a backfill (action `read`) have no branch"
            yield view.at_code("GEN-37", message, hint, known, spot.line, spot.column)
