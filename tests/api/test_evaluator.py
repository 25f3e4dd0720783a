"""``ivm.Evaluator``: the bits of the functions, its arguments, and what is said of wrong ones."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from numpy.typing import NDArray
from support.evaluators import compiled_at_once
from support.operations import bits
from support.strategies import tapes

import intervalvm as ivm
from intervalvm import ArgumentTypeError, Evaluator, OptionError, VariableError
from intervalvm.api.inputs import arrays_of, box_of, side_of
from intervalvm.ops import AXES
from intervalvm.tape import Tape
from intervalvm.words import Meaning

BUMPS = ivm.parse(
    "x var-x\ny var-y\nr var-r\na mul x x\nb mul y y\nc add a b\nd sub c r\ne sin x\nf min d e"
)
X, Y, R = np.random.default_rng(2).uniform(-1, 1, (3, 50)).astype(np.float32)
LOW, HIGH = np.array([-1.0, 0.25, 0.5]), np.array([-0.5, 0.5, 2.0])
backends = pytest.mark.parametrize("backend", ["numba", "numpy"])
x, y = ivm.axes()[:2]
dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])


@backends
@dtypes
@given(tape=tapes(15, variables=["r"]), x=st.floats(-2, 2), y=st.floats(-2, 2))
@compiled_at_once()
def test_it_has_the_bits_of_the_functions(
    tape: Tape, x: float, y: float, dtype: Any, backend: Any
) -> None:
    inputs = (*tape.variables, "z", "y", "x")
    found = Evaluator(tape, dtype=dtype, inputs=inputs, backend=backend)
    free = dict.fromkeys(tape.variables, 0.5)
    at = {"x": x, "y": y, "z": 0.25, **free}
    value = found.values(**at)
    expected = ivm.evaluate(tape, x, y, 0.25, variables=free, dtype=dtype)
    assert_array_equal(bits(value), bits(expected))
    assert np.ndim(value) == 0
    slopes = found.gradients(**at, by=tuple(AXES))
    if not np.isnan(value):
        theirs = ivm.grad(tape, x, y, 0.25, variables=free, dtype=dtype, backend="numpy")
        assert_array_equal(bits(slopes), bits(theirs))
    sides = {name: (value, value + 1) for name, value in at.items()}
    axes = {name: sides[name] for name in AXES}
    ranges = {name: sides[name] for name in free}
    theirs = ivm.interval(tape, **axes, variables=ranges, dtype=dtype, backend="numpy")
    assert found.bounds(**sides) == theirs
    (short,) = found.shorten(**sides)
    assert_array_equal(bits(short.values(**at)), bits(value))


@pytest.mark.parametrize("keep", ["value", "sign"])
@given(tape=tapes(15, variables=["r"]))
@compiled_at_once()
def test_simplify_gives_the_same_tapes_on_both_back_ends(tape: Tape, keep: Any) -> None:
    sides: Any = {"x": (LOW, HIGH), "y": (0.0, 0.5), "keep": keep}
    by_numpy = ivm.simplify(tape, **sides, backend="numpy")
    assert len(by_numpy) == len(LOW)
    assert by_numpy == ivm.simplify(tape, **sides)
    assert by_numpy == [ivm.simplify(tape, **sides | {"x": (low, high)})
                        for low, high in zip(LOW, HIGH, strict=True)]  # fmt: skip


def test_the_default_inputs_are_those_that_the_tape_reads() -> None:
    assert Evaluator(BUMPS).inputs == ("x", "y", "r")
    assert Evaluator(ivm.parse("z var-z")).inputs == ("x", "y", "z")
    assert Evaluator(BUMPS, inputs=["r", "x", "z", "y"]).inputs == ("r", "x", "z", "y")
    assert Evaluator(BUMPS, dtype="float64").dtype == np.float64
    assert repr(Evaluator(BUMPS)) == "<Evaluator of 9 clauses in x, y, r>"


def test_inputs_go_by_position_or_by_name() -> None:
    found = Evaluator(BUMPS)
    expected = found.values(X, Y, R)
    assert_array_equal(found.values(X, r=R, y=Y), expected)
    assert_array_equal(found.values(x=X, y=Y, r=R), expected)
    assert_array_equal(found.values(X.tolist(), Y.astype(float), R.astype(">f4")), expected)
    assert_array_equal(found.values(X[::-1][::-1], Y, R), expected)
    box = found.bounds((0, 1), (0, 1), 0.5)
    assert found.bounds(x=(0, 1), r=0.5, y=(0, 1)) == box
    assert [short.tape for short in found.shorten((0, 1), (0, 1), r=0.5)] == [
        short.tape for short in found.shorten(x=(0, 1), y=(0, 1), r=0.5)
    ]


def test_a_variable_with_a_default_and_z_may_be_left_out() -> None:
    x, y, z = ivm.axes()
    found = Evaluator(x * x + y * y + z - ivm.var("r", 0.5))
    assert found.values(1.0, 0.5) == 0.75
    assert found.values(1.0, 0.5, 1.0, 0.25) == 2.0
    assert found.bounds(1.0, 0.5).lower == 0.75
    again = pickle.loads(pickle.dumps(found))
    assert again.values(1.0, 0.5) == 0.75


def test_a_variable_that_shorten_lacks_may_have_any_value() -> None:
    tape = ivm.parse("x var-x\nr var-r\nv min x r")
    (short,) = Evaluator(tape).shorten((0, 1), 0)
    assert short.tape == tape
    (short,) = Evaluator(tape).shorten((0, 1), 0, (2, 3))
    assert str(short.tape) == "_0 var-x\n"
    assert short.inputs == ("x", "y", "r")


@backends
def test_a_result_is_written_to_out(backend: Any) -> None:
    found = Evaluator(BUMPS, backend=backend)
    expected, slopes = found.values(X, Y, R), found.gradients(X, Y, R)
    assert slopes.shape == (4, 50)
    out = np.empty(50, np.float32)
    assert found.values(X, Y, R, out=out) is out
    assert_array_equal(out, expected)
    many = np.empty((3, 50), np.float32)
    assert found.gradients(X, Y, R, by=("r", "x"), out=many) is many
    assert_array_equal(many, slopes[[0, 3, 1]])
    mine = X.copy()  # which may be an input too
    assert_array_equal(found.values(mine, Y, R, out=mine), expected)
    both = np.array([X, Y, R])
    assert_array_equal(found.gradients(*both, by=("x", "r"), out=both), slopes[[0, 1, 3]])


@backends
def test_dtypes_that_are_equal_but_not_the_same_object_are_taken(backend: Any) -> None:
    """An array from a pickle was refused: "out is <f4 of shape (50,): the result is <f4"."""
    found = Evaluator(BUMPS, backend=backend)
    out, x = (pickle.loads(pickle.dumps(array)) for array in (np.empty(50, np.float32), X))
    assert out.dtype is not np.dtype(np.float32)
    assert found.values(x, Y, R, out=out) is out
    assert_array_equal(out, found.values(X, Y, R))
    many = pickle.loads(pickle.dumps(np.empty((4, 50), np.float32)))
    assert_array_equal(found.gradients(x, Y, R, out=many), found.gradients(X, Y, R))


def at_odd_address(array: NDArray[Any]) -> NDArray[Any]:
    found = np.zeros(array.nbytes + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape)
    found[...] = array
    assert not found.flags.aligned
    return found


@backends
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_inputs_at_odd_addresses_are_copied(dtype: Any, backend: Any) -> None:
    """Compiled code may read a number only where a number may lie."""
    found = Evaluator(BUMPS, dtype=dtype, backend=backend)
    inputs = [array.astype(dtype) for array in (X, Y, R)]
    odd = [at_odd_address(array) for array in inputs]
    for name, array in zip(found.inputs, odd, strict=True):
        assert arrays_of([name], [array], np.dtype(dtype))[0].flags.aligned
        assert box_of(side_of(name, (array, array)), np.dtype(dtype), Meaning.FLOAT)[
            0
        ].flags.aligned
    assert_array_equal(found.values(*odd), found.values(*inputs))
    assert_array_equal(found.gradients(*odd), found.gradients(*inputs))


READ_ONLY = np.empty(50, np.float32)
READ_ONLY.flags.writeable = False


@pytest.mark.parametrize(
    ("out", "error", "words"),
    [
        (np.empty(50), OptionError, "<f8 of shape"),
        (np.empty(50, ">f4"), OptionError, ">f4"),
        (np.empty(49, np.float32), OptionError, "of shape .49,.: the result is <f4 of shape .50,."),
        (np.empty((50, 1), np.float32), OptionError, "of shape"),
        (np.empty(100, np.float32)[::2], OptionError, "has gaps or another order"),
        (READ_ONLY, OptionError, "read-only"),
        (np.empty(201, np.uint8)[1:].view(np.float32), OptionError, "at an odd address"),
        ([0.0] * 50, ArgumentTypeError, "is no NumPy array"),
    ],
)
def test_what_out_must_be_is_said(out: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        Evaluator(BUMPS).values(X, Y, R, out=out)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda e: e.values(X, Y), VariableError, "values lacks r: give x, y, r"),
        (lambda e: e.bounds((0, 1)), VariableError, "bounds lacks y, r"),
        (lambda e: e.values(X, Y, R, R), ArgumentTypeError, "given 4 inputs, but there are 3"),
        (lambda e: e.values(X, Y, R, x=X), ArgumentTypeError, "x by position and by name"),
        (lambda e: e.values(X, Y, rr=R), VariableError, "no input 'rr' .did you mean 'r'"),
        (lambda e: e.values(X, Y[:3], R), OptionError, "do not broadcast"),
        (lambda e: e.values("a", Y, R), ArgumentTypeError, "x is of dtype"),
        (lambda e: e.gradients(X, Y, R, by=("q",)), VariableError, "no input 'q'"),
        (lambda e: e.gradients(X, Y, R, by="xy"), VariableError, "no input 'xy'"),
        (lambda e: e.gradients(X, Y, R, by=("x", "x")), OptionError, "twice"),
        (lambda e: e.bounds((1, 0), 0, 0), OptionError, "the lower one first"),
        (lambda e: e.bounds((LOW, HIGH[:2]), 0, 0), OptionError, "do not broadcast"),
        (lambda e: e.shorten((LOW, HIGH), ([0, 0], [1, 1])), OptionError, "do not broadcast"),
        (lambda e: e.shorten(0, 0, keep="all"), OptionError, "neither 'value' nor 'sign'"),
        (lambda _: Evaluator(BUMPS, inputs=("x", "r")), VariableError, "lacks y"),
        (lambda _: Evaluator(BUMPS, inputs=("x", "y", "r", "q")), VariableError, "no input 'q'"),
        (lambda _: Evaluator(BUMPS, inputs=("x", "y", "r", "x")), OptionError, "twice"),
        (lambda _: Evaluator(BUMPS, inputs=()), OptionError, "is empty"),
        (lambda _: Evaluator(BUMPS, backend="cupy"), OptionError, "no back end 'cupy'"),
        (
            lambda _: Evaluator(BUMPS, backend="cuda", prove="area"),
            OptionError,
            "with backend=.cuda",
        ),
        (lambda _: Evaluator(BUMPS, prove="yes"), OptionError, "prove='yes'"),
        (lambda _: Evaluator(BUMPS, dtype="int8"), OptionError, "dtype"),
    ],
)
def test_mistakes_are_said(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call(Evaluator(BUMPS))


@backends
def test_with_prove_it_bounds_and_shortens_the_real_function(backend: Any) -> None:
    found = Evaluator(BUMPS, prove="area", backend=backend)
    sides = (LOW, HIGH), (0, 0.5), 0.25
    bounds = found.bounds(*sides)
    x, y, r = sides
    tight = ivm.interval(BUMPS, x=x, y=y, variables={"r": r}, prove="area")
    assert (bounds.lower <= tight.lower).all()
    assert (bounds.upper >= tight.upper).all()
    np.testing.assert_allclose(bounds.lower, tight.lower, rtol=1e-5, atol=1e-6)  # ulps of 9 clauses
    assert [len(short.tape) for short in found.shorten(*sides)] == [2, 9, 9]
    for ask in (found.values, found.gradients):
        with pytest.raises(OptionError, match="prove='area' has no"):
            ask(X, Y, R)
    with pytest.raises(OptionError, match="no real number"):
        found.bounds((np.inf, np.inf), 0, 0)
    with pytest.raises(OptionError, match="one number a side"):
        Evaluator(BUMPS, prove="point").bounds((0, 1), 0, 0)
    assert pickle.loads(pickle.dumps(found)).bounds(*sides).lower.tolist() == bounds.lower.tolist()
    assert "prove='area'" in repr(found)


@pytest.mark.parametrize("prove", [None, "area"])
@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_slopes_are_those_of_the_inputs_asked_for(backend: Any, prove: Any) -> None:
    field = ivm.sqrt(x * x + y * y) - ivm.var("r", 0.5)
    ready = ivm.Evaluator(field, inputs=("x", "y", "r"), backend=backend, prove=prove)
    found = ready.slopes((3, 4), (0, 0.5))
    assert found.lower.shape == found.upper.shape == found.maybe_nan.shape == (4,)
    assert found.lower.dtype == np.float32
    assert not found.maybe_nan.any()
    assert found.lower[0] <= 2.5 <= found.upper[0] < 3.6
    assert 0.99 < found.upper[1] < 1.001
    assert found.lower[3] == found.upper[3] == -1
    some = ready.slopes(([3, -4], [4, -3]), y=(0, 0.5), r=([[0], [1]], [[1], [2]]), by=("r", "x"))
    assert some.lower.shape == (3, 2, 2)
    assert (some.lower[1] == -1).all()
    assert (some.lower[2, :, 0] > 0.7).all()
    assert (some.upper[2, :, 1] < -0.7).all()
    alone = ready.slopes(3, 4, by=())
    assert alone.lower.shape == (1,)


def test_mistakes_of_slopes_are_said() -> None:
    ready = ivm.Evaluator(x + y)
    with pytest.raises(VariableError, match="there is no input 'w'"):
        ready.slopes(0, 0, by=("w",))
    with pytest.raises(VariableError, match="slopes lacks y"):
        ready.slopes((0, 1))


def test_an_evaluator_stands_where_a_tape_does() -> None:
    tape = ivm.parse("x var-x\ny var-y\nz add x y")
    ready = ivm.Evaluator(tape, backend="numpy")
    assert ivm.evaluate(ready, 1.0, 2.0) == 3.0
    assert ivm.Evaluator(ready).tape == tape


def test_who_asks_for_a_gpu_is_told_of_the_evaluator() -> None:
    x, *_ = ivm.axes()
    calls = {
        "'numba', 'numpy' or 'cupy'": lambda: ivm.evaluate(x, 1, 1, backend="cuda"),
        "'numba' or 'numpy'": lambda: ivm.interval(x, x=1, y=1, backend="cuda"),
    }
    for choices, call in calls.items():
        with pytest.raises(OptionError, match=f"choose {choices}, or ask an Evaluator"):
            call()
