"""``intervalvm mesh`` and ``intervalvm contour``: files for other programs, and what is said."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from support.command_line import command, fails, files, process
from support.places import TOP

import intervalvm as ivm
from intervalvm import shapes
from intervalvm.api.options_contour import takes_contour_options
from intervalvm.cli import contour as module
from intervalvm.cli import main
from intervalvm.meshes.formats import FORMATS as MESHES
from intervalvm.outlines.saving import FORMATS as OUTLINES

X, Y, Z = ivm.axes()
EGG = X * X + Y * Y + Z * Z + X * Y - ivm.var("size")
SIZE = ["--set", "size=0.5"]
QUICK = [*SIZE, "--depth", "3"]
MESH = {"size": 0.5}


@pytest.fixture(autouse=True, scope="module")
def kernels() -> None:
    """Compiled before a command says so."""
    assert len(ivm.mesh(shapes.sphere(0.5), depth=2).triangles)
    assert len(ivm.contour(shapes.circle(0.5), tolerance=0.1))


@pytest.fixture(autouse=True)
def egg(here: Path) -> ivm.Tape:
    ivm.save(EGG, "egg.vm")
    ivm.save(shapes.ring(0.5, 0.25), "ring.vm")
    return EGG.tape()


# --- meshes --------------------------------------------------------------------------------------


def test_it_writes_the_stem_with_stl(
    here: Path, egg: ivm.Tape, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mesh", "egg.vm", *QUICK]) == 0
    expected = ivm.mesh(egg, depth=3, variables=MESH)
    expected.save("made.stl")
    assert Path("egg.stl").read_bytes() == Path("made.stl").read_bytes()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(
        f"egg.stl: {len(expected.triangles)} triangles, {len(expected.vertices)} vertices, "
        f"volume {expected.volume:.6g}"
    )
    undecided = expected.stats.cells["undecided"] if expected.stats else 0
    assert (f", {undecided} cells undecided, " in err) is bool(undecided)


@pytest.mark.parametrize("suffix", MESHES)
def test_all_formats_and_units(egg: ivm.Tape, suffix: str) -> None:
    words = ["--out", f"found.{suffix}", "--unit", "cm", "--scale", "2.5", "--quiet"]
    assert main(["mesh", "egg.vm", *QUICK, *words]) == 0
    ivm.mesh(egg, depth=3, variables=MESH).save(f"made.{suffix}", unit="cm", scale=2.5)
    assert Path(f"found.{suffix}").read_bytes() == Path(f"made.{suffix}").read_bytes()


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("--cell 0.25", {"cell": 0.25}),
        ("--depth 4 --method safe", {"depth": 4, "method": "safe"}),
        ("--depth 4 --tolerance 1e-2", {"depth": 4, "tolerance": 0.01}),
        ("--depth 3 --region -1 0 -1 1 0 1", {"depth": 3, "region": ((-1, 0), (-1, 1), (0, 1))}),
        ("--depth 3 --threads 1 --max-memory 1G", {"depth": 3, "threads": 1, "max_memory": "1G"}),
    ],
)
def test_options_of_meshes(egg: ivm.Tape, words: str, options: Any) -> None:
    assert main(["mesh", "egg.vm", *SIZE, *words.split(), "--out", "found.ply", "--quiet"]) == 0
    ivm.mesh(egg, variables=MESH, **options).save("made.ply")
    assert Path("found.ply").read_bytes() == Path("made.ply").read_bytes()


def test_a_mesh_as_json(egg: ivm.Tape, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mesh", "egg.vm", *QUICK, "--json", "--quiet"]) == 0
    out, err = capsys.readouterr()
    facts = json.loads(out)
    expected = ivm.mesh(egg, depth=3, variables=MESH)
    assert err == ""
    assert (facts["file"], facts["out"]) == ("egg.vm", "egg.stl")
    assert facts["triangles"] == len(expected.triangles)
    assert facts["volume"] == expected.volume
    assert facts["bounds"] == [list(side) for side in expected.bounds]
    assert facts["seconds"]["total"] >= facts["seconds"]["load"] + facts["seconds"]["write"]
    low, high = facts["volume_bounds"]
    assert low <= facts["volume"] <= high


def test_statistics_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mesh", "egg.vm", *QUICK, "--stats", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert "sharp, depth 3" in out
    assert [line.split()[0] for line in out.splitlines()[-2:]] == ["write", "total"]
    assert err == ""


def test_a_mesh_on_standard_output(here: Path) -> None:
    done = process("mesh", "egg.vm", *QUICK, "--out", "-", "--stats")
    assert done.returncode == 0, done.stderr
    found: Any = trimesh.load(io.BytesIO(done.stdout), file_type="stl")
    assert found.is_watertight
    assert b"triangles" in done.stderr
    assert files(here) == []


# --- outlines ------------------------------------------------------------------------------------


def test_it_writes_the_stem_with_svg(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contour", "ring.vm", "--tolerance", "0.01"]) == 0
    expected = ivm.contour(ivm.load("ring.vm"), tolerance=0.01)
    expected.save("made.svg")
    assert Path("ring.svg").read_bytes() == Path("made.svg").read_bytes()
    out, err = capsys.readouterr()
    assert out == ""
    points = sum(len(curve) - 1 for curve in expected)
    assert err.startswith(f"ring.svg: 2 curves, {points} points, area {expected.area:.6g}, ")


def test_lines_for_a_laser(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--tolerance", "0.01", "--stroke-width", "0.02"]
    assert main(["contour", "ring.vm", *words, "--out", "found.svg", "--quiet"]) == 0
    assert 'stroke-width="0.02"' in Path("found.svg").read_text()
    assert main(["contour", "ring.vm", *words, "--out", "found.dxf"]) == 2
    assert "--stroke-width 0.02 is for .svg, not .dxf" in capsys.readouterr().err
    assert not Path("found.dxf").exists()


@pytest.mark.parametrize("json_too", [False, True])
def test_figures_are_those_before_the_scale(
    json_too: bool, egg: ivm.Tape, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are of the shape, whatever its file is multiplied by; and that is said."""
    words = ["mesh", "egg.vm", *QUICK, "--scale", "25.4", "--unit", "in"]
    assert main([*words, "--json"] if json_too else words) == 0
    out, err = capsys.readouterr()
    if json_too:
        facts = json.loads(out)
        assert (facts["unit"], facts["scale"]) == ("in", 25.4)
        assert facts["volume"] == ivm.mesh(egg, depth=3, variables=MESH).volume
    else:
        assert "before the scale, " in err


@pytest.mark.parametrize("suffix", OUTLINES)
def test_all_formats_of_outlines(suffix: str) -> None:
    words = ["--tolerance", "0.01", "--out", f"found.{suffix}", "--unit", "cm", "--quiet"]
    words += ["--scale", "2.5"]
    assert main(["contour", "ring.vm", *words]) == 0
    found = ivm.contour(ivm.load("ring.vm"), tolerance=0.01)
    found.save(f"made.{suffix}", unit="cm", scale=2.5)
    assert Path(f"found.{suffix}").stat().st_size == Path(f"made.{suffix}").stat().st_size


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("", {}),
        ("--arcs --tolerance 1e-3", {"arcs": True, "tolerance": 0.001}),
        ("--offset -0.1", {"offset": -0.1}),
        ("--levels -0.1 0 .2", {"levels": [-0.1, 0.0, 0.2]}),
        ("--region -1 2 -3 4 --open", {"region": [(-1, 2), (-3, 4)], "closed": False}),
        ("--z 0.5 --set r=2", {"z": 0.5, "variables": {"r": 2.0}}),
        ("--threads 2 --max-memory 1M", {"threads": 2, "max_memory": 2**20}),
    ],
)
def test_options_of_outlines(monkeypatch: pytest.MonkeyPatch, words: str, options: Any) -> None:
    asked: dict[str, Any] = {}

    @takes_contour_options
    def recorded(_tape: ivm.Tape, **given: Any) -> ivm.Outline:
        asked.update(given)
        return ivm.contour(ivm.load("ring.vm"), tolerance=0.1)

    monkeypatch.setattr(module, "make_outline", recorded)
    assert main(["contour", "ring.vm", *words.split(), "--quiet"]) == 0
    assert callable(asked.pop("progress"))
    assert asked == {"arcs": False, "closed": True, "variables": {}} | options


def test_an_outline_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--tolerance", "0.01", "--json", "--out", "a.geojson"]
    assert main(["contour", "ring.vm", *words]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["curves"] == 2
    assert facts["area"] == pytest.approx(np.pi * (0.25 - 0.0625), abs=0.01)
    low, high = facts["area_bounds"]
    assert low <= np.pi * (0.25 - 0.0625) <= high
    assert facts["out"] == "a.geojson"
    assert {"load", "write", "total"} <= facts["seconds"].keys()


def test_an_outline_of_a_solid_is_a_slice(capsys: pytest.CaptureFixture[str]) -> None:
    hint = "this is the slice at z = 0: intervalvm mesh egg.vm is of all"
    words = ["contour", "egg.vm", *SIZE, "--tolerance", "0.1"]
    assert main(words) == 0
    assert hint in capsys.readouterr().err
    for more in (["--z", "0"], ["--quiet"], ["--json"]):
        assert main([*words, *more]) == 0
        assert hint not in capsys.readouterr().err


def test_a_version_of_dxf() -> None:
    words = ["--tolerance", "0.01", "--out", "a.dxf", "--dxf-version", "R12"]
    assert main(["contour", "ring.vm", *words]) == 0
    assert "AC1009" in Path("a.dxf").read_text()


@pytest.mark.parametrize(("command", "lengths"), [("contour", 1), ("mesh", 2)])
def test_help_says_what_is_before_the_scale(
    command: str, lengths: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.count(", before --scale") == lengths


# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["mesh", "egg.vm"], "the free variable 'size' of the tape has no value"),
        (["mesh", "ring.vm"], "cut it off, as by --region -1 1 -1 1 -1 1"),
        (["mesh", "egg.vm", *SIZE, "--depth", "0"], "--depth 0: give a whole number"),
        (["mesh", "egg.vm", *SIZE, "--cell", "-1"], "--cell -1.0: give a number above 0"),
        (["mesh", "egg.vm", *QUICK, "--cell", "1"], "give depth or cell, not both"),
        (["mesh", "egg.vm", *SIZE, "--method", "best"], "invalid choice: 'best'"),
        (["mesh", "egg.vm", *SIZE, "--unit", "px"], "invalid choice: 'px'"),
        (["mesh", "egg.vm", *SIZE, "--out", "a.svg"], "choose .stl .ply .obj .glb .3mf"),
        (["mesh", "egg.vm", *SIZE, "a.stl"], "(--out a.stl names the file to write)"),
        (["mesh", "egg.vm", *SIZE, "--out", "no/a.stl"], "there is no folder no"),
        (["mesh", "egg.vm", *SIZE, "--out", "egg.vm"], "choose .stl"),
        (["mesh", "egg.vm", *SIZE, "--out", "-", "--json"], "both write to standard output"),
        (["mesh", "none.vm"], "none.vm"),
        (["mesh", "egg.vm", *QUICK, "--region", "3", "4", "3", "4", "3", "4"], "mesh is empty"),
        (["contour", "ring.vm", "--out", "a.stl"], "choose .svg .dxf .geojson"),
        (["contour", "ring.vm", "--depth", "3"], "(intervalvm render and mesh have it)"),
        (["info", "ring.vm", "--arcs"], "(intervalvm contour has it)"),
        (["contour", "ring.vm", "--out", "a.STL"], "(intervalvm mesh ring.vm writes .stl)"),
        (["mesh", "egg.vm", "--out", "a.svg"], "(intervalvm contour egg.vm writes .svg)"),
        (["contour", "ring.vm", "--out", "."], "error: . is a folder: give the name of a file"),
        (["mesh", "egg.vm", "--out", "./"], "error: ./ is a folder: give the name of a file"),
        (
            ["contour", "ring.vm", "--tolerance", "0.1", "--dxf-version", "R12"],
            "--dxf-version R12 is for .dxf, not .svg",
        ),
        (["contour", "ring.vm", "--dxf-version", "R9"], "invalid choice: 'R9'"),
    ],
)
def test_errors(here: Path, capsys: pytest.CaptureFixture[str], words: Any, said: str) -> None:
    assert said in fails(capsys, words, folder=here)


def test_a_shape_without_end_asks_for_a_region(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ivm.save(shapes.gyroid(0.5), "gyroid.vm")
    said = fails(capsys, ["mesh", "gyroid.vm"], folder=here)
    assert "say which part of it, as in --region -1 1 -1 1 -1 1" in said


@pytest.mark.skipif(not hasattr(signal, "SIGINT"), reason="signals")
def test_an_interrupt_leaves_no_file(here: Path) -> None:
    ivm.save(shapes.gyroid(0.1), "gyroid.vm")
    words = ["--region", "-1", "1", "-1", "1", "-1", "1", "--depth", "12", "--quiet"]
    working = subprocess.Popen(
        command("mesh", "gyroid.vm", *words), stderr=subprocess.PIPE, cwd=here,
        env={**os.environ, "PYTHONPATH": str(TOP)},
    )  # fmt: skip
    time.sleep(3)
    working.send_signal(signal.SIGINT)
    _, said = working.communicate(timeout=60)
    assert working.returncode == 130
    assert said == b"intervalvm: interrupted\n"
    assert files(here) == []
