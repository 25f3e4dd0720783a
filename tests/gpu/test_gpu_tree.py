"""Points through a tree on a GPU, as far as that goes without one: simulated.

Tests at the end, marked ``gpu``, run on a device and skip with the reason where there is none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.cuda_simulator import run_simulated
from support.operations import DTYPES
from support.places import TOP

import intervalvm as ivm
from intervalvm.evaluate.evaluator import NumpyEvaluator


def test_the_tree_thread_by_thread() -> None:
    run_simulated("tree")


# --- on a device ----------------------------------------------------------------------------------


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["random", "grid", "clustered"])
@pytest.mark.parametrize("count", [100_000, 1_000_000, 20_000_000])
def test_prospero_at_many_points(count: int, kind: str, dtype: Any) -> None:
    import cupy

    tape, random = ivm.load(TOP / "prospero.vm"), np.random.default_rng(1)
    side = int(np.sqrt(count))
    if kind == "grid":
        x, y = (a.ravel() for a in np.meshgrid(*[np.linspace(-1, 1, side)] * 2))
    else:
        x, y = random.uniform(-1, 1, (2, side * side)) ** (9 if kind == "clustered" else 1)
    x, y = x.astype(dtype), y.astype(dtype)
    x[:3], y[3:6] = (np.nan, np.inf, -np.inf), (np.nan, np.inf, -np.inf)
    points = [cupy.asarray(axis) for axis in (x, y)]
    found = ivm.Evaluator(tape, dtype=dtype, backend="cuda").values(*points).get()
    assert_array_equal(found, ivm.Evaluator(tape, dtype=dtype).values(x, y))
    if count <= 1_000_000:
        found = ivm.Evaluator(tape, dtype=dtype, backend="cuda").gradients(*points).get()
        expected = ivm.Evaluator(tape, dtype=dtype).gradients(x, y)
        is_number = expected[0] == expected[0]
        assert_array_equal(found[:, is_number], expected[:, is_number])


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_solid_at_many_points(dtype: Any) -> None:
    import cupy

    from intervalvm.gpu import tree
    from intervalvm.gpu.evaluator import CudaEvaluator

    x, y, z = ivm.axes()
    shape = ivm.sqrt(x * x + y * y + z * z) - 0.75
    for k in range(200):
        shape = ivm.maximum(shape, abs(x * (k % 7) - y) + abs(z - k / 100) - 1)
    tape, names, chosen = shape.tape(), ("x", "y", "z"), np.dtype(dtype)
    points = np.random.default_rng(1).uniform(-1, 1, (3, 1_000_000)).astype(dtype)
    assert tree.steps_for(len(tape), 1_000_000) == 2
    found = CudaEvaluator(tape, names, chosen).values([cupy.asarray(axis) for axis in points])
    some = slice(0, 100_000)
    expected = NumpyEvaluator(tape, names, chosen).values([axis[some] for axis in points])
    assert_array_equal(found.get()[some], expected)
