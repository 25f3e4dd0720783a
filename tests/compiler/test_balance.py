"""Chains of min and max in halves: the same bits, and log n clauses above each operand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.boxes import Range, points_in, values_at
from support.operations import DTYPES, bits
from support.strategies import INTERESTING, tapes

import intervalvm as ivm
from intervalvm.compiler.balance import balance
from intervalvm.compiler.fold import unfolded
from intervalvm.evaluate.arithmetic import Floats
from intervalvm.tape import Tape, TapeBuilder

EVERYTHING = Range(-np.inf, np.inf)


def balanced(tape: Tape, dtype: Any = "float64") -> Tape:
    return balance(unfolded(tape, Floats(np.dtype(dtype)))).tape()


def depth(tape: Tape) -> int:
    """Clauses on the longest way from the root to an input."""
    above: list[int] = []
    for i in range(len(tape)):
        above.append(1 + max((above[operand] for operand in tape.operands(i)), default=-1))
    return above[-1]


def chain(op: str, count: int, *, to_the_right: bool = False) -> Tape:
    builder = TapeBuilder()
    rows = [builder.clause("rand", builder.variable(f"v{i}")) for i in range(count)]
    if to_the_right:
        rows.reverse()
    result = rows[0]
    for row in rows[1:]:
        result = builder.clause(op, *((row, result) if to_the_right else (result, row)))
    return builder.build()


@pytest.mark.parametrize("dtype", DTYPES)
@given(
    tape=tapes(max_clauses=40, ops=("var-x", "var-y", "const", "neg", "min", "max", "add")),
    data=st.data(),
)
def test_a_balanced_tape_has_the_same_bits(tape: Tape, dtype: str, data: st.DataObject) -> None:
    found = balanced(tape, dtype).check()
    assert len(found) == len(tape)
    assert found.counts() == tape.counts()
    assert balanced(found, dtype) == found
    points = points_in(data, {"x": EVERYTHING, "y": EVERYTHING}, dtype)
    whole, part = values_at(tape, points, dtype), values_at(found, points, dtype)
    assert (bits(whole) == bits(part)).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", ["min", "max"])
@pytest.mark.parametrize("to_the_right", [False, True])
@given(values=st.lists(st.sampled_from(INTERESTING), min_size=2, max_size=20))
def test_zeros_and_nan_stay_in_their_order(
    op: str, dtype: str, values: list[float], to_the_right: bool
) -> None:
    """+0 and -0 tie, and the right one is the result: the order of operands must not change."""
    builder = TapeBuilder()
    rows = [builder.variable(f"v{i}") for i in range(len(values))]
    result = rows.pop(-1 if to_the_right else 0)
    while rows:
        row = rows.pop(-1 if to_the_right else 0)
        result = builder.clause(op, *((row, result) if to_the_right else (result, row)))
    tape = builder.build()
    variables = {f"v{i}": value for i, value in enumerate(values)}
    options: dict[str, Any] = {"variables": variables, "dtype": dtype}
    whole = ivm.evaluate(tape, 0, 0, **options)
    part = ivm.evaluate(balanced(tape, dtype).check(), 0, 0, **options)
    assert bits(whole) == bits(part)


@pytest.mark.parametrize("to_the_right", [False, True])
@pytest.mark.parametrize("count", [2, 3, 4, 5, 100, 1000])
def test_the_depth_is_the_logarithm(count: int, to_the_right: bool) -> None:
    tape = chain("min", count, to_the_right=to_the_right)
    assert depth(tape) == count - 1 + 1
    assert depth(balanced(tape)) == (count - 1).bit_length() + 1


def test_constants_are_not_brought_together() -> None:
    """Folding has left none side by side, and nothing folds afterwards."""
    lines = ["k const 0", "x var-x", "m max k x", "z const 1"]
    tape = ivm.parse("\n".join([*lines, "n max z m", "o max n x", "r add o x"]))
    assert balanced(tape) == tape
    found = ivm.render(tape, size=16)
    assert (found.pixels == ivm.render(tape, size=16, engine="dense").pixels).all()


def test_a_long_chain_that_stays_keeps_all_its_clauses_beside_one_that_goes() -> None:
    lines = ["x var-x", "k const 0", "l const 1", *(f"v{i} var-v{i}" for i in range(6))]
    lines += ["a min v0 v1", "b min a v2", "c min b k", "d min c l", "e min d v3", "f min e x"]
    lines += ["p max v0 v1", "q max p v2", "r max q v3", "s add f r"]
    tape = ivm.parse("\n".join(lines))
    found = balanced(tape).check()
    assert (found.counts(), len(found)) == (tape.counts(), len(tape))
    assert str(found).splitlines()[9:] == [
        "_9 min _3 _4", "_a min _9 _5", "_b min _a _1", "_c min _b _2", "_d min _c _6",
        "_e min _d _0", "_f max _3 _4", "_10 max _5 _6", "_11 max _f _10", "_12 add _e _11",
    ]  # fmt: skip


def test_what_is_read_twice_stays_a_value() -> None:
    lines = [f"v{i} var-v{i}" for i in range(9)]
    lines += ["a0 min v0 v1", *(f"a{i} min a{i - 1} v{i + 1}" for i in range(1, 8))]
    whole = ivm.parse("\n".join([*lines, "r add a7 a7"]))
    assert depth(balanced(whole)) == 5
    shared = ivm.parse("\n".join([*lines, "r add a7 a3"]))
    assert depth(balanced(shared)) == 7, "a3 of five operands, then four more beside it"


def test_mixed_chains_are_balanced_apart() -> None:
    lines = [f"v{i} var-v{i}" for i in range(8)]
    lines += ["a max v0 v1", "b max a v2", "c max b v3", "d min c v4", "e min d v5", "f min e v6"]
    tape = ivm.parse("\n".join(lines))
    assert str(balanced(tape)).splitlines()[8:] == [
        "_8 max _0 _1", "_9 max _2 _3", "_a max _8 _9", "_b min _a _4", "_c min _5 _6",
        "_d min _b _c",
    ]  # fmt: skip
