"""Points through a tree, thread by thread in numba-cuda's simulator: run by ``test_gpu_tree``.

The tree is for millions of points; here it is made for a few, which have all that more have: two
steps, cells without points, points in no cell, programs of all lengths, room that runs out.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.cuda_simulator import let_threads_share_cuda
from support.fake_cupy import FakeDevice, OutOfMemoryError, SimulatedLauncher, install
from support.scenes import scenes
from support.strategies import tapes

import intervalvm as ivm
from intervalvm import Tape
from intervalvm.evaluate.evaluator import NumpyEvaluator
from intervalvm.gpu import cells, descent, devices, tree
from intervalvm.gpu.evaluator import CudaEvaluator
from intervalvm.gpu.layout import in_waves
from intervalvm.gpu.target import SIMULATED

assert SIMULATED
SINGLE = np.dtype(np.float32)


@pytest.fixture(autouse=True)
def shared_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    let_threads_share_cuda(monkeypatch)


@pytest.fixture(autouse=True)
def ran(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """One step for any points; what each tree answered."""
    monkeypatch.setattr(tree, "steps_for", lambda clauses, count: 1)
    monkeypatch.setattr(tree, "CELL_POINTS", 0)
    run, answers = tree.Tree.run, []

    def noted(self: tree.Tree, *arguments: Any) -> bool:
        answers.append(run(self, *arguments))
        return bool(answers[-1])

    monkeypatch.setattr(tree.Tree, "run", noted)
    return answers


@pytest.fixture
def sorted_(monkeypatch: pytest.MonkeyPatch) -> None:
    """All points that are finite must be in cells, or they take the longest program."""
    sort = tree.Tree._sorted

    def noted(self: tree.Tree, axes: Any, *arguments: Any) -> Any:
        starts, order = sort(self, axes, *arguments)
        is_finite = np.isfinite(axes).all(axis=0)
        assert starts[-2] == is_finite.sum()
        assert sorted(order & cells.POINT_MASK) == list(range(len(order)))
        assert is_finite[order[: starts[-2]] & cells.POINT_MASK].all()
        return starts, order

    monkeypatch.setattr(tree.Tree, "_sorted", noted)


def check(tape: Tape, inputs: Any, *points: Any, dtype: np.dtype[Any] = SINGLE) -> None:
    """The bits are those of the definition, the sign of 0 included, but for the payload of NaN."""
    names, arrays = tuple(inputs), [np.asarray(point, dtype) for point in points]
    found = CudaEvaluator(tape, names, dtype).values(arrays)
    expected = NumpyEvaluator(tape, names, dtype).values(arrays)
    assert found.dtype == dtype
    assert_array_equal(found, expected)
    assert_array_equal(np.signbit(found[found == 0]), np.signbit(expected[expected == 0]))


def check_gradients(
    tape: Tape, inputs: Any, by: Any, *points: Any, dtype: np.dtype[Any] = SINGLE
) -> None:
    """Values and derivatives have the bits of the definition, but for those of a NaN."""
    names, arrays = tuple(inputs), [np.asarray(point, dtype) for point in points]
    found = CudaEvaluator(tape, names, dtype).gradients(arrays, tuple(by))
    expected = NumpyEvaluator(tape, names, dtype).gradients(arrays, tuple(by))
    is_number = expected[0] == expected[0]
    assert_array_equal(found[0], expected[0])
    assert_array_equal(found[:, is_number], expected[:, is_number])


def random(shape: Any, seed: int = 1) -> Any:
    return np.random.default_rng(seed).uniform(-1, 1, shape)


x, y, z = ivm.axes()
SCENE = ivm.maximum(
    ivm.minimum(ivm.sqrt(x * x + y * y) - 0.5, abs(x - 0.3) + abs(y) - 0.2), x * y - 0.1
).tape()
SOLID = ivm.maximum(ivm.minimum(x + y, z - 0.25), ivm.sqrt(x * x + y * y + z * z) - 0.75).tape()
TANGENTS = [2 * at * x - at * at for at in (k / 8 - 1 for k in range(17))]
PARABOLA = functools.reduce(ivm.maximum, TANGENTS, y - 9).tape()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_scene(dtype: Any, ran: list[bool]) -> None:
    check(SCENE, "xy", *random((2, 80)), dtype=np.dtype(dtype))
    assert ran == [True]


def test_two_steps(monkeypatch: pytest.MonkeyPatch, ran: list[bool]) -> None:
    """Most cells have no point, and are not divided."""
    monkeypatch.setattr(tree, "steps_for", lambda clauses, count: 2)
    check(SCENE, "xy", *random((2, 20)))
    assert ran == [True]


def test_the_first_of_two_steps_has_whole_cells(
    monkeypatch: pytest.MonkeyPatch, ran: list[bool]
) -> None:
    """There are several tangents in each, and a point may need any of them."""
    monkeypatch.setattr(tree, "steps_for", lambda clauses, count: 2)
    check(PARABOLA, "xy", *random((2, 8)))
    assert ran == [True]


def test_several_warps_share_a_region(monkeypatch: pytest.MonkeyPatch, ran: list[bool]) -> None:
    """Of which half has no points, so that its block goes on to the next at once."""
    monkeypatch.setattr(devices.Simulator, "most_warps", 3)
    monkeypatch.setattr(devices.Simulator, "split_blocks", 1)
    points = random((2, 20))
    points[1, 1:] -= 9
    check(PARABOLA, "xy", *points)
    check_gradients(PARABOLA, "xy", "xy", *points)
    assert ran == [True, True]


def test_only_points_in_no_cell_need_the_long_program(
    monkeypatch: pytest.MonkeyPatch, ran: list[bool]
) -> None:
    monkeypatch.setattr(tree, "LOCAL_PLACES", 40)
    points = random((2, 8))
    points[0, :2], points[1, 2] = (np.nan, -np.inf), -np.inf
    check(PARABOLA, "xy", *points)
    assert ran == [True]


def test_programs_get_shorter(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = []
    launch = tree.Tree._launch

    def noted(self: tree.Tree, *arguments: Any) -> None:
        launch(self, *arguments)
        used = self._leaf_items[self._leaf_items >= 0]
        lengths.extend(self.items[used + tree.c.LENGTH].tolist())

    monkeypatch.setattr(tree.Tree, "_launch", noted)
    check(SCENE, "xy", *random((2, 80)))
    assert min(lengths) < 0.5 * len(SCENE)


def test_chains_are_balanced() -> None:
    """Of values: their waves are the logarithm of a chain. On a tie the last operand is the value,
    whose sign shows, and NaN wins in the middle too."""
    parts = [ivm.sqrt((x - k / 8) ** 2 + y * y) - 0.1 for k in range(-8, 8)]
    parts += [x * 0.0, abs(x) * 0.0, x - x, ivm.sqrt(y + 0.875), 0.0 * y, abs(y) * -0.0]
    tape = ivm.maximum(functools.reduce(ivm.minimum, parts), x - 0.5).tape()
    check(tape, "xy", *np.round(random((2, 80)) * 8) / 8)
    trees = tree.Trees(tape, SINGLE)
    values, slopes = (trees._program(("x", "y"), along).program for along in ((), ("x",)))
    waves, as_it_was = (len(in_waves(program)[1]) for program in (values, slopes))
    assert waves < 0.6 * as_it_was


@pytest.mark.usefixtures("sorted_")
def test_three_axes(ran: list[bool]) -> None:
    x, y, z = random((3, 70))
    check(SOLID, "xyz", x, y / 2, 3 * z)
    assert ran == [True]


def test_one_axis_and_numbers(ran: list[bool]) -> None:
    """A number is a constant of the program, also next to constants and where it is NaN."""
    t = ivm.var("t", 0.0)
    shape = ivm.maximum(ivm.minimum(x, t * 2 - 1), ivm.minimum(y + 1, t) + t).tape()
    for y_value, t_value in ((0.5, 0.25), (-0.0, np.nan)):
        check(shape, "xyt", random(70), y_value, t_value)
    assert ran == [True, True]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_derivatives(dtype: Any, ran: list[bool]) -> None:
    """Also where branches meet: those points lie on a coarse grid."""
    coarse = np.round(random((2, 80)) * 4) / 4
    check_gradients(SCENE, "xy", "yx", *coarse, dtype=np.dtype(dtype))
    check_gradients(SOLID, "xyz", "xyz", *random((3, 70)), dtype=np.dtype(dtype))
    assert ran == [True, True]


def test_derivatives_by_numbers_and_by_nothing(ran: list[bool]) -> None:
    """A number by which is differentiated is an axis; others are constants."""
    t = ivm.var("t", 0.0)
    shape = ivm.maximum(ivm.minimum(x, t * y - 1), ivm.minimum(y + 1, t) + t).tape()
    check_gradients(shape, "xyt", "tx", random(70), 0.5, 0.25)
    check_gradients(shape, "xyt", "y", random(70), 0.5, 0.25)
    check_gradients(shape, "xyzt", "z", random(70), 0.5, 0.0, 0.25)
    assert ran == [True, True, True]


def test_more_directions_than_a_program_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MOST_POINTS", 50)
    t, u = ivm.var("t", 0.0), ivm.var("u", 0.0)
    shape = ivm.maximum(ivm.minimum(x * t, y - u), u * t - 1).tape()
    check_gradients(shape, "xytu", "xtu", random((7, 1)), 0.5, random(10), 0.25)
    check_gradients(shape, "xytu", "xytu", random((7, 1)), 0.5, random(10), 0.25)


def test_where_clauses_may_jump_no_tree_finds_derivatives(ran: list[bool]) -> None:
    shape = ivm.minimum(ivm.floor(3 * x) - y, x + y).tape()
    check_gradients(shape, "xy", "xy", *np.round(random((2, 70)) * 6) / 6)
    assert not ran


def test_points_in_no_cell(ran: list[bool]) -> None:
    """They take the whole program, which is too long for local memory, or not."""
    points = random((2, 80))
    points[0, :3] = np.nan, np.inf, -np.inf
    points[1, 3:6] = np.nan, np.inf, -np.inf
    points[0, 6:9] = np.finfo(SINGLE).max, np.finfo(SINGLE).smallest_subnormal, -0.0
    check(SCENE, "xy", *points)
    assert ran == [True]


def test_programs_too_long_for_local_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "LOCAL_PLACES", 5)
    monkeypatch.setattr(tree, "SHORT_LEAF", 4)
    monkeypatch.setattr(descent, "SHORT", 6)
    points = random((2, 80))
    points[0, 4] = np.nan
    check(SCENE, "xy", *points)
    check_gradients(SCENE, "xy", "xy", *points)


@pytest.mark.parametrize(
    "points",
    [
        np.full((2, 70), 0.25),  # nothing to divide
        np.full((2, 70), np.nan),
        np.stack([random(70), np.full(70, 1e-45)]),
        np.stack([np.linspace(-3e38, 3e38, 70), random(70)]),
        np.stack([random(70) * 1e-44, random(70)]),
        np.stack([np.repeat(random(7), 10), random(70)]),
        np.stack([1e7 + np.round(random(70) * 40), random(70) + 16]),
    ],
    ids=["one point", "NaN", "a line", "all floats", "subnormal", "columns", "far away"],
)
@pytest.mark.usefixtures("sorted_")
def test_points_of_any_extent(points: Any) -> None:
    check(SCENE, "xy", *points)


def test_shapes_that_broadcast_and_parts(monkeypatch: pytest.MonkeyPatch, ran: list[bool]) -> None:
    monkeypatch.setattr(tree, "MOST_POINTS", 50)
    check(SCENE, "xy", random((9, 1)), random(8))
    assert ran == [True, True]


def test_more_arrays_than_axes_and_no_choices_take_no_tree(ran: list[bool]) -> None:
    t = ivm.var("t", 0.0)
    check(ivm.minimum(x + y, z * t).tape(), "xyzt", *random((4, 70)))
    check((x * y + 1).tape(), "xy", *random((2, 70)))
    check(SCENE, "xy", 0.5, 0.25)
    assert not ran


@pytest.mark.parametrize(("items", "arena"), [(1, 1 << 20), (1 << 20, 0), (5, 100)])
def test_cells_without_room_are_made_later(
    items: int, arena: int, monkeypatch: pytest.MonkeyPatch, ran: list[bool]
) -> None:
    monkeypatch.setattr(descent, "MOST_ITEMS", items)
    monkeypatch.setattr(tree, "MOST_ARENA", arena)
    points = random((2, 20))
    points[0, 4] = np.nan
    check(SCENE, "xy", *points)
    monkeypatch.setattr(tree, "steps_for", lambda clauses, count: 2)
    check(ivm.parse(str(SCENE)), "xy", *points[:, :8])
    check_gradients(SCENE, "xy", "xy", *points[:, :8])
    assert ran == [True, True, True]


def test_memory_is_kept_for_the_next_call(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    init = tree.Tree.__init__
    monkeypatch.setattr(
        tree.Tree, "__init__", lambda self, *args: made.append(self) or init(self, *args)
    )
    evaluator = CudaEvaluator(SCENE, ("x", "y"), SINGLE)
    for seed in range(3):
        points = list(random((2, 70), seed).astype(SINGLE))
        expected = NumpyEvaluator(SCENE, ("x", "y"), SINGLE).values(points)
        assert_array_equal(evaluator.values(points), expected)
    assert len(made) == 1


def test_few_trees_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MOST_TREES", 2)
    t = ivm.var("t", 0.0)
    trees = tree.Trees(ivm.minimum(x + y, ivm.minimum(z, t)).tape(), SINGLE)
    for names in ("x", "xy", "x", "xyz", "t"):
        given = {n: random(70).astype(SINGLE) if n in names else SINGLE.type(0.5) for n in "xyzt"}
        assert trees.values(given, (70,), np.empty(70, SINGLE))
        assert len(trees._idle) <= 2
    with trees._tree(*next(iter(trees._idle))), trees._tree(*next(iter(trees._idle))):
        pass  # as on two threads
    assert len(trees._idle) <= 2


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> FakeDevice:
    found = FakeDevice()
    install(monkeypatch, found, SimulatedLauncher(found))
    return found


def test_without_memory_for_a_tree_there_is_none(
    gpu: FakeDevice, monkeypatch: pytest.MonkeyPatch, ran: list[bool]
) -> None:
    """Nor a part of one, nor what is kept of an earlier one; later there may be one again."""
    evaluator = CudaEvaluator(SCENE, ("x", "y"), SINGLE)
    points = list(random((2, 40)).astype(SINGLE))
    expected = NumpyEvaluator(SCENE, ("x", "y"), SINGLE).values(points)
    given = [devices.current().array(axis) for axis in points]
    left, take = [0], gpu.take

    def fail_once(size: int) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise OutOfMemoryError("Out of memory")
        take(size)

    monkeypatch.setattr(gpu, "take", fail_once)
    for allocation in (2, 3, 9, 0, 5):
        left[0] = allocation
        assert_array_equal(evaluator.values(given).get(), expected)
    assert ran == [True]
    gpu.memory = gpu.held + 20_000  # for what is evaluated without, besides the tree that is kept
    assert_array_equal(evaluator.values(given).get(), expected)
    assert gpu.held < 20_000
    gpu.memory = 1 << 30
    assert_array_equal(evaluator.values(given).get(), expected)
    assert ran == [True, True]


def test_parts_are_as_large_as_there_is_room(
    gpu: FakeDevice, monkeypatch: pytest.MonkeyPatch, ran: list[bool]
) -> None:
    """Those so small that cells have few points do not pay."""
    monkeypatch.setattr(tree, "CELL_POINTS", 1)
    monkeypatch.setattr(tree, "WORTH_ASKING", 0)
    evaluator = CudaEvaluator(SCENE, ("x", "y"), SINGLE)
    points = list(random((2, 100)).astype(SINGLE))
    expected = NumpyEvaluator(SCENE, ("x", "y"), SINGLE).values(points)
    given = [devices.current().array(axis) for axis in points]
    for room, parts in ((1000, 1), (70, 2), (60, 0)):
        ran.clear()
        free = 2 * tree.POINT_BYTES * room
        monkeypatch.setattr(SimulatedLauncher, "free_bytes", lambda _, free=free: free)
        assert_array_equal(evaluator.values(given).get(), expected)
        assert ran == [True] * parts


@settings(max_examples=4, phases=[Phase.generate])
@given(tape=scenes(max_shapes=5), dtype=st.sampled_from(["float32", "float64"]))
def test_scenes(tape: Tape, dtype: str) -> None:
    names = "xy" if "z" not in tape.axes else "xyz"
    points = random((len(names), 70))
    check(tape, names, *points, dtype=np.dtype(dtype))
    check_gradients(tape, names, names, *points, dtype=np.dtype(dtype))


@settings(max_examples=8, phases=[Phase.generate])
@given(tape=tapes(max_clauses=12), seed=st.integers(0, 99))
def test_tapes_of_any_operations(tape: Tape, seed: int) -> None:
    with np.errstate(all="ignore"):
        names = ("x", "y", "z", *tape.variables)
        points = random((3, 66), seed) * 10.0 ** np.random.default_rng(seed).integers(-3, 4)
        arrays = [*points[:2], *(points[2] if n == "z" else 0.5 for n in names[2:])]
        check(tape, names, *arrays)
        check_gradients(tape, names, "xyz", *arrays)


def test_steps_pay_for_many_points_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert tree.steps_for(6363, 100_000_000) == 3
    assert tree.steps_for(6363, 1_000_000) == 2
    assert tree.steps_for(6363, 100_000) == 1
    assert tree.steps_for(6363, 1000) == tree.steps_for(7, 1_000_000) == 0


def test_no_number_of_a_cell_is_beyond_a_word() -> None:
    assert tree.MOST_POINTS < cells.POINT_MASK
    assert tree.MOST_CELLS << cells.POINT_BITS < 1 << 63
