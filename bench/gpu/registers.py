"""What the number of a thread's registers does: with fewer, more blocks run at once.

The default was chosen by reading machine code. Here every choice is timed, each in place of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from unittest.mock import patch

import intervalvm as ivm
from bench.gpu.cpu import wall
from bench.gpu.pixels import checked
from bench.gpu.points import random_points, timed, uploaded
from bench.gpu.report import LEFT, POINTS
from bench.gpu.step import Job
from intervalvm.gpu import devices, switches


def registers(job: Job) -> None:
    """Frames all on the GPU and values at points, by each choice."""
    tape, (arrays, _) = str(job.subject.tape), uploaded(*random_points(job.points))
    for count in switches.REGISTERS.values:
        with _turned(count):
            again = ivm.parse(tape)  # with nothing kept of another choice
            for size in job.sizes:
                draw = partial(ivm.render, again, size=size, backend="cuda")
                checked(job, draw, f"{LEFT}, {count} registers", size)
                job.time(f"{LEFT}, {count} registers", size, wall(job, draw))
            evaluator = ivm.Evaluator(again, backend="cuda")
            _, seconds, busy = timed(job, partial(evaluator.values, *arrays))
            job.time(f"{POINTS}, {count} registers", job.points, seconds, busy=busy)


@contextmanager
def _turned(count: str) -> Iterator[None]:
    """The switch has another value, and the device no kernel of before."""
    with patch.dict(os.environ, {switches.REGISTERS.name: count}):
        switches.value.cache_clear()
        devices._gpu.cache_clear()
        yield
    switches.value.cache_clear()
    devices._gpu.cache_clear()
