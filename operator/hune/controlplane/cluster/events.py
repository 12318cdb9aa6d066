"""Kubernetes Events for people who run `kubectl describe`."""

import logging
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from hune.controlplane.cluster import resources
from hune.controlplane.cluster.client import Client
from hune.controlplane.errors import ApiError
from hune.controlplane.plan.event import Event
from hune.controlplane.plan.plan import Owner

_LOG = logging.getLogger("hune.events")


class EventRecorder:
    """Posts Events; losing one never fails a reconcile."""

    def __init__(self, client: Client, instance: str) -> None:
        self._client = client
        self._instance = instance

    async def record(self, owner: Owner, events: list[Event]) -> None:
        """Post the events of one object."""
        for event in events:
            try:
                await self._client.create(resources.EVENT, self._document(owner, event))
            except ApiError as error:
                _LOG.warning(
                    "event %s of %s/%s: %s", event.reason, owner.namespace, owner.name, error
                )

    def _document(self, owner: Owner, event: Event) -> dict[str, Any]:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{owner.name}.{uuid4().hex[:16]}",
                "namespace": owner.namespace,
            },
            "type": event.type,
            "reason": event.reason,
            "message": event.message[:1024],
            "involvedObject": {
                "apiVersion": owner.api_version,
                "kind": owner.kind,
                "name": owner.name,
                "namespace": owner.namespace,
                "uid": owner.uid,
            },
            "source": {"component": "hune-operator"},
            "reportingComponent": "hune.dev/operator",
            "reportingInstance": self._instance,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
