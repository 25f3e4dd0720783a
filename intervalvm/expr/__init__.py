"""Expressions: shapes written in Python, which become tapes.

``x, y, z = axes()`` gives the coordinates; operators, the functions below and NumPy's combine them
with each other and with numbers into an ``Expr``; ``Expr.tape()`` lists its clauses. There is one
function for each operation that has operands, made from the table in ``ops`` and called as in
NumPy.

===============  ==========================================================================
``node``         ``Expr`` itself, its operators, and how it becomes a tape
``functions``    a function for each operation of the table; comparisons, hyperbolic functions
``ufuncs``       what NumPy's functions are built from
``convert``      tapes, expressions, shapes and NumPy functions to each other
===============  ==========================================================================
"""

from intervalvm.expr import functions
from intervalvm.expr.convert import (
    HasTape,
    TapeLike,
    as_tape,
    as_value_tape,
    expression,
    settings_for,
    spatial,
    trace,
)
from intervalvm.expr.functions import *  # noqa: F403 each is in its __all__
from intervalvm.expr.functions import FUNCTIONS, abs, as_root
from intervalvm.expr.node import (
    NUMBERS,
    OPERANDS,
    Expr,
    as_expr,
    at,
    axes,
    constant,
    field_of,
    is_truth,
    var,
)
from intervalvm.expr.ufuncs import where

__all__ = [
    "FUNCTIONS", "NUMBERS", "OPERANDS", "Expr", "HasTape", "TapeLike", "abs", "as_expr", "as_root",
    "as_tape", "as_value_tape", "at", "axes", "constant", "expression", "field_of", "is_truth",
    "settings_for", "spatial", "trace", "var", "where",
]  # fmt: skip
__all__ += functions.__all__
