"""Writing a status: once per reconcile, and only when it says something new."""

from collections.abc import Callable

from hune.controlplane.api.base import Api
from hune.controlplane.cluster import resources
from hune.controlplane.cluster.client import Client
from hune.controlplane.cluster.store import Document, Key, Store, key_of
from hune.controlplane.errors import NotFoundError


class StatusWriter:
    """Applies the status subresource of Hune's own kinds."""

    def __init__(self, client: Client, store: Store, again: Callable[[Key], None]) -> None:
        self._client = client
        self._store = store
        self._again = again

    async def write(self, document: Document, status: Api) -> bool:
        """Apply a complete status; tell whether it was written."""
        fresh = status.document()
        if fresh == document.get("status", {}):
            return False
        metadata = document["metadata"]
        desired = {
            "apiVersion": document["apiVersion"],
            "kind": document["kind"],
            "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
            "status": fresh,
        }
        resource = resources.BY_KIND[document["kind"]]
        try:
            answer = await self._client.apply(resource, desired, force=True, sub="status")
        except NotFoundError:
            # Deleted meanwhile, perhaps between two lists: there is nobody left to tell.
            self._store.drop(key_of(document))
            return False
        if self._store.put_answer(answer):
            self._again(key_of(answer))
        return True
