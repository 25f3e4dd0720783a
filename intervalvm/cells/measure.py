"""Proven bounds of what is inside: the area of a plane shape, the volume of a solid.

Cells that are proven inside count whole, those proven outside not at all. In any other cell, of
centre c, let the slopes along axis i be within [l_i, u_i]. A path from c along one axis after the
other shows (``evaluate.slopes``) that at c + d the function is at most

    f(c) + sum of (u_i d_i if d_i > 0, l_i d_i else),

and at least the same with u and l exchanged. Both are linear in each of the parts into which the
centre cuts the cell. So what is inside there is bounded by shares of half-planes or half-spaces.
Slopes differ by about the size of a cell, where the function is smooth, so these bounds by its
square: halving all cells makes them four times as tight.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.cells.frame import Frame
from intervalvm.cells.halfspaces import ERROR, share
from intervalvm.cells.morton import morton
from intervalvm.cells.signs import same_sign
from intervalvm.cells.subdivision import CHUNK, INSIDE, SIMPLE, UNDECIDED, Evaluator, Tree, offsets
from intervalvm.environment import in_default_environment
from intervalvm.late import cached_property
from intervalvm.ops.row import Interval
from intervalvm.tape import Tape

Array = NDArray[np.float64]
ROUNDING = Fraction(1, 1 << 40)
"""More than the relative error of a sum of sizes of cells."""
PARTS_ROUNDING = 2.0**-47
"""More than the relative error of a sum over the parts of a cell: of three ratios, with three
roundings each, of their products with a share, and of the sum of eight."""
ROUNDS = 2
"""How often the cells that leave the most open are halved: as many parts as there are cells."""
SORTED = 12
"""Levels in whose order cells are evaluated: near ones share programs."""


@dataclass(frozen=True, eq=False)
class Measure:
    """The area or volume inside, as cells prove it: ``bounds`` are found when first read.

    Attributes
    ----------
    frame : Frame
    region : sequence of (float, float)
        The part of the frame that counts, by axis.
    inside : int64[levels]
        The cells of each level that are proven inside; they are in the region.
    at : int32[m, dimensions]
        Those that are neither proven inside nor outside, by numbers at their level.
    level : int8[m]
    tape : Tape or None
        What is inside, which need not be cut by the region; None where all cells are decided.
    evaluator_of : callable or None
        Makes the evaluator of a tape's real function; None without a tape.
    """

    frame: Frame
    region: Sequence[tuple[float, float]]
    inside: NDArray[np.int64]
    at: NDArray[np.int32]
    level: NDArray[np.int8]
    tape: Tape | None
    evaluator_of: Callable[[Tape], Any] | None

    @staticmethod
    def of_tree(
        tree: Tree,
        region: Sequence[tuple[float, float]],
        tape: Tape,
        evaluator_of: Callable[[Tape], Any],
    ) -> Measure:
        """That of a tree's cells."""
        is_open = np.flatnonzero((tree.verdict == SIMPLE) | (tree.verdict == UNDECIDED))
        inside = np.bincount(tree.level[tree.verdict == INSIDE], minlength=1)
        return Measure(
            tree.frame,
            tuple(region),
            inside,
            np.take(tree.at, is_open, axis=0),
            tree.level[is_open],
            tape,
            evaluator_of,
        )

    @staticmethod
    def of_nothing(dimensions: int) -> Measure:
        """That of an empty shape."""
        frame = Frame((0.0,) * dimensions, (1.0,) * dimensions)
        nowhere = np.empty((0, dimensions), np.int32)
        none = np.zeros(0, np.int64)
        return Measure(frame, (), none, nowhere, none.astype(np.int8), None, None)

    @cached_property
    @in_default_environment
    def bounds(self) -> tuple[float, float]:
        """Bounds of the area or volume, in the units of the shape."""
        shares = (sum(parts) for parts in zip(self._inside(), self._open(), strict=True))
        whole = math.prod(map(Fraction, self.frame.sides), start=Fraction(1))
        least, most = (share * whole for share in shares)
        return rounded_down(least), rounded_up(most)

    def _inside(self) -> tuple[Fraction, Fraction]:
        """Bounds of the share of the frame that cells proven inside have.

        Corners are rounded to floats, which moves a side of a cell by up to two units in the last
        place of a coordinate.
        """
        least, most = Fraction(0), Fraction(0)
        for level, count in enumerate(self.inside.tolist()):
            slack = Fraction(0)
            for low, side in zip(self.frame.low, self.frame.sides, strict=True):
                coordinate = max(abs(low), abs(low + side))
                slack += Fraction(math.ulp(coordinate)) * 4 * (1 << level) / Fraction(side)
            share = Fraction(count, 1 << self.frame.dimensions * level)
            least += share * max(1 - slack, Fraction(0))
            most += share * (1 + slack)
        return least, most

    def _open(self) -> tuple[Fraction, Fraction]:
        """Bounds of the share of the frame that is inside in cells that are not decided."""
        if self.tape is None or self.evaluator_of is None:
            return Fraction(0), Fraction(0)
        # its slopes have the tighter bounds
        evaluator = self.evaluator_of(same_sign(self.tape, self.evaluator_of, self.frame))
        low, high = self._open_boxes()
        dimensions, count = low.shape
        least, most = shares_inside(evaluator, low, high)
        for _ in range(ROUNDS):
            widest = _greatest((most - least) * self._sizes(low, high), count >> dimensions)
            halves = _halved(low[:, widest], high[:, widest])
            found = *halves, *shares_inside(evaluator, *halves)
            low, high, least, most = (
                np.concatenate([np.delete(old, widest, axis=-1), new], axis=-1)
                for old, new in zip((low, high, least, most), found, strict=True)
            )
        sizes = self._sizes(low, high)
        under, over = (Fraction(float((sizes * shares).sum())) for shares in (least, most))
        return under * (1 - ROUNDING), over * (1 + ROUNDING)

    def _sizes(self, low: Array, high: Array) -> Array:
        """Of boxes, as shares of the frame."""
        found: Array = np.prod((high - low) / np.array(self.frame.sides)[:, None], axis=0)
        return found

    def _open_boxes(self) -> tuple[Array, Array]:
        """The lower and upper corners, float64[dimensions, m] each, of cells that are not decided:
        of their parts in the region."""
        finer, coarser = (np.maximum(k, 0) for k in (SORTED - self.level, self.level - SORTED))
        places = self.at.T.astype(np.int64) << finer >> coarser
        order = np.argsort(morton(list(places)), kind="stable")
        at, level = self.at[order].astype(np.int64), self.level[order]
        low, high = np.empty((2, *at.T.shape))
        for axis, (least, most) in enumerate(self.region):
            sides = (self.frame.coordinates(axis, at[:, axis] + k, level) for k in (0, 1))
            low[axis], high[axis] = (np.clip(side, least, most) for side in sides)
        is_solid = (low < high).all(axis=0)
        return low[:, is_solid], high[:, is_solid]


def shares_inside(evaluator: Evaluator, low: Array, high: Array) -> tuple[Array, Array]:
    """Bounds of the share that is inside of each box, from ``low`` to ``high`` [dimensions, m]."""
    least, most = np.empty((2, low.shape[1]))
    for start in range(0, low.shape[1], CHUNK):
        some = slice(start, start + CHUNK)
        least[some], most[some] = _shares_inside(evaluator, low[:, some], high[:, some])
    return least, most


def _shares_inside(evaluator: Evaluator, low: Array, high: Array) -> tuple[Array, Array]:
    flags = np.zeros(low.shape[1], bool)
    centre = _centre(low, high)
    value = evaluator.bounds([Interval(at, at, flags) for at in centre])
    boxes = [Interval(*ends, flags) for ends in zip(low, high, strict=True)]
    slopes = evaluator.slope_bounds(boxes, evaluator.inputs)
    halves = []
    with np.errstate(all="ignore"):
        for a, c, b, lower, upper in zip(
            low, centre, high, slopes.lower, slopes.upper, strict=True
        ):
            below, above, whole = c - a, b - c, np.where(a < b, b - a, 1.0)
            # the size of each half, and bounds of the step from the centre to its end
            halves.append(
                (
                    (below / whole, -below * upper, -below * lower),
                    (above / whole, above * lower, above * upper),
                )
            )
    least, most = np.zeros((2, low.shape[1]))
    for part in product(*halves):
        sizes, falls, rises = zip(*part, strict=True)
        size = math.prod(sizes)
        # nothing is known where a share is NaN
        least += size * np.fmax(share(value.upper, rises) - ERROR, 0.0)
        most += size * np.fmin(share(value.lower, falls) + ERROR, 1.0)
    least, most = least * (1.0 - PARTS_ROUNDING), most * (1.0 + PARTS_ROUNDING)
    is_unknown = value.maybe_nan | slopes.value.maybe_nan
    is_inside = (slopes.value.upper < 0.0) & ~is_unknown
    least = np.where(is_inside, 1.0, np.where(is_unknown, 0.0, least))
    most = np.where(is_inside | is_unknown, 1.0, np.minimum(most, 1.0))
    return least, np.where(slopes.value.lower >= 0.0, 0.0, most)


def _greatest(numbers: Array, count: int) -> NDArray[np.intp]:
    """The places of the greatest numbers, in order."""
    return np.sort(np.argsort(numbers)[len(numbers) - count :])


def _halved(low: Array, high: Array) -> tuple[Array, Array]:
    """The parts into which the centres cut boxes."""
    is_upper = offsets(len(low)).T[:, None, :] > 0
    low, centre, high = (part[:, :, None] for part in (low, _centre(low, high), high))
    lows, highs = np.where(is_upper, centre, low), np.where(is_upper, high, centre)
    return lows.reshape(len(low), -1), highs.reshape(len(low), -1)


def _centre(low: Array, high: Array) -> Array:
    return 0.5 * low + 0.5 * high


def rounded_down(value: Fraction) -> float:
    """The greatest float64 that is not above it."""
    try:
        near = float(value)
    except OverflowError:
        return math.nextafter(math.inf, 0) if value > 0 else -math.inf
    return near if Fraction(near) <= value else math.nextafter(near, -math.inf)


def rounded_up(value: Fraction) -> float:
    """The least float64 that is not below it."""
    return 0.0 - rounded_down(-value)  # not -0.0
