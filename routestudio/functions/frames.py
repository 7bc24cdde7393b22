"""What a function worker and its owner both know of the frames between them."""

from __future__ import annotations

import struct
from typing import Final, Literal

HEADER: Final = struct.Struct("<I")
PROGRESS: Final = struct.Struct("<Q")
IDLE: Final = (1 << 64) - 1
"""What the progress board shows while no user code runs."""

ROW_BITS: Final = 40
"""The board shows `program << ROW_BITS | row`, so that each call has its own time limit."""

Mode = Literal["value", "exact", "traced"]
"""What is wanted of a call: what a server delivers, Elixir's value itself, or also what it did."""

Program = tuple[str, str, str, Mode]
"""Language, kind, code, and what is wanted."""
