"""Following a resource: list it once, then keep up by events, whatever happens on the way.

kopf follows Hune's own kinds. Children and pods are followed here instead, because kopf starts a
task per object and holds full bodies, which at ten thousand objects costs more memory than the
whole operator may use.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Any

from hune.controlplane.cluster.client import Client
from hune.controlplane.cluster.resources import Resource
from hune.controlplane.cluster.store import Document, Key, Store, key_of
from hune.controlplane.errors import ApiError, NotFoundError

_LOG = logging.getLogger("hune.watch")
_ABSENT_RETRY_SECONDS = 15.0
_LONGEST_RETRY_SECONDS = 30.0
_GONE = 410


class Reflector:
    """Keeps one resource of one namespace, or of all, current in the store."""

    def __init__(
        self,
        client: Client,
        store: Store,
        resource: Resource,
        namespace: str | None,
        selector: str,
        notify: Callable[[Document], None],
    ) -> None:
        self.resource = resource
        self.installed = True
        self.synchronised = asyncio.Event()
        self._client = client
        self._store = store
        self._namespace = namespace
        self._selector = selector
        self._notify = notify
        self._keys: set[Key] = set()

    async def run(self) -> None:
        """Follow until cancelled."""
        failures = 0
        version = ""
        while True:
            try:
                if not version:
                    version = await self._list()
                version = await self._watch(version)
                failures = 0
            except NotFoundError:
                version = ""
                self._absent()
                await asyncio.sleep(_ABSENT_RETRY_SECONDS)
            except ApiError as error:
                version = "" if error.status == _GONE else version
                failures += 1
                _LOG.warning("%s: %s", self.resource.plural, error)
                await asyncio.sleep(_delay(failures))

    async def _list(self) -> str:
        """Read everything, forget what is gone, and return the version to watch from."""
        seen: set[Key] = set()
        version = ""
        async for page in self._client.pages(self.resource, self._namespace, self._selector):
            version = page["metadata"]["resourceVersion"]
            for item in page["items"]:
                seen.add(self._put(item))
        for key in self._keys - seen:
            self._drop(key)
        self._keys = seen
        came_back = not self.installed
        self.installed = True
        self.synchronised.set()
        if came_back:
            self._notify({"kind": self.resource.kind, "metadata": {"name": ""}})
        return version

    async def _watch(self, version: str) -> str:
        stream = self._client.watch(self.resource, self._namespace, self._selector, version)
        async for event in stream:
            item = event["object"]
            if event["type"] == "ERROR":
                raise ApiError(item.get("code", _GONE), item.get("message", "watch failed"))
            version = item["metadata"]["resourceVersion"]
            if event["type"] == "DELETED":
                self._drop(key_of(item), item)
            elif event["type"] != "BOOKMARK":
                self._keys.add(self._put(item))
        return version

    def _put(self, item: dict[str, Any]) -> Key:
        # Items of a list carry neither.
        document = {
            **item,
            "apiVersion": self.resource.api_version,
            "kind": self.resource.kind,
        }
        if self._store.put(document):
            self._notify(document)
        return key_of(document)

    def _drop(self, key: Key, item: dict[str, Any] | None = None) -> None:
        last = item or self._store.get(key)
        self._store.drop(key)
        self._keys.discard(key)
        if last is not None:
            self._notify({**last, "kind": self.resource.kind})

    def _absent(self) -> None:
        """The kind is not installed: that is a fact to plan with, not an error."""
        if self.installed:
            _LOG.warning("%s is not installed in this cluster", self.resource.kind)
        self.installed = False
        for key in list(self._keys):
            self._drop(key)
        self.synchronised.set()


def _delay(failures: int) -> float:
    longest = min(_LONGEST_RETRY_SECONDS, 0.2 * 2.0 ** min(failures, 20))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 spreading load is no cryptography
