"""The bounds that uvicorn's HTTP/1.1 protocol lacks, and the words in which it refuses."""

import asyncio
import re
import socket
from typing import Any, Final, Protocol, cast

import httptools
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from hune.dataplane.guard.answers import CLOSE, JSON, Answer, error_body
from hune.dataplane.guard.headers import announces_body
from hune.dataplane.guard.joining import JoiningTransport
from hune.dataplane.guard.request import Deliver, Request
from hune.dataplane.wire.paths import show

_MAXIMUM_HEAD: Final = 64 << 10
_MAXIMUM_CONNECTIONS: Final = 4096
_UNREAD_MILLISECONDS: Final = 60_000
_TARGET: Final = re.compile(rb"[!-~]+")


class Listener(Protocol):
    """What the protocol needs to know of the application behind it."""

    read_timeout_seconds: float

    def refused(self, status: int) -> None:
        """Note a request that was refused before it was one."""

    def begin(self, request: Request, deliver: Deliver) -> bool:
        """Begin to answer a request without a task; tell whether that is possible."""


class _RefusedError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Bounded(HttpToolsProtocol):
    """One client's connection, within bounds.

    uvicorn waits for ever for the rest of a request, holds headers of any size and answers what
    it cannot parse in plain text and with a line in the log. Here every request has a moment to
    arrive in and a bound on its head, and every refusal says in JSON what was wrong.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._listener = cast("Listener", self.config.app)
        self._received = 0
        self._in_head = False
        self._incomplete = True  # a client that connects owes a request
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; a client that never reads its answers is cut off by the kernel."""
        super().connection_made(cast("asyncio.Transport", transport))
        transport.get_extra_info("socket").setsockopt(
            socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_MILLISECONDS
        )
        self._joining = JoiningTransport(self.transport)
        self.transport = cast("asyncio.Transport", self._joining)
        if len(self.connections) > _MAXIMUM_CONNECTIONS:
            self._refuse(503, f"more than {_MAXIMUM_CONNECTIONS} connections are open")
        else:
            self._set_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._clear_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came; refuse what is no request."""
        self._received += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._refuse_malformed(data, error)
        except httptools.HttpParserUpgrade:
            # The request itself was served in HTTP/1.1; what follows would be another protocol.
            self.cycle.keep_alive = False
        else:
            self._bound()

    def shutdown(self) -> None:
        """Close at the end of the drain, unless a request is just arriving."""
        if not (self._incomplete and self._received):
            super().shutdown()

    def _check_head(self) -> None:
        """Refuse what uvicorn must not see."""
        if not _TARGET.fullmatch(self.url):
            raise _RefusedError(400, f"the path {show(self.url)} holds what no URL may hold")
        if self._received > _MAXIMUM_HEAD:
            size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
            if size > _MAXIMUM_HEAD:
                raise _head_too_large()
        if self.parser.should_upgrade() and announces_body(self.headers):
            # The parser takes the body for the other protocol's first bytes.
            raise _RefusedError(400, "Upgrade is not served: send the body without that header")

    def _bound(self) -> None:
        if not self._incomplete:
            self._clear_deadline()
        elif self._in_head and self._received > _MAXIMUM_HEAD:
            refused = _head_too_large()
            self._refuse(refused.status, str(refused))
        else:
            self._set_deadline()

    def _set_deadline(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self._listener.read_timeout_seconds, self._late)

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        self._deadline = None
        if self._answering():
            self._set_deadline()
        elif self._received == 0:
            self.transport.close()
        else:
            seconds = self._listener.read_timeout_seconds
            self._refuse(408, f"the request did not arrive within {seconds:g} s")

    def _answering(self) -> bool:
        """Tell whether a request that came whole is still being answered."""
        cycle = self.cycle
        running = cycle is not None and not cycle.response_complete and not cycle.more_body
        return running or bool(self.pipeline)

    def _refuse_malformed(self, data: bytes, error: httptools.HttpParserError) -> None:
        cause = error.__context__
        if isinstance(cause, _RefusedError):
            self._refuse(cause.status, str(cause))
            return
        line = data.partition(b"\r\n")[0] if self._received == len(data) else b""
        where = f" at {show(line)}" if line else ""
        self._refuse(400, f"this is not an HTTP/1.1 request: {error}{where}")

    def _refuse(self, status: int, message: str) -> None:
        """Answer in place of the application, and end the connection."""
        self._clear_deadline()
        self._listener.refused(status)
        cycle = self.cycle
        if self._answering() and not self.pipeline:
            # The earlier request gets its answer; this one must not be answered in its place.
            self.flow.pause_reading()
            cycle.keep_alive = False
            return
        if cycle is None or cycle.response_complete:
            self.transport.write(_response(status, message))
        elif not self.pipeline:
            self._refuse_cycle(cycle, status, message)
        self.transport.close()

    def _refuse_cycle(self, cycle: RequestResponseCycle, status: int, message: str) -> None:
        """Answer a request whose application waits for the rest of it."""
        if not cycle.response_started:
            self.transport.write(_response(status, message))
        cycle.disconnected = True
        cycle.message_event.set()


def _head_too_large() -> _RefusedError:
    return _RefusedError(431, f"the request line and headers are larger than {_MAXIMUM_HEAD} bytes")


def _response(status: int, message: str) -> bytes:
    return written(Answer(status, [JSON, CLOSE], error_body(message)))


def written(answer: Answer) -> bytes:
    """Return an answer as it is sent."""
    lines = b"".join([b"%b: %b\r\n" % header for header in answer.headers])
    length = len(answer.body)
    head = b"%bcontent-length: %d\r\n%b\r\n" % (STATUS_LINE[answer.status], length, lines)
    return head + answer.body
