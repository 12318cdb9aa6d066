"""Three pods of profile Lite share a gibibyte, for as long as they are asked.

They are processes out of the image's own files, each in a group with the limit that the chart gives
a pod, all in one as kubelet's is on a small node.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from hune.contract.digest import digest_of
from tests.support.detector_fixture import train_rows
from tests.support.detectors import BREAST_CANCER
from tests.support.http import Client
from tests.support.lite import LiteImage
from tests.support.memory_group import MemoryGroup, memory_group
from tests.support.onnx_models import FOREST
from tests.support.tensors import Sent, body_of
from tests.support.unpacked import Unpacked, unpack_own

MIB = 1 << 20
NODE, POD = 1024 * MIB, 256 * MIB
PODS, RATE, SECONDS = 3, 20, 600
MANY = 100
"""Every so many requests one asks for all rows at once."""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="groups and images are root's")


def test_a_process_that_takes_too_much_is_counted() -> None:
    take = f"open(0).read(); bytearray({64 * MIB})"
    with memory_group("greedy", NODE) as node:
        pod = node.inner("pod", 32 * MIB)
        greedy = subprocess.Popen([sys.executable, "-c", take], stdin=subprocess.PIPE)
        (pod.folder / "cgroup.procs").write_text(str(greedy.pid))
        greedy.communicate()
        assert greedy.returncode != 0
        assert node.kills() == 1


@pytest.mark.long
@pytest.mark.timeout(2 * SECONDS)
def test_no_pod_is_killed_for_memory(tmp_path: Path) -> None:
    image = unpack_own("lite", tmp_path / "image")
    with memory_group("lite", NODE) as node, _pods(image, tmp_path, node) as pods:
        with ThreadPoolExecutor(PODS) as threads:
            answered = list(threads.map(_ask, [pod.port for pod in pods]))
        resident = [pod.resident_bytes() // MIB for pod in pods]
        print(f"peak {node.peak() // MIB} MiB, resident {resident} MiB, kills {node.kills()}")
        assert answered == [RATE * SECONDS] * PODS
        assert node.kills() == 0


@contextmanager
def _pods(image: Unpacked, folder: Path, node: MemoryGroup) -> Iterator[list[LiteImage]]:
    with ExitStack() as stack:
        pods = []
        for number in range(PODS):
            pod = _pod(image, folder / f"pod-{number}", node.inner(f"pod-{number}", POD))
            pods.append(pod.start())
            stack.callback(pod.close)
        yield pods


def _pod(image: Unpacked, root: Path, group: MemoryGroup) -> LiteImage:
    # Links, for the pods of a node share an image's files and what the kernel caches of them.
    shutil.copytree(image.root, root, symlinks=True, copy_function=os.link)
    model, detector = root / "mnt" / "models", root / "mnt" / "outliers"
    model.mkdir(parents=True)
    shutil.copy(FOREST, model / "model.onnx")
    shutil.copytree(BREAST_CANCER, detector)
    pod = LiteImage(replace(image, root=root), model, group=group)
    outliers = {"uri": "file://", "path": "/mnt/outliers", "digest": digest_of(detector)}
    features = [{"name": name, "type": "Float"} for name in train_rows()[0]]
    pod.write_settings(outliers=outliers, dataContract={"features": features})
    return pod


def _ask(port: int) -> int:
    """Send requests when they are due; return how many were answered as the model answers."""
    rows = train_rows()[1].astype(np.float32)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    labels, _ = onnxruntime.InferenceSession(FOREST, options).run(None, {"x": rows})
    every = _body(rows)
    single = [_body(row[np.newaxis]) for row in rows]
    right = 0
    begin = time.monotonic()
    with Client(port) as client:
        for number in range(RATE * SECONDS):
            time.sleep(max(0.0, begin + number / RATE - time.monotonic()))
            row = number % len(rows)
            many = number % MANY == 0
            reply = client.request(
                "POST", "/v2/models/income/infer", every if many else single[row]
            )
            answer = reply.json()
            found = next(one["data"] for one in answer["outputs"] if one["name"] == "label")
            scored = "hune_outlier_scores" in answer["parameters"]
            right += scored and found == (labels.tolist() if many else [labels[row]])
    return right


def _body(rows: "np.ndarray[tuple[int, int], np.dtype[np.float32]]") -> bytes:
    return body_of("inputs", [Sent("x", "FP32", rows)])[0]
