"""The pipeline: the one place where passes over a tape stand in order.

``compile`` makes a program of a tape::

    fold        variables set, and z in the plane, constants folded, common subexpressions merged
    balance     chains of min and max balanced
    enclosed    clauses of constants that have no single number enclosed, for the real function
    bounds      those of every clause over the box
    assemble    for the sign: ``v < 0`` pushed down to comparisons near x and y, then for either
                question records and their constants

An arithmetic (see ``evaluate.arithmetic``) has the meaning of the tape, and a runner runs the
passes (see ``passes``), in scratch memory. Other entries stop earlier: ``folded`` after the first
pass, ``prepared`` before bounds; ``balanced`` is the second alone; ``shortened`` gives a tape for
each of some boxes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Literal

from intervalvm.compiler.balance import balance
from intervalvm.compiler.constants import enclosed
from intervalvm.compiler.demand import EVERY, NOTHING, SIGNS
from intervalvm.compiler.fold import fold, unfolded
from intervalvm.compiler.folding import PASS as FOLD
from intervalvm.compiler.passes import IN_PYTHON, Pass, Runner, Scratch, Table
from intervalvm.evaluate.arithmetic import Arithmetic, Inputs
from intervalvm.evaluate.evaluator import Boxes, Evaluator, flattened
from intervalvm.ops import AXES
from intervalvm.ops.row import Interval
from intervalvm.tape import Tape
from intervalvm.words import Question

if TYPE_CHECKING:
    from intervalvm.compiler.program import Program

Technique = Literal["fold", "balance", "pushdown", "thresholds", "axes"]
"""Techniques that ``compile`` can leave out: two passes; predicates of operands, or those by
thresholds; separate terms of one axis."""


def compile(
    tape: Tape,
    question: Question,
    arithmetic: Arithmetic,
    box: Inputs,
    settings: dict[str, Any] | None = None,
    *,
    without: Collection[Technique] = (),
    runner: Runner = IN_PYTHON,
    scratch: Scratch | None = None,
) -> Program:
    """The program of a tape, for points of ``box``: one box in x and y, or in x, y and z.

    ``settings`` has all free variables, and z unless it is a side of the box, as in ``fold``. Of a
    volume there is the sign only. ``without`` leaves techniques out, to measure their effect; a
    tape that is not folded must read the sides of the box only, and have no clause of constants.
    """
    from intervalvm.compiler import resolve
    from intervalvm.compiler.assemble import assemble

    scratch = scratch or Scratch()
    table = prepared(tape, arithmetic, settings, without=without, runner=runner, scratch=scratch)
    bounds = arithmetic.clause_bounds(table, box, scratch)
    through = NOTHING if "pushdown" in without else SIGNS if "thresholds" in without else EVERY
    terms = resolve.SPREAD_TERMS if "axes" in without else resolve.TERMS
    return assemble(
        table, question, bounds, arithmetic.dtype, arithmetic.meaning,
        through=through, inputs=resolve.VALUES if box.is_volume else terms, runner=runner,
        scratch=scratch,
    )  # fmt: skip


def folded(
    tape: Tape,
    arithmetic: Arithmetic,
    settings: dict[str, Any] | None = None,
    *,
    fast: bool = False,
    runner: Runner = IN_PYTHON,
    scratch: Scratch | None = None,
) -> Tape:
    """The first pass alone: a tape of the same meaning, see ``fold``."""
    return fold(tape, arithmetic, settings, fast=fast, runner=runner, scratch=scratch).tape()


def balanced(tape: Tape, arithmetic: Arithmetic) -> Tape:
    """The second pass alone: a tape with the same bits, not folded."""
    return balance(unfolded(tape, arithmetic)).tape()


def prepared(
    tape: Tape,
    arithmetic: Arithmetic,
    settings: dict[str, Any] | None = None,
    *,
    without: Collection[Technique] = (),
    runner: Runner = IN_PYTHON,
    scratch: Scratch | None = None,
) -> Table:
    """The tape to bound, with the constants of the arithmetic."""
    if "fold" in without:
        table = unfolded(tape, arithmetic)
    else:
        table = fold(tape, arithmetic, settings, runner=runner, scratch=scratch)
    if "balance" not in without:
        table = balance(table, runner=runner, scratch=scratch)
    return enclosed(table, arithmetic)


def shortened(
    tape: Tape,
    question: Question,
    arithmetic: Arithmetic,
    boxes: Boxes,
    bounding: Callable[[Tape], Evaluator],
    runner_of: Callable[[Pass, Tape], Runner] = lambda *_: IN_PYTHON,
) -> list[Tape]:
    """For each box of all inputs a tape, never longer, with the same value or sign in it.

    ``boxes`` are the sides by x, y, z and each variable; ``bounding`` prepares a tape for them.
    ``runner_of`` a pass and a tape runs it.
    """
    sign_only, scratch = question is Question.SIGN, Scratch()

    def fold_alone(tape: Tape) -> Tape:
        return folded(tape, arithmetic, runner=runner_of(FOLD, tape), scratch=scratch)

    key = "folded", arithmetic.meaning, arithmetic.dtype
    whole = bounding(tape.derived(key, lambda: fold_alone(tape)))

    def shorter_sign(short: Tape, box: Boxes) -> Tape:
        from intervalvm.compiler.assemble import PASS, sign_tape

        x, y, z, *free = box
        inputs = Inputs(dict(zip(AXES.values(), (x, y, z), strict=True)), free)
        table = unfolded(short, arithmetic)
        bounds = arithmetic.clause_bounds(table, inputs)
        runner = runner_of(PASS, short)
        asked = sign_tape(short, table, bounds, arithmetic.dtype, runner=runner, scratch=scratch)
        (found,) = bounding(asked).shorten(box, sign_only=True)
        return min(short, fold_alone(found.tape), key=len)

    tapes, (_, flat) = [], flattened(boxes)
    for k, found in enumerate(whole.shorten(flat, sign_only=sign_only)):
        short = fold_alone(found.tape)
        if sign_only:
            short = shorter_sign(short, [Interval(*(part[[k]] for part in side)) for side in flat])
        tapes.append(min(tape, short, key=len))
    return tapes
