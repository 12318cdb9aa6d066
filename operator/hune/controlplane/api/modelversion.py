"""ModelVersion: an immutable record of one trained model, which outlives its deployments."""

import re
from typing import Annotated, Any, ClassVar

from pydantic import Field

from hune.controlplane.api.base import (
    DECIMAL_RULE,
    DNS_LABEL_RULE,
    Api,
    Digest,
    LocalReference,
    Name,
    Rule,
    check,
    text_rule,
    validations,
)

PLURAL = "modelversions"
KIND = "ModelVersion"

_URI_RULES = (
    text_rule(
        r"^(s3|gs|pvc|https?|hf)://[A-Za-z0-9][-A-Za-z0-9._~:/%+=@]*$",
        "uri must be s3://, gs://, pvc://<claim>/<path>, http(s):// or hf://, "
        "and hold only letters, digits and -._~:/%+=@",
    ),
    Rule(
        "!self.contains('/../') && !self.endsWith('/..')",
        "uri must not contain '..'; name the artefact directly",
        lambda uri: ".." not in uri.split("/"),
    ),
    Rule(
        "!self.matches('^[a-z0-9]+://[^/]*@')",
        "uri must not carry credentials; put them into a Secret and name it in secretRef",
        lambda uri: "@" not in uri.split("/")[2],
    ),
    Rule(
        "!self.startsWith('pvc://') || self.matches('^pvc://[a-z0-9]([-a-z0-9.]*[a-z0-9])?(/.*)?$')",
        "pvc://<claim>/<path>: a claim's name holds only a-z, 0-9, '-' and '.'",
        lambda uri: re.match(r"(?!pvc://)|pvc://[a-z0-9]([-a-z0-9.]*[a-z0-9])?(/|$)", uri),
    ),
)


Uri = Annotated[
    str,
    Field(max_length=1024, json_schema_extra=validations(*_URI_RULES)),
    check(*_URI_RULES),
]
Label = Annotated[str, Field(json_schema_extra=validations(DNS_LABEL_RULE)), check(DNS_LABEL_RULE)]
Decimal = Annotated[
    str,
    Field(max_length=32, json_schema_extra=validations(DECIMAL_RULE)),
    check(DECIMAL_RULE),
]
_COMMIT = text_rule(r"^[0-9a-f]{40}$", "a commit is 40 hex digits")
_REPOSITORY = Rule(
    "!self.matches('^[a-z+]+://[^/]*:[^/]*@')",
    "repository must not carry credentials",
    lambda uri: not re.match(r"[a-z+]+://[^/]*:[^/]*@", uri),
)


class Source(Api):
    """Where a model's artefact lies."""

    uri: Uri = Field(
        description="Directory or file of the artefact: s3://, gs://, pvc://<claim>/<path>, "
        "https:// or hf://."
    )
    format: Label = Field(
        description="Model format as KServe names it: sklearn, xgboost, lightgbm, mlflow, onnx …; "
        "seldon or kserve for code that a container of your own runs.",
        max_length=32,
    )
    digest: Digest = Field(
        description="Digest of the artefact, sha256:<64 hex>, checked before the model is loaded. "
        "`hune register` and `hune render --pin` compute it."
    )
    secret_ref: LocalReference | None = Field(
        default=None,
        description="Secret with the credentials of the storage, in KServe's format.",
    )


class Git(Api):
    """The code that made the model."""

    repository: Annotated[
        str,
        Field(max_length=1024, json_schema_extra=validations(_REPOSITORY)),
        check(_REPOSITORY),
    ] = Field(description="URL of the repository, no credentials.")
    commit: Annotated[
        str,
        Field(max_length=40, json_schema_extra=validations(_COMMIT)),
        check(_COMMIT),
    ] = Field(description="Commit, 40 hex digits.")
    dirty: bool = Field(default=False, description="True when uncommitted changes were present.")


class DataSet(Api):
    """A data set the model was trained on."""

    uri: str = Field(description="Where the data lies.", max_length=1024, min_length=1)
    digest: Digest | None = Field(default=None, description="Digest of the data.")


class Run(Api):
    """The training run."""

    id: str = Field(description="Id of the run in its tracker.", max_length=256, min_length=1)
    tracker: str | None = Field(
        default=None, description="URL of the tracker, for example MLflow's.", max_length=1024
    )


class Lineage(Api):
    """Which data, code, parameters and run made the model."""

    git: Git | None = Field(default=None, description="The code that made the model.")
    data: list[DataSet] = Field(
        default_factory=list, description="Data sets it was trained on.", max_length=64
    )
    parameters: dict[str, Annotated[str, Field(max_length=1024)]] = Field(
        default_factory=dict,
        description="Training parameters, as text.",
        max_length=256,
    )
    run: Run | None = Field(default=None, description="The training run.")
    parent: Name | None = Field(
        default=None, description="ModelVersion that this one was trained from."
    )


class ModelVersionSpec(Api):
    """What a model version is. Immutable."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("self == oldSelf", "a ModelVersion is immutable; register a new version instead"),
    )

    model: Label = Field(description="Name of the model this is a version of.", max_length=63)
    number: int = Field(description="Number of the version, from 1.", ge=1, le=2**31 - 1)
    source: Source = Field(description="Where the artefact lies.")
    lineage: Lineage | None = Field(default=None, description="What made the model.")
    metrics: dict[str, Decimal] = Field(
        default_factory=dict,
        description="Training metrics as decimal strings.",
        max_length=64,
    )


class ModelVersionStatus(Api):
    """Who uses a model version."""

    observed_generation: int = Field(default=0, description="Generation last looked at.")
    used_by: list[str] = Field(
        default_factory=list,
        description="ModelDeployments that serve this version now.",
        max_length=128,
    )
    image_digests: list[str] = Field(
        default_factory=list,
        description="Digests of the images it has been served with, oldest first.",
        max_length=64,
    )


COLUMNS: list[dict[str, Any]] = [
    {"name": "Model", "type": "string", "jsonPath": ".spec.model"},
    {"name": "Number", "type": "integer", "jsonPath": ".spec.number"},
    {"name": "Format", "type": "string", "jsonPath": ".spec.source.format"},
    {"name": "Used by", "type": "string", "jsonPath": ".status.usedBy"},
    {"name": "URI", "type": "string", "jsonPath": ".spec.source.uri", "priority": 1},
    {"name": "Digest", "type": "string", "jsonPath": ".spec.source.digest", "priority": 1},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
]
