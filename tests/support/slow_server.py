"""A model server that takes the time that a request asks for, or its argument says.

It runs in a pod, out of `-c`.
"""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PORT = 8080
OUTPUT = {"name": "y", "datatype": "INT64", "shape": [1], "data": [1]}


class Handler(BaseHTTPRequestHandler):
    """The V2 protocol, as far as a prediction needs it."""

    protocol_version = "HTTP/1.1"
    seconds = 0.0

    def do_GET(self) -> None:
        """Be ready."""
        self._answer({})

    def do_POST(self) -> None:
        """Answer a prediction, in good time."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(body.get("parameters", {}).get("seconds", self.seconds))
        self._answer({"model_name": "slow", "outputs": [OUTPUT]})

    def _answer(self, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    Handler.seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0
    ThreadingHTTPServer(("", PORT), Handler).serve_forever()
