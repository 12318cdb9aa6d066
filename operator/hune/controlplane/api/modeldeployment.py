"""ModelDeployment: a model version served, guarded and placed."""

import re
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from hune.contract import names
from hune.controlplane.api.base import (
    LABEL_KEY,
    LABEL_VALUE_RULE,
    Api,
    Name,
    Quantity,
    Rule,
    check,
    text_rule,
    validations,
)
from hune.controlplane.api.conditions import Conditions
from hune.controlplane.api.modelversion import Source

PLURAL = "modeldeployments"
KIND = "ModelDeployment"

LabelValue = Annotated[
    str,
    Field(max_length=63, json_schema_extra=validations(LABEL_VALUE_RULE)),
    check(LABEL_VALUE_RULE),
]
_VARIABLE = text_rule(
    r"^[A-Za-z_][A-Za-z0-9_.-]*$",
    "a variable's name holds only letters, digits, '_', '.' and '-', and begins with no digit",
)
_IMAGE = text_rule(r"^\S+$", "an image's name holds no space")
_CLASS = text_rule(
    r"^[A-Z][A-Za-z0-9]*$", "a placement class is a CamelCase word, for example EdgeArm"
)
_LABEL_KEY = text_rule(LABEL_KEY, "a label key is wanted, for example kubernetes.io/hostname")
Labels = Annotated[dict[str, LabelValue], Field(max_length=16)]

ACCEPTED = "Accepted"
PREDICTOR_READY = "PredictorReady"
GUARD_READY = "GuardReady"
ROLLED_OUT = "RolledOut"
READY = "Ready"


class Protocol(StrEnum):
    """Inference protocols."""

    V1 = "V1"
    V2 = "V2"


class Architecture(StrEnum):
    """Processor architectures as `kubernetes.io/arch` names them."""

    AMD64 = "amd64"
    ARM64 = "arm64"
    ARM = "arm"
    PPC64LE = "ppc64le"
    S390X = "s390x"


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


class Replicas(Api):
    """How many pods serve."""

    min: int = Field(default=1, description="Least number of pods.", ge=1, le=1000)
    max: int | None = Field(
        default=None,
        description="Greatest number of pods; a smaller one than min is lifted to min.",
        ge=1,
        le=1000,
    )


class ScaleMetric(StrEnum):
    """What the autoscaler looks at."""

    CPU = "CPU"
    MEMORY = "Memory"


class Autoscaling(Api):
    """Autoscaling between replicas.min and replicas.max by KServe's HorizontalPodAutoscaler."""

    metric: ScaleMetric = Field(default=ScaleMetric.CPU, description="What to look at.")
    target_utilization_percentage: int = Field(
        default=80, description="Utilisation to hold, in percent of the request.", ge=1, le=100
    )


class Resources(Api):
    """Compute resources of the predictor container."""

    requests: dict[str, Quantity] = Field(
        default_factory=dict,
        description="What is reserved.",
        max_length=8,
    )
    limits: dict[str, Quantity] = Field(
        default_factory=dict,
        description="What is the most.",
        max_length=8,
    )


class KeyReference(Api):
    """A key of a Secret or ConfigMap in the same namespace."""

    name: Name = Field(description="Name of the object.")
    key: str = Field(description="Key in it.", min_length=1, max_length=253)
    optional: bool | None = Field(default=None, description="Whether it may be absent.")


class EnvironmentSource(Api):
    """Where an environment variable's value comes from."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.secretKeyRef) != has(self.configMapKeyRef)",
            "set exactly one of secretKeyRef and configMapKeyRef",
            lambda source: (source.secret_key_ref is None) != (source.config_map_key_ref is None),
        ),
    )

    secret_key_ref: KeyReference | None = Field(default=None, description="A key of a Secret.")
    config_map_key_ref: KeyReference | None = Field(
        default=None, description="A key of a ConfigMap."
    )


class EnvironmentVariable(Api):
    """An environment variable of the predictor container."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!(has(self.value) && has(self.valueFrom))",
            "set value or valueFrom, not both",
            lambda variable: variable.value is None or variable.value_from is None,
        ),
        Rule(
            "self.name != 'STORAGE_URI'",
            "STORAGE_URI is set from spec.model, whose digest is checked; name the artefact there",
            lambda variable: variable.name != "STORAGE_URI",
        ),
    )

    name: Annotated[
        str,
        Field(max_length=128, json_schema_extra=validations(_VARIABLE)),
        check(_VARIABLE),
    ] = Field(description="Name of the variable.")
    value: str | None = Field(default=None, description="Its value.", max_length=4096)
    value_from: EnvironmentSource | None = Field(
        default=None, description="Where its value comes from."
    )


class CustomContainer(Api):
    """A model server of your own instead of a KServe runtime."""

    image: Annotated[
        str,
        Field(max_length=512, json_schema_extra=validations(_IMAGE)),
        check(_IMAGE),
    ] = Field(description="Image of the server.")
    command: list[Annotated[str, Field(max_length=4096)]] = Field(
        default_factory=list, description="Entry point.", max_length=64
    )
    args: list[Annotated[str, Field(max_length=4096)]] = Field(
        default_factory=list, description="Arguments.", max_length=64
    )
    port: int = Field(
        default=8080, description="Port its HTTP server listens on.", ge=1024, le=65535
    )


def _check_names(variables: list[EnvironmentVariable]) -> list[EnvironmentVariable]:
    _refuse_repeated(variable.name for variable in variables)
    return variables


def _check_unique(architectures: list[Architecture]) -> list[Architecture]:
    _refuse_repeated(architectures)
    return architectures


def _refuse_repeated(words: Iterable[str]) -> None:
    """Repeat in Python what a list's type, map or set, says to the API server."""
    repeated = [word for word, count in Counter(words).items() if count > 1]
    if repeated:
        raise ValueError(f"given more than once: {', '.join(repeated)}")


class Serving(Api):
    """How the model is served."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!(has(self.runtime) && has(self.container))",
            "set serving.runtime or serving.container, not both",
            lambda serving: serving.runtime is None or serving.container is None,
        ),
        Rule(
            "!has(self.container) || !has(self.container.port) || self.container.port != 9000",
            "serving.container.port must not be 9000: the guard listens there",
            lambda serving: serving.container is None or serving.container.port != 9000,  # noqa: PLR2004
        ),
    )

    runtime: Name | None = Field(
        default=None,
        description="KServe ServingRuntime; by default the one Hune knows for the format.",
    )
    protocol: Protocol = Field(
        default=Protocol.V2, description="Inference protocol the predictor speaks."
    )
    replicas: Replicas = Field(default=Replicas(), description="How many pods serve.")
    autoscaling: Autoscaling | None = Field(
        default=None, description="Scale between replicas.min and replicas.max."
    )
    resources: Resources | None = Field(
        default=None, description="Compute resources of the predictor; the platform's by default."
    )
    env: Annotated[list[EnvironmentVariable], AfterValidator(_check_names)] = Field(
        default_factory=list,
        description="Environment of the predictor container.",
        max_length=64,
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
        },
    )
    service_account_name: Name | None = Field(
        default=None, description="ServiceAccount of the pods; its token is not mounted."
    )
    container: CustomContainer | None = Field(
        default=None, description="A model server of your own."
    )


class TolerationOperator(StrEnum):
    """How a toleration compares."""

    EXISTS = "Exists"
    EQUAL = "Equal"


class TolerationEffect(StrEnum):
    """Which taint effect a toleration is for."""

    NO_SCHEDULE = "NoSchedule"
    PREFER_NO_SCHEDULE = "PreferNoSchedule"
    NO_EXECUTE = "NoExecute"


class Toleration(Api):
    """A node taint the pods tolerate."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!(has(self.operator) && self.operator == 'Exists' && has(self.value))",
            "a toleration with operator Exists takes no value",
            lambda t: not (t.operator == TolerationOperator.EXISTS and t.value is not None),
        ),
    )

    key: (
        Annotated[
            str,
            Field(max_length=317, json_schema_extra=validations(_LABEL_KEY)),
            check(_LABEL_KEY),
        ]
        | None
    ) = Field(default=None, description="Taint key.")
    operator: TolerationOperator | None = Field(default=None, description="Exists or Equal.")
    value: LabelValue | None = Field(default=None, description="Taint value.")
    effect: TolerationEffect | None = Field(default=None, description="Taint effect.")
    toleration_seconds: int | None = Field(
        default=None, description="How long a NoExecute taint is tolerated.", ge=0
    )


class Placement(Api):
    """Where the pods run."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.nodeSelector) || self.nodeSelector.all(key, key.size() <= 317 && "
            f"key.matches('{LABEL_KEY}'))",
            "placement.nodeSelector: a key is a label key, for example kubernetes.io/hostname",
            lambda placement: all(map(re.compile(LABEL_KEY).fullmatch, placement.node_selector)),
        ),
    )

    class_: (
        Annotated[str, Field(max_length=63, json_schema_extra=validations(_CLASS)), check(_CLASS)]
        | None
    ) = Field(
        default=None,
        alias="class",
        description="A placement class of the platform, for example EdgeArm.",
    )
    architectures: Annotated[list[Architecture], AfterValidator(_check_unique)] = Field(
        default_factory=list,
        description="Architectures the pods may run on; any by default.",
        max_length=5,
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    node_selector: Labels = Field(default_factory=dict, description="Labels a node must carry.")
    tolerations: list[Toleration] = Field(
        default_factory=list, description="Taints the pods tolerate.", max_length=16
    )


class ModelDeploymentSpec(Api):
    """What should be served."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.model) || (has(self.serving) && has(self.serving.container))",
            "set spec.model, or spec.serving.container for a server that carries its own model",
            lambda spec: spec.model is not None or spec.serving.container is not None,
        ),
    )

    model: Model | None = Field(default=None, description="Which model is served.")
    serving: Serving = Field(default=Serving(), description="How it is served.")
    placement: Placement = Field(default=Placement(), description="Where it runs.")
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
