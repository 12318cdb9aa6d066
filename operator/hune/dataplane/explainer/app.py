"""The explainer as an ASGI application."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import numpy as np

from hune.contract import names
from hune.contract.state import EXPLAINER, LOADING, DetectorFault, GuardState
from hune.dataplane.explainer.answer import Writer
from hune.dataplane.explainer.capacity import Capacity
from hune.dataplane.explainer.environment import ExplainerEnvironment
from hune.dataplane.explainer.explanation import Explanation, Numbers
from hune.dataplane.explainer.loading import Explainer, UnfitError, load_trusted
from hune.dataplane.explainer.predictor import Address, Predictor, PredictorError
from hune.dataplane.explainer.request import Form, read_rows, read_tensors
from hune.dataplane.explainer.telemetry import Telemetry
from hune.dataplane.explainer.tree_shap import TreeShap
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
from hune.dataplane.guard.headers import Envelope, announces_body, open_envelope
from hune.dataplane.guard.intake import Message, Receive, discard, read_body
from hune.dataplane.guard.memory import LARGEST_AT_ONCE, Loan, Memory
from hune.dataplane.guard.request import Deliver, Request
from hune.dataplane.guard.routing import choose_route
from hune.dataplane.wire.binary import LENGTH_HEADER
from hune.dataplane.wire.paths import Endpoint, Route

_LOG: Final = logging.getLogger(__name__)
_LIMIT_HEADER: Final = names.HEADER_TIME_LIMIT.lower().encode()
_MAXIMUM_ROWS: Final = 1000
_MAXIMUM_ASKED_ROWS: Final = 16
# What takes no longer than a few milliseconds needs no thread, and none could make it faster.
_COST_IN_PLACE: Final = 1 << 18
_LOADING: Final = DetectorFault(EXPLAINER, LOADING, "the explainer is loading its artefact")

Scope = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]


class ExplainerApp:
    """Explains rows, and says why when it cannot."""

    def __init__(self, environment: ExplainerEnvironment) -> None:
        self.read_timeout_seconds = environment.server.read_timeout_seconds
        self._environment = environment
        self._capacity = Capacity(environment.workers, environment.waiting)
        self._memory = Memory(LARGEST_AT_ONCE * environment.server.maximum_body_bytes)
        self._explainer: Explainer | None = None
        self._writer: Writer | None = None
        self._terminating = False
        self.fault: DetectorFault | None = _LOADING
        self._telemetry = Telemetry(lambda: self._capacity.held, lambda: self.fault is None)
        self.refused = self._telemetry.answered

    async def load(self) -> None:
        """Load the artefact, or keep why that is not possible."""
        wanted = self._environment
        try:
            explainer = await asyncio.to_thread(
                load_trusted, wanted.directory, wanted.digest, wanted.method
            )
        except UnfitError as error:
            self.fault = error.fault
            _LOG.error("%s", error)
            return
        self._explainer, self._writer = explainer, Writer(explainer.header)
        self.fault = None
        _LOG.info("explaining with %s", explainer.header.method)

    def terminate(self) -> None:
        """Close connections answer by answer from now on, and be ready no more."""
        self._terminating = True

    def begin(self, request: Request, deliver: Deliver) -> bool:
        """Tell that nothing here is answered without a task."""
        del request, deliver
        return False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body = _Body(receive)
        try:
            answer = await self._find_answer(scope, body)
        except ClientGoneError:
            return
        unread = not body.read and announces_body(scope["headers"])
        await self._deliver(answer, receive if unread else None, send)

    async def _find_answer(self, scope: Scope, body: "_Body") -> Answer:
        try:
            route = choose_route(scope)
            if route.endpoint is not Endpoint.EXPLAIN:
                return self._report(route)
            answer = await self._explain(scope, route, body)
        except Problem as problem:
            answer = problem.answer()
        except asyncio.CancelledError:
            answer = Problem(503, "the explainer ended before it was done").answer()
        except ClientGoneError:
            raise
        except Exception as error:  # noqa: BLE001 a client gets JSON, the log gets the traceback
            answer = self._crash(error).answer()
        self._telemetry.answered(answer.status)
        return answer

    def _report(self, route: Route) -> Answer:
        match route.endpoint:
            case Endpoint.LIVE:
                return json_answer({"live": True})
            case Endpoint.READY | Endpoint.HEALTH:
                if self.fault is not None or self._terminating:
                    raise self._unable()
                return json_answer({"ready": True})
            case Endpoint.STATE:
                faults = (self.fault,) if self.fault else ()
                return Answer(200, [JSON], GuardState(faults).to_json().encode())
            case Endpoint.METRICS:
                return Answer(200, [TEXT], self._telemetry.render())
        raise Problem(404, "this is an explainer: it serves …:explain, …/explain and its health")

    async def _explain(self, scope: Scope, route: Route, body: "_Body") -> Answer:
        explainer, writer = self._explainer, self._writer
        if explainer is None or writer is None:
            raise self._unable()
        envelope = open_envelope(scope["headers"])
        limit = self._limit(scope)
        maximum = self._environment.server.maximum_body_bytes
        with Loan(self._memory) as loan:
            content = await read_body(body, envelope.declared_length, maximum, loan)
            started = time.perf_counter()
            explanation, rows = await self._work_on(explainer, route, envelope, content, limit)
            self._telemetry.explained(rows, time.perf_counter() - started)
            self.fault = None
            return Answer(200, [JSON], writer.write(route.protocol, route.model, explanation))

    async def _work_on(
        self, explainer: Explainer, route: Route, envelope: Envelope, content: bytes, limit: float
    ) -> tuple[Explanation, int]:
        tensors = read_tensors(route.protocol, content, envelope.read.get(LENGTH_HEADER))
        header, method = explainer.header, explainer.method
        rows = read_rows(tensors, header.features, header.feature_count)
        if isinstance(method, TreeShap):
            _check_rows(rows, _MAXIMUM_ROWS)
            if len(rows) * method.cost <= _COST_IN_PLACE:
                return method.explain(rows), len(rows)
            return await self._capacity.run(lambda _: method.explain(rows), limit), len(rows)
        _check_rows(rows, _MAXIMUM_ASKED_ROWS)
        if not np.isfinite(rows).all():
            raise Problem(400, f"{header.method} explains rows without null or infinity only")
        typed = route.protocol == "V2"
        form = Form(self._environment.protocol, tensors, header.features, typed=typed)
        address = self._address(route.model, header.predictor_output)

        def work(deadline: float) -> Explanation:
            predictor = Predictor(address, form, deadline)
            try:
                return method.explain(rows, predictor.ask)
            finally:
                self._telemetry.asked(predictor.requests)
                predictor.close()

        try:
            return await self._capacity.run(work, limit), len(rows)
        except PredictorError as error:
            if error.by_request:
                raise Problem(400, f"the rows cannot be explained: {error}") from None
            raise Problem(502, str(error)) from None

    def _address(self, model: str, output: str) -> Address:
        environment = self._environment
        return Address(
            environment.predictor_host,
            environment.predictor_port,
            environment.protocol,
            environment.model or model,
            output,
        )

    def _limit(self, scope: Scope) -> float:
        said = [value for name, value in scope["headers"] if name == _LIMIT_HEADER]
        try:
            seconds = float(said[0]) if said else self._environment.time_limit_seconds
        except ValueError:
            seconds = math.nan
        if not 0 < seconds < math.inf:
            raise Problem(400, f"{names.HEADER_TIME_LIMIT} must be a number of seconds above 0")
        return seconds

    def _unable(self) -> Problem:
        if self.fault is None:
            return Problem(503, "the explainer is ending", RETRY_AFTER)
        return Problem(503, f"nothing can be explained: {self.fault.reason}: {self.fault.message}")

    def _crash(self, error: Exception) -> Problem:
        _LOG.error("an explanation failed", exc_info=error)
        message = f"it failed on a request ({type(error).__name__}); see the explainer's log"
        self.fault = DetectorFault(EXPLAINER, "ExplainerFailed", message)
        return Problem(500, "the explainer failed; its log says why")

    async def _deliver(self, answer: Answer, unread: Receive | None, send: Send) -> None:
        headers = [*answer.headers, (b"content-length", b"%d" % len(answer.body))]
        if self._terminating or unread:
            headers.append(CLOSE)
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        more = unread is not None
        await send({"type": "http.response.body", "body": answer.body, "more_body": more})
        if unread is not None:
            await discard(unread)
            await send({"type": "http.response.body"})


class _Body:
    """A request's body as ASGI gives it; remembers whether it was read to its end."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.read = False

    async def __call__(self) -> Message:
        message = await self._receive()
        self.read = not message.get("more_body", False)
        return message


def _check_rows(rows: Numbers, most: int) -> None:
    if not 0 < len(rows) <= most:
        raise Problem(400, f"the request has {len(rows)} rows; 1 to {most} are explained at once")
