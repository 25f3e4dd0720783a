"""Kernels for a GPU without one: run by numba-cuda's simulator.

Tests at the end, marked ``gpu``, run on a device and skip with the reason where there is none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.cuda_simulator import run_simulated
from support.operations import DTYPES

import intervalvm as ivm
from intervalvm import Tape
from intervalvm.ops import ROWS, Op


def test_the_kernels_of_the_leaf_batches() -> None:
    run_simulated("blocks")


# --- on a device ----------------------------------------------------------------------------------


SIZES = [64, 100, (257, 31), 1024]


def shapes() -> dict[str, Tape]:
    x, y, _ = ivm.axes()
    long = x * y
    for i in range(200):
        long = (long + (x if i % 2 else y)) * y
    disc = ivm.sqrt(x * x + y * y) - 0.75
    return {
        "disc": ivm.minimum(disc, x * y + 0.25).tape(),
        "NaN": ivm.minimum(ivm.sqrt(x), y).tape(),
        "functions": (ivm.sin(9 * x) * ivm.exp(y) - ivm.atan2(y, x) * 0.25).tape(),
        "long": (long - 0.125).tape(),
        "noise": (ivm.rand(ivm.mix(x * 1.37, y)) - 0.5).tape(),
    }


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", shapes())
def test_every_engine_gives_the_picture_of_numpy(name: str, dtype: str, size: Any) -> None:
    tape, options = shapes()[name], {"size": size, "dtype": dtype}
    expected = ivm.render(tape, engine="dense", mode="value", **options).pixels
    found = ivm.render(tape, engine="dense", backend="cupy", mode="value", **options).pixels
    assert_array_equal(found, expected)
    bitmap = np.where(expected < 0, np.uint8(255), np.uint8(0))
    for engine in ("dense", "pruned"):
        image = ivm.render(tape, engine=engine, backend="cupy", **options)
        assert_array_equal(image.pixels, bitmap)
        assert image.stats.pixels["inside"] == np.count_nonzero(bitmap)
    image = ivm.render(tape, backend="cupy", mode="value", **options)
    assert_array_equal(image.pixels, ivm.render(tape, mode="value", **options).pixels)


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
def test_many_frames_and_threads() -> None:
    tape = shapes()["noise"]
    expected = ivm.render(tape, engine="dense", size=512).pixels
    for threads in (1, 2, 5, 5, 1):
        found = ivm.render(tape, backend="cupy", size=512, threads=threads)
        assert_array_equal(found.pixels, expected)


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("engine", ["dense", "naive", "pruned"])
def test_subnormal_numbers_count(engine: str) -> None:
    x, y, _ = ivm.axes()
    region = ivm.Region((-1e-20, 1e-20), (-1e-20, 1e-20))
    options: dict[str, Any] = {"size": 64, "region": region}
    expected = ivm.render(x * y, engine="dense", **options).pixels
    assert 0 < np.count_nonzero(expected) < expected.size
    found = ivm.render(x * y, engine=engine, backend="cupy", **options)
    assert_array_equal(found.pixels, expected)


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", [op for op in ROWS if op.arity], ids=lambda op: op.name)
def test_every_operation_has_the_bits_of_numpy(op: Op, dtype: str) -> None:
    info = np.finfo(dtype)
    special = [0.0, 0.5, 1.5, 2.5, 3.0, 1e-30, float(info.tiny), float(info.smallest_subnormal)]
    special += [float(info.max), np.inf, np.pi, 1e5]
    values = np.array([*special, *(-v for v in special), np.nan])
    a, b = (grid.ravel() for grid in np.meshgrid(values, values))
    tape = ivm.parse(f"x var-x\ny var-y\nv {op.name} {'x y' if op.arity == 2 else 'x'}")
    found = ivm.evaluate(tape, a, b, backend="cupy", dtype=dtype).get()
    expected = ivm.evaluate(tape, a, b, dtype=dtype)
    assert_array_equal(found, expected)
    assert_array_equal(np.signbit(found)[found == 0], np.signbit(expected)[expected == 0])


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
def test_bands_on_the_device() -> None:
    tape, options = shapes()["disc"], {"size": 1024, "engine": "dense"}
    found = ivm.render(tape, backend="cupy", max_memory=10 << 20, **options)
    assert_array_equal(found.pixels, ivm.render(tape, **options).pixels)
