"""From pydantic models to structural CustomResourceDefinitions."""

from dataclasses import dataclass, field
from typing import Any

from hune.contract import names
from hune.controlplane.api import modeldeployment, modelversion
from hune.controlplane.api.base import Api, Rule

# What JSON Schema says and a structural schema does not allow or need.
_DROPPED = frozenset({"title", "$defs"})


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind as a CustomResourceDefinition needs it."""

    kind: str
    plural: str
    short_name: str
    description: str
    spec: type[Api]
    status: type[Api]
    columns: list[dict[str, Any]]
    scale: dict[str, str] | None = None
    rules: tuple[Rule, ...] = field(default=())


KINDS = (
    Kind(
        kind=modeldeployment.KIND,
        plural=modeldeployment.PLURAL,
        short_name="mdep",
        description="A model served through KServe behind Hune's guard.",
        spec=modeldeployment.ModelDeploymentSpec,
        status=modeldeployment.ModelDeploymentStatus,
        columns=modeldeployment.COLUMNS,
        scale=modeldeployment.SCALE,
        rules=(modeldeployment.NAME_RULE,),
    ),
    Kind(
        kind=modelversion.KIND,
        plural=modelversion.PLURAL,
        short_name="mver",
        description="An immutable record of one trained model.",
        spec=modelversion.ModelVersionSpec,
        status=modelversion.ModelVersionStatus,
        columns=modelversion.COLUMNS,
    ),
)


def build_definitions() -> list[dict[str, Any]]:
    """Return the CustomResourceDefinitions of all kinds."""
    return [build_definition(kind) for kind in KINDS]


def build_definition(kind: Kind) -> dict[str, Any]:
    """Return the CustomResourceDefinition of one kind."""
    version: dict[str, Any] = {
        "name": names.VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _object_schema(kind)},
        "subresources": {"status": {}} | ({"scale": kind.scale} if kind.scale else {}),
        "additionalPrinterColumns": kind.columns,
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{kind.plural}.{names.GROUP}",
            "labels": {names.LABEL_PART_OF: "hune"},
        },
        "spec": {
            "group": names.GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind.kind,
                "listKind": f"{kind.kind}List",
                "plural": kind.plural,
                "singular": kind.kind.lower(),
                "shortNames": [kind.short_name],
                "categories": ["hune"],
            },
            "versions": [version],
        },
    }


def _object_schema(kind: Kind) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "description": kind.description,
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": structural(kind.spec),
            "status": structural(kind.status),
        },
    }
    if kind.rules:
        schema["x-kubernetes-validations"] = [
            {"rule": rule.expression, "message": rule.message} for rule in kind.rules
        ]
    return schema


def structural(model: type[Api]) -> dict[str, Any]:
    """Return a model's structural schema: references inlined, null and titles gone."""
    schema = model.model_json_schema(by_alias=True, mode="validation")
    definitions = schema.get("$defs", {})
    resolved: dict[str, Any] = _resolve(schema, definitions)
    return resolved


def _resolve(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_resolve(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = definitions[node["$ref"].rsplit("/", 1)[-1]]
        node = target | {key: value for key, value in node.items() if key != "$ref"}
        return _resolve(node, definitions)
    if node.get("x-kubernetes-int-or-string"):
        return {key: value for key, value in node.items() if key not in _DROPPED}
    if "anyOf" in node:
        return _resolve(_without_null(node), definitions)
    return _resolve_object(node, definitions)


def _without_null(node: dict[str, Any]) -> dict[str, Any]:
    """Turn `X | None` into X: in Kubernetes an absent field says None."""
    (only,) = (branch for branch in node["anyOf"] if branch != {"type": "null"})
    rest = {key: value for key, value in node.items() if key != "anyOf"}
    if rest.get("default", ...) is None:
        del rest["default"]
    merged: dict[str, Any] = only | rest
    return merged


def _resolve_object(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in node.items():
        if key in _DROPPED or (key == "additionalProperties" and value is False):
            continue
        if key == "default" and value in ([], {}, ""):
            # Absent says the same, and kubectl then shows the short form.
            continue
        if key == "properties":
            result[key] = {name: _resolve(item, definitions) for name, item in value.items()}
        elif key == "default":
            # An object's default is empty: the server fills in its fields' own defaults.
            result[key] = {} if isinstance(value, dict) else value
        else:
            result[key] = _resolve(value, definitions)
    return result
