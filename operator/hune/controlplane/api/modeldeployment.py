"""ModelDeployment: a model version served, guarded and placed."""

import re
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field

from hune.contract import names
from hune.controlplane.api.access import Access
from hune.controlplane.api.base import Api, Name, Rule
from hune.controlplane.api.conditions import Conditions
from hune.controlplane.api.contract import Contract
from hune.controlplane.api.explainer import Explainer, Method
from hune.controlplane.api.guard import Guard
from hune.controlplane.api.modelversion import Source
from hune.controlplane.api.objectives import Objectives
from hune.controlplane.api.placement import Placement, Profile
from hune.controlplane.api.serving import Protocol, Serving

PLURAL = "modeldeployments"
KIND = "ModelDeployment"

ACCEPTED = "Accepted"
PREDICTOR_READY = "PredictorReady"
GUARD_READY = "GuardReady"
EXPLAINER_READY = "ExplainerReady"
ROLLED_OUT = "RolledOut"
OBJECTIVES_WATCHED = "ObjectivesWatched"
READY = "Ready"

LITE_FORMAT = "onnx"
_LITE = "(has(self.placement) && has(self.placement.profile) && self.placement.profile == 'Lite')"


class Model(Api):
    """Which model is served."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.version) != has(self.source)",
            "set exactly one of model.version and model.source",
            lambda model: (model.version is None) != (model.source is None),
        ),
    )

    version: Name | None = Field(
        default=None, description="Name of a ModelVersion in this namespace."
    )
    source: Source | None = Field(
        default=None,
        description="An artefact given inline; a ModelVersion is made for it.",
    )


def _is_lite(spec: "ModelDeploymentSpec") -> bool:
    return spec.placement.profile is Profile.LITE


def _names_a_server(spec: "ModelDeploymentSpec") -> bool:
    return spec.serving.container is not None or spec.serving.runtime is not None


def _has_another_format(spec: "ModelDeploymentSpec") -> bool:
    source = spec.model.source if spec.model else None
    return source is not None and source.format != LITE_FORMAT


def _asks_the_model(spec: "ModelDeploymentSpec") -> bool:
    return spec.explainer is not None and spec.explainer.method is not Method.TREE_SHAP


class ModelDeploymentSpec(Api):
    """What should be served."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.model) || (has(self.serving) && has(self.serving.container))",
            "set spec.model, or spec.serving.container for a server that carries its own model",
            lambda spec: spec.model is not None or spec.serving.container is not None,
        ),
        Rule(
            f"!{_LITE} || !has(self.serving) || "
            "!(has(self.serving.container) || has(self.serving.runtime))",
            "placement.profile Lite is a server of its own: leave out serving.container and "
            "serving.runtime, or set placement.profile to Full",
            lambda spec: not (_is_lite(spec) and _names_a_server(spec)),
        ),
        Rule(
            f"!{_LITE} || !has(self.model) || !has(self.model.source) || "
            f"self.model.source.format == '{LITE_FORMAT}'",
            f"placement.profile Lite serves format {LITE_FORMAT}: convert the model with "
            "`hune convert`, or set placement.profile to Full",
            lambda spec: not (_is_lite(spec) and _has_another_format(spec)),
        ),
        Rule(
            f"!{_LITE} || !has(self.explainer)",
            "placement.profile Lite has no explainer: leave out spec.explainer, or set "
            "placement.profile to Full",
            lambda spec: spec.explainer is None or not _is_lite(spec),
        ),
        Rule(
            "!has(self.explainer) || !has(self.serving) || !has(self.serving.container) || "
            "!has(self.serving.container.port) || "
            f"self.serving.container.port != {names.EXPLAINER_PORT}",
            f"serving.container.port must not be {names.EXPLAINER_PORT}: the explainer listens "
            "there",
            lambda spec: (
                spec.explainer is None
                or spec.serving.container is None
                or spec.serving.container.port != names.EXPLAINER_PORT
            ),
        ),
        Rule(
            f"!has(self.explainer) || self.explainer.method == '{Method.TREE_SHAP}' || "
            "!has(self.serving) || !has(self.serving.protocol) || "
            f"self.serving.protocol != '{Protocol.SELDON}'",
            f"an explainer asks models in V1 or V2 only: for serving.protocol {Protocol.SELDON} "
            f"set explainer.method to {Method.TREE_SHAP}, which asks none",
            lambda spec: not (_asks_the_model(spec) and spec.serving.protocol is Protocol.SELDON),
        ),
    )

    model: Model | None = Field(default=None, description="Which model is served.")
    serving: Serving = Field(default=Serving(), description="How it is served.")
    placement: Placement = Field(default=Placement(), description="Where it runs.")
    contract: Contract | None = Field(
        default=None,
        description="What the inputs must look like; checked beside every prediction.",
    )
    guard: Guard = Field(default=Guard(), description="What the guard watches for.")
    explainer: Explainer | None = Field(
        default=None, description="How answers are explained on request."
    )
    access: Access = Field(default=Access(), description="Who may ask it.")
    objectives: Objectives | None = Field(
        default=None,
        description="What is promised; given, even empty, the guards are watched by Prometheus.",
    )
    suspend: bool = Field(
        default=False,
        description="True: the operator changes nothing; what serves goes on serving.",
    )


class RevisionRole(StrEnum):
    """What a revision does at the moment."""

    ACTIVE = "Active"
    CANDIDATE = "Candidate"
    RETIRING = "Retiring"


class RevisionStatus(Api):
    """One revision of a ModelDeployment."""

    name: str = Field(description="Name of its InferenceService.", max_length=63)
    model_version: str = Field(description="ModelVersion it serves.", max_length=253)
    role: RevisionRole = Field(description="Active, Candidate or Retiring.")


class ModelDeploymentStatus(Api):
    """What was observed."""

    observed_generation: int = Field(default=0, description="Generation last acted on.")
    url: str | None = Field(default=None, description="Address inside the cluster.")
    active_version: str | None = Field(default=None, description="ModelVersion that answers now.")
    candidate_version: str | None = Field(
        default=None, description="ModelVersion that is on its way."
    )
    replicas: int = Field(default=0, description="Pods of the active revision that are ready.")
    selector: str | None = Field(
        default=None, description="Label selector of the pods, for `kubectl scale`."
    )
    revisions: list[RevisionStatus] = Field(
        default_factory=list,
        description="The revisions that exist.",
        max_length=32,
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
        },
    )
    conditions: Conditions = Field(default_factory=list, description="Observations.")


COLUMNS: list[dict[str, Any]] = [
    {
        "name": "Ready",
        "type": "string",
        "jsonPath": '.status.conditions[?(@.type=="Ready")].status',
    },
    {
        "name": "Reason",
        "type": "string",
        "jsonPath": '.status.conditions[?(@.type=="Ready")].reason',
    },
    {"name": "Active", "type": "string", "jsonPath": ".status.activeVersion"},
    {"name": "Candidate", "type": "string", "jsonPath": ".status.candidateVersion"},
    {"name": "Replicas", "type": "integer", "jsonPath": ".status.replicas"},
    {"name": "URL", "type": "string", "jsonPath": ".status.url", "priority": 1},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
]
SCALE: dict[str, str] = {
    "specReplicasPath": ".spec.serving.replicas.min",
    "statusReplicasPath": ".status.replicas",
    "labelSelectorPath": ".status.selector",
}
# A Service is named after the deployment, and a Service name is an RFC 1035 label.
NAME_RULE = Rule(
    f"self.metadata.name.size() <= {names.MAXIMUM_NAME_LENGTH} && "
    "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
    "metadata.name must start with a letter, hold only a-z, 0-9 and '-', and have at most "
    f"{names.MAXIMUM_NAME_LENGTH} characters, because a Service and revisions are named after it",
    lambda document: (
        len(document["metadata"]["name"]) <= names.MAXIMUM_NAME_LENGTH
        and re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", document["metadata"]["name"])
    ),
)
