"""``OutlineStats``: how an outline was found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from intervalvm.raster.image import milliseconds, text_table


@dataclass(frozen=True)
class OutlineStats:
    """Times and counts of an outline. It prints as a table.

    Attributes
    ----------
    clauses : int
    tolerance : float
        The largest distance of the curves from the shape's border.
    cells : dict of str to int
        "proven", those whose curves are proven to be like the border, "undecided", those that were
        not at the smallest size, and "evaluated", all whose bounds were found.
    seconds : dict of str to float
    """

    clauses: int
    tolerance: float
    cells: dict[str, int]
    seconds: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """The same as dicts and numbers."""
        return asdict(self)

    def __str__(self) -> str:
        counts = ", ".join(f"{number} {name}" for name, number in self.cells.items())
        times = [(name, milliseconds(seconds)) for name, seconds in self.seconds.items()]
        lines = [f"{self.clauses} clauses, tolerance {self.tolerance:g}", f"cells: {counts}"]
        return "\n".join([*lines, "", text_table(times, left=1)] if times else lines)
