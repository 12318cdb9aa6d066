"""An API server in memory that makes tokens and really forwards ports, as `hune predict` wants."""

import asyncio
from contextlib import suppress

from aiohttp import WSMsgType, web

from tests.support.api_server import Document
from tests.support.reviews import Reviews

PODS = "/api/v1/namespaces/shop/pods"
TOKENS = "/api/v1/namespaces/shop/serviceaccounts/hune-caller/token"


class Forwarding(Reviews):
    """One more API server.

    Attributes:
        pods: The pods there are.
        made: The TokenRequests so far.
        token: What is made for them.
        target: The port of this machine that a pod's port leads to.
    """

    def __init__(self, token: str) -> None:
        super().__init__()
        self.pods: list[Document] = []
        self.made: list[Document] = []
        self.token = token
        self.target = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if (request.method, request.path) in self.refuse:
            return await super().handle(request)
        if request.path.endswith("/portforward"):
            return await self._forward(request)
        if request.path == TOKENS:
            self.made.append(await request.json())
            return web.json_response({"spec": {"audiences": []}, "status": self._status()})
        if request.path == PODS:
            return web.json_response({"items": self.pods})
        return await super().handle(request)

    def _status(self) -> Document:
        return {"token": self.token, "expirationTimestamp": "2026-01-01T12:00:00Z"}

    async def _forward(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("v4.channel.k8s.io",))
        await socket.prepare(request)
        # Data and errors have a channel each, which begins with the port.
        for channel in (b"\0", b"\1"):
            await socket.send_bytes(channel + int(request.query["ports"]).to_bytes(2, "little"))
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError as error:
            await socket.send_bytes(b"\1" + str(error).encode())
            return socket
        answering = asyncio.create_task(_pass_on(reader, socket))
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                writer.write(message.data[1:])
        writer.close()
        await answering
        return socket


async def _pass_on(reader: asyncio.StreamReader, socket: web.WebSocketResponse) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            await socket.send_bytes(b"\0" + data)
        await socket.close()
