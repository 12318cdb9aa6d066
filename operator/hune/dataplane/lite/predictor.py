"""The predictor in the guard's own process: both protocols in front of an ONNX model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import msgspec

from hune import __version__
from hune.contract.guard import GuardSettings
from hune.dataplane.guard.answers import JSON, Header, Problem
from hune.dataplane.guard.connection import Hear
from hune.dataplane.guard.environment import Environment
from hune.dataplane.guard.headers import Envelope
from hune.dataplane.guard.reply import Reply
from hune.dataplane.lite.inputs import arrange
from hune.dataplane.lite.model import FailedError, Model, ModelError, RefusedError
from hune.dataplane.lite.pace import Pace
from hune.dataplane.wire.binary import LENGTH_HEADER, json_length
from hune.dataplane.wire.paths import Endpoint, Route, find_route
from hune.dataplane.wire.table import Column
from hune.dataplane.wire.tensor import Tensor, WireError
from hune.dataplane.wire.v1_answer import write_v1
from hune.dataplane.wire.v1_request import read_v1
from hune.dataplane.wire.v2_answer import write_v2
from hune.dataplane.wire.v2_request import read_v2
from hune.dataplane.wire.v2_wanted import read_wanted

_OK: Final = 200
_FAILURES: Final = (WireError, RefusedError, FailedError, TimeoutError)
_OCTETS: Final[Header] = (b"content-type", b"application/octet-stream")


class LitePredictor:
    """Answers as a model server on localhost would, without one."""

    def __init__(
        self, loaded: Model | ModelError, settings: GuardSettings, environment: Environment
    ) -> None:
        """Make a predictor.

        Args:
            loaded: The model, or why there is none.
            settings: What it is called.
            environment: How long a prediction may take.
        """
        self._name = settings.deployment
        self._version = settings.model_version
        self._loaded = loaded
        self._timeout_seconds = environment.predictor_timeout_seconds
        if isinstance(loaded, Model):
            self._pace = Pace(loaded, self._timeout_seconds)

    def is_meant_by(self, settings: GuardSettings) -> bool:
        """Tell whether these settings describe this predictor."""
        return (self._name, self._version) == (settings.deployment, settings.model_version)

    async def find_obstacle(self) -> str:
        """Return why there is no model; empty when there is one."""
        return str(self._loaded) if isinstance(self._loaded, ModelError) else ""

    async def fetch_metadata(self) -> bytes:
        """Return what is said of the model, as JSON; empty where there is none."""
        if isinstance(self._loaded, ModelError):
            return b""
        return msgspec.json.encode(self._describe(self._loaded))

    def close(self) -> None:
        """Take nothing new; what runs ends in peace."""
        if isinstance(self._loaded, Model):
            self._pace.close()

    async def forward(
        self, method: str, target: bytes, envelope: Envelope, body: bytes | None = None
    ) -> Reply:
        """Return the answer to a request.

        Raises:
            Problem: There is none.
        """
        del method  # each path has one, which is checked
        route = find_route(target.partition(b"?")[0])
        if route.endpoint is Endpoint.HEALTH and route.target.endswith(b"/live"):
            return _reply({"live": True})
        if isinstance(self._loaded, ModelError):
            raise Problem(503, str(self._loaded))
        if route.endpoint is not Endpoint.PREDICT:
            return self._report(route, self._loaded)
        try:
            question = self._read(self._loaded, route, envelope, body or b"")
            found = await self._pace.run(question.values, question.outputs)
            return question.answer(found)
        except _FAILURES as error:
            raise self._problem_of(error) from None

    def begin(self, target: bytes, envelope: Envelope, body: bytes, hear: Hear) -> bool:
        """Predict if that is quick; tell whether it is."""
        if isinstance(self._loaded, ModelError):
            return False
        route = find_route(target.partition(b"?")[0])
        try:
            question = self._read(self._loaded, route, envelope, body)
            found = self._pace.run_at_once(question.values, question.outputs)
        except _FAILURES as error:
            hear(self._problem_of(error))
            return True
        if found is not None:
            hear(question.answer(found))
        return found is not None

    def _problem_of(self, error: Exception) -> Problem:
        if isinstance(error, TimeoutError):
            limit = f"{self._timeout_seconds:g} s"
            return Problem(504, f"the model did not answer within {limit}")
        return Problem(500 if isinstance(error, FailedError) else 400, str(error))

    def _read(self, model: Model, route: Route, envelope: Envelope, body: bytes) -> "_Question":
        if route.protocol == "V1":
            return _Question(
                arrange(read_v1(body), model.inputs), model.output_names, partial(_answer_v1, model)
            )
        given = envelope.read.get(LENGTH_HEADER)
        length = None if given is None else json_length(given, len(body))
        values = arrange(read_v2(body, length), model.inputs)
        wanted = read_wanted(body if length is None else body[:length])
        chosen = wanted.choose(model.output_names)
        members = {"model_name": self._name, "model_version": self._version}
        if wanted.id is not None:
            members["id"] = wanted.id
        outputs = [model.output_names[position] for position, _ in chosen]
        return _Question(values, outputs, partial(_answer_v2, model, chosen, members))

    def _report(self, route: Route, model: Model) -> Reply:
        if route.endpoint is Endpoint.HEALTH:
            return _reply({"name": self._name, "ready": True} if route.model else {"ready": True})
        if route.protocol == "V1":
            listed = {"name": self._name, "ready": True}
            return _reply(listed if route.model else {"models": [self._name]})
        if route.model:
            return _reply(self._describe(model))
        extensions = ["binary_tensor_data"]
        return _reply({"name": "hune-lite", "version": __version__, "extensions": extensions})

    def _describe(self, model: Model) -> dict[str, object]:
        return {
            "name": self._name,
            "versions": [self._version],
            "platform": "onnx_onnxruntime",
            "inputs": [signature.document() for signature in model.inputs],
            "outputs": [signature.document() for signature in model.outputs],
        }


@dataclass(frozen=True, slots=True)
class _Question:
    """What the model is asked, and what is made of its outputs."""

    values: dict[str, Column]
    outputs: list[str]
    answer: Callable[[list[Column]], Reply]


def _answer_v1(model: Model, found: list[Column]) -> Reply:
    outputs = [_tensor(model, position, array) for position, array in enumerate(found)]
    return Reply(_OK, [JSON], write_v1(outputs))


def _answer_v2(
    model: Model,
    chosen: Sequence[tuple[int, bool]],
    members: Mapping[str, str],
    found: list[Column],
) -> Reply:
    outputs = [
        (_tensor(model, position, array), binary)
        for (position, binary), array in zip(chosen, found, strict=True)
    ]
    answer, size = write_v2(members, outputs)
    if size is None:
        return Reply(_OK, [JSON], answer)
    return Reply(_OK, [_OCTETS, (LENGTH_HEADER, str(size).encode())], answer)


def _tensor(model: Model, position: int, values: Column) -> Tensor:
    output = model.outputs[position]
    return Tensor(output.name, output.datatype, values.shape, values)


def _reply(content: object) -> Reply:
    return Reply(_OK, [JSON], msgspec.json.encode(content))
