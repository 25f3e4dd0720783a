"""The kernels of leaf batches and dense evaluation, thread by thread: see ``test_gpu_kernels``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.cuda_simulator import simulate_with_cupy
from support.fake_cupy import FakeArray, FakeDevice
from support.operations import bits

import intervalvm as ivm
from intervalvm import Tape
from intervalvm.gpu import batches
from intervalvm.ops import ROWS


@pytest.fixture(autouse=True)
def gpu(monkeypatch: pytest.MonkeyPatch) -> FakeDevice:
    return simulate_with_cupy(monkeypatch)


def check(tape: Tape, *modes: str, **options: Any) -> None:
    for mode in modes:
        found = ivm.render(tape, backend="cupy", mode=mode, **options)
        expected = ivm.render(tape, mode=mode, **options)
        assert_array_equal(found.pixels, expected.pixels)
        assert found.stats.pixels == expected.stats.pixels
        assert_array_equal(found.bitmap(), ivm.render(tape, engine="dense", **options).pixels)


def picture() -> Tape:
    x, y, _ = ivm.axes()
    return ivm.minimum(ivm.sqrt(x * x + y * y) - 0.75, x * y + 0.25).tape()


@pytest.mark.parametrize(("dtype", "mode"), [("float32", "bitmap"), ("float64", "value")])
def test_a_picture(dtype: str, mode: str) -> None:
    check(picture(), mode, size=(20, 17), dtype=dtype, threads=2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_long_programs(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """More blocks than blocks of threads, so that these take several."""
    monkeypatch.setattr(batches, "MOST_SCRATCH", 1)
    monkeypatch.setattr(batches, "LOCAL_PLACES", 4)
    check(
        picture(), "bitmap" if dtype == "float64" else "value", size=(20, 9), depth=0, dtype=dtype
    )


def test_nan() -> None:
    x, y, _ = ivm.axes()
    check(ivm.minimum(ivm.sqrt(x), y).tape(), "bitmap", "value", size=(12, 9))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_operation(dtype: str) -> None:
    """In one picture: how the value of each compares with x, added."""
    lines, total = ["x var-x\ny var-y\nm mul x y\n"], "m"
    for op in (op for op in ROWS if op.arity):
        lines.append(f"v{op.name} {op.name} {'m y' if op.arity == 2 else 'm'}\n")
        lines.append(f"c{op.name} compare v{op.name} x\nt{op.name} add {total} c{op.name}\n")
        total = f"t{op.name}"
    check(
        ivm.parse("".join([*lines, f"k const 3\nr sub {total} k\n"])), "value", size=16, dtype=dtype
    )


@pytest.mark.parametrize(("given", "dtype"), [("float32", "float64"), ("float64", "float32")])
@pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning")
def test_arrays_of_another_dtype(gpu: FakeDevice, given: str, dtype: str) -> None:
    values = np.array([1e-40, -1e-45, 1 / 3, -0.0, 0.0, 3e38, -np.inf, np.nan], given)
    if given == "float64":
        values = np.concatenate((values, [1e300, -1e-300, 1 + 2**-24, 1 + 3 * 2**-24]))
    values = np.resize(values, 300)
    tape = ivm.parse("x var-x\ny var-y\nv add x y")
    found = ivm.evaluate(tape, FakeArray(gpu, values), -0.0, backend="cupy", dtype=dtype)
    expected = ivm.evaluate(tape, values, -0.0, dtype=dtype)
    assert_array_equal(bits(found.get()), bits(expected))
