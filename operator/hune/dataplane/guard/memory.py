"""The memory that bodies may take: all requests together, and all answers to them."""

from types import TracebackType
from typing import Final, Self

from hune.dataplane.guard.answers import RETRY_AFTER, Problem

# So many requests of the largest size are held at once, and as many answers to them: requests that
# took all there is would leave none of their answers any room.
LARGEST_AT_ONCE: Final = 3


class Memory:
    """What there is; a body that finds no room is refused, not the process killed."""

    def __init__(self, maximum: int) -> None:
        """Begin with nothing held.

        Args:
            maximum: Bytes.
        """
        self._maximum = maximum
        self._held = 0

    def take(self, count: int) -> bool:
        """Hold so many bytes more; False where there is no room for them."""
        if self._held + count > self._maximum:
            return False
        self._held += count
        return True

    def give(self, count: int) -> None:
        """Hold so many bytes less."""
        self._held -= count


class Loan:
    """What one request has of the memory, until the end of the `with` block."""

    def __init__(self, memory: Memory) -> None:
        """Begin with nothing."""
        self._memory = memory
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._memory.give(self._count)

    def take(self, count: int) -> None:
        """Hold so many bytes more.

        Raises:
            Problem: There is no room for them.
        """
        if not self._memory.take(count):
            raise no_room()
        self._count += count


def no_room() -> Problem:
    """Return what a client hears where there is no memory for a body."""
    return Problem(503, "too many large bodies are being held already", RETRY_AFTER)
