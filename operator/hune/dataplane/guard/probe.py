"""What the guard itself asks a predictor: whether it is ready, and what its model takes."""

import asyncio
import time
from typing import Final

from hune.contract.guard import SELDON, GuardSettings
from hune.dataplane.guard.reply import UpstreamError
from hune.dataplane.guard.upstream import Pool
from hune.dataplane.wire.seldon_metadata import METADATA_PATH, translate_metadata

_FRESH_SECONDS: Final = 1.0
_TIMEOUT_SECONDS: Final = 1.5
_MAXIMUM_BODY: Final = 1 << 20
_OK: Final = 200


class Probe:
    """Asks the predictor, whether it is ready at most once a second.

    It keeps a connection of its own: a probe that queues behind predictions would take the pod
    out of service exactly when it is busiest.
    """

    def __init__(self, settings: GuardSettings) -> None:
        self._pool = Pool(
            settings.predictor_port,
            maximum=1,
            timeout_seconds=_TIMEOUT_SECONDS,
            maximum_body=_MAXIMUM_BODY,
        )
        self._settings = settings
        self._paths = _paths_to_ask(settings)
        self._lock = asyncio.Lock()
        self._asked = 0.0
        self._obstacle = ""

    async def find_obstacle(self) -> str:
        """Return why the predictor is not ready; empty when it is."""
        async with self._lock:
            if time.monotonic() - self._asked >= _FRESH_SECONDS:
                self._obstacle = await self._ask()
                self._asked = time.monotonic()
            return self._obstacle

    async def fetch_metadata(self) -> bytes:
        """Return what the predictor says of its model, in V2's words; empty for nothing."""
        model, protocol = self._settings.deployment, self._settings.protocol
        if protocol == "V1":
            return b""
        path = METADATA_PATH if protocol == SELDON else f"/v2/models/{model}"
        try:
            reply = await self._pool.request(self._request(path))
        except UpstreamError:
            return b""
        if reply.status != _OK:
            return b""
        return translate_metadata(reply.body, model) if protocol == SELDON else reply.body

    def close(self) -> None:
        """Close the connection that probes use."""
        self._pool.close()

    async def _ask(self) -> str:
        status = 0
        for path in self._paths:
            try:
                reply = await self._pool.request(self._request(path))
            except UpstreamError as error:
                return str(error)
            status = reply.status
            if status == _OK:
                return ""
            if status != 404:  # noqa: PLR2004 it has the path, and says no
                break
        return f"the predictor on port {self._pool.port} answers {status} at {path}"

    def _request(self, path: str) -> bytes:
        host = f"localhost:{self._pool.port}"
        return f"GET {path} HTTP/1.1\r\nhost: {host}\r\nuser-agent: hune-guard\r\n\r\n".encode()


def _paths_to_ask(settings: GuardSettings) -> tuple[str, ...]:
    if settings.protocol == "V2":
        return ("/v2/health/ready",)
    if settings.protocol == SELDON:
        return ("/health/status",)
    # A hand-written V1 server often has no path for the model's state.
    return (f"/v1/models/{settings.deployment}", "/")
