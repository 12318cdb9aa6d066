"""`python -m tests.support.fuzz SECONDS CORPUS`: bodies bred by coverage against the wire code.

It ends with the first exception that is no WireError, and writes the body to the corpus' folder.
"""

import sys
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["hune.dataplane.wire"]):
    from hune.dataplane.wire.document import NotAnObjectError, check_object
    from hune.dataplane.wire.layout import table_of
    from hune.dataplane.wire.tensor import WireError
    from hune.dataplane.wire.v1_request import read_v1
    from hune.dataplane.wire.v2_request import read_v2

from tests.support.hostile import BODIES

# The first byte says how the rest is read: as V1, as V2, or as V2 with binary tensors from there.
V1, V2 = 0, 1


def feed(sent: bytes) -> None:
    """Read a body as the guard would."""
    if not sent:
        return
    kind, body = sent[0], sent[1:]
    with suppress(NotAnObjectError):
        check_object(body)
    try:
        if kind == V1:
            tensors = read_v1(body)
        else:
            tensors = read_v2(body, None if kind == V2 else min(kind, len(body)))
        table = table_of(tensors)
    except WireError:
        return
    columns = [table.matrix] if table.matrix is not None else table.columns.values()
    assert all(len(column) == table.rows for column in columns)


def seed(folder: Path) -> None:
    """Write the known hostile bodies, to be bred from."""
    for position, body in enumerate(BODIES):
        kind = V1 if body.protocol == "V1" else body.json_length or V2
        if len(body.sent) < 1000 and kind < 256:
            (folder / str(position)).write_bytes(bytes([kind]) + body.sent)


if __name__ == "__main__":
    seconds, corpus = sys.argv[1], Path(sys.argv[2])
    seed(corpus)
    options = [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=1024", "-max_len=2048"]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={corpus}/", str(corpus)], feed)
    atheris.Fuzz()
