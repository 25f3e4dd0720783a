"""Fold constants, use identities, merge common subexpressions, remove dead clauses.

The meaning of the tape is kept: every bit of the float program, unless ``fast`` enables
identities of real numbers; values and domain of the real function. Constants are the arithmetic's,
so the result is valid for it only. ``folding`` has the pass.
"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from intervalvm.compiler import folding as f
from intervalvm.compiler.passes import IN_PYTHON, Arrays, Runner, Scratch, Table
from intervalvm.compiler.rewrites import Keep, rewrites
from intervalvm.evaluate.arithmetic import Arithmetic
from intervalvm.ops import AXES, ROWS
from intervalvm.tape import NONE, Tape
from intervalvm.tape.liveness import ARITY
from intervalvm.words import Meaning

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEEPS: dict[Meaning, Keep] = {Meaning.FLOAT: Keep.BITS, Meaning.REAL: Keep.DOMAIN}
COMMUTES = np.array([op.commutes for op in ROWS], np.uint8)
SPARE_CLAUSES = 64
"""Room for rewrites that write more than one clause."""
MOST_GROWTH = 16
"""No tape needs as many times its length, or that of 64 clauses."""


def fold(
    tape: Tape,
    arithmetic: Arithmetic,
    settings: dict[str, Any] | None = None,
    *,
    fast: bool = False,
    runner: Runner = IN_PYTHON,
    scratch: Scratch | None = None,
) -> Table:
    """A tape of the same meaning, shortened by these rules.

    ``settings`` maps inputs ("var-z", or the name of a free variable) to constants. ``fast`` also
    uses ``identities.FAST``, which change bits as stated there. An operation on constants is kept
    if the arithmetic has no result. The arrays of the table are scratch memory.
    """
    given, scratch = settings or {}, scratch or Scratch()
    # all that stay free stay declared, in their order
    free = tuple(name for name in tape.variables if name not in given)
    assert not fast or arithmetic.meaning is Meaning.FLOAT, "an identity of reals may lack a domain"
    keep = Keep.REALS if fast else KEEPS[arithmetic.meaning]
    # a runner that applies operations knows the floats' only
    applies = runner.applies and arithmetic.meaning is Meaning.FLOAT
    fixed = {**_source(tape, arithmetic), **_operations(keep)}
    room, status = len(tape) + SPARE_CLAUSES, f.FULL
    while status == f.FULL:
        inputs = _inputs(tape, arithmetic, given, free)
        new = _new(len(tape), room, arithmetic.constant_type, scratch, applies=applies)
        arrays, answer = {**fixed, **inputs, **new}, partial(_answer, arithmetic)
        status = runner.run(f.PASS, arrays, scratch, answer)
        room *= 2
        assert status != f.FULL or room <= MOST_GROWTH * (len(tape) + 64), "the pass never ends"
    count = int(new["state"][f.COUNT])
    codes, left, right, numbers = (
        scratch.take(f"fold {name}", count, f.FIELDS[name]) for name in f.NEW
    )
    return Table(codes, left, right, numbers, numbers, free)


def unfolded(tape: Tape, arithmetic: Arithmetic) -> Table:
    """The table of a tape as it is, with the constants of the arithmetic."""
    numbers = _numbers(tape, arithmetic)
    return Table(tape.codes, tape.left, tape.right, numbers, numbers, tape.variables)


def _answer(arithmetic: Arithmetic, status: int, w: Any) -> bool:
    """Apply the operation on constants that the pass asks for; whether it goes on."""
    if status != f.ASKED:
        return False
    k = w.state[f.ANSWERS] - 1
    op = ROWS[w.asked_code[k]]
    places = (w.asked_left[k], w.asked_right[k])[: op.arity]
    with np.errstate(all="ignore"):
        numbers = (arithmetic.constant(w.new_numbers[place]) for place in places)
        found = arithmetic.result(op.name, *numbers)
    w.has_answer[k] = found is not None
    w.answers[k] = 0.0 if found is None else float(found)
    return True


def _numbers(tape: Tape, arithmetic: Arithmetic) -> NDArray[np.float64]:
    """The constants by clause, cached with the tape."""
    key = "numbers", arithmetic.meaning, arithmetic.constant_type
    return tape.derived(key, lambda: arithmetic.numbers(tape))


def _source(tape: Tape, arithmetic: Arithmetic) -> Arrays:
    numbers = _numbers(tape, arithmetic)
    return {"codes": tape.codes, "left": tape.left, "right": tape.right, "numbers": numbers}


def _inputs(
    tape: Tape, arithmetic: Arithmetic, given: dict[str, Any], free: tuple[str, ...]
) -> Arrays:
    names = (*AXES.values(), *tape.variables)
    is_set = np.array([name in given for name in names], np.uint8)
    with np.errstate(all="ignore"):  # of numbers that are no floats of the dtype
        settings = np.array([float(arithmetic.constant(given.get(name, 0.0))) for name in names])
    renamed = np.full(len(names), NONE, np.int32)
    renamed[len(AXES) :] = [free.index(name) if name in free else NONE for name in tape.variables]
    inputs = np.full(len(names), NONE, np.int32)
    return {"is_set": is_set, "settings": settings, "renamed": renamed, "inputs": inputs}


@cache
def _operations(keep: Keep) -> Arrays:
    table = rewrites(keep)
    return {
        "arity": ARITY,
        "commutes": COMMUTES,
        "rewrites": table.table,
        "first": table.first,
        "may_left": table.left,
        "may_right": table.right,
        "unrelated": table.unrelated,
    }


def _new(
    n: int, room: int, dtype: np.dtype[Any], scratch: Scratch, *, applies: bool
) -> dict[str, NDArray[Any]]:
    """What the pass writes to, for up to ``room`` clauses."""
    depth = 16 + room // 16  # of rewrites of parts of rewrites
    slots, numbers = 1 << (2 * room - 1).bit_length(), 1 << (room // 2 + 64).bit_length()
    sizes = dict.fromkeys((*f.NEW, *f.BY_NEW), room) | {"place": n, "letters": f.N_LETTERS}
    sizes |= {"keys": slots, "found": slots, "by_number": numbers, "frames": f.FRAME * (depth + 1)}
    arrays = scratch.take_all(f.PASS, sizes)
    arrays["keys"].fill(0)
    arrays["by_number"].fill(0)
    state, info = np.zeros(f.STATE_WORDS, np.int64), np.finfo(dtype)
    state[[f.LENGTH, f.ROOM, f.MOST_DEPTH]] = n, room, depth
    state[[f.MOST_KNOWN, f.KEY_MASK]] = slots // 4 * 3, slots - 1
    state[[f.MOST_NUMBERS, f.NUMBER_MASK]] = numbers // 2, numbers - 1
    state[[f.APPLIES, f.IS_WIDE]] = applies, dtype == np.float64
    floats = np.array([info.tiny, info.max, 0.0], np.float64)
    return {**arrays, "state": state, "floats": floats}
