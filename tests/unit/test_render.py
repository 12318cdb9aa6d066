from pathlib import Path

import pytest
import yaml

from hune.cli.main import main
from hune.contract.digest import digest_of
from tests.support.s3 import S3Server

SHORT = """
kind: ModelDeployment
metadata: {name: income}
spec:
  model:
    source: {uri: s3://models/income/7, format: sklearn, digest: DIGEST}
"""
ZERO = "sha256:" + "0" * 64


def write(folder: Path, text: str) -> str:
    file = folder / "deployment.yaml"
    file.write_text(text)
    return str(file)


def test_the_children_of_the_short_form_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, SHORT.replace("DIGEST", ZERO))
    assert main(["render", "-f", file, "--namespace", "team"]) == 0
    printed = list(yaml.safe_load_all(capsys.readouterr().out))
    kinds = ["ModelVersion", "ConfigMap", "NetworkPolicy", "InferenceService", "Service"]
    assert [document["kind"] for document in printed] == kinds
    assert {document["metadata"]["namespace"] for document in printed} == {"team"}


@pytest.mark.parametrize(
    ("text", "status", "told"),
    [
        pytest.param("kind: [", 2, "not YAML", id="a file that is no YAML"),
        pytest.param("kind: Pod", 2, "kind 'Pod' is none of", id="a kind that is not ours"),
        pytest.param("kind: ModelDeployment", 2, "metadata.name is missing", id="no name"),
        pytest.param(
            "kind: ModelDeployment\nmetadata: {name: x}\nspec: {model: {version: y, colour: red}}",
            1,
            "spec.model.colour",
            id="an unknown field is named with its path",
        ),
        pytest.param(
            "kind: ModelDeployment\nmetadata: {name: x}\nspec: {model: {version: y}}",
            1,
            "no ModelVersion 'y'",
            id="a version that the file does not hold",
        ),
    ],
)
def test_a_fault_is_told_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, status: int, told: str
) -> None:
    assert main(["render", "-f", write(tmp_path, text)]) == status
    answer = capsys.readouterr()
    assert told in answer.err
    assert "Traceback" not in answer.err
    assert answer.out == ""


def test_a_file_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", "-f", str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml" in capsys.readouterr().err


def test_pin_fills_in_the_digest_of_what_is_stored(
    s3: S3Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.joblib").write_bytes(b"weights")
    s3.put("models", {"income/7/model.joblib": b"weights"})
    assert main(["render", "--pin", "-f", write(tmp_path, SHORT.replace("DIGEST", "''"))]) == 0
    source = yaml.safe_load(capsys.readouterr().out)["spec"]["model"]["source"]
    assert source["digest"] == digest_of(tmp_path / "model")


@pytest.mark.usefixtures("s3")
@pytest.mark.parametrize("uri", ["s3://models/income/7", "pvc://claim/income"])
def test_what_cannot_be_pinned_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], uri: str
) -> None:
    text = SHORT.replace("s3://models/income/7", uri).replace("DIGEST", "''")
    assert main(["render", "--pin", "-f", write(tmp_path, text)]) == 2
    assert uri in capsys.readouterr().err
