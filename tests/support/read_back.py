"""Projects whose deliveries are read back: rows as users have them, and the two commands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from routestudio.api import codec
from routestudio.api.sources import Source
from routestudio.engine.service import EngineService

ROOT = Path(__file__).parents[2]
DEBEZIUM = ROOT / "tests" / "data" / "debezium" / "default.jsonl"


def project(folder: Path, destination: Mapping[str, Any], **more: Any) -> Path:
    """A project with one sink, `out`; functions go in as `functions`."""
    functions = more.pop("functions", [])
    sink = {"name": "out", "database": "shop", **more, "destination": dict(destination)}
    path = folder / "project"
    path.mkdir()
    text = {"databases": [{"name": "shop", "hostname": "localhost"}], "functions": functions,
            "sinks": [sink]}  # fmt: skip
    (path / "sequin.yaml").write_text(json.dumps(text))
    return path


def messages(folder: Path) -> Path:
    """Changes without a position in a log, whose key is not `id`."""
    path = folder / "orders.jsonl"
    rows = [
        {"action": ("insert", "update", "read")[number % 3],
         "record": {"order_no": f"A-{number}", "note": f"Zoë {number}\u2028", "qty": number / 4},
         "changes": {"qty": 1} if number % 3 == 1 else None,
         "metadata": {"table_schema": "public", "table_name": "orders",
                      "record_pks": [f"A-{number}"]}}
        for number in range(12)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def table(folder: Path) -> Path:
    """Rows of a table as CSV."""
    path = folder / "towns.csv"
    path.write_text("id,name\n1,Ulm\n2,Bern\n3,Linz\n")
    return path


def debezium(folder: Path) -> Path:
    """Recorded events of Debezium, with a tombstone and more among them."""
    return DEBEZIUM


ROWS = {"messages": messages, "CSV": table, "Debezium": debezium}


async def delivered(service: EngineService, path: Path, rows: Path) -> dict[str, Any]:
    """Deliver rows, as a run of the program."""
    await service.open(str(path))
    summary = await service.run("out", input=str(rows), dead_letters=str(path / "dead.jsonl"))
    assert summary["delivered"] > 0, summary
    return summary


async def read(service: EngineService, rows: Path, **more: Any) -> dict[str, Any]:
    """What is read back, compared with the preview of the same rows."""
    answer = await service.reading.read_back("out", Source(input=str(rows)), **more)
    found = codec.complete(answer.found) if answer.found is not None else {"ask": answer.ask}
    assert isinstance(found, dict)
    return found


def counts(found: Mapping[str, Any]) -> dict[str, int]:
    """The verdicts that occur."""
    return {name: count for name, count in found["counts"].items() if count}


def changed(body: bytes | str, **fields: Any) -> bytes:
    """A delivered message with other values in its record."""
    value = json.loads(body)
    value["record"] |= fields
    return json.dumps(value).encode()
