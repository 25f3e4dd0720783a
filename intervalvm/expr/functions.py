"""A function for each operation of the table that has operands, called as in NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from intervalvm.errors import ArgumentTypeError
from intervalvm.expr.node import Expr, as_expr, is_bit, is_truth
from intervalvm.ops import ROWS
from intervalvm.ops.row import Op

__all__ = [
    "absolute", "acos", "add", "and_", "arccos", "arcsin", "arctan", "arctan2", "asin", "atan",
    "atan2", "ceil", "compare", "copy", "cos", "divide", "exp", "floor", "ln", "log",
    "maximum", "minimum", "mix", "mod", "multiply", "negative", "not_", "or_", "rand", "reciprocal",
    "round", "sin", "sqrt", "square", "subtract", "tan",
]  # fmt: skip
"""What the package offers as its own; ``abs`` is Python's."""

Value = Expr | float
_TAKES = """An expression of expressions and real numbers, computed at every point in the dtype of
the evaluation. Raises ArgumentTypeError for anything else."""


def _function(op: Op) -> Callable[..., Expr]:
    """The function that makes a clause of ``op`` from expressions and numbers."""

    def unary(a: Expr | float, /) -> Expr:
        return Expr(op.name, (as_expr(a),))

    def binary(a: Expr | float, b: Expr | float, /) -> Expr:
        return Expr(op.name, (as_expr(a), as_expr(b)))

    made: Callable[..., Expr] = unary if op.arity == 1 else binary
    made.__name__ = made.__qualname__ = op.names.python[0]
    edges = f" ({op.edges})".replace("see below", "defined with the ``.vm`` format")
    made.__doc__ = f"``{op.name}``: {op.value}{edges if op.edges else ''}.\n\n{_TAKES}"
    return made


FUNCTIONS: dict[str, Callable[..., Expr]] = {op.name: _function(op) for op in ROWS if op.arity}
"""A function for each operation with operands, by the operation's name."""

_f = FUNCTIONS
# what type checkers and editors know; the table adds what is not here
copy, negative, reciprocal = _f["copy"], _f["neg"], _f["recip"]
absolute = abs = _f["abs"]
square, sqrt = _f["square"], _f["sqrt"]
floor, ceil, round = _f["floor"], _f["ceil"], _f["round"]
sin, cos, tan = _f["sin"], _f["cos"], _f["tan"]
arcsin, arccos, arctan, arctan2 = _f["asin"], _f["acos"], _f["atan"], _f["atan2"]
asin, acos, atan, atan2 = arcsin, arccos, arctan, arctan2
exp, rand, mix = _f["exp"], _f["rand"], _f["mix"]
log = ln = _f["ln"]
add, subtract, multiply, divide = _f["add"], _f["sub"], _f["mul"], _f["div"]
minimum, maximum = _f["min"], _f["max"]
mod, compare = _f["mod"], _f["compare"]
and_, or_, not_ = _f["and"], _f["or"], _f["not"]


# Truths: comparisons and what joins them, 1 where they hold, else 0. A truth is drawn as its field,
# which is below 0 where it holds.


def as_root(value: object) -> Expr:
    """The result of a function of the coordinates as an expression; a bool is a truth."""
    if isinstance(value, (bool, np.bool_)):
        return not_(0.0 if value else 1.0)
    return as_expr(value)


def as_truth(a: Expr) -> Expr:
    """1 where ``a`` is not 0, NaN included, as NumPy has it."""
    return a if is_truth(a) or is_bit(a) else not_(not_(a))


def chosen(condition: Expr, a: Expr, b: Expr) -> Expr:
    """``a`` where ``condition`` is not 0, else ``b``, bit for bit; a truth if both are.

    One term of the sum is -0, and adding -0 changes no float.
    """
    is_false = not_(condition)
    if (is_truth(a) or is_truth(b)) and all(is_truth(c) or is_bit(c) for c in (a, b)):
        return logical_or(logical_and(condition, a), logical_and(is_false, b))
    is_true = condition if condition._op == "not" else not_(is_false)
    return and_(-is_true, a) + and_(-is_false, b)


# compare is -1, 0, 1 or NaN; NaN passes through all but ``not``, which gives 0.
def less(a: Value, b: Value) -> Expr:
    return not_(compare(a, b) + 1)


def greater(a: Value, b: Value) -> Expr:
    return not_(compare(a, b) - 1)


def less_equal(a: Value, b: Value) -> Expr:
    return not_(maximum(compare(a, b), 0))


def greater_equal(a: Value, b: Value) -> Expr:
    return not_(minimum(compare(a, b), 0))


def equal(a: Value, b: Value) -> Expr:
    return not_(compare(a, b))


def not_equal(a: Value, b: Value) -> Expr:
    return not_(equal(a, b))


def logical_and(a: Expr, b: Expr) -> Expr:
    return as_truth(and_(a, b))


def logical_or(a: Expr, b: Expr) -> Expr:
    return as_truth(or_(a, b))


def logical_xor(a: Expr, b: Expr) -> Expr:
    return not_equal(as_truth(a), as_truth(b))


def isnan(a: Expr) -> Expr:
    return not_equal(a, a)


def signbit(a: Expr) -> Expr:
    # the reciprocal of -0 is -inf
    return logical_or(less(a, 0), less(reciprocal(a), 0))


def of_truths(combine: Callable[..., Expr]) -> Callable[..., Expr]:
    def bitwise(*operands: Expr) -> Expr:
        if not all(is_truth(a) or is_bit(a) for a in operands):
            raise ArgumentTypeError(
                "& | ^ and ~ are for comparisons, and bind before < and >: put parentheses round "
                "the comparisons, as in (a < b) & (c < d); of numbers use logical_and, logical_or, "
                "logical_xor and logical_not of NumPy, or minimum and maximum"
            )
        return combine(*operands)

    return bitwise


# The hyperbolic functions and their inverses. Near 0 a power series avoids cancellation, so results
# are within ``ULPS`` of the real function, except subnormal ones; no intermediate overflows before
# the result. The domains are those of the real functions, so proofs hold at 0 too.

ULPS = 6
"""Units in the last place of the result, in float32 and in float64; below 4.2 in 50,000 samples."""
SINH = tuple(1.0 / math.factorial(2 * k + 1) for k in range(1, 9))
"""sinh(a) = a + a t (SINH[0] + SINH[1] t + ...) with t = a^2, for abs(a) < 1."""
ARCTANH = tuple(1.0 / (2 * k + 1) for k in range(1, 13))
"""The same series of arctanh(a), for abs(a) < 1/4."""
HUGE = 2.0**28
"""From here on a^2 + 1 rounds to a^2, and may overflow."""


def _odd(a: Expr, coefficients: tuple[float, ...]) -> Expr:
    t = square(a)
    *rest, found = coefficients
    inner: Expr | float = found
    for coefficient in reversed(rest):
        inner = inner * t + coefficient
    return a + a * t * inner


def _with_sign_of(a: Expr, size: Expr) -> Expr:
    return compare(a, 0) * size


def sinh(a: Expr) -> Expr:
    half = exp(abs(a) * 0.5)
    size = half * 0.5 * half - 0.5 / half / half
    return chosen(abs(a) < 1, _odd(a, SINH), _with_sign_of(a, size))


def cosh(a: Expr) -> Expr:
    half = exp(abs(a) * 0.5)
    return half * 0.5 * half + 0.5 / half / half


def tanh(a: Expr) -> Expr:
    e = exp(abs(a))
    rest = exp(abs(a) * -2)
    near = _odd(a, SINH) / ((e + 1 / e) * 0.5)
    return chosen(abs(a) < 1, near, _with_sign_of(a, (1 - rest) / (1 + rest)))


def arctanh(a: Expr) -> Expr:
    return chosen(abs(a) < 0.25, _odd(a, ARCTANH), log((1 + a) / (1 - a)) * 0.5)


def arcsinh(a: Expr) -> Expr:
    size = abs(a)
    root = sqrt(square(a) + 1)
    plain = chosen(size < HUGE, log(size + root), log(maximum(size, 1.0)) + math.log(2))
    return chosen(size < 0.255, _odd(a / root, ARCTANH), _with_sign_of(a, plain))


def arccosh(a: Expr) -> Expr:
    """By the half argument, whose difference from 1 is exact where it cancels."""
    return arcsinh(sqrt((a - 1) * 0.5)) * 2


# the table may have more than is written here, where type checkers and editors see it
for _op in ROWS:
    for _name in _op.names.python:
        globals()[_name] = FUNCTIONS[_op.name]
        if _name not in __all__ and _name != _op.names.operator:
            __all__.append(_name)
