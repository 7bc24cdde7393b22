"""The generated page `docs/hazards.md`: all hazards, and how RouteStudio treats each."""

from __future__ import annotations

from typing import Final

from routestudio.hazards import catalog
from routestudio.model.hazard import Hazard

_TREATMENT: Final = {
    "detected": "**Found by lint.**",
    "avoided": "**Avoided.**",
    "unseen": "**Not to be seen.**",
}
_INTRO: Final = """\
# Hazards

<!-- Written by `routestudio docs --write`; edit the hazards in the package instead. -->

What is known to go wrong on a Sequin server, and what RouteStudio does about it. `routestudio lint`
and the window's Problems panel name the ids below, each with its place: a key of the YAML file, a
line of a function, or a row of a sample.

A finding is less severe than its hazard where the project does not prove that it happens, or where
only a server is concerned and an export mends it; it is an error where RouteStudio itself refuses
what is in the file. What is true of every sink of a type on a server, whatever its samples are, is
not reported for sinks with Python functions: no server takes those.

To find them, `lint` applies each sink's functions to the first 1,000 rows of each sample, and to
variants of them: deletes that carry the key only, rows as a backfill sends them, and rows as they
were before an update.

One more warning is not a hazard of a server: `unknown_column`, a column that a function reads and
no sample has.
"""


def page() -> str:
    """The page as Markdown."""
    found = sum(h.treatment == "detected" for h in catalog.HAZARDS)
    avoided = sum(h.treatment == "avoided" for h in catalog.HAZARDS)
    lines = [
        _INTRO,
        f"Of {len(catalog.HAZARDS)} hazards, {found} are found by lint, {avoided} are avoided by "
        f"design, and {len(catalog.HAZARDS) - found - avoided} cannot be seen from a project.",
        "",
    ]
    for title, hazards in catalog.PARTS.items():
        lines += [
            f"## {title}",
            "",
            "| Hazard | Severity | What happens | What to do | RouteStudio |",
            "| --- | --- | --- | --- | --- |",
            *(_row(hazard) for hazard in hazards),
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


def _row(hazard: Hazard) -> str:
    cells = (
        f"**{hazard.id}** {hazard.title}",
        hazard.severity,
        hazard.consequence,
        hazard.remedy,
        f"{_TREATMENT[hazard.treatment]} {hazard.how}",
    )
    return "| " + " | ".join(_cell(text) for text in cells) + " |"


def _cell(text: str) -> str:
    """Text for a cell; angle brackets are kept in code, where Markdown shows them."""
    parts = text.replace("|", "\\|").split("`")
    escaped = [part if number % 2 else part.replace("<", "&lt;").replace(">", "&gt;")
               for number, part in enumerate(parts)]  # fmt: skip
    return "`".join(escaped)
