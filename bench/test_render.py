"""A picture, by every engine and back end: ``pytest bench`` compares those of one size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import intervalvm as ivm
from bench.engines import NAIVE_MOST, broadcasting
from bench.subject import Subject, cpus

SIZES = (256, 512, 1024, 2048, 4096)
EVERY = sorted({1, cpus()})


def time(benchmark: Any, shape: Subject, size: int, *, rounds: int = 0, **options: Any) -> None:
    """Check the image, which warms up, then time it: ``rounds`` runs, or as many as are useful."""
    benchmark.group = f"{size}x{size}"

    def render() -> Any:
        return ivm.render(shape.tape, size=size, **options).pixels

    shape.check(render())
    if rounds:
        benchmark.pedantic(render, rounds=rounds)
    else:
        benchmark(render)


def test_naive(benchmark: Any, shape: Subject) -> None:
    time(benchmark, shape, NAIVE_MOST, engine="naive", rounds=3)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("size", [256, 512, 1024])
def test_dense(benchmark: Any, shape: Subject, size: int, dtype: str) -> None:
    time(benchmark, shape, size, engine="dense", dtype=dtype, rounds=3)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("size", [256, 512, 1024])
def test_dense_broadcast(benchmark: Any, shape: Subject, size: int, dtype: str) -> None:
    benchmark.group = f"{size}x{size}"
    bitmap = broadcasting(dtype)
    shape.check(bitmap(shape.tape, size))
    benchmark.pedantic(bitmap, (shape.tape, size), rounds=3)


@pytest.mark.parametrize("size", [256, 512])
def test_pruned_numpy(benchmark: Any, shape: Subject, size: int) -> None:
    time(benchmark, shape, size, backend="numpy", rounds=3)


@pytest.mark.parametrize("threads", EVERY)
@pytest.mark.parametrize("size", SIZES)
def test_pruned_numba(benchmark: Any, shape: Subject, size: int, threads: int) -> None:
    time(benchmark, shape, size, backend="numba", threads=threads)


@pytest.mark.parametrize("size", [256, 512, 1024])
def test_pruned_numba_float64(benchmark: Any, shape: Subject, size: int) -> None:
    time(benchmark, shape, size, backend="numba", threads=1, dtype="float64")


def test_pruned_numba_values(benchmark: Any, shape: Subject) -> None:
    """Not the bitmap but numbers: every pixel is evaluated, by what choices leave of the tape."""
    benchmark.group = "1024x1024"

    def render() -> Any:
        return ivm.render(shape.tape, size=1024, mode="value", threads=1).pixels

    shape.check(np.where(render() < 0, np.uint8(255), np.uint8(0)))
    benchmark(render)


def test_first_frame(benchmark: Any, shape: Subject) -> None:
    """A tape that was never drawn: what depends on it alone is computed too."""
    benchmark.group = "1024x1024"
    shape.check(ivm.render(shape.tape, size=1024).pixels)

    def setup() -> tuple[tuple[ivm.Tape], dict[str, Any]]:
        return (ivm.parse(shape.text),), {}

    def render(tape: ivm.Tape) -> None:
        ivm.render(tape, size=1024, threads=1)

    benchmark.pedantic(render, setup=setup, rounds=10)
