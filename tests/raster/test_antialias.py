"""Coverage: a pixel is the rounded mean of its samples, by every engine and on every back end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.strategies import shapes

import intervalvm as ivm
from intervalvm import OptionError, Region
from intervalvm.shapes import circle, star

STAR = star(7, outer=0.9, inner=0.4)
GPU_FREE = [("pruned", "numba"), ("pruned", "numpy"), ("dense", "numpy"), ("naive", "numpy")]


def mean(fine: Any, n: int) -> Any:
    """The means of n x n pixels, rounded half up: the definition."""
    height, width = fine.shape
    blocks = fine.reshape(height // n, n, width // n, n).astype(float)
    return np.floor(blocks.mean(axis=(1, 3)) + 0.5).astype(np.uint8)


def defined(shape: Any, n: int, size: tuple[int, int], **options: Any) -> Any:
    fine = ivm.render(shape, engine="dense", size=(n * size[0], n * size[1]), **options)
    return mean(fine.pixels, n)


@given(
    shape=shapes(),
    n=st.integers(1, 16),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    grid=st.sampled_from(["linspace", "center", "fidget"]),
    depth=st.none() | st.just(0),
)
def test_coverage_is_the_mean_of_the_finer_picture(
    shape: Any, n: int, size: tuple[int, int], grid: str, depth: int | None
) -> None:
    image = ivm.render(shape, size=size, antialias=n, grid=grid, depth=depth)
    assert image.pixels.shape == size[::-1]
    assert_array_equal(image.pixels, defined(shape, n, size, grid=grid))


@pytest.mark.parametrize(("engine", "backend"), GPU_FREE)
@pytest.mark.parametrize("n", [2, 3, 4, 16])
def test_every_engine_has_the_same_coverage(engine: str, backend: str, n: int) -> None:
    size, region = (37, 22), Region.around((0.2, 0.1), 0.9)
    image = ivm.render(STAR, size=size, region=region, antialias=n, engine=engine, backend=backend)
    expected = defined(STAR, n, size, region=region)
    assert_array_equal(image.pixels, expected)
    fine = ivm.render(STAR, size=(37 * n, 22 * n), region=region)
    assert image.stats.pixels["inside"] == fine.stats.pixels["inside"]
    assert image.stats.pixels["total"] == fine.pixels.size
    assert image.antialias == image.stats.antialias == n


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("n", [2, 4, 5])
def test_a_crop_and_threads_and_float64(n: int, threads: int) -> None:
    options: dict[str, Any] = {"size": (200, 120), "antialias": n, "dtype": "float64"}
    whole = ivm.render(STAR, **options).pixels
    part = ivm.render(STAR, **options, crop=(33, 17, 130, 118), threads=threads)
    assert_array_equal(part.pixels, whole[17:118, 33:130])
    assert_array_equal(
        part.samples()[0], ivm.render(STAR, **options).samples()[0][33 * n : 130 * n]
    )


def test_it_draws_into_an_array_that_is_given() -> None:
    out = np.full((50, 60), 7, np.uint8)
    renderer = ivm.Renderer(STAR, size=(60, 50), antialias=4, out=out)
    for scale in (1.0, 0.5, 0.4):
        region = Region.around((0.3, 0), scale)
        image = renderer.render(region=region)
        assert image.pixels is out
        assert_array_equal(out, defined(STAR, 4, (60, 50), region=region))


def test_the_middle_of_a_disc_is_full_and_its_rim_is_grey() -> None:
    pixels = ivm.render(circle(0.9), size=64, antialias=8, grid="center").pixels
    assert pixels[32, 32] == 255
    assert pixels[0, 0] == 0
    share = pixels.mean() / 255
    assert abs(share - np.pi * 0.9**2 / 4) < 1e-3  # of 512 x 512 samples


def test_half_a_pixel_is_rounded_up() -> None:
    x, _, _ = ivm.axes()
    image = ivm.render(x < 0, size=1, antialias=2, grid="center")
    assert image.pixels.tolist() == [[128]]


@pytest.mark.parametrize("given", [0, -1, 17, 2.5, "4", None])
def test_a_wrong_number_of_samples_is_refused(given: Any) -> None:
    with pytest.raises(OptionError, match="an integer from 1 to 16"):
        ivm.render(STAR, antialias=given)


@pytest.mark.parametrize("other", [{"mode": "value"}, {"prove": "area"}, {"prove": "point"}])
def test_only_a_bitmap_has_coverage(other: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="antialias=4 with"):
        ivm.render(STAR, antialias=4, **other)


def test_its_statistics_tell_of_samples() -> None:
    text = str(ivm.render(STAR, size=100, antialias=4).stats)
    assert "100x100 pixels of 4x4 samples" in text
    assert "samples inside" in text
