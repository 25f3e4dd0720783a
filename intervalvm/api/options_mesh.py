"""The options of ``mesh`` and their checks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from intervalvm.api.limits import check_threads
from intervalvm.api.options import check_progress
from intervalvm.arguments import brief, parts_of, real
from intervalvm.cells.frame import MARGIN, Frame
from intervalvm.checks import check_word, positive
from intervalvm.errors import OptionError
from intervalvm.hints import Takes
from intervalvm.memory import Amount, as_bytes
from intervalvm.raster.job import Progress
from intervalvm.raster.region import side
from intervalvm.words import MeshMethod

METHODS = get_args(MeshMethod)
KEEPS_EDGES: dict[MeshMethod, bool] = {"sharp": True, "safe": False}
TOLERANCE = 0.7
"""The tolerance by default, as a share of the smallest cells."""
DEPTH, MOST_DEPTH = 6, 16
"""The depth by default, and the greatest."""
ULPS = 1 << 13
"""The least size of a cell, in spacings of floats: points keep a 1024th of it from its sides."""
Sides = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]


@dataclass(kw_only=True, eq=False)
class MeshOptions:
    """The options of ``mesh``. Raises as that does for an invalid one."""

    region: Any = None
    depth: int | None = None
    cell: float | None = None
    method: MeshMethod = "sharp"
    tolerance: float | None = None
    variables: Mapping[str, float] | None = None
    threads: int | None = None
    max_memory: Amount | None = None
    progress: Progress | bool | None = None

    def __post_init__(self) -> None:
        if self.region is not None:
            self.region = check_box(self.region)
        if self.depth is not None:
            if self.cell is not None:
                raise OptionError("give depth or cell, not both: one follows from the other")
            depth = real("depth", self.depth)
            if not (1 <= depth <= MOST_DEPTH and depth == int(depth)):
                raise OptionError(
                    f"depth={brief(self.depth)}: give a whole number from 1 to {MOST_DEPTH}"
                )
            self.depth = int(depth)
        if self.cell is not None:
            self.cell = positive("cell", self.cell)
        if self.tolerance is not None:
            self.tolerance = positive("tolerance", self.tolerance)
        check_word("method", self.method, METHODS)
        self.threads = check_threads(self.threads)
        if self.max_memory is not None:
            self.max_memory = as_bytes("max_memory", self.max_memory)
        check_progress(self.progress)

    @property
    def keeps_edges(self) -> bool:
        """Whether edges and corners are kept."""
        return KEEPS_EDGES[self.method]

    def frame_of(self, region: Sides) -> tuple[Frame, int]:
        """The frame of a region, and the depth."""
        longest = max(high - low for low, high in region) * (1.0 + sum(MARGIN))
        depth = DEPTH if self.depth is None else self.depth
        if self.cell is not None:
            depth = max(1, math.ceil(math.log2(longest / self.cell)))
            if depth > MOST_DEPTH:
                raise OptionError(
                    f"cell={self.cell:g}: there would be more than 2^{MOST_DEPTH} a side of the "
                    f"region, which is {longest:g}: give larger cells"
                )
            longest = self.cell * 2.0**depth
        frame = Frame.cube(region, longest)
        _check_floats(frame, longest / 2.0**depth)
        return frame, depth

    def tolerance_of(self, frame: Frame, depth: int) -> float:
        """The tolerance."""
        if self.tolerance is not None:
            return self.tolerance
        return TOLERANCE * frame.sides[0] / 2.0**depth


def check_box(region: Any) -> Sides:
    """Three pairs of finite ends, each (low, high)."""
    try:
        x, y, z = parts_of("region", region)
    except (TypeError, ValueError):
        raise OptionError(
            f"region={brief(region)}: give three pairs, ((x0, x1), (y0, y1), (z0, z1))"
        ) from None
    return side("x", x), side("y", y), side("z", z)


def _check_floats(frame: Frame, cell: float) -> None:
    """Raise OptionError where floats are too coarse to part the points of neighbouring cells."""
    largest = max(abs(end) for low in frame.low for end in (low, low + frame.sides[0]))
    if not (math.isfinite(largest) and cell >= ULPS * math.ulp(largest)):
        raise OptionError(
            f"region: its coordinates are floats of up to {largest:.3g}, too coarse for cells of "
            f"{cell:.3g}: give less depth, larger cells, or a region nearer the origin"
        )


takes_mesh_options = Takes(MeshOptions)
