"""Every operation of the table as a tape, floats to try it on, and two ways to evaluate it."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from support.lane_kernels import LaneEvaluator

from intervalvm.api.evaluate import evaluate
from intervalvm.compiler.plain import plain_program
from intervalvm.ops import OPS, ROWS
from intervalvm.tape import Tape, TapeBuilder

OPERATIONS = [op.name for op in ROWS if op.arity]


FUNCTIONS = [op.name for op in ROWS if op.function is not None]
"""Those that are not rounded correctly."""


DTYPES = ["float32", "float64"]


PITCH = {"float32": np.int32, "float64": np.int64}


def bits(values: Any) -> Any:
    """Bit patterns as integers; every NaN has the same one."""
    values = np.array(values)
    values[np.isnan(values)] = np.nan
    return values.view(PITCH[values.dtype.name])


def assert_same_bits(actual: Any, expected: Any, operands: tuple[Any, ...]) -> None:
    wrong = np.flatnonzero(bits(actual) != bits(expected))
    shown = [(*(float(o[i]) for o in operands), actual[i], expected[i]) for i in wrong[:5]]
    assert not len(wrong), f"{len(wrong)} of {len(actual)}: (operands, actual, expected) {shown}"


@cache
def numbers(dtype: str) -> Any:
    """The edges of the format's table and of the number format, and their neighbours."""
    info, kind = np.finfo(dtype), np.dtype(dtype).type
    digits = info.nmant + 1
    sizes = [
        *(0.0, 1.0, 0.5, 1.5, 2.0, 2.5, 3.0, 3.5, 0.1, 1 / 3, math.pi, math.pi / 2, math.e, 10.0),
        *(info.smallest_subnormal, info.smallest_normal, info.max, np.inf, np.nan, 1e6, 1e-6, 1e22),
        # from here on every float is whole: rounding by adding a half goes wrong just below
        *(2.0 ** (digits - 2) + 0.5, 2.0 ** (digits - 1) - 0.5),
        *(2.0 ** (digits - 1) + 1, 2.0**digits),
        *(88.72284, 709.78, 103.97, 745.13, 1.0 + info.eps, 0.7071067811865476, 2.0**31, 2.0**63),
    ]  # fmt: skip
    edges = np.array(sizes, dtype)
    with np.errstate(all="ignore"):
        beside = [np.nextafter(edges, kind(0)), np.nextafter(edges, kind(np.inf))]
    edges = np.concatenate((edges, *beside))
    return np.unique(bits(np.concatenate((edges, -edges)))).view(dtype)


@cache
def tape_of(op: str) -> Tape:
    """The operation on x, or on x and y."""
    tape = TapeBuilder()
    operands = [tape.clause(name) for name in ("var-x", "var-y")[: OPS[op].arity]]
    tape.clause(op, *operands)
    return tape.build().check()


def dense(op: str, dtype: str, operands: tuple[Any, ...]) -> Any:
    return evaluate(tape_of(op), *(*operands, 0.0)[:2], dtype=dtype)


def careful_lanes(op: str, dtype: str, operands: tuple[Any, ...]) -> Any:
    packed = plain_program(tape_of(op), np.dtype(dtype))
    return LaneEvaluator(dtype).points(packed, *(*operands, 0.0)[:2])
