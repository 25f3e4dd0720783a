"""Lines and arcs fitted to outlines: few, as near as is said, apart, and proven rightly."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import intervalvm as ivm
from intervalvm.expr import as_tape
from intervalvm.jit.evaluator import CompiledEvaluator
from intervalvm.outlines import joints
from intervalvm.outlines.arcs import FitReport, Fitted, fit
from intervalvm.outlines.bands import Band, cut
from intervalvm.outlines.blocks import Blocks, boxes_of
from intervalvm.outlines.field import Field
from intervalvm.outlines.proofs import prove
from intervalvm.outlines.segments import Segments
from intervalvm.outlines.touching import touching
from intervalvm.shapes import rectangle, rounded_rectangle
from intervalvm.words import Meaning

X, Y, _ = ivm.axes()
FLOAT64 = np.dtype(np.float64)
TOLERANCES = pytest.mark.parametrize("tolerance", [1e-2, 1e-3, 1e-5])
ROUNDING = 1e-12
"""More than the error of this module's own geometry, which is some 1e-15."""


def field_of(shape: Any) -> Field:
    tape = as_tape(shape)
    kinds = Meaning.FLOAT, Meaning.REAL
    return Field(*(CompiledEvaluator(tape, ("x", "y"), FLOAT64, kind) for kind in kinds))


# --- shapes, and points exactly along them --------------------------------------------------------


def arc(cx: float, cy: float, r: float, start: float, turn: float, tolerance: float) -> Any:
    """Points of an arc, whose chords are off by half the tolerance at most; without the last."""
    steps = max(3, math.ceil(abs(turn) / math.sqrt(4 * min(tolerance, r) / r)))
    angle = start + turn * np.arange(steps) / steps
    return np.stack([cx + r * np.cos(angle), cy + r * np.sin(angle)], axis=1)


def closed(*parts: Any, roll: int = 0) -> Any:
    points = np.roll(np.concatenate([np.atleast_2d(part) for part in parts]), roll, axis=0)
    return np.concatenate([points, points[:1]])


def circle(r: float = 0.7, cx: float = 0.0, cy: float = 0.0) -> Any:
    return np.sqrt((X - cx) ** 2 + (Y - cy) ** 2) - r


def box(w: float, h: float) -> Any:
    return np.maximum(np.abs(X) - w, np.abs(Y) - h)


def rounded(w: float, h: float, r: float) -> Any:
    x, y = np.abs(X) - (w - r), np.abs(Y) - (h - r)
    outside = np.sqrt(np.maximum(x, 0) ** 2 + np.maximum(y, 0) ** 2)
    return outside + np.minimum(np.maximum(x, y), 0) - r


def rounded_points(w: float, h: float, r: float, tolerance: float, roll: int = 0) -> Any:
    parts = []
    for k, (sx, sy) in enumerate([(1, 1), (-1, 1), (-1, -1), (1, -1)]):
        x, y, quarter = sx * (w - r), sy * (h - r), math.pi / 2
        parts.append(arc(x, y, r, k * quarter, quarter, tolerance))
        end = (k + 1) * quarter
        parts.append([[x + r * math.cos(end), y + r * math.sin(end)]])
    return closed(*parts, roll=roll)


def slot_points(a: float, r: float, tolerance: float, roll: int = 0) -> Any:
    right = arc(a, 0, r, -math.pi / 2, math.pi, tolerance)
    left = arc(-a, 0, r, math.pi / 2, math.pi, tolerance)
    return closed(right, [[a, r]], left, [[-a, -r]], roll=roll)


def slot(a: float, r: float) -> Any:
    return np.sqrt(np.maximum(np.abs(X) - a, 0) ** 2 + Y**2) - r


def polygon(corners: Any) -> Any:
    """A convex one, by its corners counter-clockwise."""
    found: Any = None
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        length = math.hypot(bx - ax, by - ay)
        nx, ny = (by - ay) / length, (ax - bx) / length
        side = nx * X + ny * Y - (nx * ax + ny * ay)
        found = side if found is None else np.maximum(found, side)
    return found


def pieces_of(fitted: Fitted) -> Segments:
    return Segments(
        np.concatenate([vertices[:-1] for vertices in fitted.vertices]),
        np.concatenate([vertices[1:] for vertices in fitted.vertices]),
        np.concatenate(fitted.bulges),
    )


def sampled(pieces: Segments, count: int = 33) -> Any:
    """Points along pieces, [n, count, 2], both ends among them."""
    ways = [pieces.points(np.full(len(pieces), v)) for v in np.linspace(-1, 1, count)]
    return np.stack(ways, axis=1)


def area_of(vertices: Any, bulges: Any) -> float:
    start, stop = vertices[:-1], vertices[1:]
    shoelace = (start[:, 0] * stop[:, 1] - stop[:, 0] * start[:, 1]).sum() / 2
    return float(shoelace + Segments(start, stop, bulges).areas().sum())


# --- pieces ---------------------------------------------------------------------------------------

coordinates = st.floats(-2, 2).map(lambda number: round(number, 6))
bulges = st.floats(-1.5, 1.5) | st.sampled_from([0.0, 1.0, -1.0, 1e-12, -1e-7])


@given(coordinates, coordinates, bulges, st.floats(-1, 1))
def test_points_of_a_piece_are_on_its_arc(x: float, y: float, bulge: float, v: float) -> None:
    """By the angle under which an arc's points see its chord."""
    if math.hypot(x - 0.5, y) < 1e-3:
        return
    piece = Segments(np.array([[0.5, 0.0]]), np.array([[x, y]]), np.array([bulge]))
    point, tangent = piece.points(np.array([v]))[0], piece.tangents(np.array([v]))[0]
    back, on = point - piece.start[0], piece.stop[0] - point
    if min(np.hypot(*back), np.hypot(*on)) > 1e-3 * piece.half[0]:
        turn = math.atan2(back[0] * on[1] - back[1] * on[0], back @ on)
        assert math.tan(turn / 2) == pytest.approx(bulge, abs=1e-9)
    # turned by as much as the arc turns up to there
    assert np.hypot(*tangent) == pytest.approx(1)
    to_there = piece.lengths(np.array([-1.0]), np.array([v]))[0]
    angle = 2 * (math.atan(bulge * v) + math.atan(bulge))
    assert to_there * piece.curvature[0] == pytest.approx(angle, abs=1e-9)
    share = to_there / piece.lengths()[0]
    assert piece.parameters(np.array([share]))[0] == pytest.approx(v, abs=1e-6)


@given(bulges, coordinates, coordinates, st.floats(0, 6))
def test_distances_from_a_piece_are_those_from_many_lines(
    bulge: float, x: float, y: float, turn: float
) -> None:
    half = np.array([[math.cos(turn), math.sin(turn)]])
    piece = Segments(-half, half, np.array([bulge]))
    line = shapely.LineString(sampled(piece, 4097)[0])
    off = shapely.distance(line, shapely.Point(x, y))
    # the height of the lines' arcs
    assert piece.distances(np.array([[x, y]]))[0] == pytest.approx(off, abs=2e-6)


# --- proofs ---------------------------------------------------------------------------------------


def test_the_field_is_the_same_by_blocks() -> None:
    """To the last bit; beyond a block nothing is known."""
    field = field_of(ivm.shapes.text("R&8"))
    angle = np.linspace(0, 2 * math.pi, 400, endpoint=False)
    pieces, _ = ring(0.3 * np.stack([np.cos(angle), np.sin(angle)], axis=1), 0.01)
    parts = cut(pieces, np.zeros((2, 400), bool), np.arange(400), 1e-3)
    band = Band.about(pieces, parts, 1e-3)
    blocks, block = Blocks.about(field, band, 1e-3)
    assert 1 < len(blocks.low) < len(parts)
    found, within = blocks.slopes(band.low, band.high, block)
    wanted = field.slopes(*boxes_of(band.low, band.high))
    assert within.all()
    np.testing.assert_array_equal(found.lower, wanted.lower)
    np.testing.assert_array_equal(found.upper, wanted.upper)
    lower, upper = blocks.bounds(band.low, band.high, block)
    assert (lower == wanted.value.lower).all()
    assert (upper == wanted.value.upper).all()
    lower, upper = blocks.bounds(band.low + 5, band.high + 5, block)
    assert np.isneginf(lower).all()
    assert np.isposinf(upper).all()
    assert not blocks.slopes(band.low + 5, band.high + 5, block)[1].any()


def ring(points: Any, bulge: Any) -> tuple[Segments, Any]:
    """A closed curve of pieces, and the next of each."""
    stop = np.roll(points, -1, axis=0)
    after = np.roll(np.arange(len(points)), -1)
    return Segments(points, stop, np.full(len(points), bulge, float)), after


@TOLERANCES
@pytest.mark.parametrize("off", [0.0, 0.5, -0.5, 0.9, -0.9, 1.001, -1.001, 3.0, -30.0])
def test_a_circle_is_proven_up_to_the_tolerance(tolerance: float, off: float) -> None:
    r = 0.7 + off * tolerance
    pieces, after = ring(np.array([[r, 0.0], [-r, 0.0]]), 1.0)
    proof = prove(pieces, after, np.ones(2, bool), field_of(circle()), tolerance)
    assert (proof.proven == (abs(off) < 1)).all()


@settings(max_examples=60)
@given(st.data(), st.integers(3, 7), st.sampled_from([1e-2, 1e-4]))
def test_what_is_proven_is_near(data: Any, count: int, tolerance: float) -> None:
    """Convex polygons, with sides moved and bent: their distances from the edge by shapely."""
    start = data.draw(st.floats(0, 6))
    angles = np.sort(start + np.linspace(0, 2 * np.pi, count, endpoint=False))
    corners = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    corners *= [1.0, data.draw(st.floats(0.02, 1))]
    scale = data.draw(st.floats(0, 2)) * tolerance
    moves = data.draw(st.lists(st.floats(-1, 1), min_size=2 * count, max_size=2 * count))
    points = corners + scale * np.array(moves).reshape(-1, 2)
    bent = data.draw(st.floats(-1, 1)) * tolerance
    pieces, after = ring(points, bent)
    field = field_of(polygon(corners))
    proven = prove(pieces, after, np.ones(count, bool), field, tolerance).proven
    edge = shapely.LinearRing(corners)
    off = shapely.distance(edge, shapely.points(sampled(pieces, 257))).max(axis=1)
    assert (off[proven] <= tolerance + ROUNDING).all()
    if scale <= tolerance / 8 and abs(bent) <= tolerance / 8 and corners[:, 1].max() > 0.3:
        assert proven.all()


def test_nothing_is_proven_where_the_field_has_no_edge() -> None:
    pieces, after = ring(np.array([[0.7, 0.0], [-0.7, 0.0]]), 1.0)
    for shape in (circle(0.2), -circle(0.7), X * 0 + 1.0, np.abs(circle(0.7)), np.sqrt(X - 9)):
        assert not prove(pieces, after, np.ones(2, bool), field_of(shape), 1e-3).proven.any()


@pytest.mark.parametrize("degrees", [170, 90, 10, 1])
def test_corners_are_proven_however_sharp(degrees: float) -> None:
    half = math.radians(degrees) / 2
    far = min(1.0, 1 / math.tan(half))
    corners = np.array([[0, 0], [far, -far * math.tan(half)], [far, far * math.tan(half)]])
    turn = np.array([[math.cos(0.4), math.sin(0.4)], [-math.sin(0.4), math.cos(0.4)]])
    corners = corners @ turn
    pieces, after = ring(corners, 0.0)
    assert prove(pieces, after, np.ones(3, bool), field_of(polygon(corners)), 1e-4).proven.all()


def test_jumps_are_edges_too() -> None:
    """A field that is -1 or 1 has no slope, but two points show where its edge is."""
    corners = np.array([[-0.5, -0.4], [0.5, -0.4], [0.5, 0.4], [-0.5, 0.4]])
    pieces, after = ring(corners, 0.0)
    steps = np.where(box(0.5, 0.4) < 0, -1.0, 1.0)
    proof = prove(pieces, after, np.ones(4, bool), field_of(steps), 1e-2)
    assert proof.proven.all()


# --- fits -----------------------------------------------------------------------------------------


def checked(shape: Any, curves: Any, tolerance: float) -> tuple[Fitted, FitReport]:
    """The fit, all of it proven, with vertices that join and points that are near it."""
    fitted, report = fit(curves, field_of(shape), tolerance)
    assert report.unproven == 0
    assert report.proven == report.lines + report.arcs
    for curve, vertices, proven in zip(curves, fitted.vertices, fitted.proven, strict=True):
        assert (vertices[0] == vertices[-1]).all() == (curve[0] == curve[-1]).all()
        assert proven.all()
        own = sampled(pieces_of(Fitted((vertices,), (fitted.bulges[0],), (proven,))), 2049)
        if len(curves) == 1:
            line = shapely.LineString(own.reshape(-1, 2))
            off = shapely.distance(line, shapely.points(curve))
            # 3e-7: how far half a circle leaves its samples
            assert off.max() <= 0.51 * tolerance + 3e-7
    return fitted, report


@TOLERANCES
@pytest.mark.parametrize("way", [1, -1])
def test_a_circle_is_two_arcs(tolerance: float, way: int) -> None:
    points = closed(arc(0.1, -0.2, 0.7, 0.3, 2 * math.pi, tolerance))[::way]
    fitted, report = checked(way * circle(0.7, 0.1, -0.2), [points], tolerance)
    assert (report.lines, report.arcs, report.circles) == (0, 2, 1)
    assert fitted.bulges[0].tolist() == [way, way]
    expected = [[0.8, -0.2], [-0.6, -0.2], [0.8, -0.2]]
    np.testing.assert_allclose(fitted.vertices[0], expected, rtol=0, atol=1e-12)


@TOLERANCES
@pytest.mark.parametrize("roll", [0, 1, 3, 7])
def test_a_rounded_rectangle_is_eight_pieces(tolerance: float, roll: int) -> None:
    """Wherever its points begin."""
    points = rounded_points(0.6, 0.4, 0.2, tolerance, roll)
    fitted, report = checked(rounded(0.6, 0.4, 0.2), [points], tolerance)
    assert (report.lines, report.arcs) == (4, 4)
    area = 1.2 * 0.8 - (4 - math.pi) * 0.2**2
    assert abs(area_of(fitted.vertices[0], fitted.bulges[0]) - area) <= 4 * tolerance


@TOLERANCES
@pytest.mark.parametrize("roll", [0, 2, 5])
def test_a_slot_is_four_pieces(tolerance: float, roll: int) -> None:
    fitted, report = checked(slot(0.5, 0.3), [slot_points(0.5, 0.3, tolerance, roll)], tolerance)
    assert (report.lines, report.arcs) == (2, 2)
    area = math.pi * 0.3**2 + 4 * 0.5 * 0.3
    assert abs(area_of(fitted.vertices[0], fitted.bulges[0]) - area) <= 4 * tolerance


@TOLERANCES
def test_polygons_keep_their_corners(tolerance: float) -> None:
    corners = np.array([[-0.5, -0.4], [0.5, -0.4], [0.7, 0.3], [0.0, 0.6], [-0.6, 0.3]])
    shares = np.linspace(0, 1, 50, endpoint=False)[:, None]
    along = [a + shares * (b - a) for a, b in zip(corners, np.roll(corners, -1, 0), strict=True)]
    fitted, report = checked(polygon(corners), [closed(*along)], tolerance)
    assert (report.lines, report.arcs) == (5, 0)
    assert fitted.vertices[0].tolist() == closed(corners).tolist()


@settings(max_examples=30)
@given(st.floats(0.2, 1), st.floats(0, 3), st.sampled_from([1e-2, 1e-3, 1e-4]), st.integers(0, 99))
def test_ellipses_become_few_arcs(b: float, turn: float, tolerance: float, roll: int) -> None:
    cos, sin = math.cos(turn), math.sin(turn)
    u, v = X * cos + Y * sin, Y * cos - X * sin
    count = math.ceil(4 / math.sqrt(tolerance))
    angle = 2 * np.pi * np.arange(count) / count
    across = np.stack([np.cos(angle), b * np.sin(angle)], axis=1)
    points = closed(across @ np.array([[cos, sin], [-sin, cos]]), roll=roll)
    fitted, report = checked(u**2 + (v / b) ** 2 - 1, [points], tolerance)
    assert report.lines + report.arcs <= max(2, 4 * tolerance ** (-1 / 3))
    assert abs(area_of(fitted.vertices[0], fitted.bulges[0]) - math.pi * b) <= 7 * tolerance


def test_open_curves_stay_open() -> None:
    points = arc(0.0, 0.0, 0.7, 0.5, 2.0, 1e-4)
    fitted, report = checked(circle(), [points], 1e-4)
    assert (report.lines, report.arcs) == (0, 1)
    assert (fitted.vertices[0][[0, -1]] == points[[0, -1]]).all()


def test_no_curves_and_curves_of_few_points() -> None:
    assert fit([], field_of(circle()), 1e-3)[1] == FitReport(0, 0, 0, 0, 0, 0, 0)
    corners = np.array([[0.7, 0.0], [0.0, 0.7], [-0.7, 0.0]])
    fitted, report = fit([closed(corners)], field_of(circle()), 1e-3)
    assert fitted.vertices[0].tolist() == closed(corners).tolist()
    assert (report.lines, report.unproven) == (3, 3)


def test_what_is_not_proven_is_counted_and_put_together() -> None:
    """Half of the outline is far from the edge: there are few pieces all the same."""
    points = closed(arc(0.0, 0.0, 0.7, 0.0, 2 * math.pi, 1e-3))
    points[points[:, 1] > 0.1, 1] += 0.05
    fitted, report = fit([points], field_of(circle()), 1e-3)
    assert 0 < report.unproven <= 4
    ends = np.stack([fitted.vertices[0][:-1], fitted.vertices[0][1:]], axis=1)[~fitted.proven[0]]
    assert ends[..., 1].max(axis=1).min() > 0.1
    line = shapely.LineString(sampled(pieces_of(fitted), 2049).reshape(-1, 2))
    assert shapely.distance(line, shapely.points(points)).max() <= 0.51e-3


# --- pieces apart ---------------------------------------------------------------------------------


def pairs(*rows: tuple[float, float, float, float, float], after: Any = None) -> set[Any]:
    x0, y0, x1, y1, bulge = np.array(rows, float).T
    pieces = Segments(np.stack([x0, y0], axis=1), np.stack([x1, y1], axis=1), bulge)
    following = np.full(len(rows), -1) if after is None else np.array(after)
    found = np.stack(touching(pieces, following, 1e-3), axis=1).tolist()
    return {tuple(pair) for pair in found}


def test_pieces_that_touch_are_found() -> None:
    half = (1, 0, -1, 0, 1.0)
    assert pairs((0, 0, 1, 1, 0), (0, 1, 1, 0, 0)) == {(0, 1)}
    assert pairs((0, 0, 1, 1, 0), (0, 1, 0.49, 0.51, 0)) == set()
    assert pairs(half, (0, 0, 0, 2, 0)) == {(0, 1)}
    assert pairs(half, (0, 0, 0, 0.99, 0)) == set()
    assert pairs(half, (0, 0, 0, 1, 0)) == {(0, 1)}
    assert pairs(half, (1.001, 0, -1.001, 0, 1.0)) == set()
    assert pairs(half, half) == {(0, 1)}
    assert pairs(half, (-1, 1.001, 1, 1.001, 0)) == set()


def test_pieces_may_share_their_ends_alone() -> None:
    half, other = (1, 0, -1, 0, 1.0), (-1, 0, 1, 0, 1.0)
    assert pairs(half, other, after=[1, 0]) == set()
    assert pairs(half, (-1, 0, 1, 0, 0), after=[1, 0]) == set()
    # there and back
    assert pairs((0, 0, 1, 0, 0), (1, 0, 0, 0, 0), after=[1, 0]) == {(0, 1)}
    # a tangent that leaves backwards, and one on the way
    assert pairs(half, (-1, 0, -1, 1, 0), after=[1, -1]) == {(0, 1)}
    assert pairs(half, (-1, 0, -1, -1, 0), after=[1, -1]) == set()


@pytest.mark.parametrize("gap", [0.05, 0.2, 3.0])
def test_near_neighbours_do_not_cross(gap: float) -> None:
    """Two rings apart by less than the tolerance, with points that alternate."""
    tolerance = 1e-2
    apart = gap * tolerance
    inner = closed(arc(0, 0, 0.7 - apart / 2, 0.0, 2 * math.pi, apart / 4))
    outer = closed(arc(0, 0, 0.7 + apart / 2, 0.01, 2 * math.pi, apart / 4))[::-1]
    # a wave of the outline, within what it may be off
    wave = 1 + 0.2 * apart * np.sin(5 * np.arctan2(outer[:, 1], outer[:, 0]))
    shape = np.minimum(circle(0.7 - apart / 2), -circle(0.7 + apart / 2))
    fitted, _ = fit([inner, outer * wave[:, None]], field_of(shape), tolerance)
    lines = [
        shapely.LinearRing(sampled(pieces_of(Fitted((v,), (b,), ())), 257)[:, :-1].reshape(-1, 2))
        for v, b in zip(fitted.vertices, fitted.bulges, strict=True)
    ]
    assert all(line.is_simple for line in lines)
    assert not lines[0].crosses(lines[1])
    assert shapely.Polygon(lines[1]).contains(shapely.Polygon(lines[0]))


# --- straight sides ------------------------------------------------------------------------------


SIDES = {
    "plate": rounded_rectangle(30, 16, 2.0),
    "slot": rounded_rectangle(30, 6, 3.0),
    "turned plate": rounded_rectangle(30, 16, 3.0).rotate(30),
    "turned slot": rounded_rectangle(30, 6, 3.0).rotate(30),
    "hole": rounded_rectangle(40, 20, 5.0) - rounded_rectangle(20, 6, 3.0),
}
SKEW = 1e-12
"""The largest angle, in radians, between a straight side and the tangent of an arc at its end: some
thousand times what rounding makes of it."""


@pytest.mark.parametrize("tolerance", [1e-1, 1e-2, 1e-3, 1e-5])
@pytest.mark.parametrize("name", SIDES)
def test_straight_sides_end_in_arcs_that_touch_them(name: str, tolerance: float) -> None:
    found = ivm.contour(SIDES[name], tolerance=tolerance, arcs=True)
    assert found.stats.pieces["unproven"] == 0
    for curve, bulges in zip(found.curves, found.bulges, strict=True):
        pieces, one = Segments(curve[:-1], curve[1:], bulges), np.ones(len(bulges))
        assert ((bulges == 0) != (np.roll(bulges, 1) == 0)).all()  # line, arc, line, arc
        end, begin = pieces.tangents(one), np.roll(pieces.tangents(-one), -1, axis=0)
        skew = np.arctan2(end[:, 0] * begin[:, 1] - end[:, 1] * begin[:, 0], (end * begin).sum(1))
        assert np.abs(skew).max() <= SKEW


@pytest.mark.parametrize("tolerance", [1e-1, 1e-2, 1e-3, 1e-5])
@pytest.mark.parametrize("name", ["plate", "slot", "hole"])
def test_sides_along_an_axis_are_parallel_to_it_to_the_last_bit(
    name: str, tolerance: float
) -> None:
    found = ivm.contour(SIDES[name], tolerance=tolerance, arcs=True)
    for curve, bulges in zip(found.curves, found.bulges, strict=True):
        along = (curve[1:] - curve[:-1])[bulges == 0]
        assert ((along == 0).sum(axis=1) == 1).all()


@pytest.mark.parametrize("tolerance", [1e-1, 1e-3, 1e-5])
def test_a_rectangle_is_four_proven_lines(tolerance: float) -> None:
    """Its field is an exact distance: by bounds its slope may be 0 anywhere along its sides."""
    found = ivm.contour(rectangle(3, 2).move(0.3, 0), tolerance=tolerance, arcs=True)
    assert found.stats.pieces == {"lines": 4, "arcs": 0, "circles": 0, "proven": 4, "unproven": 0}
    assert {tuple(point) for point in found[0].round(12).tolist()} == {
        (1.8, 1.0), (-1.2, 1.0), (-1.2, -1.0), (1.8, -1.0),
    }  # fmt: skip


def test_sides_that_cannot_be_proven_stay_whole() -> None:
    """Turned, that field has bounds of slopes that are of no use; time is not lost on it."""
    found = ivm.contour(rectangle(3, 2).rotate(30), tolerance=1e-5, arcs=True)
    assert found.stats.pieces == {"lines": 4, "arcs": 0, "circles": 0, "proven": 0, "unproven": 4}
    assert found.area == pytest.approx(6, abs=1e-9)


def test_joints_are_moved_no_farther_than_points_may_be_off() -> None:
    """The field has other sides than the points that are fitted."""
    right = arc(0.5, 0, 0.3, -math.pi / 2, math.pi, 1e-3)
    left = arc(-0.5, 0, 0.3, math.pi / 2, math.pi, 1e-3)
    along = np.linspace(0.5, -0.5, 9)
    sides = [np.stack([way * along, np.full(9, way * 0.3)], axis=1) for way in (1, -1)]
    points = closed(right, sides[0][:-1], left, sides[1][:-1])
    given = {tuple(point) for point in points.tolist()}
    for off, is_near in ((0.0003, True), (0.0009, False)):
        fitted, report = fit([points], field_of(slot(0.5, 0.3) + off), 1e-3)
        assert (report.lines, report.arcs, report.proven) == (2, 2, 4)
        vertices = {tuple(point) for point in fitted.vertices[0].tolist()}
        assert not vertices & given if is_near else vertices <= given


def test_a_field_that_leads_away_tells_no_carrier() -> None:
    """Newton's steps may be infinite, in the same direction: no difference of them is taken."""

    class Steep:
        def gradients(self, x: Any, _: Any) -> Any:
            return np.broadcast_to(np.array([1e200, 1e-200, -1e-200])[:, None], (3, len(x)))

    ends = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    pieces = Segments(ends[:-1], ends[1:], np.array([0.0, 0.2]))
    field: Any = Steep()
    found = joints._carriers(pieces, np.arange(2), np.ones(2, bool), field, 1e-3)
    assert not found.is_line.any()
    assert not found.is_circle.any()


# --- of shapes, by contour ------------------------------------------------------------------------


@TOLERANCES
@pytest.mark.parametrize("closed", [True, False])
def test_contours_of_rings_are_circles(tolerance: float, closed: bool) -> None:
    shape = np.maximum(circle(0.7), -circle(0.4, 0.1))
    region = (-1, 1, -1, 1)
    found = ivm.contour(shape, region=region, tolerance=tolerance, closed=closed, arcs=True)
    counts = {"lines": 0, "arcs": 4, "circles": 2, "proven": 4, "unproven": 0}
    assert found.stats.pieces == counts
    assert sorted(bulge for bulges in found.bulges for bulge in bulges) == [-1, -1, 1, 1]
    assert found.area == pytest.approx(math.pi * (0.7**2 - 0.4**2), abs=8 * tolerance)
    assert "4 arcs" in str(found.stats)


def test_contours_of_text_are_few_pieces_near_fine_lines() -> None:
    text, tolerance = ivm.shapes.text("R&8"), 1e-3
    found = ivm.contour(text, tolerance=tolerance, arcs=True)
    fine = ivm.contour(text, tolerance=tolerance / 20)
    assert found.stats.pieces["unproven"] == 0
    assert sum(map(len, found)) < sum(map(len, fine)) / 4
    assert len(found) == len(fine)
    assert found.to_shapely().is_valid
    edges = shapely.MultiLineString(list(fine.curves))
    pieces = pieces_of(Fitted(found.curves, found.bulges, ()))
    off = shapely.distance(edges, shapely.points(sampled(pieces).reshape(-1, 2)))
    assert off.max() <= tolerance * 1.05
    lines = shapely.MultiLineString(_lines(found))
    back = shapely.distance(lines, shapely.points(np.concatenate(fine.curves)))
    assert back.max() <= tolerance * 1.05


def _lines(outline: Any) -> list[Any]:
    curves = zip(outline.curves, outline.bulges, strict=True)
    return [sampled(pieces_of(Fitted((v,), (b,), ())), 257).reshape(-1, 2) for v, b in curves]


def test_levels_and_regions_have_arcs() -> None:
    found = ivm.contour(
        circle(0.6), region=(0, 1, -1, 1), tolerance=1e-4, levels=[0.0, 0.2], arcs=True
    )
    assert found.stats.pieces == {"lines": 2, "arcs": 2, "circles": 0, "proven": 4, "unproven": 0}
    for vertices, bulges, r in zip(found.curves, found.bulges, (0.6, 0.8), strict=True):
        assert area_of(vertices, bulges) == pytest.approx(math.pi * r * r / 2, abs=1e-3)
