"""The short way of a prediction, which nearly all of them take.

It came whole, its caller is known, a connection to the predictor is free, and no check decides
whether it is answered: then there is nothing to wait for but the predictor, and what an ASGI
application costs (tasks, messages, futures) can be left out. All else takes the usual way.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hune.contract.guard import GuardSettings
from hune.dataplane.guard.access import Access
from hune.dataplane.guard.answers import CLOSE, Answer, Problem, answer_failure
from hune.dataplane.guard.finding import Finding
from hune.dataplane.guard.headers import Envelope, open_envelope
from hune.dataplane.guard.identity import Identity, Note
from hune.dataplane.guard.inspection import Inspection
from hune.dataplane.guard.memory import Memory, no_room
from hune.dataplane.guard.model import check_names
from hune.dataplane.guard.prediction import answer_prediction, check_request
from hune.dataplane.guard.predictor import Predictor
from hune.dataplane.guard.reply import Reply
from hune.dataplane.guard.request import Deliver, Request
from hune.dataplane.guard.telemetry import Telemetry
from hune.dataplane.wire.paths import (
    Endpoint,
    MalformedPathError,
    Route,
    UnknownPathError,
    find_route,
)

_POST: Final = b"POST"
MAXIMUM_IN_FLIGHT: Final = 1024


@dataclass(slots=True)
class Traffic:
    """What is under way, whichever way it takes.

    Attributes:
        requests: Memory of their bodies.
        answers: Memory of the answers' bodies.
        in_flight: Requests that are being answered.
        closing: Whether each answer ends its connection.
    """

    requests: Memory
    answers: Memory
    in_flight: int = 0
    closing: bool = False


@dataclass(frozen=True, slots=True)
class Express:
    """What predictions are answered with, as long as the settings stay the same."""

    settings: GuardSettings
    access: Access
    identity: Identity
    inspection: Inspection
    predictor: Predictor
    telemetry: Telemetry
    traffic: Traffic

    def begin(self, request: Request, deliver: Deliver) -> bool:
        """Begin to answer a prediction.

        Args:
            request: What came.
            deliver: Takes the answer; called once, perhaps before this returns.

        Returns:
            False where the request is not for the short way; nothing was done then.
        """
        path, mark, query = request.target.partition(b"?")
        if self.inspection.decides or self.traffic.in_flight >= MAXIMUM_IN_FLIGHT or b"#" in query:
            return False
        try:
            route = find_route(path)
            if route.endpoint is not Endpoint.PREDICT or request.method != _POST:
                return False
            check_names(route, self.settings)
            admit = self.access.find(route.endpoint, request.headers)
            if admit is None:
                return False
            envelope = open_envelope(request.headers, private=self.access.private)
            check_request(envelope, request.body)
        except (Problem, MalformedPathError, UnknownPathError):
            return False  # the usual way says what is wrong
        target = route.target + mark + query if query else route.target
        prediction = _Prediction(self, route, len(request.body), deliver)
        return prediction.begin(target, envelope, request.body, admit)


class _Prediction:
    """One prediction on its way: it is answered when predictor and checks have spoken."""

    __slots__ = (
        "_answered",
        "_asked_at",
        "_deliver",
        "_express",
        "_findings",
        "_held",
        "_lent",
        "_note",
        "_outcome",
        "_route",
        "_started",
        "_status",
    )

    def __init__(self, express: Express, route: Route, held: int, deliver: Deliver) -> None:
        self._started = time.perf_counter()
        self._express = express
        self._route = route
        self._held, self._lent = held, 0
        self._deliver = deliver
        self._outcome: Reply | Exception | None = None
        self._findings: tuple[Finding, ...] | None = None
        self._note: Note = {}
        self._answered = False
        self._status = 0

    def begin(
        self, target: bytes, envelope: Envelope, body: bytes, admit: Callable[[], None]
    ) -> bool:
        express, traffic = self._express, self._express.traffic
        if not traffic.requests.take(self._held):
            return False
        self._asked_at = time.perf_counter()
        if not express.predictor.begin(target, envelope, body, self._hear):
            traffic.requests.give(self._held)
            return False
        admit()
        traffic.in_flight += 1
        # The request is on its way to the predictor before anything else is done here.
        try:
            found = express.inspection.look(self._route.protocol, envelope, body)
            self._note = express.identity.new_note()
            if isinstance(found, asyncio.Future):
                found.add_done_callback(self._learn)
            else:
                self._findings = found
                self._answer_if_all_spoke()
        except Exception as error:  # noqa: BLE001 told to client and log
            self._fail(error)
        return True

    def _hear(self, outcome: Reply | Exception) -> None:
        express = self._express
        express.telemetry.predictor_took(time.perf_counter() - self._asked_at)
        self._outcome = outcome
        self._answer_if_all_spoke()

    def _learn(self, found: "asyncio.Future[tuple[Finding, ...]]") -> None:
        error = found.exception()
        if error is not None:
            self._fail(error)
        else:
            self._findings = found.result()
            self._answer_if_all_spoke()

    def _answer_if_all_spoke(self) -> None:
        outcome, findings = self._outcome, self._findings
        if outcome is None or findings is None or self._answered:
            return
        if isinstance(outcome, Exception):
            self._fail(outcome)
            return
        try:
            answer = self._make_answer(outcome, findings)
        except Exception as error:  # noqa: BLE001 told to client and log
            self._fail(error)
        else:
            self._answer(answer)

    def _make_answer(self, reply: Reply, findings: tuple[Finding, ...]) -> Answer:
        express, size = self._express, len(reply.body)
        if not express.traffic.answers.take(size):
            raise no_room()
        self._lent = size
        headers = express.identity.headers_of(self._note)
        return answer_prediction(reply, self._route.protocol, self._note, findings, headers)

    def _fail(self, error: BaseException) -> None:
        if not self._answered:
            self._answer(answer_failure(error))

    def _answer(self, answer: Answer) -> None:
        self._answered = True
        self._status = answer.status
        if self._express.traffic.closing:
            answer.headers.append(CLOSE)
        self._deliver(answer, self._end)

    def _end(self) -> None:
        express, traffic = self._express, self._express.traffic
        traffic.in_flight -= 1
        traffic.requests.give(self._held)
        traffic.answers.give(self._lent)
        took = time.perf_counter() - self._started
        express.telemetry.answered(Endpoint.PREDICT, self._status, took)
