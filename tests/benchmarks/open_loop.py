"""Load at a fixed rate, whatever the answers do: requests are due by the clock.

A latency counts from the moment at which a request was due, so that a slow answer also costs the
requests that had to wait behind it (no coordinated omission).
"""

import ctypes
import select
import socket
import statistics
import time
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass

_PR_SET_TIMERSLACK = 29
_CONNECTIONS = 8
_GIVE_UP_SECONDS = 10.0


@dataclass(frozen=True)
class Latency:
    """Milliseconds that the requests of one run took: half of them, and 99 of 100, took less."""

    p50: float
    p99: float


def measure(port: int, request: bytes, *, rate: float, seconds: float) -> Latency:
    """Send one request over and over, at a rate, to a port on loopback."""
    # The kernel would put timers off by 50 microseconds.
    ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)
    with ExitStack() as stack:
        lines = [stack.enter_context(_connect(port)) for _ in range(_CONNECTIONS)]
        latencies = _send(lines, request, rate, round(rate * seconds))
    return Latency(
        statistics.median(latencies) * 1e3, statistics.quantiles(latencies, n=100)[98] * 1e3
    )


def _connect(port: int) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", port))
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


def _send(lines: list[socket.socket], request: bytes, rate: float, count: int) -> list[float]:
    """Return the seconds that each request took since it was due."""
    idle, due_of, latencies = deque(lines), dict.fromkeys(lines, 0.0), list[float]()
    answers = dict.fromkeys(lines, b"")
    begin = time.perf_counter()
    sent = 0
    while len(latencies) < count:
        due = begin + sent / rate
        waits_for_clock = sent < count and bool(idle)
        timeout = max(0.0, due - time.perf_counter()) if waits_for_clock else _GIVE_UP_SECONDS
        busy = [line for line in lines if line not in idle]
        # Not epoll: its time-outs are whole milliseconds.
        readable, _, _ = select.select(busy, [], [], timeout)
        now = time.perf_counter()
        assert readable or waits_for_clock, "an answer did not come"
        for line in readable:
            answers[line] += line.recv(1 << 16)
            if _is_whole(answers[line]):
                latencies.append(now - due_of[line])
                answers[line] = b""
                idle.append(line)
        if waits_for_clock and now >= due:
            line = idle.popleft()
            due_of[line] = due
            line.sendall(request)
            sent += 1
    return latencies


def _is_whole(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    if not body:
        return False
    assert head.startswith(b"HTTP/1.1 200 "), answer
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return len(body) == int(length)
