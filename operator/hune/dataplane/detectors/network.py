"""A network of dense layers in packed arrays: a model, or an autoencoder, that numpy can ask."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from hune.dataplane.detectors.artefact import Array, Arrays, ArraySpec, ArtefactError

Numbers = npt.NDArray[np.float64]

_PARTS: Final[Mapping[str, str]] = {"sizes": "<i4", "activations": "<i4", "weights": "<f8"}
_MAXIMUM_LAYERS: Final = 32
# As tf.keras.losses.kld: what is nearly impossible counts as so likely.
_EPSILON: Final = 1e-7


def _softmax(values: Numbers) -> Numbers:
    raised: Numbers = np.exp(values - values.max(axis=1, keepdims=True))
    shares: Numbers = raised / raised.sum(axis=1, keepdims=True)
    return shares


# An activation's number is its place; appending one is a new release, changing one a new schema.
ACTIVATIONS: Final[Mapping[str, Callable[[Numbers], Numbers]]] = {
    "identity": lambda values: values,
    "relu": lambda values: np.maximum(values, 0.0),
    "tanh": np.tanh,
    "logistic": lambda values: 0.5 + 0.5 * np.tanh(0.5 * values),
    "softmax": _softmax,
}

# The derivative of those that work value by value, told by what they gave.
_DERIVATIVES: Final[Mapping[str, Callable[[Numbers], Numbers]]] = {
    "identity": np.ones_like,
    "relu": lambda given: (given > 0).astype(np.float64),
    "tanh": lambda given: 1.0 - given * given,
    "logistic": lambda given: given * (1.0 - given),
}


def network_arrays(name: str) -> dict[str, ArraySpec]:
    """Return the arrays of a network, as a method lists what it wants."""
    return {f"{name}_{part}": ArraySpec(dtype, 1) for part, dtype in _PARTS.items()}


def pack_network(
    name: str, layers: list[tuple[Array, Array]], activations: list[str]
) -> dict[str, Array]:
    """Lay a network out as `Network` wants it.

    Args:
        name: What the arrays' names begin with.
        layers: Weights, shape (inputs, outputs), and biases, shape (outputs,), of each layer.
        activations: The function after each layer, a key of `ACTIVATIONS`.
    """
    known = list(ACTIVATIONS)
    sizes = [len(layers[0][0]), *(len(biases) for _, biases in layers)]
    numbers = [np.concatenate([np.ravel(weights), biases]) for weights, biases in layers]
    return {
        f"{name}_sizes": np.array(sizes, "<i4"),
        f"{name}_activations": np.array([known.index(word) for word in activations], "<i4"),
        f"{name}_weights": np.concatenate(numbers).astype("<f8"),
    }


def unpack_layers(arrays: Arrays, name: str) -> list[tuple[Array, Array]]:
    """Return the weights and biases of each layer, as `pack_network` took them."""
    layers = []
    at, numbers = 0, arrays[f"{name}_weights"]
    for inputs, outputs in pairwise(arrays[f"{name}_sizes"].tolist()):
        end = at + inputs * outputs
        layers.append((numbers[at:end].reshape(inputs, outputs), numbers[end : end + outputs]))
        at = end + outputs
    return layers


class Network:
    """Dense layers, each with its activation."""

    def __init__(self, arrays: Arrays, name: str, inputs: int) -> None:
        """Check the arrays.

        Args:
            arrays: `<name>_sizes`, shape (layers + 1,): inputs, then each layer's outputs;
                `<name>_activations`, shape (layers,): places in `ACTIVATIONS`; `<name>_weights`:
                each layer's weights, row by row, and its biases.
            name: What the arrays' names begin with.
            inputs: Number of inputs.

        Raises:
            ArtefactError: They are no network with so many inputs.
        """
        sizes, activations, weights = (arrays[f"{name}_{part}"] for part in _PARTS)
        _check(name, sizes, activations, inputs)
        self.outputs = int(sizes[-1])
        if len(weights) != sum((rows + 1) * columns for rows, columns in pairwise(sizes.tolist())):
            raise ArtefactError(f"{name}_weights.npy holds another number of weights than sizes")
        if not np.isfinite(weights).all():
            raise ArtefactError(f"{name}_weights.npy holds NaN or infinity")
        words = list(ACTIVATIONS)
        self._activations = [words[number] for number in activations.tolist()]
        if "softmax" in self._activations[:-1]:
            raise ArtefactError(f"{name}_activations.npy has a softmax before the last layer")
        self._layers = unpack_layers(arrays, name)

    def ask(self, rows: Numbers) -> Numbers:
        """Return the last layer's values, shape (rows, outputs)."""
        return self._walk(rows)[-1]

    def slope(self, rows: Numbers, up: Array, down: Array) -> Numbers:
        """Return the gradient by the inputs of one output less another, shape (rows, inputs).

        It is that of the last layer before its activation: with softmax, of the logarithm of how
        many times likelier one class is than the other.

        Args:
            rows: Shape (rows, inputs).
            up: The one output for each row, shape (rows,).
            down: The other one.
        """
        given = self._walk(rows)
        matrix, _ = self._layers[-1]
        slopes: Numbers = matrix.T[up] - matrix.T[down]
        inner = zip(self._layers[:-1], self._activations[:-1], given[:-1], strict=True)
        for (matrix, _), activation, values in reversed(list(inner)):
            slopes = (slopes * _DERIVATIVES[activation](values)) @ matrix.T
        return slopes

    def _walk(self, rows: Numbers) -> list[Numbers]:
        """Return what each layer gives."""
        given: list[Numbers] = []
        values = rows
        for (matrix, biases), activation in zip(self._layers, self._activations, strict=True):
            values = ACTIVATIONS[activation](values @ matrix + biases)
            given.append(values)
        return given


def diverge(said: Numbers, expected: Numbers) -> Numbers:
    """Return the Kullback-Leibler divergence of each row's classes, in nats, shape (rows,).

    Args:
        said: Probabilities, shape (rows, classes).
        expected: The probabilities that they are compared with, of the same shape.
    """
    said, expected = np.clip(said, _EPSILON, 1.0), np.clip(expected, _EPSILON, 1.0)
    distances: Numbers = (said * np.log(said / expected)).sum(axis=1)
    return distances


def score_finite(score: Callable[[Numbers], Numbers], rows: Numbers) -> Numbers:
    """Score the rows that a network can be asked about; NaN for one that holds NaN or infinity."""
    finite = np.isfinite(rows).all(axis=1)
    scores = np.full(len(rows), np.nan)
    if finite.any():
        with np.errstate(all="ignore"):
            scores[finite] = score(rows[finite])
    return scores


def _check(name: str, sizes: Array, activations: Array, inputs: int) -> None:
    layers = len(activations)
    if not 0 < layers <= _MAXIMUM_LAYERS or len(sizes) != layers + 1 or (sizes < 1).any():
        raise ArtefactError(f"{name}_sizes.npy and {name}_activations.npy are no network")
    if sizes[0] != inputs:
        raise ArtefactError(f"{name}_sizes.npy: it has {sizes[0]} inputs, {inputs} are wanted")
    if ((activations < 0) | (activations >= len(ACTIVATIONS))).any():
        raise ArtefactError(f"{name}_activations.npy holds an unknown activation")
