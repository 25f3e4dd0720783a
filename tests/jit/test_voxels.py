"""The compiled walk over voxels: what it skips, and who owns its memory.

That its pictures are those of the definition is tested of ``render3d``.
"""

from __future__ import annotations

import weakref
from threading import Event, current_thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from numpy.typing import NDArray
from support.views import depth_of

import intervalvm as ivm
from intervalvm import View
from intervalvm.jit.evaluator import CompiledEvaluator
from intervalvm.jit.plan import domain_of, plan_of
from intervalvm.jit.voxels import layout as v
from intervalvm.jit.voxels import walk
from intervalvm.jit.voxels.normals import normals
from intervalvm.tape import Tape
from intervalvm.voxel.volume import Volume
from intervalvm.words import Meaning, Question

Size = tuple[int, int, int]
X, Y, Z = ivm.axes()
BALL = (X * X + Y * Y + Z * Z - 0.5).tape()


def drawn(tape: Tape, size: Size, threads: int = 1) -> tuple[walk.Frame, NDArray[np.int64]]:
    """A frame from the front in float32, and its counts; its pixels are those of the definition."""
    volume = Volume(size, View(), "center", np.dtype(np.float32))
    domain = domain_of((-volume.bound, volume.bound), volume.dtype)
    plan = plan_of(tape, Question.SIGN, Meaning.FLOAT, volume.dtype, {}, domain, volume=True)
    terms = [(row.by_i, row.by_j, row.by_k[::-1]) for row in volume.terms]
    frame, counts = walk.draw(plan, size, terms, [False, False, True], threads=threads)
    assert_array_equal(frame.pixels, depth_of(tape, volume))
    return frame, counts


@pytest.mark.parametrize("size", [(512, 512, 512), (1024, 1024, 1024), (300, 7, 5), (1, 1, 4097)])
def test_splits_end_in_leaves_of_at_most_four_voxels_a_side(size):
    splits = v.splits(size)
    for axis, count in enumerate(size):
        cells = 1 << int(splits[:, axis].sum())
        assert -(-count // cells) <= v.TILE
    for *bits, shape in splits.tolist():
        assert all(a <= b for a, b in zip(bits, v.SHAPES[shape], strict=True))
    assert splits[0, -1] == v.COLUMNS
    assert splits[-1, -1] == v.CUBE


def test_a_thread_that_draws_on_after_an_interrupt_owns_the_frame():
    frame, _ = drawn(BALL, (128, 128, 128))
    caller, is_inside, may_leave, has_left = current_thread(), *(Event() for _ in range(3))

    class Slow(CompiledEvaluator):
        def slopes(self, *arguments, **options):
            if current_thread() is not caller:
                is_inside.set()
                may_leave.wait(60)
                has_left.set()
            else:
                is_inside.wait(60)
            return super().slopes(*arguments, **options)

    def stop(*_):
        raise KeyboardInterrupt

    evaluator = Slow(BALL, ("x", "y", "z"), np.dtype(np.float32))
    pixels, near = weakref.ref(frame), np.zeros(3)
    with pytest.raises(KeyboardInterrupt) as raised:
        normals(frame, evaluator, [], near, threads=2, progress=stop)
    del frame, raised
    assert pixels() is not None
    may_leave.set()
    assert has_left.wait(60)


def test_frames_of_several_sizes_and_threads_share_workspaces():
    for side, threads in (64, 1), (4, 3), (32, 2):
        _, counts = drawn(BALL, (side, side, side), threads)
        assert len(counts) == len(v.splits((side, side, side)))


@given(st.integers(1, 5000))
def test_cells_of_each_level_are_the_voxels_in_order(count):
    levels = int(v.splits((count, 1, 1))[:, 0].sum())
    first, last = v.cells_of(count, levels)
    for level in range(levels + 1):
        nodes = slice(1 << level, 2 << level)
        assert_array_equal(first[nodes], [0, *(last[nodes][:-1] + 1)])
        assert last[nodes][-1] == count - 1
        assert (first[nodes] <= last[nodes]).all()


def test_a_prism_seen_along_its_axis_costs_a_layer():
    prism = (X * X + 2 * Y * Y - 0.5).tape()
    one, many = (drawn(prism, (64, 64, layers))[1][:, v.EVALUATED].sum() for layers in (1, 640))
    assert one >= many > 0


def test_what_stands_in_front_hides_the_rest():
    balls = np.sqrt(X * X + Y * Y + Z * Z) - 0.5
    wall = np.maximum(abs(Z - 0.9) - 0.05, -balls * 0 - 1)
    frame, counts = drawn(np.minimum(balls, wall).tape(), (64, 64, 64))
    assert frame.pixels.min() > 58
    assert counts[:, v.EVALUATED].sum() <= 64 * 64 * 4


def test_a_flat_walk_takes_workspaces_of_a_deep_one() -> None:
    """And some new ones, since it has more threads: they count fewer splits."""
    drawn(BALL, (130, 130, 130))
    _, counts = drawn(BALL, (9, 9, 9), threads=3)
    _, expected = drawn(ivm.parse(str(BALL)), (9, 9, 9))
    assert_array_equal(counts, expected)
