"""Parts of pieces, and the bands about them in which a field is proven to cross 0.

For a band a part has a box that holds it, widened by ``reach``. Let c be its middle, t the tangent
and n the right normal there, and s any slope of the field over the box. By the mean value theorem,
which holds for generalised slopes as well (Lebourg, 1975), the field at c + a t + d n is f(c) +
a (s . t) + d (s . n). On the part widened, a is at most A + reach sin(p), and the distance d from
the curved line at least reach cos(p) - S, where p is half the angle by which the part turns, A half
its length and S its height above the tangent. Bounds of f(c) and of s . t and s . n prove the signs
at both ends of all normals, and s . n cos(p) > abs(s . t) sin(p) that the field rises along each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.outlines.segments import TINY, Floats, Indices, Segments, ranges, to_left

Mask = NDArray[np.bool_]
ROUNDING = 2.0**-40
"""More than the relative error of the geometry, which is some 2**-50."""
EPSILON = 2.0**-48
"""More than the error of a computed point, as a share of its coordinates and chord."""
LONGEST = 1 / 16
"""The length of parts at first, as a share of all pieces' extent, or
``BENT * sqrt(tolerance * radius)``: about as long as can be proven."""
BENT = 1.2
PROBED = 0.4
"""Where a short part of a long one lies."""
BESIDE = 7 / 8
"""How far boxes beside parts are from them, in their reach."""
MOST_PARTS = 1 << 12
"""Of a piece, at first."""


@dataclass(frozen=True)
class Parts:
    """Parts of pieces: the piece and the block of each, and its ends as parameters."""

    piece: Indices
    block: Indices
    low: Floats
    high: Floats

    def __len__(self) -> int:
        return self.piece.size

    def only(self, which: Mask | Indices) -> Parts:
        return Parts(self.piece[which], self.block[which], self.low[which], self.high[which])

    def and_others(self, others: Parts) -> Parts:
        return Parts(
            np.append(self.piece, others.piece),
            np.append(self.block, others.block),
            np.append(self.low, others.low),
            np.append(self.high, others.high),
        )

    def longest(self, lengths: Floats) -> Parts:
        """The longest part of each piece."""
        order = np.lexsort((lengths, self.piece))
        return self.only(order[np.append(np.diff(self.piece[order]) != 0, True)[: len(order)]])

    def within(self, pieces: Segments, length: float) -> Parts:
        """Parts about so long within longer ones, not in their middle: there may be an axis."""
        whole = pieces[self.piece].lengths(self.low, self.high)
        share = np.minimum(length / np.maximum(whole, TINY), 1.0)
        half = (self.high - self.low) / 2 * share
        middle = self.low + (self.high - self.low) * PROBED
        return Parts(
            self.piece,
            self.block,
            np.maximum(middle - half, self.low),
            np.minimum(middle + half, self.high),
        )

    def halved(self) -> Parts:
        middle = (self.low + self.high) / 2
        return Parts(
            np.repeat(self.piece, 2),
            np.repeat(self.block, 2),
            np.stack([self.low, middle], axis=1).ravel(),
            np.stack([middle, self.high], axis=1).ravel(),
        )


@dataclass(frozen=True)
class Band:
    """Bands about parts, that reach as far to either side as is tried.

    ``length`` and ``angle`` are half of what a part is long and turns by, rounded up; ``height`` is
    how far it leaves its tangent in the middle; ``low`` and ``high`` are corners of its box.
    """

    middle: Floats
    tangent: Floats
    length: Floats
    angle: Floats
    height: Floats
    reach: Floats
    holds_disc: Mask
    low: Floats
    high: Floats

    @classmethod
    def about(cls, pieces: Segments, parts: Parts, tolerance: float, wide: int = 0) -> Band:
        """They reach no farther than parts are long, so that boxes get small at corners; but those
        of the last ``wide`` parts as far as the tolerance."""
        own, v = pieces[parts.piece], (parts.low + parts.high) / 2
        middle, tangent = own.points(v), own.tangents(v)
        longer = np.maximum(own.lengths(parts.low, v), own.lengths(v, parts.high))
        size = np.abs(middle).max(axis=1, initial=0.0) + own.half
        length = longer * (1 + ROUNDING) + size * EPSILON
        angle = length * np.abs(own.curvature) * (1 + ROUNDING)
        reach = np.minimum(tolerance, 2 * longer)
        reach[len(reach) - wide :] = tolerance
        height = length * angle / 2 + size * EPSILON
        along, across = length + reach * angle, reach + height
        half = np.abs(tangent) * along[:, None] + np.abs(tangent[:, ::-1]) * across[:, None]
        half *= 1 + ROUNDING
        holds_disc = (length >= tolerance) & (reach >= tolerance)
        low, high = middle - half, middle + half
        return cls(middle, tangent, length, angle, height, reach, holds_disc, low, high)

    def sides(self, way: float) -> tuple[Floats, Floats]:
        """Boxes beside the parts, to the left for 1 and to the right for -1: on each normal within
        ``reach`` is a point in it."""
        apart, turn = BESIDE * self.reach, BESIDE * self.reach * self.angle
        middle = self.middle + (way * apart)[:, None] * to_left(self.tangent)
        along, across = self.length + turn, self.height + turn * self.angle / 2
        half = (
            np.abs(self.tangent) * along[:, None] + np.abs(self.tangent[:, ::-1]) * across[:, None]
        )
        half += ROUNDING * (half + apart[:, None])
        return middle - half, middle + half

    def judged(self, value: tuple[Floats, Floats], lower: Floats, upper: Floats) -> Verdicts:
        """What is known by bounds of the value in the middle, infinite where not known, and of
        slopes in the box, [2, n]."""
        reach, angle = self.reach, self.angle
        with np.errstate(all="ignore"):
            steepest = np.hypot(*np.maximum(np.abs(lower), np.abs(upper))) * (1 + ROUNDING)
            slack = ROUNDING * steepest
            outward = _dot(lower, upper, -to_left(self.tangent))[0] - slack
            along = np.abs(_dot(lower, upper, self.tangent)).max(axis=0) + slack
            cos = 1 - angle * angle / 2 - ROUNDING
            off = np.maximum(np.abs(value[0]), np.abs(value[1]))
            rise = outward * (reach * cos - self.height) * (1 - ROUNDING)
            crosses = rise > (along * (self.length + reach * angle) + off) * (1 + ROUNDING)
            rises = outward * cos > along * angle * (1 + ROUNDING)
            least = np.maximum(value[0], -value[1])
            far = (least > steepest * reach) & self.holds_disc
        return Verdicts(crosses & rises & (angle < 1.0), far, ~(outward > 0))


class Verdicts(NamedTuple):
    """Where the field is proven to cross 0 on each normal, where to be 0 nowhere near, and where
    it may fall to the right."""

    proven: Mask
    refuted: Mask
    may_fall: Mask


def _dot(lower: Floats, upper: Floats, by: Floats) -> Floats:
    """Bounds, [2, n], of s . by for vectors s within bounds [2, n]."""
    terms = np.stack([lower * by.T, upper * by.T])
    return np.stack([terms.min(axis=0).sum(axis=0), terms.max(axis=0).sum(axis=0)])


def cut(pieces: Segments, sharp: Mask, asked: Indices, tolerance: float) -> Parts:
    """Some pieces, cut into parts about as long as can be proven.

    From an end that is ``sharp``, [2, n], on, parts are as long as they are far from it.
    """
    extent = max(pieces.extent, tolerance)
    own = pieces[asked]
    length = own.lengths()
    with np.errstate(divide="ignore", over="ignore"):  # where it is nearly straight
        bent = BENT * np.sqrt(tolerance / np.abs(own.curvature))
    step = np.maximum(np.minimum(bent, LONGEST * extent), length / MOST_PARTS)
    first = tolerance * (0.5 - 2 * ROUNDING)
    # the last of ``graded`` parts ends at first * 2**(graded - 1)
    room = np.minimum(step, length / 4) / first
    graded = np.where(sharp[:, asked], np.ceil(np.log2(np.maximum(room, 1))), 0).astype(np.int64)
    margin = np.where(graded > 0, first * 2.0 ** (graded - 1), 0.0)
    between = length - margin.sum(axis=0)
    plain = np.maximum(np.ceil(between / step), 1).astype(np.int64)
    counts = graded.sum(axis=0) + plain
    which, place = ranges(counts)
    (start, stop), last, far = graded[:, which], counts[which], length[which]

    def edge(at: Indices) -> Floats:
        behind = last - at
        away = margin[0, which] + (at - start) * (between / plain)[which]
        away = np.where(at < start, first * 2.0 ** (np.minimum(at, start) - 1), away)
        away = np.where(behind < stop, far - first * 2.0 ** (np.minimum(behind, stop) - 1), away)
        v = own[which].parameters(away / far)
        return np.where(at == 0, -1.0, np.where(behind == 0, 1.0, v))

    return Parts(asked[which], np.zeros(len(which), np.int64), edge(place), edge(place + 1))
