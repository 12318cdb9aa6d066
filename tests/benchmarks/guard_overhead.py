"""What a guard adds to a prediction of one row of 30 numbers, at 2000 requests per second.

The guard has a core of its own; the client and the predictor share the other one. Runs with and
without the guard take turns.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from hune.contract.digest import digest_of
from tests.benchmarks.open_loop import Latency, measure
from tests.benchmarks.report import Figure
from tests.support.guard import GuardProcess
from tests.support.http import ask, request_bytes

RATE: Final = 2000.0
SECONDS: Final = 3.0
ROUNDS: Final = 7
MEDIAN_GOAL: Final = 0.15
P99_GOAL: Final = 1.0
PATH: Final = "/v2/models/income/infer"
# An isolation forest of 100 trees over the 30 features of the breast-cancer set.
DETECTOR: Final = Path(__file__).parents[1] / "support/breast_cancer/outlier"
ROW: Final = [round(10 + 0.37 * number, 4) for number in range(30)]
BODY: Final = json.dumps(
    {"inputs": [{"name": "x", "shape": [1, 30], "datatype": "FP32", "data": ROW}]}
).encode()
HEADERS: Final = {"authorization": "Bearer " + "abcdefgh" * 100}


def guard_overhead() -> list[Figure]:
    """Compare the latency through a guard with that of the predictor alone."""
    with _pair() as (direct, guard):
        said = ask(guard, "POST", PATH, BODY, HEADERS)
        assert said.status == 200, said
        request = request_bytes("POST", PATH, BODY, HEADERS)
        for port in (direct, guard):
            measure(port, request, rate=RATE, seconds=1)
        rounds = [[_measure(port, request) for port in (direct, guard)] for _ in range(ROUNDS)]
    print(f"guard-overhead: beside the prediction {said.json()['parameters']}")
    alone, guarded = ([pair[i] for pair in rounds] for i in (0, 1))
    return [
        _figure("guard-overhead", "p50", alone, guarded, MEDIAN_GOAL),
        _figure("guard-overhead-p99", "p99", alone, guarded, P99_GOAL),
    ]


def guard_document(predictor_port: int) -> dict[str, Any]:
    """Return what the guard is told beyond its identity: all that it is measured with."""
    return {
        "access": {"mode": "Authorized", "authorizer": f"localhost:{predictor_port}"},
        "outliers": {"uri": "bench", "path": str(DETECTOR), "digest": digest_of(DETECTOR)},
    }


def _figure(
    name: str, which: str, alone: list[Latency], guarded: list[Latency], goal: float
) -> Figure:
    """Return the median over the rounds of what a guard adds to a percentile."""
    pairs = [(getattr(a, which), getattr(g, which)) for a, g in zip(alone, guarded, strict=True)]
    added = statistics.median(g - a for a, g in pairs)
    each = " ".join(f"{a:.3f}+{g - a:.3f}" for a, g in pairs)
    print(f"{name}: {which} in ms, alone + added: {each}")
    return Figure(
        name,
        f"+{added:.3f}ms",
        f"{statistics.median(a for a, _ in pairs):.3f}ms",
        goal / added,
        f"<={goal:g}ms",
        added <= goal,
    )


def _measure(port: int, request: bytes) -> Latency:
    return measure(port, request, rate=RATE, seconds=SECONDS)


@contextmanager
def _pair() -> Iterator[tuple[int, int]]:
    """Run a predictor and a guard before it; yield their ports."""
    cores = sorted(os.sched_getaffinity(0))
    command = [sys.executable, "-m", "tests.benchmarks.stub"]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as stub,
    ):
        guard = None
        try:
            assert stub.stdout is not None
            port = int(stub.stdout.readline())
            guard = GuardProcess(Path(folder), port)
            guard.write_settings(**guard_document(port))
            guard.start()
            os.sched_setaffinity(guard._process.pid, cores[:1])
            os.sched_setaffinity(stub.pid, cores[1:] or cores)
            os.sched_setaffinity(0, cores[1:] or cores)
            yield port, guard.port
        finally:
            os.sched_setaffinity(0, cores)
            if guard:
                guard.close()
            stub.kill()
