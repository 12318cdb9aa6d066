"""A namespace of a test, and what a user of Hune does and sees in it."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from hune.controlplane.api import conditions
from hune.controlplane.cluster import resources
from hune.controlplane.cluster.resources import Resource
from tests.cluster import Cluster
from tests.cluster.command import run
from tests.support.api import BY_KIND, NAMESPACE, Api, Document
from tests.support.eventually import eventually
from tests.support.install import ROOT
from tests.support.release import command_environment

PATIENCE = 150.0
_INTERVAL = 0.25
_RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


class Space:
    """One namespace."""

    def __init__(self, cluster: Cluster, api: Api, name: str) -> None:
        self.cluster = cluster
        self.api = api
        self.name = name

    def apply(self, *documents: Mapping[str, Any]) -> list[Document]:
        """Apply objects in the namespace."""
        return [
            self.api.apply(
                {**document, "metadata": {**document["metadata"], "namespace": self.name}}
            )
            for document in documents
        ]

    def deploy(self, name: str, spec: Mapping[str, Any]) -> Document:
        """Apply a ModelDeployment."""
        kind = resources.MODEL_DEPLOYMENT
        document = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name}}
        (applied,) = self.apply(document | {"spec": spec})
        return applied

    def get(self, resource: Resource, name: str) -> Document | None:
        """Return an object, or None."""
        return self.api.get(resource, self.name, name)

    def read(self, resource: Resource, name: str) -> Document:
        """Return an object that is there."""
        found = self.get(resource, name)
        assert found is not None, f"{resource.kind} {name} is not there"
        return found

    def find(self, resource: Resource, **labels: str) -> list[Document]:
        """Return the namespace's objects with these labels of Hune's."""
        selector = ",".join(f"hune.dev/{name}={value}" for name, value in labels.items())
        return self.api.find(resource, self.name, selector)

    def delete(self, resource: Resource, name: str) -> None:
        """Delete an object."""
        self.api.delete(resource, self.name, name)

    def deployment(self, name: str) -> Document:
        """Return a ModelDeployment."""
        return self.read(resources.MODEL_DEPLOYMENT, name)

    def status(self, name: str) -> Mapping[str, Any]:
        """Return a ModelDeployment's status."""
        status: Mapping[str, Any] = self.deployment(name).get("status", {})
        return status

    def condition(self, name: str, kind: str = "Ready") -> Mapping[str, Any]:
        """Return a condition of a ModelDeployment that was observed for its present spec."""
        document = self.deployment(name)
        condition = conditions.find(document, kind)
        fresh = condition.get("observedGeneration") == document["metadata"]["generation"]
        return condition if fresh else {"status": "Unknown", "reason": "", "message": ""}

    def is_ready(self, name: str) -> bool:
        """Tell whether the present spec is what answers."""
        return bool(self.condition(name)["status"] == "True")

    def wait_ready(self, *names: str, seconds: float = PATIENCE) -> None:
        """Wait until ModelDeployments are ready."""
        for name in names:
            eventually(
                lambda name=name: self.is_ready(name),  # type: ignore[misc]
                seconds,
                _INTERVAL,
                lambda name=name: self.describe(name),  # type: ignore[misc]
            )

    def wait_settled(self, name: str, seconds: float = PATIENCE) -> None:
        """Wait until a ModelDeployment is ready and nothing of a replaced revision is left.

        A revision's NetworkPolicies go last, with its last pod.
        """
        eventually(
            lambda: self.is_ready(name) and self._left(name) == set(self.revisions(name)[:1]),
            seconds,
            _INTERVAL,
            lambda: self.describe(name),
        )

    def revisions(self, name: str) -> list[str]:
        """Return the names of a deployment's revisions that exist."""
        found = self.find(resources.INFERENCE_SERVICE, deployment=name)
        return [document["metadata"]["name"] for document in found]

    def _left(self, name: str) -> set[str]:
        """Return the revisions of which anything is left."""
        policies = self.find(resources.NETWORK_POLICY, deployment=name)
        guarded = {policy["metadata"]["name"] for policy in policies}
        return guarded.union(self.revisions(name))

    def predict(self, name: str, request: Mapping[str, Any], *options: str) -> Document:
        """Ask a model as a person does, with `hune predict`.

        Raises:
            ClusterError: It refuses; the message has what it says.
        """
        words = [sys.executable, "-m", "hune.cli.main", "predict", name, "-n", self.name]
        environment = command_environment(self.cluster) | {"PYTHONPATH": str(ROOT / "operator")}
        text = run([*words, *options], text=json.dumps(request), environment=environment)
        document: Document = json.loads(text)
        return document

    def describe(self, name: str) -> str:
        """Return what a person would look at first when a deployment is not as wanted."""
        found = self.status(name).get("conditions", [])
        told = [f"{c['type']}={c['status']} {c['reason']}: {c['message']}" for c in found]
        pods = [_describe_pod(pod) for pod in self.find(resources.POD, deployment=name)]
        return "\n  ".join([name, *told, *pods])


@contextmanager
def namespace(cluster: Cluster, name: str, documents: Iterable[Document] = ()) -> Iterator[Space]:
    """Have a namespace under the strictest Pod Security, without anything of a former run."""
    with Api(cluster) as api:
        _remove(cluster, api, name)
        space = Space(cluster, api, name)
        kind = {"apiVersion": NAMESPACE.api_version, "kind": NAMESPACE.kind}
        api.apply(kind | {"metadata": {"name": name, "labels": _RESTRICTED}})
        try:
            space.apply(*documents)
            yield space
        finally:
            _remove(cluster, api, name)


def _remove(cluster: Cluster, api: Api, name: str) -> None:
    if api.get(NAMESPACE, None, name) is None:
        return
    for deployment in api.find(resources.MODEL_DEPLOYMENT, name):
        api.delete(resources.MODEL_DEPLOYMENT, name, deployment["metadata"]["name"])
    # A namespace with pods in it is looked at again only after half of their grace period.
    eventually(lambda: _is_empty(cluster, api, name), 120, _INTERVAL)
    api.delete(NAMESPACE, None, name)
    eventually(lambda: api.get(NAMESPACE, None, name) is None, 120, _INTERVAL)


def _is_empty(cluster: Cluster, api: Api, name: str) -> bool:
    owners = (resources.INFERENCE_SERVICE, resources.DEPLOYMENT)
    left = [owner for kind in owners for owner in api.find(kind, name)]
    for owner in left:
        api.delete(BY_KIND[owner["kind"]], name, owner["metadata"]["name"])
    pods = api.find(resources.POD, name)
    for pod in pods:
        # Nobody is served any more, so nobody is waited for; guards would drain.
        grace = 1 if cluster.has_node else 0
        api.delete(resources.POD, name, pod["metadata"]["name"], grace)
    return not left and not pods


def _describe_pod(pod: Document) -> str:
    statuses = pod.get("status", {})
    containers = [
        f"{status['name']}: {status['state']}"
        for group in ("initContainerStatuses", "containerStatuses")
        for status in statuses.get(group, [])
    ]
    return f"{pod['metadata']['name']} {statuses.get('phase')} {'; '.join(containers)}"
