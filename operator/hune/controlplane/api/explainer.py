"""How answers are explained: the `explainer` part of a ModelDeployment."""

from enum import StrEnum

from pydantic import Field

from hune.contract.guard import MAXIMUM_TIME_LIMIT_SECONDS
from hune.controlplane.api.base import Api, Digest
from hune.controlplane.api.modelversion import Uri


class Method(StrEnum):
    """How an explanation is found."""

    TREE_SHAP = "TreeShap"
    KERNEL_SHAP = "KernelShap"
    ANCHOR_TABULAR = "AnchorTabular"
    ANCHOR_IMAGE = "AnchorImage"


class ExplainerPlacement(StrEnum):
    """Where an explainer runs."""

    SIDECAR = "Sidecar"
    STANDALONE = "Standalone"


class Explainer(Api):
    """An explainer, as `hune fit explainer` writes it."""

    method: Method = Field(
        description="TreeShap: exact values of tree models. KernelShap: values of any model. "
        "AnchorTabular, AnchorImage: rules that anchor a prediction."
    )
    uri: Uri = Field(
        description="Where its artefact lies; it is read with the credentials of the model's."
    )
    digest: Digest = Field(
        description="Digest of the artefact; nothing else is loaded. `hune fit explainer` prints "
        "it."
    )
    placement: ExplainerPlacement = Field(
        default=ExplainerPlacement.SIDECAR,
        description="Sidecar: in each of the predictor's pods. Standalone: in a pod of its own, so "
        "that explanations take nothing from predictions.",
    )
    time_limit_seconds: int = Field(
        default=30,
        ge=1,
        le=MAXIMUM_TIME_LIMIT_SECONDS,
        description="How long one explanation may take before it is answered with 504.",
    )
