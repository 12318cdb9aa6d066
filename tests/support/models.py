"""The models of the examples, stored in a server in the cluster as a user stores them."""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import yaml

from hune.contract.digest import digest_of
from hune.controlplane.cluster import resources
from tests.cluster import Cluster
from tests.cluster.command import run
from tests.support.api import Api, Document
from tests.support.detectors import BREAST_CANCER
from tests.support.eventually import eventually
from tests.support.examples import FOLDER
from tests.support.forward import forwarded
from tests.support.release import command_environment
from tests.support.space import namespace

QUICKSTART = FOLDER / "01-quickstart"
STORAGE = "e2e-models"
MODEL = "breast-cancer"
KINDS = ("logistic", "forest")


@dataclass(frozen=True)
class Models:
    """Two versions of one model, where every namespace can load them.

    Attributes:
        secret: The Secret `s3` by which a namespace reads them.
        outliers: A detector fitted on the data that both were trained on, for `spec.guard`.
        versions: Their ModelVersions, as `hune register` printed them.
        request: A V2 request for two patients; the answer is malignant and benign, 0 and 1.
    """

    secret: Document
    versions: tuple[Document, Document]
    request: dict[str, Any]
    outliers: dict[str, Any]

    def source(self, number: int) -> dict[str, Any]:
        """Return where a version lies, for the short form."""
        source: dict[str, Any] = self.versions[number - 1]["spec"]["source"]
        return source

    def store(self, cluster: Cluster, folder: Path, name: str) -> dict[str, Any]:
        """Store a folder beside them; return its uri and its digest."""
        with forwarded(cluster, STORAGE, "service/s3", 9000) as port:
            return _store(self.secret, f"http://127.0.0.1:{port}", folder, name)

    def documents(self) -> list[Document]:
        """Return what a namespace needs to serve them by version."""
        return [self.secret, *self.versions]


@contextmanager
def registered(cluster: Cluster, folder: Path) -> Iterator[Models]:
    """Train both models, store them in a server of the cluster, and describe them."""
    storage = list(yaml.safe_load_all((QUICKSTART / "2-storage.yaml").read_text()))
    secret, *_ = storage
    secret["metadata"]["annotations"]["serving.kserve.io/s3-endpoint"] = f"s3.{STORAGE}:9000"
    with namespace(cluster, STORAGE, storage) as space:
        eventually(lambda: _is_available(space.api), 120, 0.5)
        with forwarded(cluster, STORAGE, "service/s3", 9000) as port:
            endpoint = f"http://127.0.0.1:{port}"
            versions = [
                _register(cluster, folder, kind, number, secret, endpoint)
                for number, kind in enumerate(KINDS, start=1)
            ]
            outliers = _store(secret, endpoint, BREAST_CANCER, f"{MODEL}/outliers")
        request = json.loads((QUICKSTART / "request.json").read_text())
        yield Models(secret, (versions[0], versions[1]), request, outliers)


def _is_available(api: Api) -> bool:
    deployment = api.get(resources.DEPLOYMENT, STORAGE, "s3") or {}
    return bool(deployment.get("status", {}).get("availableReplicas"))


def _store(secret: Document, endpoint: str, folder: Path, name: str) -> dict[str, Any]:
    keys = secret["stringData"]
    storage = boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        region_name="us-east-1",
    )
    for file in folder.iterdir():
        storage.upload_file(str(file), "models", f"{name}/{file.name}")
    return {"uri": f"s3://models/{name}", "digest": digest_of(folder)}


def _register(
    cluster: Cluster, folder: Path, kind: str, number: int, secret: Document, endpoint: str
) -> Document:
    model = folder / str(number)
    run([sys.executable, QUICKSTART / "train.py", kind, model])
    keys = {
        f"AWS_{name}": secret["stringData"][f"AWS_{name}"]
        for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")
    }
    environment = command_environment(cluster) | keys
    hune = shutil.which("hune", path=environment["PATH"]) or "hune"
    words: list[str | Path] = [hune, "register", model, "--name", MODEL, "--number", str(number)]
    words += ["--to", f"s3://models/{MODEL}/{number}", "--endpoint-url", endpoint]
    words += ["--secret-ref", secret["metadata"]["name"], "--code", QUICKSTART]
    document: Document = yaml.safe_load(run(words, environment=environment))
    return document
