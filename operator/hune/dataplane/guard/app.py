"""The guard as an ASGI application: every request comes in here and goes out here."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from hune.contract.guard import GuardSettings
from hune.contract.state import GuardState
from hune.dataplane.guard.access import Access
from hune.dataplane.guard.answers import (
    CLOSE,
    JSON,
    RETRY_AFTER,
    TEXT,
    Answer,
    ClientGoneError,
    Problem,
    answer_failure,
    json_answer,
)
from hune.dataplane.guard.environment import Environment
from hune.dataplane.guard.explanations import Explanations
from hune.dataplane.guard.express import MAXIMUM_IN_FLIGHT, Express, Traffic
from hune.dataplane.guard.headers import Envelope, announces_body, end_to_end, open_envelope
from hune.dataplane.guard.identity import Identity
from hune.dataplane.guard.inspection import Inspection
from hune.dataplane.guard.intake import Message, Receive, discard, read_body
from hune.dataplane.guard.memory import LARGEST_AT_ONCE, Loan, Memory
from hune.dataplane.guard.model import check_names, check_takes_feedback, describe
from hune.dataplane.guard.mounted import MountedFile
from hune.dataplane.guard.pages import Pages
from hune.dataplane.guard.prediction import answer_prediction, check_request
from hune.dataplane.guard.predictor import MakePredictor
from hune.dataplane.guard.reply import Reply
from hune.dataplane.guard.routing import choose_route, target_of
from hune.dataplane.guard.telemetry import Telemetry
from hune.dataplane.wire.paths import Endpoint, Route

_OK: Final = 200
_CLIENT_GONE: Final = 499
_WITHOUT_BODY: Final = frozenset({204, 304})
# A longer answer is held until its client took most of it, and so is its memory.
_LONG_ANSWER: Final = 1 << 16

Scope = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]


@dataclass(slots=True)
class _Visit:
    """What is known of a request so far, also where it fails."""

    answer: Loan
    endpoint: Endpoint = Endpoint.NONE
    body_read: bool = False


class Guard:
    """Passes requests to the predictor and says beside each prediction which one it is."""

    def __init__(
        self,
        environment: Environment,
        settings: MountedFile[GuardSettings],
        key: MountedFile[bytes],
        make_predictor: MakePredictor,
    ) -> None:
        self.read_timeout_seconds = environment.read_timeout_seconds
        self._environment = environment
        self._settings = settings
        self._key = key
        self._terminating = False
        room = LARGEST_AT_ONCE * environment.maximum_body_bytes
        self._traffic = Traffic(Memory(room), Memory(room))
        self.telemetry = Telemetry(lambda: self._traffic.in_flight)
        self.refused = self.telemetry.refused
        self._make_predictor = make_predictor
        self._predictor = make_predictor(settings.value, environment, self._traffic.answers)
        self._identity = Identity(settings.value, key.value)
        self._inspection = Inspection(self.telemetry, environment.detector_seconds)
        self._explanations = self._new_explanations(settings.value)
        self._pages = Pages(settings.value, self._predictor.fetch_metadata)
        self._access = Access(settings.value, environment, self.telemetry.access)
        self.apply()

    def apply(self) -> None:
        """Put the present content of the mounted files into force."""
        settings = self._settings.value
        self._traffic.closing = self._terminating or settings.draining
        if not self._identity.is_meant_by(settings, self._key.value):
            self._identity = Identity(settings, self._key.value)
        if not self._predictor.is_meant_by(settings):
            self._predictor.close()
            self._predictor = self._make_predictor(
                settings, self._environment, self._traffic.answers
            )
        self._inspection.apply(settings)
        if not self._explanations.is_meant_by(settings):
            self._explanations.close()
            self._explanations = self._new_explanations(settings)
        if not self._pages.is_meant_by(settings):
            self._pages = Pages(settings, self._predictor.fetch_metadata)
        if not self._access.is_meant_by(settings):
            self._access.close()
            self._access = Access(settings, self._environment, self.telemetry.access)
        self.telemetry.serves(settings, closing=self._traffic.closing)
        self._express = Express(
            settings,
            self._access,
            self._identity,
            self._inspection,
            self._predictor,
            self.telemetry,
            self._traffic,
        )
        self.begin = self._express.begin

    def _new_explanations(self, settings: GuardSettings) -> Explanations:
        count = self.telemetry.explainer_failed
        return Explanations(settings, self._environment, self._traffic.answers, count)

    def terminate(self) -> None:
        """Close connections answer by answer from now on, and be ready no more."""
        self._terminating = True
        self.apply()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        with Loan(self._traffic.answers) as answer:
            await self._answer(scope, receive, send, _Visit(answer))

    async def _answer(self, scope: Scope, receive: Receive, send: Send, visit: _Visit) -> None:
        started = time.perf_counter()
        self._traffic.in_flight += 1
        status = _CLIENT_GONE
        try:
            answer = await self._find_answer(scope, receive, visit)
            status = answer.status
            unread = not visit.body_read and announces_body(scope["headers"])
            await self._deliver(answer, receive if unread else None, send)
        except ClientGoneError:
            pass
        finally:
            self._traffic.in_flight -= 1
            self.telemetry.answered(visit.endpoint, status, time.perf_counter() - started)

    async def _find_answer(self, scope: Scope, receive: Receive, visit: _Visit) -> Answer:
        try:
            return await self._serve(scope, receive, visit)
        except ClientGoneError:
            raise
        except asyncio.CancelledError:
            return Problem(503, "the guard ended before the predictor answered").answer()
        except Exception as error:  # noqa: BLE001 a client gets JSON, the log gets the traceback
            return answer_failure(error)

    async def _serve(self, scope: Scope, receive: Receive, visit: _Visit) -> Answer:
        route = choose_route(scope)
        visit.endpoint = route.endpoint
        await self._access.admit(route.endpoint, scope["headers"])
        check_names(route, self._settings.value)
        match route.endpoint:
            case Endpoint.PREDICT:
                return await self._predict(scope, receive, route, visit)
            case Endpoint.EXPLAIN:
                return await self._explain(scope, receive, route, visit)
            case Endpoint.FEEDBACK:
                return await self._give_feedback(scope, receive, route, visit)
            case Endpoint.LIVE | Endpoint.READY | Endpoint.STATE | Endpoint.METRICS:
                return await self._report(route.endpoint)
            case Endpoint.OPENAPI | Endpoint.PAGE:
                return await self._pages.show(route.endpoint)
        envelope = open_envelope(scope["headers"], private=self._access.private)
        predictor = self._predictor
        reply = await predictor.forward(route.method, target_of(scope, route), envelope)
        return await describe(reply, route, self._settings.value, predictor.find_obstacle)

    async def _take(
        self, scope: Scope, receive: Receive, visit: _Visit, loan: Loan
    ) -> tuple[Envelope, bytes]:
        if self._traffic.in_flight > MAXIMUM_IN_FLIGHT:
            raise Problem(503, "too many requests are being answered already", RETRY_AFTER)
        envelope = open_envelope(scope["headers"], private=self._access.private)
        maximum = self._environment.maximum_body_bytes
        body = await read_body(receive, envelope.declared_length, maximum, loan)
        visit.body_read = True
        check_request(envelope, body)
        return envelope, body

    async def _explain(self, scope: Scope, receive: Receive, route: Route, visit: _Visit) -> Answer:
        self._explanations.check_wanted()
        with Loan(self._traffic.requests) as loan:
            envelope, body = await self._take(scope, receive, visit, loan)
            reply = await self._explanations.forward(target_of(scope, route), envelope, body)
        visit.answer.take(len(reply.body))
        note = self._identity.new_note()
        headers = self._identity.headers_of(note)
        return answer_prediction(reply, route.protocol, note, (), headers)

    async def _give_feedback(
        self, scope: Scope, receive: Receive, route: Route, visit: _Visit
    ) -> Answer:
        check_takes_feedback(self._settings.value)
        with Loan(self._traffic.requests) as loan:
            envelope, body = await self._take(scope, receive, visit, loan)
            target = target_of(scope, route)
            reply = await self._predictor.forward(route.method, target, envelope, body)
        visit.answer.take(len(reply.body))
        return Answer(reply.status, end_to_end(reply.headers), reply.body)

    async def _predict(self, scope: Scope, receive: Receive, route: Route, visit: _Visit) -> Answer:
        with Loan(self._traffic.requests) as loan:
            envelope, body = await self._take(scope, receive, visit, loan)
            ask = partial(self._ask_predictor, route, target_of(scope, route), envelope, body)
            reply, findings = await self._inspection.accompany(ask, route.protocol, envelope, body)
        visit.answer.take(len(reply.body))
        note = self._identity.new_note()
        headers = self._identity.headers_of(note)
        return answer_prediction(reply, route.protocol, note, findings, headers)

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
                return Answer(_OK, [JSON], (await self._state()).to_json().encode())
            case Endpoint.METRICS:
                return Answer(_OK, [TEXT], self.telemetry.render())
        return json_answer({"live": True})

    async def _state(self) -> GuardState:
        """Return what is amiss; an explainer that is, keeps no prediction from being made."""
        state = self._inspection.state
        fault = await self._explanations.find_fault()
        return replace(state, faults=(*state.faults, fault)) if fault else state

    async def _report_readiness(self) -> Answer:
        if self._terminating:
            raise Problem(503, "the guard is ending")
        if obstacle := await self._predictor.find_obstacle():
            raise Problem(503, obstacle)
        if obstacle := self._inspection.obstacle:
            raise Problem(503, obstacle)
        return json_answer({"ready": True})

    async def _deliver(self, answer: Answer, unread: Receive | None, send: Send) -> None:
        headers = answer.headers
        if self._traffic.closing or unread:
            headers.append(CLOSE)
        if answer.status not in _WITHOUT_BODY:
            headers.append((b"content-length", b"%d" % len(answer.body)))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if unread:
            await send({"type": "http.response.body", "body": answer.body, "more_body": True})
            await discard(unread)
            await send({"type": "http.response.body"})
        else:
            long = len(answer.body) > _LONG_ANSWER
            await send({"type": "http.response.body", "body": answer.body, "more_body": long})
            if long:
                await send({"type": "http.response.body"})
