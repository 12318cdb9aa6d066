"""Write the models anew: `python -m tests.support.onnx_models.convert`.

It needs skl2onnx 1.20, which the tests themselves do not.
"""

from pathlib import Path
from typing import Any

from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType

from tests.support.onnx_models import FOREST, LINE, MIXED, ZIPMAP, training

OPSET = {"": 17, "ai.onnx.ml": 3}


def main() -> None:
    """Convert all of them."""
    _write(FOREST, training.forest(), [("x", FloatTensorType([None, 30]))], zipmap=False)
    columns = [("age", FloatTensorType([None, 1])), ("job", StringTensorType([None, 1]))]
    _write(MIXED, training.mixed(), columns, zipmap=False)
    _write(LINE, training.line(), [("x", DoubleTensorType([None, 10]))])
    _write(ZIPMAP, training.iris(), [("x", FloatTensorType([None, 4]))], zipmap=True)


def _write(file: Path, model: Any, inputs: list[tuple[str, Any]], **options: bool) -> None:
    wanted = {id(model): options} if options else None
    converted = convert_sklearn(model, initial_types=inputs, options=wanted, target_opset=OPSET)
    file.write_bytes(converted.SerializeToString())


if __name__ == "__main__":
    main()
