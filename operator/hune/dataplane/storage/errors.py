"""The one error of the initializer."""

from typing import Literal

from hune.contract.refusal import Refusal

Reason = Literal[
    "DigestMismatch", "SourceNotFound", "AccessDenied", "SourceUnreachable", "SourceInvalid"
]


class RefusedError(Exception):
    """The artefact must not be loaded.

    Attributes:
        found: What was found, without advice.
        refusal: What to tell the operator and, through it, the user.
    """

    def __init__(self, reason: Reason, uri: str, found: str, advice: str) -> None:
        shown = redact(uri)
        self.found = f"{shown}: {found}"
        self.refusal = Refusal(reason, shown, f"{self.found}; {advice}")
        super().__init__(self.refusal.message)


def redact(uri: str) -> str:
    """Return the uri without user and password, and a link without its query (signed links)."""
    scheme, mark, rest = uri.partition("://")
    place, slash, path = rest.partition("/")
    if scheme in {"http", "https"}:
        path = path.partition("?")[0].partition("#")[0]
    return scheme + mark + place.rpartition("@")[2].partition("?")[0] + slash + path
