"""A plain HTTP/1.1 client on a socket: it sends any bytes, and reads what really came back."""

import io
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPResponse
from types import TracebackType
from typing import Any, Self, cast

TIMEOUT_SECONDS = 20


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class _Stream(io.BufferedReader):
    """What came and was not read yet; it outlives each single response, which would close it."""

    def close(self) -> None:
        pass

    def makefile(self, _mode: str) -> Self:
        return self


class Client:
    """One connection, kept alive for as long as the server lets it."""

    def __init__(self, port: int, seconds: float = TIMEOUT_SECONDS) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self._stream = _Stream(socket.SocketIO(self.socket, "r"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._stream.raw.close()
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive(self, method: str = "GET") -> Reply:
        response = HTTPResponse(cast("socket.socket", self._stream), method=method)
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, headers, response.read())

    def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        self.send(request_bytes(method, path, body, headers))
        return self.receive(method)

    def is_closed_by_server(self) -> bool:
        """Wait for the server's next move; true when that is to close the connection."""
        try:
            return self._stream.read(1) == b""
        except ConnectionResetError:
            return True


def request_bytes(
    method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> bytes:
    lines = {"host": "income", **(headers or {})}
    if body:
        lines = {"content-type": "application/json", "content-length": str(len(body)), **lines}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body


def ask(
    port: int,
    method: str,
    path: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    seconds: float = TIMEOUT_SECONDS,
) -> Reply:
    with Client(port, seconds) as client:
        return client.request(method, path, body, headers)
