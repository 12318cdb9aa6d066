"""What a revision keeps of the operator's settings from when it was made."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from hune.contract import names
from hune.controlplane.policy.observed import Document
from hune.controlplane.settings import Settings

STAMP = f"{names.GROUP}/stamp"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a revision took from the operator's settings when it was made.

    Kept with the revision and not hashed, so that neither an operator upgrade nor a changed
    platform default restarts a pod.
    """

    guard_image: str
    storage_image: str
    pull_policy: str
    storage_container: str
    drain_seconds: int
    predictor_resources: Mapping[str, Any]
    guard_resources: Mapping[str, Any]

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the stamp of a revision made now."""
        return cls(
            settings.images.guard,
            settings.images.storage,
            settings.images.pull_policy,
            settings.storage_container,
            settings.drain_seconds,
            settings.predictor_resources.document(),
            settings.guard_resources.document(),
        )

    @classmethod
    def read(cls, inference_service: Document | None, settings: Settings) -> Self:
        """Return the stamp of an existing revision, or of a new one.

        A release that stamps more fills in its own for the rest; nothing stamped is lost.
        """
        annotations = (inference_service or {}).get("metadata", {}).get("annotations", {})
        fresh = cls.of(settings)
        try:
            stamped = json.loads(annotations[STAMP])
            known = {name: stamped[name] for name in cls.__slots__ if name in stamped}
        except (KeyError, ValueError, TypeError):
            return fresh
        return replace(fresh, **known)

    def text(self) -> str:
        """Return the annotation's value."""
        return json.dumps(
            {name: getattr(self, name) for name in self.__slots__},
            sort_keys=True,
            separators=(",", ":"),
        )
