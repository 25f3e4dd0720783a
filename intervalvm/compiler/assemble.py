"""A folded tape to a program: of its value, of the truth of ``v < 0``, or clause by clause."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.compiler import absorption, assembler, demand, nodes, predicates, resolve, signs
from intervalvm.compiler.assembler import write_truth, write_value
from intervalvm.compiler.passes import IN_PYTHON, Pass, Runner, Scratch, Table
from intervalvm.compiler.predicates import find_predicates
from intervalvm.compiler.program import ARITIES, INPUTS, Program, first_words
from intervalvm.compiler.resolve import resolve_nodes
from intervalvm.compiler.signs import write_signs
from intervalvm.compiler.thresholds import DOUBLE, REAL, SINGLE
from intervalvm.evaluate.arithmetic import ClauseBounds
from intervalvm.ops import CODE
from intervalvm.ops.row import Demand
from intervalvm.tape import NONE, Tape
from intervalvm.words import Meaning, Question

VALUE, TRUTH, SIGNS = range(3)
"""What is written: the value, the truth of ``v < 0``, or a tape of its sign."""
WANTED = assembler.STATE_WORDS
"""The state: which of them."""
QUESTIONS = {Question.VALUE: VALUE, Question.SIGN: TRUTH}


def write(w: Any) -> int:
    """The pass: push demand down, resolve the predicates, and write what is wanted."""
    if w.state[WANTED] == VALUE:
        write_value(w)
        return 0
    find_predicates(w)
    resolve_nodes(w)
    if w.state[WANTED] == TRUTH:
        write_truth(w)
    else:
        write_signs(w)
    return 0


PASS = Pass("assemble", write, nodes.FIELDS | predicates.FIELDS | resolve.FIELDS | assembler.FIELDS)


def assemble(
    table: Table,
    question: Question,
    bounds: ClauseBounds,
    dtype: np.dtype[Any],
    meaning: Meaning,
    *,
    through: frozenset[Demand] = demand.EVERY,
    inputs: int = resolve.TERMS,
    runner: Runner = IN_PYTHON,
    scratch: Scratch | None = None,
) -> Program:
    """The program of a tape, for points of ``dtype`` in the box of ``bounds``.

    The result is the value of the last clause, or for ``Question.SIGN`` the truth of ``v < 0``;
    then only what its predicates need is written, and ``through`` are the demands that are pushed
    down. What ``inputs`` are is told in ``resolve``; of values there is no program but of the sign.
    """
    assert question is Question.SIGN or inputs != resolve.VALUES, "a result is a record's"
    scratch = scratch or Scratch()
    arrays = arrays_of(table, QUESTIONS[question], bounds, dtype, meaning, through, scratch=scratch)
    arrays["state"][resolve.INPUTS_ARE] = inputs
    runner.run(PASS, arrays, scratch)
    count, result = arrays["state"][[assembler.RECORDS, assembler.RESULT]].tolist()
    records = arrays["records"][: 4 * count].reshape(-1, 4).copy()
    low, high = pool_of(arrays)
    constants = np.stack([low, high], axis=1) if meaning is Meaning.REAL else low
    written: Any = slice(None)
    if question is Question.SIGN and arrays["state"][resolve.ROOT] >= 0:
        written = arrays["is_needed"].view(np.bool_)
    is_tame = bounds.is_tame(written)
    return Program(records, constants.astype(dtype), result, question, meaning, is_tame)


def sign_tape(
    tape: Tape,
    table: Table,
    bounds: ClauseBounds,
    dtype: np.dtype[Any],
    *,
    runner: Runner = IN_PYTHON,
    scratch: Scratch | None = None,
) -> Tape:
    """A tape that is below 0 where ``tape`` is, for floats of ``dtype`` in the box of ``bounds``.

    ``table`` has the clauses of ``tape``.
    """
    scratch = scratch or Scratch()
    arrays = arrays_of(table, SIGNS, bounds, dtype, Meaning.FLOAT, scratch=scratch)
    runner.run(PASS, arrays, scratch)
    records = arrays["records"][: 4 * arrays["state"][assembler.RECORDS]].reshape(-1, 4)
    codes, left, right, source = records.astype(np.int64).T
    arity = np.array(ARITIES)[codes]
    is_own, numbers = source == signs.OWN, pool_of(arrays)[0]
    is_number = is_own & (codes == CODE["const"])
    wide, single = np.zeros(len(codes)), np.zeros(len(codes), np.float32)
    wide[~is_own], single[~is_own] = tape.wide[source[~is_own]], tape.single[source[~is_own]]
    with np.errstate(over="ignore", under="ignore"):
        wide[is_number] = single[is_number] = numbers[left[is_number]]
    is_variable = codes == CODE["var"]
    left = np.where((arity > 0) | is_variable, left, NONE)
    right = np.where(arity > 1, right, NONE)
    return Tape(codes, left, right, wide, single, tape.variables)


def arrays_of(
    table: Table,
    wanted: int,
    bounds: ClauseBounds,
    dtype: np.dtype[Any],
    meaning: Meaning,
    through: frozenset[Demand] = demand.EVERY,
    *,
    scratch: Scratch,
) -> dict[str, NDArray[Any]]:
    """The arrays of the pass; ``wanted`` is ``VALUE``, ``TRUTH`` or ``SIGNS``."""
    n = len(table)
    most = 0 if wanted == VALUE else nodes.MOST_DEMANDS * n + 64
    asks = most + 3  # a predicate asks at most two more
    # each clause, and a few for what its operands need; each node, and one for a constant
    records = 5 * n + 2 * asks + 8
    asked, pooled = _hash_room(asks), _hash_room(n + asks)
    sizes = dict.fromkeys(BY_NODE, asks) | dict.fromkeys(BY_CLAUSE, n)
    sizes |= dict.fromkeys(("spreads", "negatives"), records + INPUTS)
    sizes |= dict.fromkeys(("pool_low", "pool_high"), n + asks)
    sizes |= {"state": WANTED + 1, "starts": n + 1, "asked": asked, "pooled": pooled}
    sizes["records"] = 4 * records
    sizes |= dict.fromkeys(predicates.FIELDS, predicates.MOST_SOUGHT)
    sizes["sought"] *= predicates.SOUGHT
    arrays = dict(scratch.take_all(PASS, sizes))
    for name in ("state", "asked", "pooled", "sought_what"):
        arrays[name].fill(0)
    arrays |= {"codes": table.codes, "left": table.left, "right": table.right}
    arrays |= {"low": table.low, "high": table.high, "words": first_words()}
    arrays["lower"] = bounds.lower.astype(np.float64, copy=False)
    arrays["maybe_nan"] = bounds.maybe_nan.view(np.uint8)
    state, is_single = arrays["state"], dtype == np.float32
    system = REAL if meaning is Meaning.REAL else SINGLE if is_single else DOUBLE
    arrays |= {"pushes": demand.pushes(through, system), "traits": demand.traits()}
    state[[nodes.LENGTH, nodes.MOST, nodes.MASK]] = n, most, asked - 1
    state[nodes.SYSTEM] = system
    state[[assembler.IS_SINGLE, assembler.POOL_MASK, WANTED]] = is_single, pooled - 1, wanted
    state[resolve.INPUTS_ARE] = resolve.VALUES if wanted == SIGNS else resolve.TERMS
    return arrays


BY_NODE = (
    "kind", "clause", "greater", "t_low", "t_high", "first", "second", "order", "stands_for",
    "is_live", "x_term", "y_term", "place_of",
)  # fmt: skip
BY_CLAUSE = ("truth", "axes", "is_needed", "kinds", "places", *absorption.FIELDS)


def pool_of(arrays: dict[str, NDArray[Any]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The ends of the constants; no pool is empty."""
    count = int(arrays["state"][assembler.POOL])
    if count == 0:
        return np.zeros(1), np.zeros(1)
    return arrays["pool_low"][:count], arrays["pool_high"][:count]


def _hash_room(entries: int) -> int:
    """The places of a hash table: a power of 2, of which a fifth at least stays free."""
    return 1 << (entries + entries // 4).bit_length()
