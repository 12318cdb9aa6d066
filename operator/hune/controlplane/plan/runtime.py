"""Which KServe runtime serves a format, and what Hune must tell it."""

from typing import Any

from hune.contract import names
from hune.controlplane.api.modelversion import Source
from hune.controlplane.api.placement import Profile
from hune.controlplane.api.serving import Protocol, Serving
from hune.controlplane.plan.problem import Problem

MLSERVER = "kserve-mlserver"
_V2 = dict.fromkeys(("sklearn", "xgboost", "lightgbm", "mlflow"), MLSERVER)
_V1 = {
    "sklearn": "kserve-sklearnserver",
    "xgboost": "kserve-xgbserver",
    "lightgbm": "kserve-lgbserver",
}


# Formats that are code: only an image of the user's has what it needs.
_CODE = {
    "kserve": "serving.container.image: an image with the `kserve` package and your model class",
    "seldon": "serving.container.image: docker.io/hune/seldon or an image made from it, and "
    "serving.protocol: Seldon",
}


def resolve_runtime(
    serving: Serving, source: Source | None, profile: Profile
) -> str | Problem | None:
    """Return the runtime's name, None where KServe should choose by the format or none serves.

    KServe's own choice among several runtimes follows priorities that differ between protocols
    and architectures, so the formats Hune knows are pinned.
    """
    if profile is Profile.LITE or serving.container is not None or source is None:
        return None
    if serving.runtime is not None:
        return serving.runtime
    if source.format in _CODE:
        return Problem(
            "ContainerNeeded",
            f"spec.serving: format '{source.format}' is code of your own, which no runtime of "
            f"KServe runs; set {_CODE[source.format]}",
        )
    if serving.protocol is Protocol.V1 and source.format == "mlflow":
        return Problem(
            "UnsupportedProtocol",
            "spec.serving.protocol: V1 cannot serve format 'mlflow'; set V2, or name a "
            "spec.serving.runtime that can",
        )
    return known_runtime(source.format, serving.protocol)


def known_runtime(model_format: str, protocol: Protocol) -> str | None:
    """Return the runtime that Hune pins for a format; None where it knows none."""
    return (_V2 if protocol is Protocol.V2 else _V1).get(model_format)


def runtime_environment(runtime: str | None, model: str) -> list[dict[str, Any]]:
    """Return the environment that makes a runtime serve under the deployment's name."""
    if runtime != MLSERVER:
        return []
    return [
        {"name": "MLSERVER_MODEL_NAME", "value": model},
        # The runtime's default, 9000, is the guard's port in this pod.
        {"name": "MLSERVER_GRPC_PORT", "value": "8081"},
        {"name": "MLSERVER_PARALLEL_WORKERS", "value": "0"},
    ]


def loading_environment(runtime: str | None) -> list[dict[str, Any]]:
    """Return the environment that makes a runtime load what KServe was not told to be its model.

    KServe tells MLServer to load nothing when `storageUris` brings the model.
    """
    if runtime != MLSERVER:
        return []
    return [
        {"name": "MLSERVER_LOAD_MODELS_AT_STARTUP", "value": "true"},
        {"name": "MLSERVER_MODEL_URI", "value": names.MODEL_DIRECTORY},
    ]


def runtime_arguments(runtime: str | None, model: str) -> list[str]:
    """Return arguments that KServe appends to the runtime's own; the last one counts."""
    known = set(_V1.values())
    return [f"--model_name={model}"] if runtime in known else []
