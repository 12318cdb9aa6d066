"""One kept-alive HTTP/1.1 connection to a server that is asked; one exchange at a time."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol, cast

import httptools

from hune.dataplane.guard.answers import Header
from hune.dataplane.guard.memory import Memory
from hune.dataplane.guard.reply import (
    BrokenError,
    NoRoomError,
    Reply,
    StaleError,
    UpstreamError,
)

_INTERIM: Final = range(100, 200)
_STATUSES: Final = range(200, 600)

Hear = Callable[[Reply | Exception], None]


class Owner(Protocol):
    """What a connection needs to know of the pool that it belongs to."""

    maximum_body: int
    memory: Memory

    def forget(self, connection: "Connection") -> None:
        """Drop a connection that the server closed."""


class Connection(asyncio.Protocol):
    """One connection."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._taken = 0
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._hear: Hear | None = None
        self._outcome: Reply | Exception | None = None
        self._kept_alive = True
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
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

    def ask(self, head: bytes, body: bytes, deadline: float, hear: Hear) -> None:
        """Send a request.

        Args:
            head: Request line and headers, up to and with the empty line.
            body: The body that the head announces.
            deadline: When the answer is late, on the loop's clock.
            hear: Takes the answer, or what came in its place; called once, never from in here. What
                memory the answer has is the caller's to give back, with `give_back`.
        """
        self._begin()
        self._hear = hear
        self._transport.writelines((head, body) if body else (head,))
        self._expect_by(deadline)

    async def exchange(self, head: bytes, body: bytes, deadline: float) -> Reply:
        """Send a request and return its answer; whatever goes wrong closes the connection."""
        reply: asyncio.Future[Reply] = self._loop.create_future()
        self.ask(head, body, deadline, lambda outcome: _settle(reply, outcome))
        try:
            return await reply
        except BaseException:
            self.close()
            raise
        finally:
            self.give_back()

    def give_back(self) -> None:
        """Give back the memory of an answer that was heard."""
        self._owner.memory.give(self._taken)
        self._taken = 0
        self._chunks = []

    def close(self) -> None:
        """Close at once; unsent bytes are of no use to anyone, and nobody waits for what comes."""
        self._hear = None
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take a part of an answer."""
        self._heard = True
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._break(BrokenError(f"sent what is no HTTP/1.1 answer ({error})"))
        # Not from inside the parser: who hears this goes on to the client, and may fail there.
        if self._outcome is not None:
            self._tell()

    def connection_lost(self, exc: Exception | None) -> None:
        """End; that may be the end of an answer, or what keeps it from coming."""
        self._kept_alive = False
        if self._timer is not None:
            self._timer.cancel()
        self._owner.forget(self)
        ends_with_connection = not self._in_head and not self._framed
        if ends_with_connection and exc is None:
            self._finish()
        elif not self._heard:
            self._fail(StaleError("closed the connection without an answer"))
        else:
            self._fail(BrokenError("closed the connection in the middle of its answer"))
        self._tell()
        self.give_back()

    def on_message_begin(self) -> None:
        """Take the beginning of an answer."""
        if self._hear is None or self._outcome is not None:
            self._begin()
            self._transport.abort()  # an answer that nobody asked for

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        if self._in_head:  # what follows a chunked body are trailers, which end here
            name = name.lower()
            self._framed |= name in (b"content-length", b"transfer-encoding")
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Take the end of the headers."""
        self._status = self._parser.get_status_code()
        self._kept_alive = self._parser.should_keep_alive()
        self._in_head = False

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._size += len(body)
        if self._size > self._owner.maximum_body:
            self._break(BrokenError(f"sent an answer larger than {self._owner.maximum_body} bytes"))
        elif not self._owner.memory.take(len(body)):
            self._break(NoRoomError("sent an answer for which there is no room just now"))
        else:
            self._taken += len(body)
            self._chunks.append(body)

    def on_message_complete(self) -> None:
        """Take the end of an answer."""
        if self._status in _INTERIM:
            self._begin()
        else:
            self._finish()

    def _finish(self) -> None:
        if self._status not in _STATUSES:
            self._fail(BrokenError(f"answered with the status {self._status}"))
        elif self._outcome is None:
            body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
            self._outcome = Reply(self._status, self._headers, body)

    def _break(self, error: UpstreamError) -> None:
        self.give_back()  # at once: others that arrive in the same moment need the room
        self._outcome = error
        self._kept_alive = False
        self._transport.abort()

    def _expect_by(self, deadline: float) -> None:
        """Fail when no answer came by then.

        A timer that is set already is left to run: it looks at the deadline when it fires. One
        that is set and taken back for each exchange would cost more than the rest of this.
        """
        self._deadline = deadline
        if self._timer is not None and deadline < self._timer.when():
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_at(deadline, self._expire)

    def _expire(self) -> None:
        self._timer = None
        if self._hear is None:
            return
        if self._loop.time() < self._deadline:
            self._expect_by(self._deadline)
        else:
            self._fail(TimeoutError())
            self._tell()

    def _fail(self, error: Exception) -> None:
        if self._outcome is None:
            self._outcome = error

    def _tell(self) -> None:
        outcome, self._outcome = self._outcome, None
        hear, self._hear = self._hear, None
        if hear is not None and outcome is not None:
            hear(outcome)


def _settle(reply: "asyncio.Future[Reply]", outcome: Reply | Exception) -> None:
    if reply.done():
        return
    if isinstance(outcome, Reply):
        reply.set_result(outcome)
    else:
        reply.set_exception(outcome)
