"""A model is deployed, asked and removed; what is not Hune's is left alone."""

from base64 import b64decode
from typing import Any
from uuid import UUID

import pytest

from hune.contract import names
from hune.contract.prediction import Origin, is_genuine
from hune.controlplane.cluster import resources
from tests.support.api import Document
from tests.support.eventually import eventually
from tests.support.models import Models
from tests.support.space import Space

pytestmark = pytest.mark.e2e
GUARD = "docker.io/hune/guard:0.1.0"
# Made by Kubernetes as things happen, and gone by themselves.
PASSING = ("event", "lease.", "endpoints", "endpointslice", "pod.metrics")


def inventory(space: Space) -> set[str]:
    """Return everything there is in the namespace, whatever its kind."""
    listable = ("api-resources", "--namespaced", "--verbs=list", "--output=name")
    kinds = [
        kind for kind in space.cluster.kubectl(*listable).split() if not kind.startswith(PASSING)
    ]
    query = ("get", ",".join(kinds), "--namespace", space.name, "--output=name")
    return set(space.cluster.kubectl(*query).split())


def stranger(space: Space, name: str) -> list[Document]:
    """Make objects that are not Hune's, one of each kind that it also makes."""
    container = {
        "name": "kserve-container",
        "image": GUARD,
        "command": ["python3", "-m", "http.server", "8080"],
        "ports": [{"containerPort": 8080, "protocol": "TCP"}],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    annotations = {"serving.kserve.io/deploymentMode": "Standard"}
    bodies: dict[str, dict[str, Any]] = {
        "Service": {"spec": {"selector": {"app": name}, "ports": [{"port": 80}]}},
        "ConfigMap": {"data": {"guard.json": "not ours"}},
        "NetworkPolicy": {"spec": {"podSelector": {"matchLabels": {"app": name}}}},
        "InferenceService": {"spec": {"predictor": {"containers": [container]}}},
    }
    return space.apply(
        *(
            {
                "apiVersion": resources.BY_KIND[kind].api_version,
                "kind": kind,
                "metadata": {"name": f"{name}-{kind.lower()}"[:40], "annotations": annotations},
            }
            | body
            for kind, body in bodies.items()
        )
    )


def as_it_is(space: Space, document: Document) -> Document:
    """Return what a thing is, and who wrote any of it; KServe goes on telling its status."""
    found = space.read(resources.BY_KIND[document["kind"]], document["metadata"]["name"])
    metadata = found["metadata"]
    del metadata["resourceVersion"]
    writers = {(by["manager"], by["operation"]) for by in metadata.pop("managedFields", [])}
    return {name: part for name, part in found.items() if name != "status"} | {"by": writers}


def serves(space: Space, document: Document) -> bool:
    found = space.read(resources.BY_KIND[document["kind"]], document["metadata"]["name"])
    conditions = {c["type"]: c["status"] for c in found.get("status", {}).get("conditions", [])}
    return conditions.get("Ready") == "True"


def usage(space: Space, version: str, what: str = "usedBy") -> list[str]:
    """Return who is said to use a ModelVersion, or with what."""
    status = space.read(resources.MODEL_VERSION, version).get("status", {})
    found: list[str] = status.get(what, [])
    return found


def images_of(space: Space, name: str) -> set[str]:
    """Return the images that a deployment's pods run, by their digests."""
    return {
        container["imageID"]
        for pod in space.find(resources.POD, deployment=name)
        for container in pod["status"]["containerStatuses"]
    }


@pytest.mark.timeout(240)
def test_deploy_predict_delete(space: Space, models: Models) -> None:
    strangers = stranger(space, "stranger")
    eventually(lambda: serves(space, strangers[-1]), 90, 0.5)
    strangers = [as_it_is(space, document) for document in strangers]
    before = inventory(space)

    space.deploy("tumours", {"model": {"source": models.source(1)}})
    space.wait_ready("tumours")
    (version,) = (
        document["metadata"]["name"]
        for document in space.find(resources.MODEL_VERSION, deployment="tumours")
    )
    assert space.status("tumours")["activeVersion"] == version

    eventually(lambda: usage(space, version) == ["tumours"], seen=lambda: usage(space, version))
    images = images_of(space, "tumours")
    eventually(lambda: set(usage(space, version, "imageDigests")) == images, seen=lambda: images)

    answer = space.predict("tumours", models.request)
    assert answer["outputs"][0]["data"] == [0, 1]
    assert answer["parameters"]["hune_model_version"] == version
    prediction = UUID(answer["parameters"]["hune_prediction_id"])
    secret = space.read(resources.SECRET, names.PREDICTION_KEY_SECRET)
    key = b64decode(secret["data"][names.PREDICTION_KEY_FILE])
    assert is_genuine(prediction, key, Origin("tumours", version))
    assert not is_genuine(prediction, key, Origin("others", version))

    space.delete(resources.MODEL_DEPLOYMENT, "tumours")
    left = {f"modelversion.hune.dev/{version}", f"secret/{names.PREDICTION_KEY_SECRET}"}
    eventually(
        lambda: inventory(space) == before | left,
        90,
        1,
        lambda: inventory(space) ^ (before | left),
    )
    assert [as_it_is(space, document) for document in strangers] == strangers
    eventually(lambda: usage(space, version) == [], seen=lambda: usage(space, version))
