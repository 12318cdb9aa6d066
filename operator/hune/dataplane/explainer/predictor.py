"""The predictor, asked from a worker's thread for many rows at once."""

import http.client
import time
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from hune.dataplane.explainer.request import Form

Numbers = npt.NDArray[np.float64]

# Numbers in one request: about five megabytes of JSON.
_LARGEST_BATCH: Final = 1 << 18
_MAXIMUM_ANSWER: Final = 64 << 20
_SHOWN: Final = 300
_OK: Final = 200
_BAD_REQUEST: Final = range(400, 500)
_DECODE: Final = msgspec.json.Decoder().decode


class TimeLimitError(Exception):
    """The time that the explanation may take is over."""


class PredictorError(Exception):
    """The predictor gave no usable answer.

    Attributes:
        by_request: Whether it refused the rows; another request may well be answered.
    """

    def __init__(self, message: str, *, by_request: bool = False) -> None:
        super().__init__(message)
        self.by_request = by_request


@dataclass(frozen=True, slots=True)
class Address:
    """Where the predictor is, and what is asked of it.

    Attributes:
        host: Its host.
        port: Its port.
        protocol: `V1` or `V2`.
        model: What it calls the model.
        output: Name of the V2 output that is explained; its first when empty.
    """

    host: str
    port: int
    protocol: str
    model: str
    output: str = ""

    @property
    def path(self) -> str:
        """Return the path of predictions."""
        if self.protocol == "V1":
            return f"/v1/models/{self.model}:predict"
        return f"/v2/models/{self.model}/infer"


class Predictor:
    """One explanation's connection to the predictor."""

    def __init__(self, address: Address, form: Form, deadline: float) -> None:
        """Say where, in which form, and until when.

        Args:
            address: Where the predictor is.
            form: How rows are written.
            deadline: On `time.monotonic`'s clock.
        """
        self._address, self._form, self._deadline = address, form, deadline
        self._connection: http.client.HTTPConnection | None = None
        self.requests = 0

    def ask(self, rows: Numbers) -> Numbers:
        """Return the predictions for rows, in as few requests as their size allows.

        Args:
            rows: Shape (rows, columns).

        Returns:
            Shape (rows, outputs).

        Raises:
            TimeLimitError: The time is over.
            PredictorError: There is no usable answer.
        """
        size = max(1, _LARGEST_BATCH // max(1, rows.shape[1]))
        parts = [self._ask(rows[start : start + size]) for start in range(0, len(rows), size)]
        return np.concatenate(parts)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    def _ask(self, rows: Numbers) -> Numbers:
        body = self._form.write(rows, self._address.output)
        status, content = self._post(body)
        if status != _OK:
            said = content[:_SHOWN].decode(errors="replace")
            by_request = status in _BAD_REQUEST
            raise PredictorError(f"the predictor answers {status}: {said}", by_request=by_request)
        return _predictions(content, self._address, len(rows))

    def _post(self, body: bytes) -> tuple[int, bytes]:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeLimitError
        self.requests += 1
        address = self._address
        if self._connection is None:
            self._connection = http.client.HTTPConnection(address.host, address.port)
        self._connection.timeout = left
        if self._connection.sock is not None:
            self._connection.sock.settimeout(left)
        try:
            headers = {"content-type": "application/json"}
            self._connection.request("POST", address.path, body, headers)
            reply = self._connection.getresponse()
            content = reply.read(_MAXIMUM_ANSWER + 1)
        except TimeoutError:
            raise TimeLimitError from None
        except (OSError, http.client.HTTPException) as error:
            where = f"the predictor on port {address.port}"
            raise PredictorError(
                f"{where} cannot be asked ({error or type(error).__name__})"
            ) from None
        if len(content) > _MAXIMUM_ANSWER:
            raise PredictorError(f"the predictor's answer is larger than {_MAXIMUM_ANSWER} bytes")
        return reply.status, content


def _predictions(content: bytes, address: Address, rows: int) -> Numbers:
    try:
        document = _DECODE(content)
        if address.protocol == "V1":
            found = np.asarray(document["predictions"], dtype=np.float64)
        else:
            found = np.asarray(_choose(document["outputs"], address.output), dtype=np.float64)
        return found.reshape(rows, -1)
    except (ValueError, TypeError, KeyError, IndexError, msgspec.DecodeError) as error:
        what = f"{type(error).__name__}: {error}"[:_SHOWN]
        raise PredictorError(f"the predictor's answer holds no numbers per row ({what})") from None


def _choose(outputs: list[dict[str, Any]], name: str) -> list[float]:
    named = {output["name"]: output["data"] for output in outputs}
    chosen: list[float] = named[name] if name else outputs[0]["data"]
    return chosen
