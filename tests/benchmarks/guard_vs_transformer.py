"""The same isolation forest in the guard, in a KServe transformer and in MLServer.

Guard and transformer stand in front of one predictor that costs next to nothing; MLServer only
detects. Each server has a core of its own; predictor and client share the other. One row of 30
numbers, sixteen connections; rounds take turns.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from hune.contract.digest import digest_of
from hune.dataplane.detectors.detector import load_detector
from hune.dataplane.jobs.calibration import split
from tests.benchmarks.load import throughput
from tests.benchmarks.report import Figure
from tests.benchmarks.servers import ask, cores, free_port, is_ready, process
from tests.support.detector_fixture import train_rows
from tests.support.detectors import BREAST_CANCER
from tests.support.environments import ROOT, environment
from tests.support.eventually import eventually
from tests.support.guard import GuardProcess

ROUNDS = 5
SECONDS = 3.0
CONNECTIONS = 16
GOALS = {"transformer": 15.0, "mlserver": 25.0}
START_SECONDS = 120
PEERS = Path(__file__).parent / "peers"
PEERS_MODULE = "tests.benchmarks.peers"
MLSERVER_LOCK = ROOT / "tests" / "cluster" / "images" / "mlserver" / "requirements.txt"
PATH = "/v2/models/income/infer"

Score = Callable[[dict[str, Any]], float]


@dataclass(frozen=True)
class Contestant:
    """A server, and where its answer has the first row's score."""

    name: str
    port: int
    score: Score


def guard_vs_transformer() -> list[Figure]:
    """Compare the requests per second of the guard with those of the peers."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        contestants = _start(Path(folder), stack)
        request = _request()
        for contestant in contestants:
            _check(contestant, request)
        rates = _measure(contestants, request)
    print("guard-vs-transformer: " + ", ".join(f"{n} {r:.0f}/s" for n, r in rates.items()))
    ours = rates["guard"]
    return [_figure(name, ours, rates[name], goal) for name, goal in GOALS.items()]


def _figure(name: str, ours: float, peer: float, goal: float) -> Figure:
    ratio = ours / peer
    title = f"guard-vs-{name}"
    return Figure(title, f"{ours:.0f}/s", f"{peer:.0f}/s", ratio, f">={goal:.0f}x", ratio >= goal)


def _start(folder: Path, stack: ExitStack) -> list[Contestant]:
    rows = folder / "rows.npy"
    np.save(rows, split(train_rows()[1], Fraction("0.2"), 0).train)
    own, others = cores()
    command = [sys.executable, "-m", "tests.benchmarks.stub_predictor"]
    predictor = stack.enter_context(process(command, others, stdout=subprocess.PIPE))
    assert predictor.stdout is not None
    predictor_port = int(predictor.stdout.readline())
    stack.callback(os.sched_setaffinity, 0, os.sched_getaffinity(0))
    os.sched_setaffinity(0, others)
    return [
        _guard(folder, stack, predictor_port, own),
        _transformer(rows, stack, predictor_port, own),
        _mlserver(folder, rows, stack, own),
    ]


def _guard(folder: Path, stack: ExitStack, predictor_port: int, cores: set[int]) -> Contestant:
    guard = GuardProcess(folder, predictor_port)
    detector = {"uri": "file://", "path": str(BREAST_CANCER), "digest": digest_of(BREAST_CANCER)}
    guard.write_settings(outliers=detector | {"onDetect": "Flag", "threshold": ""})
    guard.start()
    stack.callback(guard.close)
    os.sched_setaffinity(guard._process.pid, cores)
    return Contestant("guard", guard.port, _score_in_parameters)


def _transformer(rows: Path, stack: ExitStack, predictor_port: int, cores: set[int]) -> Contestant:
    python = environment("kserve-transformer", PEERS / "kserve.txt", PEERS / "alibi-detect.txt")
    port = free_port()
    command = [python, "-m", f"{PEERS_MODULE}.transformer", rows, predictor_port, port]
    stack.enter_context(process([*map(str, command)], cores))
    eventually(lambda: is_ready(port), START_SECONDS, 0.2)
    return Contestant("transformer", port, _score_in_parameters)


def _mlserver(folder: Path, rows: Path, stack: ExitStack, cores: set[int]) -> Contestant:
    python = environment("mlserver-detector", MLSERVER_LOCK, PEERS / "alibi-detect.txt")
    port, model = free_port(), folder / "mlserver"
    model.mkdir()
    ports = {"http_port": port, "grpc_port": free_port(), "metrics_port": free_port()}
    settings = ports | {"parallel_workers": 0}
    (model / "settings.json").write_text(json.dumps(settings))
    implementation = {"name": "income", "implementation": f"{PEERS_MODULE}.mlserver_model.Detector"}
    parameters = {"parameters": {"uri": str(rows)}}
    (model / "model-settings.json").write_text(json.dumps(implementation | parameters))
    command = [str(python), "-c", "from mlserver.cli import main; main()", "start", str(model)]
    stack.enter_context(process(command, cores, cwd=model))
    eventually(lambda: is_ready(port), START_SECONDS, 0.2)
    return Contestant("mlserver", port, _score_in_outputs)


def _score_in_parameters(answer: dict[str, Any]) -> float:
    return float(answer["parameters"]["hune_outlier_scores"])


def _score_in_outputs(answer: dict[str, Any]) -> float:
    outputs = {output["name"]: output["data"] for output in answer["outputs"]}
    return float(outputs["instance_score"][0])


def _check(contestant: Contestant, request: bytes) -> None:
    """See that it is the same detector: all give the row the same score."""
    body = request.partition(b"\r\n\r\n")[2]
    wanted = float(load_detector(BREAST_CANCER).score(_row())[0])
    found = contestant.score(json.loads(ask(contestant.port, PATH, body)))
    if abs(found - wanted) > 1e-6:
        raise AssertionError(f"{contestant.name} scores {found}, the detector {wanted}")


def _measure(contestants: list[Contestant], request: bytes) -> dict[str, float]:
    rates: dict[str, list[float]] = {contestant.name: [] for contestant in contestants}
    for contestant in contestants:
        throughput(contestant.port, request, CONNECTIONS, SECONDS / 3)
    for _ in range(ROUNDS):
        for contestant in contestants:
            rate = throughput(contestant.port, request, CONNECTIONS, SECONDS)
            rates[contestant.name].append(rate)
    return {name: statistics.median(found) for name, found in rates.items()}


def _row() -> "np.ndarray[Any, np.dtype[np.float64]]":
    return train_rows()[1][:1]


def _request() -> bytes:
    row = _row()
    tensor = {"name": "x", "shape": [*row.shape], "datatype": "FP64", "data": row[0].tolist()}
    body = json.dumps({"id": "1", "inputs": [tensor]}).encode()
    head = f"POST {PATH} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body
