"""Where a model runs: the `placement` part of a ModelDeployment."""

import re
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from hune.controlplane.api.base import (
    LABEL_KEY,
    LABEL_VALUE_RULE,
    Api,
    Rule,
    check,
    refuse_repeated,
    text_rule,
    validations,
)

LabelValue = Annotated[
    str,
    Field(max_length=63, json_schema_extra=validations(LABEL_VALUE_RULE)),
    check(LABEL_VALUE_RULE),
]
Labels = Annotated[dict[str, LabelValue], Field(max_length=16)]
_CLASS = text_rule(
    r"^[A-Z][A-Za-z0-9]*$", "a placement class is a CamelCase word, for example EdgeArm"
)
_LABEL_KEY = text_rule(LABEL_KEY, "a label key is wanted, for example kubernetes.io/hostname")


class Architecture(StrEnum):
    """Processor architectures as `kubernetes.io/arch` names them."""

    AMD64 = "amd64"
    ARM64 = "arm64"
    ARM = "arm"
    PPC64LE = "ppc64le"
    S390X = "s390x"


class Profile(StrEnum):
    """What a pod is made of."""

    FULL = "Full"
    LITE = "Lite"


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


def _check_unique(architectures: list[Architecture]) -> list[Architecture]:
    refuse_repeated(architectures)
    return architectures


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
    profile: Profile | None = Field(
        default=None,
        description="Full: a server of the model's own framework beside the guard. Lite: guard and "
        "ONNX model in one small process. The class's by default, else Full; Full beside a "
        "serving.runtime or serving.container.",
    )
    architectures: Annotated[list[Architecture], AfterValidator(_check_unique)] = Field(
        default_factory=list,
        description="Architectures the pods may run on; any by default. With an image that Hune "
        "does not know, they say for which it has a build.",
        max_length=5,
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    node_selector: Labels = Field(default_factory=dict, description="Labels a node must carry.")
    tolerations: list[Toleration] = Field(
        default_factory=list, description="Taints the pods tolerate.", max_length=16
    )
