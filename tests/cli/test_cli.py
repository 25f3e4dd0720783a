"""The command line: what it prints, its exit statuses, and every error that a user can cause."""

from __future__ import annotations

import importlib.util
import io
import json
import logging
import os
import signal
import subprocess
import sys
import weakref
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.command_line import CIRCLE, PICTURE, QUICK, ascii_art, command, fails, files, process
from support.places import TOP

from intervalvm import cli
from intervalvm.cli import bench, main, options
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


# what bad input gets: one message, status 2, nothing written


@pytest.mark.parametrize("name", ["render", "info", "bench"])
def test_files_that_cannot_be_read(
    here: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (here / "folder.vm").mkdir()
    assert "none.vm: no such file" in fails(capsys, [name, "none.vm"], folder=here)
    assert "folder" in fails(capsys, [name, "folder.vm"], folder=here)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no clause"),
        ("# nothing\n\n", "no clause"),
        ("a var-x\nb mxa a a\n", "bad.vm:2:3: unknown operation 'mxa'"),
        ("a var-x\nb add a\n", "bad.vm:2"),
        ("a var-x\nb add a q\n", "bad.vm:2"),
        ("a const 1_000\n", "bad.vm:1"),
        ("a var-x\na var-y\n", "bad.vm:2"),
        ("a\n", "bad.vm:1"),
        ("\xff", "UTF-8"),
    ],
)
def test_format_errors(
    here: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    (here / "bad.vm").write_bytes(text.encode("latin-1"))
    assert message in fails(capsys, ["bad.vm", *QUICK], folder=here)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--region", "nan", "1", "0", "1"], "must be finite"),
        (["--region", "-inf", "1", "0", "1"], "must be finite"),
        (["--region", "0", "0", "0", "1"], "the region's x is empty"),
        (["--region", "0", "1", "1", "0"], "the lower end first"),
        (["--region", "0", "1e39", "0", "1"], "float64"),
        (["--region", "0", "1", "0", "1", "--scale", "2"], "--region and --scale"),
        (["--region", "0", "1", "0", "1", "--center", "2", "1"], "--region and --center"),
        (["--region", "0", "1"], "expected 4 arguments"),
        (["--scale", "0"], "the scale is 0"),
        (["--scale", "-1"], "the scale is -1"),
        (["--center", "nan", "0"], "must be finite"),
        (["--size", "0"], "the size is 0"),
        (["--size", "-5"], "the size is -5"),
        (["--size", "4x0"], "the size is 4x0"),
        (["--size", "4x-1"], "the size is 4x-1"),
        (["--size", "2.5"], "give 1024 or 1920x1080"),
        (["--size", "axb"], "give 1024 or 1920x1080"),
        (["--depth", "-1"], "the depth is -1"),
        (["--depth", "5"], "an image of 12x12 pixels takes 0 to 3"),
        (["--depth", "1.5"], "invalid int value"),
        (["--threads", "0"], "threads"),
        (["--threads", "-2"], "threads"),
        (["--grid", "centre"], "invalid choice"),
        (["--engine", "fast"], "invalid choice"),
        (["--dtype", "float16"], "invalid choice"),
        (["--out", "a.jpg"], "'.jpg' names no format: choose .png .pgm"),
        (["--out", "a.JPEG"], "JPEG changes pixels: .png keeps them"),
        (["--out", "a"], "choose .png .pgm"),
        (["--out", "none/a.png"], "there is no folder none"),
        (["--out", "circle.vm/a.png"], "circle.vm is not a folder"),
        (["--out", "folder.png"], "is a folder"),
        (["--out", "-", "--json"], "both write to standard output"),
        (["--set", "q=1"], "no free variable 'q'"),
        (["--set", "q"], "is not NAME=VALUE"),
        (["--set", "=1"], "is not NAME=VALUE"),
        (["--set", "q=one"], "is not NAME=VALUE"),
        (["--max-memory", "much"], "give 4G or 500M"),
        (["--max-memory", "0"], "--max-memory must be a positive number"),
        (["--out", ""], "without a suffix names no format"),
        (["--crop", "0", "0", "99", "99"], "--crop 0 0 99 99 is no part of a picture of"),
        (["--threads", "0"], "--threads 0: give"),
        (["--engine", "naive", "--prove", "area"], "--prove area with --engine naive"),
        (["--mode", "value"], "a .png shows inside and outside alone, no values: give --out a"),
        (["--mode", "value", "--out", "-"], "a .png shows inside and outside alone"),
        (["--mode", "value", "--out", "v.webp"], "give --out a name in .npy or .tif"),
        (["--width", "64"], "unrecognized arguments: --width 64 (did you mean '--size'?)"),
        (["--prove", "areas"], "invalid choice: 'areas' (choose from"),
        (["x.png"], "unrecognized arguments: x.png (--out x.png names the picture)"),
        (["info"], "info (the command comes first: intervalvm info FILE)"),
        (["--", "--size", "64"], "--size 64 (what stands behind -- is no option: leave -- out)"),
        (["--stats", "--json"], "not allowed with"),
        (["--none"], "unrecognized arguments: --none\n"),
        (["--sise", "12"], "unrecognized arguments: --sise 12 (did you mean '--size'?)"),
        (["--sise=12"], "(did you mean '--size'?)"),
        (["--centre", "0", "0"], "(did you mean '--center'?)"),
        (["--output", "a.png"], "(did you mean '--out'?)"),
        (["-o", "a.png"], "(did you mean '--out'?)"),
        (["more", "--treads", "2"], "(did you mean '--threads'?)"),
        (["--max-memory", "-1"], "'-1' is not an amount of memory"),
        (["--max-memory", "9" * 400], "no machine has so much memory: give 4G or 500M"),
        (["--max-bytes", "9" * 400], "no machine has so much memory: give 4G or 500M"),
        (["--max-bytes", "1e3"], "'1e3' is not an amount of memory"),
        (["--max-clauses", "0"], "'0' is not a number of clauses from 1"),
        (["--max-clauses", "-5"], "'-5' is not a number of clauses from 1"),
        (["--max-clauses", "9" * 5000], "is not a number of clauses from 1"),
        (["--size", "9" * 5000], "--size"),
        (["--threads", "9" * 5000], "--threads"),
        (["--depth", "9" * 5000], "--depth"),
        (["--out", "a.webp", "--size", "16384x1"], "at most 16383 pixels a side"),
        (["--out", "a.png", "--size", "536870911x1"], "choose .npy"),
        (["--backend", "numba"], "numba"),
    ],
)
def test_options_that_mean_nothing(
    here: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    (here / "folder.png").mkdir()
    assert message in fails(capsys, ["circle.vm", *QUICK, *words], folder=here)


def test_an_unwritable_place_is_named_before_the_work(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from intervalvm.cli import render as module

    monkeypatch.setattr(module, "read_tape", lambda options: pytest.fail("too late"))
    fails(capsys, ["circle.vm", "--out", "none/a.png"], folder=here)
    fails(capsys, ["circle.vm", "--out", "a.jpg"], folder=here)


def test_a_variable_without_a_value(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "r.vm").write_text("x var-x\nr var-radius\nv sub x r\n")
    assert "--set radius=VALUE" in fails(capsys, ["r.vm", *QUICK], folder=here)


@pytest.mark.skipif(importlib.util.find_spec("cupy") is not None, reason="cupy is installed")
@pytest.mark.parametrize("engine", ["dense", "naive", "pruned"])
def test_a_back_end_that_is_not_installed(
    here: Path, capsys: pytest.CaptureFixture[str], engine: str
) -> None:
    words = ["circle.vm", "--size", "12", "--engine", engine, "--backend", "cupy"]
    assert "pip install" in fails(capsys, words, folder=here)


def test_more_than_memory_has_status_3(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["circle.vm", "--engine", "naive", "--size", "1000", "--max-memory", "1M"]
    assert "MiB" in fails(capsys, words, 3, folder=here)
    assert "available" in fails(capsys, ["circle.vm", "--size", "99999999"], 3, folder=here)


def test_memory_that_runs_out_has_status_3(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from intervalvm.cli import render as module

    def exhausted(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(module, "render_image", exhausted)
    assert "out of memory: choose a smaller --size" in fails(capsys, ["circle.vm"], 3, folder=here)


def test_what_took_the_memory_is_freed_before_that_is_told(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from intervalvm.cli import inspect as module

    held: list[weakref.ref[Any]] = []

    def exhausted(*_: Any) -> None:
        values = np.zeros(1)
        held.append(weakref.ref(values))
        raise MemoryError

    def tell(text: str) -> None:
        assert held[-1]() is None
        print(text, file=sys.stderr)

    monkeypatch.setattr(module, "_bounds", exhausted)
    monkeypatch.setattr(cli, "tell", tell)
    told = fails(capsys, ["info", "circle.vm"], 3, folder=here)
    assert told == "intervalvm: error: out of memory: use a smaller file\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give a .vm file"),
        (["simplify", "circle.vm"], "required: --x, --y"),
        (["simplify", "circle.vm", "--x", "1", "0", "--y", "0", "1"], "x"),
        (["simplify", "circle.vm", "--x", "nan", "0", "--y", "0", "1"], "x"),
        (["simplify", "circle.vm", "--x", "0", "1", "--y", "0", "1", "--out", "no/a.vm"], "no"),
        (["bench", "circle.vm", "--size", "0"], "the size is 0"),
        (["info"], "required: FILE"),
        (["infos"], "no command or file 'infos' (did you mean 'info'?)"),
        (["infos", "circle.vm"], "no command or file 'infos' (did you mean 'info'?)"),
        (["Bench", "circle.vm"], "no command or file 'Bench' (did you mean 'bench'?)"),
        (["simplfy", "circle.vm", "--x", "0", "1"], "(did you mean 'simplify'?)"),
        (["info", "circle.vm", "--jsn"], "(did you mean '--json'?)"),
        (["info", "circle.vm", "--size", "3"], "unrecognized arguments: --size 3\n"),
        (["circle.vm", "circle.vm"], "unrecognized arguments: circle.vm\n"),
        (["render.vm"], "render.vm: no such file"),
        (["help"], "no command or file 'help': see intervalvm --help"),
        ([""], "an empty text names no file: give the name of a .vm file"),
        (["cirlce.txt"], "(did you mean 'circle.vm'?)"),
    ],
)
def test_other_commands_explain_too(
    here: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert message in fails(capsys, words, folder=here)


def test_a_file_named_like_a_command_is_a_file(here: Path) -> None:
    (here / "infos").write_text(CIRCLE)
    assert main(["infos", *QUICK]) == 0
    assert files(here) == ["infos", "infos.png"]


def test_debug_shows_the_traceback(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["none.vm", "--debug"]) == 2
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("intervalvm: error: none.vm: no such file")


def test_our_own_mistake_is_not_hidden(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from intervalvm.cli import render as module

    def broken(*_: Any, **__: Any) -> None:
        raise AssertionError("ours")

    monkeypatch.setattr(module, "render_image", broken)
    with pytest.raises(AssertionError, match="ours"):
        main(["circle.vm"])


# interrupts, full disks, readers that leave


def test_an_interrupt_while_writing_leaves_the_old_file(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "circle.png").write_bytes(b"old")

    def half(self: Image, stream: Any, format: str = "png") -> None:
        stream.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(Image, "write", half)
    assert main(["circle.vm", *QUICK]) == 130
    assert capsys.readouterr().err == "intervalvm: interrupted\n"
    assert (here / "circle.png").read_bytes() == b"old"
    assert files(here) == ["circle.png"]


needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")


@needs_pipes
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
)
def test_a_signal_ends_it_cleanly(here: Path, number: int, status: int) -> None:
    (here / "circle.png").write_bytes(b"old")
    os.mkfifo("slow.vm")
    root = str(TOP)
    with subprocess.Popen(
        command("slow.vm", *QUICK, "--out", "circle.png"),
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": root},
    ) as running:
        with open("slow.vm", "wb"):  # returns when the command has begun to read
            running.send_signal(number)
            running.wait(60)
        assert running.stderr is not None
        said = running.stderr.read().decode()
    assert running.returncode == status
    assert said == ("intervalvm: interrupted\n" if status == 130 else "")
    assert (here / "circle.png").read_bytes() == b"old"
    assert files(here) == ["circle.png"]


def test_a_disk_that_fills_up_leaves_the_old_file(here: Path) -> None:
    resource = pytest.importorskip("resource")
    (here / "v.npy").write_bytes(b"old")
    done = process(
        *("circle.vm", "--engine", "dense", "--size", "64", "--mode", "value", "--out", "v.npy"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000)),
    )
    assert done.returncode == 3
    assert done.stderr.startswith(b"intervalvm: error: cannot write v.npy: File too large")
    assert b"Traceback" not in done.stderr
    assert (here / "v.npy").read_bytes() == b"old"
    assert files(here) == ["v.npy"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize(
    "words", [["circle.vm", *QUICK, "--out", "-"], ["circle.vm", *QUICK, "--json"]]
)
def test_standard_output_on_a_full_disk(words: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        done = process(*words, stdout=full)
    assert done.returncode == 3
    assert done.stderr.startswith(b"intervalvm: error: cannot write standard output: No space left")
    assert done.stderr.count(b"\n") == 1


@needs_pipes
def test_a_reader_that_leaves(here: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = process("circle.vm", *QUICK, "--out", "-", stdout=writing)
    os.close(writing)
    assert done.returncode == 141
    assert done.stderr == b""


@needs_pipes
@pytest.mark.parametrize(
    ("words", "closed", "status", "said"),
    [
        (["circle.vm", *QUICK], 0, 0, None),
        (["circle.vm", *QUICK, "--stats"], 1, 0, None),
        (["circle.vm", *QUICK], 2, 0, b""),
        (["circle.vm", *QUICK, "--sise"], 2, 2, b""),
        (["none.vm"], 2, 2, b""),
        (["-", *QUICK], 0, 2, b"intervalvm: error: standard input is closed: give the name of a"),
        (
            ["circle.vm", *QUICK, "--out", "-"],
            1,
            2,
            b"standard output is closed: give --out",
        ),
    ],
)
def test_a_standard_stream_that_is_closed(
    here: Path, words: list[str], closed: int, status: int, said: bytes | None
) -> None:
    done = process(*words, preexec_fn=lambda: os.close(closed))
    assert done.returncode == status
    assert b"Traceback" not in done.stderr
    assert (done.stderr if said is None else said) in done.stderr
    assert files(here) == ([] if status else ["circle.png"])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize(
    ("words", "status"), [(["circle.vm", *QUICK], 0), (["none.vm"], 2), (["--none"], 2)]
)
def test_standard_error_on_a_full_disk_changes_no_status(words: list[str], status: int) -> None:
    with open("/dev/full", "wb") as full:
        assert process(*words, stderr=full).returncode == status


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("words", [["--help"], ["--version"], ["info", "circle.vm"]])
def test_words_on_a_full_disk(words: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        done = process(*words, stdout=full)
    assert done.returncode == 3
    assert done.stderr.startswith(b"intervalvm: error: cannot write standard output: No space left")
    assert done.stderr.count(b"\n") == 1


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
    assert list(options.GRIDS) == list(grid.GRIDS)


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
