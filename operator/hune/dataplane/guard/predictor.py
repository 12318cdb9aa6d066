"""Whom the guard asks: what is passed on to a predictor, and what its silence means."""

from collections.abc import Callable
from typing import Final, Protocol

from hune.contract.guard import GuardSettings
from hune.dataplane.guard.answers import RETRY_AFTER, Problem
from hune.dataplane.guard.connection import Hear
from hune.dataplane.guard.environment import Environment
from hune.dataplane.guard.headers import Envelope
from hune.dataplane.guard.memory import Memory
from hune.dataplane.guard.probe import Probe
from hune.dataplane.guard.reply import BrokenError, Reply, SlowError, UpstreamError
from hune.dataplane.guard.upstream import Pool

_MAXIMUM_CONNECTIONS: Final = 256


class Predictor(Protocol):
    """What answers predictions: a server on localhost, or a model in this very process."""

    def is_meant_by(self, settings: GuardSettings) -> bool:
        """Tell whether these settings describe this predictor."""

    async def forward(
        self, method: str, target: bytes, envelope: Envelope, body: bytes | None = None
    ) -> Reply:
        """Return the predictor's answer to a request passed on as it came.

        Args:
            method: `GET` or `POST`.
            target: Path and query, without the version.
            envelope: The request's headers.
            body: The request's body; None where there is none.

        Raises:
            Problem: There is no answer.
        """

    def begin(self, target: bytes, envelope: Envelope, body: bytes, hear: Hear) -> bool:
        """Ask for a prediction where that needs no task.

        Args:
            target: As above.
            envelope: As above.
            body: As above.
            hear: Takes the answer, or the problem; called once, perhaps before this returns.

        Returns:
            False where it needs one; nothing was done then.
        """

    async def find_obstacle(self) -> str:
        """Return why no prediction can be asked for now; empty when one can."""

    async def fetch_metadata(self) -> bytes:
        """Return what a V2 predictor says of its model, as JSON; empty where it says nothing."""

    def close(self) -> None:
        """Take nothing new; what runs ends in peace."""


MakePredictor = Callable[[GuardSettings, Environment, Memory], Predictor]


class RemotePredictor:
    """A predictor behind a port of localhost, as long as its settings stay the same."""

    def __init__(self, settings: GuardSettings, environment: Environment, memory: Memory) -> None:
        self._key = _key(settings)
        self._pool = Pool(
            settings.predictor_port,
            maximum=_MAXIMUM_CONNECTIONS,
            timeout_seconds=environment.predictor_timeout_seconds,
            maximum_body=environment.maximum_body_bytes,
            memory=memory,
        )
        self._host = b"host: localhost:%d\r\n" % settings.predictor_port
        self._probe = Probe(settings)
        self.find_obstacle = self._probe.find_obstacle
        self.fetch_metadata = self._probe.fetch_metadata

    def is_meant_by(self, settings: GuardSettings) -> bool:
        """Tell whether these settings describe this predictor."""
        return self._key == _key(settings)

    async def forward(
        self, method: str, target: bytes, envelope: Envelope, body: bytes | None = None
    ) -> Reply:
        """Return the predictor's answer to a request passed on as it came.

        Raises:
            Problem: There is none.
        """
        head = self._head(method.encode(), target, envelope, body)
        try:
            return await self._pool.request(head, body or b"")
        except UpstreamError as error:
            raise _problem_of(error) from None

    def begin(self, target: bytes, envelope: Envelope, body: bytes, hear: Hear) -> bool:
        """Ask for a prediction if a connection is free and warm; tell whether it is."""

        def understand(outcome: Reply | Exception) -> None:
            hear(_problem_of(outcome) if isinstance(outcome, UpstreamError) else outcome)

        return self._pool.begin(self._head(b"POST", target, envelope, body), body, understand)

    def _head(self, method: bytes, target: bytes, envelope: Envelope, body: bytes | None) -> bytes:
        length = b"" if body is None else b"content-length: %d\r\n" % len(body)
        lines = (method, target, self._host, length, envelope.lines)
        return b"%b %b HTTP/1.1\r\n%b%b%b\r\n" % lines

    def close(self) -> None:
        """Take nothing new; what runs ends in peace."""
        self._pool.close()
        self._probe.close()


def _problem_of(error: UpstreamError) -> Problem:
    match error:
        case SlowError():
            return Problem(504, str(error))
        case BrokenError():
            return Problem(502, str(error))
    return Problem(503, str(error), RETRY_AFTER)


def _key(settings: GuardSettings) -> tuple[int, str, str]:
    return settings.predictor_port, settings.protocol, settings.deployment
