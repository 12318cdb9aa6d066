"""The predictor beside the guard: what is passed on to it, and what its silence means."""

from typing import Final

from hune.contract.guard import GuardSettings
from hune.dataplane.guard.answers import RETRY_AFTER, Problem
from hune.dataplane.guard.environment import Environment
from hune.dataplane.guard.headers import Envelope
from hune.dataplane.guard.readiness import Readiness
from hune.dataplane.guard.upstream import BrokenError, Pool, Reply, SlowError, UnreachableError

_MAXIMUM_CONNECTIONS: Final = 256


class Predictor:
    """One predictor, as long as its settings stay the same."""

    def __init__(self, settings: GuardSettings, environment: Environment) -> None:
        self._key = _key(settings)
        self._pool = Pool(
            settings.predictor_port,
            maximum=_MAXIMUM_CONNECTIONS,
            timeout_seconds=environment.predictor_timeout_seconds,
            maximum_body=environment.maximum_body_bytes,
        )
        self._host = b"host: localhost:%d\r\n" % settings.predictor_port
        self.readiness = Readiness(settings)

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
        length = b"" if body is None else b"content-length: %d\r\n" % len(body)
        head = b"%b %b HTTP/1.1\r\n%b%b%b\r\n" % (
            method.encode(),
            target,
            self._host,
            length,
            envelope.lines,
        )
        try:
            return await self._pool.request(head, body or b"")
        except UnreachableError as error:
            raise Problem(503, str(error), RETRY_AFTER) from None
        except SlowError as error:
            raise Problem(504, str(error)) from None
        except BrokenError as error:
            raise Problem(502, str(error)) from None

    def close(self) -> None:
        """Take nothing new; what runs ends in peace."""
        self._pool.close()
        self.readiness.close()


def _key(settings: GuardSettings) -> tuple[int, str, str]:
    return settings.predictor_port, settings.protocol, settings.deployment
