"""The event-fed store: what the cluster holds, as small as it can be kept.

An object is kept as compressed JSON and unpacked when a reconcile needs it: a thousand
deployments are some ten thousand objects, and as Python dictionaries they would not fit.
"""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import orjson

from hune.contract import names

Document = dict[str, Any]
_POD_STATUS = ("phase", "conditions", "containerStatuses", "initContainerStatuses")


class Key(NamedTuple):
    """Names one object."""

    kind: str
    namespace: str
    name: str


class _Entry(NamedTuple):
    version: int
    packed: bytes


class Store:
    """Objects by key, and by the ModelDeployment they belong to."""

    def __init__(self) -> None:
        self._objects: dict[Key, _Entry] = {}
        self._members: dict[tuple[str, str], set[Key]] = defaultdict(set)
        self._users: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._mentioned: dict[Key, frozenset[str]] = {}
        self._numbers: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)

    def put(self, document: Mapping[str, Any]) -> Key:
        """Keep an object, unless a newer version of it is already here."""
        key = key_of(document)
        version = int(document["metadata"].get("resourceVersion", 0))
        former = self._objects.get(key)
        if former is not None and former.version > version:
            return key
        self._objects[key] = _Entry(version, zlib.compress(orjson.dumps(_trim(document)), 1))
        self._index(key, document)
        return key

    def drop(self, key: Key) -> None:
        """Forget an object."""
        self._objects.pop(key, None)
        for members in (self._members.get((key.namespace, name)) for name in self._owners(key)):
            if members is not None:
                members.discard(key)
        self._forget_mentions(key)
        for (namespace, _), numbers in self._numbers.items():
            if key.kind == "ModelVersion" and namespace == key.namespace:
                numbers.pop(key.name, None)

    def get(self, key: Key) -> Document | None:
        """Return an object as it was last seen."""
        entry = self._objects.get(key)
        if entry is None:
            return None
        document: Document = orjson.loads(zlib.decompress(entry.packed))
        return document

    def keys(self, kind: str) -> list[Key]:
        """Return the keys of a kind."""
        return [key for key in self._objects if key.kind == kind]

    def members(self, namespace: str, deployment: str) -> list[Key]:
        """Return the keys of everything labelled as belonging to a ModelDeployment."""
        return sorted(self._members.get((namespace, deployment), ()))

    def users(self, namespace: str, version: str) -> list[str]:
        """Return the ModelDeployments that mention a ModelVersion in spec or status."""
        return sorted(self._users.get((namespace, version), ()))

    def numbers(self, namespace: str, model: str) -> list[int]:
        """Return the numbers of a model's versions."""
        return sorted(self._numbers.get((namespace, model), {}).values())

    def __len__(self) -> int:
        return len(self._objects)

    def _index(self, key: Key, document: Mapping[str, Any]) -> None:
        deployment = document["metadata"].get("labels", {}).get(names.LABEL_DEPLOYMENT)
        if key.kind == "ModelVersion":
            spec = document.get("spec", {})
            self._numbers[key.namespace, spec.get("model", "")][key.name] = spec.get("number", 0)
        elif key.kind == "ModelDeployment":
            self._forget_mentions(key)
            self._mentioned[key] = frozenset(_mentions(document))
            for version in self._mentioned[key]:
                self._users[key.namespace, version].add(key.name)
        elif deployment is not None:
            self._members[key.namespace, deployment].add(key)

    def _forget_mentions(self, key: Key) -> None:
        for version in self._mentioned.pop(key, ()):
            self._users[key.namespace, version].discard(key.name)

    def _owners(self, key: Key) -> list[str]:
        return [
            deployment
            for (namespace, deployment), members in self._members.items()
            if namespace == key.namespace and key in members
        ]


def key_of(document: Mapping[str, Any]) -> Key:
    """Return the key of a document."""
    metadata = document["metadata"]
    return Key(document["kind"], metadata.get("namespace", ""), metadata["name"])


def _mentions(document: Mapping[str, Any]) -> Iterable[str]:
    version = (document.get("spec", {}).get("model") or {}).get("version")
    if version:
        yield version
    for revision in document.get("status", {}).get("revisions", []):
        yield revision["modelVersion"]


def _trim(document: Mapping[str, Any]) -> dict[str, Any]:
    """Drop what no plan looks at: others' managed fields, and most of a pod."""
    metadata = dict(document["metadata"])
    own = [
        entry
        for entry in metadata.pop("managedFields", [])
        if entry.get("manager") == names.FIELD_MANAGER and entry.get("operation") == "Apply"
    ]
    if own and document["kind"] != "Pod":
        metadata["managedFields"] = own
    trimmed = {**document, "metadata": metadata}
    if document["kind"] == "Pod":
        status = document.get("status", {})
        trimmed.pop("spec", None)
        trimmed["status"] = {name: status[name] for name in _POD_STATUS if name in status}
    return trimmed
