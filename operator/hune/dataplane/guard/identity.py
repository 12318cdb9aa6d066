"""What this guard vouches for on every prediction."""

from typing import Final

from hune.contract import names
from hune.contract.guard import GuardSettings
from hune.contract.prediction import KEY_BYTES, Mint, Origin
from hune.dataplane.guard.answers import Header

_ID_HEADER: Final = names.HEADER_PREDICTION_ID.lower().encode()
_VERSION_HEADER: Final = names.HEADER_MODEL_VERSION.lower().encode()


Note = dict[str, object]


class Identity:
    """Mints the ids of one origin under one key."""

    def __init__(self, settings: GuardSettings, key: bytes) -> None:
        self._origin = _origin(settings)
        self._key = key
        self._mint = Mint(key, self._origin)
        self._version: Header = (_VERSION_HEADER, settings.model_version.encode())

    def is_meant_by(self, settings: GuardSettings, key: bytes) -> bool:
        """Tell whether ids under these settings would vouch for the same."""
        return self._origin == _origin(settings) and self._key == key

    def new_note(self) -> Note:
        """Return what is said beside a prediction, under an id that no other one has."""
        prediction = self._mint.write(sampled=False)
        return {"prediction_id": prediction, "model_version": self._origin.model_version}

    def headers_of(self, note: Note) -> list[Header]:
        """Return the note's headers."""
        return [(_ID_HEADER, str(note["prediction_id"]).encode()), self._version]


def _origin(settings: GuardSettings) -> Origin:
    return Origin(settings.deployment, settings.model_version, settings.arm)


def parse_key(content: bytes) -> bytes:
    """Return the key in a key file.

    Raises:
        ValueError: It has another length.
    """
    if len(content) != KEY_BYTES:
        raise ValueError(f"the key must be {KEY_BYTES} raw bytes, but the file has {len(content)}")
    return content
