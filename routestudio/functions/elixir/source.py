"""From text to diagnostics: every step that a server takes when a function is saved."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from routestudio.functions.elixir import checker, scope
from routestudio.functions.elixir.escapes import SourceError
from routestudio.functions.elixir.parser import parse
from routestudio.model.function import Diagnostic

MAX_BYTES: Final = 10_000
TOO_LONG: Final = "too long, the maximum is 10 kilobytes"
PYTHON_HINT: Final = "this looks like Python, and the function is Elixir: add one in Python for it"
_PYTHON: Final = re.compile(r"^def \w+\([^()]*\)(?: *->[^:\n]*)?: *(?:#.*)?$", re.MULTILINE)
TOO_DEEP: Final = "the code is nested too deeply to be evaluated here"


@dataclass(frozen=True, slots=True)
class Source:
    """What is known of a text: its body in quoted form (if it has one), and all problems.

    `whole` is the text's quoted form, with the definition around the body.
    """

    body: Any
    found: tuple[Diagnostic, ...]
    whole: Any = None

    @property
    def accepted(self) -> bool:
        return not any(item.severity == "error" for item in self.found)


def read(code: str) -> Source:
    """Read and check a text by the server's rules, in the server's order."""
    if len(code.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return Source(None, (Diagnostic(1, 1, "too_long", TOO_LONG),))
    try:
        whole = parse(code)
        body = checker.unwrap(whole)
        found = checker.check(body)
        found += scope.undefined(body)
    except SourceError as error:
        return Source(None, tuple(_unreadable(e, code) for e in (error, *error.others)))
    except checker.Rejected as rejected:
        return Source(None, (rejected.diagnostic,))
    except RecursionError:
        return Source(None, (Diagnostic(1, 1, "too_deep", TOO_DEEP),))
    return Source(body, tuple(found), whole)


def _unreadable(error: SourceError, code: str) -> Diagnostic:
    line, column = error.place
    hint = PYTHON_HINT if _PYTHON.search(code) else error.hint
    return Diagnostic(line, column, "parse", error.message, line, column + 1, hint=hint)
