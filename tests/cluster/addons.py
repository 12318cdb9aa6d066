"""What the node runs for itself: DNS, gateway and storage class."""

from pathlib import Path

from tests.cluster.cluster import Cluster
from tests.cluster.progress import step

FOLDER = Path(__file__).parent / "manifests"
DEPLOYMENTS = {"kube-system": ("coredns", "traefik"), "local-path-storage": ("local-path",)}


def install(cluster: Cluster, *names: str) -> None:
    """Apply manifests of ours."""
    texts = [(FOLDER / f"{name}.yaml").read_text() for name in names]
    text = "\n---\n".join(texts).replace("$STATE", str(cluster.state))
    cluster.kubectl("apply", "--server-side", "--validate=false", "-f", "-", text=text)


def wait(cluster: Cluster) -> None:
    """Wait until they are available."""
    with step("DNS, gateway and storage class ready"):
        for namespace, names in DEPLOYMENTS.items():
            deployments = [f"deployment/{name}" for name in names]
            options = [f"--namespace={namespace}", "--timeout=120s"]
            cluster.kubectl("wait", "--for=condition=Available", *options, *deployments)
