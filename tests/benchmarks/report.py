"""The last line of a benchmark, and whether it met its goal."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One benchmark's result.

    Attributes:
        name: The benchmark.
        ours: Our figure, as text with its unit.
        peer: The peer's figure in the same run, or what it is compared with.
        ratio: Ours against the peer.
        goal: The goal, as text.
        met: Whether it was reached.
    """

    name: str
    ours: str
    peer: str
    ratio: float
    goal: str
    met: bool

    def line(self) -> str:
        """Return the line that tools read."""
        verdict = "" if self.met else "  MISSED"
        return (
            f"{self.name}: ratio={self.ratio:.2f} ours={self.ours} peer={self.peer} "
            f"goal={self.goal}{verdict}"
        )
