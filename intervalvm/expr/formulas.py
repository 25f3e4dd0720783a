"""``from_sympy``: a formula of SymPy's to an expression.

SymPy's formulas are exact and an expression rounds at each operation, so the values agree up to
rounding. Products go from left to right in SymPy's own order, and so do sums, save that what is
taken away and numbers come last.

====================================  ==========================================================
``Symbol``                            x, y, z are the axes, another a free variable of its name
numbers, ``pi``, ``E``                rounded once
``Add Mul Pow``                       ``+ - * /``; whole powers multiply; halves are of ``sqrt``
other powers                          exp(p * log(a)), which is NaN below 0
``exp log sin ... atan2 Abs``         the operation; ``sinh cosh tanh`` by ``exp``
``sign floor ceiling Min Max``        as NumPy's
``Mod``                               of the divisor's sign, as NumPy's
``Piecewise``, relations, ``And ...``  ``where``, NaN where no piece holds; 1 and 0
====================================  ==========================================================
"""

from __future__ import annotations

import functools
import math
import operator
from typing import TYPE_CHECKING, Any

from intervalvm.arguments import brief, mapping
from intervalvm.errors import ArgumentTypeError, BackendError, OptionError
from intervalvm.expr.functions import FUNCTIONS
from intervalvm.expr.node import Expr, as_expr, axes, var
from intervalvm.expr.ufuncs import ufunc, where
from intervalvm.ops import AXES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_f = FUNCTIONS


def from_sympy(formula: Any, *, defaults: Mapping[str, float] | None = None) -> Expr:
    """The expression of a SymPy formula; the table above says what becomes what.

    ``defaults`` are values of free variables, as ``var(name, default)`` has them. Raises TypeError
    for a part that has no counterpart and names it, BackendError where SymPy is not installed.
    """
    try:
        import sympy
    except ImportError as error:
        raise BackendError(
            "from_sympy needs SymPy, which is not installed: pip install 'intervalvm[sympy]'"
        ) from error
    try:
        root = sympy.sympify(formula)
    except (sympy.SympifyError, SyntaxError, TypeError, ValueError, AttributeError):
        root = None
    if not isinstance(root, sympy.Basic):
        raise ArgumentTypeError(f"expected a formula of SymPy's, not {brief(formula)}")
    reader = _Reader(sympy, mapping("defaults", defaults))
    stack = [root]
    while stack:  # operands first: a formula may be deeper than Python's own stack
        node = stack[-1]
        if waiting := [arg for arg in reader.operands(node) if arg not in reader.known]:
            stack.extend(reversed(waiting))
            continue
        stack.pop()
        if node not in reader.known:
            try:
                reader.known[node] = reader.convert(node)
            except OverflowError:
                raise OptionError(f"{brief(node)} is beyond what a float64 holds") from None
    return as_expr(reader.known[root])


class _Reader:
    """Converts nodes whose operands are in ``known``: an Expr each, a piece to a pair of them."""

    def __init__(self, sympy: Any, defaults: Mapping[str, float]) -> None:
        self.sympy, self.defaults = sympy, defaults
        self.known: dict[Any, Any] = {}
        self.inputs = dict(zip(AXES, axes(), strict=True))

    def operands(self, node: Any) -> tuple[Any, ...]:
        """What must be converted before a node. TypeError if that one cannot be."""
        kind = type(node).__name__
        if node.is_Pow and node.exp.is_Rational:
            return (node.base,)
        is_built = kind in BUILT and getattr(self.sympy, kind) is type(node)
        is_built = is_built or node.is_Add or node.is_Mul
        if not (is_built or kind == "ExprCondPair" or self.is_leaf(node)):
            raise ArgumentTypeError(f"from_sympy has no counterpart for {kind}, in {node}")
        return tuple(node.args)

    @staticmethod
    def is_leaf(node: Any) -> bool:
        real = node.is_Rational or node.is_Float or node.is_NumberSymbol
        return bool(node.is_Symbol or real or type(node).__name__ in NUMBERS)

    def convert(self, node: Any) -> Any:
        kind = type(node).__name__
        if node.is_Symbol:
            if node.name not in self.inputs:
                self.inputs[node.name] = var(node.name, self.defaults.get(node.name))
            return self.inputs[node.name]
        if node.is_Rational:
            return as_expr(node.p / node.q)  # one rounding, however long the whole numbers
        if kind in NUMBERS:
            return as_expr(NUMBERS[kind])
        if node.is_Float or node.is_NumberSymbol:
            return as_expr(float(node))
        if node.is_Add:
            return self.sum(node)
        if node.is_Mul:
            return self.product(node)
        if node.is_Pow and node.exp.is_Rational:
            return _power(self.known[node.base], node.exp)
        operands = [self.known[arg] for arg in node.args]
        if kind == "ExprCondPair":
            return tuple(operands)
        return BUILT[kind](*operands)

    def sum(self, node: Any) -> Expr:
        """Terms that are added, those that are taken away, a number."""
        terms = [(self.known[term], bool(term.is_Number)) for term in node.args]
        terms.sort(key=lambda term: (term[1], _negated(term[0]) is not None))
        found: Expr = terms[0][0]
        for term, _ in terms[1:]:
            negated = _negated(term)
            found = found + term if negated is None else found - negated
        return found

    def product(self, node: Any) -> Expr:
        """Factors above and below the line, each from left to right, then one division."""
        above, below, is_negative = [], [], False
        for factor in node.args:
            if factor.is_Rational:
                is_negative = factor.p < 0
                above += [as_expr(float(abs(factor.p)))] * (abs(factor.p) != 1)
                below += [as_expr(float(factor.q))] * (factor.q != 1)
            elif factor.is_Pow and factor.exp.is_Rational and factor.exp.p < 0:
                below.append(_power(self.known[factor.base], -factor.exp))
            else:
                above.append(self.known[factor])
        found = functools.reduce(operator.mul, above) if above else as_expr(1.0)
        if below:
            found = found / functools.reduce(operator.mul, below)
        return -found if is_negative else found


def _power(base: Expr, exponent: Any) -> Expr:
    if exponent.q == 1:
        return base ** int(exponent.p)
    if exponent.q == 2:
        return _f["sqrt"](base) ** int(exponent.p)
    return _f["exp"](exponent.p / exponent.q * _f["ln"](base))


def _negated(a: Expr) -> Expr | None:
    """What ``a`` is the negative of, if that is how it is written."""
    if a._op == "neg":
        return a._operands[0]
    is_negative = isinstance(a._value, float) and a._value < 0
    return as_expr(-float(a._value or 0)) if is_negative else None


def _piecewise(*pieces: tuple[Expr, Expr]) -> Expr:
    chosen = as_expr(math.nan)
    for value, condition in reversed(pieces):
        chosen = value if condition._value == 1.0 else where(condition, value, chosen)
    return chosen


def _tanh(a: Expr) -> Expr:
    return 1 - 2 / (_f["exp"](2 * a) + 1)


def _each(combine: Callable[[Any, Any], Any]) -> Callable[..., Expr]:
    return lambda *operands: functools.reduce(combine, operands)


def _by(name: str) -> Callable[..., Expr]:
    return lambda *operands: functools.reduce(functools.partial(ufunc, name), operands)


NUMBERS = {
    "Infinity": math.inf, "NegativeInfinity": -math.inf, "NaN": math.nan,
    "BooleanTrue": 1.0, "BooleanFalse": 0.0,
}  # fmt: skip
BUILT: dict[str, Callable[..., Any]] = {
    "Pow": lambda base, power: _f["exp"](power * _f["ln"](base)),
    **{name: _f[name] for name in ("exp", "sin", "cos", "tan", "asin", "acos", "atan", "atan2")},
    "log": _f["ln"], "Abs": _f["abs"], "floor": _f["floor"], "ceiling": _f["ceil"],
    "Min": _each(_f["min"]), "Max": _each(_f["max"]), "Mod": _by("remainder"),
    "sign": lambda a: ufunc("sign", a), "Heaviside": _by("heaviside"),
    "sinh": lambda a: (_f["exp"](a) - _f["exp"](-a)) / 2,
    "cosh": lambda a: (_f["exp"](a) + _f["exp"](-a)) / 2, "tanh": _tanh,
    "StrictLessThan": _by("less"), "LessThan": _by("less_equal"),
    "StrictGreaterThan": _by("greater"), "GreaterThan": _by("greater_equal"),
    "Equality": _by("equal"), "Unequality": _by("not_equal"),
    "And": _by("logical_and"), "Or": _by("logical_or"), "Xor": _by("logical_xor"),
    "Not": _f["not"], "ITE": where, "Piecewise": _piecewise,
}  # fmt: skip
"""What each class of SymPy's, by name, is built from."""
