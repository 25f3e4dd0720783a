"""Commands that are stopped at any time: the exit status says so, and files are whole."""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.places import TOP

AGAIN = """
import sys
from intervalvm import cli
try:
    while not (status := cli.main(sys.argv[1:])):
        print("done", flush=True)
except KeyboardInterrupt:
    status = 130
sys.exit(status)
"""
"""Runs a command again and again, and says so each time."""
BALL = """\
x var-x
y var-y
z var-z
xx square x
yy square y
zz square z
a add xx yy
b add a zz
s sin b
c add b s
k const 0.7
v sub c k
"""
COMMANDS = {
    "a.png": "render prospero.vm --size 900",
    "a.tif": "render prospero.vm --size 400 --mode value",
    "a.webp": "render ball.vm --size 700 --engine dense",
    "a.ppm": "render ball.vm --size 600 --check",
    "a.pgm": "render ball.vm --size 99 --engine dense --prove area",
    "b.png": "render3d ball.vm --size 200",
    "a.gif": "render3d ball.vm --size 60 --turn 9",
    "a.mp4": "render3d ball.vm --size 60 --turn 9",
    "a.svg": "contour prospero.vm --region -1 1 -1 1",
    "a.dxf": "contour ball.vm --tolerance 1e-5 --arcs",
    "a.stl": "mesh ball.vm --depth 6",
    "a.3mf": "mesh ball.vm --depth 5",
}
DROPPED = re.compile(rb"Exception ignored in:.*?^KeyboardInterrupt:? *$", re.DOTALL | re.MULTILINE)
MOST = 1.5
"""Seconds until the interrupt, the least of which come in the middle of something."""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def interrupted(running: subprocess.Popen[bytes]) -> bytes:
    """What a process said that was interrupted, once more if need be.

    Python tells of an interrupt that comes while a callback of a weak reference runs, as at the end
    of a thread, and drops it.
    """
    for _ in range(6):
        running.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return DROPPED.sub(b"", running.communicate(timeout=10)[1])
    raise AssertionError("no interrupt ends it")


@pytest.mark.parametrize("seed", range(1))
@pytest.mark.parametrize("out", COMMANDS)
def test_an_interrupt_at_any_time_leaves_whole_files(tmp_path: Path, out: str, seed: int) -> None:
    (tmp_path / "ball.vm").write_text(BALL)
    (tmp_path / "prospero.vm").symlink_to(TOP / "prospero.vm")
    before = {*os.listdir(tmp_path), out}
    with subprocess.Popen(
        [sys.executable, "-c", AGAIN, *COMMANDS[out].split(), "--quiet", "--out", out],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(TOP)},
    ) as running:
        assert running.stdout is not None
        while running.stdout.readline() != b"done\n":  # a first time: kernels may be compiled
            assert running.poll() is None
        written = (tmp_path / out).read_bytes()
        time.sleep(random.Random(f"{out} {seed}").uniform(0, MOST))
        said = interrupted(running)
    assert (running.returncode, b"Traceback" in said) == (130, False), said
    assert {*os.listdir(tmp_path)} == before
    assert (tmp_path / out).read_bytes() == written
