"""Joints of pieces, moved to where straight sides end: these are then exactly the shape's.

Pieces are fitted one after another, each as long as it may be. So a line goes on into the arc
behind it, as far as it may be off, and is aslant by that. Here the field tells where sides are.
Points of a piece are moved onto the edge by Newton's method. Where they are on one line, or on one
circle, that is its *carrier*. Each end of a line is then moved onto its carrier:

- to where it touches the circle of the next piece, so that both have one tangent there;
- to where it meets the line or the circle of the next piece, at a corner;
- else to the nearest point.

A line that is nearly parallel to an axis is made so. Whether a piece is still near the edge is
proven afterwards, as of all pieces; if not, the chain of joints that were moved is as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.outlines.field import Field
from intervalvm.outlines.segments import TINY, Floats, Indices, Segments, ranges, to_left
from intervalvm.outlines.spans import Polylines, Spans, cross

Mask = NDArray[np.bool_]
SAMPLES = -0.8, -0.5, -0.2, 0.1, 0.4
"""The parameters of points that tell the carrier: a piece may go on beyond its end."""
STEPS = 3
"""Those of Newton's method."""
FLAT = 4.0
"""The height of pieces, in what they may be off, up to which they may be straight sides."""
FINE = 2.0**-6
"""How far points may be from their carrier, and a side from what it is made parallel to, or a
circle from a line that it touches, in tolerances."""
ROUNDING = 2.0**-44
"""Joints are not moved by less than that, as a share of coordinates."""
DIGITS = 14
"""What coordinates of joints are rounded to: 5, and not 5.000000000000006."""
ANGLE = 0.05
"""The least sine of an angle at which lines meet in a corner."""
KEPT = 0.25
"""The least share of a piece's chord that is kept."""
MANY_TIMES = 4.0
"""How far a joint may be moved, in the distance after which a circle leaves its tangent by the
tolerance."""


class Moved(NamedTuple):
    """Where spans start and stop, their bulges, and which starts are moved."""

    start: Floats
    stop: Floats
    bulge: Floats
    is_moved: Mask


@dataclass(frozen=True)
class Carriers:
    """Of pieces the line through ``point`` [n, 2] along ``way``, or the circle about ``centre``.

    ``middle`` are points on the edge.
    """

    is_line: Mask
    is_circle: Mask
    point: Floats
    way: Floats
    centre: Floats
    radius: Floats
    middle: Floats

    @property
    def left(self) -> Floats:
        return to_left(self.way)


def moved(outline: Polylines, spans: Spans, pieces: Segments, field: Field) -> Moved:
    """Spans with their ends moved onto straight sides, where all points are still near pieces."""
    after = spans.after(outline.closed)
    start, stop, bulge = pieces.start.copy(), pieces.stop.copy(), pieces.bulge.copy()
    is_moved = np.zeros(len(bulge), bool)
    first = np.flatnonzero((after >= 0) & (after != np.arange(len(after))))
    second = after[first]
    flat = (np.abs(pieces.bulge) * pieces.half <= FLAT * outline.off) & (spans.size > 1)
    some = flat[first] | flat[second]
    first, second = first[some], second[some]
    if not len(first):
        return Moved(start, stop, bulge, is_moved)
    wanted = np.unique(np.append(first, second))
    carriers = _carriers(pieces, wanted, flat, field, 2 * outline.off)
    found, touches = _joints(carriers, pieces, (first, second), 2 * outline.off)
    old, size = stop[first], np.abs(stop).max()
    there = np.hypot(*(found - old).T) <= ROUNDING * size
    found[there] = old[there]
    good = np.isfinite(found).all(axis=1)
    first, second, found, touches = first[good], second[good], found[good], touches[good]
    stop[first], start[second], is_moved[second] = found, found, True
    tangent = np.zeros((2, len(bulge)), bool)  # at starts, and at stops
    tangent[0, second], tangent[1, first] = touches, touches
    _centre(carriers, start, stop, tangent, after)
    _lay_parallel(carriers, start, stop, (first, second))
    fresh = ~there[good]
    digits = DIGITS - int(np.ceil(np.log10(size)))
    stop[first[fresh]] = start[second[fresh]] = np.round(stop[first[fresh]], digits)
    changed = np.unique(np.append(first, second))
    bulge[changed] = _bulges(
        carriers, start, stop, tangent, after, changed, carriers.is_line | (pieces.bulge == 0)
    )
    result = Moved(start, stop, bulge, is_moved)
    bad = ~_near(outline, spans, result, pieces, after, changed)
    return undone(result, pieces, chains(is_moved, after, bad))


def chains(is_moved: Mask, after: Indices, some: Mask) -> Mask:
    """Which pieces are joined with ``some`` by joints that are moved; each with itself."""
    index = np.arange(len(after))
    is_first = np.append(True, after[:-1] != index[1:])[: len(after)]
    chain = np.cumsum(~is_moved | is_first) - 1
    name = np.copy(index)
    last = np.flatnonzero((after >= 0) & (after <= index))
    around = last[is_moved[after[last]]]
    name[chain[after[around]]] = chain[around]
    return np.asarray(np.isin(name[chain], name[chain[some]]))


def undone(found: Moved, pieces: Segments, some: Mask) -> Moved:
    """The same with some pieces as they were."""
    return Moved(
        np.where(some[:, None], pieces.start, found.start),
        np.where(some[:, None], pieces.stop, found.stop),
        np.where(some, pieces.bulge, found.bulge),
        found.is_moved & ~some,
    )


def _carriers(
    pieces: Segments, wanted: Indices, flat: Mask, field: Field, tolerance: float
) -> Carriers:
    """The carriers of pieces, and none of those that are not ``wanted``."""
    n, own = len(pieces), pieces[wanted]
    points = np.stack([own.points(np.full(len(own), v)) for v in SAMPLES])
    on_edge, is_known = _onto_edge(points, field, tolerance)
    on_edge = np.where(is_known[:, None], on_edge, 0.0)  # else perhaps far away
    p, _, q, _, s = on_edge
    chord = s - p
    size = np.maximum(np.hypot(*chord.T), TINY)
    way = chord / size[:, None]
    off_line = np.abs(np.stack([cross(way, each - p) for each in on_edge])).max(axis=0)
    fine = FINE * tolerance
    is_line = flat[wanted] & is_known & (off_line <= fine)
    with np.errstate(all="ignore"):
        turn = 2 * cross(q - p, chord)
        a, b = ((q - p) ** 2).sum(axis=1), (chord**2).sum(axis=1)
        centre = p - to_left(a[:, None] * chord - b[:, None] * (q - p)) / turn[:, None]
        radius = np.hypot(*(p - centre).T)
        away = np.stack([np.hypot(*(each - centre).T) - radius for each in on_edge])
        is_circle = ~is_line & (own.bulge != 0) & is_known & (np.abs(away).max(axis=0) <= fine)
    # parallel to an axis
    point, length = p.copy(), 2 * own.half
    for axis in (0, 1):
        along = np.abs(way[:, 1 - axis]) * length <= fine
        point[along, 1 - axis] = np.median(on_edge[:, along, 1 - axis], axis=0)
        way[along] = np.where(np.arange(2) == axis, np.sign(way[along, axis])[:, None], 0.0)

    def whole(part: Any) -> Any:
        found = np.zeros((n, *part.shape[1:]), part.dtype)
        found[wanted] = part
        return found

    middle = pieces.points(np.zeros(n))
    middle[wanted[is_known]] = q[is_known]
    parts = map(whole, (is_line, is_circle, point, way, centre, radius))
    return Carriers(*parts, middle)  # type: ignore[call-arg]


def _onto_edge(points: Floats, field: Field, tolerance: float) -> tuple[Floats, Mask]:
    """Points [k, n, 2] moved onto the edge, and for which n all are there."""
    found = points.reshape(-1, 2).copy()
    with np.errstate(all="ignore"):
        for _ in range(STEPS):
            value, x, y = field.gradients(*np.ascontiguousarray(found.T))
            steep = x * x + y * y
            step = np.stack([x, y], axis=1) * (value / steep)[:, None]
            found -= step
        known = np.hypot(*step.T) <= FINE * tolerance
        known &= np.hypot(*(found - points.reshape(-1, 2)).T) <= tolerance
    return found.reshape(points.shape), known.reshape(points.shape[:2]).all(axis=0)


def _joints(
    carriers: Carriers, pieces: Segments, joints: tuple[Indices, Indices], tolerance: float
) -> tuple[Floats, Mask]:
    """Where joints of pieces are moved to, NaN for those that stay; and which are tangential."""
    old, c = pieces.stop[joints[0]], carriers
    found, touches = np.full(old.shape, np.nan), np.zeros(len(old), bool)
    with np.errstate(all="ignore"):
        for line, other in (joints, joints[::-1]):
            point, way, left = c.point[line], c.way[line], c.left[line]
            is_line = c.is_line[line]
            foot = point + ((old - point) * way).sum(axis=1)[:, None] * way
            near = np.hypot(*(old - foot).T) <= tolerance
            plain = is_line & near & ~c.is_line[other]
            found[plain] = foot[plain]
            # another line
            sine = cross(way, c.way[other])
            along = cross(c.point[other] - point, c.way[other]) / sine
            meet = point + along[:, None] * way
            good = is_line & c.is_line[other] & (np.abs(sine) > ANGLE)
            good &= np.hypot(*(old - meet).T) <= tolerance
            found[good] = meet[good]
            # a circle
            centre, radius = c.centre[other], c.radius[other]
            away = ((centre - point) * left).sum(axis=1)
            foot = point + ((centre - point) * way).sum(axis=1)[:, None] * way
            apart = np.abs(away - np.sign(pieces.bulge[other]) * radius)
            reach = MANY_TIMES * np.sqrt(2 * radius * tolerance)
            touch = is_line & c.is_circle[other] & (apart <= FINE * tolerance)
            touch &= np.hypot(*(old - foot).T) <= reach
            found[touch], touches[touch] = foot[touch], True
            deep = np.sqrt(radius**2 - away**2)[:, None] * way
            near = np.hypot(*(old - foot - deep).T) < np.hypot(*(old - foot + deep).T)
            meet = foot + np.where(near[:, None], deep, -deep)
            good = is_line & c.is_circle[other] & (apart > ANGLE * radius)
            good &= np.hypot(*(old - meet).T) <= tolerance
            found[good] = meet[good]
    return found, touches


def _centre(
    carriers: Carriers, start: Floats, stop: Floats, tangent: NDArray[np.bool_], after: Indices
) -> None:
    """Make arcs between two lines that they touch as far from one as from the other."""
    before = np.full(len(after), -1)
    before[after[after >= 0]] = np.flatnonzero(after >= 0)
    arcs = np.flatnonzero(tangent.all(axis=0) & carriers.is_circle)
    one, two, centre = before[arcs], after[arcs], carriers.centre[arcs]
    normal = carriers.left[one] - carriers.left[two]
    square = (normal**2).sum(axis=1)
    level = (carriers.left[one] * carriers.point[one]).sum(axis=1)
    level -= (carriers.left[two] * carriers.point[two]).sum(axis=1)
    with np.errstate(all="ignore"):
        step = ((normal * centre).sum(axis=1) - level) / square
    good = square > ANGLE**2
    arcs, one, two = arcs[good], one[good], two[good]
    centre = centre[good] - step[good, None] * normal[good]
    for line, ends, others in ((one, start, stop), (two, stop, start)):
        point, way = carriers.point[line], carriers.way[line]
        foot = point + ((centre - point) * way).sum(axis=1)[:, None] * way
        ends[arcs], others[line] = foot, foot


def _lay_parallel(
    carriers: Carriers,
    start: Floats,
    stop: Floats,
    joints: tuple[Indices, Indices],
) -> None:
    """Give ends of lines that are parallel to an axis the same coordinate, to the last bit."""
    first, second = joints
    for axis in (0, 1):
        for line in (first, second):
            along = carriers.is_line[line] & (carriers.way[line, axis] == 0)
            level = carriers.point[line[along], axis]
            stop[first[along], axis] = start[second[along], axis] = level


def _bulges(
    carriers: Carriers,
    start: Floats,
    stop: Floats,
    tangent: NDArray[np.bool_],
    after: Indices,
    some: Indices,
    is_line: Mask,
) -> Floats:
    """The bulges of some pieces: lines stay so, arcs touch lines, or go by the middle."""
    before = np.full(len(after), -1)
    before[after[after >= 0]] = np.flatnonzero(after >= 0)
    chord = stop[some] - start[some]
    long = np.hypot(*chord.T)
    with np.errstate(all="ignore"):
        back, on = carriers.middle[some] - start[some], stop[some] - carriers.middle[some]
        far = np.hypot(*back.T) * np.hypot(*on.T)
        found = cross(back, on) / (far + (back * on).sum(axis=1))
        # the angle between the chord and a tangent is half of the arc's
        way = carriers.way[before[some]]
        ahead = cross(way, chord) / (long + (way * chord).sum(axis=1))
        way = carriers.way[after[some]]
        behind = cross(chord, way) / (long + (way * chord).sum(axis=1))
        at_start, at_stop = tangent[:, some]
        touching = np.where(at_start & at_stop, (ahead + behind) / 2, ahead)
        touching = np.where(at_start, touching, behind)
    found = np.where(at_start | at_stop, touching, found)
    return np.where(is_line[some], 0.0, found)


def _near(
    outline: Polylines,
    spans: Spans,
    found: Moved,
    pieces: Segments,
    after: Indices,
    changed: Indices,
) -> Mask:
    """Of which pieces all points that they were fitted to are near them or their neighbours."""
    n = len(after)
    good = np.ones(n, bool)
    kept = np.hypot(*(found.stop - found.start).T) >= KEPT * 2 * pieces.half
    good[changed] = kept[changed] & np.isfinite(found.bulge[changed])
    which, place = ranges(spans.size[changed] + 1)
    owner = changed[which]
    points = outline.at(spans.curve[owner], spans.first[owner] + place)
    before = np.full(n, -1)
    before[after[after >= 0]] = np.flatnonzero(after >= 0)
    whole = Segments(found.start, found.stop, found.bulge)
    with np.errstate(all="ignore"):
        away = np.minimum.reduce(
            [
                np.where(beside >= 0, whole[beside].distances(points), np.inf)
                for beside in (owner, before[owner], after[owner])
            ]
        )
    np.logical_and.at(good, owner, away <= outline.off)
    return good
