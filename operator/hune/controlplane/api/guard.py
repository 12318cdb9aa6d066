"""What the guard watches for: the `guard` part of a ModelDeployment."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from hune.contract.guard import THRESHOLD
from hune.controlplane.api.base import Api, Digest, check, text_rule, validations
from hune.controlplane.api.modelversion import Uri

_THRESHOLD = text_rule(
    THRESHOLD,
    "a decimal number as text is wanted, for example '0.93', with at most 16 digits on each side",
)
Threshold = Annotated[
    str,
    Field(max_length=32, json_schema_extra=validations(_THRESHOLD)),
    check(_THRESHOLD),
]


class OnDetect(StrEnum):
    """What happens to a request that a detector flags."""

    FLAG = "Flag"
    REJECT = "Reject"


class FailurePolicy(StrEnum):
    """What happens to requests while a detector cannot judge them."""

    OPEN = "Open"
    CLOSED = "Closed"


class Detector(Api):
    """A fitted detector, as `hune fit` writes it."""

    uri: Uri = Field(
        description="Where its artefact lies; it is read with the credentials of the model's."
    )
    digest: Digest = Field(
        description="Digest of the artefact; the guard loads nothing else. `hune fit` prints it."
    )
    threshold: Threshold | None = Field(
        default=None, description="Score above which a row is flagged; the artefact's by default."
    )
    on_detect: OnDetect = Field(
        default=OnDetect.FLAG,
        description="Flag: say so beside the prediction. Reject: answer 422 instead.",
    )


class Guard(Api):
    """What the guard watches for."""

    outliers: Detector | None = Field(
        default=None, description="Tells rows unlike those that the model was trained on."
    )
    adversarial: Detector | None = Field(
        default=None, description="Tells rows that look made to deceive the model."
    )
    failure_policy: FailurePolicy = Field(
        default=FailurePolicy.OPEN,
        description="While a detector cannot judge: Open answers without a verdict, Closed "
        "does not answer.",
    )

    @property
    def detectors(self) -> dict[str, Detector]:
        """Return the detectors that are wanted, by the names of their fields."""
        parts = {"outliers": self.outliers, "adversarial": self.adversarial}
        return {name: detector for name, detector in parts.items() if detector is not None}
