"""An API server in memory, spoken to over real HTTP: enough for the client and the loop.

It keeps objects by path, counts resource versions, knows preconditions and tells watchers. An
apply merges; who owns what is the real API server's business (tests/apiserver).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import kopf
from aiohttp import web
from aiohttp.test_utils import TestServer

from hune.controlplane.cluster.client import Client

Document = dict[str, Any]
_SUBRESOURCES = {"status", "scale"}


class ApiServer:
    """Objects by their path.

    Attributes:
        objects: What is stored.
        before_write: Called before each write with the object's path, so that a test can let
            somebody else be faster.
        refuse: (verb, path) to the HTTP status and message that it is answered with.
        requests: (verb, path) of every request, in order.
    """

    def __init__(self) -> None:
        self.objects: dict[str, Document] = {}
        self.before_write: Callable[[str], None] = lambda _: None
        self.refuse: dict[tuple[str, str], tuple[int, str]] = {}
        self.requests: list[tuple[str, str]] = []
        self.version = 0

    def put(self, path: str, document: Document) -> Document:
        """Store an object as somebody else would."""
        self.version += 1
        former = self.objects.get(path, {"metadata": {"generation": 0}})
        changed = document.get("spec") != former.get("spec")
        metadata = {
            "creationTimestamp": "2026-01-01T12:00:00Z",
            **document["metadata"],
            "resourceVersion": str(self.version),
            "generation": former["metadata"].get("generation", 0) + changed,
            "uid": former["metadata"].get("uid", f"uid-{self.version}"),
        }
        self.objects[path] = {**document, "metadata": metadata}
        return self.objects[path]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        verb, path = request.method, request.path
        self.requests.append((verb, path))
        if (verb, path) in self.refuse:
            return _error(*self.refuse[verb, path])
        name = request.query.get("fieldSelector", "").removeprefix("metadata.name=")
        if name:
            found = self.objects.get(f"{path}/{name}")
            return web.json_response({"items": [found] if found else []})
        body = json.loads(await request.read() or b"{}")
        answers = {
            "GET": self._get,
            "POST": self._create,
            "PUT": self._replace,
            "PATCH": self._patch,
            "DELETE": self._delete,
        }
        return answers[verb](path, body)

    def _get(self, path: str, _: Document) -> web.Response:
        found = self.objects.get(path)
        return _error(404, "not found") if found is None else web.json_response(found)

    def _create(self, path: str, body: Document) -> web.Response:
        name = f"{path}/{body['metadata']['name']}"
        self.before_write(name)
        if name in self.objects:
            return _error(409, "already exists")
        return web.json_response(self.put(name, body), status=201)

    def _replace(self, path: str, body: Document) -> web.Response:
        self.before_write(path)
        found = self.objects.get(path)
        if found is None:
            return _error(404, "not found")
        if body["metadata"].get("resourceVersion") != found["metadata"]["resourceVersion"]:
            return _error(409, "the object has been modified")
        return web.json_response(self.put(path, body))

    def _patch(self, path: str, body: Document) -> web.Response:
        whole, _, sub = path.rpartition("/")
        path = whole if sub in _SUBRESOURCES else path
        self.before_write(path)
        if sub in _SUBRESOURCES and path not in self.objects:
            return _error(404, "not found")
        former = self.objects.get(path, {"metadata": {}})
        metadata = former["metadata"] | body["metadata"]
        return web.json_response(self.put(path, {**former, **body, "metadata": metadata}))

    def _delete(self, path: str, body: Document) -> web.Response:
        self.before_write(path)
        found = self.objects.get(path)
        if found is None:
            return _error(404, "not found")
        if body["preconditions"]["uid"] != found["metadata"]["uid"]:
            return _error(409, "the uid in the precondition is another object's")
        del self.objects[path]
        return web.json_response({})


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"kind": "Status", "message": message}, status=status)


@asynccontextmanager
async def connected(api: ApiServer) -> AsyncIterator[Client]:
    """Serve, and connect the operator's own client."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", api.handle)
    async with TestServer(application) as server:
        async with Client(kopf.ConnectionInfo(server=str(server.make_url("/")))) as client:
            yield client
        # A closed session lets go of its connections one turn of the loop later.
        await asyncio.sleep(0)
