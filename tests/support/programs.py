"""Slow and obvious interpreters of what the compiler makes: predicates and programs, at points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from intervalvm.arith.arrays import Arrays
from intervalvm.compiler import assemble, nodes
from intervalvm.compiler.fold import unfolded
from intervalvm.compiler.nodes import AND, LESS, NUMBER, OR, SAME, TRUE
from intervalvm.compiler.passes import IN_PYTHON, Runner, Scratch
from intervalvm.compiler.program import (
    ABSORBS,
    CONSTANT_CHOICE,
    VARIANT_MASK,
    VARIANTS,
    Program,
)
from intervalvm.evaluate.arithmetic import ClauseBounds, Floats
from intervalvm.ops import OPS, ROWS
from intervalvm.words import Meaning, Question

if TYPE_CHECKING:
    from intervalvm.tape import Tape

SPECIAL = [
    *(
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        -0.5,
        1.5,
        -1.5,
        2.5,
        3.0,
        -3.0,
        1e-30,
        -1e-30,
        2.0**24,
        -(2.0**53),
    ),
    *(np.inf, -np.inf, np.nan),
]


def special(dtype: Any) -> list[float]:
    """Floats at which something may happen, as Python floats."""
    info = np.finfo(dtype)
    edges = [float(info.max), float(info.tiny), float(info.smallest_subnormal)]
    return [float(dtype(v)) for v in SPECIAL] + [s * v for v in edges for s in (1.0, -1.0)]


def numbers(dtype: Any) -> st.SearchStrategy[float]:
    """Any float of the dtype but NaN and infinity, the peculiar ones often."""
    finite = [v for v in special(dtype) if np.isfinite(v)]
    width = np.dtype(dtype).itemsize * 8
    some = st.floats(-4, 4, width=width)
    return (
        st.sampled_from(finite)
        | some
        | st.floats(width=width, allow_nan=False, allow_infinity=False)
    )


def neighbours(values: Any, dtype: Any) -> Any:
    """The values, their negatives, and the floats on both sides of each."""
    centre = np.array(values, dtype)
    with np.errstate(all="ignore"):
        centre = np.concatenate([centre, -centre])
        beside = [np.nextafter(centre, dtype(way)) for way in (-np.inf, np.inf)]
    return np.concatenate([centre, *beside])


def values_of(tape: Tape, x: Any, y: Any, dtype: Any) -> list[Any]:
    """The value of every clause at points, by the operations' definitions."""
    xp = Arrays(np, np.dtype(dtype))
    constants, found = tape.constants(np.dtype(dtype)), []
    with np.errstate(all="ignore"):
        for i, code in enumerate(tape.codes.tolist()):
            op = ROWS[code]
            if not op.arity:
                found.append({"var-x": x, "var-y": y}.get(op.name, constants[i]))
            else:
                found.append(op.point(xp, *(found[operand] for operand in tape.operands(i))))
    return found


@dataclass(frozen=True)
class Asked:
    """The predicates of a tape, and their program: the arrays of the pass, once it has run."""

    arrays: dict[str, Any]
    program: Program
    dtype: Any

    @property
    def nodes(self) -> range:
        return range(int(self.arrays["state"][nodes.NODES]))

    def limits(self) -> list[float]:
        """The numbers with which values are compared."""
        columns = (self.arrays[name].tolist() for name in ("kind", "first", "second", "t_low"))
        return [
            t
            for _, (kind, *operands, t) in zip(self.nodes, zip(*columns, strict=True), strict=False)
            if kind == LESS and NUMBER in operands
        ]


def asked_of(
    tape: Tape,
    dtype: Any,
    lower: Any = -np.inf,
    maybe_nan: Any = True,
    runner: Runner = IN_PYTHON,
) -> Asked:
    """The predicates of a tape of whose values so much is known, of all alike or of each."""
    n, dtype = len(tape), np.dtype(dtype)
    table = unfolded(tape, Floats(dtype))
    least = np.broadcast_to(np.asarray(lower, dtype), n).copy()
    most = np.full(n, np.inf, dtype)
    bounds = ClauseBounds(least, most, np.broadcast_to(np.asarray(maybe_nan), n).copy())
    scratch = Scratch()
    arrays = assemble.arrays_of(
        table, assemble.TRUTH, bounds, dtype, Meaning.FLOAT, scratch=scratch
    )
    with np.errstate(all="ignore"):
        runner.run(assemble.PASS, arrays, scratch)
    program = assemble.assemble(table, Question.SIGN, bounds, dtype, Meaning.FLOAT, runner=runner)
    return Asked(arrays, program, dtype)


def truth_of(asked: Asked, values: list[Any]) -> Any:
    """The answer of the root, given the values of all clauses: nodes in the order of clauses."""
    names = "kind", "clause", "greater", "first", "second", "t_low"
    kinds, clauses, _, firsts, seconds, limits = (asked.arrays[name].tolist() for name in names)
    known: dict[int, Any] = {}
    with np.errstate(invalid="ignore"):
        for i in sorted(asked.nodes, key=clauses.__getitem__):
            kind, a, b = kinds[i], firsts[i], seconds[i]
            if kind == LESS:
                t = asked.dtype.type(limits[i])
                known[i] = (t if a == NUMBER else values[a]) < (t if b == NUMBER else values[b])
            elif kind in (OR, AND):
                combine = np.logical_or if kind == OR else np.logical_and
                known[i] = combine(known[a], known[b])
            else:
                known[i] = known[a] if kind == SAME else np.bool_(kind == TRUE)
    return known[0]


def run(program: Program, x: Any, y: Any, z: Any = None, *, all_full: bool = False) -> Any:
    """The result of a program at points, by the definition of each record.

    Asserts that operands are of the kinds that the record's variant says; with ``all_full``, or a
    z, inputs are of kind f too.
    """
    dtype = program.constants.dtype
    xp = Arrays(np, dtype)
    places: list[Any] = [x, y, z]
    asked = ABSORBS | CONSTANT_CHOICE  # the compiler's to say
    kinds = list("xyz" if z is None and not all_full else "fff")
    with np.errstate(all="ignore"):
        for number, *words in program.records.tolist():
            variant = VARIANTS[number & VARIANT_MASK]
            assert number & ~VARIANT_MASK & ~asked == variant.flags & ~asked
            operands, axes = [], set()
            for kind, place in zip(variant.kinds, words, strict=False):
                if kind == "k":
                    operands.append(program.constants[place])
                    continue
                assert place < len(places), "operands are earlier"
                assert kinds[place] in ("xy" if kind == "a" else kind), "operands are of their kind"
                operands.append(places[place])
                axes.add(kinds[place])
            out = variant.out
            if out == "a":
                assert len(axes) <= 1, "an axis term is of one axis"
                out = axes.pop() if axes else "xy"[words[2]]
                assert words[2] == "xy".index(out), "the third word of an axis term is its axis"
            places.append(_result(variant.op, xp, operands, variant.kinds))
            kinds.append(out)
    return places[program.result]


def _result(op: str, xp: Arrays, operands: list[Any], kinds: str) -> Any:
    if op == "spread":
        return operands[0]
    if op == "less":
        return operands[0] < operands[1]
    if op == "sum_less":
        first, second, third = operands
        return first < second + third if kinds[0] == "k" else first + second < third
    if kinds == "tt":
        return (np.logical_or if op == "or" else np.logical_and)(*operands)
    return OPS[op].point(xp, *operands)
