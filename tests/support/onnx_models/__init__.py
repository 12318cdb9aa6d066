"""ONNX models for tests, and the scikit-learn models that they were made of."""

from pathlib import Path

FOLDER = Path(__file__).parent
FOREST = FOLDER / "forest.onnx"
MIXED = FOLDER / "mixed.onnx"
LINE = FOLDER / "line.onnx"
ZIPMAP = FOLDER / "zipmap.onnx"
