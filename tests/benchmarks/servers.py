"""Servers that are compared: each a process on cores of its own."""

import contextlib
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

from tests.support.environments import ROOT


def ask(port: int, path: str, body: bytes | None = None) -> bytes:
    """Return the body of an answer."""
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        content: bytes = answer.read()
    return content


def is_ready(port: int) -> bool:
    """Tell whether the model `income` is ready."""
    with contextlib.suppress(OSError, urllib.error.URLError):
        ask(port, "/v2/models/income/ready")
        return True
    return False


def cores() -> tuple[set[int], set[int]]:
    """Return the core of the server that is measured, and the others."""
    first, *others = sorted(os.sched_getaffinity(0))
    return {first}, set(others or [first])


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Run this process, and those that it starts, ahead of the machine's housekeeping.

    A kernel thread that sweeps memory for five milliseconds each second would be what a 99th
    percentile says. Where that is not allowed, it is as it is.
    """
    former, priority = os.sched_getscheduler(0), os.sched_getparam(0)
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    try:
        yield
    finally:
        os.sched_setscheduler(0, former, priority)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@contextlib.contextmanager
def process(
    command: list[str], cores: set[int], **options: Any
) -> Iterator["subprocess.Popen[Any]"]:
    """Run a server on some cores; what it logs is not looked at."""
    variables = os.environ | {
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
    }
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(command, env=variables, **quiet | options)
    try:
        os.sched_setaffinity(server.pid, cores)
        yield server
    finally:
        server.kill()
        server.wait()


@contextlib.contextmanager
def program(name: str, cores: set[int], *arguments: str) -> Iterator[int]:
    """Run a server of the benchmarks' own on some cores; yield the port that it prints."""
    command = [sys.executable, "-m", f"tests.benchmarks.{name}", *arguments]
    with announced(command, cores) as port:
        yield port


@contextlib.contextmanager
def announced(command: list[str], cores: set[int]) -> Iterator[int]:
    """Run a server on some cores; yield the port that it prints."""
    with process(command, cores, stdout=subprocess.PIPE, text=True, stderr=None) as server:
        assert server.stdout is not None
        yield int(server.stdout.readline())
