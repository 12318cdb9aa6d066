"""A model's place on a PersistentVolumeClaim, reached through a short-lived pod."""

import io
import secrets
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kubernetes import client, watch
from kubernetes.stream import stream

from hune.cli.artefact import Artefact
from hune.cli.errors import UserError
from hune.contract import names

_MOUNT = "/mnt/claim"
_PYTHON = "/opt/hune/bin/python"
_USER = 65532
_START_SECONDS = 180
_STDERR = 2


@dataclass(frozen=True, slots=True)
class Claim:
    """Where an artefact lies, or will lie, on a claim.

    Attributes:
        artefact: The model's files.
        api: The cluster.
        namespace: Namespace of the claim.
        pod: The pod that has it mounted.
    """

    artefact: Artefact
    api: client.ApiClient
    namespace: str
    pod: str

    def find_digest(self) -> str | None:
        """Return the digest of what is stored; None where nothing is.

        Raises:
            UserError: It cannot be read.
        """
        status, output, problem = self._run("digest")
        if status == 0:
            return output.strip()
        if "SourceNotFound" in problem:
            return None
        raise UserError(problem.strip())

    def store(self) -> None:
        """Replace what lies there by the artefact.

        Raises:
            UserError: The claim does not let us.
        """
        status, _, problem = self._run("receive", lambda write: pack(self.artefact, write))
        if status != 0:
            raise UserError(f"{self.artefact.uri}: it cannot be written: {problem.strip()}")

    def _run(
        self, mode: str, feed: Callable[[Callable[[bytes], object]], None] | None = None
    ) -> tuple[int, str, str]:
        _, path = split(self.artefact.uri)
        module = [_PYTHON, "-m", "hune.dataplane.storage"]
        connection: Any = stream(
            client.CoreV1Api(self.api).connect_get_namespaced_pod_exec,
            self.pod,
            self.namespace,
            command=[*module, mode, self.artefact.uri, f"{_MOUNT}/{path}"],
            stdin=feed is not None,
            stdout=True,
            stderr=True,
            _preload_content=False,
        )
        if feed is not None:
            feed(connection.write_stdin)
        connection.run_forever()
        problem = connection.read_channel(_STDERR)
        return connection.returncode, connection.read_stdout(), problem


@contextmanager
def mounted(
    api: client.ApiClient, artefact: Artefact, namespace: str, image: str
) -> Iterator[Claim]:
    """Yield the claim, mounted in a pod that is removed afterwards.

    Raises:
        UserError: The pod does not start; the message has the cluster's reason.
    """
    core = client.CoreV1Api(api)
    name = f"hune-register-{secrets.token_hex(4)}"
    claim, _ = split(artefact.uri)
    # Asked for first: a pod would wait for it until somebody makes it.
    core.read_namespaced_persistent_volume_claim(claim, namespace)
    pod: Any = build_pod(name, claim, image)  # the client takes plain documents too
    core.create_namespaced_pod(namespace, pod)
    try:
        _wait_until_running(core, namespace, name)
        yield Claim(artefact, api, namespace, name)
    finally:
        core.delete_namespaced_pod(name, namespace, grace_period_seconds=0)


def split(uri: str) -> tuple[str, str]:
    """Split `pvc://claim/path`.

    Raises:
        UserError: The path is missing: a claim's root cannot be replaced at once.
    """
    claim, _, path = uri.removeprefix("pvc://").partition("/")
    if not claim or not path:
        raise UserError(f"--to {uri}: name a directory in the claim: pvc://CLAIM/DIRECTORY")
    return claim, path


def build_pod(name: str, claim: str, image: str) -> dict[str, Any]:
    """Return the pod that reaches the claim; it fits a namespace that enforces `restricted`."""
    wait = "import signal; signal.sigwait([signal.SIGTERM])"
    container = {
        "name": "claim",
        "image": image,
        "command": [_PYTHON, "-c", wait],
        "resources": {
            "requests": {"cpu": "50m", "memory": "64Mi"},
            "limits": {"cpu": "1", "memory": "256Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [{"name": "claim", "mountPath": _MOUNT}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {names.LABEL_MANAGED_BY: "hune-register"}},
        "spec": {
            # Should this program be killed, the pod ends by itself.
            "activeDeadlineSeconds": 3600,
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": _USER,
                "runAsGroup": _USER,
                "fsGroup": _USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": [{"name": "claim", "persistentVolumeClaim": {"claimName": claim}}],
        },
    }


def _wait_until_running(core: client.CoreV1Api, namespace: str, name: str) -> None:
    seen = "not scheduled"
    events = watch.Watch().stream(  # type: ignore[no-untyped-call]
        core.list_namespaced_pod,
        namespace,
        field_selector=f"metadata.name={name}",
        timeout_seconds=_START_SECONDS,
    )
    for event in events:
        status = event["object"].status
        if status.phase == "Running":
            return
        seen = _obstacle(status) or seen
        if status.phase in {"Failed", "Succeeded"}:
            break
    raise UserError(f"the pod that reaches the claim does not start: {seen}")


def _obstacle(status: Any) -> str:
    waiting = [s.state.waiting for s in status.container_statuses or [] if s.state.waiting]
    told: Sequence[Any] = [*waiting, *(c for c in status.conditions or [] if c.status == "False")]
    return "; ".join(f"{one.reason}: {one.message}" for one in told if one.message)


def pack(artefact: Artefact, write: Callable[[bytes], object]) -> None:
    """Write the artefact as the tar stream that the initializer's `receive` reads."""
    with tarfile.open(fileobj=_Pipe(write), mode="w|") as archive:
        for name, path in sorted(artefact.files.items()):
            member = tarfile.TarInfo(name)
            member.size = path.stat().st_size
            with path.open("rb") as content:
                archive.addfile(member, content)


class _Pipe(io.RawIOBase):
    """A file whose every write is one message."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        super().__init__()
        self._write = write

    def write(self, content: Any) -> int:
        self._write(bytes(content))
        return len(content)
