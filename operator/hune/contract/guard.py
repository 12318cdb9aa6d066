"""What the operator tells a guard: one JSON file, re-read when it changes."""

import json
import re
from dataclasses import dataclass, field
from typing import Final, Self

from hune.contract.access import MODES, AccessSettings, split_address
from hune.contract.document import camel, from_document, to_document
from hune.contract.features import DataContract, check_contract
from hune.contract.names import EXPLAINER_PORT

SELDON: Final = "Seldon"
PROTOCOLS: Final = ("V1", "V2", SELDON)
ON_DETECT: Final = ("Flag", "Reject")
# The API server refuses what a guard would refuse: settings that it cannot use stop it.
THRESHOLD: Final = r"^-?[0-9]{1,16}(\.[0-9]{1,16})?$"
FAILURE_POLICIES: Final = ("Open", "Closed")
# Names end up in response headers and MACs: what Kubernetes allows, and nothing else.
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_MAXIMUM_PORT: Final = 65535
MAXIMUM_TIME_LIMIT_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """One detector of a guard.

    Attributes:
        uri: Where its artefact came from, for messages.
        path: Directory of the artefact in the pod.
        digest: The only digest that may be loaded.
        on_detect: `Flag` or `Reject`.
        threshold: Decimal text in place of the artefact's own threshold; empty for that one.
    """

    uri: str
    path: str
    digest: str
    on_detect: str = "Flag"
    threshold: str = ""


@dataclass(frozen=True, slots=True)
class ExplainerSettings:
    """Whom a guard asks for explanations.

    Attributes:
        host: Its host; the guard's own pod by default.
        port: Its port.
        time_limit_seconds: How long one explanation may take.
    """

    host: str = "127.0.0.1"
    port: int = EXPLAINER_PORT
    time_limit_seconds: int = 30


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """The settings of one revision's guard, as the operator writes them to its ConfigMap.

    Attributes:
        deployment: Name of the ModelDeployment; also the public model name in paths.
        namespace: Namespace of the ModelDeployment.
        model_version: Name of the ModelVersion that this revision serves.
        revision: Name of the revision's InferenceService.
        protocol: `V1`, `V2` or `Seldon`, what the predictor speaks.
        predictor_port: Port of the predictor on localhost.
        arm: Arm of an experiment; empty outside of one.
        draining: True once another revision took over: every answer then closes its connection.
        outliers: The outlier detector, if there is one.
        adversarial: The detector of adversarial rows, if there is one.
        failure_policy: `Open` answers while a detector cannot judge, `Closed` does not.
        data_contract: What the inputs must look like; None where nothing is said of them.
        access: Who may ask.
        explainer: Whom to ask for explanations, if there is one.
    """

    deployment: str
    namespace: str
    model_version: str
    revision: str
    protocol: str
    predictor_port: int
    arm: str = ""
    draining: bool = False
    outliers: DetectorSettings | None = None
    adversarial: DetectorSettings | None = None
    failure_policy: str = "Open"
    data_contract: DataContract | None = None
    access: AccessSettings = field(default_factory=AccessSettings)
    explainer: ExplainerSettings | None = None

    @property
    def public_protocol(self) -> str:
        """Return what callers speak: `V1` or `V2`, into which Seldon's own is translated."""
        return "V2" if self.protocol == SELDON else self.protocol

    @property
    def detectors(self) -> dict[str, DetectorSettings]:
        """Return the detectors that are wanted, by the parts that they play."""
        parts = {"outliers": self.outliers, "adversarial": self.adversarial}
        return {name: detector for name, detector in parts.items() if detector is not None}

    def to_json(self) -> str:
        """Return the settings as JSON with sorted camelCase keys; equal settings, equal text."""
        return json.dumps(to_document(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Parse what `to_json` wrote; fields unknown to this release are passed over.

        Raises:
            ValueError: Not JSON, not an object, or a field is missing or has no sensible value;
                the message names the field.
        """
        settings = from_document(cls, json.loads(text), "guard settings")
        _check_values(settings)
        return settings


def _check_values(settings: GuardSettings) -> None:
    if settings.protocol not in PROTOCOLS:
        raise ValueError(f"guard settings: protocol must be one of {', '.join(PROTOCOLS)}")
    if settings.failure_policy not in FAILURE_POLICIES:
        known = ", ".join(FAILURE_POLICIES)
        raise ValueError(f"guard settings: failurePolicy must be one of {known}")
    for name, detector in settings.detectors.items():
        _check_detector(detector, name)
    if not 0 < settings.predictor_port <= _MAXIMUM_PORT:
        raise ValueError(f"guard settings: predictorPort must be 1 to {_MAXIMUM_PORT}")
    for name in ("deployment", "namespace", "model_version", "revision", "arm"):
        value = getattr(settings, name)
        if not _NAME.fullmatch(value) and (name != "arm" or value):
            raise ValueError(f"guard settings: {camel(name)} {value!r} is no Kubernetes name")
    if settings.data_contract is not None:
        check_contract(settings.data_contract, "guard settings: dataContract")
    _check_access(settings.access)
    if settings.explainer is not None:
        _check_explainer(settings.explainer)


def _check_detector(detector: DetectorSettings, name: str) -> None:
    if detector.on_detect not in ON_DETECT:
        known = ", ".join(ON_DETECT)
        raise ValueError(f"guard settings: {name}.onDetect must be one of {known}")
    if detector.threshold and not re.fullmatch(THRESHOLD, detector.threshold):
        raise ValueError(f"guard settings: {name}.threshold must be a decimal number")


def _check_explainer(explainer: ExplainerSettings) -> None:
    if not _NAME.fullmatch(explainer.host):
        raise ValueError(f"guard settings: explainer.host {explainer.host[:80]!r} is no host name")
    if not 0 < explainer.port <= _MAXIMUM_PORT:
        raise ValueError(f"guard settings: explainer.port must be 1 to {_MAXIMUM_PORT}")
    if not 0 < explainer.time_limit_seconds <= MAXIMUM_TIME_LIMIT_SECONDS:
        most = MAXIMUM_TIME_LIMIT_SECONDS
        raise ValueError(f"guard settings: explainer.timeLimitSeconds must be 1 to {most}")


def _check_access(access: AccessSettings) -> None:
    if access.mode not in MODES:
        raise ValueError(f"guard settings: access: mode must be one of {', '.join(MODES)}")
    if access.authorizer:
        try:
            split_address(access.authorizer)
        except ValueError as error:
            raise ValueError(f"guard settings: access: authorizer {error}") from None
