"""``shape.save`` and ``save``: the suffix chooses what is written."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from PIL import Image as Pillow

import intervalvm as ivm
from intervalvm import ArgumentTypeError, FileError, OptionError, shapes
from intervalvm.api import save as module
from intervalvm.formats.write import save as save_tape
from intervalvm.meshes.formats import FORMATS as MESHES
from intervalvm.outlines.saving import FORMATS as OUTLINES
from intervalvm.raster.formats import FORMATS as PICTURES
from intervalvm.voxel.solid import SOLID_FORMATS

DISC, BALL = shapes.circle(0.5), shapes.sphere(0.5)
X, Y, Z = ivm.axes()


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_each_suffix_is_of_one_table() -> None:
    tables = [{"vm"}, set(PICTURES), set(OUTLINES), set(MESHES)]
    assert sum(map(len, tables)) == len(module.SAVES)
    assert set().union(*tables) == set(module.SAVES)
    assert set(SOLID_FORMATS) <= set(PICTURES)


@pytest.mark.parametrize("shape", [DISC, DISC.expr, DISC.tape()], ids=["shape", "expr", "tape"])
def test_a_tape(shape: Any) -> None:
    shape.save("disc.vm")
    ivm.save(shape, "also.VM")
    assert Path("disc.vm").read_text() == Path("also.VM").read_text() == str(DISC.tape())
    shape.save("fidget.vm", dialect="fidget")
    assert ivm.load("fidget.vm") == DISC.tape()


@pytest.mark.parametrize("suffix", PICTURES)
def test_a_picture_of_the_plane(suffix: str) -> None:
    DISC.save(f"disc.{suffix}", size=32, region=(-2, 2, -2, 2))
    ivm.render(DISC, size=32, region=(-2, 2, -2, 2)).save(f"drawn.{suffix}")
    assert Path(f"disc.{suffix}").read_bytes() == Path(f"drawn.{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", SOLID_FORMATS)
def test_a_picture_of_a_solid(suffix: str) -> None:
    BALL.save(f"ball.{suffix}", size=24, material="teal")
    ivm.render3d(BALL, size=24, material="teal").save(f"drawn.{suffix}")
    assert Path(f"ball.{suffix}").read_bytes() == Path(f"drawn.{suffix}").read_bytes()


def test_a_slice_of_a_solid() -> None:
    BALL.save("slice.pgm", size=24, z=0.25)
    with Pillow.open("slice.pgm") as found:
        assert np.array_equal(np.asarray(found), ivm.render(BALL, size=24, z=0.25).pixels)


@pytest.mark.parametrize("suffix", MESHES)
def test_a_mesh(suffix: str) -> None:
    BALL.save(f"ball.{suffix}", depth=4, unit="cm")
    ivm.mesh(BALL, depth=4).save(f"made.{suffix}", unit="cm")
    assert Path(f"ball.{suffix}").read_bytes() == Path(f"made.{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", OUTLINES)
def test_an_outline(suffix: str) -> None:
    DISC.save(f"disc.{suffix}", tolerance=0.01, unit="cm")
    ivm.contour(DISC, tolerance=0.01).save(f"made.{suffix}", unit="cm")
    sizes = [Path(f"{name}.{suffix}").stat().st_size for name in ("disc", "made")]
    assert sizes[0] == sizes[1]  # a DXF holds random numbers


def test_a_mesh_is_read_by_another_program() -> None:
    shapes.box(1, 2, 3).save("box.stl")
    found: Any = trimesh.load("box.stl")
    assert found.is_watertight
    assert found.volume == pytest.approx(6, abs=0.01)  # edges are within a part of a cell


def test_options_of_the_making_and_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each goes to its own call."""
    calls: list[Any] = []

    class Found:
        def save(self, *args: Any, **options: Any) -> None:
            calls.append((args, options))

    def recorded(name: str) -> Any:
        def make(*args: Any, **options: Any) -> Found:
            calls.append((name, *args, options))
            return Found()

        return make

    for name in ("contour", "mesh"):
        monkeypatch.setattr(module, name, recorded(name))
    ivm.save(DISC, "disc.dxf", tolerance=0.1, unit="in", version="R12")
    ivm.save(BALL, "ball.3mf", method="safe", unit="in", scale=3)
    assert calls == [
        ("contour", DISC, {"tolerance": 0.1}),
        (("disc.dxf", "dxf"), {"unit": "in", "version": "R12"}),
        ("mesh", BALL, {"method": "safe"}),
        (("ball.3mf", "3mf"), {"unit": "in", "scale": 3}),
    ]


@pytest.mark.parametrize("name", ["disc", "disc.", "disc.foo", "disc.step", "disc.gif", "disc.txt"])
def test_a_suffix_that_means_nothing_lists_those_that_mean_something(name: str) -> None:
    with pytest.raises(OptionError, match=r"names no format: choose \.vm \.png") as error:
        DISC.save(name)
    assert all(f".{suffix}" in str(error.value) for suffix in module.SAVES)
    assert not list(Path().iterdir())


@pytest.mark.parametrize("name", ["disc.png", "disc.svg", "disc.stl", "disc.txt"])
def test_no_file_of_another_kind_holds_the_text_of_a_tape(name: str) -> None:
    with pytest.raises(OptionError, match=r"a tape is \.vm text"):
        save_tape(DISC, name)
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    ("shape", "name", "options", "said"),
    [
        (DISC, "a.vm", {"size": 4}, "save takes no size="),
        (DISC, "a.png", {"depht": 4}, "render takes no depht=.*did you mean 'depth'"),
        (BALL, "a.png", {"region": (0, 1, 0, 1)}, "render3d takes no region="),
        (BALL, "a.stl", {"size": 4}, "mesh takes no size="),
        (DISC, "a.svg", {"size": 4}, "contour takes no size="),
    ],
)
def test_unknown_options_are_told_by_the_call(
    shape: Any, name: str, options: Any, said: str
) -> None:
    with pytest.raises(ArgumentTypeError, match=said):
        shape.save(name, **options)
    assert not list(Path().iterdir())


def test_what_cannot_be_is_told_before_the_work() -> None:
    with pytest.raises(OptionError, match=r"'\.?pgm' names no format: choose .png"):
        BALL.save("ball.pgm", size=10**6)
    for path in ("nowhere/disc.png", "nowhere/ball.stl"):
        with pytest.raises(FileError, match="there is no folder"):
            BALL.save(path, size=10**6, depth=16)
    with pytest.raises(OptionError, match="does not read z"):
        DISC.save("disc.stl")


@pytest.mark.parametrize(
    ("format", "magic"), [("vm", b"_0 "), ("png", b"\x89PNG"), ("ply", b"ply")]
)
def test_streams(format: str, magic: bytes) -> None:
    stream = io.BytesIO()
    (BALL if format == "ply" else DISC).save(stream, format)
    assert stream.getvalue().startswith(magic)
    with pytest.raises(OptionError, match="name the format"):
        DISC.save(stream)
    with pytest.raises(ArgumentTypeError, match="bytes"):
        DISC.save(io.StringIO(), format)


@pytest.mark.parametrize("path", [None, 3, object()])
def test_what_is_no_path(path: Any) -> None:
    with pytest.raises(ArgumentTypeError):
        DISC.save(path)


def test_pictures_show_all_of_a_large_shape() -> None:
    shapes.rectangle(80, 50).save("plate.png")
    plate = np.asarray(Pillow.open("plate.png"))
    assert not plate[0].any()
    assert not plate[:, 0].any()
    share = (plate > 0).mean() * plate.shape[1] / plate.shape[0]
    assert share == pytest.approx(80 * 50 / (80 * 1.08) ** 2, rel=0.02)
    shapes.box(80, 50, 20).save("part.png")
    part = np.asarray(Pillow.open("part.png").convert("L"))
    assert len(np.unique(part)) > 1
    # what lies within -1 to 1, and what has no ends, is shown as ever
    for shape in (DISC, shapes.half_plane((1, 0))):
        shape.save("a.png")
        np.testing.assert_array_equal(
            np.asarray(Pillow.open("a.png")) > 0, ivm.render(shape).pixels > 0
        )
