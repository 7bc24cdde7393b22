"""Small projects for tests of whole routes: a file, functions, and samples of all four actions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def write_project(
    folder: Path, text: str, functions: Mapping[str, str], rows: Sequence[dict[str, Any]]
) -> None:
    """Write `sequin.yaml`, `functions/NAME.py` for each function, and the sample set `rows`."""
    for name in ("functions", "samples"):
        (folder / name).mkdir()
    (folder / "sequin.yaml").write_text(text)
    for name, code in functions.items():
        (folder / "functions" / f"{name}.py").write_text(code)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "samples" / "rows.jsonl").write_text(lines)


def document_rows() -> list[dict[str, Any]]:
    """Changes of documents in two tables; some documents change several times."""
    found = []
    for number in range(60):
        action = ("insert", "update", "read", "delete")[number % 4]
        found.append({
            "action": action,
            "record": {"id": number // 4 * 10 + number % 3, "name": f"é {number}"},
            "changes": {"name": "before"} if action == "update" else None,
            "metadata": {"table_name": "orders" if number % 5 else "customers",
                         "commit_lsn": 1000 + number, "commit_idx": number},
        })  # fmt: skip
    return found


def region_rows() -> list[dict[str, Any]]:
    """Changes of orders in two regions and in none."""
    found = []
    for number in range(120):
        action = ("insert", "update", "delete", "read")[number % 4]
        record = {"id": number, "region": ("EU", "US", None)[number % 3], "note": f"Zoë {number}"}
        metadata = {"table_schema": "public", "table_name": "orders", "commit_idx": number,
                    "commit_lsn": 5, "database_name": "shop",
                    "record_pks": [str(number)]}  # fmt: skip
        changes = {"region": "X"} if action == "update" else None
        found.append({"action": action, "record": record, "changes": changes, "metadata": metadata})
    return found
