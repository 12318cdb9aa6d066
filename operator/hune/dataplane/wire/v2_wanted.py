"""What a V2 request says of the answer that it wants."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from hune.dataplane.wire.tensor import WireError, show

_MAXIMUM_OUTPUTS: Final = 1 << 10


class _Parameters(Struct):
    binary_data: bool | None = None


class _Output(Struct):
    name: str
    parameters: _Parameters | None = None


class _Defaults(Struct):
    binary_data_output: bool | None = None


class _Request(Struct):
    id: str | None = None
    outputs: Annotated[list[_Output], Meta(max_length=_MAXIMUM_OUTPUTS)] | None = None
    parameters: _Defaults | None = None


_DECODER: Final = msgspec.json.Decoder(_Request)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The answer that a request wants.

    Attributes:
        id: Id that the answer repeats; None where the request has none.
        outputs: Name of each wanted output, and whether as a binary tensor; None for all of them.
        binary: Whether outputs that the request does not name are binary tensors.
    """

    id: str | None
    outputs: dict[str, bool] | None
    binary: bool

    def choose(self, known: Sequence[str]) -> list[tuple[int, bool]]:
        """Return each wanted output's position among the known ones, and whether it is binary.

        Raises:
            WireError: One of them is not known.
        """
        if self.outputs is None:
            return [(position, self.binary) for position in range(len(known))]
        for name in self.outputs:
            if name not in known:
                there = ", ".join(map(repr, known))
                raise WireError(
                    f"outputs: there is no output {show(name)!r}; the model has {there}"
                )
        return [(known.index(name), binary) for name, binary in self.outputs.items()]


def read_wanted(head: bytes) -> Wanted:
    """Return what the JSON part of a request says of its answer.

    Raises:
        WireError: A member is not what the protocol says.
    """
    try:
        request = _DECODER.decode(head)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$.")
        what = what.replace("`", "")
        raise WireError(f"{where.rstrip('`')}: {what[:1].lower()}{what[1:]}") from None
    binary = bool(request.parameters and request.parameters.binary_data_output)
    if not request.outputs:
        return Wanted(request.id, None, binary)
    outputs = {output.name: _is_binary(output, default=binary) for output in request.outputs}
    return Wanted(request.id, outputs, binary)


def _is_binary(output: _Output, *, default: bool) -> bool:
    said = output.parameters.binary_data if output.parameters else None
    return default if said is None else said
