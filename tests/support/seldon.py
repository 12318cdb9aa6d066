"""A real Seldon component, served by seldon-core in an environment of its image's own lock."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.environments import ROOT, environment
from tests.support.eventually import eventually
from tests.support.http import ask

DIGITS = ROOT / "examples" / "06-frameworks" / "models" / "seldon"
_LOCK = ROOT / "images" / "seldon" / "requirements.txt"


@contextmanager
def component(folder: Path, name: str, log: Path) -> Iterator[int]:
    """Serve the class `name` of the module `name` in a folder; yield the port."""
    http, grpc, metrics = _free_ports(3)
    words = ["-m", "seldon_core.microservice", name, f"--http-port={http}"]
    words += [f"--grpc-port={grpc}", f"--metrics-port={metrics}", "--log-level=ERROR"]
    with (
        log.open("w") as output,
        subprocess.Popen(
            [environment("seldon", _LOCK), *words],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=output,
            stderr=output,
            start_new_session=True,
        ) as process,
    ):
        try:
            eventually(lambda: _answers(http), 60, seen=log.read_text)
            yield http
        finally:
            # Its parts are processes of their own, which do not all end with the first one.
            os.killpg(process.pid, signal.SIGKILL)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _answers(port: int) -> bool:
    try:
        return ask(port, "GET", "/health/ping").status == 200
    except OSError:
        return False
