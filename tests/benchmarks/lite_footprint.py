"""How large the image `lite` is, and how much memory its processes take.

It is the only image that its pod needs: its initializer brings 100 trees and a detector from S3,
and then it serves them with a data contract. Both run out of the image's own files. The server is
measured after requests of one row, of many rows, and binary ones.
"""

import json
import tempfile
from pathlib import Path

import numpy as np

from hune.contract.digest import digest_of
from hune.contract.names import ARTEFACT_DIRECTORY, MODEL_DIRECTORY
from tests.benchmarks.report import Figure
from tests.support.detector_fixture import train_rows
from tests.support.detectors import BREAST_CANCER
from tests.support.http import Client
from tests.support.initializer import bring, volume
from tests.support.lite import LiteImage
from tests.support.onnx_models import FOREST
from tests.support.s3 import s3_server
from tests.support.tensors import Sent, body_of
from tests.support.unpacked import Unpacked, unpack_own

IMAGE, MEMORY = 60.0, 64.0
MIB = 1 << 20
OUTLIERS = f"{ARTEFACT_DIRECTORY}/outliers"
# KServe's Python server with no model at all, measured on the same kind of machine.
BARE_KSERVE = 130.0
REQUESTS = 2000
PATH = "/v2/models/income/infer"


def lite_footprint() -> list[Figure]:
    """Measure all against their ceilings."""
    with tempfile.TemporaryDirectory() as folder:
        image = unpack_own("lite", Path(folder))
        with volume(image):
            fetching, serving = _fetch(image) / MIB, _serve(image) / MIB
    print(f"lite-footprint: {image.unpacked / 1e6:.0f} MB unpacked")
    return [
        _figure("lite-footprint-image", "MB", image.compressed / 1e6, IMAGE, IMAGE),
        _figure("lite-footprint", "MiB", serving, BARE_KSERVE, MEMORY),
        _figure("lite-footprint-initializer", "MiB", fetching, BARE_KSERVE, MEMORY),
    ]


def _figure(name: str, unit: str, ours: float, peer: float, most: float) -> Figure:
    goal = f"<={most:.0f}{unit}"
    return Figure(name, f"{ours:.1f}{unit}", f"{peer:.0f}{unit}", ours / peer, goal, ours <= most)


def _fetch(image: Unpacked) -> int:
    """Let the image's own initializer bring model and detector; return its peak in bytes."""
    with s3_server() as s3:
        return bring(image, s3, {MODEL_DIRECTORY: FOREST, OUTLIERS: BREAST_CANCER})


def _serve(image: Unpacked) -> int:
    """Ask the process for predictions; return what it has in memory then, in bytes."""
    names, rows = train_rows()
    lite = LiteImage(image, image.root / MODEL_DIRECTORY.lstrip("/"))
    outliers = {"uri": "file://", "path": OUTLIERS, "digest": digest_of(BREAST_CANCER)}
    features = [{"name": name, "type": "Float"} for name in names]
    lite.write_settings(outliers=outliers, dataContract={"features": features})
    lite.start()
    try:
        with Client(lite.port) as client:
            for _ in range(REQUESTS):
                _ask(client, rows[:1])
            for binary in (False, True):
                _ask(client, rows, binary=binary)
            return lite.resident_bytes()
    finally:
        lite.close()


def _ask(
    client: Client,
    rows: "np.ndarray[tuple[int, int], np.dtype[np.float64]]",
    *,
    binary: bool = False,
) -> None:
    body, length = body_of("inputs", [Sent("x", "FP32", rows.astype(np.float32), binary=binary)])
    headers = {} if length is None else {"inference-header-content-length": str(length)}
    reply = client.request("POST", PATH, body, headers)
    note = json.loads(reply.body)["parameters"]
    assert reply.status == 200, reply
    assert "hune_outlier_scores" in note, note
