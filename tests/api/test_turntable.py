"""Turntables: their frames, their files, and what cannot be one."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.GifImagePlugin
import PIL.Image
import pytest
from numpy.testing import assert_array_equal
from support.films import read

import intervalvm as ivm
from intervalvm import DoesNotFit, FileError, OptionError, View, shapes
from intervalvm.api import turntable as module
from intervalvm.raster import animation
from intervalvm.voxel.linear import tangents

SOLID = shapes.box(0.9, 0.5, 0.7) | shapes.sphere(0.3).move(0.4, 0.3, 0.1)
SMALL: dict[str, Any] = {"size": (24, 16), "engine": "dense"}
FORMATS = [*animation.ANIMATED]
PICTURES = [name for name in FORMATS if name != "mp4"]


@pytest.mark.parametrize("format", ["webp", "png"])
def test_frames_are_pictures_from_around(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"turn.{format}"
    around: dict[str, Any] = {"pitch": 25, "center": (0.1, 0, 0), "scale": 0.8, "up": "z"}
    ivm.turntable(SOLID, path, 6, yaw=10, mode="normals", **around, **SMALL)
    frames, _, _ = read(path)
    assert len(frames) == 6
    for i, frame in enumerate(frames):
        view = View.turntable(10 + 60 * i, **around)
        expected = ivm.render3d(SOLID, view=view, mode="normals", **SMALL)
        assert_array_equal(frame, expected.pixels)


@pytest.mark.parametrize("format", PICTURES)
@pytest.mark.parametrize(("frames", "seconds"), [(7, 3.0), (36, 1.3), (2, 60)])
def test_a_turn_takes_its_time_and_starts_again(
    tmp_path: Path, format: str, frames: int, seconds: float
) -> None:
    path = tmp_path / f"turn.{format}"
    ivm.turntable(SOLID, path, frames, seconds=seconds, yaw=3, pitch=20, **SMALL)
    shown, times, loop = read(path)
    assert len(shown) == frames
    assert loop == 0, "without end"
    assert sum(times) == pytest.approx(1000 * seconds, abs=1e-6)
    assert max(times) - min(times) < animation.ANIMATED[format].unit_ms + 1e-6


def test_a_gif_has_one_palette(tmp_path: Path) -> None:
    """So a colour that stands still does not flicker."""
    x, y, z = ivm.axes()
    wavy = x * x + y * y + z * z - 0.5 + 0.1 * ivm.sin(9 * x) * ivm.sin(8 * y)
    ivm.turntable(wavy, tmp_path / "turn.gif", 5, mode="normals", size=64, engine="dense")
    with PIL.Image.open(tmp_path / "turn.gif") as file:
        assert isinstance(file, PIL.GifImagePlugin.GifImageFile)
        assert file.n_frames == 5
        assert file.global_palette is not None
        for i in range(5):
            file.seek(i)
            view = View.turntable(72 * i)
            exact = ivm.render3d(wavy, view=view, mode="normals", size=64, engine="dense").pixels
            found = np.asarray(file.convert("RGB")).astype(int)
            # what is seen has too many colours for a palette: they are near
            assert len(np.unique(exact.reshape(-1, 3), axis=0)) > 256
            assert np.abs(found - exact).mean() < 4
    assert _local_palettes((tmp_path / "turn.gif").read_bytes()) == 0


def _local_palettes(data: bytes) -> int:
    """How many frames of a GIF have a palette of their own."""
    place, found = 13 + 3 * (2 << (data[10] & 7)), 0
    while data[place] != 0x3B:
        if data[place] == 0x21:
            place += 2
        else:
            has_one = data[place + 9] >> 7
            found += has_one
            place += 11 + has_one * 3 * (2 << (data[place + 9] & 7))
        while data[place]:
            place += 1 + data[place]
        place += 1
    return found


@pytest.mark.parametrize("format", PICTURES)
def test_frames_that_look_alike_are_one(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"turn.{format}"
    ivm.turntable(shapes.sphere(0.5), path, 4, mode="heightmap", size=9, engine="dense")
    with PIL.Image.open(path) as file:
        assert getattr(file, "n_frames", 1) == 1
        assert file.size == (9, 9)


@pytest.mark.parametrize("perspective", [0.0, 0.4])
def test_a_box_is_seen_whole_and_of_one_size(perspective: float) -> None:
    box = ((-1, 3), (0, 1), (2, 4))
    turn = module.Turn("gif", 8, box=box, pitch=30, perspective=perspective, yaw=11)
    sizes = [math.hypot(*tangents(view.matrix)[:, 0]) for view in turn.views]
    assert sizes == pytest.approx([sizes[0]] * 8)
    fitted = [View.fit(box, 11 + 45 * i, 30, perspective=perspective) for i in range(8)]
    assert sizes[0] == pytest.approx(max(math.hypot(*tangents(v.matrix)[:, 0]) for v in fitted))
    corners = np.array([[x, y, z, 1] for x in box[0] for y in box[1] for z in box[2]]).T
    for view in turn.views:
        seen = np.linalg.solve(view.matrix, corners)
        assert np.abs(seen[:3] / seen[3]).max() <= 1


def test_frames_after_the_first_compile_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from intervalvm.jit import native, plan

    made = []
    load, planned = native._load, plan._Planner.__call__
    monkeypatch.setattr(native, "_load", lambda *key: made.append(key) or load(*key))
    monkeypatch.setattr(
        plan._Planner, "__call__", lambda *given: made.append(given[1:]) or planned(*given)
    )
    x, y, z = ivm.axes()
    solid = ivm.sqrt(x * x + 1.5 * y * y + z * z * x) - 0.4
    before: list[int] = []
    options: dict[str, Any] = {"perspective": 0.2, "pitch": 20, "size": 40}
    ivm.turntable(
        solid, tmp_path / "turn.gif", 9,
        progress=lambda done, total: before.append(len(made)), **options,
    )  # fmt: skip
    assert len(before) >= 9
    assert before[0] > 0
    assert set(before) == {before[0]}


def test_progress_is_of_frames_drawn_and_written(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    ivm.turntable(SOLID, tmp_path / "a.png", 3, progress=lambda *n: told.append(n), **SMALL)
    assert told[:3] == [(1, 6), (2, 6), (3, 6)]
    assert told == sorted(told)
    assert told[-1] == (6, 6)


def test_variables_and_the_engines_reach_the_frames(tmp_path: Path) -> None:
    x, y, z = ivm.axes()
    ball = abs(x) + y * y + z * z - ivm.var("r", 0.1)
    for engine in ("dense", "pruned"):
        path = tmp_path / f"{engine}.webp"
        ivm.turntable(ball, path, 4, variables={"r": 0.6}, engine=engine, size=20)
    (dense, *_), (pruned, *_) = read(tmp_path / "dense.webp"), read(tmp_path / "pruned.webp")
    assert_array_equal(dense, pruned)
    view = View.turntable(90)
    expected = ivm.render3d(ball, view=view, variables={"r": 0.6}, engine="dense", size=20)
    assert_array_equal(dense[1], expected.pixels)


# --- what cannot be -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("a.gif", {"frames": 0}, "frames=0: give an integer of at least 2"),
        ("a.gif", {"frames": 1}, "frames=1: give an integer of at least 2"),
        ("a.gif", {"frames": 2.0}, "frames=2.0: give an integer"),
        ("a.gif", {"frames": True}, "frames=True: give an integer"),
        ("a.gif", {"seconds": 0}, "seconds=0: give a number above 0"),
        ("a.gif", {"seconds": float("nan")}, "seconds=nan"),
        ("a.gif", {"seconds": 61}, "up to 60"),
        ("a.gif", {"frames": 151}, "a .gif shows at most 150 frames in 3 seconds, not 151"),
        ("a.webp", {"frames": 3001}, "a .webp shows at most 3000 frames in 3 seconds"),
        ("a.ppm", {}, "a .ppm holds one picture, and no animation: choose .gif .webp .png .mp4"),
        ("a.npy", {}, "a .npy holds one picture"),
        ("a.avi", {}, "the suffix '.avi' names no format: choose .gif .webp .png .mp4"),
        ("a.gif", {"perspective": 1}, "perspective=1"),
        ("a.gif", {"yaw": float("inf")}, "yaw=inf: give a finite number"),
        ("a.gif", {"box": (0, 1)}, "give three pairs"),
        ("a.gif", {"box": ((0, 1),) * 3, "scale": 2}, "box says what center and scale do"),
        ("a.gif", {"size": 0}, "at least 1 voxel"),
        ("a.gif", {"size": (1 << 16, 1, 1)}, "a .gif holds at most 65535 pixels a side"),
        ("a.mp4", {"size": (1, (1 << 14) + 1, 1)}, "a .mp4 holds at most 16384 pixels a side"),
        ("a.mp4", {"seconds": 3601}, "up to 3600"),
        ("a.webp", {"size": (1 << 14, 1, 1)}, "a .webp holds at most 16383 pixels a side"),
        ("a.gif", {"mode": "flat"}, "no mode 'flat'"),
        ("a.gif", {"view": View()}, "turntable takes no view="),
        ("a.gif", {"depth": 3}, "turntable takes no depth="),
    ],
)
def test_what_is_no_turntable(
    tmp_path: Path, name: str, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(ivm.IntervalvmError) as raised:
        ivm.turntable(SOLID, tmp_path / name, **SMALL | given)
    assert isinstance(raised.value, (OptionError, ivm.ArgumentTypeError))
    assert message in str(raised.value)
    assert os.listdir(tmp_path) == []


def test_memory_for_all_frames(tmp_path: Path) -> None:
    with pytest.raises(DoesNotFit, match="an animation of 36 frames of 100x100 pixels needs about"):
        ivm.turntable(SOLID, tmp_path / "a.gif", size=100, engine="dense", max_memory="1M")
    assert os.listdir(tmp_path) == []


def test_the_place_is_looked_at_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "render3d", lambda *_, **__: pytest.fail("too late"))
    with pytest.raises(FileError, match="there is no folder"):
        ivm.turntable(SOLID, tmp_path / "none" / "a.gif", **SMALL)


Interrupt = Callable[[pytest.MonkeyPatch], None]


def while_drawing(patch: pytest.MonkeyPatch) -> None:
    """After two frames."""
    drawn = 0

    def draw(*given: Any, **options: Any) -> Any:
        nonlocal drawn
        drawn += 1
        if drawn == 3:
            raise KeyboardInterrupt
        return ivm.render3d(*given, **options)

    patch.setattr(module, "render3d", draw)


def while_writing(patch: pytest.MonkeyPatch) -> None:
    """After some bytes."""

    def half(self: animation.Film, stream: Any, report: Any) -> None:
        stream.write(b"half")
        raise KeyboardInterrupt

    patch.setattr(animation.Film, "write", half)


@pytest.mark.parametrize("interrupt", [while_drawing, while_writing])
@pytest.mark.parametrize("format", FORMATS)
def test_an_interrupt_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interrupt: Interrupt, format: str
) -> None:
    path = tmp_path / f"turn.{format}"
    path.write_bytes(b"old")
    interrupt(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        ivm.turntable(SOLID, path, 4, **SMALL)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == [path.name]
