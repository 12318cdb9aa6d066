"""A running cluster, as tests, benchmarks and the demo see it."""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import binaries, fakenodes
from tests.cluster.command import ClusterError, run
from tests.cluster.network import Network
from tests.cluster.process import Process, recorded

STATES = Path("/var/lib/hune")
NODE = "hune"
CONTROL_PLANE = "hune-apiserver"


@dataclass(frozen=True)
class Cluster:
    """A cluster that runs.

    Attributes:
        name: Its name, also of its network namespace.
        kubeconfig: The administrator's.
        network: Its network; None for a cluster that we did not make.
        has_node: Whether real pods run in it.
    """

    name: str
    kubeconfig: Path
    network: Network | None = None
    has_node: bool = True

    @property
    def state(self) -> Path:
        """Return the folder with its data, logs and process records; not in memory: images."""
        return STATES / self.name

    @property
    def binaries(self) -> Path:
        """Return the folder with kubectl, helm, rclone and all other programs."""
        if self.network:
            return self.state / "bin"
        kubectl = shutil.which("kubectl")
        if not kubectl:
            raise ClusterError("kubectl is not on PATH")
        return Path(kubectl).parent

    @property
    def audit_log(self) -> Path:
        """Return the API server's log of every write, one JSON object per line."""
        return self.state / "audit.log"

    @property
    def node_ip(self) -> str:
        """Return the address of API server, node and gateway, reachable from this machine."""
        return self.own_network.node_ip

    @property
    def namespace(self) -> Path:
        """Return the file of its network namespace."""
        return self.own_network.path

    @property
    def gateway(self) -> str:
        """Return the URL of the gateway; routes are told apart by the Host header."""
        return f"http://{self.node_ip}:8000"

    @property
    def own_network(self) -> Network:
        """Return its network, which only a cluster of our own has."""
        if self.network is None:
            raise ClusterError(f"{self.kubeconfig} is not a cluster of ours: it has no namespace")
        return self.network

    def kubectl(self, *arguments: str | Path, text: str | None = None) -> str:
        """Run kubectl and return what it printed."""
        kubectl = self.binaries / "kubectl"
        return run([kubectl, f"--kubeconfig={self.kubeconfig}", *arguments], text=text)

    def apply(self, *documents: Mapping[str, object]) -> None:
        """Apply objects on the server's side."""
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": documents})
        # The server checks anyway; kubectl would fetch all schemas each time to do so before it.
        options = ["--server-side", "--force-conflicts", "--validate=false"]
        self.kubectl("apply", *options, "-f", "-", text=text)

    def in_namespace(self, *argv: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command inside the cluster's network, from where pods and services answer."""
        words = self.own_network.enter(argv)
        return subprocess.run(words, capture_output=True, text=True, check=False)

    def add_fake_node(
        self,
        name: str,
        labels: dict[str, str] | None = None,
        taints: Sequence[dict[str, str]] = (),
    ) -> None:
        """Add a node without a machine; pods bound to it look Running and Ready."""
        self.apply(fakenodes.build_node(name, labels or {}, taints))
        self.kubectl("wait", "--for=condition=Ready", f"node/{name}", "--timeout=60s")

    def process(self, name: str) -> Process:
        """Return one of its programs, for tests that stop or restart it."""
        return Process(name, self.state)

    def processes(self) -> list[Process]:
        """Return all its programs, the latest started first."""
        return recorded(self.state)

    def start_process(
        self, name: str, argv: Sequence[str | Path], environment: dict[str, str] | None = None
    ) -> Process:
        """Start one of its programs; a bare program name means one of those we built."""
        program, *arguments = argv
        built = self.binaries / program
        process = self.process(name)
        process.start(
            [built if built.exists() else program, *arguments], self.namespace, environment
        )
        return process

    def answers(self) -> bool:
        """Say whether its API server is ready."""
        try:
            self.kubectl("get", "--raw", "/readyz", "--request-timeout=2s")
        except ClusterError:
            return False
        return True


def own(name: str) -> Cluster | None:
    """Return one of our clusters by name, running or half gone, or None."""
    file = STATES / name / "cluster.json"
    if not file.exists():
        return None
    record = json.loads(file.read_text())
    network = Network(name, record["slot"])
    return Cluster(name, STATES / name / "kubeconfig", network, has_node=record["has_node"])


def all_own() -> list[Cluster]:
    """Return all our clusters."""
    names = [file.parent.name for file in sorted(STATES.glob("*/cluster.json"))]
    return [cluster for cluster in map(own, names) if cluster]


def write_record(cluster: Cluster) -> None:
    """Remember a cluster, before anything of it exists, so that it can always be removed."""
    cluster.state.mkdir(parents=True, exist_ok=True)
    record = {"slot": cluster.own_network.slot, "has_node": cluster.has_node}
    (cluster.state / "cluster.json").write_text(json.dumps(record))
    binaries.link(cluster.binaries)
