"""Expressions: how long building, listing, folding and differentiating them takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import intervalvm as ivm
from bench.subject import Subject
from intervalvm.shapes import polygon, star

NODES = 100_000


def chain() -> ivm.Expr:
    """A sum and a choice by turns, ``NODES`` of them, each on the one before."""
    x, y, _ = ivm.axes()
    shape = x
    for i in range(NODES):
        shape = ivm.minimum(shape, y) if i % 2 else shape + y
    return shape


def test_build(benchmark: Any) -> None:
    """Build the expression and list its clauses."""
    assert len(chain().tape()) == NODES + 2
    benchmark(lambda: chain().tape())


def test_print(benchmark: Any) -> None:
    shape = chain()
    assert len(str(shape).split("\n")) > 1000
    benchmark(str, shape)


def test_fold(benchmark: Any, shape: Subject) -> None:
    x, y = np.random.default_rng(1).uniform(-1, 1, (2, 4096)).astype(np.float32)
    np.testing.assert_array_equal(ivm.fold(shape.tape)(x, y), shape.tape(x, y))
    benchmark(ivm.fold, shape.tape)


def test_grad(benchmark: Any, shape: Subject) -> None:
    """4,096 points; ``test_evaluate_points`` of the tape is the same without slopes."""
    x, y = np.random.default_rng(1).uniform(-1, 1, (2, 4096)).astype(np.float32)
    np.testing.assert_array_equal(ivm.grad(shape.tape, x, y).value, shape.tape(x, y))
    benchmark(ivm.grad, shape.tape, x, y)


@pytest.mark.parametrize("teeth", [250, 500, 1000, 2000])
def test_rack(benchmark: Any, teeth: int) -> None:
    """A regular zigzag on a bar; making it should take twice as long for twice the teeth."""
    tips = [(i / 2, i % 2 * 5.0) for i in range(2 * teeth + 1)]
    corners = [(0.0, -1.0), *tips, (float(teeth), -1.0)]
    inside = ivm.evaluate(polygon(corners), np.arange(teeth) + np.array([[0.5], [0.1]]), 4.0)
    assert (inside < 0).sum(axis=1).tolist() == [teeth, 0]
    benchmark(polygon, corners)


@pytest.mark.parametrize("points", [500, 1000, 2000, 4000])
def test_star(benchmark: Any, points: int) -> None:
    assert ivm.evaluate(star(points, 0.8, 0.5), 0.0, 0.79) < 0
    benchmark(star, points, 0.8, 0.5)
