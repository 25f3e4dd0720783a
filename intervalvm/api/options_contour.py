"""The options of ``contour`` and their checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from intervalvm.api.limits import check_threads
from intervalvm.api.options import check_progress, is_compiled
from intervalvm.arguments import brief, flag, parts_of, real
from intervalvm.checks import finite, positive
from intervalvm.errors import OptionError
from intervalvm.hints import Takes
from intervalvm.memory import Amount, as_bytes
from intervalvm.outlines.tracer import Ends, least_tolerance
from intervalvm.raster.job import Progress
from intervalvm.raster.region import RegionLike, as_region
from intervalvm.words import BoxBackend

PART = 1e-3
"""The tolerance by default, as a part of the region's longer side."""
LEAST_SIDE, LARGEST = 1e-90, 1e90
"""The least longer side of a region, and the largest coordinate: areas are floats."""
MOST_PART = 0.0625
"""The most that floats leave for a tolerance, as a share of the region."""


@dataclass(kw_only=True, eq=False)
class ContourOptions:
    """The options of ``contour``. Raises as that does for an invalid one."""

    region: RegionLike | None = None
    tolerance: float | None = None
    arcs: bool = False
    offset: float = 0.0
    levels: float | Sequence[float] | None = None
    closed: bool = True
    z: float = 0.0
    variables: Mapping[str, float] | None = None
    backend: BoxBackend = "numba"
    threads: int | None = None
    max_memory: Amount | None = None
    progress: Progress | bool | None = None

    def __post_init__(self) -> None:
        self.region = as_region(self.region)
        if self.tolerance is not None:
            self.tolerance = positive("tolerance", self.tolerance)
        self.arcs, self.closed = flag("arcs", self.arcs), flag("closed", self.closed)
        self.offset, self.z = finite("offset", self.offset), finite("z", self.z)
        if self.levels is not None:
            self.levels = _levels(self.levels)
            if self.offset:
                raise OptionError("give offset or levels, not both: an offset is a level")
        self.compiled = is_compiled(self.backend)
        self.threads = check_threads(self.threads)
        if self.max_memory is not None:
            self.max_memory = as_bytes("max_memory", self.max_memory)
        check_progress(self.progress)

    def tolerance_in(self, region: tuple[Ends, Ends]) -> float:
        """The tolerance in a region.

        Raises OptionError for one that is too small for floats, and for a region that is.
        """
        least, size = least_tolerance(region), max(high - low for low, high in region)
        largest = max(abs(end) for side in region for end in side)
        if not (size > LEAST_SIDE and largest < LARGEST and least < MOST_PART * size):
            raise OptionError(
                f"region={brief(region)}: floats are too coarse there, or overflow: move the shape "
                "near the origin, or scale it"
            )
        if self.tolerance is None:
            return max(PART * size, least)
        if self.tolerance < least:
            raise OptionError(
                f"tolerance={self.tolerance!r} is too small for the region, whose coordinates are "
                f"floats: give at least {least:.3g}, or a smaller region"
            )
        return self.tolerance


def _levels(given: Any) -> tuple[float, ...]:
    """Different finite numbers, one or more."""
    try:
        levels: tuple[Any, ...] = (real("levels", given),)
    except (TypeError, ValueError):
        levels = parts_of("levels", given)
    found = tuple(finite("levels", each) for each in levels)
    if not found or len(set(found)) < len(found):
        raise OptionError(f"levels={brief(given)}: give different numbers, at least one")
    return found


takes_contour_options = Takes(ContourOptions)
