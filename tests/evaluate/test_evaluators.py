"""Every evaluator does what the protocol says, each held against something else than itself.

Values are held to the scalar definitions, gradients to those of the same tape with other inputs,
bounds to the values in a box or to the tight bounds of the real function, and shorter tapes to the
values of the whole one.
"""

from __future__ import annotations

import itertools
import os
import pickle
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support import scalar
from support.boxes import Range, floats_within, interval_of, ranges, ranges_within
from support.evaluators import EVALUATORS, every_evaluator
from support.operations import DTYPES, FUNCTIONS, OPERATIONS, assert_same_bits, bits, tape_of
from support.programs import special
from support.strategies import tapes

import intervalvm as ivm
from intervalvm.evaluate import decorated
from intervalvm.evaluate.points import reads
from intervalvm.ops import AXES, CODE
from intervalvm.ops.row import Interval
from intervalvm.tape import Tape
from intervalvm.words import Meaning

VARIABLES = ("r", "s")
FEW = settings(max_examples=max(10, settings().max_examples // 4))
SMALL = settings(max_examples=max(20, settings().max_examples // 2))
each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_meaning = pytest.mark.parametrize("meaning", Meaning, ids=lambda meaning: meaning.value)
TAPES = tapes(20, variables=VARIABLES)
BUMPS = ivm.parse(
    "x var-x\ny var-y\nr var-r\na mul x x\nb mul y y\nc add a b\nd sub c r\ne sin x\nf min d e\n"
    "g neg y\nh max f g"
)
"""A tape with choices, of three inputs."""


def inputs_of(data: st.DataObject, tape: Tape) -> tuple[str, ...]:
    """What the tape reads, and perhaps more, in any order."""
    more = data.draw(st.sets(st.sampled_from([*AXES, *tape.variables])))
    names = sorted(reads(tape) | more) or ["x"]
    return tuple(data.draw(st.permutations(names)))


def box_of(data: st.DataObject, inputs: tuple[str, ...], dtype: str, **kind: bool) -> list[Range]:
    """A side of each input; some are equal or within another."""
    sides: list[Range] = []
    for _ in inputs:
        near = [ranges_within(side, dtype) | st.just(side) for side in sides[-1:]]
        sides.append(data.draw(st.one_of(ranges(dtype, **kind), *near)))
    return sides


def points_in(data: st.DataObject, sides: list[Range], dtype: str) -> list[Any]:
    """Some points of a box, as an array of each input."""
    drawn = data.draw(
        st.lists(st.tuples(*(floats_within(side, dtype) for side in sides)), min_size=1, max_size=6)
    )
    return list(np.array(drawn, dtype).T)


# --- values ---------------------------------------------------------------------------------------


def operands_of(dtype: str) -> tuple[Any, Any]:
    """Pairs of numbers at which something may happen."""
    some = np.array(special(np.dtype(dtype).type), dtype)
    a, b = np.meshgrid(some, some)
    return a.ravel(), b.ravel()


@every_evaluator
@each_dtype
@pytest.mark.parametrize("op", OPERATIONS)
def test_values_of_an_operation_are_those_of_its_definition(op: str, dtype: str, make: Any) -> None:
    tape = tape_of(op)
    a, b = operands_of(dtype)
    found = make(tape, ("y", "x"), np.dtype(dtype)).values([b, a])
    operands = (a, b)[: 1 + ("y" in reads(tape))]
    if op in FUNCTIONS:  # whose definition is an algorithm, not the nearest float
        expected = ivm.evaluate(tape, a, b, dtype=dtype, engine="naive")
    else:
        value = scalar.VALUE[op]
        each = zip(*(part.tolist() for part in operands), strict=True)
        expected = np.array([value(*numbers, dtype) for numbers in each], dtype)
    assert_same_bits(found, expected, operands)


@every_evaluator
@each_dtype
@given(data=st.data())
def test_values_of_a_tape_are_those_of_all_clauses_kept(
    dtype: str, make: Any, data: st.DataObject
) -> None:
    tape = data.draw(TAPES)
    inputs = inputs_of(data, tape)
    points = points_in(data, box_of(data, inputs, dtype), dtype)
    found = make(tape, inputs, np.dtype(dtype)).values(points)
    named = {"x": 0.0, "y": 0.0, "z": 0.0} | dict(zip(inputs, points, strict=True))
    free = {name: named.get(name, 0.0) for name in tape.variables}
    axes = [np.broadcast_to(named[axis], points[0].shape) for axis in AXES]
    expected = ivm.evaluate(tape, *axes, variables=free, dtype=dtype, engine="naive")
    assert_array_equal(bits(found), bits(expected))


@every_evaluator
@pytest.mark.parametrize(
    "shapes",
    [[(), (), ()], [(3,), (), (3,)], [(4, 1), (1, 5), ()], [(0,), (0,), ()], [(2, 0), (1,), ()],
     [(2, 3, 5), (5,), (3, 1)], [(1,), (1, 1), ()], [(300,), (300,), (300,)]],
    ids=str,
)  # fmt: skip
def test_shapes_broadcast(shapes: list[tuple[int, ...]], make: Any) -> None:
    rng = np.random.default_rng(3)
    x, y, r = (rng.uniform(-1, 1, shape).astype(np.float32) for shape in shapes)
    evaluator = make(BUMPS, ("x", "y", "r"), np.dtype(np.float32))
    shape = np.broadcast_shapes(*shapes)
    whole = [np.array(np.broadcast_to(part, shape)) for part in (x, y, r)]
    free = {"r": whole[2]}
    expected = np.asarray(ivm.evaluate(BUMPS, *whole[:2], variables=free, engine="naive"))
    assert_array_equal(evaluator.values([x, y, r]), expected)
    slopes = evaluator.gradients([x, y, r], ("r", "y"))
    assert slopes.shape == (3, *shape)
    assert_array_equal(slopes[0], expected)
    out, many = (np.full(like.shape, np.nan, np.float32) for like in (expected, slopes))
    assert evaluator.values([x, y, r], out) is out
    assert_array_equal(out, expected)
    assert evaluator.gradients([x, y, r], ("r", "y"), many) is many
    assert_array_equal(many, slopes)
    sides = [Interval(part, part, np.zeros((), bool)) for part in (x, y, r)]
    bounds = evaluator.bounds(sides)
    assert {part.shape for part in bounds} == {shape}
    assert (bounds.lower <= expected).all()
    assert (bounds.upper >= expected).all()
    assert len(evaluator.shorten(sides)) == expected.size


@every_evaluator
def test_arrays_may_have_any_strides(make: Any) -> None:
    rng = np.random.default_rng(5)
    x, y, r = rng.uniform(-1, 1, (3, 40, 50)).astype(np.float32)
    parts = [x[::2, ::-1], y.T[:20, :].T[::2, :].repeat(3, axis=1)[:, :50], r[20:]]
    evaluator = make(BUMPS, ("x", "y", "r"), np.dtype(np.float32))
    plain = [np.ascontiguousarray(part) for part in parts]
    assert_array_equal(evaluator.values(parts), evaluator.values(plain))
    by = ("x", "r")
    assert_array_equal(evaluator.gradients(parts, by), evaluator.gradients(plain, by))


# --- gradients ------------------------------------------------------------------------------------

RENAMED = ("u", "v", "w")


def with_variables(tape: Tape) -> Tape:
    """The same tape of variables in place of its axes."""
    codes, left = tape.codes.copy(), tape.left.copy()
    for place, op in enumerate(AXES.values()):
        reads_axis = tape.codes == CODE[op]
        codes[reads_axis], left[reads_axis] = CODE["var"], place
    return Tape(codes, left, tape.right, tape.wide, tape.single, RENAMED).check()


@every_evaluator
@each_dtype
@given(data=st.data())
def test_derivatives_by_variables_are_those_by_axes(
    dtype: str, make: Any, data: st.DataObject
) -> None:
    """Bit for bit: the same directions in the same order."""
    tape = data.draw(tapes(15))
    points = points_in(data, box_of(data, tuple(AXES), dtype), dtype)
    expected = ivm.grad(tape, *points, dtype=dtype, backend="numpy")
    by_axes = make(tape, ("z", "x", "y"), np.dtype(dtype))
    x, y, z = points
    found = by_axes.gradients([z, x, y], ("x", "y", "z"))
    by_variables = make(with_variables(tape), ("w", "u", "v"), np.dtype(dtype))
    others = by_variables.gradients([z, x, y], RENAMED)
    for k, part in enumerate(expected):
        known = ~np.isnan(expected.value)  # the derivatives of a NaN are unspecified
        assert_array_equal(bits(found[k])[known], bits(part)[known])
        assert_array_equal(bits(others[k])[known], bits(part)[known])


@every_evaluator
def test_derivatives_by_an_input_that_is_not_read_are_0(make: Any) -> None:
    evaluator = make(BUMPS, ("x", "z", "y", "r"), np.dtype(np.float64))
    x, y, z, r = np.random.default_rng(1).uniform(-1, 1, (4, 100))
    value, dr, dz = evaluator.gradients([x, z, y, r], ("r", "z"))
    assert not dz.any()
    assert_array_equal(value, evaluator.values([x, z, y, r]))
    is_disc = value == x * x + y * y - r
    assert is_disc.any()
    assert_array_equal(dr, np.where(is_disc, -1.0, 0.0))
    assert_array_equal(evaluator.gradients([x, z, y, r], ()), [value])


# --- bounds and shorter tapes ---------------------------------------------------------------------


@every_evaluator
@each_dtype
@given(data=st.data())
def test_bounds_enclose_and_shorter_tapes_keep_every_value(
    dtype: str, make: Any, data: st.DataObject
) -> None:
    tape = data.draw(TAPES)
    inputs = inputs_of(data, tape)
    evaluator = make(tape, inputs, np.dtype(dtype))
    some = [box_of(data, inputs, dtype) for _ in range(data.draw(st.integers(1, 3)))]
    sides = [interval_of(list(each), dtype) for each in zip(*some, strict=True)]
    bounds = evaluator.bounds(sides)
    shorter = evaluator.shorten(sides)
    signs = evaluator.shorten(sides, sign_only=True)
    for k, box in enumerate(some):
        points = points_in(data, box, dtype)
        values = evaluator.values(points)
        nan = np.isnan(values)
        assert bounds.maybe_nan[k] or not nan.any()
        assert ((bounds.lower[k] <= values) & (values <= bounds.upper[k]) | nan).all()
        assert len(shorter[k].tape) <= len(tape)
        assert shorter[k].inputs == inputs
        assert_array_equal(bits(shorter[k].values(points)), bits(values))
        assert_array_equal(signs[k].values(points) < 0, values < 0)


@every_evaluator
@each_dtype
@SMALL
@given(data=st.data())
def test_bounds_of_the_real_function_enclose_the_tight_ones(
    dtype: str, make: Any, data: st.DataObject
) -> None:
    tape = data.draw(TAPES)
    inputs = inputs_of(data, tape)
    box = box_of(data, inputs, dtype, nan=False)
    sides = [interval_of([side], dtype) for side in box]
    evaluator = make(tape, inputs, np.dtype(dtype), Meaning.REAL)
    lower, upper, maybe_nan = (part[0] for part in evaluator.bounds(sides))
    xp = decorated.DirectedArrays(np.dtype(dtype))
    with np.errstate(over="ignore"):
        reals = {
            name: decorated.given(xp, np.float64(side.low), np.float64(side.high))
            for name, side in zip(inputs, box, strict=True)
        }
    axes = {op: reals[axis] for axis, op in AXES.items() if axis in reals}
    free = [reals.get(name, decorated.given(xp, 0.0, 0.0)) for name in tape.variables]
    tight = decorated.root_bounds(tape, axes, free, np.dtype(dtype))
    if tight.decoration == decorated.ILL:
        return
    assert maybe_nan or not tight.maybe_nan
    assert tight.is_empty or (lower <= tight.lower and tight.upper <= upper)
    (short,) = evaluator.shorten(sides)
    again = decorated.root_bounds(short.tape, axes, free, np.dtype(dtype))
    if tight.decoration >= decorated.DEF:  # the same function, and so bounds of it
        assert again.lower <= tight.upper
        assert tight.lower <= again.upper


@every_evaluator
def test_a_choice_may_have_to_hold_in_another_dtype_too(make: Any) -> None:
    """min(x, 1 + 2**-40) at x = 1 is x in float64, and in float32 a tie, which the right takes."""
    tape = ivm.parse("x var-x\nk const 1.0000000000009095\nv min x k")
    single, double = (make(tape, ("x",), np.dtype(dtype)) for dtype in DTYPES)
    sides = [[interval_of([Range(low, 1.0) for low in (1.0, 0.0)], dtype)] for dtype in DTYPES]
    x, constant = ivm.parse("x var-x"), ivm.parse("k const 1.0000000000009095")
    assert [each.tape for each in double.shorten(sides[1])] == [x, x]
    assert [each.tape for each in single.shorten(sides[0])] == [constant, tape]
    for one, its, other, others in ((single, 0, double, 1), (double, 1, single, 0)):
        both = one.shorten(sides[its], also=[(other, sides[others])])
        assert [each.tape for each in both] == [tape, tape]


# --- threads, processes ---------------------------------------------------------------------------


@every_evaluator
def test_threads_share_an_evaluator(make: Any) -> None:
    tape = ivm.parse("x var-x\ny var-y\na sin x\nb exp y\nc min a b\nd max c x")
    evaluator = make(tape, ("x", "y"), np.dtype(np.float32))
    rng = np.random.default_rng(8)
    points = [list(rng.uniform(-2, 2, (2, 3000)).astype(np.float32)) for _ in range(8)]
    sides = [[Interval(p[:90], p[:90] + 1, np.zeros(90, bool)) for p in each] for each in points]

    def ask(k: int) -> list[Any]:
        shorter = [short.tape for short in evaluator.shorten(sides[k])]
        gradients = evaluator.gradients(points[k], ("y", "x"))
        return [evaluator.values(points[k]), gradients, *evaluator.bounds(sides[k]), shorter]

    expected = [ask(k) for k in range(8)]
    with ThreadPoolExecutor(8) as pool:
        for k, found in zip(itertools.cycle(range(8)), pool.map(ask, [*range(8)] * 4)):
            for part, other in zip(found[:-1], expected[k][:-1], strict=True):
                assert_array_equal(part, other)
            assert found[-1] == expected[k][-1]


def test_compiled_code_runs_without_pythons_lock() -> None:
    """The interpreter switches threads by itself every 100 s, so else the other one would wait."""
    n = 4000
    text = ["x var-x", "y var-y", "a0 sin x", *(f"a{k + 1} sin a{k}" for k in range(n))]
    make = EVALUATORS["compiled"]
    evaluator = make(ivm.parse("\n".join(text)), ("x", "y"), np.dtype(np.float32))
    points = [np.linspace(0, 1, 20_000, dtype=np.float32)] * 2
    evaluator.values([part[:1] for part in points])  # compiles
    begun, ended = threading.Event(), threading.Event()

    def ask() -> None:
        begun.set()
        evaluator.values(points)
        ended.set()

    before = sys.getswitchinterval()
    sys.setswitchinterval(100)
    try:
        thread = threading.Thread(target=ask)
        thread.start()
        begun.wait()
        was_running = not ended.is_set()
    finally:
        sys.setswitchinterval(before)
        thread.join()
    assert was_running


@pytest.mark.parametrize("backend", ["numba", "numpy"])
@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is of POSIX")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_and_a_pickle_have_the_same_evaluator(backend: Any) -> None:
    evaluator = ivm.Evaluator(BUMPS, backend=backend)
    x = np.linspace(-1, 1, 100, dtype=np.float32)
    expected = evaluator.values(x, x, 0.25)
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(write, evaluator.values(x, x, 0.25).tobytes())
        finally:
            os._exit(0)
    os.close(write)
    with open(read, "rb") as stream:
        assert stream.read() == expected.tobytes()
    os.waitpid(child, 0)
    again = pickle.loads(pickle.dumps(evaluator))
    assert (again.tape, again.inputs, again.dtype) == (BUMPS, evaluator.inputs, evaluator.dtype)
    assert_array_equal(again.values(x, x, 0.25), expected)
