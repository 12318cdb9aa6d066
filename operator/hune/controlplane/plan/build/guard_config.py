"""The ConfigMap of a revision's guard; it also remembers since when the guard drains."""

from datetime import datetime
from typing import Any

from hune.contract import names
from hune.contract.guard import GuardSettings
from hune.controlplane.plan.build.metadata import build_metadata
from hune.controlplane.plan.plan import Owner
from hune.controlplane.policy.observed import Document

DRAINING_SINCE = f"{names.GROUP}/draining-since"


def build_guard_config(
    owner: Owner, settings: GuardSettings, draining_since: str | None = None
) -> dict[str, Any]:
    """Return the ConfigMap that the guard re-reads on change.

    Args:
        owner: The ModelDeployment.
        settings: What the guard is told.
        draining_since: RFC 3339 time since which the revision is no longer routed to.
    """
    metadata = build_metadata(owner, f"{settings.revision}-guard", settings.revision)
    if draining_since is not None:
        metadata["annotations"] = {DRAINING_SINCE: draining_since}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "data": {names.GUARD_FILE: settings.to_json()},
    }


def read_guard_settings(config_map: Document) -> GuardSettings:
    """Return the settings in an existing ConfigMap.

    Raises:
        ValueError: Somebody broke it by hand.
    """
    return GuardSettings.from_json(config_map.get("data", {}).get(names.GUARD_FILE, ""))


def read_draining_since(config_map: Document) -> str | None:
    """Return since when the revision drains; None also when somebody broke it by hand."""
    since: str = config_map["metadata"].get("annotations", {}).get(DRAINING_SINCE, "")
    try:
        return since if datetime.fromisoformat(since).tzinfo is not None else None
    except ValueError:
        return None
