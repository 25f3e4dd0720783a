"""What is taken for a number, a region, an amount of memory, and what is refused with a way out."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import intervalvm as ivm
from intervalvm import shapes
from intervalvm.formats.vm import MOST_BYTES
from intervalvm.memory import MOST, as_bytes, bytes_in, in_units

X, Y, Z = ivm.axes()
TAPE = ivm.parse("x var-x")
DISC = shapes.circle(0.5)
HUGE = 10**400


# --- numbers ------------------------------------------------------------------------------------

NO_NUMBERS = {
    "None": None, "text": "01", "bytes": b"01", "complex": 1j, "a set": {0, 1}, "a dict": {0: 1},
    "a date": np.datetime64("2000-01-01"), "a duration": np.timedelta64(1, "s"),
    "a record": np.zeros(2, [("a", "f4")]), "None in a list": [None, 1.0], "text in a list": ["1"],
    "complex numbers": np.zeros(2, complex), "texts": np.array(["1", "2"]),
    "objects": np.array([object()]), "a generator": (i for i in range(3)), "an expression": X,
    "a shape": DISC, "a tape": TAPE,
}  # fmt: skip


@pytest.mark.parametrize("given", NO_NUMBERS.values(), ids=NO_NUMBERS)
@pytest.mark.parametrize("call", [ivm.evaluate, ivm.grad])
def test_what_is_no_number_has_no_value(call: Callable[..., Any], given: Any) -> None:
    """None was NaN, and text, bytes, dates and complex numbers were converted."""
    with pytest.raises(ivm.ArgumentTypeError):
        call(TAPE, given, 0)
    with pytest.raises(ivm.ArgumentTypeError):
        call(TAPE, 0, 0, given)
    with pytest.raises(ivm.ArgumentTypeError):
        call(X + ivm.var("r"), 0, 0, variables={"r": given})


def test_a_tensor_with_gradients_is_refused_in_its_own_words() -> None:
    class Tensor:
        def __array__(self, *_: Any, **__: Any) -> Any:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use detach()")

    for call in (ivm.evaluate, ivm.grad):
        with pytest.raises(ivm.OptionError, match=r"x does not make an array: .*Use detach\(\)"):
            call(TAPE, Tensor(), 0)


class Endless(Mapping[str, float]):
    """A dict of more names than it says."""

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[str]:
        return map(str, itertools.count())

    def __getitem__(self, key: str) -> float:
        return 0.0


@pytest.mark.parametrize("call", [ivm.evaluate, ivm.grad])
def test_a_mapping_is_no_array(call: Callable[..., Any]) -> None:
    """NumPy would go through all of its keys."""
    with pytest.raises(ivm.ArgumentTypeError, match=r"^x="):
        call(TAPE, Endless(), 0)


@pytest.mark.parametrize("call", [ivm.evaluate, ivm.grad])
@pytest.mark.parametrize(
    "given", [range(10**15), np.broadcast_to(np.float64(0.5), 1 << 50)], ids=["range", "array"]
)
def test_more_numbers_than_memory_holds(call: Callable[..., Any], given: Any) -> None:
    with pytest.raises(ivm.DoesNotFit, match="fewer points"):
        call(TAPE, given, 0)


NUMBERS_FOR_EVER: dict[str, Callable[[Any], Any]] = {
    "polygon": shapes.polygon,
    "a corner": lambda parts: shapes.polygon([(0, 0), (1, 0), parts]),
    "segment": lambda parts: shapes.segment((0, 0), parts, 0.1),
    "move": DISC.move,
    "count": lambda parts: DISC.repeat(1, 1, count=parts),
    "region": lambda parts: ivm.render(TAPE, size=4, region=parts),
    "crop": lambda parts: ivm.render(TAPE, size=4, crop=parts),
    "Region": lambda parts: ivm.Region(x=parts, y=(0, 1)),
    "around": lambda parts: ivm.Region.around(parts, 1),
    "interval": lambda parts: ivm.interval(TAPE, x=parts, y=0),
    "simplify": lambda parts: ivm.simplify(TAPE, x=parts, y=0),
}


@pytest.mark.parametrize("call", NUMBERS_FOR_EVER.values(), ids=NUMBERS_FOR_EVER)
@pytest.mark.parametrize(
    "parts",
    [itertools.count, lambda: itertools.repeat((0.0, 1.0)), lambda: range(10**15)],
    ids=["numbers", "points", "range"],
)
def test_what_never_ends_is_refused(call: Callable[[Any], Any], parts: Callable[[], Any]) -> None:
    with pytest.raises(ivm.IntervalvmError):
        call(parts())


def test_an_array_where_one_number_is_meant() -> None:
    """Whether it is 0 was asked of the whole array."""
    for many in (np.zeros(3), np.zeros(0), np.arange(2.0)):
        with pytest.raises(ivm.IntervalvmError, match="move takes"):
            DISC.move((0, 0), many)
        with pytest.raises(ivm.ArgumentTypeError, match="whole numbers only"):
            np.round(X, many)


def test_messages_are_of_one_line() -> None:
    """NumPy writes a line for each row of an array."""
    for refuse in (
        lambda: ivm.render(X, size=np.eye(3)),
        lambda: ivm.render3d(X, view=np.eye(4)),
        lambda: ivm.View.turntable(np.eye(3)),
    ):
        with pytest.raises(ivm.IntervalvmError) as caught:
            refuse()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_what_is_no_number_is_no_side_nor_setting(given: Any) -> None:
    with pytest.raises(ivm.OptionError, match=r"^x="):
        ivm.interval(TAPE, x=given, y=0)
    with pytest.raises(ivm.OptionError, match=r"^r="):
        ivm.simplify(X + ivm.var("r"), x=0, y=0, variables={"r": given})
    for options in ({"z": given}, {"variables": {"r": given}}):
        with pytest.raises(ivm.ArgumentTypeError, match="is not a number"):
            ivm.render(X + ivm.var("r", 1), size=4, engine="dense", **options)
    with pytest.raises(ivm.OptionError, match="is not a number"):
        (X + ivm.var("r")).bind(r=given)


@given(
    st.one_of(
        st.floats(width=32), st.integers(-(10**300), 10**300), st.fractions(-(10**300), 10**300),
        st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**300), max_value=10**300),
        st.booleans(),
    )
)  # fmt: skip
def test_numbers_of_every_type_are_their_float64(number: Any) -> None:
    expected = np.array(float(number))
    forms: list[Any] = [number, [number], np.array(number), np.array([number], object)]
    if isinstance(number, float):
        forms += [np.float64(number), np.float32(number), np.array(number, np.longdouble)]
    for form in forms:
        found = ivm.evaluate(TAPE, form, 0, dtype="float64")
        assert found.dtype == np.float64
        np.testing.assert_array_equal(np.ravel(found), np.ravel(expected))


def test_arrays_of_every_kind_of_real_number() -> None:
    for kind in ("?", "b", "u2", "i8", "u8", "f2", "f4", "f8", "g"):
        np.testing.assert_array_equal(ivm.evaluate(TAPE, np.array([0, 1], kind), 0), [0, 1])
    assert ivm.evaluate(TAPE, [], 0).shape == (0,)
    assert ivm.evaluate(TAPE, range(3), [[0], [1]]).shape == (2, 3)
    assert ivm.evaluate(TAPE, [Fraction(1, 2), Decimal("0.25"), 2**70, True], 0).tolist() == [
        *(0.5, 0.25, 2.0**70, 1.0)
    ]


@pytest.mark.parametrize("huge", [HUGE, -HUGE, Fraction(HUGE, 3), 10**5000], ids=lambda _: "huge")
@pytest.mark.parametrize(
    "call",
    [
        lambda n: ivm.evaluate(TAPE, n, 0),
        lambda n: ivm.evaluate(TAPE, [0, n], 0),
        lambda n: ivm.grad(TAPE, 0, 0, n),
        lambda n: ivm.interval(TAPE, x=(0, n), y=0),
        lambda n: ivm.interval(TAPE, x=n, y=0),
        lambda n: ivm.simplify(TAPE, x=n, y=0),
        lambda n: ivm.render(TAPE, size=4, z=n),
        lambda n: ivm.render(TAPE, size=4, region=(0, n, 0, 1)),
        lambda n: ivm.render(X * ivm.var("r"), size=4, variables={"r": n}),
        lambda n: ivm.prove(TAPE, resolution=4, z=n),
        lambda n: ivm.Region(x=(0, abs(n)), y=(0, 1)),
        lambda n: ivm.Region.around((n, 0), 1),
        lambda n: ivm.Region.around((0, 0), n),
        lambda n: ivm.var("r", n),
        lambda n: (X + ivm.var("r")).bind(r=n),
        lambda n: (X + ivm.var("r")).tape().bind(r=n),
    ],
)
def test_a_number_beyond_float64(call: Callable[[Any], Any], huge: Any) -> None:
    with pytest.raises(ivm.OptionError):
        call(huge)


@pytest.mark.parametrize("huge", [HUGE, -HUGE, 10**5000], ids=lambda _: "huge")
@pytest.mark.parametrize(
    "call",
    [
        lambda n: X + n,
        lambda n: n * X,
        lambda n: ivm.constant(n),
        lambda n: ivm.minimum(n, X),
        lambda n: shapes.circle(abs(n)),
        lambda n: DISC.move(n),
        lambda n: DISC.repeat(1, count=n),
        lambda n: ivm.render(TAPE, size=abs(n)),
    ],
)
def test_an_integer_beyond_float64_in_a_formula(call: Callable[[Any], Any], huge: int) -> None:
    with pytest.raises(ivm.OptionError):
        call(huge)


def test_a_whole_power_may_be_large() -> None:
    assert ivm.evaluate(X**1e308, [0.5, 1.0], 0).tolist() == [0, 1]
    assert ivm.evaluate(X**13, 2.0, 0) == 8192
    assert (X**13).tape().counts() == {"square": 3, "mul": 2, "var-x": 1}


# --- regions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "region",
    [
        (-1, 0.5, 0, 2),
        [-1, 0.5, 0, 2],
        ((-1, 0.5), (0, 2)),
        np.array([-1, 0.5, 0, 2]),
        np.array([[-1, 0.5], [0, 2]]),
        (i for i in (-1, 0.5, 0, 2)),
    ],
)
def test_a_region_as_it_would_be_written(region: Any) -> None:
    assert ivm.render(X, size=4, engine="dense", region=region).region == ivm.Region(
        (-1, 0.5), (0, 2)
    )


def test_a_region_of_a_proof_and_of_a_renderer() -> None:
    assert ivm.prove(DISC, region=(-1, 1, -1, 1), resolution=4).region.x == (-1, 1)
    assert ivm.Renderer(DISC, region=(0, 1, 0, 1), size=4, engine="dense").render().width == 4


@pytest.mark.parametrize(
    "region", [5, "", "0101", b"0101", (0, 1, 0), {0, 1, 2, 3}, {"x": 1, "y": 2}, (0, 1, 0, 1, 0)]
)
def test_what_reads_as_no_region(region: Any) -> None:
    with pytest.raises(ivm.ArgumentTypeError, match=r"give a Region, as in .* or four numbers"):
        ivm.render(X, size=4, region=region)


# --- sizes and memory ---------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["pruned", "dense", "naive"])
def test_a_size_that_does_not_fit_is_refused_before_its_coordinates(engine: str) -> None:
    for size in ((1, 10**10), (10**10, 1), 2**50):
        with pytest.raises(ivm.DoesNotFit, match="make it smaller"):
            ivm.render(X, size=size, engine=engine, max_memory="1G")


@pytest.mark.parametrize(
    ("amount", "size"),
    [
        (1, 1), ("1", 1), (4e9, 4 * 10**9), ("4G", 4 << 30), ("1.5 GiB", 3 << 29),
        ("500 mb", 500 << 20), (".5k", 512), ("7 B", 7), (np.int32(9), 9), ("9" * 400, MOST),
        ("9" * 5000 + "T", MOST),
        (2**63, MOST),
    ],
)  # fmt: skip
def test_amounts_of_memory(amount: Any, size: int) -> None:
    assert as_bytes("max_memory", amount) == size
    if isinstance(amount, str):
        assert bytes_in(amount) == size
    image = ivm.render(X, size=1, engine="dense", max_memory=max(as_bytes("", amount), 10**6))
    assert image.width == 1


@pytest.mark.parametrize(
    "amount", [0, -1, "0", "", "much", "-4G", "4 G 5", float("nan"), True, "٤G"]
)
@pytest.mark.parametrize(
    "call",
    [
        lambda n: ivm.render(TAPE, size=4, max_memory=n),
        lambda n: ivm.Renderer(TAPE, max_memory=n),
        lambda n: ivm.evaluate(TAPE, 0, 0, max_memory=n),
        lambda n: ivm.grad(TAPE, 0, 0, max_memory=n),
        lambda n: ivm.prove(TAPE, resolution=4, max_memory=n),
        lambda n: ivm.load(__file__, max_bytes=n),
    ],
)
def test_what_is_no_amount_of_memory(call: Callable[[Any], Any], amount: Any) -> None:
    with pytest.raises(ivm.OptionError):
        call(amount)


def test_text_limits_memory_as_a_number_does() -> None:
    for amount in (100_000, "100K"):
        with pytest.raises(ivm.DoesNotFit, match="but max_memory allows"):
            ivm.evaluate(X * X + Y, np.zeros(100_000), 0, max_memory=amount)


def test_a_large_amount_prints() -> None:
    assert in_units(MOST) == "4.194e+06 TiB"
    assert in_units(MOST_BYTES) == "256 MiB"


# --- a renderer ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"size": -3}, {"size": "big"}, {"depth": -1}, {"depth": "6"}, {"region": 5},
        {"grid": "hex"}, {"engine": "fast"}, {"engine": "dense", "backend": "numba"},
        {"threads": 0},
        {"dtype": "float16"}, {"mode": "colour"}, {"z": "0"}, {"variables": {"q": 1}},
        {"variables": [("r", 1)]}, {"max_memory": "much"}, {"fold": "slow"}, {"prove": "line"},
        {"progress": 3}, {"crop": (0, 0, 0, 9)}, {"sise": 4},
    ],
    ids=str,
)  # fmt: skip
def test_a_renderer_refuses_at_once_what_means_nothing(options: dict[str, Any]) -> None:
    shape = X + ivm.var("r")
    assert ivm.Renderer(shape, size=4, engine="dense").render(variables={"r": 1}).width == 4
    with pytest.raises(ivm.IntervalvmError):
        ivm.Renderer(shape, **options)


def test_what_another_option_may_make_right_waits_for_the_frame() -> None:
    frames = ivm.Renderer(
        X, prove="area", mode="value", depth=7, crop=(100, 0, 120, 9), size=64, backend="numpy"
    )
    with pytest.raises(ivm.OptionError):
        frames.render()
    with pytest.raises(ivm.OptionError):
        frames.render(crop=None)
    assert frames.render(size=200, depth=1, mode="bitmap").width == 20


# --- texts, names, shapes -----------------------------------------------------------------------


@pytest.mark.parametrize("text", [b"x var-x", ["x var-x"], None, 5, X, Path("a.vm")])
def test_a_tape_is_parsed_from_a_str(text: Any) -> None:
    with pytest.raises(ivm.ArgumentTypeError, match="decode bytes, join lines, or load"):
        ivm.parse(text)


@pytest.mark.parametrize("name", ["\ud800", "r\udfff"])
def test_a_variable_that_no_file_can_hold(name: str) -> None:
    with pytest.raises(ivm.FormatError, match="half of a surrogate pair") as caught:
        ivm.parse(f"x var-x\nr var-{name}")
    assert (caught.value.line, caught.value.column) == (2, 3)
    with pytest.raises(ivm.OptionError):
        ivm.var(name)


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_a_name_that_no_file_can_have(name: str, tmp_path: Path) -> None:
    path = f"{tmp_path}/{name}"
    for call in (
        lambda: ivm.load(path),
        lambda: ivm.save(TAPE, path),
        lambda: ivm.render(X, size=4, engine="dense").save(path, "png"),
        lambda: ivm.prove(X, resolution=4).save(path),
        lambda: shapes.Font(path),
    ):
        with pytest.raises(ivm.FileError):
            call()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", [None, 3, 1.5, ["a.vm"], X])
def test_what_names_no_file(path: Any) -> None:
    for call in (ivm.load, lambda p: ivm.save(TAPE, p), lambda p: shapes.Font(p)):
        with pytest.raises(ivm.ArgumentTypeError, match="is no path"):
            call(path)


def test_the_expression_of_a_shape_keeps_its_defaults() -> None:
    ring = shapes.circle(ivm.var("r", 0.3))
    for shape in (ring, ring.expr):
        found = ivm.expression(shape)
        assert found.tape() == ring.tape()
        assert found.defaults == {"r": 0.3}
        assert ivm.expression(shape, X - 1).tape() == ring(X - 1, Y).tape()
    assert ivm.expression(ring.tape()).defaults == {}


def test_a_shape_of_two_coordinates() -> None:
    flat = shapes.Shape(lambda x, y: x * x + y * y - 0.25)
    solid = shapes.Shape(lambda x, y, z: x * x + y * y - 0.25)
    for change in (lambda s: s, lambda s: s.move(1, 2, 3), lambda s: s.extrude(1), lambda s: ~s):
        assert change(flat).tape() == change(solid).tape()


@pytest.mark.parametrize(
    ("field", "message"),
    [
        (lambda x: x, "two or three arguments"),
        (lambda x, y, z, w: x, "two or three arguments"),
        (lambda x, y: "no", "returned a value of type 'str'"),
        (lambda x, y: None, "returned nothing"),
        (lambda x, y: x if x > 0 else y, r"asks for a value in line \d+ of test_inputs.py"),
        (5, "expected a function"),
        (max, "wrap it, as in lambda x, y: f"),
    ],
)  # fmt: skip
def test_a_field_that_is_none_is_refused_at_once(field: Any, message: str) -> None:
    with pytest.raises(ivm.ArgumentTypeError, match=message):
        shapes.Shape(field)


def test_a_field_of_no_module() -> None:
    """As where a function is made by ``exec``."""
    names: dict[str, Any] = {"__name__": None}
    exec("field = lambda x, y: x + y", names)
    assert names["field"].__module__ is None
    assert shapes.Shape(names["field"]).tape() == (X + Y).tape()


def test_what_is_no_shape_is_refused_before_it_is_drawn() -> None:
    for call in (lambda other: DISC.morph(other, 0.5), lambda other: DISC.loft(other, 1)):
        for other in (X, 1, None, lambda x, y: x):
            with pytest.raises(ivm.ArgumentTypeError):
                call(other)


class Ring:
    """A class of a user's, which lists its clauses as some type."""

    def __init__(self, tape: Any) -> None:
        self.tape = lambda: tape


def test_what_lists_its_clauses_is_a_shape() -> None:
    free = (X * ivm.var("r")).tape()
    assert ivm.evaluate(Ring(free), 2, 0, variables={"r": 3}) == 6
    with pytest.raises(ivm.VariableError):
        ivm.evaluate(Ring(free), 2, 0)


def test_what_gives_no_tape_is_no_shape() -> None:
    for shape in (Ring("x var-x"), "x", None, shapes.Shape, 3):
        with pytest.raises(ivm.ArgumentTypeError, match="expected a tape or an expression"):
            ivm.evaluate(shape, 0, 0)  # type: ignore[arg-type]


@pytest.mark.parametrize("variables", [5, "r", [("r", 1)], {1: 2}, {"r"}])
def test_variables_are_a_dict_of_names(variables: Any) -> None:
    shape = X * ivm.var("r", 1)
    for call in (
        lambda: ivm.evaluate(shape, 0, 0, variables=variables),
        lambda: ivm.evaluate(shape.tape(), 0, 0, variables=variables),
        lambda: ivm.interval(shape, x=0, y=0, variables=variables),
        lambda: ivm.simplify(shape, x=0, y=0, variables=variables),
        lambda: ivm.fold(shape, variables=variables),
        lambda: ivm.render(shape, size=4, variables=variables),
    ):
        with pytest.raises(ivm.ArgumentTypeError, match="give a dict"):
            call()


def test_clauses_have_numbers() -> None:
    assert (TAPE.clause(0), TAPE.clause(np.int64(0))) == ("_0 var-x", "_0 var-x")  # type: ignore[arg-type]
    for i in (1, -1, HUGE):
        with pytest.raises(ivm.OptionError, match="there are 0 to 0"):
            TAPE.clause(i)
