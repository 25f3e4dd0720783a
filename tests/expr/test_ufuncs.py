"""NumPy's functions on expressions: the same bits as NumPy's own, and a clear refusal elsewhere."""

from __future__ import annotations

import functools
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.places import TOP
from support.programs import neighbours, special

import intervalvm as ivm
from intervalvm.expr import Expr, axes, var
from intervalvm.expr.ufuncs import ARRAY_FUNCTIONS, UFUNCS, WAYS_OUT
from intervalvm.ops import ROWS
from intervalvm.shapes import Shape

if TYPE_CHECKING:
    from collections.abc import Callable

x, y, z = axes()
DTYPES = [np.float32, np.float64]
NUMPY_UFUNCS = {
    ufunc.__name__: ufunc
    for ufunc in (*vars(np).values(), np._core.umath.clip)
    if isinstance(ufunc, np.ufunc)
}
HYPERBOLIC = {"sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh"}
FUNCTIONS = {op.names.numpy for op in ROWS if op.function and op.names.numpy}
NOT_THE_SAME_BITS = {
    **dict.fromkeys(FUNCTIONS, "this project's own, in float32 by way of float64"),
    **dict.fromkeys(HYPERBOLIC, "within the ulps of expr.functions"),
    "hypot": "the root of a sum of squares",
    "power": "multiplies",
    "deg2rad": "in float32 the last bit",
    "radians": "in float32 the last bit",
    "rad2deg": "in float32 the last bit",
    "degrees": "in float32 the last bit",
}
BITWISE = {"bitwise_and", "bitwise_or", "bitwise_xor", "invert"}
EXACT = sorted(set(UFUNCS) - set(NOT_THE_SAME_BITS) - BITWISE)
TIES = {"minimum", "maximum", "fmin", "fmax", "clip"}
"""What takes either of +0 and -0 in NumPy."""


def points(count: int, dtype: Any) -> list[Any]:
    """Each combination of peculiar floats for up to three operands."""
    some = np.unique(neighbours([v for v in special(dtype) if not np.isnan(v)], dtype))
    plain = np.array([*special(dtype), -2.5, 2.25, 7.0, -7.0, 0.3, 1e-5], dtype)
    values = np.concatenate([some, plain, -plain[plain == 0]]) if count == 1 else plain
    return [axis.ravel() for axis in np.meshgrid(*[values] * count)]


def same(ours: Any, theirs: Any, *, ties: bool = False) -> None:
    """Assert the same bits; any NaN is as good as another, and with ``ties`` any zero."""
    theirs = np.asarray(theirs).astype(ours.dtype)
    alike = (ours == theirs) & (ties | (np.signbit(ours) == np.signbit(theirs)))
    alike |= np.isnan(ours) & np.isnan(theirs)
    assert alike.all(), (ours[~alike][:5], theirs[~alike][:5])


def values(shape: Expr, arrays: list[Any], dtype: Any) -> Any:
    return ivm.evaluate(shape, *[*arrays, 0.0, 0.0][:3], dtype=dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", EXACT)
def test_a_ufunc_gives_numpys_bits(name: str, dtype: Any) -> None:
    ufunc = NUMPY_UFUNCS[name]
    arrays = points(ufunc.nin, dtype)
    if name in ("signbit", "copysign"):  # the sign of a NaN means nothing here
        arrays = [np.where(np.isnan(a), dtype(np.nan), a) for a in arrays]
    with np.errstate(all="ignore"):
        theirs = ufunc(*arrays)
    same(values(ufunc(*[x, y, z][: ufunc.nin]), arrays, dtype), theirs, ties=name in TIES)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", sorted(NOT_THE_SAME_BITS))
def test_what_is_not_numpys_to_the_bit_is_near(name: str, dtype: Any) -> None:
    rng = np.random.default_rng(1)
    arrays = list(rng.uniform(0.01, 0.99, (NUMPY_UFUNCS[name].nin, 1000)).astype(dtype))
    if name == "arccosh":
        arrays = [1 + arrays[0]]
    if name == "power":
        ours, theirs = np.power(x, 7), np.power(arrays[0], 7)
    else:
        ufunc = NUMPY_UFUNCS[name]
        ours, theirs = ufunc(*[x, y][: ufunc.nin]), ufunc(*arrays)
    # a few roundings on each side
    np.testing.assert_allclose(values(ours, arrays, dtype), theirs, rtol=8 * np.finfo(dtype).eps)


def test_every_ufunc_of_numpy_is_built_or_refused_by_name() -> None:
    for name, ufunc in NUMPY_UFUNCS.items():
        if name in UFUNCS:
            continue
        with pytest.raises(TypeError, match=rf"np\.{name} has no counterpart"):
            ufunc(*[x, y][: ufunc.nin])
    assert not set(UFUNCS) & set(WAYS_OUT)


@pytest.mark.parametrize("name", WAYS_OUT)
def test_what_stands_in_for_a_function_gives_its_values(name: str) -> None:
    names = {**vars(ivm), "math": math, "trunc": np.trunc, "a": x, "b": y, "p": 1.5}
    ufunc, (a, b) = NUMPY_UFUNCS[name], np.array([[5.5, 0.3, 2.0], [2.0, 0.25, 1.5]])
    inputs = (a, 1.5 if name == "float_power" else b)[: ufunc.nin]
    expected = ufunc(*inputs)
    expected = {"divmod": expected, "modf": expected[1:]}.get(name, (expected,))
    ways = WAYS_OUT[name].partition(", for")[0].split(" and ")
    for way, values in zip(ways, expected, strict=True):
        found = ivm.evaluate(eval(way, names), a, b, dtype="float64")
        np.testing.assert_allclose(found, values, rtol=1e-14)


@pytest.mark.parametrize(
    "call",
    [lambda: np.zeros_like(x, dtype=float), lambda: np.ones_like(x, order="C"),
     lambda: np.full_like(x, 2, dtype=float), lambda: np.round(x, out=y), lambda: np.fix(x, out=y)],
)  # fmt: skip
def test_an_option_that_only_arrays_have_is_refused(call: Callable[[], Any]) -> None:
    with pytest.raises(ivm.ArgumentTypeError, match=r"of expressions: .*'\w+'; leave that out"):
        call()


def test_as_many_choices_as_conditions() -> None:
    with pytest.raises(ivm.OptionError, match="2 conditions for 1 choices: give as many"):
        np.select([x < 0, x > 0], [y])


def test_the_page_on_expressions_lists_them_all() -> None:
    page = (TOP / "docs" / "expressions.md").read_text(encoding="utf-8")
    table = page.partition("| functions | what they give |")[2].partition("\n\n")[0]
    listed = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)))
    functions = {function.__name__ for function in ARRAY_FUNCTIONS}
    assert set(listed) == set(UFUNCS) | functions


def test_a_refusal_says_what_to_use() -> None:
    with pytest.raises(TypeError, match=r"np\.log10 has no counterpart .* log\(a\) / math\.log"):
        np.log10(x)
    with pytest.raises(TypeError, match=r"np\.floor_divide .* use floor\(a / b\)"):
        _ = x // 2
    with pytest.raises(TypeError, match=r"np\.linalg\.norm has no counterpart"):
        np.linalg.norm(x)
    with pytest.raises(TypeError, match=r"np\.sum has no counterpart"):
        np.sum(x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("divisor", [3.0, -3.0, 0.1, 0.0, -0.0, np.inf, -np.inf, np.nan, 1e-300])
def test_remainder_by_a_number_is_numpys(divisor: float, dtype: Any) -> None:
    (a,) = points(1, dtype)
    with np.errstate(all="ignore"):
        same(values(np.mod(x, divisor), [a], dtype), np.mod(a, dtype(divisor)))
        theirs = np.remainder(dtype(divisor), a)
    same(values(np.remainder(divisor, x), [a], dtype), theirs)


def test_the_operator_is_euclidean_where_numpys_function_follows_the_divisor() -> None:
    assert str((x % -3.0).tape()).splitlines()[-1].split()[1] == "mod"
    assert values(x % -3.0, [1.0], np.float64) == 1.0
    assert values(np.mod(x, -3.0), [1.0], np.float64) == -2.0


# --- comparisons and truths ----------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "compare",
    [
        lambda a, b: a < b,
        lambda a, b: a <= b,
        lambda a, b: a > b,
        lambda a, b: a >= b,
        lambda a, b: a == b,
        lambda a, b: a != b,
        lambda a, b: (a < b) & (b > 0),
        lambda a, b: (a < b) | (b == 0),
        lambda a, b: (a < b) ^ (a < 1),
        lambda a, b: ~(a < b),
        lambda a, b: True & (a < b),
        lambda a, b: False | (a < b),
        lambda a, b: a < 1.5,
        lambda a, b: a > 1.5,
        lambda a, b: a == 1.5,
    ],
)
def test_comparisons_are_1_and_0_as_numpy_compares(compare: Callable[..., Any], dtype: Any) -> None:
    a, b = points(2, dtype)
    ours = values(compare(x, y), [a, b], dtype)
    same(ours, compare(a, b))


def test_a_numpy_number_on_the_left_compares_and_computes_too() -> None:
    for shape, text in (
        (np.float64(1) >= x, np.greater_equal(1, x)),
        (np.float32(2) - x, 2 - x),
        (np.array(2.0) * x, 2 * x),
    ):
        assert isinstance(shape, Expr)
        assert shape.tape() == text.tape()


def test_bits_are_combined_of_comparisons_only() -> None:
    for wrong in (lambda: x & y, lambda: (x < y) | x, lambda: ~x, lambda: x ^ 2, lambda: x & 3):
        with pytest.raises(TypeError, match="are for comparisons"):
            wrong()
    with pytest.raises(TypeError, match=r"put parentheses round .* \(a < b\) & \(c < d\)"):
        _ = x**2 + y**2 < 0.25 & x < 0


@pytest.mark.parametrize("other", [None, "1", [1], np.ones(2), np.array("1"), 1j, object()])
def test_comparing_with_what_is_no_operand_is_an_error(other: Any) -> None:
    for compare in (lambda: x == other, lambda: x != other, lambda: x < other):
        with pytest.raises(TypeError, match=r"np\.(not_)?(equal|less)"):
            compare()


# --- where, clip, select -------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("is_truth", [False, True])
def test_where_gives_each_bit_of_what_it_takes(is_truth: bool, dtype: Any) -> None:
    a, b, c = points(3, dtype)
    condition = (z > 0) if is_truth else z
    same(values(np.where(condition, x, y), [a, b, c], dtype),
         np.where(c > 0 if is_truth else c.astype(bool), a, b))  # fmt: skip


@given(st.tuples(*[st.floats()] * 3))
def test_where_on_any_floats(numbers: tuple[float, float, float]) -> None:
    c, a, b = (np.float64(n) for n in numbers)
    same(values(ivm.where(z, x, y), [a, b, c], np.float64), np.where(bool(c), a, b))


def test_where_with_numbers() -> None:
    assert values(np.where(x > 0, 1, -1), [np.array([-2.0, 0.0, 3.0])], np.float64).tolist() == [
        -1.0, -1.0, 1.0,
    ]  # fmt: skip
    assert values(np.where(True, x, y), [2.0, 3.0], np.float64) == 2.0


def test_where_is_pruned_to_the_side_that_is_taken() -> None:
    shape = np.where(x > 0, np.sin(y), np.cos(y))
    short = ivm.simplify(shape, x=(0.1, 1), y=(-1, 1))
    assert short.counts().get("sin") == 1
    assert "cos" not in short.counts()


def test_clip_with_one_bound_and_by_keyword() -> None:
    assert np.clip(x, None, 2).tape() == ivm.minimum(x, 2).tape()
    assert np.clip(x, 1, None).tape() == ivm.maximum(x, 1).tape()
    assert np.clip(x, 1, y).tape() == ivm.minimum(ivm.maximum(x, 1), y).tape()
    assert np.clip(x, min=1, max=2).tape() == np.clip(x, 1, 2).tape()


@pytest.mark.parametrize("dtype", DTYPES)
def test_select_takes_the_first_that_holds(dtype: Any) -> None:
    a, b = points(2, dtype)

    def f(a: Any, b: Any) -> Any:
        return np.select([a < 0, b > a], [a * 2, b], default=a)

    with np.errstate(all="ignore"):
        same(values(f(x, y), [a, b], dtype), f(a, b))


@pytest.mark.parametrize("dtype", DTYPES)
def test_python_and_numpy_round_a_half_to_even(dtype: Any) -> None:
    (a,) = points(1, dtype)
    for shape in (np.round(x), np.around(x), round(x)):
        same(values(shape, [a], dtype), np.round(a))
    same(values(np.fix(x), [a], dtype), np.trunc(a))
    with pytest.raises(TypeError, match="whole numbers only"):
        np.round(x, 2)


def test_constants_like_an_expression() -> None:
    assert np.zeros_like(x).tape() == ivm.constant(0).tape()
    assert np.ones_like(x).tape() == ivm.constant(1).tape()
    assert np.full_like(x, 2.5).tape() == ivm.constant(2.5).tape()


def test_every_array_function_is_tried_here() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    for function in ARRAY_FUNCTIONS:
        assert f"np.{function.__name__}(" in source


# --- what stays refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: x + np.ones(3), "array of shape"),
        (lambda: np.ones(3) * x, "array of shape"),
        (lambda: np.sin(x, out=np.ones(1)), "takes no option out="),
        (lambda: np.sin(x, where=np.ones(1, bool)), "takes no option where="),
        (lambda: np.sin(x, dtype="float32"), "takes no option dtype="),
        (lambda: np.add.reduce(x), "is for arrays"),
        (lambda: np.add.outer(x, y), "is for arrays"),
        (lambda: np.minimum.reduce([x, y]), "arrays hold no expressions"),
        (lambda: np.array([x, y]), "arrays hold no expressions"),
        (lambda: np.asarray(x), "arrays hold no expressions"),
        (lambda: np.stack([x, y]), "no counterpart"),
        (lambda: np.where(x), "a condition and two values"),
        (lambda: np.where(x > 0, "a", y), "expected an expression or a number"),
        (lambda: np.clip(x, 0, 1, out=None), "takes no option out="),
        (lambda: np.power(x, y), "must be a whole number"),
        (lambda: np.power(2, x), "must be a whole number"),
        (lambda: np.power(x, 0.3), "must be a whole number"),
        (lambda: float(x), "not one number"),
        (lambda: np.float64(x), "not one number|arrays hold no expressions"),
    ],
)
def test_what_has_no_meaning_is_a_type_error(wrong: Callable[[], Any], said: str) -> None:
    with pytest.raises(TypeError, match=said):
        wrong()


def test_many_are_combined_one_by_one() -> None:
    assert functools.reduce(np.minimum, [x, y, z]).tape().counts()["min"] == 2


# --- trace ---------------------------------------------------------------------------------------


def ring(x: Any, y: Any) -> Any:
    return np.abs(np.hypot(x, y) - 0.5) - 0.1


def test_a_numpy_function_becomes_a_tape() -> None:
    tape = ivm.trace(ring)
    assert isinstance(tape, ivm.Tape)
    assert tape == ring(x, y).tape()
    a, b = np.random.default_rng(0).uniform(-1, 1, (2, 100))
    np.testing.assert_allclose(tape(a, b, dtype="float64"), ring(a, b), rtol=1e-15, atol=1e-15)


def test_trace_of_three_arguments_of_constants_and_of_numpys_own() -> None:
    assert ivm.trace(lambda x, y, z: x + y + z).axes == ("x", "y", "z")
    assert ivm.trace(lambda x, y, z=0.0: x + y + z).axes == ("x", "y", "z")
    assert ivm.trace(lambda x, y, r=0.5: x + y - r).axes == ("x", "y")
    assert ivm.trace(lambda *p: p[0] + p[2]).axes == ("x", "z")
    assert str(ivm.trace(lambda x, y: 2)) == "_0 const 2.0\n"
    assert ivm.trace(lambda x, y: True)(0.0, 0.0) == -0.5, "drawn everywhere"
    assert ivm.trace(lambda x, y: np.False_)(0.0, 0.0) == 0.5, "drawn nowhere"
    assert ivm.trace(np.hypot) == np.hypot(x, y).tape()
    assert ivm.trace(functools.partial(lambda r, x, y: x + y - r, 0.5)).axes == ("x", "y")
    assert ivm.trace(lambda x, y: x * ivm.var("r")).variables == ("r",)


def branching(x: Any, y: Any) -> Any:
    if x > 0:
        return y
    return -y


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (branching, r"branching asks for a value in line \d+ of test_ufuncs\.py, 'if x > 0:'"),
        (lambda x, y: max(x, y), "neither true nor false"),
        (lambda x, y: 0 < x < y, "neither true nor false"),
        (lambda x, y: [x, y], "returned a value of type 'list'"),
        (lambda x, y: np.ones(3), "returned a value of type 'ndarray'"),
        (lambda x, y: None, "returned nothing"),
        (lambda x: x, "not a function of two or three"),
        (lambda: 1.0, "not a function of two or three"),
        (lambda a, b, c, d: a, "not a function of two or three"),
        (lambda x, y, *, k: x, "not a function of two or three"),
        (np.sin, "not a function of two or three"),
        (3, "expected a function"),
    ],
)
def test_trace_says_what_is_wrong(wrong: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        ivm.trace(wrong)


def test_trace_passes_other_errors_on() -> None:
    with pytest.raises(ZeroDivisionError):
        ivm.trace(lambda x, y: x / (1 // 0))


def test_trace_of_math_says_to_use_numpy() -> None:
    import math

    with pytest.raises(TypeError, match="use NumPy's functions instead of those of math"):
        ivm.trace(lambda x, y: math.sqrt(x))
    assert math.floor(x).tape() == np.floor(x).tape()


# --- bind ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_tape", [False, True])
def test_binding_sets_a_variable_for_good(as_tape: bool) -> None:
    shape = ivm.sqrt(x * x + y * y) * var("s", 2) - var("r", 0.5)
    free: Any = shape.tape() if as_tape else shape
    bound = free.bind(r=0.7)
    assert type(bound) is type(free)
    tape = bound if as_tape else bound.tape()
    assert tape.check().variables == ("s",)
    for dtype in ("float32", "float64"):
        a, b = np.random.default_rng(0).uniform(-1, 1, (2, 50))
        theirs = ivm.evaluate(shape, a, b, variables={"s": 3, "r": 0.7}, dtype=dtype)
        np.testing.assert_array_equal(
            ivm.evaluate(bound, a, b, variables={"s": 3}, dtype=dtype), theirs
        )
    assert free.bind(s=3, r=0.7).bind().tape().variables == () if not as_tape else True
    with pytest.raises(ivm.VariableError, match="no free variable 'q' to bind; there is 's', 'r'"):
        free.bind(q=1)
    with pytest.raises(ivm.VariableError, match="there is 's'"):
        bound.bind(r=1)
    with pytest.raises(ivm.OptionError, match="is not a number"):
        free.bind(r="big")


def test_binding_a_shape_gives_a_shape() -> None:
    disc = Shape(lambda x, y, z: ivm.sqrt(x * x + y * y) - var("r", 0.5))
    bound = disc.bind(r=0.7)
    assert isinstance(bound, Shape)
    assert bound.tape() == disc.expr.bind(r=0.7).tape()
    assert bound(x - 1, y, z).tape() == disc(x - 1, y, z).bind(r=0.7).tape()
    with pytest.raises(ivm.VariableError, match="'q'"):
        disc.bind(q=1)


def test_binding_keeps_what_does_not_depend_on_the_variable() -> None:
    part = ivm.sqrt(x)
    assert (part * var("r")).bind(r=2)._operands[0] is part
    assert part.bind() is part


def test_binding_a_deep_expression_needs_no_deep_stack() -> None:
    shape = var("r")
    for _ in range(20_000):
        shape = shape + x
    assert shape.bind(r=1).tape().variables == ()
