"""Nobody reaches a predictor past its guard, and nobody but guards reaches the authorizer."""

from collections.abc import Iterator

import pytest

from hune.contract import names
from hune.controlplane.cluster import resources
from tests.cluster import Cluster
from tests.support.access import AUTHORIZER
from tests.support.install import NAMESPACE
from tests.support.models import Models
from tests.support.reach import find_open
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


@pytest.mark.timeout(180)
def test_only_the_guard_answers(space: Space, elsewhere: Space, models: Models) -> None:
    space.deploy(NAME, {"model": {"version": models.versions[0]["metadata"]["name"]}})
    space.wait_ready(NAME)
    (pod,) = space.find(resources.POD, deployment=NAME)
    ports = listening(space, pod["metadata"]["name"])
    assert ports >= KNOWN
    for caller, where in (("stranger", elsewhere), ("neighbour", space)):
        found = find_open(where, caller, pod["status"]["podIP"], ports)
        assert found == {names.GUARD_PORT}, caller


@pytest.mark.timeout(120)
def test_the_authorizer_hears_guards_only(elsewhere: Space) -> None:
    selector = f"app.kubernetes.io/name={AUTHORIZER}"
    pods = elsewhere.api.find(resources.POD, NAMESPACE, selector)
    address = next(pod["status"]["podIP"] for pod in pods if pod["status"].get("podIP"))
    assert find_open(elsewhere, "token-taster", address, {8080, 8081}) == {8081}
