r"""Exact Shapley values of tree models: path-dependent TreeSHAP, all trees at once.

S. M. Lundberg et al., "From local explanations to global understanding with explainable AI for
trees", Nature Machine Intelligence 2, 2020: a coalition's worth is the tree's mean over the
training rows, where a split on an absent feature sends both ways in proportion to its cover. With
it a leaf's part in the game is a product over the path's features, w \prod_{S} o_j \prod_{not S}
r_j, where o_j says whether the row passes all of the path's splits on j, and r_j which share of the
rows does. The Shapley value of a game is the integral of its multilinear extension's derivative
along the diagonal (G. Owen, "Multilinear extensions of games", Management Science 18, 1972):

    phi_i = w (o_i - r_i) \int_0^1 \prod_{j != i} (t o_j + (1 - t) r_j) dt

This is a polynomial in t of degree k - 1 for k features on the path, so ceil(k/2) points of Gauss
and Legendre give it exactly. The products go down a level at a time, over all trees at once, their
sums over leaves come up again, and each edge adds what it changed in its feature's factor, as in
P. Yu et al., "Linear TreeShap", NeurIPS 2022. What does not depend on the row is tabulated before.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from hune.dataplane.detectors.artefact import Array, Arrays, ArtefactError
from hune.dataplane.explainer.explanation import Attributions
from hune.dataplane.explainer.forest import Forest, check_forest

Numbers = npt.NDArray[np.float64]

_MAXIMUM_DEPTH: Final = 256
# Numbers in one table; there are six such tables.
_MAXIMUM_TABLE: Final = 1 << 22
_LARGEST: Final = float(np.finfo(np.float64).max)
_STATES: Final = 3


@dataclass(frozen=True, slots=True)
class _Levels:
    """A forest's nodes, sorted by their depth; on each level those that are no leaves come first.

    Attributes:
        trees: Shape (trees,): the tree whose root stands at each of the first places.
        order: Shape (nodes,): the node that stands at each place.
        parent: Shape (nodes,): the place of its parent; of a root, its own.
        bounds: Where each level begins and ends.
        children: For each level, the places of the left and of the right children of its first
            nodes, which are those that have any.
    """

    trees: Array
    order: Array
    parent: Array
    bounds: list[tuple[int, int]]
    children: list[tuple[Array, Array]]


@dataclass(frozen=True, slots=True)
class _Edges:
    """The edge above each place; above a root there is none, which every row passes.

    Attributes:
        feature: The column that it looks at.
        previous: The place whose edge looked at it before, on the way from the root; for none,
            the number of places, where all arrays below have an entry of that meaning.
        low: A row passes this edge, and all before that look at the column, above this…
        high: …and up to this.
        missing: Whether a row without a value passes them.
        share: Which share of the training rows passes them.
    """

    feature: Array
    previous: Array
    low: Array
    high: Array
    missing: Array
    share: Array


class TreeShap:
    """Explains rows by a forest.

    Attributes:
        base_values: Shape (outputs,): the model's mean over its training rows.
        cost: Numbers that are touched for one row, a few nanoseconds each.
    """

    def __init__(self, arrays: Arrays, columns: int, outputs: int, dtype: str) -> None:
        """Check the arrays and tabulate.

        Args:
            arrays: As `forest.ARRAYS` says.
            columns: Number of columns of a row.
            outputs: Number of the model's outputs.
            dtype: The precision in which the model compares, `float32` or `float64`.

        Raises:
            ArtefactError: They are no forest, or too large a one.
        """
        forest = check_forest(arrays, columns, outputs)
        self._levels = levels = _sort(forest)
        self._edges = edges = _trace(forest, levels)
        points = _points(levels, edges)
        if len(levels.order) * (points + 1) > _MAXIMUM_TABLE:
            raise ArtefactError(
                f"{len(levels.order)} nodes with up to {2 * points} different features on one path "
                "are too many to tabulate; use fewer or shallower trees, or KernelShap"
            )
        self._steps, self._gains = _tabulate(edges, len(forest.roots), points)
        self._value = np.where(forest.leaf, forest.value, 1.0)[levels.order]
        # Nothing goes on below a leaf, so what it adds may be a factor of its own step.
        self._steps *= self._value.repeat(_STATES)[:, np.newaxis]
        self._trees = len(forest.roots)
        self._output, self._offset = forest.output[levels.trees], forest.offset
        place = np.arange(len(levels.order))
        self._entry = place * _STATES
        self._key = forest.output[_tree_of(levels)] * columns + edges.feature
        self._columns, self._single = columns, dtype == "float32"
        self.cost = self._steps.size // _STATES
        self.base_values = self._sum_outputs(self._expect())

    def explain(self, rows: Numbers) -> Attributions:
        """Return the exact Shapley values of each row.

        Args:
            rows: Shape (rows, columns); NaN where a value is missing.
        """
        if self._single:
            with np.errstate(over="ignore"):
                rows = rows.astype(np.float32).astype(np.float64)
        rows = np.clip(rows, -_LARGEST, _LARGEST)
        count, outputs = len(rows), len(self._offset)
        values = np.empty((count, outputs, self._columns))
        predictions = np.empty((count, outputs))
        for position, row in enumerate(rows):
            values[position], predictions[position] = self._explain(row)
        return Attributions(values, self.base_values, predictions)

    def _explain(self, row: Numbers) -> tuple[Numbers, Numbers]:
        passed = self._passed(row)
        state = self._entry + passed[:-1] + passed.take(self._edges.previous)
        # At the last point t is one: there the product says whether the row comes to the leaf.
        products = self._steps.take(state, axis=0)
        self._go_down(products)
        self._sum_up(products)
        gains = np.einsum("ij,ij->i", self._gains.take(state, axis=0), products)
        size = len(self._offset) * self._columns
        values = np.bincount(self._key, gains, size).astype(np.float64, copy=False)
        return values.reshape(-1, self._columns), self._sum_outputs(products[: self._trees, -1])

    def _passed(self, row: Numbers) -> Array:
        """Tell for each place whether the row passes its edge and those before on its column."""
        edges = self._edges
        found = row.take(edges.feature)
        passed = np.empty(len(found) + 1, dtype=np.bool_)
        passed[-1] = True
        np.logical_and(found > edges.low, found <= edges.high, out=passed[:-1])
        missing = np.isnan(found)
        if missing.any():
            passed[:-1] |= missing & edges.missing
        return passed

    def _go_down(self, steps: Numbers) -> None:
        """Turn the step at every place into the product of all on the way to it, in place."""
        parent = self._levels.parent
        for start, end in self._levels.bounds[1:]:
            steps[start:end] *= steps.take(parent[start:end], axis=0)

    def _sum_up(self, sums: Numbers) -> None:
        """Turn what stands at the leaves into sums at every place, in place."""
        levels = self._levels
        for (start, _), (left, right) in zip(
            levels.bounds[::-1], levels.children[::-1], strict=True
        ):
            here = sums[start : start + len(left)]
            np.add(sums.take(left, axis=0), sums.take(right, axis=0), out=here)

    def _expect(self) -> Numbers:
        """Return each tree's mean over the training rows, shape (trees,)."""
        edges = self._edges
        before = edges.share[edges.previous]
        own = np.divide(edges.share[:-1], before, out=np.zeros_like(before), where=before > 0)
        means = (own * self._value)[:, np.newaxis]
        self._go_down(means)
        self._sum_up(means)
        return means[: self._trees, 0]

    def _sum_outputs(self, trees: Numbers) -> Numbers:
        summed: Numbers = self._offset + np.bincount(self._output, trees, len(self._offset))
        return summed


def _sort(forest: Forest) -> _Levels:
    trees = np.argsort(forest.leaf[forest.roots], kind="stable")
    level, start = forest.roots[trees], 0
    parent = np.arange(len(level))
    orders, parents, children = [], [], []
    bounds: list[tuple[int, int]] = []
    while len(level):
        if len(bounds) > _MAXIMUM_DEPTH:
            raise ArtefactError(f"left.npy: a tree is deeper than {_MAXIMUM_DEPTH} levels")
        end = start + len(level)
        orders.append(level)
        parents.append(parent)
        bounds.append((start, end))
        left = forest.left[level[~forest.leaf[level]]]
        both = np.concatenate([left, left + 1])
        sorting = np.argsort(forest.leaf[both], kind="stable")
        place = np.empty(len(both), dtype=np.intp)
        place[sorting] = end + np.arange(len(both))
        children.append((place[: len(left)], place[len(left) :]))
        level = both[sorting]
        parent, start = start + sorting % max(1, len(left)), end
    return _Levels(trees, np.concatenate(orders), np.concatenate(parents), bounds, children)


def _tree_of(levels: _Levels) -> Array:
    """Return for each place the tree that it is of."""
    tree = np.empty(len(levels.order), dtype=np.intp)
    tree[: len(levels.trees)] = levels.trees
    for start, end in levels.bounds[1:]:
        tree[start:end] = tree[levels.parent[start:end]]
    return tree


def _trace(forest: Forest, levels: _Levels) -> _Edges:
    trees, count = len(forest.roots), len(levels.order)
    above = levels.order[levels.parent]
    feature = forest.feature[above].astype(np.intp)
    feature[:trees] = 0
    previous = _previous(levels.parent, feature, trees)
    low, high = np.full(count + 1, -np.inf), np.full(count + 1, np.inf)
    missing, share = np.ones(count + 1, dtype=np.bool_), np.ones(count + 1)
    threshold = forest.threshold[above]
    through = forest.cover[above]
    cover = forest.cover[levels.order]
    own = np.divide(cover, through, out=np.zeros(count), where=through > 0)
    to_left = forest.missing_left[above].astype(np.bool_)
    is_left = levels.order == forest.left[above]
    for start, end in levels.bounds[1:]:
        here = slice(start, end)
        before, left = previous[here], is_left[here]
        low[here] = np.where(left, low[before], np.maximum(low[before], threshold[here]))
        high[here] = np.where(left, np.minimum(high[before], threshold[here]), high[before])
        missing[here] = missing[before] & (to_left[here] == left)
        share[here] = share[before] * own[here]
    return _Edges(feature, previous, low[:-1], high[:-1], missing[:-1], share)


def _previous(parent: Array, feature: Array, trees: int) -> Array:
    """Return for each place the nearest one above it whose edge looks at the same column."""
    found = np.full(len(parent), len(parent))
    place = np.arange(trees, len(parent))
    above = parent[place]
    while len(place):
        below_root = above >= trees
        place, above = place[below_root], above[below_root]
        same = feature[above] == feature[place]
        found[place[same]] = above[same]
        place, above = place[~same], parent[above[~same]]
    return found


def _points(levels: _Levels, edges: _Edges) -> int:
    """Return how many points give the integral over the longest path exactly."""
    fresh = edges.previous == len(levels.order)
    features = np.zeros(len(levels.order), dtype=np.intp)
    for start, end in levels.bounds[1:]:
        features[start:end] = features[levels.parent[start:end]] + fresh[start:end]
    return max(1, (int(features.max()) + 1) // 2)


def _tabulate(edges: _Edges, trees: int, points: int) -> tuple[Numbers, Numbers]:
    """Return what an edge does to its path's product, and what its feature gains by it.

    A row passes this edge and all before it on the column (state 2), or this one is the first that
    it does not pass (1), or an earlier one was (0), and there is nothing to gain any more.

    Returns:
        Shape (3 x places, points + 1) each. The last point is t = 1, where nothing is gained.
    """
    places, weights = np.polynomial.legendre.leggauss(points)
    inside, weights = (places + 1) / 2, weights / 2
    t = np.append(inside, 1.0)
    share = edges.share[:-1, np.newaxis]
    before = edges.share[edges.previous][:, np.newaxis]
    passed, passed_before = t + (1 - t) * share, t + (1 - t) * before
    steps = np.zeros((len(share), _STATES, points + 1))
    steps[:, 0] = np.divide(share, before, out=np.zeros_like(share), where=before > 0)
    steps[:, 1] = (1 - t) * share / passed_before
    steps[:, 2] = passed / passed_before
    lost = (1 - before) / passed_before[:, :-1]
    gains = np.zeros_like(steps)
    gains[:, 1, :-1] = weights * (-1 / (1 - inside) - lost)
    gains[:, 2, :-1] = weights * ((1 - share) / passed[:, :-1] - lost)
    steps[:trees], gains[:trees] = 1.0, 0.0
    return steps.reshape(-1, points + 1), gains.reshape(-1, points + 1)
