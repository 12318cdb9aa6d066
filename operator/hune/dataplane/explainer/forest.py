"""Tree models as arrays over the nodes of all their trees, as an artefact holds them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from hune.dataplane.detectors.artefact import Array, Arrays, ArraySpec, ArtefactError
from hune.dataplane.detectors.isolation_forest import check_links

ARRAYS: Final[Mapping[str, ArraySpec]] = {
    "roots": ArraySpec("<i4", 1),
    "output": ArraySpec("<i4", 1),
    "feature": ArraySpec("<i4", 1),
    "threshold": ArraySpec("<f8", 1),
    "left": ArraySpec("<i4", 1),
    "missing_left": ArraySpec("|u1", 1),
    "cover": ArraySpec("<f8", 1),
    "value": ArraySpec("<f8", 1),
    "offset": ArraySpec("<f8", 1),
}
_MAXIMUM_TREES: Final = 100_000
_NODE_ARRAYS: Final = ("feature", "threshold", "missing_left", "cover", "value")


@dataclass(frozen=True, slots=True)
class Forest:
    """Trees whose leaves are summed, output by output.

    A node's right child follows its left one; a leaf is its own left child.

    Attributes:
        roots: Shape (trees,): each tree's first node.
        output: Shape (trees,): the output that the tree adds to.
        feature: Shape (nodes,): the column that is compared.
        threshold: Shape (nodes,): a row goes right when its value is above.
        left: Shape (nodes,): the left child.
        missing_left: Shape (nodes,), 0 or 1: whether a row without a value goes left.
        cover: Shape (nodes,): weight of the training rows that came through.
        value: Shape (nodes,): what a leaf adds.
        offset: Shape (outputs,): what is added to the trees' sum.
        leaf: Shape (nodes,): which nodes are leaves.
    """

    roots: Array
    output: Array
    feature: Array
    threshold: Array
    left: Array
    missing_left: Array
    cover: Array
    value: Array
    offset: Array
    leaf: Array


def check_forest(arrays: Arrays, columns: int, outputs: int) -> Forest:
    """Return the forest in an artefact's arrays.

    Args:
        arrays: As `ARRAYS` says.
        columns: Number of columns of a row.
        outputs: Number of outputs.

    Raises:
        ArtefactError: They are no forest.
    """
    _check_shapes(arrays, outputs)
    roots, left = (arrays[name].astype(np.intp) for name in ("roots", "left"))
    leaf = left == np.arange(len(left))
    check_links(roots, left, leaf)
    _check_nodes(arrays, leaf, columns)
    if (arrays["cover"][roots] <= 0).any():
        raise ArtefactError("cover.npy: a tree was grown on no rows")
    given = dict(arrays) | {"roots": roots, "left": left}
    return Forest(**given, leaf=leaf)


def _check_shapes(arrays: Arrays, outputs: int) -> None:
    nodes, trees = len(arrays["left"]), len(arrays["roots"])
    if not 0 < trees <= min(_MAXIMUM_TREES, nodes):
        raise ArtefactError(f"roots.npy must hold 1 to {_MAXIMUM_TREES} trees")
    for name in _NODE_ARRAYS:
        if len(arrays[name]) != nodes:
            raise ArtefactError(f"{name}.npy has {len(arrays[name])} nodes, left.npy has {nodes}")
    if len(arrays["output"]) != trees:
        raise ArtefactError(f"output.npy has {len(arrays['output'])} trees, roots.npy has {trees}")
    if outputs < 1 or len(arrays["offset"]) != outputs:
        raise ArtefactError(f"offset.npy has {len(arrays['offset'])} outputs, not {outputs}")
    if ((arrays["output"] < 0) | (arrays["output"] >= outputs)).any():
        raise ArtefactError(f"output.npy names an output that is none of the {outputs}")


def _check_nodes(arrays: Arrays, leaf: Array, columns: int) -> None:
    feature = arrays["feature"][~leaf]
    if ((feature < 0) | (feature >= columns)).any():
        raise ArtefactError(f"feature.npy names a column that is none of the {columns}")
    for name in ("threshold", "cover", "value", "offset"):
        if not np.isfinite(arrays[name]).all():
            raise ArtefactError(f"{name}.npy holds NaN or infinity")
    if (arrays["cover"] < 0).any():
        raise ArtefactError("cover.npy holds less than nothing")
    if (arrays["missing_left"] > 1).any():
        raise ArtefactError("missing_left.npy holds what is neither 0 nor 1")
