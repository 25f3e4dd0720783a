"""Cells: what subdivision proves, and the lattice that it stands on."""

from __future__ import annotations

import numpy as np
import pytest

import intervalvm as ivm
from intervalvm.cells.frame import Frame
from intervalvm.cells.subdivision import INSIDE, OUTSIDE, SPLIT, UNDECIDED, offsets, subdivide
from intervalvm.jit.evaluator import CompiledEvaluator
from intervalvm.shapes import circle, sphere
from intervalvm.words import Meaning

NEVER = 99


def tree_of(shape: ivm.Shape, inputs: str, depth: int, region: float = 1.0):
    reals = CompiledEvaluator(shape.tape(), tuple(inputs), np.dtype(np.float64), Meaning.REAL)
    frame = Frame.around([(-region, region)] * len(inputs))
    return subdivide(reals, frame, depth, tolerance=0.0, coarsest=NEVER)


@pytest.mark.parametrize(("shape", "inputs"), [(circle(0.6), "xy"), (sphere(0.6), "xyz")])
def test_leaves_cover_the_frame_and_verdicts_hold_at_corners(shape: ivm.Shape, inputs: str) -> None:
    tree = tree_of(shape, inputs, 5)
    leaves = tree.verdict != SPLIT
    assert np.array_equal(leaves, tree.first_child < 0)
    shares = np.ldexp(1.0, -len(inputs) * tree.level[leaves].astype(np.int32))
    assert shares.sum() == 1.0
    for corner in offsets(len(inputs)):
        points = [
            tree.frame.coordinates(axis, tree.at[:, axis] + corner[axis], tree.level)
            for axis in range(len(inputs))
        ]
        values = ivm.evaluate(shape, *points, dtype="float64")
        assert (values[tree.verdict == OUTSIDE] >= 0).all()
        assert (values[tree.verdict == INSIDE] < 0).all()
    assert (tree.level[tree.verdict == UNDECIDED] == 5).all()


def test_children_lie_in_their_parent() -> None:
    tree = tree_of(circle(0.6), "xy", 4)
    for node in np.flatnonzero(tree.first_child >= 0):
        first = tree.first_child[node]
        assert np.array_equal(tree.at[first : first + 4] // 2, np.repeat(tree.at[[node]], 4, 0))
        assert (tree.level[first : first + 4] == tree.level[node] + 1).all()


def test_a_lattice_point_has_the_same_coordinates_at_all_levels() -> None:
    frame = Frame.around([(-0.3, 0.7), (0.1, 1.7)])
    at = np.arange(9)
    assert np.array_equal(frame.coordinates(0, at, 3), frame.coordinates(0, at * 64, 9))
