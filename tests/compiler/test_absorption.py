"""Which sums are asked whether they absorb an operand, and what is known of zeros."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.programs import neighbours, numbers, special, values_of
from support.strategies import tapes

from intervalvm import parse
from intervalvm.compiler import assemble, pipeline
from intervalvm.compiler.absorption import POSITIVE, SIGNED
from intervalvm.compiler.fold import unfolded
from intervalvm.compiler.passes import IN_PYTHON, Scratch
from intervalvm.compiler.program import ABSORBS, CONSTANT_CHOICE, VARIANT_MASK, VARIANTS
from intervalvm.evaluate.arithmetic import ARITHMETICS, ClauseBounds, Floats, Inputs
from intervalvm.jit.runner import COMPILED
from intervalvm.ops import ROWS
from intervalvm.tape import Tape
from intervalvm.words import Meaning, Question

DTYPES = [np.float32, np.float64]
XYZ = "x var-x\ny var-y\nz var-z\n"


def facts_of(tape: Tape, dtype: np.dtype[Any]) -> list[int]:
    """What the pass knows of each clause; a program of the value needs no bounds."""
    n, scratch = len(tape), Scratch()
    nothing = ClauseBounds(np.zeros(n), np.zeros(n), np.zeros(n, bool))
    arrays = assemble.arrays_of(
        unfolded(tape, Floats(dtype)), assemble.VALUE, nothing, dtype, Meaning.FLOAT,
        scratch=scratch,
    )  # fmt: skip
    IN_PYTHON.run(assemble.PASS, arrays, scratch)
    return arrays["facts"].tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("dtype", DTYPES, ids=["float32", "float64"])
@given(data=st.data())
def test_what_is_known_of_zeros_holds(dtype: Any, data: st.DataObject) -> None:
    inputs = {"const", "var-x", "var-y"}
    tape = data.draw(tapes(20, ops={op.name for op in ROWS if op.arity} | inputs))
    along = neighbours([*special(dtype), data.draw(numbers(dtype))], dtype)
    values = values_of(tape, along[:, None], along[None, :], dtype)
    for value, known in zip(values, facts_of(tape, np.dtype(dtype)), strict=True):
        minus_zero = (value == 0) & np.signbit(value)
        if known & SIGNED:
            assert not np.any(minus_zero)
        if known & POSITIVE:
            assert known & SIGNED
            assert not np.any(value < 0)


def asked(text: str, meaning: Meaning = Meaning.FLOAT, runner: Any = IN_PYTHON) -> list[str]:
    """The records that are asked, of a program over a volume."""
    dtype = np.dtype(np.float32)
    box = Inputs.box([(-4.0, 4.0)] * 3, dtype)
    program = pipeline.compile(
        parse(XYZ + text), Question.SIGN, ARITHMETICS[meaning](dtype), box, runner=runner
    )
    found = []
    for word, line in zip(program.records[:, 0].tolist(), str(program).splitlines(), strict=True):
        if word & ABSORBS:
            assert bool(word & CONSTANT_CHOICE) == ("k" in VARIANTS[word & VARIANT_MASK].kinds)
            found.append(line.split(" = ")[1])
    return found


EXPONENTIALS = "a exp x\nb exp y\nc exp z\nd add a b\ne add d c\nv sub e x"
BLEND = ("k const 0.5\nn const 0\nd sub x y\ne abs d\nf sub k e\ng max f n\nh square g\n"
         "i min x y\nj sub i h\nv sub j z")  # fmt: skip
CORNER = "n const 0\na max x n\nb max y n\nc square a\nd square b\ne add c d\nv sub e z"


@pytest.mark.parametrize("runner", [IN_PYTHON, COMPILED], ids=["python", "compiled"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (EXPONENTIALS, ["add f3 f4", "add f6 f5"]),
        (BLEND, ["sub f8 f7"]),
        (CORNER, ["add f5 f6"]),
        ("a square x\nb square y\nc add a b\nv sub c z", []),
        ("a exp x\nk const 1\nb add a k\nv sub b z", ["add f3 1.0"]),
        # a term that may be -0 is no zero to drop
        ("n const 0\na min x n\nb add y a\nv sub b z", []),
        ("n const 0\na min x n\nb sub y a\nv sub b z", []),
    ],
)
def test_sums_are_asked_whose_terms_may_be_small(
    text: str, expected: list[str], runner: Any
) -> None:
    assert asked(text, runner=runner) == expected


@pytest.mark.parametrize("text", [EXPONENTIALS, BLEND, CORNER])
def test_of_the_real_function_nothing_is_absorbed(text: str) -> None:
    assert not asked(text, Meaning.REAL)
