"""Keys that a server reads of the destinations of AWS."""

from __future__ import annotations

from typing import Final

KEYS: Final = frozenset(
    {"access_key_id", "secret_access_key", "use_task_role", "region", "use_emulator",
     "emulator_base_url"}
)  # fmt: skip
