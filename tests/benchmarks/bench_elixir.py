"""Elixir functions against the same functions in Python, in the same worker.

Bar: at least 1/4 of Python's speed, for each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Any

from routestudio.functions.pool import FunctionPool
from routestudio.model.function import Function, FunctionKind, Language
from routestudio.model.message import Message
from tests.benchmarks.harness import Measure, Options, make_messages, rate

CHUNK = 500

Pair = tuple[FunctionKind, str, str]

PAIRS: dict[str, Pair] = {
    "a route": (
        FunctionKind.ROUTING,
        """
def route(action, record, changes, metadata):
    country = record["country"]
    region = "eu" if country in ("AT", "DE", "FR") else "world"
    if action == "delete":
        topic = "deleted." + metadata.table_name
    elif record["status"] == "paid":
        topic = "paid." + region
    else:
        topic = metadata.table_name + "." + region
    return {"topic": topic, "message_key": str(record["customer_id"])}
""",
        """
def route(action, record, changes, metadata) do
  region = if record["country"] in ["AT", "DE", "FR"], do: "eu", else: "world"

  topic =
    cond do
      action == "delete" -> "deleted." <> metadata.table_name
      record["status"] == "paid" -> "paid." <> region
      true -> metadata.table_name <> "." <> region
    end

  %{topic: topic, message_key: to_string(record["customer_id"])}
end
""",
    ),
    "a filter": (
        FunctionKind.FILTER,
        """
def filter(action, record, changes, metadata):
    return action != "delete" and record["status"] == "paid" and record["customer_id"] >= 10
""",
        """
def filter(action, record, changes, metadata) do
  action != "delete" and record["status"] == "paid" and record["customer_id"] >= 10
end
""",
    ),
    "a transform": (
        FunctionKind.TRANSFORM,
        """
def transform(action, record, changes, metadata):
    words = [w.upper() for w in record["status"].split("a") if w != ""]
    return {"id": record["customer_id"], "words": "-".join(words), "count": len(words) + 1}
""",
        """
def transform(action, record, changes, metadata) do
  words =
    record["status"]
    |> String.split("a")
    |> Enum.reject(fn w -> w == "" end)
    |> Enum.map(&String.upcase/1)

  %{"id" => record["customer_id"], "words" => Enum.join(words, "-"), "count" => length(words) + 1}
end
""",
    ),
}


async def measure(options: Options) -> Sequence[Measure]:
    """Each pair of functions on the same messages, with the same values."""
    messages = make_messages(options.messages)
    count = len(messages)
    found = []
    pool = FunctionPool()
    try:
        for name, (kind, python, elixir) in PAIRS.items():
            one = Function("python", kind, Language.PYTHON, python)
            two = Function("elixir", kind, Language.ELIXIR, elixir)
            assert await _values(pool, one, messages[:200]) == \
                await _values(pool, two, messages[:200])  # fmt: skip
            bare, ours = [], []
            for _ in range(options.rounds):
                bare.append(await _timed(pool, one, messages))
                ours.append(await _timed(pool, two, messages))
            found.append(Measure(
                f"{name} in Elixir, against Python", rate(count, min(ours)),
                rate(count, min(bare)), min(bare) / min(ours), 1 / 4,
            ))  # fmt: skip
    finally:
        await pool.close()
    return found


async def _values(pool: FunctionPool, function: Function, messages: Sequence[Message]) -> list[Any]:
    (results,) = await pool.evaluate([function], messages)
    assert all(result.fault is None for result in results)
    return [result.value for result in results]


async def _timed(pool: FunctionPool, function: Function, messages: Sequence[Message]) -> float:
    begun = perf_counter()
    for start in range(0, len(messages), CHUNK):
        await pool.evaluate([function], messages[start : start + CHUNK])
    return perf_counter() - begun
