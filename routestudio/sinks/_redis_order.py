"""Redis commands of which several belong to one group: nothing of it may pass what failed.

In a pipeline each command succeeds or fails by itself: when the memory is full for the first one,
it may have room for the next. A transaction is refused as a whole when one of its commands is
(https://redis.io/docs/latest/develop/interact/transactions/), and carried out in its order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from routestudio.model.outcome import DELIVERED, Outcome, kept_back, retry
from routestudio.sinks._waves import in_waves
from routestudio.sinks.base import InOrder

if TYPE_CHECKING:
    from redis.asyncio.connection import Connection

_MULTI: Final = b"*1\r\n$5\r\nMULTI\r\n"
_EXEC: Final = b"*1\r\n$4\r\nEXEC\r\n"

Judge = Callable[[BaseException], Outcome]
"""The outcome of a command that Redis answered with an error."""


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

        read = connection.read_response
        try:
            # Its answer is awaited: commands behind a MULTI that was refused are carried out.
            await connection.send_packed_command(_MULTI)
            await read()
        except ResponseError:
            self.apart = True
            return False
        await connection.send_packed_command(b"".join([item.wire for item in batch]) + _EXEC)
        refused: dict[int, Outcome] = {}
        for index in range(len(batch)):
            try:
                await read()
            except ResponseError as error:
                refused[index] = self._judge(error)
        try:
            replies = await read()
        except ResponseError as error:
            if "CROSSSLOT" in str(error):
                self.apart = True
                return False
            other = kept_back("EXECABORT", "another command of its transaction was refused")
            if not refused:
                other = retry("EXECABORT", str(error))
            found.update({index: refused.get(index, other) for index in range(len(batch))})
            return True
        found.update(enumerate(self._outcomes(replies, len(batch))))
        return True

    def _outcomes(self, replies: Any, count: int) -> Sequence[Outcome]:
        if not isinstance(replies, list) or len(replies) != count:
            return [retry("EXEC", "the transaction was not carried out", unknown=True)] * count
        return [self._judge(r) if isinstance(r, BaseException) else DELIVERED for r in replies]

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
