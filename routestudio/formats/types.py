"""Names of column types as people and PostgreSQL write them."""

from __future__ import annotations

from typing import Final

from routestudio.formats import _columns
from routestudio.formats._columns import type_name as type_name

KNOWN: Final = tuple(dict.fromkeys((*_columns.NAMES.values(), *_columns.NAMES)))
"""The built-in types: their short names, and after those the other names that they have."""
