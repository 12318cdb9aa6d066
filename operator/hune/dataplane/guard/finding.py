"""What a check of the guard says about the rows of one request."""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from hune.dataplane.guard.answers import Header
from hune.dataplane.wire.table import Table


class Finding(Struct, frozen=True):
    """One check's verdict on one request.

    Attributes:
        note: What is said beside the prediction; keys without Hune's prefix. Lists are one entry
            per row or per flagged row; V2 has no lists in `parameters` and gets them as text.
        headers: The short form, for those who do not read bodies.
        rejected: Why the request must not be answered; empty when it may.
    """

    note: Mapping[str, object] = {}
    headers: tuple[Header, ...] = ()
    rejected: str = ""


class Check(Protocol):
    """Looks at the rows of a request; holds nothing between two of them but counters."""

    def inspect(self, table: Table) -> Finding:
        """Return what is to be said; a fault of the check itself is an exception."""
