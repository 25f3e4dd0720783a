"""The table of operations: one complete row each, from which every other file takes what it needs.

The rows stand by family in ``arithmetic``, ``steps``, ``functions``, ``choices`` and ``hashes``;
``row`` says what a row must tell.

A row's ``point`` rule is the definition of the operation's value. It is written once over a small
namespace ``xp`` of array functions, so that NumPy arrays, CuPy arrays and compiled vectors all run
the same rule. A namespace gives, element by element and with one rounding each:

===============================  =================================================================
``+ - * /``, unary ``-``, ``<``  IEEE 754, rounding to nearest; comparisons with NaN are false
``where isnan abs floor ceil``   as in NumPy; ``sqrt`` is correctly rounded, ``fmod`` is exact
``trunc sqrt fmod copysign``
``minimum maximum``              NaN if either is NaN; on a tie (+0 and -0 tie) the right operand
``wide``, ``narrow``             to float64 and back to the dtype, rounding once
``call(function, a[, b])``       a function of ``functions`` on float64, which needs a little more
``bits``, ``from_bits``          float32 to its uint32 bit pattern (every NaN is 0x7fc00000), back
``uint32(n)``                    an integer constant; integer arithmetic wraps
``below(a)``                     for a > 0, the largest float under a
===============================  =================================================================
"""

from __future__ import annotations

from typing import Any, NoReturn

from intervalvm.ops import arithmetic, choices, functions, hashes, steps
from intervalvm.ops.row import Demand, Names, Op, Slope, Values


def _nothing(*_: Any) -> NoReturn:
    raise AssertionError("an input has no rule")


def _input(name: str, value: str, edges: str, *, is_input: bool = True) -> Op:
    """What has no operands."""
    return Op(
        name=name, operands=(), value=value, edges=edges, is_input=is_input, function=None,
        point=_nothing, temporaries=0, floats=_nothing, reals=_nothing, domain=_nothing,
        continuity=_nothing, slope=Slope(partials=(), ray=_nothing, kinks=None, jumps=None),
        choice=None, demand=Demand.VALUE, values=Values.ANY,
        names=Names(
            python=(), operator=None, numpy=None, sympy=None,
            fidget=None if name == "var" else name,
        ),
    )  # fmt: skip


_FAMILIES = (arithmetic, steps, functions, choices, hashes)

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
"""A tape stores an operation as its place in the table."""

AXES: dict[str, str] = {"x": "var-x", "y": "var-y", "z": "var-z"}
"""The coordinates and the operations that read them."""

assert len(OPS) == len(ROWS), "an operation has two rows"
