"""The pipeline: the one place where passes over a tape stand in order.

``compile`` makes a program of a tape::

    fold        z and variables set, constants folded, common subexpressions merged
    balance     chains of min and max balanced
    constants   enclosures of the remaining constant clauses
    bounds      those of every clause over the box
    predicates  for the sign: ``v < 0`` pushed down to comparisons near x and y
    assembly    records and their constants

An evaluator (see ``evaluate.evaluators``) has the meaning of the tape. Other entries stop earlier:
``folded`` after the first pass, ``prepared`` before bounds; ``shortened`` gives a tape for one box.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from intervalvm.compiler.balance import balance
from intervalvm.compiler.fold import fold
from intervalvm.compiler.predicates import PUSHDOWN, SIGNS, Predicates
from intervalvm.compiler.resolve import sign_tape
from intervalvm.evaluate.evaluator import Boxes, flattened
from intervalvm.evaluate.evaluator import Evaluator as BoxEvaluator
from intervalvm.evaluate.evaluators import Evaluator, Inputs
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
    from intervalvm.compiler.assemble import bitmap_program, value_program

    ready, constants = prepared(tape, evaluator, settings, without=without)
    bounds = evaluator.clause_bounds(ready, constants, box)
    if question is Question.SIGN:
        through = () if "pushdown" in without else SIGNS if "thresholds" in without else PUSHDOWN
        asked = Predicates(ready, bounds, evaluator, through)
        program = bitmap_program(ready, asked, axes="axes" not in without)
    else:
        program = value_program(ready, evaluator, constants)
    return replace(program, meaning=evaluator.meaning, is_tame=bounds.is_tame())


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
    tape: Tape,
    question: Question,
    evaluator: Evaluator,
    boxes: Boxes,
    bounding: Callable[[Tape], BoxEvaluator],
) -> list[Tape]:
    """For each box of all inputs a tape, never longer, with the same value or sign in it.

    ``boxes`` are the sides by x, y, z and each variable; ``bounding`` prepares a tape for them.
    """
    sign_only = question is Question.SIGN
    key = "folded", evaluator.meaning, evaluator.dtype
    whole = bounding(tape.derived(key, lambda: fold(tape, evaluator)))

    def shorter_sign(short: Tape, box: Boxes) -> Tape:
        x, y, z, *free = box
        inputs = Inputs(dict(zip(AXES.values(), (x, y, z), strict=True)), free)
        bounds = evaluator.clause_bounds(*evaluator.constants(short), inputs)
        asked = sign_tape(short, Predicates(short, bounds, evaluator))
        (found,) = bounding(asked).shorten(box, sign_only=True)
        return min(short, fold(found.tape, evaluator), key=len)

    tapes, (_, flat) = [], flattened(boxes)
    for k, found in enumerate(whole.shorten(flat, sign_only=sign_only)):
        short = fold(found.tape, evaluator)
        if sign_only:
            short = shorter_sign(short, [Interval(*(part[[k]] for part in side)) for side in flat])
        tapes.append(min(tape, short, key=len))
    return tapes
