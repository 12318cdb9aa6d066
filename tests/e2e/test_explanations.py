"""An explanation adds up to what the served model answers; what keeps one from coming is told."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

from hune.contract.names import EXPLAINER_CONTAINER, EXPLAINER_PORT, GUARD_CONTAINER, GUARD_PORT
from hune.controlplane.cluster import resources
from tests.cluster import Cluster, ClusterError, load
from tests.cluster.command import run
from tests.support import slow_server
from tests.support.access import build_right, make_token
from tests.support.api import Document
from tests.support.eventually import eventually
from tests.support.examples import FOLDER
from tests.support.forward import forwarded
from tests.support.http import Reply, ask
from tests.support.install import ROOT
from tests.support.models import QUICKSTART, Models
from tests.support.pod import IMAGE
from tests.support.reach import find_open
from tests.support.release import command_environment
from tests.support.space import PATIENCE, Space

pytestmark = pytest.mark.e2e
NAME, APART = "tumours", "apart"
WRONG = "sha256:" + "0" * 64
NOWHERE = "s3://models/breast-cancer/no-explainer"
# The change of spec.explainer, and the condition's reason.
UNABLE: dict[str, tuple[dict[str, str], str]] = {
    "wrong": ({"digest": WRONG}, "DigestMismatch"),
    "missing": ({"uri": NOWHERE}, "SourceNotFound"),
}
SLOW_SECONDS = 20
SMALL = {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}}
LOANS: dict[str, Any] = json.loads((FOLDER / "03-custom-container/request.json").read_text())
ROWS = load_breast_cancer().data[:50]

Fit = Callable[..., dict[str, Any]]


def request_of(rows: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, Any]:
    tensor = {"name": "x", "shape": list(rows.shape), "datatype": "FP64"}
    return {"inputs": [tensor | {"data": rows.ravel().tolist()}]}


@pytest.fixture(scope="module")
def fit(cluster: Cluster, models: Models, tmp_path_factory: pytest.TempPathFactory) -> Fit:
    """Make an explainer as a person does, and store it."""
    environment = command_environment(cluster) | {"PYTHONPATH": str(ROOT / "operator")}

    def make(method: str, *options: str | Path) -> dict[str, Any]:
        folder = tmp_path_factory.mktemp("explainer") / method
        words = [sys.executable, "-m", "hune.cli.main", "fit", "explainer", "--method", method]
        run([*words, *options, "--to", folder], environment=environment)
        return {"method": method} | models.store(cluster, folder, f"explainers/{method}")

    return make


@pytest.fixture(scope="module")
def explained(
    cluster: Cluster, space: Space, models: Models, own_server: str, fit: Fit, tmp_path_factory: Any
) -> Space:
    """All cases at once; where the model does not matter, it is a server that starts at once."""
    load(cluster, ["explainer"])
    folder = tmp_path_factory.mktemp("forest")
    run([sys.executable, QUICKSTART / "train.py", "forest", folder / "model"])
    np.save(folder / "rows.npy", ROWS)
    exact = fit("TreeShap", "--model", folder / "model", "--trust-pickle")
    asking = fit("KernelShap", "--data", folder / "rows.npy")
    source = models.source(2)
    space.deploy(NAME, {"model": {"source": source}, "explainer": exact})
    script = Path(slow_server.__file__).read_text()
    command = ["python3", "-c", script, str(SLOW_SECONDS)]
    slow = {"image": IMAGE, "command": command, "port": slow_server.PORT}
    serving = {"container": slow, "resources": SMALL}
    limited = asking | {"timeLimitSeconds": 1}
    space.deploy("slow", {"model": {"source": source}, "serving": serving, "explainer": limited})
    apart = asking | {"placement": "Standalone"}
    space.deploy(APART, {"model": {"source": source}, "explainer": apart})
    serving = {"container": {"image": own_server}, "resources": SMALL}
    for name, (change, _) in UNABLE.items():
        spec = {"model": {"source": source}, "serving": serving, "explainer": exact | change}
        space.deploy(name, spec)
    return space


def explain(space: Space, name: str, rows: np.ndarray[Any, np.dtype[np.float64]]) -> Document:
    return space.predict(name, request_of(rows), "--path", f"/v2/models/{name}/explain")


def tensors(document: Document) -> dict[str, Any]:
    found = {output["name"]: output for output in document["outputs"]}
    return {name: np.reshape(output["data"], output["shape"]) for name, output in found.items()}


@contextmanager
def guard_of(space: Space, name: str) -> Iterator[int]:
    """Reach the guard past the Service, which leads to no pod that is not ready."""
    (pod,) = space.find(resources.POD, deployment=name)
    target = f"pod/{pod['metadata']['name']}"
    with forwarded(space.cluster, space.name, target, GUARD_PORT) as port:
        yield port


def post(space: Space, name: str, port: int, what: str, request: dict[str, Any]) -> Reply:
    return post_as(make_token(space), name, port, what, request)


def post_as(token: str, name: str, port: int, what: str, request: dict[str, Any]) -> Reply:
    headers = {"authorization": f"Bearer {token}"}
    return ask(port, "POST", f"/v2/models/{name}/{what}", json.dumps(request).encode(), headers)


def failures(port: int, reason: str) -> float:
    line = f'hune_guard_explainer_failures_total{{reason="{reason}"}} '
    text = ask(port, "GET", "/metrics").body.decode()
    (value,) = (row.removeprefix(line) for row in text.splitlines() if row.startswith(line))
    return float(value)


def wait_told(space: Space, name: str, reason: str, seconds: float = PATIENCE) -> str:
    """Wait until ExplainerReady has the reason; return its message."""
    eventually(
        lambda: space.condition(name, "ExplainerReady")["reason"] == reason,
        seconds,
        0.25,
        lambda: space.describe(name),
    )
    message: str = space.condition(name, "ExplainerReady")["message"]
    return message


@pytest.mark.timeout(240, func_only=True)
def test_who_may_predict_may_not_explain_until_somebody_says_so(explained: Space) -> None:
    explained.wait_ready(NAME)
    with pytest.raises(ClusterError, match=r"the answer is 403: .* may not explain with"):
        explain(explained, NAME, ROWS[:1])
    explained.apply(*build_right(verb="explain"))
    assert tensors(explain(explained, NAME, ROWS[:1]))["shap_values"].shape == (1, 1, 30)


@pytest.mark.timeout(240, func_only=True)
def test_values_and_base_value_add_up_to_the_served_models_answer(explained: Space) -> None:
    explained.apply(*build_right(verb="explain"))
    explained.wait_ready(NAME)
    asked = request_of(ROWS) | {"outputs": [{"name": "predict_proba"}]}
    served = tensors(explained.predict(NAME, asked))["predict_proba"][:, 1]
    found = explain(explained, NAME, ROWS)
    values = tensors(found)
    summed = values["base_values"] + values["shap_values"].sum(axis=2)
    np.testing.assert_allclose(summed[:, 0], served, rtol=0, atol=1e-6)
    assert np.ptp(served) > 0.9, "rows that all get one answer would show nothing"
    assert (found["parameters"]["method"], found["parameters"]["scale"]) == (
        "TreeShap",
        "Probability",
    )


@pytest.mark.timeout(240, func_only=True)
def test_an_explainer_in_a_pod_of_its_own_asks_the_model_and_adds_up(explained: Space) -> None:
    """KernelShap: the guard reaches its pod, and that pod the predictor past the guard."""
    explained.apply(*build_right(verb="explain"))
    explained.wait_ready(APART)
    wait_told(explained, APART, "Explaining")
    values = tensors(explain(explained, APART, ROWS[:2]))
    served = explained.predict(APART, request_of(ROWS[:2]))["outputs"][0]["data"]
    summed = values["base_values"] + values["shap_values"].sum(axis=2)
    np.testing.assert_allclose(summed[:, 0], served, rtol=0, atol=1e-6)
    pods = explained.find(resources.POD, deployment=APART)
    held = [{one["name"] for one in pod["spec"]["containers"]} for pod in pods]
    assert sorted(len(names) for names in held) == [1, 2], held


@pytest.mark.timeout(240, func_only=True)
def test_nobody_else_reaches_an_explainer_or_the_model_that_it_asks(explained: Space) -> None:
    explained.wait_ready(NAME, APART)
    wait_told(explained, APART, "Explaining")
    pods = [*explained.find(resources.POD, deployment=NAME)]
    pods += explained.find(resources.POD, deployment=APART)
    assert len(pods) == 3
    for number, pod in enumerate(pods):
        containers = {container["name"] for container in pod["spec"]["containers"]}
        guarded = {GUARD_PORT} if GUARD_CONTAINER in containers else set()
        address, ports = pod["status"]["podIP"], (8080, GUARD_PORT, EXPLAINER_PORT)
        assert find_open(explained, f"passer-by-{number}", address, ports) == guarded, containers


@pytest.mark.timeout(240, func_only=True)
@pytest.mark.parametrize("name", UNABLE)
def test_an_explainer_that_cannot_says_why_and_predictions_go_on(
    explained: Space, name: str
) -> None:
    change, reason = UNABLE[name]
    explained.apply(*build_right(verb="explain"))
    message = wait_told(explained, name, reason)
    assert message.startswith("spec.explainer: ")
    assert [word for word in change.values() if word not in message] == [], message
    with guard_of(explained, name) as port:
        reply = post(explained, name, port, "explain", LOANS)
        assert reply.status == 503
        assert f"nothing can be explained: {reason}" in reply.json()["error"]
        assert failures(port, "Unable") == 1
        assert post(explained, name, port, "infer", LOANS).json()["outputs"][0]["data"] == [1, 0]


@pytest.mark.timeout(240, func_only=True)
def test_what_takes_too_long_is_given_up_in_time(explained: Space) -> None:
    """KernelShap asks a predictor that takes longer than all may."""
    explained.apply(*build_right(verb="explain"))
    wait_told(explained, "slow", "Explaining")
    with guard_of(explained, "slow") as port:
        reply = post(explained, "slow", port, "explain", request_of(ROWS[:1]))
        assert reply.status == 504, reply.body
        assert "took longer than 1 s" in reply.json()["error"]
        assert failures(port, "TimeLimit") == 1


def process_of(container: Document) -> int:
    """Return the process of a container, which on a node of ours is one of this machine's."""
    key = container["containerID"].rpartition("/")[2]
    return min(
        int(file.parent.name)
        for file in Path("/proc").glob("[0-9]*/cgroup")
        if key in _read_while_it_is_there(file)
    )


def _read_while_it_is_there(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:  # the process ended meanwhile
        return ""


def container_of(space: Space, name: str) -> Document:
    (pod,) = space.find(resources.POD, deployment=name)
    statuses: list[Document] = pod["status"]["containerStatuses"]
    return next(status for status in statuses if status["name"] == EXPLAINER_CONTAINER)


@pytest.mark.timeout(240, func_only=True)
def test_one_that_hangs_or_dies_costs_no_prediction_and_comes_back(explained: Space) -> None:
    if explained.cluster.network is None:
        pytest.skip("the processes of the containers are to be reached on a node of ours only")
    explained.apply(*build_right(verb="explain"))
    explained.wait_ready(NAME)
    rows = request_of(ROWS[:1])
    process = process_of(container_of(explained, NAME))
    with guard_of(explained, NAME) as port:
        os.kill(process, signal.SIGSTOP)
        message = wait_told(explained, NAME, "ExplainerUnreachable")
        assert "did not answer" in message
        assert post(explained, NAME, port, "infer", rows).status == 200

        # A token takes a moment to make, and the container does not stay away for long.
        token = make_token(explained)
        os.kill(process, signal.SIGKILL)
        reply = post_as(token, NAME, port, "explain", rows)
        assert (reply.status, reply.headers["retry-after"]) == (503, "1")
        assert failures(port, "Unreachable") == 1
        assert post(explained, NAME, port, "infer", rows).status == 200
        eventually(lambda: container_of(explained, NAME)["restartCount"] == 1)
        eventually(lambda: post(explained, NAME, port, "explain", rows).status == 200)
    wait_told(explained, NAME, "Explaining")
