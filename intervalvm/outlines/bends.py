"""The piece of the curve in a cell that it crosses once: a chord, or two by way of a point."""

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
    they go, NaN for chords."""

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
) -> Bends:
    """The pieces between ``ends``, with the gradients there, float64[2, m] each.

    A cell has its corner ``low`` [2, m] and ``size`` [2, 1]. Pieces that are proven to be
    ``is_flat`` are chords without more tests. Others are chords if each end is near the tangent at
    the other and the field along the chord is small. Else they go by a point, where the tangents
    meet or on the curve near there, if the field there and along both chords is small.
    """
    p, q = ends
    m = p.shape[1]
    points = np.full((2, m), np.nan)
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
    may = np.isfinite(c).all(axis=0) & _within(c, *box)
    open_, c, box = open_[may], c[:, may], (box[0][:, may], box[1][:, may])
    if len(open_):
        ends = p[:, open_], q[:, open_]
        normals, least = (g[:, open_], h[:, open_]), np.minimum(*_lengths(slopes, open_))
        good, corner, c = _by_points(field, ends, normals, least, c, box, wanted)
        near[open_[good]], corners[open_] = True, good & corner
        points[:, open_[good]] = c[:, good]
    return Bends(near, corners, points)


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
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], Array]:
    """Which pieces are near the curve by the points ``c`` or those of the curve near them, which
    have a corner there, and these points."""
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
    return good, is_corner, c


ALIKE = 0.5
"""The least cosine between gradients of one smooth piece."""
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
    return np.asarray(((c >= low) & (c <= high)).all(axis=0))
