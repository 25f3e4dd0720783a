"""The compiled walk over voxels, against every voxel evaluated."""

from __future__ import annotations

import weakref
from threading import Event, current_thread
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.solids import SIDES, coordinates, depth_of, matrices, solids, terms_of

import intervalvm as ivm
from intervalvm.jit.evaluator import CompiledEvaluator
from intervalvm.jit.plan import domain_of, plan_of
from intervalvm.jit.voxels import layout as v
from intervalvm.jit.voxels import walk
from intervalvm.jit.voxels.normals import normals
from intervalvm.tape import Tape
from intervalvm.words import Meaning, Question

SIZES = st.tuples(SIDES, SIDES, SIDES)


def plan_for(tape: Tape, terms: list[list[Any]], dtype: Any) -> Any:
    ends = [np.array([[part.min(), part.max()] for part in row]).sum(0) for row in terms]
    most = max(abs(end) for row in ends[:3] for end in row)
    if len(ends) > 3:
        most /= ends[3][0]
    most = float(most) * 1.001 + 1e-9
    return plan_of(
        tape, Question.SIGN, Meaning.FLOAT, np.dtype(dtype), {}, domain_of((-most, most), dtype),
        volume=True,
    )  # fmt: skip


def drawn(tape: Tape, terms: list[list[Any]], dtype: Any, threads: int = 1) -> Any:
    columns, lines, layers = (len(part) for part in terms[0])
    plan = plan_for(tape, terms, np.dtype(dtype))
    return walk.draw(plan, (columns, lines, layers), terms, threads=threads)


@given(solids(), matrices(), SIZES, st.sampled_from(["float32", "float64"]), st.integers(1, 3))
def test_every_pixel_has_the_depth_of_the_nearest_voxel_inside(tape, matrix, size, dtype, threads):
    terms = terms_of(matrix, size, dtype)
    frame, _ = drawn(tape, terms, dtype, threads)
    assert_array_equal(frame.pixels, depth_of(tape, terms, dtype))


@given(solids(), matrices(), SIZES, st.sampled_from(["float32", "float64"]), st.integers(1, 3))
def test_normals_are_normalised_gradients_at_the_voxels(tape, matrix, size, dtype, threads):
    terms = terms_of(matrix, size, dtype)
    frame, _ = drawn(tape, terms, dtype)
    evaluator, near = CompiledEvaluator(tape, ("x", "y", "z"), np.dtype(dtype)), np.arange(3.0)
    found = normals(frame, evaluator, [], near, threads=threads)
    depth, layers = frame.pixels, size[2]
    line, column = np.mgrid[: size[1], : size[0]]
    points = coordinates(terms, column, line, layers - np.maximum(depth, 1))
    gradient = ivm.grad(tape, *points, dtype=dtype, backend="numpy")
    slopes = np.stack([np.broadcast_to(part, depth.shape) for part in gradient[1:]], -1)
    with np.errstate(all="ignore"):
        wide = slopes.astype(float)
        if dtype == "float64":
            _, power = np.frexp(abs(wide).max(-1, keepdims=True))
            wide = np.ldexp(wide, -power)
        x, y, z = np.moveaxis(wide, -1, 0)
        length = np.sqrt((x * x + y * y) + z * z)[..., None]
        expected = (wide / length).astype(np.float32)
    is_good = (length[..., 0] > 0) & np.isfinite(length[..., 0]) & np.isfinite(slopes).all(-1)
    expected[~is_good | (depth == 0)] = 0
    expected[depth == layers] = near
    assert_array_equal(found, expected)


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
    x, y, z = ivm.axes()
    tape, size = (x * x + y * y + z * z - 0.5).tape(), (128, 128, 128)
    frame, _ = drawn(tape, terms_of(np.eye(4), size, "float32"), "float32")
    caller, is_inside, may_leave, has_left = current_thread(), *(Event() for _ in range(3))

    class Slow(CompiledEvaluator):
        def gradients(self, *arguments, **options):
            if current_thread() is not caller:
                is_inside.set()
                may_leave.wait(60)
                has_left.set()
            else:
                is_inside.wait(60)
            return super().gradients(*arguments, **options)

    def stop(*_):
        raise KeyboardInterrupt

    evaluator = Slow(tape, ("x", "y", "z"), np.dtype(np.float32))
    pixels, near = weakref.ref(frame), np.zeros(3)
    with pytest.raises(KeyboardInterrupt) as raised:
        normals(frame, evaluator, [], near, threads=2, progress=stop)
    del frame, raised
    assert pixels() is not None
    may_leave.set()
    assert has_left.wait(60)


def test_frames_of_several_sizes_and_threads_share_workspaces():
    x, y, z = ivm.axes()
    tape = (x * x + y * y + z * z - 0.5).tape()
    plan = plan_for(tape, terms_of(np.eye(4), (64, 64, 64), "float32"), "float32")
    for side, threads in (64, 1), (4, 3), (32, 2):
        terms = terms_of(np.eye(4), (side, side, side), "float32")
        frame, counts = walk.draw(plan, (side, side, side), terms, threads=threads)
        assert_array_equal(frame.pixels, depth_of(tape, terms, "float32"))
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
    x, y, _ = ivm.axes()
    tape = (x * x + 2 * y * y - 0.5).tape()
    counts = [
        drawn(tape, terms_of(np.eye(4), (64, 64, layers), "float32"), "float32")[1]
        for layers in (1, 640)
    ]
    assert counts[0][:, v.EVALUATED].sum() >= counts[1][:, v.EVALUATED].sum() > 0


def test_what_stands_in_front_hides_the_rest():
    x, y, z = ivm.axes()
    balls = np.sqrt(x * x + y * y + z * z) - 0.5
    wall = np.maximum(abs(z - 0.9) - 0.05, -balls * 0 - 1)
    terms = terms_of(np.eye(4), (64, 64, 64), "float32")
    frame, counts = drawn(np.minimum(balls, wall).tape(), terms, "float32")
    assert frame.pixels.min() > 58
    assert counts[:, v.EVALUATED].sum() <= 64 * 64 * 4


def test_a_flat_walk_takes_workspaces_of_a_deep_one() -> None:
    """And some new ones, since it has more threads: they count fewer splits."""
    x, y, z = ivm.axes()
    tape = (x * x + y * y + z * z - 0.5).tape()
    drawn(tape, terms_of(np.eye(4), (130, 130, 130), "float32"), "float32")
    terms = terms_of(np.eye(4), (9, 9, 9), "float32")
    frame, counts = drawn(tape, terms, "float32", threads=3)
    alone, expected = drawn(ivm.parse(str(tape)), terms, "float32")
    assert_array_equal(frame.pixels, alone.pixels)
    assert_array_equal(counts, expected)
