"""The CPU engine of the same machine, which no failure of the device's packages touches."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import intervalvm as ivm
from bench.gpu.report import CPU
from bench.gpu.step import Job
from bench.subject import cpus
from bench.timing import in_turns


def cpu(job: Job) -> None:
    """Its frames at every size, by one thread and by all."""
    for size in job.sizes:
        for threads in sorted({1, cpus()}):
            cpu_frame(job, size, threads)


def cpu_frame(job: Job, size: int, threads: int) -> None:
    """A warm frame."""
    draw = partial(ivm.render, job.subject.tape, size=size, threads=threads)
    job.subject.check_known(draw().pixels)
    name = CPU if threads == cpus() else f"CPU, {threads_text(threads)}"
    job.time(name, size, wall(job, draw))


def wall(job: Job, draw: Callable[[], object]) -> float:
    """The median of what a warm call takes by the wall."""
    return in_turns({"": draw}, rounds=job.rounds)[""].median


def threads_text(count: int) -> str:
    return f"{count} thread{'s' if count > 1 else ''}"
