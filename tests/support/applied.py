"""What an API server answers to a server-side apply, as far as planning looks at it."""

import json
from typing import Any

_IDENTITY = {"apiVersion", "kind", "name", "namespace"}
# Lists whose items the server tells apart by these keys; every other list is owned as one.
_LIST_KEYS = {"ports": ("port",), "env": ("name",), "volumes": ("name",), "groups": ("name",)}
_OWNED_AS_ONE = {"selector", "nodeSelector", "podSelector", "containers", "ownerReferences"}


def applied(document: dict[str, Any], **metadata: object) -> dict[str, Any]:
    """Return the object that an apply of a document makes, with its managedFields."""
    observed: dict[str, Any] = json.loads(json.dumps(document))
    entry = {
        "manager": "hune",
        "operation": "Apply",
        "fieldsType": "FieldsV1",
        "fieldsV1": _fields(observed | {"metadata": _without_identity(observed["metadata"])}),
    }
    observed["metadata"] |= {"managedFields": [entry], **metadata}
    return observed


def _without_identity(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in _IDENTITY}


def _fields(document: dict[str, Any]) -> dict[str, Any]:
    owned = {}
    for name, value in document.items():
        if name in _IDENTITY - {"name"}:
            continue
        if isinstance(value, dict | list) and not value:
            continue
        owned[f"f:{name}"] = _below(name, value)
    return owned


def _below(name: str, value: Any) -> dict[str, Any]:
    if name in _OWNED_AS_ONE or not isinstance(value, dict | list):
        return {}
    if isinstance(value, dict):
        return _fields(value)
    keys = _LIST_KEYS.get(name)
    if keys is None or not all(isinstance(item, dict) and {*keys} <= {*item} for item in value):
        return {}
    owned = {}
    for item in value:
        key = json.dumps({key: item[key] for key in keys}, separators=(",", ":"))
        owned[f"k:{key}"] = {".": {}, **_fields(item)}
    return owned
