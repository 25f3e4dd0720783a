"""Lines and arcs by their bulges, many at once.

A *piece* is the line or the circular arc from one point to another. Its *bulge* is b = tan(a / 4)
for the angle ``a`` that it turns by, counter-clockwise positive; a line has 0. Points of a piece
have a parameter v in [-1, 1]: in the frame of the chord (half its length h, along it from its
middle, and to its left)

    ((1 + b^2) h v, -b h (1 - v^2)) / (1 + b^2 v^2),

where the tangent has the angle 2 atan(b v) to the chord. So lines are no special case, and arcs
that are nearly lines lose no digits to a far centre.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
TINY = float(np.finfo(np.float64).tiny)
STRAIGHT = 1e-9
"""Bulges below it have the arc's length by the line's formula, to the last digits."""


@dataclass(frozen=True)
class Pieces:
    """``start`` and ``stop`` float64[n, 2], ``bulge`` float64[n]."""

    start: Floats
    stop: Floats
    bulge: Floats

    def __len__(self) -> int:
        return len(self.bulge)

    def __getitem__(self, which: Any) -> Pieces:
        return Pieces(self.start[which], self.stop[which], self.bulge[which])

    @property
    def extent(self) -> float:
        """The longer side of the box of all ends."""
        ends = np.concatenate([self.start, self.stop])
        return float(np.ptp(ends, axis=0).max()) if len(ends) else 0.0

    @property
    def half(self) -> Floats:
        """Half the length of the chord."""
        found: Floats = np.hypot(*(self.stop - self.start).T) / 2
        return found

    @property
    def chord(self) -> Floats:
        """The unit vector from start to stop."""
        across = self.stop - self.start
        found: Floats = across / np.maximum(np.hypot(*across.T), TINY)[:, None]
        return found

    @property
    def curvature(self) -> Floats:
        """The reciprocal of the radius, with the sign of the bulge."""
        square = 1 + self.bulge**2
        return 2 * self.bulge / np.maximum(self.half * square, TINY)

    def at(self, v: Floats) -> Floats:
        """The points with parameters v."""
        b, h = self.bulge, self.half
        below = 1 + (b * v) ** 2
        along, left = (1 + b * b) * h * v / below, -b * h * (1 - v * v) / below
        chord, middle = self.chord, self.start + (self.stop - self.start) / 2
        return middle + along[:, None] * chord + left[:, None] * to_left(chord)

    def tangent(self, v: Floats) -> Floats:
        """The unit tangents there."""
        turned = self.bulge * v
        below = 1 + turned**2
        cos, sin = (1 - turned**2) / below, 2 * turned / below
        chord = self.chord
        return cos[:, None] * chord + sin[:, None] * to_left(chord)

    def length(self, v: Floats, w: Floats) -> Floats:
        """The lengths from parameters v to w."""
        b = self.bulge
        bent = np.where(np.abs(b) < STRAIGHT, 1.0, b)
        angle = (np.arctan(bent * w) - np.arctan(bent * v)) / bent
        return self.half * (1 + b * b) * np.where(np.abs(b) < STRAIGHT, w - v, angle)

    def parameter(self, share: Floats) -> Floats:
        """The parameters at shares of the lengths."""
        is_bent = np.abs(self.bulge) >= STRAIGHT
        bent = np.where(is_bent, self.bulge, 1.0)
        along = 2 * share - 1
        return np.where(is_bent, np.tan(along * np.arctan(bent)) / bent, along)


def to_left(vectors: Floats) -> Floats:
    """Vectors [n, 2] turned by a right angle, counter-clockwise."""
    return np.stack([-vectors[:, 1], vectors[:, 0]], axis=1)


def ranges(counts: Indices) -> tuple[Indices, Indices]:
    """For each of sum(counts) entries, the number of its group and its place in that, from 0."""
    group = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(group)) - np.repeat(np.cumsum(counts) - counts, counts)
    return group, place
