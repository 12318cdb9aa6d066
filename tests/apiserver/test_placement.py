"""Where pods go, as a real scheduler decides among nodes of both architectures."""

from collections.abc import Iterator
from typing import Any

import pytest

from hune.contract import names
from hune.controlplane.cluster import resources
from tests.cluster import Cluster
from tests.support.api import NODE, Document
from tests.support.chart import of_kind, render
from tests.support.eventually import eventually
from tests.support.operator import operated, own_server
from tests.support.space import Space

pytestmark = pytest.mark.apiserver
ARCHITECTURE = "kubernetes.io/arch"
TAINTED = "hune-test-tainted"
POOL = {"hune.dev/test-pool": "tainted"}
STORAGE = "hune-placement"
ONNX: dict[str, Any] = {
    "model": {
        "source": {
            "uri": "s3://models/income/7",
            "format": "onnx",
            "digest": "sha256:" + "a1" * 32,
        }
    }
}
TAINT = {"key": "hune.dev/test", "value": "tainted", "effect": "NoSchedule"}


@pytest.fixture(scope="module")
def space(control_plane: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Space]:
    control_plane.add_fake_node(TAINTED, POOL, [TAINT])
    folder = tmp_path_factory.mktemp("operator")
    storage = {"storage": {"clusterStorageContainer": {"name": STORAGE}}}
    containers = of_kind(render(storage), "ClusterStorageContainer")
    control_plane.apply(*containers)
    with operated(control_plane, "hune-placement", folder, storage) as operator:
        operator.start()
        yield operator.space
        operator.space.api.delete(NODE, None, TAINTED)
        control_plane.kubectl("delete", "clusterstoragecontainer", STORAGE, f"{STORAGE}-lite")


def placed(
    space: Space,
    name: str,
    placement: dict[str, Any],
    replicas: int = 1,
    spec: dict[str, Any] | None = None,
) -> list[Document]:
    """Deploy with a placement; return the pods once all are bound."""
    served = spec or own_server(replicas={"min": replicas})
    space.deploy(name, served | {"placement": placement})
    space.wait_ready(name, seconds=60)
    eventually(lambda: space.status(name)["replicas"] == replicas, 30)
    return space.find(resources.POD, deployment=name)


def labels_of_node(space: Space, pod: Document) -> dict[str, str]:
    node = space.api.get(NODE, None, pod["spec"]["nodeName"])
    assert node is not None
    labels: dict[str, str] = node["metadata"]["labels"]
    return labels


def test_the_edge_class_goes_to_a_k3s_node_with_arm_as_one_container(space: Space) -> None:
    (pod,) = placed(space, "edge", {"class": "EdgeArm"}, spec=ONNX)
    labels = labels_of_node(space, pod)
    assert labels[ARCHITECTURE] == "arm64"
    assert labels["node.kubernetes.io/instance-type"] == "k3s"
    (container,) = pod["spec"]["containers"]
    assert "/hune/lite:" in container["image"]
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert {names.MODEL_DIRECTORY, names.GUARD_DIRECTORY, names.PREDICTION_KEY_DIRECTORY} <= mounts
    assert space.condition("edge", "GuardReady")["status"] == "True"


def test_a_server_without_a_build_is_refused_and_what_serves_goes_on(space: Space) -> None:
    placed(space, "turned", {"class": "EdgeArm"}, spec=ONNX)
    source = ONNX["model"]["source"] | {"format": "sklearn"}
    full = {"class": "EdgeArm", "profile": "Full"}
    space.deploy("turned", {"model": {"source": source}, "placement": full})
    eventually(lambda: space.condition("turned", "Accepted")["status"] == "False", 30)
    refused = space.condition("turned", "Accepted")
    assert refused["reason"] == "NoBuildForArchitecture"
    assert "'kserve-mlserver' has no build for [arm64]" in refused["message"]
    (pod,) = space.find(resources.POD, deployment="turned")
    assert len(pod["spec"]["containers"]) == 1


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
