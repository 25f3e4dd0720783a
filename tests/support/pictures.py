"""Options of a render for Hypothesis, and what an image must be beside the dense values."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import intervalvm as ivm
from fuzz.checks import bits
from intervalvm import OptionError, Region, Tape
from intervalvm.raster.grid import GRIDS, coordinates

SIZES = [64, 100, 1, 7, (33, 200), (200, 33), (1, 50), 17, 31, 64, 128, 257]


DTYPES = ["float32", "float64"]


@st.composite
def regions(draw: st.DrawFn) -> Region:
    """Mostly where shapes are; else anywhere, small or large, near the origin or far from it."""
    kind = draw(st.sampled_from(["square", "near", "near", "around", "sides"]))
    if kind == "square":
        return Region.square()
    if kind == "near":
        center = draw(st.floats(-2, 2, width=16)), draw(st.floats(-2, 2, width=16))
        return Region.around(center, draw(st.sampled_from([1.0, 0.1, 0.5, 2.0, 5.0])))
    center = st.floats(-4, 4, width=16) | st.floats(-1e6, 1e6) | st.sampled_from([1e30, -1e30])
    scale = st.sampled_from([1.0, 3.0, 1e-3, 1e-7, 1e-20, 1e6, 1e30, 1e-44]) | st.floats(0.01, 10)
    x, y = draw(center), draw(center)
    try:
        if kind == "around":
            return Region.around((x, y), draw(scale))
        return Region((x, x + draw(scale)), (y, y + draw(scale)))
    except OptionError:  # the scale drowned in the center
        assume(False)
        raise


@st.composite
def pictures(draw: st.DrawFn) -> dict[str, Any]:
    """Options of a render: where, how large, how deep, in what dtype."""
    size = draw(st.sampled_from(SIZES))
    longer = max(size) if isinstance(size, tuple) else size
    return {
        "size": size,
        "region": draw(regions()),
        "grid": draw(st.sampled_from(list(GRIDS))),
        "depth": draw(st.none() | st.integers(0, longer.bit_length() - 1)),
        "dtype": draw(st.sampled_from(DTYPES)),
        "z": draw(st.sampled_from([0.0, 0.5, -3.0])),
    }


def samples(options: dict[str, Any]) -> tuple[Any, Any]:
    """x and y of the pixels, to broadcast; rejects a region beyond what the dtype holds."""
    size = options["size"]
    width, height = size if isinstance(size, tuple) else (size, size)
    try:
        x, y = coordinates(options["region"], width, height, options["grid"], options["dtype"])
    except OptionError:
        assume(False)
    return x[None, :], y[:, None]


def dense_values(tape: Tape, options: dict[str, Any]) -> Any:
    x, y = samples(options)
    return ivm.evaluate(tape, x, y, options["z"], dtype=options["dtype"])


def assert_bitmap(image: Any, values: Any) -> None:
    assert_array_equal(image.pixels, np.where(values < 0, np.uint8(255), np.uint8(0)))
    assert image.stats.pixels["inside"] == np.count_nonzero(values < 0)


def assert_values(image: Any, values: Any) -> None:
    """Each pixel is exact, whatever was proven of its tile."""
    assert image.pixels.dtype == values.dtype
    shown = np.broadcast_to(values, image.pixels.shape)
    assert_array_equal(bits(image.pixels), bits(shown))
    assert image.stats.pixels["inside"] == np.count_nonzero(values < 0)


def assert_counts(image: Any) -> None:
    """Every region is accounted for once, and so is every pixel."""
    levels, pixels = image.stats.levels, image.stats.pixels
    for level in levels:
        assert level.regions == level.inside + level.outside + level.ambiguous
    for level, deeper in pairwise(levels):
        assert level.ambiguous <= deeper.regions <= 64 * level.ambiguous
    assert pixels["evaluated"] <= pixels["total"] == image.pixels.size
    if not any(level.inside or level.outside for level in levels):
        assert pixels["evaluated"] == pixels["total"]
