"""The one module that knows alibi. Tried with 0.9.4, the last release under Apache-2.0."""

import importlib
import importlib.util
import logging
import math
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hune.dataplane.detectors.artefact import Arrays, ArraySpec, ArtefactError
from hune.dataplane.explainer.artefact import Header
from hune.dataplane.explainer.explanation import Anchor, Attributions
from hune.dataplane.explainer.method import Ask

Numbers = npt.NDArray[np.float64]

BACKGROUND: Final[Mapping[str, ArraySpec]] = {"background": ArraySpec("<f8", 2)}
NO_ARRAYS: Final[Mapping[str, ArraySpec]] = {}
_SEED: Final = 0
_IMAGE_RANK: Final = 3
_PACKAGES: Final = ("alibi", "alibi.utils", "alibi.explainers", "alibi.explainers.anchors")
PARAMETERS: Final[Mapping[str, Mapping[str, tuple[float, float, float]]]] = {
    # Default, least and largest. Zero samples: shap's own choice, 2 x columns + 2048.
    "KernelShap": {"samples": (0, 0, 1_000_000)},
    "AnchorTabular": {"precision": (0.95, 0.5, 1.0), "batch": (200, 10, 10_000)},
    "AnchorImage": {
        "precision": (0.95, 0.5, 1.0),
        "batch": (100, 10, 10_000),
        "segments": (15, 2, 1000),
    },
}


class KernelShap:
    """Shapley values of a black box, by weighted regression over coalitions.

    S. M. Lundberg, S.-I. Lee, "A unified approach to interpreting model predictions", NIPS 2017.
    """

    def __init__(self, arrays: Arrays, header: Header) -> None:
        """Check the background; its rows stand for what is not known of a row."""
        self._background = _background(arrays, header)
        self._features = _feature_names(header)
        self._samples = int(_parameters(header)["samples"])
        self._explainer = _load("alibi.explainers.shap_wrappers", "KernelShap")

    def explain(self, rows: Numbers, ask: Ask) -> Attributions:
        """Return the values of each row."""
        explainer = self._explainer(ask, link="identity", feature_names=self._features, seed=_SEED)
        explainer.fit(self._background)
        options: dict[str, Any] = {"nsamples": self._samples} if self._samples else {}
        found = explainer.explain(rows, silent=True, l1_reg=False, **options)
        values = np.stack([np.asarray(part, dtype=np.float64) for part in found.shap_values], 1)
        base = np.atleast_1d(np.asarray(found.expected_value, dtype=np.float64))
        return Attributions(values, base, ask(rows))


class AnchorTabular:
    """Rules that anchor a prediction.

    M. T. Ribeiro, S. Singh, C. Guestrin, "Anchors: high-precision model-agnostic explanations",
    AAAI 2018.
    """

    def __init__(self, arrays: Arrays, header: Header) -> None:
        """Check the background, from which rows are drawn."""
        self._background = _background(arrays, header)
        self._features = _feature_names(header)
        self._parameters = _parameters(header)
        self._explainer = _load("alibi.explainers.anchors.anchor_tabular", "AnchorTabular")

    def explain(self, rows: Numbers, ask: Ask) -> tuple[Anchor, ...]:
        """Return a rule for each row."""
        explainer = self._explainer(_labels(ask), self._features, seed=_SEED)
        explainer.fit(self._background)
        return tuple(_anchor(self._explain_row(explainer, row)) for row in rows)

    def _explain_row(self, explainer: Any, row: Numbers) -> Any:
        batch = int(self._parameters["batch"])
        return explainer.explain(row, threshold=self._parameters["precision"], batch_size=batch)


class AnchorImage:
    """Parts of an image that anchor a prediction; Ribeiro et al., AAAI 2018."""

    def __init__(self, arrays: Arrays, header: Header) -> None:
        """Check the shape of the images."""
        del arrays  # it draws nothing from a background
        self._shape = header.shape
        if len(self._shape) != _IMAGE_RANK or min(self._shape) < 1:
            raise ArtefactError("explainer.json: shape must be height, width and channels")
        if math.prod(self._shape) != header.feature_count:
            raise ArtefactError("explainer.json: featureCount is not that of the shape")
        self._parameters = _parameters(header)
        self._explainer = _load("alibi.explainers.anchors.anchor_image", "AnchorImage")

    def explain(self, rows: Numbers, ask: Ask) -> tuple[Anchor, ...]:
        """Return for each image the segments that must stay."""
        predict = _labels(lambda images: ask(images.reshape(len(images), -1)))
        segments = {
            "n_segments": int(self._parameters["segments"]),
            "compactness": 20,
            "sigma": 0.5,
        }
        explainer = self._explainer(
            predict, self._shape, segmentation_fn="slic", segmentation_kwargs=segments, seed=_SEED
        )
        return tuple(self._explain_image(explainer, row.reshape(self._shape)) for row in rows)

    def _explain_image(self, explainer: Any, image: Numbers) -> Anchor:
        batch = int(self._parameters["batch"])
        found = explainer.explain(image, threshold=self._parameters["precision"], batch_size=batch)
        kept = np.isin(found.segments, found.raw["feature"])
        mask = tuple(tuple(int(pixel) for pixel in line) for line in kept)
        return _anchor(found, mask)


def _labels(ask: Ask) -> Any:
    """Return a predictor of labels: what a model of classes says, or its likeliest class."""

    def predict(rows: Numbers) -> Numbers:
        found = ask(np.asarray(rows, dtype=np.float64))
        return found[:, 0] if found.shape[1] == 1 else found.argmax(axis=1)

    return predict


def _anchor(found: Any, mask: tuple[tuple[int, ...], ...] = ()) -> Anchor:
    conditions = () if mask else tuple(str(condition) for condition in found.anchor)
    prediction = float(np.ravel(found.raw["prediction"])[0])
    return Anchor(conditions, mask, float(found.precision), float(found.coverage), prediction)


def _background(arrays: Arrays, header: Header) -> Numbers:
    rows: Numbers = arrays["background"]
    if not len(rows) or rows.shape[1] != header.feature_count or not np.isfinite(rows).all():
        raise ArtefactError(
            f"background.npy must hold finite rows of {header.feature_count} columns"
        )
    return rows


def _feature_names(header: Header) -> list[str]:
    return list(header.features) or [f"column {i}" for i in range(header.feature_count)]


def _parameters(header: Header) -> dict[str, float]:
    known = PARAMETERS[header.method]
    values = {name: default for name, (default, _, _) in known.items()}
    for parameter in header.parameters:
        if parameter.name not in known:
            continue
        _, least, largest = known[parameter.name]
        try:
            value = float(parameter.value)
        except ValueError:
            value = np.nan
        if not least <= value <= largest:
            raise ArtefactError(
                f"explainer.json: {parameter.name} must be {least:g} to {largest:g}, not "
                f"{parameter.value[:40]!r}"
            )
        values[parameter.name] = value
    return values


def _load(module: str, name: str) -> Any:
    """Return one of alibi's explainers, without the rest of alibi.

    Its packages import whatever it has: language models, ray, counterfactuals. On Python 3.11 that
    fails besides. So empty packages stand in for them, of the same places.
    """
    try:
        for package in _PACKAGES:
            if package not in sys.modules:
                sys.modules[package] = _empty(package)
        found = getattr(importlib.import_module(module), name)
    except ImportError as error:
        raise ArtefactError(
            f"alibi is not usable here ({error}); use the image explainer"
        ) from None
    for logger in ("alibi", "shap"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    return found


def _empty(package: str) -> ModuleType:
    spec = importlib.util.find_spec(package)
    if spec is None:
        raise ImportError(f"there is no {package}")
    module = ModuleType(package)
    module.__path__ = list(spec.submodule_search_locations or ())
    # KernelShap names this one where it says what it returns; only ray would have it made.
    vars(module)["DistributedExplainer"] = type("DistributedExplainer", (), {})
    return module
