"""A forest of 100 trees over 30 features explained: through the guard, and through KServe.

Ours is the exact explanation; the peer is KernelShap, 20 background rows, in KServe's Python server
and asking KServe's Python server. One client asks one row after the other on a kept connection.
Explainer, guard and client share what cores there are; rounds take turns.
"""

import contextlib
import json
import os
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import joblib
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier

from hune.dataplane.jobs.fit_explainer import Order, fit_explainer
from tests.benchmarks.report import Figure
from tests.benchmarks.servers import free_port
from tests.benchmarks.stub_predictor import whole
from tests.support.environments import ROOT, environment
from tests.support.eventually import eventually
from tests.support.explainer import ExplainerProcess
from tests.support.guard import GuardProcess
from tests.support.http import ask, request_bytes

ROUNDS: Final = 5
OURS_PER_ROUND: Final = 400
BACKGROUND_ROWS: Final = 20
START_SECONDS: Final = 120
MEDIAN_GOAL: Final = 1.0
RATIO_GOAL: Final = 100.0
ADDITIVITY_GOAL: Final = 1e-6
PEERS: Final = Path(__file__).parent / "peers"
V1, V2 = "/v1/models/income:explain", "/v2/models/income/explain"


@dataclass(frozen=True)
class Answer:
    """One row's explanation: base values plus sums of values, and the prediction."""

    summed: float
    prediction: float


def explanations() -> list[Figure]:
    """Compare how long one explanation takes, and see that ours is exact."""
    rows, labels = load_breast_cancer(return_X_y=True)
    model = RandomForestClassifier(100, random_state=0).fit(rows, labels)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        joblib.dump(model, folder / "model.joblib")
        ours = _start_ours(folder, stack)
        peer = _start_peer(folder, rows, stack)
        error = _check(ours, rows, model.predict_proba(rows)[:, 1])
        _check_peer(peer, rows[0], float(model.predict_proba(rows[:1])[0, 1]))
        times = [(_time_ours(ours, rows[i]), _time_peer(peer, rows[i])) for i in range(ROUNDS)]
    own, other = (statistics.median(found) for found in zip(*times, strict=True))
    each = " ".join(f"{mine:.3f}/{theirs:.0f}" for mine, theirs in times)
    print(f"explanations: ours/peer in ms: {each}")
    ratio = other / own
    told, against = f"{own:.3f}ms", f"{other:.0f}ms"
    return [
        Figure("explanations", told, against, ratio, f">={RATIO_GOAL:.0f}x", ratio >= RATIO_GOAL),
        Figure("explanations-p50", told, against, ratio, f"<={MEDIAN_GOAL}ms", own <= MEDIAN_GOAL),
        Figure(
            "explanations-additivity",
            f"{error:.1e}",
            "0",
            ADDITIVITY_GOAL / max(error, 1e-300),
            f"<={ADDITIVITY_GOAL}",
            error <= ADDITIVITY_GOAL,
        ),
    ]


def _start_ours(folder: Path, stack: ExitStack) -> int:
    artefact = folder / "explainer"
    order = Order(
        method="TreeShap",
        model=folder / "model.joblib",
        data=None,
        features=(),
        background=0,
        parameters={},
        predictor_output="",
        shape=(),
        trust_pickle=True,
        seed=0,
        to=artefact,
    )
    fit_explainer(order)
    explainer = ExplainerProcess(artefact)
    stack.callback(explainer.close)
    explainer.wait_for_line("explaining with TreeShap")
    guard = GuardProcess(folder, free_port())
    guard.write_settings(explainer={"port": explainer.port})
    stack.callback(guard.start().close)
    return guard.port


def _start_peer(folder: Path, rows: Any, stack: ExitStack) -> int:
    python = environment("kserve-explainer", PEERS / "kserve.txt", PEERS / "kernel-shap.txt")
    drawn = np.random.default_rng(0).permutation(len(rows))[:BACKGROUND_ROWS]
    np.save(folder / "background.npy", rows[drawn])
    predictor, explainer = free_port(), free_port()
    module = "tests.benchmarks.peers"
    _serve(stack, [python, "-m", f"{module}.forest", folder / "model.joblib", predictor], predictor)
    words = [python, "-m", f"{module}.explainer", folder / "background.npy", predictor, explainer]
    _serve(stack, words, explainer)
    return explainer


def _serve(stack: ExitStack, words: list[Any], port: int) -> None:
    stack.enter_context(_process([*map(str, words)]))
    eventually(lambda: _is_ready(port), START_SECONDS, 0.2)


@contextlib.contextmanager
def _process(command: list[str]) -> Iterator[None]:
    variables = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, env=variables, stdout=quiet, stderr=quiet)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _is_ready(port: int) -> bool:
    with contextlib.suppress(OSError):
        return ask(port, "GET", "/v2/models/income/ready").status == 200
    return False


def _request(row: Any) -> bytes:
    tensor = {"name": "x", "shape": [1, len(row)], "datatype": "FP64", "data": row.tolist()}
    return json.dumps({"inputs": [tensor]}).encode()


def _explain(port: int, row: Any) -> Answer:
    reply = ask(port, "POST", V2, _request(row))
    assert reply.status == 200, reply.body
    outputs = {output["name"]: output["data"] for output in reply.json()["outputs"]}
    (base,), (prediction,) = outputs["base_values"], outputs["predictions"]
    return Answer(base + sum(outputs["shap_values"]), prediction)


def _check(port: int, rows: Any, predictions: Any) -> float:
    """Return how far an explanation is from the model's own output, at most."""
    answers = [_explain(port, row) for row in rows]
    return max(abs(a.summed - float(p)) for a, p in zip(answers, predictions, strict=True))


def _ask_peer(port: int, row: Any) -> Any:
    reply = ask(port, "POST", V1, json.dumps({"instances": [row.tolist()]}).encode())
    assert reply.status == 200, reply.body
    return reply.json()


def _check_peer(port: int, row: Any, prediction: float) -> None:
    """See that it explains the same model: its values too sum to the prediction."""
    found = _ask_peer(port, row)
    summed = found["base_value"] + sum(found["values"][0])
    if abs(summed - prediction) > ADDITIVITY_GOAL:
        raise AssertionError(f"the peer's values sum to {summed}, the prediction is {prediction}")


def _time_ours(port: int, row: Any) -> float:
    request, times = request_bytes("POST", V2, _request(row)), []
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(OURS_PER_ROUND):
            started = time.perf_counter()
            connection.sendall(request)
            answer = b""
            while whole(answer) is None:
                answer += connection.recv(1 << 16)
            times.append(time.perf_counter() - started)
            assert answer.startswith(b"HTTP/1.1 200")
    return 1e3 * statistics.median(times)


def _time_peer(port: int, row: Any) -> float:
    started = time.perf_counter()
    _ask_peer(port, row)
    return 1e3 * (time.perf_counter() - started)
