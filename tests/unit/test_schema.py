"""The CustomResourceDefinitions keep to the rules of this house and of structural schemas."""

from collections.abc import Iterator
from typing import Any

import pytest

from hune.controlplane.api.schema import build_definitions, structural
from hune.controlplane.api.serving import Replicas, Serving

DEFINITIONS = build_definitions()
NAMES = [definition["metadata"]["name"] for definition in DEFINITIONS]
FORBIDDEN = {"$ref", "$defs", "title", "anyOf", "oneOf", "allOf", "const", "additionalProperties"}


def schema(definition: dict[str, Any]) -> dict[str, Any]:
    (version,) = definition["spec"]["versions"]
    found: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return found


def nodes(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every schema below one, with its path."""
    yield path, node
    for name, below in node.get("properties", {}).items():
        yield from nodes(below, f"{path}.{name}")
    for name in ("items", "additionalProperties"):
        if isinstance(node.get(name), dict):
            yield from nodes(node[name], f"{path}[]")


def own_nodes() -> list[Any]:
    """Return the schemas of all kinds' specs and statuses."""
    return [
        pytest.param(node, id=f"{definition['spec']['names']['kind']}{path}")
        for definition in DEFINITIONS
        for part in ("spec", "status")
        for path, node in nodes(schema(definition)["properties"][part], f".{part}")
    ]


@pytest.mark.parametrize("node", own_nodes())
def test_every_field_is_structural_and_bounded(node: dict[str, Any]) -> None:
    if node.get("x-kubernetes-int-or-string"):
        assert "type" not in node
        return
    assert node["type"] in {"object", "array", "string", "integer", "boolean"}, "no floats"
    left = {key for key in FORBIDDEN & node.keys() if node[key] is not True}
    assert left <= (
        {"additionalProperties"} if isinstance(node.get("additionalProperties"), dict) else set()
    )
    if node["type"] == "array":
        assert "maxItems" in node, "every list has a maximum"
    if "additionalProperties" in node:
        assert "maxProperties" in node, "every map has a maximum"
    assert node.get("default", ...) is not None


def test_conditions_are_merged_by_type() -> None:
    statuses = [schema(d)["properties"]["status"]["properties"] for d in DEFINITIONS]
    (conditions,) = (fields["conditions"] for fields in statuses if "conditions" in fields)
    assert conditions["x-kubernetes-list-type"] == "map"
    assert conditions["x-kubernetes-list-map-keys"] == ["type"]


@pytest.mark.parametrize("definition", DEFINITIONS, ids=NAMES)
def test_every_rule_has_words_for_a_person(definition: dict[str, Any]) -> None:
    for path, node in nodes(schema(definition)):
        for rule in node.get("x-kubernetes-validations", []):
            assert len(rule["message"]) > 20, path
            assert "\n" not in rule["message"], path
        assert "pattern" not in node or ".conditions[]" in path, f"{path}: a rule says it better"


def test_field_names_are_camel_case() -> None:
    for definition in DEFINITIONS:
        for path, _ in nodes(schema(definition)):
            assert "_" not in path


def test_an_optional_field_says_so_by_its_absence() -> None:
    assert structural(Replicas)["properties"]["max"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 1000,
        "description": "Greatest number of pods; a smaller one than min is lifted to min.",
    }


def test_a_nested_default_is_empty_so_that_the_server_fills_in_its_fields() -> None:
    properties = structural(Serving)["properties"]
    assert properties["replicas"]["default"] == {}
    assert properties["replicas"]["properties"]["min"]["default"] == 1
    assert properties["protocol"]["default"] == "V2"
    assert "default" not in properties["env"]
    assert "default" not in properties["container"]


def test_generating_twice_gives_the_same() -> None:
    assert build_definitions() == DEFINITIONS
