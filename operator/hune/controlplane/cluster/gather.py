"""Gathering: the snapshot that one planning looks at."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from hune.contract import names
from hune.controlplane.api.conditions import find
from hune.controlplane.api.modeldeployment import ModelDeploymentSpec
from hune.controlplane.cluster import resources
from hune.controlplane.cluster.client import Client
from hune.controlplane.cluster.guards import GuardReader
from hune.controlplane.cluster.resources import Resource
from hune.controlplane.cluster.store import Document, Key, Store
from hune.controlplane.errors import NotFoundError
from hune.controlplane.plan.plan import Owner
from hune.controlplane.plan.problem import Problem
from hune.controlplane.plan.resolve import parse_spec, referenced_version
from hune.controlplane.policy.observed import Observed
from hune.controlplane.policy.readiness import is_ready

# A Deployment that has made no pod after this long has a reason worth asking for.
_PATIENCE = timedelta(seconds=10)


class Gatherer:
    """Reads the store, and asks the API server only for what nothing reports."""

    def __init__(self, client: Client, store: Store, installed: Callable[[Resource], bool]) -> None:
        self._client = client
        self._guards = GuardReader(client)
        self._store = store
        self._installed = installed

    async def gather(self, document: Document, now: datetime) -> Observed:
        """Return the snapshot for one ModelDeployment."""
        owner = Owner.of(document)
        spec = parse_spec(document)
        members = [
            member
            for key in self._store.members(owner.namespace, owner.name)
            if (member := self._store.get(key)) is not None
        ]
        children = {
            (member["kind"], member["metadata"]["name"]): member
            for member in members
            if member["kind"] != resources.POD.kind and _is_owned(member, owner)
        }
        pods = [member for member in members if member["kind"] == resources.POD.kind]
        report = await self._guards.read(pods if _has_detectors(spec) else ())
        return Observed(
            children=children,
            pods=pods,
            model_version=self._model_version(owner, spec),
            version_numbers=self._store.numbers(owner.namespace, owner.name),
            detector_faults=report.faults,
            detections=report.detections,
            deployment_messages=await self._deployment_messages(owner, children, pods, now),
            kserve_installed=self._installed(resources.INFERENCE_SERVICE),
            monitoring_installed=all(map(self._installed, resources.MONITORING)),
        )

    def usage(self, namespace: str, version: str) -> tuple[list[str], list[Document]]:
        """Return the deployments that have a revision of a version, and those revisions' pods."""
        users, pods = [], []
        for user in self._store.users(namespace, version):
            document = self._store.get(Key(resources.MODEL_DEPLOYMENT.kind, namespace, user)) or {}
            revisions = {
                revision["name"]
                for revision in document.get("status", {}).get("revisions", [])
                if revision["modelVersion"] == version
            }
            if revisions:
                users.append(user)
                pods += self._pods(namespace, user, revisions)
        return users, pods

    def _pods(self, namespace: str, deployment: str, revisions: set[str]) -> list[Document]:
        return [
            member
            for key in self._store.members(namespace, deployment)
            if key.kind == resources.POD.kind
            and (member := self._store.get(key)) is not None
            and member["metadata"]["labels"].get(names.LABEL_REVISION) in revisions
        ]

    def _model_version(self, owner: Owner, spec: ModelDeploymentSpec | Problem) -> Document | None:
        if isinstance(spec, Problem):
            return None
        name = referenced_version(owner, spec)
        if name is None:
            return None
        return self._store.get(Key(resources.MODEL_VERSION.kind, owner.namespace, name))

    async def _deployment_messages(
        self,
        owner: Owner,
        children: dict[tuple[str, str], Document],
        pods: list[Document],
        now: datetime,
    ) -> dict[str, str]:
        with_pods = {pod["metadata"].get("labels", {}).get(names.LABEL_REVISION) for pod in pods}
        messages = {}
        for (kind, revision), child in children.items():
            # Until KServe has looked at it and said anything, there is no Deployment to ask.
            seen = kind == resources.INFERENCE_SERVICE.kind and child.get("status")
            if seen and revision not in with_pods and _is_overdue(child, now):
                messages[revision] = await self._replica_failure(owner.namespace, revision)
        return messages

    async def _replica_failure(self, namespace: str, revision: str) -> str:
        try:
            deployment: dict[str, Any] = await self._client.get(
                resources.DEPLOYMENT, namespace, f"{revision}-predictor"
            )
        except NotFoundError:
            return ""
        message: str = find(deployment, "ReplicaFailure").get("message", "")
        return message


def _has_detectors(spec: ModelDeploymentSpec | Problem) -> bool:
    if isinstance(spec, Problem):
        return False
    return bool(spec.guard.detectors) or spec.explainer is not None


def _is_owned(member: Document, owner: Owner) -> bool:
    references = member["metadata"].get("ownerReferences", [])
    return any(reference.get("uid") == owner.uid for reference in references)


def _is_overdue(service: Document, now: datetime) -> bool:
    created = datetime.fromisoformat(service["metadata"]["creationTimestamp"])
    return not is_ready(service) and now - created > _PATIENCE
