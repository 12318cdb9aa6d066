"""The operator as a process, with the rights and settings that the chart gives it."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from hune.controlplane.cluster import resources
from tests.cluster import Cluster
from tests.support.chart import of_kind, operator_settings, render
from tests.support.install import ROOT
from tests.support.space import Space, namespace

ACCOUNT = "hune-operator"
LEASE_SECONDS = 4
RETIRE_SECONDS = 3
_RIGHTS = ("ServiceAccount", "Role", "RoleBinding")


class Replica:
    """One process."""

    def __init__(self, command: list[str], environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command, env=os.environ | environment, stdout=output, stderr=output
            )

    @property
    def pid(self) -> int:
        """Return its process id, by which the Lease tells replicas of one host apart."""
        return self._process.pid

    def is_running(self) -> bool:
        """Tell whether it has not ended."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End it as kubelet would."""
        self._process.terminate()
        self._process.wait(30)

    def kill(self) -> None:
        """End it at once, as a lost node would."""
        self._process.kill()
        self._process.wait(30)


class Operator:
    """Replicas that act in one namespace, where their Lease is too."""

    def __init__(self, space: Space, folder: Path, values: Mapping[str, Any]) -> None:
        self.space = space
        self.user = f"system:serviceaccount:{space.name}:{ACCOUNT}"
        self._folder = folder
        self._replicas: list[Replica] = []
        documents = render(
            {
                "watch": {"namespaces": [space.name]},
                "storage": {"clusterStorageContainer": {"enabled": False}},
                "leaseSeconds": LEASE_SECONDS,
                "retireAfterSeconds": RETIRE_SECONDS,
                **values,
            },
            space.name,
        )
        space.cluster.apply(*of_kind(documents, *_RIGHTS))
        (folder / "settings.yaml").write_text(operator_settings(documents))
        self._write_kubeconfig()

    def start(self) -> Replica:
        """Start another replica."""
        command = [sys.executable, "-m", "hune.cli.main", "run", "--port", "0"]
        command += ["--config", str(self._folder / "settings.yaml")]
        environment = {
            "KUBECONFIG": str(self._folder / "kubeconfig"),
            "PYTHONPATH": str(ROOT / "operator"),
        }
        log = self._folder / f"operator-{len(self._replicas)}.log"
        self._replicas.append(Replica(command, environment, log))
        return self._replicas[-1]

    def stop(self) -> None:
        """End all replicas."""
        for replica in self._replicas:
            replica.stop()

    def leader(self) -> int:
        """Return the process id of the replica that holds the Lease; 0 while none does."""
        lease = self.space.get(resources.LEASE, ACCOUNT) or {}
        holder = lease.get("spec", {}).get("holderIdentity", "")
        return int(holder.rpartition("-")[2] or 0)

    def _write_kubeconfig(self) -> None:
        cluster = self.space.cluster
        words = ("create", "token", ACCOUNT, "-n", self.space.name, "--duration=4h")
        config = yaml.safe_load(cluster.kubeconfig.read_text())
        for user in config["users"]:
            user["user"] = {"token": cluster.kubectl(*words).strip()}
        (self._folder / "kubeconfig").write_text(yaml.safe_dump(config))


@contextmanager
def operated(
    cluster: Cluster, name: str, folder: Path, values: Mapping[str, Any] | None = None
) -> Iterator[Operator]:
    """Have a namespace in which an operator of the test's own acts; none is started yet."""
    with namespace(cluster, name) as space:
        operator = Operator(space, folder, values or {})
        try:
            yield operator
        finally:
            operator.stop()


def own_server(**serving: Any) -> dict[str, Any]:
    """Return the spec of a deployment that needs no storage."""
    return {"serving": {"container": {"image": "example.org/server:1"}, **serving}}
