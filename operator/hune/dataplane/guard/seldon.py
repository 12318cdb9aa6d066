"""A Seldon component as predictor: callers speak V2 to it, it hears and speaks Seldon's own."""

from typing import Final

import msgspec

from hune.contract.guard import GuardSettings
from hune.dataplane.guard.answers import JSON, Problem, json_answer
from hune.dataplane.guard.connection import Hear
from hune.dataplane.guard.environment import Environment
from hune.dataplane.guard.headers import Envelope
from hune.dataplane.guard.memory import Memory
from hune.dataplane.guard.predictor import RemotePredictor
from hune.dataplane.guard.reply import Reply
from hune.dataplane.wire.binary import LENGTH_HEADER, BadLengthError, json_length
from hune.dataplane.wire.document import NotAnObjectError, read_members
from hune.dataplane.wire.seldon_answer import read_failure, translate_answer
from hune.dataplane.wire.seldon_feedback import FEEDBACK_PATH, build_seldon_feedback
from hune.dataplane.wire.seldon_metadata import METADATA_PATH, translate_metadata
from hune.dataplane.wire.seldon_request import PREDICTIONS_PATH, build_seldon_request
from hune.dataplane.wire.tensor import WireError
from hune.dataplane.wire.v2_request import read_v2

_OK: Final = 200
_FAILURES: Final = range(400, 600)
_FOREIGN: Final = (b"content-type:", LENGTH_HEADER + b":")
_SERVER: Final = {"name": "seldon-core", "version": "", "extensions": ["binary_tensor_data"]}


class SeldonPredictor(RemotePredictor):
    """Answers V2 requests with what a component's `/api/v1.0/…` says."""

    def __init__(self, settings: GuardSettings, environment: Environment, memory: Memory) -> None:
        super().__init__(settings, environment, memory)
        self._model = settings.deployment

    async def forward(
        self, method: str, target: bytes, envelope: Envelope, body: bytes | None = None
    ) -> Reply:
        """Return the V2 answer to a V2 request.

        Raises:
            Problem: There is none, or the component cannot be asked so.
        """
        match (method, *target.partition(b"?")[0].split(b"/")[1:]):
            case ["POST", b"v2", b"models", _, b"infer"]:
                return await self._predict(envelope, body or b"")
            case ["POST", b"v2", b"models", _, b"feedback"]:
                return await self._give_feedback(envelope, body or b"")
            case ["GET", b"v2", b"models", _]:
                return await self._describe(envelope)
            case ["GET", b"v2", b"models", _, b"ready"] | ["GET", b"v2", b"health", b"ready"]:
                if obstacle := await self.find_obstacle():
                    raise Problem(503, obstacle)
                return _reply({"ready": True})
            case ["GET", b"v2", b"health", b"live"]:
                return _reply({"live": True})
            case ["GET", b"v2"]:
                return _reply(_SERVER)
        raise Problem(404, f"V1 is not served here: ask at /v2/models/{self._model}/infer")

    def begin(self, target: bytes, envelope: Envelope, body: bytes, hear: Hear) -> bool:
        """Tell that it cannot: an answer has to be translated first."""
        del target, envelope, body, hear
        return False

    async def _predict(self, envelope: Envelope, body: bytes) -> Reply:
        try:
            length = envelope.read.get(LENGTH_HEADER)
            size = json_length(length, len(body)) if length else None
            tensors = read_v2(body, size)
            identity = _identity(body if size is None else body[:size])
            message = build_seldon_request(tensors, identity)
        except (WireError, BadLengthError) as error:
            raise Problem(400, str(error)) from None
        reply = await self._tell(PREDICTIONS_PATH, envelope, message)
        try:
            translated = translate_answer(reply.body, self._model, identity)
        except WireError as error:
            raise Problem(502, f"the Seldon component: {error}") from None
        return Reply(_OK, [JSON], translated)

    async def _give_feedback(self, envelope: Envelope, body: bytes) -> Reply:
        if LENGTH_HEADER in envelope.read:
            raise Problem(400, "feedback is sent as JSON, without binary tensors")
        try:
            message = build_seldon_feedback(body)
        except (WireError, NotAnObjectError) as error:
            raise Problem(400, str(error)) from None
        await self._tell(FEEDBACK_PATH, envelope, message)
        return _reply({"model_name": self._model})

    async def _tell(self, path: str, envelope: Envelope, message: bytes) -> Reply:
        """Send the component a message of its own protocol; return its answer.

        Raises:
            Problem: It refuses, or does not answer.
        """
        reply = await super().forward("POST", path.encode(), _translated(envelope), message)
        if reply.status != _OK:
            raise _refusal(reply)
        return reply

    async def _describe(self, envelope: Envelope) -> Reply:
        reply = await super().forward("GET", METADATA_PATH.encode(), _translated(envelope))
        # A component whose metadata are broken still predicts; it is only less known.
        said = reply.body if reply.status == _OK else b""
        return Reply(_OK, [JSON], translate_metadata(said, self._model))


def _translated(envelope: Envelope) -> Envelope:
    """Return the headers without those that describe the V2 body."""
    kept = [
        line
        for line in envelope.lines.splitlines(keepends=True)
        if not line.lower().startswith(_FOREIGN)
    ]
    return Envelope(b"content-type: application/json\r\n" + b"".join(kept), envelope.read)


def _identity(head: bytes) -> str:
    try:
        given = read_members(head).get("id")
    except NotAnObjectError:
        return ""
    found = msgspec.json.decode(given) if given is not None else ""
    return found if isinstance(found, str) else ""


def _refusal(reply: Reply) -> Problem:
    said = read_failure(reply.body) or f"it answers {reply.status} without a reason in JSON"
    status = reply.status if reply.status in _FAILURES else 502
    return Problem(status, f"the Seldon component refuses: {said}")


def _reply(content: object) -> Reply:
    answer = json_answer(content)
    return Reply(answer.status, answer.headers, answer.body)
