"""What can go wrong, apart from any framework.

HuneError
├── SettingsError         the platform's settings file is wrong; the process ends with its message
├── NoClusterError        nothing says where the API server is; the process ends with its message
├── ApiError              the API server answered with an error
│   ├── NotFoundError     404
│   ├── ConflictError     409
│   └── RefusedError      400, 403, 422: trying the same again cannot help
└── LeadershipLostError   another replica holds the Lease; the process ends and is restarted
"""

from pydantic import ValidationError


class HuneError(Exception):
    """Base of every error that Hune raises on purpose."""


class SettingsError(HuneError):
    """The settings file is wrong."""


class NoClusterError(HuneError):
    """Neither a pod's ServiceAccount nor a kubeconfig says where the API server is."""


class LeadershipLostError(HuneError):
    """Another replica took the Lease over."""


class ApiError(HuneError):
    """The API server, or the way to it, failed.

    Attributes:
        status: HTTP status code; 0 without an answer.
        message: What the API server said.
        child: Kind of the child that was being applied; empty outside of that.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message
        self.child = ""


class NotFoundError(ApiError):
    """The object, or its kind, is not there."""


class ConflictError(ApiError):
    """The object exists already or changed meanwhile."""


class RefusedError(ApiError):
    """The request itself is wrong or forbidden."""


def describe(error: ValidationError, root: str = "") -> str:
    """Return a validation error in a person's words: path, value and what is wanted."""
    details = error.errors(include_url=False)
    return "; ".join(_describe_one(dict(detail), root) for detail in details)


def _describe_one(detail: dict[str, object], root: str) -> str:
    location = detail["loc"] if isinstance(detail["loc"], tuple) else ()
    path = ".".join(str(part) for part in (root, *location) if part != "")
    message = str(detail["msg"]).removeprefix("Value error, ")
    value = detail.get("input")
    shown = f" (got {value!r})"[:120] if isinstance(value, str | int | float | bool) else ""
    return f"{path}: {message}{shown}" if path else f"{message}{shown}"
