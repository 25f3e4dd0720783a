"""A function for each operation of the table that has operands, called as in NumPy."""

from __future__ import annotations

from collections.abc import Callable

from intervalvm.expr.node import Expr, as_expr
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


def _function(op: Op) -> Callable[..., Expr]:
    """The function that makes a clause of ``op`` from expressions and numbers."""

    def unary(a: Expr | float, /) -> Expr:
        return Expr(op.name, (as_expr(a),))

    def binary(a: Expr | float, b: Expr | float, /) -> Expr:
        return Expr(op.name, (as_expr(a), as_expr(b)))

    made: Callable[..., Expr] = unary if op.arity == 1 else binary
    made.__name__ = made.__qualname__ = op.names.python[0]
    edges = f" ({op.edges})".replace("see below", "defined with the ``.vm`` format")
    made.__doc__ = f"``{op.name}``: {op.value}{edges if op.edges else ''}."
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
# the table may have more than is written here, where type checkers and editors see it
for _op in ROWS:
    for _name in _op.names.python:
        globals()[_name] = FUNCTIONS[_op.name]
        if _name not in __all__ and _name != _op.names.operator:
            __all__.append(_name)
