import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from hune.cli.main import main
from hune.contract.digest import digest_of
from hune.dataplane.storage import s3 as initializer
from tests.support.s3 import SECRET_KEY, S3Server


@pytest.fixture
def model(tmp_path: Path) -> Path:
    place = tmp_path / "model"
    (place / "code").mkdir(parents=True)
    (place / "model.joblib").write_bytes(b"weights" * 100)
    (place / "code" / "__init__.py").touch()
    return place


@pytest.fixture
def bucket(s3: S3Server) -> S3Server:
    s3.put("models", {})
    return s3


def register(path: Path, *more: str, to: str = "s3://models/income/7") -> int:
    options = ["--name", "income", "--number", "7", "--to", to, *more]
    return main(["register", str(path), *options])


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(capsys.readouterr().out)
    return document


def stored(server: S3Server, bucket: str = "models") -> dict[str, bytes]:
    found = server.client.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {
        o["Key"]: server.client.get_object(Bucket=bucket, Key=o["Key"])["Body"].read()
        for o in found
    }


@pytest.mark.usefixtures("bucket")
def test_what_is_printed_describes_what_an_initializer_finds(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert register(model, "--namespace", "team") == 0
    document = printed(capsys)
    assert (document["apiVersion"], document["kind"]) == ("hune.dev/v1alpha1", "ModelVersion")
    assert document["metadata"] == {"name": "income-7", "namespace": "team"}
    source = document["spec"]["source"]
    assert source == {
        "uri": "s3://models/income/7",
        "format": "sklearn",
        "digest": digest_of(model),
    }
    initializer.fetch(source["uri"], tmp_path / "pod")
    assert digest_of(tmp_path / "pod") == source["digest"]


def test_a_single_file_lies_in_the_directory_that_the_uri_names(
    bucket: S3Server, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert register(model / "model.joblib", to="s3://models/income/7/") == 0
    source = printed(capsys)["spec"]["source"]
    assert source["uri"] == "s3://models/income/7"
    assert [*stored(bucket)] == ["income/7/model.joblib"]
    initializer.fetch(source["uri"], tmp_path / "pod")
    assert digest_of(tmp_path / "pod") == source["digest"]


def test_a_single_file_may_be_named_itself(
    bucket: S3Server, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = model / "model.joblib"
    assert register(file, to="s3://models/income/model.joblib") == 0
    assert printed(capsys)["spec"]["source"]["digest"] == digest_of(file)
    assert [*stored(bucket)] == ["income/model.joblib"]


def test_registering_twice_uploads_once(
    bucket: S3Server, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert register(model) == 0
    first = capsys.readouterr()
    before = bucket.client.list_objects_v2(Bucket="models")["Contents"]
    assert register(model) == 0
    second = capsys.readouterr()
    assert "nothing uploaded" in second.err
    assert second.out == first.out
    assert bucket.client.list_objects_v2(Bucket="models")["Contents"] == before


def test_other_files_are_replaced_only_by_force(
    bucket: S3Server, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket.put("models", {"income/7/old": b"other", "income/70/m": b"neighbour"})
    assert register(model) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "holds other files" in said.err
    assert "--force" in said.err
    assert stored(bucket) == {"income/7/old": b"other", "income/70/m": b"neighbour"}

    assert register(model, "--force") == 0
    assert stored(bucket) == {
        "income/7/code/__init__.py": b"",
        "income/7/model.joblib": b"weights" * 100,
        "income/70/m": b"neighbour",
    }


@pytest.mark.usefixtures("bucket")
def test_metrics_parameters_run_and_parent_are_recorded(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "train.csv"
    data.write_text("a,b\n1,2\n")
    options = "--metric accuracy=0.95 --metric loss=1e-5 --parameter depth=3 --parameter q=a=b "
    options += "--run-id 42 --tracker https://mlflow.example --parent income-6 --secret-ref s3 "
    options += f"--data {data} --data s3://lake/train.csv={data} --data s3://lake/big "
    assert register(model, *options.split()) == 0
    spec = printed(capsys)["spec"]
    digest = digest_of(data)
    assert spec["metrics"] == {"accuracy": "0.95", "loss": "0.00001"}
    assert spec["source"]["secretRef"] == {"name": "s3"}
    assert {key: spec["lineage"][key] for key in ("data", "parameters", "run", "parent")} == {
        "data": [
            {"uri": str(data), "digest": digest},
            {"uri": "s3://lake/train.csv", "digest": digest},
            {"uri": "s3://lake/big"},
        ],
        "parameters": {"depth": "3", "q": "a=b"},
        "run": {"id": "42", "tracker": "https://mlflow.example"},
        "parent": "income-6",
    }


@pytest.mark.usefixtures("bucket")
def test_the_codes_commit_is_recorded_without_the_remotes_password(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = tmp_path / "code"
    code.mkdir()
    for command in (
        "git init -q",
        "git remote add origin https://me:hidden@git.example/a.git",
        "git -c user.name=a -c user.email=a@b commit -q --allow-empty -m first",
    ):
        subprocess.run(command.split(), cwd=code, check=True)
    assert register(model, "--code", str(code)) == 0
    git = printed(capsys)["spec"]["lineage"]["git"]
    assert git["repository"] == "https://git.example/a.git"
    assert len(git["commit"]) == 40
    assert git["dirty"] is False

    (code / "changed.py").touch()
    assert register(model, "--code", str(code)) == 0
    assert printed(capsys)["spec"]["lineage"]["git"] == git | {"dirty": True}


@pytest.mark.usefixtures("bucket")
def test_without_a_repository_the_code_is_said_to_be_unknown(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert register(model, "--code", str(model)) == 0
    said = capsys.readouterr()
    assert "in no git repository: no code is recorded" in said.err
    assert "lineage" not in yaml.safe_load(said.out)["spec"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--metric", "accuracy=high"], "--metric accuracy=high: write a decimal number"),
        (["--metric", "accuracy=nan"], "only finite numbers"),
        (["--parameter", "depth"], "--parameter depth: write it as KEY=VALUE"),
        (["--number", "0"], "spec.number"),
        (["--name", "In Come"], "spec.model"),
        (["--format", "Sk Learn"], "spec.source.format"),
        (["--tracker", "https://mlflow.example"], "--run-id"),
        (["--data", "/absent.csv"], "--data /absent.csv"),
        (["--to", "ftp://host/model"], "--to ftp://host/model: use s3://"),
        (["--to", "pvc://claim"], "--to pvc://claim: name a directory in the claim"),
        (["--to", "s3://absent/income"], "the bucket 'absent' does not exist"),
    ],
)
def test_a_fault_is_named_and_nothing_is_uploaded(
    bucket: S3Server,
    model: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    words: str,
) -> None:
    assert register(model, *options) == 2
    said = capsys.readouterr()
    assert said.err.splitlines()[-1].startswith("hune: error: ")
    assert words in said.err
    assert said.out == ""
    assert stored(bucket) == {}


@pytest.mark.usefixtures("bucket")
def test_a_path_without_files_is_named(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert register(tmp_path / "empty") == 2
    assert register(tmp_path / "absent") == 2
    (model / "link").symlink_to("/etc/passwd")
    assert register(model) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.startswith("hune: error: PATH: ") for line in lines] == [True] * 3


def test_refused_credentials_name_the_variables_and_not_the_secret(
    bucket: S3Server, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket.check_credentials()
    assert register(model) == 2
    said = capsys.readouterr().err
    assert "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in said
    assert SECRET_KEY not in said


@pytest.mark.usefixtures("s3")
def test_an_unreachable_endpoint_is_named(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert register(model, "--endpoint-url", "http://127.0.0.1:1") == 2
    said = capsys.readouterr().err
    assert "http://127.0.0.1:1 does not answer" in said
    assert "check --endpoint-url" in said
