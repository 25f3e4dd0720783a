"""The compiled evaluator: bit for bit NumPy's values, bounds and shorter tapes."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from operator import and_
from typing import Any
from weakref import finalize

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.boxes import Range, floats_within, interval_of, ranges, ranges_within
from support.operations import DTYPES, OPERATIONS, assert_same_bits, bits, tape_of
from support.strategies import tapes

import intervalvm as ivm
from intervalvm import Tape, memory
from intervalvm.api.dispatch import compiled_evaluator
from intervalvm.errors import DoesNotFit
from intervalvm.evaluate import boxes
from intervalvm.evaluate.boxes import RULES
from intervalvm.jit.evaluator import CompiledEvaluator
from intervalvm.ops import AXES
from intervalvm.ops.row import Interval
from intervalvm.tape.shorten import simplify
from intervalvm.words import Meaning

VARIABLES = ("r", "s", "t")
FEW = settings(max_examples=settings().max_examples // 3)
"""Of each operation, in either dtype."""
by_meaning = pytest.mark.parametrize("meaning", Meaning, ids=lambda meaning: meaning.value)
by_dtype = pytest.mark.parametrize("dtype", DTYPES)


def evaluator(tape: Tape, dtype: str, meaning: Meaning = Meaning.FLOAT) -> CompiledEvaluator:
    """Of the axes and variables that the tape reads or declares, in an order that is not theirs."""
    inputs = (*reversed(tape.variables), *reversed(tape.axes)) or ("x",)
    return CompiledEvaluator(tape, inputs, np.dtype(dtype), meaning)


def numpy_bounds(
    evaluator: CompiledEvaluator, sides: list[Interval], *, sign_only: bool = False
) -> boxes.Bounds:
    """The definition, over boxes of one dimension."""
    named = dict(zip(evaluator.inputs, sides, strict=True))
    one = Interval(np.zeros(1, evaluator.dtype), np.zeros(1, evaluator.dtype), np.zeros(1, bool))
    axes = {op: named.get(axis, one) for axis, op in AXES.items()}
    free = [named[name] for name in evaluator.tape.variables]
    rules, tape = RULES[evaluator.meaning], evaluator.tape
    return boxes.bounds(tape, axes, free, evaluator.dtype, sign_only=sign_only, rules=rules)


def sides_of(
    data: st.DataObject, evaluator: CompiledEvaluator, count: int, dtype: str
) -> list[Interval]:
    """As many boxes; some of their sides are equal."""
    drawn: list[Range] = []
    sides = []
    for _ in evaluator.inputs:
        some = [
            data.draw(st.sampled_from(drawn) if drawn and data.draw(st.booleans()) else
                      ranges(dtype, nan=evaluator.meaning is Meaning.FLOAT))
            for _ in range(min(count, 3))
        ]  # fmt: skip
        drawn += some
        sides.append(interval_of([some[k % len(some)] for k in range(count)], dtype))
    return sides


def assert_same_bounds(found: Interval, wanted: Interval) -> None:
    """Equal, where both zeros are."""
    for part, expected in zip(found, wanted, strict=True):
        assert_array_equal(part, np.broadcast_to(expected, part.shape))


# --- bounds ---------------------------------------------------------------------------------------


@by_meaning
@pytest.mark.parametrize("op", OPERATIONS)
@FEW
@given(dtype=st.sampled_from(DTYPES), data=st.data())
def test_bounds_are_numpys(op: str, meaning: Meaning, dtype: str, data: st.DataObject) -> None:
    found = evaluator(tape_of(op), dtype, meaning)
    sides = sides_of(data, found, data.draw(st.integers(1, 5)), dtype)
    assert_same_bounds(found.bounds(sides), numpy_bounds(found, sides).root)


@pytest.mark.parametrize("op", OPERATIONS)
@FEW
@given(dtype=st.sampled_from(DTYPES), data=st.data())
def test_bounds_enclose_the_values(op: str, dtype: str, data: st.DataObject) -> None:
    found = evaluator(tape_of(op), dtype)
    box = [data.draw(ranges(dtype)) for _ in found.inputs]
    points = [
        np.array(data.draw(st.lists(floats_within(side, dtype), min_size=4, max_size=4)), dtype)
        for side in box
    ]
    values = found.values(points)
    bounds = found.bounds([interval_of([side], dtype) for side in box])
    is_nan = np.isnan(values)
    assert bounds.maybe_nan.all() or not is_nan.any()
    assert ((bounds.lower <= values) & (values <= bounds.upper) | is_nan).all()


@by_dtype
@by_meaning
@given(data=st.data())
def test_bounds_of_tapes_are_numpys(meaning: Meaning, dtype: str, data: st.DataObject) -> None:
    tape = data.draw(tapes(25, variables=data.draw(st.sampled_from([(), VARIABLES]))))
    found = evaluator(tape, dtype, meaning)
    sides = sides_of(data, found, data.draw(st.integers(1, 65)), dtype)
    wanted = numpy_bounds(found, sides).root
    assert_same_bounds(found.bounds(sides), wanted)


MANY = "x var-x\ny var-y\nr var-r\nk const 0.3\na sub x r\nb max a y\nc mul b k\nd min c x\n"


@by_dtype
@pytest.mark.parametrize("count", [0, 1, 2, 15, 16, 17, 31, 32, 33, 48, 49, 63, 64, 65, 130])
def test_each_box_has_the_bounds_that_it_has_alone(count: int, dtype: str) -> None:
    random = np.random.default_rng(count)
    found = evaluator(ivm.parse(MANY), dtype)
    low = random.uniform(-1, 1, (3, count)).astype(dtype)
    nan = random.integers(0, 2, (3, count)).astype(bool)
    sides = [Interval(low[k], low[k] + np.abs(low[k]), nan[k]) for k in range(3)]
    whole = found.bounds(sides)
    assert whole.lower.shape == (count,)
    for k in range(count):
        alone = found.bounds([Interval(*(part[k] for part in side)) for side in sides])
        assert [part.shape for part in alone] == [(), (), ()]
        assert [part[k] for part in whole] == [part[()] for part in alone]
    assert [each.tape for each in found.shorten(sides)] == [
        found.shorten([Interval(*(part[k] for part in side)) for side in sides])[0].tape
        for k in range(count)
    ]


def test_sides_broadcast_whatever_their_strides() -> None:
    found = CompiledEvaluator(ivm.parse(MANY), ("x", "y", "r"), np.dtype("float32"))
    low = np.linspace(-1, 1, 80, dtype=np.float32)[::-2].reshape(5, 8)
    no, one = np.zeros((), bool), np.ones((), np.float32)
    sides = [
        Interval(low, low + one, no),
        Interval(low[:, :1], one, low[:1] > 0),
        Interval(-one, one, no),
    ]
    whole = [Interval(*(np.array(np.broadcast_to(p, low.shape)) for p in side)) for side in sides]
    flat = [Interval(*(part.ravel() for part in side)) for side in whole]
    assert_same_bounds(found.bounds(sides), found.bounds(whole))
    assert_array_equal(found.bounds(sides).lower.ravel(), numpy_bounds(found, flat).root.lower)


# --- values ---------------------------------------------------------------------------------------


@by_dtype
@given(data=st.data())
def test_values_are_those_of_evaluate(dtype: str, data: st.DataObject) -> None:
    tape = data.draw(tapes(25, variables=data.draw(st.sampled_from([(), VARIABLES]))))
    found = evaluator(tape, dtype)
    count = data.draw(st.integers(1, 40))
    anything = floats_within(Range(-np.inf, np.inf, maybe_nan=True), dtype)
    points = {
        name: np.array(data.draw(st.lists(anything, min_size=3, max_size=3)), dtype)[
            np.arange(count) % 3
        ]
        for name in found.inputs
    }
    values = found.values([*points.values()])
    free = {name: points[name] for name in tape.variables}
    axes = [points.get(axis, np.zeros(count, dtype)) for axis in AXES]
    wanted = ivm.evaluate(tape, *axes, variables=free, dtype=dtype)
    assert_same_bits(np.broadcast_to(values, (count,)), wanted, tuple(points.values()))


def test_values_are_written_to_an_array_that_is_given() -> None:
    found = CompiledEvaluator(ivm.parse(MANY), ("x", "y", "r"), np.dtype("float64"))
    x, y, r = np.linspace(-1, 1, 700).reshape(7, 100)[:, ::-1], np.linspace(0, 1, 100), np.ones(())
    out = np.empty((7, 100))
    assert found.values([x, y, r], out) is out
    assert_array_equal(
        bits(out), bits(ivm.evaluate(found.tape, x, y, variables={"r": 1}, dtype="float64"))
    )


def test_a_tape_without_inputs_has_one_value() -> None:
    found = CompiledEvaluator(ivm.parse("a const 2\nb const 3\nc add a b\n"), (), np.dtype("f4"))
    assert found.values([]) == 5
    assert [part[()] for part in found.bounds([])] == [5, 5, False]
    assert [str(each.tape) for each in found.shorten([])] == [str(found.tape)]


# --- shorter tapes --------------------------------------------------------------------------------


@by_meaning
@given(data=st.data())
def test_shorter_tapes_are_those_of_simplify(meaning: Meaning, data: st.DataObject) -> None:
    tape = data.draw(tapes(30, variables=data.draw(st.sampled_from([(), VARIABLES]))))
    dtypes = data.draw(st.sampled_from([DTYPES[:1], DTYPES[1:], DTYPES, DTYPES[::-1]]))
    sign_only, count = data.draw(st.booleans()), data.draw(st.integers(1, 70))
    of_each = [evaluator(tape, dtype, meaning) for dtype in dtypes]
    drawn = sides_of(data, of_each[0], count, "float32")
    asked = [
        (each, [Interval(*(e.astype(dtype) for e in side[:2]), side[2]) for side in drawn])
        for each, dtype in zip(of_each, dtypes, strict=True)
    ]
    (first, sides), *also = asked
    found = first.shorten(sides, sign_only=sign_only, also=also)
    traces = [numpy_bounds(each, own, sign_only=sign_only).trace for each, own in asked]
    wanted = [simplify(tape, reduce(and_, traces), k) for k in range(count)]
    assert [each.tape.check() for each in found] == wanted
    assert [hash(each.tape) for each in found] == [hash(short) for short in wanted]


@given(dtype=st.sampled_from(DTYPES), data=st.data())
def test_a_shorter_tape_is_an_evaluator_of_the_same_inputs(dtype: str, data: st.DataObject) -> None:
    tape = data.draw(tapes(30, ops={"min", "max", "and", "or", "sub", "var-x", "var-y"}))
    found = evaluator(tape, dtype)
    box = [data.draw(ranges(dtype)) for _ in found.inputs]
    inner = [data.draw(ranges_within(side, dtype)) for side in box]
    (short,) = found.shorten([interval_of([side], dtype) for side in box])
    assert (short.inputs, short.dtype, short.meaning) == (found.inputs, dtype, Meaning.FLOAT)
    points = [np.array([side.low, side.high], dtype) for side in inner]
    assert bits(short.values(points)).tolist() == bits(found.values(points)).tolist()


# --- threads and memory ---------------------------------------------------------------------------


def test_threads_share_an_evaluator() -> None:
    found = CompiledEvaluator(ivm.load("prospero.vm"), ("x", "y"), np.dtype("float32"))
    low = np.random.default_rng(1).uniform(-1, 1, (8, 2, 300)).astype(np.float32)
    no = np.zeros((), bool)

    def ask(some: Any) -> tuple[Any, Interval, list[Tape]]:
        sides = [Interval(end, end + np.float32(0.05), no) for end in some]
        few = [Interval(low[:40], high[:40], nan) for low, high, nan in sides]
        tapes = [each.tape for each in found.shorten(few, sign_only=True)]
        return found.values(list(some)), found.bounds(sides), tapes

    alone = [ask(some) for some in low]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(ask, low))
    for one, other in zip(alone, together, strict=True):
        assert_array_equal(bits(one[0]), bits(other[0]))
        assert_same_bounds(one[1], other[1])
        assert one[2] == other[2]
    assert 1 <= len(found._idle) <= 9


def test_a_long_tape_has_fewer_boxes_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    low = np.linspace(-1, 1, 100, dtype=np.float32)
    sides = [Interval(low, low + np.float32(0.1), np.zeros((), bool))] * 3
    tape = ivm.parse(MANY)

    def found() -> tuple[Interval, list[Tape]]:
        made = evaluator(tape, "float32")
        return made.bounds(sides), [each.tape for each in made.shorten(sides)]

    bounds, shorter = found()
    monkeypatch.setattr("intervalvm.jit.box_work.MOST_SLOT_BYTES", 1)
    of_few, shorter_of_few = found()
    assert_same_bounds(of_few, bounds)
    assert shorter_of_few == shorter


def test_memory_is_freed_with_the_tape() -> None:
    """At once, and not when Python next looks for cycles: a workspace may have hundreds of MB."""
    tape = ivm.parse(MANY)
    made = compiled_evaluator(tape, ("x", "y", "r"), np.dtype("float32"))
    sides = [interval_of([Range(-1.0, 1.0)], "float32")] * 3
    made.bounds(sides), made.shorten(sides), made.values([np.linspace(0, 1, 500)] * 3)
    made.gradients([np.linspace(0, 1, 500)] * 3, ("x",))
    made.slope_bounds(sides, ("x",))
    freed: list[str] = []
    finalize(made, freed.append, "evaluator")
    for work in (*made._idle, *made.points._idle):
        finalize(work, freed.append, "workspace")
    del work, made
    gc.disable()
    try:
        assert not freed
        del tape
        assert sorted(freed) == ["evaluator", "workspace", "workspace"]
    finally:
        gc.enable()


def test_what_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "WORTH_ASKING", 0)
    found, side = evaluator(ivm.parse(MANY), "float32"), interval_of([Range(-1.0, 1.0)], "float32")
    monkeypatch.setattr(memory, "available", lambda: 100)
    with pytest.raises(DoesNotFit, match="an evaluation of 8 clauses"):
        found.bounds([side] * 3)
    monkeypatch.setattr(memory, "available", lambda: 1 << 20)
    found.bounds([side] * 3)
    monkeypatch.setattr(memory, "available", lambda: 100)
    found.bounds([side] * 3)
    with pytest.raises(DoesNotFit, match=r"1 tapes needs about .* fewer boxes at a time"):
        found.shorten([side] * 3)
