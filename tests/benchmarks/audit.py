"""Writes, counted from the API server's audit log."""

import json
from collections import Counter
from pathlib import Path


class Log:
    """An audit log from a point in time on."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._offset = file.stat().st_size
        self._counts: dict[str, Counter[str]] = {}

    def writes(self, user: str) -> Counter[str]:
        """Return a user's writes so far, by resource with its subresource."""
        self._read()
        return Counter(self._counts.get(user, {}))

    def _read(self) -> None:
        with self._file.open("rb") as stream:
            stream.seek(self._offset)
            for line in stream:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                self._count(json.loads(line))

    def _count(self, entry: dict[str, dict[str, str]]) -> None:
        reference = entry.get("objectRef", {})
        resource = reference.get("resource", "")
        sub = reference.get("subresource")
        counted = self._counts.setdefault(entry["user"]["username"], Counter())
        counted[f"{resource}/{sub}" if sub else resource] += 1
