"""What a document is about."""

from dataclasses import dataclass, field

from hune.contract.features import DataContract
from hune.dataplane.openapi.tensor import Metadata


@dataclass(frozen=True, slots=True)
class Subject:
    """A guard and the model behind it.

    Attributes:
        deployment: The model's name in paths.
        namespace: Where it is deployed.
        model_version: The version that answers.
        protocol: `V1` or `V2`.
        contract: What the inputs must look like; None where nobody said.
        metadata: What the predictor says of its tensors.
        outliers: Whether a detector looks for outliers in every request.
        bearer: Whether a prediction needs a token.
        adversarial: Whether a detector looks for adversarial rows in every request.
        explained: Whether predictions are explained.
        takes_feedback: Whether the model takes feedback.
    """

    deployment: str
    namespace: str
    model_version: str
    protocol: str
    contract: DataContract | None = None
    metadata: Metadata = field(default_factory=Metadata)
    outliers: bool = False
    bearer: bool = True
    adversarial: bool = False
    explained: bool = False
    takes_feedback: bool = False
