"""Trees of any library, laid out as the guard and the explainer want them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hune.dataplane.detectors.artefact import Arrays

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree; all arrays have one entry per node, the root's first.

    Attributes:
        left: The left child; negative for a leaf.
        right: The right child.
        feature: The column that is compared; of a leaf, anything.
        threshold: A row goes right when its value is above; of a leaf, anything.
        missing_left: Whether a row without a value goes left.
        cover: Weight of the training rows that came through.
        value: What a leaf adds; of an inner node, anything.
        output: The output that the tree adds to.
    """

    left: Array
    right: Array
    feature: Array
    threshold: Array
    missing_left: Array
    cover: Array
    value: Array
    output: int = 0


def pack_trees(trees: Sequence[Tree], offset: Sequence[float]) -> Arrays:
    """Lay trees out as an explainer's artefact has them.

    Args:
        trees: One or more.
        offset: What is added to each output.
    """
    parts: dict[str, list[Array]] = {name: [] for name in _NODE_TYPES}
    roots, start = [], 0
    for tree in trees:
        order, left = breadth_first(tree.left, tree.right)
        inner = left != np.arange(len(left))
        roots.append(start)
        parts["left"].append(left + start)
        parts["feature"].append(np.where(inner, tree.feature[order], 0))
        parts["threshold"].append(np.where(inner, tree.threshold[order], 0))
        parts["missing_left"].append(np.where(inner, tree.missing_left[order], 0))
        parts["cover"].append(tree.cover[order])
        parts["value"].append(np.where(inner, 0, tree.value[order]))
        start += len(order)
    packed = {name: np.concatenate(parts[name]).astype(_NODE_TYPES[name]) for name in parts}
    return packed | {
        "roots": np.array(roots, dtype="<i4"),
        "output": np.array([tree.output for tree in trees], dtype="<i4"),
        "offset": np.array(offset, dtype="<f8"),
    }


def breadth_first(left: Any, right: Any) -> tuple[Array, Array]:
    """Return the nodes so that siblings are neighbours, and each one's left child there.

    Args:
        left: Each node's left child; negative for a leaf.
        right: Each node's right child.
    """
    order: list[int] = [0]
    children: list[int] = []
    for node in order:  # grows as it is walked
        leaf = left[node] < 0
        children.append(len(children) if leaf else len(order))
        order += [] if leaf else [left[node], right[node]]
    return np.array(order), np.array(children)


_NODE_TYPES = {
    "left": "<i4",
    "feature": "<i4",
    "threshold": "<f8",
    "missing_left": "|u1",
    "cover": "<f8",
    "value": "<f8",
}
