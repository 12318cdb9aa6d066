"""The client's side: requests that came whole are answered the short way, all others by a task."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from hune.dataplane.guard.answers import CLOSE, Answer
from hune.dataplane.guard.bounded import Bounded, written
from hune.dataplane.guard.request import Request

_NOBODY_WAITS: Final = asyncio.Event()


class _Exchange:
    """What stands where uvicorn has a cycle, while a request is answered without a task."""

    __slots__ = ("disconnected", "keep_alive", "response_complete")

    # A request that came whole: there is nothing more to come, and nobody waits for it.
    more_body = False
    message_event = _NOBODY_WAITS

    def __init__(self) -> None:
        self.keep_alive = True
        self.response_complete = self.disconnected = False


class Inbound(Bounded):
    """One client's connection.

    Nothing is handed to uvicorn before all that arrived at once is parsed. By then most requests
    are there with their bodies, and whoever listens may answer them without a task.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._held: list[bytes] | None = None
        self._idle_since = 0.0

    def on_message_begin(self) -> None:
        """Note that a request is under way."""
        self._in_head = self._incomplete = True
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        """Check the head as a whole before anything is made of it."""
        self._check_head()
        self._in_head = False
        self._held = []
        if self.cycle is not None and not self.cycle.response_complete:
            self._begin_usually()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        if self._held is None:
            super().on_body(body)
        else:
            self._held.append(body)

    def on_message_complete(self) -> None:
        """Note that the request is whole, and answer it the short way if that is possible."""
        self._incomplete = False
        self._received = 0
        if self._held is not None:
            if self._is_plain() and self._begin_shortly(b"".join(self._held)):
                return
            self._begin_usually()
        super().on_message_complete()

    def _is_plain(self) -> bool:
        parser = self.parser
        return parser.should_keep_alive() and not parser.should_upgrade()

    def _begin_shortly(self, body: bytes) -> bool:
        former, cycle = self.cycle, _Exchange()
        self.cycle = cast("RequestResponseCycle", cycle)
        request = Request(self.parser.get_method(), self.url, self.headers, body)
        if self._listener.begin(request, partial(self._deliver, cycle)):
            self._held = None
            return True
        self.cycle = former
        return False

    def _begin_usually(self) -> None:
        """Hand what is there to a task, as uvicorn does from the start."""
        held, self._held = self._held or [], None
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        HttpToolsProtocol.on_message_begin(self)  # makes what the short way needs nothing of
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)
        super().on_headers_complete()
        for part in held:
            super().on_body(part)

    def _deliver(self, cycle: _Exchange, answer: Answer, taken: Callable[[], None]) -> None:
        # uvicorn tells the latest request only that the client left, which may be one behind this.
        if cycle.disconnected or self.transport.is_closing():
            taken()
            return
        self._joining.write_whole(written(answer))
        if self.flow.write_paused:
            task = self.loop.create_task(self._finish_once_taken(cycle, answer, taken))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        else:
            self._finish(cycle, answer, taken)

    async def _finish_once_taken(
        self, cycle: _Exchange, answer: Answer, taken: Callable[[], None]
    ) -> None:
        await self.flow.drain()
        self._finish(cycle, answer, taken)

    def _finish(self, cycle: _Exchange, answer: Answer, taken: Callable[[], None]) -> None:
        cycle.response_complete = True
        taken()
        if CLOSE in answer.headers or not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def on_response_complete(self) -> None:
        """Go on to the request that waits; where none does, note since when nobody asks.

        uvicorn sets a timer here and takes it back with the next request, which costs more than
        all that is done with an answer: this one is left to run, and looks at the clock.
        """
        if self.transport.is_closing():
            return
        self._idle_since = self.loop.time()
        if self.pipeline or self.timeout_keep_alive_task is None:
            super().on_response_complete()
        else:
            self.flow.resume_reading()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection on which nobody has asked for long enough."""
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if (self._incomplete and self._received) or self._answering():
            left = self.timeout_keep_alive
        if left > 0:
            handler = self.timeout_keep_alive_handler
            self.timeout_keep_alive_task = self.loop.call_later(left, handler)
        else:
            super().timeout_keep_alive_handler()

    def _bound(self) -> None:
        if self._held is not None:
            self._begin_usually()
        super()._bound()
