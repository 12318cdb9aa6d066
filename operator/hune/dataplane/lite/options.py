"""What the container's environment sets beside the guard's own variables."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from hune.contract import names
from hune.dataplane.guard.environment import BadVariableError, read_number

_MAXIMUM_THREADS: Final = 64


@dataclass(frozen=True, slots=True)
class Options:
    """Where the model is, and how it is run.

    Attributes:
        model: Directory that holds it, or the file itself.
        threads: How many threads work on one prediction.
    """

    model: Path
    threads: int

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Self:
        """Return the options.

        Raises:
            BadVariableError: A variable has no sensible value; the message names it.
        """
        threads = int(read_number(variables, "HUNE_MODEL_THREADS", 1, _MAXIMUM_THREADS))
        if threads < 1:
            raise BadVariableError("HUNE_MODEL_THREADS is less than 1; set it to 1 or more")
        return cls(Path(variables.get("HUNE_MODEL_DIRECTORY", names.MODEL_DIRECTORY)), threads)
