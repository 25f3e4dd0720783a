"""What a frame cannot do without, in bytes and operations, and what the device takes over it."""

from __future__ import annotations

import intervalvm as ivm
from bench.gpu import events
from bench.gpu.step import Job


def floor(job: Job) -> None:
    """A row for each size, of what the walk counts there."""
    for size in (*job.sizes, *job.large):
        stats = ivm.render(job.subject.tape, size=size).stats
        job.fact("floor", events.floor(size, stats))
