"""What the API server's audit log says that somebody wrote."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.cluster import Cluster


@dataclass(frozen=True)
class Write:
    """One write, refused ones too."""

    user: str
    agent: str
    verb: str
    resource: str
    namespace: str
    name: str
    code: int


class AuditLog:
    """The writes since a mark."""

    def __init__(self, cluster: Cluster, user: str) -> None:
        self._path = cluster.audit_log
        self._user = user
        self._mark = 0
        self.mark()

    def mark(self) -> None:
        """Count from here."""
        self._mark = self._path.stat().st_size

    def writes(self, wanted: Callable[[Write], bool] = lambda _: True) -> list[Write]:
        """Return the user's writes since the mark; Lease renewals and Events are not among them."""
        with self._path.open("rb") as file:
            file.seek(self._mark)
            # The last line may be half written.
            found = [_parse(line) for line in file if line.endswith(b"\n") and self._is_ours(line)]
        return [
            write
            for write in found
            if write.user == self._user
            and write.resource not in {"leases", "events"}
            and wanted(write)
        ]

    def _is_ours(self, line: bytes) -> bool:
        return self._user.encode() in line


def _parse(line: bytes) -> Write:
    event = json.loads(line)
    target = event.get("objectRef", {})
    resource = "/".join(filter(None, (target.get("resource"), target.get("subresource"))))
    return Write(
        event["user"]["username"],
        event.get("userAgent", ""),
        event["verb"],
        resource,
        target.get("namespace", ""),
        target.get("name", ""),
        event.get("responseStatus", {}).get("code", 0),
    )
