"""The rules for every sink, one module per field of knowledge. Importing this registers them.

Rules of one service are in the room of its sink.
"""

from __future__ import annotations

from typing import Final

from routestudio.hazards.rules import deletes, functions, general, types, values, yaml

MODULES: Final = (deletes, functions, types, values, general, yaml)
