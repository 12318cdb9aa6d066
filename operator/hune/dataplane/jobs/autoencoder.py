"""Fitting alibi-detect's `AdversarialAE` with TensorFlow, and packing its networks."""

import os
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hune.dataplane.detectors.artefact import Array
from hune.dataplane.detectors.network import ACTIVATIONS, pack_network, unpack_layers
from hune.dataplane.jobs import alibi_detect
from hune.dataplane.jobs.errors import MissingPackageError
from hune.dataplane.jobs.fitted import Fitted
from hune.dataplane.jobs.model import PackedModel

Numbers = npt.NDArray[np.float64]
Layers = list[tuple[Array, Array]]

_KERAS_NAMES: Final = {"identity": "linear", "logistic": "sigmoid"}


def fit_autoencoder(
    rows: Numbers, model: PackedModel, parameters: Mapping[str, int], seed: int
) -> Fitted:
    """Train an autoencoder so that the model answers alike for what it gives back.

    It sees columns with mean 0, divided by their deviation: each by its own, or all by the same.
    This is folded into the layers that are packed.

    Args:
        rows: Ordinary rows, shape (rows, columns).
        model: The model that is defended.
        parameters: A value for each of the method's parameters.
        seed: The same seed trains the same autoencoder.

    Raises:
        MissingPackageError: alibi-detect or TensorFlow is not installed.
    """
    keras = _import()
    keras.utils.set_random_seed(seed)
    shift, scale = rows.mean(axis=0), _spread(rows, each=parameters["standardise"] == 1)
    encoder, decoder = _autoencoder(keras, len(shift), parameters["hidden"], parameters["code"])
    temperature = parameters["temperature"] / 100
    detector = alibi_detect.adversarial_autoencoder(
        encoder, decoder, _model(keras, model, shift, scale), temperature
    )
    detector.fit(
        (rows - shift) / scale,
        epochs=parameters["epochs"],
        batch_size=parameters["batch"],
        verbose=False,
    )
    layers = [layer.get_weights() for net in (encoder, decoder) for layer in net.layers]
    arrays = {
        "temperature": np.array([temperature], "<f8"),
        **_pack(layers, shift, scale),
        **model.arrays,
    }
    return Fitted(
        arrays,
        lambda some: np.asarray(detector.score((some - shift) / scale), dtype=np.float64),
        f"{alibi_detect.versions()}, tensorflow {_version()}",
    )


def _spread(rows: Numbers, *, each: bool) -> Numbers:
    """Return what each column is divided by, shape (columns,)."""
    spread: Numbers = rows.std(axis=0)
    if not each:
        spread = np.full(len(spread), np.sqrt(np.mean(spread * spread)))
    return np.where(spread > 0, spread, 1.0)


def _import() -> Any:
    # It tells on standard error of processors and cards that nobody asked about.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    try:
        import tensorflow as tf  # noqa: PLC0415 seconds, and only the image `fit` has it
    except ImportError as error:
        raise MissingPackageError(f"TensorFlow is not usable here: {error}") from None
    # As numpy, so that both can be compared to the last digits.
    tf.keras.backend.set_floatx("float64")
    tf.config.experimental.enable_op_determinism()
    return tf.keras


def _version() -> str:
    import tensorflow as tf  # noqa: PLC0415 as above

    return str(tf.__version__)


def _autoencoder(keras: Any, columns: int, hidden: int, code: int) -> tuple[Any, Any]:
    dense = keras.layers.Dense
    encoder = keras.Sequential(
        [keras.Input((columns,)), dense(hidden, activation="relu"), dense(code, activation="relu")]
    )
    decoder = keras.Sequential(
        [keras.Input((code,)), dense(hidden, activation="relu"), dense(columns)]
    )
    return encoder, decoder


def _model(keras: Any, model: PackedModel, shift: Numbers, scale: Numbers) -> Any:
    """Return the model as Keras has it, for columns that were shifted and scaled."""
    layers = unpack_layers(model.arrays, "model")
    names = list(ACTIVATIONS)
    activations = [names[number] for number in model.arrays["model_activations"].tolist()]
    weights, biases = layers[0]
    layers[0] = (weights * scale[:, np.newaxis], biases + shift @ weights)
    network = keras.Sequential([keras.Input((len(shift),))])
    for (_, biases), activation in zip(layers, activations, strict=True):
        name = _KERAS_NAMES.get(activation, activation)
        network.add(keras.layers.Dense(len(biases), activation=name))
    network.set_weights([array for layer in layers for array in layer])
    return network


def _pack(layers: list[Any], shift: Numbers, scale: Numbers) -> dict[str, Array]:
    """Return the autoencoder for columns as they are."""
    pairs: Layers = [(weights, biases) for weights, biases in layers]
    weights, biases = pairs[0]
    pairs[0] = (weights / scale[:, np.newaxis], biases - (shift / scale) @ weights)
    weights, biases = pairs[-1]
    pairs[-1] = (weights * scale, biases * scale + shift)
    activations = ["relu"] * (len(pairs) - 1) + ["identity"]
    return pack_network("autoencoder", pairs, activations)
