"""Dense evaluation on the GPU: every operation on arrays of all pixels, and the memory it takes.

*Naive* keeps the array of every clause, as the article's third program did, which ran out of memory
at 4096x4096; *dense* frees an array at its last use, in bands that fit.
"""

from __future__ import annotations

import time
from functools import partial

import intervalvm as ivm
from bench.gpu import events
from bench.gpu.pixels import checked
from bench.gpu.report import DENSE
from bench.gpu.step import Job
from intervalvm.gpu import device
from intervalvm.words import Engine

NAIVE = "naive on the GPU, every array kept"


def dense(job: Job) -> None:
    """Times, and peak memory by CuPy's pool; what does not fit is told, and no failure."""
    for size in job.sizes:
        _one(job, size, DENSE, "dense")
        _one(job, size, NAIVE, "naive")


def _one(job: Job, size: int, name: str, engine: Engine) -> None:
    draw = partial(ivm.render, job.subject.tape, size=size, engine=engine, backend="cupy")
    device.release()
    try:
        checked(job, draw, name, size)
        start = time.perf_counter()
        spans = events.of_calls(draw)
        job.time(name, size, time.perf_counter() - start, busy=spans.busy)
    except ivm.DoesNotFit as error:
        job.fact(f"{name} at {size} does not fit", str(error))
    peak = device.cupy().get_default_memory_pool().total_bytes()
    job.fact(f"{name} at {size}, GiB at most", round(peak / (1 << 30), 3))
