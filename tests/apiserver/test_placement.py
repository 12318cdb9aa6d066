"""Where pods go, as a real scheduler decides among nodes of both architectures."""

from collections.abc import Iterator
from typing import Any

import pytest

from hune.controlplane.cluster import resources
from tests.cluster import Cluster
from tests.support.api import NODE, Document
from tests.support.eventually import eventually
from tests.support.operator import operated, own_server
from tests.support.space import Space

pytestmark = pytest.mark.apiserver
ARCHITECTURE = "kubernetes.io/arch"
TAINTED = "hune-test-tainted"
POOL = {"hune.dev/test-pool": "tainted"}
TAINT = {"key": "hune.dev/test", "value": "tainted", "effect": "NoSchedule"}


@pytest.fixture(scope="module")
def space(control_plane: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Space]:
    control_plane.add_fake_node(TAINTED, POOL, [TAINT])
    folder = tmp_path_factory.mktemp("operator")
    with operated(control_plane, "hune-placement", folder) as operator:
        operator.start()
        yield operator.space
        operator.space.api.delete(NODE, None, TAINTED)


def placed(space: Space, name: str, placement: dict[str, Any], replicas: int = 1) -> list[Document]:
    """Deploy with a placement; return the pods once all are bound."""
    space.deploy(name, own_server(replicas={"min": replicas}) | {"placement": placement})
    space.wait_ready(name, seconds=60)
    eventually(lambda: space.status(name)["replicas"] == replicas, 30)
    return space.find(resources.POD, deployment=name)


def labels_of_node(space: Space, pod: Document) -> dict[str, str]:
    node = space.api.get(NODE, None, pod["spec"]["nodeName"])
    assert node is not None
    labels: dict[str, str] = node["metadata"]["labels"]
    return labels


def test_the_edge_class_goes_to_a_k3s_node_with_arm(space: Space) -> None:
    (pod,) = placed(space, "edge", {"class": "EdgeArm"})
    labels = labels_of_node(space, pod)
    assert labels[ARCHITECTURE] == "arm64"
    assert labels["node.kubernetes.io/instance-type"] == "k3s"


@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_an_architecture_is_honoured(space: Space, architecture: str) -> None:
    pods = placed(space, architecture, {"architectures": [architecture]}, replicas=3)
    assert {labels_of_node(space, pod)[ARCHITECTURE] for pod in pods} == {architecture}


def test_one_deployment_may_have_two_architectures(space: Space) -> None:
    pods = placed(space, "both", {"architectures": ["amd64", "arm64"]}, replicas=4)
    wanted = {"key": ARCHITECTURE, "operator": "In", "values": ["amd64", "arm64"]}
    for pod in pods:
        required = pod["spec"]["affinity"]["nodeAffinity"][
            "requiredDuringSchedulingIgnoredDuringExecution"
        ]
        assert required["nodeSelectorTerms"] == [{"matchExpressions": [wanted]}]
    # The scheduler spreads the pods of one ReplicaSet over nodes that are alike.
    assert {labels_of_node(space, pod)[ARCHITECTURE] for pod in pods} == {"amd64", "arm64"}


def test_a_tainted_node_takes_who_tolerates_it(space: Space) -> None:
    toleration = {"key": TAINT["key"], "operator": "Exists", "effect": TAINT["effect"]}
    (pod,) = placed(space, "tolerant", {"nodeSelector": POOL, "tolerations": [toleration]})
    assert pod["spec"]["nodeName"] == TAINTED


def test_nobody_else_and_that_is_said(space: Space) -> None:
    space.deploy("intolerant", own_server() | {"placement": {"nodeSelector": POOL}})
    eventually(lambda: space.condition("intolerant")["reason"] == "Unschedulable", 30)
    message = space.condition("intolerant")["message"]
    assert "spec.placement" in message
    assert "taint" in message
