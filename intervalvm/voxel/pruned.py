"""The pruned engine: the compiled walk over voxels, then normals at what it hits."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from intervalvm.arith.arrays import DTYPE_NAMES
from intervalvm.jit import native
from intervalvm.jit.evaluator import CompiledEvaluator
from intervalvm.jit.plan import PLANNING_BYTES, Plan, domain_of, plan_of
from intervalvm.jit.voxels import layout as v
from intervalvm.jit.voxels import normals, walk
from intervalvm.jit.workers import Key
from intervalvm.raster.stats import Level
from intervalvm.voxel.job import Drawn
from intervalvm.words import Meaning, Question

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intervalvm.raster.job import Progress
    from intervalvm.voxel.job import Job
    from intervalvm.voxel.volume import Volume

DEPTH_SHARE = 0.5
"""The part of progress that depth is."""


def draw(job: Job, report: Progress | None) -> Drawn:
    """Draw a job. Raises DoesNotFit if the workspaces do not fit."""
    start = time.perf_counter()
    plan, evaluator = _plan(job), _evaluator(job)
    walk.load(plan)
    prepared = time.perf_counter()
    terms = [(row.by_i, row.by_j, row.by_k[::-1]) for row in job.volume.terms]
    moving = job.volume.varies[:, 2].tolist()
    first, second = _shares(report)
    frame, counts = walk.draw(
        plan, job.volume.size, terms, moving, threads=job.threads, progress=first
    )
    middle = time.perf_counter()
    found = normals.normals(
        frame, evaluator, job.settings, job.volume.near_normal.astype(float),
        threads=job.threads, progress=second,
    )  # fmt: skip
    seconds = {
        "compile": prepared - start,
        "depth": middle - prepared,
        "normals": time.perf_counter() - middle,
    }
    evaluated = int(counts[:, v.EVALUATED].sum())
    return Drawn(frame.pixels, found, evaluated, seconds, _levels(job, counts), job.threads)


def kernels_of(dtype: np.dtype[Any]) -> list[Key]:
    """The kernels that most pictures in a dtype need."""
    name = DTYPE_NAMES[dtype]
    kinds = (
        "voxels_tame", "duals", "shade", "assemble", "fold", "hits", "balance", "bounds",
    )  # fmt: skip
    dtypes = (native.KINDS[kind].dtypes for kind in kinds)
    keys = [
        (kind, name if name in each else each[0]) for kind, each in zip(kinds, dtypes, strict=True)
    ]
    return [(*key, Meaning.FLOAT) for key in keys]


def _plan(job: Job) -> Plan:
    """The program of the tape for coordinates as large as the volume's.

    Raises DoesNotFit if planning or the walk needs too much memory.
    """
    job.require(PLANNING_BYTES * len(job.tape), "making the tape ready", "use a shorter tape")
    settings = dict(zip(job.tape.variables, job.settings, strict=True))
    bound = job.volume.bound
    if math.isfinite(reach := _reach(job.volume)):
        bound = max(bound, reach)
    plan = plan_of(
        job.tape, Question.SIGN, Meaning.FLOAT, job.dtype, settings,
        domain_of((-bound, bound), job.dtype), volume=True,
    )  # fmt: skip
    each = walk.workspace_bytes(plan.program, len(v.splits(job.volume.size)))
    needed, what = (job.threads + 1) * each, f"a picture with {job.threads} threads"
    job.require(needed, what, "use fewer threads")
    return plan


def _reach(volume: Volume) -> float:
    """A bound on coordinates that stays the same when the volume is turned about its middle.

    It may overflow to infinity or NaN.
    """
    ends = ((0, -1),) * 3
    corners = np.stack(volume.points(*np.meshgrid(*ends)), axis=-1).reshape(-1, 3).astype(float)
    with np.errstate(over="ignore", invalid="ignore"):
        middle = corners.mean(axis=0)
        return float(np.hypot.reduce(middle) + np.hypot.reduce(corners - middle, axis=1).max())


def _evaluator(job: Job) -> CompiledEvaluator:
    key = "voxels", job.inputs, job.dtype
    made: CompiledEvaluator = job.tape.derived(
        key, lambda: CompiledEvaluator(job.tape, job.inputs, job.dtype)
    )
    return made


def _shares(report: Progress | None) -> tuple[Progress | None, Progress | None]:
    """Reports of the depth and of the normals as parts of one."""
    if report is None:
        return None, None
    whole = 1000

    def first(done: int, total: int) -> None:
        report(int(whole * DEPTH_SHARE * done / total), whole)

    def second(done: int, total: int) -> None:
        report(int(whole * (DEPTH_SHARE + (1 - DEPTH_SHARE) * done / total)), whole)

    return first, second


def _levels(job: Job, counts: NDArray[np.int64]) -> tuple[Level, ...]:
    """The regions of each split."""
    found, cells = [], [1, 1, 1]
    for split, count in zip(v.splits(job.volume.size).tolist(), counts.tolist(), strict=True):
        cells = [a << bits for a, bits in zip(cells, split, strict=False)]
        tile = tuple(-(-n // a) for n, a in zip(job.volume.size, cells, strict=True))
        entered = max(count[v.AMBIGUOUS] - count[v.HIDDEN], 1)
        mean = count[v.CLAUSES] / entered
        found.append(
            Level(
                tile, count[v.REGIONS], count[v.INSIDE], count[v.OUTSIDE], count[v.AMBIGUOUS], mean
            )
        )
    return tuple(found)
