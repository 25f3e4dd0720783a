"""The pipeline: the one place where passes over a tape stand in order.

``compile`` makes a program of a tape::

    fold        z and variables set, constants folded, common subexpressions merged
    balance     chains of min and max balanced
    constants   enclosures of the remaining constant clauses
    bounds      those of every clause over the box
    assembly    for the sign ``v < 0`` pushed down to comparisons near x and y; then records and
                their constants

An evaluator (see ``evaluate.evaluators``) has the meaning of the tape. Other entries stop earlier:
``folded`` after the first pass, ``prepared`` before bounds; ``shortened`` gives a tape for one box.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from intervalvm.compiler.balance import balance
from intervalvm.compiler.demand import EVERY, NOTHING, SIGNS
from intervalvm.compiler.fold import fold
from intervalvm.compiler.passes import Table
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
) -> Program:
    """The program of a tape, for points of ``box``: one box in x and y.

    ``settings`` has z and all free variables, as in ``fold``. ``without`` leaves techniques out, to
    measure their effect; a tape that is not folded must read x and y only, and have no clause of
    constants.
    """
    from intervalvm.compiler.assemble import assemble

    ready, constants = prepared(tape, evaluator, settings, without=without)
    bounds = evaluator.clause_bounds(ready, constants, box)
    through = NOTHING if "pushdown" in without else SIGNS if "thresholds" in without else EVERY
    return assemble(
        table_of(ready, constants), question, bounds, evaluator.dtype, evaluator.meaning,
        through=through, axes="axes" not in without,
    )  # fmt: skip


def table_of(tape: Tape, numbers: Sequence[Any]) -> Table:
    """The table of a tape, with the numbers of its constants."""
    ends = np.array(numbers, np.float64).reshape(len(tape), -1)
    clauses = tape.codes, tape.left, tape.right
    return Table(*clauses, ends[:, 0].copy(), ends[:, -1].copy(), tape.variables)


def folded(
    tape: Tape, evaluator: Evaluator, settings: dict[str, Any] | None = None, *, fast: bool = False
) -> Tape:
    """The first pass alone: a tape of the same meaning, see ``fold``."""
    return fold(tape, evaluator, settings, fast=fast)


def prepared(
    tape: Tape,
    evaluator: Evaluator,
    settings: dict[str, Any] | None = None,
    *,
    without: Collection[Technique] = (),
) -> tuple[Tape, list[Any]]:
    """The tape to bound, and the evaluator's constants of its clauses."""
    if "fold" not in without:
        tape = fold(tape, evaluator, settings)
    if "balance" not in without:
        tape = balance(tape)
    return evaluator.constants(tape)


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
        return fold(simplify(found, trace), evaluator)

    short = shorten(fold(tape, evaluator))
    if sign_only:
        from intervalvm.compiler.assemble import sign_tape

        ready, constants = evaluator.constants(short)
        bounds = evaluator.clause_bounds(ready, constants, box)
        asked = sign_tape(short, table_of(ready, constants), bounds, evaluator.dtype)
        short = min(short, shorten(asked), key=len)
    return min(tape, short, key=len)
