"""Expressions: what clauses they make, in which order, which are shared, what is refused."""

from __future__ import annotations

import copy
import math
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from intervalvm import expr
from intervalvm.errors import OptionError, Undecided
from intervalvm.expr import Expr, as_tape, axes, constant, maximum, minimum, settings_for, var
from intervalvm.ops import ROWS, Op

if TYPE_CHECKING:
    from collections.abc import Callable

x, y, z = axes()
OPERATIONS = [op for op in ROWS if op.arity]

NUMPY_NAMES = {
    "neg": "negative", "abs": "absolute", "recip": "reciprocal", "ln": "log", "asin": "arcsin",
    "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "sub": "subtract", "mul": "multiply",
    "div": "divide", "min": "minimum", "max": "maximum", "and": "and_", "or": "or_", "not": "not_",
}  # fmt: skip


def lines(shape: Expr) -> list[str]:
    return str(shape.value_tape()).splitlines()


def last(shape: Expr) -> str:
    """The operation of the root and what its operands read, such as "sub var-x const"."""
    words = {line.split()[0]: line.split() for line in lines(shape)}
    _, op, *operands = lines(shape)[-1].split()
    return " ".join([op, *(words.get(operand, ["", operand])[1] for operand in operands)])


def deep(n: int) -> Expr:
    shape = x
    for i in range(n):
        shape = minimum(shape, y) if i % 2 else shape + y
    return shape


@pytest.mark.parametrize("op", OPERATIONS, ids=[op.name for op in OPERATIONS])
def test_each_operation_has_a_function_that_builds_its_clause(op: Op) -> None:
    name = NUMPY_NAMES.get(op.name, op.names.python[0])
    function = getattr(expr, name)
    operands = ["x", "y"][: op.arity]
    shape = function(*[x, y][: op.arity])
    assert last(shape) == " ".join([op.name, *(f"var-{operand}" for operand in operands)])
    assert len(shape.value_tape().check()) == op.arity + 1
    assert function.__name__ == name
    assert pickle.loads(pickle.dumps(function)) is function


@pytest.mark.parametrize(
    ("alias", "name"),
    [("abs", "absolute"), ("asin", "arcsin"), ("acos", "arccos"), ("atan", "arctan"),
     ("atan2", "arctan2"), ("ln", "log")],
)  # fmt: skip
def test_aliases_are_the_same_function(alias: str, name: str) -> None:
    assert getattr(expr, alias) is getattr(expr, name)


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (x + y, "add var-x var-y"),
        (x - y, "sub var-x var-y"),
        (x * y, "mul var-x var-y"),
        (x / y, "div var-x var-y"),
        (x % y, "mod var-x var-y"),
        (-x, "neg var-x"),
        (abs(x), "abs var-x"),
        (+x, "var-x"),
        (x + 1, "add var-x const"),
        (1 + x, "add const var-x"),
        (x - 1, "sub var-x const"),
        (1 - x, "sub const var-x"),
        (x * 2.5, "mul var-x const"),
        (2.5 * x, "mul const var-x"),
        (x / 2, "div var-x const"),
        (2 / x, "div const var-x"),
        (x % 2, "mod var-x const"),
        (2 % x, "mod const var-x"),
        (np.float64(2) * x, "mul const var-x"),
        (np.float32(2) - x, "sub const var-x"),
        (x + np.int8(3), "add var-x const"),
        (minimum(x, 1), "min var-x const"),
        (minimum(1, x), "min const var-x"),
        (x**0, "const 1.0"),
        (constant(-0.0), "const -0.0"),
        (x**1, "var-x"),
        (x**2, "square var-x"),
        (x**2.0, "square var-x"),
        (x ** np.int64(4), "square square"),
        (x**5, "mul square var-x"),
        (x**-1, "recip var-x"),
        (x**-2, "recip square"),
        (x**0.5, "sqrt var-x"),
        (x**1.5, "mul square sqrt"),
        (x**-0.5, "recip sqrt"),
        (x ** np.float32(2.5), "mul square sqrt"),
    ],
)
def test_operators(shape: Expr, text: str) -> None:
    assert last(shape) == text


@pytest.mark.parametrize("power", [3, 7, 12, 31, -3])
def test_a_power_multiplies_about_as_often_as_it_has_bits(power: int) -> None:
    tape = (x**power).tape()
    assert len(tape) <= 2 * abs(power).bit_length() + 1
    assert tape(np.float64(1.5), 0.0, dtype="float64") == 1.5**power


def test_a_huge_power_needs_no_deep_stack() -> None:
    assert (x**10**400).tape().counts()["square"] == (10**400).bit_length() - 1


def test_clauses_stand_operands_first_left_to_right_root_last() -> None:
    assert lines(maximum(x * 2, y - 1) + z) == [
        "_0 var-x", "_1 const 2.0", "_2 mul _0 _1", "_3 var-y", "_4 const 1.0", "_5 sub _3 _4",
        "_6 max _2 _5", "_7 var-z", "_8 add _6 _7",
    ]  # fmt: skip


def test_only_what_the_root_needs_is_on_the_tape() -> None:
    shape = x + 1
    _ = shape * y
    assert lines(shape) == ["_0 var-x", "_1 const 1.0", "_2 add _0 _1"]


def test_equal_operations_on_equal_operands_are_one_clause() -> None:
    (other_x, _, _), a, b = axes(), x * 2 + y, x * 2 + y
    assert lines(minimum(a, b) - other_x) == [
        "_0 var-x", "_1 const 2.0", "_2 mul _0 _1", "_3 var-y", "_4 add _2 _3", "_5 min _4 _4",
        "_6 sub _5 _0",
    ]  # fmt: skip


def test_operands_in_another_order_are_another_clause() -> None:
    assert len(maximum(minimum(x, y), minimum(y, x)).tape()) == 5


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (0.0, -0.0, False),
        (1, 1.0, True),
        (True, 1.0, True),
        (math.nan, -math.nan, True),
        (0.1, np.float32(0.1), False),
        (0.5, np.float16(0.5), True),
        (1.0, math.nextafter(1.0, 2.0), False),
        (math.inf, -math.inf, False),
    ],
)
def test_constants_are_one_if_their_bits_are(a: float, b: float, same: bool) -> None:
    tape = (constant(a) + constant(b)).tape()
    assert tape.counts()["const"] == (1 if same else 2)


@pytest.mark.parametrize("value", [0.0, -0.0, 0.1, -1e-45, 1e300, math.inf, 2**24 + 1])
def test_a_constant_keeps_its_bits(value: float) -> None:
    tape = constant(value).tape()
    assert tape.wide.tobytes() == np.float64(value).tobytes()
    with np.errstate(over="ignore", under="ignore"):
        assert tape.single.tobytes() == np.float32(value).tobytes()


def test_a_deep_expression_needs_no_deep_stack() -> None:
    shape = deep(100_000)
    tape = shape.tape()
    assert len(tape) == 100_002
    assert pickle.loads(pickle.dumps(shape)).tape() == tape
    assert copy.deepcopy(shape).tape() == tape
    del shape  # must not exhaust the stack either


def test_widely_shared_expressions_stay_small() -> None:
    shape = x
    for _ in range(1000):
        shape = shape + shape
    assert len(shape.tape()) == 1001


def test_the_tape_is_made_once() -> None:
    shape = x + 1
    assert shape.tape() is shape.tape()
    assert as_tape(shape) is shape.tape()
    assert as_tape(shape.tape()) is shape.tape()


def test_an_expression_says_how_long_its_tape_is() -> None:
    assert repr(x - var("r")) == "<Expr of 3 clauses in x, variables=['r']>"


@pytest.mark.parametrize("shape", ["x", 1.0, None, np.ones(3)])
def test_only_a_tape_or_an_expression_is_a_shape(shape: Any) -> None:
    with pytest.raises(TypeError, match="expected a tape or an expression"):
        as_tape(shape)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: x + "1",
        lambda: "1" * x,
        lambda: x + 1j,
        lambda: x - None,
        lambda: np.ones(3) * x,
        lambda: x * np.ones(3),
        lambda: minimum(x, "1"),
        lambda: minimum(x, [1, 2]),
        lambda: minimum(x),
        lambda: expr.sqrt(x, y),
        lambda: constant("1"),
        lambda: constant(x),
        lambda: var(1),
        lambda: x**0.3,
        lambda: x**math.nan,
        lambda: x**math.inf,
        lambda: x**y,
        lambda: 2**x,
    ],
)
def test_what_is_no_operand_is_a_type_error(wrong: Callable[[], Any]) -> None:
    with pytest.raises(TypeError):
        wrong()


def test_truth_says_what_to_use() -> None:
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(x)


@pytest.mark.parametrize("number", [float, int, complex, math.sqrt])
def test_an_expression_is_not_one_number(number: Callable[[Any], Any]) -> None:
    with pytest.raises(Undecided, match="evaluate"):
        number(x)


def test_expressions_may_be_keys() -> None:
    places = {x: "x", y: "y"}
    assert (places[x], places[y]) == ("x", "y")


def test_a_variable_is_one_clause_and_keeps_its_default() -> None:
    shape = x * var("r", 2) + var("r") - var("s")
    assert shape.tape().variables == ("r", "s")
    assert shape.tape().counts()["var"] == 2
    assert shape.defaults == {"r": 2.0}
    assert pickle.loads(pickle.dumps(shape)).defaults == {"r": 2.0}


def test_what_the_caller_sets_comes_before_the_default() -> None:
    shape = x * var("r", 2) - var("s")
    assert settings_for(shape, {"s": 1}) == {"r": 2.0, "s": 1}
    assert settings_for(shape, {"r": 3, "s": 1}) == {"r": 3, "s": 1}
    assert settings_for(shape.tape(), {"r": 3}) == {"r": 3}
    assert settings_for(x, None) is None


def test_two_defaults_of_one_variable_are_refused() -> None:
    with pytest.raises(OptionError, match=r"'r' has two defaults, 1\.0 and 2\.0"):
        _ = (var("r", 1) + var("r", 2)).defaults


@pytest.mark.parametrize("name", ["", "a b", "a\n", "#", "a#b", "x", "y", "z"])
def test_a_variable_needs_a_name_that_a_file_can_hold(name: str) -> None:
    with pytest.raises(OptionError):
        var(name)
