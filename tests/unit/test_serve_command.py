"""What `hune serve` says of a file that it cannot serve, before anything listens."""

import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from hune.cli.main import main
from tests.support.local_deployment import edit, write_deployment
from tests.support.onnx_models import ZIPMAP

Refuse = Callable[..., str]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_deployment(tmp_path)


@pytest.fixture
def refusal(capsys: pytest.CaptureFixture[str]) -> Refuse:
    """Return what the command says when it refuses."""

    def serve(*words: str) -> str:
        assert main(["serve", *words]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith("hune: error: ")
        return said.err

    return serve


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("uri: model/", "uri: s3://models/income", "spec.model.source.uri: s3://models/income is"),
        ("uri: model/", "uri: models", "spec.model.source.uri: "),
        ("format: onnx", "format: sklearn", "format: 'sklearn' is not served here, 'onnx' is"),
        ("format: onnx", f"digest: 'sha256:{'0' * 64}'", "spec.model.source.digest: is sha256:0"),
        ("file://outlier", "file:///nowhere", "spec.guard.outliers.uri: /nowhere: no such file"),
        (
            "guard:\n",
            "guard:\n    adversarial: {uri: 'file:///nowhere'}\n",
            "spec.guard.adversarial.uri: /nowhere: no such file",
        ),
        ("type: Float", "type: Complex", "Invalid: spec.contract.features"),
        ("source: {uri: model/, format: onnx}", "version: a", "ModelVersion that"),
        ("kind: ModelDeployment", "kind: ModelVersion", "has 0 ModelDeployments"),
    ],
)
def test_what_cannot_be_served_is_said(
    file: Path, refusal: Refuse, old: str, new: str, said: str
) -> None:
    assert said in refusal("-f", edit(file, old, new))


def test_a_model_of_maps_is_refused_at_once(file: Path, refusal: Refuse) -> None:
    shutil.copy(ZIPMAP, file.parent / "model" / "model.onnx")
    assert "without ZipMap" in refusal("-f", str(file))


def test_a_taken_port_is_said(file: Path, refusal: Refuse) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"--port {port}: " in refusal("-f", str(file), "--port", str(port))


def test_a_bad_authorizer_is_said(file: Path, refusal: Refuse) -> None:
    said = refusal("-f", str(file), "--authorizer", "here")
    assert said.startswith("hune: error: --authorizer: 'here' is no host and port")
