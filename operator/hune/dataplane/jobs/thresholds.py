"""The split thresholds of a model's trees, and rows that lie just on either side of them.

A tree compares in its library's own precision, ONNX in single precision: where the two differ,
they differ for rows at a threshold.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
# What LightGBM writes between the categories of one split.
_SEPARATOR: Final = "||"
_THRESHOLDS: Final = "threshold="
# How long each tree's text is, which no longer holds; without it LightGBM reads tree by tree.
_SIZES: Final = "tree_sizes="


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where a model's trees split.

    Attributes:
        by_feature: Sorted thresholds by the feature's place; a feature that no tree looks at has
            none.
    """

    by_feature: Mapping[int, Numbers]

    @property
    def count(self) -> int:
        """Return how many different ones there are."""
        return sum(len(values) for values in self.by_feature.values())

    @property
    def rounded(self) -> int:
        """Return how many of them single precision cannot hold."""
        return sum(
            int((values != values.astype(np.float32)).sum()) for values in self.by_feature.values()
        )

    def near(self, row: Numbers) -> int | None:
        """Return a feature whose value is within one single-precision step of a threshold."""
        for feature, values in self.by_feature.items():
            value = np.float32(row[feature])
            below, above = np.nextafter(value, -np.inf), np.nextafter(value, np.inf)
            first = np.searchsorted(values, float(below), "left")
            last = np.searchsorted(values, float(above), "right")
            if last > first:
                return feature
        return None


def draw_rows(thresholds: Thresholds, features: int, rows: int, seed: int) -> Singles:
    """Draw rows whose values are thresholds, or one step of single precision beside them.

    Args:
        thresholds: Of the model; a feature without any gets normal deviates.
        features: How many features the model takes.
        rows: How many rows to draw.
        seed: The same seed draws the same rows.

    Returns:
        Shape (rows, features).
    """
    generator = np.random.default_rng(seed)
    drawn = generator.normal(size=(rows, features)).astype(np.float32)
    for feature, values in thresholds.by_feature.items():
        chosen = generator.choice(values, rows).astype(np.float32)
        step = generator.integers(-1, 2, rows)
        beside = np.nextafter(chosen, np.copysign(np.float32(np.inf), step.astype(np.float32)))
        drawn[:, feature] = np.where(step == 0, chosen, beside)
    return drawn


def of_sklearn(estimator: Any) -> Thresholds:
    """Return the thresholds of a scikit-learn estimator, in the space that it is given rows in."""
    found: dict[int, set[float]] = defaultdict(set)
    for tree in _sklearn_trees(estimator):
        splits = tree.children_left >= 0
        for feature, value in zip(tree.feature[splits], tree.threshold[splits], strict=True):
            found[int(feature)].add(float(value))
    for predictor in _histogram_trees(estimator):
        nodes = predictor.nodes[predictor.nodes["is_leaf"] == 0]
        for feature, value in zip(nodes["feature_idx"], nodes["num_threshold"], strict=True):
            found[int(feature)].add(float(value))
    return _sorted(found)


def of_xgboost(dumped: Iterable[Mapping[str, Any]], places: Mapping[str, int]) -> Thresholds:
    """Return the thresholds of XGBoost's dumped trees.

    Args:
        dumped: Each tree as `Booster.get_dump(dump_format="json")` has it.
        places: Each feature's place by its name.
    """
    found: dict[int, set[float]] = defaultdict(set)
    waiting = list(dumped)
    while waiting:
        node = waiting.pop()
        if "split" in node:
            waiting += node["children"]
            if "split_condition" in node:
                # It compares in single precision and prints what reads back to it.
                value = np.float32(node["split_condition"])
                found[places[node["split"]]].add(float(value))
    return _sorted(found)


def of_lightgbm(dumped: Iterable[Mapping[str, Any]]) -> Thresholds:
    """Return the thresholds of LightGBM's trees, as `Booster.dump_model()` has them."""
    found: dict[int, set[float]] = defaultdict(set)
    waiting = [tree["tree_structure"] for tree in dumped]
    while waiting:
        node = waiting.pop()
        if "split_feature" in node:
            waiting += [node["left_child"], node["right_child"]]
            values = str(node["threshold"]).split(_SEPARATOR)
            found[int(node["split_feature"])] |= {float(value) for value in values}
    return _sorted(found)


def round_down(model: str) -> str:
    """Return LightGBM's text of a model with its thresholds in single precision.

    A single-precision value is at most the rounded threshold exactly when it is at most the
    original: LightGBM compares by "at most". Categories are whole numbers and stay as they are.
    """
    lines = []
    for line in model.split("\n"):
        if line.startswith(_THRESHOLDS):
            values = line.removeprefix(_THRESHOLDS).split()
            lines.append(_THRESHOLDS + " ".join(map(_single_not_above, values)))
        elif not line.startswith(_SIZES):
            lines.append(line)
    return "\n".join(lines)


def round_histograms_down(estimator: Any) -> None:
    """Do the same to scikit-learn's histogram trees, which compare in double precision, too."""
    for predictor in _histogram_trees(estimator):
        nodes = predictor.nodes.copy()
        splits = nodes["is_leaf"] == 0
        nodes["num_threshold"][splits] = _not_above(nodes["num_threshold"][splits])
        predictor.nodes = nodes


def _single_not_above(text: str) -> str:
    return repr(float(_not_above(np.array([float(text)]))[0]))


def _not_above(values: Numbers) -> Singles:
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    above = single.astype(np.float64) > values
    rounded: Singles = np.where(above, np.nextafter(single, np.float32(-np.inf)), single)
    return rounded


def _sklearn_trees(estimator: Any) -> list[Any]:
    if hasattr(estimator, "tree_"):
        return [estimator.tree_]
    members = np.ravel(np.asarray(getattr(estimator, "estimators_", []), dtype=object))
    return [tree for member in members for tree in _sklearn_trees(member)]


def _histogram_trees(estimator: Any) -> list[Any]:
    iterations = getattr(estimator, "_predictors", [])
    return [predictor for iteration in iterations for predictor in iteration]


def _sorted(found: Mapping[int, set[float]]) -> Thresholds:
    finite = {
        feature: np.array(sorted(filter(np.isfinite, values))) for feature, values in found.items()
    }
    return Thresholds({feature: values for feature, values in finite.items() if len(values)})
