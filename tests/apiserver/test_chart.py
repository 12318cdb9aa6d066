"""What the charts and manifests say, without a cluster. Helm is built from source for it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hune import __version__
from hune.contract.names import LABEL_DEPLOYMENT
from hune.controlplane.cluster import resources
from hune.controlplane.cluster.resources import Resource
from hune.controlplane.settings import Settings
from tests.cluster.command import ClusterError, run
from tests.support.chart import (
    CHARTS,
    Grant,
    grants,
    lint,
    of_kind,
    operator_rules,
    operator_settings,
    render,
)
from tests.support.install import ROOT, kubectl, template

pytestmark = pytest.mark.apiserver
GATEWAY = {"name": "edge", "namespace": "gateways", "domain": "models.example.com"}
EVERYTHING: dict[str, Any] = {
    "image": {"registry": "mirror.example.com/team", "tag": "1", "pullPolicy": "Always"},
    "imagePullSecrets": [{"name": "mirror"}],
    "replicas": 1,
    "nodeSelector": {"kubernetes.io/arch": "arm64"},
    "tolerations": [{"key": "edge", "operator": "Exists", "effect": "NoSchedule"}],
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "system-cluster-critical",
    "podAnnotations": {"example.com/a": "b"},
    "podLabels": {"example.com/team": "models"},
    "placementClasses": {"EdgeArm": None, "Accelerated": {"tolerations": [{"key": "gpu"}]}},
    "predictorResources": {"limits": {"cpu": None, "memory": "2Gi"}},
    "liteResources": {"requests": {"memory": None}},
    "explainerResources": {"limits": {"memory": "2Gi"}},
    "architectures": {
        "hune": {"guard": None, "storage": None},
        "runtimes": {"kserve-mlserver": ["amd64", "arm64"]},
        "images": {"example.com/scorer": ["arm64"]},
        "unknown": ["arm64"],
    },
    "gateway": GATEWAY,
    "domainTemplate": "{{ .Name }}.{{ .Namespace }}.{{ .IngressDomain }}",
    "monitoring": {"labels": {"release": "prometheus"}},
    "drainSeconds": 20,
    "retireAfterSeconds": 0,
    "workers": 16,
    "leaseSeconds": 30,
    "storage": {"clusterStorageContainer": {"name": "models"}},
    "metrics": {"serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}}},
}
CALLERS = {
    "hune-caller": {"predict"},
    "hune-explain-caller": {"explain"},
    "hune-feedback-caller": {"feedback"},
}
NAMESPACED: dict[str, Any] = {
    "watch": {"namespaces": ["a", "b"]},
    "storage": {"clusterStorageContainer": {"enabled": False}},
}
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"replicas": "two"}, "at '/replicas': got string, want integer"),
    ({"image": {"pullpolicy": "Always"}}, "at '/image': additional properties 'pullpolicy'"),
    ({"image": {"registry": "https://x"}}, "at '/image/registry': 'https://x' does not match"),
    ({"watch": {"namespaces": ["A_b"]}}, "at '/watch/namespaces/0': 'A_b' does not match"),
    ({"gateway": {"name": "x"}}, "at '/gateway': missing properties 'namespace', 'domain'"),
    ({"authorizer": {"address": "x"}}, "at '/authorizer/address': 'x' does not match"),
    ({"drainSeconds": 0}, "at '/drainSeconds': minimum: got 0, want 1"),
    ({"resources": {"limits": {"cpu": "lots"}}}, "at '/resources/limits/cpu': 'lots' does not"),
    ({"placementClasses": {"edge": {}}}, "invalid propertyName 'edge'"),
    ({"placementClasses": {"A": {"profile": "Tiny"}}}, "at '/placementClasses/A/profile'"),
    ({"architectures": {"unknown": ["x86"]}}, "at '/architectures/unknown/0'"),
    ({"nodeselector": {}}, "additional properties 'nodeselector' not allowed"),
]
CLUSTER_WIDE = {
    "ClusterRole",
    "ClusterRoleBinding",
    "ClusterStorageContainer",
    "CustomResourceDefinition",
    "Namespace",
}


@pytest.mark.parametrize("chart", ["hune", "hune-crds"])
def test_version_is_the_package_version(chart: str) -> None:
    said = yaml.safe_load((CHARTS / chart / "Chart.yaml").read_text())
    assert (said["version"], said["appVersion"]) == (__version__, __version__)


@pytest.mark.parametrize("values", [{}, EVERYTHING, NAMESPACED])
def test_lint(values: dict[str, Any]) -> None:
    assert "1 chart(s) linted, 0 chart(s) failed" in lint(CHARTS / "hune", values)


@pytest.mark.parametrize(("values", "message"), REFUSED)
def test_a_wrong_value_is_refused_by_name(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ClusterError, match=re.escape(message)):
        render(values)


def test_every_value_is_described_in_schema_and_readme() -> None:
    schema = json.loads((CHARTS / "hune/values.schema.json").read_text())
    readme = (CHARTS / "hune/README.md").read_text()
    described = {name: text for name, text in _leaves(schema) if name != "global"}
    assert [name for name, text in described.items() if not text or f"`{name}`" not in readme] == []


def test_default_settings_are_the_operators_own() -> None:
    said = Settings.model_validate(yaml.safe_load(operator_settings(render())))
    assert said == Settings()


def test_every_setting_reaches_the_operator() -> None:
    text = operator_settings(render(EVERYTHING, "elsewhere"))
    said = Settings.model_validate(yaml.safe_load(text)).document()
    assert said == {
        "images": {
            "guard": "mirror.example.com/team/hune/guard:1",
            "lite": "mirror.example.com/team/hune/lite:1",
            "explainer": "mirror.example.com/team/hune/explainer:1",
            "storage": "mirror.example.com/team/hune/storage:1",
            "pullPolicy": "Always",
        },
        "placementClasses": {
            "Accelerated": {
                "profile": "Full",
                "architectures": [],
                "nodeSelector": {},
                "tolerations": [{"key": "gpu"}],
            }
        },
        "predictorResources": {
            "requests": {"cpu": "100m", "memory": "256Mi"},
            "limits": {"memory": "2Gi"},
        },
        "guardResources": {
            "requests": {"cpu": "50m", "memory": "64Mi"},
            "limits": {"cpu": "1", "memory": "512Mi"},
        },
        "liteResources": {
            "requests": {"cpu": "50m"},
            "limits": {"cpu": "1", "memory": "256Mi"},
        },
        "explainerResources": {
            "requests": {"cpu": "50m", "memory": "128Mi"},
            "limits": {"cpu": "1", "memory": "2Gi"},
        },
        "architectures": {
            "hune": {"explainer": ["amd64"], "lite": ["amd64", "arm64"]},
            "runtimes": Settings().document()["architectures"]["runtimes"]
            | {"kserve-mlserver": ["amd64", "arm64"]},
            "images": {"example.com/scorer": ["arm64"]},
            "unknown": ["arm64"],
        },
        "storageContainer": "models",
        "authorizer": "hune-authorizer.elsewhere.svc:8080",
        "gateway": GATEWAY,
        "domainTemplate": EVERYTHING["domainTemplate"],
        "monitoring": {"enabled": True, "labels": {"release": "prometheus"}},
        "watchNamespaces": [],
        "drainSeconds": 20,
        "retireAfterSeconds": 0,
        "workers": 16,
        "leaseNamespace": "elsewhere",
        "leaseName": "hune-operator",
        "leaseSeconds": 30,
    }


def test_one_value_points_every_image_at_a_mirror() -> None:
    documents = render(EVERYTHING)
    text = yaml.safe_dump_all(documents)
    assert text.count("mirror.example.com/team/hune/") == 8
    assert "docker.io" not in text


def test_a_lite_pod_gets_its_model_by_its_own_image() -> None:
    found = {
        document["metadata"]["name"]: document["spec"]
        for document in of_kind(render(EVERYTHING), "ClusterStorageContainer")
    }
    assert {
        name: spec["container"]["image"].rpartition("/")[2] for name, spec in found.items()
    } == {
        "models": "storage:1",
        "models-lite": "lite:1",
    }
    prefixes = [spec["supportedUriFormats"][0]["prefix"] for spec in found.values()]
    assert prefixes == ["models+", "models-lite+s3://"]
    first, second = prefixes
    assert not second.startswith(first), "KServe would take either for what names neither"


def test_a_changed_setting_restarts_the_operator() -> None:
    def checksum(values: dict[str, Any]) -> str:
        deployment = _deployment(render(values), "hune-operator")
        annotations: dict[str, str] = deployment["spec"]["template"]["metadata"]["annotations"]
        return annotations["hune.dev/settings-checksum"]

    assert checksum({}) == checksum({"replicas": 3})
    assert checksum({}) != checksum({"workers": 4})


def test_named_namespaces_get_roles_and_nothing_is_cluster_wide() -> None:
    documents = render(NAMESPACED, "team")
    assert of_kind(documents, *CLUSTER_WIDE) == []
    roles = {
        (d["metadata"]["namespace"], d["metadata"]["name"]) for d in of_kind(documents, "Role")
    }
    names = ("hune-operator", "hune-viewer", "hune-editor", "hune-granter", *CALLERS)
    assert roles == {(space, name) for space in "ab" for name in names} | {
        ("team", "hune-operator-lease")
    }


def test_the_operator_reads_what_its_code_reads() -> None:
    followed = (
        resources.MODEL_DEPLOYMENT,
        resources.MODEL_VERSION,
        *resources.CHILDREN,
        resources.POD,
        *resources.MONITORING,
        resources.HTTP_ROUTE,
    )
    asked = (resources.SECRET, resources.DEPLOYMENT, resources.LEASE)
    reading = {"get", "list", "watch"}
    granted = grants(operator_rules(render({"gateway": GATEWAY})))
    assert {grant for grant in granted if grant.verb in reading} == {
        _grant(verb, resource) for resource in followed for verb in ("list", "watch")
    } | {_grant("get", resource) for resource in asked}


def test_monitoring_is_no_right_where_it_is_switched_off() -> None:
    granted = grants(operator_rules(render({"monitoring": {"enabled": False}})))
    assert {grant for grant in granted if grant.group == "monitoring.coreos.com"} == set()


def test_no_right_is_a_wildcard_and_no_secret_but_one_is_read() -> None:
    rules = [rule for role in of_kind(render(), "ClusterRole", "Role") for rule in role["rules"]]
    assert [rule for rule in rules if "*" in str(rule)] == []
    readers = [r for r in rules if r["resources"] == ["secrets"] and r["verbs"] != ["create"]]
    assert readers == [
        {
            "apiGroups": [""],
            "resources": ["secrets"],
            "resourceNames": ["hune-prediction-key"],
            "verbs": ["get"],
        }
    ]


def test_people_extend_the_roles_of_kubernetes() -> None:
    roles = {d["metadata"]["name"]: d for d in of_kind(render(), "ClusterRole")}
    people = (("hune-viewer", "view"), ("hune-editor", "edit"), ("hune-granter", "admin"))
    for name, role in people:
        label = f"rbac.authorization.k8s.io/aggregate-to-{role}"
        assert roles[name]["metadata"]["labels"][label] == "true"
    assert not {grant.verb for grant in grants(roles["hune-viewer"]["rules"])} - {
        "get",
        "list",
        "watch",
    }
    assert Grant("patch", "hune.dev", "modeldeployments/scale") in grants(
        roles["hune-editor"]["rules"]
    )


@pytest.mark.parametrize("values", [{}, NAMESPACED], ids=["all", "named"])
def test_only_callers_may_ask_and_nobody_is_one_by_another_role(values: dict[str, Any]) -> None:
    roles = of_kind(render(values), "ClusterRole", "Role")
    asking = {"predict", "explain", "feedback"}
    held = [
        (role["metadata"], verbs)
        for role in roles
        if (verbs := {grant.verb for grant in grants(role["rules"])}) & asking
    ]
    assert {metadata["name"]: verbs for metadata, verbs in held} == CALLERS
    assert "aggregate-to" not in str([metadata["labels"] for metadata, _ in held])


@pytest.mark.parametrize("values", [{}, NAMESPACED], ids=["all", "named"])
def test_who_administers_a_namespace_may_grant_each_right_to_ask(values: dict[str, Any]) -> None:
    roles = of_kind(render(values), "ClusterRole", "Role")
    granters = [role for role in roles if role["metadata"]["name"] == "hune-granter"]
    assert granters
    for granter in granters:
        (rule,) = granter["rules"]
        assert (rule["verbs"], set(rule["resourceNames"])) == (["bind"], set(CALLERS))


def test_only_the_authorizer_may_ask_about_tokens_and_rights() -> None:
    documents = render()
    (binding,) = (
        b for b in of_kind(documents, "ClusterRoleBinding") if "auth-delegator" in str(b["roleRef"])
    )
    (subject,) = binding["subjects"]
    assert (subject["kind"], subject["name"]) == ("ServiceAccount", "hune-authorizer")
    users = [
        d["metadata"]["name"]
        for d in of_kind(documents, "Deployment")
        if d["spec"]["template"]["spec"]["serviceAccountName"] == "hune-authorizer"
    ]
    assert users == ["hune-authorizer"]
    rules = [rule for role in of_kind(documents, "ClusterRole", "Role") for rule in role["rules"]]
    assert "reviews" not in str(rules)


def test_the_operator_names_the_authorizer_that_there_is() -> None:
    def named(values: dict[str, Any]) -> Any:
        documents = render({"authorizer": values})
        made = "hune-authorizer" in {d["metadata"]["name"] for d in of_kind(documents, "Service")}
        return made, yaml.safe_load(operator_settings(documents))["authorizer"]

    assert named({}) == (True, "hune-authorizer.hune-system.svc:8080")
    assert named({"enabled": False}) == (False, "")
    other = {"enabled": False, "address": "hune-authorizer.shared:8080"}
    assert named(other) == (False, "hune-authorizer.shared:8080")


def test_the_authorizer_hears_guards_only() -> None:
    (policy,) = (
        p for p in of_kind(render(), "NetworkPolicy") if p["metadata"]["name"] == "hune-authorizer"
    )
    guards, probes = policy["spec"]["ingress"]
    assert guards["from"] == [
        {
            "namespaceSelector": {},
            "podSelector": {"matchExpressions": [{"key": LABEL_DEPLOYMENT, "operator": "Exists"}]},
        }
    ]
    assert [port["port"] for port in guards["ports"]] == [8080]
    assert [port["port"] for port in probes["ports"]] == [8081]


@pytest.mark.parametrize("overlay", ["cluster", "namespaced", "edge-arm"])
def test_overlays_build(overlay: str) -> None:
    kinds = [document["kind"] for document in _kustomize(overlay)]
    assert "Deployment" in kinds
    assert bool(CLUSTER_WIDE & set(kinds)) == (overlay != "namespaced")


def test_what_a_prometheus_without_its_operator_needs_builds() -> None:
    configs = {d["metadata"]["name"]: d for d in _kustomize("../monitoring")}
    assert set(configs["hune-prometheus"]["data"]) == {"rules.yaml", "scrape.yaml"}
    assert configs["hune-dashboard"]["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(configs["hune-dashboard"]["data"]["dashboard.json"])["title"]


def test_the_cluster_overlay_is_the_chart() -> None:
    crds = yaml.safe_load_all(template("hune-crds", CHARTS / "hune-crds", "--set", "keep=false"))
    namespace = yaml.safe_load((ROOT / "manifests/base/namespace.yaml").read_text())
    assert _by_identity(_kustomize("cluster")) == _by_identity([*render(), *crds, namespace])


def test_the_edge_overlay_goes_to_small_arm_nodes() -> None:
    documents = _kustomize("edge-arm")
    for name in ("hune-operator", "hune-authorizer"):
        pod = _deployment(documents, name)["spec"]["template"]["spec"]
        assert pod["nodeSelector"] == {
            "kubernetes.io/arch": "arm64",
            "node.kubernetes.io/instance-type": "k3s",
        }
    assert pod["containers"][0]["args"] == ["authorizer"]
    pod = _deployment(documents, "hune-operator")["spec"]["template"]["spec"]
    assert pod["containers"][0]["resources"]["limits"] == {"memory": "128Mi"}
    # The patch adds to the chart's container, it does not replace it.
    assert pod["containers"][0]["args"] == ["run", "--config", "/etc/hune/settings.yaml"]


def _leaves(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for name, value in schema["properties"].items():
        if "properties" in value and value["type"] == "object":
            yield from _leaves(value, f"{path}{name}.")
        else:
            yield path + name, value.get("description", "")


def _deployment(documents: list[dict[str, Any]], name: str) -> dict[str, Any]:
    found = of_kind(documents, "Deployment")
    (deployment,) = (each for each in found if each["metadata"]["name"] == name)
    return deployment


def _grant(verb: str, resource: Resource) -> Grant:
    group = resource.api_version.rpartition("/")[0]
    return Grant(verb, group, resource.plural)


def _kustomize(overlay: str) -> list[dict[str, Any]]:
    folder: Path = ROOT / "manifests/overlays" / overlay
    text = run([kubectl(), "kustomize", folder])
    return [document for document in yaml.safe_load_all(text) if document]


def _by_identity(documents: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(d["kind"], d["metadata"]["name"]): d for d in documents}
