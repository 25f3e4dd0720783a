"""``intervalvm render3d``: pictures of solids and turntables, and what is said of them."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import PIL.Image
import pytest
from numpy.testing import assert_array_equal
from support import films
from support.command_line import fails, files, process
from support.places import TOP

import intervalvm as ivm
from intervalvm import View, shapes
from intervalvm.cli import main
from intervalvm.cli import render3d as module
from intervalvm.raster.animation import ANIMATED
from intervalvm.voxel.solid import SOLID_FORMATS
from intervalvm.words import SolidMode

EGG = """\
x var-x
y var-y
z var-z
xx square x
yy square y
zz square z
xy mul x y
a add xx yy
b add zz zz
s add a b
t add s xy
c const 0.5
v sub t c
"""
QUICK = ["--engine", "dense", "--size", "12x10x9"]
"""Dense, so that these tests compile nothing but the shading."""
SIZE = (12, 10, 9)
SECONDS = ["load", "compile", "depth", "normals", "shade", "write", "total"]


@pytest.fixture(autouse=True, scope="module")
def shading() -> None:
    """Compiled before a command says so, and before one in a process of its own takes long."""
    assert drawn(ivm.parse(EGG)).pixels.any()


@pytest.fixture(autouse=True)
def egg(here: Path) -> ivm.Tape:
    """A solid that looks different from each side, which egg.vm holds."""
    (here / "egg.vm").write_text(EGG)
    return ivm.parse(EGG)


def drawn(tape: ivm.Tape, view: View | None = None, **given: Any) -> ivm.SolidImage:
    """What the command should have drawn."""
    return ivm.render3d(tape, view=view, **{"size": SIZE, "engine": "dense"} | given)


def pixels(path: Any) -> Any:
    with PIL.Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


# --- pictures -------------------------------------------------------------------------------------


def test_it_writes_the_stem_with_png(
    here: Path, egg: ivm.Tape, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render3d", "egg.vm", *QUICK]) == 0
    expected = drawn(egg)
    assert_array_equal(pixels(here / "egg.png"), expected.pixels)
    hit = np.count_nonzero(expected.depth)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"egg.png: 12x10x9, {hit} pixels hit, ")
    assert files(here) == ["egg.png"]


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render3d", "egg.vm", *QUICK, "--quiet", "--check"]) == 0
    assert main(["render3d", "egg.vm", *QUICK, "--quiet", "--turn", "2"]) == 0
    assert main(["egg.vm", "--engine", "dense", "--size", "9", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


BOX = ((-2, 1), (-1, 1), (0, 0.5))


@pytest.mark.parametrize(
    ("words", "view"),
    [
        ("", View()),
        ("--yaw 30", View.turntable(30)),
        ("--yaw -30 --pitch -1e1 --roll 5", View.turntable(-30, -10, 5)),
        ("--center -.5 0 0.25 --scale 2", View.turntable(center=(-0.5, 0, 0.25), scale=2)),
        ("--perspective 0.3 --pitch 20", View.turntable(0, 20, perspective=0.3)),
        ("--up z --yaw 10", View.turntable(10, up="z")),
        ("--up y", View()),
        ("--isometric", View.isometric()),
        ("--isometric --up z --scale 1.5", View.isometric(up="z", scale=1.5)),
        ("--fit -2 1 -1 1 0 0.5", View.fit(BOX)),
        (
            "--fit -2 1 -1 1 0 0.5 --yaw 40 --pitch 15 --roll 3 --perspective 0.2 --up z",
            View.fit(BOX, 40, 15, 3, perspective=0.2, up="z"),
        ),
        ("--isometric --fit -2 1 -1 1 0 0.5", View.isometric().fitted(*BOX)),
    ],
)
def test_views(egg: ivm.Tape, capsys: pytest.CaptureFixture[str], words: str, view: View) -> None:
    said = ["--json", "--out", "egg.npy"]
    assert main(["render3d", "egg.vm", *QUICK, *words.split(), *said]) == 0
    assert json.loads(capsys.readouterr().out)["view"] == view.matrix.tolist()
    assert_array_equal(np.load("egg.npy"), drawn(egg, view).depth)


@pytest.mark.parametrize(
    ("words", "size"), [("9", (9, 9, 9)), ("9x5", (9, 5, 9)), ("9X5×4", (9, 5, 4))]
)
def test_sizes(capsys: pytest.CaptureFixture[str], words: str, size: tuple[int, ...]) -> None:
    assert main(["render3d", "egg.vm", "--engine", "dense", "--size", words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["size"] == [*size]


def test_other_options_reach_the_library(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given: list[dict[str, Any]] = []
    honest = module.render_solid

    def draw(tape: ivm.Tape, **options: Any) -> ivm.SolidImage:
        given.append(options)
        return honest(tape, **options)

    monkeypatch.setattr(module, "render_solid", draw)
    (here / "r.vm").write_text("x var-x\nz var-z\nr var-r\na mul x z\nv sub a r\n")
    words = "--engine dense --grid fidget --dtype float64 --threads 1 --mode normals --set r=0.1"
    assert main(["render3d", "r.vm", *words.split(), "--max-memory", "1G", "--size", "6"]) == 0
    (options,) = given
    del options["progress"], options["view"]
    assert options == {
        "engine": "dense", "grid": "fidget", "dtype": "float64", "threads": 1, "mode": "normals",
        "variables": {"r": 0.1}, "max_memory": 1 << 30, "size": 6,
    }  # fmt: skip


@pytest.mark.parametrize("mode", get_args(SolidMode))
@pytest.mark.parametrize("format", [*SOLID_FORMATS])
def test_modes_and_formats(here: Path, egg: ivm.Tape, mode: str, format: str) -> None:
    out = f"a.{format}"
    assert main(["render3d", "egg.vm", *QUICK, "--mode", mode, "--out", out]) == 0
    expected = drawn(egg, mode=mode)
    if format == "npy":
        assert_array_equal(np.load(out), expected.depth)
    elif format in ("jpg", "jpeg"):  # which keeps pixels nearly
        whole = io.BytesIO()
        expected.write(whole, format)
        assert Path(out).read_bytes() == whole.getvalue()
    else:
        assert_array_equal(pixels(out), expected.pixels)


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ("--material #c84", {"material": "#c84"}),
        ("--background teal", {"background": "teal"}),
        ("--background white,#a00", {"background": ("white", "#a00")}),
        ("--sky red --floor #00f", {"sky": "red", "floor": "#00f"}),
        ("--occlusion 0", {"occlusion": 0}),
        ("--occlusion 2 --radius 0.5", {"occlusion": 2, "radius": 0.5}),
        ("--smooth 3 --edges 0.9", {"smooth": 3, "edges": 0.9}),
        ("--shadow 0.7", {"shadow": 0.7}),
    ],
)
def test_shading_options(here: Path, words: str, given: dict[str, Any]) -> None:
    bowl = (shapes.sphere(0.8) - shapes.sphere(0.6).move(0, 0.1, 0.5)).tape()
    ivm.save(bowl, "bowl.vm")
    around = ["--pitch", "20", "--perspective", "0.2", "--size", "40"]
    assert main(["render3d", "bowl.vm", *QUICK, *around, *words.split()]) == 0
    view = View.turntable(pitch=20, perspective=0.2)
    found = pixels(here / "bowl.png")
    assert_array_equal(found, drawn(bowl, view, size=40, **given).pixels)
    assert (found != drawn(bowl, view, size=40).pixels).any()


@pytest.mark.parametrize("turn", [[], ["--turn", "3"]])
def test_standard_output_gets_the_picture(here: Path, egg: ivm.Tape, turn: list[str]) -> None:
    done = process("render3d", "egg.vm", *QUICK, "--stats", *turn, "--out", "-")
    assert done.returncode == 0
    with PIL.Image.open(io.BytesIO(done.stdout)) as picture:
        assert picture.format == ("GIF" if turn else "PNG")
        assert getattr(picture, "n_frames", 1) == (3 if turn else 1)
    assert b"12x10x9 voxels, 13 clauses" in done.stderr
    assert files(here) == []


def test_standard_input(here: Path) -> None:
    done = process("render3d", "-", *QUICK, input=EGG.encode(), stderr=None)
    assert done.returncode == 0
    assert files(here) == ["stdin.png"]


def test_the_default_engine_draws_the_same(
    egg: ivm.Tape, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--size", "20", "--yaw", "30", "--perspective", "0.2", "--check"]
    assert main(["render3d", "egg.vm", *words]) == 0
    assert capsys.readouterr().out == "identical: 400 pixels\n"


# --- what is said ---------------------------------------------------------------------------------


@pytest.mark.parametrize("check", [False, True])
def test_json_is_one_object(egg: ivm.Tape, capsys: pytest.CaptureFixture[str], check: bool) -> None:
    words = ["render3d", "egg.vm", *QUICK, "--json", *(["--check"] if check else [])]
    assert main(words) == 0
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert err == ""
    assert list(report) == [
        *("file", "clauses", "size", "engine", "backend", "dtype", "threads", "grid", "mode"),
        *("view", "frames", "out", "seconds", "voxels", "levels", "check"),
    ]
    assert list(report["seconds"]) == SECONDS
    assert list(report["voxels"]) == ["hit", "full", "evaluated", "total"]
    assert report["voxels"]["hit"] == np.count_nonzero(drawn(egg).depth)
    assert (report["file"], report["out"], report["frames"]) == ("egg.vm", "egg.png", 1)
    assert (report["mode"], report["engine"]) == ("shaded", "dense")
    assert report["view"] == np.eye(4).tolist()
    assert report["check"] == ({"identical": True, "different": 0} if check else None)


def test_json_of_a_turntable(egg: ivm.Tape, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render3d", "egg.vm", *QUICK, "--yaw", "5", "--turn", "3", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    views = [View.turntable(5 + 120 * i) for i in range(3)]
    assert (report["frames"], report["out"], report["levels"]) == (3, "egg.gif", [])
    assert report["view"] == views[0].matrix.tolist()
    hits = sum(np.count_nonzero(drawn(egg, view).depth) for view in views)
    assert report["voxels"]["hit"] == hits
    assert list(report["seconds"]) == SECONDS


def test_stats_are_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render3d", "egg.vm", *QUICK, "--stats", "--check"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("12x10x9 voxels, 13 clauses")
    assert [line.split()[0] for line in lines[-8:]] == [*SECONDS, "identical:"]
    assert main(["render3d", "egg.vm", *QUICK, "--stats", "--turn", "3"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("the first of 3 frames, and the times of all:\n12x10x9 voxels")
    assert err.startswith("egg.gif: 3 frames of 12x10x9, ")


def test_what_the_near_side_cuts_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render3d", "egg.vm", *QUICK, "--scale", "0.3"]) == 0
    assert " of them at the near side, " in capsys.readouterr().err


def test_a_prism_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render3d", "circle.vm", *QUICK, "--yaw", "20"]) == 0
    assert ", a prism along z, " in capsys.readouterr().err
    assert main(["render3d", "circle.vm", *QUICK, "--turn", "2"]) == 0
    assert "2 frames of 12x10x9, a prism along z, " in capsys.readouterr().err
    assert main(["render3d", "circle.vm", *QUICK, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["is_prism"] is True


def test_check_finds_a_difference(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], egg: ivm.Tape
) -> None:
    honest, wrong = module.render_solid, 0

    def draw(tape: ivm.Tape, **given: Any) -> ivm.SolidImage:
        nonlocal wrong
        image = honest(tape, **given)
        wrong += 1
        if wrong % 2 == 0:
            return image
        depth, normals = image.depth.copy(), image.normals.copy()
        depth[3, 4] += 1
        normals[3, 5] = np.nextafter(normals[3, 5], np.float32(2))
        normals[0, 0] = -0.0
        return replace(image, depth=depth, normals=normals)

    monkeypatch.setattr(module, "render_solid", draw)
    assert main(["render3d", "egg.vm", *QUICK, "--check"]) == 1
    message = capsys.readouterr().err
    assert "3 of 120 pixels differ from dense evaluation, first column 0, row 0: depth 0" in message
    assert main(["render3d", "egg.vm", *QUICK, "--check", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["check"] == {"identical": False, "different": 3}


def test_other_commands_name_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "an egg.vm").write_text(EGG)
    slice = ["--engine", "dense", "--size", "9"]
    assert main(["an egg.vm", *slice]) == 0
    said = capsys.readouterr().err
    hint = "this is the slice at z = 0: intervalvm render3d 'an egg.vm' draws the solid"
    assert said.count(f"intervalvm: {hint}\n") == 1
    for words in (["--z", "0"], ["--quiet"], ["--json"]):
        assert main(["egg.vm", *slice, *words]) == 0
        assert "render3d" not in "".join(capsys.readouterr())
    assert main(["circle.vm", *slice]) == 0
    assert main(["info", "circle.vm"]) == 0
    assert "render3d" not in "".join(capsys.readouterr())
    assert main(["info", "egg.vm"]) == 0
    assert "solid        drawn by intervalvm render3d egg.vm\n" in capsys.readouterr().out


# --- turntables -----------------------------------------------------------------------------------


@pytest.mark.parametrize("format", [*ANIMATED])
def test_turntables(here: Path, egg: ivm.Tape, format: str) -> None:
    words = ["--turn", "4", "--seconds", "2", "--pitch", "20", "--mode", "normals"]
    assert main(["render3d", "egg.vm", *QUICK, *words, "--out", f"a.{format}"]) == 0
    frames, times, _ = films.read(here / f"a.{format}")
    assert times == [500] * 4
    for i, found in enumerate(frames):
        expected = drawn(egg, View.turntable(90 * i, 20), mode="normals").pixels
        apart = np.abs(found[: len(expected), : len(expected[0])].astype(int) - expected)
        # colours, and those of a video at every second pixel alone
        assert apart.mean() <= {"gif": 4, "mp4": 16}.get(format, 0)


def test_a_turntable_is_a_gif(here: Path) -> None:
    assert main(["render3d", "egg.vm", *QUICK, "--turn", "2"]) == 0
    assert files(here) == ["egg.gif"]


def test_a_turntable_of_a_box(capsys: pytest.CaptureFixture[str]) -> None:
    fit = ["--fit", "-2", "1", "-1", "1", "0", "0.5", "--turn", "3", "--isometric", "--json"]
    assert main(["render3d", "egg.vm", *QUICK, *fit]) == 0
    (first, *_) = ivm.api.turntable.Turn("gif", 3, box=BOX, yaw=45.0, pitch=module.ISOMETRIC).views
    assert json.loads(capsys.readouterr().out)["view"] == first.matrix.tolist()


# --- what cannot be -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--size 0", "at least 1 voxel"),
        ("--size 8x-1", "at least 1 voxel"),
        ("--size 8x8x8x8", "is not a size: give 512, 640x480 or 640x480x512, in voxels"),
        ("--size big", "is not a size"),
        ("--size 9999999999", "voxels a side"),
        ("--yaw nan", "--yaw nan: give a finite number"),
        ("--pitch inf", "--pitch inf: give a finite number"),
        ("--yaw much", "invalid float value"),
        ("--scale 0", "--scale 0.0: give a number above 0"),
        ("--scale -1", "--scale -1.0: give a number above 0"),
        ("--scale 1e39", "the view "),
        ("--center 0 0", "expected 3 arguments"),
        ("--center 0 0 nan", "give three finite numbers"),
        ("--perspective 1", "--perspective 1.0: give a number from 0 to below 1"),
        ("--perspective 0.9 --size 8x8x99", "the view looks from inside infinity"),
        ("--up x", "--up x: choose"),
        ("--fit 0 1 0 1", "expected 6 arguments"),
        ("--fit 1 0 0 1 0 1", "give the lower end first"),
        ("--fit 1 1 2 2 3 3", "cannot be seen whole"),
        ("--fit 0 1 0 1 0 1 --scale 2", "--fit says what --scale does"),
        ("--fit 0 1 0 1 0 1 --center 2 1 1 --turn 3", "--fit says what --center does"),
        ("--isometric --yaw 3", "--isometric says what --yaw does"),
        ("--isometric --perspective 0.1", "--isometric says what --perspective does"),
        ("--mode bitmap", "invalid choice"),
        ("--material #12", "--material #12 is not a colour: give"),
        ("--background tale", "--background tale is not a colour (did you mean"),
        ("--background red,#12", "--background #12 is not a colour"),
        ("--background a,b,c", "is not a colour"),
        ("--occlusion 5", "--occlusion 5.0: give a number from 0 to 4"),
        ("--edges -1", "--edges -1.0: give a number from 0 to 1"),
        ("--radius nan", "--radius nan: give"),
        ("--smooth 5", "--smooth 5: give an integer from 0 to 4"),
        ("--smooth 1.5", "invalid int value"),
        ("--turn 3 --shadow 2", "--shadow 2.0: give a number from 0 to 1"),
        ("--engine naive", "invalid choice"),
        ("--grid linspace", "invalid choice"),
        ("--dtype float16", "invalid choice"),
        ("--threads 0", "--threads 0: give"),
        ("--z 1", "unrecognized arguments: --z 1"),
        ("--azimuth 3", "(did you mean '--yaw'?)"),
        ("--frames 3", "(did you mean '--turn'?)"),
        ("--set q=1", "no free variable 'q'"),
        ("--stats --json", "not allowed with"),
        ("--out a.bmp", "names no format: choose .png"),
        ("--out a.pgm", "names no format: choose .png"),
        ("--out a.gif", "a .gif is for a turntable: give --turn 36, or --out a .png"),
        ("--out a", "choose .png"),
        ("--out none/a.png", "there is no folder none"),
        ("--out egg.vm", "names no format"),
        ("--out folder.png", "is a folder"),
        ("--out - --json", "both write to standard output"),
        ("--out a.webp --size 16384x1x1", "at most 16383 pixels a side"),
        ("--seconds 2", "--seconds is about a turntable: give --turn 36 too"),
        ("--turn 0", "--turn 0: give an integer of at least 2"),
        ("--turn 1", "--turn 1: give an integer of at least 2"),
        ("--turn -3", "--turn -3: give an integer of at least 2"),
        ("--turn 2.5", "invalid int value"),
        ("--turn 400", "a .gif shows at most 150 frames in 3 seconds, not 400"),
        ("--turn 3 --seconds 0", "--seconds 0.0: give a number above 0"),
        ("--turn 3 --seconds nan", "--seconds nan: give a number above 0"),
        ("--turn 3 --check", "--check compares one picture"),
        ("--turn 3 --out a.npy", "a .npy holds one picture, and no animation: choose .gif"),
        ("--turn 3 --out a.tif", "a .tif holds one picture"),
        ("--turn 3 --out a.avi", "names no format: choose .gif .webp .png .mp4"),
        ("--turn 3 --out none/a.gif", "there is no folder none"),
        ("--turn 3 --out - --json", "both write to standard output"),
        ("--turn 3 --perspective 0.9 --size 8x8x99", "the view looks from inside infinity"),
    ],
)
def test_options_that_mean_nothing(
    here: Path, capsys: pytest.CaptureFixture[str], words: str, message: str
) -> None:
    (here / "folder.png").mkdir()
    assert message in fails(capsys, ["render3d", "egg.vm", *QUICK, *words.split()], folder=here)


def test_files_that_are_no_solids(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "none.vm: no such file" in fails(capsys, ["render3d", "none.vm"], folder=here)
    (here / "bad.vm").write_text("a var-x\nb mxa a a\n")
    assert "bad.vm:2:3: unknown operation" in fails(capsys, ["render3d", "bad.vm"], folder=here)
    (here / "r.vm").write_text("x var-x\nr var-radius\nv sub x r\n")
    said = fails(capsys, ["render3d", "r.vm", *QUICK], folder=here)
    assert "--set radius=VALUE" in said
    said = fails(capsys, ["rendr3d", "egg.vm"], folder=here)
    assert "no command or file 'rendr3d' (did you mean 'render3d'?)" in said


def test_what_is_read_is_not_overwritten(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "egg.vm").rename(here / "egg.png")
    said = fails(capsys, ["render3d", "egg.png", *QUICK], folder=here)
    assert "egg.png is the file that is read, and would be overwritten: give --out" in said
    (here / "egg.png").rename(here / "egg.gif")
    said = fails(capsys, ["render3d", "egg.gif", *QUICK, "--turn", "3"], folder=here)
    assert "egg.gif is the file that is read" in said


def test_an_unwritable_place_is_named_before_the_work(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "read_shape", lambda options: pytest.fail("too late"))
    for words in (["none/a.png"], ["a.bmp"], ["none/a.gif", "--turn", "3"]):
        fails(capsys, ["render3d", "egg.vm", "--out", *words], folder=here)


@pytest.mark.parametrize("turn", [[], ["--turn", "3"]])
def test_more_than_memory_has_status_3(
    here: Path, capsys: pytest.CaptureFixture[str], turn: list[str]
) -> None:
    words = ["render3d", "egg.vm", "--engine", "dense", *turn]
    said = fails(capsys, [*words, "--size", "500", "--max-memory", "1M"], 3, folder=here)
    assert "--max-memory allows 1 MiB" in said
    words += ["--out", "a.png", "--size", "1999999x1999999"]
    assert "available" in fails(capsys, words, 3, folder=here)


def test_memory_that_runs_out_has_status_3(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def exhausted(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(module, "render_solid", exhausted)
    said = fails(capsys, ["render3d", "egg.vm"], 3, folder=here)
    assert "out of memory: choose a smaller --size" in said


@pytest.mark.parametrize("words", [["--out", "a.png"], ["--out", "a.gif", "--turn", "8"]])
def test_a_disk_that_fills_up_leaves_the_old_file(
    here: Path, words: list[str], full_disk: Any
) -> None:
    (here / words[1]).write_bytes(b"old")
    done = process(
        *("render3d", "egg.vm", "--engine", "dense", "--size", "64x64x8", *words),
        *("--mode", "normals", "--yaw", "10"),
        preexec_fn=full_disk(500),
    )
    assert done.returncode == 3
    said = f"intervalvm: error: cannot write {words[1]}: File too large"
    assert done.stderr.decode().startswith(said)
    assert done.stderr.count(b"\n") == 1
    assert (here / words[1]).read_bytes() == b"old"
    assert files(here) == [words[1]]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("words", [["--out", "-"], ["--json"], ["--turn", "2", "--out", "-"]])
def test_standard_output_on_a_full_disk(words: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        done = process("render3d", "egg.vm", *QUICK, *words, stdout=full)
    assert done.returncode == 3
    assert done.stderr.startswith(b"intervalvm: error: cannot write standard output: No space left")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("place", ["draw", "write"])
@pytest.mark.parametrize("turn", [[], ["--turn", "3"]])
def test_an_interrupt_leaves_the_old_file(
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    turn: list[str],
    place: str,
) -> None:
    (here / "a.png").write_bytes(b"old")

    def stop(self: Any, *given: Any) -> None:
        if place == "write":
            given[0].write(b"half")
        raise KeyboardInterrupt

    for work in (module._Still, module._Turning):
        monkeypatch.setattr(work, place, stop)
    assert main(["render3d", "egg.vm", *QUICK, *turn, "--out", "a.png"]) == 130
    assert capsys.readouterr().err == "intervalvm: interrupted\n"
    assert (here / "a.png").read_bytes() == b"old"
    assert files(here) == ["a.png"]


ENDLESS = """
import sys
from intervalvm import cli
from intervalvm.api import turntable
from intervalvm.raster import reel, video
format, place = sys.argv.pop(1), sys.argv.pop(1)
draw = turntable.render3d
def drawn(*given, **options):
    if place == "drawing":
        print("drawing", flush=True)
        while True:
            draw(*given, **options)
    return draw(*given, **options)
def endless(work):
    def run(*given):
        print("writing", flush=True)
        while True:
            work(*given)
    return run
turntable.render3d = drawn
reel._moving = endless(reel._moving)
video.Video._encode = endless(lambda self, frame: self._av.VideoFrame.from_ndarray(frame))
cli.run()
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("format", [*ANIMATED])
@pytest.mark.parametrize("place", ["drawing", "writing"])
def test_a_signal_ends_a_turntable_cleanly(here: Path, format: str, place: str) -> None:
    """The work here never ends by itself."""
    out = f"a.{format}"
    (here / out).write_bytes(b"old")
    with subprocess.Popen(
        [
            *(sys.executable, "-c", ENDLESS, format, place, "render3d", "egg.vm", *QUICK),
            *("--turn", "9", "--out", out),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(TOP)},
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline().decode().strip() == place
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert said == b"intervalvm: interrupted\n"
    assert (here / out).read_bytes() == b"old"
    assert files(here) == [out]


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render3d", "none.vm", "--debug"]) == 2
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("intervalvm: error: none.vm: no such file")
