"""Which request paths exist, and what each of them is."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Final

_MAXIMUM_LENGTH: Final = 2048
_SHOWN: Final = 200
_VISIBLE: Final = range(0x21, 0x7F)


class Endpoint(StrEnum):
    """What a request wants; a metric label, hence few and fixed."""

    PREDICT = "predict"
    EXPLAIN = "explain"
    FEEDBACK = "feedback"
    METADATA = "metadata"
    HEALTH = "health"
    LIVE = "live"
    READY = "ready"
    STATE = "state"
    METRICS = "metrics"
    OPENAPI = "openapi"
    PAGE = "page"
    NONE = "none"

    # An enumeration's own is a function in Python, and every request is looked up by its endpoint.
    __hash__ = str.__hash__


class MalformedPathError(ValueError):
    """The path cannot be meant: escapes, dot segments, foreign characters."""


class UnknownPathError(ValueError):
    """The path is well formed, and nothing is there."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a path leads.

    Attributes:
        endpoint: What is wanted.
        protocol: `V1` or `V2` for what goes to the predictor, empty for the guard's own.
        method: The one method that the path takes.
        model: The model that the path names, empty where it names none.
        version: The version that the path names, empty where it names none.
        target: The path without the version, which no predictor of KServe knows.
    """

    endpoint: Endpoint
    protocol: str
    method: str
    model: str = ""
    version: str = ""
    target: bytes = b""


_MODEL = rb"/models/(?P<model>[^/:]+)"
_VERSION = rb"(?P<dropped>/versions/(?P<version>[^/:]+))?"
_MODEL_V1 = rb"/v1" + _MODEL + _VERSION
_MODEL_V2 = rb"/v2" + _MODEL + _VERSION
_TABLE: Final = [
    (re.compile(pattern), Route(endpoint, protocol, method))
    for pattern, endpoint, protocol, method in [
        (_MODEL_V2 + rb"/infer", Endpoint.PREDICT, "V2", "POST"),
        (_MODEL_V1 + rb":predict", Endpoint.PREDICT, "V1", "POST"),
        (_MODEL_V2 + rb"/feedback", Endpoint.FEEDBACK, "V2", "POST"),
        (_MODEL_V2 + rb"/explain", Endpoint.EXPLAIN, "V2", "POST"),
        (_MODEL_V1 + rb":explain", Endpoint.EXPLAIN, "V1", "POST"),
        (rb"/v2/health/(?:live|ready)", Endpoint.HEALTH, "V2", "GET"),
        (_MODEL_V2 + rb"/ready", Endpoint.HEALTH, "V2", "GET"),
        (rb"/v2", Endpoint.METADATA, "V2", "GET"),
        (_MODEL_V2, Endpoint.METADATA, "V2", "GET"),
        (rb"/v1/models", Endpoint.METADATA, "V1", "GET"),
        (_MODEL_V1, Endpoint.METADATA, "V1", "GET"),
        (rb"/hune/live", Endpoint.LIVE, "", "GET"),
        (rb"/hune/ready", Endpoint.READY, "", "GET"),
        (rb"/hune/state", Endpoint.STATE, "", "GET"),
        (rb"/metrics", Endpoint.METRICS, "", "GET"),
        (rb"/openapi\.json", Endpoint.OPENAPI, "", "GET"),
        (rb"/docs", Endpoint.PAGE, "", "GET"),
    ]
]
# No escapes at all: a name in a path is a Kubernetes name, and %2f or %2e%2e only ever mean harm.
_WELL_FORMED: Final = re.compile(rb"/(?:[A-Za-z0-9._~:-]+/)*[A-Za-z0-9._~:-]*")
_DOT_SEGMENT: Final = re.compile(rb"/\.{1,2}(?:/|$)")


@lru_cache(maxsize=512)
def find_route(path: bytes) -> Route:
    """Return where a path leads.

    Args:
        path: The raw path, as sent, without the query.

    Raises:
        MalformedPathError: The path holds what no path of ours can hold.
        UnknownPathError: Nothing is there.
    """
    if len(path) > _MAXIMUM_LENGTH:
        raise MalformedPathError(
            f"the path {show(path)} is longer than {_MAXIMUM_LENGTH} characters"
        )
    if not _WELL_FORMED.fullmatch(path) or _DOT_SEGMENT.search(path):
        raise MalformedPathError(
            f"the path {show(path)} is malformed: its segments may hold letters, digits and . _ ~ -"
            " only, and no escapes"
        )
    for pattern, route in _TABLE:
        if match := pattern.fullmatch(path):
            named = match.groupdict(b"")
            return replace(
                route,
                model=named.get("model", b"").decode(),
                version=named.get("version", b"").decode(),
                target=path.replace(named.get("dropped", b""), b""),
            )
    raise UnknownPathError(f"there is nothing at the path {show(path)}")


def show(raw: bytes) -> str:
    """Return bytes of a client as text that is safe to quote in a message, cut when long."""
    text = "".join(chr(byte) if byte in _VISIBLE else f"\\x{byte:02x}" for byte in raw[:_SHOWN])
    return f"'{text}…'" if len(raw) > _SHOWN else f"'{text}'"
