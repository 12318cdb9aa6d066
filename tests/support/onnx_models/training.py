"""The models in scikit-learn's form: the same seed gives the same model here and in the tests."""

from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tests.support.tensors import Array

JOBS = ("clerk", "nurse", "pilot")


def forest() -> Any:
    """Return 100 trees over the 30 columns of the breast-cancer data."""
    rows, labels = load_breast_cancer(return_X_y=True)
    model = RandomForestClassifier(n_estimators=100, max_depth=4, random_state=7)
    return model.fit(rows.astype(np.float32), labels)


def people() -> tuple[Array, Array]:
    """Return rows of age and job, shape (300, 2) of objects, and what each earns."""
    random = np.random.default_rng(7)
    ages, jobs = random.integers(18, 70, 300), random.integers(0, len(JOBS), 300)
    rows = np.empty((300, 2), dtype=object)
    rows[:, 0], rows[:, 1] = ages.astype(np.float32), [JOBS[job] for job in jobs]
    return rows, np.where(ages + 15 * jobs > 55, "much", "little")


def mixed() -> Any:
    """Return a pipeline over a number and a text, whose labels are texts."""
    columns = [("scale", StandardScaler(), [0]), ("encode", OneHotEncoder(), [1])]
    rows, labels = people()
    return make_pipeline(ColumnTransformer(columns), LogisticRegression()).fit(rows, labels)


def line() -> Any:
    """Return a regression over the ten columns of the diabetes data."""
    return LinearRegression().fit(*load_diabetes(return_X_y=True))


def iris() -> Any:
    """Return a classifier, to be converted with ZipMap as skl2onnx does by default."""
    return LogisticRegression(max_iter=1000).fit(*load_iris(return_X_y=True))
