"""What is wrong is said with its cure, costs no retries without end, and heals by itself."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from hune.contract import names
from hune.controlplane.cluster import resources
from tests.cluster import Cluster
from tests.support.api import Document
from tests.support.audit import AuditLog
from tests.support.eventually import eventually
from tests.support.leader import restarts
from tests.support.models import Models
from tests.support.space import Space

pytestmark = pytest.mark.e2e
OPERATOR = "system:serviceaccount:hune-system:hune-operator"
WRONG = "sha256:" + "0" * 64
QUIET_SECONDS = 20
# Children, then some ten turns of a status while a pod finds out what is wrong.
MOST_WRITES = 16


@dataclass(frozen=True)
class Fault:
    """Something that a user gets wrong.

    Attributes:
        spec: The ModelDeployment's spec.
        reason: The condition's reason.
        says: What the message names: the thing that is wrong, and what to do.
        heal: What the user then does about it, as a change of the spec or otherwise.
    """

    spec: Mapping[str, Any]
    reason: str
    says: tuple[str, ...]
    heal: Mapping[str, Any] | Callable[[Space], object]


def faults(models: Models, image: str) -> dict[str, Fault]:
    small = {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}}
    server = {"container": {"image": image}, "resources": small}
    absent = {"container": {"image": "docker.io/hune/absent:1"}, "resources": small}
    source = models.source(1)
    nowhere = source | {"uri": "s3://models/breast-cancer/nowhere"}
    locked = source | {"secretRef": {"name": "later"}}
    forged = source | {"digest": WRONG}
    nodes = {"nodeSelector": {"hune.dev/no-such": "node"}}
    own = models.versions[1]
    unknown = own | {"metadata": {"name": "unknown-1"}}
    later = models.secret | {"metadata": models.secret["metadata"] | {"name": "later"}}
    return {
        "image": Fault(
            {"serving": absent},
            "ImageNotPulled",
            ("docker.io/hune/absent:1", "check its name"),
            {"serving": server},
        ),
        "uri": Fault(
            {"model": {"source": nowhere}, "serving": server},
            "SourceNotFound",
            ("s3://models/breast-cancer/nowhere",),
            {"model": {"source": source}},
        ),
        "secret": Fault(
            {"model": {"source": locked}, "serving": server},
            "SecretNotFound",
            ("'later'", "create it"),
            lambda space: space.apply(later),
        ),
        "digest": Fault(
            {"model": {"source": forged}},
            "DigestMismatch",
            (WRONG, source["digest"]),
            {"model": {"source": source}},
        ),
        "node": Fault(
            {"serving": server, "placement": nodes},
            "Unschedulable",
            ("spec.placement",),
            {"placement": None},
        ),
        "version": Fault(
            {"model": {"version": "unknown-1"}, "serving": server},
            "ModelVersionNotFound",
            ("'unknown-1'", "hune register"),
            lambda space: space.apply(unknown),
        ),
        "taken": Fault(
            {"serving": server},
            "NameTaken",
            ("Service", "rename"),
            lambda space: space.delete(resources.SERVICE, "taken"),
        ),
        "taken-too": Fault(
            {"serving": server},
            "NameTaken",
            ("Service", "rename"),
            lambda space: space.delete(resources.SERVICE, "taken-too"),
        ),
    }


NAMES = ("image", "uri", "secret", "digest", "node", "version", "taken", "taken-too")
FOREIGN: dict[str, dict[str, Any]] = {
    "taken": {"selector": {"app": "theirs"}, "ports": [{"port": 80, "targetPort": 8080}]},
    # Nothing in it contradicts what Hune would write.
    "taken-too": {"type": "ExternalName", "externalName": "models.example.com"},
}


@dataclass(frozen=True)
class Faulty:
    """All faults at once, and what was there before."""

    faults: dict[str, Fault]
    foreign: dict[str, Document]
    log: AuditLog | None
    restarts: dict[str, int]


@pytest.fixture(scope="module")
def faulty(cluster: Cluster, space: Space, models: Models, own_server: str) -> Faulty:
    log = AuditLog(cluster, OPERATOR) if cluster.network else None
    foreign = {
        name: space.apply(
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}
        )[0]
        for name, spec in FOREIGN.items()
    }
    found = faults(models, own_server)
    assert tuple(found) == NAMES
    for name, fault in found.items():
        space.deploy(name, fault.spec)
    return Faulty(found, foreign, log, restarts(space.api))


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", NAMES)
def test_the_condition_says_what_to_do(space: Space, faulty: Faulty, name: str) -> None:
    fault = faulty.faults[name]
    eventually(
        lambda: space.condition(name)["reason"] == fault.reason,
        120,
        0.25,
        lambda: space.describe(name),
    )
    ready = space.condition(name)
    assert ready["status"] == "False"
    assert [said for said in fault.says if said not in ready["message"]] == [], ready["message"]


def test_a_wrong_digest_is_refused_before_the_model_is_loaded(space: Space) -> None:
    (pod,) = space.find(resources.POD, deployment="digest")
    states = {status["name"]: status for status in pod["status"]["containerStatuses"]}
    predictor = states[names.PREDICTOR_CONTAINER]
    assert predictor["state"] == {"waiting": {"reason": "PodInitializing"}}
    assert predictor["lastState"] == {}
    assert predictor["restartCount"] == 0


def test_what_is_not_ours_is_not_taken_over(space: Space, faulty: Faulty) -> None:
    for name, document in faulty.foreign.items():
        assert space.read(resources.SERVICE, name) == document


@pytest.mark.timeout(180)
def test_the_operator_gives_up_writing_and_does_not_crash(space: Space, faulty: Faulty) -> None:
    assert restarts(space.api) == faulty.restarts
    log = faulty.log
    if log is None:
        pytest.skip("the audit log is ours to read only in a cluster of our own")

    def count() -> int:
        return len(log.writes(lambda write: write.namespace == space.name))

    counts = [(time.monotonic(), count())]

    def is_quiet() -> bool:
        counts.append((time.monotonic(), count()))
        changes = [at for (at, n), (_, m) in zip(counts[1:], counts, strict=False) if n != m]
        return counts[-1][0] - max([counts[0][0], *changes]) > QUIET_SECONDS

    eventually(is_quiet, 120, 1, log.writes)
    assert count() < MOST_WRITES * len(NAMES), log.writes()


@pytest.mark.timeout(240)
def test_it_heals_by_itself(space: Space, faulty: Faulty) -> None:
    for name, fault in faulty.faults.items():
        if callable(fault.heal):
            fault.heal(space)
        else:
            kind = resources.MODEL_DEPLOYMENT
            space.api.patch(kind, space.name, name, {"spec": fault.heal})
    space.wait_ready(*NAMES)
    assert restarts(space.api) == faulty.restarts
