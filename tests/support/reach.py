"""Which ports of an address a pod of a namespace reaches."""

import json
from collections.abc import Iterable
from pathlib import Path

from hune.controlplane.cluster import resources
from tests.support import dial
from tests.support.eventually import eventually
from tests.support.pod import build_pod
from tests.support.space import Space


def find_open(space: Space, name: str, address: str, ports: Iterable[int]) -> set[int]:
    """Return the ports that answer to a new pod of this name."""
    script = {"dial.py": Path(dial.__file__).read_text()}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": script}
    environment = {"ADDRESS": address, "PORTS": json.dumps(sorted(ports))}
    space.apply(config, build_pod(name, "dial.py", environment))
    path = f"{resources.POD.path(space.name, name)}/log"

    def said() -> str:
        answer = space.api.call("GET", path)
        return answer.text if answer.ok else ""

    eventually(lambda: said().endswith("}\n"), 60, 0.25, said)
    answers: dict[str, str] = json.loads(said())
    return {int(port) for port, answer in answers.items() if answer == "answers"}
