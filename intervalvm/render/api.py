"""``render``: a tape to an image, by the engine and back end that the caller chooses."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from intervalvm.compiler.fold import fold
from intervalvm.environment import in_default_environment
from intervalvm.errors import OptionError
from intervalvm.evaluate.arrays import Arrays, array_module, as_dtype
from intervalvm.evaluate.bounding import NEAREST
from intervalvm.evaluate.folding import prefolded
from intervalvm.expr import TapeLike, as_tape, settings_for
from intervalvm.memory import require
from intervalvm.render import bands, verdicts
from intervalvm.render.grid import (
    Region,
    check_depth,
    check_size,
    coordinates,
    edges,
    shown_region,
)
from intervalvm.render.image import Image, canvas
from intervalvm.render.job import Drawn, Job, Progress
from intervalvm.render.report import stats_of
from intervalvm.render.split import Counts, split_levels

if TYPE_CHECKING:
    from intervalvm.render.compiled import Elsewhere
    from intervalvm.render.plan import Plan

BACKENDS = {
    "naive": ("numpy", "cupy"),
    "dense": ("numpy", "cupy"),
    "pruned": ("numba", "numpy", "cupy", "cuda"),
}
"""The back ends of each engine; the first is the default."""
MODES = ("bitmap", "value")
MOST_THREADS = 64
"""There are at most 64 tasks to share."""


@in_default_environment
def render(
    tape: TapeLike,
    *,
    size: int | tuple[int, int] = 1024,
    region: Region | None = None,
    grid: str = "linspace",
    depth: int | None = None,
    engine: str = "pruned",
    backend: str | None = None,
    threads: int | None = None,
    dtype: Any = "float32",
    mode: str = "bitmap",
    variables: Mapping[str, float] | None = None,
    z: float = 0.0,
    max_memory: int | None = None,
    fold: str = "exact",
    rounding: str = "nearest",
    over: str | None = None,
    progress: Progress | bool | None = None,
) -> Image:
    """The image of ``tape``: 255 where its value is below 0, else 0, NaN included. An expression
    that is a truth, such as ``x < y``, is drawn where it holds.

    ``size`` is in pixels, one number or (width, height). ``region`` is what the image shows, by
    default -1..1 along its shorter side; ``grid`` says where in it the samples lie. The quadtree
    has ``depth`` levels, by default as many as make leaves of 16 pixels. ``engine`` is "pruned",
    "dense" or "naive": all give the same bits, and so do all back ends. ``threads`` defaults to the
    CPUs that this process may use. With ``mode="value"`` pixels are the values themselves, in
    ``dtype``, as ``evaluate`` gives them at the samples. ``progress(done, total)`` is called with
    pixels from time to time; True draws a bar. ``fold="fast"`` also uses identities of real
    numbers, which change values: see ``intervalvm.fold``.

    With ``rounding="outward"`` pixels are proven, about the function of real numbers that the tape
    writes down: 255 where it is defined and below 0, 0 where it is nowhere both, 128 where neither
    could be proven. ``over`` is "point" (the default: at the pixel's sample, exactly) or "area" (at
    every point of the pixel's area, see ``grid.edges``).

    Raises OptionError for an argument that means nothing, VariableError for a free variable that
    is not set, BackendError for a back end that is not there, DeviceError where a GPU fails,
    DoesNotFit for what would need more than ``max_memory`` bytes (by default: than is available).
    """
    job = check(
        tape,
        size=size,
        region=region,
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


def check(
    shape: TapeLike,
    *,
    size: Any,
    region: Region | None,
    grid: str,
    depth: int | None,
    engine: str,
    backend: str | None,
    threads: int | None,
    dtype: Any,
    mode: str,
    variables: Mapping[str, float] | None,
    z: float,
    max_memory: int | None,
    fold: str,
    rounding: str,
    over: str | None,
) -> Job:
    """The options of ``render`` as a Job, or the error that ``render`` promises."""
    variables, tape = settings_for(shape, variables), as_tape(shape)
    width, height = check_size(size)
    depth = check_depth(depth, width, height)
    if rounding != "nearest" or over is not None:
        over = verdicts.check_over(
            rounding, over, engine=engine, backend=backend, mode=mode, fold=fold
        )
    chosen, backend = as_dtype(dtype), _check_backend(engine, backend)
    tape = prefolded(tape, fold, chosen)
    threads = _check_threads(threads)
    if mode not in MODES:
        raise OptionError(f"no mode {mode!r}: choose 'bitmap' or 'value'")
    given = tape.settings(variables)
    settings = {"var-z": _number("z", z)} | {
        name: _number(name, value) for name, value in zip(tape.variables, given, strict=True)
    }
    pixel_type = np.dtype(np.uint8) if mode == "bitmap" else chosen
    needed = width * height * pixel_type.itemsize
    require(needed, f"a {width}x{height} image", "make it smaller", max_memory)
    shown = shown_region(region, width, height)
    x, y = coordinates(shown, width, height, grid, chosen)
    return Job(
        tape,
        x,
        y,
        pixel_type,
        depth,
        engine,
        backend,
        threads,
        settings,
        grid,
        shown,
        max_memory,
        over,
        edges(shown, width, height, grid, chosen) if over == "area" else None,
    )


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
    return Image(drawn.pixels, job.region, stats, job.over)


def _readable(job: Job, steps: list[int], report: Progress | None) -> Drawn:
    """The pruned engine on NumPy."""
    from intervalvm.evaluate.proven import folded_exactly
    from intervalvm.evaluate.widened import WIDENED
    from intervalvm.render import quadtree

    start = time.perf_counter()
    needed = quadtree.peak_bytes(
        job.tape, job.shape, job.x.dtype, steps, proves=job.over is not None
    )
    job.require(needed, "backend='numpy'", "use backend='numba', or more depth")
    if job.over is None:
        folded, rules = fold(job.tape, Arrays(np, job.x.dtype), job.settings), NEAREST
    else:
        folded, rules = folded_exactly(job.tape, job.settings), WIDENED
    compiling = time.perf_counter() - start
    pixels = np.zeros(job.shape, job.pixel_type)
    counts = quadtree.render(folded, *job.sides, pixels, steps, rules=rules, progress=report)
    return Drawn(pixels, counts, compiling)


def _compiled(
    job: Job, steps: list[int], report: Progress | None, find_plan: FindPlan | None
) -> Drawn:
    """The pruned engine through compiled kernels."""
    start = time.perf_counter()
    from intervalvm.render import compiled

    plan = _plan(job, steps, find_plan)
    compiled.load(plan)
    compiling = time.perf_counter() - start
    pixels, is_clear = canvas(job.shape, job.pixel_type)
    with _leaves(job, plan) as elsewhere:
        counts = compiled.render(
            plan,
            *job.sides,
            pixels,
            steps,
            threads=job.threads,
            is_clear=is_clear,
            progress=report,
            elsewhere=elsewhere,
        )
    return Drawn(pixels, counts, compiling, job.threads)


def _plan(job: Job, steps: list[int], find_plan: FindPlan | None) -> Plan:
    """Raises DoesNotFit before what would not fit is taken: to make the plan, or to walk by it."""
    from intervalvm.render.plan import PLANNING_BYTES, domain_of, plan_of

    job.require(PLANNING_BYTES * len(job.tape), "to make the tape ready", "use a shorter tape")
    (x, y), (x_upper, y_upper) = job.sides
    box = float(x[0]), float(x_upper[-1]), float(y[-1]), float(y_upper[0])
    plan = plan_of(
        job.tape,
        job.x.dtype,
        job.settings,
        domain_of(box, job.x.dtype),
        sign_only=job.pixel_type == np.uint8,
        rounding="nearest" if job.over is None else "outward",
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
    return Drawn(pixels, [Counts(*count) for count in counts], compiling)


def _leaves(job: Job, plan: Plan) -> AbstractContextManager[Elsewhere | None]:
    """What evaluates a walk's leaves, or None where it does so itself."""
    if job.backend != "cupy":
        return nullcontext()
    from intervalvm.gpu.batches import batches

    return batches(plan, len(job.x), job.threads)


def _check_backend(engine: str, backend: str | None) -> str:
    if engine not in BACKENDS:
        raise OptionError(f"no engine {engine!r}: choose {', '.join(map(repr, BACKENDS))}")
    if backend is None:
        return BACKENDS[engine][0]
    if backend == "cupy":
        array_module("cupy")  # says how to install it
    if backend not in BACKENDS[engine]:
        choices = " or ".join(map(repr, BACKENDS[engine]))
        raise OptionError(f"engine {engine!r} has no back end {backend!r}: choose {choices}")
    if backend in ("cupy", "cuda"):
        from intervalvm.gpu.target import check_target

        check_target()
    return backend


def _check_threads(threads: int | None) -> int:
    if threads is None:
        usable = getattr(os, "sched_getaffinity", None)
        return len(usable(0)) if usable else os.cpu_count() or 1
    if isinstance(threads, bool) or not isinstance(threads, (int, np.integer)) or threads < 1:
        raise OptionError(f"threads={threads!r}: give a number from 1")
    return min(int(threads), MOST_THREADS)


@contextmanager
def _reporting(progress: Progress | bool | None) -> Iterator[Progress | None]:
    """What to call with (done, total) pixels: nothing, the caller's function, or a bar."""
    if progress is None or progress is False:
        yield None
    elif progress is True:
        from rich.progress import Progress as Bars

        with Bars(transient=True) as bars:
            task = bars.add_task("rendering")
            yield lambda done, total: bars.update(task, completed=done, total=total)
    else:
        yield progress


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise OptionError(f"{name}={value!r} is not a number") from None
