"""What can go wrong: every status that is not success, with an example of what is said."""

from dataclasses import dataclass
from typing import Any, Final

from hune.dataplane.openapi.feature import Schema

# May be given for whatever is asked for.
COMMON: Final = (400, 404, 405, 408, 431, 500)
# May be given for what is passed on to the predictor, too.
PASSED_ON: Final = (415, 502, 503, 504)
# May be given for a prediction, too.
PREDICTION: Final = (413, 422)
# May be given where a token is needed, too.
ACCESS: Final = (401, 403, 503)


@dataclass(frozen=True, slots=True)
class Failure:
    """One status.

    Attributes:
        name: What it is called.
        description: When it is given.
        example: What is then said.
        header: A header that comes with it; empty where none does.
        header_description: What that header says.
    """

    name: str
    description: str
    example: str
    header: str = ""
    header_description: str = ""


FAILURES: Final = {
    400: Failure(
        "BadRequest",
        "The request is malformed: its path, its headers or its body.",
        "the request body is not a JSON object: JSON is malformed: trailing comma in array"
        " (byte 9)",
    ),
    401: Failure(
        "Unauthorized",
        "There is no token, or it is not valid here.",
        "the request carries no token; send the header Authorization: Bearer TOKEN with a token"
        " that `kubectl create token SERVICEACCOUNT --namespace default --audience hune.dev` makes",
        "WWW-Authenticate",
        "Always names the scheme Bearer.",
    ),
    403: Failure(
        "Forbidden",
        "The token is valid, and its owner may not do this.",
        "system:serviceaccount:default:visitor may not predict with the ModelDeployment income in"
        " the namespace default; missing is a Role with the rule {apiGroups: [hune.dev], resources:"
        " [modeldeployments], resourceNames: [income], verbs: [predict]} and a RoleBinding to it",
    ),
    404: Failure(
        "NotFound",
        "There is nothing at this path, or another model or version is served.",
        "there is nothing at the path '/v3'",
    ),
    405: Failure(
        "MethodNotAllowed",
        "The path takes another method.",
        "POST is not allowed at the path '/metrics', GET is",
        "Allow",
        "The method that the path takes.",
    ),
    408: Failure(
        "RequestTimeout",
        "The request did not arrive whole in time.",
        "the request did not arrive within 30 s",
    ),
    413: Failure(
        "ContentTooLarge",
        "The body is too large.",
        "the body is larger than 33554432 bytes, the most that is taken here",
    ),
    415: Failure(
        "UnsupportedMediaType",
        "The body is compressed, or of a type that is not served.",
        "compressed bodies are not served: send it without Content-Encoding",
    ),
    422: Failure(
        "Unprocessable",
        "The request is well formed, but the model should not or cannot answer it.",
        "the request breaks the model's data contract (1 times): row 0, 'age': 213 is above the"
        " maximum; wanted is 0 to 130",
    ),
    431: Failure(
        "HeadersTooLarge",
        "The request line and headers are too large.",
        "the request line and headers are larger than 65536 bytes",
    ),
    500: Failure(
        "InternalError",
        "The guard or the predictor failed.",
        "the guard failed; its log says why",
    ),
    502: Failure(
        "BadGateway",
        "The predictor's answer is unusable.",
        "the predictor on port 8080 closed the connection in the middle of its answer",
    ),
    503: Failure(
        "Unavailable",
        "The predictor or the authorizer cannot be reached, or too much is going on. Try again.",
        "the predictor on port 8080 cannot be reached (Connection refused)",
        "Retry-After",
        "Seconds to wait; not always given.",
    ),
    504: Failure(
        "GatewayTimeout",
        "The predictor did not answer in time.",
        "the predictor on port 8080 did not answer within 60 s",
    ),
}


def build_failures() -> dict[str, Any]:
    """Return every failure as a response, by its name."""
    return {failure.name: _response(failure) for failure in FAILURES.values()}


def failures(*statuses: int) -> dict[str, Any]:
    """Return references to the responses of these statuses, in their order."""
    return {
        str(status): {"$ref": f"#/components/responses/{FAILURES[status].name}"}
        for status in sorted(statuses)
    }


def build_error() -> Schema:
    """Return the schema that all errors share, in V1 and V2 alike."""
    return {
        "type": "object",
        "required": ["error"],
        "properties": {"error": {"type": "string", "description": "What is wrong, in words."}},
    }


def _response(failure: Failure) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": failure.description,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Error"},
                "example": {"error": failure.example},
            }
        },
    }
    if failure.header:
        header = {"description": failure.header_description, "schema": {"type": "string"}}
        response["headers"] = {failure.header: header}
    return response
