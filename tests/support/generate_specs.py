"""Valid ModelDeployments by the hundred, for tests of what holds for all of them."""

from typing import Any

from hypothesis import strategies as st

SOURCE: dict[str, Any] = {
    "uri": "s3://models/income/7",
    "format": "sklearn",
    "digest": "sha256:" + "a1" * 32,
}


def merged(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Return a document with another laid over it."""
    result = dict(base)
    for key, value in change.items():
        known = result.get(key)
        both = isinstance(value, dict) and isinstance(known, dict)
        result[key] = merged(known, value) if both and known is not None else value
    return result


def _optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


names = st.from_regex(r"[a-z]([-a-z0-9]{0,37}[a-z0-9])?", fullmatch=True)
_objects = st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,20}[a-z0-9])?", fullmatch=True)
_labels = st.from_regex(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,20}[A-Za-z0-9])?", fullmatch=True)
_digests = st.from_regex(r"sha256:[0-9a-f]{64}", fullmatch=True)
_uris = st.sampled_from(
    ["s3://models/a", "pvc://claim/a/b", "pvc://claim", "hf://o/m", "https://h/a"]
)
_formats = st.sampled_from(["sklearn", "xgboost", "lightgbm", "onnx", "tensorflow"])
_quantities = st.sampled_from([1, 2, "500m", "0.5", "1Gi", "512Mi", "1024Mi"])
_keys = st.fixed_dictionaries(
    {"name": _objects, "key": _labels}, optional={"optional": st.booleans()}
)
_variable_names = st.from_regex(r"[A-Z_][A-Z0-9_]{0,10}", fullmatch=True)
_variables = st.fixed_dictionaries({"name": _variable_names, "value": st.text(max_size=10)}) | (
    st.fixed_dictionaries(
        {
            "name": _variable_names,
            "valueFrom": st.fixed_dictionaries({"secretKeyRef": _keys})
            | st.fixed_dictionaries({"configMapKeyRef": _keys}),
        }
    )
)
_sources = st.fixed_dictionaries(
    {"uri": _uris, "format": _formats, "digest": _digests},
    optional={"secretRef": st.fixed_dictionaries({"name": _objects})},
)
_containers = st.fixed_dictionaries(
    {"image": st.sampled_from(["a", "example.org/b:1"])},
    optional={
        "command": st.lists(st.text(max_size=5), max_size=2),
        "args": st.lists(st.text(max_size=5), max_size=2),
        "port": st.integers(1024, 65535).filter(lambda port: port != 9000),
    },
)
_resource_lists = st.dictionaries(st.sampled_from(["cpu", "memory"]), _quantities)
_serving = _optional(
    protocol=st.sampled_from(["V1", "V2"]),
    replicas=_optional(min=st.integers(1, 1000), max=st.integers(1, 1000)),
    autoscaling=_optional(
        metric=st.sampled_from(["CPU", "Memory"]),
        targetUtilizationPercentage=st.integers(1, 100),
    ),
    resources=_optional(requests=_resource_lists, limits=_resource_lists),
    env=st.lists(_variables, max_size=4, unique_by=lambda variable: variable["name"]),
    serviceAccountName=_objects,
)
_tolerations = _optional(key=_labels, effect=st.sampled_from(["NoSchedule", "NoExecute"]))
_nodes = _optional(
    nodeSelector=st.dictionaries(_labels, _labels, max_size=3),
    tolerations=st.lists(_tolerations, max_size=2),
)
_ARM, _BOTH = {"architectures": ["arm64"]}, {"architectures": ["amd64", "arm64"]}
_AMD: dict[str, Any] = {"architectures": ["amd64"]}
_LITE: list[dict[str, Any]] = [
    {"profile": "Lite"},
    {"class": "EdgeArm"},
    _BOTH | {"profile": "Lite"},
]
_OWN: list[dict[str, Any]] = [{}, {"profile": "Full"}, _ARM | {"class": "EdgeArm"}, _BOTH]
_KSERVE: list[dict[str, Any]] = [{}, _AMD, _AMD | {"class": "EdgeArm", "profile": "Full"}]
_detectors = st.fixed_dictionaries(
    {"uri": _uris, "digest": _digests},
    optional={
        "threshold": st.sampled_from(["0.5", "-1"]),
        "onDetect": st.sampled_from(["Flag", "Reject"]),
    },
)
_guard = _optional(
    outliers=_detectors,
    adversarial=_detectors,
    failurePolicy=st.sampled_from(["Open", "Closed"]),
)
_explainers = st.fixed_dictionaries(
    {
        "uri": _uris,
        "digest": _digests,
        "method": st.sampled_from(["TreeShap", "KernelShap", "AnchorTabular"]),
    },
    optional={"placement": st.sampled_from(["Sidecar", "Standalone"])},
)
_objectives = _optional(
    availability=st.sampled_from(["50", "99", "99.9", "99.95", "0.5"]),
    latencyP95=st.sampled_from(["1ms", "250ms", "2s", "30s", "30000ms"]),
    errorPercent=st.integers(1, 99),
    throughput=st.integers(1, 1_000_000),
)
_bounds = st.sampled_from(["0", "-1", "-0.5", "-2.5e-3"]), st.sampled_from(["1", "7.25", "1e16"])
_feature_names = st.text(
    st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=10
) | st.sampled_from(["mean radius (mm)", "0", "null"])
_units = _optional(unit=st.sampled_from(["mm", "EUR / a"]), nullable=st.booleans())
_features = st.builds(
    lambda name, more, kind: {"name": name} | more | kind,
    _feature_names,
    _units,
    st.fixed_dictionaries(
        {"type": st.sampled_from(["Float", "Integer"])},
        optional={"minimum": _bounds[0], "maximum": _bounds[1]},
    )
    | st.fixed_dictionaries({"type": st.sampled_from(["Boolean", "Text"])})
    | st.fixed_dictionaries(
        {
            "type": st.just("Category"),
            "categories": st.lists(_labels, min_size=1, max_size=3, unique=True),
        }
    ),
)
_contracts = st.fixed_dictionaries(
    {
        "features": st.lists(
            _features, min_size=1, max_size=4, unique_by=lambda feature: feature["name"]
        )
    },
    optional={"onBreach": st.sampled_from(["Flag", "Reject"])},
)


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a valid spec: an inline source, in profile Lite or not, one's own server, or both."""
    spec: dict[str, Any] = {
        "serving": draw(_serving),
        "guard": draw(_guard),
    }
    if draw(st.booleans()):
        spec["contract"] = draw(_contracts)
    which = draw(st.sampled_from(["source", "container", "both", "lite"]))
    if which != "container":
        spec["model"] = {"source": draw(_sources)}
    if which == "lite":
        spec["model"]["source"]["format"] = "onnx"
    elif which != "source":
        spec["serving"]["container"] = draw(_containers)
    elif draw(st.booleans()):
        spec["serving"]["runtime"] = draw(_objects)
    if which == "source" and draw(st.booleans()):
        spec["explainer"] = draw(_explainers)
    kinds = {"source": _KSERVE, "lite": _LITE}.get(which, _OWN)
    spec["placement"] = draw(_nodes) | draw(st.sampled_from(kinds))
    if draw(st.booleans()):
        spec["objectives"] = draw(_objectives)
    return spec


@st.composite
def deployments(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a valid ModelDeployment."""
    metadata = {"name": draw(names), "namespace": "shop", "uid": "u-1", "generation": 1}
    return {
        "apiVersion": "hune.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": metadata,
        "spec": draw(specs()),
    }
