"""Outlines by the tracer: simple closed curves, near the shape's border."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.scenes import blends, scenes

import intervalvm as ivm
from intervalvm import shapes
from intervalvm.errors import DoesNotFit, OptionError
from intervalvm.expr.paint import paint_of, parts_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from intervalvm.tape import Tape

shapely = pytest.importorskip("shapely")
SQUARE = (-1.0, 1.0, -1.0, 1.0)
X, Y, _ = ivm.axes()


def check_valid(outline: ivm.Outline) -> None:
    """Closed, simple, oriented and nested, by shapely."""
    assert outline.is_closed.all()
    polygons = [shapely.Polygon(curve) for curve in outline]
    assert all(polygon.is_valid for polygon in polygons)
    tree = shapely.STRtree(polygons)
    holes: dict[int, list[int]] = {k: [] for k, area in enumerate(outline.areas) if area > 0}
    for k, area in enumerate(outline.areas):
        if area < 0:
            around = [i for i in tree.query(shapely.Point(outline[k][0]), "within") if i in holes]
            assert around, "a hole in nothing"
            holes[min(around, key=lambda i: polygons[i].area)].append(k)
    parts = [shapely.Polygon(outline[i], [outline[k] for k in inner]) for i, inner in holes.items()]
    assert shapely.MultiPolygon(parts).is_valid


# --- what curves are -----------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(tape=scenes(max_shapes=6) | blends(most=5), tolerance=st.sampled_from([0.02, 0.005]))
def test_curves_are_closed_simple_oriented_and_nested(tape: Tape, tolerance: float) -> None:
    check_valid(ivm.contour(tape, region=SQUARE, tolerance=tolerance))


HARD = {
    "circles that touch": shapes.circle(0.5) | shapes.circle(0.25).move(0.75, 0),
    "corners that touch": shapes.rectangle(1, 1) | shapes.rectangle(0.5, 0.5).move(0.75, 0.75),
    "a line": shapes.rectangle(1.5, 1e-9),
    "a needle": shapes.polygon([(-0.9, 0), (0.9, 0.001), (0.9, -0.001)]),
    "a saddle": X * Y,
    "many saddles": ivm.sin(40 * X) + ivm.sin(40 * Y),
    "stairs": ivm.floor(5 * X) + Y * 3,
    "jumps": ivm.mod(3 * X, 1.0) - 0.5 + Y * 0.1,
    "undefined in part": ivm.sqrt(X) - Y - 0.5,
    "a truth": (X * X + Y * Y < 0.25) & (X > -0.25),
    "a thin ring": abs(X * X + Y * Y - 0.25) - 1e-4,
}


@pytest.mark.parametrize("tolerance", [0.02, 0.003])
@pytest.mark.parametrize("name", HARD)
def test_hard_shapes_have_valid_curves(name: str, tolerance: float) -> None:
    check_valid(ivm.contour(HARD[name], region=SQUARE, tolerance=tolerance))


def test_a_rectangle_is_four_points() -> None:
    (curve,) = ivm.contour(shapes.rectangle(1, 0.5), region=SQUARE, tolerance=1e-6)
    corners = [(-0.5, -0.25), (0.5, -0.25), (0.5, 0.25), (-0.5, 0.25)]
    assert len(curve) == 5
    apart = np.abs(curve[:-1, None] - np.array(corners)).max(axis=2)
    assert apart.min(axis=1).max() < 1e-15  # crossings of its sides have rounding errors


def test_corners_of_a_polygon_are_found() -> None:
    corners = np.array([(-0.8, -0.7), (0.9, -0.5), (0.7, 0.8), (0.1, 0.2), (-0.6, 0.9)])
    (curve,) = ivm.contour(shapes.polygon(corners), region=SQUARE, tolerance=1e-4)
    assert len(curve) == 6
    apart = np.abs(curve[:-1, None] - corners).max(axis=2)
    assert apart.min(axis=1).max() < 1e-12  # tangents at crossings have rounding errors


@pytest.mark.parametrize("tolerance", [1e-2, 1e-4, 1e-6])
def test_curves_are_near_the_border(tolerance: float) -> None:
    outline = ivm.contour(shapes.ring(0.7, 0.3), region=SQUARE, tolerance=tolerance)
    assert np.sign(outline.areas).tolist() in ([1, -1], [-1, 1])
    for curve, area in zip(outline, outline.areas, strict=True):
        radius = 0.7 if area > 0 else 0.3
        middle = (curve[1:] + curve[:-1]) / 2
        away = np.abs(np.hypot(*np.concatenate([curve, middle]).T) - radius)
        assert away.max() <= tolerance
        # a few times as many points as the best polygon has
        assert len(curve) < 4 * np.pi / np.arccos(1 - tolerance / radius) + 8


def test_a_truth_is_traced_down_to_the_tolerance() -> None:
    (curve,) = ivm.contour(X * X + Y * Y < 0.25, region=SQUARE, tolerance=0.005)
    assert np.abs(np.hypot(*curve.T) - 0.5).max() <= 0.005


@pytest.mark.parametrize("scale", [1e-12, 1e9])
def test_the_scale_does_not_matter(scale: float) -> None:
    region = (-scale, scale, -scale, scale)
    (curve,) = ivm.contour(shapes.circle(0.5 * scale), region=region, tolerance=1e-3 * scale)
    assert np.abs(np.hypot(*curve.T) / scale - 0.5).max() <= 1e-3


# --- the region ----------------------------------------------------------------------------------


def test_the_border_of_the_region_closes_curves() -> None:
    outline = ivm.contour(shapes.circle(2), region=(-1, 0.5, -1, 1), tolerance=1e-3)
    assert outline.areas.tolist() == pytest.approx([3.0], abs=1e-12)
    assert outline.bounds == ((-1, 0.5), (-1, 1))


def test_curves_may_end_at_the_border() -> None:
    outline = ivm.contour(X - Y, region=SQUARE, tolerance=1e-3, closed=False)
    (curve,) = outline
    assert not outline.is_closed.any()
    # crossings keep 1/128 of the tolerance from corners of cells, as those of the region are
    assert np.abs(curve - [(-1, -1), (1, 1)]).max() <= 1e-3 / 64
    assert ivm.contour(X - Y, region=SQUARE, tolerance=1e-3).area == pytest.approx(2, abs=4e-3)


@pytest.mark.parametrize(("value", "count"), [(X * 0 + 1, 0), (X * 0 - 1, 1), (ivm.sqrt(X - 2), 0)])
def test_nothing_inside_and_all_inside(value: ivm.Expr, count: int) -> None:
    outline = ivm.contour(value, region=SQUARE)
    assert len(outline) == count
    assert outline.area == pytest.approx(4 * count)
    assert not len(ivm.contour(value, region=SQUARE, closed=False))


def test_bounds_of_the_area_hold() -> None:
    for tolerance in (1e-2, 1e-3):
        outline = ivm.contour(shapes.circle(0.8).move(0.5, 0), region=SQUARE, tolerance=tolerance)
        assert outline.area_bounds is not None
        low, high = outline.area_bounds
        # less the segment beyond x = 1
        inside = np.pi * 0.64 - (0.64 * np.arccos(0.625) - 0.5 * np.sqrt(0.64 - 0.25))
        assert low <= inside <= high


# --- levels, variables ---------------------------------------------------------------------------


def test_levels_are_iso_lines() -> None:
    levels = [-0.25, 0.0, 0.125]
    outline = ivm.contour(shapes.circle(0.5), region=SQUARE, tolerance=1e-3, levels=levels)
    assert outline.levels.tolist() == levels
    for curve, level in zip(outline, levels, strict=True):
        assert np.abs(np.hypot(*curve.T) - 0.5 - level).max() <= 1e-3
    (offset,) = ivm.contour(shapes.circle(0.5), region=SQUARE, tolerance=1e-3, offset=0.125)
    assert offset.tolist() == outline[2].tolist()


def test_z_and_variables_are_set() -> None:
    ball = shapes.sphere(ivm.var("r", 0.9))
    cases: list[tuple[dict[str, Any], float]] = [
        ({"z": 0.0}, 0.9),
        ({"variables": {"r": 0.5}, "z": 0.3}, 0.4),
    ]
    for options, radius in cases:
        (curve,) = ivm.contour(ball, region=SQUARE, tolerance=1e-3, **options)
        assert np.abs(np.hypot(*curve.T) - radius).max() <= 1e-3


def test_both_back_ends_trace_the_same_curves() -> None:
    shape = shapes.ring(0.7, 0.3) - shapes.rectangle(0.2, 2)
    numba = ivm.contour(shape, region=SQUARE)
    numpy = ivm.contour(shape, region=SQUARE, backend="numpy")
    assert [curve.tolist() for curve in numba] == [curve.tolist() for curve in numpy]


# --- colours, lines and arcs ---------------------------------------------------------------------


def test_each_colour_has_an_outline_of_its_own() -> None:
    red, blue = (
        shapes.circle(0.5).paint("#f00"),
        shapes.rectangle(1, 0.3).move(0.5, 0).paint("#00f"),
    )
    bare = shapes.circle(0.2).move(-0.6, 0.6)
    outline = ivm.contour(red | blue | bare, region=SQUARE, tolerance=1e-3)
    assert outline.colours is not None
    assert set(outline.colours) == {(255, 0, 0), (0, 0, 255), None}
    check = ivm.contour(shapes.circle(0.5) | shapes.rectangle(1, 0.3).move(0.5, 0) | bare)
    # parts share borders, of which each is within the tolerance
    assert outline.area == pytest.approx(check.area, abs=0.01)
    picture = ivm.render(red | blue | bare, size=200, region=SQUARE, grid="center")
    for k, colour in enumerate(outline.colours):
        polygon = shapely.Polygon(outline[k]).buffer(-0.01)  # a pixel
        x, y = picture.samples()
        inside = shapely.contains_xy(polygon, *np.meshgrid(x, y))
        assert (picture.colours[inside] == (colour or (255, 255, 255))).all()


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_colours_are_parts_of_the_paint(data: st.DataObject) -> None:
    near, small = st.floats(-0.5, 0.5, width=16), st.floats(0.125, 0.5, width=16)
    discs = [
        shapes.circle(data.draw(small)).move(data.draw(near), data.draw(near)).paint(colour)
        for colour in data.draw(st.lists(st.sampled_from(["red", "lime", "blue"]), min_size=2))[:4]
    ]
    paint = paint_of(shapes.union(*discs))
    assert paint is not None
    x, y = np.random.default_rng(1).uniform(-1, 1, (2, 500))
    codes = ivm.evaluate(paint, x, y, dtype="float64")
    for code, where in parts_of(paint).items():
        values = -1 if where is True else ivm.evaluate(where, x, y, dtype="float64")
        assert ((codes == code) == (np.broadcast_to(values, x.shape) < 0)).all()


def test_arcs_are_few_and_near() -> None:
    outline = ivm.contour(shapes.rounded_rectangle(1, 0.5, 0.1), arcs=True, tolerance=1e-3)
    assert outline.bulges is not None
    assert len(outline[0]) < 14
    exact = 0.5 - (4 - np.pi) * 0.01
    assert outline.area == pytest.approx(exact, abs=1e-3 * outline.length)


def test_the_region_is_found() -> None:
    outline = ivm.contour(shapes.circle(3).move(100, 0))
    (x0, x1), (y0, y1) = outline.bounds
    # by default a thousandth of the box
    assert [x0, x1, y0, y1] == pytest.approx([97, 103, -3, 3], abs=0.007)
    assert not len(ivm.contour(shapes.circle(1) & shapes.circle(1).move(5, 0)))
    with pytest.raises(OptionError, match="region"):
        ivm.contour(X - Y)


# --- a page of text ------------------------------------------------------------------------------


FEW_PX = 8
"""A picture has parts of as few pixels where a gap or a bridge is about as wide as one."""


def labels(inside: np.ndarray, *, diagonal: bool) -> int:
    """The number of parts of more than a few pixels, by union and find: pixels are joined along
    rows and columns, and along diagonals if these count."""
    parent = np.arange(inside.size)
    numbers = np.pad(parent.reshape(inside.shape), 1, constant_values=-1)
    mask, pairs = np.pad(inside, 1), []
    for down, right in [(0, 1), (1, 0), *([(1, 1), (1, -1)] if diagonal else [])]:
        both = mask & np.roll(mask, (-down, -right), axis=(0, 1))
        pairs.append((numbers[both], np.roll(numbers, (-down, -right), axis=(0, 1))[both]))
    a, b = (np.concatenate(side) for side in zip(*pairs, strict=True))
    while True:
        least = np.minimum(parent[a], parent[b])
        new = parent.copy()
        for side in (parent[a], parent[b], a, b):
            np.minimum.at(new, side, least)
        new = new[new]
        if (new == parent).all():
            return int(np.count_nonzero(np.bincount(parent[inside.ravel()]) > FEW_PX))
        parent = new


def test_every_glyph_is_a_curve_with_its_holes(model: Callable[[str], Path]) -> None:
    tape = ivm.load(model("prospero.vm"))
    outline = ivm.contour(tape, region=SQUARE, tolerance=1e-4)
    inside = ivm.render(tape, size=2048, region=SQUARE, grid="center").pixels > 0
    outer = sum(area > 0 for area in outline.areas)
    assert outer == labels(inside, diagonal=False)
    # what is outside is one part, and one for each hole; where inside is joined by rows and
    # columns, outside is by diagonals too
    outside = np.pad(~inside, 1, constant_values=True)
    assert len(outline) - outer == labels(outside, diagonal=True) - 1
    check_valid(outline)
    # an eighth of a pixel along all borders
    assert outline.area == pytest.approx(np.count_nonzero(inside) * 4 / 2048**2, abs=1e-3)


# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tolerance": 0}, "a number above 0"),
        ({"tolerance": 1e-14}, "too small for the region"),
        ({"region": (1e9, 1e9 + 1, 0, 1), "tolerance": 1e-6}, "too small for the region"),
        ({"levels": []}, "at least one"),
        ({"levels": [1, 1]}, "different"),
        ({"levels": [1], "offset": 1}, "not both"),
        ({"backend": "cupy"}, "no back end"),
    ],
)
def test_wrong_options_are_told(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        ivm.contour(shapes.circle(0.5), **{"region": SQUARE, **options})


def test_a_truth_has_no_offset() -> None:
    with pytest.raises(OptionError, match="truth"):
        ivm.contour(X < 0, region=SQUARE, offset=0.1)


def test_what_does_not_fit_is_told() -> None:
    with pytest.raises(DoesNotFit, match="larger tolerance"):
        ivm.contour(X * X + Y * Y < 0.25, region=SQUARE, tolerance=1e-6, max_memory="10M")


def test_progress_may_stop_the_work() -> None:
    seen: list[int] = []

    def report(done: int, _total: int) -> None:
        seen.append(done)
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ivm.contour(X * X + Y * Y < 0.25, region=SQUARE, tolerance=1e-3, progress=report)
    assert len(seen) == 3
    assert seen == sorted(seen)


@pytest.mark.parametrize("arcs", [False, True])
def test_progress_is_of_all_parts_and_of_the_fitting(arcs: bool) -> None:
    painted = shapes.circle(0.3).paint("teal") | shapes.circle(0.2).move(0.5).paint("#c84")
    reports: list[tuple[int, int]] = []
    ivm.contour(painted, tolerance=1e-3, arcs=arcs, progress=lambda *each: reports.append(each))
    assert reports == sorted(reports)
    assert {total for _, total in reports} == {reports[-1][0]}
