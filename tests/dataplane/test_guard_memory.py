"""However large the bodies are and however many come at once: a guard stays within its limit."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from hune.contract.digest import digest_of
from hune.controlplane.settings import Settings
from hune.dataplane.guard.environment import largest_body
from hune.dataplane.guard.memory import LARGEST_AT_ONCE
from tests.dataplane.conftest import StartGuard
from tests.support.detectors import write_detector
from tests.support.eventually import eventually
from tests.support.guard import GuardProcess
from tests.support.http import ask
from tests.support.predictor import Predictor, response, sends

INFER = "/v2/models/income/infer"
MEBIBYTE: Final = 1 << 20
(SHIPPED,) = (
    int(str(limit).removesuffix("Mi")) * MEBIBYTE
    for name, limit in Settings().guard_resources.limits.items()
    if name == "memory"
)
LARGEST = largest_body(SHIPPED)
CLIENTS = 12
PATIENCE = 120.0
COLUMNS = 64
CUT = 0


def numbers(digits: str, count: int) -> bytes:
    """A matrix of 64 columns in JSON, the same number everywhere."""
    rows = count // COLUMNS
    data = b",".join([digits.encode()] * (rows * COLUMNS))
    head = f'{{"inputs":[{{"name":"x","shape":[{rows},{COLUMNS}],"datatype":"FP64","data":['
    return head.encode() + data + b"]}]}"


def binary(datatype: str, size: int, count: int) -> tuple[bytes, dict[str, str]]:
    rows = count // COLUMNS
    tensor: dict[str, Any] = {"name": "x", "shape": [rows, COLUMNS], "datatype": datatype}
    tensor["parameters"] = {"binary_data_size": rows * COLUMNS * size}
    head = json.dumps({"inputs": [tensor]}).encode()
    return head + bytes(rows * COLUMNS * size), {"inference-header-content-length": str(len(head))}


BODIES: dict[str, Callable[[], tuple[bytes, dict[str, str]]]] = {
    "short numbers": lambda: (numbers("1", (1 << 22) - COLUMNS), {}),
    "long numbers": lambda: (numbers("0.12345", LARGEST // 8 - 64), {}),
    "more numbers than are looked at": lambda: (numbers("1", LARGEST // 2 - 64), {}),
    "texts": lambda: (
        b'{"inputs":[{"name":"x","shape":[500000],"datatype":"BYTES","data":['
        + b",".join([b'"%s"' % (b"a" * 60)] * 500_000)
        + b"]}]}",
        {},
    ),
    "bytes": lambda: binary("INT8", 1, LARGEST - 1024),
    "halves": lambda: binary("BF16", 2, LARGEST // 2 - 1024),
    "doubles": lambda: binary("FP64", 8, LARGEST // 8 - 1024),
}


def send(port: int, body: bytes, headers: dict[str, str]) -> int:
    """Return the status; who is refused while it still sends may find the connection closed."""
    try:
        return ask(port, "POST", INFER, body, headers, PATIENCE).status
    except OSError:
        return CUT


def watch(guard: GuardProcess, place: Path) -> None:
    """Give it everything that looks at rows."""
    plane = {"mean": np.zeros(COLUMNS), "directions": np.eye(COLUMNS)}
    artefact = write_detector(place, plane, "Mahalanobis", feature_count=COLUMNS, features=())
    detector = {"uri": "s3://models/o", "path": str(artefact), "digest": digest_of(artefact)}
    contract = {"features": [{"name": f"c{i}", "type": "Float"} for i in range(COLUMNS)]}
    seen = len(guard.log)
    guard.write_settings(outliers=detector, dataContract=contract)
    guard.wait_for_line_after("is in force", seen)


@pytest.mark.parametrize("kind", BODIES)
def test_a_flood_of_the_largest_bodies_leaves_it_alive_and_within_its_limit(
    start_guard: StartGuard, tmp_path: Path, predictor: Predictor, kind: str
) -> None:
    body, headers = BODIES[kind]()
    assert len(body) <= LARGEST
    guard = start_guard(HUNE_MEMORY_BYTES=str(SHIPPED))
    watch(guard, tmp_path / "artefact")
    answer = b'{"outputs":[],"x":"' + b"a" * (LARGEST - 1024) + b'"}'
    predictor.behaviour = predictor.holds(sends(response(answer)))
    with ThreadPoolExecutor(CLIENTS) as clients:
        replies = [clients.submit(send, guard.port, body, headers) for _ in range(CLIENTS)]
        # Each is refused, or waits for its answer with its memory taken.
        eventually(
            lambda: len(predictor.seen) + sum(reply.done() for reply in replies) >= CLIENTS,
            PATIENCE,
            seen=lambda: (len(predictor.seen), replies),
        )
        predictor.released.set()
        statuses = [reply.result() for reply in replies]
    assert set(statuses) <= {200, 413, 503, CUT}, statuses
    # Those that were taken in are answered, whatever comes beside them.
    assert statuses.count(200) >= LARGEST_AT_ONCE or 413 in statuses, statuses
    predictor.reset()
    assert ask(guard.port, "POST", INFER, numbers("1", COLUMNS)).status == 200
    assert guard.peak_bytes() < SHIPPED
