"""Truths: comparisons and what joins them, 1 where they hold, else 0.

A truth is drawn as its *field*, which is below 0 where the truth holds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from intervalvm.errors import ArgumentTypeError
from intervalvm.expr.functions import FUNCTIONS, Value
from intervalvm.expr.node import Expr, as_expr, is_bit, is_truth

_f = FUNCTIONS


def are_truths(*expressions: Expr) -> bool:
    """Whether all are truths or the constants 0 and 1, and at least one is a truth."""
    known = [is_truth(a) for a in expressions]
    return any(known) and all(map(lambda a, k: k or is_bit(a), expressions, known))


def as_root(value: object) -> Expr:
    """The result of a function of the coordinates as an expression; a bool is a truth."""
    if isinstance(value, (bool, np.bool_)):
        return _f["not"](0.0 if value else 1.0)
    return as_expr(value)


def as_truth(a: Expr) -> Expr:
    """1 where ``a`` is not 0, NaN included, as NumPy has it."""
    return a if is_truth(a) or is_bit(a) else _f["not"](_f["not"](a))


def chosen(condition: Expr, a: Expr, b: Expr) -> Expr:
    """``a`` where ``condition`` is not 0, else ``b``, bit for bit; a truth if both are.

    One term of the sum is -0, and adding -0 changes no float.
    """
    is_false = _f["not"](condition)
    if are_truths(a, b):
        return logical_or(logical_and(condition, a), logical_and(is_false, b))
    is_true = condition if condition._op == "not" else _f["not"](is_false)
    return _f["and"](-is_true, a) + _f["and"](-is_false, b)


# compare is -1, 0, 1 or NaN; NaN passes through all but ``not``, which gives 0.
def less(a: Value, b: Value) -> Expr:
    return _f["not"](_f["compare"](a, b) + 1)


def greater(a: Value, b: Value) -> Expr:
    return _f["not"](_f["compare"](a, b) - 1)


def less_equal(a: Value, b: Value) -> Expr:
    return _f["not"](_f["max"](_f["compare"](a, b), 0))


def greater_equal(a: Value, b: Value) -> Expr:
    return _f["not"](_f["min"](_f["compare"](a, b), 0))


def equal(a: Value, b: Value) -> Expr:
    return _f["not"](_f["compare"](a, b))


def not_equal(a: Value, b: Value) -> Expr:
    return _f["not"](equal(a, b))


def logical_and(a: Expr, b: Expr) -> Expr:
    return as_truth(_f["and"](a, b))


def logical_or(a: Expr, b: Expr) -> Expr:
    return as_truth(_f["or"](a, b))


def logical_xor(a: Expr, b: Expr) -> Expr:
    return not_equal(as_truth(a), as_truth(b))


def isnan(a: Expr) -> Expr:
    return not_equal(a, a)


def signbit(a: Expr) -> Expr:
    # the reciprocal of -0 is -inf
    return logical_or(less(a, 0), less(_f["recip"](a), 0))


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
