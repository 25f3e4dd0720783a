"""A smaller case that fails in the same way: clauses are left out as long as it still does."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from intervalvm.ops import CODE
from intervalvm.tape import Tape, select

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from fuzz.cases import Case


def shrink(case: Case, fails: Callable[[Case], bool], seconds: float = 120.0) -> Case:
    """The smallest case found in the time: each step leaves something out and must fail as well."""
    end = time.monotonic() + seconds
    found = True
    while found:
        found = False
        for smaller in _smaller(case):
            if time.monotonic() > end:
                return case
            if fails(smaller):
                case, found = smaller, True
                break
    return case


def _smaller(case: Case) -> Iterator[Case]:
    """Cases that are simpler by one step, the largest steps first."""
    tape = case.tape
    last = len(tape) - 1
    for i in range(last):
        yield replace(case, tape=without(tape, last, i))
    for i in range(last - 1, -1, -1):
        for operand in tape.operands(i):
            yield replace(case, tape=without(tape, i, operand))
    for i in range(last, -1, -1):
        if tape.operands(i):
            yield replace(case, tape=_with_constant(tape, i))
    width, height = case.size
    for size in (
        (width // 2, height),
        (width, height // 2),
        (width - 1, height),
        (width, height - 1),
    ):
        if min(size) >= 1 and size != case.size:
            yield replace(case, size=size, depth=None)
    for plainer in ({"threads": 1}, {"depth": None}, {"grid": "linspace"}, {"mode": "bitmap"}):
        if any(getattr(case, name) != value for name, value in plainer.items()):
            yield replace(case, **plainer)


def without(tape: Tape, i: int, stand_in: int) -> Tape:
    """The tape with the earlier clause ``stand_in`` wherever ``i`` was read."""
    alias = np.arange(len(tape))
    alias[i] = stand_in
    return select(tape, _live(tape, alias), alias)


def _with_constant(tape: Tape, i: int) -> Tape:
    """The tape with 1 for clause ``i``."""
    codes, left, right = tape.codes.copy(), tape.left.copy(), tape.right.copy()
    wide, single = tape.wide.copy(), tape.single.copy()
    codes[i], left[i], right[i], wide[i], single[i] = CODE["const"], -1, -1, 1.0, 1.0
    made = Tape(codes, left, right, wide, single, tape.variables)
    alias = np.arange(len(made))
    return select(made, _live(made, alias), alias)


def _live(tape: Tape, alias: NDArray[np.int64]) -> NDArray[np.bool_]:
    live = np.zeros(len(tape), bool)
    live[alias[-1]] = True
    for i in range(len(tape) - 1, -1, -1):
        if live[i]:
            for operand in tape.operands(i):
                live[alias[operand]] = True
    return live
