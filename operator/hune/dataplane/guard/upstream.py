"""Whom the guard asks: a bounded pool of kept-alive HTTP/1.1 connections to one server.

Every prediction takes this way, and the HTTP client libraries cost two to seven times as much.
"""

import asyncio
from dataclasses import dataclass
from typing import Final, cast

import httptools

from hune.dataplane.guard.answers import Header

_LOOPBACK: Final = "127.0.0.1"
_INTERIM: Final = range(100, 200)
_STATUSES: Final = range(200, 600)


class UpstreamError(Exception):
    """There is no usable answer."""


class UnreachableError(UpstreamError):
    """No connection comes about."""


class SlowError(UpstreamError):
    """The answer did not come in time."""


class BrokenError(UpstreamError):
    """What came is no HTTP answer, or not all of one."""


class _StaleError(BrokenError):
    """The connection ended before the first byte of an answer."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of the predictor, complete; header names in small letters."""

    status: int
    headers: list[Header]
    body: bytes


class _Connection(asyncio.Protocol):
    """One connection; one exchange at a time."""

    def __init__(self, pool: "Pool", maximum_body: int) -> None:
        self._pool = pool
        self._maximum_body = maximum_body
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._reply: asyncio.Future[Reply] | None = None
        self._kept_alive = True
        self._begin()

    def _begin(self) -> None:
        self._status = 0
        self._headers: list[Header] = []
        self._chunks: list[bytes] = []
        self._size = 0
        self._heard = False
        self._in_head = True
        self._framed = False

    @property
    def reusable(self) -> bool:
        """Tell whether another exchange may follow."""
        # A predictor that answered before it read everything would take the rest for a request.
        unsent = self._transport.get_write_buffer_size()
        return self._kept_alive and not unsent and not self._transport.is_closing()

    async def exchange(self, head: bytes, body: bytes, deadline: float) -> Reply:
        """Send a request and return its answer; whatever goes wrong closes the connection."""
        self._begin()
        reply: asyncio.Future[Reply] = self._loop.create_future()
        self._reply = reply
        self._transport.writelines((head, body) if body else (head,))
        timer = self._loop.call_at(deadline, self._expire)
        try:
            return await reply
        except BaseException:
            self.close()
            raise
        finally:
            timer.cancel()

    def close(self) -> None:
        """Close at once; unsent bytes are of no use to anyone."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._heard = True
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._break(BrokenError(f"sent what is no HTTP/1.1 answer ({error})"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._kept_alive = False
        self._pool.forget(self)
        if self._ends_with_connection() and exc is None:
            self._finish()
        elif not self._heard:
            self._fail(_StaleError("closed the connection without an answer"))
        else:
            self._fail(BrokenError("closed the connection in the middle of its answer"))

    def _ends_with_connection(self) -> bool:
        return not self._in_head and not self._framed

    def on_message_begin(self) -> None:
        if self._reply is None or self._reply.done():
            self._begin()
            self._break(BrokenError("sent an answer that nobody asked for"))

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # what follows a chunked body are trailers, which end here
            name = name.lower()
            self._framed |= name in (b"content-length", b"transfer-encoding")
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._status = self._parser.get_status_code()
        self._kept_alive = self._parser.should_keep_alive()
        self._in_head = False

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size <= self._maximum_body:
            self._chunks.append(body)
        else:
            self._break(BrokenError(f"sent an answer larger than {self._maximum_body} bytes"))

    def on_message_complete(self) -> None:
        if self._status in _INTERIM:
            self._begin()
        else:
            self._finish()

    def _finish(self) -> None:
        if self._status not in _STATUSES:
            self._fail(BrokenError(f"answered with the status {self._status}"))
        elif self._reply and not self._reply.done():
            body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
            self._reply.set_result(Reply(self._status, self._headers, body))

    def _break(self, error: BrokenError) -> None:
        self._fail(error)
        self.close()

    def _expire(self) -> None:
        self._fail(TimeoutError())

    def _fail(self, error: Exception) -> None:
        if self._reply and not self._reply.done():
            self._reply.set_exception(error)


class Pool:
    """Connections to one server, never more than a maximum, the warmest used first.

    It is the predictor, unless a `host` is named: then `peer` is what messages call it, and a
    connection that does not come about within `connect_seconds` is given up.
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
    ) -> None:
        self.port = port
        self._host = host
        self._peer = peer
        self._connect_seconds = connect_seconds
        self._slots = asyncio.Semaphore(maximum)
        self._timeout_seconds = timeout_seconds
        self._maximum_body = maximum_body
        self._idle: list[_Connection] = []
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
        """
        deadline = asyncio.get_running_loop().time() + self._timeout_seconds
        try:
            await self._take_slot(deadline)
            try:
                return await self._exchange(head, body, deadline)
            finally:
                self._slots.release()
        except TimeoutError:
            message = f"did not answer within {self._timeout_seconds:g} s"
            raise SlowError(self._say(message)) from None
        except BrokenError as error:
            raise BrokenError(self._say(str(error))) from None

    def close(self) -> None:
        """Let no connection outlive the exchange that it is in."""
        self._closed = True
        for connection in list(self._idle):
            connection.close()

    def forget(self, connection: _Connection) -> None:
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
            except _StaleError:
                # A server may close a kept-alive connection just as it is used again; it read
                # nothing then, so sending once more on a connection of its own is safe.
                pass
        async with asyncio.timeout_at(deadline):
            fresh = await self._connect()
        return await self._exchange_on(fresh, head, body, deadline)

    def _take_idle(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable:
                return connection
        return None

    async def _exchange_on(
        self, connection: _Connection, head: bytes, body: bytes, deadline: float
    ) -> Reply:
        reply = await connection.exchange(head, body, deadline)
        if connection.reusable and not self._closed:
            self._idle.append(connection)
        else:
            connection.close()
        return reply

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_seconds):
                # A host's name is resolved in a thread.
                _, connection = await loop.create_connection(
                    lambda: _Connection(self, self._maximum_body), self._host, self.port
                )
        except OSError as error:
            reason = error.strerror or str(error) or "no connection in time"
            raise UnreachableError(self._say(f"cannot be reached ({reason})")) from None
        return connection

    def _say(self, what: str) -> str:
        return f"{self._peer} on port {self.port} {what}"
