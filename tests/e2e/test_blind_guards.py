"""A guard without its detector says so, and does what its failure policy says; nothing crashes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from hune.contract.names import GUARD_CONTAINER, GUARD_PORT
from hune.controlplane.cluster import resources
from tests.support.access import make_token
from tests.support.api import Document
from tests.support.eventually import eventually
from tests.support.examples import FOLDER
from tests.support.forward import forwarded
from tests.support.http import Reply, ask
from tests.support.models import Models
from tests.support.space import PATIENCE, Space

pytestmark = pytest.mark.e2e
WRONG = "sha256:" + "0" * 64
NOWHERE = "s3://models/breast-cancer/no-detector"
REQUEST: dict[str, Any] = json.loads((FOLDER / "03-custom-container/request.json").read_text())
SMALL = {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}}


@dataclass(frozen=True)
class Blindness:
    """How a guard came to have no detector.

    Attributes:
        change: Of `spec.guard.outliers`, whose detector is there.
        reason: The condition's reason.
        kind: The label `reason` of the metric.
    """

    change: dict[str, str]
    reason: str
    kind: str


BLIND = {
    "missing": Blindness({"uri": NOWHERE}, "SourceNotFound", "Missing"),
    "wrong": Blindness({"digest": WRONG}, "DigestMismatch", "Unusable"),
}
POLICIES = ("Open", "Closed")


@pytest.fixture(scope="module")
def blind(space: Space, models: Models, own_server: str) -> Space:
    """All cases at once: a server of one's own, which starts in a second, behind each guard."""
    for policy in POLICIES:
        for name, blindness in BLIND.items():
            guard = {"outliers": models.outliers | blindness.change, "failurePolicy": policy}
            serving = {"container": {"image": own_server}, "resources": SMALL}
            model = {"source": models.source(1)}
            space.deploy(
                f"{policy.lower()}-{name}", {"model": model, "serving": serving, "guard": guard}
            )
    return space


def wait_told(space: Space, name: str, reason: str) -> str:
    """Wait until GuardReady has the reason; return its message."""
    eventually(
        lambda: space.condition(name, "GuardReady")["reason"] == reason,
        PATIENCE,
        0.5,
        lambda: space.describe(name),
    )
    condition = space.condition(name, "GuardReady")
    assert condition["status"] == "False"
    message: str = condition["message"]
    return message


def pod_of(space: Space, name: str) -> Document:
    (pod,) = (
        pod
        for pod in space.find(resources.POD, deployment=name)
        if "deletionTimestamp" not in pod["metadata"]
    )
    return pod


def guard_is_ready(space: Space, name: str) -> bool:
    statuses = pod_of(space, name)["status"]["containerStatuses"]
    return any(found["name"] == GUARD_CONTAINER and found["ready"] for found in statuses)


@contextmanager
def guard_of(space: Space, name: str) -> Iterator[int]:
    """Reach the guard past the Service, which leads to no pod that is not ready."""
    target = f"pod/{pod_of(space, name)['metadata']['name']}"
    with forwarded(space.cluster, space.name, target, GUARD_PORT) as port:
        yield port


def infer(space: Space, name: str, port: int) -> Reply:
    headers = {"authorization": f"Bearer {make_token(space)}"}
    body = json.dumps(REQUEST).encode()
    return ask(port, "POST", f"/v2/models/{name}/infer", body, headers)


def failures(port: int, kind: str) -> str:
    line = f'hune_guard_detector_failures_total{{detector="outliers",reason="{kind}"}} '
    text = ask(port, "GET", "/metrics").body.decode()
    (value,) = (row.removeprefix(line) for row in text.splitlines() if row.startswith(line))
    return value


@pytest.mark.timeout(300)
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", BLIND)
def test_it_is_told_and_the_policy_decides(blind: Space, name: str, policy: str) -> None:
    deployment, blindness = f"{policy.lower()}-{name}", BLIND[name]
    message = wait_told(blind, deployment, blindness.reason)
    assert [word for word in blindness.change.values() if word not in message] == [], message
    assert message.startswith("spec.guard.outliers: ")
    ready = blind.condition(deployment)
    assert (ready["status"], ready["reason"]) == ("False", blindness.reason)
    with guard_of(blind, deployment) as port:
        eventually(lambda: failures(port, blindness.kind) == "1.0", 10)
        reply = infer(blind, deployment, port)
    if policy == "Open":
        assert reply.status == 200
        assert reply.json()["outputs"][0]["data"] == [1, 0]
        note = blind.predict(deployment, REQUEST)["parameters"]
        assert note["hune_outlier_unjudged"].startswith(blindness.reason)
        assert "hune_outlier" not in note
        assert guard_is_ready(blind, deployment)
    else:
        assert reply.status == 503
        assert f"the outlier detector cannot judge: {blindness.reason}" in reply.json()["error"]
        assert not guard_is_ready(blind, deployment)


@pytest.mark.timeout(240)
def test_the_policy_changes_in_place(blind: Space) -> None:
    def choose(policy: str) -> None:
        patch = {"spec": {"guard": {"failurePolicy": policy}}}
        blind.api.patch(resources.MODEL_DEPLOYMENT, blind.name, "open-missing", patch)

    wait_told(blind, "open-missing", "SourceNotFound")
    pod, revisions = pod_of(blind, "open-missing"), blind.revisions("open-missing")
    with guard_of(blind, "open-missing") as port:
        for policy, status in (("Closed", 503), ("Open", 200)):
            choose(policy)
            eventually(
                lambda status=status: infer(blind, "open-missing", port).status == status,  # type: ignore[misc]
                30,
                0.25,
            )
            eventually(
                lambda ready=status == 200: guard_is_ready(blind, "open-missing") is ready,  # type: ignore[misc]
                30,
                0.25,
            )
    assert blind.revisions("open-missing") == revisions
    assert pod_of(blind, "open-missing")["metadata"]["uid"] == pod["metadata"]["uid"]


@pytest.mark.timeout(240)
def test_the_right_digest_mends_it(blind: Space, models: Models) -> None:
    """Which is another revision: what was never ready makes way for it."""
    patch = {"spec": {"guard": {"outliers": {"digest": models.outliers["digest"]}}}}
    wait_told(blind, "closed-wrong", "DigestMismatch")
    blind.api.patch(resources.MODEL_DEPLOYMENT, blind.name, "closed-wrong", patch)
    blind.wait_settled("closed-wrong")
    # The detector was fitted on thirty columns, the request has two: with Closed nobody answers.
    with guard_of(blind, "closed-wrong") as port:
        reply = infer(blind, "closed-wrong", port)
    assert reply.status == 422
    assert "30 columns are wanted; the request has 2" in reply.json()["error"]


def test_no_container_was_started_again(blind: Space) -> None:
    """A guard that is not ready lives: starting it again would mend nothing."""
    restarts = {
        (pod["metadata"]["name"], status["name"]): status["restartCount"]
        for pod in blind.find(resources.POD)
        for status in pod["status"]["containerStatuses"]
    }
    assert len(restarts) >= 2 * len(POLICIES) * len(BLIND)
    assert set(restarts.values()) == {0}, restarts
