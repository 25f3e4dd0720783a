"""Maps of tiles: what they say is what the walk did, and what the pixels are."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.strategies import shapes

import intervalvm as ivm
from intervalvm import DoesNotFit, OptionError
from intervalvm.raster import quadtree
from intervalvm.shapes import circle, star

STAR = star(7, outer=0.9, inner=0.4)
PRUNED = ["numba", "numpy"]


@pytest.mark.parametrize("backend", PRUNED)
@given(
    shape=shapes(),
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    prove=st.sampled_from([None, "point", "area"]),
)
def test_a_map_agrees_with_pixels_and_counts(
    backend: str, shape: Any, size: tuple[int, int], prove: str | None
) -> None:
    image = ivm.render(shape, size=size, backend=backend, prove=prove)
    verdict, clauses = image.map("verdict"), image.map("clauses")
    level, side = image.map("level"), 1 << image.stats.depth
    assert verdict.shape == clauses.shape == level.shape == (side, side)
    pixels = image.map("verdict", per="pixel")
    for shown in (0, 255):
        assert_array_equal(image.pixels[pixels == shown], shown)
    assert image.stats.pixels["evaluated"] == np.count_nonzero(pixels == 128)
    leaves = image.stats.levels[-1]
    ambiguous = verdict == 128
    assert np.count_nonzero(ambiguous) == leaves.ambiguous
    assert_array_equal(level[ambiguous], image.stats.depth)
    assert clauses[ambiguous].sum() == round(leaves.mean_clauses * leaves.ambiguous)
    assert_array_equal(clauses[(verdict == 0) | (verdict == 255)], 0)


@pytest.mark.parametrize("backend", PRUNED)
def test_tiles_without_a_pixel_are_marked(backend: str) -> None:
    image = ivm.render(circle(2), size=(64, 3), backend=backend, depth=3)
    tall = [tile for tile in range(8) if (tile + 1) * 3 // 8 > tile * 3 // 8]
    for kind in ("verdict", "clauses", "level"):
        found = image.map(kind)
        assert_array_equal(np.delete(found, tall, axis=0), -1)
        assert (found[tall] >= 0).all()
        assert image.map(kind, per="pixel").shape == (3, 64)
        assert (image.map(kind, per="pixel") >= 0).all()


def test_a_pixel_belongs_to_the_tile_that_the_walk_gives_it() -> None:
    image = ivm.render(STAR, size=(50, 37), depth=4)
    level = image.map("level", per="pixel")
    for line in range(16):
        for column in range(16):
            rows, columns = quadtree.Tile(4, column, line).pixels(50, 37)
            assert_array_equal(level[rows, columns], image.map("level")[line, column])


@pytest.mark.parametrize("n", [2, 5])
def test_the_tiles_of_coverage_are_tiles_of_pixels(n: int) -> None:
    image = ivm.render(STAR, size=100, antialias=n)
    pixels = image.map("verdict", per="pixel")
    assert_array_equal(image.pixels[pixels == 255], 255)
    assert_array_equal(image.pixels[pixels == 0], 0)
    assert image.stats.pixels["evaluated"] == n**2 * np.count_nonzero(pixels == 128)


def test_values_are_evaluated_everywhere() -> None:
    image = ivm.render(STAR, size=64, mode="value")
    assert_array_equal(image.map("verdict"), 128)


def test_threads_fill_one_map() -> None:
    tape = STAR.tape()
    one = ivm.render(tape, size=500, threads=1).map("clauses")
    assert_array_equal(ivm.render(tape, size=500, threads=4).map("clauses"), one)


def test_what_has_no_map_says_why() -> None:
    image = ivm.render(STAR, size=32)
    with pytest.raises(OptionError, match="map 'colours'"):
        image.map("colours")
    with pytest.raises(OptionError, match="per='leaf': choose"):
        image.map("level", per="leaf")
    with pytest.raises(OptionError, match="engine='dense' has no tiles to map: choose 'pruned'"):
        ivm.render(STAR, size=32, engine="dense").map()
    with pytest.raises(OptionError, match="an image from a pickle has no maps"):
        pickle.loads(pickle.dumps(image)).map()
    with pytest.raises(DoesNotFit, match="maps of depth 10"):
        ivm.render(STAR, size=1024, depth=10, max_memory="16M").map()
