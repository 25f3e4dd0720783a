"""``Frame``: a box and the lattices of its cells, in two or three dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.ops.row import Interval

MARGIN = 0.0123, 0.0179
"""The margins below and above a region, as shares of its sides: no round numbers, so that corners
of cells rarely lie on a shape, whose sizes often are."""


@dataclass(frozen=True)
class Frame:
    """A box, from ``low`` on, with these ``sides``. At level d a cell is 2**-d of it a side.

    A point of the lattice is ``low + side * share``, where the share of the side is exact: so a
    corner has the same coordinates, bit for bit, whatever the level of the cells that it is seen
    from.
    """

    low: tuple[float, ...]
    sides: tuple[float, ...]

    @staticmethod
    def around(region: Sequence[tuple[float, float]]) -> Frame:
        """The frame of a region, with margins."""
        below, above = MARGIN
        sides = [high - low for low, high in region]
        return Frame(
            tuple(low - below * side for (low, _), side in zip(region, sides, strict=True)),
            tuple((1.0 + below + above) * side for side in sides),
        )

    @staticmethod
    def cube(region: Sequence[tuple[float, float]], side: float) -> Frame:
        """The frame of a region with equal sides, which are longer than those of the region."""
        below, above = MARGIN
        share = below / (below + above)
        lows = (low - share * (side - (high - low)) for low, high in region)
        return Frame(tuple(lows), (side,) * len(region))

    @property
    def dimensions(self) -> int:
        return len(self.low)

    def coordinates(self, axis: int, at: NDArray[Any], level: Any) -> NDArray[np.float64]:
        """Coordinates of numbers of lattice planes ``at`` a level."""
        share = np.asarray(at, np.float64) * np.ldexp(1.0, -np.asarray(level, np.int32))
        found: NDArray[np.float64] = self.low[axis] + self.sides[axis] * share
        return found

    def boxes(self, at: NDArray[Any], level: Any) -> list[Interval]:
        """The closed cells with numbers ``at`` int[m, dimensions]."""
        flags = np.zeros(len(at), bool)
        return [
            Interval(
                self.coordinates(axis, at[:, axis], level),
                self.coordinates(axis, at[:, axis] + 1, level),
                flags,
            )
            for axis in range(self.dimensions)
        ]

    def sizes(self, level: Any) -> tuple[NDArray[np.float64], ...]:
        """The sides of cells at a level."""
        share = np.ldexp(1.0, -np.asarray(level, np.int32))
        return tuple(side * share for side in self.sides)
