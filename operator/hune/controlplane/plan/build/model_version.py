"""The ModelVersion that stands for an inline source."""

import hashlib
from collections.abc import Sequence
from typing import Any

from hune.contract import names
from hune.controlplane.api.modelversion import ModelVersionSpec, Source
from hune.controlplane.plan.build.metadata import build_labels
from hune.controlplane.plan.plan import Owner


def inline_version_name(deployment: str, source: Source) -> str:
    """Return the name of the ModelVersion of an inline source; one artefact, one version."""
    digest = hashlib.sha256(f"{source.uri}\0{source.digest}".encode()).hexdigest()
    return f"{deployment}-{digest[:8]}"


def build_model_version(owner: Owner, source: Source, taken: Sequence[int]) -> dict[str, Any]:
    """Return the next version of the deployment's own model.

    It has no owner reference: it outlives every deployment.
    """
    spec = ModelVersionSpec(model=owner.name, number=max(taken, default=0) + 1, source=source)
    return {
        "apiVersion": names.API_VERSION,
        "kind": "ModelVersion",
        "metadata": {
            "name": inline_version_name(owner.name, source),
            "namespace": owner.namespace,
            "labels": build_labels(owner.name),
        },
        "spec": {key: value for key, value in spec.document().items() if value not in ({}, [])},
    }
