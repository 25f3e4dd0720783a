"""What ``prove`` says is so: areas, places and verdicts, of shapes whose own are known exactly."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.strategies import shapes

import intervalvm as ivm
from intervalvm import OptionError, Proof, Region, Tape
from intervalvm.cells.measure import rounded_down
from intervalvm.proof import cells as module
from intervalvm.proof.cells import MIXED, NAMES, VERDICTS, Cells

X, Y, Z = ivm.axes()
FEW = settings(max_examples=settings().max_examples // 4)
small = st.floats(-0.4, 0.4)


def prove(shape: Any, **options: Any) -> Proof:
    return ivm.prove(shape, **{"engine": "dense", "resolution": 32} | options)


def disc(x: float = 0.0, y: float = 0.0, radius: float = 0.5) -> Any:
    return ivm.sqrt((X - x) ** 2 + (Y - y) ** 2) - radius


def box(x: tuple[float, float], y: tuple[float, float]) -> Any:
    sides = [x[0] - X, X - x[1], y[0] - Y, Y - y[1]]
    return ivm.maximum(ivm.maximum(*sides[:2]), ivm.maximum(*sides[2:]))


# verdicts


@pytest.mark.parametrize(
    ("shape", "verdict"),
    [
        (disc(), "crossed"),
        (disc() + 3, "empty"),
        (disc() - 3, "full"),
        (X, "crossed"),
        (X - 1, "undecided"),  # outside where x is 1, which no cell is in full, and no sample at
        (X * X, "empty"),  # 0 is not below 0
        (-(X * X), "undecided"),  # likewise where x is 0
        (ivm.sqrt(X) - 2, "crossed"),
        (ivm.sqrt(X - 2), "empty"),
        (ivm.ln(X - 2), "empty"),
        (ivm.constant(float("nan")), "empty"),
        (ivm.constant(-1), "full"),
        (ivm.constant(0), "empty"),
        (1 / X - 9, "crossed"),
        (ivm.minimum(X * X - 1e-6, Y * Y + 1), "undecided"),  # a line that no sample lies on
    ],
)
def test_verdicts(shape: Any, verdict: str) -> None:
    assert prove(shape).verdict == verdict


def test_a_crossing_thinner_than_a_cell_is_found_at_a_sample() -> None:
    """No cell is inside; but samples are, in the middle of their cells."""
    middle = 1 / 32
    found = prove(abs(X - middle) - 1e-9)
    assert found.verdict == "crossed"
    assert found.area[0] == 0
    assert found.inside_at is not None
    assert found.inside_at[0] == middle


def test_what_was_not_decided_may_be_known_in_part() -> None:
    found = prove(X - 1)
    assert found.verdict == "undecided"
    assert found.inside_at is not None
    assert found.outside_at is None


@FEW
@given(tape=shapes())
def test_witnesses_are_where_they_should_be(tape: Tape) -> None:
    found = prove(tape, resolution=8)
    for point, is_inside in ((found.inside_at, True), (found.outside_at, False)):
        if point is None:
            continue
        value = ivm.interval(tape, x=point[0], y=point[1], prove="area", dtype="float64")
        assert is_inside == (not value.is_empty and not value.maybe_nan and value.upper < 0)
    assert (found.verdict == "crossed") == (None not in (found.inside_at, found.outside_at))


# areas and places


def encloses(area: tuple[float, float], exact: Any) -> bool:
    if isinstance(exact, Fraction):
        return Fraction(area[0]) <= exact <= Fraction(area[1])
    return bool(mpmath.mpf(area[0]) <= exact <= mpmath.mpf(area[1]))


@FEW
@given(x=small, y=small, radius=st.floats(0.05, 0.5))
def test_the_area_of_a_disc(x: float, y: float, radius: float) -> None:
    found = prove(disc(x, y, radius))
    with mpmath.workprec(200):
        assert encloses(found.area, mpmath.pi * mpmath.mpf(radius) ** 2)
    assert found.bounds is not None
    for (low, high), middle in zip(found.bounds, (x, y), strict=True):
        assert Fraction(low) <= Fraction(middle) - Fraction(radius)
        assert Fraction(middle) + Fraction(radius) <= Fraction(high)
        assert high - low <= 2 * radius + 4 / 32, "a cell more on either side, each 2/32 wide"


@FEW
@given(radius=st.floats(0.3, 0.9), share=st.floats(0.1, 0.9))
def test_the_area_of_a_ring(radius: float, share: float) -> None:
    hole = radius * share
    found = prove(ivm.maximum(disc(radius=radius), -disc(radius=hole)))
    with mpmath.workprec(200):
        exact = mpmath.pi * (mpmath.mpf(radius) ** 2 - mpmath.mpf(hole) ** 2)
        assert encloses(found.area, exact)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@FEW
@given(ends=st.tuples(small, small, small, small), size=st.tuples(*[st.integers(1, 40)] * 2))
def test_the_area_of_a_rectangle(
    dtype: str, ends: tuple[float, ...], size: tuple[int, int]
) -> None:
    (x0, x1), (y0, y1) = sorted(ends[:2]), sorted(ends[2:])
    region = Region((-0.5, 0.7), (-0.3, 0.9))
    found = prove(box((x0, x1), (y0, y1)), resolution=size, region=region, dtype=dtype)
    within = max(Fraction(0), min(Fraction(y1), Fraction(0.9)) - max(Fraction(y0), Fraction(-0.3)))
    assert encloses(found.area, (Fraction(x1) - Fraction(x0)) * within)


def test_the_area_of_a_half_plane_on_the_cells_edges() -> None:
    """The cells beside the edge touch it, so one column of 32 is not proven."""
    assert prove(X, region=Region((-1, 1), (0, 0.5))).area == (0.5 - 0.5 / 16, 0.5)


def test_the_area_of_what_is_undefined_is_not_inside() -> None:
    found = prove(ivm.sqrt(X) - 2)
    assert found.area == (2, 2 + 2 / 16)
    assert found.bounds == ((-1 / 16, 1), (-1, 1)), "x 0 is inside, and in the column before"


def test_all_and_nothing() -> None:
    region = Region((0.1, 0.7), (0.1, 0.2))
    exact = (Fraction(0.7) - Fraction(0.1)) * (Fraction(0.2) - Fraction(0.1))
    full, empty = prove(disc() - 9, region=region), prove(disc() + 9, region=region)
    assert encloses(full.area, exact)
    assert full.area[1] == math.nextafter(full.area[0], 1), "neighbours: it is no float64"
    assert full.bounds == (region.x, region.y)
    assert (empty.area, empty.bounds) == ((0, 0), None)
    assert math.copysign(1, empty.area[1]) == 1


def test_an_area_that_float64_does_not_hold() -> None:
    huge, tiny = Region((-1e300, 1e300), (0, 1e300)), Region((0, 1e-300), (0, 1e-300))
    assert prove(ivm.constant(-1), region=huge, resolution=2).area == (
        float(np.finfo(np.float64).max),
        math.inf,
    )
    assert prove(ivm.constant(-1), region=tiny, resolution=2).area == (0, 5e-324)


def test_in_float32_the_region_ends_at_the_floats_beyond_it() -> None:
    found = prove(disc(), region=Region((0.1, 0.7), (0.1, 0.7)), dtype="float32")
    for low, high in (found.region.x, found.region.y):
        assert (low, high) == (np.float32(low), np.float32(high))
        assert low < 0.1 < 0.7 < high
        assert high - low < 0.6 + 1e-6


@FEW
@given(value=st.fractions() | st.builds(Fraction, st.floats(allow_nan=False, allow_infinity=False)))
def test_rounding_down(value: Fraction) -> None:
    below = rounded_down(value)
    above = math.nextafter(below, math.inf)
    assert Fraction(below) <= value
    assert math.isinf(above) or value < Fraction(above)


# refinement


def test_the_tolerance_is_kept() -> None:
    coarse = prove(disc(), resolution=16)
    fine = prove(disc(), resolution=16, tolerance=0.05)
    assert coarse.area[1] - coarse.area[0] > 0.05
    assert fine.area[1] - fine.area[0] <= 0.05
    assert encloses(fine.area, mpmath.pi / 4)
    half = prove(disc(), resolution=fine.image.width // 2).area
    assert half[1] - half[0] > 0.05, "a coarser one would not do"


def test_refinement_ends() -> None:
    found = prove(disc(), resolution=(16, 8), tolerance=0, max_resolution=100)
    assert found.image.pixels.shape == (32, 64)


@pytest.mark.parametrize("tolerance", [-1, float("nan")])
def test_a_tolerance_that_is_none(tolerance: float) -> None:
    with pytest.raises(OptionError, match="give an area, from 0"):
        prove(X, tolerance=tolerance)


def test_a_resolution_that_is_none() -> None:
    with pytest.raises(OptionError, match="the resolution is 0: give at least 1"):
        prove(X, resolution=0)
    with pytest.raises(OptionError, match="the max_resolution is 'high'"):
        prove(X, max_resolution="high")  # type: ignore[arg-type]


def test_a_certificate_has_no_name_of_a_picture(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"names a picture: give a name in \.jsonl"):
        prove(X, resolution=2).save(tmp_path / "proof.png")
    assert not list(tmp_path.iterdir())


# boxes


def images() -> st.SearchStrategy[NDArray[np.uint8]]:
    """Images with large areas of one verdict."""
    sides = st.tuples(st.integers(1, 19), st.integers(1, 19), st.integers(0, 2**32 - 1))

    def drawn(height: int, width: int, seed: int) -> NDArray[np.uint8]:
        random = np.random.default_rng(seed)
        coarse = random.choice(list(VERDICTS.values()), size=(5, 5))
        fine = np.repeat(np.repeat(coarse, 4, axis=0), 4, axis=1)[:height, :width]
        return np.where(random.random((height, width)) < 0.05, VERDICTS["unproven"], fine)

    return sides.map(lambda drawn_from: drawn(*drawn_from))


@FEW
@given(pixels=images())
def test_boxes_are_the_pixels_joined(pixels: NDArray[np.uint8]) -> None:
    height, width = pixels.shape
    cells = Cells(np.arange(width + 1.0), np.arange(height + 1.0)[::-1], pixels)
    again = np.full_like(pixels, MIXED)
    boxes = list(cells.boxes())
    for found in boxes:
        rows = slice(height - int(found.y[1]), height - int(found.y[0]))
        columns = slice(*map(int, found.x))
        assert (again[rows, columns] == MIXED).all(), "no two overlap"
        again[rows, columns] = VERDICTS[found.verdict]
        assert found.pixels == (found.x[1] - found.x[0], found.y[1] - found.y[0])
    np.testing.assert_array_equal(again, pixels)
    assert cells.counts() == {
        name: sum(math.prod(b.pixels) for b in boxes if b.verdict == name) for name in VERDICTS
    }
    inside, outside = (np.count_nonzero(pixels == VERDICTS[n]) for n in ("inside", "outside"))
    assert cells.area() == (inside, width * height - outside)


def test_a_uniform_image_is_one_box() -> None:
    for name, pixel in VERDICTS.items():
        cells = Cells(np.arange(8.0), np.arange(4.0)[::-1], np.full((3, 7), pixel))
        assert [(b.verdict, b.x, b.y) for b in cells.boxes()] == [(name, (0, 7), (0, 3))]


def test_boxes_are_as_large_as_a_quadtree_has_them() -> None:
    pixels = np.zeros((8, 8), np.uint8)
    pixels[0, 0] = 255
    boxes = Cells(np.arange(9.0), np.arange(9.0)[::-1], pixels).boxes()
    sizes = Counter((b.verdict, b.pixels) for b in boxes)
    assert sizes == {
        ("outside", (4, 4)): 3, ("outside", (2, 2)): 3, ("outside", (1, 1)): 3,
        ("inside", (1, 1)): 1,
    }  # fmt: skip


def test_nothing_depends_on_how_many_rows_are_looked_at_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = prove(disc(0.1, 0.2), resolution=(50, 37))
    whole = list(found.boxes)
    monkeypatch.setattr(module, "BAND_PX", 150)
    again = prove(disc(0.1, 0.2), resolution=(50, 37))
    assert sorted(again.boxes) == sorted(whole)
    assert str(again) == str(found)
    assert (again.area, again.bounds) == (found.area, found.bounds)
    assert (again.inside_at, again.outside_at) == (found.inside_at, found.outside_at)
    assert {name for name, *_ in whole} == set(NAMES.values())


def test_boxes_want_areas() -> None:
    image = ivm.render(X, size=4, engine="dense", prove="point")
    with pytest.raises(OptionError, match="proves nothing of areas: render with"):
        Cells.of(image)


# the rest


def test_it_prints_in_two_lines_of_bounds() -> None:
    found = prove(disc(0.1), resolution=100)
    first, second = str(found).splitlines()
    assert first == "crossed: x -1..1, y -1..1, 100x100 cells"
    area, rest = second.split(" of 4, in ")
    low, high = map(float, area.removeprefix("inside: area ").split(" to "))
    assert low <= found.area[0] < found.area[1] <= high
    sides = [tuple(map(float, side[2:].split(".."))) for side in rest.split(", ")]
    assert found.bounds is not None
    for (least, most), (first_end, last_end) in zip(sides, found.bounds, strict=True):
        assert least <= first_end < last_end <= most
        assert most - least < last_end - first_end + 1e-5
    assert str(prove(disc() + 9)).endswith("inside: area 0 to 0 of 4, nowhere")


def test_variables_z_and_defaults() -> None:
    radius = ivm.var("r", 0.25)
    shape = ivm.sqrt(X * X + Y * Y + Z * Z) - radius
    assert prove(shape).variables == {"r": 0.25}
    assert prove(shape, z=0.3).verdict == "empty"
    given = prove(shape.tape(), variables={"r": 0.5}, z=0.3)
    assert (given.verdict, given.variables, given.z) == ("crossed", {"r": 0.5}, 0.3)
    with mpmath.workprec(200):
        exact = mpmath.pi * (mpmath.mpf(0.5) ** 2 - mpmath.mpf(0.3) ** 2)
        assert encloses(given.area, exact)
    with pytest.raises(ivm.VariableError):
        prove(shape.tape())
