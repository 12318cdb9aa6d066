"""The image for ARM, run for what it is under qemu, predicts what the other one predicts."""

import os
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from sklearn.datasets import load_breast_cancer

from hune.contract.digest import digest_of
from hune.contract.names import ARTEFACT_DIRECTORY, MODEL_DIRECTORY
from tests.cluster import emulation, images, packages
from tests.support.detectors import BREAST_CANCER
from tests.support.http import ask
from tests.support.initializer import bring, volume
from tests.support.lite import ArmImage, LiteProcess
from tests.support.onnx_models import FOREST
from tests.support.s3 import s3_server
from tests.support.tensors import Array, Sent, body_of
from tests.support.unpacked import unpack

ROWS: Array = load_breast_cancer().data.astype(np.float32)[:100]
AARCH64 = 183
OUTLIERS = f"{ARTEFACT_DIRECTORY}/outliers"


@pytest.mark.timeout(900)
@pytest.mark.skipif(os.geteuid() != 0, reason="images are built and entered by root")
def test_the_image_for_arm_predicts_the_same(tmp_path: Path) -> None:
    packages.install_missing()
    emulation.provide()
    (archive,) = images.build([images.for_arm64(images.find("lite"))])
    image = unpack(archive, tmp_path / "image")
    interpreter = (image.root / "opt/hune/bin/python").readlink()
    header = (image.root / interpreter.relative_to("/")).read_bytes()[:20]
    assert int.from_bytes(header[18:20], "little") == AARCH64, "it is no program for ARM"
    assert image.compressed <= 60e6
    with volume(image), s3_server() as s3:
        bring(image, s3, {MODEL_DIRECTORY: FOREST, OUTLIERS: BREAST_CANCER})
        found = _predict(_watched(ArmImage(image, image.root / "mnt" / "models"), OUTLIERS))
    here = _predict(_here(tmp_path))
    for name in here.keys() - {"scores"}:
        assert found[name] == here[name], name
    # A detector's logarithms are numpy's, whose last bits depend on the processor.
    np.testing.assert_allclose(found["scores"], here["scores"], rtol=0, atol=1e-14)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    _, probabilities = onnxruntime.InferenceSession(FOREST, options).run(None, {"x": ROWS})
    np.testing.assert_array_equal(
        np.array(found["probabilities"], np.float32), probabilities.ravel()
    )


def _here(folder: Path) -> LiteProcess:
    place = folder / "here"
    place.mkdir()
    return _watched(LiteProcess(place, FOREST), str(BREAST_CANCER))


def _watched(lite: LiteProcess, detector: str) -> LiteProcess:
    digest = digest_of(BREAST_CANCER)
    lite.write_settings(outliers={"uri": "file://", "path": detector, "digest": digest})
    return lite


def _predict(lite: LiteProcess) -> dict[str, list[float]]:
    """Return outputs and scores of all rows."""
    lite.start()
    try:
        body, _ = body_of("inputs", [Sent("x", "FP32", ROWS)])
        path = "/v2/models/income/infer"
        answer = ask(lite.port, "POST", path, body, seconds=lite.patience).json()
    finally:
        lite.close()
    scores = [float(score) for score in answer["parameters"]["hune_outlier_scores"].split(",")]
    return {one["name"]: one["data"] for one in answer["outputs"]} | {"scores": scores}
