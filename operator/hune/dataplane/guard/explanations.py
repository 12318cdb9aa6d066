"""The explainer beside the guard, or behind a Service: what it is asked, what its silence means."""

import time
from collections.abc import Callable
from typing import Final

from hune.contract import names, state
from hune.contract.guard import ExplainerSettings, GuardSettings
from hune.contract.state import DetectorFault, GuardState
from hune.dataplane.guard.answers import RETRY_AFTER, Problem
from hune.dataplane.guard.environment import Environment
from hune.dataplane.guard.headers import Envelope
from hune.dataplane.guard.memory import Memory
from hune.dataplane.guard.reply import (
    BrokenError,
    NoRoomError,
    Reply,
    SlowError,
    UnreachableError,
    UpstreamError,
)
from hune.dataplane.guard.upstream import Pool

_MAXIMUM_CONNECTIONS: Final = 32
# The explainer keeps to the limit by itself and says so; the guard's own is for one that hangs.
_MARGIN_SECONDS: Final = 1.0
_CONNECT_SECONDS: Final = 2.0
_ASK_SECONDS: Final = 1.5
_FRESH_SECONDS: Final = 1.0
_MAXIMUM_STATE: Final = 1 << 16
_PEER: Final = "the explainer"
# What an answer of the explainer itself says of it; what a client got wrong is none of these.
_FAILURES: Final = {500: "Failed", 502: "PredictorFailed", 503: "Unable", 504: "TimeLimit"}

Count = Callable[[str], None]


class Explanations:
    """Asks one explainer, as long as its settings stay the same."""

    def __init__(
        self, settings: GuardSettings, environment: Environment, memory: Memory, count: Count
    ) -> None:
        """Say whom to ask.

        Args:
            settings: Of the guard.
            environment: Of the guard.
            memory: Of answers.
            count: Counts a failure by its reason.
        """
        self._key = settings.explainer
        self._deployment = settings.deployment
        self._count = count
        self._asked = -_FRESH_SECONDS
        self._fault: DetectorFault | None = None
        if settings.explainer is not None:
            self._open(settings.explainer, environment, memory)

    def is_meant_by(self, settings: GuardSettings) -> bool:
        """Tell whether these settings describe this explainer."""
        return self._key == settings.explainer and self._deployment == settings.deployment

    def check_wanted(self) -> None:
        """Check that there is an explainer to ask.

        Raises:
            Problem: There is none.
        """
        if self._key is None:
            raise Problem(
                404, f"{self._deployment!r} has no explainer; name one at spec.explainer of it"
            )

    async def forward(self, target: bytes, envelope: Envelope, body: bytes) -> Reply:
        """Return the explainer's answer.

        Raises:
            Problem: There is no explainer, or no answer.
        """
        self.check_wanted()
        head = b"POST %b HTTP/1.1\r\n%bcontent-length: %d\r\n%b\r\n" % (
            target,
            self._head,
            len(body),
            envelope.lines,
        )
        try:
            reply = await self._pool.request(head, body)
        except UnreachableError as error:
            self._count("Unreachable")
            raise Problem(503, f"nothing can be explained: {error}", RETRY_AFTER) from None
        except NoRoomError as error:
            self._count("NoRoom")
            raise Problem(503, str(error), RETRY_AFTER) from None
        except SlowError as error:
            self._count("TimeLimit")
            raise Problem(504, str(error)) from None
        except BrokenError as error:
            self._count("Broken")
            raise Problem(502, str(error)) from None
        reason = "Busy" if RETRY_AFTER in reply.headers else _FAILURES.get(reply.status)
        if reason is not None:
            self._count(reason)
        return reply

    async def find_fault(self) -> DetectorFault | None:
        """Return why nothing can be explained; None when it can, or need not."""
        if self._key is None:
            return None
        if time.monotonic() - self._asked >= _FRESH_SECONDS:
            self._fault = await self._ask()
            self._asked = time.monotonic()
        return self._fault

    def close(self) -> None:
        """Take nothing new; what runs ends in peace."""
        if self._key is not None:
            self._pool.close()
            self._probe.close()

    def _open(self, settings: ExplainerSettings, environment: Environment, memory: Memory) -> None:
        seconds = settings.time_limit_seconds
        host = settings.host
        self._pool = Pool(
            settings.port,
            maximum=_MAXIMUM_CONNECTIONS,
            timeout_seconds=seconds + _MARGIN_SECONDS,
            maximum_body=environment.maximum_body_bytes,
            host=host,
            peer=_PEER,
            connect_seconds=_CONNECT_SECONDS,
            memory=memory,
        )
        self._probe = Pool(
            settings.port,
            maximum=1,
            timeout_seconds=_ASK_SECONDS,
            maximum_body=_MAXIMUM_STATE,
            host=host,
            peer=_PEER,
        )
        limit = names.HEADER_TIME_LIMIT.lower()
        self._host = f"host: {host}:{settings.port}\r\n".encode()
        self._head = self._host + f"{limit}: {seconds}\r\n".encode()

    async def _ask(self) -> DetectorFault | None:
        head = b"GET %b HTTP/1.1\r\n%buser-agent: hune-guard\r\n\r\n"
        try:
            reply = await self._probe.request(head % (state.PATH.encode(), self._host))
            faults = GuardState.from_json(reply.body).faults
        except UpstreamError as error:
            return DetectorFault(state.EXPLAINER, state.UNREACHABLE, str(error))
        except ValueError:
            message = f"what answers on port {self._probe.port} is no explainer of Hune's"
            return DetectorFault(state.EXPLAINER, state.UNREACHABLE, message)
        return faults[0] if faults else None
