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


def named(name: str, spec: str = "") -> str:
    return f"kind: ModelDeployment\nmetadata: {{name: {name}}}\nspec: {spec}"


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
        pytest.param("kind: ModelDeployment", 2, "metadata.name: is missing", id="no name"),
        pytest.param("hello", 2, "kind 'str' is none of", id="no object"),
        pytest.param("kind: ModelDeployment\nmetadata: x", 2, "metadata: must be a map", id="text"),
        pytest.param(named("5"), 2, "metadata.name: must be a text (got 5)", id="a number as name"),
        pytest.param(
            named("x, namespace: 5"),
            2,
            "metadata.namespace: must be a text (got 5)",
            id="a number as namespace",
        ),
        pytest.param(named("x"), 2, "spec: must be a mapping (got None)", id="no spec"),
        pytest.param(
            named("x", "hello"), 2, "spec: must be a mapping (got 'hello')", id="a text as spec"
        ),
        pytest.param(
            named("x", "{model: [1]}"), 2, "spec.model: must be a mapping", id="a list as model"
        ),
        pytest.param(
            named("x", "{model: {version: [y]}}"), 1, "spec.model.version", id="a list as version"
        ),
        pytest.param(
            named("x", "{model: {version: y}}") + "\n---\nkind: ModelVersion\nmetadata: {name: y}",
            2,
            "document 2: spec: must be a mapping",
            id="a version without a spec",
        ),
        pytest.param(
            named("x", "{model: {version: y, colour: red}}"),
            1,
            "spec.model.colour",
            id="an unknown field is named with its path",
        ),
        pytest.param(
            named("x", "{model: {version: y}}"),
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


def test_a_file_that_is_no_text_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "deployment.yaml"
    file.write_bytes(b"kind: \xff\xfe")
    assert main(["render", "-f", str(file)]) == 2
    assert "deployment.yaml: not YAML" in capsys.readouterr().err


@pytest.mark.parametrize("spec", ["hello", "{model: [1]}", "{model: {source: here}}"])
def test_pin_names_the_place_that_is_no_mapping(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spec: str
) -> None:
    assert main(["render", "--pin", "-f", write(tmp_path, named("x", spec))]) == 2
    assert "must be a mapping" in capsys.readouterr().err


def test_definitions_that_cannot_be_written_say_where(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["crds", "--output", "/proc/x"]) == 2
    assert "--output /proc/x: No such file" in capsys.readouterr().err


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
