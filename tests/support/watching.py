"""A real Prometheus in a cluster of ours, which reads the guards of one deployment."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hune.controlplane.cluster import resources
from tests.support import monitoring, prometheus
from tests.support.eventually import eventually
from tests.support.prometheus import Prometheus
from tests.support.space import Space

_PORT = 19090
OBSTACLE = "Prometheus runs in the cluster's network, which is ours to enter only here"


@contextmanager
def watching(
    space: Space, name: str, rules: Mapping[str, Any], folder: Path
) -> Iterator[Prometheus]:
    """Have a Prometheus with some rules and the shipped scrape's labels; it sees the guards.

    Args:
        space: The namespace.
        name: A ModelDeployment whose pods are there.
        rules: A rule file.
        folder: Where it may write.
    """
    pods = space.find(resources.POD, deployment=name)
    targets = [target for pod in pods for target in monitoring.discovered(pod)]
    scrape = monitoring.build_static_scrape(targets)
    file = prometheus.write_configuration(folder, [scrape], rules)
    address = f"{space.cluster.node_ip}:{_PORT}"
    process = space.cluster.start_process("prometheus", prometheus.command(file, address))
    try:
        found = Prometheus(f"http://{address}")
        eventually(found.is_ready, seen=process.last_lines)
        eventually(lambda: [t for t in found.targets() if t["health"] == "up"], 60, 0.5)
        yield found
    finally:
        process.remove()
