"""An octree's edges, blocks and crossings, each against a slower way to find them."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.solids import solids

import intervalvm as ivm
from intervalvm.cells.border import cut
from intervalvm.cells.frame import Frame
from intervalvm.cells.subdivision import subdivide
from intervalvm.jit.meshes import layout as c
from intervalvm.meshes.crossings import crossings
from intervalvm.meshes.octree import Edges, Octree
from intervalvm.meshes.sampler import Sampler
from intervalvm.meshes.surface import Surfacer
from intervalvm.tape import Tape
from intervalvm.words import Meaning

REGION = ((-1.0, 1.0),) * 3
FRAME = Frame.cube(REGION, 2.06)


def samplers(tape: Tape) -> tuple[Sampler, Sampler]:
    """Of the real function and of the floats."""
    make = partial(Sampler, tape, [0.25] * len(tape.variables), threads=1)
    return make(meaning=Meaning.REAL), make(meaning=Meaning.FLOAT)


def octree_of(tape: Tape, depth: int, tolerance: float) -> Octree:
    reals, floats = samplers(tape)
    tree = subdivide(reals, FRAME, depth, tolerance=tolerance, coarsest=1)
    return Octree(tree, floats)


def in_order(edges: Edges) -> tuple[NDArray[Any], NDArray[Any]]:
    """Records, but for which one of the smallest cells is named, and ends."""
    records = edges.records.copy()
    records[:, c.SMALLEST] = 0
    order = np.lexsort(records.T)
    return records[order], edges.ends[order]


@given(tape=solids(), depth=st.integers(2, 4), tolerance=st.sampled_from([0.02, 0.2, 5.0]))
@settings(deadline=None, max_examples=40)
def test_edges_after_cells_were_joined_are_those_of_a_new_walk(
    tape: Tape, depth: int, tolerance: float
) -> None:
    # what reaches the border is cut first: cells beside each other agree there
    octree = octree_of(cut(tape, samplers(tape)[0], REGION, FRAME), depth, tolerance)
    surfacer = Surfacer(octree, tolerance)
    if surfacer.splits:
        event("split")
        return
    event("joined" if surfacer.joined else "none joined")
    found, expected = in_order(surfacer.rings.edges), in_order(octree.edges())
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])


@given(tape=solids(), depth=st.integers(2, 4))
@settings(deadline=None, max_examples=20)
def test_cells_lie_in_their_blocks(tape: Tape, depth: int) -> None:
    octree = octree_of(tape, depth, 0.2)
    blocks = octree.blocks
    lows, highs = octree.cells(np.arange(len(octree)))
    for block in np.unique(blocks):
        inside = np.flatnonzero(blocks == block)
        # the node that is the block has all others in it
        first = inside[np.argmin(octree.level[inside])]
        assert (lows[inside] >= lows[first]).all()
        assert (highs[inside] <= highs[first]).all()
    points = list(np.ascontiguousarray((0.5 * (lows + highs)).T))
    _, whole = samplers(tape)
    expected = whole._evaluator.values([*points, *whole._free])
    np.testing.assert_array_equal(octree.samples.values(points, blocks), expected)


x, y, z = ivm.axes()
FIELDS = {
    "linear": 3 * x + y - z * 0.5 + 0.1,
    "cubic": (x + 0.3) ** 3 + y * 0.1 + z * z * 0.01,
    "kink": ivm.maximum(x * 20 + 1, x * 0.05 + y * 0.01 + 0.02),
    "jump": ivm.where(x + 0.3 * y < 0.1, -1.0, 2.0),
    "undefined": ivm.sqrt(x + 0.4 * z) - 0.3,
}


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("near", [2.0**-9, 2.0**-20])
def test_crossings_are_where_the_value_changes_its_sign(name: str, near: float) -> None:
    tape = FIELDS[name].tape()
    _, floats = samplers(tape)
    whole = [np.zeros(1, np.uint64), 0, ("x", "y", "z")]
    blocks = floats.divided(FRAME.boxes(np.zeros((1, 3), np.int32), 0), *whole)

    def values(points: NDArray[np.float64]) -> NDArray[np.float64]:
        owners = np.zeros(len(points), np.int32)
        found = blocks.values(list(np.ascontiguousarray(points.T)), owners)
        return np.where(np.isnan(found), np.inf, found)

    ends = np.random.default_rng(1).uniform(-1, 1, (2, 4000, 3))
    at_ends = np.stack([values(end) for end in ends])
    crossed = np.flatnonzero((at_ends[0] < 0) != (at_ends[1] < 0))
    assert len(crossed) > 100
    a, b = ends[:, crossed]
    segments = np.concatenate([a, b - a, at_ends[:, crossed].T], axis=1)
    found = crossings(blocks, segments, np.zeros(len(crossed), np.int32), near, 0.0)
    share = ((found.points - a) * (b - a)).sum(axis=1) / ((b - a) ** 2).sum(axis=1)
    np.testing.assert_allclose(found.points, a + share[:, None] * (b - a), atol=1e-12)
    # a few times the error that is asked for, which is estimated
    before, after = (np.clip(share + way * 8 * near, 0, 1)[:, None] for way in (-1, 1))
    inside = [values(a + part * (b - a)) < 0 for part in (before, after)]
    assert (inside[0] == (at_ends[0, crossed] < 0)).mean() > 0.99
    assert (inside[1] == (at_ends[1, crossed] < 0)).mean() > 0.99
    lengths = np.linalg.norm(found.normals, axis=1)
    assert (np.isclose(lengths, 1.0) | (lengths == 0.0)).all()
