"""The command line: interrupts, full disks, readers that leave, streams that are closed."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.command_line import QUICK, command, files, process
from support.places import TOP

from intervalvm.cli import main
from intervalvm.raster.image import Image


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


def test_a_disk_that_fills_up_leaves_the_old_file(here: Path, full_disk: Any) -> None:
    (here / "v.npy").write_bytes(b"old")
    done = process(
        *("circle.vm", "--engine", "dense", "--size", "64", "--mode", "value", "--out", "v.npy"),
        preexec_fn=full_disk(5000),
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
