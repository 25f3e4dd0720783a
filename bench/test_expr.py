"""Expressions: how long building, listing, folding and differentiating them takes."""

from __future__ import annotations

from typing import Any

import numpy as np

import intervalvm as ivm
from bench.subject import Subject

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
