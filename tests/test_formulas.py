"""``from_sympy``: formulas of every class that is known, against SymPy's own numbers."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import intervalvm as ivm
from intervalvm.expr.formulas import BUILT

sympy = pytest.importorskip("sympy")
x, y, z, r = sympy.symbols("x y z r")
half = sympy.Rational(1, 2)

FORMULAS = [
    x + y - z, x - 2 * y, 3 * x / 4, -x, x * y / z, 1 / x, x / (y * z), x / 3, -x / y,
    x**2, x**3, x**-2, sympy.sqrt(x), 1 / sympy.sqrt(x), x ** (3 * half), x**-half,
    sympy.cbrt(x), x**sympy.Rational(2, 5), x**y, 2**x, sympy.E**x, sympy.exp(-x), x**0.3,
    sympy.log(x), sympy.log(x, 2), sympy.sin(x), sympy.cos(x), sympy.tan(x), sympy.asin(x),
    sympy.acos(x), sympy.atan(x), sympy.atan2(y, x), sympy.sinh(x), sympy.cosh(x), sympy.tanh(x),
    abs(x - y), sympy.sign(x - half), sympy.floor(5 * x), sympy.ceiling(5 * x),
    sympy.Min(x, y, z), sympy.Max(x, y, half), sympy.Mod(5 * x, y), sympy.Mod(-x, half),
    sympy.Heaviside(x - half), sympy.Heaviside(x - y, 1),
    sympy.Piecewise((x, x < y), (y, x > 2 * y), (z, True)), sympy.Piecewise((x, x < y)),
    sympy.Piecewise((1, (x < y) & (y < z)), (2, (x < y) | (y > z)), (4, True)),
    sympy.Piecewise((1, sympy.Not(sympy.Xor(x < y, y < z))), (2, True)),
    sympy.Piecewise((1, sympy.Ne(x, y)), (2, True)),
    sympy.Piecewise((1, sympy.Eq(x, y)), (2, True)),
    sympy.Piecewise((1, sympy.Xor(x < y, y < z)), (2, x <= y), (3, x >= y)),
    sympy.pi * x, sympy.E + x, sympy.GoldenRatio * x, sympy.Rational(1, 3), 0.1 * x,
    sympy.Integer(7), sympy.oo, sympy.ITE(x < y, y < z, z < x),
]  # fmt: skip


@pytest.mark.parametrize("formula", FORMULAS, ids=str)
def test_a_formula_has_sympys_values(formula: Any) -> None:
    rng = np.random.default_rng(2)
    points = rng.uniform(0.05, 0.95, (3, 40))
    ours = ivm.evaluate(ivm.from_sympy(formula), *points, dtype="float64")
    for column, value in zip(points.T, np.broadcast_to(ours, 40), strict=True):
        numbers = dict(zip((x, y, z), map(sympy.Float, column), strict=True))
        exact = formula.subs(numbers)
        if exact in (sympy.true, sympy.false):
            exact = sympy.Integer(exact == sympy.true)
        exact = exact.evalf(30)
        if exact == sympy.nan or not exact.is_real:
            assert np.isnan(value) or exact == sympy.oo
        else:  # some roundings
            np.testing.assert_allclose(value, float(exact), rtol=1e-13)


def test_every_class_that_is_known_is_tried() -> None:
    tried = {type(node).__name__ for f in FORMULAS for node in sympy.preorder_traversal(f)}
    assert set(BUILT) - tried == set()


def last(formula: Any) -> list[str]:
    return [line.split()[1] for line in str(ivm.from_sympy(formula).tape()).splitlines()]


def test_what_is_built_is_what_one_would_write() -> None:
    assert last(x / 3) == ["var-x", "const", "div"]
    assert last(x - y) == ["var-x", "var-y", "sub"]
    assert last(1 / x) in (["const", "var-x", "div"], ["var-x", "recip"])
    assert last(sympy.sqrt(x**2 + y**2)) == ["var-x", "square", "var-y", "square", "add", "sqrt"]


def test_symbols_are_axes_or_variables_whatever_they_assume() -> None:
    positive = sympy.Symbol("x", positive=True)
    shape = ivm.from_sympy(positive + r + r * x, defaults={"r": 0.5})
    assert (shape.tape().axes, shape.tape().variables) == (("x",), ("r",))
    assert shape.defaults == {"r": 0.5}


def test_plain_numbers_are_formulas_too() -> None:
    assert ivm.from_sympy(2).tape() == ivm.constant(2).tape()


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        (sympy.gamma(x) + y, "no counterpart for gamma, in gamma"),
        (sympy.I * x, "ImaginaryUnit"),
        (sympy.Function("f")(x), "no counterpart for f, in f"),
        (sympy.Function("Min")(x), "no counterpart for Min"),
        (sympy.Integral(x, (y, 0, x)), "Integral"),
        (sympy.zoo, "ComplexInfinity"),
        (sympy.Matrix([[x]]), "expected a formula|no counterpart"),
        ((x, y), "no counterpart for Tuple|expected a formula"),
    ],
)
def test_what_is_not_known_is_named(formula: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        ivm.from_sympy(formula)


def test_a_formula_deeper_than_pythons_stack() -> None:
    shape = ivm.from_sympy(deep := nested(400))
    assert shape.tape().counts()["sin"] == 400
    assert deep


def nested(n: int) -> Any:
    formula = x
    for _ in range(n):
        formula = sympy.sin(formula, evaluate=False)
    return formula


def test_without_sympy_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sympy", None)
    with pytest.raises(ivm.BackendError, match=r"pip install 'sympy>="):
        ivm.from_sympy(2)
