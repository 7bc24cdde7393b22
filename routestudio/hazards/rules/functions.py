"""Rules about the text of functions and what they give."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Final

from routestudio.hazards.catalog import BY_ID
from routestudio.model.hazard import Finding
from routestudio.sinks.hazard_explanation import explanation, failing, odd_space
from routestudio.sinks.hazard_view import Outcome, SinkView, counted, quote
from routestudio.sinks.hazards import rule

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_PROSE: Final = frozenset({"filter", "function"})
"""Routed texts that are written in a language, with spaces and line breaks."""

UNKNOWN_COLUMN: Final = "unknown_column"
"""Code of a finding that is not a hazard of a server: a column that no sample has."""


@rule(UNKNOWN_COLUMN)
def unknown_column(view: SinkView) -> Iterator[Finding]:
    """Columns that a function reads and no message of the samples has."""
    columns = {column for item in view.kept for column in item.message.record}
    columns |= {c for item in view.outcomes for c in item.message.record} if columns else set()
    if not columns:
        return
    for known in view.functions:
        told: set[str] = set()
        for read in known.reads:
            if read.text in columns or read.text in told:
                continue
            told.add(read.text)
            near = difflib.get_close_matches(read.text, columns, n=1, cutoff=0.6)
            hint = f"did you mean `{near[0]}`?" if near else "add a sample row that has it"
            yield view.at_code(
                UNKNOWN_COLUMN, f"function `{known.function.name}` reads the column "
                f"`{read.text}`, which no sample has", hint, known, read.line, read.column,
                field=read.text, severity="warning",
            )  # fmt: skip


@rule("GEN-15")
def changed_times(view: SinkView) -> Iterator[Finding]:
    """Functions that read times of a sink whose times become integers."""
    if view.spec.timestamp_format != "unix_microsecond":
        return
    times = {column for item in view.kept for column, value in item.message.record.items()
             if isinstance(value, str) and _TIME.match(value)}  # fmt: skip
    for known in view.functions:
        read = known.first_read(*times)
        if read is not None and known is not view.transform:
            yield view.at_code("GEN-15", f"`{read.text}` is a time, and with `timestamp_format: "
                               "unix_microsecond` the function sees an integer",
                               "calculate with microseconds, or keep `iso8601`", known,
                               read.line, read.column)  # fmt: skip


@rule("GEN-16")
def wrong_name(view: SinkView) -> Iterator[Finding]:
    """Code that defines another function than its kind calls for."""
    for known in view.functions:
        wanted = known.function.kind.entry_point
        if known.entry is not None and wanted and known.entry.text != wanted:
            yield view.at_code("GEN-16", f"function `{known.function.name}` defines "
                               f"`{known.entry.text}`, and its kind calls for `{wanted}`",
                               f"name it `{wanted}`", known, known.entry.line,
                               known.entry.column)  # fmt: skip


@rule("GEN-19")
def no_map(view: SinkView) -> Iterator[Finding]:
    """Routing functions that may return something else than a map."""
    if view.routing is None or not view.dynamic:
        return
    spot = next((s for s in view.routing.odd_returns if s.text != "list"), None)
    failed = [item for item, _ in failing(view, "GEN-19")]
    if spot is None and not failed:
        return
    what = "may end without a result" if spot and spot.text == "none" else "may return no map"
    if failed and not any(s.text == "list" for s in view.routing.odd_returns):
        what = f"returns no map for {counted(failed)}"
    elif spot is None:
        return
    spot = spot or view.routing.entry
    line, column = (spot.line, spot.column) if spot else (1, 1)
    yield view.at_code("GEN-19", f"the routing function {what}",
                       "return a map of routed fields on every way; skip messages with a filter",
                       view.routing, line, column)  # fmt: skip


@rule("GEN-36")
def fan_out(view: SinkView) -> Iterator[Finding]:
    """Routing functions that return several routes."""
    if view.routing is None:
        return
    for spot in view.routing.odd_returns:
        if spot.text == "list":
            yield view.at_code("GEN-36", "the routing function returns a list, and a message has "
                               "exactly one route", "use one sink per destination",
                               view.routing, spot.line, spot.column)  # fmt: skip


def _first_failing(view: SinkView, code: str, text: str, hint: str) -> Iterator[Finding]:
    """One finding per routed field for the messages that a hazard explains."""
    fields: dict[str, list[tuple[object, object]]] = {}
    for item, problem in failing(view, code):
        fields.setdefault(problem.field or "", []).append((item, problem))
    for name, _ in fields.items():
        items = [item for item, problem in failing(view, code) if (problem.field or "") == name]
        shown = text.format(field=name, value=quote(items[0].values.get(name)),
                            count=counted(items))  # fmt: skip
        yield view.at_routing(code, shown, hint, name)


@rule("GEN-39")
def atom_keys(view: SinkView) -> Iterator[Finding]:
    """Elixir functions that make a text or a list of a map in the order of its atom keys."""
    for known in view.functions:
        for spot in known.key_orders:
            yield view.at_code("GEN-39", f"`{spot.text}` in function `{known.function.name}` "
                               "follows the order of atom keys, which differs from server to "
                               "server", "sort the keys, write the parts in your order, or use "
                               "text keys", known, spot.line, spot.column)  # fmt: skip


@rule("GEN-40")
def old_patterns(view: SinkView) -> Iterator[Finding]:
    """Elixir patterns that a server on OTP 27 reads otherwise."""
    foreign = any(_beyond_ascii(item.message.record) for item in view.kept)
    for known in view.functions:
        for spot in known.old_counts:
            yield view.at_code("GEN-40", f"`{spot.text}` in a pattern is plain text for servers on "
                               "OTP 27 and older", "write `{0,3}` instead of `{,3}`, without "
                               "spaces", known, spot.line, spot.column)  # fmt: skip
        for spot in known.old_classes if foreign else ():
            yield view.at_code("GEN-40", f"`{spot.text}` in a pattern without the modifier `u` "
                               "knows letters beyond ASCII on OTP 27 and older, and does not on "
                               "OTP 28", "add `u`: ~r/.../u", known, spot.line,
                               spot.column)  # fmt: skip


def _beyond_ascii(record: dict[str, object]) -> bool:
    return any(isinstance(value, str) and not value.isascii() for value in record.values())


@rule("GEN-20")
def number_for_text(view: SinkView) -> Iterator[Finding]:
    """Numbers returned for fields that take text."""
    yield from _first_failing(
        view, "GEN-20", "`{field}` is the number {value} in {count}, and text is needed",
        "convert it to text: str(...) in Python, to_string(...) in Elixir",
    )  # fmt: skip


@rule("GEN-21")
def odd_white_space(view: SinkView) -> Iterator[Finding]:
    """Routed text with white space that a server's check does not see."""
    for name in sorted(view.text_fields - _PROSE):
        odd = [i for i in view.kept if isinstance(v := i.values.get(name), str) and odd_space(v)]
        if odd:
            yield view.at_routing(
                "GEN-21", f"`{name}` ends in a line break or has a Unicode space in "
                f"{counted(odd)}; a server's check lets it pass", "strip the text: value.strip()",
                name,
            )  # fmt: skip


@rule("GEN-22")
def unchecked_default(view: SinkView) -> Iterator[Finding]:
    """Defaults that break the rule of their field, which a server does not check."""
    yield from _first_failing(
        view, "GEN-22", "the default of `{field}` is {value} in {count}, which breaks its own "
        "rule; a server sends it unchecked", "let a routing function give the field",
    )  # fmt: skip
    sent: dict[str, list[Outcome]] = {}
    for item in view.kept:
        for warning in item.warnings:
            if warning.message.startswith("the default "):
                sent.setdefault(warning.field, []).append(item)
    for name, items in sent.items():
        value = quote(items[0].values.get(name))
        yield view.at_routing(
            "GEN-22", f"the default of `{name}` is {value} in {counted(items)}, which a function "
            "may not return; it is sent as it is, as a server does",
            "nothing needs to be done where consumers take such keys", name,
        )  # fmt: skip


@rule("GEN-29")
def null_headers(view: SinkView) -> Iterator[Finding]:
    """Headers that are null instead of a map."""
    if view.routing is None or not view.dynamic:
        return
    spot = next((s for s in view.routing.null_keys if s.text == "headers"), None)
    failed = [item for item, _ in failing(view, "GEN-29")]
    if spot is None and not failed:
        return
    seen = f" for {counted(failed)}" if failed else ""
    text, hint = f"`headers` is null{seen}", "leave it out, or return an empty map"
    if spot is not None:
        yield view.at_code("GEN-29", text, hint, view.routing, spot.line, spot.column,
                           field="headers")  # fmt: skip
    else:
        yield view.at_routing("GEN-29", text, hint, "headers")


@rule("GEN-13")
def undeliverable(view: SinkView) -> Iterator[Finding]:
    """Messages that can never be delivered, by sample and reason."""
    groups: dict[tuple[str, str, str | None], list[int | None]] = {}
    for item in view.kept:
        for problem in item.problems[:1]:
            if problem.code == "not_evaluated":
                continue
            if not _told_elsewhere(explanation(view, item, problem)):
                text = f"{problem.field}: {problem.message}" if problem.field else problem.message
                groups.setdefault((item.file, text, problem.hint), []).append(item.message.line)
    for (file, text, hint), lines in sorted(groups.items(), key=lambda g: -len(g[1])):
        rows = "1 row" if len(lines) == 1 else f"{len(lines)} rows"
        name = file.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        yield Finding("GEN-13", f"sink `{view.spec.name}`: {rows} of sample `{name}` can never be "
                      f"delivered: {text}", hint or "correct the route, or filter such messages",
                      "warning", file, lines[0], None, view.spec.name)  # fmt: skip


def _told_elsewhere(code: str) -> bool:
    """Whether another finding reports it, and no less severely."""
    return code != "GEN-13" and BY_ID[code].severity != "note"
