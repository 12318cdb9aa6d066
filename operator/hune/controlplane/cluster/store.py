"""The event-fed store: what the cluster holds, as small as it can be kept.

An object is kept as compressed JSON and unpacked when a reconcile needs it: a thousand
deployments are some ten thousand objects, and as Python dictionaries they would not fit. Objects of
a kind are much alike, so the first of each kind serves the others as the dictionary that they are
compressed with.
"""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import orjson

from hune.contract import names

Document = dict[str, Any]
_LEVEL = 2
# Objects are some kilobytes; a window of 16 KiB sees a whole one and costs little to set up.
_WINDOW_BITS = 14
_POD_STATUS = ("phase", "podIP", "conditions", "containerStatuses", "initContainerStatuses")


class Key(NamedTuple):
    """Names one object."""

    kind: str
    namespace: str
    name: str


class _Entry(NamedTuple):
    version: int
    group: str
    packed: bytes


class Store:
    """Objects by key, and by the ModelDeployment they belong to."""

    def __init__(self) -> None:
        self._objects: dict[Key, _Entry] = {}
        self._samples: dict[str, bytes] = {}
        self._members: dict[tuple[str, str], set[Key]] = defaultdict(set)
        self._users: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._mentioned: dict[Key, frozenset[str]] = {}
        self._numbers: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)

    def put(self, document: Mapping[str, Any]) -> bool:
        """Keep an object, and tell whether it is news.

        An older version is passed over, and so is the echo of our own write, whose answer is
        already here: neither is a reason to look at anything again.
        """
        key = key_of(document)
        version = int(document["metadata"].get("resourceVersion", 0))
        former = self._objects.get(key)
        if former is not None and former.version >= version:
            return False
        self.drop(key)
        self._objects[key] = _Entry(version, _group(document), self._pack(key.kind, document))
        self._index(key, document)
        return True

    def put_answer(self, document: Mapping[str, Any]) -> bool:
        """Keep what a write of ours answered, and tell whether it shows others' news.

        Somebody may have changed the object between the last event and our write. The event of
        that change is older than this answer and will be passed over, so it is told here.
        """
        former = self.get(key_of(document))
        self.put(document)
        return former is not None and _others_part(former) != _others_part(document)

    def drop(self, key: Key) -> None:
        """Forget an object."""
        entry = self._objects.pop(key, None)
        if entry is None:
            return
        group = (key.namespace, entry.group)
        self._members[group].discard(key)
        if key.kind == "ModelVersion":
            self._numbers[group].pop(key.name, None)
        for index in (self._members, self._numbers):
            if not index[group]:
                del index[group]
        for version in self._mentioned.pop(key, ()):
            self._users[key.namespace, version].discard(key.name)

    def get(self, key: Key) -> Document | None:
        """Return an object as it was last seen."""
        entry = self._objects.get(key)
        if entry is None:
            return None
        return self._unpack(key.kind, entry.packed)

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

    def _pack(self, kind: str, document: Mapping[str, Any]) -> bytes:
        plain = orjson.dumps(_trim(document))
        sample = self._samples.setdefault(kind, plain)
        packer = zlib.compressobj(_LEVEL, wbits=_WINDOW_BITS, zdict=sample)
        return packer.compress(plain) + packer.flush()

    def _unpack(self, kind: str, packed: bytes) -> Document:
        unpacker = zlib.decompressobj(_WINDOW_BITS, self._samples[kind])
        document: Document = orjson.loads(unpacker.decompress(packed))
        return document

    def _index(self, key: Key, document: Mapping[str, Any]) -> None:
        group = (key.namespace, _group(document))
        if key.kind == "ModelVersion":
            self._numbers[group][key.name] = document.get("spec", {}).get("number", 0)
        elif key.kind == "ModelDeployment":
            self._mentioned[key] = frozenset(_mentions(document))
            for version in self._mentioned[key]:
                self._users[key.namespace, version].add(key.name)
        else:
            self._members[group].add(key)


def key_of(document: Mapping[str, Any]) -> Key:
    """Return the key of a document."""
    metadata = document["metadata"]
    return Key(document["kind"], metadata.get("namespace", ""), metadata["name"])


def _group(document: Mapping[str, Any]) -> str:
    """Return what an object is listed under: its deployment, or its model for a version."""
    if document["kind"] == "ModelVersion":
        return str(document.get("spec", {}).get("model", ""))
    return deployment_of(document)


def deployment_of(document: Mapping[str, Any]) -> str:
    """Return the ModelDeployment that an object belongs to; empty where it belongs to none.

    A child is known by its owner, so that one whose label somebody took is still found; pods have
    another owner and are known by their label.
    """
    metadata = document["metadata"]
    for owner in metadata.get("ownerReferences") or ():
        if owner["kind"] == "ModelDeployment" and owner["apiVersion"] == names.API_VERSION:
            return str(owner["name"])
    return str((metadata.get("labels") or {}).get(names.LABEL_DEPLOYMENT, ""))


def _others_part(document: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return what others write: the spec of Hune's own kinds, the status of its children."""
    metadata = document["metadata"]
    own = document["apiVersion"] == names.API_VERSION
    part = metadata.get("generation") if own else document.get("status")
    return metadata.get("deletionTimestamp"), part


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
