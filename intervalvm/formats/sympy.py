"""``from_sympy``: a formula of SymPy's to an expression.

SymPy's formulas are exact and an expression rounds at each operation, so the values agree up to
rounding. Products are evaluated left to right in SymPy's order, and so are sums, except that
subtracted terms and numbers come last.

====================================  ==========================================================
``Symbol``                            x, y, z are the axes, another a free variable of its name
numbers, ``pi``, ``E``                rounded once; infinite where that is too large
``Add Mul Pow``                       ``+ - * /``; whole powers multiply; halves are of ``sqrt``:
                                      a ``Float`` that is whole or a half counts as such
other powers                          exp(p * log(a)), which is NaN below 0
``exp log sin ... atan2 Abs``         the operation; ``sinh ... atanh`` as NumPy's
``sec csc cot asec acsc acot``        by ``cos sin``, and by the reciprocal
``sech csch coth sinc frac``          so too; ``sinc`` is 1 at 0
``sign floor ceiling Min Max``        as NumPy's
``Mod``                               of the divisor's sign, as NumPy's
``Piecewise``                         ``where``; NaN where no piece holds, or false of truths
relations, ``And Or Not Xor ITE``     truths, which are drawn where they hold
====================================  ==========================================================
"""

from __future__ import annotations

import functools
import math
import numbers
import operator
import sys
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from intervalvm.arguments import brief, did_you_mean, mapping
from intervalvm.environment import in_default_environment
from intervalvm.errors import (
    ArgumentTypeError,
    BackendError,
    OptionError,
    VariableError,
    install_line,
)
from intervalvm.expr import functions as f
from intervalvm.expr.node import NUMBERS, Expr, as_expr, axes, is_truth, postorder, var
from intervalvm.expr.ufuncs import ufunc, where
from intervalvm.ops import AXES, ROWS


@in_default_environment
def from_sympy(formula: Any, *, defaults: Mapping[str, float] | None = None) -> Expr:
    """Convert a SymPy formula, whose operations become those of expressions.

    Parameters
    ----------
    formula : sympy.Basic or float
        The symbols x, y and z are the axes, others become free variables. Not a string, which
        SymPy would run as Python.
    defaults : dict of str to float, optional
        Values of free variables, as in ``var(name, default)``.

    Returns
    -------
    Expr

    Raises
    ------
    ArgumentTypeError
        If a part has no counterpart.
    VariableError
        If the formula lacks a variable of ``defaults``.
    BackendError
        If SymPy is not installed.
    """
    try:
        import sympy
    except ImportError as error:
        raise BackendError(
            "from_sympy needs SymPy, which is not installed: " + install_line("sympy")
        ) from error
    if isinstance(formula, str):
        raise ArgumentTypeError(
            "from_sympy takes no string, which SymPy would run as Python code: write "
            "from_sympy(sympy.sympify(text)) if you trust it"
        )
    if not isinstance(formula, (sympy.Basic, numbers.Number, *NUMBERS)):
        # other things that SymPy converts may hold strings
        raise ArgumentTypeError(f"expected a formula of SymPy's, not {brief(formula)}")
    root = sympy.sympify(formula, strict=True)
    reader = _Reader(sympy, mapping("defaults", defaults))
    for node in postorder(root, reader.operands):
        if node not in reader.known:
            try:
                reader.known[node] = reader.convert(node)
            except OverflowError:
                raise OptionError(f"{brief(node)} is beyond what a float64 holds") from None
    free = [name for name in reader.inputs if name not in AXES]
    if unknown := sorted(reader.defaults.keys() - set(free)):
        known = ", ".join(map(repr, free)) or "none"
        hint = did_you_mean(unknown[0], free)
        raise VariableError(
            f"the formula has no free variable {unknown[0]!r}{hint}; it has {known}"
        )
    return as_expr(reader.known[root])


class _Reader:
    """Converts nodes whose operands are in ``known``: an Expr each, a piece to a pair of them."""

    def __init__(self, sympy: Any, defaults: Mapping[str, float]) -> None:
        self.sympy, self.defaults = sympy, defaults
        self.known: dict[Any, Any] = {}
        self.inputs = dict(zip(AXES, axes(), strict=True))

    def operands(self, node: Any) -> tuple[Any, ...]:
        """The operands to convert before a node. Raises ArgumentTypeError for an unknown kind."""
        kind = type(node).__name__
        if node.is_Pow and self.fraction(node.exp) is not None:
            return (node.base,)
        is_built = kind in BUILT and getattr(self.sympy, kind) is type(node)
        is_leaf = node.is_Symbol or node.is_Rational or node.is_Float or node.is_NumberSymbol
        is_other = node.is_Add or node.is_Mul or kind == "ExprCondPair" or kind in CONSTANTS
        if not (is_built or is_leaf or is_other):
            raise ArgumentTypeError(f"from_sympy has no counterpart for {kind}, in {node}")
        return tuple(node.args)

    def fraction(self, number: Any) -> Fraction | None:
        """A ``Rational`` or a ``Float`` exactly, None for anything else."""
        if not (number.is_Rational or number.is_Float):
            return None
        exact = self.sympy.Rational(number)
        return Fraction(int(exact.p), int(exact.q))

    def convert(self, node: Any) -> Any:
        kind = type(node).__name__
        if node.is_Symbol:
            if node.name not in self.inputs:
                self.inputs[node.name] = var(node.name, self.defaults.get(node.name))
            return self.inputs[node.name]
        if (number := self.fraction(node)) is not None:
            return as_expr(_nearest(number))
        if kind in CONSTANTS:
            return f.as_root(CONSTANTS[kind])
        if node.is_NumberSymbol:
            return as_expr(float(node))
        if node.is_Add:
            return self.sum(node)
        if node.is_Mul:
            return self.product(node)
        if node.is_Pow and (exponent := self.fraction(node.exp)) is not None:
            return _power(self.known[node.base], exponent)
        operands = [self.known[arg] for arg in node.args]
        if kind == "ExprCondPair":
            return (operands[0], None if node.cond is self.sympy.true else operands[1])
        return BUILT[kind](*operands)

    def sum(self, node: Any) -> Expr:
        """Added terms, then subtracted ones, then a number."""
        terms = [(self.known[term], bool(term.is_Number)) for term in node.args]
        terms.sort(key=lambda term: (term[1], _negated(term[0]) is not None))
        found: Expr = terms[0][0]
        for term, _ in terms[1:]:
            negated = _negated(term)
            found = found + term if negated is None else found - negated
        return found

    def product(self, node: Any) -> Expr:
        """The product of the numerator, divided by that of the denominator."""
        above: list[Expr] = []
        below: list[Expr] = []
        number, others = Fraction(1), []
        for factor in node.args:
            exact = self.fraction(factor)
            if exact is None or (factor.is_Float and _is_ordinary(exact)):
                others.append(factor)
            else:
                number *= exact
        powers = {a: p for a in others if a.is_Pow and (p := self.fraction(a.exp)) is not None}
        scaled, shift, rest = None, 0, abs(number)
        if not _is_ordinary(rest):
            scaled, shift, rest = _spread(powers, rest)
        parts = _parts(rest)
        if max(rest.as_integer_ratio()) <= EXACT:
            above += [as_expr(float(rest.numerator))] * (rest.numerator != 1)
            below += [as_expr(float(rest.denominator))] * (rest.denominator != 1)
            parts = []
        elif len(parts) == 1:
            above.append(as_expr(parts.pop()))
        for factor in others:
            if factor not in powers:
                above.append(self.known[factor])
                continue
            power, base = powers[factor], self.known[factor.base]
            base = base * math.ldexp(1.0, shift) if factor is scaled else base
            (below if power < 0 else above).append(_power(base, abs(power)))
        found = functools.reduce(operator.mul, above) if above else as_expr(1.0)
        if below:
            found = found / functools.reduce(operator.mul, below)
        for part in parts:  # last, since they are too small or too large by themselves
            found = found * part
        return -found if number < 0 else found


def _power(base: Expr, exponent: Fraction) -> Expr:
    """By products, or by a logarithm."""
    if exponent.denominator <= 2:
        halves = exponent * 2
        return (f.sqrt(base) if halves % 2 else base) ** int(halves if halves % 2 else exponent)
    return f.exp(_nearest(exponent) * f.log(base))


def _nearest(number: Fraction) -> float:
    """The float64 nearest to a fraction, infinite if it is too large."""
    try:
        return float(number)  # Python divides whole numbers with one rounding
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _is_ordinary(number: Fraction) -> bool:
    """Whether a number's float64 is neither infinite nor subnormal; 0 is ordinary."""
    return number == 0 or sys.float_info.min <= abs(number) <= sys.float_info.max


def _spread(powers: Mapping[Any, Fraction], number: Fraction) -> tuple[Any, int, Fraction]:
    """A factor a**n, a shift and a number': ``number * a**n == number' * (a * 2**shift)**n``.

    This avoids overflow and underflow of the factors, as in x**200 / 200!, and is exact. Without an
    integer power the number is unchanged.
    """
    whole = {factor: int(power) for factor, power in powers.items() if power.denominator == 1}
    if not whole:
        return None, 0, number
    scaled, n = max(whole.items(), key=lambda item: abs(item[1]))
    digits = number.numerator.bit_length() - number.denominator.bit_length()
    shift = max(-1000, min(1000, round(digits / n)))
    return scaled, shift, number / Fraction(2) ** (shift * n)


def _parts(number: Fraction) -> list[float]:
    """Floats whose product is the number >= 0: at most four powers of 2, and one float."""
    parts: list[float] = []
    while not _is_ordinary(number) and len(parts) < 4:
        parts.append(math.ldexp(1.0, 1000 if number > 1 else -1000))
        number /= Fraction(parts[-1])
    return [*parts, _nearest(number)]


def _negated(a: Expr) -> Expr | None:
    """-a, if ``a`` is a negation or a negative constant, else None."""
    if a._op == "neg":
        return a._operands[0]
    is_negative = isinstance(a._value, float) and a._value < 0
    return as_expr(-float(a._value or 0)) if is_negative else None


def _piecewise(*pieces: tuple[Expr, Expr | None]) -> Expr:
    """Pairs of a value and a condition; None always holds."""
    values = [value for value, _ in pieces]
    chosen = f.as_root(False) if all(map(is_truth, values)) else as_expr(math.nan)
    for value, condition in reversed(pieces):
        chosen = value if condition is None else where(condition, value, chosen)
    return chosen


def _each(combine: Callable[[Any, Any], Any]) -> Callable[..., Expr]:
    return lambda *operands: functools.reduce(combine, operands)


def _by(name: str) -> Callable[..., Expr]:
    """NumPy's function, of two operands taken from left to right."""
    call = functools.partial(ufunc, name)
    return lambda *operands: functools.reduce(call, operands) if operands[1:] else call(*operands)


EXACT = 1 << 53
"""Whole numbers up to here are floats."""
CONSTANTS = {
    "Infinity": math.inf, "NegativeInfinity": -math.inf, "NaN": math.nan,
    "BooleanTrue": True, "BooleanFalse": False,
}  # fmt: skip
BUILT: dict[str, Callable[..., Any]] = {
    "Pow": lambda base, power: f.exp(power * f.log(base)),
    **{op.names.sympy: f.FUNCTIONS[op.name] if op.arity == 1 else _each(f.FUNCTIONS[op.name])
       for op in ROWS if op.names.sympy is not None},
    "Mod": _by("remainder"),
    "sign": _by("sign"), "Heaviside": _by("heaviside"),
    "sinh": _by("sinh"), "cosh": _by("cosh"), "tanh": _by("tanh"),
    "asinh": _by("arcsinh"), "acosh": _by("arccosh"), "atanh": _by("arctanh"),
    "sech": lambda a: 1 / ufunc("cosh", a), "csch": lambda a: 1 / ufunc("sinh", a),
    "coth": lambda a: 1 / ufunc("tanh", a),
    "sec": lambda a: 1 / f.cos(a), "csc": lambda a: 1 / f.sin(a),
    "cot": lambda a: f.cos(a) / f.sin(a),
    "asec": lambda a: f.arccos(1 / a), "acsc": lambda a: f.arcsin(1 / a),
    "acot": lambda a: f.arctan(1 / a),
    "sinc": lambda a: where(ufunc("equal", a, 0), 1.0, f.sin(a) / a),
    "frac": lambda a: a - f.floor(a),
    "StrictLessThan": _by("less"), "LessThan": _by("less_equal"),
    "StrictGreaterThan": _by("greater"), "GreaterThan": _by("greater_equal"),
    "Equality": _by("equal"), "Unequality": _by("not_equal"),
    "And": _by("logical_and"), "Or": _by("logical_or"), "Xor": _by("logical_xor"),
    "ITE": where, "Piecewise": _piecewise,
}  # fmt: skip
"""What each class of SymPy's, by name, is built from."""
