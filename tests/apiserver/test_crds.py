"""What the API server makes of Hune's kinds: schemas, help, columns, defaults, scaling."""

import json
from typing import Any

import pytest

from tests.cluster import Cluster

pytestmark = pytest.mark.apiserver
KINDS = ("modeldeployments.hune.dev", "modelversions.hune.dev")
SHORT = {
    "apiVersion": "hune.dev/v1alpha1",
    "kind": "ModelDeployment",
    "metadata": {"name": "short"},
    "spec": {
        "model": {
            "source": {
                "uri": "s3://models/income/7",
                "format": "sklearn",
                "digest": "sha256:" + "a1" * 32,
            }
        }
    },
}


class Api:
    """kubectl in one namespace, answering documents."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace

    def text(self, *arguments: str, text: str | None = None) -> str:
        return self._cluster.kubectl("-n", self._namespace, *arguments, text=text)

    def document(self, *arguments: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.text(*arguments, "-o", "json"))
        return document

    def create(self, document: dict[str, Any]) -> dict[str, Any]:
        text = self.text(
            "create", "--validate=strict", "-o", "json", "-f", "-", text=json.dumps(document)
        )
        created: dict[str, Any] = json.loads(text)
        return created


@pytest.fixture(scope="module")
def api(control_plane: Cluster, namespace: str) -> Api:
    api = Api(control_plane, namespace)
    api.create(SHORT)
    return api


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_established_and_structural(api: Api, kind: str) -> None:
    conditions = api.document("get", "crd", kind)["status"]["conditions"]
    statuses = {condition["type"]: condition["status"] for condition in conditions}
    assert statuses["Established"] == "True"
    assert "NonStructuralSchema" not in statuses


def test_explain_describes_every_field_of_a_source(api: Api) -> None:
    text = api.text("explain", "modeldeployment.spec.model.source")
    for words in (
        "An artefact given inline; a ModelVersion is made for it.",
        "checked before the model is loaded",
        "Model format as KServe names it",
        "Directory or file of the artefact",
        "Secret with the credentials of the storage",
    ):
        assert words in " ".join(text.split())


@pytest.mark.parametrize("kind", KINDS)
def test_no_field_is_without_a_description(api: Api, kind: str) -> None:
    (version,) = api.document("get", "crd", kind)["spec"]["versions"]
    properties = version["schema"]["openAPIV3Schema"]["properties"]
    assert list(_undescribed(properties["spec"], "spec")) == []
    assert list(_undescribed(properties["status"], "status")) == []


def _undescribed(schema: dict[str, Any], path: str) -> Any:
    if "description" not in schema:
        yield path
    for name, field in schema.get("properties", {}).items():
        yield from _undescribed(field, f"{path}.{name}")
    for field in schema.get("items", {}).get("properties", {}).values():
        yield from _undescribed(field, f"{path}[]")


def test_the_short_form_gets_one_replica_and_the_v2_protocol(api: Api) -> None:
    spec = api.document("get", "mdep", "short")["spec"]
    assert spec["serving"] == {"protocol": "V2", "replicas": {"min": 1}}
    assert spec["placement"] == {}
    assert spec["suspend"] is False


def test_columns_show_what_a_person_asks_first(api: Api) -> None:
    _set_status(api, "short")
    header, row = api.text("get", "mdep", "short", "-o", "wide").splitlines()
    assert header.split() == [
        "NAME",
        "READY",
        "REASON",
        "ACTIVE",
        "CANDIDATE",
        "REPLICAS",
        "URL",
        "AGE",
    ]
    assert row.split()[:7] == [
        "short",
        "False",
        "Progressing",
        "income-6",
        "income-7",
        "2",
        "http://short",
    ]
    version = {
        "apiVersion": "hune.dev/v1alpha1",
        "kind": "ModelVersion",
        "metadata": {"name": "income-7"},
        "spec": {"model": "income", "number": 7, "source": SHORT["spec"]["model"]["source"]},  # type: ignore[index]
    }
    api.create(version)
    header, row = api.text("get", "mver", "income-7").splitlines()
    assert header.split() == ["NAME", "MODEL", "NUMBER", "FORMAT", "USED", "BY", "AGE"]
    assert row.split()[:4] == ["income-7", "income", "7", "sklearn"]


def test_scale_is_read_and_written(api: Api) -> None:
    _set_status(api, "short")
    scale = api.document("get", "mdep", "short", "--subresource=scale")
    assert scale["spec"] == {"replicas": 1}
    assert scale["status"] == {"replicas": 2, "selector": "hune.dev/deployment=short"}
    api.text("scale", "mdep", "short", "--replicas=3")
    assert api.document("get", "mdep", "short")["spec"]["serving"]["replicas"] == {"min": 3}
    api.text(
        "patch",
        "mdep",
        "short",
        "--subresource=scale",
        "--type=merge",
        "-p",
        '{"spec":{"replicas":1}}',
    )
    assert api.document("get", "mdep", "short")["spec"]["serving"]["replicas"] == {"min": 1}


def _set_status(api: Api, name: str) -> None:
    condition = {
        "type": "Ready",
        "status": "False",
        "reason": "Progressing",
        "message": "on its way",
        "lastTransitionTime": "2026-01-01T12:00:00Z",
    }
    status = {
        "url": f"http://{name}",
        "activeVersion": "income-6",
        "candidateVersion": "income-7",
        "replicas": 2,
        "selector": f"hune.dev/deployment={name}",
        "conditions": [condition],
    }
    patch = json.dumps({"status": status})
    api.text("patch", "mdep", name, "--subresource=status", "--type=merge", "-p", patch)


def test_all_kinds_are_in_the_category(api: Api) -> None:
    assert "modeldeployment.hune.dev/short" in api.text("get", "hune", "-o", "name")
