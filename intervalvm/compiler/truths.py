"""Truths in a tape: clauses that are 1 or 0 at every point by their operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intervalvm.ops import ROWS

if TYPE_CHECKING:
    from intervalvm.tape import Tape


def truths(tape: Tape) -> list[bool]:
    """The mask of truths. They are never NaN; a real one may be undefined."""
    found: list[bool] = []
    is_truth, joins = ([getattr(op, of) for op in ROWS] for of in ("is_truth", "joins_truths"))
    rows = tape.codes.tolist(), tape.left.tolist(), tape.right.tolist()
    for code, left, right in zip(*rows, strict=True):
        found.append(is_truth[code] or (joins[code] and found[left] and found[right]))
    return found


def is_truth(tape: Tape) -> bool:
    """Whether the value of a tape is a truth, so never below 0. Cached with the tape."""
    return tape.derived("is_truth", lambda: truths(tape)[-1])
