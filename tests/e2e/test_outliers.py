"""An outlier is flagged in the answer; a detector that cannot judge is told about."""

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from sklearn.datasets import load_breast_cancer

from hune.controlplane.cluster import resources
from tests.cluster.command import run
from tests.support.access import build_caller
from tests.support.detectors import BREAST_CANCER
from tests.support.eventually import eventually
from tests.support.models import QUICKSTART, Models
from tests.support.release import command_environment
from tests.support.space import Space

pytestmark = pytest.mark.e2e
NAME = "tumours"
CLAIM = "artefacts"
WRONG = "sha256:" + "0" * 64


def request_of(*rows: list[float]) -> dict[str, Any]:
    data = [value for row in rows for value in row]
    shape = [len(rows), len(rows[0])]
    return {"inputs": [{"name": "x", "shape": shape, "datatype": "FP64", "data": data}]}


def rows() -> tuple[list[float], list[float]]:
    """Return a row like those of the fit, and one like none of them."""
    table = load_breast_cancer().data
    return [*map(float, table.mean(axis=0))], [*map(float, table.max(axis=0) * 3)]


def choose(space: Space, guard: dict[str, Any]) -> None:
    patch = {"spec": {"guard": guard}}
    space.api.patch(resources.MODEL_DEPLOYMENT, space.name, NAME, patch)


@pytest.mark.timeout(300)
def test_an_outlier_is_flagged_and_a_blind_guard_says_so(space: Space, models: Models) -> None:
    space.apply(*build_caller())
    source = models.source(1)
    space.deploy(NAME, {"model": {"source": source}, "guard": {"outliers": models.outliers}})
    space.wait_ready(NAME)

    ordinary, odd = rows()
    note = space.predict(NAME, request_of(ordinary, odd, ordinary))["parameters"]
    assert (note["hune_outlier"], note["hune_outlier_rows"]) == (True, "1")
    note = space.predict(NAME, request_of(ordinary))["parameters"]
    assert (note["hune_outlier"], note["hune_outlier_rows"]) == (False, "")

    choose(space, {"outliers": {"digest": WRONG}})
    eventually(
        lambda: space.condition(NAME, "GuardReady")["reason"] == "DigestMismatch",
        120,
        0.5,
        lambda: space.describe(NAME),
    )
    told = space.condition(NAME, "GuardReady")["message"]
    assert WRONG in told
    assert models.outliers["digest"] in told
    # A blind guard keeps the deployment from being Ready, yet with Open it answers; the old one
    # does until the Service points at it.
    eventually(
        lambda: space.condition(NAME, "RolledOut")["status"] == "True",
        120,
        0.5,
        lambda: space.describe(NAME),
    )
    note = space.predict(NAME, request_of(ordinary))["parameters"]
    assert note["hune_outlier_unjudged"].startswith("DigestMismatch")


def register_on_claim(space: Space, what: Path, name: str) -> dict[str, Any]:
    """Store a folder on the claim as a person does; return where it lies, with its digest."""
    environment = command_environment(space.cluster)
    hune = shutil.which("hune", path=environment["PATH"]) or "hune"
    words: list[str | Path] = [hune, "register", what, "--name", name, "--number", "1"]
    words += ["--to", f"pvc://{CLAIM}/{name}", "--namespace", space.name]
    source: dict[str, Any] = yaml.safe_load(run(words, environment=environment))["spec"]["source"]
    return source


@pytest.mark.timeout(300)
def test_model_and_detector_may_lie_in_different_places(
    space: Space, models: Models, tmp_path: Path
) -> None:
    space.apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": CLAIM},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "100Mi"}},
            },
        }
    )
    detector = register_on_claim(space, BREAST_CANCER, "detector")
    assert detector["digest"] == models.outliers["digest"]
    run([sys.executable, QUICKSTART / "train.py", "logistic", tmp_path / "model"])
    model = register_on_claim(space, tmp_path / "model", "model")
    on_claim = {name: detector[name] for name in ("uri", "digest")}
    specs = {
        "on-a-claim": {"model": {"source": models.source(1)}, "guard": {"outliers": on_claim}},
        # What is in the store is read with the credentials of the model's source.
        "beside-a-claim": {
            "model": {"source": model | {"secretRef": models.source(1)["secretRef"]}},
            "guard": {"outliers": models.outliers},
        },
    }
    for name, spec in specs.items():
        space.deploy(name, spec)
    space.wait_ready(*specs)
    ordinary, odd = rows()
    for name in specs:
        answer = space.predict(name, request_of(ordinary, odd))
        assert len(answer["outputs"][0]["data"]) == 2
        assert answer["parameters"]["hune_outlier_rows"] == "1", name
