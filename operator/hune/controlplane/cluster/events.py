"""Kubernetes Events for people who run `kubectl describe`."""

import logging
from datetime import UTC, datetime, timedelta
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
        self._reminded: dict[tuple[str, str], datetime] = {}

    async def record(self, owner: Owner, events: list[Event]) -> None:
        """Post the events of one object."""
        for event in events:
            try:
                await self._client.create(resources.EVENT, self._document(owner, event))
            except ApiError as error:
                _LOG.warning(
                    "event %s of %s/%s: %s", event.reason, owner.namespace, owner.name, error
                )

    async def remind(self, owner: Owner, event: Event, now: datetime, every: timedelta) -> None:
        """Post an Event of something that goes on, at most once in a while for each object.

        Args:
            owner: The object.
            event: What goes on.
            now: The time.
            every: No two Events of this object and reason come sooner after each other. A new
                leader of the operator begins anew.
        """
        self._reminded = {key: at for key, at in self._reminded.items() if now - at < every}
        key = (owner.uid, event.reason)
        if key not in self._reminded:
            self._reminded[key] = now
            await self.record(owner, [event])

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
