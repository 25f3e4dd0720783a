"""The pipeline: passes stand in order in one module, and any evaluator will do."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from support import programs
from support.strategies import tapes

import intervalvm
from intervalvm import parse
from intervalvm.compiler.pipeline import compile, folded
from intervalvm.evaluate.arithmetic import ARITHMETICS, Floats, Inputs
from intervalvm.jit.arithmetic import arithmetic
from intervalvm.tape import Tape
from intervalvm.words import Meaning, Question

ROOT = Path(intervalvm.__file__).parent
PASSES = {"fold", "balance", "assemble", "sign_tape"}
PIPELINE = ROOT / "compiler" / "pipeline.py"
SINGLE = np.dtype(np.float32)


def called(module: Path) -> set[str]:
    """The names of functions of ``compiler`` that a module calls."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    own = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("intervalvm.comp")
        for alias in node.names
    }
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return {own[name] for name in calls if name in own} | {
        call.rpartition(".")[2] for call in calls if call.rpartition(".")[0] in own
    }


def test_the_order_of_passes_is_written_once() -> None:
    assert called(PIPELINE) >= PASSES
    others = {path for path in ROOT.rglob("*.py") if path != PIPELINE and called(path) & PASSES}
    assert not others


def box(size: float, dtype: Any = SINGLE) -> Inputs:
    return Inputs.box((-size, size), (-size, size), dtype)


@pytest.mark.parametrize("question", Question)
@pytest.mark.parametrize("meaning", ARITHMETICS)
@given(tape=tapes(24))
def test_bounds_of_numpy_and_of_the_kernel_make_the_same_program(
    meaning: Meaning, question: Question, tape: Tape
) -> None:
    """Where no function's bounds are widened: careful lanes know the errors of functions less."""
    by_numpy, by_kernel = (
        compile(tape, question, each, box(4.0), {"var-z": 0.25})
        for each in (ARITHMETICS[meaning](SINGLE), arithmetic(meaning, SINGLE))
    )
    np.testing.assert_array_equal(by_numpy.records, by_kernel.records)
    np.testing.assert_array_equal(by_numpy.constants, by_kernel.constants)
    assert by_numpy.constants.shape[1:] == ((2,) if meaning is Meaning.REAL else ())
    assert by_numpy.result == by_kernel.result
    assert (by_numpy.question, by_numpy.meaning) == (question, meaning)


@pytest.mark.parametrize("technique", ["fold", "balance", "pushdown", "thresholds", "axes"])
@given(tape=tapes(24))
def test_without_a_technique_the_answer_is_the_same(technique: Any, tape: Tape) -> None:
    tape = folded(tape, Floats(SINGLE), {"var-z": 0.25})
    x, y = np.meshgrid(*[np.linspace(-2, 2, 9, dtype=SINGLE)] * 2)
    expected = compile(tape, Question.SIGN, Floats(SINGLE), box(2.0))
    found = compile(tape, Question.SIGN, Floats(SINGLE), box(2.0), without=[technique])
    results = [np.broadcast_to(programs.run(each, x, y), x.shape) for each in (expected, found)]
    np.testing.assert_array_equal(*results)


def test_without_axes_x_and_y_are_like_any_value() -> None:
    program = compile(parse("x var-x\ny var-y\nv sub x y"), Question.SIGN, Floats(SINGLE), box(1.0),
                      without=["axes"])  # fmt: skip
    assert str(program) == "f2 = spread x0\nf3 = spread y1\nt4 = less f2 f3"


def test_a_program_says_whether_it_is_tame() -> None:
    quotient = parse("x var-x\ny var-y\nv div x y")
    assert not compile(quotient, Question.VALUE, Floats(SINGLE), box(1.0)).is_tame
    assert compile(parse("x var-x\nv square x"), Question.VALUE, Floats(SINGLE), box(1.0)).is_tame
