"""How long a decision counts, by clocks of the test's own; the authorizer is one over real HTTP."""

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry, generate_latest

from hune.contract.access import AccessSettings
from hune.contract.guard import GuardSettings
from hune.dataplane.guard.access import Access, Clocks
from hune.dataplane.guard.access_telemetry import MAXIMUM_CALLERS, AccessTelemetry
from hune.dataplane.guard.answers import Problem
from hune.dataplane.guard.environment import Environment
from hune.dataplane.wire.paths import Endpoint
from tests.support.eventually import turned

ALLOWED = {"allowed": True, "authenticated": True, "user": "ann", "reason": ""}
REFUSED = {"allowed": False, "authenticated": True, "user": "ann", "reason": "ann may not"}


@dataclass
class Door:
    """An Access, the clocks it goes by, and the authorizer behind it.

    Attributes:
        access: What admits.
        registry: Its metrics.
        now: Seconds of both clocks.
        decision: What the authorizer answers, under which status.
        asked: The questions so far.
    """

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    now: float = 1000.0
    decision: dict[str, Any] = field(default_factory=lambda: dict(ALLOWED))
    status: int = 200
    asked: list[dict[str, str]] = field(default_factory=list)

    def open(self, port: int) -> None:
        settings = GuardSettings(
            deployment="income",
            namespace="shop",
            model_version="income-7",
            revision="income-1",
            protocol="V2",
            predictor_port=1,
            access=AccessSettings(authorizer=f"127.0.0.1:{port}"),
        )
        clocks = Clocks(lambda: self.now, lambda: self.now)
        telemetry = AccessTelemetry(self.registry)
        self.access = Access(settings, Environment.read({}), telemetry, clocks)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(json.loads(await request.read()))
        return web.json_response(self.decision, status=self.status)

    async def knock(self, token: str = "t", endpoint: Endpoint = Endpoint.PREDICT) -> int:
        """Return the status that a request would get."""
        header = (b"authorization", f"Bearer {token}".encode())
        try:
            await self.access.admit(endpoint, [(b"host", b"income"), header])
        except Problem as problem:
            return problem.status
        return 200

    async def renewed(self, times: int) -> None:
        """Wait until what is asked in the background is answered."""
        await turned(lambda: len(self.asked) >= times and not self.access._asked)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    door = Door()
    application = web.Application()
    application.router.add_post("/v1/authorize", door.answer)
    async with TestServer(application) as server:
        assert server.port
        door.open(server.port)
        yield door
        door.access.close()
        await asyncio.sleep(0)


async def test_the_question_names_all_that_counts(door: Door) -> None:
    await door.knock()
    assert door.asked == [
        {
            "token": "t",
            "namespace": "shop",
            "deployment": "income",
            "verb": "predict",
            "mode": "Authorized",
        }
    ]


async def test_an_allowed_caller_counts_for_ten_seconds_from_the_question(door: Door) -> None:
    assert await door.knock() == 200
    door.status = 503
    door.now += 9.9
    assert await door.knock() == 200
    await door.renewed(2)
    door.now += 0.1
    assert await door.knock() == 503


async def test_in_the_second_half_it_is_asked_anew_while_nobody_waits(door: Door) -> None:
    await door.knock()
    door.now += 4.9
    await door.knock()
    assert len(door.asked) == 1
    door.now += 0.2
    assert await door.knock() == 200
    await door.renewed(2)
    door.now += 9
    door.status = 503
    assert await door.knock() == 200


async def test_a_right_that_was_taken_ends_with_the_renewal(door: Door) -> None:
    await door.knock()
    door.decision = dict(REFUSED)
    door.now += 6
    assert await door.knock() == 200
    await door.renewed(2)
    assert await door.knock() == 403


async def test_a_renewal_that_fails_is_tried_again_after_a_second(door: Door) -> None:
    await door.knock()
    door.status = 503
    door.now += 6
    for _ in range(5):
        await door.knock()
    await door.renewed(2)
    door.now += 1
    door.status = 200
    await door.knock()
    await door.renewed(3)
    door.now += 9
    assert await door.knock() == 200
    assert len(door.asked) >= 3


async def test_a_refused_caller_is_asked_about_again_after_half_a_second(door: Door) -> None:
    door.decision = dict(REFUSED)
    assert await door.knock() == 403
    door.decision = dict(ALLOWED)
    door.now += 0.4
    assert await door.knock() == 403
    door.now += 0.1
    assert await door.knock() == 200
    assert len(door.asked) == 2


@pytest.mark.parametrize(
    ("claims", "lives"),
    [
        ({"exp": 1003}, 3),
        ({"exp": 1003.5}, 3.5),
        ({"exp": 5000}, 10),
        ({}, 10),
        ({"exp": "never"}, 10),
        ([], 10),
    ],
)
async def test_no_decision_outlives_its_token(door: Door, claims: object, lives: float) -> None:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    token = f"head.{payload}.signature"
    assert await door.knock(token) == 200
    door.now += lives - 0.1
    door.status = 503
    assert await door.knock(token) == 200
    door.now += 0.1
    assert await door.knock(token) == 503


async def test_a_token_that_says_it_ended_is_asked_about_each_time(door: Door) -> None:
    payload = base64.urlsafe_b64encode(b'{"exp": 1}').rstrip(b"=").decode()
    for _ in range(3):
        assert await door.knock(f"a.{payload}.b") == 200
    assert len(door.asked) == 3


async def test_what_is_kept_is_bounded_and_refused_callers_drive_nobody_out(door: Door) -> None:
    assert await door.knock("welcome") == 200
    door.decision = dict(REFUSED)
    for number in range(1100):
        assert await door.knock(f"invented-{number}") == 403
    assert len(door.access._decisions) == 1 + 1024
    door.status = 503
    assert await door.knock("welcome") == 200
    assert await door.knock("invented-1099") == 403
    assert await door.knock("invented-0") == 503


async def test_callers_have_names_in_metrics_as_long_as_they_are_few(door: Door) -> None:
    for number in range(MAXIMUM_CALLERS + 5):
        door.decision = ALLOWED | {"user": f"user-{number}"}
        await door.knock(f"token-{number}")
        await door.knock(f"token-{number}")
    lines = generate_latest(door.registry).decode().splitlines()
    callers = [line for line in lines if line.startswith("hune_guard_caller_requests_total{")]
    assert len(callers) == MAXIMUM_CALLERS + 1
    assert 'hune_guard_caller_requests_total{caller="user-0"} 2.0' in callers
    assert 'hune_guard_caller_requests_total{caller="other"} 10.0' in callers


async def test_an_endpoint_that_nobody_thought_of_takes_the_right_to_predict(door: Door) -> None:
    free = {Endpoint.HEALTH, Endpoint.LIVE, Endpoint.READY, Endpoint.STATE, Endpoint.METRICS}
    door.decision = dict(REFUSED)
    for endpoint in set(Endpoint) - {Endpoint.EXPLAIN, Endpoint.FEEDBACK}:
        assert await door.knock(endpoint=endpoint) == (200 if endpoint in free else 403)
    assert {question["verb"] for question in door.asked} == {"predict"}


@pytest.mark.parametrize("endpoint", [Endpoint.EXPLAIN, Endpoint.FEEDBACK])
async def test_to_explain_and_to_give_feedback_are_rights_of_their_own(
    door: Door, endpoint: Endpoint
) -> None:
    door.decision = dict(REFUSED)
    assert await door.knock(endpoint=endpoint) == 403
    assert [question["verb"] for question in door.asked] == [endpoint.value]


async def test_a_kept_decision_takes_no_question_whatever_the_load(door: Door) -> None:
    await door.knock()
    for _ in range(1000):
        assert await door.knock() == 200
    assert len(door.asked) == 1


def test_no_environment_lets_a_taken_right_live_longer() -> None:
    assert Environment.read(dict(os.environ)).access_seconds == 10
    with pytest.raises(Exception, match=r"HUNE_ACCESS_SECONDS is '11'; set it to .* at most 10"):
        Environment.read({"HUNE_ACCESS_SECONDS": "11"})
