"""The platform team's settings, read from one YAML file that the chart writes."""

from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, Field, ValidationError

from hune import __version__
from hune.contract.access import split_address
from hune.controlplane.api.base import Api
from hune.controlplane.api.placement import Architecture, LabelValue, Toleration
from hune.controlplane.api.serving import Resources
from hune.controlplane.errors import SettingsError, describe


class Images(Api):
    """Images the operator puts into pods."""

    guard: str = f"docker.io/hune/guard:{__version__}"
    storage: str = f"docker.io/hune/storage:{__version__}"
    pull_policy: str = "IfNotPresent"


class PlacementClass(Api):
    """A named placement that the platform team offers."""

    architectures: list[Architecture] = Field(default_factory=list)
    node_selector: dict[str, str] = Field(default_factory=dict)
    tolerations: list[Toleration] = Field(default_factory=list)


class Gateway(Api):
    """The Gateway through which deployments are exposed."""

    name: str
    namespace: str
    domain: str = Field(description="A deployment is reached at <name>-<namespace>.<domain>.")


def _check_address(address: str) -> str:
    if address:
        split_address(address)
    return address


class Monitoring(Api):
    """What objectives become."""

    enabled: bool = Field(
        default=True, description="Whether Hune may write PrometheusRules and PodMonitors."
    )
    labels: dict[str, LabelValue] = Field(
        default_factory=dict, description="Their labels, by which a Prometheus chooses them."
    )


def _edge_arm() -> dict[str, PlacementClass]:
    return {
        "EdgeArm": PlacementClass(
            architectures=[Architecture.ARM64],
            node_selector={"node.kubernetes.io/instance-type": "k3s"},
        )
    }


def _predictor_resources() -> Resources:
    return Resources(
        requests={"cpu": "100m", "memory": "256Mi"}, limits={"cpu": "1", "memory": "1Gi"}
    )


def _guard_resources() -> Resources:
    return Resources(
        requests={"cpu": "50m", "memory": "64Mi"}, limits={"cpu": "1", "memory": "256Mi"}
    )


class Settings(Api):
    """What the platform team decides for every deployment."""

    images: Images = Images()
    placement_classes: dict[str, PlacementClass] = Field(default_factory=_edge_arm)
    predictor_resources: Resources = Field(default_factory=_predictor_resources)
    guard_resources: Resources = Field(default_factory=_guard_resources)
    storage_container: str = "hune"
    authorizer: Annotated[str, AfterValidator(_check_address)] = Field(
        default="hune-authorizer.hune-system.svc:8080",
        description="Host and port at which guards ask who may ask; nobody may when empty.",
    )
    gateway: Gateway | None = None
    monitoring: Monitoring = Monitoring()
    watch_namespaces: list[str] = Field(
        default_factory=list, description="Namespaces to act in; all when empty."
    )
    drain_seconds: int = Field(
        default=10, ge=1, le=300, description="How long a guard serves on after SIGTERM."
    )
    retire_after_seconds: int = Field(
        default=15, ge=0, le=3600, description="How long a replaced revision is kept."
    )
    workers: int = Field(default=8, ge=1, le=64, description="Reconciles at once.")
    lease_namespace: str = "hune-system"
    lease_name: str = "hune-operator"
    lease_seconds: int = Field(default=15, ge=3, le=300)


def load(path: Path | None) -> Settings:
    """Read the settings file; without one, the defaults.

    Raises:
        SettingsError: The file is missing, no YAML, or a field in it is wrong.
    """
    if path is None:
        return Settings()
    try:
        document: Any = yaml.safe_load(path.read_text()) or {}
        return Settings.model_validate(document)
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise SettingsError(f"{path}: not YAML: {error}") from None
    except ValidationError as error:
        raise SettingsError(f"{path}: {describe(error)}") from None
