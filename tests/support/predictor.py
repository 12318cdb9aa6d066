"""A small real predictor on loopback that speaks V1 and V2, and can misbehave on demand."""

import json
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

PREDICTION: dict[str, Any] = {
    "model_name": "income",
    "outputs": [{"name": "y", "shape": [2], "datatype": "FP64", "data": [0.1, 2.50]}],
}
V2_BODY = b'{"model_name":"income", "outputs":[{"name":"y","shape":[2],"data":[0.10, 2.50E0]}]}'
V1_BODY = b'{"predictions": [0.10, 2.50E0]}'


@dataclass(frozen=True)
class Seen:
    """One request as it reached the predictor."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


Behaviour = Callable[[Seen, socket.socket], bool]


def response(
    body: bytes,
    status: str = "200 OK",
    headers: str = "content-type: application/json\r\n",
) -> bytes:
    head = f"HTTP/1.1 {status}\r\n{headers}content-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def sends(*parts: bytes, keep_alive: bool = True) -> Behaviour:
    """Answer every request with these bytes."""

    def behave(_: Seen, connection: socket.socket) -> bool:
        for part in parts:
            connection.sendall(part)
        return keep_alive

    return behave


def serve_model(seen: Seen, connection: socket.socket) -> bool:
    """Answer as a model server would."""
    match seen.target.partition("?")[0]:
        case "/v2/models/income/infer" | "/v2/models/income/versions/7/infer":
            connection.sendall(response(V2_BODY))
        case "/v1/models/income:predict":
            connection.sendall(response(V1_BODY))
        case "/v2/health/ready" | "/v2/health/live" | "/v2" | "/v2/models/income":
            connection.sendall(response(b'{"name":"income"}'))
        case "/v2/models/income/ready" | "/v1/models/income" | "/v1/models":
            connection.sendall(response(b'{"name":"income","ready":true}'))
        case _:
            body = json.dumps({"error": f"{seen.target}: not found"}).encode()
            connection.sendall(response(body, "404 Not Found"))
    return True


class Predictor:
    """Serves until stopped.

    Attributes:
        behaviour: How requests are answered; may be exchanged at any time.
        probed: How the guard's own probes are answered.
        seen: Every request so far, health probes of the guard excepted.
        connections: How many connections were opened so far.
    """

    def __init__(self) -> None:
        self.behaviour: Behaviour = serve_model
        self.probed: Behaviour = serve_model
        self.seen: list[Seen] = []
        self.connections = 0
        self.released = threading.Event()
        self._open: set[socket.socket] = set()
        self._listener = self._listen(0)
        self.port: int = self._listener.getsockname()[1]

    def holds(self, then: Behaviour = serve_model) -> Behaviour:
        """Wait until `released` is set, then behave."""

        def behave(seen: Seen, connection: socket.socket) -> bool:
            self.released.wait()
            return then(seen, connection)

        return behave

    def holds_the_end(self, answer: bytes) -> Behaviour:
        """Send all of an answer but its last byte, which waits until `released` is set."""

        def behave(_: Seen, connection: socket.socket) -> bool:
            connection.sendall(answer[:-1])
            self.released.wait()
            connection.sendall(answer[-1:])
            return True

        return behave

    def reset(self) -> None:
        self.behaviour = self.probed = serve_model
        self.seen.clear()
        self.released.clear()

    def stop(self) -> None:
        """Go down: nothing listens, and what was open is cut."""
        # Closing alone would leave the thread that accepts, and with it the socket, alive.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Close every open connection, as a server does with idle ones."""
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def start(self) -> None:
        """Come back on the same port."""
        self._listener = self._listen(self.port)

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port), backlog=512)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self.connections += 1
                self._open.add(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError), connection.makefile("rb") as stream:
            while True:
                seen = _read(stream.readline, stream.read)
                if seen is None:
                    break
                behaviour = self.probed
                if seen.headers.get("user-agent") != "hune-guard":
                    self.seen.append(seen)
                    behaviour = self.behaviour
                if not behaviour(seen, connection):
                    break
        self._open.discard(connection)


def _read(readline: Callable[[], bytes], read: Callable[[int], bytes]) -> Seen | None:
    start = readline().decode("latin-1").split()
    if len(start) != 3:
        return None
    headers: dict[str, str] = {}
    while line := readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = read(int(headers.get("content-length", "0")))
    return Seen(start[0], start[1], headers, body)
