"""How the compiled walk goes: threads, little room, small steps, interrupts, what is kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from textwrap import dedent
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.strategies import shapes

import intervalvm as ivm
from intervalvm import DoesNotFit, Region, Tape
from intervalvm.jit import plan, thread_pool, walk
from intervalvm.words import Meaning, Question

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOISE = "x var-x\ny var-y\nk const 1.37\na mul x k\nb mix a y\nc rand b\nh const 0.5\nv sub c h"
"""Nothing can be proven of it, and no choice makes it shorter: every tape has its full length."""


def disc(radius: float = 0.75) -> Tape:
    """A new tape each time, for which nothing is kept yet."""
    x, y, _ = ivm.axes()
    return (ivm.sqrt(x * x + y * y) - radius).tape()


def picture(image: Any) -> str:
    return "\n".join("".join(".#"[int(inside)] for inside in row) for row in image.bitmap() > 0)


def dense(tape: Tape, **options: Any) -> Any:
    return ivm.render(tape, engine="dense", **options).pixels


# --- pictures -----------------------------------------------------------------------------------


def test_a_disc() -> None:
    assert picture(ivm.render(disc(), size=16)) == dedent("""\
        ................
        ................
        .......##.......
        .....######.....
        ....########....
        ...##########...
        ...##########...
        ..############..
        ..############..
        ...##########...
        ...##########...
        ....########....
        .....######.....
        .......##.......
        ................
        ................""")


def test_the_top_row_has_the_greatest_y() -> None:
    x, y, _ = ivm.axes()
    corner = ivm.maximum(x + 0.5, -y)  # left of -0.5 and above 0
    assert picture(ivm.render(corner, size=(12, 6))) == dedent("""\
        #####.......
        #####.......
        #####.......
        ............
        ............
        ............""")


def test_nan_and_infinity_are_outside_where_they_are_not_below_zero() -> None:
    x, _, _ = ivm.axes()
    shapes = {
        "sqrt of a negative number": (ivm.sqrt(x) - 2, "....####"),
        "minus infinity": (-1 / (x - x), "########"),
        "negative pole": (ivm.minimum(x, 0) / 0, "####...."),
        "logarithm": (ivm.ln(x), "....###."),
        "min with NaN": (ivm.minimum(ivm.sqrt(x), -1), "....####"),
        "and passes NaN by": (ivm.and_(ivm.sqrt(x), x), "####...."),
    }
    for name, (shape, row) in shapes.items():
        for options in ({}, {"backend": "numpy"}, {"mode": "value"}, {"engine": "dense"}):
            image = ivm.render(shape, size=8, **options)
            assert picture(image).split()[0] == row, (name, options)


# --- the walk proves what it may, and no more -----------------------------------------------------


def test_a_remainder_that_rounds_up_to_its_end_is_no_reason_to_fill() -> None:
    """The walk had proven that no bound is infinite, and met one that was."""
    x, y, _ = ivm.axes()
    shape = ivm.reciprocal(x % 3 - 1) * y - 0.02
    for left in (-3e-6, -1e-6, -6e-15):
        for dtype in ("float32", "float64"):
            options = {"size": 256, "region": Region((left, -1e-20), (0, 1)), "dtype": dtype}
            assert_array_equal(ivm.render(shape, **options).pixels, dense(shape, **options))


def test_a_sine_close_to_its_top_is_no_reason_to_fill() -> None:
    x, y, _ = ivm.axes()
    shape = ivm.reciprocal(1 - ivm.sin(x) + 1e-18) * y - 1
    for width in (2**-22, 2**-23, 2**-24):
        region = Region((np.pi / 2 - width, np.pi / 2 + 3 * width), (0, 2**-53))
        options = {"size": 256, "region": region, "dtype": "float64"}
        assert_array_equal(ivm.render(shape, **options).pixels, dense(shape, **options))


@pytest.mark.parametrize("mode", ["bitmap", "value"])
@pytest.mark.parametrize("size", [1, 16, 100, (257, 31), (64, 640)], ids=str)
def test_every_pixel_is_written(size: Any, mode: Any) -> None:
    """Memory for an image may hold what somebody left there."""
    expected = ivm.render(disc(), size=size, mode=mode, threads=2)
    out = np.full_like(expected.pixels, 77)
    found = ivm.render(disc(), size=size, mode=mode, threads=2, out=out)
    assert_array_equal(out, expected.pixels)
    assert_array_equal(found.bitmap(), dense(disc(), size=size))


# --- little room --------------------------------------------------------------------------------


@pytest.fixture
def little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """The arena holds one child's tape a step, so that all others are deferred."""
    monkeypatch.setattr(plan, "MOST_ARENA", 0)


@pytest.mark.usefixtures("little_room")
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("depth", [0, 1, 4, 6, 7])
def test_deferred_children_are_rendered_too(depth: int, threads: int) -> None:
    tape = ivm.parse(NOISE)
    image = ivm.render(tape, size=128, depth=depth, threads=threads)
    assert_array_equal(image.pixels, dense(tape, size=128))
    assert [level.regions for level in image.stats.levels] == [
        4**level for level in {0: [0], 1: [1], 4: [1, 4], 6: [3, 6], 7: [1, 4, 7]}[depth]
    ]


def test_deferring_changes_no_pixel_and_no_count(monkeypatch: pytest.MonkeyPatch) -> None:
    @given(tape=shapes(), dtype=st.sampled_from(["float32", "float64"]), room=st.integers(0, 200))
    def check(tape: Tape, dtype: str, room: int) -> None:
        options = {"size": 200, "depth": 7, "dtype": dtype}
        expected = ivm.render(tape, **options)
        again = ivm.parse(str(tape))  # another tape, for which no workspace is kept
        with monkeypatch.context() as patch:
            patch.setattr(plan, "MOST_ARENA", room)
            found = ivm.render(again, **options)
        assert_array_equal(found.pixels, expected.pixels)
        assert found.stats.levels == expected.stats.levels
        assert found.stats.pixels == expected.stats.pixels

    check()


def test_a_walk_that_would_not_fit_is_refused() -> None:
    with pytest.raises(DoesNotFit, match="fewer threads"):
        ivm.render(disc(), size=64, threads=64, max_memory=100_000)


# --- small steps --------------------------------------------------------------------------------


def test_returning_after_every_piece_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = ivm.render(disc(), size=(300, 200), threads=1)
    monkeypatch.setattr(walk, "BUDGET", 1)
    for threads in (1, 2, 5):
        found = ivm.render(disc(), size=(300, 200), threads=threads)
        assert_array_equal(found.pixels, expected.pixels)
        assert found.stats.levels == expected.stats.levels
        assert found.stats.pixels == expected.stats.pixels


@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_progress_grows_towards_the_number_of_pixels(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "BUDGET", 1)
    seen: list[tuple[int, int]] = []
    ivm.render(
        disc(), size=100, backend=backend, threads=1, progress=lambda *call: seen.append(call)
    )
    done, totals = zip(*seen, strict=True)
    assert set(totals) == {100 * 100}
    assert list(done) == sorted(done)
    assert 0 <= done[0] <= done[-1] <= 100 * 100


class Stop(Exception):
    pass


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_an_exception_of_progress_ends_the_walk_and_harms_no_other(
    backend: str, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = Event()

    def stop(done: int, total: int) -> None:
        called.set()
        raise Stop

    class LatePool(thread_pool.ThreadPool):
        """They wait for the call, or they might leave nothing to the thread that makes it."""

        def call(self, work: Any, count: int) -> Any:
            return super().call(lambda: called.wait() and work(), count)

    monkeypatch.setattr(walk, "BUDGET", 1)
    monkeypatch.setattr(thread_pool, "_pool", LatePool())
    tape = ivm.parse(NOISE)
    options: dict[str, Any] = {"size": 256, "backend": backend, "threads": threads}
    with pytest.raises(Stop):
        ivm.render(tape, progress=stop, **options)
    assert_array_equal(ivm.render(tape, **options).pixels, dense(tape, size=256))


# --- threads, and what is kept --------------------------------------------------------------------


def test_frames_of_one_tape_may_be_rendered_at_once() -> None:
    tape = disc()
    frames = [{"size": 100 + i, "region": Region.around((0.1 * i, 0), 1)} for i in range(24)]
    with ThreadPoolExecutor(4) as pool:
        images = list(pool.map(lambda options: ivm.render(tape, threads=2, **options), frames))
    for image, options in zip(images, frames, strict=True):
        assert_array_equal(image.pixels, dense(tape, **options))


def test_a_second_frame_makes_nothing_of_the_tape_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    tape = disc()
    ivm.render(tape, size=64, threads=1)  # other threads put theirs back when they get to it
    setting = {"var-z": 0.0}
    made, again = (
        plan.plan_of(tape, Question.SIGN, Meaning.FLOAT, np.dtype(np.float32), setting, 16.0)
        for _ in "ab"
    )
    assert made is again
    kept = sorted(map(id, made._idle))
    monkeypatch.setattr(plan, "compile", None)
    ivm.render(tape, size=50, region=Region.around((0.5, 0.5), 0.1), threads=1)
    assert sorted(map(id, made._idle)) == kept, "workspaces are taken and given back"


def test_settings_have_plans_of_their_own() -> None:
    tape = ivm.parse("x var-x\nz var-z\nr var-r\na add x z\nv sub a r")
    rows = {}
    for z, r in ((0, 0), (0.5, 0), (0, 0.5), (0, 0)):
        image = ivm.render(tape, size=8, z=z, variables={"r": r})
        rows.setdefault((z, r), set()).add(picture(image)[:8])
    assert rows == {(0, 0): {"####...."}, (0.5, 0): {"##......"}, (0, 0.5): {"######.."}}


def test_levels_and_pixels_add_up() -> None:
    image = ivm.render(disc(), size=256, depth=5)
    coarse, fine = image.stats.levels
    assert (coarse.tile, fine.tile) == ((64, 64), (8, 8))
    assert coarse.regions == 16
    assert fine.regions == 64 * coarse.ambiguous
    assert fine.ambiguous * 8 * 8 == image.stats.pixels["evaluated"]
    assert image.stats.pixels["total"] == 256 * 256
    filled = coarse.inside * 64 * 64 + fine.inside * 8 * 8
    assert filled < image.stats.pixels["inside"] < filled + image.stats.pixels["evaluated"]
    assert fine.mean_clauses == coarse.mean_clauses == 3.0, "x², y² and their sum against r²"


# --- models -------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def prospero(model: Callable[[str], Path]) -> Tape:
    return ivm.load(model("prospero.vm"))


@pytest.mark.parametrize("size", [64, 257, 1000, 1024, (2048, 1024)], ids=str)
def test_prospero_is_the_dense_image(prospero: Tape, size: Any) -> None:
    image = ivm.render(prospero, size=size)
    expected = dense(prospero, size=size)
    assert_array_equal(image.pixels, expected)
    if size == 1024:
        assert image.stats.pixels["inside"] == np.count_nonzero(expected) == 132_033


def test_prospero_by_the_walk_on_numpy(prospero: Tape) -> None:
    image = ivm.render(prospero, size=64, backend="numpy")
    assert_array_equal(image.pixels, ivm.render(prospero, size=64).pixels)


@pytest.mark.parametrize("backend", ["numba", "numpy"])
@pytest.mark.parametrize("mode", ["bitmap", "value"])
@pytest.mark.parametrize(
    ("name", "z"),
    [("hi.vm", 0.0), ("quarter.vm", 0.0), ("tanglecube.vm", 0.0), ("tanglecube.vm", 0.4)],
)
def test_model_is_the_dense_image(
    model: Callable[[str], Path], name: str, z: float, mode: str, backend: str
) -> None:
    tape = ivm.load(model(name))
    for grid in ("linspace", "center", "fidget"):
        options = {"size": (200, 150), "grid": grid, "region": Region.around((0, 0), 2), "z": z}
        image = ivm.render(tape, mode=mode, backend=backend, **options)
        assert_array_equal(image.bitmap(), dense(tape, **options))
