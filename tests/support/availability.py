"""A client in the cluster that asks a model throughout, whatever happens meanwhile."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hune.contract.access import DEFAULT_CALLER
from hune.controlplane.cluster import resources
from tests.support import availability_client
from tests.support.eventually import eventually
from tests.support.pod import TOKEN_FILE, build_pod
from tests.support.space import Space

_NAME = "client"
_STOP = "import os, signal; os.kill(1, signal.SIGTERM)"


@dataclass(frozen=True)
class Report:
    """What the client got so far.

    Attributes:
        sent: Requests of the kept-alive and of the fresh connections.
        closes: How often a server announced the end of a connection.
        slowest: Seconds of the slowest request.
        versions: Answers by model version.
        failures: When and why; a refused, reset or broken connection too.
        done: Whether this is the last word.
    """

    sent: Mapping[str, int]
    closes: Mapping[str, int]
    slowest: float
    versions: Mapping[str, int]
    failures: list[Mapping[str, str]]
    done: bool


class Client:
    """The client's pod."""

    def __init__(self, space: Space) -> None:
        self._space = space

    def report(self) -> Report | None:
        """Return the latest report; None before the first one."""
        path = f"{resources.POD.path(self._space.name, _NAME)}/log?tailLines=1"
        answer = self._space.api.call("GET", path)
        return Report(**json.loads(answer.text)) if answer.ok and answer.text else None

    def has_seen(self, version: str, times: int = 1) -> bool:
        """Tell whether a model version answered so often."""
        report = self.report()
        return report is not None and report.versions.get(version, 0) >= times

    def stop(self) -> Report:
        """Have it finish its requests and return its last word."""
        command = ("exec", _NAME, "-n", self._space.name, "--", "python3", "-c", _STOP)
        self._space.cluster.kubectl(*command)
        eventually(lambda: (report := self.report()) and report.done, 60, 0.25)
        report = self.report()
        assert report is not None
        return report


@contextmanager
def asking(space: Space, deployment: str, request: Mapping[str, Any]) -> Iterator[Client]:
    """Ask a deployment from a pod of the namespace's usual caller, throughout the block."""
    script = Path(availability_client.__file__).read_text()
    data = {"client.py": script, "request.json": json.dumps(request)}
    environment = {
        "TARGET": f"{deployment}.{space.name}.svc.cluster.local",
        "TARGET_PATH": f"/v2/models/{deployment}/infer",
        "REQUEST": "/etc/script/request.json",
        "TOKEN": TOKEN_FILE,
    }
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": _NAME}, "data": data}
    space.apply(config, build_pod(_NAME, "client.py", environment, DEFAULT_CALLER))
    client = Client(space)
    try:
        eventually(lambda: client.report() is not None, 60, 0.25)
        yield client
    finally:
        space.api.delete(resources.POD, space.name, _NAME, grace=0)
