"""What a revision keeps of the operator's settings from when it was made."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from hune.contract import names
from hune.controlplane.api.placement import Profile
from hune.controlplane.plan.revision import Revision
from hune.controlplane.policy.observed import Document
from hune.controlplane.settings import Settings

STAMP = f"{names.GROUP}/stamp"
# What the initializer in the Lite image can read; the other places would take 40 MB of libraries.
_LITE_SCHEMES = ("s3://", "pvc://")


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a revision took from the operator's settings when it was made.

    Kept with the revision and not hashed, so that neither an operator upgrade nor a changed
    platform default restarts a pod.

    Attributes:
        guard_image: Image of the container that guards; in profile Lite it holds the model too.
        storage_image: Image of the initializer that checks claims; in profile Lite the same one.
        pull_policy: When nodes pull them.
        storage_container: Name of the ClusterStorageContainer that downloads.
        drain_seconds: How long the guard serves on after SIGTERM.
        predictor_resources: Of a predictor that says nothing itself.
        guard_resources: Of the container that guards.
    """

    guard_image: str
    storage_image: str
    pull_policy: str
    storage_container: str
    drain_seconds: int
    predictor_resources: Mapping[str, Any]
    guard_resources: Mapping[str, Any]
    explainer_image: str
    explainer_resources: Mapping[str, Any]

    @classmethod
    def of(cls, settings: Settings, revision: Revision) -> Self:
        """Return the stamp of a revision made now."""
        lite = revision.placement.profile is Profile.LITE
        own = lite and all(uri.startswith(_LITE_SCHEMES) for uri in revision.uris)
        container = settings.storage_container
        guard_resources = settings.lite_resources if lite else settings.guard_resources
        return cls(
            settings.images.lite if lite else settings.images.guard,
            settings.images.lite if lite else settings.images.storage,
            settings.images.pull_policy,
            f"{container}-lite" if own else container,
            settings.drain_seconds,
            settings.predictor_resources.document(),
            guard_resources.document(),
            settings.images.explainer,
            settings.explainer_resources.document(),
        )

    @classmethod
    def read(
        cls, inference_service: Document | None, settings: Settings, revision: Revision
    ) -> Self:
        """Return the stamp of an existing revision, or of a new one.

        A release that stamps more fills in its own for the rest; nothing stamped is lost.
        """
        annotations = (inference_service or {}).get("metadata", {}).get("annotations", {})
        fresh = cls.of(settings, revision)
        try:
            stamped = json.loads(annotations[STAMP])
            known = {name: stamped[name] for name in cls.__slots__ if name in stamped}
        except (KeyError, ValueError, TypeError):
            return fresh
        return replace(fresh, **known)

    def text(self, *, explainer: bool) -> str:
        """Return the annotation's value.

        Args:
            explainer: Whether the revision has an explainer; for one that has none, its image would
                be one more thing to change.
        """
        kept = [n for n in self.__slots__ if explainer or not n.startswith("explainer_")]
        return json.dumps(
            {name: getattr(self, name) for name in kept},
            sort_keys=True,
            separators=(",", ":"),
        )
