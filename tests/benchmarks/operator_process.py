"""The operator as a process under a ServiceAccount of its own, measured from outside."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import yaml

from tests.cluster import Cluster

NAMESPACE = "hune-system"
ACCOUNT = "hune-benchmark"
_MANIFEST = f"""
apiVersion: v1
kind: Namespace
metadata: {{name: {NAMESPACE}}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: {ACCOUNT}, namespace: {NAMESPACE}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: {ACCOUNT}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}}
subjects: [{{kind: ServiceAccount, name: {ACCOUNT}, namespace: {NAMESPACE}}}]
"""


class OperatorProcess:
    """Starts, measures and stops `hune run`."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self._cluster = cluster
        self._log = folder / "operator.log"
        self._kubeconfig = folder / "operator.kubeconfig"
        self._process: subprocess.Popen[bytes] | None = None
        cluster.kubectl("apply", "-f", "-", text=_MANIFEST)
        self._write_kubeconfig()

    @property
    def user(self) -> str:
        """Return the name under which the audit log knows it."""
        return f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"

    def start(self) -> None:
        """Start it."""
        # As in the image: one malloc arena.
        environment = os.environ | {"KUBECONFIG": str(self._kubeconfig), "MALLOC_ARENA_MAX": "1"}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "hune.cli.main", "run", "--port", "0"],
                env=environment,
                stderr=log,
                stdout=log,
            )

    def stop(self) -> None:
        """Stop it as kubelet would, and wait."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(30)
            self._process = None

    def restart(self) -> None:
        """Stop it and start it again."""
        self.stop()
        self.start()

    def alive(self) -> bool:
        """Tell whether it still runs."""
        return self._process is not None and self._process.poll() is None

    def memory(self) -> tuple[float, float]:
        """Return its resident set now and at its peak, in MiB."""
        assert self._process is not None
        return memory_of(self._process.pid)

    def cpu_seconds(self) -> float:
        """Return the processor time it has used."""
        assert self._process is not None
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _write_kubeconfig(self) -> None:
        config = yaml.safe_load(self._cluster.kubeconfig.read_text())
        token = self._cluster.kubectl(
            "create", "token", ACCOUNT, "-n", NAMESPACE, "--duration", "24h"
        ).strip()
        for user in config["users"]:
            user["user"] = {"token": token}
        self._kubeconfig.write_text(yaml.safe_dump(config))


def memory_of(pid: int) -> tuple[float, float]:
    """Return a process's resident set now and at its peak, in MiB."""
    fields = dict(
        line.split(":", 1)
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("Vm")
    )
    now, peak = (int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return now, peak
