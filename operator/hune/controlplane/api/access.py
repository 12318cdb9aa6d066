"""Who may ask a ModelDeployment."""

from enum import StrEnum

from pydantic import Field

from hune.contract import access
from hune.controlplane.api.base import Api


class AccessMode(StrEnum):
    """How callers are chosen."""

    AUTHORIZED = access.AUTHORIZED
    AUTHENTICATED = access.AUTHENTICATED
    OPEN = access.OPEN


class Access(Api):
    """Who may ask."""

    mode: AccessMode = Field(
        default=AccessMode.AUTHORIZED,
        description=(
            "Authorized: whose token for the audience hune.dev has the RBAC verb predict on this "
            "ModelDeployment. Authenticated: everybody with such a token. Open: everybody who "
            "reaches it. A change is in force within seconds and makes no new revision."
        ),
    )
