"""The host name that KServe makes of a revision: without one it makes no pod, and says little."""

import re

from hune.contract import names
from hune.controlplane.plan.plan import Owner
from hune.controlplane.plan.problem import Problem

_MAXIMUM_LABEL_LENGTH = 63
_ACTION = re.compile(r"\{\{.*?\}\}")
_FIELD = re.compile(r"\.(Name|Namespace)\b")


def check_host_name(owner: Owner, revision: str, template: str) -> Problem | None:
    """Refuse a name of which, with its namespace, KServe can make no host name.

    Args:
        owner: The deployment.
        revision: The revision's name, which has the same length for every revision.
        template: KServe's `ingress.domainTemplate`.
    """
    known = {"Name": revision + names.PREDICTOR_SUFFIX, "Namespace": owner.namespace}

    def render(action: re.Match[str]) -> str:
        field = _FIELD.search(action[0])
        return known[field[1]] if field else ""

    longest = max(_ACTION.sub(render, template).split("."), key=len)
    excess = len(longest) - _MAXIMUM_LABEL_LENGTH
    if excess <= 0:
        return None
    return Problem(
        "NameTooLong",
        f"metadata.name: of {owner.name!r} in namespace {owner.namespace!r} KServe makes the host "
        f"name {longest!r}, {len(longest)} characters where {_MAXIMUM_LABEL_LENGTH} are allowed; "
        f"shorten either name by {excess}",
    )
