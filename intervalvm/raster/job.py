"""What a render is asked for, once its options have been checked, and what drawing it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.memory import require

if TYPE_CHECKING:
    from intervalvm.jit.layout import Counts
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


@dataclass(frozen=True)
class Drawn:
    """Pixels, what each split of the walk did, the seconds spent on the tape, the threads used.

    Pixels that a GPU drew are an array of CuPy.
    """

    pixels: Any
    counts: list[Counts]
    compiling: float = 0.0
    threads: int = 1
