"""Frozen dataclasses as JSON documents and back, strictly; keys are camelCase outside."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_document(value: Any) -> Any:
    """Return a dataclass, and what is nested in it, as JSON-ready values.

    What has its default is left out, so that a release with another field changes no document.
    """
    if is_dataclass(value):
        given = {f.name: getattr(value, f.name) for f in fields(value)}
        defaults = {f.name: _default(f) for f in fields(value)}
        return {camel(n): to_document(v) for n, v in given.items() if v != defaults[n]}
    if isinstance(value, tuple):
        return [to_document(item) for item in value]
    return value


def from_document(kind: type[T], document: object, where: str) -> T:
    """Parse what `to_document` wrote; fields unknown to this release are passed over.

    Args:
        kind: A dataclass whose fields are str, int, bool, other such dataclasses, tuples of
            these, or one of these or None.
        document: The parsed JSON.
        where: What to call it in a message.

    Raises:
        ValueError: Not an object, or a field is missing or of another type; the message names it.
    """
    if not isinstance(document, Mapping):
        raise ValueError(f"{where} must be a JSON object")  # noqa: TRY004 one error kind
    hints = get_type_hints(kind)
    missing = [camel(name) for name in _required(kind) if camel(name) not in document]
    if missing:
        raise ValueError(f"{where}: {', '.join(missing)} is missing")
    given = {name: document[camel(name)] for name in hints if camel(name) in document}
    return kind(**{n: _value(hints[n], v, f"{where}: {camel(n)}") for n, v in given.items()})


def camel(name: str) -> str:
    """Return a Python name as JSON spells it."""
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


def _value(kind: Any, value: object, where: str) -> Any:
    if isinstance(kind, UnionType):
        if value is None:
            return None
        (kind,) = (option for option in get_args(kind) if option is not NoneType)
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise ValueError(f"{where} must be a list")
        item = get_args(kind)[0]
        return tuple(_value(item, part, f"{where}[{i}]") for i, part in enumerate(value))
    if is_dataclass(kind) and isinstance(kind, type):
        return from_document(kind, value, where)
    if type(value) is not kind:
        raise ValueError(f"{where} must be {kind.__name__}")
    return value


def _default(field: Field[Any]) -> object:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _required(kind: Any) -> list[str]:
    return [f.name for f in fields(kind) if _default(f) is MISSING]
