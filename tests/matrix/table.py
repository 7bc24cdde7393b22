"""What the matrix found, kept as JSON, and the pages that are written from it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

from tests.matrix.cells import CELLS, Cell
from tests.matrix.fetch import ROOT

KEPT: Final = ROOT / "docs" / "tested-against.json"
PAGE: Final = ROOT / "docs" / "tested-against.md"
README: Final = ROOT / "README.md"
BEGIN: Final = "<!-- tested against: written by `python -m tests.matrix` -->"
END: Final = "<!-- end of tested against -->"


@dataclass(frozen=True)
class Result:
    """The tests of one cell: how many passed, and the names of the others."""

    name: str
    passed: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    error: str = ""


def kept() -> dict[str, Result]:
    """What was found before, by the names of the cells."""
    text = KEPT.read_text() if KEPT.exists() else ""
    return {each["name"]: Result(**each) for each in json.loads(text or "[]")}


def keep(results: Sequence[Result]) -> None:
    """Keep results, and write the pages again."""
    import fcntl  # the pages are also looked at where there is none

    with KEPT.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # several cells may be run at once
        found = kept() | {result.name: result for result in results}
        known = [found[cell.name] for cell in CELLS if cell.name in found]
        KEPT.write_text(json.dumps([asdict(each) for each in known], indent=1) + "\n")
        README.write_text(with_table(README.read_text()))
        PAGE.write_text(page())


def with_table(text: str) -> str:
    """The README with the table as it has to be."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{summary()}\n{END}{after}"


def summary() -> str:
    """The table of the README: one line for each service."""
    found = kept()
    lines = [
        "| Service | Versions | Passed | Failed | Skipped |",
        "| --- | --- | --- | --- | --- |",
    ]
    for service in dict.fromkeys(cell.service for cell in CELLS):
        cells = [cell for cell in CELLS if cell.service == service and cell.name in found]
        if not cells:
            continue
        results = [found[cell.name] for cell in cells]
        columns = [
            ", ".join(cell.version for cell in cells),
            ", ".join(str(each.passed) for each in results),
            ", ".join(str(len(each.failed)) for each in results),
            ", ".join(str(len(each.skipped)) for each in results),
        ]
        lines.append(f"| {service} | {' | '.join(columns)} |")
    return "\n".join(lines)


def page() -> str:
    """The page with each server, where it comes from, and a reason for what did not pass."""
    found = kept()
    lines = [
        "# Tested against",
        "",
        "<!-- Written by `python -m tests.matrix`. -->",
        "",
        "The usual tests run the servers of Debian 12, Kafka 3.9, OpenSearch 2.19, PostgreSQL 15 "
        "and 18, moto, and our own strict servers. The matrix (`packaging/matrix`) runs the "
        "tests of each sink and source against the oldest and the newest server that package "
        "registries have, and against second implementations.",
        "",
        "| Service | Version | From | Passed | Failed | Skipped |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    notes: list[str] = []
    for cell in CELLS:
        if cell.name not in found:
            continue
        one = found[cell.name]
        lines.append(f"| {cell.service} | {cell.version} ({cell.age}) | {cell.source} | "
                     f"{one.passed} | {len(one.failed)} | {len(one.skipped)} |")  # fmt: skip
        notes += _notes(cell, one)
    return "\n".join([*lines, *(["", "## What did not pass", "", *notes] if notes else []), ""])


def _notes(cell: Cell, result: Result) -> list[str]:
    title = f"{cell.service} {cell.version}"
    lines = [f"- {title}: {result.error}"] if result.error else []
    if cell.deselect:
        names = ", ".join(f"`{name.rpartition('::')[2]}`" for name in cell.deselect)
        lines.append(f"- {title}: not run: {names}. {cell.reason}")
    lines += [f"- {title}: `{name}` failed." for name in result.failed]
    reasons: dict[str, list[str]] = {}
    for name, reason in result.skipped.items():
        reasons.setdefault(reason, []).append(name)
    for reason, found in reasons.items():
        shown = ", ".join(f"`{name}`" for name in found)
        lines.append(f"- {title}: skipped: {shown}. {reason}")
    return lines
