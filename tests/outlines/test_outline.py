"""``Outline`` as an object: what it takes, areas, boxes and lengths of arcs, holes of what."""

from __future__ import annotations

import math
import pickle
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.outlines import (
    Tree,
    backwards,
    fine,
    outline_of,
    parents_of,
    polygon,
    shoelace,
    stats,
    trees,
)

import intervalvm as ivm
from intervalvm import Outline, OutlineStats
from intervalvm.cells.measure import Measure

SQUARE = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], np.float64)
HOLE = SQUARE[::-1] * 0.5 + 0.25
CIRCLE = np.array([[-1, 0], [1, 0], [-1, 0]], np.float64)
HALVES = np.array([1.0, 1.0])
QUARTER = math.tan(math.pi / 8)


def test_it_is_a_sequence_of_curves() -> None:
    outline = Outline((SQUARE, HOLE))
    assert len(outline) == 2
    assert [len(curve) for curve in outline] == [5, 5]
    assert_array_equal(outline[1], HOLE)
    assert_array_equal(outline[-2], SQUARE)
    assert_array_equal(outline[1:][0], HOLE)
    assert outline[:1].area == 1
    assert outline[:0].area == 0
    assert repr(outline) == "<Outline 2 curves, 8 points, area 0.75>"
    assert not Outline(())
    assert outline != Outline((SQUARE, HOLE))
    with pytest.raises(IndexError, match="2 curves has no curve 2"):
        outline[2]
    with pytest.raises(ivm.ArgumentTypeError, match="a number or a slice"):
        outline["a"]  # type: ignore[call-overload]
    with pytest.raises(AttributeError, match=r"outline\.to_shapely"):
        outline.polygons  # noqa: B018


def test_its_arrays_are_its_own_and_read_only() -> None:
    given = SQUARE.copy()
    outline = Outline((given,), (np.zeros(4),))
    given[:] = 7
    assert_array_equal(outline[0], SQUARE)
    for array in (outline[0], outline.bulges[0], outline.levels):  # type: ignore[index]
        assert not array.flags.writeable


def test_it_is_pickled_whole() -> None:
    bulges, measure = (np.zeros(4), HALVES), Measure.of_nothing(2)
    outline = Outline((SQUARE, CIRCLE), bulges, [0, 0.5], ("#c84", None), stats(), measure)
    again = pickle.loads(pickle.dumps(outline))
    assert (again.colours, again.stats, again.area_bounds) == (
        ((204, 136, 68), None),
        stats(),
        (0, 0),
    )
    for one, other in zip((*outline, *outline.bulges), (*again, *again.bulges), strict=True):
        assert_array_equal(one, other)
        assert not other.flags.writeable
    assert_array_equal(again.levels, [0, 0.5])


def test_statistics_print_as_a_table() -> None:
    assert str(stats()).splitlines() == [
        "12 clauses, tolerance 1e-06",
        "cells: 3 proven, 1 undecided, 9 evaluated",
        "",
        "compile  10.0 ms",
        "cells    2.00 ms",
    ]
    assert OutlineStats(**stats().as_json()) == stats()


LINE_BACK = [[0, 0], [1, 1], [0, 0]]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"curves": 3}, "give a sequence of arrays"),
        ({"curves": ([1, 2],)}, r"curve 0 has the shape \(2,\)"),
        ({"curves": ([[1, 2]],)}, r"curve 0 has the shape \(1, 2\)"),
        ({"curves": (SQUARE, SQUARE * np.nan)}, "curve 1 has NaN or infinity"),
        ({"curves": ([[0, 0], [1, np.inf], [1, 0], [0, 0]],)}, "curve 0 has NaN or infinity"),
        ({"curves": (SQUARE, [[0, 0], [1, 0], [1, 0], [0, 0]])}, "points 1 and 2 of curve 1 are"),
        ({"curves": (SQUARE * 1e200,)}, r"beyond 1e\+100"),
        ({"curves": (LINE_BACK,)}, "curve 0 has two lines, around nothing"),
        ({"curves": (LINE_BACK,), "bulges": ([0, 0],)}, "curve 0 has two lines, around nothing"),
        ({"curves": (SQUARE,), "bulges": ([0, 0, 0],)}, "give one for each of its 4 segments"),
        ({"curves": (SQUARE,), "bulges": ()}, "0 arrays of bulges for 1 curves"),
        ({"curves": (SQUARE,), "bulges": ([0, 0, 0, np.inf],)}, "bulges of curve 0 has NaN"),
        ({"curves": (SQUARE,), "levels": [1, 2]}, "a finite number for each curve"),
        ({"curves": (SQUARE,), "levels": [np.nan]}, "a finite number for each curve"),
        ({"curves": (SQUARE,), "colours": ()}, "0 colours for 1 curves"),
        ({"curves": (SQUARE,), "colours": ("no such",)}, "is not a colour"),
    ],
)
def test_what_is_no_outline_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ivm.IntervalvmError, match=said):
        Outline(**given)


def test_a_circle_of_two_arcs() -> None:
    outline = Outline((CIRCLE + np.array([1000, -3]),), (HALVES,))
    assert outline.area == pytest.approx(math.pi, rel=1e-15)
    assert outline.length == pytest.approx(2 * math.pi, rel=1e-15)
    assert outline.bounds == ((999, 1001), (-4, -2))
    assert outline.is_closed.all()


@given(trees())
@settings(max_examples=60, deadline=None)
def test_areas_lengths_and_boxes_are_those_of_many_lines(tree: Tree) -> None:
    """Each arc as 400 lines has a relative error of its height of about 1e-5."""
    outline = outline_of(tree)
    for i, (curve, bulges, _) in enumerate(tree):
        lines = fine(curve, bulges)
        assert outline.areas[i] == pytest.approx(shoelace(lines), rel=1e-4)
        (x0, x1), (y0, y1) = outline[i : i + 1].bounds
        size = max(x1 - x0, y1 - y0)
        found = np.array([x0, y0, x1, y1])
        assert abs(found - [*lines.min(0), *lines.max(0)]).max() < 1e-4 * size
        assert (lines >= found[:2] - 1e-12).all()
        assert (lines <= found[2:] + 1e-12).all()
        length = np.hypot(*np.diff(lines, axis=0).T).sum()
        assert outline[i : i + 1].length == pytest.approx(length, rel=1e-4)
    assert outline.area == pytest.approx(sum(outline.areas))


@given(st.floats(1e-12, 3), st.floats(0, 7), st.sampled_from([-1, 1]))
@settings(max_examples=300, deadline=None)
def test_flat_and_wide_arcs_lose_no_digits(bulge: float, turn: float, way: int) -> None:
    """Against exact formulas with 50 digits."""
    import mpmath

    with mpmath.workdps(50):
        a = 4 * mpmath.atan(bulge)
        radius = (1 + mpmath.mpf(bulge) ** 2) / (4 * bulge)
        area = float(radius**2 * (a - mpmath.sin(a)) / 2 * way)
        length = float(radius * a)
    end = [math.cos(turn), math.sin(turn)]
    segments = Outline(([[0, 0], end],), ([way * bulge],)).segments
    unit = end[0] ** 2 + end[1] ** 2  # 1 but for rounding
    assert segments.areas()[0] == pytest.approx(area * unit, rel=1e-11)
    assert segments.lengths()[0] == pytest.approx(length, rel=1e-14)


@given(trees())
@settings(max_examples=100, deadline=None)
def test_holes_know_what_they_are_holes_of(tree: Tree) -> None:
    assert outline_of(tree).parents.tolist() == parents_of(tree)


def test_holes_are_found_among_thousands() -> None:
    """Concentric circles, in any order, whose arcs end anywhere: each hole is in the next one."""
    rng = np.random.default_rng(5)
    many = 2000
    order = rng.permutation(many)
    curves, bulges = [], []
    for k in order.tolist():
        way = 1 if k % 2 else -1
        turn = rng.uniform(0, 7)
        end = (1 + k / 100) * np.array([math.cos(turn), math.sin(turn)])
        curves.append(np.array([-end, end, -end]))
        bulges.append(way * HALVES)
    place = np.argsort(order)
    wanted = np.where(order % 2, -1, place[np.minimum(order + 1, many - 1)])
    assert_array_equal(Outline(tuple(curves), tuple(bulges)).parents, wanted)


def test_a_hole_that_touches_its_curve_where_it_begins() -> None:
    """At the hole's leftmost point no curve is strictly below."""
    around = np.array([[0, 0], [2, -1], [2, 1], [0, 0]], np.float64)
    hole = np.array([[0, 0], [1, 0.2], [1, -0.2], [0, 0]], np.float64)
    assert Outline((around, hole)).parents.tolist() == [-1, 0]
    assert Outline((hole,)).parents.tolist() == [-1]


def test_open_curves_have_no_area() -> None:
    outline = Outline((SQUARE[:4], HOLE, SQUARE))
    assert outline.is_closed.tolist() == [False, True, True]
    assert outline.areas.tolist() == [0, -0.25, 1]
    assert outline.parents.tolist() == [-1, 2, -1]


def test_layers_are_outlines_of_levels_and_colours() -> None:
    inner = polygon(5 + 5j, 1, 4)
    outline = Outline((SQUARE, HOLE, inner), colours=("red", "red", None))
    assert {name: len(part) for name, part in outline.layers.items()} == {
        "colour-ff0000": 2,
        "outline": 1,
    }
    outline = Outline((SQUARE, HOLE * 0.9, HOLE), levels=[0.5, 0, 0.5])
    assert [*outline.layers] == ["level-0_5", "level-0_0"]
    assert outline.parents.tolist() == [-1, -1, 0]
    assert not Outline(()).layers


def test_curves_of_other_colours_are_not_around_a_hole() -> None:
    other = SQUARE * 0.9 + 0.05
    assert Outline((other, SQUARE, HOLE), colours=("teal", "red", "red")).parents.tolist() == [
        -1,
        -1,
        1,
    ]


@given(trees(), st.floats(1e-4, 0.1))
@settings(max_examples=50, deadline=None)
def test_flattened_curves_are_near_the_arcs(tree: Tree, tolerance: float) -> None:
    outline = outline_of(tree)
    flat = outline.flattened(tolerance)
    assert flat.bulges is None
    assert flat.is_closed.all()
    assert outline.flattened().stats is outline.stats
    for curve, (points, bulges, _) in zip(flat, tree, strict=True):
        arcs = shapely.LineString(fine(points, bulges))
        middles = shapely.points((curve[1:] + curve[:-1]) / 2)
        # 400 lines are themselves off by up to 1e-5 of the radius
        assert shapely.distance(arcs, middles).max() < tolerance + 1e-5
        assert shapely.distance(arcs, shapely.points(curve)).max() < 1e-5
        corners = {tuple(point) for point in curve.tolist()}
        assert {tuple(point) for point in points.tolist()} <= corners


def test_lines_are_as_they_are() -> None:
    outline = Outline((SQUARE, HOLE))
    assert outline.flattened() is outline
    with pytest.raises(ivm.OptionError, match="above 0"):
        Outline((CIRCLE,), (HALVES,)).flattened(0)
    with pytest.raises(ivm.DoesNotFit, match="give a larger tolerance"):
        Outline((CIRCLE,), (HALVES,)).flattened(1e-30)


@given(trees())
@settings(max_examples=50, deadline=None)
def test_polygons_of_shapely_are_valid_and_have_the_area(tree: Tree) -> None:
    outline = outline_of(tree)
    found = outline.to_shapely()
    assert found.geom_type == "MultiPolygon"
    assert found.is_valid
    assert found.area == pytest.approx(outline.area, rel=1e-4)
    assert sum(len(each.interiors) for each in found.geoms) == (outline.areas < 0).sum()


def test_parts_of_several_colours_are_joined() -> None:
    beside = SQUARE + np.array([1, 0])
    outline = Outline((SQUARE, HOLE, beside), colours=("red", "red", "teal"))
    found = outline.to_shapely()
    assert len(found.geoms) == 1
    assert found.area == 1.75
    assert Outline(()).to_shapely().is_empty


@pytest.mark.parametrize(
    ("outline", "said"),
    [
        (Outline((SQUARE[:3],)), "open curves"),
        (Outline((SQUARE, HOLE), levels=[0, 1]), "several levels"),
        (Outline((HOLE,)), "curve 0 is a hole in no curve"),
    ],
)
def test_what_makes_no_polygons_is_said(outline: Outline, said: str) -> None:
    with pytest.raises(ivm.OptionError, match=said):
        outline.to_shapely()


def test_curves_that_cross_make_no_polygons() -> None:
    bow = np.array([[0, 0], [3, 2], [3, 0], [0, 1], [0, 0]], np.float64)
    bows = [bow, bow[::-1] * 0.9, bow * 0.8 + 0.3, bow[::-1] + 0.1]
    bows = [curve for curve in bows if shoelace(curve) > 0]
    with pytest.raises(ivm.OptionError, match="since curves cross"):
        Outline((*bows, SQUARE), colours=(*["red"] * len(bows), None)).to_shapely()


def test_an_offset_grows_and_shrinks() -> None:
    outline = Outline((SQUARE, HOLE), colours=("red", "red"), stats=stats())
    grown = outline.offset(0.1)
    assert grown.area == pytest.approx(1 + 0.4 + math.pi * 0.01 - 0.3**2, abs=1e-5)
    assert grown.bounds == ((-0.1, 1.1), (-0.1, 1.1))
    assert grown.parents.tolist() == [-1, 0]
    assert grown.colours == ((255, 0, 0),) * 2
    assert outline.offset(0.1, join="mitre").area == pytest.approx(1.2**2 - 0.3**2)
    assert outline.offset(0.1, join="bevel").area == pytest.approx(1.4 + 0.02 - 0.3**2)
    assert outline.offset(-0.1).area == pytest.approx(
        0.8**2 - 0.7**2 + (4 - math.pi) * 0.01, abs=1e-5
    )
    assert len(outline.offset(-0.2)) == 0
    assert outline.offset(0).area == outline.area
    assert len(Outline(()).offset(1)) == 0
    circle = Outline((CIRCLE,), (HALVES,), stats=stats())
    assert circle.offset(1).area == pytest.approx(4 * math.pi, rel=1e-5)
    hole, _ = backwards(CIRCLE, HALVES)
    assert Outline((hole,), (-HALVES,)).area < 0


@pytest.mark.parametrize(
    ("distance", "join", "said"),
    [
        (math.nan, "round", "finite"),
        (math.inf, "round", "finite"),
        (1e308, "bevel", r"up to 1e\+100"),
        ("1", "round", "not a number"),
        (1, "miter", r"did you mean 'mitre'"),
        (1, None, "choose 'round', 'mitre' or 'bevel'"),
    ],
)
def test_a_wrong_offset_is_said(distance: Any, join: Any, said: str) -> None:
    with pytest.raises(ivm.IntervalvmError, match=said):
        Outline((SQUARE,)).offset(distance, join=join)


def test_without_shapely_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "shapely", None)
    with pytest.raises(ivm.BackendError, match="pip install"):
        Outline((SQUARE,)).to_shapely()


def test_a_notebook_shows_it_in_pixels() -> None:
    text = Outline((SQUARE * (2, 1),))._repr_svg_()
    assert text is not None
    root = ET.fromstring(text)
    assert (root.get("width"), root.get("height")) == ("480", "240")
    assert Outline(())._repr_svg_() is None


def test_no_curves_have_no_bounds() -> None:
    with pytest.raises(ivm.OptionError, match="nothing is inside"):
        Outline(()).bounds  # noqa: B018
