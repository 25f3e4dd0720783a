"""What a render is asked for, once its options have been checked, and what drawing it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.jit.layout import SPLIT_LEVELS
from intervalvm.memory import require

if TYPE_CHECKING:
    from intervalvm.raster.grid import Region
    from intervalvm.raster.image import Frame
    from intervalvm.tape import Tape

Sides = tuple[NDArray[Any], NDArray[Any]]
Progress = Callable[[int, int], None]
"""Called with pixels done and pixels in all."""


@dataclass(frozen=True)
class Job:
    """A render whose options have been checked."""

    tape: Tape
    x: NDArray[Any]
    y: NDArray[Any]
    pixel_type: np.dtype[Any]
    depth: int
    engine: str
    backend: str
    threads: int
    settings: dict[str, float]
    grid: str
    region: Region
    max_memory: int | None
    over: str | None = None
    """What is proven of each pixel, its "point" or its "area"; None where nothing is."""
    edges: tuple[NDArray[Any], NDArray[Any]] | None = None
    """Where the pixels' areas meet, if it is these that are asked about."""
    whole: Frame | None = None
    """The larger picture that the pixels are a part of, and which part."""

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.y), len(self.x)

    @property
    def sides(self) -> tuple[Sides, Sides]:
        """The lower ends of what columns and rows stand for, and the upper ones, as (x, y)."""
        if self.edges is None:
            return (self.x, self.y), (self.x, self.y)
        x, y = self.edges
        return (x[:-1], y[1:]), (x[1:], y[:-1])

    @property
    def image_bytes(self) -> int:
        return len(self.y) * len(self.x) * self.pixel_type.itemsize

    def require(self, needed: int, what: str, way_out: str) -> None:
        require(needed + self.image_bytes, what, way_out, self.max_memory)


@dataclass
class Counts:
    """What one step of the walk did, over all regions that it split."""

    regions: int = 0
    inside: int = 0
    outside: int = 0
    ambiguous: int = 0
    clauses: int = 0  # of the ambiguous ones' tapes, inputs and constants left out
    inside_px: int = 0  # in filled tiles and in leaves
    evaluated_px: int = 0
    unproven_px: int = 0  # of a proof, among those evaluated

    @staticmethod
    def of(rows: Iterable[Iterable[int]]) -> list[Counts]:
        """What a compiled walk counted: a row a step, in the order of the fields."""
        return [Counts(*row) for row in rows]


def split_levels(depth: int) -> list[int]:
    """The levels of the quadtree that each step takes: three, but the first what is left over.

    The first has the fewest regions to look at, so lanes that stay empty there cost least.
    """
    first = depth % SPLIT_LEVELS
    head = [first] if first or not depth else []
    return head + [SPLIT_LEVELS] * (depth // SPLIT_LEVELS)


@dataclass(frozen=True)
class Drawn:
    """Pixels, what each split of the walk did, the seconds spent on the tape, the threads used.

    Pixels that a GPU drew are an array of CuPy.
    """

    pixels: Any
    counts: list[Counts]
    compiling: float = 0.0
    threads: int = 1
