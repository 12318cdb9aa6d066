"""The answer to a prediction: the predictor's own, with a note beside it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from hune.dataplane.guard.answers import Answer, Header, Problem
from hune.dataplane.guard.finding import Finding
from hune.dataplane.guard.headers import Envelope, end_to_end
from hune.dataplane.guard.reply import Reply
from hune.dataplane.wire import v1, v2
from hune.dataplane.wire.binary import LENGTH_HEADER, BadLengthError, json_length
from hune.dataplane.wire.document import NotAnObjectError, check_object

_ANNOTATE: Final[Mapping[str, Callable[[bytes, Mapping[str, object]], bytes]]] = {
    "V1": v1.annotate,
    "V2": v2.annotate,
}
_OK: Final = 200
# curl's default type counts: whoever forgot the header should still hear where the JSON breaks.
_JSON_TYPES: Final = frozenset(
    {b"", b"application/json", b"application/x-www-form-urlencoded", b"text/plain"}
)


def check_request(envelope: Envelope, body: bytes) -> None:
    """Check that a prediction's body is what its headers say.

    Raises:
        Problem: It is not; the message says at which byte.
    """
    length = envelope.read.get(LENGTH_HEADER)
    try:
        if length is not None:
            size = json_length(length, len(body))
            if size:
                check_object(body[:size])
        elif envelope.media_type in _JSON_TYPES or envelope.media_type.endswith(b"+json"):
            check_object(body)
    except BadLengthError as error:
        raise Problem(400, str(error)) from None
    except NotAnObjectError as error:
        what = f"{error}" if body else "it is empty"
        raise Problem(400, f"the request body is not a JSON object: {what}") from None


def answer_prediction(
    reply: Reply,
    protocol: str,
    note: Mapping[str, object],
    findings: Iterable[Finding],
    headers: Iterable[Header],
) -> Answer:
    """Return the predictor's answer with all that the guard says beside it.

    Args:
        reply: The predictor's answer; one that is no prediction stays as it is.
        protocol: `V1` or `V2`.
        note: What the guard vouches for.
        findings: What its checks found.
        headers: The note, for those who do not read bodies.
    """
    if reply.status != _OK:
        return Answer(reply.status, end_to_end(reply.headers), reply.body)
    said, short = dict(note), [*headers]
    for finding in findings:
        said |= finding.note
        short += finding.headers
    answer = annotate_reply(reply, protocol, said)
    answer.headers += short
    return answer


def annotate_reply(reply: Reply, protocol: str, note: Mapping[str, object]) -> Answer:
    """Return a successful prediction with the note added to its JSON.

    A body that is no JSON object stays as it is: the note is in the headers in any case.
    """
    headers = end_to_end(reply.headers)
    size = next((value for name, value in headers if name == LENGTH_HEADER), None)
    try:
        if size is None:
            return Answer(reply.status, headers, _ANNOTATE[protocol](reply.body, note))
        end = json_length(size, len(reply.body))
        head = _ANNOTATE[protocol](reply.body[:end], note)
    except (NotAnObjectError, BadLengthError):
        return Answer(reply.status, headers, reply.body)
    headers = [header for header in headers if header[0] != LENGTH_HEADER]
    headers.append((LENGTH_HEADER, str(len(head)).encode()))
    return Answer(reply.status, headers, head + reply.body[end:])
