"""``Job``: a checked picture of a solid; ``Drawn``: what an engine found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.memory import require
from intervalvm.voxel.volume import COORDINATE_BYTES, Size, Volume

if TYPE_CHECKING:
    from intervalvm.raster.stats import Level
    from intervalvm.tape import Tape
    from intervalvm.words import SolidEngine

PIXEL_BYTES = 4 + 12 + 3 + 16
"""Of depth, normals and colours, and of the indices of those that are hit."""


@dataclass(frozen=True)
class Job:
    """A picture with checked options."""

    tape: Tape
    volume: Volume
    settings: list[NDArray[Any]]
    """The values of the tape's variables, in the dtype."""
    engine: SolidEngine
    threads: int
    max_memory: int | None

    @property
    def dtype(self) -> np.dtype[Any]:
        """The arithmetic."""
        return self.volume.dtype

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs of an evaluator: the axes and the variables."""
        return ("x", "y", "z", *self.tape.variables)

    @property
    def picture_bytes(self) -> int:
        """The memory of the picture and of its coordinates."""
        return picture_bytes(self.volume.size)

    def require(self, needed: int, what: str, way_out: str) -> None:
        """Raise DoesNotFit if ``needed`` bytes beside the picture do not fit."""
        require(needed + self.picture_bytes, what, way_out, self.max_memory)


def picture_bytes(size: Size) -> int:
    """The memory of a picture of this size and of its coordinates."""
    width, height, _ = size
    return PIXEL_BYTES * width * height + COORDINATE_BYTES * sum(size)


class Drawn(NamedTuple):
    """What an engine found of a picture."""

    depth: NDArray[np.int32]
    """[h, w]: one more than the layer of the nearest voxel inside, 0 where there is none."""
    normals: NDArray[np.float32]
    """[h, w, 3], see ``normals``."""
    evaluated: int
    """Voxels that were evaluated one by one."""
    seconds: dict[str, float]
    """Of "compile", "depth" and "normals"."""
    levels: tuple[Level, ...] = ()
    threads: int = 1
