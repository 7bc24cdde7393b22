"""Short ways to write functions and messages in tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from routestudio.functions.pool import FunctionPool
from routestudio.model.function import Function, FunctionKind, FunctionResult, Language
from routestudio.model.message import Message, message_from

HEAD = "def {}(action, record, changes, metadata):\n"


def source(body: str, kind: FunctionKind = FunctionKind.ROUTING) -> str:
    """A whole function around `body`; its first line is line 2, column 5."""
    # Not `textwrap.indent`: it takes form feeds and the like for line ends.
    return HEAD.format(kind.entry_point) + "".join(f"    {line}\n" for line in body.split("\n"))


def function(body: str, kind: FunctionKind = FunctionKind.ROUTING) -> Function:
    return whole(source(body, kind), kind)


def whole(code: str, kind: FunctionKind = FunctionKind.ROUTING) -> Function:
    return Function("f", kind, Language.PYTHON, code)


def message(record: dict[str, Any] | None = None, **parts: Any) -> Message:
    return message_from({"action": "insert", "record": record or {"id": 1}, **parts})


def numbered(count: int) -> list[Message]:
    return [message_from({"action": "insert", "record": {"id": i}}, index=i) for i in range(count)]


async def outcome(pool: FunctionPool, body: str, *messages: Message) -> FunctionResult:
    """The result of a function's body on one message."""
    ((result,),) = await pool.evaluate([function(body)], messages or [message()])
    return result


async def value(pool: FunctionPool, body: str, *messages: Message) -> Any:
    """The value that a function's body gives; fails the test when there is a fault."""
    result = await outcome(pool, body, *messages)
    assert result.fault is None, result.fault
    return result.value


def codes(results: Sequence[FunctionResult]) -> list[str]:
    """`ok` or the code of the fault, for each result."""
    return ["ok" if item.fault is None else item.fault.code for item in results]
