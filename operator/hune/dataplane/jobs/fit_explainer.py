"""Making an explainer: a model or a background in, artefact out."""

import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from hune.contract.digest import digest_of
from hune.dataplane.detectors.artefact import Arrays, ArtefactError, Parameter
from hune.dataplane.explainer.alibi import PARAMETERS
from hune.dataplane.explainer.artefact import SCHEMA, Header, write_explainer
from hune.dataplane.explainer.loading import TREE_SHAP
from hune.dataplane.explainer.tree_shap import TreeShap
from hune.dataplane.jobs.data import read_data
from hune.dataplane.jobs.errors import FitError
from hune.dataplane.jobs.lightgbm_model import read_lightgbm
from hune.dataplane.jobs.packing import pack_trees
from hune.dataplane.jobs.sklearn_model import read_sklearn
from hune.dataplane.jobs.tree_model import TreeModel, find_model_file
from hune.dataplane.jobs.xgboost_model import read_xgboost

Numbers = npt.NDArray[np.float64]

_IMAGE: Final = "AnchorImage"
_PICKLES: Final = (".joblib", ".pkl", ".pickle")
_BACKGROUND_ROWS: Final[Mapping[str, int]] = {"KernelShap": 20, "AnchorTabular": 1000}
_CHECKED_ROWS: Final = 256
# XGBoost adds up in single precision.
_RELATIVE, _ABSOLUTE = 1e-5, 1e-5


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made.

    Attributes:
        method: TreeShap, KernelShap, AnchorTabular or AnchorImage.
        model: The model's file or directory; None for a method that asks the predictor.
        data: File with rows that the model was trained on; None where none is needed.
        features: Columns to take, in this order; all when empty.
        background: How many of the rows are kept; 0 for the method's own number.
        parameters: Values for some of the method's parameters, as a person wrote them.
        predictor_output: Name of the V2 output that is explained; the first when empty.
        shape: Shape of one image.
        trust_pickle: Whether a pickle may be read, which runs what it holds.
        seed: The same seed takes the same rows.
        to: Directory for the artefact; new or empty.
    """

    method: str
    model: Path | None
    data: Path | None
    features: Sequence[str]
    background: int
    parameters: Mapping[str, str]
    predictor_output: str
    shape: tuple[int, ...]
    trust_pickle: bool
    seed: int
    to: Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """The explainer as it was written.

    Attributes:
        header: What it says of itself.
        digest: Digest of the artefact's directory.
        checked_rows: Rows on which it predicts what the model's own library does; 0 where that is
            not installed, or where there is nothing to compare.
    """

    header: Header
    digest: str
    checked_rows: int


def fit_explainer(order: Order) -> Outcome:
    """Make and write an explainer.

    Raises:
        FitError: The order, the model, the data or the directory are not usable.
    """
    if order.to.exists() and (not order.to.is_dir() or any(order.to.iterdir())):
        raise FitError(f"--to {order.to} is there already; name a new or an empty directory")
    checked = 0
    if order.method == TREE_SHAP:
        header, arrays, checked = _explain_trees(order)
    elif order.method == _IMAGE:
        header, arrays = _explain_images(order), {}
    else:
        header, arrays = _explain_rows(order)
    order.to.mkdir(parents=True, exist_ok=True)
    header = write_explainer(order.to, header, arrays)
    return Outcome(header, digest_of(order.to), checked)


def _explain_trees(order: Order) -> tuple[Header, Arrays, int]:
    if order.model is None:
        raise FitError("--model is missing: TreeShap explains the trees of a model's file")
    if order.parameters:
        raise FitError(f"--parameter {next(iter(order.parameters))}: TreeShap has none")
    model = _read_model(order.model, trust_pickle=order.trust_pickle)
    arrays = pack_trees(model.trees, model.offset)
    try:
        explainer = TreeShap(arrays, model.columns, len(model.outputs), model.dtype)
    except ArtefactError as error:
        raise FitError(f"--model {order.model}: {error}") from None
    names, rows = _names_and_rows(order, model)
    checked = _check_against_library(model, explainer, rows, order)
    header = replace(
        _header(order, len(names) or model.columns),
        features=names,
        outputs=tuple(model.outputs),
        scale=model.scale,
        dtype=model.dtype,
        fitted_with=f"{model.library}, numpy {np.__version__}",
        model_digest=digest_of(order.model),
    )
    return header, arrays, checked


def _read_model(path: Path, *, trust_pickle: bool) -> TreeModel:
    if not path.exists():
        raise FitError(f"--model {path}: no such file or directory")
    file = find_model_file(path)
    if file.suffix.lower() in _PICKLES:
        if not trust_pickle:
            raise FitError(
                f"--model {file}: reading a pickle runs whatever it holds; give --trust-pickle if "
                "you know who made it"
            )
        return read_sklearn(file)
    with file.open("rb") as stream:
        start = stream.read(5)
    return read_lightgbm(file) if start == b"tree\n" else read_xgboost(file)


def _names_and_rows(order: Order, model: TreeModel) -> tuple[tuple[str, ...], Numbers | None]:
    """Return the columns' names, and rows to check with, if there are any."""
    names = tuple(model.features)
    if order.data is None:
        return tuple(order.features) or names, None
    data = read_data(order.data, tuple(order.features) or names)
    if data.rows.shape[1] != model.columns:
        raise FitError(
            f"--data {order.data} has {data.rows.shape[1]} columns, the model takes "
            f"{model.columns}; name those in their order by --features"
        )
    return names or data.names, data.rows


def _check_against_library(
    model: TreeModel, explainer: TreeShap, rows: Numbers | None, order: Order
) -> int:
    if model.predict is None:
        return 0
    drawn = _draw(model, order.seed)
    some = drawn if rows is None else np.concatenate([drawn, rows[:_CHECKED_ROWS]])
    found, wanted = explainer.explain(some).predictions, model.predict(some)
    if not np.allclose(found, wanted, _RELATIVE, _ABSOLUTE):
        raise FitError(
            f"--model {order.model}: the explainer would not predict what {model.library} does "
            f"(by {np.abs(found - wanted).max():.3g}); use KernelShap, and tell Hune's authors"
        )
    return len(some)


def _draw(model: TreeModel, seed: int) -> Numbers:
    """Return rows whose values lie at the model's own thresholds, and a little beside them."""
    generator = np.random.default_rng(seed)
    rows = generator.normal(size=(_CHECKED_ROWS, model.columns))
    inner = [tree.left >= 0 for tree in model.trees]
    features = np.concatenate([t.feature[i] for t, i in zip(model.trees, inner, strict=True)])
    thresholds = np.concatenate([t.threshold[i] for t, i in zip(model.trees, inner, strict=True)])
    for column in np.unique(features).astype(int):
        known = thresholds[features == column]
        near = generator.choice(known, _CHECKED_ROWS)
        spread = float(np.ptp(known)) or 1.0
        rows[:, column] = near + spread * generator.choice([-0.1, -0.01, 0.01, 0.1], _CHECKED_ROWS)
    return rows


def _explain_rows(order: Order) -> tuple[Header, Arrays]:
    if order.data is None:
        raise FitError(f"--data is missing: {order.method} draws on rows that the model knows")
    data = read_data(order.data, order.features)
    wanted = order.background or _BACKGROUND_ROWS[order.method]
    drawn = np.random.default_rng(order.seed).permutation(len(data.rows))[:wanted]
    scale = "Label" if order.method == "AnchorTabular" else "Value"
    header = replace(
        _header(order, data.rows.shape[1]),
        features=data.names,
        scale=scale,
        data_digest=digest_of(order.data),
    )
    return header, {"background": np.ascontiguousarray(data.rows[np.sort(drawn)], dtype="<f8")}


def _explain_images(order: Order) -> Header:
    shape = order.shape
    if len(shape) != 3 or min(shape) < 1:  # noqa: PLR2004 height, width, channels
        raise FitError("--shape is missing: AnchorImage takes HEIGHT,WIDTH,CHANNELS, as 28,28,1")
    return replace(_header(order, math.prod(shape)), shape=shape, scale="Label")


def _header(order: Order, columns: int) -> Header:
    return Header(
        schema=SCHEMA,
        method=order.method,
        features=(),
        feature_count=columns,
        outputs=(),
        scale="Value",
        dtype="float64",
        fitted_with=f"numpy {np.__version__}, python {platform.python_version()}",
        predictor_output=order.predictor_output,
        parameters=tuple(Parameter(*pair) for pair in _parameters(order).items()),
    )


def _parameters(order: Order) -> dict[str, str]:
    known = PARAMETERS.get(order.method, {})
    for name, text in order.parameters.items():
        if name not in known:
            offered = ", ".join(known) or "none"
            raise FitError(f"--parameter {name}: {order.method} has {offered}, none of that name")
        _, least, largest = known[name]
        try:
            value = float(text)
        except ValueError:
            value = np.nan
        if not least <= value <= largest:
            raise FitError(f"--parameter {name}={text}: must be {least:g} to {largest:g}")
    return dict(order.parameters)
