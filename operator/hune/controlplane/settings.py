"""The platform team's settings, read from one YAML file that the chart writes."""

from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, Field, ValidationError

from hune import __version__
from hune.contract.access import split_address
from hune.controlplane.api.base import Api
from hune.controlplane.api.placement import Architecture, LabelValue, Profile, Toleration
from hune.controlplane.api.serving import Resources
from hune.controlplane.errors import SettingsError, describe


class Images(Api):
    """Images the operator puts into pods."""

    guard: str = f"docker.io/hune/guard:{__version__}"
    lite: str = f"docker.io/hune/lite:{__version__}"
    storage: str = f"docker.io/hune/storage:{__version__}"
    explainer: str = f"docker.io/hune/explainer:{__version__}"
    pull_policy: str = "IfNotPresent"


class PlacementClass(Api):
    """A named placement that the platform team offers."""

    profile: Profile = Profile.FULL
    architectures: list[Architecture] = Field(default_factory=list)
    node_selector: dict[str, str] = Field(default_factory=dict)
    tolerations: list[Toleration] = Field(default_factory=list)


_BOTH = (Architecture.AMD64, Architecture.ARM64)
Builds = dict[str, list[Architecture]]


def _hune_builds() -> Builds:
    """Return what our images are built for; alibi's dependencies have builds for amd64 only."""
    both = {image: list(_BOTH) for image in ("guard", "lite", "storage")}
    return both | {"explainer": [Architecture.AMD64]}


def _runtime_builds() -> Builds:
    """Return what the workflows of KServe 0.20 publish, and MLServer 1.7.1's one build."""
    both = ["sklearnserver", "xgbserver", "lgbserver", "pmmlserver", "paddleserver"]
    both += ["predictiveserver", "autogluonserver"]
    one = ["mlserver", "huggingfaceserver", "torchserve"]
    return {f"kserve-{name}": list(_BOTH) for name in both} | {
        f"kserve-{name}": [Architecture.AMD64] for name in one
    }


class Architectures(Api):
    """For which architectures images have a build."""

    hune: Builds = Field(
        default_factory=_hune_builds, description="Hune's own images in model pods."
    )
    runtimes: Builds = Field(
        default_factory=_runtime_builds, description="KServe's ServingRuntimes, by name."
    )
    images: Builds = Field(
        default_factory=dict, description="Other images, by name without tag or digest."
    )
    unknown: list[Architecture] = Field(
        default=[Architecture.AMD64],
        description="What an image is taken to have that is not in the table.",
    )


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
            profile=Profile.LITE,
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
        requests={"cpu": "50m", "memory": "64Mi"}, limits={"cpu": "1", "memory": "512Mi"}
    )


def _lite_resources() -> Resources:
    return Resources(
        requests={"cpu": "50m", "memory": "96Mi"}, limits={"cpu": "1", "memory": "256Mi"}
    )


def _explainer_resources() -> Resources:
    return Resources(
        requests={"cpu": "50m", "memory": "128Mi"}, limits={"cpu": "1", "memory": "1Gi"}
    )


class Settings(Api):
    """What the platform team decides for every deployment."""

    images: Images = Images()
    placement_classes: dict[str, PlacementClass] = Field(default_factory=_edge_arm)
    predictor_resources: Resources = Field(default_factory=_predictor_resources)
    guard_resources: Resources = Field(default_factory=_guard_resources)
    lite_resources: Resources = Field(default_factory=_lite_resources)
    explainer_resources: Resources = Field(default_factory=_explainer_resources)
    architectures: Architectures = Architectures()
    storage_container: str = "hune"
    domain_template: str = Field(
        default="{{ .Name }}-{{ .Namespace }}.{{ .IngressDomain }}",
        description="KServe's ingress.domainTemplate; what would make too long a name is refused.",
    )
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
