"""What a Seldon component is told of its answer."""

import json
from typing import Any

import pytest

from hune.dataplane.wire.document import NotAnObjectError
from hune.dataplane.wire.seldon_feedback import build_seldon_feedback
from hune.dataplane.wire.tensor import WireError


def tensor(name: str, datatype: str, data: list[Any], *shape: int) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": list(shape), "data": data}


INPUTS = [tensor("x", "FP64", [1.5, 2.0], 1, 2)]
COLUMNS = [tensor("age", "INT64", [40], 1), tensor("wage", "INT64", [7], 1)]
TRUTH = [tensor("y", "INT64", [3], 1)]
FEATURES = {"data": {"names": [], "ndarray": [[1.5, 2.0]]}}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"inputs": INPUTS, "reward": 1}, {"request": FEATURES, "reward": 1.0}),
        ({"inputs": INPUTS, "reward": -0.5, "id": "7"}, {"request": FEATURES, "reward": -0.5}),
        (
            {"inputs": INPUTS, "truth": TRUTH},
            {"request": FEATURES, "truth": {"data": {"names": [], "ndarray": [3]}}},
        ),
        (
            {"inputs": COLUMNS, "reward": 0, "truth": COLUMNS},
            {
                "request": {"data": {"names": ["age", "wage"], "ndarray": [[40, 7]]}},
                "reward": 0.0,
                "truth": {"data": {"names": ["age", "wage"], "ndarray": [[40, 7]]}},
            },
        ),
    ],
)
def test_feedback_is_the_request_with_its_reward_and_its_truth(given: Any, wanted: Any) -> None:
    assert json.loads(build_seldon_feedback(json.dumps(given).encode())) == wanted


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"inputs": INPUTS}, "reward, truth: both are missing"),
        ({"reward": 1}, "inputs"),
        ({"inputs": INPUTS, "reward": "good"}, "reward: must be a number"),
        ({"inputs": INPUTS, "reward": None}, "reward: must be a number"),
        ({"inputs": INPUTS, "truth": 3}, "truth: expected array"),
        ({"inputs": INPUTS, "truth": []}, "truth: expected array of length"),
        ({"inputs": INPUTS, "truth": [tensor("y", "FP99", [3], 1)]}, "truth[0].datatype: FP99"),
        ({"inputs": INPUTS, "truth": [tensor("y", "INT64", [3], 2)]}, "truth[0].shape"),
    ],
)
def test_what_says_nothing_or_is_no_tensor_is_named(given: Any, said: str) -> None:
    with pytest.raises(WireError) as error:
        build_seldon_feedback(json.dumps(given).encode())
    assert said in str(error.value)


def test_what_is_no_object_is_none() -> None:
    with pytest.raises(NotAnObjectError):
        build_seldon_feedback(b"[1]")
