"""The kernels of evaluators, thread by thread: run by ``test_gpu_evaluator``."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.array_shapes import SHAPES, fitting
from support.cuda_simulator import let_threads_share_cuda
from support.fake_cupy import FakeDevice, SimulatedLauncher, install
from support.operations import DTYPES, bits
from support.strategies import INTERESTING, tapes

from intervalvm import DeviceError, DoesNotFit, Evaluator, OptionError, Tape, parse
from intervalvm.evaluate.evaluator import NumpyEvaluator
from intervalvm.evaluate.gradients import run
from intervalvm.evaluate.points import Points, reads
from intervalvm.gpu import devices
from intervalvm.gpu import evaluator as tested
from intervalvm.gpu.evaluator import CudaEvaluator, parts_of
from intervalvm.gpu.target import SIMULATED
from intervalvm.ops import AXES
from intervalvm.ops.row import Interval
from intervalvm.words import Meaning

assert SIMULATED
VARIABLES = ("r", "s", "t")
FEW = settings(max_examples=40)


@pytest.fixture(autouse=True, scope="module")
def shared_cuda() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        let_threads_share_cuda(patch)
        yield


def both(tape: Tape, inputs: tuple[str, ...], dtype: str) -> tuple[CudaEvaluator, NumpyEvaluator]:
    kind = np.dtype(dtype)
    return CudaEvaluator(tape, inputs, kind), NumpyEvaluator(tape, inputs, kind)


def inputs_of(data: st.DataObject, tape: Tape) -> tuple[str, ...]:
    """What the tape reads, and perhaps more, in any order."""
    more = data.draw(st.sets(st.sampled_from([*AXES, *tape.variables])))
    return tuple(data.draw(st.permutations(sorted(reads(tape) | more) or ["x"])))


def arrays_of(data: st.DataObject, count: int, dtype: str) -> list[Any]:
    """So many arrays that broadcast, of numbers at which something may happen."""
    whole = data.draw(st.sampled_from(SHAPES))
    random = np.random.default_rng(data.draw(st.integers(0, 1000)))
    with np.errstate(over="ignore", under="ignore"):
        numbers = np.array([*INTERESTING, *random.normal(size=20)], dtype)
    return [np.array(random.choice(numbers, data.draw(fitting(whole)))) for _ in range(count)]


def boxes_of(data: st.DataObject, count: int, dtype: str) -> list[Interval]:
    """So many sides that broadcast; some are points, some may be NaN."""
    found = []
    for ends in arrays_of(data, count, dtype):
        low = np.nan_to_num(ends, nan=0.5, posinf=np.inf, neginf=-np.inf)
        other = low[..., ::-1] if low.ndim else low
        maybe_nan = np.asarray(data.draw(st.booleans())) if low.size > 2 else np.asarray(low > 2)
        found.append(Interval(np.minimum(low, other), np.maximum(low, other), maybe_nan))
    return found


@FEW
@given(data=st.data(), dtype=st.sampled_from(DTYPES), tape=tapes(20, variables=VARIABLES))
def test_values_are_those_of_numpy(data: st.DataObject, dtype: str, tape: Tape) -> None:
    inputs = inputs_of(data, tape)
    points = arrays_of(data, len(inputs), dtype)
    found, expected = (each.values(points) for each in both(tape, inputs, dtype))
    assert_array_equal(bits(found), bits(expected))


@FEW
@given(data=st.data(), dtype=st.sampled_from(DTYPES), tape=tapes(20, variables=VARIABLES))
def test_bounds_are_those_of_numpy(data: st.DataObject, dtype: str, tape: Tape) -> None:
    inputs = inputs_of(data, tape)
    boxes = boxes_of(data, len(inputs), dtype)
    found, expected = (each.bounds(boxes) for each in both(tape, inputs, dtype))
    for part, other in zip(found, expected, strict=True):
        assert part.dtype == other.dtype
        assert_array_equal(part, other)


def check_derivatives(
    tape: Tape, inputs: tuple[str, ...], points: list[Any], by: tuple[str, ...], dtype: str
) -> tuple[Any, Any]:
    """Those of NumPy, bit for bit, and points are settled that NumPy settles: returns which."""
    cuda, definition = both(tape, inputs, dtype)
    with patch.object(tested, "settle_all", wraps=tested.settle_all) as settle:
        found = cuda.gradients(points, by)
    expected = definition.gradients(points, by)
    known = ~np.isnan(expected[0])
    assert_array_equal(bits(found[0]), bits(expected[0]))
    assert_array_equal(bits(found[1:, known]), bits(expected[1:, known]))
    ready = Points.of(tape, dict(zip(inputs, points, strict=True)), np.dtype(dtype))
    masks = run(ready, by)[1:]
    whole = [np.broadcast_to(False if mask is None else mask, ready.shape) for mask in masks]
    asked = settle.call_args.args[2:4] if settle.called else (None, None)
    for mask, expected_mask in zip(asked, whole, strict=True):
        assert_array_equal(False if mask is None else mask, expected_mask)
        assert (mask is None) == (not expected_mask.any())
    return whole[0], whole[1]


@FEW
@given(data=st.data(), dtype=st.sampled_from(DTYPES), tape=tapes(20, variables=VARIABLES))
def test_derivatives_are_those_of_numpy(data: st.DataObject, dtype: str, tape: Tape) -> None:
    """Where branches meet too, by more than three inputs, and by some that are not read."""
    inputs = inputs_of(data, tape)
    by = tuple(data.draw(st.permutations(inputs)))[: data.draw(st.integers(0, 6))]
    check_derivatives(tape, inputs, arrays_of(data, len(inputs), dtype), by, dtype)


def test_threads_take_several_points() -> None:
    """There are more than all blocks of a launch have threads."""
    launcher = devices.Simulator
    count = 2 * launcher.leaf_blocks * launcher.paint_threads + 5
    tape, inputs = parse("x var-x\ny var-y\na mul x y\nb min a y\nv add b x"), ("x", "y")
    points = list(np.random.default_rng(1).uniform(-1, 1, (2, count)))
    cuda, definition = both(tape, inputs, "float64")
    assert_array_equal(cuda.values(points), definition.values(points))
    assert_array_equal(cuda.gradients(points, inputs), definition.gradients(points, inputs))
    boxes = [Interval(axis - 0.25, axis + 0.25, np.asarray(False)) for axis in points]
    for found, expected in zip(cuda.bounds(boxes), definition.bounds(boxes), strict=True):
        assert_array_equal(found, expected)


BRANCHES = [
    "x var-x\ny var-y\nv min x y",
    "x var-x\ny var-y\na abs x\nv max a y",
    "x var-x\ny var-y\na floor x\nv mul a y",
    "x var-x\ny var-y\na mul x y\nb square x\nc add a b\nv sqrt c",
    "x var-x\ny var-y\na neg x\nb max x a\nc min b y\nv and c y",
    "x var-x\na neg x\nv min a x",
    "x var-x\nk const 2\nv mod x k",
    "x var-x\na neg x\nv sqrt a",
    "x var-x\ny var-y\na floor y\nb ln x\nv add a b",
]
"""With branches that meet, or jumps, or an infinite slope, where x and y are whole or equal."""


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("text", BRANCHES)
def test_derivatives_where_branches_meet(text: str, dtype: str) -> None:
    """They are marked and settled."""
    x, y = (grid.ravel() for grid in np.meshgrid(*[np.array([-1.5, -1, -0.0, 0, 1, 2], dtype)] * 2))
    tape, inputs = parse(text), ("x", "y")
    check_derivatives(tape, inputs, [x, y], ("x",), dtype)
    kinks, jumps = check_derivatives(tape, inputs, [x, y], inputs, dtype)
    assert kinks.any() or jumps.any()


@pytest.mark.parametrize("dtype", DTYPES)
def test_derivatives_by_many_inputs(dtype: str) -> None:
    """Three at a time; where branches meet is known of each time."""
    lines = ["x var-x", "y var-y", "z var-z", *(f"{name} var-{name}" for name in VARIABLES)]
    lines += ["a mul x y", "b max a z", "c mul r s", "d mul c t", "e add b d", "f mul e x"]
    inputs = (*AXES, *VARIABLES)
    points = [np.array([1, -1, 0.5, k, 0], dtype) for k in range(6)]
    for by in (inputs, inputs[::-1], inputs[2:], ("t", "x", "y", "z")):
        kinks, _ = check_derivatives(parse("\n".join(lines)), inputs, points, by, dtype)
        assert kinks.any()
        assert not kinks.all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_term_that_is_not_there_is_not_a_zero(dtype: str) -> None:
    """0 - 0 is +0, where -0 alone is -0."""
    tape = parse("x var-x\ny var-y\na mul x y\nk const 2\nb sub k a\nr var-r\nv sub r b")
    points = [np.array([0, -0.0, 1], dtype), np.array([0, 0, -0.0], dtype), np.ones(3, dtype)]
    for by in (("x",), ("x", "r"), ("r", "y")):
        check_derivatives(tape, ("x", "y", "r"), points, by, dtype)


TAPE = parse(
    "x var-x\ny var-y\nr var-r\na mul x x\nb mul y y\nc add a b\nd sub c r\ne sin x\nf min d e\n"
    "g neg y\nv max f g"
)
INPUTS = ("x", "y", "r")


def numbers(shape: tuple[int, ...] = (12,), dtype: str = "float32") -> list[Any]:
    return list(np.random.default_rng(3).normal(size=(3, *shape)).astype(dtype))


def test_results_are_written_to_what_is_given() -> None:
    cuda, definition = both(TAPE, INPUTS, "float32")
    points, out = numbers((2, 3)), np.empty((3, 2, 3), "float32")
    assert cuda.values(points, out[0]) is not None
    assert_array_equal(out[0], definition.values(points))
    assert cuda.gradients(points, ("y", "r"), out) is out
    assert_array_equal(out, definition.gradients(points, ("y", "r")))


@pytest.mark.parametrize("most", [1, 40, 1000])
def test_points_that_do_not_fit_at_once_come_in_parts(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tested, "MOST_BYTES", most)
    monkeypatch.setattr(tested, "WORTH_ASKING", 0)
    cuda, definition = both(TAPE, INPUTS, "float64")
    x, y, r = numbers((3, 5, 2), "float64")
    points = [x, y[:, :1], r[0, 0, :1]]
    assert_array_equal(cuda.values(points), definition.values(points))
    assert_array_equal(cuda.gradients(points, ("r", "x")), definition.gradients(points, ("r", "x")))
    boxes = [Interval(part, part + 0.5, np.False_ & (part > 0)) for part in points]
    for found, expected in zip(cuda.bounds(boxes), definition.bounds(boxes), strict=True):
        assert_array_equal(found, expected)


@given(shape=st.lists(st.integers(0, 5), max_size=4).map(tuple), most=st.integers(1, 130))
def test_parts_follow_each_other_in_c_order(shape: tuple[int, ...], most: int) -> None:
    array = np.arange(int(np.prod(shape))).reshape(shape)
    parts = [np.ravel(array[part]) for part in parts_of(shape, most)]
    assert all(part.size <= most for part in parts)
    assert_array_equal(np.concatenate([*parts, []]), array.ravel())


def test_shorter_evaluators_are_those_of_numpy() -> None:
    cuda, definition = both(TAPE, INPUTS, "float32")
    low = numbers((4, 2))
    boxes = [Interval(part, part + np.float32(0.25), np.zeros((4, 2), bool)) for part in low]
    for sign_only in (False, True):
        found = cuda.shorten(boxes, sign_only=sign_only)
        expected = definition.shorten(boxes, sign_only=sign_only)
        assert [str(each.tape) for each in found] == [str(each.tape) for each in expected]
        for k, short in enumerate(found):
            points = [part.ravel()[k] for part in low]
            value, whole = short.values(points), definition.values(points)
            assert (value < 0) == (whole < 0) if sign_only else value == whole


def test_a_choice_is_proven_by_all_evaluators() -> None:
    cuda, _ = both(TAPE, INPUTS, "float32")
    wide = CudaEvaluator(TAPE, INPUTS, np.dtype("float64"))
    near = [Interval(part, part + np.float32(0.25), np.zeros(12, bool)) for part in numbers()]
    far = [Interval(np.float64(-9), np.float64(9), np.bool_(False))] * 3
    far = [Interval(*(np.broadcast_to(part, 12) for part in side)) for side in far]
    (found, *_), (alone, *_) = cuda.shorten(near, also=[(wide, far)]), cuda.shorten(near)
    assert len(alone.tape) < len(TAPE)
    assert len(found.tape) == len(TAPE)


def test_a_pickled_evaluator_is_as_it_was() -> None:
    cuda, definition = both(TAPE, INPUTS, "float64")
    cuda.values(numbers(dtype="float64"))
    other = pickle.loads(pickle.dumps(cuda))
    assert (other.inputs, other.dtype, other.meaning) == (INPUTS, cuda.dtype, Meaning.FLOAT)
    points = numbers(dtype="float64")
    assert_array_equal(other.values(points), definition.values(points))


def test_bounds_of_derivatives_are_told_where_to_find() -> None:
    cuda, _ = both(TAPE, INPUTS, "float32")
    with pytest.raises(OptionError, match="make an evaluator without"):
        cuda.slope_bounds([], ())


# --- with the stand-in for CuPy: arrays of a device do not mix with NumPy's -----------------------


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> FakeDevice:
    found = FakeDevice()
    install(monkeypatch, found, SimulatedLauncher(found))
    return found


def up(arrays: Iterable[Any]) -> list[Any]:
    module = devices.current().module
    return [module.asarray(array) for array in arrays]


def check(points: list[Any]) -> None:
    cuda, definition = both(TAPE, INPUTS, "float32")
    given = up(points)
    assert_array_equal(cuda.values(given).get(), definition.values(points))
    for by in (("x",), ("y", "r"), INPUTS):
        found = cuda.gradients(given, by)
        assert_array_equal(found.get(), definition.gradients(points, by))
    sides = [Interval(part, part + np.float32(0.5), np.asarray(part > 1)) for part in points]
    found = cuda.bounds([Interval(*up(side)) for side in sides])
    assert found.maybe_nan.dtype == np.bool_
    for part, expected in zip(found, definition.bounds(sides), strict=True):
        assert_array_equal(part.get(), expected)
    assert (
        len(cuda.shorten([Interval(*up(side)) for side in sides])) == definition.values(points).size
    )


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("shape", [(), (3,), (2, 2)], ids=str)
def test_results_stay_on_the_device(shape: tuple[int, ...]) -> None:
    check(numbers(shape))


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("dtype", DTYPES)
def test_what_callers_ask_of_an_evaluator_is_that_of_numpy(dtype: str) -> None:
    """By name or by place, numbers and arrays, of the host and of the device."""
    found, expected = (Evaluator(TAPE, dtype=dtype, backend=each) for each in ("cuda", "numpy"))
    x, y, r = numbers((6,), dtype)
    (on_device,) = up([x])
    value = found.values(on_device, r=0.5, y=y)
    assert_array_equal(value.get(), expected.values(x, y, 0.5))
    for by in (None, ("r",), ("y", "x")):
        slopes = found.gradients(on_device, y, r[:, None], by=by)
        assert_array_equal(slopes.get(), expected.gradients(x, y, r[:, None], by=by))
    (high,) = up([x + 1])
    sides: Any = ((on_device, high), (-1, 2), 0.25)
    bounds, whole = found.bounds(*sides), expected.bounds((x, x + 1), (-1, 2), 0.25)
    for part in ("lower", "upper", "maybe_nan"):
        assert_array_equal(getattr(bounds, part).get(), getattr(whole, part))
    shorter = found.shorten(*sides), expected.shorten((x, x + 1), (-1, 2), 0.25)
    for short, other in zip(*shorter, strict=True):
        assert short.tape == other.tape
        assert_array_equal(short.values(x, 0, 0.25).get(), other.values(x, 0, 0.25))
    with pytest.raises(OptionError, match="has no"):
        found.slopes(*sides)


@pytest.mark.usefixtures("gpu")
def test_branches_that_meet_on_the_device_are_settled() -> None:
    tied = np.array([0.0, 1.0, -1.0, 0.5], "float32")
    cuda, definition = both(parse(BRANCHES[0]), ("x", "y"), "float32")
    jump = both(parse(BRANCHES[2]), ("x", "y"), "float32")
    for found, expected in ((cuda, definition), jump):
        points = [tied, tied]
        assert_array_equal(
            found.gradients(up(points), ("x", "y")).get(), expected.gradients(points, ("x", "y"))
        )


@pytest.mark.usefixtures("gpu")
def test_threads_share_an_evaluator() -> None:
    cuda, definition = both(TAPE, INPUTS, "float32")
    points = [numbers((k,)) for k in range(1, 7)]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda some: cuda.gradients(up(some), INPUTS).get(), points))
    for each, some in zip(found, points, strict=True):
        assert_array_equal(each, definition.gradients(some, INPUTS))


def test_programs_for_few_derivatives_are_kept(gpu: FakeDevice) -> None:
    cuda, _ = both(TAPE, INPUTS, "float32")
    points = up(numbers((1,)))
    held = []
    for count in (1, 2, 3):
        for by in permutations(INPUTS, count):
            cuda.gradients(points, by)
            held.append(gpu.held)
    assert len(held) == 15
    assert held[-1] < max(held) == held[7]


def test_memory_of_a_call_is_given_back(gpu: FakeDevice) -> None:
    cuda, _ = both(TAPE, INPUTS, "float32")
    points = up(numbers())
    cuda.values(points)  # the program stays
    held = gpu.held
    found = cuda.values(points)
    assert gpu.held == held + found.nbytes
    gpu.memory = gpu.held + found.nbytes
    with pytest.raises(DoesNotFit, match="evaluate fewer points at a time"):
        cuda.values(points)
    assert gpu.held == held + found.nbytes


def test_parts_are_as_large_as_is_free(gpu: FakeDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    launcher = devices.current()
    assert isinstance(launcher, SimulatedLauncher)
    monkeypatch.setattr(tested, "WORTH_ASKING", 0)
    cuda, definition = both(TAPE, INPUTS, "float32")
    points = numbers((40,))
    given = up(points)
    cuda.values(given)
    assert len(launcher.launches) == 1
    # 40 values, three rows of 12, and the scratch memory of a block
    gpu.promised = gpu.held + 4 * 40 + (2 * 4 * 3 * 12 + 16) * 8 // 7
    assert_array_equal(cuda.values(given).get(), definition.values(points))
    assert len(launcher.launches) == 1 + 4


def test_a_device_that_is_lost_is_an_error(gpu: FakeDevice) -> None:
    cuda, _ = both(TAPE, INPUTS, "float32")
    points = up(numbers())
    gpu.lost_after = gpu.kernels + 3
    with pytest.raises(DeviceError, match="start a new one"):
        cuda.gradients(points, INPUTS)
