"""An ONNX model on onnxruntime's CPU provider."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

from hune.dataplane.lite.options import Options
from hune.dataplane.lite.signature import Signature, UnservableError
from hune.dataplane.wire.table import Column

_PREFERRED: Final = "model.onnx"
_SUFFIX: Final = ".onnx"
_ERRORS_ONLY: Final = 3
_SHOWN: Final = 300


class ModelError(Exception):
    """There is no model to serve; the message says where, why and what to do."""


class RefusedError(ValueError):
    """The model does not take these values."""


class FailedError(Exception):
    """The model failed on values that it takes."""


class Model:
    """One model, loaded.

    Attributes:
        inputs: What it takes.
        outputs: What it gives.
    """

    def __init__(self, options: Options) -> None:
        """Load the model.

        Raises:
            ModelError: There is none that can be served.
        """
        file = find_file(options.model)
        self._session = _open(file, options.threads)
        try:
            self.inputs = [Signature.read(node, "input") for node in self._session.get_inputs()]
            self.outputs = [Signature.read(node, "output") for node in self._session.get_outputs()]
        except UnservableError as error:
            raise ModelError(f"{file}: {error}") from None
        self.output_names = [output.name for output in self.outputs]

    def run(self, values: Mapping[str, Column], outputs: list[str]) -> list[Column]:
        """Return the outputs of these names, in their order; may be called from any thread.

        Args:
            values: An array for each input, of its datatype.
            outputs: Names of the wanted outputs.

        Raises:
            RefusedError: The model does not take the values, as where inputs differ in rows.
            FailedError: The model failed.
        """
        try:
            found: list[Column] = self._session.run(outputs, values)
        except InvalidArgument as error:
            raise RefusedError(f"the model does not take this: {_shorten(error)}") from None
        except Exception as error:  # noqa: BLE001 onnxruntime has a dozen, with no common base
            if len({array.shape[:1] for array in values.values()}) > 1:
                raise RefusedError(f"the inputs differ in their rows: {_shorten(error)}") from None
            raise FailedError(f"the model failed: {_shorten(error)}") from None
        return found


def find_file(place: Path) -> Path:
    """Return the model's file: the place itself, or the one in that directory.

    Raises:
        ModelError: There is none, or there are several and none is called `model.onnx`.
    """
    if place.is_file():
        return place
    if not place.is_dir():
        raise ModelError(f"{place}: nothing is there; put the model there as {_PREFERRED}")
    files = sorted(file for file in place.iterdir() if file.suffix == _SUFFIX)
    preferred = place / _PREFERRED
    if preferred in files:
        return preferred
    if not files:
        raise ModelError(f"{place}: there is no {_SUFFIX} file; make one with `hune convert`")
    if len(files) > 1:
        listed = ", ".join(file.name for file in files[:4])
        raise ModelError(f"{place}: there are {listed}; call the one to serve {_PREFERRED}")
    return files[0]


def _open(file: Path, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # The arena takes memory in large pieces and keeps it; small machines have none to spare.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = _ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 as above
        version = onnxruntime.__version__
        raise ModelError(
            f"{file}: onnxruntime {version} cannot load it ({_shorten(error)}); convert the model"
            " again, and register that"
        ) from None


def _shorten(error: Exception) -> str:
    """Return what onnxruntime says, on one line and without its own file names."""
    text = " ".join(str(error).split())
    text = text.rpartition(" : ")[2] if text.startswith("[ONNXRuntimeError]") else text
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
