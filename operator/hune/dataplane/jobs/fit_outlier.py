"""Fitting an outlier detector: data in, artefact out."""

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
from hune.dataplane.jobs.calibration import Calibration, calibrate, split
from hune.dataplane.jobs.data import Data, read_data
from hune.dataplane.jobs.errors import FitError

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


@dataclass(frozen=True, slots=True)
class Outcome:
    """The detector as it was written.

    Attributes:
        detector: As a guard will load it.
        calibration: How its threshold came about.
        train_rows: Rows that it was fitted on.
        digest: Digest of the artefact's directory.
    """

    detector: FittedDetector
    calibration: Calibration
    train_rows: int
    digest: str


def fit_outlier(order: Order) -> Outcome:
    """Fit, calibrate and write a detector.

    Raises:
        FitError: The order, the data or the directory are not usable.
    """
    parameters = _parameters(order)
    rate = _share("--false-alarm-rate", order.false_alarm_rate)
    held_out = _share("--held-out", order.held_out)
    if order.to.exists() and (not order.to.is_dir() or any(order.to.iterdir())):
        raise FitError(f"--to {order.to} is there already; name a new or an empty directory")
    data = read_data(order.data, order.features)
    count = data.rows.shape[1]
    if count > MAXIMUM_FEATURES:
        raise FitError(f"{order.data} has {count} columns; at most {MAXIMUM_FEATURES} are scored")
    parts = split(data.rows, held_out, order.seed)
    fitted = alibi_detect.fit(order.method, parts.train, parameters, order.seed)
    scores = METHODS[order.method].build(fitted.arrays, count).score(parts.held_out)
    if not np.allclose(scores, fitted.score(parts.held_out), _RELATIVE, _ABSOLUTE):
        raise FitError(
            f"the artefact would not score as {fitted.versions} does; this is a fault of Hune's "
            "with these versions: use those of the image"
        )
    calibration = calibrate(scores, rate)
    header = _header(order, data, parameters, calibration.threshold, fitted.versions)
    order.to.mkdir(parents=True, exist_ok=True)
    write_artefact(order.to, header, fitted.arrays)
    detector = load_detector(order.to)
    return Outcome(detector, calibration, len(parts.train), digest_of(order.to))


def _header(
    order: Order, data: Data, parameters: Mapping[str, int], threshold: float, versions: str
) -> Header:
    said = {name: str(value) for name, value in parameters.items()}
    said |= {"held-out": order.held_out, "seed": str(order.seed)}
    return Header(
        schema=SCHEMA,
        method=order.method,
        name=order.name,
        features=data.names,
        feature_count=data.rows.shape[1],
        dtype=METHODS[order.method].dtype,
        threshold=repr(threshold),
        false_alarm_rate=order.false_alarm_rate,
        fitted_with=versions,
        data_digest=digest_of(order.data),
        parameters=tuple(Parameter(name, value) for name, value in said.items()),
    )


def _parameters(order: Order) -> dict[str, int]:
    known = alibi_detect.PARAMETERS[order.method]
    values = {name: number.default for name, number in known.items()}
    for name, text in order.parameters.items():
        if name not in known:
            raise FitError(
                f"--parameter {name}: {order.method} has {', '.join(known)}, none of that name"
            )
        number = known[name]
        if not text.isascii() or not text.isdigit():
            raise FitError(f"--parameter {name}={text}: a whole number is wanted")
        if not number.minimum <= int(text) <= number.maximum:
            raise FitError(
                f"--parameter {name}={text}: must be {number.minimum} to {number.maximum}"
            )
        values[name] = int(text)
    return values


def _share(option: str, text: str) -> Fraction:
    try:
        share = Fraction(text)
    except (ValueError, ZeroDivisionError):
        share = Fraction(0)
    if not 0 < share < 1:
        raise FitError(f"{option} {text}: a decimal number between 0 and 1 is wanted, as 0.05")
    return share
