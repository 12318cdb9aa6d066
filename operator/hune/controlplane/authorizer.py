"""`hune-authorizer`: tells guards whether a caller may do what it asks for.

It alone may ask the API server about tokens and rights, so that no pod with a model in it holds
any right there. Tokens pass through: they are in no log, no message and no metric.
"""

import asyncio
import logging
import re
import signal
import time
from dataclasses import dataclass
from typing import Final

import kopf
import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Histogram

from hune.contract import access, metrics, names
from hune.contract.access import Decision, Question
from hune.contract.document import from_document, to_document
from hune.controlplane.api.base import DNS_SUBDOMAIN
from hune.controlplane.cluster.client import Client
from hune.controlplane.cluster.login import login
from hune.controlplane.cluster.review import User, review_access, review_token
from hune.controlplane.errors import ApiError, RefusedError
from hune.controlplane.probes import Probes

_LOG: Final = logging.getLogger(__name__)
_MAXIMUM_BODY: Final = 2 * access.MAXIMUM_TOKEN_LENGTH
_MAXIMUM_AT_ONCE: Final = 256
_READ_SECONDS: Final = 5.0
# Less than a guard's patience, so that the guard hears the reason.
_ANSWER_SECONDS: Final = 4.0
_RETRY_SECONDS: Final = 2.0
_NAME: Final = re.compile(DNS_SUBDOMAIN)
_BUCKETS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_MISSING_RIGHT: Final = (
    "the authorizer may not ask the API server; bind the ClusterRole system:auth-delegator to its"
    " ServiceAccount"
)
_UNKNOWN: Final = Decision(
    allowed=False,
    authenticated=False,
    reason=f"the token is not valid for the audience {names.TOKEN_AUDIENCE}: it expired, was"
    " revoked, or was made for another audience",
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the authorizer listens, and how it ends.

    Attributes:
        port: For guards.
        probes_port: For kubelet and Prometheus; 0 for none.
        drain_seconds: How long to serve on after SIGTERM, until no endpoint names this pod.
    """

    port: int
    probes_port: int
    drain_seconds: float


class Authorizer:
    """Answers questions.

    Attributes:
        registry: Its metrics.
    """

    def __init__(self, client: Client) -> None:
        self.registry = CollectorRegistry()
        self._client = client
        self._at_once = 0
        self._draining = False
        self._able = False
        self._requests = Counter(
            metrics.AUTHORIZER_REQUESTS.removesuffix("_total"),
            "Questions by outcome: allowed, refused, unauthenticated, failed, malformed.",
            ["outcome"],
            registry=self.registry,
        )
        self._duration = Histogram(
            metrics.AUTHORIZER_DURATION,
            "Seconds of one answer, the API server's part included.",
            buckets=_BUCKETS,
            registry=self.registry,
        )

    def application(self) -> web.Application:
        """Return what answers over HTTP."""
        application = web.Application(client_max_size=_MAXIMUM_BODY)
        application.router.add_post(access.AUTHORIZE_PATH, self._answer)
        return application

    def drain(self) -> None:
        """End each connection with its next answer, so that guards go elsewhere."""
        self._draining = True

    def is_able(self) -> bool:
        """Tell whether the API server has ever answered both kinds of question."""
        return self._able

    async def become_able(self) -> None:
        """Ask about nobody until the API server answers: rights may come later than we do."""
        nobody = User("system:anonymous", "", (), {})
        while not self._able:
            try:
                await review_token(self._client, "nobody's")
                await review_access(self._client, nobody, "default", "none", access.PREDICT)
            except ApiError:
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                self._able = True

    async def decide(self, question: Question) -> Decision:
        """Return what the API server says about a question.

        Raises:
            ApiError: It does not say.
        """
        user = await review_token(self._client, question.token)
        if user is None:
            return _UNKNOWN
        allowed = question.mode == access.AUTHENTICATED or await review_access(
            self._client, user, question.namespace, question.deployment, question.verb
        )
        reason = "" if allowed else _refusal(user, question)
        return Decision(allowed=allowed, authenticated=True, user=user.name, reason=reason)

    async def _answer(self, request: web.Request) -> web.Response:
        self._at_once += 1
        started = time.perf_counter()
        try:
            response, outcome = await self._find_answer(request)
        finally:
            self._at_once -= 1
        self._requests.labels(outcome).inc()
        self._duration.observe(time.perf_counter() - started)
        if self._draining:
            response.force_close()
        return response

    async def _find_answer(self, request: web.Request) -> tuple[web.Response, str]:
        if self._at_once > _MAXIMUM_AT_ONCE:
            return _problem(503, "too many questions are being answered already"), "failed"
        try:
            question = await _read(request)
        except ValueError as error:
            return _problem(400, str(error)), "malformed"
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                decision = await self.decide(question)
        except TimeoutError:
            said = f"the API server did not answer within {_ANSWER_SECONDS:g} s"
            return _problem(503, said), "failed"
        except RefusedError as error:
            return _problem(503, f"{_MISSING_RIGHT}: {error.message}"), "failed"
        except ApiError as error:
            return _problem(503, f"the API server did not answer: {error.message}"), "failed"
        return _json(200, to_document(decision)), _outcome(decision)


async def serve(place: Place) -> None:
    """Answer until SIGTERM, and for a moment longer.

    Raises:
        ApiError: No cluster is configured.
    """
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with Client(login(kopf.OperatorSettings())) as client:
        authorizer = Authorizer(client)
        runner = web.AppRunner(authorizer.application(), access_log=None, shutdown_timeout=5)
        await runner.setup()
        tasks = [asyncio.create_task(authorizer.become_able())]
        if place.probes_port:
            said = "the API server has not answered yet; is system:auth-delegator bound?"
            probes = Probes(place.probes_port, authorizer.registry, authorizer.is_able, said)
            tasks.append(asyncio.create_task(probes.run()))
        try:
            await web.TCPSite(runner, port=place.port).start()
            _LOG.info("listening on port %d", runner.addresses[0][1])
            await stopped.wait()
            authorizer.drain()
            await asyncio.sleep(place.drain_seconds)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await runner.cleanup()


async def _read(request: web.Request) -> Question:
    try:
        async with asyncio.timeout(_READ_SECONDS):
            body = await request.read()
    except TimeoutError:
        raise ValueError(f"the question did not arrive within {_READ_SECONDS:g} s") from None
    try:
        question = from_document(Question, orjson.loads(body), "question")
    except orjson.JSONDecodeError:
        # Its own message quotes what it read, and that may be a token.
        raise ValueError("question: not JSON") from None
    _check(question)
    return question


def _check(question: Question) -> None:
    # An empty name would ask about every deployment, an empty namespace about all of them.
    for field, value in (
        ("namespace", question.namespace),
        ("deployment", question.deployment),
    ):
        if not _NAME.fullmatch(value):
            raise ValueError(f"question: {field} is no Kubernetes name")
    if question.verb not in access.VERBS:
        raise ValueError(f"question: verb must be one of {', '.join(access.VERBS)}")
    if question.mode not in (access.AUTHORIZED, access.AUTHENTICATED):
        raise ValueError(f"question: mode must be {access.AUTHORIZED} or {access.AUTHENTICATED}")
    if not 0 < len(question.token) <= access.MAXIMUM_TOKEN_LENGTH:
        raise ValueError(f"question: token must have 1 to {access.MAXIMUM_TOKEN_LENGTH} characters")


def _refusal(user: User, question: Question) -> str:
    verb, deployment = question.verb, question.deployment
    return (
        f"{user.name} may not {verb} with the ModelDeployment {deployment} in the namespace"
        f" {question.namespace}; missing is a Role with the rule"
        f" {access.missing_rule(deployment, verb)} and a RoleBinding to it"
    )


def _outcome(decision: Decision) -> str:
    if not decision.authenticated:
        return "unauthenticated"
    return "allowed" if decision.allowed else "refused"


def _problem(status: int, message: str) -> web.Response:
    return _json(status, {"error": message})


def _json(status: int, document: object) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(document), content_type="application/json")
