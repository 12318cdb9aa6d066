"""The authorizer's side: one question, one decision."""

import asyncio
from typing import Final

import msgspec

from hune.contract.access import AUTHORIZE_PATH, Decision, Question, split_address
from hune.dataplane.guard.reply import BrokenError, Reply, UnreachableError, UpstreamError
from hune.dataplane.guard.upstream import Pool

_MAXIMUM_CONNECTIONS: Final = 16
_MAXIMUM_BODY: Final = 64 << 10
# A replica that has just gone still gets connections for a moment; the next try meets another.
_TRIES: Final = 4
_PAUSE_SECONDS: Final = 0.1
_CONNECT_SECONDS: Final = 1.0
_OK: Final = 200
_DECISION: Final = msgspec.json.Decoder(Decision)


class UndecidedError(Exception):
    """The authorizer gave no decision; the message says why."""


class Authorizer:
    """Asks one authorizer, by the name of its Service."""

    def __init__(self, address: str, timeout_seconds: float) -> None:
        host, port = split_address(address)
        self._timeout_seconds = timeout_seconds
        self._lines = f"POST {AUTHORIZE_PATH} HTTP/1.1\r\nhost: {address}\r\n".encode()
        self._pool = Pool(
            port,
            host=host,
            peer=f"the authorizer {host}",
            maximum=_MAXIMUM_CONNECTIONS,
            timeout_seconds=timeout_seconds,
            connect_seconds=min(_CONNECT_SECONDS, timeout_seconds),
            maximum_body=_MAXIMUM_BODY,
        )

    async def ask(self, question: Question) -> Decision:
        """Return the decision.

        Raises:
            UndecidedError: There is none.
        """
        try:
            async with asyncio.timeout(self._timeout_seconds):
                reply = await self._try(question)
        except UpstreamError as error:
            raise UndecidedError(str(error)) from None
        except TimeoutError:
            said = f"the authorizer did not answer within {self._timeout_seconds:g} s"
            raise UndecidedError(said) from None
        return _read(reply)

    def close(self) -> None:
        """Take nothing new; what runs ends in peace."""
        self._pool.close()

    async def _try(self, question: Question) -> Reply:
        body = msgspec.json.encode(question)
        head = b"%bcontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (
            self._lines,
            len(body),
        )
        # Asking changes nothing, so it may be asked again.
        for _ in range(_TRIES - 1):
            try:
                return await self._pool.request(head, body)
            except (UnreachableError, BrokenError):
                await asyncio.sleep(_PAUSE_SECONDS)
        return await self._pool.request(head, body)


def _read(reply: Reply) -> Decision:
    if reply.status != _OK:
        raise UndecidedError(f"the authorizer answered {reply.status}: {_reason(reply.body)}")
    try:
        return _DECISION.decode(reply.body)
    except msgspec.DecodeError as error:
        raise UndecidedError(f"the authorizer sent no decision: {error}") from None


def _reason(body: bytes) -> str:
    try:
        return str(msgspec.json.decode(body)["error"])[:500]
    except (msgspec.DecodeError, TypeError, KeyError):
        return "without a reason"
