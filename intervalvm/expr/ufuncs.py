"""NumPy's functions on expressions: how each is built, and which have no counterpart.

``UFUNCS`` has the ufuncs by name, ``ARRAY_FUNCTIONS`` the other functions. Results are bit for bit
NumPy's, except:

- ``hypot`` is the root of a sum of squares, ``power`` multiplies, a half of it is ``sqrt``: last
  bits, and overflow;
- ``deg2rad`` and ``rad2deg`` multiply by the nearest float: in float32 the last bit;
- ``sin``, ``sinh`` and the like are this project's, see ``functions``;
- ``minimum``, ``maximum`` and ``clip`` take the right operand of +0 and -0, where NumPy takes
  either;
- the sign of a NaN means nothing: ``signbit`` and ``copysign`` take it for positive.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from inspect import signature
from typing import Any

import numpy as np

from intervalvm.environment import in_default_environment
from intervalvm.errors import ArgumentTypeError, OptionError
from intervalvm.expr import functions as f
from intervalvm.expr.functions import Value
from intervalvm.expr.node import OPERANDS, Expr, as_expr
from intervalvm.ops import ROWS


def where(condition: Value, a: Value, b: Value) -> Expr:
    """Select ``a`` where ``condition`` is not 0 (NaN included), else ``b``, bit for bit.

    Parameters
    ----------
    condition : Expr or float
    a, b : Expr, float or bool

    Returns
    -------
    Expr
        A truth if ``a`` and ``b`` are truths or bools.
    """
    condition = _operand("where", condition)
    return f.chosen(condition, _value("where", a), _value("where", b))


def clip(a: Expr, low: Expr, high: Expr) -> Expr:
    return f.minimum(f.maximum(a, low), high)


def fmin(a: Expr, b: Expr) -> Expr:
    return f.minimum(where(f.isnan(a), b, a), where(f.isnan(b), a, b))


def fmax(a: Expr, b: Expr) -> Expr:
    return f.maximum(where(f.isnan(a), b, a), where(f.isnan(b), a, b))


def trunc(a: Expr) -> Expr:
    return f.maximum(f.floor(a), f.minimum(0, f.ceil(a)))


def rint(a: Expr) -> Expr:
    """Ties to even: twice the half of a tie, rounded away from 0."""
    size = abs(a)
    is_half = f.equal(size - f.floor(size), 0.5)
    return where(is_half, f.round(a * 0.5) * 2, f.round(a))


def heaviside(a: Expr, at_zero: Expr) -> Expr:
    sign = f.compare(a, 0)
    return where(f.equal(sign, 0), at_zero, (sign + 1) * 0.5)


def copysign(a: Expr, b: Expr) -> Expr:
    size = abs(a)
    return where(f.signbit(b), -size, size)


def fmod(a: Expr, b: Expr) -> Expr:
    return copysign(f.mod(abs(a), b), a)  # of a number from 0 upwards ``mod`` is exact


def remainder(a: Expr, b: Expr) -> Expr:
    """The sign is the divisor's. Negating both operands negates the result."""
    if isinstance(b._value, float):
        return _positive_remainder(a, b) if b._value > 0 else -_positive_remainder(-a, -b)
    flips = f.less(b, 0)
    found = _positive_remainder(where(flips, -a, a), abs(b))
    return where(flips, -found, found)


def _positive_remainder(a: Expr, b: Expr) -> Expr:
    rest = f.mod(abs(a), b)
    return where(f.and_(f.less(a, 0), rest), b - rest, rest)


def power(a: Expr, exponent: Expr) -> Expr:
    return a ** (exponent if exponent._op != "const" else exponent._value)


def hypot(a: Expr, b: Expr) -> Expr:
    return f.sqrt(f.square(a) + f.square(b))


UFUNCS: dict[str, Callable[..., Expr]] = {
    **{op.names.numpy: f.FUNCTIONS[op.name] for op in ROWS if op.names.numpy is not None},
    **{build.__name__: build for build in (
        f.less, f.less_equal, f.greater, f.greater_equal, f.equal, f.not_equal, f.logical_and,
        f.logical_or, f.logical_xor, f.isnan, f.signbit, f.sinh, f.cosh, f.tanh, f.arcsinh,
        f.arccosh, f.arctanh, clip, fmin, fmax, trunc, rint, heaviside, copysign, fmod, remainder,
        power, hypot,
    )},
    "logical_not": f.not_, "invert": f.of_truths(f.not_),
    "bitwise_and": f.of_truths(f.logical_and), "bitwise_or": f.of_truths(f.logical_or),
    "bitwise_xor": f.of_truths(f.logical_xor), "isinf": lambda a: f.equal(abs(a), math.inf),
    "isfinite": lambda a: f.less(abs(a), math.inf), "fabs": f.absolute,
    "positive": lambda a: a, "conjugate": lambda a: a, "sign": lambda a: f.compare(a, 0),
    "deg2rad": lambda a: a * (math.pi / 180), "radians": lambda a: a * (math.pi / 180),
    "rad2deg": lambda a: a * (180 / math.pi), "degrees": lambda a: a * (180 / math.pi),
}  # fmt: skip
"""What each ufunc of NumPy is built from."""


def ufuncs() -> list[str]:
    """The names of the ufuncs that expressions have."""
    return list(UFUNCS)


WAYS_OUT = {name: way for name, way in {
    "floor_divide": "floor(a / b)", "divmod": "floor(a / b) and mod(a, b)", "modf": "trunc(a)",
    "exp2": "exp(a * math.log(2))", "expm1": "exp(a) - 1", "log1p": "log(1 + a)",
    "log2": "log(a) / math.log(2)", "log10": "log(a) / math.log(10)",
    "cbrt": "exp(log(a) / 3), for a from 0 upwards", "float_power": "exp(p * log(a))",
    "logaddexp": "log(exp(a) + exp(b))",
}.items() if name not in UFUNCS}  # fmt: skip
"""Replacements for functions without a counterpart; last bits may differ."""


@in_default_environment
def ufunc(name: str, *operands: object) -> Expr:
    """NumPy's ufunc ``name`` on expressions and numbers. TypeError if there is none."""
    build = UFUNCS.get(name)
    if build is None:
        way = WAYS_OUT.get(name)
        hint = f": use {way}" if way else ", since no operation of the table does what it does"
        raise ArgumentTypeError(f"np.{name} has no counterpart for expressions{hint}")
    return build(*(_operand(name, operand) for operand in operands))


@in_default_environment
def call_ufunc(function: np.ufunc, method: str, inputs: Any, options: dict[str, Any]) -> Expr:
    """Carry out ``Expr.__array_ufunc__``."""
    name = function.__name__
    if method != "__call__":
        raise ArgumentTypeError(
            f"np.{name}.{method} is for arrays: combine expressions one by one, as in "
            f"functools.reduce(np.{name}, expressions)"
        )
    if isinstance(own := getattr(np, name, None), np.ufunc) and own is not function:
        raise ArgumentTypeError(
            f"{function!r} is not NumPy's: it has no counterpart for expressions"
        )
    for option, value in options.items():
        if not (value is None or value is True):
            raise ArgumentTypeError(
                f"np.{name} of expressions takes no option {option}=: it has no array"
            )
    return ufunc(name, *inputs)


def _operand(name: str, value: object) -> Expr:
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]  # NumPy makes one of its own numbers before it compares
    if isinstance(value, OPERANDS):
        return as_expr(value)
    if isinstance(value, np.ndarray):
        raise ArgumentTypeError(
            f"np.{name} of an expression and an array of shape {value.shape}: arrays hold no "
            "expressions; evaluate(a, x, y) gives the array of an expression's values"
        )
    raise ArgumentTypeError(
        f"np.{name}: expected an expression or a number, not {type(value).__name__!r}"
    )


def _value(name: str, value: object) -> Expr:
    """As ``_operand``, but True and False stay f."""
    return f.as_root(value) if isinstance(value, (bool, np.bool_)) else _operand(name, value)


def _where(*operands: Any) -> Expr:
    if len(operands) != 3:
        raise ArgumentTypeError("np.where of an expression takes a condition and two values")
    return where(*operands)


def _clip(a: Any, a_min: Any = None, a_max: Any = None, **bounds: Any) -> Expr:
    low, high = bounds.pop("min", a_min), bounds.pop("max", a_max)
    if bounds:
        raise ArgumentTypeError(f"np.clip of expressions takes no option {next(iter(bounds))}=")
    a = _operand("clip", a)
    a = a if low is None else f.maximum(a, _operand("clip", low))
    return a if high is None else f.minimum(a, _operand("clip", high))


def _select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Expr:
    if len(condlist) != len(choicelist):
        raise OptionError(
            f"np.select has {len(condlist)} conditions for {len(choicelist)} choices: give as many"
        )
    found = _value("select", default)
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        found = where(condition, choice, found)
    return found


def _round(a: Any, decimals: int = 0) -> Expr:
    return round(_operand("round", a), decimals)


ARRAY_FUNCTIONS: dict[Callable[..., Any], Callable[..., Expr]] = {
    np.where: _where,
    np.clip: _clip,
    np.select: _select,
    np.round: _round,
    np.around: _round,
    np.fix: lambda x: ufunc("trunc", x),
    np.zeros_like: lambda _: as_expr(0.0),
    np.ones_like: lambda _: as_expr(1.0),
    np.full_like: lambda _, fill_value: _operand("full_like", fill_value),
}
"""What each further function of NumPy is built from."""


@in_default_environment
def call_function(function: Callable[..., Any], args: Any, options: Any) -> Expr:
    """Carry out ``Expr.__array_function__``."""
    name = f"{function.__module__}.{function.__name__}".replace("numpy", "np", 1)
    build = ARRAY_FUNCTIONS.get(function)
    if build is None:
        raise ArgumentTypeError(
            f"{name} has no counterpart for expressions: write it with operators, NumPy's ufuncs, "
            "where, clip and select"
        )
    try:
        signature(build).bind(*args, **options)
    except TypeError as error:
        raise ArgumentTypeError(f"{name} of expressions: {error}; leave that out") from None
    return build(*args, **options)
