"""The guard as an ASGI application: every request comes in here and goes out here."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from hune.contract.guard import GuardSettings
from hune.dataplane.guard.access import Access
from hune.dataplane.guard.answers import (
    CLOSE,
    JSON,
    RETRY_AFTER,
    TEXT,
    Answer,
    ClientGoneError,
    Problem,
    json_answer,
)
from hune.dataplane.guard.environment import Environment
from hune.dataplane.guard.headers import Envelope, announces_body, end_to_end, open_envelope
from hune.dataplane.guard.identity import Identity
from hune.dataplane.guard.inspection import Inspection
from hune.dataplane.guard.intake import Intake, Message, Receive, discard
from hune.dataplane.guard.model import check_names, describe
from hune.dataplane.guard.mounted import MountedFile
from hune.dataplane.guard.pages import Pages
from hune.dataplane.guard.prediction import annotate_reply, check_request
from hune.dataplane.guard.predictor import Predictor
from hune.dataplane.guard.routing import choose_route, target_of
from hune.dataplane.guard.telemetry import Telemetry
from hune.dataplane.guard.upstream import Reply
from hune.dataplane.wire.paths import Endpoint, Route

_LOG: Final = logging.getLogger(__name__)
_MAXIMUM_IN_FLIGHT: Final = 1024
_OK: Final = 200
_CLIENT_GONE: Final = 499
_WITHOUT_BODY: Final = frozenset({204, 304})

Scope = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]


@dataclass(slots=True)
class _Visit:
    """What is known of a request so far, also where it fails."""

    endpoint: Endpoint = Endpoint.NONE
    body_read: bool = False


class Guard:
    """Passes requests to the predictor and says beside each prediction which one it is."""

    def __init__(
        self,
        environment: Environment,
        settings: MountedFile[GuardSettings],
        key: MountedFile[bytes],
    ) -> None:
        self.read_timeout_seconds = environment.read_timeout_seconds
        self._environment = environment
        self._settings = settings
        self._key = key
        self._in_flight = 0
        self._terminating = False
        self.telemetry = Telemetry(lambda: self._in_flight)
        self.refused = self.telemetry.refused
        self._intake = Intake(environment.maximum_body_bytes)
        self._predictor = Predictor(settings.value, environment)
        self._identity = Identity(settings.value, key.value)
        self._inspection = Inspection(self.telemetry)
        self._pages = Pages(settings.value)
        self._access = Access(settings.value, environment, self.telemetry.access)
        self.apply()

    def apply(self) -> None:
        """Put the present content of the mounted files into force."""
        settings = self._settings.value
        self._closing = self._terminating or settings.draining
        if not self._identity.is_meant_by(settings, self._key.value):
            self._identity = Identity(settings, self._key.value)
        if not self._predictor.is_meant_by(settings):
            self._predictor.close()
            self._predictor = Predictor(settings, self._environment)
        self._inspection.apply(settings)
        if not self._pages.is_meant_by(settings):
            self._pages.close()
            self._pages = Pages(settings)
        if not self._access.is_meant_by(settings):
            self._access.close()
            self._access = Access(settings, self._environment, self.telemetry.access)
        self.telemetry.serves(settings, closing=self._closing)

    def terminate(self) -> None:
        """Close connections answer by answer from now on, and be ready no more."""
        self._terminating = True
        self.apply()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = time.perf_counter()
        visit = _Visit()
        self._in_flight += 1
        status = _CLIENT_GONE
        try:
            answer = await self._find_answer(scope, receive, visit)
            status = answer.status
            unread = not visit.body_read and announces_body(scope["headers"])
            await self._deliver(answer, receive if unread else None, send)
        except ClientGoneError:
            pass
        finally:
            self._in_flight -= 1
            self.telemetry.answered(visit.endpoint, status, time.perf_counter() - started)

    async def _find_answer(self, scope: Scope, receive: Receive, visit: _Visit) -> Answer:
        try:
            return await self._serve(scope, receive, visit)
        except Problem as problem:
            return problem.answer()
        except ClientGoneError:
            raise
        except asyncio.CancelledError:
            return Problem(503, "the guard ended before the predictor answered").answer()
        except Exception:  # noqa: BLE001 a client gets JSON, the log gets the traceback
            _LOG.exception("a request failed for a reason of the guard's own")
            return Problem(500, "the guard failed; its log says why").answer()

    async def _serve(self, scope: Scope, receive: Receive, visit: _Visit) -> Answer:
        route = choose_route(scope)
        visit.endpoint = route.endpoint
        await self._access.admit(route.endpoint, scope["headers"])
        check_names(route, self._settings.value)
        match route.endpoint:
            case Endpoint.PREDICT:
                return await self._predict(scope, receive, route, visit)
            case Endpoint.LIVE | Endpoint.READY | Endpoint.STATE | Endpoint.METRICS:
                return await self._report(route.endpoint)
            case Endpoint.OPENAPI | Endpoint.PAGE:
                return await self._pages.show(route.endpoint)
        envelope = open_envelope(scope["headers"], private=self._access.private)
        predictor = self._predictor
        reply = await predictor.forward(route.method, target_of(scope, route), envelope)
        return await describe(reply, route, self._settings.value, predictor.readiness.find_obstacle)

    async def _predict(self, scope: Scope, receive: Receive, route: Route, visit: _Visit) -> Answer:
        if self._in_flight > _MAXIMUM_IN_FLIGHT:
            raise Problem(503, "too many requests are being answered already", RETRY_AFTER)
        envelope = open_envelope(scope["headers"], private=self._access.private)
        body = await self._intake.read(receive, envelope.declared_length)
        visit.body_read = True
        ask = partial(self._ask_predictor, route, target_of(scope, route), envelope, body)
        try:
            check_request(envelope, body)
            reply, findings = await self._inspection.accompany(ask, route.protocol, envelope, body)
        finally:
            self._intake.release(body)
        if reply.status != _OK:
            return Answer(reply.status, end_to_end(reply.headers), reply.body)
        note = self._identity.new_note()
        headers = self._identity.headers_of(note)
        for finding in findings:
            note |= finding.note
            headers += finding.headers
        answer = annotate_reply(reply, route.protocol, note)
        answer.headers += headers
        return answer

    async def _ask_predictor(
        self, route: Route, target: bytes, envelope: Envelope, body: bytes
    ) -> Reply:
        started = time.perf_counter()
        reply = await self._predictor.forward(route.method, target, envelope, body)
        self.telemetry.predictor_took(time.perf_counter() - started)
        return reply

    async def _report(self, endpoint: Endpoint) -> Answer:
        match endpoint:
            case Endpoint.READY:
                return await self._report_readiness()
            case Endpoint.STATE:
                return Answer(_OK, [JSON], self._inspection.state.to_json().encode())
            case Endpoint.METRICS:
                return Answer(_OK, [TEXT], self.telemetry.render())
        return json_answer({"live": True})

    async def _report_readiness(self) -> Answer:
        if self._terminating:
            raise Problem(503, "the guard is ending")
        if obstacle := await self._predictor.readiness.find_obstacle():
            raise Problem(503, obstacle)
        if obstacle := self._inspection.obstacle:
            raise Problem(503, obstacle)
        return json_answer({"ready": True})

    async def _deliver(self, answer: Answer, unread: Receive | None, send: Send) -> None:
        headers = answer.headers
        if self._closing or unread:
            headers.append(CLOSE)
        if answer.status not in _WITHOUT_BODY:
            headers.append((b"content-length", b"%d" % len(answer.body)))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if unread:
            await send({"type": "http.response.body", "body": answer.body, "more_body": True})
            await discard(unread)
            await send({"type": "http.response.body"})
        else:
            await send({"type": "http.response.body", "body": answer.body})
