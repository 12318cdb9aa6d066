"""Explainers as they are written, and as somebody with bad intentions would write them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hune.contract.digest import digest_of
from hune.dataplane.detectors.artefact import ArtefactError, MissingArtefactError
from hune.dataplane.explainer.loading import UnfitError, load_explainer, load_trusted
from hune.dataplane.explainer.tree_shap import TreeShap
from tests.support.explainers import edit_header, small_trees, write_trees


def test_an_explainer_is_read_as_it_was_written(tmp_path: Path) -> None:
    explainer = load_explainer(write_trees(tmp_path / "e"))
    assert explainer.header.features == ("a", "b")
    assert isinstance(explainer.method, TreeShap)
    assert explainer.method.explain(np.zeros((1, 2))).predictions.tolist() == [[3.5]]


def test_the_same_explainer_is_the_same_bytes(tmp_path: Path) -> None:
    one, two = (digest_of(write_trees(tmp_path / name)) for name in "de")
    assert one == two


def test_there_is_nothing_to_run_in_it(tmp_path: Path) -> None:
    names = {file.name for file in write_trees(tmp_path / "e").iterdir()}
    assert names == {"explainer.json", *(f"{name}.npy" for name in small_trees())}


def test_a_missing_artefact_says_what_would_write_it(tmp_path: Path) -> None:
    with pytest.raises(MissingArtefactError, match="hune fit explainer"):
        load_explainer(tmp_path)


HEADERS: list[tuple[str, Callable[[dict[str, Any]], Any], str]] = [
    ("a detector's schema", lambda d: d.update(schema="hune.dev/detector/v1"), "schema is"),
    ("an unknown method", lambda d: d.update(method="os.system"), "'os.system' is none of Tree"),
    ("another method", lambda d: d.update(method="KernelShap"), "exactly background for Kernel"),
    ("another dtype", lambda d: d.update(dtype="float16"), "dtype"),
    ("another scale", lambda d: d.update(scale="Stars"), "scale 'Stars' is none of Value"),
    ("no columns", lambda d: d.update(featureCount=0, features=[]), "featureCount"),
    ("absurdly many columns", lambda d: d.update(featureCount=10**12), "featureCount"),
    ("fewer columns than the trees name", lambda d: d.update(featureCount=1, features=[]), "the 1"),
    ("fewer names than columns", lambda d: d.update(features=["a"]), "2 different names"),
    ("no outputs", lambda d: d.update(outputs=[]), "has 1 outputs, not 0"),
    ("absurdly many outputs", lambda d: d.update(outputs=["a"] * 1001), "1000 at most"),
    ("a field that is missing", lambda d: d.pop("outputs"), "outputs is missing"),
    ("no files", lambda d: d.update(files=[]), "files must be exactly"),
    ("a file elsewhere", lambda d: d["files"][0].update(name="../left"), "files must be exactly"),
    ("another sha256", lambda d: d["files"][0].update(sha256="0" * 64), "another sha256"),
]


@pytest.mark.parametrize(
    ("change", "said"), [pytest.param(change, said, id=name) for name, change, said in HEADERS]
)
def test_a_header_that_cannot_be_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], Any], said: str
) -> None:
    directory = write_trees(tmp_path / "e")
    edit_header(directory, change)
    with pytest.raises(ArtefactError, match=said):
        load_explainer(directory)


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b"\xff\xfe", b"[" * 100_000, b" " * (5 << 20)],
    ids=["empty", "list", "cut", "no UTF-8", "deep", "large"],
)
def test_a_header_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    directory = write_trees(tmp_path / "e")
    (directory / "explainer.json").write_bytes(content)
    with pytest.raises(ArtefactError, match=r"explainer\.json"):
        load_explainer(directory)


def test_a_pickle_in_place_of_an_array_is_not_read(tmp_path: Path) -> None:
    directory = write_trees(tmp_path / "e")
    np.save(directory / "left.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ArtefactError, match=r"left\.npy has"):
        load_explainer(directory)


def test_what_is_trusted_has_the_digest(tmp_path: Path) -> None:
    directory = write_trees(tmp_path / "e")
    assert load_trusted(directory, digest_of(directory)).header.method == "TreeShap"
    with pytest.raises(UnfitError) as refused:
        load_trusted(directory, "sha256:" + "0" * 64)
    assert refused.value.fault.reason == "DigestMismatch"
    assert digest_of(directory) in refused.value.fault.message


@pytest.mark.parametrize(
    ("damage", "reason", "said"),
    [
        (lambda place: (place / "explainer.json").unlink(), "SourceNotFound", "spec.explainer.uri"),
        (lambda place: (place / "left.npy").unlink(), "ArtefactInvalid", "hune fit explainer"),
        (
            lambda place: (place / ".hune-refused.json").write_text(
                '{"hune": "refusal", "reason": "AccessDenied", "uri": "u", "message": "no right"}'
            ),
            "AccessDenied",
            "no right",
        ),
    ],
)
def test_what_cannot_be_used_has_a_reason(
    tmp_path: Path, damage: Callable[[Path], Any], reason: str, said: str
) -> None:
    directory = write_trees(tmp_path / "e")
    damage(directory)
    with pytest.raises(UnfitError) as refused:
        load_trusted(directory, "")
    assert refused.value.fault.reason == reason
    assert said in refused.value.fault.message


def test_another_method_than_the_deployment_names_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnfitError) as refused:
        load_trusted(write_trees(tmp_path / "e"), "", "KernelShap")
    assert refused.value.fault.reason == "MethodDiffers"
    assert "the artefact is of TreeShap" in refused.value.fault.message
