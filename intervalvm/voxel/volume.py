"""Where the voxels are: a view, a size and a grid give coordinates.

In: a ``View``, a size, the name of a grid, a dtype. Out: for each row of the view's matrix three
*terms*, one by the column i, one by the row j and one by the layer k of a voxel, rounded once to
the dtype. A voxel's coordinates are sums of these, always in one order. All engines use these
arrays and these operations, so their points are equal bit for bit, and bounds over a box of voxels
follow from its corners, since rounding is monotone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.arguments import brief, integer
from intervalvm.environment import in_default_environment
from intervalvm.errors import OptionError
from intervalvm.late import cached_property
from intervalvm.voxel.linear import normalised, tangents
from intervalvm.voxel.view import View

if TYPE_CHECKING:
    from intervalvm.words import VoxelGrid

Size = tuple[int, int, int]
"""Width, height and depth in voxels."""
Axis = NDArray[np.float64]
COORDINATE_BYTES = 96
"""The most bytes of terms, and of what they are computed from, for a column, a row or a layer."""
MOST_VOXELS = (1 << 31) - 1
"""Voxels a side: a picture of depths counts them in int32."""


def _center(width: int, height: int, depth: int) -> tuple[Axis, Axis, Axis]:
    shorter = min(width, height)
    x, y, z = ((2 * np.arange(n, dtype=float) + (1 - n)) / shorter for n in (width, height, depth))
    return x, -y, z


def _fidget(width: int, height: int, depth: int) -> tuple[Axis, Axis, Axis]:
    shortest = min(width, height, depth)
    x, y, z = (
        (2 * np.arange(n, dtype=float) - first) / shortest
        for n, first in ((width, width), (height, height - 2), (depth, depth))
    )
    return x, -y, z


VOXEL_GRIDS: dict[VoxelGrid, Callable[[int, int, int], tuple[Axis, Axis, Axis]]] = {
    "center": _center,
    "fidget": _fidget,
}
"""The grids: from a size to x of columns, y of rows and z of layers, the farthest first, in view
space.

Voxels are cubes. In ``center`` the shorter side of the picture goes from -1 to 1 and samples are
the centres of voxels; in ``fidget`` the shortest side of the volume does, voxel n/2 of n is the
middle, and that of rows is n/2 - 1, as in Fidget.
"""


class Terms(NamedTuple):
    """The terms of one row: by column i, by row j and by layer k.

    The row's value at a voxel is ``(by_i[i] + by_j[j]) + by_k[k]`` in their dtype. None is -0, so
    that a term of 0 changes no bit. Each is monotone.
    """

    by_i: NDArray[Any]
    by_j: NDArray[Any]
    by_k: NDArray[Any]

    def at(self, i: Any, j: Any, k: Any) -> Any:
        """The row at voxels."""
        return (self.by_i[i] + self.by_j[j]) + self.by_k[k]

    @property
    def ends(self) -> tuple[Any, Any]:
        """The least and the largest value of the row over all voxels."""
        low = (self.by_i.min() + self.by_j.min()) + self.by_k.min()
        high = (self.by_i.max() + self.by_j.max()) + self.by_k.max()
        return low, high


@dataclass(frozen=True)
class Volume:
    """The voxels of a picture: their number, the view, the grid and the arithmetic.

    Raises OptionError for coordinates that overflow the dtype, and for a view in whose volume the
    divisor of perspective is not above 0.

    Attributes
    ----------
    size : (int, int, int)
        Width, height and depth in voxels.
    view : View
    grid : {"center", "fidget"}
    dtype : dtype
    terms : tuple of Terms
        Of the coordinates x, y and z in the shape's space, and with perspective of their divisor w.
    ranges : tuple of (float, float)
        The least and the largest x, y and z of all voxels; with perspective bounds of them.
    """

    size: Size
    view: View
    grid: VoxelGrid
    dtype: np.dtype[Any]
    terms: tuple[Terms, ...] = field(init=False, repr=False, compare=False)
    ranges: tuple[tuple[float, float], ...] = field(init=False, repr=False, compare=False)

    @in_default_environment
    def __post_init__(self) -> None:
        axes = VOXEL_GRIDS[self.grid](*self.size)
        rows = self.view.matrix[: 3 if self.view.is_affine else 4].tolist()
        with np.errstate(all="ignore"):
            terms = tuple(_terms(row, axes, self.dtype) for row in rows)
            ranges = self._ranges(terms)
        vars(self).update(terms=terms, ranges=ranges)

    def _ranges(self, terms: tuple[Terms, ...]) -> tuple[tuple[float, float], ...]:
        ends = [row.ends for row in terms]
        fits, divisors = np.isfinite(ends).all(), ends[3:]
        for low, _ in divisors:
            if fits and not low > 0:
                raise OptionError(
                    f"the view looks from inside infinity: its divisor goes down to {low:g} in a "
                    f"volume of {shown(self.size)} voxels: give less perspective, or less depth"
                )
        for pair in divisors:
            quotients = [[end / w for end in row for w in pair] for row in ends]
            ends = [(min(each), max(each)) for each in quotients]
            fits &= np.isfinite(ends).all()
        if not fits:
            way_out = "" if self.dtype == np.float64 else ", or the dtype float64"
            raise OptionError(
                f"the view {self.view} goes beyond {self.dtype.name}: give a smaller one{way_out}"
            )
        return tuple((float(low), float(high)) for low, high in ends[:3])

    @property
    def bound(self) -> float:
        """The largest coordinate of all voxels, without its sign, or a bound of it."""
        return max(abs(end) for pair in self.ranges for end in pair)

    @cached_property
    def varies(self) -> NDArray[np.bool_]:
        """Bool[3, 3]: whether x, y and z (first index) depend on column, row and layer (second)."""
        moves = np.array([[bool((term != term[0]).any()) for term in row] for row in self.terms])
        return moves[:3] | moves[3:].any(axis=0)

    @in_default_environment
    def points(self, i: Any, j: Any, k: Any) -> list[NDArray[Any]]:
        """x, y and z in the shape's space, of the dtype, of voxels by indices, which broadcast.

        Column i counts from the left, row j from the top, layer k from the farthest, each from 0.
        """
        x, y, z, *divisors = (row.at(i, j, k) for row in self.terms)
        return [row / divisors[0] for row in (x, y, z)] if divisors else [x, y, z]

    @cached_property
    def near_normal(self) -> NDArray[np.float32]:
        """Float32[3]: of length 1 in the shape's space, towards the viewer, at a right angle to the
        volume's near side."""
        height = float(VOXEL_GRIDS[self.grid](*self.size)[2][-1])
        right, up, back = normalised(tangents(self.view.matrix, height)).T
        found = normalised(np.cross(right, up))
        return (found if found @ back > 0 else 0.0 - found).astype(np.float32)


def _terms(row: list[float], axes: tuple[Axis, Axis, Axis], dtype: np.dtype[Any]) -> Terms:
    x, y, z = axes
    by_x, by_y, by_z, offset = row
    zero = dtype.type(0)  # -0 + 0 is 0
    parts = (by_x * x, by_y * y, by_z * z + offset)
    return Terms(*(part.astype(dtype) + zero for part in parts))


def check_voxels(size: Any) -> Size:
    """(width, height, depth) of ``size``: one integer, or two or three, each at least 1.

    One integer is a cube; without a depth it is the longer of the two others.
    """
    is_several = isinstance(size, (tuple, list))
    try:
        numbers = [integer(each) for each in (size if is_several else (size,))]
    except TypeError:
        numbers = []
    if not 1 <= len(numbers) <= 3 or (is_several and len(numbers) == 1):
        raise OptionError(
            f"the size is {brief(size)}: give an integer, or (width, height), or "
            "(width, height, depth), in voxels"
        )
    if not all(1 <= number <= MOST_VOXELS for number in numbers):
        limit = "at least 1 voxel" if min(numbers) < 1 else f"at most {MOST_VOXELS} voxels"
        raise OptionError(f"the size is {'x'.join(map(brief, numbers))}: give {limit} a side")
    if len(numbers) == 1:
        numbers *= 3
    if len(numbers) == 2:
        numbers.append(max(numbers))
    width, height, depth = numbers
    return width, height, depth


def shown(size: Size) -> str:
    """``640x480x640``."""
    return "x".join(map(str, size))


def voxels_in(size: Size) -> int:
    """Their number, which may be beyond int64."""
    return math.prod(size)
