"""Whatever rounding mode or treatment of subnormals other code has set: the same bits."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from inspect import getmembers, isfunction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.environments import SETTINGS, control, environment
from support.places import TESTS, TOP
from support.strategies import shapes as any_shapes
from support.strategies import tapes

import intervalvm as ivm
from intervalvm import BackendError, Region, Tape, shapes
from intervalvm import environment as module
from intervalvm.cli import main
from intervalvm.environment import default_environment, is_default
from intervalvm.jit import walk
from intervalvm.raster import bands

if TYPE_CHECKING:
    from collections.abc import Callable

EACH = pytest.mark.parametrize("name", SETTINGS)
LEVELS = "x var-x\ny var-y\na square x\nb square y\nc sub a b\n"
"""Near 0 its squares are subnormal float32."""
TINY = "x var-x\ny var-y\nk const 1e-30\nt const 0.1\na mul x k\nb mul a y\nc mul b t\nd sin c\n"
FOLDS = "x var-x\nk const 0.1\na sin k\nb mul a k\nt const 1e-40\nc mul b t\nd mul c x\n"
BESIDE_ZERO = Region((-1e-44, 1e-44), (0, 1))
NEAR_ZERO = Region((1e-22, 3e-22), (1e-22, 3e-22))
TURNED = ivm.View.turntable(31, 17, scale=2e-22, perspective=0.3)
SIDES = ((0, 0.1), (-0.7, 0.3), (0.3, 0.9))
CORNERS = [(0.0, 0.0), (0.7, 0.1), (0.3, 0.9)]


def seen(value: Any) -> Any:
    """What is compared of a result, all of it bits or text."""
    if isinstance(value, Tape):
        return value._bytes(), value.variables
    if isinstance(value, ivm.Image):
        return value.pixels.tobytes()
    if isinstance(value, ivm.Proof):
        return value.verdict, value.area, value.bounds, seen(value.image)
    if isinstance(value, (ivm.Expr, shapes.Shape)):
        return seen(value.tape())
    if isinstance(value, ivm.SolidImage):
        return [part.tobytes() for part in (value.depth, value.normals, value.position)]
    if isinstance(value, (ivm.Interval, Region, ivm.View)):
        return repr(value)
    if isinstance(value, tuple):
        return tuple(map(seen, value))
    return value if isinstance(value, (str, bytes)) else np.asarray(value).tobytes()


def file_of(write: Callable[[Path], object], folder: Path) -> bytes:
    write(folder / "file.vm")
    return (folder / "file.vm").read_bytes()


def film_of(tape: Tape, path: Path) -> bytes:
    ivm.turntable(tape, path, 3, yaw=7, pitch=20, box=SIDES, size=12)
    return path.read_bytes()


def number() -> Tape:
    return ivm.parse(TINY)


def calls(folder: Path) -> dict[str, Callable[[], Any]]:
    """A call of every public function that computes, on tapes for which nothing is kept."""
    box: dict[str, Any] = {"x": (1e-10, 2e-10), "y": (1e-5, 3e-5)}
    points = np.linspace(1e-22, 1e-21, 50, dtype=np.float32)
    heights, least = points * np.float32(1e15), np.float32(1e-45)
    small: dict[str, Any] = {"size": 40, "region": NEAR_ZERO, "threads": 2}
    x, y, _ = ivm.axes()
    value = {"size": 9, "mode": "value", "region": BESIDE_ZERO}
    (folder / "tiny.vm").write_text(TINY)
    made: dict[str, Callable[[], Any]] = {
        "evaluate": lambda: ivm.evaluate(number(), points, heights),
        "interval": lambda: ivm.interval(number(), **box),
        "interval, outward": lambda: ivm.interval(number(), prove="area", **box),
        "simplify": lambda: ivm.simplify(number(), keep="sign", dtype="float32", **box),
        "fold": lambda: ivm.fold(ivm.parse(FOLDS)),
        "fold, fast": lambda: ivm.fold(number(), "fast"),
        "grad": lambda: tuple(ivm.grad(number(), points, heights)),
        "render": lambda: ivm.render(ivm.parse(LEVELS), **small),
        "render, numpy": lambda: ivm.render(ivm.parse(LEVELS), backend="numpy", **small),
        "render, dense": lambda: ivm.render(ivm.parse(LEVELS), engine="dense", **small),
        "render, values": lambda: ivm.render(ivm.parse(LEVELS), mode="value", **small),
        "render, proven": lambda: ivm.render(ivm.parse(LEVELS), prove="point", **small),
        "render3d": lambda: ivm.render3d(ivm.parse(LEVELS), size=12, view=TURNED),
        "turntable": lambda: film_of(ivm.parse(LEVELS), folder / "turn.png"),
        "View": lambda: (ivm.View.isometric(scale=0.1), ivm.View.fit(SIDES, 31, 17)),
        "View.look_at": lambda: ivm.View.look_at((0.1, 0.3, 0.7), (0, 1e-310, 0.1), fov=31),
        "Renderer": lambda: ivm.Renderer(ivm.parse(LEVELS)).render(**small),
        "prove": lambda: ivm.prove(number(), region=NEAR_ZERO, resolution=16, dtype="float32"),
        "Region": lambda: (Region((0, 1e-310), (0.1, 0.7)), Region.around((0.1, 0.2), 1e-3)),
        "parse": lambda: ivm.parse("a const 0.1\nb const 1e-40\nc add a b\n"),
        "load": lambda: ivm.load(folder / "tiny.vm"),
        "save": lambda: file_of(lambda path: ivm.save(number(), path), folder),
        "constant": lambda: ivm.constant(least) * 0.1,
        "Expr": lambda: (x * 0.1 + least * y, np.rad2deg(x), np.degrees(y)),
        "trace": lambda: ivm.trace(lambda x, y: np.deg2rad(x) * 0.1 + y),
        "expression": lambda: ivm.expression(number()) * 0.1,
        "Tape": lambda: (str(number()), number()(points, points), ivm.var("r").tape().bind(r=0.1)),
        "Shape": lambda: shapes.box(1, 0.3, 0.2).rotate(31, (1, 2, 3)).scale(0.7).repeat_around(7),
        "polygon": lambda: shapes.polygon(CORNERS) | shapes.star(7, 0.9, 0.3),
        "text": lambda: shapes.text("S&8", size=0.3),
        "Image": lambda: ivm.render(ivm.parse("x var-x"), **value).bitmap(),
    }
    return made


@EACH
def test_every_public_call_has_the_bits_of_the_default_environment(
    name: str, tmp_path: Path
) -> None:
    work = calls(tmp_path)
    expected = {call: seen(make()) for call, make in work.items()}
    before, found, kept = {}, {}, {}
    for call, make in work.items():
        with environment(name):
            before[call] = control()
            found[call] = make()
            kept[call] = control()
    assert kept == before, "the caller has its own again"
    assert [call for call in work if seen(found[call]) != expected[call]] == []


@EACH
def test_the_environment_is_another_one(name: str) -> None:
    """Or the rest of these tests could not fail."""
    numbers = np.array([0.1, 1e-310, -0.7], np.float64)
    with environment(name):
        was_default = is_default()
        found = numbers * np.array([0.7, 0.5, 0.3])
        with default_environment():
            inside = numbers * np.array([0.7, 0.5, 0.3])
    assert not was_default
    assert found.tobytes() != inside.tobytes() == (numbers * np.array([0.7, 0.5, 0.3])).tobytes()


@EACH
def test_what_is_kept_with_a_tape_is_not_made_in_it(name: str) -> None:
    options: dict[str, Any] = {"size": 40, "region": NEAR_ZERO}
    used, fresh = ivm.parse(LEVELS), ivm.parse(LEVELS)
    renderer = ivm.Renderer(used, **options)
    with environment(name):
        ivm.render(used, **options)
        renderer.render()
    for image in (ivm.render(used, **options), renderer.render()):
        assert seen(image) == seen(ivm.render(fresh, **options))


@given(
    tape=tapes(max_clauses=15) | any_shapes(most=4),
    name=st.sampled_from(list(SETTINGS)),
    dtype=st.sampled_from(["float32", "float64"]),
    region=st.sampled_from([Region.square(), NEAR_ZERO, BESIDE_ZERO, Region((-3, 1e30), (0, 0.3))]),
)
def test_any_tape_has_the_bits_of_the_default_environment(
    tape: Tape, name: str, dtype: str, region: Region
) -> None:
    sides = {"x": region.x, "y": region.y, "dtype": dtype}
    options: dict[str, Any] = {"size": 24, "region": region, "dtype": dtype}
    text = str(tape)
    work: list[Callable[[Tape], Any]] = [
        lambda tape: ivm.evaluate(tape, *np.meshgrid(region.x, region.y), dtype=dtype),
        lambda tape: ivm.interval(tape, **sides),
        lambda tape: ivm.interval(tape, prove="area", **sides),
        lambda tape: ivm.simplify(tape, keep="sign", **sides),
        lambda tape: ivm.render(tape, mode="value", **options),
        lambda tape: ivm.render(tape, threads=2, **options),
        lambda tape: ivm.render(tape, backend="numpy", **options),
        lambda tape: ivm.render(tape, prove="area", **options),
    ]
    expected = [seen(make(ivm.parse(text))) for make in work]
    found = []
    for make in work:
        with environment(name):
            found.append(make(ivm.parse(text)))
    assert list(map(seen, found)) == expected


# --- other threads, other processes ---------------------------------------------------------------


@EACH
def test_threads_that_start_in_it_draw_the_same(name: str) -> None:
    expected = seen(ivm.render(ivm.parse(LEVELS), size=64, region=NEAR_ZERO))
    with environment(name), ThreadPoolExecutor(3) as pool:
        tape = ivm.parse(LEVELS)
        found = list(
            pool.map(lambda _: ivm.render(tape, size=64, region=NEAR_ZERO, threads=3), range(6))
        )
    assert {seen(image) for image in found} == {expected}


@EACH
@pytest.mark.parametrize(
    "way",
    [
        {"threads": 2},
        {"backend": "numpy"},
        {"backend": "numpy", "mode": "value"},
        {"backend": "numpy", "prove": "point"},
        {"engine": "dense"},
        {"engine": "dense", "prove": "point"},
    ],
    ids=lambda way: " ".join(map(str, way.values())),
)
def test_progress_that_sets_it_changes_no_pixel(
    name: str, way: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an import of a library in the middle of a frame may."""
    monkeypatch.setattr(walk, "BUDGET", 1)
    monkeypatch.setattr(bands, "BAND_PX", 64)
    options: dict[str, Any] = {"size": 64, "region": NEAR_ZERO, **way}
    expected = ivm.render(ivm.parse(LEVELS), **options)
    changed = environment(name)
    done: list[int] = []

    def progress(pixels: int, _total: int) -> None:
        if not done:
            changed.__enter__()
        done.append(pixels)

    found = ivm.render(ivm.parse(LEVELS), progress=progress, **options)
    changed.__exit__(None, None, None)
    assert len(done) > 1
    assert seen(found) == seen(expected)


@EACH
def test_what_is_printed_is_printed_in_the_default_environment(name: str) -> None:
    """Where subnormals count as 0, the digits of one would be those of 0, which bounds nothing."""
    least = 1e-310
    region = Region((least, 3 * least), (-least, least))
    tape = ivm.parse("x var-x")
    box: dict[str, Any] = {
        "x": (least, 3 * least),
        "y": (0, 1),
        "dtype": "float64",
        "prove": "area",
    }
    x, _, _ = ivm.axes()
    made = [
        ivm.interval(tape, **box),
        ivm.interval(tape, decoration=True, **box),
        ivm.prove(tape, region=region, resolution=4),
        region,
        x * least + 0.1,
    ]
    image = ivm.render(tape, size=4, region=region, dtype="float64")
    expected = [*map(str, made), repr(image), repr(made[2])]
    with environment(name):
        found = [*map(str, made), repr(image), repr(made[2])]
    assert found == expected


@EACH
def test_a_power_that_is_no_half_is_refused(name: str) -> None:
    x, _, _ = ivm.axes()
    least = 1e-310
    with environment(name), pytest.raises(ivm.ArgumentTypeError, match="must be a whole number"):
        _ = x**least


@EACH
@pytest.mark.parametrize(
    "words",
    [
        ("--region", "-1e-310", "1e-309", "0.1", "0.7", "--set", "r=1.7e-310"),
        ("--center", "0.1", "0.3", "--scale", "0.7", "--set", "r=0.1", "--z", "0.1"),
    ],
)
def test_the_command_line_reads_numbers_in_the_default_environment(
    name: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    """As where a library was loaded by the site's own start-up file."""
    file, out = tmp_path / "a.vm", tmp_path / "a.npy"
    file.write_text("x var-x\ny var-y\nr var-r\nz var-z\na mul y r\nb add a x\nc add b z\n")
    arguments = ["render", str(file), "--out", str(out), "--quiet", "--size", "9"]
    arguments += ["--mode", "value", "--dtype", "float64", *words]
    assert main(arguments) == 0
    expected = out.read_bytes()
    with environment(name):
        status = main(arguments)
    assert status == 0
    assert out.read_bytes() == expected


IMPORTED_IN_IT = """
import hashlib, importlib.util, marshal, pathlib, sys
import hypothesis, numpy, pytest
tests, name, folder = sys.argv[1:]
sys.path[:0] = [tests, tests + "/whole"]
from support.environments import environment
with environment(name):
    sys.pycache_prefix, sys.dont_write_bytecode = folder + "/compiled", False
    import intervalvm.shapes
    compiled = [
        (module.__file__, importlib.util.cache_from_source(module.__file__))
        for name, module in sys.modules.items()
        if name.startswith("intervalvm") and not name.endswith("_finder")
    ]
    sys.pycache_prefix, sys.dont_write_bytecode = None, True
from test_environment import calls, seen
work = calls(pathlib.Path(folder))
with environment(name):
    found = {call: make() for call, make in work.items()}
said = repr({call: seen(value) for call, value in found.items()})
print(hashlib.sha256(said.encode()).hexdigest())

def numbers(constants):
    for constant in constants:
        if isinstance(constant, float):
            yield constant.hex()
        yield from numbers(getattr(constant, "co_consts", None) or (
            constant if isinstance(constant, tuple) else ()))

assert len(compiled) > 40
for source, cached in compiled:
    made = marshal.loads(pathlib.Path(cached).read_bytes()[16:])
    right = compile(pathlib.Path(source).read_text(), source, "exec")
    assert list(numbers([made])) == list(numbers([right])), source
"""


@EACH
def test_a_process_that_imports_the_package_in_it_has_the_same_bits(
    name: str, tmp_path: Path
) -> None:
    """Its modules are compiled in it too, so numbers in them are read in it."""
    control()  # skips where it cannot be set
    work = calls(tmp_path)
    expected = repr({call: seen(make()) for call, make in work.items()})
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED_IN_IT, str(TESTS), name, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(TOP)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [hashlib.sha256(expected.encode()).hexdigest()]


# --- what is not forgotten ------------------------------------------------------------------------

READ_BY_AS_EXPR = {"axes", "constant", "var", "where"}
"""They make clauses, as the functions of ``expr.functions`` do; numbers in them are read by one."""


@pytest.mark.parametrize("owner", [ivm, shapes])
def test_every_public_function_is_run_in_the_default_environment(owner: Any) -> None:
    functions = {n: f for n in owner.__all__ if isfunction(f := getattr(owner, n))}
    bare = {n for n, f in functions.items() if not hasattr(f, "__wrapped__")}
    makes_a_clause = {
        n for n, f in functions.items() if f.__module__ == "intervalvm.expr.functions"
    }
    assert len(functions) > 20
    assert bare <= READ_BY_AS_EXPR | makes_a_clause


def test_every_method_of_a_shape_is_run_in_the_default_environment() -> None:
    methods = {n: f for n, f in getmembers(shapes.Shape) if isfunction(f) and n[0] != "_"}
    assert len(methods) > 15
    assert [n for n, f in methods.items() if not hasattr(f, "__wrapped__")] == []


# --- where it cannot be set -----------------------------------------------------------------------


@EACH
def test_where_it_cannot_be_set_a_call_is_refused(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_setter", lambda: None)
    assert ivm.evaluate(number(), 1.0, 1.0) != 0
    with environment(name), pytest.raises(BackendError, match="takes subnormal numbers for 0"):
        ivm.evaluate(number(), 1.0, 1.0)
