"""Rules about what messages become: sizes, group ids, limits, and text in URLs."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterator
from typing import Any, Final

from routestudio.hazards.missing import missing_text, unprepared
from routestudio.model import jsonio
from routestudio.model.function import Language
from routestudio.model.hazard import Finding
from routestudio.samples.shapes import Shapes, ranges_text
from routestudio.sinks.hazard_view import Outcome, SinkView, counted, quote, texts
from routestudio.sinks.hazards import rule

LARGEST: Final = 5_000_000
"""Bytes over which a server drops a message at once (docs/reference/sequin.md#messages)."""

_URL_UNSAFE: Final = re.compile(r"[/?#%\\\s]")


def _bytes_of(value: Any) -> int:
    """Size as JSON; only texts are counted while they are few, because that is fast."""
    rough = sum(map(len, texts(value)))
    if rough < LARGEST // 8:
        return rough
    try:
        return len(jsonio.dump_bytes(value))
    except (TypeError, ValueError, RecursionError):
        return rough


@rule("GEN-04")
def vanishing(view: SinkView) -> Iterator[Finding]:
    """Messages that a server drops because of their size."""
    parts = ((i, {"record": i.message.record, "changes": i.message.changes}) for i in view.kept)
    large = [item for item, part in parts if _bytes_of(part) > LARGEST]
    if large:
        yield view.at_row("GEN-04", f"over {LARGEST:,} bytes in {counted(large)}: a server drops "
                          "that without a word", "keep large columns out of the publication",
                          large[0])  # fmt: skip


@rule("GEN-14")
def too_large(view: SinkView) -> Iterator[Finding]:
    """Records over the limit of the service."""
    limit = view.max_record
    large = [item for item in view.kept if limit and item.size is not None and item.size > limit]
    if large and limit:
        size = max(item.size or 0 for item in large)
        yield view.at_row("GEN-14", f"up to {size:,} bytes in a record of {counted(large)}, and "
                          f"the service takes {limit:,}", "drop large columns in a transform, "
                          "or raise the service's limit", large[0])  # fmt: skip


@rule("GEN-05")
def shared_groups(view: SinkView) -> Iterator[Finding]:
    """Rows of several tables with the same group id at one destination."""
    groups: dict[Hashable, dict[str, Outcome]] = defaultdict(dict)
    for item in view.routed:
        if item.group_id is None or item.given("message_key"):
            continue
        if view.known.grouped is not None and not view.known.grouped(view, item):
            continue
        groups[item.batch_key, item.group_id].setdefault(item.table, item)
    for tables in groups.values():
        if len(tables) < 2:
            continue
        first, second, *_ = tables.values()
        group = second.group_id
        yield view.at_row("GEN-05", f"a row of {first.table} and one of {second.table} share the "
                          f"group id {quote(group)} at one destination", "route tables to "
                          "their own destinations, or give a key that holds the table's name",
                          second)  # fmt: skip
        return


@rule("GEN-09")
def failing_batches(view: SinkView) -> Iterator[Finding]:
    """Messages that make all others of their batch fail on a server."""
    given = view.raw.get("batch_size")
    own = given if isinstance(given, int) else 1
    for item in view.kept:
        for problem in item.problems[:1]:
            if problem.stage == "route" and view.known.routed_at_once is not None:
                size = view.known.routed_at_once or own
            elif problem.stage == "transform" and not view.known.transforms_alone:
                size = 10 if view.fixed_batch else own
            else:
                continue
            if size > 1 and problem.code != "not_evaluated":
                step = "routing" if problem.stage == "route" else "transform"
                yield view.at_row("GEN-09", f"the {step} of this message fails, and on a server "
                                  f"all {size} messages of its batch fail with it",
                                  "correct the function, or filter such messages",
                                  item)  # fmt: skip
                return


@rule("GEN-31")
def strictest_limit(view: SinkView) -> Iterator[Finding]:
    """Values that pass here and are refused by the service."""
    hint = "keep to the limits of the service"
    told: set[tuple[str, str]] = set()
    for advice in view.advice:
        if advice.field != view.known.target:
            told.add((advice.field, advice.message))
            yield view.at_key("GEN-31", f"{advice.field}: {advice.message}", hint, "destination",
                              advice.field)  # fmt: skip
    for item in view.kept:
        for warning in item.warnings:
            key = (warning.field, re.sub(r"\d+", "n", warning.message))
            if warning.field == view.known.target or key in told:
                continue
            if warning.message.startswith("the default "):  # GEN-22
                continue
            if not view.dynamic and any(warning.field == name for name, _ in told):
                continue
            told.add(key)
            value = quote(item.values.get(warning.field))
            yield view.at_row("GEN-31", f"{warning.field} is {value}: {warning.message}", hint,
                              item, field=warning.field)  # fmt: skip


@rule("GEN-33")
def unescaped(view: SinkView) -> Iterator[Finding]:
    """Names and ids that change the URL into which a server puts them."""
    for name in view.known.url_fields:
        bad = [i for i in view.kept if isinstance(v := i.values.get(name), str)
               and _URL_UNSAFE.search(v)]  # fmt: skip
        if bad:
            yield view.at_row("GEN-33", f"{name} is {quote(bad[0].values[name])} for "
                              f"{counted(bad)}; a server puts it into a URL as it is",
                              "use names without / ? # % and spaces", bad[0],
                              field=name)  # fmt: skip
    if view.known.url_ids:
        ids = [i for i in view.kept if i.message.action == "delete" and isinstance(i.payload, dict)
               and _URL_UNSAFE.search(str(i.payload.get("id", "")))]  # fmt: skip
        if ids:
            yield view.at_row("GEN-33", f"the id {quote(str(ids[0].payload['id']))} of a deleted "
                              "document is put into a URL as it is", "make ids of letters, digits "
                              "and dashes in the transform", ids[0], field="id")  # fmt: skip


@rule("GEN-41")
def missing_columns(view: SinkView) -> Iterator[Finding]:
    """Functions that read a column which some rows of a sample do not have."""
    files: dict[str, Shapes] = defaultdict(Shapes)
    for item in view.outcomes:
        if item.staged.filtered in (None, "filter"):
            message = item.message
            files[item.file].add(message, message.line or message.index + 1)
    for file, shapes in files.items():
        columns = list(shapes.varying(lambda ranges: ranges_text(ranges, "line")))
        for known in view.functions:
            for read, column in unprepared(known, columns):
                text = f"function `{known.function.name}`: {missing_text(column)} of {file}"
                name = f'"{column.name}"'
                test = f"`{name} in record`"
                if known.function.language is Language.ELIXIR:
                    test = f"`is_nil(record[{name}])`"
                yield view.at_code("GEN-41", text, f"test whether it is there: {test}", known,
                                   read.line, read.column)  # fmt: skip


_NULLS: Final = frozenset({"None", "nil", "null"})
_PARTS: Final = re.compile(r"[.:/]")
_NOT_PLACES: Final = frozenset({"headers", "method", "action", "attributes"})


@rule("GEN-38")
def empty_parts(view: SinkView) -> Iterator[Finding]:
    """Destinations in which a column that is null or empty became a part."""
    found: dict[tuple[str, str, str], list[Outcome]] = defaultdict(list)
    for item in view.kept:
        if item.message.action == "delete":
            continue  # Deletes without their columns are another hazard.
        for field, value in item.values.items():
            if field in _NOT_PLACES or not isinstance(value, str) or not item.given(field):
                continue
            if not value.strip("/"):
                continue  # Nothing is a destination, too: the URL itself.
            column, state = _culprit(view, item, value)
            if state:
                found[field, column, state].append(item)
    for (field, column, state), items in found.items():
        shown = quote(items[0].values[field])
        rows = counted(items, "row")
        what = f"`{column}` is {state} in {rows} and becomes a part of the {_words(field)}" \
            if column else f"a part of the {_words(field)} is empty in {rows}"  # fmt: skip
        yield view.at_row("GEN-38", f"{what}: {shown}", "give such rows a separate "
                          "destination, or filter them", items[0], field=field)  # fmt: skip


def _culprit(view: SinkView, item: Outcome, value: str) -> tuple[str, str]:
    """The column that left a part of a value empty, and what it is; two empty texts for none."""
    parts = _PARTS.split(re.sub(r"^\w+://", "", value).removeprefix("/"))
    nothing = "" in parts[:-1] or (parts[-1] == "" and not value.endswith("/"))
    word = not _NULLS.isdisjoint(parts)
    if not nothing and not word:
        return "", ""
    code = view.routing.function.code if view.routing is not None else ""
    record = item.message.record or {}
    states = {name: "null" if entry is None else "empty" for name, entry in record.items()
              if entry is None or entry == ""}  # fmt: skip
    if word and not nothing:
        states = {name: state for name, state in states.items() if state == "null"}
    for name in sorted(states, key=lambda name: name not in code):
        return name, states[name]
    return "", "empty" if nothing else ""


def _words(field: str) -> str:
    return field.replace("_", " ")


@rule("GEN-34")
def two_ids(view: SinkView) -> Iterator[Finding]:
    """Documents that are indexed under one id and deleted under another."""
    if "GEN-34" in view.known.finds:
        yield from view.known.finds["GEN-34"](view)
