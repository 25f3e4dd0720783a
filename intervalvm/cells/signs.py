"""A shorter tape with the same surface: of which only the sign is right, and where it is 0.

Distances are made of more than their sign needs: that of a box joins the distances to its faces at
edges, outside. Without that part its slopes are those of the faces, and its cells can be large.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from intervalvm.cells.frame import Frame
from intervalvm.ops import CODE, ROWS
from intervalvm.ops.row import Demand
from intervalvm.tape import Tape
from intervalvm.tape.shorten import Trace, sign_demanded, simplify


def same_sign(tape: Tape, evaluator_of: Callable[[Tape], Any], frame: Frame) -> Tape:
    """A tape of the same sign at each point of a frame; it may be the same.

    ``evaluator_of`` makes an evaluator of the real function, whose boxes are those of the frame's
    axes. An operand of ``min`` or ``max`` is dropped where bounds prove that the sign does not
    depend on it, and where it is a positive multiple of the other.
    """
    whole = frame.boxes(np.zeros((1, frame.dimensions), np.int32), 0)
    while True:
        (short,) = evaluator_of(tape).shorten(whole, sign_only=True)
        shorter = _without_multiples(short.tape)
        if len(shorter) == len(tape):
            return tape
        tape = shorter


def _without_multiples(tape: Tape) -> Tape:
    left, right = [0] * len(tape), [0] * len(tape)
    for i in np.flatnonzero(sign_demanded(tape)):
        if ROWS[tape.codes[i]].demand in (Demand.LESSER, Demand.GREATER):
            a, b = int(tape.left[i]), int(tape.right[i])
            left[i] = int(_is_multiple(tape, b, a))
            right[i] = int(not left[i] and _is_multiple(tape, a, b))
    return simplify(tape, Trace(left, right)) if any(left) or any(right) else tape


def _is_multiple(tape: Tape, i: int, of: int) -> bool:
    """Whether a clause is a positive number times another."""
    if tape.codes[i] != CODE["mul"]:
        return False
    operands = [int(tape.left[i]), int(tape.right[i])]
    if of not in operands:
        return False
    operands.remove(of)
    (factor,) = operands
    return bool(tape.codes[factor] == CODE["const"] and 0.0 < tape.wide[factor] < np.inf)
