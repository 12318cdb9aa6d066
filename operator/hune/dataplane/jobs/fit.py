"""Fitting a detector: data in, artefact out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np

from hune.contract.digest import digest_of
from hune.dataplane.detectors.artefact import (
    MAXIMUM_FEATURES,
    SCHEMA,
    Header,
    Parameter,
    write_artefact,
)
from hune.dataplane.detectors.detector import METHODS, FittedDetector, load_detector
from hune.dataplane.jobs import alibi_detect
from hune.dataplane.jobs.autoencoder import fit_autoencoder
from hune.dataplane.jobs.calibration import Calibration, Split, calibrate, split
from hune.dataplane.jobs.data import Data, read_data
from hune.dataplane.jobs.errors import FitError
from hune.dataplane.jobs.fitted import Fitted
from hune.dataplane.jobs.model import PackedModel, model_file, pack_model, read_model
from hune.dataplane.jobs.neighbours import fit_neighbours
from hune.dataplane.jobs.parameters import read_parameters

_RELATIVE: Final = 1e-6
_ABSOLUTE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be fitted.

    Attributes:
        data: File with the rows.
        features: Columns to take, in this order; all when empty.
        method: A key of `METHODS`.
        parameters: Values for some of the method's parameters, as a person wrote them.
        false_alarm_rate: Share of ordinary rows that may be flagged, a decimal number as text.
        held_out: Share of the rows that the threshold is set with, a decimal number as text.
        seed: The same seed gives the same detector.
        to: Directory for the artefact; new or empty.
        name: What the detector is called.
        model: File of the model that an adversarial detector defends; None for outliers.
        calibrate_with: File with rows that set the threshold in place of held-out ones; None for
            these.
    """

    data: Path
    features: Sequence[str]
    method: str
    parameters: Mapping[str, str]
    false_alarm_rate: str
    held_out: str
    seed: int
    to: Path
    name: str
    model: Path | None = None
    calibrate_with: Path | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The detector as it was written.

    Attributes:
        detector: As a guard will load it.
        calibration: How its threshold came about.
        train_rows: Rows that it was fitted on.
        digest: Digest of the artefact's directory.
        agreement: Share of held-out rows that the packed model answers as the model does; None
            without one.
    """

    detector: FittedDetector
    calibration: Calibration
    train_rows: int
    digest: str
    agreement: float | None = None


def fit_detector(order: Order) -> Outcome:
    """Fit, calibrate and write a detector.

    Raises:
        FitError: The order, the data or the directory are not usable.
    """
    parameters = read_parameters(order.method, order.parameters)
    rate = _share("--false-alarm-rate", order.false_alarm_rate)
    held_out = _share("--held-out", order.held_out)
    if order.to.exists() and (not order.to.is_dir() or any(order.to.iterdir())):
        raise FitError(f"--to {order.to} is there already; name a new or an empty directory")
    data = read_data(order.data, order.features)
    count = data.rows.shape[1]
    if count > MAXIMUM_FEATURES:
        raise FitError(f"{order.data} has {count} columns; at most {MAXIMUM_FEATURES} are scored")
    parts = _parts(order, data, held_out)
    model = _model(order, parts)
    fitted = _fit(order, parts, parameters, model)
    scores = METHODS[order.method].build(fitted.arrays, count).score(parts.held_out)
    if fitted.score is not None and not np.allclose(
        scores, fitted.score(parts.held_out), _RELATIVE, _ABSOLUTE
    ):
        raise FitError(
            f"the artefact would not score as {fitted.versions} does; this is a fault of Hune's "
            "with these versions: use those of the image"
        )
    calibration = calibrate(scores, rate)
    header = _header(order, data, parameters, calibration, fitted.versions)
    order.to.mkdir(parents=True, exist_ok=True)
    write_artefact(order.to, header, fitted.arrays)
    detector = load_detector(order.to)
    agreement = model.agreement if model else None
    return Outcome(detector, calibration, len(parts.train), digest_of(order.to), agreement)


def _parts(order: Order, data: Data, held_out: Fraction) -> Split:
    if order.calibrate_with is None:
        return split(data.rows, held_out, order.seed)
    fresh = read_data(order.calibrate_with, data.names)
    if fresh.rows.shape[1] != data.rows.shape[1]:
        raise FitError(f"--calibrate-with {order.calibrate_with}: other columns than in --data")
    return Split(data.rows, fresh.rows)


def _model(order: Order, parts: Split) -> PackedModel | None:
    if order.model is None:
        return None
    return pack_model(read_model(order.model), parts.train, parts.held_out, order.seed)


def _fit(
    order: Order, parts: Split, parameters: Mapping[str, int], model: PackedModel | None
) -> Fitted:
    if model is None:
        return alibi_detect.fit(order.method, parts.train, parameters, order.seed)
    fit = fit_neighbours if order.method == "Neighbours" else fit_autoencoder
    return fit(parts.train, model, parameters, order.seed)


def _header(
    order: Order,
    data: Data,
    parameters: Mapping[str, int],
    calibration: Calibration,
    versions: str,
) -> Header:
    said = {name: str(value) for name, value in parameters.items()}
    said |= _calibrated_with(order) | {"seed": str(order.seed)}
    if order.model is not None:
        said["model"] = digest_of(model_file(order.model))
    return Header(
        schema=SCHEMA,
        method=order.method,
        name=order.name,
        features=data.names,
        feature_count=data.rows.shape[1],
        dtype=METHODS[order.method].dtype,
        threshold=calibration.text,
        false_alarm_rate=order.false_alarm_rate,
        fitted_with=versions,
        data_digest=digest_of(order.data),
        parameters=tuple(Parameter(name, value) for name, value in said.items()),
    )


def _calibrated_with(order: Order) -> dict[str, str]:
    if order.calibrate_with is None:
        return {"held-out": order.held_out}
    return {"calibrate-with": digest_of(order.calibrate_with)}


def _share(option: str, text: str) -> Fraction:
    try:
        share = Fraction(text)
    except (ValueError, ZeroDivisionError):
        share = Fraction(0)
    if not 0 < share < 1:
        raise FitError(f"{option} {text}: a decimal number between 0 and 1 is wanted, as 0.05")
    return share
