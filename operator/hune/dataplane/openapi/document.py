"""The OpenAPI 3.1 document of one guard."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from hune.contract import names
from hune.dataplane.openapi import v1, v2
from hune.dataplane.openapi.content import Part, json_content, reading
from hune.dataplane.openapi.explanation import build_explanations
from hune.dataplane.openapi.failure import ACCESS, build_error, build_failures, failures
from hune.dataplane.openapi.feedback import build_feedback
from hune.dataplane.openapi.prediction import Protocol, build_predictions
from hune.dataplane.openapi.subject import Subject

_DESCRIBE: Final[Mapping[str, Callable[[Subject], Protocol]]] = {
    "V1": v1.describe,
    "V2": v2.describe,
}
_METHODS: Final = ("get", "post")
# What kubelet, Prometheus and load balancers read.
_FREE: Final = frozenset(
    {
        "readServerLive",
        "readServerReady",
        "readModelReady",
        "readModelReadyWithVersion",
        "readLive",
        "readReady",
        "readMetrics",
    }
)
_TOKEN: Final = (
    "A token of a ServiceAccount that may `predict` with this ModelDeployment:"
    f" `kubectl create token NAME --audience {names.TOKEN_AUDIENCE}`."
)


def build_document(subject: Subject) -> dict[str, Any]:
    """Return the document, ready to be written as JSON."""
    protocol = _DESCRIBE[subject.protocol](subject)
    components: dict[str, Any] = {
        "schemas": {**protocol.schemas, "Error": build_error()},
        "responses": build_failures(),
    }
    asked = (
        build_predictions(subject, protocol)
        | build_explanations(subject, protocol)
        | build_feedback(subject, protocol)
    )
    paths = {**asked, **protocol.paths, **_guard_paths()}
    if subject.bearer:
        scheme = {"type": "http", "scheme": "bearer", "description": _TOKEN}
        components["securitySchemes"] = {"bearer": scheme}
        paths = {path: _secure(part) for path, part in paths.items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": subject.deployment,
            "version": subject.model_version,
            "summary": f"Predictions of the model version {subject.model_version}",
            "description": _describe(subject),
        },
        "servers": [
            {"url": "/", "description": "Where this document came from"},
            {
                "url": f"http://{subject.deployment}.{subject.namespace}.svc",
                "description": "Inside the cluster",
            },
        ],
        "tags": [{"name": name} for name in ("Predictions", "Model", "Guard")],
        "paths": paths,
        "components": components,
    }


def _describe(subject: Subject) -> str:
    sentences = [
        f"The model speaks the {subject.protocol} protocol.",
        "What the predictor answers passes unchanged; Hune's guard adds what it says of it.",
    ]
    if subject.contract:
        does = "is refused" if subject.contract.on_breach == "Reject" else "is answered and flagged"
        sentences.append(f"A request that breaks the data contract {does}.")
    if subject.outliers:
        sentences.append("Every answer says which of its rows are outliers.")
    if subject.adversarial:
        sentences.append("Every answer says which of its rows look made to deceive the model.")
    return " ".join(sentences)


def _secure(part: Part) -> Part:
    """Return a path with its operations asking for a token, unless they are free for all."""
    return {
        key: value if key not in _METHODS or value["operationId"] in _FREE else _ask_token(value)
        for key, value in part.items()
    }


def _ask_token(operation: Part) -> Part:
    responses = {**operation["responses"], **failures(*ACCESS)}
    sorted_responses = dict(sorted(responses.items()))
    return {**operation, "security": [{"bearer": []}], "responses": sorted_responses}


def _guard_paths() -> dict[str, Part]:
    def state(name: str) -> Part:
        properties = {name: {"const": True}}
        return json_content({"type": "object", "required": [name], "properties": properties})

    text = {"text/plain": {"schema": {"type": "string"}}}
    page = {"text/html": {"schema": {"type": "string"}}}
    document = json_content({"type": "object"})
    return {
        "/hune/live": reading("readLive", "Guard", "The guard lives", state("live")),
        "/hune/ready": reading(
            "readReady", "Guard", "All is ready to predict", state("ready"), 503
        ),
        "/metrics": reading("readMetrics", "Guard", "Metrics for Prometheus", text),
        "/openapi.json": reading("readDocument", "Guard", "This document", document),
        "/docs": reading("readPage", "Guard", "This document, for people", page),
    }
