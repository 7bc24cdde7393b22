"""What to report to somebody who wrote what a Python function must not contain."""

from __future__ import annotations

from typing import Final

NOT_ALLOWED: Final[dict[str, tuple[str, str]]] = {
    "Import": ("imports are not allowed", "everything here works without an import"),
    "ImportFrom": ("imports are not allowed", "everything here works without an import"),
    "ClassDef": ("classes are not allowed", "use a map or a nested function"),
    "AsyncFunctionDef": ("async functions are not allowed", "write `def` without `async`"),
    "Await": ("`await` is not allowed", "functions compute from their arguments only"),
    "Yield": ("generators are not allowed", "return a list"),
    "YieldFrom": ("generators are not allowed", "return a list"),
    "Global": ("`global` is not allowed", "keep values in local variables"),
    "Nonlocal": ("`nonlocal` is not allowed", "return the value instead"),
    "With": ("`with` is not allowed", "there is nothing to open or close here"),
    "AsyncWith": ("`with` is not allowed", "there is nothing to open or close here"),
    "AsyncFor": ("`async for` is not allowed", "write `for`"),
    "TryStar": ("`except*` is not allowed", "write `except`"),
}
"""By the name of a syntax node: what to report about it, and what to do."""

INSTEAD: Final[dict[str, str]] = {
    "print": "return the value; the preview shows it",
    "format": 'use an f-string: f"{value}"',
    "type": "use `isinstance(value, str)`",
    "getattr": 'read entries with `data["key"]`',
    "hasattr": 'use `"key" in data`',
    "iter": "use `for`",
    "next": "use `for`, or `list(items)[0]`",
    "BaseException": "write `Exception`",
}
"""By the name of a built-in that is not available: what to do."""
