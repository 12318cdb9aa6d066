"""Whose token it is and what its owner may do, as the API server knows it."""

from dataclasses import dataclass
from typing import Any

from hune.contract import access, names
from hune.controlplane.cluster import resources
from hune.controlplane.cluster.client import Client


@dataclass(frozen=True, slots=True)
class User:
    """Whom a token belongs to; all of it counts when a right is looked up.

    Attributes:
        name: User name, as in an RBAC subject.
        uid: Identifier that outlives no re-creation; empty where there is none.
        groups: Groups.
        extra: What else the authenticator says.
    """

    name: str
    uid: str
    groups: tuple[str, ...]
    extra: dict[str, list[str]]


async def review_token(client: Client, token: str) -> User | None:
    """Return whose token it is; None where it is nobody's or not meant for Hune.

    Raises:
        ApiError: The API server did not say.
    """
    spec = {"token": token, "audiences": [names.TOKEN_AUDIENCE]}
    status = await client.review(resources.TOKEN_REVIEW, spec)
    # An authenticator that knows no audiences answers without them, and then the token may have
    # been handed out for anything.
    if not status.get("authenticated") or names.TOKEN_AUDIENCE not in status.get("audiences", []):
        return None
    user: dict[str, Any] = status["user"]
    groups = tuple(user.get("groups") or ())
    return User(user["username"], user.get("uid", ""), groups, user.get("extra") or {})


async def review_access(
    client: Client, user: User, namespace: str, deployment: str, verb: str
) -> bool:
    """Tell whether a user has a right on a ModelDeployment.

    Raises:
        ApiError: The API server did not say.
    """
    spec = {
        "user": user.name,
        "uid": user.uid,
        "groups": list(user.groups),
        "extra": user.extra,
        "resourceAttributes": {
            "group": names.GROUP,
            "version": names.VERSION,
            "resource": access.RESOURCE,
            "namespace": namespace,
            "name": deployment,
            "verb": verb,
        },
    }
    status = await client.review(resources.ACCESS_REVIEW, spec)
    return bool(status.get("allowed")) and not status.get("denied")
