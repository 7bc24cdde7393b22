"""`json.dumps` as functions have it: decimals and times are text, as a server writes them."""

from __future__ import annotations

import datetime as dt
import decimal
import json
from typing import Any


def dumps(value: Any, **options: Any) -> str:
    """JSON text. Options are those of Python; `default` of the caller goes before ours."""
    return json.dumps(value, **{"default": _text, **options})


def _text(value: Any) -> str:
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
