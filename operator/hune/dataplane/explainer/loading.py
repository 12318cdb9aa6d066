"""The explainer that a process was told to use, or why it cannot explain."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hune.contract.digest import digest_of
from hune.contract.names import REFUSED_FILE
from hune.contract.refusal import Refusal
from hune.contract.state import EXPLAINER, DetectorFault
from hune.dataplane.detectors.artefact import (
    Arrays,
    ArraySpec,
    ArtefactError,
    MissingArtefactError,
)
from hune.dataplane.explainer import alibi, forest
from hune.dataplane.explainer.artefact import Header, read_arrays, read_header
from hune.dataplane.explainer.method import BlackBox
from hune.dataplane.explainer.tree_shap import TreeShap

_LOG: Final = logging.getLogger(__name__)
TREE_SHAP: Final = "TreeShap"


@dataclass(frozen=True, slots=True)
class _Asking:
    """A method that asks the predictor."""

    arrays: Mapping[str, ArraySpec]
    build: Callable[[Arrays, Header], BlackBox]


_ASKING: Final[Mapping[str, _Asking]] = {
    "KernelShap": _Asking(alibi.BACKGROUND, alibi.KernelShap),
    "AnchorTabular": _Asking(alibi.BACKGROUND, alibi.AnchorTabular),
    "AnchorImage": _Asking(alibi.NO_ARRAYS, alibi.AnchorImage),
}
METHODS: Final = (TREE_SHAP, *_ASKING)


@dataclass(frozen=True, slots=True)
class Explainer:
    """An explainer, ready to explain.

    Attributes:
        header: What its artefact says.
        method: What explains: by itself, or by asking the predictor.
    """

    header: Header
    method: TreeShap | BlackBox


class UnfitError(Exception):
    """The artefact is not used.

    Attributes:
        fault: Why not.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.fault = DetectorFault(EXPLAINER, reason, message)


def load_explainer(directory: Path) -> Explainer:
    """Read an explainer's artefact.

    Args:
        directory: Where `explainer.json` and its arrays lie.

    Raises:
        ArtefactError: It cannot be read, or is not what it says.
    """
    header = read_header(directory)
    if header.method == TREE_SHAP:
        arrays = read_arrays(directory, header, forest.ARRAYS)
        outputs = len(header.outputs)
        return Explainer(header, TreeShap(arrays, header.feature_count, outputs, header.dtype))
    asking = _ASKING.get(header.method)
    if asking is None:
        known = ", ".join(METHODS)
        raise ArtefactError(f"method {header.method[:80]!r} is none of {known}")
    return Explainer(header, asking.build(read_arrays(directory, header, asking.arrays), header))


def load_trusted(directory: Path, digest: str, method: str = "") -> Explainer:
    """Read an explainer's artefact if it is the one that is wanted.

    Args:
        directory: Where it lies.
        digest: Its digest; any when empty.
        method: Its method; any when empty.

    Raises:
        UnfitError: It is not, or cannot be used.
    """
    try:
        _refuse_unfit(directory, digest)
        _refuse_other(read_header(directory), method)
        return load_explainer(directory)
    except (FileNotFoundError, MissingArtefactError):
        raise UnfitError(
            "SourceNotFound", f"no artefact is at {directory}; check spec.explainer.uri"
        ) from None
    except (ArtefactError, ValueError, OSError) as error:
        raise UnfitError(
            "ArtefactInvalid", f"{error}; make it again with `hune fit explainer`"
        ) from None


def _refuse_unfit(directory: Path, digest: str) -> None:
    word = directory / REFUSED_FILE
    refusal = Refusal.from_json(word.read_text()) if word.is_file() else None
    if refusal is not None:
        raise UnfitError(refusal.reason, refusal.message)
    if digest and (found := digest_of(directory)) != digest:
        raise UnfitError(
            "DigestMismatch",
            f"the artefact's digest is {found}, wanted is {digest}; restore the artefact, or set "
            "the digest of this one",
        )


def _refuse_other(header: Header, method: str) -> None:
    if method and header.method != method:
        raise UnfitError(
            "MethodDiffers",
            f"the artefact is of {header.method[:80]}; set spec.explainer.method to that, or name "
            f"an artefact of {method}",
        )
