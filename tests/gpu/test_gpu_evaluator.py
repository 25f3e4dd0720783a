"""The evaluator on a GPU, as far as that goes without one: simulated and compiled.

Its rules run on this processor in ``test_gpu_walk``. Tests at the end, marked ``gpu``, run on a
device and skip with the reason where there is none.
"""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.cuda_simulator import run_simulated
from support.operations import DTYPES, OPERATIONS, bits, tape_of
from support.places import TOP
from support.programs import special
from support.strategies import tapes

import intervalvm as ivm
from intervalvm import Tape
from intervalvm.arith.arrays import IntervalArrays
from intervalvm.compiler.plain import plain_program
from intervalvm.compiler.program import INPUTS, VARIANTS
from intervalvm.evaluate.evaluator import NumpyEvaluator
from intervalvm.gpu.kinds import Function
from intervalvm.gpu.slots import SIDES, SLOT_SHIFT, slotted
from intervalvm.ops.row import Interval
from intervalvm.tape.liveness import peak_live


def test_the_kernels_thread_by_thread() -> None:
    run_simulated("evaluator")


# --- slots ----------------------------------------------------------------------------------------


INPUT_NAMES = ("x", "y", "z", "r")


@given(tape=tapes(30, variables=("r",)), data=st.data())
def test_a_slot_holds_a_value_as_long_as_it_is_read(tape: Tape, data: st.DataObject) -> None:
    """And there are as many slots as values live at once; any record may be the result."""
    program = plain_program(tape, np.dtype("float32"), inputs=INPUT_NAMES)
    n, inputs = len(program), len(INPUT_NAMES)
    places = [*range(INPUTS, n + INPUTS), *range(n + INPUTS, n + INPUTS + inputs)]
    program = replace(program, result=data.draw(st.sampled_from(places)))
    found = slotted(program, inputs)
    held = {k: n + INPUTS + k for k in range(inputs)}
    last = {place: place - INPUTS for place in places[:n]}
    for i, (record, slots) in enumerate(zip(program.records, found.records, strict=True)):
        for word, flag in SIDES:
            if record[0] & flag:
                assert held[slots[word]] == record[word]
                last[record[word]] = i
            else:
                assert slots[word] == record[word]
        assert slots[0] == record[0]
        held[slots[3] >> SLOT_SHIFT] = i + INPUTS
    assert held[found.result] == program.result
    last[program.result] = n
    live = [sum(k - INPUTS <= i < last[k] or k - INPUTS == i for k in places[:n]) for i in range(n)]
    assert found.slots == inputs + max(live, default=0)


def test_what_nobody_reads_leaves_its_slot_at_once() -> None:
    tape = ivm.parse("x var-x\na neg x\nb abs x\nc neg x\nv add b c")
    program = plain_program(tape, np.dtype("float32"), inputs=("x",))
    assert len(program) == 4
    assert slotted(program, 1).slots == 3


def test_few_values_of_a_long_tape_are_live_at_once() -> None:
    tape = ivm.load(TOP / "prospero.vm")
    found = slotted(plain_program(tape, np.dtype("float32"), inputs=("x", "y")), 2)
    assert found.slots <= peak_live(tape)


# --- bounds for slopes ----------------------------------------------------------------------------


@pytest.mark.parametrize("op", ["min", "max"])
def test_a_strict_choice_is_never_of_operands_that_may_be_equal_or_nan(op: str) -> None:
    """Over all boxes with ends of few numbers: each pair of values is strictly in order."""
    function, xp = Function("strict", "float32", tame=False), IntervalArrays(np.dtype("float32"))
    variant = next(v for v in VARIANTS if (v.op, v.kinds) == (op, "ff"))
    ends = [(a, b) for a in range(3) for b in range(a, 3)]
    chosen = 0
    for (low, high), nan_a, (low_b, high_b), nan_b in product(
        ends, (False, True), ends, (False, True)
    ):
        parts = [*map(np.float32, (low, high)), np.bool_(nan_a)]
        parts += [*map(np.float32, (low_b, high_b)), np.bool_(nan_b)]
        *_, left_only, right_only = function.compute(xp, variant, parts)
        first, second = (low, high), (low_b, high_b)
        if op == "max":
            first, second = second, first
        apart = not nan_a and not nan_b
        assert left_only == (apart and first[1] < second[0])
        assert right_only == (apart and second[1] < first[0])
        chosen += left_only + right_only
    assert chosen


# --- on a device ----------------------------------------------------------------------------------


def both(tape: Tape, inputs: tuple[str, ...], dtype: str) -> tuple[Any, NumpyEvaluator]:
    from intervalvm.gpu.evaluator import CudaEvaluator

    kind = np.dtype(dtype)
    return CudaEvaluator(tape, inputs, kind), NumpyEvaluator(tape, inputs, kind)


def up(arrays: Any) -> list[Any]:
    import cupy

    return [cupy.asarray(array) for array in arrays]


def check(tape: Tape, inputs: tuple[str, ...], points: list[Any], dtype: str) -> None:
    """Values, derivatives by all inputs and bounds between neighbours are those of NumPy."""
    evaluator, definition = both(tape, inputs, dtype)
    given = up(points)
    assert_array_equal(bits(evaluator.values(given).get()), bits(definition.values(points)))
    found, expected = (
        evaluator.gradients(given, inputs).get(),
        definition.gradients(points, inputs),
    )
    known = ~np.isnan(expected[0])
    assert_array_equal(bits(found[0]), bits(expected[0]))
    assert_array_equal(bits(found[1:, known]), bits(expected[1:, known]))
    boxes = []
    for array in map(np.nan_to_num, points):
        other = array[..., ::-1] if array.ndim else array
        boxes.append(Interval(np.minimum(array, other), np.maximum(array, other), array > 1e6))
    bounds = evaluator.bounds([Interval(*up(side)) for side in boxes])
    for part, expected_part in zip(bounds, definition.bounds(boxes), strict=True):
        assert_array_equal(part.get(), expected_part)


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", OPERATIONS)
def test_every_operation_has_the_bits_of_numpy(op: str, dtype: str) -> None:
    some = np.array(special(np.dtype(dtype).type), dtype)
    points = [grid.ravel() for grid in np.meshgrid(some, some)]
    check(tape_of(op), ("x", "y"), points, dtype)


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
def test_any_tape_has_the_bits_of_numpy() -> None:
    @settings(max_examples=200)
    @given(
        tape=tapes(30, variables=("r", "s")), dtype=st.sampled_from(DTYPES), seed=st.integers(0, 99)
    )
    def compare(tape: Tape, dtype: str, seed: int) -> None:
        random, inputs = np.random.default_rng(seed), ("x", "y", "z", *tape.variables)
        some = np.array(special(np.dtype(dtype).type), dtype)
        check(tape, inputs, list(random.choice(some, (len(inputs), 3, 1000))), dtype)

    compare()


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("dtype", DTYPES)
def test_prospero_has_the_bits_of_numpy(dtype: str) -> None:
    """More points than threads, in arrays that broadcast."""
    x, y = (np.linspace(-1, 1, n).astype(dtype) for n in (700, 300))
    check(ivm.load(TOP / "prospero.vm"), ("x", "y"), [x, y[:, None]], dtype)


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("most", [1, 1 << 12, 1 << 20])
def test_points_that_do_not_fit_at_once_come_in_parts(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from intervalvm.gpu import evaluator

    monkeypatch.setattr(evaluator, "MOST_BYTES", most)
    monkeypatch.setattr(evaluator, "WORTH_ASKING", 0)
    x, y, _ = ivm.axes()
    tape = ivm.minimum(ivm.sqrt(x * x + y * y) - 0.75, x * y + 0.25).tape()
    check(tape, ("x", "y"), [np.linspace(-1, 1, 37, dtype="float32"), np.float32(0.25)], "float32")
    check(tape, ("x", "y"), list(np.random.default_rng(1).random((2, 4, 30))), "float64")


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
def test_threads_share_an_evaluator_each_on_its_stream() -> None:
    import cupy

    tape = ivm.load(TOP / "prospero.vm")
    evaluator, definition = both(tape, ("x", "y"), "float32")
    random = np.random.default_rng(1)
    points = [list(random.uniform(-1, 1, (2, 5000)).astype("float32")) for _ in range(8)]

    def evaluate(some: list[Any]) -> Any:
        with cupy.cuda.Stream(non_blocking=True) as stream:
            found = evaluator.values(up(some))
            stream.synchronize()
            return found.get()

    with ThreadPoolExecutor(4) as pool:
        for some, found in zip(points, pool.map(evaluate, points), strict=True):
            assert_array_equal(bits(found), bits(definition.values(some)))


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
def test_a_pickled_evaluator_and_shorter_ones_have_the_same_values() -> None:
    x, y, _ = ivm.axes()
    tape = ivm.minimum(ivm.sqrt(x * x + y * y) - 0.75, x * y + 0.25).tape()
    evaluator, definition = both(tape, ("x", "y"), "float32")
    low = np.linspace(-1, 0.875, 16, dtype="float32")
    sides = [Interval(low, low + np.float32(0.125), np.zeros(16, bool))] * 2
    shorter = pickle.loads(pickle.dumps(evaluator)).shorten([Interval(*up(s)) for s in sides])
    assert min(len(short.tape) for short in shorter) < len(tape)
    for at, short in zip(low, shorter, strict=True):
        points = [np.array([at, at + np.float32(0.125)])] * 2
        assert_array_equal(short.values(up(points)).get(), definition.values(points))


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
def test_what_does_not_fit_says_so() -> None:
    import cupy

    evaluator, _ = both(ivm.parse("x var-x"), ("x",), "float64")
    point = cupy.broadcast_to(cupy.zeros(1), (1 << 44,))
    with pytest.raises(ivm.DoesNotFit, match="fewer points"):
        evaluator.values([point])
