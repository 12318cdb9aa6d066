import asyncio
from collections.abc import AsyncIterator
from typing import Any

import kopf
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import generate_latest

from hune.contract.access import MODES, VERBS, Question
from hune.controlplane import authorizer as module
from hune.controlplane.api.access import AccessMode
from hune.controlplane.authorizer import Authorizer
from hune.controlplane.cluster.client import Client
from tests.support.eventually import turned
from tests.support.reviews import RIGHTS, TOKENS, Reviews

QUESTION = {"token": "t", "namespace": "shop", "deployment": "income", "verb": "predict"}
Http = TestClient[web.Request, web.Application]


class Asked:
    """An authorizer that is asked over HTTP, and the API server that it asks."""

    def __init__(self, api: Reviews, authorizer: Authorizer, http: Http) -> None:
        self.api = api
        self.authorizer = authorizer
        self.http = http

    async def ask(self, **more: Any) -> tuple[int, dict[str, Any]]:
        async with self.http.post("/v1/authorize", json=QUESTION | more) as response:
            return response.status, await response.json()

    def metrics(self) -> str:
        return generate_latest(self.authorizer.registry).decode()


@pytest.fixture
async def asked() -> AsyncIterator[Asked]:
    api = Reviews()
    api.add_user("t", "ann", "predict")
    server = web.Application()
    server.router.add_route("*", "/{path:.*}", api.handle)
    async with (
        TestServer(server) as memory,
        Client(kopf.ConnectionInfo(server=str(memory.make_url("/")))) as client,
    ):
        authorizer = Authorizer(client)
        async with TestClient(TestServer(authorizer.application())) as http:
            yield Asked(api, authorizer, http)
    await asyncio.sleep(0)


def decision(reason: str = "", **more: Any) -> dict[str, Any]:
    said = {"reason": reason} if reason else {}
    return {"allowed": False, "authenticated": True, "user": "ann"} | said | more


async def test_who_has_the_right_is_allowed(asked: Asked) -> None:
    assert await asked.ask() == (200, decision(allowed=True))


async def test_the_right_is_looked_up_for_the_whole_user(asked: Asked) -> None:
    asked.api.users["t"]["extra"] = {"scopes": ["a", "b"]}
    await asked.ask(verb="feedback")
    assert asked.api.reviewed[1] == {
        "user": "ann",
        "uid": "uid of ann",
        "groups": ["callers"],
        "extra": {"scopes": ["a", "b"]},
        "resourceAttributes": {
            "group": "hune.dev",
            "version": "v1alpha1",
            "resource": "modeldeployments",
            "namespace": "shop",
            "name": "income",
            "verb": "feedback",
        },
    }


async def test_who_lacks_the_right_hears_the_rule(asked: Asked) -> None:
    status, answer = await asked.ask(verb="explain")
    assert (status, answer["allowed"], answer["authenticated"]) == (200, False, True)
    assert answer["reason"] == (
        "ann may not explain with the ModelDeployment income in the namespace shop; missing is a"
        " Role with the rule {apiGroups: [hune.dev], resources: [modeldeployments], resourceNames:"
        " [income], verbs: [explain]} and a RoleBinding to it"
    )


async def test_where_to_be_known_is_enough_no_right_is_looked_up(asked: Asked) -> None:
    asked.api.rights.clear()
    assert await asked.ask(mode="Authenticated") == (200, decision(allowed=True))
    assert asked.api.reviewed == ["t"]


async def test_an_unknown_token_is_nobodys_in_either_mode(asked: Asked) -> None:
    for mode in ("Authorized", "Authenticated"):
        status, answer = await asked.ask(token="x", mode=mode)
        assert (status, answer["allowed"], answer["authenticated"]) == (200, False, False)
        assert "audience hune.dev" in answer["reason"]


@pytest.mark.parametrize("audiences", [[], ["https://kubernetes.default.svc"]])
async def test_a_token_for_another_audience_is_nobodys(asked: Asked, audiences: list[str]) -> None:
    asked.api.audiences = audiences
    _, answer = await asked.ask()
    assert not answer["authenticated"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"token": ""}, "token must have 1 to 16384 characters"),
        ({"token": "x" * 16385}, "token must have 1 to 16384 characters"),
        ({"token": 7}, "token must be str"),
        ({"namespace": ""}, "namespace is no Kubernetes name"),
        ({"deployment": ""}, "deployment is no Kubernetes name"),
        ({"deployment": "*"}, "deployment is no Kubernetes name"),
        ({"verb": "delete"}, "verb must be one of predict, explain, feedback, observe"),
        ({"verb": "*"}, "verb must be one of predict, explain, feedback, observe"),
        ({"mode": "Open"}, "mode must be Authorized or Authenticated"),
    ],
)
async def test_a_malformed_question_is_refused_by_name(
    asked: Asked, more: dict[str, Any], said: str
) -> None:
    status, answer = await asked.ask(**more)
    assert status == 400
    assert said in answer["error"]
    assert asked.api.reviewed == []


async def test_what_is_no_question_is_refused_and_not_quoted(asked: Asked) -> None:
    for body in (b'{"token": "a-secret"', b"", b"[]", b"\xff"):
        async with asked.http.post("/v1/authorize", data=body) as response:
            assert response.status == 400
            assert "a-secret" not in await response.text()


async def test_a_large_body_is_refused(asked: Asked) -> None:
    async with asked.http.post("/v1/authorize", data=b"x" * 40_000) as response:
        assert response.status == 413


@pytest.mark.parametrize(
    ("path", "refused", "said"),
    [
        (TOKENS, (403, "no right"), "bind the ClusterRole system:auth-delegator"),
        (RIGHTS, (403, "no right"), "bind the ClusterRole system:auth-delegator"),
        (TOKENS, (500, "broken"), "the API server did not answer: broken"),
        (TOKENS, (429, "too many"), "the API server did not answer: too many"),
    ],
)
async def test_an_api_server_that_does_not_say_is_no_decision(
    asked: Asked, path: str, refused: tuple[int, str], said: str
) -> None:
    asked.api.refuse["POST", path] = refused
    status, answer = await asked.ask()
    assert status == 503
    assert said in answer["error"]
    assert 'outcome="failed"} 1.0' in asked.metrics()


async def test_a_slow_api_server_is_given_up(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ANSWER_SECONDS", 0.05)
    asked.api.held = True
    status, answer = await asked.ask()
    asked.api.held = False
    assert status == 503
    assert "the API server did not answer within 0.05 s" in answer["error"]


async def test_more_questions_at_once_than_can_be_asked_are_sent_away(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MAXIMUM_AT_ONCE", 2)
    asked.api.held = True
    waiting = [asyncio.create_task(asked.ask()) for _ in range(2)]
    await turned(lambda: len(asked.api.reviewed) == 2)
    assert (await asked.ask())[0] == 503
    asked.api.held = False
    assert {status for status, _ in await asyncio.gather(*waiting)} == {200}


async def test_it_is_able_once_the_api_server_has_answered(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_RETRY_SECONDS", 0.001)
    asked.api.refuse["POST", RIGHTS] = (403, "no right yet")
    becoming = asyncio.create_task(asked.authorizer.become_able())
    await turned(lambda: len(asked.api.requests) >= 2)
    assert not asked.authorizer.is_able()
    asked.api.refuse.clear()
    await asyncio.wait_for(becoming, 10)
    assert asked.authorizer.is_able()


async def test_while_it_ends_each_answer_ends_its_connection(asked: Asked) -> None:
    asked.authorizer.drain()
    async with asked.http.post("/v1/authorize", json=QUESTION) as response:
        assert response.status == 200
        assert response.headers["connection"] == "close"


async def test_metrics_count_outcomes_and_name_nobody(asked: Asked) -> None:
    await asked.ask()
    await asked.ask(verb="explain")
    await asked.ask(token="x")
    await asked.ask(verb="?")
    text = asked.metrics()
    for outcome in ("allowed", "refused", "unauthenticated", "malformed"):
        assert f'hune_authorizer_requests_total{{outcome="{outcome}"}} 1.0' in text
    assert "ann" not in text


def test_a_question_shows_no_token() -> None:
    assert "secret" not in repr(Question("secret", "shop", "income", VERBS[0]))


def test_the_modes_are_the_apis() -> None:
    assert tuple(mode.value for mode in AccessMode) == MODES
