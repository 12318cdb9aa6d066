"""How a model is served: the `serving` part of a ModelDeployment."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from hune.controlplane.api.base import (
    Api,
    Name,
    Quantity,
    Rule,
    check,
    refuse_repeated,
    text_rule,
    validations,
)

_VARIABLE = text_rule(
    r"^[A-Za-z_][A-Za-z0-9_.-]*$",
    "a variable's name holds only letters, digits, '_', '.' and '-', and begins with no digit",
)
# In profile Lite the predictor's environment is the guard's, too.
_OPERATORS_OWN = (
    "HUNE_PORT",
    "HUNE_GUARD_FILE",
    "HUNE_PREDICTION_KEY_FILE",
    "HUNE_MODEL_DIRECTORY",
    "HUNE_DRAIN_SECONDS",
)
_IMAGE = text_rule(r"^\S+$", "an image's name holds no space")


class Protocol(StrEnum):
    """Inference protocols."""

    V1 = "V1"
    V2 = "V2"
    SELDON = "Seldon"


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
        Rule(
            f"!(self.name in [{', '.join(map(repr, _OPERATORS_OWN))}])",
            f"{', '.join(_OPERATORS_OWN)} are set by the operator; leave them out",
            lambda variable: variable.name not in _OPERATORS_OWN,
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
    refuse_repeated(variable.name for variable in variables)
    return variables


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
        Rule(
            "!has(self.protocol) || self.protocol != 'Seldon' || has(self.container)",
            "protocol Seldon is that of a component of your own: set serving.container.image, "
            "docker.io/hune/seldon or one made from it",
            lambda serving: serving.protocol != Protocol.SELDON or serving.container is not None,
        ),
    )

    runtime: Name | None = Field(
        default=None,
        description="KServe ServingRuntime; by default the one Hune knows for the format.",
    )
    protocol: Protocol = Field(
        default=Protocol.V2,
        description="Inference protocol the predictor speaks. Seldon: that of a component built "
        "with seldon-core, which callers ask by V2.",
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
