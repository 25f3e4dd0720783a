"""The command line: what it prints, and its exit statuses."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.command_line import PICTURE, QUICK, ascii_art, files, process
from support.places import TOP

from intervalvm.cli import bench, commands, main, options
from intervalvm.raster import grid
from intervalvm.raster.image import Image

if TYPE_CHECKING:
    from collections.abc import Callable


# render


@pytest.mark.parametrize("words", [[], ["render"]])
def test_render_writes_the_stem_with_png(
    here: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert main([*words, "circle.vm", *QUICK]) == 0
    assert ascii_art(here / "circle.png") == PICTURE
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("circle.png: 12x12, 52 pixels inside, ")
    assert files(here) == ["circle.png"]


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["circle.vm", *QUICK, "--quiet", "--check"]) == 0
    assert capsys.readouterr() == ("", "")


def test_options_may_stand_before_the_file(here: Path) -> None:
    assert main([*QUICK, "circle.vm"]) == 0
    assert files(here) == ["circle.png"]


def test_the_suffix_picks_the_format(here: Path) -> None:
    assert main(["circle.vm", *QUICK, "--mode", "value", "--out", "v.npy"]) == 0
    values = np.load(here / "v.npy")
    assert values.dtype == np.float32
    assert values[0, 0] == 1.5


def test_standard_output_gets_the_picture(here: Path) -> None:
    done = process("circle.vm", *QUICK, "--stats", "--check", "--out", "-")
    assert done.returncode == 0
    assert ascii_art(io.BytesIO(done.stdout)) == PICTURE
    assert b"identical: 144 pixels" in done.stderr
    assert files(here) == []


def test_the_default_engine_draws_the_same(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["circle.vm", "--size", "12", "--depth", "2", "--check"]) == 0
    assert ascii_art(here / "circle.png") == PICTURE
    assert capsys.readouterr().out == "identical: 144 pixels\n"


def test_a_large_tape_draws_the_same(
    model: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(model("prospero.vm")), "--size", "257", "--check", "--out", "p.png"]) == 0
    assert capsys.readouterr().out == "identical: 66049 pixels\n"


def test_regions(here: Path) -> None:
    (here / "edge.vm").write_text("x var-x\n")
    for words, first, last in (
        ([], -1.5, 1.5),
        (["--center", "-1e-1", "0.5"], -1.6, 1.4),
        (["--scale", ".5"], -0.75, 0.75),
        (["--center", "1", "0", "--scale", "2"], -2, 4),
        (["--region", "-1e-3", "5", "0", "1"], -1e-3, 5),
    ):
        out = ["--mode", "value", "--out", "v.npy", "--size", "30x20", "--engine", "dense"]
        assert main(["edge.vm", *words, *out]) == 0
        row = np.load("v.npy")[0]
        assert (row[0], row[-1]) == (np.float32(first), np.float32(last))


def test_variables_and_z(here: Path) -> None:
    (here / "plane.vm").write_text("r var-r\ns var-s\nz var-z\na sub r s\nv add a z\n")
    words = ["plane.vm", "--set", "r=-0.5", "--set", "s=1e-1", "--z", "-2", "--mode", "value"]
    assert main([*words, *QUICK, "--out", "v.npy"]) == 0
    expected = np.float32(-0.5) - np.float32(0.1) + np.float32(-2)
    assert (np.load("v.npy") == expected).all()


def test_stats_are_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["circle.vm", *QUICK, "--stats", "--check"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].startswith("12x12 pixels, 7 clauses")
    assert err.startswith("circle.png: 12x12, 52 pixels inside, ")
    assert [line.split()[0] for line in lines[-6:]] == [
        *("load", "compile", "render", "write", "total", "identical:")
    ]


@pytest.mark.parametrize("check", [False, True])
def test_json_is_one_object(capsys: pytest.CaptureFixture[str], check: bool) -> None:
    words = ["circle.vm", "--size", "20x12", "--engine", "dense", "--json"]
    assert main([*words, *(["--check"] if check else [])]) == 0
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert err == ""
    assert list(report) == [
        *("file", "clauses", "size", "depth", "engine", "backend", "dtype", "threads", "grid"),
        *("out", "seconds", "pixels", "levels", "check"),
    ]
    assert list(report["seconds"]) == ["load", "compile", "render", "write", "total"]
    assert (report["file"], report["out"]) == ("circle.vm", "circle.png")
    assert report["size"] == [20, 12]
    assert report["pixels"]["inside"] == 52
    assert report["check"] == ({"identical": True, "different": 0} if check else None)


def test_check_finds_a_difference(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from intervalvm.cli import render as module

    honest = module.render_image

    def wrong(tape: Any, **given: Any) -> Image:
        image = honest(tape, **given)
        if given.get("mode") == "bitmap":
            return image
        pixels = image.pixels.copy()
        pixels[3, 4:6] ^= 255
        return replace(image, _pixels=pixels)

    monkeypatch.setattr(module, "render_image", wrong)
    assert main(["circle.vm", *QUICK, "--check"]) == 1
    message = capsys.readouterr().err
    assert "2 of 144 pixels differ from dense evaluation, first column 4, row 3" in message
    assert main(["circle.vm", *QUICK, "--check", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["check"] == {"identical": False, "different": 2}


# the other commands


def test_info(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "circle.vm"]) == 0
    text = capsys.readouterr().out
    assert "clauses      7\n" in text
    assert "live arrays  3\n" in text
    assert "axes         x y\n" in text
    assert "bounds       -0.5..1.5 for x and y in -1..1\n" in text
    assert "square  2\n" in text


def test_info_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "circle.vm", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["clauses"] == 7
    assert facts["operations"]["square"] == 2
    assert facts["axes"] == ["x", "y"]
    assert facts["variables"] == []
    assert facts["bounds"] == {"lower": -0.5, "upper": 1.5, "maybe_nan": False}


def test_info_of_what_has_no_bound(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "pole.vm").write_text("x var-x\nv recip x\n")
    assert main(["info", "pole.vm", "--json"]) == 0
    bounds = json.loads(capsys.readouterr().out)["bounds"]
    assert (bounds["lower"], bounds["upper"]) == (None, None)
    assert main(["info", "pole.vm"]) == 0
    assert "-inf..inf" in capsys.readouterr().out


def test_info_without_the_variables(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "r.vm").write_text("x var-x\nr var-r\nv sub x r\n")
    assert main(["info", "r.vm"]) == 0
    assert "bounds       depend on the variables: give each a value, as in --set r=0.5" in (
        capsys.readouterr().out
    )
    assert main(["info", "r.vm", "--set", "r=2"]) == 0
    assert "bounds       -3..-1" in capsys.readouterr().out


TWO = "x var-x\ny var-y\nv min x y\n"


def test_simplify_prints_a_tape(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "two.vm").write_text(TWO)
    assert main(["simplify", "two.vm", "--x", "-2", "-1", "--y", "0", "1"]) == 0
    assert capsys.readouterr().out == "_0 var-x\n"
    assert main(["simplify", "two.vm", "--x", "0", "1", "--y", "0", "1"]) == 0
    assert capsys.readouterr().out == "_0 var-x\n_1 var-y\n_2 min _0 _1\n"


def test_simplify_writes_a_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "two.vm").write_text(TWO)
    box = ["--x", "-2", "-1", "--y", "0", "1"]
    assert main(["simplify", "two.vm", *box, "--out", "short.vm"]) == 0
    assert (here / "short.vm").read_text() == "_0 var-x\n"
    assert capsys.readouterr() == ("", "short.vm: 1 of 3 clauses\n")
    assert main(["simplify", "two.vm", *box, "--out", "short.vm", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.filterwarnings("default")
def test_bench_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "circle.vm", "--size", "20x12"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[0][:4] == ["engine", "backend", "dtype", "threads"]
    assert [row[:2] for row in rows[1:7]] == [
        ["dense", "numpy"],
        ["naive", "numpy"],
        ["dense", "numpy"],
        ["dense", "numpy"],
        ["pruned", "numpy"],
        ["pruned", "numba"],
    ]
    assert {row[-1] for row in rows[1:7]} == {"yes"}


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("columns", ["20", "80"])
def test_bench_keeps_its_keys_however_narrow_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["bench", "circle.vm", "--size", "12", "--quiet"]) == 0
    out, err = capsys.readouterr()
    head = out.splitlines()[0]
    assert head.split() == list(bench.HEAD)
    assert len(head) <= 80
    assert err == ""


@pytest.mark.filterwarnings("default")
def test_bench_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "circle.vm", "--size", "20x12", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert list(report) == ["file", "rows"]
    assert report["file"] == "circle.vm"
    for row in report["rows"]:
        assert list(row) == [
            *("engine", "backend", "dtype", "threads", "size"),
            *("seconds", "runs", "ratio", "identical"),
        ]
        assert row["size"] == [20, 12]
        assert row["identical"] is True
    assert {(row["engine"], row["backend"]) for row in report["rows"]} == {
        *(("dense", "numpy"), ("naive", "numpy"), ("pruned", "numpy"), ("pruned", "numba"))
    }


# start-up and progress


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["render", "--help"]])
def test_help_prints_and_is_done(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert main(words) == 0
    assert "intervalvm" in capsys.readouterr().out


def test_help_imports_nothing_heavy() -> None:
    listing = "import sys; from intervalvm.cli import main; main(['--help']); print(*sys.modules)"
    root = str(TOP)
    done = subprocess.run(
        [sys.executable, "-c", listing],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": root},
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    assert not loaded & {"numba", "PIL", "rich", "psutil", "llvmlite"}


def test_the_help_lists_what_the_library_takes() -> None:
    assert list(commands.GRIDS) == list(grid.GRIDS)


@pytest.mark.parametrize(
    ("text", "amount"),
    [("4G", 4 << 30), ("512m", 512 << 20), ("1.5 KiB", 1536), ("1000", 1000), ("2TB", 2 << 40)],
)
def test_amounts_of_memory(text: str, amount: int) -> None:
    assert options.parse(["a.vm", "--max-memory", text]).max_memory == amount


@pytest.mark.parametrize("quiet", [False, True])
def test_what_the_library_logs_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], quiet: bool
) -> None:
    from intervalvm.cli import render as module

    honest = module.render_image

    def slow(tape: Any, **given: Any) -> Image:
        logging.getLogger("intervalvm").info("compiling")
        logging.getLogger("intervalvm").warning("cannot be kept")
        return honest(tape, **given)

    monkeypatch.setattr(module, "render_image", slow)
    assert main(["circle.vm", *QUICK, *(["--quiet"] if quiet else [])]) == 0
    said = capsys.readouterr().err
    assert ("intervalvm: compiling\n" in said) is not quiet
    assert "intervalvm: cannot be kept\n" in said
    assert logging.getLogger("intervalvm").handlers == []
