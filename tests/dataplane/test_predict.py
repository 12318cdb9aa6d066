"""`hune predict` as a person types it: a token, a forwarded port, a real guard and authorizer."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hune.contract.access import AccessSettings
from tests.dataplane.conftest import StartGuard
from tests.support.authorizer import AuthorizerProcess
from tests.support.forwarding import PODS, TOKENS, Forwarding
from tests.support.guard import ROOT
from tests.support.predictor import V1_BODY, V2_BODY, Predictor
from tests.support.reviews import served

TOKEN = "of-the-caller"
DEPLOYMENT = "/apis/hune.dev/v1alpha1/namespaces/shop/modeldeployments/income"
FORWARD = f"{PODS}/pod-1/portforward"
ACTIVE = [{"name": "income-1", "role": "Active"}, {"name": "income-0", "role": "Retiring"}]
Say = Callable[..., tuple[int, str, str]]


def deployment(**spec: Any) -> dict[str, Any]:
    condition = {"type": "Ready", "status": "False", "reason": "ImageNotPulled", "message": "look"}
    return {
        "metadata": {"name": "income", "namespace": "shop"},
        "spec": spec,
        "status": {"revisions": ACTIVE, "conditions": [condition]},
    }


def pod(name: str, ready: str, **more: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "shop", **more}
    conditions = [{"type": "Ready", "status": ready}]
    return {"metadata": metadata, "spec": {"containers": []}, "status": {"conditions": conditions}}


@pytest.fixture
def api(tmp_path: Path, start_guard: StartGuard) -> Iterator[Forwarding]:
    api = Forwarding(TOKEN)
    with served(api, tmp_path) as kubeconfig:
        authorizer = AuthorizerProcess(kubeconfig).start()
        guard = start_guard(AccessSettings(authorizer=authorizer.address))
        api.target = guard.port
        api.add_user(TOKEN, "caller", "predict")
        api.put(DEPLOYMENT, deployment())
        api.pods = [
            pod("pod-0", "False"),
            pod("pod-2", "True", deletionTimestamp="2026-01-01T12:00:00Z"),
            pod("pod-1", "True"),
        ]
        yield api
        authorizer.kill()


@pytest.fixture
def say(api: Forwarding, tmp_path: Path) -> Say:
    """Type the command, with a request on standard input; return status, answer and complaint."""
    assert api.pods
    variables = {"KUBECONFIG": str(tmp_path / "kubeconfig"), "PYTHONPATH": str(ROOT / "operator")}

    def typed(*words: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "hune.cli.main", "predict", *(words or ("income",))],
            input='{"inputs":[]}',
            env={"PATH": os.environ["PATH"], **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.returncode, done.stdout, done.stderr

    return typed


def test_it_prints_the_answer(api: Forwarding, say: Say, predictor: Predictor) -> None:
    status, answer, complaint = say("income", "-n", "shop")
    assert (status, complaint) == (0, "")
    assert answer.startswith(V2_BODY[:-1].decode())
    assert json.loads(answer)["parameters"]["hune_model_version"] == "income-7"
    (seen,) = predictor.seen
    assert (seen.target, seen.body) == ("/v2/models/income/infer", b'{"inputs":[]}')
    (made,) = api.made
    assert made["spec"] == {"audiences": ["hune.dev"], "expirationSeconds": 600}


def test_file_and_path_are_the_callers_choice(
    api: Forwarding, say: Say, predictor: Predictor, tmp_path: Path
) -> None:
    (tmp_path / "request.json").write_text("{}")
    path = "/v2/models/income/versions/income-7/infer"
    status, *_ = say("income", "-f", str(tmp_path / "request.json"), "--path", path)
    assert status == 0
    assert [(seen.target, seen.body) for seen in predictor.seen] == [
        ("/v2/models/income/infer", b"{}")
    ]
    api.put(DEPLOYMENT, deployment(serving={"protocol": "V1"}))
    _, answer, _ = say()
    assert answer.startswith(V1_BODY[:-1].decode())


def test_the_guards_refusal_is_told_with_its_reason(api: Forwarding, say: Say) -> None:
    api.rights.clear()
    status, answer, complaint = say()
    assert (status, answer) == (2, "")
    assert complaint.startswith("hune: error: the answer is 403: caller may not predict with")
    assert "verbs: [predict]" in complaint


NOT_YOU = (403, "not you")
BROKEN = (500, "broken")
HINDRANCES: list[tuple[str, dict[tuple[str, str], tuple[int, str]], tuple[str, ...]]] = [
    ("houses", {}, ("no ModelDeployment houses in the namespace shop", "kubectl get")),
    ("income -f /nowhere", {}, ("--file /nowhere: No such file",)),
    ("income --as ann", {}, ("--as ann", "kubectl --namespace shop create serviceaccount ann")),
    (
        "income",
        {("GET", DEPLOYMENT): NOT_YOU},
        ("not you", '["hune.dev"], resources: [modeldeployments], resourceNames: [income]', "get"),
    ),
    ("income", {("GET", PODS): NOT_YOU}, ("not you", "resources: [pods], verbs: [list]")),
    (
        "income",
        {("POST", TOKENS): NOT_YOU},
        ("[serviceaccounts/token], resourceNames: [hune-caller], verbs: [create]",),
    ),
    (
        "income",
        {("GET", FORWARD): NOT_YOU},
        ("no port to pod pod-1", "resources: [pods/portforward], verbs: [get, create]"),
    ),
    ("income", {("GET", FORWARD): BROKEN}, ("pod pod-1: Handshake status 500",)),
    ("income", {("POST", TOKENS): BROKEN}, ("the cluster refuses: broken",)),
]


@pytest.mark.parametrize(("words", "refused", "said"), HINDRANCES)
def test_what_hinders_is_told_with_its_cure(
    api: Forwarding,
    say: Say,
    words: str,
    refused: dict[tuple[str, str], tuple[int, str]],
    said: tuple[str, ...],
) -> None:
    api.refuse = {("POST", TOKENS.replace("hune-caller", "ann")): (404, "not found"), **refused}
    status, _, complaint = say(*words.split())
    assert status == 2
    assert [part for part in said if part not in complaint] == [], complaint
    assert TOKEN not in complaint


def test_without_a_ready_pod_the_condition_is_told(api: Forwarding, say: Say) -> None:
    api.pods = api.pods[:2]
    status, _, complaint = say()
    assert status == 2
    assert "ModelDeployment income has no ready pod: ImageNotPulled look" in complaint
    fresh = deployment()
    del fresh["status"]
    api.put(DEPLOYMENT, fresh)
    assert "has no ready pod: NotReported" in say()[2]


def test_a_pod_that_does_not_answer_is_named(api: Forwarding, say: Say) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        api.target = taken.getsockname()[1]
        status, _, complaint = say()
    assert status == 2
    assert "pod pod-1 does not answer" in complaint
