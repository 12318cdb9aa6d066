"""An outlier is flagged in the answer; a detector that cannot judge is told about."""

from typing import Any

import pytest
from sklearn.datasets import load_breast_cancer

from hune.controlplane.cluster import resources
from tests.support.access import build_caller
from tests.support.eventually import eventually
from tests.support.models import Models
from tests.support.space import Space

pytestmark = pytest.mark.e2e
NAME = "tumours"
WRONG = "sha256:" + "0" * 64


def request_of(*rows: list[float]) -> dict[str, Any]:
    data = [value for row in rows for value in row]
    shape = [len(rows), len(rows[0])]
    return {"inputs": [{"name": "x", "shape": shape, "datatype": "FP64", "data": data}]}


def choose(space: Space, guard: dict[str, Any]) -> None:
    patch = {"spec": {"guard": guard}}
    space.api.patch(resources.MODEL_DEPLOYMENT, space.name, NAME, patch)


@pytest.mark.timeout(300)
def test_an_outlier_is_flagged_and_a_blind_guard_says_so(space: Space, models: Models) -> None:
    space.apply(*build_caller())
    source = models.source(1)
    space.deploy(NAME, {"model": {"source": source}, "guard": {"outliers": models.outliers}})
    space.wait_ready(NAME)

    table = load_breast_cancer().data
    ordinary, odd = [*map(float, table.mean(axis=0))], [*map(float, table.max(axis=0) * 3)]
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
    note = space.predict(NAME, request_of(ordinary))["parameters"]
    assert note["hune_outlier_unjudged"].startswith("DigestMismatch")
