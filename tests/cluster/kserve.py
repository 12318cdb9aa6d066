"""KServe, installed from its own module's manifests, without the parts that Hune does not use."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.cluster import binaries, certificates
from tests.cluster.cluster import Cluster
from tests.cluster.command import ClusterError
from tests.cluster.controlplane import kubeconfig_of
from tests.cluster.process import wait_for
from tests.cluster.progress import step

NAMESPACE = "kserve"
WEBHOOK = f"kserve-webhook-server-service.{NAMESPACE}.svc"
DEPLOYMENT = "kserve-controller-manager"
# The parts for large language models and for caches on nodes, by what their names contain.
UNUSED_NAMES = ("llm", "localmodel", "kserve-proxy")
UNUSED_KINDS = {"CustomResourceDefinition", "DaemonSet", "Certificate", "Issuer"}
# The shipped requests, one CPU and two GiB per model, would leave room for one model on two cores.
REQUESTS = {"cpu": "50m", "memory": "128Mi"}
LIMITS = {"cpu": "1", "memory": "2Gi"}


def install_kinds(cluster: Cluster) -> None:
    """Install the kinds of KServe and of the Gateway API and wait until they are served."""
    folders = [binaries.files("kserve", "kserve-crds.yaml"), *_gateway_files()]
    with step("KServe's and the Gateway API's kinds"):
        files = [f"--filename={path}" for path in folders]
        # Checking megabytes of definitions against themselves would double the time this takes.
        cluster.kubectl("create", "--validate=false", *files)
        cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")


def install(cluster: Cluster) -> None:
    """Install the controller as a Deployment, or as a program where there is no node."""
    pki = cluster.state / "pki"
    address = f",IP:{cluster.node_ip}" if cluster.network else ""
    certificates.issue(pki, "webhook", "/CN=kserve", f"DNS:{WEBHOOK}{address}")
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    cluster.apply(namespace)
    cluster.apply(*_controller(cluster))
    if not cluster.has_node:
        _start_program(cluster)


def install_runtimes(cluster: Cluster) -> None:
    """Wait for the controller, whose webhook checks them, and install all shipped runtimes."""
    with step("KServe ready"):
        wait_for("KServe's controller", lambda: _is_ready(cluster), 180, _processes(cluster))
        shipped = _read(binaries.files("kserve", "kserve-cluster-resources.yaml"))
        kinds = {"ClusterServingRuntime", "ClusterStorageContainer"}
        runtimes = [_small(document) for document in shipped if document["kind"] in kinds]
        wait_for("KServe's webhook", lambda: _accepts(cluster, runtimes), 60, _processes(cluster))


def _gateway_files() -> list[Path]:
    folder = binaries.files("gateway-api", "")
    return [file for file in sorted(folder.glob("*.yaml")) if file.name != "kustomization.yaml"]


def _read(file: Path) -> Iterator[dict[str, Any]]:
    """Read the objects of a manifest; the definitions of kinds, megabytes of it, stay unread."""
    for text in file.read_text().split("\n---\n"):
        if "\nkind: CustomResourceDefinition\n" in text:
            continue
        document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        if document:
            yield document


def _controller(cluster: Cluster) -> Iterator[dict[str, Any]]:
    pki = cluster.state / "pki"
    data = {"tls.crt": pki / "webhook.crt", "tls.key": pki / "webhook.key"}
    yield {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": "kserve-webhook-server-cert", "namespace": NAMESPACE},
        "data": {key: certificates.encode(file) for key, file in data.items()},
    }
    for document in _read(binaries.files("kserve", "kserve.yaml")):
        unused = any(part in document["metadata"]["name"] for part in UNUSED_NAMES)
        if document["kind"] in UNUSED_KINDS or unused:
            continue
        match document["kind"]:
            case "Deployment" if not cluster.has_node:
                continue
            case "Deployment":
                _adapt_deployment(document)
            case "ConfigMap":
                _adapt_configuration(document)
            case "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration":
                _adapt_webhooks(document, cluster)
        yield document


def _adapt_deployment(document: dict[str, Any]) -> None:
    pod = document["spec"]["template"]["spec"]
    pod["containers"] = [each for each in pod["containers"] if each["name"] == "manager"]
    manager = pod["containers"][0]
    manager["imagePullPolicy"] = "IfNotPresent"
    # Shipped with a tenth of a CPU it would take a minute to start.
    manager["resources"] = {"requests": REQUESTS}
    manager["readinessProbe"] |= {"initialDelaySeconds": 1, "periodSeconds": 1}
    manager["readinessProbe"]["failureThreshold"] = 60


def _adapt_configuration(document: dict[str, Any]) -> None:
    data = document["data"]
    data.pop("_example", None)
    ingress = json.loads(data["ingress"])
    ingress |= {"enableGatewayApi": True, "disableIstioVirtualHost": True}
    data["ingress"] = json.dumps(ingress)
    data["deploy"] = json.dumps({"defaultDeploymentMode": "Standard"})
    services = json.loads(data["inferenceService"])
    services["resource"] |= {"cpuRequest": REQUESTS["cpu"], "memoryRequest": REQUESTS["memory"]}
    data["inferenceService"] = json.dumps(services)
    for key in ("storageInitializer", "agent", "router"):
        data[key] = json.dumps(json.loads(data[key]) | {"cpuRequest": "10m"})


def _adapt_webhooks(document: dict[str, Any], cluster: Cluster) -> None:
    authority = certificates.encode(cluster.state / "pki" / "ca.crt")
    document["metadata"].pop("annotations", None)
    for webhook in document["webhooks"]:
        client = webhook["clientConfig"]
        client["caBundle"] = authority
        if not cluster.has_node:
            path = client.pop("service")["path"]
            client["url"] = f"https://{cluster.node_ip}:9443{path}"


def _start_program(cluster: Cluster) -> None:
    temporary = cluster.state / "kserve"
    # The controller looks for its certificate in a fixed folder under TMPDIR.
    serving = temporary / "k8s-webhook-server" / "serving-certs"
    serving.mkdir(parents=True, exist_ok=True)
    for ending in ("crt", "key"):
        source = cluster.state / "pki" / f"webhook.{ending}"
        (serving / f"tls.{ending}").write_bytes(source.read_bytes())
    environment = {
        "KUBECONFIG": kubeconfig_of(cluster, "kserve"),
        "TMPDIR": str(temporary),
        "POD_NAMESPACE": NAMESPACE,
        "SECRET_NAME": "kserve-webhook-server-cert",
    }
    arguments = ["--metrics-addr=127.0.0.1:8080", "--health-probe-addr=127.0.0.1:8081"]
    cluster.start_process("kserve", ["manager", *arguments], environment)


def _processes(cluster: Cluster) -> list[Any]:
    return [] if cluster.has_node else [cluster.process("kserve")]


def _is_ready(cluster: Cluster) -> bool:
    if cluster.has_node:
        query = "jsonpath={.status.readyReplicas}"
        get = ("get", "deployment", DEPLOYMENT, f"--namespace={NAMESPACE}", "-o", query)
        return cluster.kubectl(*get) == "1"
    return cluster.in_namespace("curl", "-sf", "127.0.0.1:8081/readyz").returncode == 0


def _accepts(cluster: Cluster, runtimes: list[dict[str, Any]]) -> bool:
    """Apply the runtimes; the webhook's address may take a moment to be known everywhere."""
    try:
        cluster.apply(*runtimes)
    except ClusterError:
        return False
    return True


def _small(document: dict[str, Any]) -> dict[str, Any]:
    for container in document["spec"].get("containers", ()):
        container["resources"] = {"requests": REQUESTS, "limits": LIMITS}
    return document
