"""Interrupts at any line and at any time, once and again: no later frame is wrong.

A signal handler may raise at any bytecode of the main thread, also in a ``finally`` that cleans up
after the exception before. Other threads go on meanwhile, and what they write to must be theirs.
"""

from __future__ import annotations

import ctypes
import gc
import random
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType
from typing import Any

import numpy as np
import pytest
from hypothesis.internal.conjecture import junkdrawer
from numpy.testing import assert_array_equal

import intervalvm as ivm
from intervalvm.jit import layout, native, plan, thread_pool, walk
from intervalvm.memory import address_of
from intervalvm.words import Meaning, Question

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread(),
    reason="signals of POSIX, which the main thread gets",
)
DROPPED = (weakref.__file__, junkdrawer.__file__)
"""Where exceptions are dropped: finalizers, and a callback of the garbage collector."""
FILES = {module.__file__ for module in (walk, plan, thread_pool)}
DISC = "x var-x\ny var-y\na square x\nb square y\nc add a b\nk const 0.5\nv sub c k"
SIZE, THREADS = 64, 3


class Stop(Exception):
    """What the interrupts raise."""


class Walks:
    """The kernels. Threads are slow in them, so that they are there when their caller leaves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.busy: list[tuple[int, int]] = []  # addresses of the workspace and of the image
        self._original = native.kernel
        monkeypatch.setattr(native, "kernel", self)

    def __call__(self, *which: str) -> native.Kernel:
        return partial(self._walk, self._original(*which))

    def _walk(self, kernel: native.Kernel, address: int) -> int:
        if threading.current_thread() is threading.main_thread():
            self.wait_until(lambda: bool(self.busy), 0.01)
            return kernel(address)
        image = ctypes.c_int64.from_address(address + 8 * layout.IMAGE).value
        self.busy.append((address, image))
        try:
            time.sleep(0.002)
            return kernel(address)
        finally:
            self.busy.remove((address, image))

    @staticmethod
    def wait_until(is_so: Callable[[], bool], seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not is_so() and time.monotonic() < deadline:
            time.sleep(0.0005)


@pytest.fixture
def walks(monkeypatch: pytest.MonkeyPatch) -> Walks:
    monkeypatch.setattr(walk, "BUDGET", 5_000)
    return Walks(monkeypatch)


@pytest.fixture
def made(walks: Walks) -> plan.Plan:
    del walks
    float32 = np.dtype(np.float32)
    return plan.plan_of(
        ivm.parse(DISC), Question.SIGN, Meaning.FLOAT, float32, {"var-z": 0.0}, 16.0
    )


Drawing = tuple[np.ndarray[Any, Any], Any]


def draw(of: plan.Plan, pixels: np.ndarray[Any, Any]) -> Drawing:
    side = np.linspace(-1, 1, SIZE, dtype=np.float32)
    sides = side, -side
    return pixels, walk.render(of, sides, sides, pixels, [3], threads=THREADS)


def canvas() -> np.ndarray[Any, Any]:
    return np.zeros((SIZE, SIZE), np.uint8)


def at_line(number: int, do: Callable[[], None]) -> Callable[..., Any]:
    """A trace function that calls ``do`` at the line of that number in what draws a frame."""
    seen = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal seen
        if frame.f_code.co_filename not in FILES:
            return None
        if event == "line":
            seen += 1
            if seen == number:
                sys.settrace(None)
                do()
        return trace

    return trace


class Storm:
    """Signals that raise again and again while a frame is drawn, so many times."""

    def __init__(self) -> None:
        self.times = 0
        self._before = signal.signal(signal.SIGALRM, self._raise)

    def _raise(self, _: int, frame: FrameType | None) -> None:
        if not self.times:
            signal.setitimer(signal.ITIMER_REAL, 0)
            return
        if frame is not None and frame.f_code is Storm._raise.__code__:
            return  # on a slow machine the next signal comes before this has looked around
        while frame is not None and frame.f_code is not walk.render.__code__:
            if frame.f_code.co_filename in DROPPED:
                return
            frame = frame.f_back
        if frame is not None:
            self.times -= 1
            raise Stop

    def begin(self, times: int, after: float = 1e-5, every: float = 5e-5) -> None:
        self.times = times
        signal.setitimer(signal.ITIMER_REAL, after, every)

    def end(self) -> None:
        self.times = 0
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)


@pytest.fixture
def storm() -> Iterator[Storm]:
    made = Storm()
    yield made
    made.end()


def stop() -> None:
    raise Stop


@pytest.mark.parametrize("times", [1, 2, 5], ids=["once", "twice", "five times"])
def test_an_interrupt_at_any_line_leaves_threads_what_they_write_to(
    walks: Walks, made: plan.Plan, storm: Storm, times: int
) -> None:
    expected, counts = draw(made, canvas())
    number = busy = 0
    interrupted = True
    while interrupted:
        number += 1
        walks.wait_until(lambda: not walks.busy)
        do = stop if times == 1 else partial(storm.begin, times)
        pixels = canvas()
        alive, place = weakref.ref(pixels), address_of(pixels)
        sys.settrace(at_line(number, do))
        try:
            draw(made, pixels)
            interrupted = sys.gettrace() is None
        except Stop:
            pass
        finally:
            sys.settrace(None)
            storm.times = 0
        del pixels
        idle = [workspace.address for workspace in made._idle]
        assert len(set(idle)) == len(idle)
        used = list(walks.busy)
        assert not set(idle) & {workspace for workspace, _ in used}, f"line {number}: handed on"
        is_alive = alive() is not None
        still = [image for _, image in walks.busy].count(place)
        assert is_alive or not still, f"line {number}: freed while a thread writes to it"
        busy += still
        found, also = draw(made, canvas())
        assert_array_equal(found, expected)
        assert_array_equal(also, counts)
    assert number > 50
    assert busy > 10, "or this has seen nothing"


def test_an_interrupted_frame_is_over_soon_and_leaves_nothing(
    walks: Walks, made: plan.Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before its image is split, too, for which threads would wait for ever."""

    def later(*_: object) -> int:
        walks.wait_until(lambda: bool(walks.busy))
        raise Stop

    monkeypatch.setattr(thread_pool, "_pool", thread_pool.ThreadPool())
    pixels = canvas()
    alive = weakref.ref(pixels)
    side = np.linspace(-1, 1, SIZE, dtype=np.float32)
    frame = walk._Frame(made, made.take(1, 1)[0], (side, side), (side, side), pixels, [3])
    own = made.take(THREADS, 1)
    frame.start(own)
    original = walks._walk
    monkeypatch.setattr(
        walks,
        "_walk",
        lambda kernel, address: (later if address == own[0].address else original)(kernel, address),
    )
    with pytest.raises(Stop):
        walk.run(frame, walk._kernel(made, is_tame=True), own, None, to_the_end=False)
    assert walks.busy, "threads wait for the image"
    del frame, pixels
    walks.wait_until(lambda: not walks.busy)
    walks.wait_until(lambda: not gc.collect() and alive() is None)
    assert not walks.busy
    assert alive() is None


def test_interrupts_at_random_times(storm: Storm, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the kernels as they are, long tapes, views, and up to three interrupts a frame."""
    monkeypatch.setattr(walk, "BUDGET", 100_000)
    lines = ["x var-x", "y var-y", "b0 add x y"]
    for k in range(1, 300):
        lines += [f"s{k} sin b{k - 1}", f"b{k} add s{k} {'x' if k % 2 else 'y'}"]
    tape = ivm.parse("\n".join(lines))
    options: dict[str, Any] = {"size": 96, "depth": 3}
    expected = ivm.render(tape, threads=1, **options)
    renderer = ivm.Renderer(tape, threads=4, **options)
    draws = (partial(ivm.render, tape, threads=4, **options), renderer.render)
    renderer.render()
    begin = time.perf_counter()
    renderer.render()
    spent = time.perf_counter() - begin
    chance, stopped = random.Random(5), 0
    for _ in range(60):
        for each in draws:
            storm.begin(3, 1e-6 + chance.uniform(0, spent), chance.choice([5e-5, 1e-3]))
            try:
                each()
            except Stop:
                stopped += 1
            storm.times = 0
            found = each()
            assert_array_equal(found.pixels, expected.pixels)
            assert found.stats.pixels == expected.stats.pixels
    assert stopped > 10, "or this has seen nothing"
