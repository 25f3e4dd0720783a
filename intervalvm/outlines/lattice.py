"""Points of a lattice: values at corners of cells, and where the curve crosses their sides.

A *corner* has whole numbers (i, j) at the frame's finest level. A *side* is an interval of a line
of the lattice: (axis, i, j) at a level, from the corner (i, j) to the next one along the axis.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.cells.frame import Frame
from intervalvm.outlines.field import Array, Field
from intervalvm.outlines.roots import crossings

FINEST = 31
"""The most levels: the numbers of a corner take half of a key."""
Numbers = NDArray[np.int64]
CCW = (0, 0), (1, 0), (1, 1), (0, 1)
"""The corners of a cell, counter-clockwise."""
DENSE = 64
"""Lattice points for each cell up to which an array of all of them pays."""


def corner_keys(i: Numbers, j: Numbers) -> Numbers:
    return i << 32 | j


def sorted_unique(keys: Numbers) -> Numbers:
    """The different keys in order; NumPy's function takes several times as long."""
    found = np.sort(keys)
    return found[np.concatenate([[True], found[1:] != found[:-1]])] if len(found) else found


@dataclass
class Corners:
    """The values at corners, each evaluated once; below 0 is inside.

    ``signs`` are those of corners on cells proven before: by them a corner is inside (1), outside
    (-1) or not known (0), whatever rounding makes of its value.
    """

    field: Field
    frame: Frame
    finest: int
    signs: Any = None
    keys: Numbers = dataclasses.field(default_factory=lambda: np.zeros(0, np.int64))
    values: Array = dataclasses.field(default_factory=lambda: np.zeros(0))

    def add(self, keys: Numbers) -> None:
        """Evaluate corners, of which some may be known."""
        asked = sorted_unique(keys)
        if len(self.keys):
            place = np.minimum(np.searchsorted(self.keys, asked), len(self.keys) - 1)
            asked = asked[self.keys[place] != asked]
        if len(asked):
            keys = np.concatenate([self.keys, asked])
            order = np.argsort(keys, kind="stable")
            values = np.concatenate([self.values, self._evaluated(asked)])
            self.keys, self.values = keys[order], values[order]

    def of_cells(self, level: int, i: Numbers, j: Numbers) -> Array:
        """The values at the corners of cells, counter-clockwise: float64[4, m]."""
        shift, many = self.finest - level, (1 << level) + 1
        places = [(i + a, j + b) for a, b in CCW]
        if len(self.keys) or many * many > DENSE * len(i):
            keys = [corner_keys(a << shift, b << shift) for a, b in places]
            self.add(np.concatenate(keys))
            return np.stack([self.at(key) for key in keys])
        # of many cells that are the first, without sorting
        flat = [a * many + b for a, b in places]
        asked = np.zeros(many * many, bool)
        for part in flat:
            asked[part] = True
        at = np.flatnonzero(asked)
        number = np.empty(many * many, np.int32)
        number[at] = np.arange(len(at))
        a, b = np.divmod(at, many)
        self.keys = corner_keys(a << shift, b << shift)
        self.values = self._evaluated(self.keys)
        return np.stack([self.values[number[part]] for part in flat])

    def _evaluated(self, asked: Numbers) -> Array:
        i, j = asked >> 32, asked & 0xFFFFFFFF
        x, y = (self.frame.coordinates(k, at, self.finest) for k, at in enumerate((i, j)))
        values = self.field.values(x, y)
        if self.signs is not None:
            proven = self.signs(i, j)
            values = np.where((proven > 0) & ~(values < 0), -TINY, values)
            values = np.where((proven < 0) & (values < 0), 0.0, values)
        return values

    def at(self, keys: Numbers) -> Array:
        """The values at known corners."""
        return self.values[np.searchsorted(self.keys, keys)]


TINY = 2.0**-1022


@dataclass
class Points:
    """The points by which the curve goes in cells, by level and cell."""

    parts: list[tuple[int, Numbers, Array]] = dataclasses.field(default_factory=list)

    def keep(self, level: int, i: Numbers, j: Numbers, points: Array) -> None:
        """Keep those that are not NaN."""
        some = np.flatnonzero(~np.isnan(points[0]))
        if len(some):
            self.parts.append((level, i[some] << 32 | j[some], points[:, some]))

    def find(self, level: Numbers, i: Numbers, j: Numbers) -> Array:
        """Those of cells, NaN where there is none."""
        found = np.full((2, len(i)), np.nan)
        keys = i << 32 | j
        for at, known, points in self.parts:
            order = np.argsort(known)
            some = np.flatnonzero(level == at)
            place = np.minimum(np.searchsorted(known, keys[some], sorter=order), len(known) - 1)
            same = known[order[place]] == keys[some]
            found[:, some[same]] = points[:, order[place[same]]]
        return found


@dataclass
class Crossings:
    """Where the curve crosses sides, each found once: places and the gradients there."""

    corners: Corners
    tolerance: float
    levels: dict[int, tuple[Numbers, Numbers]] = dataclasses.field(default_factory=dict)
    """By level: the keys of known sides in order, and their places in the arrays below."""
    bends: Points = dataclasses.field(default_factory=Points)
    points: Array = dataclasses.field(default_factory=lambda: np.zeros((2, 0)))
    slopes: Array = dataclasses.field(default_factory=lambda: np.zeros((2, 0)))

    def find(self, level: int, axis: Numbers, i: Numbers, j: Numbers) -> Numbers:
        """The places of the crossings of sides of a level, whose ends are known corners."""
        keys = axis << 62 | i << 31 | j
        known, places = self.levels.get(level, (keys[:0], keys[:0]))
        asked = sorted_unique(keys)
        if len(known):
            at = np.minimum(np.searchsorted(known, asked), len(known) - 1)
            asked = asked[known[at] != asked]
        if len(asked):
            count = self.points.shape[1]
            points, slopes = self._found(level, asked)
            self.points = np.concatenate([self.points, points], axis=1)
            self.slopes = np.concatenate([self.slopes, slopes], axis=1)
            both = np.concatenate([known, asked])
            order = np.argsort(both, kind="stable")
            known = both[order]
            places = np.concatenate([places, count + np.arange(len(asked))])[order]
            self.levels[level] = known, places
        found: Numbers = places[np.searchsorted(known, keys)]
        return found

    def _found(self, level: int, keys: Numbers) -> tuple[Array, Array]:
        corners, frame = self.corners, self.corners.frame
        half = (1 << 31) - 1
        axis, i, j = keys >> 62 & 1, keys >> 31 & half, keys & half
        shift = corners.finest - level
        i_end, j_end = i + (axis == 0), j + (axis == 1)
        first = corners.at(corner_keys(i << shift, j << shift))
        last = corners.at(corner_keys(i_end << shift, j_end << shift))
        x, y = frame.coordinates(0, i, level), frame.coordinates(1, j, level)
        along = np.where(axis == 0, x, y)
        end = np.where(
            axis == 0, frame.coordinates(0, i_end, level), frame.coordinates(1, j_end, level)
        )
        return crossings(
            corners.field, axis == 0, (x, y), (along, end), (first, last), self.tolerance
        )
