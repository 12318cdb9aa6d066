"""A revision: one immutable way to serve one model version."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hune.contract import names
from hune.controlplane.api.explainer import Explainer, ExplainerPlacement
from hune.controlplane.api.guard import Detector
from hune.controlplane.api.modeldeployment import ModelDeploymentSpec
from hune.controlplane.api.modelversion import Source
from hune.controlplane.api.serving import (
    CustomContainer,
    EnvironmentVariable,
    Protocol,
    Resources,
)
from hune.controlplane.plan.placement import ResolvedPlacement


@dataclass(frozen=True, slots=True)
class Revision:
    """Everything that makes new pods necessary when it changes; nothing else.

    Replicas and autoscaling change in place and images are stamped on the revision when it is
    made, so neither is here; nor is the ModelVersion's name, for its digest is what counts.
    """

    source: Source | None
    runtime: str | None
    protocol: Protocol
    placement: ResolvedPlacement
    container: CustomContainer | None
    env: tuple[EnvironmentVariable, ...]
    resources: Resources | None
    service_account_name: str | None
    detectors: Mapping[str, Detector] = field(default_factory=dict)
    explainer: Explainer | None = None

    @property
    def uris(self) -> tuple[str, ...]:
        """Where its artefacts lie."""
        artefacts = (self.source, self.explainer, *self.detectors.values())
        return tuple(artefact.uri for artefact in artefacts if artefact)

    @property
    def sidecar(self) -> Explainer | None:
        """Return the explainer that runs beside the predictor, if one does."""
        return None if self.standalone is not None else self.explainer

    @property
    def standalone(self) -> Explainer | None:
        """Return the explainer that runs in a pod of its own, if one does."""
        explainer = self.explainer
        alone = explainer is not None and explainer.placement is ExplainerPlacement.STANDALONE
        return explainer if alone else None

    @property
    def predictor_port(self) -> int:
        """Return the port that the predictor listens on."""
        return self.container.port if self.container else names.PREDICTOR_PORT

    def name(self, deployment: str) -> str:
        """Return `<deployment>-<8 hex>`, equal for equal revisions."""
        text = json.dumps(self._hashed(), sort_keys=True, separators=(",", ":"))
        return f"{deployment}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"

    def _hashed(self) -> dict[str, Any]:
        return {
            "source": self.source.document() if self.source else None,
            "runtime": self.runtime,
            "protocol": self.protocol.value,
            "placement": self.placement.document(),
            "container": self.container.document() if self.container else None,
            "env": [variable.document() for variable in self.env],
            "resources": self.resources.document() if self.resources else None,
            "serviceAccountName": self.service_account_name,
            **{name: _artefact(detector) for name, detector in self.detectors.items()},
            **({"explainer": _explainer(self.explainer)} if self.explainer else {}),
        }


def build_revision(
    spec: ModelDeploymentSpec,
    source: Source | None,
    runtime: str | None,
    placement: ResolvedPlacement,
) -> Revision:
    """Collect the fields of a revision from a spec whose references are resolved."""
    serving = spec.serving
    return Revision(
        source=source,
        runtime=runtime,
        protocol=serving.protocol,
        placement=placement,
        container=serving.container,
        env=tuple(serving.env),
        resources=serving.resources,
        service_account_name=serving.service_account_name,
        detectors=spec.guard.detectors,
        explainer=spec.explainer,
    )


def _artefact(detector: Detector) -> dict[str, str]:
    """Return what is loaded; how it is judged with changes in place."""
    return {"uri": detector.uri, "digest": detector.digest}


def _explainer(explainer: Explainer) -> dict[str, str]:
    """Return what is loaded; how long it may take changes in place."""
    hashed = {
        "method": explainer.method.value,
        "uri": explainer.uri,
        "digest": explainer.digest,
    }
    if explainer.placement is ExplainerPlacement.STANDALONE:
        hashed["placement"] = explainer.placement.value
    return hashed
