"""Passes in compiled code: the arrays of Python, any room, and nothing else for another frame."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.strategies import tapes

import intervalvm as ivm
from intervalvm.compiler import fold as folds
from intervalvm.compiler import passes
from intervalvm.compiler.balance import balance
from intervalvm.compiler.constants import enclosed
from intervalvm.compiler.fold import fold, unfolded
from intervalvm.compiler.passes import IN_PYTHON, Answer, Arrays, Pass, Runner, Scratch, Table
from intervalvm.evaluate.arithmetic import ARITHMETICS, Arithmetic, Floats, Inputs
from intervalvm.jit import native, plan
from intervalvm.jit.arithmetic import arithmetic
from intervalvm.jit.runner import COMPILED
from intervalvm.tape import Tape
from intervalvm.words import Meaning

DTYPES = ["float32", "float64"]
NUMBERS = st.floats() | st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.0, float("nan"), float("inf")])
evaluators = pytest.mark.parametrize(
    "of",
    [kind(np.dtype(dtype)) for kind in ARITHMETICS.values() for dtype in DTYPES],
    ids=lambda of: f"{of.meaning.value} {of.dtype}",
)


class Recording:
    """A runner that notes what each pass leaves in its arrays."""

    def __init__(self, runner: Runner) -> None:
        self.runner, self.applies = runner, False
        self.left: list[dict[str, Any]] = []

    def run(self, of: Pass, arrays: Arrays, scratch: Scratch, answer: Answer | None = None) -> int:
        status = self.runner.run(of, arrays, scratch, answer)
        self.left.append({name: arrays[name].copy() for name in of.fields})
        return status


def assert_same_table(a: Table, b: Table) -> None:
    assert a.variables == b.variables
    for name in ("codes", "left", "right"):
        assert_array_equal(getattr(a, name), getattr(b, name))
    for name in ("low", "high"):  # as bits: both zeros are equal, and no NaN is
        assert_array_equal(getattr(a, name).view(np.uint64), getattr(b, name).view(np.uint64))


@evaluators
@given(tape=tapes(40, variables=["r", "s"]), z=NUMBERS, r=NUMBERS, fast=st.booleans())
def test_compiled_passes_make_the_tables_of_python(
    of: Arithmetic, tape: Tape, z: float, r: float, fast: bool
) -> None:
    """Operations on constants are those of the rows in either, by NumPy or by instructions."""
    given, fast = {"var-z": z, "r": r}, fast and of.meaning is Meaning.FLOAT
    found = [fold(tape, of, given, fast=fast, runner=runner) for runner in (IN_PYTHON, COMPILED)]
    assert_same_table(*found)
    found[0].tape().check()
    balanced = [
        balance(table, runner=runner)
        for table, runner in zip(found, (IN_PYTHON, COMPILED), strict=True)
    ]
    assert_same_table(*balanced)
    assert_same_table(*(enclosed(table, of) for table in balanced))


@evaluators
@given(tape=tapes(30, variables=["r"]))
def test_a_pass_leaves_the_same_in_its_tables(of: Arithmetic, tape: Tape) -> None:
    """Where neither has operations on constants, also the state is the same."""
    both = [Recording(runner) for runner in (IN_PYTHON, COMPILED)]
    for recording in both:
        fold(tape, of, {"var-z": 0.5}, runner=recording)
    for mine, theirs in zip(*(recording.left for recording in both), strict=True):
        for name in ("state", "keys", "by_number"):
            assert_array_equal(mine[name], theirs[name], err_msg=name)


@pytest.mark.parametrize("runner", [IN_PYTHON, COMPILED], ids=["python", "compiled"])
@evaluators
@given(tape=tapes(40, variables=["r"]))
def test_without_room_a_pass_is_run_again_with_more(
    runner: Runner, of: Arithmetic, tape: Tape
) -> None:
    expected = fold(tape, of, runner=runner)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folds, "SPARE_CLAUSES", 1 - len(tape))
        recording = Recording(runner)
        recording.applies = runner.applies
        assert_same_table(fold(tape, of, runner=recording), expected)
    assert len(recording.left) >= min(2, len(expected))


@pytest.mark.parametrize("meaning", ARITHMETICS)
@pytest.mark.parametrize("dtype", DTYPES)
@given(tape=tapes(30, ops=["add", "sub", "mul", "min", "max", "neg", "abs", "sqrt", "floor",
                           "var-x", "var-y", "var-z", "const"]))  # fmt: skip
def test_bounds_of_the_kernel_are_those_of_numpy(dtype: str, meaning: Meaning, tape: Tape) -> None:
    """Of operations whose bounds are not widened."""
    by_numpy, by_kernel = (
        ARITHMETICS[meaning](np.dtype(dtype)),
        arithmetic(meaning, np.dtype(dtype)),
    )
    table = enclosed(fold(tape, by_numpy), by_numpy)
    box = Inputs.box([(-2.0, 0.5), (0.0, 3.0), (-0.25, 8.0)], np.dtype(dtype))
    mine, theirs = (of.clause_bounds(table, box) for of in (by_numpy, by_kernel))
    assert_array_equal(mine.maybe_nan, theirs.maybe_nan)
    if meaning is Meaning.FLOAT:
        sure = ~mine.maybe_nan
        assert_array_equal(mine.lower[sure], theirs.lower[sure])
        assert_array_equal(mine.upper[sure], theirs.upper[sure])


# --- frames ---------------------------------------------------------------------------------------


def chain(count: int) -> Tape:
    """A tape of about ``count`` clauses that reads z and a variable."""
    lines = ["x var-x", "y var-y", "z var-z", "r var-r", "a0 add z r"]
    for i in range(count):
        lines += [f"k{i} const {0.01 * i}", f"b{i} sub x k{i}", f"c{i} mul b{i} y",
                  f"d{i} sub c{i} a0", f"a{i + 1} min a{i} d{i}"]  # fmt: skip
        lines[-1] = lines[-1].replace("min a0 ", "min y ")
    return ivm.parse("\n".join(lines))


def calls_of(work: Any) -> int:
    """The calls of functions in Python, and from there in C."""
    count = 0

    def note(_frame: Any, event: str, _arg: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("prove", [None, "area"])
@pytest.mark.parametrize("name", ["z", "r"])
def test_another_z_or_variable_takes_python_no_longer_for_a_longer_tape(
    name: str, prove: Any
) -> None:
    """No pass over clauses is left in Python; a program of another length takes all arrays."""
    counts = []
    for length in (10, 1000):
        tape = chain(length)

        def frame(value: float, tape: Tape = tape) -> ivm.Image:
            at = {"z": 0.5, "r": 0.25} | {name: value}
            return ivm.render(tape, size=32, threads=1, prove=prove, z=at["z"],
                              variables={"r": at["r"]})  # fmt: skip

        for value in (0.5, 0.75, 1.0):
            frame(value)
        counts.append(calls_of(lambda frame=frame: frame(0.625)))
    assert counts[1] < counts[0] + 600, "of 5,000 clauses more"


def test_another_variable_compiles_and_allocates_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    tape = chain(50)
    ivm.render(tape, size=32, threads=1, variables={"r": 0.5})

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("a frame with another variable needs nothing new")

    monkeypatch.setattr(native, "_load", refuse)
    monkeypatch.setattr(passes._InPython, "run", refuse)
    monkeypatch.setattr(plan.Workspace, "__init__", refuse)
    found = ivm.render(tape, size=32, threads=1, variables={"r": 0.75})
    assert_array_equal(found, ivm.render(tape, size=32, engine="dense", variables={"r": 0.75}))


def test_a_tape_as_it_is_has_the_constants_of_its_evaluator() -> None:
    tape = ivm.parse("a const 0.1\nb const inf\nc add a b")
    floats = unfolded(tape, Floats(np.dtype(np.float32)))
    assert floats.low.tolist() == [float(np.float32(0.1)), np.inf, 0.0]
    reals = unfolded(tape, ARITHMETICS[Meaning.REAL](np.dtype(np.float32)))
    assert_array_equal(reals.low, [0.1, np.nan, 0.0])
