"""The pipeline: passes stand in order in one module, and any evaluator will do."""

from __future__ import annotations

import ast
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from support import programs
from support.strategies import tapes

import intervalvm
from intervalvm import evaluate, parse
from intervalvm.compiler.passes import IN_PYTHON, Runner
from intervalvm.compiler.pipeline import compile, folded
from intervalvm.compiler.program import VARIANT_MASK, VARIANTS
from intervalvm.evaluate.arithmetic import ARITHMETICS, Floats, Inputs
from intervalvm.jit.arithmetic import arithmetic
from intervalvm.jit.plan import plan_of
from intervalvm.jit.runner import COMPILED
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
    return Inputs.box([(-size, size)] * 2, dtype)


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
    assert str(program) == "f3 = spread x0\nf4 = spread y1\nt5 = less f3 f4"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("runner", [IN_PYTHON, COMPILED], ids=["python", "compiled"])
@given(tape=tapes(30, variables=["r"]))
def test_programs_of_a_volume_answer_for_the_tape(dtype: str, runner: Runner, tape: Tape) -> None:
    of = (Floats if runner is IN_PYTHON else partial(arithmetic, Meaning.FLOAT))(np.dtype(dtype))
    x, y, z = np.meshgrid(*[np.linspace(-2, 2, 9, dtype=dtype)] * 3)
    given = dict.fromkeys(tape.variables, 0.75)
    expected = evaluate(tape, x, y, z, variables=given, dtype=dtype) < 0
    program = compile(
        tape, Question.SIGN, of, Inputs.box([(-2.0, 2.0)] * 3, of.dtype), given, runner=runner
    )
    found = programs.run(program, x, y, z)
    np.testing.assert_array_equal(np.broadcast_to(found, x.shape), expected)
    kinds = {kind for number in program.records[:, 0] for kind in kinds_of(number)}
    assert kinds <= set("fkt")


def kinds_of(word: np.uint32) -> str:
    variant = VARIANTS[int(word) & VARIANT_MASK]
    return variant.kinds + variant.out


def test_in_a_volume_x_y_and_z_are_values() -> None:
    ball = parse("x var-x\ny var-y\nz var-z\na square x\nb square y\nc square z\n"
                 "d add a b\ne add d c\nk const 0.25\nv sub e k")  # fmt: skip
    volume = Inputs.box([(-1.0, 1.0)] * 3, SINGLE)
    assert str(compile(ball, Question.SIGN, Floats(SINGLE), volume)) == (
        "f3 = square f0\nf4 = square f1\nf5 = square f2\nf6 = add f3 f4\n"
        "f7 = add f6 f5\nt8 = less f7 0.25"
    )
    always = compile(parse("v const -1"), Question.SIGN, Floats(SINGLE), volume)
    assert str(always) == "t3 = less f0 inf"


def test_a_plan_of_a_volume_is_another_than_that_of_the_plane() -> None:
    tape = parse("x var-x\nz var-z\nv sub x z")
    plane, volume, again = (
        plan_of(tape, Question.SIGN, Meaning.FLOAT, SINGLE, settings, 16.0, volume=volume)
        for settings, volume in (({"var-z": 0.5}, False), ({}, True), ({}, True))
    )
    assert volume is again
    assert str(plane.program) == "t3 = less x0 0.5"
    assert str(volume.program) == "t3 = less f0 f2"


def test_a_program_says_whether_it_is_tame() -> None:
    quotient = parse("x var-x\ny var-y\nv div x y")
    assert not compile(quotient, Question.VALUE, Floats(SINGLE), box(1.0)).is_tame
    assert compile(parse("x var-x\nv square x"), Question.VALUE, Floats(SINGLE), box(1.0)).is_tame
    # in a program of the sign it is no clause any more
    root = parse("x var-x\na square x\nb ln a\nk const 1\nv sub b k")
    assert not compile(root, Question.VALUE, Floats(SINGLE), box(1.0)).is_tame
    assert compile(root, Question.SIGN, Floats(SINGLE), box(1.0)).is_tame
