"""Applying a plan: server-side apply of what changed, deletion of what is no longer planned."""

import secrets
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from hune.contract import names, prediction
from hune.controlplane.cluster import resources
from hune.controlplane.cluster.client import Client
from hune.controlplane.cluster.difference import is_applied
from hune.controlplane.cluster.store import Document, Key, Store
from hune.controlplane.errors import ApiError, ConflictError, NotFoundError
from hune.controlplane.plan.plan import Child, Owner, Plan


class Applier:
    """Makes the cluster as planned, with as few writes as that takes."""

    def __init__(self, client: Client, store: Store, again: Callable[[Key], None]) -> None:
        self._client = client
        self._store = store
        self._again = again
        self._keyed_namespaces: set[str] = set()

    async def apply(self, owner: Owner, plan: Plan, others_wait: Callable[[], bool]) -> bool:
        """Apply the children in their order, prune, touch pods, and apply what nobody waits for.

        Pods take longest to come, so a revision's start goes before all else: where others wait,
        the rest is left for the next turn.

        Returns:
            Whether everything was applied; if not, the plan has to be made and applied once more.
        """
        if plan.children:
            await self._ensure_prediction_key(owner.namespace)
        for child in plan.children:
            if child.auxiliary:
                continue
            created = await self._apply_child(owner, child)
            if created and child.key[0] == resources.INFERENCE_SERVICE.kind and others_wait():
                return False
        for kind, name in plan.prune:
            await self._delete(Key(kind, owner.namespace, name))
        for pod, value in plan.touched_pods.items():
            await self._touch(owner.namespace, pod, value)
        for child in plan.children:
            if child.auxiliary:
                await self._apply_child(owner, child)
        return True

    def forget(self, namespace: str) -> None:
        """Look for a namespace's prediction key anew: it may have gone with the namespace."""
        self._keyed_namespaces.discard(namespace)

    async def _apply_child(self, owner: Owner, child: Child) -> bool:
        """Apply one child; tell whether it is new."""
        try:
            return await self._create_or_update(owner, child)
        except ApiError as error:
            error.child = child.key[0]
            raise

    async def _create_or_update(self, owner: Owner, child: Child) -> bool:
        kind, name = child.key
        document = dict(child.document)
        resource = resources.BY_KIND[kind]
        existing = self._store.get(Key(kind, owner.namespace, name))
        if child.create_only:
            if existing is None:
                self._keep(owner, await self._client.create(resource, document))
            return existing is None
        if existing is None and name == owner.name:
            # A name that the user chose may be somebody else's, and unlabelled, thus not followed.
            # Only a look tells: applying goes through where nothing contradicts.
            existing = await self._client.find(resource, owner.namespace, name)
        if existing is None:
            # Without force: an object of this name that is not ours is left alone.
            self._keep(owner, await self._client.apply(resource, document, force=False))
        elif not _belongs_to(existing, owner):
            raise ConflictError(
                409, f"{kind} {name} belongs to something else; rename the deployment or remove it"
            )
        elif not is_applied(existing, document):
            self._keep(owner, await self._client.apply(resource, document, force=True))
        return existing is None

    def _keep(self, owner: Owner, answer: dict[str, Any]) -> None:
        if self._store.put_answer(answer):
            self._again(Key(owner.kind, owner.namespace, owner.name))

    async def _delete(self, key: Key) -> None:
        existing = self._store.get(key)
        if existing is None or "deletionTimestamp" in existing["metadata"]:
            return
        resource = resources.BY_KIND[key.kind]
        try:
            uid = existing["metadata"]["uid"]
            await self._client.delete(resource, key.namespace, key.name, uid)
        except NotFoundError:
            self._store.drop(key)

    async def _touch(self, namespace: str, pod: str, value: str) -> None:
        annotations = {names.ANNOTATION_GUARD_CONFIGURATION: value}
        try:
            await self._client.annotate(resources.POD, namespace, pod, annotations)
        except NotFoundError:
            return

    async def _ensure_prediction_key(self, namespace: str) -> None:
        """Make the namespace's prediction key once; an existing one is never changed."""
        if namespace in self._keyed_namespaces:
            return
        try:
            await self._client.get(resources.SECRET, namespace, names.PREDICTION_KEY_SECRET)
        except NotFoundError:
            await self._create_prediction_key(namespace)
        self._keyed_namespaces.add(namespace)

    async def _create_prediction_key(self, namespace: str) -> None:
        key = b64encode(secrets.token_bytes(prediction.KEY_BYTES)).decode()
        document: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": names.PREDICTION_KEY_SECRET,
                "namespace": namespace,
                "labels": {
                    names.LABEL_MANAGED_BY: names.MANAGED_BY,
                    names.LABEL_PART_OF: names.MANAGED_BY,
                },
            },
            "type": "Opaque",
            "data": {names.PREDICTION_KEY_FILE: key},
        }
        try:
            await self._client.create(resources.SECRET, document)
        except ConflictError:
            # Another worker, or the replica before us, was faster: its key is the key.
            return


def _belongs_to(existing: Document, owner: Owner) -> bool:
    references = existing["metadata"].get("ownerReferences", [])
    return any(reference.get("uid") == owner.uid for reference in references)
