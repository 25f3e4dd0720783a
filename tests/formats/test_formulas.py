"""``from_sympy``: formulas of every class that is known, against SymPy's own numbers."""

from __future__ import annotations

import sys
from fractions import Fraction
from types import FunctionType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import intervalvm as ivm
from intervalvm.expr import is_truth
from intervalvm.formats.sympy import BUILT

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
    sympy.asinh(x), sympy.acosh(1 + x), sympy.atanh(x), sympy.sech(x), sympy.csch(x), sympy.coth(x),
    sympy.sec(x), sympy.csc(x), sympy.cot(x), sympy.asec(1 / x), sympy.acsc(1 / x), sympy.acot(x),
    sympy.sinc(x), sympy.frac(5 * x), x**0.5, x**-1.5, x**2.0, x**-1.0, x**2.5 * y**-2.0,
    sympy.Piecewise((x < y, y < z), (y < x, True)), sympy.Piecewise((x < y, y < z)),
    sympy.Piecewise((x < 0.5, x < y), (True, y < z), (False, True)), sympy.true, sympy.false,
    sympy.Rational(10**400 + 1, 10**400) * x, sympy.Rational(10**400, 3 * 10**399) + y,
    x**200 / sympy.factorial(150),
    x / 3**40 - y * 3**50, sympy.Rational(1, 3**500) * sympy.exp(500 * x),
]  # fmt: skip


@pytest.mark.parametrize("formula", FORMULAS, ids=str)
def test_a_formula_has_sympys_values(formula: Any) -> None:
    rng = np.random.default_rng(2)
    points = rng.uniform(0.05, 0.95, (3, 40))
    shape = ivm.from_sympy(formula)
    ours = ivm.evaluate(shape, *points, dtype="float64")
    for column, value in zip(points.T, np.broadcast_to(ours, 40), strict=True):
        numbers = dict(zip((x, y, z), map(sympy.Float, column), strict=True))
        exact = formula.subs(numbers)
        if isinstance(formula, sympy.Piecewise) and exact == sympy.nan and is_truth(shape):
            exact = sympy.false  # where no piece holds nothing is true
        if exact in (sympy.true, sympy.false):
            exact = sympy.Integer(exact == sympy.true)
        exact = exact.evalf(30)
        if exact == sympy.nan or not exact.is_real:
            assert np.isnan(value) or exact == sympy.oo
        else:  # some roundings; a power of n, or exp of n, has n of them
            np.testing.assert_allclose(value, float(exact), rtol=1e-12)


def test_every_class_that_is_known_is_tried() -> None:
    tried = {type(node).__name__ for f in FORMULAS for node in sympy.preorder_traversal(f)}
    assert set(BUILT) - tried == set()


# --- powers, and numbers that no float holds ------------------------------------------------------


def test_a_whole_power_is_one_however_it_is_written() -> None:
    assert ivm.from_sympy(x**2.0).tape() == ivm.from_sympy(x**2).tape()
    assert ivm.from_sympy(x**-1.0).tape() == ivm.from_sympy(x**-1).tape()
    assert ivm.from_sympy(x**0.5).tape() == ivm.from_sympy(sympy.sqrt(x)).tape()
    disc = ivm.from_sympy(sympy.sympify("x**2.0 + y**2.0 - 0.5"))
    assert ivm.evaluate(disc, -0.5, -0.25) == np.float32(-0.1875)
    precise = x ** sympy.Float("2.00000000000000000000000001", 40)
    assert "log" in str(ivm.from_sympy(precise)), "not whole, though its float is"


@pytest.mark.parametrize(
    ("formula", "at", "value"),
    [
        (x**200 / sympy.factorial(200), 100.0, 1.2679769534809592e25),
        (sympy.factorial(200) / x**200, 100.0, 7.886578673647905e-26),
        (x**200 / sympy.factorial(200), 1.0, 0.0),
        (x / sympy.Integer(10) ** 400, 1.0, 0.0),
        (x / sympy.Integer(10) ** 400, 1e300, 1e-100),
        (-x / sympy.Integer(10) ** 400, 1e300, -1e-100),
        (x * sympy.Integer(10) ** 400, 1e-300, 1e100),
        (x * sympy.Integer(10) ** 400, 1.0, np.inf),
        (x * sympy.Float("1e400"), 1e-200, 1e200),
        (x + sympy.Integer(10) ** 400, 1.0, np.inf),
        (x - sympy.Integer(10) ** 400, 1.0, -np.inf),
        (sympy.Rational(10**400 + 1, 10**400) * x, 3.0, 3.0),
        (sympy.Rational(10**400 + 1, 3 * 10**400), 3.0, 1 / 3),
        (x ** sympy.Rational(10**400, 3), 0.5, 0.0),
        (x ** (sympy.Integer(10) ** 30), 1.0, 1.0),
        (x / sympy.Integer(10) ** 100000, 1e300, 0.0),
    ],
    ids=range(16),
)
def test_numbers_beyond_the_floats(formula: Any, at: float, value: float) -> None:
    found = ivm.evaluate(ivm.from_sympy(formula), at, 0.0, dtype="float64")
    np.testing.assert_allclose(found, value, rtol=1e-13)  # a power of 200 has some roundings


def test_a_long_series_is_a_shape() -> None:
    series = sympy.series(sympy.sin(x), x, 0, 202).removeO()
    points = np.linspace(-3, 3, 50)
    # terms up to 4.5 cancel
    np.testing.assert_allclose(
        ivm.evaluate(ivm.from_sympy(series), points, 0, dtype="float64"), np.sin(points), atol=4e-15
    )


# --- truths, strings ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "mask"),
    [
        (x**2 + y**2 < sympy.Rational(1, 4), lambda x, y: x**2 + y**2 < 0.25),
        ((y > x) & (y > 0.25), lambda x, y: (y > x) & (y > 0.25)),
        (sympy.Or(y > x, x < -half), lambda x, y: (y > x) | (x < -0.5)),
        (sympy.Not(sympy.And(x < 0, y < 0)), lambda x, y: ~((x < 0) & (y < 0))),
        (sympy.Xor(x < 0, y < 0), lambda x, y: (x < 0) ^ (y < 0)),
        (sympy.Eq(x, y), lambda x, y: x == y),
        (sympy.ITE(x < y, y < 0, x < 0), lambda x, y: np.where(x < y, y < 0, x < 0)),
        (sympy.Piecewise((x < 0, y < 0), (y < x, y > half)),
         lambda x, y: ((y < 0) & (x < 0)) | ((y > 0.5) & (y < x))),
        (sympy.true, lambda x, y: x == x),
        (sympy.false, lambda x, y: x != x),
    ],
    ids=lambda value: None if isinstance(value, FunctionType) else str(value),
)  # fmt: skip
def test_a_relation_is_drawn_where_it_holds(formula: Any, mask: Any) -> None:
    line = np.linspace(-1, 1, 17, dtype=np.float32)
    expected = mask(*np.meshgrid(line, -line))
    for options in ({}, {"engine": "dense"}):
        drawn = ivm.render(ivm.from_sympy(formula), size=17, **options).pixels == 255
        np.testing.assert_array_equal(drawn, expected)


@pytest.mark.parametrize(
    "text", ["x", "exit()", np.str_("exit()"), b"x", ["exit()"], ("exit()",), {"exit()": 1}, {"x"}]
)
def test_no_string_is_run(text: Any) -> None:
    with pytest.raises(ivm.ArgumentTypeError, match=r"string|expected a formula"):
        ivm.from_sympy(text)


def test_numbers_of_all_kinds_are_taken() -> None:
    for number in (2, 2.5, np.float32(2.5), np.int8(2), Fraction(5, 2), True, np.False_):
        assert ivm.evaluate(ivm.from_sympy(number), 0, 0) == float(number)


# --- a search -------------------------------------------------------------------------------------


def formulas() -> st.SearchStrategy[Any]:
    """Formulas of few operations, with numbers of every kind and size."""
    sizes = st.integers(-(10**3), 10**3) | st.integers(-(10**400), 10**400)
    fractions = st.builds(sympy.Rational, sizes, sizes.filter(bool))
    floats = st.floats(-8, 8).map(sympy.Float)
    exponents = st.integers(-4, 4) | st.sampled_from(
        [half, -half, 3 * half, sympy.Rational(1, 3), 0.5, -1.5, 2.0, -1.0, 3.0, 0.25, 40, -200.0]
    )
    leaves = st.sampled_from([x, y, x - y]) | fractions | floats
    return st.recursive(
        leaves,
        lambda inner: (
            st.builds(lambda a, b: a + b, inner, inner)
            | st.builds(lambda a, b: a * b, inner, inner)
            | st.builds(lambda a, e: a**e, st.sampled_from([x, y, x + y, x * y]), exponents)
            | st.builds(
                lambda a, b, c, d: sympy.Piecewise((a, c < d), (b, True)),
                inner,
                inner,
                inner,
                inner,
            )
            | st.builds(abs, inner)
        ),
        max_leaves=6,
    )


POINTS = [(0.75, -1.25), (-0.5, 2.0), (1.5, 0.625), (-2.25, -0.375)]


@settings(max_examples=60)
@given(formulas())
def test_any_formula_has_sympys_values(formula: Any) -> None:
    """Where SymPy's value is real, and neither is lost by cancellation nor by size on the way."""
    shape = ivm.from_sympy(formula)
    for at in POINTS:
        numbers = dict(zip((x, y), map(sympy.Rational, at), strict=True))
        try:
            parts = [part.subs(numbers).evalf(60) for part in sympy.preorder_traversal(formula)
                     if isinstance(part, sympy.Expr)]  # fmt: skip
        except TypeError:  # a condition about complex numbers
            continue
        if not all(part.is_real and (part == 0 or 1e-280 < abs(part) < 1e280) for part in parts):
            continue
        value = ivm.evaluate(shape, *at, dtype="float64")
        # each operation adds a rounding error of its own terms, a power of n as many as n
        largest = max(abs(float(part)) for part in parts)
        exact = float(parts[0])
        if abs(exact) > 1e-6 * largest:
            np.testing.assert_allclose(value, exact, rtol=1e-7, err_msg=str(formula))


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


def test_a_default_of_no_variable_is_refused() -> None:
    with pytest.raises(ivm.VariableError, match=r"variable 'rr' \(did you mean 'r'\?\); it"):
        ivm.from_sympy(r * x, defaults={"rr": 1})
    with pytest.raises(ivm.VariableError, match="no free variable 'x'; it has none"):
        ivm.from_sympy(x, defaults={"x": 1})


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
