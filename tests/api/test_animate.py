"""``animate``: what a function of time may return, what is drawn of it, and what cannot be."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray
from support.films import read

import intervalvm as ivm
from intervalvm import ArgumentTypeError, DoesNotFit, FileError, OptionError, shapes
from intervalvm.api import animate as module
from intervalvm.raster.animation import ANIMATED

R = ivm.var("r", 0.4)
RING = shapes.circle(R) - shapes.circle(0.2).move(R / 3, 0)
BALL = shapes.sphere(R)
PLANE: dict[str, Any] = {"size": (24, 16), "engine": "dense"}
ANY = pytest.mark.parametrize("format", ANIMATED)


def radius(t: float) -> float:
    return 0.5 + 0.3 * math.sin(2 * math.pi * t)


def shown(picture: Any) -> NDArray[np.uint8]:
    """Red, green and blue of a picture."""
    return picture.shown[..., :3]  # type: ignore[no-any-return]


def frames_of(path: Path, f: Any, frames: int = 5, **options: Any) -> list[NDArray[np.uint8]]:
    ivm.animate(f, frames, path, **options)
    return read(path)[0]


def test_variables_shapes_pictures_and_arrays_are_one(tmp_path: Path) -> None:
    """Whatever a function returns, the frames are those of ``render``."""
    expected = [ivm.render(RING, variables={"r": radius(i / 5)}, **PLANE) for i in range(5)]
    ways: dict[str, tuple[Any, dict[str, Any]]] = {
        "variables": (lambda t: {"r": radius(t)}, {"shape": RING, **PLANE}),
        "shapes": (lambda t: shapes.circle(radius(t)) - shapes.circle(0.2).move(radius(t) / 3, 0),
                   PLANE),
        "pictures": (lambda t: ivm.render(RING, variables={"r": radius(t)}, **PLANE), {}),
        "arrays": (lambda t: ivm.render(RING, variables={"r": radius(t)}, **PLANE).pixels, {}),
    }  # fmt: skip
    for name, (f, options) in ways.items():
        for frame, picture in zip(
            frames_of(tmp_path / f"{name}.png", f, **options), expected, strict=True
        ):
            assert_array_equal(frame, shown(picture), err_msg=name)


@pytest.mark.parametrize("engine", ["dense", "pruned"])
def test_a_solid_is_drawn_as_one(tmp_path: Path, engine: Any) -> None:
    view = ivm.View.turntable(30, 20)
    options: dict[str, Any] = {"size": 20, "view": view, "engine": engine, "material": "#c84"}
    found = frames_of(tmp_path / "a.webp", lambda t: {"r": radius(t)}, 4, shape=BALL, **options)
    for i, frame in enumerate(found):
        picture = ivm.render3d(BALL, variables={"r": radius(i / 4)}, **options)
        assert_array_equal(frame, picture.pixels)


def test_a_slice_is_drawn_where_z_is_given(tmp_path: Path) -> None:
    found = frames_of(tmp_path / "a.png", lambda t: shapes.sphere(0.3 + t / 2), 3, z=0.25, **PLANE)
    for i, frame in enumerate(found):
        picture = ivm.render(shapes.sphere(0.3 + i / 6), z=0.25, **PLANE)
        assert_array_equal(frame, shown(picture))


def test_the_first_frame_decides_what_is_drawn(tmp_path: Path) -> None:
    def growing(t: float) -> Any:
        return shapes.circle(0.5) if t else shapes.sphere(0.5)

    found = frames_of(tmp_path / "a.png", growing, 2, size=16, engine="dense")
    prism = ivm.render3d(shapes.circle(0.5), size=16, engine="dense")
    assert_array_equal(found[1], prism.pixels)
    with pytest.raises(OptionError, match="frame 1 reads z, and frames before it are of the plane"):
        ivm.animate(lambda t: growing(0.5 - t), 2, tmp_path / "b.png", **PLANE)


def test_variables_are_set_over_those_of_the_options(tmp_path: Path) -> None:
    x, y, _ = ivm.axes()
    bare = (x * x + y * y - ivm.var("r") * ivm.var("s")).tape()
    found = frames_of(
        tmp_path / "a.png", lambda t: {"s": 1 + t}, 3, shape=bare, variables={"r": 0.3}, **PLANE
    )
    for i, frame in enumerate(found):
        picture = ivm.render(bare, variables={"r": 0.3, "s": 1 + i / 3}, **PLANE)
        assert_array_equal(frame, shown(picture))


def test_frames_of_variables_share_a_renderer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[ivm.Renderer] = []
    make = ivm.Renderer.__init__
    monkeypatch.setattr(
        ivm.Renderer, "__init__", lambda self, *a, **o: made.append(self) or make(self, *a, **o)
    )
    ivm.animate(lambda t: {"r": radius(t)}, 9, tmp_path / "a.gif", shape=RING, **PLANE)
    assert len(made) == 1


def test_ink_on_clear_paper_with_smooth_edges(tmp_path: Path) -> None:
    options: dict[str, Any] = {"size": 30, "antialias": 3, "ink": "#c84", "paper": "none"}
    ivm.animate(lambda t: {"r": radius(t)}, 4, tmp_path / "a.webp", shape=RING, **options)
    found, _, _ = read(tmp_path / "a.webp", "RGBA")
    for i, frame in enumerate(found):
        expected = ivm.render(RING, variables={"r": radius(i / 4)}, **options).shown
        assert_array_equal(frame[..., 3], expected[..., 3])
        assert len(np.unique(frame[..., 3])) > 3
        seen = expected[..., 3] > 0
        assert_array_equal(frame[seen], expected[seen])


def test_painted_layers(tmp_path: Path) -> None:
    def layers(t: float) -> ivm.Picture:
        below = ivm.render(shapes.circle(0.9), ink="teal", paper="white", **PLANE)
        above = ivm.render(RING, variables={"r": radius(t)}, ink="gold", paper="none", **PLANE)
        return above.over(below)

    for i, frame in enumerate(frames_of(tmp_path / "a.png", layers, 4)):
        assert_array_equal(frame, shown(layers(i / 4)))


def test_time_goes_from_0_to_below_1(tmp_path: Path) -> None:
    asked: list[float] = []

    def frame(t: float) -> Any:
        asked.append(t)
        return np.zeros((4, 4), np.uint8)

    ivm.animate(frame, 8, tmp_path / "a.gif")
    assert asked == [i / 8 for i in range(8)]


@ANY
def test_progress_goes_up_to_all_steps(tmp_path: Path, format: str) -> None:
    told: list[tuple[int, int]] = []
    ivm.animate(
        lambda t: {"r": radius(t)}, 7, tmp_path / f"a.{format}", shape=RING,
        progress=lambda *n: told.append(n), **PLANE,
    )  # fmt: skip
    assert told == sorted(told)
    assert [total for _, total in told] == [told[0][1]] * len(told)
    assert told[-1][0] == told[-1][1]


# --- what cannot be -------------------------------------------------------------------------------


def grey(t: float) -> NDArray[np.uint8]:
    return np.zeros((4, 6), np.uint8)


@pytest.mark.parametrize(
    ("f", "given", "kind", "message"),
    [
        (3, {}, ArgumentTypeError, "f=3: give a function of t"),
        (RING, {}, ArgumentTypeError, "give a function of t, from 0 to 1"),
        (lambda: 0, {}, ArgumentTypeError, "give a function of t, from 0 to 1"),
        (grey, {"frames": 1}, OptionError, "frames=1: give an integer of at least 2"),
        (grey, {"seconds": 61}, OptionError, "seconds=61: give a number above 0 and up to 60"),
        (grey, {"progress": 3}, ArgumentTypeError, "progress=3"),
        (grey, {"path": "a.avi"}, OptionError, "names no format: choose .gif .webp .png .mp4"),
        (grey, {"path": "no/a.gif"}, FileError, "there is no folder"),
        (grey, {"colour": 1}, ArgumentTypeError, "animate takes no colour="),
        (grey, {"fps": 30}, ArgumentTypeError, ": write seconds=frames / fps"),
        (grey, {"z": 1, "view": ivm.View()}, OptionError, "z is about pictures of the plane, and"),
        (grey, {"size": 9}, OptionError, "frame 0 is an array, to which size does nothing"),
        (lambda t: ivm.render(RING, **PLANE), {"size": 9}, OptionError, "frame 0 is a picture, to"),
        (lambda t: {"r": 1}, {}, ArgumentTypeError, "frame 0 is variables, {'r': 1}: give shape="),
        (lambda t: {"q": 1}, {"shape": RING, **PLANE}, ivm.VariableError, "q"),
        (lambda t: {"r": "1"}, {"shape": RING, **PLANE}, ArgumentTypeError, "r='1'"),
        (lambda t: None, {}, ArgumentTypeError, "frame 0 is None: f returns a shape"),
        (lambda t: 3.5, {}, ArgumentTypeError, "frame 0 is 3.5: f returns a shape"),
        (lambda t: grey(t) if t < 0.5 else 1, {}, ArgumentTypeError, "frame 2 is 1: f returns"),
        (lambda t: grey(t) * 1.0, {}, ArgumentTypeError, "frame 0 is float64[4, 6]: give uint8"),
        (lambda t: np.zeros((4, 4, 2), np.uint8), {}, ArgumentTypeError, "is uint8[4, 4, 2]"),
        (lambda t: np.zeros((0, 4), np.uint8), {}, OptionError, "frame 0 has no pixels"),
        (lambda t: np.zeros((4, 6 + (t > 0.6)), np.uint8), {}, OptionError,
         "frame 3 is 7x4 pixels, and frame 0 is 6x4: give all frames one size"),
        (lambda t: np.zeros((4, 1 << 16), np.uint8), {}, OptionError, "a .gif holds at most 65535"),
        (lambda t: np.zeros((4, 4, 4), np.uint8), {"path": "a.mp4"}, OptionError,
         "frame 0 is transparent in parts, which an .mp4 cannot hold"),
    ],
)  # fmt: skip
def test_what_is_no_film(
    tmp_path: Path, f: Any, given: dict[str, Any], kind: type[Exception], message: str
) -> None:
    options = {"frames": 4} | given
    path = tmp_path / options.pop("path", "a.gif")
    with pytest.raises(kind) as raised:
        ivm.animate(f, options.pop("frames"), path, **options)
    assert message in str(raised.value)
    assert os.listdir(tmp_path) == []


def test_memory_for_all_frames(tmp_path: Path) -> None:
    with pytest.raises(DoesNotFit, match="an animation of 30 frames of 100x100 pixels needs about"):
        ivm.animate(lambda t: RING, 30, tmp_path / "a.gif", size=100, max_memory="1M")
    assert os.listdir(tmp_path) == []


@ANY
@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_a_function_that_fails_leaves_the_old_file(
    tmp_path: Path, format: str, error: type[BaseException]
) -> None:
    path = tmp_path / f"a.{format}"
    path.write_bytes(b"old")

    def failing(t: float) -> Any:
        if t > 0.6:
            raise error
        return grey(t)

    with pytest.raises(error):
        ivm.animate(failing, 4, path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == [path.name]


@ANY
def test_a_report_that_raises_leaves_the_old_file(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"a.{format}"
    path.write_bytes(b"old")

    def stop(done: int, total: int) -> None:
        if done == total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ivm.animate(grey, 4, path, progress=stop)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == [path.name]


NOISE = """
import sys
import numpy as np
import intervalvm as ivm
noise = np.random.default_rng(1)
try:
    ivm.animate(lambda t: noise.integers(0, 256, (64, 64, 3), np.uint8), 4, sys.argv[1])
except ivm.FileError as error:
    print(error)
"""


@ANY
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, format: str, full_disk: Any) -> None:
    path = tmp_path / f"a.{format}"
    path.write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-c", NOISE, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        preexec_fn=full_disk(2000),
    )
    assert f"cannot write {path}" in done.stdout
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == [path.name]


def test_the_place_is_looked_at_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "Film", lambda *_: pytest.fail("too late"))
    with pytest.raises(FileError, match="there is no folder"):
        ivm.animate(grey, 4, tmp_path / "none" / "a.gif")
