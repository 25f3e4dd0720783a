"""Leaf batches: the walk collects leaves, a device evaluates them, the walk draws what comes back.

The device is a stand-in (``fake_cupy``), which does everything as late as it may, and the kernel is
its definition: each record of a program by NumPy. ``simulated_blocks`` runs the kernel itself.
"""

from __future__ import annotations

import gc
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.fake_cupy import FakeArray, FakeDevice, FakeLauncher, install
from support.pictures import assert_bitmap, assert_counts, assert_values, dense_values, pictures
from support.places import TOP
from support.strategies import tapes

import intervalvm as ivm
from intervalvm import DeviceError, DoesNotFit, Region, Renderer, Tape
from intervalvm.cli import main
from intervalvm.gpu import batches
from intervalvm.jit import layout as c
from intervalvm.jit import walk

NOISE = "x var-x\ny var-y\nk const 1.37\na mul x k\nb mix a y\nc rand b\nh const 0.5\nv sub c h"
"""Nothing can be proven of it, and no choice makes it shorter."""


@pytest.fixture
def gpu() -> FakeDevice:
    return FakeDevice()


@pytest.fixture
def kernel(gpu: FakeDevice, monkeypatch: pytest.MonkeyPatch) -> FakeLauncher:
    return install(monkeypatch, gpu)


def launches(kernel: FakeLauncher, kind: str) -> list[list[int]]:
    """The numbers of blocks of threads, and other integers, of all launches of a kind."""
    return [numbers for found, numbers in kernel.launches if found == kind]


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Full after a few blocks, and in the middle of leaves."""
    monkeypatch.setattr(batches, "MOST_BLOCKS", 3)
    monkeypatch.setattr(batches, "MOST_RECORDS", 8)


def disc(radius: float = 0.75) -> Tape:
    """A new tape each time, for which nothing is kept yet."""
    x, y, _ = ivm.axes()
    return (ivm.sqrt(x * x + y * y) - radius).tape()


def chain(length: int) -> Tape:
    """No choice makes it shorter, and no threshold takes it away."""
    x, y, _ = ivm.axes()
    shape = x * y
    for i in range(length):
        shape = (shape + (x if i % 2 else y)) * y
    return (shape - 0.125).tape()


def dense(tape: Tape, **options: Any) -> Any:
    return ivm.render(tape, engine="dense", **options).pixels


def check(tape: Tape, options: dict[str, Any], **more: Any) -> None:
    """Both modes are the dense picture, and count what the CPU's walk counts."""
    values = dense_values(tape, options)
    for mode, assert_same in (("bitmap", assert_bitmap), ("value", assert_values)):
        image = ivm.render(tape, mode=mode, backend="cupy", **options, **more)
        assert_same(image, values)
        assert_counts(image)
        other = ivm.render(tape, mode=mode, **options, **more)
        assert_array_equal(image.pixels, other.pixels)
        assert image.stats.pixels == other.stats.pixels
        assert image.stats.levels == other.stats.levels
        assert (image.stats.engine, image.stats.backend) == ("pruned", "cupy")


# --- the picture ----------------------------------------------------------------------------------


def with_few_leaves(options: dict[str, Any]) -> dict[str, Any]:
    """The stand-in evaluates them one by one; of a pixel each there would be thousands."""
    depth = options["depth"]
    return options | {"depth": None if depth is None else min(depth, 3)}


SAME = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12)


@SAME
@given(tape=tapes(max_clauses=40), options=pictures(), threads=st.integers(1, 3))
def test_random_tapes_give_the_dense_picture(
    kernel: FakeLauncher, tape: Tape, options: dict[str, Any], threads: int
) -> None:
    check(tape, with_few_leaves(options), threads=threads)


@pytest.mark.usefixtures("small_batches")
@SAME
@given(tape=tapes(max_clauses=40), options=pictures(), threads=st.integers(1, 3))
def test_the_size_of_a_batch_does_not_matter(
    kernel: FakeLauncher, tape: Tape, options: dict[str, Any], threads: int
) -> None:
    check(tape, with_few_leaves(options), threads=threads)


@pytest.mark.parametrize("depth", [0, 1, 2, 5, 6])
@pytest.mark.parametrize("size", [(100, 37), 128], ids=str)
def test_leaves_of_many_blocks_and_of_a_part_of_one(
    kernel: FakeLauncher, size: Any, depth: int
) -> None:
    options = {"size": size, "depth": depth, "region": None, "grid": "center", "dtype": "float64"}
    check(disc(), {**options, "z": 0.0}, threads=2)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("depth", [0, 1, 3])
def test_a_leaf_goes_on_in_the_next_batch(kernel: FakeLauncher, depth: int) -> None:
    """Each of its rows of blocks is wider than the three blocks of a batch would be."""
    tape = ivm.parse(NOISE)
    image = ivm.render(tape, size=(90, 130), depth=depth, backend="cupy", threads=1)
    assert_array_equal(image.pixels, dense(tape, size=(90, 130)))
    assert len(launches(kernel, "short")) > 3


def test_prospero_at_its_full_size(kernel: FakeLauncher) -> None:
    tape = ivm.load(TOP / "prospero.vm")
    found = ivm.render(tape, size=1024, backend="cupy", threads=2)
    expected = ivm.render(tape, size=1024)
    assert_array_equal(found.pixels, expected.pixels)
    assert found.stats.levels == expected.stats.levels
    assert sum(count for (count,) in launches(kernel, "short")) == found.stats.levels[-1].ambiguous


def test_few_batches_take_all_leaves(kernel: FakeLauncher) -> None:
    tape = ivm.parse(NOISE)
    image = ivm.render(tape, size=512, backend="cupy", threads=1)
    assert_array_equal(image.pixels, dense(tape, size=512))
    assert launches(kernel, "short") == [[1024]]
    assert image.stats.pixels["evaluated"] == 512 * 512


def test_long_programs_have_memory_of_the_device(
    kernel: FakeLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MOST_SCRATCH", 10 * 256 * 4 * 150)
    for length, mode in ((50, "bitmap"), (200, "value"), (70, "bitmap")):
        tape = chain(length)
        found = ivm.render(tape, size=96, backend="cupy", mode=mode, threads=1)
        assert_array_equal(found.bitmap(), dense(tape, size=96))
    long = launches(kernel, "long")
    assert all(at_once == told <= count for at_once, count, told, _ in long)
    assert any(at_once < count for at_once, count, *_ in long)


def test_nan_is_outside(kernel: FakeLauncher) -> None:
    x, y, _ = ivm.axes()
    for shape in (ivm.sqrt(x) - y, ivm.minimum(ivm.sqrt(x), y), -1 / (x - x) * y, ivm.ln(x) + y):
        tape = shape.tape()
        for mode in ("bitmap", "value"):
            found = ivm.render(tape, size=70, backend="cupy", mode=mode)
            assert_array_equal(found.bitmap(), dense(tape, size=70))


def test_a_picture_without_leaves_sends_nothing(kernel: FakeLauncher) -> None:
    x, _, _ = ivm.axes()
    assert (ivm.render(x - 9, size=64, backend="cupy").pixels == 255).all()
    assert (ivm.render(x + 9, size=64, backend="cupy").pixels == 0).all()
    assert kernel.launches == []


def test_frames_of_a_renderer(kernel: FakeLauncher) -> None:
    tape = disc()
    renderer = Renderer(tape, backend="cupy", size=80)
    for center in ((0.0, 0.0), (0.1, 0.7), (0.12, 0.7), (0.5, 0.5)):
        region = Region.around(center, 0.25)
        found = renderer.render(region=region)
        assert_array_equal(found.pixels, dense(tape, size=80, region=region))


def test_progress_and_the_end(kernel: FakeLauncher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "BUDGET", 1000)
    told: list[tuple[int, int]] = []
    ivm.render(
        ivm.parse(NOISE), size=256, backend="cupy", threads=1, progress=lambda *s: told.append(s)
    )
    assert told
    assert all(0 <= done <= total == 65536 for done, total in told)


# --- what is kept ---------------------------------------------------------------------------------


def test_the_next_frame_takes_the_same_memory(gpu: FakeDevice, kernel: FakeLauncher) -> None:
    tape = disc()
    held = []
    for _ in range(3):
        ivm.render(tape, size=256, backend="cupy", threads=1)
        held.append(gpu.held)
    assert held[0] == held[1] == held[2] > 0


def test_a_wider_frame_has_room_for_its_rows(kernel: FakeLauncher, monkeypatch: Any) -> None:
    monkeypatch.setattr(batches, "MOST_BLOCKS", 2)
    tape = ivm.parse(NOISE)
    for width in (40, 400, 40):
        found = ivm.render(tape, size=(width, 20), depth=0, backend="cupy", threads=1)
        assert_array_equal(found.pixels, dense(tape, size=(width, 20)))


def test_blocks_say_what_their_names_say() -> None:
    names = [name for name in vars(c) if name.startswith("BLOCK_")]
    words = {name: getattr(c, name) for name in names if name not in ("BLOCK_PX", "BLOCK_WORDS")}
    assert sorted(words.values()) == list(range(len(words)))
    assert len(words) <= c.BLOCK_WORDS


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 3])
def test_a_lost_device_is_an_error_and_leaves_no_thread(
    gpu: FakeDevice, kernel: FakeLauncher, threads: int
) -> None:
    tape = ivm.parse(NOISE)
    ivm.render(tape, size=64, backend="cupy", threads=threads)
    for kernels in range(4):
        gpu.lost_after = gpu.kernels + kernels
        with pytest.raises(DeviceError, match=r"the GPU failed .*nothing was written"):
            ivm.render(tape, size=256, backend="cupy", threads=threads)
    gpu.lost_after = None
    found = ivm.render(tape, size=256, backend="cupy", threads=threads)
    assert_array_equal(found.pixels, dense(tape, size=256))


def test_too_little_memory_on_the_device(gpu: FakeDevice, kernel: FakeLauncher) -> None:
    gpu.memory = 100_000
    with pytest.raises(DoesNotFit, match=r"the GPU ran out of memory .* use fewer threads"):
        ivm.render(disc(), size=64, backend="cupy", threads=2)
    assert gpu.held == 0


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("threads", [1, 3])
def test_an_interrupt_leaves_memory_to_the_copies_under_way(
    kernel: FakeLauncher, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    """A batch is waited for by whoever drops it last, before its memory is freed."""
    monkeypatch.setattr(walk, "BUDGET", 1000)
    under_way: set[int] = set()
    sent: list[int] = []
    send, wait = batches.Batch.send, batches.Batch.wait

    def note_send(self: batches.Batch, *arguments: Any) -> None:
        under_way.add(id(self))
        sent.append(id(self))
        send(self, *arguments)

    def note_wait(self: batches.Batch) -> None:
        wait(self)
        under_way.discard(id(self))

    monkeypatch.setattr(batches.Batch, "send", note_send)
    monkeypatch.setattr(batches.Batch, "wait", note_wait)

    def interrupt(done: int, total: int) -> None:
        if under_way:
            raise KeyboardInterrupt

    tape = ivm.parse(NOISE)
    with suppress(KeyboardInterrupt):
        ivm.render(tape, size=256, backend="cupy", threads=threads, progress=interrupt)
        pytest.fail("it was not interrupted")
    deadline = time.monotonic() + 60
    while under_way and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.001)
    assert sent
    assert not under_way
    found = ivm.render(tape, size=256, backend="cupy", threads=threads)
    assert_array_equal(found.pixels, dense(tape, size=256))


def test_the_command_line(
    gpu: FakeDevice, kernel: FakeLauncher, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "disc.vm").write_text(str(disc()))
    words = ["disc.vm", "--backend", "cupy", "--size", "64", "--check"]
    assert main(words) == 0
    assert "identical: 4096 pixels" in capsys.readouterr().out
    first = (tmp_path / "disc.png").read_bytes()
    gpu.lost_after = gpu.kernels
    assert main(words) == 3
    assert "start a new one" in capsys.readouterr().err
    assert (tmp_path / "disc.png").read_bytes() == first


def test_arrays_on_the_device_are_no_pixels(kernel: FakeLauncher) -> None:
    image = ivm.render(disc(), size=32, backend="cupy")
    assert not isinstance(image.pixels, FakeArray)
