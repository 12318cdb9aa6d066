"""Installing for real: what an API server says, and what the operator does with its rights.

It has a cluster of its own, since what it installs and removes is cluster-wide.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import Cluster, ClusterError, own, packages, start, stop
from tests.cluster.cluster import STATES
from tests.cluster.command import run
from tests.support import prometheus_kinds
from tests.support.audit import AuditLog
from tests.support.chart import (
    CHARTS,
    Document,
    Grant,
    grants,
    operator_rules,
    operator_settings,
    render,
)
from tests.support.eventually import eventually
from tests.support.install import ROOT, helm
from tests.support.operator import operated, own_server

pytestmark = pytest.mark.apiserver
NAME = "hune-install"
LEVELS = ("enforce", "warn", "audit")
DIGEST = "sha256:" + "0" * 64
GATEWAY = {"name": "edge", "namespace": "gateways", "domain": "models.example.com"}
KINDS = {
    f"customresourcedefinition.apiextensions.k8s.io/{kind}.hune.dev"
    for kind in ("modeldeployments", "modelversions")
}
READING = {"get", "list", "watch"}
# Admission asks for it only where OwnerReferencesPermissionEnforcement is on.
UNSEEN = {Grant("update", "hune.dev", "modeldeployments/finalizers")}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    if os.environ.get("HUNE_KUBECONFIG"):
        pytest.skip("rights are compared with the audit log, which is ours to read only here")
    was_there = own(NAME) is not None
    packages.install_missing()
    before = traces()
    cluster = start(NAME, with_node=False)
    install(cluster, "hune-crds", "default")
    prometheus_kinds.install(cluster)
    yield cluster
    if not was_there:
        stop(NAME)
        assert traces() == before


def traces() -> dict[str, set[str]]:
    """Return what a cluster adds to this machine; its processes by the network that they are in."""
    commands: dict[str, tuple[str, ...]] = {
        "network namespaces": ("ip", "netns", "list"),
        "links": ("ip", "-brief", "link"),
        "routes": ("ip", "route"),
        "rules": ("iptables-save",),
        "mounts": ("findmnt", "--noheadings", "--list", "--output", "TARGET"),
    }
    found = {name: set(run(words).splitlines()) for name, words in commands.items()}
    # Its comments hold the time, and its chains the packets so far.
    rules = {line.partition(" [")[0] for line in found["rules"] if not line.startswith("#")}
    states = {folder.name for folder in STATES.glob("[!.]*")}
    return found | {"rules": rules, "states": states, "networks": networks_in_use()}


def networks_in_use() -> set[str]:
    """Return the network namespaces that a process is in, named or not."""
    found = set()
    for link in Path("/proc").glob("[0-9]*/ns/net"):
        with suppress(OSError):  # it ended meanwhile
            found.add(str(link.readlink()))
    return found


def install(cluster: Cluster, chart: str, namespace: str, values: Document | None = None) -> str:
    """Install a chart and return what Helm said, warnings of the API server included."""
    command = [
        *(helm(), "upgrade", chart, CHARTS / chart, "--install", "--take-ownership"),
        *("--wait", "--timeout", "120s", "--values", "-", "--namespace", namespace),
        *("--kubeconfig", cluster.kubeconfig),
    ]
    words = [str(word) for word in command]
    text = json.dumps(values or {})
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def uninstall(cluster: Cluster, chart: str, namespace: str) -> None:
    words = (helm(), "uninstall", chart, "--wait", "--namespace", namespace)
    run([*words, "--kubeconfig", cluster.kubeconfig])


@contextmanager
def restricted(cluster: Cluster, *names: str) -> Iterator[None]:
    """Have namespaces in which every pod must satisfy the strictest standard."""
    labels = {f"pod-security.kubernetes.io/{level}": "restricted" for level in LEVELS}
    for name in names:
        metadata = {"name": name, "labels": labels}
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    try:
        yield
    finally:
        for name in names:
            forget_pods(cluster, name)
        cluster.kubectl("delete", "namespace", *names)


def forget_pods(cluster: Cluster, namespace: str) -> None:
    """Remove pods at once; a fake node would wait for their grace period to end."""
    force = ("--force", "--grace-period=0")
    cluster.kubectl("delete", "pods", "--all", "--namespace", namespace, *force)


def inventory(cluster: Cluster) -> set[str]:
    """Return everything in the cluster that is labelled as a part of Hune."""
    kinds = cluster.kubectl("api-resources", "--verbs=list", "--output=name").split()
    label = "--selector=app.kubernetes.io/part-of=hune"
    query = ("get", ",".join(kinds), "--all-namespaces", "--output=name", label)
    return set(cluster.kubectl(*query).split())


def left_of_hune(cluster: Cluster) -> set[str]:
    forget_pods(cluster, "hune-system")
    return inventory(cluster)


def test_charts_come_without_a_warning_and_go_without_a_trace(cluster: Cluster) -> None:
    with restricted(cluster, "hune-system"):
        said = install(cluster, "hune", "hune-system", {"gateway": GATEWAY})
        assert "warning" not in said.lower()
        pods = json.loads(cluster.kubectl("get", "pods", "-n", "hune-system", "-o", "json"))
        assert len({pod["spec"]["nodeName"] for pod in pods["items"]}) == 2
        uninstall(cluster, "hune", "hune-system")
        uninstall(cluster, "hune-crds", "default")
        # The garbage collector removes what hung on the release's own objects, in its time.
        eventually(lambda: left_of_hune(cluster) == KINDS, 60, 0.5, lambda: inventory(cluster))
        install(cluster, "hune-crds", "default")


@pytest.mark.parametrize(
    ("overlay", "namespace"),
    [("cluster", "hune-system"), ("edge-arm", "hune-system"), ("namespaced", "models")],
)
def test_overlays_are_accepted(cluster: Cluster, overlay: str, namespace: str) -> None:
    with restricted(cluster, namespace):
        folder = ROOT / "manifests/overlays" / overlay
        command = [
            *(cluster.binaries / "kubectl", "apply", "--server-side", "--dry-run=server"),
            *("--force-conflicts", "--kustomize", folder, "--kubeconfig", cluster.kubeconfig),
        ]
        words = [str(word) for word in command]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_people_have_their_rights_through_view_and_edit(cluster: Cluster) -> None:
    def may(role: str, verb: str, resource: str, sub: str = "") -> bool:
        words = (verb, f"{resource}.hune.dev", f"--subresource={sub}", "--namespace=people")
        user = f"--as=system:serviceaccount:people:{role}"
        try:
            cluster.kubectl("auth", "can-i", *words, user)
        except ClusterError:
            return False
        return True

    def may_bind(role: str, bound: str = "hune-caller") -> bool:
        words = ("bind", f"clusterroles.rbac.authorization.k8s.io/{bound}", "-n", "people")
        user = f"--as=system:serviceaccount:people:{role}"
        try:
            cluster.kubectl("auth", "can-i", *words, user)
        except ClusterError:
            return False
        return True

    predicting = ("predict", "modeldeployments")
    with restricted(cluster, "hune-system", "people"):
        install(cluster, "hune", "hune-system")
        for role in ("view", "edit", "admin"):
            subject = f"--serviceaccount=people:{role}"
            command = ("create", "rolebinding", role, f"--clusterrole={role}", subject)
            cluster.kubectl(*command, "-n", "people")
        eventually(lambda: may("edit", "create", "modeldeployments"))
        assert may("edit", "patch", "modeldeployments", "scale")
        assert may("view", "list", "modelversions")
        assert not may("view", "create", "modeldeployments")
        assert not may("edit", "patch", "modeldeployments", "status")
        # Nobody predicts by another role's way; who administers a namespace says who may.
        assert not [role for role in ("view", "edit", "admin") if may(role, *predicting)]
        eventually(lambda: may_bind("admin"))
        assert may_bind("admin", "hune-explain-caller")
        assert may_bind("admin", "hune-feedback-caller")
        assert not may_bind("edit")
        uninstall(cluster, "hune", "hune-system")


@pytest.mark.parametrize("watched", [[], ["models", "full"]], ids=["all", "named"])
def test_the_operator_needs_exactly_its_rights(
    cluster: Cluster, watched: list[str], tmp_path: Path
) -> None:
    values = {
        "gateway": GATEWAY,
        # Long enough for the replaced revision to be told that it drains.
        "retireAfterSeconds": 3,
        "watch": {"namespaces": watched},
    }
    # A Lease of a former run in the same namespace would not be created again.
    home = "hune-named" if watched else "hune-all"
    documents = render(values, home)
    with restricted(cluster, home, "models", "full"):
        install(cluster, "hune", home, values)
        mark = cluster.audit_log.stat().st_size
        with operator(cluster, home, operator_settings(documents), tmp_path) as log:
            live_through_it(cluster)
            written = writes(cluster, mark, f"system:serviceaccount:{home}:hune-operator")
        assert {write["grant"] for write in written if write["code"] == 403} == set()
        granted = {g for g in grants(operator_rules(documents)) if g.verb not in READING}
        assert {write["grant"] for write in written} | UNSEEN == granted
        said = log.read_text()
        assert "forbidden" not in said.lower(), said
        uninstall(cluster, "hune", home)


def live_through_it(cluster: Cluster) -> None:
    """Have a deployment served, then replaced by one that promises less, and one without room."""
    metadata = {"name": "no-pods", "namespace": "full"}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata}
    cluster.apply(quota | {"spec": {"hard": {"pods": "0"}}})
    cluster.apply(deployment("full", 1), deployment("models", 1))
    eventually(lambda: condition(cluster, "models", "Ready")["status"] == "True", 90)
    (first,) = revisions(cluster)
    cluster.apply(deployment("models", 2))
    eventually(lambda: first not in revisions(cluster), 90)
    # Only KServe's Deployment knows this.
    eventually(
        lambda: "exceeded quota" in condition(cluster, "full", "PredictorReady")["message"], 60
    )


def deployment(namespace: str, number: int) -> Document:
    source = {"uri": f"s3://models/income/{number}", "format": "sklearn", "digest": DIGEST}
    objectives = {"objectives": {"latencyP95": "250ms"}} if number == 1 else {}
    return {
        "apiVersion": "hune.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": "income", "namespace": namespace},
        "spec": {"model": {"source": source}} | objectives,
    }


def condition(cluster: Cluster, namespace: str, kind: str) -> dict[str, str]:
    found = json.loads(cluster.kubectl("get", "mdep", "income", "-n", namespace, "-o", "json"))
    told = found.get("status", {}).get("conditions", [])
    conditions: dict[str, dict[str, str]] = {each["type"]: each for each in told}
    return conditions.get(kind, {"status": "Unknown", "message": ""})


def revisions(cluster: Cluster) -> list[str]:
    # Of a replaced revision the NetworkPolicy goes last.
    return cluster.kubectl("get", "networkpolicies", "-n", "models", "-o", "name").split()


@contextmanager
def operator(cluster: Cluster, namespace: str, settings: str, folder: Path) -> Iterator[Path]:
    """Run the operator with its ServiceAccount's token; yield its log."""
    (folder / "settings.yaml").write_text(settings)
    token = cluster.kubectl("create", "token", "hune-operator", "-n", namespace)
    kubeconfig = json.loads(cluster.kubeconfig.read_text())
    kubeconfig["users"][0]["user"] = {"token": token.strip()}
    (folder / "kubeconfig").write_text(json.dumps(kubeconfig))
    log = folder / "operator.log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            [
                *(sys.executable, "-m", "hune.cli.main", "run", "--port", "0"),
                *("--config", str(folder / "settings.yaml")),
            ],
            env=os.environ
            | {"KUBECONFIG": str(folder / "kubeconfig"), "PYTHONPATH": str(ROOT / "operator")},
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            yield log
        finally:
            process.terminate()
            process.wait(30)


def writes(cluster: Cluster, mark: int, user: str) -> list[dict[str, Any]]:
    """Return what a user wrote since a mark in the audit log, as the rights that it took."""
    with cluster.audit_log.open() as file:
        file.seek(mark)
        events = [json.loads(line) for line in file if line.endswith("}\n")]
    return [
        {"grant": grant, "code": event["responseStatus"]["code"]}
        for event in events
        if event["user"]["username"] == user
        for grant in rights_of(event)
    ]


def rights_of(event: dict[str, Any]) -> Iterator[Grant]:
    target = event["objectRef"]
    resource = "/".join(filter(None, (target["resource"], target.get("subresource"))))
    yield Grant(event["verb"], target.get("apiGroup", ""), resource)
    # Applying what is not there yet takes the right to create as well.
    if event["verb"] == "patch" and event["responseStatus"]["code"] == 201:
        yield Grant("create", target.get("apiGroup", ""), resource)


@pytest.mark.timeout(240, func_only=True)
def test_kserve_may_come_after_hune(cluster: Cluster, tmp_path: Path) -> None:
    kind = ("customresourcedefinition", "inferenceservices.serving.kserve.io")
    definition = json.loads(cluster.kubectl("get", *kind, "--output=json"))
    del definition["status"]
    definition["metadata"] = {"name": kind[1]}
    cluster.kubectl("delete", *kind)
    try:
        with operated(cluster, "hune-early", tmp_path) as operator:
            replica, space = operator.start(), operator.space
            space.deploy("loans", own_server())
            eventually(lambda: space.condition("loans")["reason"] == "KServeNotInstalled", 60)
            assert "install KServe 0.20 or newer" in space.condition("loans")["message"]
            log = AuditLog(cluster, operator.user)
            space.deploy("houses", own_server())
            eventually(lambda: space.condition("houses")["reason"] == "KServeNotInstalled", 60)
            # Meanwhile nothing is tried again and again with the one that has been told.
            assert log.writes(lambda write: write.name.startswith("loans")) == []
            cluster.apply(definition)
            space.wait_ready("loans", "houses", seconds=90)
            assert replica.is_running()
    finally:
        cluster.apply(definition)
