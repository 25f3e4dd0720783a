"""The pipeline: the one place where passes over a tape stand in order.

``compile`` makes a program of a tape::

    fold        z and variables set, constants folded, common subexpressions merged
    balance     chains of min and max balanced
    enclosed    clauses of constants that have no single number enclosed, for the real function
    bounds      those of every clause over the box
    assemble    for the sign: ``v < 0`` pushed down to comparisons near x and y, then for either
                question records and their constants

An evaluator (see ``evaluate.evaluators``) has the meaning of the tape, and a runner runs the passes
(see ``passes``), in scratch memory. Other entries stop earlier: ``folded`` after the first pass,
``prepared`` before bounds; ``shortened`` gives a tape for one box.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any, Literal

from intervalvm.compiler.balance import balance
from intervalvm.compiler.constants import enclosed
from intervalvm.compiler.demand import EVERY, NOTHING, SIGNS
from intervalvm.compiler.fold import fold, unfolded
from intervalvm.compiler.passes import IN_PYTHON, Runner, Scratch, Table
from intervalvm.evaluate.evaluators import Evaluator, Inputs
from intervalvm.tape import Tape
from intervalvm.tape.shorten import simplify
from intervalvm.words import Question

if TYPE_CHECKING:
    from intervalvm.compiler.program import Program

Technique = Literal["fold", "balance", "pushdown", "thresholds", "axes"]
"""Techniques that ``compile`` can leave out: two passes; predicates of operands, or those by
thresholds; separate terms of one axis."""


def compile(
    tape: Tape,
    question: Question,
    evaluator: Evaluator,
    box: Inputs,
    settings: dict[str, Any] | None = None,
    *,
    without: Collection[Technique] = (),
    runner: Runner = IN_PYTHON,
    scratch: Scratch | None = None,
) -> Program:
    """The program of a tape, for points of ``box``: one box in x and y.

    ``settings`` has z and all free variables, as in ``fold``. ``without`` leaves techniques out, to
    measure their effect; a tape that is not folded must read x and y only, and have no clause of
    constants.
    """
    from intervalvm.compiler.assemble import assemble

    scratch = scratch or Scratch()
    table = prepared(tape, evaluator, settings, without=without, runner=runner, scratch=scratch)
    bounds = evaluator.clause_bounds(table, box, scratch)
    through = NOTHING if "pushdown" in without else SIGNS if "thresholds" in without else EVERY
    return assemble(
        table, question, bounds, evaluator.dtype, evaluator.meaning,
        through=through, axes="axes" not in without, runner=runner, scratch=scratch,
    )  # fmt: skip


def folded(
    tape: Tape,
    evaluator: Evaluator,
    settings: dict[str, Any] | None = None,
    *,
    fast: bool = False,
    runner: Runner = IN_PYTHON,
) -> Tape:
    """The first pass alone: a tape of the same meaning, see ``fold``."""
    return fold(tape, evaluator, settings, fast=fast, runner=runner).tape()


def prepared(
    tape: Tape,
    evaluator: Evaluator,
    settings: dict[str, Any] | None = None,
    *,
    without: Collection[Technique] = (),
    runner: Runner = IN_PYTHON,
    scratch: Scratch | None = None,
) -> Table:
    """The tape to bound, with the evaluator's constants."""
    if "fold" in without:
        table = unfolded(tape, evaluator)
    else:
        table = fold(tape, evaluator, settings, runner=runner, scratch=scratch)
    if "balance" not in without:
        table = balance(table, runner=runner, scratch=scratch)
    return enclosed(table, evaluator)


def shortened(
    tape: Tape, question: Question, evaluators: Sequence[Evaluator], boxes: Sequence[Inputs]
) -> Tape:
    """A tape, never longer, with the same value or sign in one box of all inputs.

    With several evaluators this holds for each, with the box in its dtype.
    """
    sign_only = question is Question.SIGN
    if len(evaluators) > 1:
        # rounding, and so ties, depend on the dtype: a choice must hold in all
        traces = [
            evaluator.bounds(tape, box, sign_only=sign_only).trace
            for evaluator, box in zip(evaluators, boxes, strict=True)
        ]
        return simplify(tape, reduce(and_, traces))
    (evaluator,), (box,) = evaluators, boxes

    def shorten(found: Tape) -> Tape:
        trace = evaluator.bounds(found, box, sign_only=sign_only).trace
        return folded(simplify(found, trace), evaluator)

    short = shorten(folded(tape, evaluator))
    if sign_only:
        from intervalvm.compiler.assemble import sign_tape

        table = unfolded(short, evaluator)
        bounds = evaluator.clause_bounds(table, box)
        short = min(short, shorten(sign_tape(short, table, bounds, evaluator.dtype)), key=len)
    return min(tape, short, key=len)
