"""All that can be known about an Elixir function without running it."""

from __future__ import annotations

from routestudio.functions.elixir import source
from routestudio.functions.elixir.program import warnings
from routestudio.model.function import Diagnostic, FunctionKind


def check(code: str, kind: FunctionKind) -> list[Diagnostic]:
    """All problems, the server's first one first; without errors a server accepts the function.

    Warnings name what a server accepts but does not know (`undefined_function`), and what is not
    evaluated here (`not_evaluated`). The name after `def` is not compared with the kind, as on a
    server.
    """
    read = source.read(code)
    if not read.accepted:
        return list(read.found)
    return [*read.found, *warnings(read.body)]
