"""Train boosted trees on scikit-learn's diabetes data: `train.py FOLDER`.

The folder gets `model.joblib`. Beside the folder lie the error on patients that the model has not
seen, and a request for three of them.
"""

import json
import sys
from pathlib import Path

import joblib
from sklearn.datasets import load_diabetes
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split


def main(folder: Path) -> None:
    """Train, measure, save."""
    features, progression = load_diabetes(return_X_y=True, scaled=False)
    train, test, train_labels, test_labels = train_test_split(
        features, progression, test_size=0.3, random_state=0
    )
    model = GradientBoostingRegressor(n_estimators=100, learning_rate=0.05, random_state=0)
    model.fit(train, train_labels)
    error = f"{mean_absolute_error(test_labels, model.predict(test)):.1f}"
    folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, folder / "model.joblib")
    folder.with_suffix(".error").write_text(error)
    rows = test[:3]
    tensor = {"name": "patients", "shape": list(rows.shape), "datatype": "FP64"}
    request = {"inputs": [tensor | {"data": rows.ravel().tolist()}]}
    folder.with_name("request.json").write_text(json.dumps(request))
    print(f"100 trees: wrong by {error} on average for {len(test)} patients they have not seen")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
