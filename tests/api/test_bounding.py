"""Boxes that hold a shape: proven to, found without a region, and tight."""

from __future__ import annotations

import itertools
import math
import runpy
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.places import TOP
from support.shape_samples import BOUNDS, SAMPLES, Inside
from support.strategies import shapes as tapes

import intervalvm as ivm
from intervalvm import OptionError, Tape, VariableError, shapes
from intervalvm.api.bounding import Box, Rectangle

X, Y, Z = ivm.axes()
FEW = settings(max_examples=settings().max_examples // 2)
TOLERANCE = 0.01
"""The default."""


def sides(shape: Any, **options: Any) -> list[tuple[float, float]]:
    found = ivm.bounding_box(shape, **options)
    assert found is not None
    return list(found)


def is_within(found: Any, expected: Any, share: float = TOLERANCE) -> bool:
    """Whether a box holds another, and is not larger by more than a share of its longest side."""
    slack = share * max(high - low for low, high in found)
    return len(found) == len(expected) and all(
        low - slack <= a <= low and high <= b <= high + slack
        for (a, b), (low, high) in zip(found, expected, strict=True)
    )


# --- what is known exactly -----------------------------------------------------------------------

WIDE, HIGH = 0.5 + math.sqrt(3) / 4, 0.25 + math.sqrt(3) / 2
"""Half of the sides of the box about a rectangle of 1 by 2 that is turned by 30 degrees."""
DISC = shapes.circle(1)
KNOWN: list[tuple[shapes.Shape, list[tuple[float, float]]]] = [
    (shapes.circle(0.5), [(-0.5, 0.5)] * 2),
    (shapes.circle(0.5).move(1000, -3), [(999.5, 1000.5), (-3.5, -2.5)]),
    (shapes.circle(1e-6).move(1e6), [(1e6 - 1e-6, 1e6 + 1e-6), (-1e-6, 1e-6)]),
    (shapes.circle(1e12), [(-1e12, 1e12)] * 2),
    (shapes.rectangle(2, 3.5).rotate(90), [(-1.75, 1.75), (-1, 1)]),
    (shapes.rectangle(1, 2).rotate(30), [(-WIDE, WIDE), (-HIGH, HIGH)]),
    (shapes.sphere(0.7).move(1, 2, 3), [(0.3, 1.7), (1.3, 2.7), (2.3, 3.7)]),
    (shapes.box(1, 2, 3), [(-0.5, 0.5), (-1, 1), (-1.5, 1.5)]),
    (shapes.torus(0.5, 0.1), [(-0.6, 0.6), (-0.1, 0.1), (-0.6, 0.6)]),
    (shapes.ring(1, 0.5).extrude(4), [(-1, 1), (-1, 1), (-2, 2)]),
    (shapes.circle(0.25).revolve(1), [(-1.25, 1.25), (-0.25, 0.25), (-1.25, 1.25)]),
    (shapes.circle(0.1).repeat(1, 1, count=3), [(-1.1, 1.1)] * 2),
    (shapes.sphere(1) - shapes.sphere(0.9), [(-1, 1)] * 3),
    (shapes.circle(1) & (X < 0.25), [(-1, 0.25), (-1, 1)]),
    (shapes.smooth_union(DISC, DISC.move(3), radius=0.1), [(-1, 4), (-1, 1)]),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "expected"), KNOWN)
def test_boxes_of_known_shapes(shape: shapes.Shape, expected: Any) -> None:
    assert is_within(shape.bounds(), expected)


@pytest.mark.parametrize("tolerance", [0.1, 0.01, 1e-4, 1e-6])
def test_a_box_is_as_tight_as_asked(tolerance: float) -> None:
    assert is_within(sides(shapes.circle(0.7), tolerance=tolerance), [(-0.7, 0.7)] * 2, tolerance)
    loaf = shapes.box(1, 0.5, 0.25)
    assert is_within(
        sides(loaf, tolerance=tolerance), [(-0.5, 0.5), (-0.25, 0.25), (-0.125, 0.125)], tolerance
    )


# --- what is sampled -----------------------------------------------------------------------------

OPEN = {
    "half_plane", "half_space", "gyroid", "schwarz_p", "schwarz_d", "neovius", "iwp", "__invert__",
}  # fmt: skip
"""Without an end."""
SEAM = {"arc"}
"""A field with a seam that bounds cannot cross, and that has no end."""
CLOSED = [
    pytest.param(*sample, id=f"{name}{i}")
    for name, samples in SAMPLES.items()
    if name not in OPEN | SEAM
    for i, sample in enumerate(samples)
]
HALF = 1.3
"""Samples lie from -HALF to HALF."""


def grid(dimensions: int) -> list[NDArray[np.float64]]:
    count = 301 if dimensions == 2 else 61
    axis = np.linspace(-HALF, HALF, count)
    return list(np.meshgrid(*[axis] * dimensions, indexing="ij"))


@pytest.mark.parametrize(("shape", "inside"), CLOSED)
def test_boxes_hold_the_samples_inside(shape: shapes.Shape, inside: Inside) -> None:
    found = sides(shape)
    points = grid(len(found))
    is_inside = inside(*points, *[0.0] * (3 - len(points)))
    step = 2 * HALF / (points[0].shape[0] - 1)
    extents = [(float(p[is_inside].min()), float(p[is_inside].max())) for p in points]
    slack = TOLERANCE * max(high - low for low, high in found) + 2 * step  # of thin tips
    for (low, high), (least, most) in zip(found, extents, strict=True):
        assert low <= least <= low + slack
        assert high - slack <= most <= high


@pytest.mark.parametrize(
    "shape",
    [
        *(SAMPLES[name][0][0] for name in sorted(OPEN)),
        *(sample[0] for sample in BOUNDS[2:]),
        SAMPLES["arc"][0][0],
        X,
        X * X - 1,
        ivm.constant(-1.0),
        X * Y - 1,
    ],
)
def test_what_has_no_end_is_told(shape: Any) -> None:
    is_solid = "z" in ivm.expression(shape).tape().axes
    with pytest.raises(OptionError, match=r"no end of the shape.*cut it off, as in shape") as error:
        ivm.bounding_box(shape)
    assert ("box(2, 2, 2)" if is_solid else "rectangle(2, 2)") in str(error.value)
    assert "region=" not in str(error.value)  # it takes none
    for call in [ivm.mesh] if is_solid else [ivm.contour]:
        with pytest.raises(OptionError, match=r"no end of the shape.*region=\(") as error:
            call(shape)
        assert str(error.value).count("-1, 1") == (3 if is_solid else 2)


def test_the_way_out_of_bounds_is_one() -> None:
    gyroid = shapes.gyroid(1)
    with pytest.raises(OptionError, match=r"shape & box\(2, 2, 2\)"):
        gyroid.bounds()
    assert (gyroid & shapes.box(2, 2, 2)).bounds() is not None
    plane = shapes.half_plane((1, 1))
    with pytest.raises(OptionError, match=r"shape & rectangle\(2, 2\)"):
        plane.bounds()
    assert (plane & shapes.rectangle(2, 2)).bounds() is not None


EXAMPLES = {
    path.stem: runpy.run_path(str(path))["build"]
    for path in sorted((TOP / "examples").glob("*.py"))
    if path.stem not in ("islands", "page", "prospero", "prospero3d", "prospero3d_dense")
}
"""Islands lie in a sea without end; the others are slow, or a file."""


LOOSE = {("mug", "y", 1)}
"""The upper side is where the text that is laid around the mug meets itself: the angle jumps."""


@pytest.mark.parametrize("name", EXAMPLES)
def test_boxes_of_the_examples(name: str) -> None:
    """What a picture shows lies in the box, and comes near to its sides."""
    shape = EXAMPLES[name]()
    found = sides(shape)
    slack = max(high - low for low, high in found) * (2 * TOLERANCE + 2 / PIXELS)
    for axis, side, ends in zip("xyz", found, seen(shape, found), strict=False):
        for way, (at, end) in enumerate(zip(side, ends, strict=True)):
            beyond = end - at if way == 0 else at - end
            assert beyond >= -1e-6  # of arithmetic in float32
            assert beyond <= slack or (name, axis, way) in LOOSE


PIXELS = 256
"""A side of the pictures."""


def seen(shape: Any, box: Any) -> list[tuple[float, float]]:
    """The extents of what pictures show: one from above for the plane, two for a solid."""
    if len(box) == 2:
        image = ivm.render(shape, region=box, size=PIXELS)
        rows, columns = np.nonzero(image.pixels)
        x, y = image.samples()
        return [(x[columns.min()], x[columns.max()]), (y[rows.max()], y[rows.min()])]
    views = [ivm.View.fit(box, yaw) for yaw in (0, 90)]
    front, side = (ivm.render3d(shape, view=view, size=PIXELS).position for view in views)
    parts = front[..., 0], front[..., 1], side[..., 2]
    return [(np.nanmin(part), np.nanmax(part)) for part in parts]


def test_the_box_of_prospero(model: Any) -> None:
    tape = ivm.load(TOP / "prospero.vm")
    image = ivm.render(tape, size=512)
    rows, columns = np.nonzero(image.pixels)
    x, y = image.samples()
    extents = [(x[columns.min()], x[columns.max()]), (y[rows.max()], y[rows.min()])]
    assert is_within(sides(tape), extents, 0.02)


@FEW
@given(tape=tapes(), far=st.floats(-1e6, 1e6), also=st.floats(-1e6, 1e6))
def test_no_point_inside_a_random_shape_is_missed(tape: Tape, far: float, also: float) -> None:
    try:
        found = ivm.bounding_box(tape)
    except OptionError:
        return
    assert found is None or len(found) == 2
    near = np.linspace(-8, 8, 97)
    x, y = np.meshgrid(np.append(near, [far, also]), np.append(near, [far, also, 0.0]))
    value = ivm.Evaluator(tape, prove="point", dtype="float64").bounds((x, x), (y, y))
    is_inside = (value.upper < 0) & ~value.maybe_nan
    if found is None:
        assert not is_inside.any()
        return
    for (low, high), part in zip(found, (x, y), strict=True):
        assert (low <= part[is_inside]).all()
        assert (part[is_inside] <= high).all()


@FEW
@given(
    angle=st.floats(-180, 180),
    at=st.tuples(*[st.floats(-100, 100)] * 2),
    size=st.floats(1e-3, 1e3),
    turns=st.integers(0, 2),
)
@example(angle=45.0, at=(0.0, 0.0), size=1.0, turns=0)
def test_turned_and_moved_shapes_keep_tight_boxes(
    angle: float, at: tuple[float, float], size: float, turns: int
) -> None:
    shape = shapes.rectangle(size, size / 2).move(*at).rotate(angle)
    turn = np.exp(1j * np.deg2rad(angle))
    corners = [
        (complex(*at) + complex(size / 2 * a, size / 4 * b)) * turn
        for a, b in itertools.product((-1, 1), repeat=2)
    ]
    error = 1e-13 * (abs(complex(*at)) + size)  # of these corners, and of cosine and sine
    extents = [
        (min(part) + error, max(part) - error)
        for part in zip(*((c.real, c.imag) for c in corners), strict=True)
    ]
    assert is_within(shape.bounds(), extents, TOLERANCE + 1e-9)


# --- options -------------------------------------------------------------------------------------


def test_an_empty_shape_has_no_box() -> None:
    assert (shapes.circle(1) & shapes.circle(1).move(5)).bounds() is None
    assert (X * X + 1).bounds() is None
    assert ivm.constant(0.0).bounds() is None


def test_results_are_named_and_drawn() -> None:
    flat, solid = shapes.circle(0.5).bounds(), shapes.sphere(0.5).bounds()
    assert isinstance(flat, Rectangle)
    assert isinstance(solid, Box)
    assert flat.x == solid.x == flat[0]
    image = ivm.render(shapes.circle(0.5), region=flat, size=64)
    assert image.region.x == flat.x
    assert ivm.View.fit(solid).matrix[0, 0] > 0


def test_the_same_by_all_ways() -> None:
    disc = shapes.circle(0.5)
    assert disc.bounds() == disc.expr.bounds() == disc.tape().bounds() == ivm.bounding_box(disc)


def test_variables_and_slices() -> None:
    ball = shapes.sphere(ivm.var("r", 0.5))
    assert is_within(ball.bounds(), [(-0.5, 0.5)] * 3)
    assert is_within(ball.bounds(variables={"r": 2}), [(-2, 2)] * 3)
    assert is_within(ball.bounds(z=0.3), [(-0.4, 0.4)] * 2)
    assert ball.bounds(z=0.6) is None
    assert is_within((shapes.circle(1) & (Z > 0)).bounds(z=1), [(-1, 1)] * 2)
    with pytest.raises(VariableError, match="'r'"):
        ball.tape().bounds()


@pytest.mark.parametrize(
    "options",
    [{"tolerance": 0}, {"tolerance": math.nan}, {"tolerance": math.inf}, {"z": math.nan},
     {"z": math.inf}, {"variables": {"r": math.nan}}],
)  # fmt: skip
def test_invalid_options(options: Any) -> None:
    with pytest.raises(OptionError):
        ivm.bounding_box(shapes.sphere(ivm.var("r", 0.5)), **options)
