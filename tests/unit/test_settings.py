from pathlib import Path

import pytest

from hune.controlplane.errors import SettingsError
from hune.controlplane.settings import Settings, load


def written(folder: Path, text: str) -> Path:
    file = folder / "settings.yaml"
    file.write_text(text)
    return file


def test_without_a_file_the_defaults_hold() -> None:
    assert load(None) == Settings()


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    assert load(written(tmp_path, "")) == Settings()
    assert load(written(tmp_path, "# nothing yet\n")) == Settings()


def test_the_edge_class_ships_with_the_label_that_k3s_sets() -> None:
    assert Settings().placement_classes["EdgeArm"].document() == {
        "profile": "Lite",
        "architectures": ["arm64"],
        "nodeSelector": {"node.kubernetes.io/instance-type": "k3s"},
        "tolerations": [],
    }


@pytest.mark.parametrize("address", ["x", "x:0", "x:99999", "a b:80", "http://x:80"])
def test_an_authorizer_without_host_and_port_is_named(tmp_path: Path, address: str) -> None:
    with pytest.raises(SettingsError, match=r"authorizer: .* is no host and port"):
        load(written(tmp_path, f"authorizer: {address!r}"))


def test_a_file_changes_what_it_names(tmp_path: Path) -> None:
    settings = load(
        written(
            tmp_path,
            """
            images: {guard: example.org/guard:2}
            placementClasses: {Gpu: {nodeSelector: {gpu: "true"}}}
            gateway: {name: shared, namespace: gateways, domain: models.example.org}
            retireAfterSeconds: 0
            """,
        )
    )
    assert settings.images.guard == "example.org/guard:2"
    assert settings.images.pull_policy == "IfNotPresent"
    assert list(settings.placement_classes) == ["Gpu"], "the platform's list is the whole list"
    assert settings.gateway is not None
    assert settings.retire_after_seconds == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("images: {gard: a}", "images.gard: Extra inputs are not permitted (got 'a')"),
        ("workers: 0", "workers: Input should be greater than or equal to 1 (got 0)"),
        ("drainSeconds: soon", "drainSeconds: Input should be a valid integer"),
        ("leaseSeconds: 1", "leaseSeconds: Input should be greater than or equal to 3 (got 1)"),
        ("gateway: {name: a}", "gateway.namespace: Field required; gateway.domain: Field required"),
        ("placementClasses: {A: {architectures: [x86]}}", "placementClasses.A.architectures.0:"),
        ("guardResources: {limits: {memory: much}}", "a quantity is a number without sign"),
        ("- a list", "Input should be a valid dictionary"),
        ("{", "not YAML"),
    ],
)
def test_a_fault_is_told_with_file_field_and_value(tmp_path: Path, text: str, words: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(SettingsError) as refused:
        load(file)
    assert str(refused.value).startswith(f"{file}: ")
    assert words in str(refused.value)


def test_a_missing_file_is_told() -> None:
    with pytest.raises(SettingsError, match=r"/nowhere/settings\.yaml: No such file"):
        load(Path("/nowhere/settings.yaml"))
