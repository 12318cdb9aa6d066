"""Why the initializer refused an artefact, as it travels in a container's termination message."""

import json
import re
from dataclasses import asdict, dataclass, replace
from typing import Final, Self

MAXIMUM_BYTES: Final = 4096
_REASON: Final = re.compile(r"[A-Z][A-Za-z0-9]{0,63}")


@dataclass(frozen=True, slots=True)
class Refusal:
    """One artefact that was not accepted.

    Attributes:
        reason: CamelCase word: DigestMismatch, SourceNotFound, AccessDenied, SourceUnreachable,
            SourceInvalid.
        uri: The artefact's uri as the user wrote it.
        message: What was found, what was wanted and what to do, for a person.
    """

    reason: str
    uri: str
    message: str

    def to_json(self) -> str:
        """Return one line of JSON that fits a termination message (4 KiB)."""
        text = json.dumps({"hune": "refusal", **asdict(self)})
        if len(text.encode()) <= MAXIMUM_BYTES:
            return text
        # An escaped character takes up to twelve bytes, so the longer part is cut until it fits.
        if len(self.message) >= len(self.uri):
            return replace(self, message=self.message[: len(self.message) * 3 // 4]).to_json()
        return replace(self, uri=self.uri[: len(self.uri) * 3 // 4]).to_json()

    @classmethod
    def from_json(cls, text: str) -> Self | None:
        """Return the refusal in a termination message, or None where it is none of ours."""
        try:
            document = json.loads(text)
            if document.pop("hune") != "refusal":
                return None
            refusal = cls(**document)
            # Whoever wrote the message is not trusted to have kept to the types.
            is_text = all(isinstance(value, str) for value in document.values())
            return refusal if is_text and _REASON.fullmatch(refusal.reason) else None
        except (ValueError, AttributeError, KeyError, TypeError):
            return None
