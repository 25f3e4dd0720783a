"""Whatever the tape, the size, the region, the depth: pruning changes no pixel.

The walk on NumPy and the compiled one are held to the dense evaluator on NumPy, bit for bit, in
both dtypes, and so are the compiled steps, run at every pixel with nothing pruned.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.lane_kernels import LaneEvaluator
from support.pictures import (
    DTYPES,
    assert_bitmap,
    assert_counts,
    assert_values,
    dense_values,
    pictures,
    samples,
)
from support.strategies import shapes, tapes

import intervalvm as ivm
from intervalvm import Region, Tape
from intervalvm.compiler import pipeline
from intervalvm.compiler.plain import plain_program
from intervalvm.evaluate.arithmetic import Floats
from intervalvm.raster.grid import GRIDS


def lane_values(tape: Tape, options: dict[str, Any]) -> Any:
    """What the compiled steps give at every pixel, with nothing pruned."""
    x, y = samples(options)
    dtype = np.dtype(options["dtype"])
    packed = plain_program(pipeline.folded(tape, Floats(dtype), {"var-z": options["z"]}), dtype)
    return LaneEvaluator(dtype).points(packed, x, y)


def check(tape: Tape, options: dict[str, Any], values: Any, **more: Any) -> None:
    """Render in both modes and hold the pixels to ``values``."""
    for mode, assert_same in (("bitmap", assert_bitmap), ("value", assert_values)):
        image = ivm.render(tape, mode=mode, **options, **more)
        assert_same(image, values)
        assert_counts(image)


TAPES = shapes() | tapes(max_clauses=40)


@given(tape=TAPES, options=pictures(), threads=st.integers(1, 3))
def test_compiled_walk_gives_the_dense_image(
    tape: Tape, options: dict[str, Any], threads: int
) -> None:
    check(tape, options, dense_values(tape, options), threads=threads)


@given(tape=TAPES, options=pictures())
def test_walk_on_numpy_gives_the_dense_image(tape: Tape, options: dict[str, Any]) -> None:
    check(tape, options, dense_values(tape, options), backend="numpy")


@given(tape=TAPES, options=pictures())
def test_compiled_steps_have_the_bits_of_dense_numpy(tape: Tape, options: dict[str, Any]) -> None:
    assert_array_equal(lane_values(tape, options), dense_values(tape, options))


# --- values, however their tiles were reached -----------------------------------------------------

X, Y, _ = ivm.axes()
POLE = ivm.minimum(ivm.atan(Y + X) + ivm.atan(Y), abs(1 / X) + 100).tape()
"""Its pole keeps tiles of one walk from being proven that another proves."""


@st.composite
def frames(draw: st.DrawFn) -> list[Region]:
    """Frames of a picture near the origin, some of them within others."""
    unit = st.floats(-1, 1, width=16)
    scales = st.sampled_from([1.0, 0.5, 0.1, 1.5])
    return [
        Region.around((draw(unit), draw(unit)), draw(scales))
        for _ in range(draw(st.integers(1, 4)))
    ]


@given(
    tape=TAPES,
    regions=frames(),
    options=st.fixed_dictionaries(
        {
            "size": st.sampled_from([64, 65, 17, (33, 100)]),
            "depth": st.none() | st.integers(0, 4),
            "dtype": st.sampled_from(DTYPES),
            "grid": st.sampled_from(list(GRIDS)),
        }
    ),
)
@example(
    tape=POLE,
    regions=[Region.square(), Region.around((0.5, 0), 0.25)],
    options={"size": 65, "depth": 6, "dtype": "float64", "grid": "linspace"},
)
def test_values_are_the_same_bits_whatever_was_drawn_before(
    tape: Tape, regions: list[Region], options: dict[str, Any]
) -> None:
    """Every back end, and a Renderer's frames forth and back, have the bits of dense evaluation."""
    forth, back = (ivm.Renderer(tape, mode="value", threads=1, **options) for _ in range(2))
    expected = [dense_values(tape, options | {"region": r, "z": 0.0}) for r in regions]
    found = {
        "numba": [ivm.render(tape, mode="value", region=r, **options) for r in regions],
        "numpy": [
            ivm.render(tape, mode="value", backend="numpy", region=r, **options) for r in regions
        ],
        "forth": [forth.render(region=r) for r in regions],
        "back": [back.render(region=r) for r in reversed(regions)][::-1],
    }
    for images in found.values():
        for image, values in zip(images, expected, strict=True):
            assert_values(image, values)
