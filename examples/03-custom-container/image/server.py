"""A model server of one's own: the V2 inference protocol over the standard library.

The model is a rule that a credit team wrote down: no training, no framework, still watched.
"""

import json
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PORT = 8080
COLUMNS = 2
INPUTS = [{"name": "applicants", "datatype": "FP64", "shape": [-1, COLUMNS]}]
OUTPUTS = [{"name": "granted", "datatype": "INT64", "shape": [-1]}]


def decide(income: float, debt: float) -> int:
    """Grant a loan where debt is at most a third of the income."""
    return int(3 * debt <= income)


def infer(request: dict[str, Any], model: str) -> dict[str, Any]:
    """Answer one request; its only input has a row of income and debt per applicant."""
    tensor = request["inputs"][0]
    rows, columns = tensor["shape"]
    values = tensor["data"]
    if values and isinstance(values[0], list):
        values = [value for row in values for value in row]
    if columns != COLUMNS or len(values) != rows * columns:
        raise ValueError("shape must be [applicants, 2]: income and debt, and data must fill it")
    granted = [decide(*values[row * COLUMNS : (row + 1) * COLUMNS]) for row in range(rows)]
    output = {"name": "granted", "datatype": "INT64", "shape": [rows], "data": granted}
    return {"model_name": model, "outputs": [output]}


class Handler(BaseHTTPRequestHandler):
    """The paths of the protocol that a client needs."""

    protocol_version = "HTTP/1.1"  # keeps connections open

    def do_GET(self) -> None:
        """Answer health and metadata."""
        match self.path.strip("/").split("/"):
            case ["v2", "health", "live" | "ready"] | ["v2", "models", _, "ready"]:
                self._answer(200, {})
            case ["v2", "models", model]:
                about = {"name": model, "platform": "custom", "inputs": INPUTS, "outputs": OUTPUTS}
                self._answer(200, about)
            case _:
                self._answer(404, {"error": f"no such path: {self.path}"})

    def do_POST(self) -> None:
        """Answer a prediction."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        match self.path.strip("/").split("/"):
            case ["v2", "models", model, "infer"]:
                try:
                    self._answer(200, infer(json.loads(body), model))
                except (ValueError, KeyError, IndexError, TypeError) as error:
                    self._answer(400, {"error": f"{type(error).__name__}: {error}"})
            case _:
                self._answer(404, {"error": f"no such path: {self.path}"})

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: the guard counts requests."""


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ThreadingHTTPServer(("", PORT), Handler).serve_forever()
