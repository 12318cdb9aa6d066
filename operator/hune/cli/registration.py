"""Storing a model once, and handing its ModelVersion over."""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import yaml

from hune.cli import claim, cluster
from hune.cli.artefact import Artefact, collect
from hune.cli.bucket import Bucket
from hune.cli.errors import UserError
from hune.cli.model_version import build_model_version
from hune.controlplane.api.modelversion import PLURAL

_MANAGER = "hune-register"


def register(arguments: argparse.Namespace) -> None:
    """Store the model, then print or apply its ModelVersion.

    Raises:
        UserError: An argument is wrong, or the storage or the cluster refuses.
    """
    if not arguments.to.startswith(("s3://", "pvc://")):
        raise UserError(f"--to {arguments.to}: use s3://bucket/path or pvc://claim/path")
    if arguments.endpoint_url:
        os.environ["AWS_ENDPOINT_URL"] = arguments.endpoint_url
    artefact = collect(arguments.path, arguments.to)
    # Built first: what is wrong in it must be told before anything is uploaded.
    document = build_model_version(arguments, artefact.uri, artefact.digest)
    with _place(arguments, artefact) as place:
        _store_once(place, artefact, force=arguments.force)
    _hand_over(document, arguments.output)


class _Place(Protocol):
    def find_digest(self) -> str | None: ...
    def store(self) -> None: ...


@contextmanager
def _place(arguments: argparse.Namespace, artefact: Artefact) -> Iterator[_Place]:
    if artefact.uri.startswith("s3://"):
        yield Bucket(artefact)
        return
    claim.split(artefact.uri)
    with cluster.connected() as api:
        namespace = arguments.namespace or cluster.current_namespace()
        with claim.mounted(api, artefact, namespace, arguments.image) as place:
            yield place


def _store_once(place: _Place, artefact: Artefact, *, force: bool) -> None:
    uri, digest = artefact.uri, artefact.digest
    found = place.find_digest()
    if found == digest:
        _say(f"{uri} holds {digest} already: nothing uploaded")
        return
    if found is not None and not force:
        raise UserError(
            f"--to {uri} holds other files ({found}); take another --number and path, or replace "
            "them with --force, which breaks the versions that name them"
        )
    place.store()
    stored = place.find_digest()
    if stored != digest:
        raise UserError(
            f"{uri}: {stored} was read back where {digest} was written; something else writes "
            "there: try again"
        )
    _say(f"{uri} stored and read back as {digest}")


def _hand_over(document: dict[str, Any], output: str) -> None:
    if output == "yaml":
        print(yaml.safe_dump(document, sort_keys=False), end="")
        return
    metadata = {"namespace": cluster.current_namespace()} | document["metadata"]
    cluster.apply(document | {"metadata": metadata}, PLURAL, _MANAGER)
    _say(f"ModelVersion {metadata['name']} applied in namespace {metadata['namespace']}")


def _say(message: str) -> None:
    print(f"hune: {message}", file=sys.stderr)
