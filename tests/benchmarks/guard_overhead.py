"""What a guard adds to a prediction of one row of 30 numbers, at 2000 requests per second.

The guard runs out of its image, as a pod has it, and has a core of its own; the client and the
predictor share the other one. A relay that only passes bytes on, out of the same image, stands in
the guard's place in every third run: what that adds is the price of one more process on the way,
and no work of the guard's. The guard's own share is what it adds to that.
"""

import json
import os
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from hune.contract.digest import digest_of
from hune.contract.names import ARTEFACT_DIRECTORY
from tests.benchmarks import relay
from tests.benchmarks.open_loop import Latency, measure
from tests.benchmarks.report import Figure
from tests.benchmarks.servers import announced, cores, program, undisturbed
from tests.support.detector_fixture import train_rows
from tests.support.guard_image import GuardImage
from tests.support.http import ask, request_bytes
from tests.support.unpacked import Unpacked, unpack_own

RATE: Final = 2000.0
SECONDS: Final = 3.0
ROUNDS: Final = 7
MEDIAN_GOAL: Final = 0.15
P99_GOAL: Final = 1.0
PATH: Final = "/v2/models/income/infer"
# An isolation forest of 100 trees over the 30 features of the breast-cancer set.
DETECTOR: Final = Path(__file__).parents[1] / "support/breast_cancer/outlier"
OUTLIERS: Final = f"{ARTEFACT_DIRECTORY}/outliers"
HEADERS: Final = {"authorization": "Bearer " + "abcdefgh" * 100}


def guard_overhead() -> list[Figure]:
    """Compare the latency through a guard with that through a bare relay."""
    body = _body()
    with _servers() as ports:
        said = ask(ports[-1], "POST", PATH, body, HEADERS)
        assert said.status == 200, said
        request = request_bytes("POST", PATH, body, HEADERS)
        for port in ports:
            measure(port, request, rate=RATE, seconds=1)
        rounds = [[_measure(port, request) for port in ports] for _ in range(ROUNDS)]
    print(f"guard-overhead: beside the prediction {said.json()['parameters']}")
    return [
        _figure("guard-overhead", "p50", rounds, MEDIAN_GOAL),
        _figure("guard-overhead-p99", "p99", rounds, P99_GOAL),
    ]


def _settings(predictor_port: int) -> dict[str, Any]:
    """Return what the guard is told beyond its identity: all that it is measured with."""
    return {
        "access": {"mode": "Authorized", "authorizer": f"127.0.0.1:{predictor_port}"},
        "outliers": {"uri": "bench", "path": OUTLIERS, "digest": digest_of(DETECTOR)},
    }


def _body() -> bytes:
    """Return a request of an ordinary row."""
    row = train_rows()[1][0].tolist()
    tensor = {"name": "x", "shape": [1, 30], "datatype": "FP32", "data": row}
    return json.dumps({"inputs": [tensor]}).encode()


def _figure(name: str, which: str, rounds: list[list[Latency]], goal: float) -> Figure:
    """Return the median over the rounds of what a guard adds to a percentile of a relay's."""
    triples = [[float(getattr(one, which)) for one in each] for each in rounds]
    each = " ".join(f"{a:.3f}+{r - a:.3f}+{g - r:.3f}" for a, r, g in triples)
    print(f"{name}: {which} in ms, alone + relay + guard: {each}")
    relayed = statistics.median(relay - alone for alone, relay, _ in triples)
    own = statistics.median(guard - relay for _, relay, guard in triples)
    whole = statistics.median(guard - alone for alone, _, guard in triples)
    print(f"{name}: the guard adds {whole:.3f} ms, of which {relayed:.3f} ms are a relay's")
    met = own <= goal
    return Figure(name, f"+{own:.3f}ms", f"+{relayed:.3f}ms", goal / own, f"<={goal:g}ms", met)


def _measure(port: int, request: bytes) -> Latency:
    return measure(port, request, rate=RATE, seconds=SECONDS)


@contextmanager
def _servers() -> Iterator[tuple[int, int, int]]:
    """Run a predictor, a relay before it and a guard before it; yield their ports."""
    own, others = cores()
    with ExitStack() as stack:
        image = _image(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        stack.callback(os.sched_setaffinity, 0, os.sched_getaffinity(0))
        stack.enter_context(undisturbed())
        predictor = stack.enter_context(program("stub", others))
        relayed = stack.enter_context(announced(_relay(image, predictor), own))
        guard = GuardImage(image, predictor)
        guard.write_settings(**_settings(predictor))
        stack.callback(guard.close)
        guard.start()
        os.sched_setaffinity(guard._process.pid, own)
        os.sched_setaffinity(0, others)
        yield predictor, relayed, guard.port


def _image(root: Path) -> Unpacked:
    """Unpack the guard's image, with a detector where a pod has it."""
    image = unpack_own("guard", root)
    shutil.copytree(DETECTOR, root / OUTLIERS.lstrip("/"))
    return image


def _relay(image: Unpacked, predictor: int) -> list[str]:
    """Put the relay into the guard's image; return what runs it there."""
    shutil.copy(relay.__file__, image.root / "relay.py")
    return image.command(image.entrypoint[0], "/relay.py", str(predictor))
