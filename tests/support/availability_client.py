"""Asks a model until SIGTERM, and tells what it got. It runs in a pod: standard library only.

One thread keeps its connection for as long as the server does not announce its end; the other one
opens a fresh connection each time. Every answer other than a prediction is a failure.
"""

import json
import os
import signal
import socket
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

PAUSE_SECONDS = 0.02
TIMEOUT_SECONDS = 20
REPORT_SECONDS = 1


class Client:
    """One thread that asks."""

    def __init__(
        self, name: str, host: str, path: str, body: bytes, token: Path, *, keep: bool
    ) -> None:
        self.name = name
        self.sent = 0
        self.closes = 0
        self.slowest = 0.0
        self.versions: Counter[str] = Counter()
        self.failures: list[dict[str, str]] = []
        self._path = path
        self._body = body
        self._token = token
        self._keep = keep
        self._connection = HTTPConnection(host, timeout=TIMEOUT_SECONDS)

    def run(self, stopped: threading.Event) -> None:
        """Ask until told to stop."""
        while not stopped.wait(PAUSE_SECONDS):
            started = time.monotonic()
            self.sent += 1
            try:
                self._ask()
            except (OSError, HTTPException, ValueError, KeyError) as error:
                self._failed(f"{type(error).__name__}: {error}")
                self._connection.close()
            self.slowest = max(self.slowest, time.monotonic() - started)

    def _ask(self) -> None:
        # kubelet renews the token in place.
        token = self._token.read_text()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        self._connection.request("POST", self._path, self._body, headers)
        response = self._connection.getresponse()
        text = response.read()
        # http.client closes by itself where the server announced it, and opens anew then.
        self.closes += response.will_close
        if not self._keep:
            self._connection.close()
        if response.status != 200:
            self._failed(f"{response.status}: {text[:200].decode(errors='replace')}")
            return
        self.versions[json.loads(text)["parameters"]["hune_model_version"]] += 1

    def _failed(self, reason: str) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self.failures.append({"at": now, "client": self.name, "reason": reason})


def report(clients: list[Client], *, done: bool) -> dict[str, Any]:
    """Return what all clients got together."""
    return {
        "done": done,
        "sent": {client.name: client.sent for client in clients},
        "closes": {client.name: client.closes for client in clients},
        "slowest": max(round(client.slowest, 3) for client in clients),
        "versions": dict(sum((client.versions for client in clients), Counter[str]())),
        "failures": [failure for client in clients for failure in client.failures],
    }


def wait_for_route(host: str) -> None:
    """Wait until the node knows the way to a Service that is new.

    A node's proxy learns of the first endpoint up to a second later than the API's readers. Whether
    there is an answer, and which, is not looked at here.
    """
    while True:
        try:
            socket.create_connection((host, 80), TIMEOUT_SECONDS).close()
        except OSError:
            time.sleep(PAUSE_SECONDS)
        else:
            return


def main() -> None:
    """Ask, and print a line of JSON each second and at the end."""
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    target, path = os.environ["TARGET"], os.environ["TARGET_PATH"]
    body = Path(os.environ["REQUEST"]).read_bytes()
    token = Path(os.environ["TOKEN"])
    clients = [
        Client(name, target, path, body, token, keep=keep)
        for name, keep in (("kept", True), ("fresh", False))
    ]
    wait_for_route(target)
    threads = [threading.Thread(target=client.run, args=(stopped,)) for client in clients]
    for thread in threads:
        thread.start()
    while not stopped.wait(REPORT_SECONDS):
        print(json.dumps(report(clients, done=False)), flush=True)
    for thread in threads:
        thread.join()
    print(json.dumps(report(clients, done=True)), flush=True)


if __name__ == "__main__":
    main()
