"""The authorizer with its own rights before the real API server: they suffice, and are all."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster import Cluster, ClusterError
from tests.support.access import AUTHORIZER, build_account, build_right, make_token
from tests.support.api import ROLE_BINDING
from tests.support.audit import AuditLog
from tests.support.authorizer import AuthorizerProcess
from tests.support.chart import of_kind, render
from tests.support.eventually import eventually
from tests.support.http import ask
from tests.support.space import Space, namespace

pytestmark = pytest.mark.apiserver
SPACE = "hune-authorizer-process"
# Every account of a cluster may ask about itself.
ABOUT_ITSELF = {
    "selfsubjectaccessreviews",
    "selfsubjectrulesreviews",
    "selfsubjectreviews",
}


@pytest.fixture(scope="module")
def space(control_plane: Cluster) -> Iterator[Space]:
    people = [build_account("analyst"), build_account("intern"), *build_right("analyst", "income")]
    with namespace(control_plane, SPACE, people) as found:
        documents = render({}, SPACE)
        ours = [d for d in documents if d["metadata"]["name"] == AUTHORIZER]
        control_plane.apply(*of_kind(ours, "ServiceAccount", "ClusterRoleBinding"))
        yield found
        control_plane.kubectl("delete", "clusterrolebinding", AUTHORIZER)


@pytest.fixture(scope="module")
def authorizer(
    space: Space, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AuthorizerProcess]:
    kubeconfig = tmp_path_factory.mktemp("authorizer") / "kubeconfig"
    write_kubeconfig(space, kubeconfig)
    process = AuthorizerProcess(kubeconfig).start()
    yield process
    process.kill()


def write_kubeconfig(space: Space, file: Path) -> None:
    token = space.cluster.kubectl("create", "token", AUTHORIZER, "-n", space.name).strip()
    config = yaml.safe_load(space.cluster.kubeconfig.read_text())
    for user in config["users"]:
        user["user"] = {"token": token}
    file.write_text(yaml.safe_dump(config))


def decide(authorizer: AuthorizerProcess, token: str, **more: str) -> dict[str, Any]:
    question = {"token": token, "namespace": SPACE, "deployment": "income", "verb": "predict"}
    body = json.dumps(question | more).encode()
    reply = ask(authorizer.port, "POST", "/v1/authorize", body)
    assert reply.status == 200, reply.body
    decision: dict[str, Any] = reply.json()
    return decision


def test_it_decides_as_rbac_says(space: Space, authorizer: AuthorizerProcess) -> None:
    analyst, intern = make_token(space, "analyst"), make_token(space, "intern")
    name = f"system:serviceaccount:{SPACE}:analyst"
    assert decide(authorizer, analyst) == {
        "allowed": True,
        "authenticated": True,
        "user": name,
    }
    assert not decide(authorizer, analyst, deployment="another")["allowed"]
    assert not decide(authorizer, analyst, verb="feedback")["allowed"]
    assert not decide(authorizer, analyst, namespace="default")["allowed"]
    assert not decide(authorizer, intern)["allowed"]
    assert decide(authorizer, intern, mode="Authenticated")["allowed"]


def test_only_a_token_for_hune_counts(space: Space, authorizer: AuthorizerProcess) -> None:
    kubectl = space.cluster.kubectl
    usual = kubectl("create", "token", "analyst", "-n", space.name).strip()
    for token in (usual, make_token(space, "analyst", "elsewhere"), "nobody's"):
        assert not decide(authorizer, token)["authenticated"]


def test_a_right_that_is_taken_is_gone(space: Space, authorizer: AuthorizerProcess) -> None:
    token = make_token(space, "intern")
    space.apply(*build_right("intern"))
    eventually(lambda: decide(authorizer, token)["allowed"])
    space.delete(ROLE_BINDING, "predict-intern")
    eventually(lambda: not decide(authorizer, token)["allowed"])


def test_it_asks_for_nothing_but_reviews_and_is_refused_none(
    space: Space, authorizer: AuthorizerProcess
) -> None:
    log = AuditLog(space.cluster, f"system:serviceaccount:{SPACE}:{AUTHORIZER}")
    assert decide(authorizer, make_token(space, "analyst"))["allowed"]
    eventually(lambda: len(log.writes()) >= 2, seen=log.writes)
    seen = {(write.verb, write.resource, write.code) for write in log.writes()}
    assert seen == {("create", "tokenreviews", 201), ("create", "subjectaccessreviews", 201)}


def test_its_rights_are_those_two(space: Space) -> None:
    user = f"--as=system:serviceaccount:{SPACE}:{AUTHORIZER}"
    listed = space.cluster.kubectl("auth", "can-i", "--list", "-n", space.name, user)
    rows = [line.split() for line in listed.splitlines()[1:]]
    found = {row[0].partition(".")[0] for row in rows if row and not row[0].startswith("[")}
    assert found - ABOUT_ITSELF == {"tokenreviews", "subjectaccessreviews"}
    with pytest.raises(ClusterError):
        space.cluster.kubectl("auth", "can-i", "get", "secrets", "-n", space.name, user)
