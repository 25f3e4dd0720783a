"""Random tapes for Hypothesis: over every row of the table of operations, so over new ones too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from intervalvm.ops import OPS, ROWS
from intervalvm.tape import Tape, TapeBuilder

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

TINY = float(np.finfo(np.float32).smallest_subnormal)
LARGEST = float(np.finfo(np.float32).max)

INTERESTING = [
    *(0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 1.5, 2.5, 3.0, 0.1, -0.1, 1 / 3, np.pi, np.pi / 2),
    *(np.inf, -np.inf, np.nan, TINY, -TINY, LARGEST, -LARGEST, 2.0**-126, 1e-320, 1e300, 1e-30),
    *(2.0**23, 2.0**24 + 2, 2.0**31, 1.0 + 2.0**-23, 1.0 - 2.0**-24, 1e6),
]


@st.composite
def beside_a_middle(draw: st.DrawFn) -> tuple[float, np.float32]:
    """A float64 in the middle of two float32, and either of these.

    So is a number read whose text lies so little beside the middle that a float64 does not show it.
    """
    below = np.float32(draw(st.floats(width=32, allow_nan=False, allow_infinity=False)))
    with np.errstate(under="ignore"):
        below = np.nextafter(below, np.float32(0))
        above = np.nextafter(below, np.float32(np.inf))
    return (float(below) + float(above)) / 2, draw(st.sampled_from([below, above]))


def _rounded(wide: float) -> tuple[float, np.float32]:
    with np.errstate(over="ignore", under="ignore"):
        return wide, np.float32(wide)


def constants() -> st.SearchStrategy[tuple[float, np.float32]]:
    """A constant as float64 and as float32, as ``TapeBuilder.const`` takes it."""
    plain = st.sampled_from(INTERESTING) | st.floats(-4, 4, width=16) | st.floats(width=32)
    return plain.map(_rounded) | st.floats().map(_rounded) | beside_a_middle()


@st.composite
def tapes(
    draw: st.DrawFn,
    max_clauses: int = 30,
    ops: Collection[str] | None = None,
    variables: Sequence[str] = (),
    values: st.SearchStrategy[tuple[float, np.float32]] | None = None,
) -> Tape:
    """A valid tape of 1 to ``max_clauses`` clauses, most of which its value depends on.

    ``ops`` names the operations to draw from (default: all rows); where it names no input and not
    ``const``, all of these may appear. ``variables`` are free variables that may appear, so
    without any, ``var`` does not. A tape declares those that it reads, in the order in which it
    reads them, as one read from a file does. ``values`` are the constants (default:
    ``constants()``).
    """
    names = [op.name for op in ROWS if ops is None or op.name in ops]
    leaves = [name for name in names if OPS[name].arity == 0]
    leaves = leaves or [op.name for op in ROWS if op.arity == 0]
    if not variables:
        leaves = [name for name in leaves if name != "var"] or ["const"]
    inner = [name for name in names if OPS[name].arity > 0]
    joining = [name for name in names if OPS[name].arity > 1] or inner

    values = constants() if values is None else values
    builder = TapeBuilder()
    unread: list[int] = []
    size = draw(st.integers(1, max_clauses))
    for i in range(size):
        # Values that nobody reads yet must be joined while there are clauses left to do it.
        late = len(unread) >= size - i
        if not unread or not inner or (not late and draw(st.integers(0, 3)) == 3):
            _append_leaf(draw, builder, draw(st.sampled_from(leaves)), variables, values)
        else:
            name = draw(st.sampled_from(joining if late else inner))
            operands: list[int] = []
            for _ in range(OPS[name].arity):
                operands.append(_operand(draw, i, unread))
                unread = [clause for clause in unread if clause != operands[-1]]
            builder.clause(name, *operands)
        unread.append(i)
    return builder.build().check()


def _operand(draw: st.DrawFn, i: int, unread: list[int]) -> int:
    """An operand of clause ``i``: mostly a late one that nobody reads yet, so that it is live."""
    kind = draw(st.integers(0, 9))
    if kind < 8 and unread:
        return unread[-1 - min(kind, len(unread) - 1)]
    return draw(st.integers(max(0, i - 5) if kind == 8 else 0, i - 1))


def _append_leaf(
    draw: st.DrawFn, builder: TapeBuilder, name: str, variables: Sequence[str], values: Any
) -> None:
    if name == "const":
        builder.const(*draw(values))
    elif name == "var":
        builder.variable(draw(st.sampled_from(list(variables))))
    else:
        builder.clause(name)


@st.composite
def shapes(draw: st.DrawFn, *, most: int = 8) -> Tape:
    """A tape that is a picture near the origin: simple shapes, joined mostly by min and max.

    Random clauses hardly ever have both sides of 0 in view, so a walk has little to prove; here
    tiles are proven, choices are decided and tapes get shorter at every level.
    """
    builder = TapeBuilder()
    x, y = builder.clause("var-x"), builder.clause("var-y")
    made: list[int] = []
    small = st.floats(-2, 2, width=16)
    periodic = ["mod", "floor", "sin", "cos"]
    kinds = ["side", "plane", "circle", "distance", *periodic, "pole", "root", "hash", "compare"]
    kinds += ["truth", "truth"]
    joins = ["min", "max"] * 4 + ["and", "or", "add", "sub", "mul", "div", "atan2"]

    def const() -> int:
        return builder.const(*_rounded(draw(small)))

    def clause(op: str, *operands: int) -> int:
        return builder.clause(op, *operands)

    def truth() -> int:
        """A comparison, or two that are joined, as ``expr.functions`` writes them."""
        if draw(st.integers(0, 2)) == 2:
            return clause(draw(st.sampled_from(["and", "or"])), truth(), truth())
        side = clause("sub", draw(st.sampled_from([x, y])), const())
        side = clause(draw(st.sampled_from(["copy", "square", "recip"])), side)
        compared = clause(
            "compare", *draw(st.permutations([side, draw(st.sampled_from([x, y, const()]))]))
        )
        op, number = draw(st.sampled_from([("add", 1.0), ("sub", 1.0), ("max", 0.0), ("min", 0.0)]))
        found = clause("not", clause(op, compared, builder.const(number)))
        return clause("not", found) if draw(st.booleans()) else found

    def simple() -> int:
        kind = draw(st.sampled_from(kinds))
        axis = draw(st.sampled_from([x, y]))
        if kind == "truth":
            return clause("sub", builder.const(0.5), truth())
        if kind == "side":
            return clause("sub", *draw(st.permutations([axis, const()])))
        if kind == "plane":
            slope = clause("mul", x, const())
            return clause("sub", clause("add", slope, y), const())
        if kind in ("circle", "distance"):
            away = [clause("square", clause("sub", side, const())) for side in (x, y)]
            far = clause("add", *away)
            return clause("sub", clause("sqrt", far) if kind == "distance" else far, const())
        if kind in ("pole", "root"):
            near = clause("sub", axis, const())
            return clause("sub", clause("recip" if kind == "pole" else "sqrt", near), const())
        if kind == "hash":
            cell = clause("floor", clause("mul", axis, const()))
            return clause("sub", clause("rand", cell), const())
        if kind in ("mod", "compare"):
            return clause("sub", clause(kind, axis, const()), const())
        return clause("sub", clause(kind, clause("mul", axis, const())), const())

    for _ in range(draw(st.integers(1, most))):
        made.append(simple())
        if draw(st.integers(0, 4)) == 4:
            made.append(clause(draw(st.sampled_from(["neg", "abs", "not", "round"])), made[-1]))
        while len(made) > 1 and draw(st.booleans()):
            made.append(clause(draw(st.sampled_from(joins)), made.pop(), made.pop()))
    while len(made) > 1:
        made.append(clause(draw(st.sampled_from(["min", "max"])), made.pop(), made.pop()))
    return builder.build().check()
