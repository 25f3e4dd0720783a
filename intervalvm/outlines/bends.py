"""The piece of the curve in a cell that it crosses once: a chord, or more by way of points."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.outlines.field import Array, Field

SHARE = 0.5
"""The part of the tolerance that pieces may deviate; merging of pieces has the rest."""
INSET = 2.0**-10
"""How far a point stays from the sides of its cell, as a share of the cell."""


class Bends(NamedTuple):
    """Of m pieces: which are near the curve, which have a corner of it, and the points by which
    they go, float64[2, 3, m]: one in the middle and one on either side of it, NaN for none."""

    is_near: NDArray[np.bool_]
    has_corner: NDArray[np.bool_]
    points: Array


def bends(
    field: Field,
    ends: tuple[Array, Array],
    slopes: tuple[Array, Array],
    low: Array,
    size: Array,
    tolerance: float,
    *,
    is_flat: NDArray[np.bool_],
    is_one: NDArray[np.bool_],
) -> Bends:
    """The pieces between ``ends``, with the gradients there, float64[2, m] each.

    A cell has its corner ``low`` [2, m] and ``size`` [2, 1]. Pieces that are proven to be
    ``is_flat`` are chords without more tests. Others are chords if each end is near the tangent at
    the other and the field along the chord is small. Else they go by a point, where the tangents
    meet or on the curve near there, if the field there and along both chords is small. Those of
    which ``is_one`` says that no other piece is in the cell may go by that point as two pieces.
    """
    p, q = ends
    m = p.shape[1]
    points = np.full((2, 3, m), np.nan)
    near, corners = is_flat.copy(), np.zeros(m, bool)
    wanted = SHARE * tolerance
    g, h = (_unit(slope) for slope in slopes)
    chord = q - p
    aside = np.maximum(np.abs(_dot(g, chord)), np.abs(_dot(h, chord)))
    # both gradients point to the same side of the chord, and neither is 0
    alike = _dot(g, h) > ALIKE
    open_ = np.flatnonzero(~near)
    some = open_[(aside[open_] <= 4.0 * wanted) & alike[open_]]
    if len(some):
        middle = (p[:, some] + q[:, some]) * 0.5
        near[some] = _distance(field, middle, np.minimum(*_lengths(slopes, some))) <= wanted
    open_ = np.flatnonzero(~near)
    c = _tangents_meet(p[:, open_], q[:, open_], g[:, open_], h[:, open_])
    inset = INSET * size
    box = low[:, open_] + inset, low[:, open_] + size - inset
    may = _within(c, *box)  # and so finite
    open_, c, box = open_[may], c[:, may], (box[0][:, may], box[1][:, may])
    if len(open_):
        ends = p[:, open_], q[:, open_]
        normals, least = (g[:, open_], h[:, open_]), np.minimum(*_lengths(slopes, open_))
        way = _by_points(field, ends, normals, least, c, box, wanted)
        good = way.is_good
        near[open_[good]], corners[open_] = True, good & way.is_corner
        points[:, 1, open_[good]] = way.points[:, good]
        some = np.flatnonzero(way.is_bent & is_one[open_])
        if len(some):
            at, middle = open_[some], way.points[:, some]
            halves = (p[:, at], middle), (middle, q[:, at])
            found = _in_halves(field, halves, slopes, way.slopes[:, some], at, low, size, tolerance)
            near[at] = ~np.isnan(found[0, 1])
            points[:, :, at] = found
    return Bends(near, corners, points)


def _in_halves(
    field: Field,
    halves: tuple[tuple[Array, Array], tuple[Array, Array]],
    slopes: tuple[Array, Array],
    slope: Array,
    at: NDArray[np.int64],
    low: Array,
    size: Array,
    tolerance: float,
) -> Array:
    """The points, as of ``Bends``, of pieces in two ``halves``; NaN if one of them is not near."""
    ends = tuple(np.concatenate(part, axis=1) for part in zip(*halves, strict=True))
    first, last = slopes[0][:, at], slopes[1][:, at]
    slopes = np.concatenate([first, slope], axis=1), np.concatenate([slope, last], axis=1)
    lows, none = np.concatenate([low[:, at]] * 2, axis=1), np.zeros(2 * len(at), bool)
    parts = bends(field, ends, slopes, lows, size, tolerance, is_flat=none, is_one=none)  # type: ignore[arg-type]
    near = (parts.is_near & ~parts.has_corner).reshape(2, -1).all(axis=0)
    before, after = parts.points[:, 1].reshape(2, 2, -1).transpose(1, 0, 2)
    return np.where(near, np.stack([before, halves[0][1], after], axis=1), np.nan)


def _tangents_meet(p: Array, q: Array, g: Array, h: Array) -> Array:
    """The points c with g . (c - p) = 0 and h . (c - q) = 0."""
    with np.errstate(all="ignore"):
        across = g[0] * h[1] - g[1] * h[0]
        gp, hq = _dot(g, p), _dot(h, q)
        found: Array = np.stack([gp * h[1] - hq * g[1], hq * g[0] - gp * h[0]]) / across
    return found


def _by_points(
    field: Field,
    ends: tuple[Array, Array],
    normals: tuple[Array, Array],
    least: Array,
    c: Array,
    box: tuple[Array, Array],
    wanted: float,
) -> _Way:
    """The pieces by way of the points ``c``, or those of the curve near them."""
    p, q = ends
    found = field.gradients(*c)
    value, slope = found[0], found[1:]
    with np.errstate(all="ignore"):
        is_corner = np.abs(value) <= wanted * CORNER * least
        steep = np.maximum(_dot(slope, slope), least * least * 0.25)
        c = np.where(is_corner, c, np.clip(c - value / steep * slope, *box))
    # where the gradients are alike, a piece of a circle is a quarter as far from its chord
    n = _unit(slope)
    far = np.maximum.reduce(
        [
            np.abs(_dot(normal, c - end))
            for end, of in zip(ends, normals, strict=True)
            for normal in (of, n)
        ]
    )
    alike = np.minimum(*(_dot(of, n) for of in normals)) > ALIKE
    good = ~is_corner & alike & (far <= wanted)
    some = np.flatnonzero(is_corner | (alike & (far > wanted) & (far <= 4.0 * wanted)))
    if len(some):
        halves = [(part[:, some] + c[:, some]) * 0.5 for part in (p, q)]
        away = [_distance(field, half, least[some]) for half in halves]
        good[some] = np.maximum(*away) <= wanted
    short = np.minimum(*(_dot(c - end, c - end) for end in ends))
    bent = ~good & ~is_corner & alike & (far <= MOST_BENT * wanted) & (64.0 * far * far <= short)
    return _Way(good, is_corner, bent, c, slope)


class _Way(NamedTuple):
    """Of pieces by way of ``points`` with these ``slopes``: which are near the curve, which have a
    corner there, and which points are on the curve although the pieces are not near."""

    is_good: NDArray[np.bool_]
    is_corner: NDArray[np.bool_]
    is_bent: NDArray[np.bool_]
    points: Array
    slopes: Array


ALIKE = 0.5
"""The least cosine between gradients of one smooth piece."""
MOST_BENT = 16.0
"""Twice the height of a piece that goes by three points, in what pieces may deviate: two chords are
a quarter as far from it as one, and four a quarter of that."""
CORNER = 2.0**-4
"""The tangents meet at a corner of the curve if they do so this near it, in tolerances."""


def _distance(field: Field, at: Array, least: Array) -> Array:
    """The distance of points from the curve, estimated by the lesser gradient of the ends."""
    with np.errstate(all="ignore"):
        found: Array = np.abs(field.values(*at)) / least
    return np.where(np.isnan(found), np.inf, found)


def _lengths(slopes: tuple[Array, Array], some: NDArray[np.int64]) -> tuple[Array, Array]:
    first, second = (np.sqrt(_dot(slope[:, some], slope[:, some])) for slope in slopes)
    return first, second


def _unit(slope: Array) -> Array:
    with np.errstate(all="ignore"):
        found: Array = slope / np.sqrt(_dot(slope, slope))
    return np.where(np.isfinite(found), found, 0.0)


def _dot(a: Array, b: Array) -> Array:
    found: Array = a[0] * b[0] + a[1] * b[1]
    return found


def _within(c: Array, low: Array, high: Array) -> NDArray[np.bool_]:
    return np.asarray(np.logical_and(*((c >= low) & (c <= high))))
