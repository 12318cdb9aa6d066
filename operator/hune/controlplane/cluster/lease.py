"""Leader election by a coordination Lease."""

import asyncio
import logging
import time
from datetime import UTC, datetime
from typing import Any

from hune.controlplane.cluster import resources
from hune.controlplane.cluster.client import Client
from hune.controlplane.errors import ApiError, ConflictError, LeadershipLostError, NotFoundError

_LOG = logging.getLogger("hune.lease")


class Lease:
    """Holds one Lease while this replica leads.

    A holder that does not renew for the lease's duration is taken over. Whether it is overdue is
    judged by when *this* replica last saw the Lease change, so clocks need not agree.
    """

    def __init__(
        self, client: Client, namespace: str, name: str, identity: str, seconds: int
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._seconds = seconds
        self._seen: tuple[str, float] = ("", 0.0)

    async def acquire(self) -> None:
        """Wait until this replica leads."""
        while not await self._try():  # noqa: ASYNC110 no event of ours tells when others let go
            await asyncio.sleep(min(2.0, self._seconds / 4))
        _LOG.info("%s leads", self._identity)

    async def hold(self) -> None:
        """Renew until cancelled.

        Raises:
            LeadershipLostError: Another replica leads, or renewing failed for too long.
        """
        renewed = time.monotonic()
        while True:
            await asyncio.sleep(self._seconds / 3)
            if await self._try():
                renewed = time.monotonic()
            elif self._seen[0].split("/", 1)[0] not in {"", self._identity}:
                raise LeadershipLostError(f"the Lease {self._name} has another holder")
            elif time.monotonic() - renewed > self._seconds * 2 / 3:
                raise LeadershipLostError(f"the Lease {self._name} could not be renewed")

    async def release(self) -> None:
        """Let another replica take over at once."""
        try:
            lease = await self._client.get(resources.LEASE, self._namespace, self._name)
            if lease["spec"].get("holderIdentity") == self._identity:
                lease["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1}
                await self._client.replace(resources.LEASE, lease)
        except ApiError as error:
            _LOG.warning("the Lease was not released: %s", error)

    async def _try(self) -> bool:
        try:
            return await self._take()
        except ConflictError:
            return False
        except ApiError as error:
            _LOG.warning("Lease %s/%s: %s", self._namespace, self._name, error)
            return False

    async def _take(self) -> bool:
        try:
            lease = await self._client.get(resources.LEASE, self._namespace, self._name)
        except NotFoundError:
            await self._client.create(resources.LEASE, self._document(None))
            return True
        holder = lease["spec"].get("holderIdentity", "")
        if holder not in {"", self._identity} and not self._is_overdue(lease, holder):
            return False
        await self._client.replace(resources.LEASE, self._document(lease))
        self._seen = (f"{self._identity}/", time.monotonic())
        return True

    def _is_overdue(self, lease: dict[str, Any], holder: str) -> bool:
        mark = f"{holder}/{lease['metadata']['resourceVersion']}"
        if mark != self._seen[0]:
            self._seen = (mark, time.monotonic())
            return False
        duration: int = lease["spec"].get("leaseDurationSeconds", self._seconds)
        return time.monotonic() - self._seen[1] > duration

    def _document(self, former: dict[str, Any] | None) -> dict[str, Any]:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        metadata: dict[str, Any] = {"name": self._name, "namespace": self._namespace}
        spec: dict[str, Any] = {"acquireTime": now, "leaseTransitions": 0}
        if former is not None:
            metadata["resourceVersion"] = former["metadata"]["resourceVersion"]
            spec = dict(former["spec"])
            if spec.get("holderIdentity") != self._identity:
                transitions = spec.get("leaseTransitions", 0) + 1
                spec |= {"acquireTime": now, "leaseTransitions": transitions}
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": metadata,
            "spec": spec
            | {
                "holderIdentity": self._identity,
                "leaseDurationSeconds": self._seconds,
                "renewTime": now,
            },
        }
