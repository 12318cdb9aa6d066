"""The loop against the real API server and KServe: each child is written once, edits are undone."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import kopf
import pytest

from hune.controlplane.cluster import resources
from hune.controlplane.cluster.apply import Applier
from hune.controlplane.cluster.client import Client
from hune.controlplane.cluster.events import EventRecorder
from hune.controlplane.cluster.gather import Gatherer
from hune.controlplane.cluster.login import login
from hune.controlplane.cluster.status import StatusWriter
from hune.controlplane.cluster.store import Key, Store
from hune.controlplane.plan.event import plan_attack_event
from hune.controlplane.plan.plan import Owner
from hune.controlplane.queue import Queue
from hune.controlplane.reconcile import Reconciler, enqueue
from hune.controlplane.settings import Settings
from hune.controlplane.telemetry import Telemetry
from tests.cluster import Cluster
from tests.support.generate_specs import SOURCE, merged
from tests.support.operator import own_server

pytestmark = pytest.mark.apiserver
SHORT: dict[str, Any] = {"model": {"source": SOURCE}}
DETECTOR = {"uri": "s3://models/income/7-outliers", "digest": "sha256:" + "b2" * 32}
WATCHED = SHORT | {"guard": {"outliers": DETECTOR}}
ROUNDS = 5
CHILDREN = ("configmaps", "networkpolicies", "inferenceservices", "services")


@dataclass
class Loop:
    """A reconciler whose store is read anew before each round, as if all events had come."""

    cluster: Cluster
    namespace: str
    client: Client
    store: Store
    reconciler: Reconciler

    def kubectl(self, *arguments: str, text: str | None = None) -> str:
        return self.cluster.kubectl("-n", self.namespace, *arguments, text=text)

    def create(self, name: str, spec: dict[str, Any]) -> None:
        document = {
            "apiVersion": "hune.dev/v1alpha1",
            "kind": "ModelDeployment",
            "metadata": {"name": name},
            "spec": spec,
        }
        self.kubectl("create", "--validate=strict", "-f", "-", text=json.dumps(document))

    def merge(self, kind: str, name: str, patch: dict[str, Any]) -> None:
        self.kubectl("patch", kind, name, "--type=merge", "-p", json.dumps(patch))

    def revisions(self, name: str) -> list[str]:
        labels = ("-l", f"hune.dev/deployment={name}", "-o", "jsonpath={.items[*].metadata.name}")
        return self.kubectl("get", "isvc", *labels).split()

    def guard_settings(self, revision: str) -> dict[str, Any]:
        text = self.kubectl("get", "configmap", f"{revision}-guard", "-o", "json")
        settings: dict[str, Any] = json.loads(json.loads(text)["data"]["guard.json"])
        return settings

    async def run(self, name: str) -> dict[tuple[str, str], int]:
        """Reconcile once; return what was written."""
        before = dict(self.client.writes)
        for resource in (
            resources.MODEL_DEPLOYMENT,
            resources.MODEL_VERSION,
            *resources.CHILDREN,
            resources.POD,
        ):
            async for page in self.client.pages(resource, self.namespace, ""):
                for item in page["items"]:
                    self.store.put(
                        item | {"apiVersion": resource.api_version, "kind": resource.kind}
                    )
        await self.reconciler.reconcile(Key("ModelDeployment", self.namespace, name))
        after = self.client.writes
        return {
            key: after[key] - before.get(key, 0) for key in after if after[key] != before.get(key)
        }

    async def settle(self, name: str) -> dict[tuple[str, str], int]:
        """Reconcile until nothing is written; return the writes of all rounds."""
        total: dict[tuple[str, str], int] = {}
        quiet = 0
        for _ in range(10 * ROUNDS):
            written = await self.run(name)
            for key, count in written.items():
                total[key] = total.get(key, 0) + count
            quiet = 0 if written else quiet + 1
            if quiet == ROUNDS:
                return total
        pytest.fail(f"it writes for ever: {total}")


@pytest.fixture
async def loop(
    control_plane: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Loop]:
    monkeypatch.setenv("KUBECONFIG", str(control_plane.kubeconfig))
    store, queue = Store(), Queue[Key]()

    def again(key: Key) -> None:
        enqueue(queue, key)

    async with Client(login(kopf.OperatorSettings())) as client:
        reconciler = Reconciler(
            settings=Settings(),
            store=store,
            queue=queue,
            gatherer=Gatherer(client, store, lambda _: True),
            applier=Applier(client, store, again),
            status=StatusWriter(client, store, again),
            recorder=EventRecorder(client, "test"),
            telemetry=Telemetry(),
            clock=lambda: datetime.now(UTC),
        )
        yield Loop(control_plane, namespace, client, store, reconciler)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("short", {}),
        ("v1", {"serving": {"protocol": "V1"}}),
        ("onnx", {"model": {"source": {"format": "onnx"}}}),
        ("claim", {"model": {"source": {"uri": "pvc://models/income"}}}),
        ("secret", {"model": {"source": {"secretRef": {"name": "s3"}}}}),
        ("own", {"serving": {"container": {"image": "example.org/a:1", "args": ["-v"]}}}),
        ("scaled", {"serving": {"replicas": {"min": 2, "max": 4}, "autoscaling": {}}}),
        ("outliers", {"guard": {"outliers": DETECTOR, "failurePolicy": "Closed"}}),
        (
            "claims",
            {
                "model": {"source": {"uri": "pvc://models/income"}},
                "guard": {"outliers": DETECTOR | {"uri": "pvc://models/outliers"}},
            },
        ),
        (
            "claim-beside",
            {"guard": {"outliers": DETECTOR | {"uri": "pvc://detectors", "threshold": "0.25"}}},
        ),
        (
            "beside-claim",
            {"model": {"source": {"uri": "pvc://models"}}, "guard": {"outliers": DETECTOR}},
        ),
        (
            "edge",
            {
                "model": {"source": {"format": "onnx"}},
                "placement": {"class": "EdgeArm", "tolerations": [{"key": "edge"}]},
            },
        ),
        (
            "sized",
            {"serving": {"resources": {"requests": {"cpu": 1, "memory": "1024Mi"}}}},
        ),
        (
            "env",
            {
                "serving": {
                    "env": [
                        {"name": "A", "value": ""},
                        {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                    ]
                }
            },
        ),
    ],
)
async def test_each_child_is_written_once(loop: Loop, name: str, change: dict[str, Any]) -> None:
    loop.create(name, merged(SHORT, change))
    written = await loop.settle(name)
    assert {plural: written["apply", plural] for plural in CHILDREN} == dict.fromkeys(CHILDREN, 1)


@pytest.mark.parametrize(
    ("autoscaling", "metric", "target"),
    [
        ({}, "cpu", 80),
        ({"metric": "Memory", "targetUtilizationPercentage": 60}, "memory", 60),
    ],
    ids=["by default", "by memory"],
)
async def test_kserve_makes_the_autoscaler_that_is_asked_for(
    loop: Loop, autoscaling: dict[str, Any], metric: str, target: int
) -> None:
    name = f"by-{metric}"
    loop.create(name, own_server(replicas={"min": 2, "max": 5}, autoscaling=autoscaling))
    await loop.settle(name)
    (revision,) = loop.revisions(name)
    scaler = f"hpa/{revision}-predictor"
    loop.kubectl("wait", scaler, "--for=create", "--timeout=60s")
    spec = json.loads(loop.kubectl("get", scaler, "-o", "json"))["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 5)
    (found,) = spec["metrics"]
    wanted = {"name": metric, "target": {"type": "Utilization", "averageUtilization": target}}
    assert found == {"type": "Resource", "resource": wanted}


async def test_a_second_operator_writes_nothing(loop: Loop) -> None:
    """As after a restart: the store is empty, and all is as it should be."""
    loop.create("restart", SHORT)
    await loop.settle("restart")
    for kind in ("ModelDeployment", "InferenceService", "Service", "ConfigMap", "NetworkPolicy"):
        for key in loop.store.keys(kind):
            loop.store.drop(key)
    assert await loop.settle("restart") == {}


async def test_what_somebody_adds_to_our_fields_is_taken_away(loop: Loop) -> None:
    loop.create("edited", SHORT)
    await loop.settle("edited")
    selector = {"hune.dev/deployment": "edited"}
    revision = loop.kubectl(
        "get",
        "isvc",
        "-l",
        "hune.dev/deployment=edited",
        "-o",
        "jsonpath={.items[0].metadata.name}",
    )
    rules = [{"ports": [{"port": 9000, "protocol": "TCP"}]}, {}]
    loop.merge("networkpolicy", revision, {"spec": {"ingress": rules}})
    loop.merge("service", "edited", {"spec": {"selector": {"team": "b"}}})
    containers = json.loads(
        loop.kubectl("get", "isvc", revision, "-o", "jsonpath={.spec.predictor.containers}")
    )
    more = [*containers, {"name": "miner", "image": "example.org/miner"}]
    loop.merge("isvc", revision, {"spec": {"predictor": {"containers": more}}})
    await loop.settle("edited")
    policy = json.loads(loop.kubectl("get", "networkpolicy", revision, "-o", "json"))
    service = json.loads(loop.kubectl("get", "service", "edited", "-o", "json"))
    predictor = json.loads(loop.kubectl("get", "isvc", revision, "-o", "json"))["spec"]["predictor"]
    assert policy["spec"]["ingress"] == rules[:1]
    assert service["spec"]["selector"] == selector | {"hune.dev/revision": revision}
    assert [container["name"] for container in predictor["containers"]] == ["transformer-container"]


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("threshold", {"outliers": {"threshold": "0.25"}}, {"threshold": "0.25"}),
        ("on-detect", {"outliers": {"onDetect": "Reject"}}, {"onDetect": "Reject"}),
        ("policy", {"failurePolicy": "Closed"}, {}),
    ],
)
async def test_how_a_detector_judges_changes_in_place(
    loop: Loop, name: str, change: dict[str, Any], told: dict[str, Any]
) -> None:
    loop.create(name, WATCHED)
    await loop.settle(name)
    (revision,) = loop.revisions(name)
    assert loop.guard_settings(revision)["outliers"]["digest"] == DETECTOR["digest"]
    loop.merge("mdep", name, {"spec": {"guard": change}})
    written = await loop.settle(name)
    assert written == {("apply", "configmaps"): 1, ("apply", "modeldeployments/status"): 1}
    assert loop.revisions(name) == [revision]
    settings = loop.guard_settings(revision)
    assert settings["outliers"].items() >= told.items()
    assert settings.get("failurePolicy", "Open") == change.get("failurePolicy", "Open")


@pytest.mark.parametrize(
    ("name", "detector"),
    [
        ("digest", {"digest": "sha256:" + "c3" * 32}),
        ("uri", {"uri": "s3://models/income/8-outliers"}),
        ("none", None),
    ],
)
async def test_another_artefact_is_another_revision(
    loop: Loop, name: str, detector: dict[str, Any] | None
) -> None:
    loop.create(name, WATCHED)
    await loop.settle(name)
    (former,) = loop.revisions(name)
    loop.merge("mdep", name, {"spec": {"guard": {"outliers": detector}}})
    await loop.settle(name)
    (revision,) = set(loop.revisions(name)) - {former}
    told = loop.guard_settings(revision).get("outliers")
    wanted = DETECTOR | detector if detector else None
    assert (told and {key: told[key] for key in DETECTOR}) == wanted


async def test_a_status_settles_whatever_it_said_before(loop: Loop) -> None:
    """Conditions come in another order when a spec is refused or suspended."""
    loop.create("turning", SHORT | {"suspend": True})
    await loop.settle("turning")
    for suspend in (False, True, False):
        loop.merge("mdep", "turning", {"spec": {"suspend": suspend}})
        await loop.settle("turning")
    loop.merge("mdep", "turning", {"spec": {"placement": {"class": "Gpu"}}})
    await loop.settle("turning")


async def test_an_attack_is_one_event_at_its_deployment(loop: Loop) -> None:
    loop.create("attacked", SHORT)
    document = json.loads(loop.kubectl("get", "modeldeployment", "attacked", "-o", "json"))
    attack = plan_attack_event({"adversarial": 7})
    assert attack is not None
    recorder, now = EventRecorder(loop.client, "test"), datetime.now(UTC)
    for seconds in (0, 1, 299):
        then = now + timedelta(seconds=seconds)
        await recorder.remind(Owner.of(document), attack, then, timedelta(minutes=5))
    chosen = ("--field-selector", "reason=AdversarialInput", "-o", "json")
    (told,) = json.loads(loop.kubectl("get", "events", *chosen))["items"]
    assert told["involvedObject"]["uid"] == document["metadata"]["uid"]
    assert "flagged 7 rows within the last 5 minutes" in told["message"]
