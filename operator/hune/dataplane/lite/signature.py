"""What a model takes and gives: tensors with a name, a datatype and a shape."""

from dataclasses import dataclass
from typing import Any, Final

ANY: Final = -1
# ONNX's element types by the protocol's names. BF16 is left out: numpy has none.
_DATATYPES: Final = {
    "tensor(bool)": "BOOL",
    "tensor(float16)": "FP16",
    "tensor(float)": "FP32",
    "tensor(double)": "FP64",
    "tensor(string)": "BYTES",
    **{f"tensor(int{bits})": f"INT{bits}" for bits in (8, 16, 32, 64)},
    **{f"tensor(uint{bits})": f"UINT{bits}" for bits in (8, 16, 32, 64)},
}
_ZIPMAP: Final = (
    "convert it again without ZipMap, as `hune convert` does, or with skl2onnx's"
    " options={'zipmap': False}"
)


class UnservableError(ValueError):
    """An input or output has no form in the protocol; the message names it and the fix."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One input or output of a model.

    Attributes:
        name: Its name.
        datatype: What its elements are, as V2 calls it.
        shape: Its dimensions; -1 for one of any size.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]

    @classmethod
    def read(cls, node: Any, what: str) -> "Signature":
        """Return the signature of one of onnxruntime's `NodeArg`.

        Args:
            node: It.
            what: `input` or `output`, for a message.

        Raises:
            UnservableError: It is no tensor, or one of elements that V2 does not know.
        """
        datatype = _DATATYPES.get(node.type)
        if datatype is None:
            fix = (
                _ZIPMAP if "map(" in node.type else "change the model so that it is a plain tensor"
            )
            raise UnservableError(f"the {what} {node.name!r} is a {node.type}: {fix}")
        return cls(node.name, datatype, tuple(map(_size, node.shape)))

    def __str__(self) -> str:
        return f"{self.datatype} of shape {list(self.shape)}"

    def document(self) -> dict[str, object]:
        """Return it as V2's metadata has it."""
        return {"name": self.name, "datatype": self.datatype, "shape": self.shape}


def _size(dimension: object) -> int:
    """Return a fixed dimension; names and unknown ones are of any size."""
    return dimension if isinstance(dimension, int) and dimension >= 0 else ANY
