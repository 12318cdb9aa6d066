"""From an ASGI scope to a route, or to a problem that says what is wrong with it."""

from typing import Any, Final

from hune.dataplane.guard.answers import Problem
from hune.dataplane.wire.paths import (
    MalformedPathError,
    Route,
    UnknownPathError,
    find_route,
    show,
)

_VERSIONS: Final = frozenset({"1.0", "1.1"})


def choose_route(scope: dict[str, Any]) -> Route:
    """Return where a request leads.

    Raises:
        Problem: Nowhere.
    """
    if scope["http_version"] not in _VERSIONS:
        raise Problem(505, f"HTTP/{scope['http_version']} is not served, HTTP/1.1 is")
    path = scope["raw_path"]
    try:
        route = find_route(path)
    except MalformedPathError as error:
        raise Problem(400, str(error)) from None
    except UnknownPathError as error:
        raise Problem(404, str(error)) from None
    method = scope["method"]
    if method != route.method:
        message = f"{method} is not allowed at the path {show(path)}, {route.method} is"
        raise Problem(405, message, (b"allow", route.method.encode()))
    return route


def target_of(scope: dict[str, Any], route: Route) -> bytes:
    """Return the request target that goes to the predictor."""
    query: bytes = scope["query_string"]
    return route.target + b"?" + query if query else route.target
