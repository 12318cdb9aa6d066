"""What the charts render to, as documents."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.cluster.command import run
from tests.support.install import NAMESPACE, ROOT, helm, template

CHARTS = ROOT / "charts"
Document = dict[str, Any]


class Grant(NamedTuple):
    """One verb on one resource, with its subresource."""

    verb: str
    group: str
    resource: str


def render(values: Mapping[str, Any] | None = None, namespace: str = NAMESPACE) -> list[Document]:
    given = ("--values", "-", "--namespace", namespace)
    text = template("hune", CHARTS / "hune", *given, text=json.dumps(values or {}))
    return [document for document in yaml.safe_load_all(text) if document]


def lint(chart: Path, values: Mapping[str, Any]) -> str:
    words = (helm(), "lint", "--strict", chart, "--values", "-")
    return run(words, text=json.dumps(values))


def of_kind(documents: Iterable[Document], *kinds: str) -> list[Document]:
    return [document for document in documents if document["kind"] in kinds]


def operator_settings(documents: Iterable[Document]) -> str:
    (config,) = of_kind(documents, "ConfigMap")
    text: str = config["data"]["settings.yaml"]
    return text


def operator_rules(documents: Iterable[Document]) -> Iterator[dict[str, Any]]:
    """Yield the rules of every role that is bound to the operator."""
    for role in of_kind(documents, "ClusterRole", "Role"):
        if role["metadata"]["name"].startswith("hune-operator"):
            yield from role["rules"]


def grants(rules: Iterable[Mapping[str, Any]]) -> set[Grant]:
    return {
        Grant(verb, group, resource)
        for rule in rules
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
