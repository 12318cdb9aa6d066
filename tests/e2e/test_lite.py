"""A Lite pod serves an ONNX model on the node, as onnxruntime would, and judges its rows."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from sklearn.datasets import load_breast_cancer

from hune.controlplane.cluster import resources
from tests.cluster import Cluster, ClusterError
from tests.support import clients
from tests.support.access import make_token
from tests.support.forward import forwarded
from tests.support.models import Models
from tests.support.onnx_models import FOREST
from tests.support.space import Space

pytestmark = pytest.mark.e2e
# As long as a name may be in this namespace: KServe makes a host name of both.
NAME = "light".ljust(63 - len("-650b653a-predictor-e2e-lite"), "t")
ROWS = load_breast_cancer().data[:20].astype(np.float32)


def request_of(rows: np.ndarray[Any, np.dtype[np.float32]]) -> dict[str, Any]:
    tensor = {"name": "x", "shape": list(rows.shape), "datatype": "FP32"}
    return {"inputs": [tensor | {"data": rows.ravel().tolist()}]}


@pytest.fixture(scope="module")
def light(cluster: Cluster, space: Space, models: Models, tmp_path_factory: Any) -> Space:
    folder: Path = tmp_path_factory.mktemp("lite")
    shutil.copy(FOREST, folder / "model.onnx")
    secret = {"secretRef": models.source(1)["secretRef"]}
    source = models.store(cluster, folder, "lite/forest") | secret | {"format": "onnx"}
    spec = {
        "model": {"source": source},
        "placement": {"profile": "Lite"},
        "guard": {"outliers": models.outliers},
    }
    space.deploy(NAME, spec)
    space.wait_ready(NAME)
    return space


@pytest.mark.timeout(240, func_only=True)
def test_it_predicts_what_onnxruntime_does_and_flags_what_is_odd(light: Space) -> None:
    answer = light.predict(NAME, request_of(np.vstack([ROWS, ROWS[:1] * 9])))
    found = {output["name"]: output["data"] for output in answer["outputs"]}
    label, probabilities = onnxruntime.InferenceSession(FOREST).run(None, {"x": ROWS})
    assert found["label"][:20] == label.tolist()
    np.testing.assert_allclose(found["probabilities"][:40], probabilities.ravel(), atol=1e-6)
    assert "20" in answer["parameters"]["hune_outlier_rows"].split(",")
    assert set(found["label"]) == {0, 1}, "a row of each class, or equality shows little"


@pytest.mark.timeout(240, func_only=True)
def test_triton_s_client_gets_the_same_in_either_form(cluster: Cluster, light: Space) -> None:
    note = json.dumps({"rows": ROWS.tolist(), "forms": ["json", "binary"]})
    with forwarded(cluster, light.name, f"service/{NAME}", 80) as port:
        words = (str(port), NAME, note, make_token(light))
        found = json.loads(clients.run("mlserver", "predict.py", *words))
    label, probabilities = onnxruntime.InferenceSession(FOREST).run(None, {"x": ROWS})
    for form in ("json", "binary"):
        assert found[form]["label"] == label.tolist()
        np.testing.assert_allclose(found[form]["probabilities"], probabilities, atol=1e-6)
    assert "the model takes FP32" in found["wrong"]


@pytest.mark.timeout(240, func_only=True)
def test_a_row_too_wide_is_refused_with_what_the_model_takes(light: Space) -> None:
    wide = np.hstack([ROWS[:1], ROWS[:1, :1]])
    with pytest.raises(ClusterError, match=r"the answer is 400: .*the model takes FP32"):
        light.predict(NAME, request_of(wide))


@pytest.mark.timeout(240, func_only=True)
def test_one_image_is_all_that_its_node_holds(light: Space) -> None:
    (pod,) = light.find(resources.POD, deployment=NAME)
    containers = [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]
    assert {container["image"] for container in containers} == {"docker.io/hune/lite:0.1.0"}
    assert len(pod["spec"]["containers"]) == 1
