"""Redis commands of which several belong to one group: nothing of it may pass what failed.

In a pipeline each command succeeds or fails by itself: when the memory is full for the first one,
it may have room for the next. A transaction is refused as a whole when one of its commands is
(https://redis.io/docs/latest/develop/interact/transactions/), and carried out in its order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from routestudio.model.outcome import DELIVERED, Outcome, kept_back, retry
from routestudio.sinks._shared.waves import in_waves
from routestudio.sinks.base import InOrder

if TYPE_CHECKING:
    from redis.asyncio.connection import Connection

_MULTI: Final = b"*1\r\n$5\r\nMULTI\r\n"
_EXEC: Final = b"*1\r\n$4\r\nEXEC\r\n"

_NOT_DONE: Final = retry("EXEC", "the transaction was not carried out", unknown=True)
_READ_BYTES: Final = 1 << 16

Judge = Callable[[BaseException], Outcome]
"""The outcome of a command that Redis answered with an error."""


class _Replies:
    """The replies of a transaction, line by line.

    All of them are simple: no text in them has lines. The client library's reader takes several
    times as long, and a transaction has two replies for each command.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lines: deque[bytes] = deque()
        self._rest = b""

    async def line(self) -> bytes:
        """The next line, without its end. Raises `ConnectionError` when there is none."""
        while not self._lines:
            reader = self._connection._reader
            data = await reader.read(_READ_BYTES) if reader is not None else b""
            if not data:
                raise ConnectionError("the server closed the connection")
            *lines, self._rest = (self._rest + data).split(b"\r\n")
            self._lines.extend(lines)
        return self._lines.popleft()

    def error(self, line: bytes) -> Exception:
        """The error that a line is. Raises one after which the connection is of no use."""
        from redis.exceptions import ResponseError

        text = line[1:].decode("utf-8", "replace")
        found: Exception = self._connection._parser.parse_error(text)  # type: ignore[no-untyped-call]
        if not isinstance(found, ResponseError):
            raise found
        return found


class Ordered:
    """Sends batches of one server. `apart`: it takes no transactions over several keys."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.apart = False

    async def send(self, connection: Connection, batch: InOrder, found: dict[int, Outcome]) -> None:
        """Send a batch and read all replies; what became of its commands is put into `found`.

        Raises when the connection ends. Nothing is known then of what is not in `found`.
        """
        if not self.apart and await self._transaction(connection, batch, found):
            return
        await self._waves(connection, batch, found)

    async def _transaction(
        self, connection: Connection, batch: InOrder, found: dict[int, Outcome]
    ) -> bool:
        """False when nothing was written, because the server takes no such transaction."""
        from redis.exceptions import ResponseError

        try:
            # Its answer is awaited: commands behind a MULTI that was refused are carried out.
            await connection.send_packed_command(_MULTI)
            await connection.read_response()
        except ResponseError:
            self.apart = True
            return False
        await connection.send_packed_command(b"".join([item.wire for item in batch]) + _EXEC)
        replies = _Replies(connection)
        refused = await self._refused(replies, len(batch))
        answer = await replies.line()
        if answer[:1] == b"-":
            error = replies.error(answer)
            if "CROSSSLOT" in str(error):
                self.apart = True
                return False
            other = kept_back("EXECABORT", "another command of its transaction was refused")
            if not refused:
                other = retry("EXECABORT", str(error))
            found.update({index: refused.get(index, other) for index in range(len(batch))})
            return True
        if answer != b"*%d" % len(batch):
            found.update(dict.fromkeys(range(len(batch)), _NOT_DONE))
            return True
        refused = await self._refused(replies, len(batch))
        found.update({index: refused.get(index, DELIVERED) for index in range(len(batch))})
        return True

    async def _refused(self, replies: _Replies, count: int) -> dict[int, Outcome]:
        """The outcomes of those among `count` commands that were answered with an error."""
        refused: dict[int, Outcome] = {}
        for index in range(count):
            line = await replies.line()
            if line[:1] == b"-":
                refused[index] = self._judge(replies.error(line))
            elif line[:1] == b"$" and line != b"$-1":
                await replies.line()  # the id of an entry
        return refused

    async def _waves(
        self, connection: Connection, batch: InOrder, found: dict[int, Outcome]
    ) -> None:
        from redis.exceptions import ResponseError

        async def pipeline(wave: Sequence[int]) -> None:
            await connection.send_packed_command(b"".join([batch[i].wire for i in wave]))
            for index in wave:
                try:
                    await connection.read_response()
                except ResponseError as error:
                    found[index] = self._judge(error)
                else:
                    found[index] = DELIVERED

        await in_waves(batch, found, pipeline)
