"""How each evaluator does in the ITF1788 test cases: ``python tests/conformance.py``.

It writes the table of docs/conformance.md. The cases are read from ``../shared/itf1788``.
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import itl
import numpy as np
from itl import Case, Operand
from lane_kernels import LaneEvaluator

import intervalvm as ivm
from intervalvm.compiler.assemble import plain_program
from intervalvm.evaluate.decorated import Decoration, Real, applied
from intervalvm.evaluate.directed import DOWN, UP, DirectedArrays
from intervalvm.evaluate.interval import RULES, Interval, IntervalArrays
from intervalvm.ops import OPS

TOP = Path(__file__).resolve().parents[1]
FOLDER = TOP.parent / "shared" / "itf1788"
PAGE = TOP / "docs" / "conformance.md"
MARKS = "<!-- the table: python tests/conformance.py -->\n", "<!-- its end -->\n"
NAMES = {
    "pos": "copy", "neg": "neg", "abs": "abs", "sqr": "square", "sqrt": "sqrt", "recip": "recip",
    "floor": "floor", "ceil": "ceil", "roundTiesToAway": "round", "sin": "sin", "cos": "cos",
    "tan": "tan", "asin": "asin", "acos": "acos", "atan": "atan", "exp": "exp", "log": "ln",
    "add": "add", "sub": "sub", "mul": "mul", "div": "div", "min": "min", "max": "max",
    "atan2": "atan2", "sign": "compare",
}  # fmt: skip
"""Our name of each operation of the standard that we have. The sign is a comparison with 0."""
ZERO = Operand(0.0, 0.0, "com")


@dataclass(frozen=True)
class Found:
    """What an evaluator makes of a case."""

    case: Case
    lower: float
    upper: float
    enclosed: bool
    tight: bool | None
    """None where an operand was rounded, so that nobody can tell."""
    decoration: str = ""

    def __str__(self) -> str:
        return f"{self.case.text}: [{self.lower.hex()}, {self.upper.hex()}]_{self.decoration}"


def read() -> dict[str, list[Case]]:
    """The cases by our name of the operation, in the order of ``NAMES``."""
    found: dict[str, list[Case]] = {op: [] for op in NAMES.values()}
    for path in sorted(FOLDER.glob("*.itl")):
        for case in itl.cases(path.read_text(encoding="utf-8"), NAMES):
            found[NAMES[case.op]].append(case)
    return found


def operands(op: str, case: Case) -> tuple[Operand, ...]:
    return case.operands + (ZERO,) * (OPS[op].arity - len(case.operands))


def outward(dtype: str, op: str, cases: Sequence[Case]) -> Iterator[Found]:
    """``interval`` with rounding="outward" must enclose what is expected: the tightest in float64.

    In float32 the operands are rounded outwards first, and what is expected too; only where no
    operand was changed by that may the tightest be expected.
    """
    xp = DirectedArrays(np.dtype(dtype))
    columns = list(zip(*(operands(op, case) for case in cases), strict=True))
    with np.errstate(all="ignore"):
        given = [_real(xp, column) for column in columns]
        found = applied(xp, op, given)
        want = _real(xp, [case.expected for case in cases])
    is_exact = np.all([_is_kept(*pair) for pair in zip(given, columns, strict=True)], axis=0)
    is_same = (found.lower == want.lower) & (found.upper == want.upper)
    names = [str(Decoration(code)) for code in found.decoration.tolist()]
    ends = (found.lower.tolist(), found.upper.tolist())
    told = [same if exact else None for same, exact in zip(is_same.tolist(), is_exact, strict=True)]
    for case, low, high, tight, name in zip(cases, *ends, told, names, strict=True):
        expected = case.expected
        enclosed = expected.is_empty or (low <= expected.lower and expected.upper <= high)
        yield Found(case, low, high, enclosed, tight, name)


def _real(xp: DirectedArrays, sides: Sequence[Operand]) -> Real:
    """Intervals as the evaluator takes them, rounded outwards. What has no decoration gets one."""
    empty = np.array([side.is_empty for side in sides])
    lower, upper = (np.array([getattr(s, end) for s in sides]) for end in ("lower", "upper"))
    names = [side.decoration or ("trv" if side.is_empty else "dac") for side in sides]
    return Real(
        np.where(empty, xp.inf, xp.towards(DOWN, lower, np.nan)),
        np.where(empty, -xp.inf, xp.towards(UP, upper, np.nan)),
        np.array([Decoration[name.upper()] for name in names], np.int8),
    )


def _is_kept(rounded: Real, sides: Sequence[Operand]) -> Any:
    lower, upper = (np.array([getattr(s, end) for s in sides]) for end in ("lower", "upper"))
    return (rounded.lower == lower) & (rounded.upper == upper)


Bounds = Callable[[str, Interval, Interval], Interval]
"""Bounds of an operation over some boxes, given the sides x and y."""


def by_numpy(op: str, x: Interval, y: Interval) -> Interval:
    with np.errstate(all="ignore"):
        return RULES[op](IntervalArrays(np.dtype("float64")), *(x, y)[: OPS[op].arity])


def by_lanes(op: str, x: Interval, y: Interval) -> Interval:
    program = plain_program(_tape(op), np.dtype("float64"))
    blocks = []
    for start in range(0, len(x.lower), 64):
        side = (Interval(*(part[start : start + 64] for part in s)) for s in (x, y))
        found = LaneEvaluator("float64").interval(program, *side)
        blocks.append((found.lower[-1], found.upper[-1], found.maybe_nan[-1]))
    return Interval(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))


def nearest(bounds: Bounds, op: str, cases: Sequence[Case]) -> Iterator[Found]:
    """``interval`` with rounding="nearest" must enclose what ``evaluate`` computes in the box.

    That is looked at in the corners and at some points between; and what is expected must be
    enclosed but for the rounding of a bound to nearest. Bounds are tight if they are no wider than
    expected. Cases of the empty interval are left out: there are no floats in it.
    """
    cases = [case for case in cases if not any(side.is_empty for side in case.operands)]
    sides = list(zip(*(operands(op, case) for case in cases), strict=True))
    boxes = [
        Interval(
            np.array([side.lower for side in column]),
            np.array([side.upper for side in column]),
            np.zeros(len(column), bool),
        )
        for column in sides
    ]
    found = bounds(op, boxes[0], boxes[-1])
    results = (np.broadcast_to(part, len(cases)).tolist() for part in found)
    for case, lower, upper, maybe_nan in zip(cases, *results, strict=True):
        points = np.array(list(itertools.product(*(_floats(side) for side in operands(op, case)))))
        values = ivm.evaluate(_tape(op), points[:, 0], points[:, -1], dtype="float64")
        nan = np.isnan(values)
        want = case.expected
        enclosed = bool(((lower <= values) & (values <= upper))[~nan].all())
        enclosed &= maybe_nan or not nan.any()
        if want.is_empty:
            tight = False
        else:
            enclosed &= lower <= math.nextafter(want.lower, math.inf)
            enclosed &= upper >= math.nextafter(want.upper, -math.inf)
            tight = want.lower <= lower and upper <= want.upper
        yield Found(case, lower, upper, enclosed, tight)


def _tape(op: str) -> ivm.Tape:
    return ivm.parse("x var-x\ny var-y\nv " + f"{op} x y"[: len(op) + 2 * OPS[op].arity])


def _floats(side: Operand) -> list[float]:
    """Some floats of an interval: its ends and those beside them, the middle, 0."""
    low, high = side.lower, side.upper
    inside = [math.nextafter(low, high), math.nextafter(high, low), 0.0, low / 2 + high / 2]
    return [low, high, *(value for value in inside if low <= value <= high)]


OUTWARD = "outward, float64"
EVALUATORS: dict[str, Callable[[str, Sequence[Case]], Iterator[Found]]] = {
    OUTWARD: lambda op, cases: outward("float64", op, cases),
    "outward, float32": lambda op, cases: outward("float32", op, cases),
    "nearest, float64": lambda op, cases: nearest(by_numpy, op, cases),
    "nearest, float64, compiled": lambda op, cases: nearest(by_lanes, op, cases),
}


Results = dict[str, dict[str, list[Found]]]
"""What each evaluator finds, by operation and evaluator."""


def results() -> Results:
    return {
        op: {name: list(evaluate(op, cases)) for name, evaluate in EVALUATORS.items()}
        for op, cases in read().items()
    }


def tabled(found: Results) -> str:
    """The table of the page, in Markdown."""
    rows = [["operation", *EVALUATORS, "decorations"], ["---"] + ["---:"] * (len(EVALUATORS) + 1)]
    totals = np.zeros((len(EVALUATORS) + 1, 4), int)
    for op, columns in found.items():
        counts = np.array([*map(_counted, columns.values()), _decorations(columns[OUTWARD])])
        totals += counts
        rows.append([f"`{op}`", *map(_cell, counts.tolist())])
    rows.append(["all", *map(_cell, totals.tolist())])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _counted(found: Sequence[Found]) -> tuple[int, int, int, int]:
    """Cases, enclosed, tight, and of how many that can be told."""
    asked = [f.tight for f in found if f.tight is not None]
    return len(found), sum(f.enclosed for f in found), sum(asked), len(asked)


def _decorations(found: Sequence[Found]) -> tuple[int, int, int, int]:
    """Cases with a decoration, and those where ours is the same."""
    pairs = [(f.decoration, f.case.expected.decoration) for f in found]
    asked = [mine == theirs for mine, theirs in pairs if theirs]
    return len(asked), sum(asked), 0, 0


def _cell(counts: Sequence[int]) -> str:
    n, enclosed, tight, asked = counts
    if not asked:
        return f"{n} / {enclosed}"
    return f"{n} / {enclosed} / {tight}" + (f" of {asked}" if asked < n else "")


def page(table: str) -> str:
    """The page with the table put in."""
    before, rest = PAGE.read_text(encoding="utf-8").split(MARKS[0])
    return before + MARKS[0] + "\n" + table + "\n" + MARKS[1] + rest.split(MARKS[1])[1]


def main() -> int:
    if not FOLDER.is_dir():
        print(f"the test cases are not there: {FOLDER}", file=sys.stderr)
        return 2
    PAGE.write_text(page(tabled(results())), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
