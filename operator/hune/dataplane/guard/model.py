"""The one model that is served here: what it is called, and what is said of it."""

from collections.abc import Awaitable, Callable
from typing import Final

from hune.contract.guard import SELDON, GuardSettings
from hune.dataplane.guard.answers import Answer, Problem, json_answer
from hune.dataplane.guard.headers import end_to_end
from hune.dataplane.guard.reply import Reply
from hune.dataplane.wire.document import NotAnObjectError, add_members, read_members
from hune.dataplane.wire.paths import Endpoint, Route

_OK: Final = 200
_NOT_FOUND: Final = 404


def check_names(route: Route, settings: GuardSettings) -> None:
    """Check that a path names what is served here.

    Raises:
        Problem: It names another model, or another version.
    """
    model, version = settings.deployment, settings.model_version
    if route.model and route.model != model:
        raise Problem(404, f"there is no model {route.model[:100]!r} here; {model!r} is served")
    if route.version and route.version != version:
        raise Problem(
            404, f"{model!r} has no version {route.version[:100]!r} here; {version!r} is served"
        )


def check_takes_feedback(settings: GuardSettings) -> None:
    """Check that the model learns from feedback.

    Raises:
        Problem: It does not.
    """
    if settings.protocol != SELDON:
        raise Problem(
            404, f"{settings.deployment!r} takes no feedback: only a Seldon component does"
        )


async def describe(
    reply: Reply,
    route: Route,
    settings: GuardSettings,
    find_obstacle: Callable[[], Awaitable[str]],
) -> Answer:
    """Return the predictor's word on server and model, with what only the guard knows.

    Args:
        reply: The predictor's answer.
        route: What was asked.
        settings: What is served.
        find_obstacle: Returns why the predictor is not ready; empty when it is.

    Raises:
        Problem: The guard has to answer for the predictor, and the predictor is not ready.
    """
    if route.endpoint is Endpoint.METADATA:
        if reply.status == _NOT_FOUND and route.protocol == settings.protocol == "V1":
            return await _answer_v1(route, settings, find_obstacle)
        if reply.status == _OK and route.protocol == "V2" and route.model:
            body = _with_version(reply.body, settings.model_version)
            return Answer(reply.status, end_to_end(reply.headers), body)
    return Answer(reply.status, end_to_end(reply.headers), reply.body)


async def _answer_v1(
    route: Route, settings: GuardSettings, find_obstacle: Callable[[], Awaitable[str]]
) -> Answer:
    """Answer for a hand-written V1 server, which often has no path but the one for predictions."""
    if not route.model:
        return json_answer({"models": [settings.deployment]})
    if obstacle := await find_obstacle():
        raise Problem(503, obstacle)
    return json_answer({"name": settings.deployment, "ready": True})


def _with_version(body: bytes, version: str) -> bytes:
    try:
        return add_members(body, read_members(body), {"versions": [version]})
    except NotAnObjectError:
        return body
