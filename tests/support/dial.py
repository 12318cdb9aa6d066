"""Dials ports of an address and tells which answer. It runs in a pod: standard library only."""

import json
import os
import socket
from concurrent.futures import ThreadPoolExecutor

TIMEOUT_SECONDS = 2


def dial(address: str, port: int) -> str:
    """Return how a connection to a port ended."""
    try:
        with socket.create_connection((address, port), timeout=TIMEOUT_SECONDS):
            return "answers"
    except OSError as error:
        return type(error).__name__


def main() -> None:
    """Print, as JSON, how each port answered."""
    address = os.environ["ADDRESS"]
    ports = json.loads(os.environ["PORTS"])
    with ThreadPoolExecutor(len(ports)) as pool:
        ends = pool.map(lambda port: dial(address, port), ports)
        print(json.dumps(dict(zip(ports, ends, strict=True))), flush=True)


if __name__ == "__main__":
    main()
