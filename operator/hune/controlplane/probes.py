"""A process's HTTP port for others than its users: liveness, readiness and metrics."""

import asyncio
from collections.abc import Callable

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest


class Probes:
    """Serves `/healthz`, `/readyz` and `/metrics`."""

    def __init__(
        self,
        port: int,
        registry: CollectorRegistry,
        is_ready: Callable[[], bool],
        obstacle: str = "the store is not filled yet",
    ) -> None:
        self._port = port
        self._registry = registry
        self._is_ready = is_ready
        self._obstacle = obstacle

    async def run(self) -> None:
        """Serve until cancelled."""
        application = web.Application()
        application.router.add_get("/healthz", self._live)
        application.router.add_get("/readyz", self._ready)
        application.router.add_get("/metrics", self._metrics)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, port=self._port).start()
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def _live(self, _: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def _ready(self, _: web.Request) -> web.Response:
        if self._is_ready():
            return web.Response(text="ok")
        return web.Response(status=503, text=self._obstacle)

    async def _metrics(self, _: web.Request) -> web.Response:
        # The metrics library names its format with a charset, which aiohttp wants as a header.
        headers = {"Content-Type": CONTENT_TYPE_LATEST}
        return web.Response(body=generate_latest(self._registry), headers=headers)
