"""``render``: a tape to an image, by the engine and back end that the caller chooses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from intervalvm.api.options import check, check_progress
from intervalvm.compiler.pipeline import folded
from intervalvm.environment import back_in_default_environment, in_default_environment
from intervalvm.evaluate.evaluators import EVALUATORS, Meaning
from intervalvm.expr import TapeLike
from intervalvm.hints import hinted
from intervalvm.memory import Amount
from intervalvm.raster import bands, verdicts
from intervalvm.raster.grid import RegionLike
from intervalvm.raster.image import Image, canvas
from intervalvm.raster.job import Counts, Drawn, Job, Progress, split_levels
from intervalvm.raster.report import stats_of
from intervalvm.raster.size import Crop

if TYPE_CHECKING:
    from intervalvm.jit.plan import Plan
    from intervalvm.jit.walk import Elsewhere


@in_default_environment
@hinted
def render(
    tape: TapeLike,
    *,
    size: int | tuple[int, int] = 1024,
    region: RegionLike | None = None,
    crop: Crop | None = None,
    grid: str = "linspace",
    depth: int | None = None,
    engine: str = "pruned",
    backend: str | None = None,
    threads: int | None = None,
    dtype: Any = "float32",
    mode: str = "bitmap",
    variables: Mapping[str, float] | None = None,
    z: float = 0.0,
    max_memory: Amount | None = None,
    fold: str = "exact",
    rounding: str = "nearest",
    over: str | None = None,
    progress: Progress | bool | None = None,
) -> Image:
    """The image of ``tape``: 255 where its value is below 0, else 0, NaN included. An expression
    that is a truth, such as ``x < y``, is drawn where it holds.

    ``size`` is in pixels, one number or (width, height). ``region`` is what the image shows, by
    default -1..1 along its shorter side: a ``Region``, or its ends as (x0, x1, y0, y1). ``grid``
    says where in it the samples lie. With ``crop=(left, top, right, bottom)``, in pixels from the
    top left corner, the image is that part of the picture: at the same samples, without the time
    and memory for the rest. The quadtree has ``depth`` levels, by default as many as make leaves
    of 16 pixels. ``engine`` is "pruned", "dense" or "naive": all give the same bits, and so do all
    back ends. ``threads`` defaults to the CPUs that this process may use. With ``mode="value"``
    pixels are the values themselves, in ``dtype``, as ``evaluate`` gives them at the samples.
    ``progress(done, total)`` is called with pixels from time to time; True draws a bar.
    ``fold="fast"`` also uses identities of real numbers, which change values: see
    ``intervalvm.fold``.

    With ``rounding="outward"`` pixels are proven, about the function of real numbers that the tape
    writes down: 255 where it is defined and below 0, 0 where it is nowhere both, 128 where neither
    could be proven. ``over`` is "point" (the default: at the pixel's sample, exactly) or "area" (at
    every point of the pixel's area, see ``grid.edges``).

    Raises OptionError or ArgumentTypeError for an argument that means nothing, VariableError for a
    free variable that is not set, BackendError for a back end that is not there, DeviceError where
    a GPU fails, DoesNotFit for what would need more than ``max_memory``: bytes, or text such as
    "4G" (by default: than is available).
    """
    job = check(
        tape,
        size=size,
        region=region,
        crop=crop,
        grid=grid,
        depth=depth,
        engine=engine,
        backend=backend,
        threads=threads,
        dtype=dtype,
        mode=mode,
        variables=variables,
        z=z,
        max_memory=max_memory,
        fold=fold,
        rounding=rounding,
        over=over,
    )
    return draw(job, progress)


Box = tuple[float, float, float, float]
"""x low, x high, y low, y high."""
FindPlan = Callable[["Plan", Box], "Plan"]
"""The plan of a part of the domain, with the box in it that is drawn."""


def draw(job: Job, progress: Progress | bool | None, find_plan: FindPlan | None = None) -> Image:
    """Carry out a job; ``find_plan`` may shorten a plan for a part of its domain."""
    steps = split_levels(job.depth) if job.engine == "pruned" else []
    with _reporting(progress) as report:
        start = time.perf_counter()
        if job.engine != "pruned" and job.over is not None:
            drawn = Drawn(verdicts.render(job, report), [])
        elif job.engine != "pruned":
            drawn = bands.draw(job, report)
        elif job.backend == "numpy":
            drawn = _readable(job, steps, report)
        elif job.backend == "cuda":
            drawn = _on_device(job, steps, report, find_plan)
        else:
            drawn = _compiled(job, steps, report, find_plan)
        rendering = time.perf_counter() - start - drawn.compiling
    report_work = partial(stats_of, job, drawn, steps, rendering)
    # what dense engines count is in the pixels, which their owner may change
    stats = report_work if drawn.counts else report_work()
    return Image(drawn.pixels, job.region, stats, job.over, job.whole)


def _readable(job: Job, steps: list[int], report: Progress | None) -> Drawn:
    """The pruned engine on NumPy."""
    from intervalvm.raster import quadtree

    start = time.perf_counter()
    needed = quadtree.peak_bytes(
        job.tape, job.shape, job.x.dtype, steps, proves=job.over is not None
    )
    job.require(needed, "backend='numpy'", "use backend='numba', or more depth")
    evaluator = EVALUATORS[_meaning(job)](job.x.dtype)
    tape = folded(job.tape, evaluator, job.settings)
    compiling = time.perf_counter() - start
    pixels = np.zeros(job.shape, job.pixel_type)
    counts = quadtree.render(tape, evaluator, *job.sides, pixels, steps, progress=report)
    return Drawn(pixels, counts, compiling)


def _meaning(job: Job) -> Meaning:
    return "float" if job.over is None else "real"


def _compiled(
    job: Job, steps: list[int], report: Progress | None, find_plan: FindPlan | None
) -> Drawn:
    """The pruned engine through compiled kernels."""
    start = time.perf_counter()
    from intervalvm.jit import walk

    plan = _plan(job, steps, find_plan)
    walk.load(plan)
    compiling = time.perf_counter() - start
    pixels, is_clear = canvas(job.shape, job.pixel_type)
    with _leaves(job, plan) as elsewhere:
        counts = walk.render(
            plan,
            *job.sides,
            pixels,
            steps,
            threads=job.threads,
            is_clear=is_clear,
            progress=report,
            elsewhere=elsewhere,
        )
    return Drawn(pixels, Counts.of(counts.tolist()), compiling, job.threads)


def _plan(job: Job, steps: list[int], find_plan: FindPlan | None) -> Plan:
    """Raises DoesNotFit before what would not fit is taken: to make the plan, or to walk by it."""
    from intervalvm.jit.plan import PLANNING_BYTES, domain_of, plan_of

    job.require(PLANNING_BYTES * len(job.tape), "making the tape ready", "use a shorter tape")
    (x, y), (x_upper, y_upper) = job.sides
    box = float(x[0]), float(x_upper[-1]), float(y[-1]), float(y_upper[0])
    plan = plan_of(
        job.tape,
        "sign" if job.pixel_type == np.uint8 else "value",
        _meaning(job),
        job.x.dtype,
        job.settings,
        domain_of(box, job.x.dtype),
    )
    if job.backend != "cuda":  # which has no workspaces here
        needed = (job.threads + 1) * plan.workspace_bytes(len(steps))
        if find_plan is not None:
            needed += 2 * plan.workspace_bytes(1)
        job.require(needed, f"an image with {job.threads} threads", "use fewer threads")
    return plan if find_plan is None else find_plan(plan, box)


def _on_device(
    job: Job, steps: list[int], report: Progress | None, find_plan: FindPlan | None
) -> Drawn:
    """The pruned engine on a GPU, leaves and all."""
    start = time.perf_counter()
    from intervalvm.gpu import frames

    walks = frames.walks(_plan(job, steps, find_plan), job.shape, steps)
    compiling = time.perf_counter() - start
    pixels, counts = walks.render(job.x, job.y)
    if report is not None:
        report(pixels.size, pixels.size)
    return Drawn(pixels, Counts.of(counts), compiling)


def _leaves(job: Job, plan: Plan) -> AbstractContextManager[Elsewhere | None]:
    """What evaluates a walk's leaves, or None where it does so itself."""
    if job.backend != "cupy":
        return nullcontext()
    from intervalvm.gpu.batches import batches

    return batches(plan, len(job.x), job.threads)


@contextmanager
def _reporting(progress: Progress | bool | None) -> Iterator[Progress | None]:
    """What to call with (done, total) pixels: nothing, the caller's function, or a bar."""
    check_progress(progress)
    if progress is None or progress is False:
        yield None
    elif progress is True:
        from rich.progress import Progress as Bars

        with Bars(transient=True) as bars:
            task = bars.add_task("rendering")
            yield lambda done, total: bars.update(task, completed=done, total=total)
    else:
        yield back_in_default_environment(progress)
