"""Processes that are forked, or end, while other threads draw or compile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.places import TOP

import intervalvm as ivm

ENVIRONMENT = os.environ | {"PYTHONPATH": str(TOP)}
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is of POSIX")


@pytest.fixture(scope="module", autouse=True)
def _kernels_are_kept() -> None:
    """Or the processes would compile them, and say so."""
    ivm.warm_up("float32", proofs=False)


def run(code: str, *words: str) -> str:
    """What Python code prints; it must end well, and say nothing else."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore:.*fork.*:DeprecationWarning", "-c", code, *words],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


FORKED = """
import faulthandler, os, threading, time
import intervalvm as ivm
x, y, _ = ivm.axes()
tape = (x * x + y * y - 0.5).tape()
renderer = ivm.Renderer(tape, size=64, threads=2)
expected = ivm.render(tape, size=64, engine="dense").pixels.tobytes()
assert ivm.render(tape, size=64, threads=2).pixels.tobytes() == expected
drawing = threading.Event()
def draw():
    places = 0
    while True:
        places += 1
        ivm.render(tape, size=64, threads=2).stats
        renderer.render(region=ivm.Region.around((places % 20 / 10 - 1, 0), 0.1))
        drawing.set()
for _ in range(3):
    threading.Thread(target=draw, daemon=True).start()
drawing.wait()
for _ in range(30):
    time.sleep(0.005)
    child = os.fork()
    if not child:
        faulthandler.dump_traceback_later(60, exit=True)
        same = ivm.render(tape, size=64, threads=2).pixels.tobytes() == expected
        renderer.render(region=ivm.Region.around((0.33, 0), 0.1)).stats
        os._exit(0 if same else 3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
print("done")
"""


@needs_fork
def test_a_child_draws_that_was_forked_while_threads_drew() -> None:
    """What a thread has locked at that moment stays so in the child: nothing may be."""
    assert run(FORKED) == "done\n"


COMPILING = """
import faulthandler, os, threading, time
from intervalvm.jit import native
begun, ended = threading.Event(), []
def slow(kind, dtype, meaning):
    begun.set()
    time.sleep(0.3)
    ended.append(kind)
    return lambda context: 0
native._load = slow
threading.Thread(target=native.kernel, args=("tame", "float32")).start()
begun.wait()
child = os.fork()
if not child:
    faulthandler.dump_traceback_later(60, exit=True)
    native.kernel("tame", "float32")
    native.kernel("careful", "float32")
    os._exit(0 if ended == ["tame", "careful"] else 3)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
native.kernel("bounds", "float32")
print(*ended)
"""


@needs_fork
def test_a_fork_waits_for_a_kernel_that_is_being_compiled() -> None:
    """The locks of compilers would stay locked for ever in the child."""
    assert run(COMPILING) == "tame bounds\n"


ENDS = """
import sys, threading, time
import intervalvm as ivm
x, y, _ = ivm.axes()
shape = x
for k in range(200):
    shape = ivm.sin(shape) + (x if k % 2 else y)
tape = shape.tape()
drawing = threading.Event()
def draw():
    while True:
        ivm.render(tape, size=256, threads=3)
        drawing.set()
for _ in range(2):
    threading.Thread(target=draw, daemon=True).start()
drawing.wait()
time.sleep(float(sys.argv[1]))
print("done")
"""


@pytest.mark.parametrize("seconds", [0.0, 0.003, 0.01, 0.03])
def test_an_interpreter_ends_while_daemons_draw(seconds: float) -> None:
    assert run(ENDS, str(seconds)) == "done\n"


HANDLER = """
import os, signal
import intervalvm as ivm
tape = ivm.parse("x var-x\\ny var-y\\nv add x y")
renderer = ivm.Renderer(tape, size=64, threads=2)
expected = renderer.render().pixels.tobytes()
drawn, busy = [], []
def draw(*_):
    if not busy:
        busy.append(1)
        drawn.append(renderer.render().pixels.tobytes())
        busy.clear()
signal.signal(signal.SIGALRM, draw)
signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
while len(drawn) < 50:
    assert renderer.render().pixels.tobytes() == expected
signal.setitimer(signal.ITIMER_REAL, 0)
print(set(drawn) == {expected})
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_signal_handler_may_draw_what_is_being_drawn() -> None:
    """It runs in the middle of a frame of the same renderer: a lock would wait for itself."""
    assert run(HANDLER) == "True\n"


class Slow:
    """Pixels on a device, whose copy takes until it is let go."""

    def __init__(self) -> None:
        self.asked, self.let_go = threading.Event(), threading.Event()

    def get(self) -> Any:
        self.asked.set()
        assert self.let_go.wait(60)
        return np.zeros((1, 1), np.uint8)


def test_a_child_has_values_that_a_thread_was_working_out() -> None:
    """Of other objects of the same class: what works one out holds no lock for all."""
    drawn = ivm.render(ivm.parse("x var-x"), size=4, engine="dense")
    slow = Slow()
    other = ivm.Image(slow, drawn.region, drawn.stats, drawn.samples())
    thread = threading.Thread(target=lambda: other.pixels)
    thread.start()
    assert slow.asked.wait(60)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Python 3.12, about threads and forks
        child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(20)  # ends the child where it waits
        os._exit(int(drawn.pixels.shape != (4, 4)))
    slow.let_go.set()
    thread.join()
    assert os.waitpid(child, 0)[1] == 0


def test_no_property_of_the_package_holds_a_lock() -> None:
    sources = Path(ivm.__file__).parent.rglob("*.py")
    used = [path.name for path in sources if "functools import cached_prop" in path.read_text()]
    assert used == []
