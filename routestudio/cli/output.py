"""What the command line prints: results to standard output, everything else to standard error."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TextIO

from routestudio.model import jsonio

_CODES: Final = {
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "grey": "90",
    "bold": "1",
}
_STATUS: Final = {"passed": "green", "failed": "red", "inconclusive": "yellow", "skipped": "grey"}
_MARKS: Final = {"passed": "✓", "failed": "✗", "inconclusive": "?", "skipped": "-"}


_ACTS: Final = re.compile(
    rf"\x1b(?!\[(?:{'|'.join([*_CODES.values(), '0'])})m)"
    r"|\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)
"""Characters to which a terminal does something, but for our own colours: a service or a project
could rewrite what was printed before."""

_redact: Callable[[str], str] = str


def redact_with(redact: Callable[[str], str]) -> None:
    """Take secrets out of everything that is printed from now on."""
    global _redact
    _redact = redact


def harmless(text: str) -> str:
    """`text` with escapes in place of characters that act on a terminal."""
    return _ACTS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def say(text: str = "") -> None:
    """One line for people who watch, on standard error."""
    print(harmless(_redact(text)), file=sys.stderr, flush=True)


def out(text: str = "") -> None:
    """One line of the result."""
    print(harmless(_redact(text)))


def json_line(value: Any) -> None:
    """One JSON document on one line; a number that JSON does not know is text in it."""
    try:
        written = jsonio.dump_bytes(value)
    except ValueError:
        written = jsonio.dump_bytes(jsonio.readable(value))
    sys.stdout.write(_redact(written.decode()) + "\n")


def paint(text: str, colour: str, stream: TextIO | None = None) -> str:
    """`text` in a colour on a terminal that wants colours."""
    target = stream or sys.stdout
    if os.environ.get("NO_COLOR") or not target.isatty():
        return text
    return f"\x1b[{_CODES[colour]}m{text}\x1b[0m"


def status(name: str) -> str:
    """A check status with its mark, in its colour."""
    return paint(f"{_MARKS.get(name, ' ')} {name}", _STATUS.get(name, "grey"))


def table(rows: Iterable[Sequence[Any]], head: Sequence[str], *, limit: int = 44) -> None:
    """Aligned columns; cells over `limit` characters are cut with an ellipsis."""
    cells = [[_cell(item, limit) for item in row] for row in rows]
    widths = [len(name) for name in head]
    for row in cells:
        widths = [max(width, len(cell)) for width, cell in zip(widths, row, strict=True)]
    out(paint("  ".join(n.ljust(w) for n, w in zip(head, widths, strict=True)).rstrip(), "bold"))
    for row in cells:
        out("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip())


def _cell(value: Any, limit: int) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else jsonio.dumps(value)
    text = text.replace("\n", "⏎").replace("\t", " ")
    return text if len(text) <= limit else text[: limit - 1] + "…"
