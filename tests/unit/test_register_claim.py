import io
import tarfile
from pathlib import Path

import pytest

from hune.cli.artefact import collect
from hune.cli.claim import build_pod, pack
from hune.cli.main import main
from hune.dataplane.storage.errors import RefusedError
from hune.dataplane.storage.receipt import receive

URI = "pvc://models/income/7"


def send(path: Path, place: Path) -> None:
    sent = io.BytesIO()
    pack(collect(path, URI), sent.write)
    sent.seek(0)
    receive(URI, place, sent)


def files(place: Path) -> dict[str, bytes]:
    found = (path for path in place.rglob("*") if path.is_file())
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in found}


def test_what_is_sent_to_a_claim_arrives_whole(tmp_path: Path) -> None:
    contents = {"model.joblib": b"x" * 50_000, "code/__init__.py": b""}
    for name, content in contents.items():
        (tmp_path / "model" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "model" / name).write_bytes(content)
    send(tmp_path / "model", tmp_path / "claim" / "income" / "7")
    assert files(tmp_path / "claim") == {f"income/7/{k}": v for k, v in contents.items()}


def test_what_lay_there_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"new")
    (tmp_path / "claim").mkdir()
    (tmp_path / "claim" / "old").write_bytes(b"old")
    send(tmp_path / "m", tmp_path / "claim")
    assert files(tmp_path / "claim") == {"m": b"new"}


@pytest.mark.parametrize(
    ("name", "kind"), [("../m", tarfile.REGTYPE), ("/m", tarfile.REGTYPE), ("m", tarfile.SYMTYPE)]
)
def test_a_hostile_stream_changes_nothing(tmp_path: Path, name: str, kind: bytes) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w|") as archive:
        member = tarfile.TarInfo(name)
        member.type = kind
        archive.addfile(member)
    stream.seek(0)
    (tmp_path / "claim").mkdir()
    (tmp_path / "claim" / "old").write_bytes(b"old")
    with pytest.raises(RefusedError):
        receive(URI, tmp_path / "claim", stream)
    assert files(tmp_path) == {"claim/old": b"old"}


def test_the_pod_fits_a_restricted_namespace() -> None:
    pod = build_pod("hune-register-1", "models", "docker.io/hune/storage:1")
    spec = pod["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    context = spec["containers"][0]["securityContext"]
    assert context["allowPrivilegeEscalation"] is False
    assert context["capabilities"] == {"drop": ["ALL"]}


def test_without_a_cluster_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m").write_bytes(b"1")
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", "/nowhere")
    options = ["--name", "income", "--number", "7", "--to", URI]
    assert main(["register", str(tmp_path / "m"), *options]) == 2
    assert "no cluster is configured" in capsys.readouterr().err


def test_an_unexpected_error_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("hune.cli.registration.register", fail)
    options = ["register", "m", "--name", "income", "--number", "7", "--to", URI]
    assert main(options) == 1
    assert capsys.readouterr().err == "hune: RuntimeError: boom (--verbose shows where)\n"
    assert main(["--verbose", *options]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_user_error_is_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["register", "/absent", "--name", "a", "--number", "1", "--to", URI]) == 2
    assert capsys.readouterr().err == "hune: error: PATH: /absent does not exist\n"
