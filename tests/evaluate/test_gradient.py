"""``grad``: values as from ``evaluate``, slopes against finite differences and against SymPy."""

from __future__ import annotations

import math
import operator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from support.programs import special
from support.shape_samples import SAMPLES
from support.strategies import tapes

import intervalvm as ivm
from intervalvm import shapes
from intervalvm.evaluate.evaluator import NumpyEvaluator
from intervalvm.expr import FUNCTIONS
from intervalvm.ops import ROWS

if TYPE_CHECKING:
    from intervalvm.tape import Tape

x, y, z = ivm.axes()
OPERATIONS = [op for op in ROWS if op.arity]
STEPS = {op.name for op in OPERATIONS if set(op.slope.partials or ()) == {0}}


@pytest.mark.parametrize("op", OPERATIONS, ids=[op.name for op in OPERATIONS])
def test_each_rule_agrees_with_finite_differences(op: Any) -> None:
    """By both coordinates, at points away from jumps and from the edges of the domain."""
    rng = np.random.default_rng(5)
    a, b = rng.uniform(0.05, 0.95, (2, 500)) * rng.choice([-1, 1], (2, 500))
    if op.name in ("and", "or"):
        a[::2] = 0
    shape = FUNCTIONS[op.name](*[x, y][: op.arity])
    a = np.where(np.isnan(ivm.evaluate(shape, a, b, dtype="float64")), abs(a), a)
    found = ivm.grad(shape, a, b, dtype="float64")
    h = 1e-6
    for slope, (u, v) in ((found.dx, (h, 0)), (found.dy, (0, h))):
        ahead, behind = (
            ivm.evaluate(shape, a + s * u, b + s * v, dtype="float64") for s in (1, -1)
        )
        with np.errstate(all="ignore"):
            expected = (ahead - behind) / (2 * h)
        # a jump or a change of choice between the two points says nothing of the slope
        smooth = np.abs(expected) < 1e3
        if op.name in ("and", "or"):
            smooth &= a != 0
        if op.name in STEPS:
            assert not slope.any()
            continue
        # the differences err by h * h and by the last bits over h
        np.testing.assert_allclose(slope[smooth], expected[smooth], rtol=1e-5, atol=1e-8)
        assert smooth.sum() > 200


@given(tapes(30, variables=["r"]), st.sampled_from(["float32", "float64"]))
def test_values_are_those_of_evaluate(tape: Tape, dtype: str) -> None:
    values = np.array(special(np.dtype(dtype).type)[::2], dtype)
    points = values, values[:, None], np.array(0.5)
    variables = dict.fromkeys(tape.variables, 0.25)
    found = ivm.grad(tape, *points, variables=variables, dtype=dtype)
    theirs = ivm.evaluate(tape, *points, variables=variables, dtype=dtype)
    assert found.value.dtype == found.dx.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found.value, theirs)
    same_sign = np.signbit(found.value) == np.signbit(theirs)
    assert (same_sign | np.isnan(theirs)).all()
    assert {part.shape for part in found} == {theirs.shape}


SMOOTH = ["const", "var-x", "var-y", "add", "sub", "mul", "neg", "square", "sin", "cos", "atan"]


@settings(max_examples=60)
@given(
    tapes(12, ops=SMOOTH, values=st.floats(-2, 2, width=16).map(lambda v: (v, np.float32(v)))),
    st.floats(-1, 1),
    st.floats(-1, 1),
)
def test_slopes_of_smooth_tapes_agree_with_finite_differences(
    tape: Tape, a: float, b: float
) -> None:
    found = ivm.grad(tape, a, b, dtype="float64")
    h = 1e-5
    moved = [
        ivm.evaluate(tape, a + u, b + v, dtype="float64")
        for u, v in ((h, 0), (-h, 0), (0, h), (0, -h))
    ]
    assume(np.abs([*found, *moved]).max() < 50)
    # the third derivative times h * h: sums of products of a few such terms
    expected = (moved[0] - moved[1]) / (2 * h), (moved[2] - moved[3]) / (2 * h)
    np.testing.assert_allclose((found.dx, found.dy), expected, rtol=1e-3, atol=1e-3)


def test_slopes_of_random_formulas_agree_with_sympy() -> None:
    sympy = pytest.importorskip("sympy")
    rng = np.random.default_rng(11)
    symbols = sympy.symbols("x y z", real=True)
    unary = [
        sympy.sin,
        sympy.cos,
        sympy.exp,
        sympy.atan,
        lambda a: a**2,
        lambda a: sympy.sqrt(a**2 + 1),
    ]
    binary = [
        lambda a, b: a + b,
        lambda a, b: a * b,
        lambda a, b: a - b,
        lambda a, b: a / (b**2 + 1),
    ]

    def formula(depth: int) -> Any:
        if depth == 0:
            return symbols[rng.integers(3)] * sympy.Rational(int(rng.integers(1, 5)), 4)
        if rng.random() < 0.5:
            return unary[rng.integers(len(unary))](formula(depth - 1))
        return binary[rng.integers(len(binary))](formula(depth - 1), formula(depth - 1))

    points = rng.uniform(-1, 1, (3, 20))
    for _ in range(25):
        f = formula(3)
        found = ivm.grad(ivm.from_sympy(f), *points, dtype="float64")
        for slope, symbol in zip(found[1:], symbols, strict=True):
            by_sympy = ivm.from_sympy(sympy.diff(f, symbol))
            expected = ivm.evaluate(by_sympy, *points, dtype="float64")
            # two ways to round, of some dozen operations each
            np.testing.assert_allclose(slope, expected, rtol=1e-9, atol=1e-11)


# --- where branches meet -------------------------------------------------------------------------

LINES = st.sampled_from([x, y, x - y, 2 * x + y]) | st.integers(-2, 2).map(ivm.constant)


def joined(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Piecewise linear along each axis, with jumps and kinks; ``sqrt`` is that of a square."""
    one = st.sampled_from([
        *(abs, ivm.floor, ivm.ceil, ivm.round, ivm.not_, lambda a: -a, lambda a: a * 0.5),
        *(lambda a: ivm.sqrt(a * a), lambda a: a % 2, lambda a: a / -4),
    ])  # fmt: skip
    two = st.sampled_from([
        *([ivm.minimum, ivm.maximum] * 3),
        *(lambda a, b: a + b, lambda a, b: a - b, ivm.compare, ivm.and_, ivm.or_),
        *(lambda a, b: np.where(a < b, a, b), lambda a, b: np.where(a <= b, a + 1, b + 1)),
    ])  # fmt: skip
    return st.builds(lambda f, a: f(a), one, inner) | st.builds(
        lambda f, a, b: f(a, b), two, inner, inner
    )


def exactly(tape: Tape, point: list[Fraction]) -> list[Fraction]:
    """The real value of each clause of a tape of the operations of ``joined``."""
    found: list[Fraction] = []
    for i, code in enumerate(tape.codes.tolist()):
        name, a = ROWS[code].name, [found[operand] for operand in tape.operands(i)]
        if name == "const":
            found.append(Fraction(float(tape.constants(np.dtype("float64"))[i])))
        elif not a:
            found.append(point[["var-x", "var-y", "var-z"].index(name)])
        else:
            found.append(Fraction(EXACT[name](*a)))
    return found


def has_root_of_zero(tape: Tape, values: list[Fraction]) -> bool:
    codes = enumerate(tape.codes.tolist())
    return any(ROWS[code].name == "sqrt" and values[i] == 0 for i, code in codes)


EXACT: dict[str, Any] = {
    "neg": operator.neg,
    "abs": abs,
    "floor": math.floor,
    "ceil": math.ceil,
    "round": lambda a: math.floor(abs(a) + Fraction(1, 2)) * (1 if a > 0 else -1),
    "square": lambda a: a * a,
    "sqrt": lambda a: Fraction(math.isqrt(a.numerator), math.isqrt(a.denominator)),
    "not": lambda a: a == 0,
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "min": min,
    "max": max,
    "mod": lambda a, b: a % abs(b),
    "compare": lambda a, b: (a > b) - (a < b),
    "and": lambda a, b: b if a else a,
    "or": lambda a, b: a or b,
}
NEAR = Fraction(1, 2**200)
"""Nearer than branches of small numbers can meet on the way, so a quotient is the slope."""


@settings(max_examples=400)
@given(st.recursive(LINES, joined, max_leaves=10), st.integers(-4, 4), st.integers(-4, 4))
@example(ivm.maximum(x, ivm.minimum(ivm.sqrt(ivm.maximum(x, 0) * ivm.maximum(x, 0)), x * 2)), 0, 0)
@example(np.where(x > 0, -x, abs(x)), 0, 0)
@example((x % 2) - 2 * ivm.floor(-x / 2), 0, 0)
def test_a_slope_is_the_derivative_wherever_there_is_one(shape: Any, a: int, b: int) -> None:
    """Against exact quotients, at points of a lattice that most branches meet on."""
    tape, place = shape.tape(), [Fraction(a, 2), Fraction(b, 2), Fraction(0)]
    found = ivm.grad(tape, *map(float, place), dtype="float64")
    values = exactly(tape, place)
    middle = values[-1]
    assert found.value == middle
    for i, slope in enumerate(found[1:]):
        ahead, behind = (
            (exactly(tape, [c + (k == i) * h for k, c in enumerate(place)])[-1] - middle) / h
            for h in (NEAR, -NEAR)
        )
        if math.isnan(slope) and has_root_of_zero(tape, values):
            continue  # how a root of 0 bends is third order, and may decide a choice
        if ahead == behind and abs(ahead) < 2**100:  # else it jumps
            # the slope of a root is a rounded quotient
            np.testing.assert_allclose(slope, float(ahead), rtol=1e-14)


@pytest.mark.parametrize("name", SAMPLES)
def test_shapes_have_their_derivatives_on_faces_and_axes(name: str) -> None:
    """On a lattice that the faces of the samples lie on, and their lines of symmetry."""
    for shape, _ in SAMPLES[name]:
        side = np.linspace(-1, 1, 41)
        is_flat = "z" not in shape.tape().axes
        points = np.meshgrid(side, side, *([0.0] if is_flat else [side[::2]]))
        found = ivm.grad(shape, *points, dtype="float64")
        h, checked = 1e-6, 0
        for axis, slope in enumerate(found[1:]):
            ahead, behind = (
                (ivm.evaluate(shape, *moved(points, axis, way), dtype="float64") - found.value)
                / way
                for way in (h, -h)
            )
            # The slopes of two sides differ by the curvature times h, or they meet in a kink, which
            # is sharper in all samples; either way one of them is what should be found.
            smooth = np.abs(ahead - behind) < 1e-4
            wrong = ~(np.abs(slope - ahead) < 2e-4) & smooth
            # Where two sides meet a third, rounding may leave that one a place of an ulp between.
            assert wrong.sum() <= slope.size / 1000
            checked += smooth.sum()
        assert checked > 0.9 * found.dx.size * (2 if is_flat else 3)


def moved(points: Any, axis: int, way: float) -> Any:
    return [c + way * (k == axis) for k, c in enumerate(points)]


def test_a_face_is_as_steep_as_a_distance() -> None:
    assert slope(shapes.rectangle(1, 1), [0.5, -0.5], 0.1) == [[1.0, -1.0], [0.0, 0.0]]
    face = ivm.grad(shapes.box(1, 1, 1), 0.5, 0.1, 0.2)
    assert tuple(map(float, face)) == (0.0, 1.0, 0.0, 0.0)


def test_a_branch_beside_the_point_counts_and_others_do_not() -> None:
    away = ivm.minimum(abs(x), y)
    assert slope(ivm.minimum(away, -1 - y), 0.0, 3.0) == [0.0, -1.0]
    assert slope(np.where(x > 0, -x, abs(x)), 0.0) == [-1.0, 0.0]
    assert slope(ivm.sqrt(ivm.maximum(x, 0)), -1.0) == [0.0, 0.0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_many_points_where_branches_meet(dtype: str) -> None:
    """More than are looked at together, in arrays that broadcast to two axes."""
    a, b = np.linspace(-1, 1, 9)[:, None], np.linspace(-1, 1, 12_000)
    found = ivm.grad(shapes.rectangle(1, 3), a, b, dtype=dtype)
    assert found.dx.dtype == dtype
    np.testing.assert_array_equal(found.dx[[2, 6]], np.full((2, 12_000), [[-1.0], [1.0]]))


# --- what is chosen where there is no derivative -------------------------------------------------


def slope(shape: Any, a: Any, b: Any = 0.0) -> list[Any]:
    found = ivm.grad(shape, np.array(a), np.array(b), dtype="float64")
    return [found.dx.tolist(), found.dy.tolist()]


def test_a_tie_of_min_and_max_takes_the_right_operand() -> None:
    for choose in (ivm.minimum, ivm.maximum):
        assert slope(choose(2 * x, 3 * y), 0.0) == [0.0, 3.0]
        assert slope(choose(3 * y, 2 * x), 0.0) == [2.0, 0.0]


def test_a_choice_is_not_touched_by_the_side_not_taken() -> None:
    assert slope(ivm.minimum(x, ivm.sqrt(y) + 5), 1.0, 0.0) == [1.0, 0.0]
    assert slope(ivm.and_(x * 0, 1 / y), 1.0, 0.0) == [0.0, 0.0]
    assert slope(np.where(x > 0, y, ivm.sqrt(x)), 1.0, 2.0) == [0.0, 1.0]


def test_abs_at_zero_is_as_from_above() -> None:
    assert slope(abs(x), [-1.0, -0.0, 0.0, 1.0])[0] == [-1.0, 1.0, 1.0, 1.0]


def test_steps_have_no_slope_even_where_they_jump() -> None:
    for step in (ivm.floor, ivm.ceil, ivm.round, ivm.rand, ivm.not_):
        assert slope(step(x) + y, [0.0, 0.5, 1.0])[0] == [0.0] * 3


def test_mod_moves_with_its_dividend_and_by_whole_turns_with_its_divisor() -> None:
    assert slope(x % y, [5.0, -5.0, 5.0], [3.0, 3.0, -3.0]) == [[1.0] * 3, [-1.0, 2.0, 1.0]]


def test_beside_a_jump_mod_has_a_second_order_too() -> None:
    """The root of the square of what is 0 all along y is 0 there, whatever y divides."""
    assert slope(ivm.sqrt(ivm.square(x % y)), 0.0, 1.5)[1] == 0.0
    assert slope(ivm.sqrt(ivm.square(abs(x) % y + x)), 0.0, -1.5)[1] == 0.0


def test_a_root_at_zero_is_infinite_and_nan_where_its_operand_rests() -> None:
    assert slope(ivm.sqrt(x), 0.0)[0] == np.inf
    assert np.isnan(slope(ivm.sqrt(x * x), 0.0)[0])
    assert slope(ivm.sqrt(x * x), 0.0)[1] == 0.0, "no path leads to y"


def test_shapes_dtypes_and_defaults() -> None:
    shape = x * ivm.var("r", 3) + z
    found = ivm.grad(shape, np.ones(4), np.ones((2, 1)), 5.0)
    assert isinstance(found, ivm.Gradient)
    assert found._fields == ("value", "dx", "dy", "dz")
    for part, number in zip(found, (8.0, 3.0, 0.0, 1.0), strict=True):
        np.testing.assert_array_equal(part, np.full((2, 4), number, np.float32), strict=True)
    number = ivm.grad(ivm.constant(2), 0.0, 0.0)
    assert [part.shape for part in number] == [()] * 4
    assert ivm.grad(shape, 1.0, 0.0, variables={"r": 4}).dx == 4
    found.dx[:] = 7  # arrays of one's own, that may be written to


def test_bad_input_is_said_as_evaluate_says_it() -> None:
    with pytest.raises(ivm.VariableError):
        ivm.grad(ivm.var("r"), 0.0, 0.0)
    with pytest.raises(ivm.OptionError, match="broadcast"):
        ivm.grad(x, np.ones(2), np.ones(3))
    with pytest.raises(ivm.OptionError, match="dtype"):
        ivm.grad(x, 0.0, 0.0, dtype="int8")
    with pytest.raises(ivm.DoesNotFit, match="fewer points"):
        ivm.grad(ivm.sin(x), np.ones(1000), 0.0, max_memory=1000)


def test_slopes_are_freed_at_their_last_use() -> None:
    """A long chain needs a few arrays, not one a clause."""
    import tracemalloc

    shape = x
    for _ in range(300):
        shape = ivm.sin(shape) + y
    points = np.ones(10_000)
    evaluator = NumpyEvaluator(shape.tape(), ("x", "y"), np.dtype("float64"))
    tracemalloc.start()
    evaluator.gradients([points, points], evaluator.inputs)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * points.nbytes
