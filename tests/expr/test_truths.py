"""Truths are drawn where they hold, by every call; as values they are 1 and 0."""

from __future__ import annotations

import operator
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import intervalvm as ivm
from intervalvm.expr import Expr, is_truth
from intervalvm.shapes import Shape, circle, difference, half_plane, intersection, union

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

x, y, z = ivm.axes()
SIZE = 17
"""Steps of 1/8: comparisons with such numbers tie at pixels."""
LINE = np.linspace(-1, 1, SIZE, dtype=np.float32)
X, Y = np.meshgrid(LINE, -LINE)

TRUTHS: dict[str, Callable[[Any, Any], Any]] = {
    "<": lambda x, y: x < y,
    "<=": lambda x, y: x * x + y * y <= 0.25,
    ">": lambda x, y: x > 0.5,
    ">=": lambda x, y: x * y >= -0.5,
    "==": lambda x, y: x == y,
    "!=": lambda x, y: x != y,
    "&": lambda x, y: (x < 0.5) & (y > x),
    "|": lambda x, y: (x < -0.5) | (y >= x),
    "^": lambda x, y: (x < 0.5) ^ (y > x),
    "~": lambda x, y: ~(x < 0.25),
    "nested": lambda x, y: ~((x < 0.25) & ~(y < 0)) | ((x == y) & (y > 0.5)),
    "NaN": lambda x, y: np.sqrt(x) < 0.5,
    "not NaN": lambda x, y: ~(np.sqrt(x) < 0.5),
    "NaN or": lambda x, y: (np.sqrt(x) < 0.5) | (y > 0),
    "isnan": lambda x, y: np.isnan(np.sqrt(x)),
    "less": lambda x, y: np.less(x, y),
    "logical_and": lambda x, y: np.logical_and(x, y),
    "logical_or": lambda x, y: np.logical_or(x, y > 0),
    "logical_xor": lambda x, y: np.logical_xor(x, y),
    "logical_not": lambda x, y: np.logical_not(x),
    "where": lambda x, y: np.where(x < y, y < 0, x > 0),
    "where, of a constant": lambda x, y: np.where(x < y, y < 0, False),
    "where, of True": lambda x, y: np.where(x < y, True, False),
    "where, of NumPy's": lambda x, y: np.where(x, np.False_, np.True_),
    "select, of True": lambda x, y: np.select([x < y, y < 0], [False, True], False),
    "where, of a number": lambda x, y: np.where(x, y < 0, x == 0),
    "select": lambda x, y: np.select([x < 0, y < 0], [y > x, x > 0.5], default=False),
    "minimum": lambda x, y: np.minimum(x < 0, y < 0),
    "maximum": lambda x, y: np.maximum(x < 0, y < 0),
    "product": lambda x, y: (x < 0) * (y < 0),
    "True |": lambda x, y: True | (x < 0),
    "False &": lambda x, y: False & (x < 0),
}
"""Functions of NumPy's arrays and of expressions."""


def and_or_not(x: Any, y: Any) -> Any:
    """The operations by name, which arrays do not have."""
    if isinstance(x, Expr):
        return ivm.or_(ivm.and_(x < 0, y < 0), ivm.not_(y))
    return ((x < 0) & (y < 0)) | (y == 0)


TRUTHS["and_ or_ not_"] = and_or_not
each_truth = pytest.mark.parametrize("name", TRUTHS)


def mask(name: str, x: Any = X, y: Any = Y) -> Any:
    with np.errstate(all="ignore"):
        return np.broadcast_to(np.asarray(TRUTHS[name](x, y), bool), np.shape(x))


def drawn(shape: Any, **options: Any) -> Any:
    return ivm.render(shape, size=SIZE, **options).pixels == 255


# --- drawn --------------------------------------------------------------------------------------


@each_truth
@pytest.mark.parametrize(
    "options",
    [{}, {"depth": 3}, {"backend": "numpy"}, {"engine": "dense"}, {"engine": "naive"},
     {"dtype": "float64"}, {"fold": "fast"}],
    ids=str,
)  # fmt: skip
def test_a_picture_shows_where_it_holds(name: str, options: dict[str, Any]) -> None:
    np.testing.assert_array_equal(drawn(TRUTHS[name](x, y), **options), mask(name))


WAYS: dict[str, Callable[[Expr, Path], Any]] = {
    "tape": lambda truth, _: truth.tape(),
    "printed": lambda truth, _: ivm.parse(str(truth.tape())),
    "saved": lambda truth, path: (ivm.save(truth, path), ivm.load(path))[1],
    "fold": lambda truth, _: ivm.fold(truth),
    "fast": lambda truth, _: ivm.fold(truth, "fast"),
    "simplify": lambda truth, _: ivm.simplify(truth, x=(-1, 1), y=(-1, 1)),
    "sign": lambda truth, _: ivm.simplify(truth, x=(-1, 1), y=(-1, 1), keep="sign"),
    "sign32": lambda truth, _: ivm.simplify(
        truth, x=(-1, 1), y=(-1, 1), keep="sign", dtype="float32"
    ),
    "expression": lambda truth, _: ivm.expression(truth.tape()),
    "bind": lambda truth, _: (truth & (x < ivm.var("r"))).bind(r=9.0),
    "source": lambda truth, _: eval(str(truth).split("\n")[-1], _names(str(truth))),
    "pickle": lambda truth, _: pickle.loads(pickle.dumps(truth)),
    "Shape of it": lambda truth, _: Shape(truth),
    "union": lambda truth, _: union(truth),
    "intersection": lambda truth, _: intersection(truth, half_plane((1, 0), 9)),
}
"""What draws the same."""


def _names(source: str) -> dict[str, Any]:
    names = {**vars(ivm), "x": x, "y": y, "z": z}
    exec("\n".join(source.split("\n")[:-1]), names)
    return names


@each_truth
@pytest.mark.parametrize("way", WAYS)
def test_what_is_made_of_it_draws_the_same(name: str, way: str, tmp_path: Path) -> None:
    shape = WAYS[way](TRUTHS[name](x, y), tmp_path / "truth.vm")
    np.testing.assert_array_equal(drawn(shape, backend="numpy"), mask(name))


@each_truth
def test_functions_and_renderers_draw_it_too(name: str) -> None:
    function = TRUTHS[name]
    for shape in (ivm.trace(function), Shape(lambda x, y, _: function(x, y))):
        np.testing.assert_array_equal(drawn(shape, backend="numpy"), mask(name))
    np.testing.assert_array_equal(
        ivm.Renderer(function(x, y), size=SIZE).render().pixels == 255, mask(name)
    )


def test_a_notebook_shows_it() -> None:
    assert (x < 0)._repr_png_() == ivm.render(x, size=256)._repr_png_()


@pytest.mark.parametrize("truth", [True, False, np.True_, np.False_])
def test_a_truth_of_python_is_all_or_nothing(truth: Any) -> None:
    for shape in (ivm.trace(lambda x, y: truth), Shape(lambda x, y, z: truth)):
        assert drawn(shape, backend="numpy").all() == drawn(shape, backend="numpy").any() == truth


def test_variables_keep_their_defaults() -> None:
    truth = x < ivm.var("r", 0.25)
    np.testing.assert_array_equal(drawn(truth), X < 0.25)
    np.testing.assert_array_equal(drawn(truth, variables={"r": -0.5}), X < -0.5)
    np.testing.assert_array_equal(drawn(Shape(truth).move(0.25)), X < 0.5)


def test_what_is_left_of_a_truth_compares_infinities() -> None:
    """Their difference is NaN, which ``or`` would pass on as ``min``."""
    truth = (1 / x < 1 / y) | (x > -0.5)
    for dtype in ("float32", "float64"):
        short = ivm.simplify(truth, x=(-1, 1), y=(-1, 1), keep="sign", dtype=dtype)
        assert "min" in short.counts()
        assert ivm.evaluate(short, 0.0, 0.0, dtype=dtype) < 0


# --- valued -------------------------------------------------------------------------------------


@each_truth
def test_a_value_is_1_or_0(name: str) -> None:
    truth = TRUTHS[name](x, y)
    expected = mask(name).astype(np.float32)
    for dtype in ("float32", "float64"):
        np.testing.assert_array_equal(ivm.evaluate(truth, X, Y, dtype=dtype), expected)
    np.testing.assert_array_equal(ivm.grad(truth, X, Y).value, expected)
    box = ivm.interval(truth, x=(-1, 1), y=(-1, 1))
    assert 0 <= box.lower <= expected.min()
    assert expected.max() <= box.upper <= 1
    np.testing.assert_array_equal(ivm.evaluate(0 + 2 * truth, X, Y), 2 * expected)


FIELDS = ("tape", "printed", "saved", "fold", "simplify", "expression", "Shape of it")
"""Of ``WAYS`` those that keep values: what they make is the field."""


@each_truth
def test_the_field_of_a_truth_is_half_less_it(name: str, tmp_path: Path) -> None:
    truth, path = TRUTHS[name](x, y), tmp_path / "truth.vm"
    for way in FIELDS:
        found = ivm.evaluate(WAYS[way](truth, path), X, Y)
        np.testing.assert_array_equal(found, 0.5 - mask(name).astype(np.float32))
    for way in ("pickle", "source"):
        assert is_truth(WAYS[way](truth, path))
    assert is_truth((truth & (x < ivm.var("r"))).bind(r=9.0))


def test_numbers_are_no_truths() -> None:
    assert not drawn(ivm.constant(1)).any()
    assert drawn(ivm.constant(-1)).all()
    for number in (x, ivm.constant(1), ivm.constant(0), np.where(x < 0, 1, 0), (x < 0) + (y < 0),
                   np.where(x < 0, 1.0, 0.0), np.where(x < 0, True, 2), np.where(x < 0, True, y),
                   ivm.and_(x < 0, y), ivm.minimum(x < 0, 2), -(x < 0)):  # fmt: skip
        assert not is_truth(number)
    chosen = ivm.or_(ivm.and_(x < 0, x + 0.5), y)  # a field of two parts
    np.testing.assert_array_equal(drawn(chosen), np.where((X < 0) & (X + 0.5 != 0), X + 0.5, Y) < 0)


def test_a_tape_keeps_its_own_meaning() -> None:
    tape = ivm.parse("x var-x\nzero const 0\nout compare x zero\ntruth not out\n")
    assert not drawn(tape).any()
    again = ivm.expression(tape)
    assert not drawn(again).any()
    assert not drawn(Shape(lambda x, y, z: ivm.expression(tape, x, y, z))).any()
    np.testing.assert_array_equal(ivm.evaluate(again, X, Y), (X == 0).astype(np.float32))


def test_stats_say_when_a_tape_is_a_truth() -> None:
    text = "x var-x\none const 1\na not x\nb not a\nout and a b\n"
    assert "the tape's value is 1 or 0, never" in str(ivm.render(ivm.parse(text), size=8).stats)
    for shape in (x < 0, x, ivm.parse(text + "n neg out\n")):
        assert "is 1 or 0" not in str(ivm.render(shape, size=8).stats)


def test_deep_truths_need_no_deep_stack_and_no_second_look() -> None:
    truth = x < 0
    for i in range(20_000):
        truth = truth | (y < i)
    assert len(truth.tape()) > 20_000
    field = x
    for i in range(20_000):
        field = ivm.minimum(field, y - i)
    assert not is_truth(field)


# --- joined with shapes -------------------------------------------------------------------------

DISC = circle(0.7)  # no pixel lies on its boundary
LEFT = x < 0.125
IN_DISC = drawn(DISC, engine="dense")
IN_LEFT = X < 0.125
JOINED: list[tuple[Callable[[], Any], Any]] = [
    (lambda: DISC & LEFT, IN_DISC & IN_LEFT),
    (lambda: LEFT & DISC, IN_DISC & IN_LEFT),
    (lambda: DISC | LEFT, IN_DISC | IN_LEFT),
    (lambda: LEFT | DISC, IN_DISC | IN_LEFT),
    (lambda: DISC - LEFT, IN_DISC & ~IN_LEFT),
    (lambda: LEFT - DISC, IN_LEFT & ~IN_DISC),
    (lambda: DISC & ~LEFT, IN_DISC & ~IN_LEFT),
    (lambda: ~(DISC & LEFT), ~(IN_DISC & IN_LEFT)),
    (lambda: ~Shape(LEFT), ~IN_LEFT),
    (lambda: ~Shape(np.sqrt(x) < 0.5), ~((X >= 0) & (X < 0.25))),
    (lambda: DISC & LEFT & (y < 0), IN_DISC & IN_LEFT & (Y < 0)),
    (lambda: union(LEFT, DISC, y > 0.5), IN_DISC | IN_LEFT | (Y > 0.5)),
    (lambda: intersection(DISC, LEFT), IN_DISC & IN_LEFT),
    (lambda: difference(LEFT, DISC, y < 0), IN_LEFT & ~IN_DISC & ~(Y < 0)),
    (lambda: (DISC & (x <= 0)).rotate(90).rotate(-90), IN_DISC & (X <= 0)),
    (lambda: (circle(9) & (x < 0.5)).move(0.25), X < 0.75),
    (lambda: (circle(9) & (x < 0.5)).reflect("x"), X > -0.5),
    (lambda: DISC.morph(x < 0, 1.0), X < 0),
]


@pytest.mark.parametrize("case", range(len(JOINED)))
def test_shapes_and_truths_join(case: int) -> None:
    make, expected = JOINED[case]
    for options in ({}, {"backend": "numpy"}, {"engine": "dense"}):
        np.testing.assert_array_equal(drawn(make(), **options), expected)


@pytest.mark.parametrize(
    "wrong",
    [lambda: DISC & x, lambda: x & DISC, lambda: DISC - x, lambda: x - DISC, lambda: union(DISC, x),
     lambda: DISC | (x + 1)],
)  # fmt: skip
def test_an_expression_that_is_no_truth_is_no_set(wrong: Callable[[], Any]) -> None:
    with pytest.raises(ivm.ArgumentTypeError, match=r"comparisons|compare it"):
        wrong()


# --- proven -------------------------------------------------------------------------------------


def test_proofs_are_about_where_it_holds() -> None:
    disc = ivm.prove(x**2 + y**2 < 0.25)
    assert disc.verdict == "crossed"
    assert disc.area[0] < np.pi / 4 < disc.area[1]
    assert ivm.prove(x**2 + y**2 >= 0).verdict == "full"
    assert ivm.prove(x**2 + y**2 < 0, resolution=16).verdict != "full"
    assert ivm.prove(x**2 < -1).verdict == "empty"
    assert ivm.prove(~(x**2 < -1)).verdict == "full"
    assert ivm.prove((x < 0) | (x > -0.5)).verdict == "full"
    assert ivm.prove(circle(9) & (x < 2)).verdict == "full"


ROUNDED = {"<=", "NaN", "not NaN", "NaN or", "isnan"}
"""Sums and roots are known up to rounding, so that ties are not proven."""


@each_truth
@pytest.mark.parametrize("prove", ["point", "area"])
@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_no_verdict_is_false(name: str, prove: str, backend: str) -> None:
    """Where no operand is undefined the real function is the float one, at numbers like these."""
    options: dict[str, Any] = {"region": ivm.Region((0.0, 1.0), (0.0, 1.0)), "dtype": "float64"}
    truth = TRUTHS[name](x, y)
    proven = ivm.render(truth, size=SIZE, prove=prove, backend=backend, **options).pixels
    exact = ivm.render(truth, size=SIZE, engine="dense", **options).pixels
    if "NaN" in name or name == "isnan":  # the left edge of areas is left of 0
        proven, exact = proven[:, 1:], exact[:, 1:]
    assert (exact[proven == 255] == 255).all()
    assert (exact[proven == 0] == 0).all()
    if prove == "point" and name not in ROUNDED:
        assert (proven != 128).all(), "the samples and all values are exact"


@pytest.mark.parametrize("truth", [np.sqrt(x) < 0.5, ~(np.sqrt(x) < 0.5), np.isnan(np.sqrt(x))])
def test_where_an_operand_is_undefined_so_is_the_truth(truth: Expr) -> None:
    """A proof is about the real function, where NaN is no number that could compare."""
    region = ivm.Region((-2.0, -1.0), (0.0, 1.0))
    proof = ivm.prove(truth, region=region, resolution=8)
    assert proof.verdict in ("empty", "undecided")
    assert (proof.image.pixels != 255).all()


# --- a search -----------------------------------------------------------------------------------


def sides() -> st.SearchStrategy[Any]:
    """Functions of x and y whose floats are NumPy's."""
    numbers = st.integers(-8, 8).map(lambda n: n / 8)
    return st.sampled_from(
        [lambda x, y: x, lambda x, y: y, lambda x, y: np.sqrt(x), lambda x, y: x * y + x,
         lambda x, y: abs(x) - y / 2, lambda x, y: x / y]
    ) | numbers.map(lambda n: lambda x, y: n + 0 * x)  # fmt: skip


def truths() -> st.SearchStrategy[Any]:
    signs = st.sampled_from(
        [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]
    )
    compared = st.builds(
        lambda sign, a, b: lambda x, y: sign(a(x, y), b(x, y)), signs, sides(), sides()
    )
    joins = st.sampled_from(
        [operator.and_, operator.or_, operator.xor, operator.mul, np.logical_and, np.logical_or,
         np.minimum, np.maximum]
    )  # fmt: skip
    return st.recursive(
        compared,
        lambda inner: (
            inner.map(lambda f: lambda x, y: ~f(x, y))
            | st.builds(lambda j, f, g: lambda x, y: j(f(x, y), g(x, y)), joins, inner, inner)
            | st.builds(
                lambda f, g, h: lambda x, y: np.where(f(x, y), g(x, y), h(x, y)),
                inner, inner, inner,
            )
        ),
        max_leaves=8,
    )  # fmt: skip


@given(truths())
def test_any_truth_is_drawn_where_numpy_says_true(truth: Any) -> None:
    with np.errstate(all="ignore"):
        expected = truth(X, Y)
    assert expected.dtype == bool
    shape = truth(x, y)
    assert is_truth(shape)
    np.testing.assert_array_equal(ivm.evaluate(shape, X, Y), expected)
    for options in ({"engine": "dense"}, {"backend": "numpy", "depth": 3}, {"depth": 3}):
        np.testing.assert_array_equal(drawn(shape, **options), expected)
        joined = (DISC - shape) | (shape & (y > 0.5))
        np.testing.assert_array_equal(
            drawn(joined, **options), (IN_DISC & ~expected) | (expected & (Y > 0.5))
        )
