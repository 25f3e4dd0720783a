"""Tapes of the same sign."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from support.solids import solids

import intervalvm as ivm
from intervalvm.cells.frame import Frame
from intervalvm.cells.signs import same_sign
from intervalvm.jit.evaluator import CompiledEvaluator
from intervalvm.shapes import box
from intervalvm.tape import Tape
from intervalvm.words import Meaning

FRAME = Frame.around([(-1, 1)] * 3)


def shortened(tape: Tape) -> Tape:
    def reals(tape: Tape) -> CompiledEvaluator:
        return CompiledEvaluator(tape, ("x", "y", "z"), np.dtype(np.float64), Meaning.REAL)

    return same_sign(tape, reals, FRAME)


@given(tape=solids())
@settings(deadline=None, max_examples=100)
def test_signs_are_the_same(tape: Tape) -> None:
    if tape.variables:
        tape = tape.bind(**dict.fromkeys(tape.variables, 0.25))
    short = shortened(tape)
    assert len(short) <= len(tape)
    points = np.random.default_rng(0).uniform(-1, 1, (3, 500))
    before, after = (ivm.evaluate(each, *points, dtype="float64") for each in (tape, short))
    # the real function's: where a value is nearly 0, rounding may turn it
    clear = ~(abs(before) < 1e-9)
    np.testing.assert_array_equal((before < 0)[clear], (after < 0)[clear])


def test_a_box_is_its_faces() -> None:
    text = str(shortened(box(1, 1, 1).tape()))
    assert "sqrt" not in text
    assert "mul" not in text


def test_multiples_are_dropped_on_either_side() -> None:
    x, y, _ = ivm.axes()
    a, b = x * x - y, y * 3 - 1
    for field in (ivm.maximum(a, a * 2), ivm.maximum(2 * a, a), ivm.minimum(a, a * 0.5)):
        assert len(shortened(field.tape())) == len(a.tape())
    for field in (ivm.maximum(a, a * -2), ivm.maximum(a, b * 2), ivm.maximum(a, a * 2) * b):
        assert len(shortened(field.tape())) == len(field.tape())
