"""The table of operations: one row each, from which every other file takes what it needs.

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

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from intervalvm.arith import elementary

Rule = Callable[..., Any]


def _round(xp: Any, a: Any) -> Any:
    """Half away from zero. ``a - trunc(a)`` is exact; at infinity NaN, which is not >= 0.5."""
    whole = xp.trunc(a)
    return xp.where(xp.abs(a - whole) >= 0.5, whole + xp.copysign(1.0, a), whole)


def _mod(xp: Any, a: Any, b: Any) -> Any:
    """Euclidean: ``0 <= r < abs(b)``, also where rounding ``r + abs(b)`` would reach ``abs(b)``."""
    size = xp.abs(b)
    r = xp.fmod(a, b)
    lifted = r + size
    return xp.where(r < 0.0, xp.where(lifted < size, lifted, xp.below(size)), r)


def _compare(xp: Any, a: Any, b: Any) -> Any:
    ordered = xp.where(a < b, -1.0, xp.where(a > b, 1.0, 0.0))
    return xp.where(xp.isnan(a) | xp.isnan(b), xp.nan, ordered)


def _hash(xp: Any, v: Any) -> Any:
    """PCG-RXS-M-XS on 32 bits, the hash that Fidget's ``rand`` and ``mix`` use."""
    s = v * xp.uint32(747796405) + xp.uint32(2891336453)
    w = ((s >> ((s >> xp.uint32(28)) + xp.uint32(4))) ^ s) * xp.uint32(277803737)
    return (w >> xp.uint32(22)) ^ w


def _rand(xp: Any, a: Any) -> Any:
    hashed = _hash(xp, xp.bits(a))
    return xp.from_bits((hashed >> xp.uint32(9)) | xp.uint32(0x3F800000)) - 1.0


def _mix(xp: Any, a: Any, b: Any) -> Any:
    return xp.from_bits(_hash(xp, xp.bits(a) + _hash(xp, xp.bits(b))))


def _function(function: Rule) -> Rule:
    """A function of ``functions``: a float32 is widened, the result rounded once."""
    return lambda xp, *operands: xp.narrow(xp.call(function, *map(xp.wide, operands)))


@dataclass(frozen=True, slots=True)
class Op:
    """One operation.

    ``name`` is its word in a ``.vm`` file, ``arity`` the number of operands, ``point`` its value.
    ``has_choice`` says that an interval can prove that only one operand matters; ``temporaries``
    how many whole float64 arrays the rule holds at most besides its operands. A *truth* is 1 or 0
    at every point: what an operation gives that ``is_truth``, and of two truths one that
    ``joins_truths``.
    """

    name: str
    arity: int
    point: Rule | None = None
    has_choice: bool = False
    is_input: bool = False
    temporaries: int = 0
    is_truth: bool = False
    joins_truths: bool = False


_CHOICE: dict[str, Any] = {"has_choice": True, "temporaries": 1, "joins_truths": True}

ROWS = (
    Op("const", 0),
    Op("var-x", 0, is_input=True),
    Op("var-y", 0, is_input=True),
    Op("var-z", 0, is_input=True),
    Op("var", 0, is_input=True),  # written var-NAME: a free variable that the caller sets
    Op("copy", 1, lambda xp, a: a),
    Op("neg", 1, lambda xp, a: -a),
    Op("abs", 1, lambda xp, a: xp.abs(a)),
    Op("square", 1, lambda xp, a: a * a),
    Op("sqrt", 1, lambda xp, a: xp.sqrt(a)),
    Op("recip", 1, lambda xp, a: 1.0 / a),
    Op("floor", 1, lambda xp, a: xp.floor(a)),
    Op("ceil", 1, lambda xp, a: xp.ceil(a)),
    Op("round", 1, _round, temporaries=3),
    Op("sin", 1, _function(elementary.sin), temporaries=2),
    Op("cos", 1, _function(elementary.cos), temporaries=2),
    Op("tan", 1, _function(elementary.tan), temporaries=2),
    Op("asin", 1, _function(elementary.asin), temporaries=2),
    Op("acos", 1, _function(elementary.acos), temporaries=2),
    Op("atan", 1, _function(elementary.atan), temporaries=2),
    Op("exp", 1, _function(elementary.exp), temporaries=2),
    Op("ln", 1, _function(elementary.ln), temporaries=2),
    Op("not", 1, lambda xp, a: xp.where(a == 0.0, 1.0, 0.0), temporaries=1, is_truth=True),
    Op("rand", 1, _rand, temporaries=4),
    Op("add", 2, lambda xp, a, b: a + b),
    Op("sub", 2, lambda xp, a, b: a - b),
    Op("mul", 2, lambda xp, a, b: a * b, joins_truths=True),
    Op("div", 2, lambda xp, a, b: a / b),
    Op("min", 2, lambda xp, a, b: xp.minimum(a, b), **_CHOICE),
    Op("max", 2, lambda xp, a, b: xp.maximum(a, b), **_CHOICE),
    Op("atan2", 2, _function(elementary.atan2), temporaries=3),
    Op("mod", 2, _mod, temporaries=4),
    Op("compare", 2, _compare, temporaries=3),
    Op("and", 2, lambda xp, a, b: xp.where(a == 0.0, a, b), **_CHOICE),
    Op("or", 2, lambda xp, a, b: xp.where(a != 0.0, a, b), **_CHOICE),
    Op("mix", 2, _mix, temporaries=4),
)

OPS: dict[str, Op] = {op.name: op for op in ROWS}
"""The rows by name."""

CODE: dict[str, int] = {op.name: code for code, op in enumerate(ROWS)}
"""A tape stores an operation as its place in the table."""

AXES: dict[str, str] = {"x": "var-x", "y": "var-y", "z": "var-z"}
"""The coordinates and the operations that read them."""
