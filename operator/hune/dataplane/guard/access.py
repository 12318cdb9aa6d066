"""Who may ask this guard: tokens, what the authorizer says of them, and how long that counts."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Final

from hune.contract import access, names
from hune.contract.access import Decision, Question
from hune.contract.guard import GuardSettings
from hune.dataplane.guard.access_telemetry import AccessTelemetry
from hune.dataplane.guard.answers import RETRY_AFTER, Header, Problem
from hune.dataplane.guard.authorizer import Authorizer, UndecidedError
from hune.dataplane.guard.bearer import (
    HEADER,
    NoTokenError,
    check_token,
    read_expiry,
    read_token,
)
from hune.dataplane.guard.decisions import REFUSED_SECONDS, Decisions, Kept
from hune.dataplane.guard.environment import Environment
from hune.dataplane.wire.paths import Endpoint

# Kubelet, Prometheus and load balancers carry no token; what they learn is no secret.
_FREE: Final = frozenset(
    {Endpoint.HEALTH, Endpoint.LIVE, Endpoint.READY, Endpoint.STATE, Endpoint.METRICS}
)
# An endpoint that neither stands here nor is free takes the right to predict.
_VERBS: Final[dict[Endpoint, str]] = {
    Endpoint.EXPLAIN: access.EXPLAIN,
    Endpoint.FEEDBACK: access.FEEDBACK,
}
_CHALLENGE: Final[Header] = (b"www-authenticate", b"Bearer")
_PRIVATE: Final = frozenset({HEADER})
_NOTHING: Final[frozenset[bytes]] = frozenset()
_MAXIMUM_ASKED_AT_ONCE: Final = 256
_RENEW_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Clocks:
    """The times that access goes by.

    Attributes:
        steady: Seconds that only ever grow.
        wall: Seconds since the epoch, in which tokens expire.
    """

    steady: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time


@dataclass(frozen=True, slots=True)
class _Undecided:
    """Why there is no decision."""

    reason: str


class Access:
    """Admits callers of one deployment, as long as its access settings stay the same."""

    def __init__(
        self,
        settings: GuardSettings,
        environment: Environment,
        telemetry: AccessTelemetry,
        clocks: Clocks = Clocks(),
    ) -> None:
        self._key = _key(settings)
        self._settings = settings
        self._seconds = environment.access_seconds
        self._telemetry = telemetry
        self._clocks = clocks
        self._decisions = Decisions(clocks.steady)
        self._asked: dict[bytes, asyncio.Task[Kept | _Undecided]] = {}
        self._authorizer: Authorizer | None = None
        if settings.access.authorizer:
            timeout = environment.authorizer_timeout_seconds
            self._authorizer = Authorizer(settings.access.authorizer, timeout)
        # A caller's token is for this guard; the predictor could use it elsewhere.
        self.private = _NOTHING if self._is_open else _PRIVATE

    def is_meant_by(self, settings: GuardSettings) -> bool:
        """Tell whether these settings admit the same callers."""
        return self._key == _key(settings)

    def close(self) -> None:
        """Ask nobody any more; what was asked is still answered."""
        if self._authorizer is not None:
            self._authorizer.close()

    async def admit(self, endpoint: Endpoint, headers: Iterable[Header]) -> None:
        """Let a request pass.

        Args:
            endpoint: What it wants.
            headers: Its headers, names in small letters.

        Raises:
            Problem: 401 for who is unknown, 403 for who may not, 503 where nobody can tell.
        """
        if self._is_open or endpoint in _FREE:
            return
        verb = _VERBS.get(endpoint, access.PREDICT)
        try:
            token = read_token(headers)
        except NoTokenError as error:
            raise self._unauthenticated(f"{error}") from None
        key = _key_of(verb, token)
        kept = self._decisions.find(key)
        if kept is None:
            kept = await self._ask(key, verb, token)
        elif self._clocks.steady() >= kept.renew_at:
            self._renew(kept, key, verb, token)
        self._pass(kept)

    def find(self, endpoint: Endpoint, headers: Iterable[Header]) -> Callable[[], None] | None:
        """Return what counts a request that may pass without a question to anybody.

        Returns:
            None where somebody must be asked, or the request refused; `admit` does either.
        """
        if self._is_open or endpoint in _FREE:
            return _uncounted
        try:
            token = read_token(headers)
        except NoTokenError:
            return None
        kept = self._decisions.find(_key_of(_VERBS.get(endpoint, access.PREDICT), token))
        if kept is None or not kept.decision.allowed or self._clocks.steady() >= kept.renew_at:
            return None
        return partial(self._pass, kept)

    @property
    def _is_open(self) -> bool:
        return self._settings.access.mode == access.OPEN

    def _pass(self, kept: Kept) -> None:
        decision = kept.decision
        if decision.allowed:
            self._telemetry.allowed()
            kept.count()
        elif decision.authenticated:
            self._telemetry.forbidden()
            raise Problem(403, decision.reason)
        else:
            raise self._unauthenticated(decision.reason)

    async def _ask(self, key: bytes, verb: str, token: bytes) -> Kept:
        try:
            check_token(token)
        except NoTokenError as error:
            raise self._unauthenticated(f"{error}") from None
        asked = self._asked.get(key)
        if asked is None:
            if len(self._asked) >= _MAXIMUM_ASKED_AT_ONCE:
                raise self._undecided("too many callers are being asked about already")
            asked = self._begin(key, verb, token)
        # Whoever leaves must not take the answer from those who asked the same.
        answer = await asyncio.shield(asked)
        if isinstance(answer, _Undecided):
            raise self._undecided(answer.reason)
        return answer

    def _renew(self, kept: Kept, key: bytes, verb: str, token: bytes) -> None:
        """Ask anew in the background, so that nobody waits, or fails while nobody answers."""
        kept.renew_at = self._clocks.steady() + _RENEW_SECONDS
        if key not in self._asked and len(self._asked) < _MAXIMUM_ASKED_AT_ONCE:
            self._begin(key, verb, token)

    def _begin(self, key: bytes, verb: str, token: bytes) -> "asyncio.Task[Kept | _Undecided]":
        task = asyncio.create_task(self._find_out(key, verb, token))
        self._asked[key] = task
        task.add_done_callback(lambda _: self._asked.pop(key))
        return task

    async def _find_out(self, key: bytes, verb: str, token: bytes) -> Kept | _Undecided:
        if self._authorizer is None:
            return _Undecided(
                "no authorizer is configured; the platform team names one in the operator's setting"
                f" authorizer, or spec.access.mode of {self._settings.deployment} is set to Open"
            )
        asked_at, today = self._clocks.steady(), self._clocks.wall()
        settings = self._settings
        question = Question(
            token.decode(), settings.namespace, settings.deployment, verb, settings.access.mode
        )
        try:
            decision = await self._authorizer.ask(question)
        except UndecidedError as error:
            self._telemetry.authorizer_failed()
            return _Undecided(str(error))
        self._telemetry.authorizer_answered()
        # Counted from the question: a right may have been taken away right after it was looked at.
        lives = self._seconds if decision.allowed else REFUSED_SECONDS
        lives = min(lives, read_expiry(token) - today)
        kept = self._kept(decision, asked_at, lives)
        self._decisions.keep(key, kept)
        return kept

    def _kept(self, decision: Decision, asked_at: float, lives: float) -> Kept:
        if not decision.allowed:
            return Kept(decision, asked_at + lives, asked_at + lives, _uncounted)
        count = self._telemetry.counter_of(decision.user)
        return Kept(decision, asked_at + lives, asked_at + lives / 2, count)

    def _unauthenticated(self, reason: str) -> Problem:
        self._telemetry.unauthenticated()
        fix = (
            "send the header Authorization: Bearer TOKEN with a token that"
            f" `kubectl create token SERVICEACCOUNT --namespace {self._settings.namespace}"
            f" --audience {names.TOKEN_AUDIENCE}` makes"
        )
        return Problem(401, f"{reason}; {fix}", _CHALLENGE)

    def _undecided(self, reason: str) -> Problem:
        self._telemetry.undecided()
        return Problem(503, f"who may ask cannot be told now: {reason}", RETRY_AFTER)


def _uncounted() -> None:
    """Count nothing: nobody asks who calls here, or the name is anybody's invention."""


def _key_of(verb: str, token: bytes) -> bytes:
    """Return what a decision is kept under; the token itself is kept nowhere."""
    return sha256(b"%b %b" % (verb.encode(), token)).digest()


def _key(settings: GuardSettings) -> tuple[object, ...]:
    return settings.access, settings.namespace, settings.deployment
