"""Evaluators on a GPU as callers see them: the real kernels, on the arrays of a stand-in for CuPy.

Run by ``test_exchange``. At the end the simulator's own arrays, which are NumPy's.
"""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.array_shapes import SHAPES, fitting
from support.cuda_simulator import let_threads_share_cuda, simulate_with_cupy
from support.fake_cupy import Described, FakeArray, FakeDevice, Tensor
from support.operations import DTYPES, bits
from support.strategies import INTERESTING, tapes

import intervalvm as ivm
from intervalvm import (
    ArgumentTypeError,
    DeviceError,
    Evaluator,
    OptionError,
    Tape,
    VariableError,
)
from intervalvm.gpu import evaluator

BUMPS = ivm.parse(
    "x var-x\ny var-y\nr var-r\na mul x x\nb mul y y\nc add a b\nd sub c r\ne sin x\nf min d e"
)
KINDS = ["float32", "float64", "float16", "int32", "uint8", "bool"]
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning")
"""Of the simulator, whose threads round as NumPy does."""
FEW = settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> FakeDevice:
    return simulate_with_cupy(monkeypatch)


WHERE: dict[str, Any] = {
    "host": lambda _, array: array,
    "list": lambda _, array: array.tolist(),
    "cupy": FakeArray,
    "tensor": lambda gpu, array: Tensor(FakeArray(gpu, array)),
    "managed": lambda gpu, array: Tensor(FakeArray(gpu, array), on=(13, 0)),
    "described": lambda gpu, array: Described(FakeArray(gpu, array)),
}
RANDOM = np.random.default_rng(1).normal(size=20)
Both = tuple[Any, Any]
"""The same numbers as an array of NumPy's, and wherever they may lie."""


@st.composite
def numbers(draw: st.DrawFn, gpu: FakeDevice, whole: tuple[int, ...]) -> Both:
    """Of any dtype, of a shape that broadcasts to ``whole``."""
    shape = draw(fitting(whole))
    random = np.random.default_rng(draw(st.integers(0, 1000)))
    with np.errstate(all="ignore"):
        array = np.array(random.choice([*INTERESTING, *RANDOM], shape))
        array = array.astype(draw(st.sampled_from(KINDS)))
    return array, WHERE[draw(st.sampled_from(list(WHERE)))](gpu, array.copy())


@st.composite
def inputs(draw: st.DrawFn, gpu: FakeDevice, count: int) -> list[Both]:
    whole = draw(st.sampled_from(SHAPES))
    return [draw(numbers(gpu, whole)) for _ in range(count)]


@st.composite
def sides(draw: st.DrawFn, gpu: FakeDevice, whole: tuple[int, ...]) -> Both:
    """A pair, mostly in order, or an array of two rows, or one of points."""
    mine, theirs = draw(numbers(gpu, whole))
    if draw(st.integers(0, 3)) == 0:
        return (mine, mine), (theirs, theirs)
    kind = mine.dtype if mine.dtype.kind == "f" else np.dtype("float64")
    with np.errstate(all="ignore"):
        low = np.array(np.nan_to_num(mine.astype(kind), posinf=np.inf, neginf=-np.inf))
        high = np.array(low + draw(st.sampled_from([0, 1e-40, 0.5])), kind)
    where = [WHERE[draw(st.sampled_from(list(WHERE)))] for _ in range(2)]
    if draw(st.booleans()) and where[0] is not WHERE["list"]:
        rows = np.stack((low, high))
        return (low, high), where[0](gpu, rows.copy())
    return (low, high), tuple(f(gpu, end.copy()) for f, end in zip(where, (low, high), strict=True))


def on_both(tape: Tape, **options: Any) -> tuple[Evaluator, Evaluator]:
    """On the GPU, and by NumPy."""
    return Evaluator(tape, backend="cuda", **options), Evaluator(tape, backend="numpy", **options)


# --- the bits of NumPy ----------------------------------------------------------------------------


@FEW
@given(data=st.data(), tape=tapes(10, variables=["r"]), dtype=st.sampled_from(DTYPES))
def test_values_are_those_of_numpy_wherever_the_inputs_lie(
    gpu: FakeDevice, data: st.DataObject, tape: Tape, dtype: str
) -> None:
    found, expected = on_both(tape, dtype=dtype)
    mine, theirs = zip(*data.draw(inputs(gpu, len(found.inputs))), strict=True)
    values = found.values(*theirs)
    assert isinstance(values, FakeArray)
    assert_array_equal(bits(values.get()), bits(expected.values(*mine)))


@FEW
@given(data=st.data(), tape=tapes(10, variables=["r"]), dtype=st.sampled_from(DTYPES))
def test_gradients_are_those_of_numpy_wherever_the_inputs_lie(
    gpu: FakeDevice, data: st.DataObject, tape: Tape, dtype: str
) -> None:
    found, expected = on_both(tape, dtype=dtype)
    mine, theirs = zip(*data.draw(inputs(gpu, len(found.inputs))), strict=True)
    by = data.draw(st.permutations(found.inputs))[: data.draw(st.integers(0, 4))]
    slopes, same = found.gradients(*theirs, by=by).get(), expected.gradients(*mine, by=by)
    assert_array_equal(bits(slopes[0]), bits(same[0]))
    known = ~np.isnan(same[0])  # the derivatives of a NaN are unspecified
    assert_array_equal(bits(slopes[:, known]), bits(same[:, known]))


@FEW
@given(data=st.data(), tape=tapes(10, variables=["r"]), dtype=st.sampled_from(DTYPES))
def test_bounds_and_shorter_tapes_are_those_of_numpy_wherever_the_sides_lie(
    gpu: FakeDevice, data: st.DataObject, tape: Tape, dtype: str
) -> None:
    """Also what is said of sides in the wrong order."""
    found, expected = on_both(tape, dtype=dtype)
    whole = data.draw(st.sampled_from(SHAPES))
    mine, theirs = zip(*(data.draw(sides(gpu, whole)) for _ in found.inputs), strict=True)
    try:
        bounds = expected.bounds(*mine)
    except OptionError:
        for ask in (found.bounds, found.shorten):
            with pytest.raises(OptionError, match="the lower one first"):
                ask(*theirs)
        return
    on_gpu = found.bounds(*theirs)
    for part in ("lower", "upper", "maybe_nan"):
        on_device, same = getattr(on_gpu, part), np.asarray(getattr(bounds, part))
        assert isinstance(on_device, FakeArray)
        assert on_device.shape == same.shape
        assert_array_equal(on_device.get(), same)  # of a bound both zeros are equal
    assert str(on_gpu) == str(bounds)
    tapes = [[short.tape for short in each.shorten(*mine)] for each in (found, expected)]
    assert tapes[0] == tapes[1]
    assert tapes[0] == [short.tape for short in found.shorten(*theirs)]


# --- in and out -----------------------------------------------------------------------------------

X, Y, R = np.random.default_rng(2).uniform(-1, 1, (3, 8)).astype(np.float32)


def up(gpu: FakeDevice, *arrays: Any) -> list[FakeArray]:
    return [FakeArray(gpu, np.array(array)) for array in arrays]


def test_inputs_go_by_position_or_by_name_and_have_defaults(gpu: FakeDevice) -> None:
    x, y, z = ivm.axes()
    found, expected = on_both(x * x + y * y + z - ivm.var("r", 0.5))
    on_device = up(gpu, X, Y)
    assert_array_equal(found.values(*on_device).get(), expected.values(X, Y))
    assert_array_equal(found.values(on_device[0], r=R, y=Y).get(), expected.values(X, Y, r=R))
    one = found.values(1.0, 0.5)
    assert isinstance(one, FakeArray)
    assert (one.shape, one.get()) == ((), 0.75)
    box = found.bounds(1.0, (0, 0.5))
    assert (box.lower.shape, box.lower.get(), box.upper.get()) == ((), 0.5, 0.75)
    assert str(box) == "[0.5, 0.75]"


def test_nothing_is_copied_to_the_host_for_points(gpu: FakeDevice) -> None:
    found, on_device = Evaluator(BUMPS, backend="cuda"), up(gpu, X, Y, R)
    found.values(*on_device)
    found.values(0.5, 0.25, 0.125)
    assert gpu.copies_down == 0


def test_a_result_is_written_to_out(gpu: FakeDevice) -> None:
    found, expected = on_both(BUMPS)
    values, slopes = expected.values(X, Y, R), expected.gradients(X, Y, R)
    for wrap in (lambda a: a, Tensor, Described):
        out = wrap(FakeArray(gpu, np.empty(8, np.float32)))
        assert found.values(*up(gpu, X, Y, R), out=out) is out
        on_device = out if isinstance(out, FakeArray) else out.array
        assert_array_equal(on_device.get(), values)
    many = FakeArray(gpu, np.empty((3, 8), np.float32))
    assert found.gradients(*up(gpu, X, Y, R), by=("r", "x"), out=many) is many
    assert_array_equal(many.get(), slopes[[0, 3, 1]])
    number = FakeArray(gpu, np.empty((), np.float32))
    assert found.values(0.5, 0.25, 0.125, out=number).get() == expected.values(0.5, 0.25, 0.125)


def test_out_may_be_an_input(gpu: FakeDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the points come in parts, the second of which would read what the first wrote."""
    monkeypatch.setattr(evaluator, "MOST_BYTES", 1)
    monkeypatch.setattr(evaluator, "WORTH_ASKING", 0)
    found, expected = on_both(BUMPS)
    both = FakeArray(gpu, np.array([X, Y, R]))
    mine = FakeArray(gpu, X[::-1].copy())
    turned = mine[::-1]
    found.values(turned, Y, R, out=mine)
    assert_array_equal(mine.get(), expected.values(X, Y, R))
    found.gradients(both[0], Tensor(both[1]), both[2], by=("x", "r"), out=both)
    assert_array_equal(both.get(), expected.gradients(X, Y, R, by=("x", "r")))


FITTING: list[Any] = [
    (lambda gpu: FakeArray(gpu, np.empty(8)), OptionError, "out is <f8 of shape .8,.: the result"),
    (lambda gpu: FakeArray(gpu, np.empty((8, 1), "f4")), OptionError, "of shape .8, 1."),
    (lambda gpu: FakeArray(gpu, np.empty(16, "f4"))[::2], OptionError, "gaps or another order"),
    (lambda _: np.empty(8, np.float32), ArgumentTypeError, "is no array on a GPU"),
]


@pytest.mark.parametrize(("make", "error", "words"), FITTING)
def test_what_out_must_be_is_said(
    gpu: FakeDevice, make: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        Evaluator(BUMPS, backend="cuda").values(X, Y, R, out=make(gpu))


MISTAKES: list[Any] = [
    (lambda e, _: e.values(X, Y), VariableError, "values lacks r"),
    (lambda e, _: e.values(X, Y[:3], R), OptionError, "do not broadcast"),
    (lambda e, _: e.bounds((0, 1), "text", 0), OptionError, "give a number or a pair"),
    (lambda e, up: e.bounds((up(X), "text"), 0, 0), OptionError, "give a number or a pair"),
    (lambda e, up: e.bounds(up(X), 0, 0), OptionError, "give a number or a pair"),
    (lambda e, up: e.bounds((up(X), up(Y[:3])), 0, 0), OptionError, "do not broadcast"),
    (lambda e, up: e.bounds((up(X), up(X - 1)), 0, 0), OptionError, "the lower one first"),
    (lambda e, up: e.bounds((up([np.nan] * 3),) * 2, 0, 0), OptionError, "the lower one first"),
    (lambda e, up: e.shorten((up(X), up(X - 1)), 0), OptionError, "the lower one first"),
    (lambda e, up: e.bounds(Tensor(up(X), grad=True), 0, 0), OptionError, "as by .detach"),
    (lambda e, _: e.slopes((0, 1), (0, 1), 0), OptionError, "make an evaluator without it"),
]


@pytest.mark.parametrize(("call", "error", "words"), MISTAKES)
def test_mistakes_are_said(gpu: FakeDevice, call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call(Evaluator(BUMPS, backend="cuda"), lambda array: FakeArray(gpu, np.array(array)))


def test_shorter_evaluators_are_on_the_gpu(gpu: FakeDevice) -> None:
    tape = ivm.parse("x var-x\nr var-r\nv min x r")
    ready = Evaluator(tape, backend="cuda")
    assert repr(ready) == "<Evaluator of 3 clauses in x, y, r on a GPU>"
    (whole,) = ready.shorten((0, 1), 0)
    assert whole.tape == tape  # r may have any value
    low, high = up(gpu, [0.0, 2.5], [1.0, 4.0])
    near, far = ready.shorten((low, high), 0, (2, 3))
    assert (len(near.tape), len(far.tape)) == (1, 3)
    assert near.inputs == ("x", "y", "r")
    assert repr(near).endswith(" on a GPU>")
    assert_array_equal(near.values(*up(gpu, X, Y, R)).get(), X)


def test_it_can_be_pickled(gpu: FakeDevice) -> None:
    found, expected = on_both(BUMPS, inputs=("r", "y", "x"))
    found.values(R, Y, X)
    again = pickle.loads(pickle.dumps(found))
    assert repr(again) == repr(found)
    assert_array_equal(again.values(R, Y, X).get(), expected.values(R, Y, X))


@pytest.mark.parametrize("call", ["values", "gradients", "bounds", "shorten"])
def test_a_device_that_is_lost_is_an_error(gpu: FakeDevice, call: str) -> None:
    ready = Evaluator(BUMPS, backend="cuda")
    ask = getattr(ready, call)
    given = up(gpu, X, Y, R)
    arguments = given if call in ("values", "gradients") else [(array, array) for array in given]
    ask(*arguments)
    before = gpu.kernels
    ask(*arguments)
    count = gpu.kernels - before
    for kernels in {0, count // 2, max(count - 1, 0)}:
        gpu.lost_after = gpu.kernels + kernels
        with pytest.raises(DeviceError, match="the GPU failed"):
            ask(*arguments)
        gpu.lost_after = None


# --- the simulator's own arrays -------------------------------------------------------------------


def test_arrays_of_the_simulator_are_those_of_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    let_threads_share_cuda(monkeypatch)
    found, expected = on_both(BUMPS)
    assert_array_equal(found.values(X, Y, R), expected.values(X, Y, R))
    out = np.empty((2, 8), np.float32)
    assert found.gradients(X, Y, R, by=("y",), out=out) is out
    assert_array_equal(out, expected.gradients(X, Y, R, by=("y",)))
    assert found.bounds((0, 1), 0.5, 0.25) == expected.bounds((0, 1), 0.5, 0.25)
    assert found.shorten((0, 1), 0)[0].tape == expected.shorten((0, 1), 0)[0].tape
    with pytest.raises(ArgumentTypeError, match="no NumPy array"):
        found.values(X, Y, R, out=[0.0] * 8)
