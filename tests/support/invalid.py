"""Files that must be refused, each with the words it must be refused with.

The first lines of a file say: `# expect:` part of the API server's message; `# python:` part of
the message of `hune render`, `same`, or `server-only` where Python cannot know.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from hune.controlplane.api.modelversion import ModelVersionSpec
from hune.controlplane.errors import describe
from hune.controlplane.plan.problem import Problem
from hune.controlplane.plan.resolve import parse_spec

FOLDER = Path(__file__).resolve().parents[1] / "invalid"


@dataclass(frozen=True)
class Invalid:
    """One file.

    Attributes:
        file: Where it is.
        expected: Part of the API server's message.
        python: Part of Python's message; None where only the server can refuse.
    """

    file: Path
    expected: str
    python: str | None

    @property
    def is_edit(self) -> bool:
        """Whether the object itself is fine, and only changing the existing one to it is not."""
        return "-edit-" in self.file.name

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = yaml.safe_load(self.file.read_text())
        return document


def files() -> list[Invalid]:
    return [_read(file) for file in sorted(FOLDER.glob("*.yaml"))]


def refusal(document: dict[str, Any]) -> str:
    """Return what Python has against a document; nothing when it is fine."""
    if document["kind"] == "ModelVersion":
        try:
            ModelVersionSpec.model_validate(document["spec"])
        except ValidationError as error:
            return describe(error, "spec")
        return ""
    spec = parse_spec(document)
    return spec.message if isinstance(spec, Problem) else ""


def _read(file: Path) -> Invalid:
    first, second, *_ = file.read_text().split("\n")
    expected = first.removeprefix("# expect: ")
    said = second.removeprefix("# python: ")
    python = {"same": expected, "server-only": None}.get(said, said)
    return Invalid(file, expected, python)
