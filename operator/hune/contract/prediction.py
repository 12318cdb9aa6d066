"""Prediction ids: UUIDv7 whose tail is a short MAC, so that a forged id is refused unlooked.

Layout of the 128 bits, most significant first (RFC 9562, section 5.7, for the UUIDv7 frame):

====  =====================================================================================
bits  meaning
====  =====================================================================================
48    Unix time in milliseconds
4     UUID version, 7
2     layout of this id, 0
1     sampled: 1 when the prediction is recorded
9     counter within the millisecond, of one guard process
2     UUID variant, binary 10
30    random
32    MAC: the first 32 bits of BLAKE2s keyed by the namespace's key over the 96 bits before it
      and over deployment, model version and arm
====  =====================================================================================

A forger without the key is right once in 2^32 tries. Two guards of one deployment that mint in
the same millisecond differ by counter and random bits.
"""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2s
from hmac import compare_digest
from struct import Struct
from uuid import UUID

_UUID_VERSION = 7
_UUID_VARIANT = 0b10
_LAYOUT = 0
_COUNTER_BITS = 9
_RANDOM_BITS = 30
_MAC_BYTES = 4
_WORDS = Struct(">I")
_WORDS_AT_ONCE = 256
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Origin:
    """What a prediction id vouches for."""

    deployment: str
    model_version: str
    arm: str = ""

    def encode(self) -> bytes:
        """Return the bytes that the MAC covers; NUL cannot occur in a Kubernetes name."""
        return f"{self.deployment}\0{self.model_version}\0{self.arm}".encode()


class Mint:
    """Makes the prediction ids of one guard process. Not for use by several threads."""

    def __init__(self, key: bytes, origin: Origin) -> None:
        self._keyed = blake2s(key=key, digest_size=_MAC_BYTES)
        self._origin = origin.encode()
        self._millisecond = 0
        self._counter = 0
        self._words: Iterator[tuple[int]] = iter(())

    def new(self, *, sampled: bool, now_ns: int | None = None) -> UUID:
        """Return a new id; unique within the process also when the clock stands or steps back."""
        return UUID(int=self._next(sampled=sampled, now_ns=now_ns))

    def write(self, *, sampled: bool) -> str:
        """Return a new id as text; a UUID takes longer to make and to write than all the rest."""
        text = f"{self._next(sampled=sampled, now_ns=None):032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def _next(self, *, sampled: bool, now_ns: int | None) -> int:
        millisecond = (time.time_ns() if now_ns is None else now_ns) // 1_000_000
        if millisecond > self._millisecond:
            self._millisecond, self._counter = millisecond, 0
        else:
            self._counter += 1
            if self._counter >> _COUNTER_BITS:
                self._millisecond, self._counter = self._millisecond + 1, 0
        head = (
            self._millisecond << 48
            | _UUID_VERSION << 44
            | _LAYOUT << 42
            | sampled << 41
            | self._counter << 32
            | _UUID_VARIANT << 30
            | self._random()
        )
        return head << 32 | self._mac(head)

    def _random(self) -> int:
        """Return random bits; the system is asked for many at once, as a call to it is slow."""
        word = next(self._words, None)
        if word is None:
            self._words = _WORDS.iter_unpack(secrets.token_bytes(_WORDS_AT_ONCE * _WORDS.size))
            word = next(self._words)
        return word[0] >> _WORDS.size * 8 - _RANDOM_BITS

    def _mac(self, head: int) -> int:
        state = self._keyed.copy()
        state.update(head.to_bytes(12, "big"))
        state.update(self._origin)
        return int.from_bytes(state.digest(), "big")


def is_sampled(prediction: UUID) -> bool:
    """Tell whether the prediction was recorded."""
    return bool(prediction.int >> 73 & 1)


def is_genuine(prediction: UUID, key: bytes, origin: Origin) -> bool:
    """Tell whether the id was minted under this key for this origin, in constant time."""
    head = prediction.int >> 32
    frame = (head >> 44 & 0xF, head >> 42 & 0b11, head >> 30 & 0b11)
    if frame != (_UUID_VERSION, _LAYOUT, _UUID_VARIANT):
        return False
    state = blake2s(head.to_bytes(12, "big") + origin.encode(), key=key, digest_size=_MAC_BYTES)
    return compare_digest(state.digest(), (prediction.int & 0xFFFFFFFF).to_bytes(4, "big"))
