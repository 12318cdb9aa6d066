"""A ModelDeployment whose model and detector lie beside its file."""

import shutil
from pathlib import Path

from tests.support.detectors import BREAST_CANCER
from tests.support.onnx_models import FOREST

FILE = """\
apiVersion: hune.dev/v1alpha1
kind: ModelDeployment
metadata: {name: income}
spec:
  model:
    source: {uri: model/, format: onnx}
  placement: {class: SomethingOfThePlatform}
  guard:
    outliers: {uri: file://outlier}
  contract:
    features: [{name: first, type: Float, maximum: "20"}]
"""


def write_deployment(folder: Path) -> Path:
    """Return the file; model and detector lie beside it."""
    (folder / "model").mkdir()
    shutil.copy(FOREST, folder / "model" / "model.onnx")
    shutil.copytree(BREAST_CANCER, folder / "outlier")
    place = folder / "model.yaml"
    place.write_text(FILE)
    return place


def edit(file: Path, old: str, new: str) -> str:
    """Replace a part of the file; return its name."""
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    return str(file)
