"""The command line: what bad input gets: one message, status 2, nothing written."""

from __future__ import annotations

import importlib.util
import sys
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.command_line import CIRCLE, QUICK, fails, files

from intervalvm import cli
from intervalvm.cli import main


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
        (["--out", "a.bmp"], "'.bmp' names no format: choose .png .jpg"),
        (["--out", "a"], "choose .png .jpg"),
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
        (["--mode", "value"], "a .png shows inside and outside alone, no values: give --pal"),
        (["--mode", "value", "--out", "-"], "a .png shows inside and outside alone"),
        (["--mode", "value", "--out", "v.webp"], "or --out a name in .npy or .tif"),
        (["--width", "64"], "unrecognized arguments: --width 64 (did you mean '--size'?)"),
        (["--prove", "areas"], "invalid choice: 'areas' (choose from"),
        (["x.png"], "unrecognized arguments: x.png (--out x.png names the file to write)"),
        (["info"], "info (the command comes first: intervalvm info FILE)"),
        (["examples"], "(the command comes first: intervalvm examples [NAME]...)"),
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

    monkeypatch.setattr(module, "read_shape", lambda options: pytest.fail("too late"))
    fails(capsys, ["circle.vm", "--out", "none/a.png"], folder=here)
    fails(capsys, ["circle.vm", "--out", "a.bmp"], folder=here)


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
        (
            ["info", "circle.vm", "--size", "3"],
            "unrecognized arguments: --size 3 (intervalvm render, render3d and bench have it)\n",
        ),
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
