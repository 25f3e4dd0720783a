"""Where the pixels are: formulas of the three grids, regions, sizes, depths."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from intervalvm.api.limits import LEAF_PX, check_depth
from intervalvm.api.options import Options
from intervalvm.errors import OptionError
from intervalvm.raster.grid import coordinates, edges
from intervalvm.raster.region import Region, check_size

SIZES = [1, 2, 3, 16, 49, 257, 1000, 1024]
GRIDS = ["linspace", "center", "fidget"]


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.tobytes() == b.tobytes()


# the default square: what other programs compute, bit for bit


@pytest.mark.parametrize("w", SIZES)
def test_linspace_is_that_of_the_challenge(w: int) -> None:
    x, y = coordinates(None, w, w, "linspace", np.float32)
    space = np.linspace(-1, 1, w)
    assert same_bits(x, space.astype(np.float32))
    assert same_bits(y, (-space).astype(np.float32))


@pytest.mark.parametrize("w", SIZES)
def test_center_is_the_middle_of_a_pixel(w: int) -> None:
    x, y = coordinates(None, w, w, "center", np.float64)
    middle = -1 + (2 * np.arange(w) + 1) / w
    assert same_bits(x, middle)
    assert same_bits(y, -middle)


@pytest.mark.parametrize("w", SIZES)
def test_fidget_shifts_the_rows(w: int) -> None:
    x, y = coordinates(None, w, w, "fidget", np.float64)
    i = np.arange(w)
    assert same_bits(x, (i - w / 2) * 2 / w)
    assert same_bits(y, -(i - w / 2 + 1) * 2 / w)


def test_a_rectangle_keeps_square_pixels() -> None:
    x, y = coordinates(None, 300, 200, "linspace", np.float64)
    assert same_bits(x, np.linspace(-300 / 200, 300 / 200, 300))
    assert same_bits(y, -np.linspace(-1.0, 1.0, 200))
    x, y = coordinates(None, 49, 147, "linspace", np.float64)
    assert same_bits(x, np.linspace(-1.0, 1.0, 49))
    assert same_bits(y, -np.linspace(-147 / 49, 147 / 49, 147))


def test_a_given_region_is_used_as_it_is() -> None:
    x, y = coordinates(Region((0.1, 0.3), (-2, 5)), 30, 20, "linspace", np.float64)
    assert same_bits(x, np.linspace(0.1, 0.3, 30))
    assert same_bits(y, -np.linspace(-5.0, 2.0, 20))


# any region


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "region",
    [
        Region.square(),
        Region((0.1, 0.3), (-7, -0.01)),
        Region((1, 1 + 1e-15), (-5e-324, 5e-324)),
        Region((-1e37, 1e38), (0, 1e-40)),
    ],
)
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (64, 1), (100, 77)])
def test_columns_never_decrease_and_rows_never_increase(
    region: Region, size: tuple[int, int], grid: str, dtype: type
) -> None:
    x, y = coordinates(region, *size, grid, dtype)
    assert x.shape == (size[0],)
    assert y.shape == (size[1],)
    assert x.dtype == y.dtype == dtype
    assert (np.diff(x) >= 0).all()
    assert (np.diff(y) <= 0).all()


def test_a_single_pixel_lies_on_the_left_and_top_edges() -> None:
    x, y = coordinates(Region((2, 3), (5, 7)), 1, 1, "linspace", np.float64)
    assert (x.tolist(), y.tolist()) == ([2.0], [7.0])
    x, y = coordinates(Region((2, 3), (5, 7)), 1, 1, "center", np.float64)
    assert (x.tolist(), y.tolist()) == ([2.5], [6.0])


def test_pixels_that_the_dtype_cannot_tell_apart_are_allowed() -> None:
    x, _ = coordinates(Region((1, 1 + 1e-12), (0, 1)), 8, 8, "linspace", np.float32)
    assert x.tolist() == [1.0] * 8


HUGE = st.floats(1e300, 8e307) | st.sampled_from([1e306, 8.9e307, 2.0**900, 2.0**901])


@given(
    grid=st.sampled_from(GRIDS),
    low=HUGE.map(lambda end: -end) | st.floats(-1.0, 1.0),
    high=HUGE,
    n=st.sampled_from([1, 2, 7, 1024]),
)
def test_a_region_that_float64_holds_has_samples(
    grid: str, low: float, high: float, n: int
) -> None:
    """Numbers in between must not be infinite: samples are those of the region 2**64 times smaller,
    and near to their formulas: the width, up to twice an end, its product and the quotient are
    rounded by up to 1, 2 and 1 ulps of the larger end, and the sum by half of one."""
    unit = 2.0**64
    assume(low / unit * unit == low)  # a smaller region whose end is denormal is another one
    x, y = coordinates(Region((low, high), (low, high)), n, n, grid, np.float64)
    small = Region((low / unit, high / unit), (low / unit, high / unit))
    for found, other in zip((x, y), coordinates(small, n, n, grid, np.float64), strict=True):
        assert_array_equal(found, other * unit)
    if grid == "center":
        width = Fraction(high) - Fraction(low)
        exact = [Fraction(low) + (2 * k + 1) * width / 2 / n for k in range(n)]
        error = max(abs(Fraction(float(a)) - b) for a, b in zip(x, exact, strict=True))
        assert error <= Fraction(9, 2) * Fraction(np.spacing(max(abs(low), high)))


@pytest.mark.parametrize("size", [(2000, 1000), (1000, 2000)])
def test_square_pixels_of_a_huge_region(size: tuple[int, int]) -> None:
    shown = Region.around((0, 0), 1e306).fitted(*size)
    assert {shown.x, shown.y} == {(-1e306, 1e306), (-2e306, 2e306)}


def test_coordinates_beyond_the_dtype() -> None:
    far = Region((0, 1e39), (0, 1))
    with pytest.raises(OptionError, match=r"beyond float32: .* or the dtype float64"):
        coordinates(far, 4, 4, "linspace", np.float32)
    assert np.isfinite(coordinates(far, 4, 4, "linspace", np.float64)[0]).all()


def test_frames_of_one_region_share_coordinates_that_nobody_can_change() -> None:
    region = Region((0.25, 0.5), (0.25, 0.5))
    first, again = (coordinates(region, 5, 5, "center", "float32") for _ in range(2))
    assert first[0] is again[0]
    for axis in first:
        with pytest.raises(ValueError, match="read-only"):
            axis[0] = 0


def test_regions_that_differ_in_the_sign_of_zero_have_samples_of_their_own() -> None:
    """They are equal to Python, and ``rand`` of their corners differs."""
    ends = [(0.0, 1.0), (-0.0, 1.0)]
    corners = [coordinates(Region((0, 1), y), 2, 2, "linspace", "float32")[1][1] for y in ends]
    alone = [-np.linspace(-y1, -y0, 2)[1] for y0, y1 in ends]
    assert np.signbit(corners).tolist() == np.signbit(alone).tolist()


def test_an_unknown_grid() -> None:
    message = r"no grid 'centre' \(did you mean 'center'\?\): choose 'linspace', 'center' or"
    with pytest.raises(OptionError, match=message):
        Options(grid="centre")


# areas


@st.composite
def regions(draw: st.DrawFn) -> Region:
    """Any that float32 holds: wide, some floats wide, denormal."""
    size = draw(st.sampled_from([1e-44, 1e-30, 1.0, 1e30]))

    def side() -> tuple[float, float]:
        low = draw(st.floats(-4, 4)) * size
        if draw(st.booleans()):
            return low, low + draw(st.floats(0.001, 4)) * size
        high = low
        for _ in range(draw(st.integers(1, 9))):
            high = float(np.nextafter(high, np.inf))
        return low, high

    try:
        return Region(side(), side())
    except OptionError:
        return Region.square()


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@settings(max_examples=50)
@given(region=regions(), width=st.integers(1, 70), height=st.integers(1, 70))
def test_areas_cover_the_region_and_hold_their_samples(
    grid: str, dtype: type, region: Region, width: int, height: int
) -> None:
    across, down = coordinates(region, width, height, grid, dtype)
    x, y = edges(region, width, height, grid, dtype)
    assert x.dtype == y.dtype == dtype
    assert (x.shape, y.shape) == ((width + 1,), (height + 1,))
    for low, sample, high in ((x[:-1], across, x[1:]), (y[1:], down, y[:-1])):
        assert (low <= sample).all()
        assert (sample <= high).all()
    for (low, high), first, last in ((region.x, x[0], x[-1]), (region.y, y[-1], y[0])):
        assert float(first) <= low
        assert float(last) >= high


@pytest.mark.parametrize("grid", GRIDS)
def test_areas_are_equal_parts_of_the_region_in_every_grid(grid: str) -> None:
    x, y = edges(Region((0, 3), (-1, 1)), 6, 4, grid, np.float32)
    assert x.tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3]
    assert y.tolist() == [1, 0.5, 0, -0.5, -1]


@pytest.mark.parametrize("grid", GRIDS)
def test_an_edge_is_off_by_rounding_alone(grid: str) -> None:
    n = 257
    x, _ = edges(Region((0.1, 0.7), (0, 1)), n, 1, grid, np.float64)
    low, high = Fraction(0.1), Fraction(0.7)
    for i, edge in enumerate(x.tolist()):
        # linspace rounds a step, a product and a sum; a sample as many times
        assert abs(Fraction(edge) - (low + (high - low) * i / n)) <= 4 * Fraction(2) ** -53


def test_the_outer_edges_are_the_ends_or_the_floats_beyond_them() -> None:
    x, y = edges(Region((0.1, 0.7), (0.1, 0.7)), 3, 3, "center", np.float64)
    assert (x[0], x[-1], y[-1], y[0]) == (0.1, 0.7, 0.1, 0.7)
    x, _ = edges(Region((0.1, 0.7), (0, 1)), 3, 3, "center", np.float32)
    near = np.float32([0.1, 0.7])
    assert float(near[0]) > 0.1  # so float32 has to step over both
    assert float(near[1]) < 0.7
    assert x[0] == np.nextafter(near[0], np.float32(0))
    assert x[-1] == np.nextafter(near[1], np.float32(1))


def test_areas_beyond_the_dtype() -> None:
    """The samples of this one are not."""
    largest = float(np.finfo(np.float32).max)
    far = Region((0, largest * (1 + 1e-9)), (0, 1))
    assert np.isfinite(coordinates(far, 4, 4, "center", np.float32)[0]).all()
    with pytest.raises(OptionError, match="beyond float32"):
        edges(far, 4, 4, "center", np.float32)


def test_areas_are_those_of_the_fitted_region() -> None:
    x, y = edges(None, 4, 2, "center", np.float32)
    assert (x.tolist(), y.tolist()) == ([-2, -1, 0, 1, 2], [1, 0, -1])
    with pytest.raises(ValueError, match="read-only"):
        x[0] = 0


# Region


def test_around_keeps_square_pixels_whatever_the_shape() -> None:
    region = Region.around((0.5, -0.25), 0.125)
    assert region.fitted(64, 64) == Region((0.375, 0.625), (-0.375, -0.125))
    assert region.fitted(128, 64) == Region((0.25, 0.75), (-0.375, -0.125))
    assert region.fitted(64, 128) == Region((0.375, 0.625), (-0.5, 0.0))


def test_the_square_is_what_lies_up_to_1_from_the_origin() -> None:
    assert Region.square() == Region.around((0, 0), 1)
    assert Region.square().fitted(30, 20) == Region((-1.5, 1.5), (-1, 1))


def test_fitting_twice_is_fitting_once() -> None:
    once = Region.around((0.3, 0.1), 0.7).fitted(123, 45)
    assert once.fitted(123, 45) == once


def test_a_region_prints_in_a_line() -> None:
    assert str(Region((0, 0.5), (-1e-9, 1))) == "x 0..0.5, y -1e-09..1"


def test_ends_become_floats() -> None:
    region = Region(x=[np.float32(0.5), 1], y=np.array([0, 1]))  # type: ignore[arg-type]
    assert region == Region((0.5, 1.0), (0.0, 1.0))
    assert hash(region) == hash(Region((0.5, 1.0), (0.0, 1.0)))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ((0, float("nan")), "must be finite"),
        ((0, float("inf")), "must be finite"),
        ((-1.5e308, 1.5e308), "the length must be finite"),
        ((1, 1), "empty, 1.0..1.0"),
        ((1, 0), "the lower end first, 0..1"),
        (3, "give two numbers"),
        ((1, 2, 3), "give two numbers"),
        (("a", "b"), "give two numbers"),
    ],
)
def test_a_region_that_is_none(x: object, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Region(x=x, y=(0, 1))  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="region's y"):
        Region(x=(0, 1), y=x)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("center", "scale", "message"),
    [
        ((0, 0), 0, "scale is 0"),
        ((0, 0), -1, "scale is -1"),
        ((0, 0), float("nan"), "scale is nan"),
        ((0, float("inf")), 1, "must be finite"),
        ((0.1, 0), 1e-20, "empty.*larger scale"),
        (0, 1, "the center as two numbers"),
    ],
)
def test_around_nothing(center: tuple[float, float], scale: float, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Region.around(center, scale)


# size and depth


def test_sizes() -> None:
    assert check_size(7) == (7, 7)
    assert check_size((7, 5)) == (7, 5)
    assert check_size([np.int64(7), 5]) == (7, 5)


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (0, "the size is 0: give at least 1 pixel"),
        (-3, "the size is -3"),
        ((4, 0), "the size is 4x0"),
        (2.5, "give an integer"),
        (4.0, "give an integer"),
        ("4", "give an integer"),
        (True, "give an integer"),
        (None, "give an integer"),
        ((1, 2, 3), r"two for \(width, height\)"),
        ((1, False), "give an integer"),
    ],
)
def test_sizes_that_are_none(size: object, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        check_size(size)


def test_the_depth_is_the_least_that_makes_small_leaves() -> None:
    assert [check_depth(None, n, 1) for n in (1, 16, 17, 32, 33, 1024, 1025)] == [
        *(0, 0, 1, 1, 2, 6, 7)
    ]
    for n in range(1, 3000):
        depth = check_depth(None, 1, n)
        assert -(-n // 2**depth) <= LEAF_PX
        assert depth == 0 or -(-n // 2 ** (depth - 1)) > LEAF_PX
        assert check_depth(depth, 1, n) == depth


@pytest.mark.parametrize(("depth", "deepest"), [(-1, 4), (5, 4), (2.0, 4), (True, 4), ("6", 4)])
def test_depths_that_are_none(depth: int, deepest: int) -> None:
    with pytest.raises(OptionError, match=f"an image of 16x9 pixels takes 0 to {deepest}"):
        check_depth(depth, 16, 9)


def test_the_deepest_has_leaves_of_a_pixel_or_more() -> None:
    assert check_depth(10, 1024, 3) == 10
    assert check_depth(9, 1023, 3) == 9
    with pytest.raises(OptionError, match="takes 0 to 9"):
        check_depth(10, 1023, 3)
