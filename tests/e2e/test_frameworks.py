"""Each framework predicts through KServe and the guard what its own library predicts."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.cluster import Cluster, load
from tests.support import clients, examples
from tests.support.forward import forwarded
from tests.support.release import command_environment

pytestmark = pytest.mark.e2e
EXAMPLE = "06-frameworks"
FOLDER = examples.FOLDER / EXAMPLE
NAMESPACE = "frameworks"
# What a client must know beside the rows.
DIABETES = ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")
MLSERVER: list[tuple[str, dict[str, Any]]] = [
    ("sklearn", {"outputs": ["predict_proba"]}),
    ("xgboost", {"outputs": ["predict_proba"]}),
    ("lightgbm", {}),
    ("mlflow", {"columns": DIABETES}),
]


@pytest.fixture(scope="module")
def token(cluster: Cluster) -> Iterator[str]:
    """Play the example, which deploys all of them at once; a token for their callers."""
    load(cluster, ["seldon", str(FOLDER / "image")])
    with examples.played(EXAMPLE, command_environment(cluster)):
        words = ("create", "token", "hune-caller", "--audience=hune.dev")
        yield cluster.kubectl("--namespace", NAMESPACE, *words)


def library(name: str) -> dict[str, Any]:
    """Return rows that the model has not seen, and the library's predictions for them."""
    note: dict[str, Any] = json.loads((FOLDER / "build" / f"{name}.json").read_text())
    return note


def ask(cluster: Cluster, client: str, name: str, note: dict[str, Any], token: str) -> Any:
    with forwarded(cluster, NAMESPACE, f"service/{name}", 80) as port:
        text = clients.run(client, "predict.py", str(port), name, json.dumps(note), token)
    return json.loads(text)


# The first test deploys everything.
@pytest.mark.timeout(480, func_only=True)
@pytest.mark.parametrize(("name", "more"), MLSERVER)
def test_mlserver_s_runtimes_answer_as_their_libraries(
    cluster: Cluster, token: str, name: str, more: dict[str, Any]
) -> None:
    note = library(name)
    found = ask(cluster, "mlserver", name, note | more, token)
    assert found["metadata"]["versions"] == [f"{name}-1"]
    [predicted] = found["json"].values()
    wanted = np.array(note["predictions"])
    np.testing.assert_allclose(np.reshape(predicted, wanted.shape), wanted, rtol=1e-6)
    assert found["wrong"].startswith("[422] the request breaks the model's data contract (1 times)")


@pytest.mark.timeout(480, func_only=True)
def test_a_class_written_with_kserve_answers_as_the_library(cluster: Cluster, token: str) -> None:
    note = library("kserve")
    found = ask(cluster, "kserve", "kserve", note, token)
    np.testing.assert_allclose(found["predict"], note["predictions"], rtol=1e-9)
    assert found["version"] == "kserve-1"
    assert found["wrong"].startswith("a row of 10 numbers for each person is wanted, not float64")


@pytest.mark.timeout(480, func_only=True)
def test_a_seldon_component_answers_as_the_library(cluster: Cluster, token: str) -> None:
    note = library("seldon")
    found = ask(cluster, "mlserver", "seldon", note | {"forms": ["json", "binary"]}, token)
    for form in ("json", "binary"):
        np.testing.assert_allclose(found[form]["predict"], note["predictions"], atol=1e-12)
    assert found["wrong"].startswith("[400] the Seldon component refuses: WRONG_PICTURES")
