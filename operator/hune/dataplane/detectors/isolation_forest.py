"""An isolation forest in packed arrays; all trees are walked at once, level by level.

F. T. Liu, K. M. Ting, Z.-H. Zhou, "Isolation Forest", ICDM 2008: a row that few splits isolate is
an outlier. The score is the paper's s(x, n) = 2^(-E(h(x)) / c(n)) (equation 2) less one half, which
is what alibi-detect's `IForest` gives (scikit-learn's `decision_function` with its sign changed).
"""

from collections.abc import Mapping
from math import isnan, nan
from typing import Final

import numpy as np
import numpy.typing as npt

from hune.dataplane.detectors.artefact import Array, Arrays, ArraySpec, ArtefactError

Numbers = npt.NDArray[np.float64]

ARRAYS: Final[Mapping[str, ArraySpec]] = {
    "roots": ArraySpec("<i4", 1),
    "feature": ArraySpec("<i4", 1),
    "threshold": ArraySpec("<f4", 1),
    "left": ArraySpec("<i4", 1),
    "samples": ArraySpec("<i4", 1),
}
DTYPE: Final = "float32"
_MAXIMUM_TREES: Final = 10_000
_MAXIMUM_DEPTH: Final = 64
# Rows that are walked at once; so many keep what is looked up inside a core's cache.
_CHUNK: Final = 256


class IsolationForest:
    """Trees as arrays over the nodes of all of them.

    A node's right child follows its left one. A leaf is its own left child, and nothing is above
    its threshold, so a row that has arrived stays.
    """

    def __init__(self, arrays: Arrays, count: int) -> None:
        """Check the arrays.

        Args:
            arrays: `roots`, shape (trees,): each tree's first node. Shape (nodes,) each: `feature`,
                the column that is compared; `threshold`, above which a row goes right; `left`, the
                left child; `samples`, how many rows of the fit arrived there.
            count: Number of columns.

        Raises:
            ArtefactError: They are no forest.
        """
        _check_shapes(arrays)
        roots, left = (arrays[name].astype(np.intp) for name in ("roots", "left"))
        leaf = left == np.arange(len(left))
        check_links(roots, left, leaf)
        _check_nodes(arrays, leaf, count)
        samples = arrays["samples"].astype(np.int64)
        self._roots, self._left = roots, left
        self._feature = np.where(leaf, 0, arrays["feature"]).astype(np.intp)
        self._threshold = np.where(leaf, np.float32(np.inf), arrays["threshold"])
        depths, self._levels = _depths(roots, left, leaf)
        self._path_lengths = depths + average_path_length(samples)
        sample_size = _sample_size(roots, left, samples, leaf)
        self._longest = float(len(roots) * average_path_length(sample_size)[0])

    def score(self, rows: Numbers) -> Numbers:
        """Return how much each row stands out.

        Args:
            rows: Shape (rows, columns).

        Returns:
            Shape (rows,), between -0.5 and 0.5; NaN for a row that holds NaN, for which no branch
            is the right one.
        """
        # The fit compares in single precision; what is too large for that is infinite there too.
        with np.errstate(over="ignore"):
            single = rows.astype(np.float32)
        if len(single) == 1:
            return np.array([self._score_one(single[0])])
        parts = [self._score(single[i : i + _CHUNK]) for i in range(0, len(single), _CHUNK)]
        return np.concatenate(parts) if parts else np.empty(0)

    def _score_one(self, row: Array) -> float:
        """Return the score of one row, as most requests have: with half the work of `_score`."""
        feature, threshold, left = self._feature, self._threshold, self._left
        at = self._roots
        for _ in range(self._levels):
            at = left[at] + (row[feature[at]] > threshold[at])
        if isnan(row.dot(row)):  # squares never cancel: NaN only where one of them is
            return nan
        length = np.add.reduce(self._path_lengths[at])
        return float(np.exp2(length / -self._longest)) - 0.5

    def _score(self, rows: Array) -> Numbers:
        flat = rows.ravel()
        count = len(rows)
        offsets = (np.arange(count) * rows.shape[1])[:, np.newaxis]
        at = np.broadcast_to(self._roots, (count, len(self._roots)))
        for _ in range(self._levels):
            value = flat[self._feature[at] + offsets]
            at = self._left[at] + (value > self._threshold[at])
        lengths = self._path_lengths.take(at).sum(axis=-1)
        scores: Numbers = np.exp2(lengths / -self._longest) - 0.5
        scores[np.isnan(rows).any(axis=1)] = np.nan
        return scores


def average_path_length(samples: Array) -> Numbers:
    """Return c(n), the mean path length of an unsuccessful search among n rows.

    Liu et al. 2008, equation 1, with the harmonic number as ln + Euler's constant; c(2) = 1 and
    c(1) = 0 as in scikit-learn.
    """
    rows = np.asarray(samples, dtype=np.float64)
    many = np.maximum(rows, 3.0)
    lengths = 2.0 * (np.log(many - 1.0) + np.euler_gamma) - 2.0 * (many - 1.0) / many
    few = np.maximum(rows - 1.0, 0.0)
    found: Numbers = np.where(rows > 2, lengths, few)  # noqa: PLR2004 equation 1 begins at three
    return found


def _check_shapes(arrays: Arrays) -> None:
    nodes = len(arrays["left"])
    if not 0 < len(arrays["roots"]) <= min(_MAXIMUM_TREES, nodes):
        raise ArtefactError(f"roots.npy must hold 1 to {_MAXIMUM_TREES} trees")
    for name in ("feature", "threshold", "samples"):
        if len(arrays[name]) != nodes:
            raise ArtefactError(f"{name}.npy has {len(arrays[name])} nodes, left.npy has {nodes}")


def check_links(roots: Array, left: Array, leaf: Array) -> None:
    """Every node has one parent, before it; so there is no cycle and nothing is shared."""
    nodes = np.arange(len(left))
    children = left[~leaf]
    named = np.sort(np.concatenate([roots, children, children + 1]))
    if (children <= nodes[~leaf]).any() or not np.array_equal(named, nodes):
        raise ArtefactError("left.npy and roots.npy are no trees: a node is missing or shared")


def _check_nodes(arrays: Arrays, leaf: Array, count: int) -> None:
    feature, samples = arrays["feature"][~leaf], arrays["samples"]
    if ((feature < 0) | (feature >= count)).any():
        raise ArtefactError(f"feature.npy names a column that is none of the {count}")
    if not np.isfinite(arrays["threshold"][~leaf]).all():
        raise ArtefactError("threshold.npy holds NaN or infinity")
    if (samples < 1).any():
        raise ArtefactError("samples.npy holds less than one row")


def _depths(roots: Array, left: Array, leaf: Array) -> tuple[Array, int]:
    """Return the number of edges above each node, shape (nodes,), and the largest of them."""
    depths = np.zeros(len(left), dtype=np.float64)
    level, depth = roots, 0
    while True:
        depths[level] = depth
        inner = level[~leaf[level]]
        if not len(inner):
            return depths, depth
        if depth == _MAXIMUM_DEPTH:
            raise ArtefactError(f"left.npy: a tree is deeper than {_MAXIMUM_DEPTH} levels")
        level = np.concatenate([left[inner], left[inner] + 1])
        depth += 1


def _sample_size(roots: Array, left: Array, samples: Array, leaf: Array) -> Array:
    """Return the number of rows that each tree was fitted on, shape (1,)."""
    children = left[~leaf]
    if not np.array_equal(samples[children] + samples[children + 1], samples[~leaf]):
        raise ArtefactError("samples.npy: the rows of two children are not those of their parent")
    sizes: Array = np.unique(samples[roots])
    if len(sizes) != 1 or sizes[0] < 2:  # noqa: PLR2004 one row has no path
        raise ArtefactError("samples.npy: every tree must be fitted on the same rows, two or more")
    return sizes
