"""Whom the guard asks: a bounded pool of kept-alive HTTP/1.1 connections to one server.

Every prediction takes this way, and the HTTP client libraries cost two to seven times as much.
"""

import asyncio
from typing import Final

from hune.dataplane.guard.connection import Connection, Hear
from hune.dataplane.guard.memory import Memory
from hune.dataplane.guard.reply import (
    BrokenError,
    NoRoomError,
    Reply,
    SlowError,
    StaleError,
    UnreachableError,
    UpstreamError,
)

_LOOPBACK: Final = "127.0.0.1"


class Pool:
    """Connections to one server, never more than a maximum, the warmest used first.

    It is the predictor, unless a `host` is named, which messages then call `peer`; a connection is
    given up after `connect_seconds`. An answer takes `memory` until its asker has it.
    """

    def __init__(
        self,
        port: int,
        *,
        maximum: int,
        timeout_seconds: float,
        maximum_body: int,
        host: str = _LOOPBACK,
        peer: str = "the predictor",
        connect_seconds: float | None = None,
        memory: Memory | None = None,
    ) -> None:
        self.port = port
        self.maximum_body = maximum_body
        self.memory = memory or Memory(maximum * maximum_body)
        self._host = host
        self._peer = peer
        self._connect_seconds = connect_seconds
        self._slots = asyncio.Semaphore(maximum)
        self._timeout_seconds = timeout_seconds
        self._idle: list[Connection] = []
        self._loop = asyncio.get_running_loop()
        self._trying: set[asyncio.Task[None]] = set()
        self._closed = False

    async def request(self, head: bytes, body: bytes = b"") -> Reply:
        """Return the predictor's answer.

        Args:
            head: Request line and headers, up to and with the empty line.
            body: The body that the head announces.

        Raises:
            UnreachableError: No connection comes about.
            SlowError: No answer in time, the wait for a free connection included.
            BrokenError: The answer is unusable.
            NoRoomError: There is no memory for it.
        """
        deadline = self._loop.time() + self._timeout_seconds
        try:
            await self._take_slot(deadline)
            try:
                return await self._exchange(head, body, deadline)
            finally:
                self._slots.release()
        except (TimeoutError, BrokenError, NoRoomError) as error:
            raise self._named(error) from None

    def begin(self, head: bytes, body: bytes, hear: Hear) -> bool:
        """Ask where a connection is warm and free; no task is needed for it.

        Args:
            head: As above.
            body: As above.
            hear: Takes the answer, or one of the errors above; called once, and never from in here.

        Returns:
            False where there is none; nothing was done then.
        """
        if self._slots.locked() or not (connection := self._take_idle()):
            return False
        _take_free(self._slots)
        deadline = self._loop.time() + self._timeout_seconds

        def settle(outcome: Reply | Exception) -> None:
            self._slots.release()
            connection.give_back()
            if isinstance(outcome, Reply):
                self._keep(connection)
                hear(outcome)
            elif isinstance(outcome, StaleError):
                connection.close()
                self._try_again(head, body, hear)
            else:
                connection.close()
                hear(self._named(outcome))

        connection.ask(head, body, deadline, settle)
        return True

    def _try_again(self, head: bytes, body: bytes, hear: Hear) -> None:
        """Ask once more in the usual way, which knows how to connect."""

        async def ask() -> None:
            try:
                outcome: Reply | Exception = await self.request(head, body)
            except UpstreamError as error:
                outcome = error
            hear(outcome)

        task = self._loop.create_task(ask())
        self._trying.add(task)
        task.add_done_callback(self._trying.discard)

    def close(self) -> None:
        """Let no connection outlive the exchange that it is in."""
        self._closed = True
        for connection in list(self._idle):
            connection.close()

    def forget(self, connection: Connection) -> None:
        """Drop a connection that the predictor closed."""
        if connection in self._idle:
            self._idle.remove(connection)

    async def _take_slot(self, deadline: float) -> None:
        if self._slots.locked():
            async with asyncio.timeout_at(deadline):
                await self._slots.acquire()
        else:
            await self._slots.acquire()

    async def _exchange(self, head: bytes, body: bytes, deadline: float) -> Reply:
        if warm := self._take_idle():
            try:
                return await self._exchange_on(warm, head, body, deadline)
            except StaleError:
                # A server may close a kept-alive connection just as it is used again; it read
                # nothing then, so sending once more on a connection of its own is safe.
                pass
        async with asyncio.timeout_at(deadline):
            fresh = await self._connect()
        return await self._exchange_on(fresh, head, body, deadline)

    def _take_idle(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable:
                return connection
        return None

    async def _exchange_on(
        self, connection: Connection, head: bytes, body: bytes, deadline: float
    ) -> Reply:
        reply = await connection.exchange(head, body, deadline)
        self._keep(connection)
        return reply

    def _keep(self, connection: Connection) -> None:
        if connection.reusable and not self._closed:
            self._idle.append(connection)
        else:
            connection.close()

    async def _connect(self) -> Connection:
        # In a task of its own, which can be given up at any point.
        connecting = asyncio.ensure_future(
            self._loop.create_connection(lambda: Connection(self), self._host, self.port)
        )
        try:
            async with asyncio.timeout(self._connect_seconds):
                _, connection = await connecting
        except OSError as error:
            reason = error.strerror or str(error) or "no connection in time"
            raise UnreachableError(self._say(f"cannot be reached ({reason})")) from None
        finally:
            connecting.cancel()
        return connection

    def _named(self, error: Exception) -> Exception:
        """Return an error of an exchange as one that says whose it was."""
        match error:
            case TimeoutError():
                return SlowError(self._say(f"did not answer within {self._timeout_seconds:g} s"))
            case BrokenError() | NoRoomError():
                return type(error)(self._say(str(error)))
        return error

    def _say(self, what: str) -> str:
        return f"{self._peer} on port {self.port} {what}"


def _take_free(slots: asyncio.Semaphore) -> None:
    """Take a slot of which one is free; that waits for nothing."""
    try:
        slots.acquire().send(None)
    except StopIteration:
        return
