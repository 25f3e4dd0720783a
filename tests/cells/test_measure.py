"""Proven bounds of areas and volumes: that they hold, and how tight they are."""

from __future__ import annotations

import math
import pickle
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.halfspaces import exact
from support.scenes import blends, scenes
from support.solids import solids

import intervalvm as ivm
from intervalvm.cells.border import cut
from intervalvm.cells.frame import Frame
from intervalvm.cells.measure import Measure, shares_inside
from intervalvm.cells.slices import Slice
from intervalvm.cells.subdivision import INSIDE, OUTSIDE, SPLIT, Tree, subdivide
from intervalvm.expr import expression
from intervalvm.jit.evaluator import CompiledEvaluator
from intervalvm.shapes import box, circle, cylinder, half_space, rectangle, ring, sphere, torus
from intervalvm.tape import Tape
from intervalvm.words import Meaning

NEVER = 99
X, Y, Z = ivm.axes()
EDGE = math.sqrt(0.5)
CHAMFERED = box(1.1, 0.9, 1.3) & half_space((EDGE, 0, EDGE), 0.7)
CORNER = (0.55 + 0.65 - 0.7 / EDGE) ** 2 / 2 * 0.9
"""What the chamfer takes away: a prism."""
SHAPES: dict[str, tuple[Any, str, float]] = {
    "disc": (circle(0.7), "xy", math.pi * 0.49),
    "annulus": (ring(0.8, 0.3), "xy", math.pi * (0.64 - 0.09)),
    "rectangle": (rectangle(1.1, 0.9).rotate(20), "xy", 0.99),
    "sphere": (sphere(0.7), "xyz", 4 / 3 * math.pi * 0.343),
    "torus": (torus(0.6, 0.25), "xyz", 2 * math.pi**2 * 0.6 * 0.0625),
    "cylinder": (cylinder(0.5, 1.2), "xyz", math.pi * 0.3),
    "chamfered box": (CHAMFERED, "xyz", 1.1 * 0.9 * 1.3 - CORNER),
}
Region = tuple[tuple[float, float], ...]


def real(tape: Tape, inputs: str) -> CompiledEvaluator:
    return CompiledEvaluator(tape.bare(), tuple(inputs), np.dtype(np.float64), Meaning.REAL)


def tree_of(tape: Tape, inputs: str, depth: int, region: Region) -> Tree:
    """The cells of what is cut by a region, none of which is simple."""
    frame = Frame.around(region)
    whole = cut(tape, real(tape, inputs), region, frame)
    return subdivide(real(whole, inputs), frame, depth, tolerance=0.0, coarsest=NEVER)


def measured(
    shape: Any, inputs: str, depth: int, region: Region | None = None
) -> tuple[Measure, tuple[Fraction, Fraction]]:
    """What cells prove, and the bounds that whole cells give."""
    tape = ivm.parse(str(shape.tape())) if hasattr(shape, "tape") else shape
    region = region or ((-1.0, 1.0),) * len(inputs)
    tree = tree_of(tape, inputs, depth, region)
    shares = Fraction(1) / (Fraction(2) ** len(inputs)) ** np.array(tree.level, object)
    inside = sum(shares[tree.verdict == INSIDE])
    rest = sum(shares[(tree.verdict != OUTSIDE) & (tree.verdict != SPLIT)])
    whole = math.prod(map(Fraction, tree.frame.sides))
    coarse = inside * whole, rest * whole
    return Measure.of_tree(tree, region, tape, partial(real, inputs=inputs)), coarse


def width(bounds: tuple[Any, Any]) -> float:
    return float(bounds[1] - bounds[0])


def check_within(bounds: tuple[float, float], coarse: tuple[Fraction, Fraction]) -> None:
    """Whether bounds are in order, and no wider than those of whole cells, but for rounding."""
    least, most = map(float, coarse)
    slack = 1e-11 * (1 + most)
    assert least - slack <= bounds[0] <= bounds[1] <= most + slack


@pytest.mark.parametrize("name", SHAPES)
def test_bounds_hold_and_are_of_second_order(name: str) -> None:
    shape, inputs, size = SHAPES[name]
    depths = (5, 6, 7) if inputs == "xy" else (4, 5, 6)
    widths = []
    for depth in depths:
        measure, coarse = measured(shape, inputs, depth)
        low, high = measure.bounds
        assert low <= size * (1 + 1e-14)
        assert high >= size * (1 - 1e-14)
        check_within((low, high), coarse)
        widths.append(high - low)
        assert widths[-1] < 0.4 * width(coarse)
    assert all(wide > 3 * narrow for wide, narrow in pairwise(widths)), widths


def test_the_region_cuts() -> None:
    region: Region = ((-0.3, 0.55), (-0.9, 0.95))
    segment = 0.49 * math.acos(0.55 / 0.7) - 0.55 * math.sqrt(0.49 - 0.55**2)
    middle = 0.49 * math.acos(0.3 / 0.7) - 0.3 * math.sqrt(0.49 - 0.09)
    size = math.pi * 0.49 - segment - middle
    widths = []
    for depth in (5, 6, 7):
        low, high = measured(circle(0.7), "xy", depth, region)[0].bounds
        assert low <= size <= high
        widths.append(high - low)
    assert widths[0] > 3 * widths[1] > 9 * widths[2]
    everything, _ = measured(X * 0 - 1, "xy", 4, region)
    assert width(everything.bounds) < 1e-11
    assert everything.bounds[0] <= 0.85 * 1.85 <= everything.bounds[1]


coefficients = st.sampled_from([0.0, 1.0, -1.0, 2.0**-40]) | st.floats(-2, 2)


@settings(max_examples=60, deadline=None)
@given(
    slopes=st.lists(coefficients, min_size=2, max_size=3),
    value=st.sampled_from([0.0, 1.0, -0.5]) | st.floats(-3, 3),
    ends=st.sampled_from([(-1.0, 1.0), (-0.25, 2.0), (0.1, 0.3)]),
)
@example(slopes=[1.0, 1.0, 1.0], value=0.0, ends=(-1.0, 1.0))
@example(slopes=[1.0, 2.0**-40], value=-0.3, ends=(-1.0, 1.0))
def test_half_planes_and_half_spaces_are_exact(
    slopes: list[float], value: float, ends: tuple[float, float]
) -> None:
    inputs = "xyz"[: len(slopes)]
    field = value + sum(slope * axis for slope, axis in zip(slopes, (X, Y, Z), strict=False))
    measure, coarse = measured(expression(field), inputs, 3, (ends,) * len(inputs))
    low, high = map(Fraction, ends)
    side = high - low
    steps = [Fraction(slope) * side for slope in slopes]
    lowest = Fraction(value) + sum(Fraction(slope) * low for slope in slopes)
    size = exact(lowest, steps) * side ** len(slopes)
    assert measure.bounds[0] <= size <= measure.bounds[1]
    check_within(measure.bounds, coarse)
    # where the slopes are tiny, roundings of the value are not
    if max(map(abs, slopes)) >= 2.0**-40:
        assert width(measure.bounds) <= 1e-9 * float(side) ** len(slopes) + 1e-2 * width(coarse)


@st.composite
def polygons(draw: st.DrawFn) -> tuple[Any, Any]:
    """Regular polygons joined by union, intersection and difference, and the same of shapely."""
    near = st.floats(-1, 1, width=16)
    field, found = None, None
    for _ in range(draw(st.integers(1, 3))):
        sides, turn = draw(st.integers(3, 7)), draw(st.floats(0, 7))
        centre, radius = (draw(near), draw(near)), draw(st.floats(0.2, 1.2))
        angles = turn + 2 * math.pi * np.arange(sides) / sides
        out = np.stack([np.cos(angles), np.sin(angles)])
        each = half = None
        for a, b in out.T.tolist():
            half = a * (X - centre[0]) + b * (Y - centre[1]) - radius
            each = half if each is None else ivm.maximum(each, half)
        far = radius / math.cos(math.pi / sides)
        corners = angles + math.pi / sides
        polygon = shapely.Polygon(
            np.stack([np.cos(corners), np.sin(corners)], axis=1) * far + centre
        )
        if field is None:
            field, found = each, polygon
            continue
        join = draw(st.sampled_from(["union", "intersection", "difference"]))
        field = {
            "union": lambda a, b: ivm.minimum(a, b),
            "intersection": lambda a, b: ivm.maximum(a, b),
            "difference": lambda a, b: ivm.maximum(a, -b),
        }[join](field, each)
        found = getattr(found, join)(polygon)
    return field, found


@settings(max_examples=60, deadline=None)
@given(drawn=polygons(), depth=st.integers(2, 6))
def test_areas_of_polygons_are_those_of_shapely(drawn: tuple[Any, Any], depth: int) -> None:
    field, polygon = drawn
    measure, coarse = measured(field, "xy", depth)
    size = polygon.intersection(shapely.box(-1, -1, 1, 1)).area
    slack = 1e-12  # of shapely's corners and areas
    assert measure.bounds[0] <= size + slack
    assert measure.bounds[1] >= size - slack
    check_within(measure.bounds, coarse)


@pytest.mark.parametrize(("away", "size"), [(0.0, 1e-150), (2.0**24, 1.0), (-1e9, 1e3), (0, 1e150)])
def test_places_and_sizes_do_not_matter(away: float, size: float) -> None:
    end = size * 1.1
    region = ((away - end, away + end), (-end, end))
    measure, coarse = measured(circle(size).move(away), "xy", 6, region)
    low, high = measure.bounds
    assert low <= math.pi * size * size <= high
    assert high - low < 0.1 * width(coarse)


@settings(max_examples=100, deadline=None)
@given(shape=scenes() | blends())
def test_areas_of_scenes_hold_those_of_finer_cells(shape: Tape) -> None:
    check_against_finer(shape, "xy", 4, 8)


@settings(max_examples=50, deadline=None)
@given(shape=solids() | blends(inputs=3))
def test_volumes_of_solids_hold_those_of_finer_cells(shape: Tape) -> None:
    check_against_finer(shape, "xyz", 3, 5)


def check_against_finer(shape: Tape, inputs: str, depth: int, deeper: int) -> None:
    """Bounds at two depths and those of whole cells are of the same size."""
    coarse, whole_cells = measured(shape, inputs, depth)
    fine, fine_cells = measured(shape, inputs, deeper)
    check_within(coarse.bounds, whole_cells)
    check_within(fine.bounds, fine_cells)
    for bounds in (fine.bounds, fine_cells):
        assert coarse.bounds[0] <= bounds[1] * (1 + Fraction(1, 10**11))
        assert coarse.bounds[1] * (1 + 1e-11) >= bounds[0]


@pytest.mark.parametrize(
    ("field", "size"),
    [
        (X * X + Y * Y < 0.49, math.pi * 0.49),  # it jumps
        (ivm.sqrt(X - 0.25) - 5, 1.5),  # undefined on the left, which is outside
        (ivm.floor(X * 3.3) + Y * 0, 2.0),
        (ivm.maximum(X, Y / X), 1.0),
    ],
)
def test_where_nothing_is_known_cells_count_whole(field: Any, size: float) -> None:
    measure, coarse = measured(field, "xy", 6)
    assert measure.bounds[0] <= size <= measure.bounds[1]
    check_within(measure.bounds, coarse)


def test_a_region_may_be_as_thin_as_a_float_can_be() -> None:
    end = math.nextafter(0.5, 1)
    at, level = np.array([(2, k) for k in range(4)], np.int32), np.full(4, 2, np.int8)
    tape = (X + Y - 1).tape()
    measure = Measure(
        Frame((0.0, 0.0), (1.0, 1.0)), ((0.5, end), (0.0, 1.0)), np.zeros(1, np.int64), at, level,
        tape, partial(real, inputs="xy"),
    )  # fmt: skip
    low, high = measure.bounds
    size = (Fraction(end) - Fraction(1, 2)) / 2
    assert low <= size <= high
    assert high < 2 * low


@given(
    steps=st.lists(coefficients, min_size=2, max_size=3),
    value=st.sampled_from([0.0, 1.0, -0.5]) | st.floats(-3, 3),
    ends=st.lists(st.tuples(st.floats(-1, 1), st.floats(0.125, 1)), min_size=3, max_size=3),
    offset=st.sampled_from([0.0, 1.0, 2.0**40, -(2.0**48)]),
)
@example(steps=[-1.0, -1.0], value=0.0, ends=[(-(2.0**-36), 1.0)] * 3, offset=0.0)
@example(steps=[-1.0, -1.0], value=0.0, ends=[(-1.1382632341807706e-11, 1.0)] * 3, offset=0.0)
@settings(deadline=None)
def test_the_share_of_a_box_is_rounded_outwards(
    steps: list[float], value: float, ends: list[tuple[float, float]], offset: float
) -> None:
    """Also where bounds of values are far apart, as digits are lost."""
    inputs = "xyz"[: len(steps)]
    field = value + sum(step * axis for step, axis in zip(steps, (X, Y, Z), strict=False))
    lost = (field + ivm.var("offset")) - ivm.var("offset")
    evaluator = CompiledEvaluator(
        expression(lost).tape(), (*inputs, "offset"), np.dtype(np.float64), Meaning.REAL
    )
    low = np.array([[start] for start, _ in ends[: len(steps)]])
    high = np.array([[start + side] for start, side in ends[: len(steps)]])
    found = shares_inside(Slice(evaluator, [offset]), low, high)
    least, most = (Fraction(float(part[0])) for part in found)
    corner = [Fraction(float(part[0])) for part in low]
    sides = [Fraction(float(b[0])) - a for a, b in zip(corner, high, strict=True)]
    slopes = [Fraction(step) for step in steps]
    lowest = Fraction(value) + sum(step * at for step, at in zip(slopes, corner, strict=True))
    share = exact(lowest, [step * side for step, side in zip(slopes, sides, strict=True)])
    assert least <= share <= most


# --- of outlines and meshes -----------------------------------------------------------------------


def test_an_outline_has_them_when_asked() -> None:
    outline = ivm.contour(circle(0.7), tolerance=1e-3)
    assert "bounds" not in vars(outline.measure)
    bounds = outline.area_bounds
    assert bounds is not None
    assert bounds is outline.area_bounds
    assert bounds[0] <= math.pi * 0.49 <= bounds[1]
    assert width(bounds) < 0.02
    assert outline.flattened().area_bounds == bounds
    assert outline[:1].area_bounds is None
    plain = ivm.contour(circle(0.7), tolerance=1e-3, backend="numpy")
    assert plain.area_bounds == bounds


def test_they_go_with_a_pickle_before_they_are_known() -> None:
    ball = sphere(ivm.var("r", 0.5))
    outline = ivm.contour(ball, z=0.3, tolerance=1e-2, region=(-1, 1, -1, 1))
    mesh = ivm.mesh(ball, depth=3, variables={"r": 0.6})
    (area, volume), again = pickle.loads(pickle.dumps(((outline, mesh), 0)))
    assert again == 0
    assert area.area_bounds == outline.area_bounds
    assert volume.volume_bounds == mesh.volume_bounds
    assert area.area_bounds[0] <= math.pi * 0.16 <= area.area_bounds[1]
    assert volume.volume_bounds[0] <= 4 / 3 * math.pi * 0.216 <= volume.volume_bounds[1]


def test_those_of_an_empty_shape_are_0() -> None:
    nothing = circle(0.5) & circle(0.5).move(3)
    assert ivm.contour(nothing).area_bounds == (0, 0)
    assert ivm.mesh(nothing.extrude(1)).volume_bounds == (0, 0)
