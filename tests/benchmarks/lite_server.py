"""One trained forest in the Lite process, in MLServer and in KServe's Python server.

One row of 30 numbers to 100 trees, as JSON. All servers have one core, the client the other; rounds
take turns. Throughput is with sixteen connections, latency at a rate that all of them bear.

There are two matches. In the first the peers serve the forest as their users do, with their own
runtimes for scikit-learn, and Lite what `hune convert` makes of it: that is what moving brings. In
the second, onnxruntime on one thread stands behind the peers' interfaces for models, as nobody has
it: that is what the servers alone cost. There the least server that Python can have shows how much
there is to be had at all: it checks, counts and says nothing.
"""

import json
import os
import statistics
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import joblib
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
from tests.support.onnx_models import FOREST, training

ROUNDS = 5
SECONDS = 3.0
CONNECTIONS = 16
START_SECONDS = 120
PATH = "/v2/models/income/infer"
PEERS = Path(__file__).parent / "peers"
MODULE = "tests.benchmarks.peers"
RUNTIME = PEERS / "onnxruntime.txt"
MLSERVER_LOCK = ROOT / "tests" / "cluster" / "images" / "mlserver" / "requirements.txt"
MLSERVER = ("mlserver-onnx", MLSERVER_LOCK, RUNTIME)
KSERVE = ("kserve-onnx", PEERS / "kserve.txt", RUNTIME)


@dataclass
class Contestant:
    """A server, and what its rounds gave: requests per second, and milliseconds for 99 of 100."""

    name: str
    port: int
    rates: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Match:
    """How servers are compared.

    Attributes:
        name: Of the comparison.
        rate: Requests per second at which latencies are measured.
        throughput: How many times a peer's throughput ours is to be.
        latency: What part of a peer's 99th percentile ours is to be at most.
    """

    name: str
    rate: float
    throughput: float
    latency: float


AS_SERVED = Match("lite-server", 80.0, 8.0, 0.25)
# Floors: less would be a step back (docs/decisions/20261129-lite-server-peers.md).
SAME_RUNTIME = Match("lite-server-same-runtime", 400.0, 3.0, 0.75)


def lite_server() -> list[Figure]:
    """Compare throughput and latency with those of the peers."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        own, others = cores()
        stack.callback(os.sched_setaffinity, 0, os.sched_getaffinity(0))
        os.sched_setaffinity(0, others)
        lite = _start_lite(Path(folder), stack, own)
        served = _start_as_served(Path(folder), stack, own)
        figures = _compare(AS_SERVED, Contestant("lite", lite), served)
        same = _start_same_runtime(Path(folder), stack, own)
        return figures + _compare(SAME_RUNTIME, Contestant("lite", lite), same)


def _compare(match: Match, ours: Contestant, peers: list[Contestant]) -> list[Figure]:
    contestants = [ours, *peers]
    for contestant in contestants:
        _check(contestant)
        throughput(contestant.port, _request(), CONNECTIONS, SECONDS / 3)
    for _ in range(ROUNDS):
        for contestant in contestants:
            _play(contestant, match.rate)
    for one in contestants:
        rate, latency = statistics.median(one.rates), statistics.median(one.latencies)
        print(f"{match.name}: {one.name} {rate:.0f}/s, p99 {latency:.3f} ms at {match.rate:.0f}/s")
    rivals = [peer for peer in peers if peer.name != "least"]
    return [
        figure
        for peer in rivals
        for figure in (_faster(match, ours, peer), _sooner(match, ours, peer))
    ]


def _play(contestant: Contestant, rate: float) -> None:
    request = _request()
    contestant.rates.append(throughput(contestant.port, request, CONNECTIONS, SECONDS))
    latency = open_loop.measure(contestant.port, request, rate=rate, seconds=SECONDS)
    contestant.latencies.append(latency.p99)


def _faster(match: Match, ours: Contestant, peer: Contestant) -> Figure:
    own, other = statistics.median(ours.rates), statistics.median(peer.rates)
    ratio, goal = own / other, f">={match.throughput:.0f}x"
    name = f"{match.name}-{peer.name}"
    return Figure(name, f"{own:.0f}/s", f"{other:.0f}/s", ratio, goal, ratio >= match.throughput)


def _sooner(match: Match, ours: Contestant, peer: Contestant) -> Figure:
    own, other = statistics.median(ours.latencies), statistics.median(peer.latencies)
    ratio, goal = own / other, f"<={match.latency}x"
    name = f"{match.name}-{peer.name}-p99"
    return Figure(name, f"{own:.3f}ms", f"{other:.3f}ms", ratio, goal, ratio <= match.latency)


def _start_lite(folder: Path, stack: ExitStack, own: set[int]) -> int:
    lite = LiteProcess(folder, FOREST).start()
    stack.callback(lite.close)
    os.sched_setaffinity(lite._process.pid, own)
    return lite.port


def _start_as_served(folder: Path, stack: ExitStack, own: set[int]) -> list[Contestant]:
    file = folder / "forest.joblib"
    joblib.dump(training.forest(), file)
    mlserver = _mlserver(folder / "served", stack, own, "mlserver_sklearn.SKLearnModel", file)
    kserve = _kserve(stack, own, "sklearn_kserve", file)
    return [Contestant("mlserver", mlserver), Contestant("kserve", kserve)]


def _start_same_runtime(folder: Path, stack: ExitStack, own: set[int]) -> list[Contestant]:
    least = stack.enter_context(program("least_server", own, str(FOREST)))
    mlserver = _mlserver(folder / "same", stack, own, f"{MODULE}.onnx_mlserver.Onnx", FOREST)
    kserve = _kserve(stack, own, "onnx_kserve", FOREST)
    return [
        Contestant("least", least),
        Contestant("mlserver", mlserver),
        Contestant("kserve", kserve),
    ]


def _mlserver(folder: Path, stack: ExitStack, own: set[int], kind: str, model: Path) -> int:
    port = free_port()
    folder.mkdir()
    ports = {"http_port": port, "grpc_port": free_port(), "metrics_port": free_port()}
    (folder / "settings.json").write_text(json.dumps(ports | {"parallel_workers": 0}))
    settings = {"name": "income", "implementation": kind, "parameters": {"uri": str(model)}}
    (folder / "model-settings.json").write_text(json.dumps(settings))
    python = str(environment(*MLSERVER))
    command = [python, "-c", "from mlserver.cli import main; main()", "start", str(folder)]
    stack.enter_context(process(command, own, cwd=folder))
    eventually(lambda: is_ready(port), START_SECONDS, 0.2)
    return port


def _kserve(stack: ExitStack, own: set[int], module: str, model: Path) -> int:
    port = free_port()
    command = [str(environment(*KSERVE)), "-m", f"{MODULE}.{module}", str(model), str(port)]
    stack.enter_context(process(command, own))
    eventually(lambda: is_ready(port), START_SECONDS, 0.2)
    return port


def _check(contestant: Contestant) -> None:
    """See that it is the same model: all say of the row what onnxruntime says."""
    _, body = _request().split(b"\r\n\r\n", 1)
    label, *others = json.loads(ask(contestant.port, PATH, body))["outputs"]
    labels, probabilities = onnxruntime.InferenceSession(FOREST).run(None, {"x": _row()})
    np.testing.assert_array_equal(np.ravel(label["data"]), labels)
    for other in others:
        np.testing.assert_allclose(other["data"], probabilities.ravel(), atol=1e-6)


def _row() -> np.ndarray[Any, np.dtype[np.float32]]:
    return train_rows()[1][:1].astype(np.float32)


def _request() -> bytes:
    row = _row()
    tensor = {"name": "x", "shape": [*row.shape], "datatype": "FP32", "data": row[0].tolist()}
    body = json.dumps({"id": "1", "inputs": [tensor]}).encode()
    head = f"POST {PATH} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body
