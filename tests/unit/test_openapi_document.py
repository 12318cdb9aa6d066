"""The document is valid by somebody else's judgement, and its examples keep its own schemas."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator

from hune.contract.features import TYPES, DataContract, Feature
from hune.dataplane.openapi.document import build_document
from hune.dataplane.openapi.page import render_page
from hune.dataplane.openapi.subject import Subject
from hune.dataplane.openapi.tensor import DATATYPES, Metadata, Tensor, read_metadata
from tests.support.contracts import METADATA, MIXED, NUMBERS, contract_of

Document = dict[str, Any]
MANY = Metadata((Tensor("x", "FP32", (-1, 3)), Tensor("id", "BYTES", (-1,))))
SCALAR = Metadata((Tensor("x", "UINT64", ()),), (Tensor("y", "BOOL", (0, 2)),))
IMAGE = Metadata((Tensor("picture", "UINT8", (-1, 3, 224, 224)),))
SUBJECTS = [
    Subject(
        "income",
        "default",
        "income-7",
        protocol,
        contract,
        metadata,
        outliers,
        bearer,
        adversarial=outliers,
        explained=explained,
        takes_feedback=explained and protocol == "V2",
    )
    for protocol, contract, metadata, (outliers, bearer, explained) in itertools.product(
        ("V1", "V2"),
        (None, contract_of(NUMBERS), contract_of(MIXED)),
        (Metadata(), read_metadata(METADATA), MANY, SCALAR, IMAGE),
        ((False, False, False), (True, True, True)),
    )
]


def validate(document: Document) -> None:
    OpenAPIV31SpecValidator(document).validate()


def media(document: Document) -> Iterator[tuple[str, Document]]:
    """Yield everything that has both a schema and an example."""
    for path, part in document["paths"].items():
        for operation in (part[method] for method in ("get", "post") if method in part):
            bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
            for content in (body.get("content", {}) for body in bodies):
                yield from ((path, one) for one in content.values() if "example" in one)
    for name, response in document["components"]["responses"].items():
        yield name, response["content"]["application/json"]


def check_examples(document: Document) -> None:
    for where, content in media(document):
        schema = {**content["schema"], "components": document["components"]}
        problems = [
            str(error)
            for error in jsonschema_rs.validator_for(schema).iter_errors(content["example"])
        ]
        assert problems == [], where


def predict_of(document: Document) -> Document:
    operation: Document = next(p["post"] for p in document["paths"].values() if "post" in p)
    return operation


def request_errors(document: Document, request: object) -> int:
    schema = {"$ref": "#/components/schemas/Request", "components": document["components"]}
    return len(list(jsonschema_rs.validator_for(schema).iter_errors(request)))


@pytest.mark.parametrize("subject", SUBJECTS, ids=range(len(SUBJECTS)))
def test_a_document_is_valid_and_so_are_its_examples(subject: Subject) -> None:
    document = build_document(subject)
    validate(document)
    check_examples(document)


names = st.text(min_size=1, max_size=20)
decimals = st.one_of(
    st.just(""),
    st.sampled_from(["-1e400", "1e308", "-1e308", "0", "-0.0", "1e-300", "NaN", "many"]),
    st.decimals(-1000, 1000, places=3).map(str),
)


@st.composite
def features(draw: st.DrawFn) -> Feature:
    low, high = draw(decimals), draw(decimals)
    try:
        low, high = sorted((low, high), key=float)
    except ValueError:
        low = high = ""
    return Feature(
        name=draw(names),
        type=draw(st.sampled_from(TYPES)),
        unit=draw(st.text(max_size=10)),
        minimum=low,
        maximum=high,
        categories=tuple(draw(st.lists(names, max_size=3, unique=True))),
        nullable=draw(st.booleans()),
    )


contracts = st.lists(features(), min_size=1, max_size=4, unique_by=lambda f: f.name).map(
    lambda listed: DataContract(tuple(listed))
)
tensors = st.lists(
    st.builds(
        Tensor,
        names,
        st.sampled_from(DATATYPES),
        st.lists(st.integers(-1, 4), max_size=3).map(tuple),
    ),
    max_size=3,
    unique_by=lambda tensor: tensor.name,
).map(tuple)
metadata = st.builds(Metadata, tensors, tensors)


@settings(max_examples=60)
@given(st.sampled_from(["V1", "V2"]), st.one_of(st.none(), contracts), metadata)
def test_no_contract_and_no_metadata_break_it(
    protocol: str, contract: DataContract | None, known: Metadata
) -> None:
    document = build_document(Subject("m", "n", "m-1", protocol, contract, known))
    validate(document)
    without_impossible = contract is None or not any(map(is_impossible, contract.features))
    if without_impossible:
        check_examples(document)
    assert render_page(document)


def is_impossible(feature: Feature) -> bool:
    """Tell whether no whole number lies between the bounds: such a contract has no example."""
    bounded = feature.type == "Integer" and feature.minimum and feature.maximum
    return bool(bounded) and float(feature.maximum) - float(feature.minimum) < 1


@given(st.binary(max_size=200))
def test_noise_of_a_predictor_says_nothing(noise: bytes) -> None:
    assert read_metadata(noise) == Metadata()


@pytest.mark.parametrize(
    ("reason", "body"),
    [
        ("no object", b"[]"),
        ("no list", b'{"inputs": {"name": "x"}}'),
        ("no name", b'{"inputs": [{"datatype": "FP32", "shape": [1]}]}'),
        ("an unknown datatype", b'{"inputs": [{"name":"x","datatype":"FP99","shape":[1]}]}'),
        ("a shape of text", b'{"inputs": [{"name":"x","datatype":"FP32","shape":["n"]}]}'),
        ("a negative shape", b'{"inputs": [{"name":"x","datatype":"FP32","shape":[-2]}]}'),
        (
            "a name twice",
            b'{"inputs": [%(x)b, %(x)b]}' % {b"x": b'{"name":"x","datatype":"FP32","shape":[]}'},
        ),
        (
            "half of it good",
            b'{"inputs": [{"name":"x","datatype":"FP32","shape":[1]},{"name":"z"}]}',
        ),
        ("nested deeply", b'{"inputs":' + b"[" * 5000 + b"]" * 5000 + b"}"),
    ],
)
def test_metadata_that_cannot_be_right_say_nothing(reason: str, body: bytes) -> None:
    assert read_metadata(body) == Metadata(), reason


def test_good_outputs_count_beside_broken_inputs() -> None:
    body = b'{"inputs": 1, "outputs": [{"name":"y","datatype":"FP32","shape":[-1]}]}'
    assert read_metadata(body) == Metadata(outputs=(Tensor("y", "FP32", (-1,)),))


def v1(contract: dict[str, Any]) -> Document:
    return build_document(Subject("income", "default", "income-7", "V1", contract_of(contract)))


@pytest.mark.parametrize(
    ("reason", "row", "wrong"),
    [
        ("by position", [17.5, 65, 1.8, "male", True, "x"], 0),
        ("null where it may be", [17.5, None, 1.8, None, True, None], 0),
        ("null where it may not be", [None, 65, 1.8, "male", True, "x"], 1),
        ("below the minimum", [0.4, 65, 1.8, "male", True, "x"], 1),
        ("above the maximum", [17.5, 131, 1.8, "male", True, "x"], 1),
        ("half a year", [17.5, 65.5, 1.8, "male", True, "x"], 1),
        ("an unknown category", [17.5, 65, 1.8, "diverse", True, "x"], 1),
        ("a number for a truth", [17.5, 65, 1.8, "male", 1, "x"], 1),
        ("a column short", [17.5, 65, 1.8, "male", True], 1),
        ("a column too many", [17.5, 65, 1.8, "male", True, "x", 1], 1),
    ],
)
def test_the_schema_of_a_row_is_the_contract(reason: str, row: list[Any], wrong: int) -> None:
    document = v1(MIXED)
    names = [feature["name"] for feature in MIXED["features"]]
    assert request_errors(document, {"instances": [row]}) == wrong, reason
    if len(row) == len(names):
        record = dict(zip(names, row, strict=True))
        assert request_errors(document, {"instances": [record]}) == wrong, reason


def test_a_single_tensor_of_the_predictor_gives_the_matrix_its_name() -> None:
    contract = contract_of(NUMBERS)
    subject = Subject("income", "default", "7", "V2", contract, read_metadata(METADATA))
    document = build_document(subject)
    example = predict_of(document)["requestBody"]["content"]["application/json"]["example"]
    [tensor] = example["inputs"]
    assert (tensor["name"], tensor["datatype"], tensor["shape"]) == ("x", "FP32", [1, 3])
    assert request_errors(document, example) == 0
    assert request_errors(document, {"inputs": [{**tensor, "name": "z"}]}) == 1
    assert request_errors(document, {"inputs": [{**tensor, "shape": [1, 4]}]}) == 1


def test_a_picture_is_no_example() -> None:
    document = build_document(Subject("m", "n", "m-1", "V2", None, IMAGE))
    assert "example" not in predict_of(document)["requestBody"]["content"]["application/json"]
    assert "-d @request.json" in render_page(document)


@pytest.mark.parametrize("bearer", [True, False])
def test_a_token_is_asked_for_only_where_it_is_needed(bearer: bool) -> None:  # noqa: FBT001
    document = build_document(Subject("m", "n", "m-1", "V2", bearer=bearer))
    predict = predict_of(document)
    assert ("security" in predict) is bearer
    assert ("securitySchemes" in document["components"]) is bearer
    assert ({"401", "403"} <= predict["responses"].keys()) is bearer
    assert ("security" in document["paths"]["/openapi.json"]["get"]) is bearer
    assert "security" not in document["paths"]["/metrics"]["get"]
    assert ("Authorization" in render_page(document)) is bearer


def test_what_nobody_looks_for_is_not_promised() -> None:
    plain = build_document(Subject("m", "n", "m-1", "V1"))
    assert list(plain["components"]["schemas"]["Note"]["properties"]) == [
        "prediction_id",
        "model_version",
    ]
    defended = build_document(Subject("m", "n", "m-1", "V1", adversarial=True))
    assert "adversarial_rows" in defended["components"]["schemas"]["Note"]["properties"]
    assert "X-Hune-Adversarial" in predict_of(defended)["responses"]["200"]["headers"]
    watched = build_document(Subject("m", "n", "m-1", "V2", contract_of(NUMBERS), outliers=True))
    note = watched["components"]["schemas"]["Note"]["properties"]
    assert note["hune_outlier_rows"]["type"] == "string"
    assert note["hune_contract_breaches"]["type"] == "integer"
    assert "hune_adversarial" not in note
    assert "X-Hune-Outlier" in predict_of(watched)["responses"]["200"]["headers"]


def test_feedback_is_told_of_where_the_model_takes_it() -> None:
    without = Subject("income", "default", "income-7", "V2", metadata=MANY)
    document = build_document(replace(without, takes_feedback=True))
    fresh = document["paths"].keys() - build_document(without)["paths"].keys()
    base = "/v2/models/income"
    assert fresh == {f"{base}/feedback", f"{base}/versions/income-7/feedback"}
    operation = document["paths"][f"{base}/feedback"]["post"]
    told = operation["requestBody"]["content"]["application/json"]["schema"]
    asked = document["components"]["schemas"]["Request"]
    assert told["properties"]["inputs"] == asked["properties"]["inputs"]
    assert {"200", "400", "403", "404", "503"} <= operation["responses"].keys()


@pytest.mark.parametrize(
    ("protocol", "path"),
    [("V1", "/v1/models/income:explain"), ("V2", "/v2/models/income/explain")],
)
def test_explanations_are_told_of_where_there_are_any(protocol: str, path: str) -> None:
    without = Subject("income", "default", "income-7", protocol)
    document = build_document(replace(without, explained=True))
    versioned = path.replace("income", "income/versions/income-7")
    fresh = document["paths"].keys() - build_document(without)["paths"].keys()
    assert fresh == {path, versioned}
    operation = document["paths"][path]["post"]
    assert operation["requestBody"] == predict_of(document)["requestBody"]
    assert operation["security"] == [{"bearer": []}]
    assert {"200", "400", "403", "404", "503", "504"} <= operation["responses"].keys()
