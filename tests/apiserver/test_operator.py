"""The operator as a process: it writes what changed, repairs what is edited, and takes over."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from hune.contract import names
from hune.controlplane.cluster import resources
from hune.controlplane.cluster.resources import Resource
from tests.cluster import Cluster
from tests.support.api import Document
from tests.support.audit import AuditLog, Write
from tests.support.eventually import eventually
from tests.support.operator import LEASE_SECONDS, Operator, operated, own_server
from tests.support.space import Space

pytestmark = pytest.mark.apiserver
NAME = "loans"
MORE = ("cards", "rents")


@pytest.fixture(scope="module")
def operator(
    control_plane: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operator]:
    folder = tmp_path_factory.mktemp("operator")
    with operated(control_plane, "hune-operator-process", folder) as found:
        yield found


def see_through(space: Space, name: str) -> None:
    """Have the operator bring something new to its end: what came before it is done then."""
    space.deploy(name, own_server())
    space.wait_ready(name, seconds=60)


def test_another_replica_takes_over_and_finishes(operator: Operator) -> None:
    space = operator.space
    leader = operator.start()
    eventually(lambda: operator.leader() == leader.pid)
    standby = operator.start()
    space.deploy("handed-over", own_server())
    space.wait_ready("handed-over", seconds=60)
    changed = own_server(env=[{"name": "STEP", "value": "2"}])
    space.deploy("handed-over", changed)
    leader.kill()
    eventually(lambda: operator.leader() == standby.pid, 10 * LEASE_SECONDS)
    space.wait_settled("handed-over", 60)
    standby.stop()


def test_a_restart_writes_nothing(operator: Operator) -> None:
    first = operator.start()
    operator.space.deploy(NAME, own_server())
    operator.space.wait_ready(NAME, seconds=60)
    first.stop()
    log = AuditLog(operator.space.cluster, operator.user)
    second = operator.start()
    see_through(operator.space, "probe-3")
    second.stop()
    assert log.writes(lambda write: not write.name.startswith("probe")) == []


@pytest.fixture(scope="module")
def replica(operator: Operator) -> Iterator[Space]:
    """One replica leads, and a few deployments have converged."""
    process = operator.start()
    for name in (NAME, *MORE):
        operator.space.deploy(name, own_server())
    operator.space.wait_ready(NAME, *MORE, seconds=60)
    eventually(lambda: operator.leader() == process.pid)
    yield operator.space
    process.stop()


def test_nothing_is_written_where_nothing_changed(operator: Operator, replica: Space) -> None:
    def about_others(write: Write) -> bool:
        return not write.name.startswith("probe")

    see_through(replica, "probe-1")
    log = AuditLog(replica.cluster, operator.user)
    for name in (NAME, *MORE):
        change = {"metadata": {"annotations": {"example.com/seen-by": "somebody"}}}
        kind = resources.MODEL_DEPLOYMENT
        replica.api.patch(kind, replica.name, name, change, manager="somebody")
    see_through(replica, "probe-2")
    assert log.writes(about_others) == []


def child(space: Space, resource: Resource) -> Document:
    """Return the deployment's only child of a kind; KServe's objects carry its label too."""
    (found,) = (
        document
        for document in space.find(resource, deployment=NAME)
        if document["metadata"]["ownerReferences"][0]["kind"] == "ModelDeployment"
    )
    return found


def essence(document: Document) -> Document:
    """Return what Hune writes and a user sees."""
    metadata = document["metadata"]
    kept = {key: metadata.get(key) for key in ("name", "labels", "ownerReferences")}
    spec = dict(document.get("spec", {}))
    for address in ("clusterIP", "clusterIPs"):
        spec.pop(address, None)
    return {"metadata": kept, "spec": spec, "data": document.get("data")}


EDITS: list[tuple[str, Resource, dict[str, Any]]] = [
    ("the guard's settings", resources.CONFIG_MAP, {"data": {names.GUARD_FILE: "{}"}}),
    ("an open door", resources.NETWORK_POLICY, {"spec": {"ingress": [{}]}}),
    ("no policy type", resources.NETWORK_POLICY, {"spec": {"policyTypes": ["Egress"]}}),
    ("other pods", resources.SERVICE, {"spec": {"selector": {names.LABEL_REVISION: "other"}}}),
    ("no label", resources.SERVICE, {"metadata": {"labels": {names.LABEL_DEPLOYMENT: None}}}),
    ("no part of it", resources.SERVICE, {"metadata": {"labels": {names.LABEL_PART_OF: None}}}),
    (
        "replicas",
        resources.INFERENCE_SERVICE,
        {"spec": {"predictor": {"minReplicas": 2, "maxReplicas": 2}}},
    ),
    ("no containers", resources.INFERENCE_SERVICE, {"spec": {"predictor": {"volumes": None}}}),
]


@pytest.mark.parametrize(
    ("resource", "change"), [edit[1:] for edit in EDITS], ids=[edit[0] for edit in EDITS]
)
def test_a_hand_edit_is_undone(replica: Space, resource: Resource, change: dict[str, Any]) -> None:
    before = child(replica, resource)
    replica.api.patch(resource, replica.name, before["metadata"]["name"], change, manager="hand")
    repaired(replica, before)


@pytest.mark.parametrize("resource", resources.CHILDREN, ids=lambda resource: resource.kind)
def test_a_deleted_child_comes_back(replica: Space, resource: Resource) -> None:
    before = child(replica, resource)
    replica.delete(resource, before["metadata"]["name"])
    uid = before["metadata"]["uid"]
    eventually(lambda: _uid(replica, before) not in {uid, ""}, 30)
    repaired(replica, before)
    replica.wait_ready(NAME, seconds=60)


def repaired(space: Space, before: Document) -> None:
    resource = resources.BY_KIND[before["kind"]]
    read: Callable[[], Document | None] = partial(space.get, resource, before["metadata"]["name"])

    def is_repaired() -> bool:
        found = read()
        return found is not None and essence(found) == essence(before)

    eventually(is_repaired, 30, seen=read)


def _uid(space: Space, document: Document) -> str:
    found = space.get(resources.BY_KIND[document["kind"]], document["metadata"]["name"]) or {}
    uid: str = found.get("metadata", {}).get("uid", "")
    return uid
