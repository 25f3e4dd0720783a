"""``OutlineStats``: how an outline was found."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from intervalvm.raster.stats import milliseconds, text_table


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
    pieces : dict of str to int
        With arcs: "lines" and "arcs", of which two make each of "circles", and how many of both
        are "proven" to lie within the tolerance of the shape's border, and "unproven".
    """

    clauses: int
    tolerance: float
    cells: dict[str, int]
    seconds: dict[str, float]
    pieces: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The same as dicts and numbers."""
        return asdict(self)

    def __str__(self) -> str:
        times = [(name, milliseconds(seconds)) for name, seconds in self.seconds.items()]
        lines = [f"{self.clauses} clauses, tolerance {self.tolerance:g}"]
        for what, counts in {"cells": self.cells, "pieces": self.pieces}.items():
            if counts or what == "cells":
                listed = ", ".join(f"{number} {name}" for name, number in counts.items())
                lines.append(f"{what}: {listed}")
        return "\n".join([*lines, "", text_table(times, left=1)] if times else lines)
