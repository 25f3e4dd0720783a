"""The table of operations, with one complete row each, from which everything else is made.

Rows are grouped by family in ``arithmetic``, ``rounding``, ``functions``, ``choices`` and
``hashes``; ``row`` defines their fields.

A row's ``point`` rule is the definition of the operation's value. It is written once over a small
namespace ``xp`` of array functions, so that NumPy arrays, CuPy arrays and compiled vectors all run
the same rule. A namespace gives, element by element and with one rounding each:

===============================  =================================================================
``+ - * /``, unary ``-``, ``<``  IEEE 754, rounding to nearest; comparisons with NaN are false
``where isnan abs floor ceil``   as in NumPy; ``sqrt`` is correctly rounded, ``fmod`` is exact
``trunc sqrt fmod copysign``
``minimum maximum``              NaN if either is NaN; on a tie (+0 and -0 tie) the right operand
``wide``, ``narrow``             to float64 and back to the dtype, rounding once
``call(function, a[, b])``       a function of ``arith.elementary`` on float64
``bits``, ``from_bits``          float32 to its uint32 bit pattern (every NaN is 0x7fc00000), back
``uint32(n)``                    an integer constant; integer arithmetic wraps
``below(a)``                     for a > 0, the largest float under a
===============================  =================================================================

**Bounds of floats** (``floats``) take the bounds of the operands and give bounds that hold for the
*computed* value at every float point of the box, in the tape's dtype. ``lower`` and ``upper`` are
never NaN, and ``maybe_nan`` is set where some point of the box may give NaN; the bounds then hold
for the other points. A bound of 0 is both zeros. The rules are inclusion isotonic.

**Bounds of reals** (``reals``) are those of the real function over all real points of a box, as in
IEEE 1788-2015. They are written once, over a *number system* that rounds outwards:
``arith.directed`` has tight bounds, in NumPy, ``arith.nearest`` one for compiled lanes. A bound of
infinity means unbounded: no value is infinite. The meaning of operations on real numbers:

======================  ===========================================================================
``const``               its float64; NaN and infinity are not numbers
``div recip mod``       undefined where the divisor is 0; ``mod`` is a - abs(b) floor(a / abs(b))
``sqrt ln asin acos``   undefined off the domain; ``ln`` is undefined at 0
``tan atan2``           undefined at the poles, and at the origin; ``atan2(0, x < 0)`` is pi
``round``               half away from zero
``compare not and or``  as of floats, for numbers: undefined where an operand is
``rand mix``            the hash of the nearest float32; zero has two, and either may be meant
======================  ===========================================================================
"""

from __future__ import annotations

from typing import Any, NoReturn

from intervalvm.ops import arithmetic, choices, functions, hashes, rounding
from intervalvm.ops.row import Demand, Names, Op, Slope, Values


def _nothing(*_: Any) -> NoReturn:
    raise AssertionError("an input has no rule")


def _input(name: str, value: str, edges: str, *, is_input: bool = True) -> Op:
    """The row of an input or a constant."""
    return Op(
        name=name, operands=(), value=value, edges=edges, is_input=is_input, function=None,
        point=_nothing, temporaries=0, floats=_nothing, reals=_nothing, domain=_nothing,
        continuity=_nothing, slope=Slope((), _nothing, None, None), choice=None,
        absorption=None, demand=Demand.VALUE, values=Values.ANY,
        names=Names((), None, None, None, None if name == "var" else name), commutes=False,
        associates=False,
    )  # fmt: skip


_FAMILIES = (arithmetic, rounding, functions, choices, hashes)

ROWS: tuple[Op, ...] = (
    _input("const", "a number", "", is_input=False),
    _input("var-x", "the coordinate to the right", ""),
    _input("var-y", "the coordinate upwards", ""),
    _input("var-z", "the third coordinate", "0 unless the caller gives it"),
    # written var-NAME
    _input(
        "var",
        "a free variable",
        'the caller must set it: `variables={"NAME": 1.5}`, or `--set NAME=1.5`',
    ),
    *(op for family in _FAMILIES for op in family.ROWS if op.arity == 1),
    *(op for family in _FAMILIES for op in family.ROWS if op.arity == 2),
)

OPS: dict[str, Op] = {op.name: op for op in ROWS}
"""The rows by name."""

CODE: dict[str, int] = {op.name: code for code, op in enumerate(ROWS)}
"""The code of an operation in a tape: its index in the table."""

AXES: dict[str, str] = {"x": "var-x", "y": "var-y", "z": "var-z"}
"""The coordinates and the operations that read them."""

COMPARISONS: dict[str, str] = {"add": "<", "sub": ">", "max": "<=", "min": ">="}
"""How ``a`` and ``b`` compare where this operation on ``compare(a, b)`` and a number is 0.

The number is 1, or 0 where they may be equal: ``a < b`` is ``not (compare(a, b) + 1)``, see
``expr.functions``.
"""

assert len(OPS) == len(ROWS), "an operation has two rows"
