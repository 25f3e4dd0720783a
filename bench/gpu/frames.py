"""Frame times: by the wall and by events of the device, with what is copied up and down apart."""

from __future__ import annotations

from functools import partial

import intervalvm as ivm
from bench.gpu import events
from bench.gpu.cpu import cpu_frame, threads_text, wall
from bench.gpu.events import Spans
from bench.gpu.pixels import Draw, checked
from bench.gpu.report import BACK, LEFT
from bench.gpu.step import Job
from bench.subject import cpus

BY_THE_WALL = Spans()


def frames(job: Job) -> None:
    """All on the GPU, at every size."""
    for size in job.sizes:
        _on_the_gpu(job, size)


def large(job: Job) -> None:
    """The same at the largest, beside the CPU engine and leaf batches."""
    for size in job.large:
        _on_the_gpu(job, size)
        cpu_frame(job, size, cpus())
        _batches(job, size, cpus())


def batches(job: Job) -> None:
    """The walk on the CPUs, its leaves on the GPU; by one thread, a few and all."""
    for size in job.sizes:
        for threads in sorted({1, min(4, cpus()), cpus()}):
            _batches(job, size, threads)


def _on_the_gpu(job: Job, size: int) -> None:
    draw = partial(ivm.render, job.subject.tape, size=size, backend="cuda")
    checked(job, draw, BACK, size)
    _time(job, LEFT, size, draw, events.of_walk(draw, _repeats(job)))

    def copied_back() -> ivm.Image:
        image = draw()
        _ = image.pixels
        return image

    _time(job, BACK, size, copied_back)


def _batches(job: Job, size: int, threads: int) -> None:
    draw = partial(ivm.render, job.subject.tape, size=size, threads=threads, backend="cupy")
    name = f"leaf batches, {threads_text(threads)}"
    checked(job, draw, name, size)
    _time(job, name, size, draw, events.of_batches(draw, _repeats(job)))


def _repeats(job: Job) -> int:
    return 1 if job.rehearses else events.REPEATS


def _time(job: Job, what: str, size: int, draw: Draw, spans: Spans = BY_THE_WALL) -> None:
    job.time(what, size, wall(job, draw), busy=spans.busy, up=spans.up, down=spans.down)
