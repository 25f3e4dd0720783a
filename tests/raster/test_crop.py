"""Crops: a part of a larger picture, at that picture's samples, and the tiles that make it up."""

from __future__ import annotations

import itertools
import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import intervalvm as ivm
from intervalvm.cli import main
from intervalvm.jit.layout import UNPROVEN
from intervalvm.proof.cells import Cells
from intervalvm.proof.certificate import Subject, write_certificate
from intervalvm.raster.grid import GRIDS, coordinates, edges
from intervalvm.raster.region import MOST_PX, Crop, Region

X, Y, _ = ivm.axes()
RING = ivm.absolute(ivm.sqrt(X * X + Y * Y) - 0.6) - 0.21 * ivm.sin(9.0 * X)
REGION = Region((-1.1, 0.3), (-0.7, 0.9))
SIZE = 61, 47
"""Primes: no tile divides them."""


def tiles(size: tuple[int, int], across: int, down: int) -> list[Crop]:
    """Crops that cover a picture."""
    columns = np.linspace(0, size[0], across + 1).astype(int).tolist()
    rows = np.linspace(0, size[1], down + 1).astype(int).tolist()
    return [
        (left, top, right, bottom)
        for (left, right), (top, bottom) in itertools.product(
            itertools.pairwise(columns), itertools.pairwise(rows)
        )
    ]


def put_together(size: tuple[int, int], draw: Any) -> np.ndarray[Any, Any]:
    """The picture made of its tiles."""
    whole: Any = None
    for crop in tiles(size, 3, 4):
        left, top, right, bottom = crop
        image = draw(crop)
        if whole is None:
            whole = np.empty(size[::-1], image.pixels.dtype)
        assert image.pixels.shape == (bottom - top, right - left)
        whole[top:bottom, left:right] = image.pixels
    return whole


@st.composite
def crops(draw: st.DrawFn) -> tuple[int, int, Crop]:
    width, height = draw(st.integers(1, 200)), draw(st.integers(1, 200))
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    right, bottom = draw(st.integers(left + 1, width)), draw(st.integers(top + 1, height))
    return width, height, (left, top, right, bottom)


@given(crops(), st.sampled_from([*GRIDS]), st.sampled_from(["float32", "float64"]), st.data())
def test_samples_and_edges_are_those_of_the_whole(
    crop: tuple[int, int, Crop], grid: str, dtype: str, data: st.DataObject
) -> None:
    width, height, (left, top, right, bottom) = crop
    ends = [-3.7, -1.0, -1e-30, -5e-324, 0.0, 5e-324, 1e-30, 0.1, 1.0, 1e9]
    pairs = st.sampled_from(list(itertools.combinations(ends, 2)))
    region = Region(data.draw(pairs), data.draw(pairs))
    for make, more in ((coordinates, 0), (edges, 1)):
        x, y = make(region, width, height, grid, dtype)
        part_x, part_y = make(region, width, height, grid, dtype, (left, top, right, bottom))
        assert part_x.tobytes() == x[left : right + more].tobytes()
        assert part_y.tobytes() == y[top : bottom + more].tobytes()


@given(
    st.floats(-1e300, 1e300), st.floats(-1e300, 1e300), st.integers(1, 500), st.floats(0, 1e-300)
)
def test_the_default_grid_is_numpys_linspace(low: float, high: float, n: int, tiny: float) -> None:
    for a, b in ((low, high), (-tiny, tiny)):
        if a < b:
            x, _ = coordinates(Region((a, b), (0, 1)), n, 1, "linspace", "float64")
            assert x.tobytes() == np.minimum(np.linspace(a, b, n), b).tobytes()


WAYS: list[dict[str, Any]] = [
    {},
    {"threads": 1, "dtype": "float64"},
    {"backend": "numpy"},
    {"engine": "dense"},
    {"engine": "naive"},
    {"mode": "value"},
    {"backend": "numpy", "mode": "value"},
    {"engine": "dense", "mode": "value"},
    {"engine": "naive", "mode": "value", "dtype": "float64"},
    {"engine": "dense", "prove": "point"},
    {"engine": "dense", "prove": "area"},
]


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_tiles_put_together_are_the_picture(way: dict[str, Any], grid: str) -> None:
    picture = {"size": SIZE, "region": REGION, "grid": grid, **way}
    whole = ivm.render(RING, **picture).pixels
    made = put_together(SIZE, lambda crop: ivm.render(RING, crop=crop, **picture))
    assert made.tobytes() == whole.tobytes()
    assert len(np.unique(whole)) > 1, "a picture with something on it"


@pytest.mark.parametrize("prove", ["point", "area"])
@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_proven_tiles_contradict_nothing(backend: str, prove: str) -> None:
    picture = {"size": SIZE, "region": REGION, "prove": prove}
    whole = ivm.render(RING, engine="dense", **picture).pixels
    made = put_together(SIZE, lambda crop: ivm.render(RING, crop=crop, backend=backend, **picture))
    both = (whole != UNPROVEN) & (made != UNPROVEN)
    np.testing.assert_array_equal(made[both], whole[both])
    assert both.mean() > 0.5


def test_a_renderer_crops_too() -> None:
    picture = {"size": SIZE, "region": REGION}
    frames = ivm.Renderer(RING, **picture)
    whole = ivm.render(RING, **picture).pixels
    np.testing.assert_array_equal(put_together(SIZE, lambda crop: frames.render(crop=crop)), whole)


@pytest.mark.parametrize("grid", GRIDS)
def test_the_regions_of_tiles_meet_and_cover_the_whole(grid: str) -> None:
    picture = {"size": SIZE, "grid": grid, "engine": "dense"}
    whole = ivm.render(RING, **picture).region
    regions = {crop: ivm.render(RING, crop=crop, **picture).region for crop in tiles(SIZE, 3, 4)}
    for (left, top, right, bottom), region in regions.items():
        for (other_left, other_top, *_), other in regions.items():
            assert (region.x[1] == other.x[0]) == (right == other_left)
            assert (region.y[0] == other.y[1]) == (bottom == other_top)
        assert (region.x[0] == whole.x[0]) == (left == 0)
        assert (region.x[1] == whole.x[1]) == (right == SIZE[0])
        assert (region.y[1] == whole.y[1]) == (top == 0)
        assert (region.y[0] == whole.y[0]) == (bottom == SIZE[1])


def test_all_of_a_picture_is_the_picture() -> None:
    whole = ivm.render(RING, size=SIZE, engine="dense")
    crop = ivm.render(RING, size=SIZE, engine="dense", crop=(0, 0, *SIZE))
    assert crop.region == whole.region
    assert (crop.crop, whole.crop) == ((0, 0, *SIZE), None)
    assert crop.pixels.tobytes() == whole.pixels.tobytes()


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("low", [1.0, -(2.0**90), 5e-324, -5e-324])
def test_pictures_of_a_few_floats_have_tiles_too(grid: str, low: float) -> None:
    """Where float64 does not tell the ends of a tile apart."""
    side = low, math.nextafter(math.nextafter(low, math.inf), math.inf)
    picture = {"size": (41, 17), "region": Region(side, side), "grid": grid, "dtype": "float64"}
    whole = ivm.render(X - Y, engine="dense", mode="value", **picture)

    def tile(crop: Crop) -> ivm.Image:
        image = ivm.render(X - Y, crop=crop, engine="dense", mode="value", **picture)
        assert all(side[0] <= a < b <= side[1] for a, b in (image.region.x, image.region.y))
        return image

    assert put_together((41, 17), tile).tobytes() == whole.pixels.tobytes()


def test_an_image_knows_its_samples() -> None:
    whole = ivm.render(RING, size=SIZE, engine="dense", mode="value")
    crop = ivm.render(RING, size=SIZE, engine="dense", mode="value", crop=(3, 5, 20, 31))
    for image in (whole, crop, pickle.loads(pickle.dumps(crop))):
        x, y = image.samples()
        np.testing.assert_array_equal(ivm.evaluate(RING, x, y[:, None]), image.pixels)


def test_what_is_proven_of_a_crop_is_about_its_own_cells() -> None:
    left, top, right, bottom = crop = 20, 11, 33, 40
    proven = {"size": SIZE, "engine": "dense", "prove": "area"}
    whole, part = (Cells.of(ivm.render(RING, crop=c, **proven)) for c in (None, crop))
    assert part.x.tobytes() == whole.x[left : right + 1].tobytes()
    assert part.y.tobytes() == whole.y[top : bottom + 1].tobytes()
    assert part.pixels.tobytes() == whole.pixels[top:bottom, left:right].tobytes()


def test_no_certificate_of_a_crop(tmp_path: Any) -> None:
    image = ivm.render(X, size=8, crop=(0, 0, 4, 4), prove="area", engine="dense")
    subject = Subject.of_tape(X.tape(), 0.0, {})
    with pytest.raises(ivm.OptionError, match="a certificate is about a whole picture"):
        write_certificate(tmp_path / "a.jsonl", image, subject)


def test_a_picture_too_large_to_draw_is_drawn_in_part() -> None:
    """Nothing that is made is as long as the whole is wide."""
    last = MOST_PX, MOST_PX
    with pytest.raises(ivm.DoesNotFit):
        ivm.render(X, size=MOST_PX)
    image = ivm.render(X + Y, size=last, crop=(MOST_PX - 9, 0, MOST_PX, 7), max_memory="1M")
    x, y = image.samples()
    assert (image.width, image.height) == (9, 7)
    assert (x[-1], y[0]) == (1.0, 1.0)


def test_the_command_line_crops(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    ivm.save(RING, "ring.vm")
    words = ["ring.vm", "--size", "61x47", "--engine", "dense", "--out"]
    assert main([*words, "all.npy", "--check"]) == 0
    assert main([*words, "part.npy", "--check", "--crop", "20", "11", "33", "40"]) == 0
    np.testing.assert_array_equal(np.load("part.npy"), np.load("all.npy")[11:40, 20:33])
    assert main([*words, "no.npy", "--crop", "20", "11", "62", "40"]) == 2
    assert main([*words, "no.npy", "--crop", "0", "0", "9", "9", "--certificate", "c"]) == 2
    assert "is no part of a picture of 61x47 pixels" in (said := capsys.readouterr().err)
    assert "leave --crop out" in said
    assert not (tmp_path / "no.npy").exists()


@pytest.mark.parametrize(
    "crop",
    [
        *[(0, 0, 62, 47), (0, 0, 61, 48), (-1, 0, 5, 5), (5, 0, 5, 9), (0, 9, 5, 3)],
        *[(0, 0, 5), (0, 0, 5.0, 5), (0, 0, True, 5), "1234", {0, 1, 2, 3}, 5, (0, 0, 10**400, 9)],
    ],
)
def test_crops_that_are_none(crop: Any) -> None:
    with pytest.raises(ivm.OptionError, match=r"^crop="):
        ivm.render(RING, size=SIZE, crop=crop)


@pytest.mark.parametrize("grid", GRIDS)
def test_seams_of_subdivided_regions_are_as_the_page_says(grid: str) -> None:
    """Thirds of a region: but in "linspace" the samples are the whole's, to their last bits."""
    third, ends = 21, (-1.0, -1 / 3, 1 / 3, 1.0)
    whole, _ = coordinates(Region((-1, 1), (-1, 1)), 3 * third, 1, grid, "float64")
    parts = [
        coordinates(Region(pair, (-1, 1)), third, 1, grid, "float64")[0]
        for pair in itertools.pairwise(ends)
    ]
    gap = np.abs(np.concatenate(parts) - whole).max()
    assert gap > 0.01 if grid == "linspace" else 0 < gap <= np.finfo(np.float64).eps
