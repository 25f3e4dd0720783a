"""What a render reports: the ``Stats`` of a job, from what the walk counted or from the pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intervalvm.arith.arrays import DTYPE_NAMES
from intervalvm.compiler.truths import is_truth
from intervalvm.jit.layout import INSIDE, UNPROVEN
from intervalvm.raster.image import Level, Stats

if TYPE_CHECKING:
    from intervalvm.raster.job import Counts, Drawn, Job


def stats_of(job: Job, drawn: Drawn, steps: list[int], rendering: float) -> Stats:
    pixels, counts = drawn.pixels, drawn.counts
    height, width = job.shape
    is_bitmap = pixels.dtype == np.uint8
    unproven = {}
    if job.over is not None:
        unproven["unproven"] = (
            sum(count.unproven_px for count in counts)
            if counts
            else int(np.count_nonzero(pixels == UNPROVEN))
        )
    return Stats(
        clauses=len(job.tape),
        size=(width, height),
        depth=job.depth,
        engine=job.engine,
        backend=job.backend,
        dtype=DTYPE_NAMES[job.x.dtype],
        threads=drawn.threads,
        grid=job.grid,
        seconds={"compile": drawn.compiling, "render": rendering},
        pixels={
            "inside": sum(count.inside_px for count in counts)
            if counts
            else int(np.count_nonzero(pixels == INSIDE if is_bitmap else pixels < 0)),
            "evaluated": sum(count.evaluated_px for count in counts) if counts else pixels.size,
            "total": pixels.size,
            **unproven,
        },
        levels=_levels(counts, steps, width, height),
        over=job.over,
        is_truth=is_truth(job.tape),
    )


def _levels(counts: list[Counts], steps: list[int], width: int, height: int) -> tuple[Level, ...]:
    found, level = [], 0
    for count, levels in zip(counts, steps, strict=True):
        level += levels
        tile = -(-width // (1 << level)), -(-height // (1 << level))
        mean = count.clauses / count.ambiguous if count.ambiguous else 0.0
        found.append(
            Level(
                tile,
                count.regions,
                count.inside,
                count.outside,
                count.ambiguous,
                mean,
            )
        )
    return tuple(found)
