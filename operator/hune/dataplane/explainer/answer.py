"""An explanation as V1 and V2 say it."""

from typing import Any, Final

import msgspec

from hune.dataplane.explainer.artefact import Header
from hune.dataplane.explainer.explanation import Anchor, Attributions, Explanation, Numbers

_ENCODE: Final = msgspec.json.Encoder().encode


class Writer:
    """Writes the explanations of one explainer."""

    def __init__(self, header: Header) -> None:
        self._header = header
        self._parameters = {"method": header.method, "scale": header.scale}
        named = {"features": header.features, "outputs": header.outputs}
        self._names = {key: list(names) for key, names in named.items() if names}
        self._tensors = [
            msgspec.Raw(_ENCODE(_tensor(key, (len(names),), names, "BYTES")))
            for key, names in self._names.items()
        ]

    def write(self, protocol: str, model: str, explanation: Explanation) -> bytes:
        """Return the body of an answer.

        Args:
            protocol: `V1` or `V2`.
            model: What the request calls the model.
            explanation: Of its rows.
        """
        if protocol == "V1":
            return _ENCODE(self._parameters | self._names | _tell(explanation))
        if isinstance(explanation, Attributions):
            tensors = _value_tensors(explanation)
        else:
            tensors = _anchor_tensors(explanation)
        outputs = [*tensors, *self._tensors]
        return _ENCODE({"model_name": model, "parameters": self._parameters, "outputs": outputs})


def _tell(found: Explanation) -> dict[str, Any]:
    if not isinstance(found, Attributions):
        return {"explanations": [_tell_anchor(anchor) for anchor in found]}
    pairs = zip(found.predictions.tolist(), found.values.tolist(), strict=True)
    return {
        "base_values": found.base_values.tolist(),
        "explanations": [{"prediction": said, "values": values} for said, values in pairs],
    }


def _tell_anchor(anchor: Anchor) -> dict[str, Any]:
    what = {"mask": anchor.mask} if anchor.mask else {"anchor": anchor.conditions}
    return what | {
        "precision": anchor.precision,
        "coverage": anchor.coverage,
        "prediction": anchor.prediction,
    }


def _value_tensors(found: Attributions) -> list[dict[str, Any]]:
    arrays = {
        "shap_values": found.values,
        "base_values": found.base_values,
        "predictions": found.predictions,
    }
    return [_numbers(name, array) for name, array in arrays.items()]


def _anchor_tensors(found: tuple[Anchor, ...]) -> list[dict[str, Any]]:
    rows = (len(found),)
    tensors = [
        _tensor("precision", rows, [anchor.precision for anchor in found], "FP64"),
        _tensor("coverage", rows, [anchor.coverage for anchor in found], "FP64"),
        _tensor("predictions", rows, [anchor.prediction for anchor in found], "FP64"),
    ]
    if found and found[0].mask:
        mask = [pixel for anchor in found for line in anchor.mask for pixel in line]
        shape = (len(found), len(found[0].mask), len(found[0].mask[0]))
        return [_tensor("mask", shape, mask, "UINT8"), *tensors]
    anchors = [" AND ".join(anchor.conditions) for anchor in found]
    return [_tensor("anchor", rows, anchors, "BYTES"), *tensors]


def _numbers(name: str, array: Numbers) -> dict[str, Any]:
    return _tensor(name, array.shape, array.ravel().tolist(), "FP64")


def _tensor(name: str, shape: tuple[int, ...], data: list[Any], datatype: str) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}
