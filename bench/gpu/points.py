"""The evaluator on arrays of the device: times, and its bits against those of the compiled one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from math import isqrt
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

import intervalvm as ivm
from bench.gpu.report import POINTS
from bench.gpu.step import Job
from bench.subject import cpus
from intervalvm.gpu import devices

MOST_TOGETHER = 1 << 20
"""Points that one CPU evaluates in a call."""
LEAST_COMPARED = 10_000_000
"""Values that are compared, whatever time is left; all are if it lasts."""
SPARE_SECONDS = 10.0
FEWER, LEAST_SLOPES = 50, 1000
"""Gradients and bounds are asked of 1 / FEWER of the points, of so many at least."""
NUMBA = "the evaluator on the CPUs"
REPEATS = 7


def points(job: Job) -> None:
    """Values at random points, then at those of a grid."""
    _values(job, POINTS, *random_points(job.points), spare=job.seconds / 2)
    _values(job, f"{POINTS} of a grid", *_grid(job.points))


def _values(
    job: Job,
    what: str,
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    spare: float = SPARE_SECONDS,
) -> None:
    """As many as there is time for are compared, until ``spare`` seconds are left."""
    asked, answer = _evaluators(job)
    (a, b), up = uploaded(x, y)
    found, wall, busy = timed(job, lambda: asked.values(a, b))
    start = time.perf_counter()
    values = _host(found)
    job.time(what, x.size, wall, busy=busy, up=up, down=time.perf_counter() - start)
    _memory(job, what)
    speed = _compared(job, what, values, lambda s: answer.values(x[s], y[s]), spare)
    job.fact(f"{what}, by all CPUs", f"{speed:,.0f} a second, compared with the GPU's")


def slopes(job: Job) -> None:
    """Gradients at random points, and bounds over boxes beside them."""
    x, y = random_points(max(min(job.points, LEAST_SLOPES), job.points // FEWER))
    asked, answer = _evaluators(job)
    (a, b), up = uploaded(x, y)
    found, wall, busy = timed(job, lambda: asked.gradients(a, b))
    job.time("gradients at points", x.size, wall, busy=busy, up=up)
    _compared(job, "gradients", _host(found), lambda s: answer.gradients(x[s], y[s]))

    sides = [(u, (u + np.float32(1 / 256)).astype(np.float32)) for u in (x, y)]
    ends, up = uploaded(*sides[0], *sides[1])
    boxes, wall, busy = timed(job, lambda: asked.bounds(tuple(ends[:2]), tuple(ends[2:])))
    job.time("bounds over boxes", x.size, wall, busy=busy, up=up)

    def answered(s: slice) -> NDArray[Any]:
        return _ends(answer.bounds(*((low[s], high[s]) for low, high in sides)))

    _compared(job, "bounds", _ends(boxes), answered)


def _ends(found: Any) -> NDArray[Any]:
    """Bounds, with 1 where NaN is possible, on the host; the sign of 0, left open, is +."""
    parts = (_host(part) for part in (found.lower, found.upper, found.maybe_nan))
    return np.stack([part.astype(np.float32) for part in parts]) + np.float32(0)


def _evaluators(job: Job) -> tuple[ivm.Evaluator, ivm.Evaluator]:
    tape = job.subject.tape
    return ivm.Evaluator(tape, backend="cuda"), ivm.Evaluator(tape, backend="numba")


def random_points(count: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    random = np.random.default_rng(20)
    x, y = (random.random(count, np.float32) * np.float32(2) - np.float32(1) for _ in "xy")
    return x, y


def _grid(count: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The points of the largest square grid with so many, row by row."""
    side = np.linspace(-1, 1, isqrt(count), dtype=np.float32)
    return np.tile(side, len(side)), np.repeat(side[::-1], len(side))


def uploaded(*arrays: NDArray[Any]) -> tuple[list[Any], float]:
    """Arrays on the device, from the host's, and the seconds of their copies."""
    device = devices.current()
    _finish()  # also what the first call has to do
    start = time.perf_counter()
    found = [device.array(each) for each in arrays]
    _finish()
    return found, time.perf_counter() - start


def _host(array: Any) -> NDArray[Any]:
    """A copy on the host, of any shape."""
    found: NDArray[Any] = array.get() if hasattr(array, "get") else np.array(array)
    return found


def _finish() -> None:
    """Wait for the device. The simulator has nothing to wait for."""
    module = devices.current().module
    if module is not np:
        module.cuda.Device().synchronize()


def timed(job: Job, ask: Callable[[], Any]) -> tuple[Any, float, float | None]:
    """The last answer; medians of warm calls, by the wall and by events around them."""
    found = ask()  # compiles and prepares what is kept with the evaluator
    _finish()
    walls, busy = [], []
    module = devices.current().module
    for _ in range(1 if job.rehearses else REPEATS):
        del found
        start = time.perf_counter()
        if module is np:
            found = ask()
        else:
            first, last = module.cuda.Event(), module.cuda.Event()
            first.record()
            found = ask()
            last.record()
            last.synchronize()
            busy.append(module.cuda.get_elapsed_time(first, last) / 1e3)
        walls.append(time.perf_counter() - start)
    return found, median(walls), median(busy) if busy else None


def _memory(job: Job, what: str) -> None:
    module = devices.current().module
    if module is not np:
        peak = module.get_default_memory_pool().total_bytes()
        job.fact(f"{what}, GiB of the pool", round(peak / (1 << 30), 3))


def _compared(
    job: Job,
    what: str,
    found: NDArray[Any],
    answer: Callable[[slice], Any],
    spare: float = SPARE_SECONDS,
) -> float:
    """Compare parts with the CPUs' answers until all are, or time is up; points a second."""
    different = compared = 0
    start = time.perf_counter()
    for part, right in _answers(_parts(job, found.shape[-1], spare), answer):
        different += _differing(found[..., part], right)
        compared += part.stop - part.start
    job.check(f"{what}, bit by bit", NUMBA, different, compared)
    return compared / (time.perf_counter() - start)


def _parts(job: Job, count: int, spare: float) -> Iterator[slice]:
    """Parts of the points, spread over all of them, as long as there is time."""
    size = min(MOST_TOGETHER, -(-count // (4 * cpus())))
    starts = np.random.default_rng(7).permutation(np.arange(0, count, size))
    compared = 0
    for start in starts.tolist():
        if compared >= LEAST_COMPARED and job.left() < spare:
            return
        part = slice(start, min(start + size, count))
        compared += part.stop - part.start
        yield part


def _answers(parts: Iterator[slice], answer: Callable[[slice], Any]) -> Iterator[tuple[slice, Any]]:
    """Each part's answer, by all CPUs; only as many are waiting as there are CPUs."""
    with ThreadPoolExecutor(cpus()) as pool:
        running: dict[Future[Any], slice] = {}
        for part in parts:
            running[pool.submit(answer, part)] = part
            if len(running) > cpus():
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for each in done:
                    yield running.pop(each), each.result()
        for each, part in running.items():
            yield part, each.result()


def _differing(found: NDArray[Any], right: NDArray[Any]) -> int:
    """How many numbers differ in their bits; NaN is NaN, whatever its payload."""
    assert found.shape == right.shape, f"{found.shape} in place of {right.shape}"
    assert found.dtype == right.dtype == np.float32, f"{found.dtype} in place of {right.dtype}"
    bits, right_bits = (np.ascontiguousarray(each).view(np.uint32) for each in (found, right))
    return int(np.count_nonzero((bits != right_bits) & ~(np.isnan(found) & np.isnan(right))))
