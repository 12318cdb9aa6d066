"""The same ONNX model in the Lite process, in MLServer and in KServe's Python server.

All run it with onnxruntime on one thread. One row of 30 numbers to 100 trees, as JSON. Each server
has a core of its own, the client the other; rounds take turns. Throughput is with sixteen
connections, latency at a rate that all of them bear. The least server that Python can have shows
how much there is to be had at all: it checks, counts and says nothing.
"""

import json
import os
import statistics
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from tests.benchmarks import open_loop
from tests.benchmarks.load import throughput
from tests.benchmarks.report import Figure
from tests.benchmarks.servers import ask, cores, free_port, is_ready, process, program
from tests.support.detector_fixture import train_rows
from tests.support.environments import ROOT, environment
from tests.support.eventually import eventually
from tests.support.lite import LiteProcess
from tests.support.onnx_models import FOREST

ROUNDS = 5
SECONDS = 3.0
CONNECTIONS = 16
RATE = 400.0
THROUGHPUT, LATENCY = 8.0, 0.25
START_SECONDS = 120
PATH = "/v2/models/income/infer"
PEERS = Path(__file__).parent / "peers"
MODULE = "tests.benchmarks.peers"
RUNTIME = PEERS / "onnxruntime.txt"
MLSERVER_LOCK = ROOT / "tests" / "cluster" / "images" / "mlserver" / "requirements.txt"


@dataclass
class Contestant:
    """A server, and what its rounds gave: requests per second, and milliseconds for 99 of 100."""

    name: str
    port: int
    rates: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)


def lite_server() -> list[Figure]:
    """Compare throughput and latency with those of the peers."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        contestants = _start(Path(folder), stack)
        for contestant in contestants:
            _check(contestant)
            throughput(contestant.port, _request(), CONNECTIONS, SECONDS / 3)
        for _ in range(ROUNDS):
            for contestant in contestants:
                _play(contestant)
    for one in contestants:
        rate, latency = statistics.median(one.rates), statistics.median(one.latencies)
        print(f"lite-server: {one.name} {rate:.0f}/s, p99 {latency:.3f} ms at {RATE:.0f}/s")
    ours, _, *peers = contestants
    return [figure for peer in peers for figure in (_faster(ours, peer), _sooner(ours, peer))]


def _play(contestant: Contestant) -> None:
    request = _request()
    contestant.rates.append(throughput(contestant.port, request, CONNECTIONS, SECONDS))
    latency = open_loop.measure(contestant.port, request, rate=RATE, seconds=SECONDS)
    contestant.latencies.append(latency.p99)


def _faster(ours: Contestant, peer: Contestant) -> Figure:
    own, other = statistics.median(ours.rates), statistics.median(peer.rates)
    ratio, goal = own / other, f">={THROUGHPUT:.0f}x"
    name = f"lite-server-{peer.name}"
    return Figure(name, f"{own:.0f}/s", f"{other:.0f}/s", ratio, goal, ratio >= THROUGHPUT)


def _sooner(ours: Contestant, peer: Contestant) -> Figure:
    own, other = statistics.median(ours.latencies), statistics.median(peer.latencies)
    ratio, goal = own / other, f"<={LATENCY}x"
    name = f"lite-server-{peer.name}-p99"
    return Figure(name, f"{own:.3f}ms", f"{other:.3f}ms", ratio, goal, ratio <= LATENCY)


def _start(folder: Path, stack: ExitStack) -> list[Contestant]:
    own, others = cores()
    stack.callback(os.sched_setaffinity, 0, os.sched_getaffinity(0))
    os.sched_setaffinity(0, others)
    lite = LiteProcess(folder, FOREST).start()
    stack.callback(lite.close)
    os.sched_setaffinity(lite._process.pid, own)
    return [
        Contestant("lite", lite.port),
        Contestant("least", stack.enter_context(program("least_server", own, str(FOREST)))),
        Contestant("mlserver", _mlserver(folder, stack, own)),
        Contestant("kserve", _kserve(stack, own)),
    ]


def _mlserver(folder: Path, stack: ExitStack, own: set[int]) -> int:
    python = environment("mlserver-onnx", MLSERVER_LOCK, RUNTIME)
    port, model = free_port(), folder / "mlserver"
    model.mkdir()
    ports = {"http_port": port, "grpc_port": free_port(), "metrics_port": free_port()}
    (model / "settings.json").write_text(json.dumps(ports | {"parallel_workers": 0}))
    implementation = {"name": "income", "implementation": f"{MODULE}.onnx_mlserver.Onnx"}
    parameters = {"parameters": {"uri": str(FOREST)}}
    (model / "model-settings.json").write_text(json.dumps(implementation | parameters))
    command = [str(python), "-c", "from mlserver.cli import main; main()", "start", str(model)]
    stack.enter_context(process(command, own, cwd=model))
    eventually(lambda: is_ready(port), START_SECONDS, 0.2)
    return port


def _kserve(stack: ExitStack, own: set[int]) -> int:
    python = environment("kserve-onnx", PEERS / "kserve.txt", RUNTIME)
    port = free_port()
    command = [str(python), "-m", f"{MODULE}.onnx_kserve", str(FOREST), str(port)]
    stack.enter_context(process(command, own))
    eventually(lambda: is_ready(port), START_SECONDS, 0.2)
    return port


def _check(contestant: Contestant) -> None:
    """See that it is the same model: all say of the row what onnxruntime says."""
    _, body = _request().split(b"\r\n\r\n", 1)
    outputs = json.loads(ask(contestant.port, PATH, body))["outputs"]
    found = {output["name"]: output["data"] for output in outputs}
    label, probabilities = onnxruntime.InferenceSession(FOREST).run(None, {"x": _row()})
    np.testing.assert_array_equal(found["label"], label)
    np.testing.assert_allclose(found["probabilities"], probabilities.ravel(), atol=1e-6)


def _row() -> np.ndarray[Any, np.dtype[np.float32]]:
    return train_rows()[1][:1].astype(np.float32)


def _request() -> bytes:
    row = _row()
    tensor = {"name": "x", "shape": [*row.shape], "datatype": "FP32", "data": row[0].tolist()}
    body = json.dumps({"id": "1", "inputs": [tensor]}).encode()
    head = f"POST {PATH} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body
