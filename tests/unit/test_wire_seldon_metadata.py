"""What a Seldon component says of itself, as V2 metadata."""

import json
from typing import Any

import pytest

from hune.dataplane.openapi.tensor import read_metadata
from hune.dataplane.wire.seldon_metadata import translate_metadata

PIXELS = {"name": "pixels", "datatype": "FP64", "shape": [-1, 64]}
NAMED = {"messagetype": "tensor", "schema": {"names": ["a", "b"]}}
SHAPED = {"messagetype": "ndarray", "schema": {"names": ["a", "b"], "shape": [1, 2]}}
ROW = {"messagetype": "tensor", "schema": {"shape": [4]}}
TEXT = {"messagetype": "strData"}


def translated(**said: Any) -> Any:
    return json.loads(translate_metadata(json.dumps(said).encode(), "digits"))


def test_what_is_said_in_v2_s_form_stays_but_for_the_output_s_name() -> None:
    assert translated(
        name="x", versions=["1"], platform="numpy", inputs=[PIXELS], outputs=[PIXELS]
    ) == {
        "name": "digits",
        "platform": "numpy",
        "inputs": [PIXELS],
        "outputs": [PIXELS | {"name": "predict"}],
    }


@pytest.mark.parametrize(
    ("reason", "inputs", "shapes"),
    [
        ("only names", [NAMED], [[-1, 2]]),
        ("a shape with rows", [SHAPED], [[-1, 2]]),
        ("a shape of one row", [ROW], [[-1, 4]]),
        ("what V2 has no word for", [TEXT], []),
        ("half of it", [PIXELS, TEXT], []),
        ("no list", 7, []),
        ("nothing said", [{"messagetype": "tensor"}], []),
        ("nothing of use", [{"messagetype": "tensor", "schema": {}}], []),
    ],
)
def test_arrays_of_seldon_s_form_are_numbers_in_rows(
    reason: str, inputs: Any, shapes: list[list[int]]
) -> None:
    assert [tensor["shape"] for tensor in translated(inputs=inputs)["inputs"]] == shapes, reason


def test_two_outputs_are_none_since_an_answer_has_one() -> None:
    assert translated(outputs=[NAMED, NAMED])["outputs"] == []


@pytest.mark.parametrize("body", [b"", b"<h1>", b"[]", b"\xff", b"[" * 100_000])
def test_nonsense_says_nothing(body: bytes) -> None:
    found = translate_metadata(body, "digits")
    assert json.loads(found) == {
        "name": "digits",
        "platform": "seldon",
        "inputs": [],
        "outputs": [],
    }
    assert read_metadata(found).inputs == ()
