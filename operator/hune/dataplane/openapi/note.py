"""What the guard says beside a prediction: keys of the body, and headers."""

from dataclasses import dataclass
from typing import Any, Final

from hune.contract import names
from hune.dataplane.openapi.feature import Schema
from hune.dataplane.openapi.subject import Subject

_ID: Final = "019abcde-0123-7456-89ab-cdef01234567"


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that is said.

    Attributes:
        key: Its key, without Hune's prefix.
        description: What it means.
        example: A value, as V1 has it.
        header: The header that says the same; empty where there is none.
        certain: Whether it is said beside every prediction.
        rare: Whether it is said only where something is wrong.
    """

    key: str
    description: str
    example: Any
    header: str = ""
    certain: bool = False
    rare: bool = False


def remarks_of(subject: Subject) -> list[Remark]:
    """Return what may be said beside a prediction."""
    found = [
        Remark(
            "prediction_id",
            "Names this prediction, and no other.",
            _ID,
            names.HEADER_PREDICTION_ID,
            certain=True,
        ),
        Remark(
            "model_version",
            "The model version that answered.",
            subject.model_version,
            names.HEADER_MODEL_VERSION,
            certain=True,
        ),
    ]
    found += _OUTLIERS * subject.outliers + _ADVERSARIAL * subject.adversarial
    return found + _CONTRACT * (subject.contract is not None)


def _detector_remarks(word: str, what: str, scale: str) -> list[Remark]:
    header = f"X-Hune-{word.capitalize()}"
    return [
        Remark(word, f"Whether any row is {what}.", example=False, header=header),
        Remark(f"{word}_rows", f"The rows that are {what}, counted from 0.", []),
        Remark(f"{word}_scores", f"One score per row; the higher, the {scale}.", [-0.02]),
        Remark(f"{word}_threshold", f"A row with a higher score is {what}.", 0.0),
        Remark(f"{word}_unjudged", "Why the rows could not be judged, where so.", "", rare=True),
    ]


_OUTLIERS: Final = _detector_remarks("outlier", "an outlier", "stranger")
_ADVERSARIAL: Final = _detector_remarks("adversarial", "adversarial", "more suspect")
_CONTRACT: Final = [
    Remark(
        "contract_breaches",
        "How many values break the data contract.",
        0,
        names.HEADER_CONTRACT_BREACHES,
    ),
    Remark(
        "contract_report", "The first breaches, in words; only where there are any.", "", rare=True
    ),
]


def build_note(subject: Subject) -> Schema:
    """Return the schema of the object that holds the note."""
    remarks, v2 = remarks_of(subject), subject.protocol == "V2"
    return {
        "type": "object",
        "description": "What Hune says of this prediction.",
        "required": [_key(remark, v2=v2) for remark in remarks if remark.certain],
        "properties": {
            _key(remark, v2=v2): _type(_value(remark, v2=v2)) | {"description": remark.description}
            for remark in remarks
        },
    }


def example_note(subject: Subject) -> dict[str, Any]:
    """Return a note as it stands beside a prediction."""
    v2 = subject.protocol == "V2"
    usual = [remark for remark in remarks_of(subject) if not remark.rare]
    return {_key(remark, v2=v2): _value(remark, v2=v2) for remark in usual}


def build_headers(subject: Subject) -> dict[str, Any]:
    """Return the headers of a prediction."""
    return {
        remark.header: {
            "description": remark.description,
            "required": remark.certain,
            "schema": _type(remark.example),
            "example": remark.example,
        }
        for remark in remarks_of(subject)
        if remark.header
    }


def _key(remark: Remark, *, v2: bool) -> str:
    return f"hune_{remark.key}" if v2 else remark.key


def _value(remark: Remark, *, v2: bool) -> Any:
    """Return the example; V2's parameters hold no lists, so there they are text."""
    listed = isinstance(remark.example, list)
    return ",".join(map(str, remark.example)) if v2 and listed else remark.example


def _type(value: Any) -> Schema:
    match value:
        case bool():
            return {"type": "boolean"}
        case int():
            return {"type": "integer"}
        case float():
            return {"type": "number"}
        case list():
            return {"type": "array", "items": {"type": ["number", "null"]}}
    return {"type": "string"}
