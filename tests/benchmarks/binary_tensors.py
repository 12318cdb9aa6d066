"""A batch of 32 rows of 1024 numbers, end to end: as a binary tensor and as JSON.

The client makes each body from the same array and reads the answer back into one; the guard looks
at it under a data contract and passes it on; the predictor makes an array of it. The guard runs out
of its image, as a pod has it, and has a core of its own.
"""

import os
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import orjson

from tests.benchmarks.report import Figure
from tests.benchmarks.servers import cores, program, undisturbed
from tests.support.guard_image import GuardImage
from tests.support.tensors import Array
from tests.support.unpacked import unpack_own

GOAL = 10.0
ROUNDS = 7
REQUESTS = 60
PATH = "/v2/models/income/infer"
ROWS: Array = np.random.default_rng(7).random((32, 1024), dtype=np.float32)
_CONTRACT = {"features": [{"name": "first", "type": "Float"}], "onBreach": "Flag"}
_LENGTH = "inference-header-content-length"


def binary_tensors() -> list[Figure]:
    """Compare the time of a prediction by binary tensors with that by JSON."""
    with _pair() as port, socket.create_connection(("127.0.0.1", port)) as connection:
        binary, text = _measure(lambda: _by_binary(connection), lambda: _by_json(connection))
    ratio = text / binary
    print(f"binary-tensors: {1 / binary:.0f} and {1 / text:.0f} predictions per second")
    goal, met = f">={GOAL:.0f}x", ratio >= GOAL
    name = "binary-tensors"
    return [Figure(name, f"{binary * 1e3:.3f}ms", f"{text * 1e3:.3f}ms", ratio, goal, met)]


@contextmanager
def _pair() -> Iterator[int]:
    """Run a predictor and a guard before it; yield the guard's port."""
    own, others = cores()
    with ExitStack() as stack:
        image = unpack_own("guard", Path(stack.enter_context(tempfile.TemporaryDirectory())))
        stack.callback(os.sched_setaffinity, 0, os.sched_getaffinity(0))
        stack.enter_context(undisturbed())
        predictor = stack.enter_context(program("tensor_predictor", others))
        guard = GuardImage(image, predictor)
        guard.write_settings(dataContract=_CONTRACT)
        stack.callback(guard.close)
        guard.start()
        os.sched_setaffinity(guard._process.pid, own)
        os.sched_setaffinity(0, others)
        yield guard.port


def _measure(*actions: Callable[[], Array]) -> list[float]:
    """Return the median seconds of each action; their rounds take turns."""
    seconds: list[list[float]] = [[] for _ in actions]
    expected = ROWS.sum(axis=1)
    for _ in range(ROUNDS):
        for action, taken in zip(actions, seconds, strict=True):
            np.testing.assert_allclose(action(), expected, rtol=1e-5)
            started = time.perf_counter()
            for _ in range(REQUESTS):
                action()
            taken.append((time.perf_counter() - started) / REQUESTS)
    return [statistics.median(taken) for taken in seconds]


def _by_json(connection: socket.socket) -> Array:
    tensor = {"name": "x", "shape": ROWS.shape, "datatype": "FP32", "data": ROWS.ravel()}
    body = orjson.dumps({"inputs": [tensor]}, option=orjson.OPT_SERIALIZE_NUMPY)
    answer, _ = _ask(connection, body, "")
    return np.array(orjson.loads(answer)["outputs"][0]["data"], np.float32)


def _by_binary(connection: socket.socket) -> Array:
    size = {"binary_data_size": ROWS.nbytes}
    tensor = {"name": "x", "shape": ROWS.shape, "datatype": "FP32", "parameters": size}
    head = orjson.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}})
    answer, length = _ask(connection, head + ROWS.tobytes(), f"{_LENGTH}: {len(head)}\r\n")
    return np.frombuffer(answer[length:], np.float32)


def _ask(connection: socket.socket, body: bytes, header: str) -> tuple[bytes, int]:
    """Send a prediction; return the answer's body and the length of its JSON part."""
    head = f"POST {PATH} HTTP/1.1\r\nhost: a\r\n{header}content-length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
    received = connection.recv(1 << 16)
    while b"\r\n\r\n" not in received:
        received += connection.recv(1 << 16)
    start, _, answer = received.partition(b"\r\n\r\n")
    assert start.startswith(b"HTTP/1.1 200"), received
    lines = (line.decode().partition(": ") for line in start.split(b"\r\n")[1:])
    headers = {name.lower(): value for name, _, value in lines}
    while len(answer) < int(headers["content-length"]):
        answer += connection.recv(1 << 16)
    return answer, int(headers.get(_LENGTH, len(answer)))
