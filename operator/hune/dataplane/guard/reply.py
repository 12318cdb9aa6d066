"""What comes back from whom the guard asks: an answer, or the reason why there is none."""

from msgspec import Struct

from hune.dataplane.guard.answers import Header


class UpstreamError(Exception):
    """There is no usable answer."""


class UnreachableError(UpstreamError):
    """No connection comes about."""


class SlowError(UpstreamError):
    """The answer did not come in time."""


class BrokenError(UpstreamError):
    """What came is no HTTP answer, or not all of one."""


class NoRoomError(UpstreamError):
    """The answer came, and there was no memory left to hold it."""


class StaleError(BrokenError):
    """The connection ended before the first byte of an answer."""


class Reply(Struct, frozen=True):
    """One answer of the predictor, complete; header names in small letters."""

    status: int
    headers: list[Header]
    body: bytes
