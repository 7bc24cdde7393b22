"""Names that the window makes up."""

from __future__ import annotations

import re


def variable(*parts: str) -> str:
    """The name of a variable that keeps a secret of these parts."""
    name = re.sub(r"[^A-Z0-9]+", "_", "_".join(parts).upper()).strip("_")
    return name if name[:1].isalpha() else f"S_{name}"
