"""What every step of planning one ModelDeployment looks at."""

from dataclasses import dataclass
from datetime import UTC, datetime

from hune.contract.guard import GuardSettings
from hune.controlplane.api.modeldeployment import ModelDeploymentSpec
from hune.controlplane.plan.build.guard_config import read_draining_since, read_guard_settings
from hune.controlplane.plan.build.inference_service import build_scale
from hune.controlplane.plan.plan import Owner
from hune.controlplane.plan.resolve import Resolved
from hune.controlplane.policy.cutover import Cutover, decide_cutover, retires_in
from hune.controlplane.policy.observed import Document, Observed
from hune.controlplane.settings import Settings


@dataclass(frozen=True, slots=True)
class Context:
    """One planning: the object, its resolved spec and the snapshot.

    Attributes:
        document: The custom resource.
        owner: Its identity.
        spec: Its parsed spec.
        resolved: The spec with its references followed.
        wanted: Name of the revision that the spec asks for.
        observed: Snapshot of the cluster.
        settings: The platform's settings.
        now: The time.
    """

    document: Document
    owner: Owner
    spec: ModelDeploymentSpec
    resolved: Resolved
    wanted: str
    observed: Observed
    settings: Settings
    now: datetime

    @property
    def time(self) -> str:
        """Return the time as Kubernetes writes it."""
        return rfc3339(self.now)

    def cutover(self) -> Cutover:
        """Return where traffic goes."""
        return decide_cutover(self.observed, self.owner.name, self.wanted)

    def scale(self) -> dict[str, object]:
        """Return the scale the spec asks for."""
        return build_scale(self.spec.serving.replicas, self.spec.serving.autoscaling)

    def retires_in(self, revision: str) -> float:
        """Return the seconds until a replaced revision may be deleted."""
        config = self.observed.config_map(revision)
        since = read_draining_since(config) if config is not None else None
        return retires_in(since, self.settings.retire_after_seconds, self.now)

    def retired(self) -> list[str]:
        """Return the replaced revisions whose grace period is over."""
        return [name for name in self.cutover().retiring if self.retires_in(name) <= 0]

    def version_of(self, revision: str) -> str:
        """Return the ModelVersion of a revision that exists, as its guard or our status says."""
        if revision == self.wanted:
            return self.resolved.model_version
        settings = self.former_guard_settings(revision)
        if settings is not None:
            return settings.model_version
        for entry in self.document.get("status", {}).get("revisions", []):
            if entry["name"] == revision:
                version: str = entry["modelVersion"]
                return version
        return revision

    def former_guard_settings(self, revision: str) -> GuardSettings | None:
        """Return a revision's guard settings; None when somebody deleted or broke them."""
        config = self.observed.config_map(revision)
        if config is None:
            return None
        try:
            return read_guard_settings(config)
        except ValueError:
            return None


def rfc3339(moment: datetime) -> str:
    """Return a time as Kubernetes writes it, in UTC and whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
