"""Nobody reaches a predictor past its guard, and nobody but guards reaches the authorizer."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hune.contract import names
from hune.controlplane.cluster import resources
from tests.cluster import Cluster
from tests.support import dial
from tests.support.access import AUTHORIZER
from tests.support.eventually import eventually
from tests.support.install import NAMESPACE
from tests.support.models import Models
from tests.support.pod import build_pod
from tests.support.space import Space, namespace

pytestmark = pytest.mark.e2e
NAME = "tumours"
# What MLServer listens on, and then the guard.
KNOWN = {8080, 8081, 8082, names.GUARD_PORT}
_LISTENING = "0A"
_READ_SOCKETS = "print(open('/proc/net/tcp').read(), open('/proc/net/tcp6').read())"


@pytest.fixture(scope="module")
def elsewhere(cluster: Cluster) -> Iterator[Space]:
    with namespace(cluster, "e2e-elsewhere") as found:
        yield found


def listening(space: Space, pod: str) -> set[int]:
    """Return the ports on which anything in a pod listens, for itself or for others."""
    command = ("exec", pod, "-n", space.name, "-c", names.GUARD_CONTAINER, "--")
    text = space.cluster.kubectl(*command, "python3", "-c", _READ_SOCKETS)
    rows = [line.split() for line in text.splitlines()]
    return {int(row[1].rpartition(":")[2], 16) for row in rows if row[3:4] == [_LISTENING]}


def dialled(space: Space, name: str, address: str, ports: set[int]) -> dict[int, str]:
    """Return how each port answers to a pod of a namespace."""
    script = {"dial.py": Path(dial.__file__).read_text()}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": script}
    environment = {"ADDRESS": address, "PORTS": json.dumps(sorted(ports))}
    space.apply(config, build_pod(name, "dial.py", environment))
    path = f"{resources.POD.path(space.name, name)}/log"

    def said() -> str:
        answer = space.api.call("GET", path)
        return answer.text if answer.ok else ""

    eventually(lambda: said().endswith("}\n"), 60, 0.25, said)
    answers: dict[str, str] = json.loads(said())
    return {int(port): answer for port, answer in answers.items()}


@pytest.mark.timeout(180)
def test_only_the_guard_answers(space: Space, elsewhere: Space, models: Models) -> None:
    space.deploy(NAME, {"model": {"version": models.versions[0]["metadata"]["name"]}})
    space.wait_ready(NAME)
    (pod,) = space.find(resources.POD, deployment=NAME)
    ports = listening(space, pod["metadata"]["name"])
    assert ports >= KNOWN
    for caller, where in (("stranger", elsewhere), ("neighbour", space)):
        answers = dialled(where, caller, pod["status"]["podIP"], ports)
        assert {port for port, answer in answers.items() if answer == "answers"} == {
            names.GUARD_PORT
        }, (caller, answers)


@pytest.mark.timeout(120)
def test_the_authorizer_hears_guards_only(elsewhere: Space) -> None:
    selector = f"app.kubernetes.io/name={AUTHORIZER}"
    pods = elsewhere.api.find(resources.POD, NAMESPACE, selector)
    address = next(pod["status"]["podIP"] for pod in pods if pod["status"].get("podIP"))
    answers = dialled(elsewhere, "token-taster", address, {8080, 8081})
    assert {port for port, answer in answers.items() if answer == "answers"} == {8081}, answers
