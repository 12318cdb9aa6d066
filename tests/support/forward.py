"""A port of the cluster on this machine, as `kubectl port-forward` gives it to a person."""

import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster import Cluster
from tests.support.eventually import eventually


@contextmanager
def forwarded(cluster: Cluster, namespace: str, target: str, port: int) -> Iterator[int]:
    """Forward a free port of this machine to a pod or service; yield its number."""
    words: list[str | Path] = [cluster.binaries / "kubectl", f"--kubeconfig={cluster.kubeconfig}"]
    words += ["-n", namespace, "port-forward", target, f":{port}"]
    with (
        tempfile.NamedTemporaryFile("w") as output,
        subprocess.Popen(words, stdout=output, stderr=output) as process,
    ):
        log = Path(output.name)
        try:
            yield eventually(lambda: _local_port(log), 30, seen=log.read_text)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)


def _local_port(log: Path) -> int:
    found = re.search(r"127\.0\.0\.1:(\d+)", log.read_text())
    return int(found[1]) if found else 0
