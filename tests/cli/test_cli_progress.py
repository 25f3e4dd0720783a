"""The progress bar: there while something takes long and somebody watches, and nowhere else."""

from __future__ import annotations

import io
import logging
import math
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from support.command_line import QUICK
from support.places import TOP

import intervalvm as ivm
from intervalvm.cli import main, streams
from intervalvm.cli.streams import Progress
from intervalvm.raster import bands

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ENDLESS = 600.0


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def until(true: Callable[[], object]) -> None:
    """Wait for it; what never comes ends the test."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def watched(monkeypatch: pytest.MonkeyPatch, patience: float) -> Terminal:
    """From now on standard error is a terminal. (A fixture's would be pytest's own by the test.)"""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(streams, "PATIENCE", patience)
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    return terminal


def test_quick_work_shows_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch, ENDLESS)
    with Progress(wanted=True) as bar:
        bar.stage("rendering")
        bar(1, 4)
    assert terminal.getvalue() == ""


def test_a_bar_appears_although_nothing_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """And moves: what it draws differs from one time to the next."""
    terminal = watched(monkeypatch, 0.0)
    with Progress(wanted=True) as bar:
        bar.stage("compiling")
        until(lambda: len(set(terminal.getvalue().split("compiling"))) > 4)
        bar.stage("rendering")
        until(lambda: "rendering" in terminal.getvalue())
        bar(1, 4)
        until(lambda: " 25%" in terminal.getvalue())
        bar(4, 4)
        until(lambda: "100%" in terminal.getvalue())
    assert not _timers()
    assert sys.stderr is terminal, "the bar has given it back"


def _timers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]


def test_what_was_reported_before_the_bar_appears_is_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch, 0.05)
    with Progress(wanted=True) as bar:
        bar.stage("rendering")
        bar(3, 4)
        until(lambda: "75%" in terminal.getvalue())


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_the_bar_is_gone_whatever_is_raised(
    monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    terminal = watched(monkeypatch, 0.0)

    def work() -> None:
        with Progress(wanted=True) as bar:
            bar.stage("rendering")
            until(terminal.getvalue)
            raise error

    with pytest.raises(error):
        work()
    assert sys.stderr is terminal
    assert not _timers()


@pytest.mark.parametrize("wanted", [False, True])
def test_no_bar_where_nobody_watches(monkeypatch: pytest.MonkeyPatch, wanted: bool) -> None:
    monkeypatch.setattr(streams, "PATIENCE", 0.0)
    monkeypatch.setattr(sys, "stderr", stream := (io.StringIO() if wanted else Terminal()))
    with Progress(wanted=wanted) as bar:
        bar.stage("rendering")
        bar(1, 4)
        assert not _timers()
    assert stream.getvalue() == ""


def test_a_message_stands_above_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch, 0.0)
    with streams.log_shown(quiet=False), Progress(wanted=True) as bar:
        bar.stage("rendering")
        until(terminal.getvalue)
        logging.getLogger("intervalvm").info("compiling")
        until(lambda: "intervalvm: compiling\n" in terminal.getvalue())


@pytest.mark.parametrize("mode", ["bitmap", "value"])
def test_a_dense_image_is_reported_band_by_band(monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    tape = ivm.parse("x var-x\ny var-y\nv sub x y\n")
    options: dict[str, Any] = {"size": (64, 100), "engine": "dense", "mode": mode}
    expected = ivm.render(tape, **options)
    monkeypatch.setattr(bands, "BAND_PX", 640)
    monkeypatch.setattr(bands, "EVERY", math.inf)
    reports: list[tuple[int, int]] = []
    found = ivm.render(tape, **options, progress=lambda *report: reports.append(report))
    assert reports == [(640 * i, 6400) for i in range(1, 11)]
    assert (found.pixels == expected.pixels).all()


@pytest.mark.parametrize(
    "options",
    [{"engine": "dense"}, {"engine": "naive"}, {"engine": "dense", "prove": "area"}],
    ids=str,
)
def test_a_band_reports_while_its_clauses_are_evaluated(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is wide, or the whole of a picture, may take long."""
    tape = ivm.load(TOP / "prospero.vm")
    given: dict[str, Any] = {"size": (300, 1), **options}
    expected = ivm.render(tape, **given).pixels
    monkeypatch.setattr(bands, "EVERY", 0.0)
    reports: list[tuple[int, int]] = []
    found = ivm.render(tape, **given, progress=lambda *report: reports.append(report))
    done = [each for each, _ in reports]
    assert {total for _, total in reports} == {300}
    assert done == sorted(done)
    assert set(done) == set(range(301)), "as even as they can be"
    assert (found.pixels == expected).all()


def test_a_report_that_raises_ends_a_band(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bands, "EVERY", 0.0)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ivm.render(ivm.load(TOP / "prospero.vm"), size=(300, 1), engine="dense", progress=stop)


# --- in a terminal --------------------------------------------------------------------------------

SLOW = """
import sys, time
from intervalvm import cli
from intervalvm.cli import streams
from intervalvm.jit import workers
from intervalvm.raster import bands
streams.PATIENCE = 0.0
def stop(*_, **__):
    time.sleep(60)
streams.load = streams.load if sys.argv[1] != "reading" else stop
if sys.argv[1] == "compiling":
    workers.PROGRAM = "import time; time.sleep(60)"
elif sys.argv[1] == "rendering":
    bands.run = stop
sys.argv[1:] = sys.argv[2:]
cli.run()
"""


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal")
@pytest.mark.parametrize("place", ["reading", "compiling", "rendering"])
def test_a_bar_moves_in_a_terminal_and_an_interrupt_ends_it(here: Path, place: str) -> None:
    """Whatever takes long, though it reports nothing: the work here never does."""
    master, slave = os.openpty()
    words = ["--size", "64", "--engine", "dense" if place == "rendering" else "pruned"]
    root = os.path.dirname(os.path.dirname(ivm.__file__))
    environment = {"XDG_CACHE_HOME": str(here / "cache"), "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(
        [sys.executable, "-c", SLOW, place, "circle.vm", *words],
        stderr=slave,
        env=os.environ | {"PYTHONPATH": root} | environment,
    ) as running:
        os.close(slave)
        said, shown = "", "compiling kernels, 0 of 5" if place == "compiling" else place
        while len(set(_drawn(said, shown))) < 4:
            said += os.read(master, 1 << 16).decode(errors="replace")
        running.send_signal(signal.SIGINT)
        with suppress(OSError):  # Linux says so where the terminal's other end is closed
            while data := os.read(master, 1 << 16):
                said += data.decode(errors="replace")
    os.close(master)
    assert running.returncode == 130
    assert "Traceback" not in said
    assert said.rstrip().endswith("intervalvm: interrupted")


def _drawn(said: str, what: str) -> list[str]:
    """The bars that a terminal was sent, colours and all: they are what moves."""
    return re.findall(rf"{what} [^\r\n]*(?=\r)", said)


def test_a_run_without_a_terminal_says_what_it_did(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "PATIENCE", 0.0)
    assert main(["circle.vm", *QUICK, "--check"]) == 0
    out, err = capsys.readouterr()
    assert out == "identical: 144 pixels\n"
    assert err.count("\n") == 1
