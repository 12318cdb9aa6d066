"""Who may use a model can, nobody else can, and a right begins and ends when it is given and taken.

Requests go to one guard over a forwarded port, so that what one guard keeps is what is looked at.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from hune.contract.access import AUTHORIZED, DEFAULT_CALLER, OPEN
from hune.contract.names import GUARD_PORT
from hune.controlplane.cluster import resources
from tests.cluster import Cluster, ClusterError
from tests.support.access import (
    AUTHORIZER,
    authorizer_pods,
    build_account,
    build_caller,
    build_right,
    kill_authorizer,
    make_token,
    wait_authorizer_whole,
)
from tests.support.api import ROLE_BINDING
from tests.support.eventually import eventually
from tests.support.examples import FOLDER
from tests.support.forward import forwarded
from tests.support.http import Reply, ask
from tests.support.install import NAMESPACE
from tests.support.space import Space, namespace

pytestmark = pytest.mark.e2e
NAME = "loans"
KEPT_SECONDS = 10
INFER = f"/v2/models/{NAME}/infer"
REQUEST: dict[str, Any] = json.loads((FOLDER / "03-custom-container/request.json").read_text())
RESOURCES = {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}}
PEOPLE = ("analyst", "intern", "visitor")


@pytest.fixture(scope="module")
def shop(cluster: Cluster, own_server: str) -> Iterator[Space]:
    accounts = [build_account(name) for name in PEOPLE]
    with namespace(cluster, "e2e-access", [*accounts, *build_caller()]) as space:
        serving = {"container": {"image": own_server}, "resources": RESOURCES}
        space.deploy(NAME, {"serving": serving})
        space.wait_ready(NAME)
        yield space


@pytest.fixture(scope="module")
def port(shop: Space) -> Iterator[int]:
    (pod,) = shop.find(resources.POD, deployment=NAME)
    target = f"pod/{pod['metadata']['name']}"
    with forwarded(shop.cluster, shop.name, target, GUARD_PORT) as number:
        yield number


def predict(port: int, token: str = "") -> Reply:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return ask(port, "POST", INFER, json.dumps(REQUEST).encode(), headers)


def test_without_a_token_for_hune_nobody_is_let_in(shop: Space, port: int) -> None:
    reply = predict(port)
    assert (reply.status, reply.headers["www-authenticate"]) == (401, "Bearer")
    assert "--audience hune.dev" in reply.json()["error"]
    for_the_api_server = shop.cluster.kubectl("create", "token", DEFAULT_CALLER, "-n", shop.name)
    assert predict(port, for_the_api_server.strip()).status == 401
    assert predict(port, make_token(shop, audience="elsewhere")).status == 401
    assert ask(port, "GET", "/v2/models/loans").status == 401
    assert ask(port, "GET", "/metrics").status == 200


@pytest.mark.timeout(120)
def test_a_right_counts_within_a_second_and_ends_within_its_time(shop: Space, port: int) -> None:
    token = make_token(shop, "analyst")
    reply = predict(port, token)
    assert reply.status == 403
    user = f"system:serviceaccount:{shop.name}:analyst"
    assert f"{user} may not predict with the ModelDeployment loans" in reply.json()["error"]
    assert "resourceNames: [loans], verbs: [predict]" in reply.json()["error"]
    shop.apply(*build_right("analyst", NAME))
    eventually(lambda: predict(port, token).status == 200, 1, 0.05)
    assert predict(port, token).json()["outputs"][0]["data"] == [1, 0]
    shop.delete(ROLE_BINDING, "predict-analyst")
    eventually(lambda: predict(port, token).status == 403, KEPT_SECONDS + 1, 0.1)


@pytest.mark.timeout(180)
def test_without_the_authorizer_known_callers_go_on_for_a_while(shop: Space, port: int) -> None:
    def ask_unknown() -> Reply:
        # A token that was let in once is known: each try takes one that nobody has seen.
        return predict(port, make_token(shop))

    def refused_beside_known() -> Reply | None:
        # The two replicas end one after the other: what is looked at is the refusal itself.
        unknown = ask_unknown()
        both = (predict(port, known).status, unknown.status)
        return unknown if both == (200, 503) else None

    known = make_token(shop)
    assert predict(port, known).status == 200
    try:
        scale_authorizer(shop, 0)
        for name in authorizer_pods(shop.api):
            kill_authorizer(shop.api, name)
        refused = eventually(refused_beside_known, 2 * KEPT_SECONDS, 0.1)
        assert refused is not None
        assert refused.headers["retry-after"] == "1"
        assert "authorizer" in refused.json()["error"]
        eventually(lambda: predict(port, known).status == 503, 2 * KEPT_SECONDS, 0.25)
    finally:
        scale_authorizer(shop, 2)
        wait_authorizer_whole(shop.api)
    eventually(lambda: predict(port, known).status == ask_unknown().status == 200, 30, 0.1)


def scale_authorizer(space: Space, replicas: int) -> None:
    words = ("scale", f"deployment/{AUTHORIZER}", f"--replicas={replicas}", "-n", NAMESPACE)
    space.cluster.kubectl(*words)


@pytest.mark.timeout(120)
def test_a_person_asks_through_a_serviceaccount(shop: Space) -> None:
    assert shop.predict(NAME, REQUEST)["outputs"][0]["data"] == [1, 0]
    with pytest.raises(ClusterError, match=r"the answer is 403: .*:intern may not predict"):
        shop.predict(NAME, REQUEST, "--as", "intern")
    with pytest.raises(ClusterError, match=f"kubectl --namespace {shop.name} create serviceacc"):
        shop.predict(NAME, REQUEST, "--as", "nobody")
    with pytest.raises(ClusterError, match="there is no ModelDeployment houses"):
        shop.predict("houses", REQUEST)


@pytest.mark.timeout(120)
def test_the_mode_changes_in_place(shop: Space, port: int) -> None:
    def choose(mode: str) -> None:
        change = {"spec": {"access": {"mode": mode}}}
        shop.api.patch(resources.MODEL_DEPLOYMENT, shop.name, NAME, change)

    revisions, visitor = shop.revisions(NAME), make_token(shop, "visitor")
    assert predict(port, visitor).status == 403
    choose("Authenticated")
    eventually(lambda: predict(port, visitor).status == 200, 30, 0.1)
    assert predict(port).status == 401
    choose(OPEN)
    eventually(lambda: predict(port).status == 200, 30, 0.1)
    choose(AUTHORIZED)
    eventually(lambda: (predict(port).status, predict(port, visitor).status) == (401, 403), 30, 0.1)
    assert shop.revisions(NAME) == revisions


def test_a_pod_with_a_model_holds_no_token_of_its_own(shop: Space) -> None:
    (pod,) = shop.find(resources.POD, deployment=NAME)
    assert "serviceAccountToken" not in json.dumps(pod["spec"]["volumes"])
