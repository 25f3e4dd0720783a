"""Folding: each identity at every peculiar float, what is shared, what only the fast ones do."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.places import TOP
from support.programs import special
from support.strategies import tapes

import intervalvm as ivm
from intervalvm.api.dispatch import fast_tape
from intervalvm.arith.arrays import Arrays
from intervalvm.compiler import pipeline
from intervalvm.compiler.identities import (
    EXACT,
    FAST,
    LETTERS,
    NOT_NEGATIVE,
    Identity,
    holds,
    term,
)
from intervalvm.evaluate.arithmetic import Floats
from intervalvm.ops import OPS, ROWS

DTYPES = [np.float32, np.float64]
NAN = float("nan")


def letters(part: Any) -> set[str]:
    if isinstance(part, tuple):
        return set().union(*map(letters, part[1:]))
    return {part} if isinstance(part, str) else set()


def value(part: Any, numbers: dict[str, Any], xp: Arrays) -> Any:
    """A term's value by the operations' definitions."""
    if isinstance(part, str):
        return numbers[part]
    if isinstance(part, float):
        return xp.dtype.type(part)
    return ROWS[part[0]].point(xp, *(value(operand, numbers, xp) for operand in part[1:]))


def allowed(letter: str, dtype: Any) -> list[float]:
    values = special(dtype)
    if letter == "t":
        return [0.0, 1.0]
    if letter == "p":
        return [v for v in values if not np.signbit(v) or np.isnan(v)]
    return values


def normal_range(dtype: Any) -> tuple[float, float]:
    return float(np.finfo(dtype).tiny), float(np.finfo(dtype).max)


def differ(identity: Identity, numbers: dict[str, Any], dtype: Any) -> Any:
    """Where the two sides are not the same bits, of the points at which the identity is used."""
    xp = Arrays(np, np.dtype(dtype))
    count = len(next(iter(numbers.values())))
    zeros = np.zeros(count)
    with np.errstate(all="ignore"):
        is_used = [
            holds(identity.condition, float(numbers.get("k", zeros)[i]), *normal_range(dtype))
            for i in range(count)
        ]
        sides = (value(term(side), numbers, xp) for side in (identity.left, identity.right))
        left, right = (np.broadcast_to(np.asarray(side, dtype), count) for side in sides)
    same = (left == right) & (np.signbit(left) == np.signbit(right))
    return np.array(is_used) & ~same & ~(np.isnan(left) & np.isnan(right))


def peculiar(identity: Identity, dtype: Any) -> dict[str, Any]:
    """Every combination of peculiar floats for the letters of an identity."""
    names = sorted(letters(term(identity.left)))
    grid = np.meshgrid(*[np.array(allowed(name, dtype), dtype) for name in names])
    return {name: axis.ravel() for name, axis in zip(names, grid, strict=True)}


def title(identity: Identity) -> str:
    return f"{identity.left} = {identity.right}{' if ' * bool(identity.needs)}{identity.needs}"


EXACT_AND_HARMLESS = [*EXACT, *(identity for identity in FAST if not identity.breaks)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("identity", EXACT_AND_HARMLESS, ids=title)
def test_an_exact_identity_holds_at_every_peculiar_float(identity: Identity, dtype: Any) -> None:
    names = letters(term(identity.left))
    assert letters(term(identity.right)) <= names <= set(LETTERS)
    assert not differ(identity, peculiar(identity, dtype), dtype).any()


def powers(dtype: Any) -> st.SearchStrategy[float]:
    """Powers of two, subnormal ones too, and their negatives."""
    info = np.finfo(dtype)
    exponents = st.integers(info.minexp - info.nmant, info.maxexp - 1)
    return exponents.map(lambda n: float(np.ldexp(1.0, n))).flatmap(
        lambda v: st.sampled_from([v, -v])
    )


@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=500)
@given(data=st.data())
def test_an_exact_identity_holds_at_any_floats(dtype: Any, data: st.DataObject) -> None:
    identity = data.draw(st.sampled_from(EXACT_AND_HARMLESS))
    width = np.dtype(dtype).itemsize * 8
    strategies = {
        **dict.fromkeys("abc", st.floats(width=width)),
        **dict.fromkeys("kl", st.floats(width=width) | powers(dtype)),
        "p": st.floats(0, width=width) | st.just(NAN),
        "t": st.sampled_from([0.0, 1.0]),
    }
    numbers = {
        name: np.array(data.draw(st.lists(strategies[name], min_size=8, max_size=8)), dtype)
        for name in sorted(letters(term(identity.left)))
    }
    assert not differ(identity, numbers, dtype).any(), (identity, numbers)


@pytest.mark.parametrize("identity", [*EXACT, *FAST], ids=title)
def test_each_identity_is_used(identity: Identity) -> None:
    """A tape of the left side folds to that of the right side, or to something still shorter."""
    for number in (2.0, 0.0, 3.0):
        constants = {"k": number, "l": 5.0}
        if holds(identity.condition, number, *normal_range(np.float32)):
            break
    left, right = (expression(term(side), constants) for side in (identity.left, identity.right))
    folded, expected = (
        relisted(ivm.fold(side.value_tape(), "fast" if identity in FAST else "exact"))
        for side in (left, right)
    )
    assert folded == expected
    assert len(folded) <= len(left.value_tape())


def relisted(tape: ivm.Tape) -> ivm.Tape:
    """The same clauses in the order in which an expression lists them."""
    return ivm.expression(tape).value_tape()


def expression(part: Any, constants: dict[str, float]) -> ivm.Expr:
    from intervalvm.expr import FUNCTIONS, as_expr

    x, y, z = ivm.axes()
    if isinstance(part, float):
        return as_expr(part)
    if isinstance(part, str):
        known = {"a": x, "b": y, "c": z, "p": abs(x), "t": ivm.not_(x)}
        return known[part] if part in known else as_expr(constants[part])
    return FUNCTIONS[ROWS[part[0]].name](*(expression(p, constants) for p in part[1:]))


@pytest.mark.parametrize("identity", [i for i in FAST if i.breaks], ids=title)
def test_a_fast_identity_holds_for_ordinary_numbers_only(identity: Identity) -> None:
    xp = Arrays(np, np.dtype(np.float64))
    rng = np.random.default_rng(3)
    names = sorted(letters(term(identity.left)))
    ordinary = dict(zip(names, rng.uniform(0.5, 2, (len(names), 200)), strict=True))
    sides = (value(term(side), ordinary, xp) for side in (identity.left, identity.right))
    # a few roundings apart, of numbers up to 8
    np.testing.assert_allclose(*np.broadcast_arrays(*sides), rtol=0, atol=1e-14)
    breaks = [differ(identity, n, np.float64).any()
              for n in (ordinary, peculiar(identity, np.float64))]  # fmt: skip
    assert any(breaks), "it belongs to the exact ones"


@pytest.mark.parametrize("name", sorted(ROWS[code].name for code in NOT_NEGATIVE))
def test_what_is_called_never_negative_is_not(name: str) -> None:
    rule = OPS[name].point
    for dtype in DTYPES:
        with np.errstate(all="ignore"):
            found = rule(Arrays(np, np.dtype(dtype)), np.array(special(dtype), dtype))
        assert not np.signbit(found[~np.isnan(found)]).any()


FOLDABLE = sorted(OPS.keys() & {word for i in EXACT for word in re.findall(r"[a-z]+", i.left)})


@pytest.mark.parametrize("dtype", DTYPES)
@given(tape=tapes(30, ops=[*FOLDABLE, "var-x", "var-y", "const"]))
def test_a_folded_tape_has_the_same_bits(dtype: Any, tape: ivm.Tape) -> None:
    values = np.array(special(dtype), dtype)
    x, y = (axis.ravel() for axis in np.meshgrid(values, values))
    short = pipeline.folded(tape, Floats(np.dtype(dtype))).check()
    assert len(short) <= len(tape)
    np.testing.assert_array_equal(*(
        np.where(np.isnan(v), NAN, v).astype(dtype).view(f"u{v.itemsize}")
        for v in (t(x, y, dtype=dtype) for t in (short, tape))
    ))  # fmt: skip


@given(tapes(30, variables=["r"]))
def test_folding_twice_is_folding_once(tape: ivm.Tape) -> None:
    once = ivm.fold(tape)
    assert len(ivm.fold(once)) == len(once)


def test_sums_and_products_are_shared_in_either_order_but_choices_are_not() -> None:
    x, y, _ = ivm.axes()
    assert ivm.fold((x + y) * (y + x)).counts() == {"var-x": 1, "var-y": 1, "add": 1, "square": 1}
    assert ivm.fold(ivm.atan2(x * y, y * x)).counts()["mul"] == 1
    assert ivm.fold(ivm.minimum(x, y) - ivm.minimum(y, x)).counts()["min"] == 2


def test_a_double_negation_of_truths_goes_but_not_one_of_values() -> None:
    x, y, _ = ivm.axes()
    both = (x < 0) & (y < 0)
    assert ivm.fold(both).counts()["not"] == 2
    assert ivm.fold(ivm.not_(ivm.not_(x))).counts()["not"] == 2


def test_the_public_function_sets_variables_and_keeps_the_rest() -> None:
    x, _, _ = ivm.axes()
    shape = x * ivm.var("r", 1) + ivm.var("s")
    assert ivm.fold(shape, variables={"r": 1}) == (x + ivm.var("s")).tape()
    assert ivm.fold(shape).variables == ("r", "s")
    with pytest.raises(ivm.VariableError, match="'q'"):
        ivm.fold(shape, variables={"q": 1})
    with pytest.raises(ivm.OptionError, match="dtype"):
        ivm.fold(shape, dtype="int8")
    with pytest.raises(ivm.OptionError, match="no way to fold 'quick': choose 'exact' or 'fast'"):
        ivm.fold(shape, "quick")


def test_a_render_folds_fast_when_asked_and_once_a_tape() -> None:
    x, y, _ = ivm.axes()
    tape = (ivm.sqrt(ivm.square(x)) + (y * 0 - 0.5)).tape()
    exact, fast = (ivm.render(tape, size=16, engine="dense", fold=f) for f in ("exact", "fast"))
    assert (exact.stats.clauses, fast.stats.clauses) == (len(tape), 4)
    np.testing.assert_array_equal(exact.pixels, fast.pixels)
    assert fast_tape(tape, np.dtype("f4")) is fast_tape(tape, np.dtype("f4"))
    assert ivm.Renderer(tape, fold="fast", engine="dense").render(size=16).stats.clauses == 4
    with pytest.raises(ivm.OptionError, match="no way to fold 'quick'"):
        ivm.render(tape, size=16, fold="quick")


def test_fast_folding_must_be_asked_for() -> None:
    x, y, _ = ivm.axes()
    shape = (x - x) * y + ((x + 1) + 2) / 3
    assert len(ivm.fold(shape)) == len(shape.tape())
    assert str(ivm.fold(shape, "fast")) == (
        "_0 var-x\n_1 const 3.0\n_2 add _0 _1\n_3 const 0.3333333432674408\n_4 mul _2 _3\n"
    )


SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/"}


def formula(part: Any, *, inner: bool = False) -> str:
    """A term as a person writes it."""
    if not isinstance(part, tuple):
        return part if isinstance(part, str) else f"{part:g}"
    name = ROWS[part[0]].name
    if name in SIGNS:
        left, right = (formula(operand, inner=True) for operand in part[1:])
        text = f"{left} {SIGNS[name]} {right}"
        return f"({text})" if inner else text
    if name == "neg":
        return f"-{formula(part[1], inner=True)}"
    return f"{name}({formula(part[1])})"


def test_the_page_on_expressions_says_what_each_fast_identity_breaks() -> None:
    page = TOP / "docs" / "expressions.md"
    rows = [
        f"| `{formula(term(i.left))}`{', if ' * bool(i.needs)}{i.needs} | "
        f"`{formula(term(i.right))}` | {i.breaks or 'nothing'} |"
        for i in FAST
    ]
    assert "\n".join(rows) in page.read_text(encoding="utf-8")
