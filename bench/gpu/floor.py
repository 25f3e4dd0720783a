"""What a frame cannot do without, in bytes and operations, and what the device takes over it."""

from __future__ import annotations

from types import ModuleType

import numpy as np

import intervalvm as ivm
from bench.gpu.events import REPEATS, Span, of_calls
from bench.gpu.step import Job
from bench.page import ms
from intervalvm.gpu import device
from intervalvm.raster.stats import Stats

LANES_A_PROCESSOR = 128
"""float32 operations that a multiprocessor of the last generations starts each cycle."""


def floor(job: Job) -> None:
    """A row for each size, of what the walk counts there."""
    for size in (*job.sizes, *job.large):
        stats = ivm.render(job.subject.tape, size=size).stats
        job.fact("floor", _row(size, stats))


def _row(size: int, stats: Stats) -> tuple[str, ...]:
    """What a frame cannot do without, and how long the device takes over each."""
    module = device.cupy()
    image = module.empty((size, size), np.uint8)
    stream = module.cuda.Stream(non_blocking=True)
    memory = module.cuda.alloc_pinned_memory(size * size)
    host = np.frombuffer(memory, np.uint8, size * size).reshape(size, size)
    filling, copying = [], []
    for _ in range(REPEATS):
        filling.append(of_calls(lambda: image.fill(0)).busy or 0.0)
        module.cuda.Device().synchronize()
        with Span(module, stream) as span:
            image.get(out=host, stream=stream, blocking=False)
        stream.synchronize()
        copying.append(span.seconds())
    records, operations = counted(stats)
    speed = _operations_a_second(module)
    return (
        f"{size:,}",
        f"{size * size / (1 << 20):,.0f}",
        ms(min(filling)),
        ms(min(copying)),
        f"{records:,.0f}",
        f"{operations:,.0f}",
        ms(operations / speed) if speed else "",
    )


def counted(stats: Stats) -> tuple[float, float]:
    """Records that the regions of a walk are left with, and operations at the least for them.

    A record of a region that is split is computed at both ends of 64 bounds; one of a leaf at its
    pixels. The root's program is not counted: it is short of what its 64 children have together.
    """
    records = [level.ambiguous * level.mean_clauses for level in stats.levels]
    pixels = stats.pixels["evaluated"] / max(1, stats.levels[-1].ambiguous)
    return sum(records), sum(128 * n for n in records[:-1]) + pixels * records[-1]


def _operations_a_second(module: ModuleType) -> float | None:
    """What all multiprocessors start, at the clock that the device names; None if it names none."""
    found: dict[str, int] = module.cuda.Device().attributes
    kilohertz, processors = found.get("ClockRate"), found.get("MultiProcessorCount")
    if not kilohertz or not processors:
        return None
    return 1e3 * LANES_A_PROCESSOR * processors * kilohertz
