"""Feedback in Seldon's own protocol, made from a V2 request with its reward or its truth."""

import json
from typing import Any, Final

import msgspec

from hune.dataplane.wire.document import Members, read_members
from hune.dataplane.wire.seldon_request import build_seldon_data
from hune.dataplane.wire.tensor import WireError
from hune.dataplane.wire.v2_request import read_v2

FEEDBACK_PATH: Final = "/api/v1.0/feedback"
_REWARD: Final = msgspec.json.Decoder(float)


def build_seldon_feedback(body: bytes) -> bytes:
    """Return what a component's `send_feedback` gets: features, reward and truth.

    Args:
        body: The `inputs` of the request that was answered, with a number `reward`, with tensors
            `truth`, or with both beside them; all of it JSON.

    Raises:
        WireError: It is no such request.
        NotAnObjectError: It is no JSON object.
    """
    members = read_members(body)
    if "reward" not in members and "truth" not in members:
        raise WireError(
            "reward, truth: both are missing; say how good the answer was by the number reward, or"
            " what it should have been by tensors in truth"
        )
    message: dict[str, Any] = {"request": {"data": build_seldon_data(read_v2(body))}}
    if "reward" in members:
        message["reward"] = _read_reward(members)
    if "truth" in members:
        message["truth"] = {"data": _read_truth(members)}
    return json.dumps(message, separators=(",", ":")).encode()


def _read_reward(members: Members) -> float:
    try:
        return _REWARD.decode(members["reward"])
    except msgspec.MsgspecError:
        raise WireError("reward: must be a number") from None


def _read_truth(members: Members) -> dict[str, Any]:
    try:
        return build_seldon_data(read_v2(b'{"inputs":%b}' % bytes(members["truth"])))
    except WireError as error:
        # Of a truth everything is wrong that may be wrong with inputs.
        raise WireError(f"truth: {error}".replace("truth: inputs", "truth", 1)) from None
