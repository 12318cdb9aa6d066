"""Train one of two models on scikit-learn's breast-cancer data: `train.py logistic|forest FOLDER`.

The folder gets `model.joblib`, and beside the folder lies its accuracy on held-out data.
"""

import sys
from pathlib import Path

import joblib
from sklearn.base import ClassifierMixin
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

MODELS: dict[str, ClassifierMixin] = {
    "logistic": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
    "forest": RandomForestClassifier(n_estimators=100, random_state=0, n_jobs=1),
}


def main(kind: str, folder: Path) -> None:
    """Train, measure, save."""
    features, labels = load_breast_cancer(return_X_y=True)
    train, test, train_labels, test_labels = train_test_split(
        features, labels, test_size=0.3, random_state=7, stratify=labels
    )
    model = MODELS[kind].fit(train, train_labels)
    accuracy = f"{model.score(test, test_labels):.4f}"
    folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, folder / "model.joblib")
    folder.with_suffix(".accuracy").write_text(accuracy)
    print(f"{kind}: accuracy {accuracy} on {len(test)} patients it has not seen")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
