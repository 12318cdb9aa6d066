"""The one module that knows alibi-detect. Tried with 0.11.4, the last release under Apache-2.0."""

import logging
import os
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hune.dataplane.detectors.artefact import Arrays
from hune.dataplane.jobs.errors import FitError, MissingPackageError
from hune.dataplane.jobs.fitted import Fitted
from hune.dataplane.jobs.packing import breadth_first

Numbers = npt.NDArray[np.float64]

_BATCH_ROWS: Final = 1000
# alibi-detect holds (columns x columns) numbers for each row of a batch; this is 128 MiB of them.
_BATCH_NUMBERS: Final = 1 << 24
# In its equations a new row has weight 1 / (n + 1): after so many rows it has none.
_FROZEN: Final = 2**53
_EPSILON: Final = 1e-8
_LARGEST: Final = float(np.finfo(np.float32).max)


def fit(method: str, rows: Numbers, parameters: Mapping[str, int], seed: int) -> Fitted:
    """Fit one of alibi-detect's detectors.

    Args:
        method: `IForest` or `Mahalanobis`.
        rows: The reference, shape (rows, columns), finite.
        parameters: A value for each of the method's parameters.
        seed: The same seed fits the same detector.

    Raises:
        FitError: The rows do not allow of it.
        MissingPackageError: alibi-detect is not installed.
    """
    detectors = _import()
    if method == "IForest":
        return _fit_forest(detectors, rows, parameters, seed)
    return _fit_mahalanobis(detectors, rows, parameters)


def adversarial_autoencoder(encoder: Any, decoder: Any, model: Any, temperature: float) -> Any:
    """Return alibi-detect's `AdversarialAE`, not yet fitted.

    Args:
        encoder: A Keras network from columns to a code.
        decoder: One from the code to columns.
        model: The model that is defended, as Keras has it.
        temperature: Below 1 it sharpens the model's answers.

    Raises:
        MissingPackageError: alibi-detect is not installed, or not with TensorFlow.
    """
    try:
        from alibi_detect.ad import AdversarialAE  # noqa: PLC0415 seconds, and only the image has it

        return AdversarialAE(
            threshold=0.0,
            encoder_net=encoder,
            decoder_net=decoder,
            model=model,
            temperature=temperature,
        )
    except ImportError as error:
        raise MissingPackageError(f"alibi-detect is not usable here: {error}") from None


def _import() -> Any:
    # Its text models bring a library that says on standard error what it cannot do here.
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    try:
        from alibi_detect import od  # noqa: PLC0415 seconds, and only this image has it
    except ImportError as error:
        raise MissingPackageError(f"alibi-detect is not usable here: {error}") from None
    logging.getLogger("alibi_detect").setLevel(logging.ERROR)
    return od


def versions() -> str:
    """Return what alibi-detect fits with."""
    import alibi_detect  # noqa: PLC0415
    import sklearn  # noqa: PLC0415

    return (
        f"alibi-detect {alibi_detect.__version__}, scikit-learn {sklearn.__version__}, "
        f"numpy {np.__version__}"
    )


def _fit_forest(detectors: Any, rows: Numbers, parameters: Mapping[str, int], seed: int) -> Fitted:
    if (np.abs(rows) > _LARGEST).any():
        raise FitError(f"IForest looks at single precision; a value is beyond {_LARGEST:.3g}")
    samples = min(parameters["samples"], len(rows))
    detector = detectors.IForest(
        threshold=0.0, n_estimators=parameters["trees"], max_samples=samples
    )
    forest = detector.isolationforest.set_params(random_state=seed)
    detector.fit(rows)
    trees = [tree.tree_ for tree in forest.estimators_]
    return Fitted(pack_forest(trees), detector.score, versions())


def pack_forest(trees: list[Any]) -> Arrays:
    """Lay scikit-learn's trees out as `IsolationForest` wants them.

    Args:
        trees: The `tree_` of each estimator, all over the same columns.
    """
    parts: dict[str, list[Any]] = {n: [] for n in ("feature", "threshold", "left", "samples")}
    roots, start = [], 0
    for tree in trees:
        order, left = breadth_first(tree.children_left, tree.children_right)
        roots.append(start)
        parts["feature"].append(np.maximum(tree.feature[order], 0))
        parts["threshold"].append(_not_above(tree.threshold[order]))
        parts["left"].append(left + start)
        parts["samples"].append(tree.n_node_samples[order])
        start += len(order)
    packed = {name: np.concatenate(parts[name]) for name in parts} | {"roots": np.array(roots)}
    return {
        name: array.astype("<f4" if name == "threshold" else "<i4")
        for name, array in packed.items()
    }


def _not_above(thresholds: Any) -> Any:
    """Round to single precision, never upwards.

    A single-precision value is above the rounded threshold exactly when it is above the original.
    """
    rounded = thresholds.astype(np.float32)
    above = rounded.astype(np.float64) > thresholds
    return np.where(above, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def _fit_mahalanobis(detectors: Any, rows: Numbers, parameters: Mapping[str, int]) -> Fitted:
    count = rows.shape[1]
    shift, scale = np.zeros(count), np.ones(count)
    if parameters["standardise"]:
        shift, scale = rows.mean(axis=0), rows.std(axis=0)
        if (scale == 0).any():
            column = int(np.flatnonzero(scale == 0)[0])
            raise FitError(f"column {column} (counted from 0) is constant; leave it out")
    components = min(parameters["components"], count)
    detector = detectors.Mahalanobis(
        threshold=0.0,
        n_components=components,
        std_clip=parameters["clip"],
        start_clip=parameters["clip-after"],
    )
    _show((rows - shift) / scale, detector)
    mean, directions = _freeze(detector, components)
    arrays = {"mean": shift + scale * mean, "directions": directions / scale[:, np.newaxis]}
    return Fitted(
        {name: np.asarray(array, dtype="<f8") for name, array in arrays.items()},
        lambda some: _score_frozen(detector, (some - shift) / scale),
        versions(),
    )


def _batch_rows(columns: int) -> int:
    return max(1, min(_BATCH_ROWS, _BATCH_NUMBERS // columns**2))


def _show(rows: Numbers, detector: Any) -> None:
    size = _batch_rows(rows.shape[1])
    for start in range(0, len(rows), size):
        detector.score(rows[start : start + size])


def _freeze(detector: Any, components: int) -> tuple[Numbers, Numbers]:
    """Return the mean and the whitened principal components of what was shown so far."""
    values, vectors = np.linalg.eigh(detector.C)
    values, vectors = values[-components:], vectors[:, -components:]
    # alibi-detect calls a smaller determinant singular, and scores every row as 0.
    if values[0] <= 0 or np.prod(values) <= _EPSILON:
        raise FitError(
            f"the covariance of {components} components is singular for alibi-detect (determinant "
            f"{np.prod(values):.3g}): take fewer by --parameter components=N, leave out columns "
            "that follow from others, or bring all to one scale by --parameter standardise=1"
        )
    detector.n = _FROZEN
    return detector.mean, vectors / np.sqrt(values)


def _score_frozen(detector: Any, rows: Numbers) -> Numbers:
    """Score by alibi-detect as often as asked without its learning anything."""
    state = detector.mean, detector.C, detector.n, detector.clip
    parts = []
    size = _batch_rows(rows.shape[1])
    for start in range(0, len(rows), size):
        parts.append(detector.score(rows[start : start + size]))
        detector.mean, detector.C, detector.n, detector.clip = state
    return np.concatenate(parts)
