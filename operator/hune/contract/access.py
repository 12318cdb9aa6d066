"""Who may ask a model: what guards and the authorizer say to each other, and its settings."""

import re
from dataclasses import dataclass, field
from typing import Final

AUTHORIZED: Final = "Authorized"
AUTHENTICATED: Final = "Authenticated"
OPEN: Final = "Open"
MODES: Final = (AUTHORIZED, AUTHENTICATED, OPEN)

PREDICT: Final = "predict"
EXPLAIN: Final = "explain"
FEEDBACK: Final = "feedback"
VERBS: Final = (PREDICT, EXPLAIN, FEEDBACK, "observe")
RESOURCE: Final = "modeldeployments"

AUTHORIZE_PATH: Final = "/v1/authorize"
# A token signed with RSA and with many claims has some 2 KiB.
MAXIMUM_TOKEN_LENGTH: Final = 16 << 10
# The ServiceAccount through which a person asks who names none.
DEFAULT_CALLER: Final = "hune-caller"

_ADDRESS: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?:[0-9]{1,5}")
_MAXIMUM_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """What a guard is told about access.

    What is absent closes: without a mode it is `Authorized`, and without an authorizer nobody
    can be authorised.

    Attributes:
        mode: `Authorized`, `Authenticated` or `Open`.
        authorizer: Host and port of the authorizer; empty where there is none.
    """

    mode: str = AUTHORIZED
    authorizer: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What a guard asks the authorizer.

    Attributes:
        token: The caller's bearer token; it appears in no text about the question.
        namespace: Namespace of the ModelDeployment.
        deployment: Its name.
        verb: What the caller wants to do: predict, explain, feedback or observe.
        mode: `Authorized`, or `Authenticated` for whom every known caller may do it.
    """

    token: str = field(repr=False)
    namespace: str
    deployment: str
    verb: str
    mode: str = AUTHORIZED


@dataclass(frozen=True, slots=True)
class Decision:
    """What the authorizer answers.

    Attributes:
        allowed: Whether the caller may do it.
        authenticated: Whether the token is genuine and meant for Hune.
        user: Whose token it is; empty for nobody's.
        reason: Why not, for a person; empty where it is allowed.
    """

    allowed: bool
    authenticated: bool
    user: str = ""
    reason: str = ""


def split_address(address: str) -> tuple[str, int]:
    """Return host and port of `host:port`.

    Raises:
        ValueError: It is none.
    """
    host, _, port = address.rpartition(":")
    if not _ADDRESS.fullmatch(address) or not 0 < int(port) <= _MAXIMUM_PORT:
        raise ValueError(f"{address!r} is no host and port, as in hune-authorizer.hune-system:8080")
    return host, int(port)


def missing_rule(deployment: str, verb: str) -> str:
    """Return the RBAC rule that gives a right on a deployment, as it stands in a Role."""
    return (
        f"{{apiGroups: [hune.dev], resources: [{RESOURCE}], resourceNames: [{deployment}],"
        f" verbs: [{verb}]}}"
    )
