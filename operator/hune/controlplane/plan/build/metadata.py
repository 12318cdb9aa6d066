"""Metadata that every child carries."""

from typing import Any

from hune.contract import names
from hune.controlplane.plan.plan import Owner


def build_labels(deployment: str) -> dict[str, str]:
    """Return the labels by which Hune finds its children again."""
    return {
        names.LABEL_MANAGED_BY: names.MANAGED_BY,
        names.LABEL_PART_OF: names.MANAGED_BY,
        names.LABEL_DEPLOYMENT: deployment,
    }


def build_metadata(owner: Owner, name: str, revision: str | None = None) -> dict[str, Any]:
    """Return metadata with labels and the owner reference."""
    labels = build_labels(owner.name)
    if revision is not None:
        labels[names.LABEL_REVISION] = revision
    return {
        "name": name,
        "namespace": owner.namespace,
        "labels": labels,
        "ownerReferences": [owner.reference()],
    }
