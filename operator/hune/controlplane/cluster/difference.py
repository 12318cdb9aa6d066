"""Whether applying a document would change an object: decided without asking the API server.

An object needs no apply when it holds every value of the document, and when the fields that its
managedFields say Hune owns are those of the document: one more is to be removed, and one less
was edited by somebody else, who may have added to it. Values the server or a webhook added are
not ours and do not count.
"""

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from hune.contract import names

_IDENTITY = frozenset({"apiVersion", "kind", "name", "namespace"})
_SUFFIXES: dict[str, Decimal | int] = {
    "": 1,
    "m": Decimal("0.001"),
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "P": 10**15,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
    "Pi": 2**50,
}


def is_applied(observed: Mapping[str, Any], desired: Mapping[str, Any], sub: str = "") -> bool:
    """Tell whether an apply of the desired fields would change nothing.

    Args:
        observed: The object as the API server holds it, with Hune's managedFields entry.
        desired: The document that would be applied.
        sub: Subresource that is applied, such as `status`.
    """
    owned = _owned_fields(observed, sub)
    return (
        bool(owned)
        and _holds(observed, desired)
        and _within(owned, desired)
        and _covers(owned, _ownable(desired))
    )


def _owned_fields(observed: Mapping[str, Any], sub: str) -> Mapping[str, Any]:
    for entry in observed["metadata"].get("managedFields", []):
        if entry.get("manager") == names.FIELD_MANAGER and entry.get("subresource", "") == sub:
            fields: Mapping[str, Any] = entry.get("fieldsV1", {})
            return fields
    return {}


def _ownable(desired: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what identifies the object: nobody owns that."""
    metadata = {k: v for k, v in desired["metadata"].items() if k not in _IDENTITY}
    rest = {k: v for k, v in desired.items() if k not in _IDENTITY}
    return rest | {"metadata": metadata}


def _holds(observed: Any, desired: Any) -> bool:
    if observed is None and _is_empty(desired):
        return True
    if isinstance(desired, Mapping):
        return isinstance(observed, Mapping) and all(
            _holds(observed.get(key), value) for key, value in desired.items()
        )
    if isinstance(desired, list):
        return (
            isinstance(observed, list)
            and len(observed) >= len(desired)
            and all(_holds_item(observed, index, item) for index, item in enumerate(desired))
        )
    return bool(observed == desired) or _same_quantity(observed, desired)


def _holds_item(observed: list[Any], index: int, item: Any) -> bool:
    """Find a list's item by its name where it has one: webhooks insert their own beside ours."""
    if isinstance(item, Mapping) and "name" in item:
        return any(_holds(other, item) for other in observed if other.get("name") == item["name"])
    return _holds(observed[index], item)


def _within(owned: Mapping[str, Any], desired: Any) -> bool:
    """Tell whether every owned field, in managedFields' notation, is in the document."""
    return all(
        _field_within(field, below, desired) for field, below in owned.items() if field != "."
    )


def _field_within(field: str, below: Mapping[str, Any], desired: Any) -> bool:
    notation, _, name = field.partition(":")
    if notation == "f":
        return isinstance(desired, Mapping) and name in desired and _within(below, desired[name])
    if notation == "k" and isinstance(desired, list):
        wanted = json.loads(name)
        return any(_has_key(item, wanted) and _within(below, item) for item in desired)
    return True


def _covers(owned: Mapping[str, Any], desired: Any) -> bool:
    """Tell whether every field of the document is owned."""
    if not owned:
        # Owned as one, with everything below it.
        return True
    if isinstance(desired, Mapping):
        return all(
            _is_empty(value) or (f"f:{name}" in owned and _covers(owned[f"f:{name}"], value))
            for name, value in desired.items()
        )
    if isinstance(desired, list):
        return all(_covers_item(owned, item) for item in desired)
    return True


def _covers_item(owned: Mapping[str, Any], item: Any) -> bool:
    if not isinstance(item, Mapping):
        return f"v:{json.dumps(item)}" in owned
    return any(
        _has_key(item, json.loads(field.removeprefix("k:"))) and _covers(below, item)
        for field, below in owned.items()
        if field.startswith("k:")
    )


def _is_empty(value: Any) -> bool:
    """Tell whether a value says the same as its absence."""
    return isinstance(value, Mapping | list) and not value


def _has_key(item: Any, wanted: Mapping[str, Any]) -> bool:
    # The server fills in defaults of key fields, such as a port's protocol.
    return isinstance(item, Mapping) and all(
        item.get(key, value) == value for key, value in wanted.items()
    )


def _same_quantity(observed: Any, desired: Any) -> bool:
    if not isinstance(observed, str | int) or not isinstance(desired, str | int):
        return False
    left, right = _quantity(str(observed)), _quantity(str(desired))
    return left is not None and left == right


def _quantity(text: str) -> Decimal | None:
    number = text.rstrip("mkMGTPi")
    factor = _SUFFIXES.get(text[len(number) :])
    if factor is None:
        return None
    try:
        value = Decimal(number)
    except InvalidOperation:
        return None
    return value * factor if value.is_finite() else None
