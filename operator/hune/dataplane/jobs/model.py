"""The model that a detector defends: read as scikit-learn saves it, packed as dense layers.

A multi-layer perceptron or a logistic regression is packed as it is, also behind a scaler. Of any
other classifier a perceptron is taught the answers, and whether it learned them is looked at.
"""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hune.dataplane.detectors.artefact import Array
from hune.dataplane.detectors.network import Network, pack_network
from hune.dataplane.jobs.errors import FitError
from hune.dataplane.jobs.pickled import load_pickled

Numbers = npt.NDArray[np.float64]

_EXACT: Final = 1e-6
_LEAST_AGREEMENT: Final = 0.9
_HIDDEN: Final = (128,)
_NOISY_COPIES: Final = 3
_NOISE: Final = 0.1
# Probabilities of a forest are shares of its trees, so below this one is as good as another.
_RAREST: Final = 0.01


@dataclass(frozen=True, slots=True)
class PackedModel:
    """A model as a network.

    Attributes:
        arrays: The arrays of `Network`, named `model_…`.
        agreement: Share of rows for which network and model name the same class.
    """

    arrays: dict[str, Array]
    agreement: float


def model_file(path: Path) -> Path:
    """Return the file of a model that is named by its file or its directory."""
    return path / "model.joblib" if path.is_dir() else path


def read_model(path: Path) -> Any:
    """Return a classifier with `predict_proba`, as joblib or pickle saved it.

    The file is a program like any pickle: it is for those who trained the model themselves.

    Raises:
        FitError: It is something else.
        MissingPackageError: What it was trained with is not installed.
    """
    file = model_file(path)
    model = load_pickled(file)
    if not hasattr(model, "predict_proba"):
        raise FitError(f"--model {file}: a classifier with predict_proba is wanted")
    return model


def pack_model(model: Any, train: Numbers, check: Numbers, seed: int) -> PackedModel:
    """Return a classifier as a network.

    Args:
        model: The classifier.
        train: Rows to teach a network with, shape (rows, columns).
        check: Rows to compare both on.
        seed: The same seed teaches the same network.

    Raises:
        FitError: The model does not take such rows, or no network answers as it does.
    """
    count = train.shape[1]
    try:
        said = _ask(model, check)
    except ValueError as error:
        raise FitError(f"the model does not take rows of {count} columns: {error}") from None
    arrays = _pack_exactly(model)
    if arrays is None or not _is_equal(arrays, check, said):
        arrays = _teach(model, train, seed)
    answers = Network(arrays, "model", count).ask(check)
    agreement = float((answers.argmax(axis=1) == said.argmax(axis=1)).mean())
    if agreement < _LEAST_AGREEMENT:
        raise FitError(
            f"a network that was taught the model's answers agrees with it on {agreement:.1%} of"
            f" the rows; {_LEAST_AGREEMENT:.0%} are wanted: give more rows in --data"
        )
    return PackedModel(arrays, agreement)


def _is_equal(arrays: dict[str, Array], rows: Numbers, said: Numbers) -> bool:
    try:
        answers = Network(arrays, "model", rows.shape[1]).ask(rows)
    except ValueError:
        return False
    return answers.shape == said.shape and bool(np.allclose(answers, said, atol=_EXACT))


def _ask(model: Any, rows: Numbers) -> Numbers:
    with warnings.catch_warnings():
        # A model that was trained with names of columns takes rows without them, and says so.
        warnings.simplefilter("ignore", UserWarning)
        return np.asarray(model.predict_proba(rows), dtype=np.float64)


def _pack_exactly(model: Any) -> dict[str, Array] | None:
    """Return the model's own layers, or None where it has none."""
    *scalers, last = [step for _, step in model.steps] if hasattr(model, "steps") else [model]
    layers = _layers_of(last)
    if layers is None:
        return None
    weights, biases = layers[0]
    for scaler in reversed(scalers):
        scaling = _scaling_of(scaler, len(weights))
        if scaling is None:
            return None
        shift, factor = scaling
        biases = biases + (shift * factor) @ weights
        weights = weights * factor[:, np.newaxis]
    inner = getattr(last, "activation", "identity")
    activations = [inner] * (len(layers) - 1) + ["softmax"]
    return pack_network("model", [(weights, biases), *layers[1:]], activations)


def _layers_of(model: Any) -> list[tuple[Array, Array]] | None:
    if hasattr(model, "coefs_"):
        layers = list(zip(model.coefs_, model.intercepts_, strict=True))
    elif hasattr(model, "coef_") and np.ndim(model.coef_) == 2:  # noqa: PLR2004 classes, columns
        layers = [(model.coef_.T, model.intercept_)]
    else:
        return None
    weights, biases = layers[-1]
    if weights.shape[1] == 1:
        # Two classes by one number: the other's is zero, and softmax gives the same share.
        layers[-1] = (np.hstack([0 * weights, weights]), np.concatenate([0 * biases, biases]))
    return layers


def _scaling_of(scaler: Any, count: int) -> tuple[Array, Array] | None:
    """Return what is added to each column and what that is multiplied by; None if it is more."""
    match type(scaler).__name__:
        case "StandardScaler":
            mean = scaler.mean_ if scaler.with_mean else np.zeros(count)
            scale = scaler.scale_ if scaler.with_std else np.ones(count)
            return -mean, 1 / scale
        case "MinMaxScaler":
            return scaler.min_ / scaler.scale_, scaler.scale_
    return None


def _teach(model: Any, train: Numbers, seed: int) -> dict[str, Array]:
    """Return a perceptron that was taught a model's answers, also beside the rows.

    G. Hinton, O. Vinyals, J. Dean, "Distilling the Knowledge in a Neural Network", 2015; here
    the logarithms of the answers are learned.
    """
    from sklearn.neural_network import MLPRegressor  # noqa: PLC0415 only this needs it

    generator = np.random.default_rng(seed)
    mean, spread = train.mean(axis=0), train.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    copies = [
        train + generator.normal(0, _NOISE, train.shape) * spread for _ in range(_NOISY_COPIES)
    ]
    rows = np.concatenate([train, *copies])
    logits = np.log(np.clip(_ask(model, rows), _RAREST, 1.0))
    network = MLPRegressor(
        hidden_layer_sizes=_HIDDEN,
        random_state=seed,
        max_iter=50,
        learning_rate_init=3e-3,
        alpha=0.1,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network.fit((rows - mean) / spread, logits)
    (weights, biases), *rest = zip(network.coefs_, network.intercepts_, strict=True)
    first = (weights / spread[:, np.newaxis], biases - (mean / spread) @ weights)
    return pack_network("model", [first, *rest], ["relu"] * len(_HIDDEN) + ["softmax"])
