"""An API server in memory that knows tokens and rights, for a process of ours beside the test."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from hune.contract.names import TOKEN_AUDIENCE
from tests.support.api_server import ApiServer, Document

TOKENS = "/apis/authentication.k8s.io/v1/tokenreviews"
RIGHTS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


class Reviews(ApiServer):
    """Answers reviews beside what every API server in memory does.

    Attributes:
        users: Users by their tokens for Hune, as a TokenReview tells them.
        rights: (user, verb, namespace, name) of what is allowed.
        reviewed: Tokens and resource attributes that were asked about, in order.
        held: No review is answered while it is true.
        audiences: What a TokenReview says of a genuine token's audiences.
    """

    def __init__(self) -> None:
        super().__init__()
        self.users: dict[str, Document] = {}
        self.rights: set[tuple[str, str, str, str]] = set()
        self.reviewed: list[Any] = []
        self.held = False
        self.audiences: list[str] = [TOKEN_AUDIENCE]

    def add_user(self, token: str, name: str, *rights: str) -> None:
        """Let a token be somebody's who may use these verbs on shop/income and default/income."""
        self.users[token] = {"username": name, "uid": f"uid of {name}", "groups": ["callers"]}
        for verb in rights:
            self.rights |= {(name, verb, space, "income") for space in ("shop", "default")}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path not in {TOKENS, RIGHTS} or ("POST", request.path) in self.refuse:
            return await super().handle(request)
        spec = json.loads(await request.read())["spec"]
        self.reviewed.append(spec["token"] if request.path == TOKENS else spec)
        while self.held:  # noqa: ASYNC110 the test sets it from another thread
            await asyncio.sleep(0.01)
        status = self._review_token(spec) if request.path == TOKENS else self._review_access(spec)
        return web.json_response({"status": status}, status=201)

    def _review_token(self, spec: Document) -> Document:
        assert spec["audiences"] == [TOKEN_AUDIENCE]
        user = self.users.get(spec["token"])
        if user is None:
            return {"authenticated": False, "error": "invalid bearer token"}
        return {"authenticated": True, "user": user, "audiences": self.audiences}

    def _review_access(self, spec: Document) -> Document:
        asked = spec["resourceAttributes"]
        right = (spec["user"], asked["verb"], asked["namespace"], asked["name"])
        return {"allowed": right in self.rights}


@contextmanager
def served(api: ApiServer, folder: Path) -> Iterator[Path]:
    """Serve beside the test; yield a kubeconfig that leads there."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", api.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    try:
        port = asyncio.run_coroutine_threadsafe(_start(runner), loop).result(10)
        yield _kubeconfig(folder / "kubeconfig", port)
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _start(runner: web.AppRunner) -> int:
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port: int = runner.addresses[0][1]
    return port


def _kubeconfig(file: Path, port: int) -> Path:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "memory",
        "contexts": [
            {"name": "memory", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}
        ],
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "u", "user": {"token": "of-this-process"}}],
    }
    file.write_text(json.dumps(config))
    return file
