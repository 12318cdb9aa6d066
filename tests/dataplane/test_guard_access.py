"""Who may ask: the real guard and the real authorizer, before an API server in memory."""

import base64
import json
import socket
import time
from collections.abc import Iterator

import pytest

from hune.contract.access import AccessSettings
from tests.dataplane.conftest import StartGuard
from tests.support.authorizer import AuthorizerProcess
from tests.support.eventually import eventually
from tests.support.guard import GuardProcess
from tests.support.http import Client, Reply, ask, request_bytes
from tests.support.predictor import Predictor, response, sends
from tests.support.reviews import TOKENS, Reviews, served

INFER = "/v2/models/income/infer"
METADATA = "/v2/models/income"
ANALYST, INTERN = "an-analysts-token", "an-interns-token"
ANALYSTS_NAME = "system:serviceaccount:default:analyst"
INTERNS_NAME = "system:serviceaccount:default:intern"


@pytest.fixture(scope="module")
def module_api(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Reviews, AuthorizerProcess]]:
    api = Reviews()
    with served(api, tmp_path_factory.mktemp("api")) as kubeconfig:
        authorizer = AuthorizerProcess(kubeconfig).start()
        yield api, authorizer
        authorizer.kill()


@pytest.fixture
def api(module_api: tuple[Reviews, AuthorizerProcess]) -> Iterator[Reviews]:
    api, _ = module_api
    api.users.clear()
    api.rights.clear()
    api.reviewed.clear()
    api.add_user(ANALYST, ANALYSTS_NAME, "predict")
    api.add_user(INTERN, INTERNS_NAME)
    yield api
    api.held = False
    api.refuse.clear()


@pytest.fixture
def authorizer(module_api: tuple[Reviews, AuthorizerProcess], api: Reviews) -> AuthorizerProcess:
    assert api is module_api[0]
    return module_api[1]


@pytest.fixture
def guard(start_guard: StartGuard, authorizer: AuthorizerProcess) -> GuardProcess:
    return start_guard(AccessSettings(authorizer=authorizer.address))


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def predict(guard: GuardProcess, token: str = "", path: str = INFER) -> Reply:
    return ask(guard.port, "POST", path, b"{}", bearer(token) if token else None)


def metrics_of(guard: GuardProcess) -> str:
    return ask(guard.port, "GET", "/metrics").body.decode()


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({}, "the request carries no token"),
        ({"authorization": "Basic YTpi"}, "holds no bearer token"),
        ({"authorization": "Bearer"}, "holds no bearer token"),
        ({"authorization": "Bearer a b"}, "the token is malformed"),
        ({"authorization": 'Bearer "}'}, "the token is malformed"),
        ({"authorization": f"Bearer {'a' * 17_000}"}, "longer than 16384 characters"),
        ({"authorization": f"Bearer {ANALYST}x"}, "not valid for the audience hune.dev"),
        ({"authorization": f"Bearer {ANALYST}", "Authorization": "Bearer b"}, "given twice"),
    ],
)
def test_who_is_unknown_is_told_how_to_be_known(
    guard: GuardProcess, predictor: Predictor, headers: dict[str, str], said: str
) -> None:
    reply = ask(guard.port, "POST", INFER, b"{}", headers)
    assert (reply.status, reply.headers["www-authenticate"]) == (401, "Bearer")
    assert said in reply.json()["error"]
    assert (
        "kubectl create token SERVICEACCOUNT --namespace default --audience hune.dev"
        in (reply.json()["error"])
    )
    assert predictor.seen == []


def test_who_lacks_the_right_hears_which_rule_is_missing(
    guard: GuardProcess, predictor: Predictor
) -> None:
    reply = predict(guard, INTERN)
    assert reply.status == 403
    error = reply.json()["error"]
    assert f"{INTERNS_NAME} may not predict with the ModelDeployment income" in error
    assert (
        "{apiGroups: [hune.dev], resources: [modeldeployments], resourceNames: [income],"
        " verbs: [predict]}" in error
    )
    assert predictor.seen == []


def test_who_has_the_right_gets_in_and_the_token_stays_at_the_door(
    guard: GuardProcess, authorizer: AuthorizerProcess, api: Reviews, predictor: Predictor
) -> None:
    assert predict(guard, ANALYST).status == 200
    assert predict(guard, "invented").status == 401
    assert predict(guard, INTERN).status == 403
    (seen,) = predictor.seen
    assert "authorization" not in seen.headers
    assert api.reviewed[1] == {
        "user": ANALYSTS_NAME,
        "uid": f"uid of {ANALYSTS_NAME}",
        "groups": ["callers"],
        "extra": {},
        "resourceAttributes": {
            "group": "hune.dev",
            "version": "v1alpha1",
            "resource": "modeldeployments",
            "namespace": "default",
            "name": "income",
            "verb": "predict",
        },
    }
    told = "\n".join([*guard.log, *authorizer.log, metrics_of(guard)])
    assert [token for token in (ANALYST, INTERN, "invented") if token in told] == []


def test_metrics_count_decisions_and_name_admitted_callers_only(guard: GuardProcess) -> None:
    for token, times in ((ANALYST, 3), (INTERN, 1), ("invented", 1), ("", 1)):
        for _ in range(times):
            predict(guard, token)
    text = metrics_of(guard)
    for outcome, count in (("allowed", 3), ("forbidden", 1), ("unauthenticated", 2)):
        assert f'hune_guard_access_decisions_total{{outcome="{outcome}"}} {count}.0' in text
    assert f'hune_guard_caller_requests_total{{caller="{ANALYSTS_NAME}"}} 3.0' in text
    assert 'hune_guard_authorizer_requests_total{outcome="answered"} 3.0' in text
    assert INTERNS_NAME not in text


def test_metadata_takes_the_right_and_health_takes_none(guard: GuardProcess) -> None:
    assert ask(guard.port, "GET", METADATA).status == 401
    assert ask(guard.port, "GET", METADATA, headers=bearer(INTERN)).status == 403
    assert ask(guard.port, "GET", METADATA, headers=bearer(ANALYST)).status == 200
    free = ("/hune/live", "/hune/ready", "/metrics", "/v2/health/ready", "/v2/models/income/ready")
    assert {ask(guard.port, "GET", path).status for path in free} == {200}


def test_a_right_that_is_given_counts_at_once_and_one_that_is_taken_ends_in_time(
    start_guard: StartGuard, authorizer: AuthorizerProcess, api: Reviews
) -> None:
    access = AccessSettings(authorizer=authorizer.address)
    guard = start_guard(access, HUNE_ACCESS_SECONDS="0.6")
    assert predict(guard, INTERN).status == 403
    api.add_user(INTERN, INTERNS_NAME, "predict")
    eventually(lambda: predict(guard, INTERN).status == 200)
    api.rights.clear()
    eventually(lambda: predict(guard, INTERN).status == 403)
    del api.users[INTERN]
    eventually(lambda: predict(guard, INTERN).status == 401)


def test_without_the_authorizer_known_callers_go_on_and_others_wait(
    guard: GuardProcess, authorizer: AuthorizerProcess, api: Reviews
) -> None:
    api.add_user("another", "another", "predict")
    assert predict(guard, ANALYST).status == 200
    authorizer.kill()
    try:
        reply = predict(guard, "another")
        assert (reply.status, reply.headers["retry-after"]) == (503, "1")
        assert "cannot be reached" in reply.json()["error"]
        assert predict(guard, ANALYST).status == 200
        assert 'access_decisions_total{outcome="undecided"} 1.0' in metrics_of(guard)
    finally:
        authorizer.start()
    assert predict(guard, "another").status == 200


def test_known_callers_end_with_their_time_while_the_authorizer_is_gone(
    start_guard: StartGuard, authorizer: AuthorizerProcess
) -> None:
    access = AccessSettings(authorizer=authorizer.address)
    guard = start_guard(access, HUNE_ACCESS_SECONDS="0.5")
    assert predict(guard, ANALYST).status == 200
    authorizer.kill()
    try:
        eventually(lambda: predict(guard, ANALYST).status == 503)
    finally:
        authorizer.start()
    assert predict(guard, ANALYST).status == 200


def test_a_restarted_authorizer_is_met_anew_without_a_failure(
    guard: GuardProcess, authorizer: AuthorizerProcess, api: Reviews
) -> None:
    for number in range(3):
        api.add_user(f"token-{number}", f"user-{number}", "predict")
        assert predict(guard, f"token-{number}").status == 200
        authorizer.kill()
        authorizer.start()
    assert predict(guard, INTERN).status == 403


def test_a_slow_api_server_is_a_503_with_a_reason_and_heals(
    start_guard: StartGuard, authorizer: AuthorizerProcess, api: Reviews
) -> None:
    access = AccessSettings(authorizer=authorizer.address)
    guard = start_guard(access, HUNE_AUTHORIZER_TIMEOUT_SECONDS="0.3")
    api.held = True
    reply = predict(guard, ANALYST)
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert "did not answer within 0.3 s" in reply.json()["error"]
    api.held = False
    eventually(lambda: predict(guard, ANALYST).status == 200)


def test_an_authorizer_without_its_right_says_so(guard: GuardProcess, api: Reviews) -> None:
    api.refuse["POST", TOKENS] = (403, "cannot create resource tokenreviews")
    reply = predict(guard, ANALYST)
    assert reply.status == 503
    assert "bind the ClusterRole system:auth-delegator" in reply.json()["error"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (response(b"{}", "500 Oops"), "answered 500: without a reason"),
        (response(b'{"error": "later"}', "503 No"), "answered 503: later"),
        (response(b"[]"), "sent no decision"),
        (response(b'{"allowed": "yes", "authenticated": true}'), "sent no decision"),
        (response(b'{"allowed": true}'), "sent no decision"),
        (b"hello\r\n\r\n", "no HTTP/1.1 answer"),
    ],
)
def test_what_is_no_decision_lets_nobody_in(
    start_guard: StartGuard, answer: bytes, said: str
) -> None:
    false_one = Predictor()
    false_one.behaviour = sends(answer, keep_alive=False)
    try:
        guard = start_guard(AccessSettings(authorizer=f"localhost:{false_one.port}"))
        reply = predict(guard, ANALYST)
        assert reply.status == 503
        assert said in reply.json()["error"]
    finally:
        false_one.stop()


def test_a_name_that_leads_nowhere_blocks_nobody(start_guard: StartGuard) -> None:
    guard = start_guard(AccessSettings(authorizer="no-such-host.invalid:8080"))
    reply = predict(guard, ANALYST)
    assert reply.status == 503
    assert "the authorizer no-such-host.invalid on port 8080 cannot be" in reply.json()["error"]
    assert ask(guard.port, "GET", "/hune/live").status == 200


def test_an_address_that_answers_no_connection_is_given_up(start_guard: StartGuard) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        # The kernel drops what a full queue cannot hold, as a lost node drops everything.
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)  # noqa: FBT003 the library's own way
            each.connect_ex(address)
        access = AccessSettings(authorizer=f"127.0.0.1:{address[1]}")
        guard = start_guard(access, HUNE_AUTHORIZER_TIMEOUT_SECONDS="0.5")
        reply = predict(guard, ANALYST)
        assert reply.status == 503
        assert "the authorizer" in reply.json()["error"]
        assert ask(guard.port, "GET", "/hune/live").status == 200
        for each in waiting:
            each.close()


def test_without_an_authorizer_nobody_gets_in(start_guard: StartGuard) -> None:
    reply = predict(start_guard(AccessSettings()), ANALYST)
    assert reply.status == 503
    assert "no authorizer is configured" in reply.json()["error"]


def test_settings_that_say_nothing_of_access_close_the_door(
    start_guard: StartGuard,
) -> None:
    guard = start_guard()
    document = json.loads(guard.settings.to_json())
    del document["access"]
    guard.write_settings_bytes(json.dumps(document).encode())
    guard.wait_for_line("is in force")
    assert predict(guard, ANALYST).status == 503


def test_the_mode_changes_in_place(
    guard: GuardProcess, authorizer: AuthorizerProcess, api: Reviews, predictor: Predictor
) -> None:
    assert predict(guard, INTERN).status == 403
    guard.write_settings(access={"mode": "Authenticated", "authorizer": authorizer.address})
    eventually(lambda: predict(guard, INTERN).status == 200)
    api.reviewed.clear()
    assert predict(guard).status == 401
    assert predict(guard, ANALYST).status == 200
    assert api.reviewed == [ANALYST]
    guard.write_settings(access={"mode": "Open"})
    eventually(lambda: predict(guard).status == 200)
    # Where nobody is asked, the header is the predictor's own business.
    predict(guard, "the-predictors-own")
    assert predictor.seen[-1].headers["authorization"] == "Bearer the-predictors-own"
    guard.write_settings(access={"mode": "Authorized", "authorizer": authorizer.address})
    eventually(lambda: predict(guard).status == 401)


def test_equal_questions_are_asked_once(guard: GuardProcess, api: Reviews) -> None:
    api.held = True
    clients = [Client(guard.port) for _ in range(30)]
    try:
        for client in clients:
            client.send(request_bytes("POST", INFER, b"{}", bearer(ANALYST)))
        eventually(lambda: "requests_in_flight 31.0" in metrics_of(guard))
        # One that leaves takes the answer from nobody.
        clients.pop(0).close()
        api.held = False
        assert {client.receive().status for client in clients} == {200}
    finally:
        for client in clients:
            client.close()
    assert api.reviewed.count(ANALYST) == 1


def test_more_callers_at_once_than_can_be_asked_about_wait_outside(
    guard: GuardProcess, api: Reviews
) -> None:
    assert predict(guard, ANALYST).status == 200
    api.held = True
    clients = [Client(guard.port) for _ in range(300)]
    try:
        for number, client in enumerate(clients):
            client.send(request_bytes("GET", METADATA, headers=bearer(f"invented-{number}")))
        refused = 'access_decisions_total{outcome="undecided"} 44.0'
        eventually(lambda: refused in metrics_of(guard))
        assert predict(guard, ANALYST).status == 200
        # So many connections there are to the authorizer, and not one more.
        assert len([each for each in api.reviewed if "invented" in str(each)]) <= 16
    finally:
        api.held = False
        for client in clients:
            client.close()


def test_a_flood_of_invented_tokens_is_held_in_bounded_memory(guard: GuardProcess) -> None:
    assert predict(guard, ANALYST).status == 200
    with Client(guard.port) as client:

        def flood(first: int, count: int) -> None:
            for number in range(first, first + count):
                headers = bearer(f"{'x' * 12_000}-{number}")
                assert client.request("GET", METADATA, headers=headers).status == 401

        flood(0, 200)
        before = guard.resident_bytes()
        flood(200, 400)
        # The tokens alone would be 4.8 MB.
        assert guard.resident_bytes() - before < 2 << 20
    assert predict(guard, ANALYST).status == 200


def web_token(expires_in: float) -> str:
    claims = json.dumps({"exp": time.time() + expires_in}).encode()
    payload = base64.urlsafe_b64encode(claims).rstrip(b"=").decode()
    return f"eyJhbGciOiJub25lIn0.{payload}.c2lnbmF0dXJl"


def test_a_token_ends_when_it_says(guard: GuardProcess, api: Reviews) -> None:
    token = web_token(1.5)
    api.add_user(token, "short-lived", "predict")
    assert predict(guard, token).status == 200
    del api.users[token]
    eventually(lambda: predict(guard, token).status == 401, 5)


def test_to_give_feedback_is_a_right_of_its_own(guard: GuardProcess, api: Reviews) -> None:
    """This model takes none, which only who may give feedback gets to hear."""
    judge, feedback = "a-judges-token", "/v2/models/income/feedback"
    api.add_user(judge, "system:serviceaccount:default:judge", "feedback")
    refused = predict(guard, ANALYST, feedback)
    assert refused.status == 403
    assert "verbs: [feedback]" in refused.json()["error"]
    admitted = predict(guard, judge, feedback)
    assert (admitted.status, "takes no feedback" in admitted.json()["error"]) == (404, True)


def test_to_explain_is_a_right_of_its_own(guard: GuardProcess, api: Reviews) -> None:
    """This guard has no explainer, which only who may ask for explanations gets to hear."""
    auditor, explain = "an-auditors-token", "/v2/models/income/explain"
    api.add_user(auditor, "system:serviceaccount:default:auditor", "explain")
    refused = predict(guard, ANALYST, explain)
    assert refused.status == 403
    assert "may not explain with the ModelDeployment income" in refused.json()["error"]
    assert "verbs: [explain]" in refused.json()["error"]
    admitted = predict(guard, auditor, explain)
    assert (admitted.status, "no explainer" in admitted.json()["error"]) == (404, True)
    assert predict(guard, auditor).status == 403
