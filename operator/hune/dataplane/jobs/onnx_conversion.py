"""The one module that knows what makes ONNX of models: skl2onnx, onnxmltools and onnxruntime.

And the libraries whose models they convert. All are imported when they are needed: nobody has all.
"""

import contextlib
import copy
import importlib
import json
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hune.dataplane.jobs import thresholds
from hune.dataplane.jobs.errors import ConversionError, MissingPackageError
from hune.dataplane.jobs.model_file import LIGHTGBM, XGBOOST, ModelFile
from hune.dataplane.jobs.thresholds import Thresholds

Array = npt.NDArray[Any]
Rows = npt.NDArray[np.floating[Any]]
INPUT: Final = "input"
# What onnxruntime has known for years, so that an older Lite image runs it.
_OPSETS: Final = {"": 15, "ai.onnx.ml": 3}
_SHOWN: Final = 300


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model in its own library.

    Attributes:
        versions: What made it, as it is installed here.
        names: Names of its features in their order; empty where it has none.
        features: How many features it takes.
        thresholds: Where its trees split.
        undo: From the space of the thresholds to that of the model's input.
        redo: And back.
        predict: The library's answers: shape (rows, features) to an array for each ONNX output.
        convert: ONNX of it.
    """

    versions: str
    names: tuple[str, ...]
    features: int
    thresholds: Thresholds
    undo: Callable[[Rows], Rows]
    redo: Callable[[Rows], Rows]
    predict: Callable[[Rows], list[Array]]
    convert: Callable[[], Any]


def load(model: ModelFile) -> Loaded:
    """Load a model with its library.

    Unpickling a scikit-learn model runs whatever its author put in it: ask before.

    Raises:
        ConversionError: It cannot be loaded, or is of a kind that is not converted.
        MissingPackageError: Its library is not installed.
    """
    if model.library == XGBOOST:
        return _load_xgboost(model.path)
    if model.library == LIGHTGBM:
        return _load_lightgbm(model.path)
    return _load_sklearn(model.path)


def convert(loaded: Loaded) -> bytes:
    """Return a model as ONNX: one input of single precision, no ZipMap.

    Raises:
        ConversionError: The converter does not know a part of it.
        MissingPackageError: The converter is not installed.
    """
    with _quiet(), _told("the converter cannot make ONNX of it"):
        model = loaded.convert()
        for output in model.graph.output:
            # LightGBM's converter says that there is one label, however many rows are sent.
            for rows in output.type.tensor_type.shape.dim[:1]:
                rows.dim_param = "rows"
        content: bytes = model.SerializeToString()
    return content


def converter_versions() -> str:
    """Return the versions of what converts and of what runs the result."""
    return ", ".join(_version(name) for name in ("onnxmltools", "skl2onnx", "onnxruntime"))


def run(content: bytes, rows: npt.NDArray[np.float32]) -> dict[str, Array]:
    """Run ONNX; return its outputs by name, in their order.

    Raises:
        ConversionError: onnxruntime does not load or run it.
        MissingPackageError: onnxruntime is not installed.
    """
    runtime = _import("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    with _told("onnxruntime cannot run what was made of it"):
        session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        found = session.run(None, {INPUT: rows})
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, map(np.asarray, found), strict=True))


def _load_sklearn(file: Path) -> Loaded:
    sklearn, joblib = _import("sklearn", "scikit-learn"), _import("joblib")
    changed = _import("sklearn.exceptions", "scikit-learn").InconsistentVersionWarning
    with _told(f"{file} cannot be loaded"), warnings.catch_warnings():
        warnings.simplefilter("error", changed)
        estimator = joblib.load(file)
    fitted = hasattr(estimator, "n_features_in_")
    classifies = fitted and _is(estimator, "classifier")
    if not (classifies or (fitted and _is(estimator, "regressor"))):
        kind = type(estimator).__name__
        raise ConversionError(f"{file} holds {kind}; a fitted classifier or regressor is wanted")
    *before, last = _steps(estimator)
    return Loaded(
        versions=f"scikit-learn {sklearn.__version__}",
        names=tuple(map(str, getattr(estimator, "feature_names_in_", ()))),
        features=int(estimator.n_features_in_),
        thresholds=thresholds.of_sklearn(last),
        undo=lambda rows: _undo(before, rows),
        redo=lambda rows: _redo(before, rows),
        predict=lambda rows: _sklearn_answers(estimator, rows, classifies=classifies),
        convert=lambda: _convert_sklearn(copy.deepcopy(estimator), classifies=classifies),
    )


def _is(estimator: Any, kind: str) -> bool:
    return bool(getattr(_import("sklearn.base", "scikit-learn"), f"is_{kind}")(estimator))


def _steps(estimator: Any) -> list[Any]:
    return [step for _, step in getattr(estimator, "steps", [("", estimator)])]


def _redo(steps: list[Any], rows: Rows) -> Rows:
    for step in steps:
        if step != "passthrough":
            rows = step.transform(rows)
    return rows


def _undo(steps: list[Any], rows: Rows) -> Rows:
    for step in reversed(steps):
        if step == "passthrough":
            continue
        if not hasattr(step, "inverse_transform"):
            raise ConversionError(
                f"no rows can be drawn before the step {type(step).__name__}, which has no "
                "inverse; give rows to compare by --data"
            )
        rows = step.inverse_transform(rows)
    return rows


def _sklearn_answers(estimator: Any, rows: Rows, *, classifies: bool) -> list[Array]:
    with _quiet(), _told("the model does not take the rows"):
        answers = [np.asarray(estimator.predict(rows))]
        if classifies and hasattr(estimator, "predict_proba"):
            answers.append(np.asarray(estimator.predict_proba(rows)))
        elif classifies:
            scores = np.asarray(estimator.decision_function(rows))
            answers.append(np.stack([-scores, scores], axis=1) if scores.ndim == 1 else scores)
    return answers


def _convert_sklearn(estimator: Any, *, classifies: bool) -> Any:
    last = _steps(estimator)[-1]
    # The converter rounds to the nearest, which moves rows that are equal to it.
    thresholds.round_histograms_down(last)
    skl2onnx = _import("skl2onnx")
    kind = _import("skl2onnx.common.data_types", "skl2onnx").FloatTensorType
    return skl2onnx.convert_sklearn(
        estimator,
        initial_types=[(INPUT, kind([None, int(estimator.n_features_in_)]))],
        options=_options(estimator, last) if classifies else None,
        target_opset=_OPSETS,
    )


def _options(estimator: Any, last: Any) -> dict[int, dict[str, bool]]:
    """Return what makes the outputs labels and plain numbers; the converter goes by identity."""
    if hasattr(estimator, "predict_proba"):
        return {id(estimator): {"zipmap": False}}
    return {id(last): {"raw_scores": True}}


def _load_xgboost(file: Path) -> Loaded:
    xgboost = _import("xgboost")
    booster = xgboost.Booster()
    with _told(f"{file} cannot be loaded as XGBoost's own format"):
        booster.load_model(str(file))
    names = tuple(booster.feature_names or ())
    # The converter wants to find them by their place.
    booster.feature_names = None
    features = int(booster.num_features())
    objective = json.loads(booster.save_config())["learner"]["objective"]["name"]
    dumped = [json.loads(tree) for tree in booster.get_dump(dump_format="json")]
    places = {f"f{place}": place for place in range(features)}
    return Loaded(
        versions=f"xgboost {xgboost.__version__}",
        names=names,
        features=features,
        thresholds=thresholds.of_xgboost(dumped, places),
        undo=np.asarray,
        redo=np.asarray,
        predict=lambda rows: _answers(
            booster.predict(xgboost.DMatrix(rows)), classifies=_classifies(objective)
        ),
        convert=lambda: _import("onnxmltools").convert_xgboost(
            booster, initial_types=_input(features), target_opset=_OPSETS[""]
        ),
    )


def _load_lightgbm(file: Path) -> Loaded:
    lightgbm = _import("lightgbm")
    with _told(f"{file} cannot be loaded as LightGBM's text"):
        booster = lightgbm.Booster(model_file=str(file))
    dumped = booster.dump_model()
    features = int(booster.num_feature())
    names = tuple(booster.feature_name())
    return Loaded(
        versions=f"lightgbm {lightgbm.__version__}",
        names=names if names != tuple(f"Column_{place}" for place in range(features)) else (),
        features=features,
        thresholds=thresholds.of_lightgbm(dumped["tree_info"]),
        undo=np.asarray,
        redo=np.asarray,
        predict=lambda rows: _answers(
            booster.predict(rows), classifies=_classifies(str(dumped.get("objective", "")))
        ),
        convert=lambda: _import("onnxmltools").convert_lightgbm(
            # As above.
            lightgbm.Booster(model_str=thresholds.round_down(booster.model_to_string())),
            initial_types=_input(features),
            zipmap=False,
            target_opset=_OPSETS[""],
        ),
    )


def _classifies(objective: str) -> bool:
    return objective.startswith(("binary", "multi"))


def _answers(predicted: Any, *, classifies: bool) -> list[Array]:
    """Return a booster's answers as the converter lays them out: labels, then probabilities."""
    answers = np.asarray(predicted)
    if not classifies:
        return [answers]
    if answers.ndim == 1:
        answers = np.stack([1 - answers, answers], axis=1)
    return [answers.argmax(axis=1), answers]


def _input(features: int) -> list[tuple[str, Any]]:
    kinds = _import("onnxmltools.convert.common.data_types", "onnxmltools")
    return [(INPUT, kinds.FloatTensorType([None, features]))]


def _import(module: str, package: str = "") -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingPackageError(f"{package or module} is not usable here: {error}") from None


def _version(package: str) -> str:
    return f"{package} {_import(package).__version__}"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep from a person what libraries say about each other's versions and about names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    """Turn what a library raises, which may be anything, into words."""
    try:
        yield
    except (ConversionError, MissingPackageError):
        raise
    except Exception as error:  # noqa: BLE001 each library has its own, and pickles have any
        said = " ".join(str(error).split())[:_SHOWN]
        raise ConversionError(f"{what}: {type(error).__name__}: {said}") from None
