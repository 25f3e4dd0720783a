"""``render``: from a shape to an image.

``api.options`` checks the options and makes a job; ``draw`` carries it out by an engine on a back
end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from intervalvm.api.limits import usable_cpus
from intervalvm.api.options import Options, check_prunes, is_by_pixel, takes_options
from intervalvm.environment import back_in_default_environment, in_default_environment
from intervalvm.expr import TapeLike, as_tape, settings_for
from intervalvm.expr.paint import paint_of
from intervalvm.jit.notices import watched
from intervalvm.late import cached_property
from intervalvm.raster.image import Image
from intervalvm.raster.job import Counts, Drawn, Job, Progress
from intervalvm.raster.look import Look
from intervalvm.raster.maps import Map, Maps, new_maps
from intervalvm.words import MapKind, MapPer, Question, Way

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from intervalvm.jit.plan import Plan
    from intervalvm.jit.walk import LeafHook

Box = tuple[float, float, float, float]
"""x low, x high, y low, y high."""
FindPlan = Callable[["Plan", Box], "Plan"]
"""From a plan and the box that is drawn to the plan of a part of the domain."""


@in_default_environment
@takes_options
def render(tape: TapeLike, **options: Any) -> Image:
    """Draw a shape: 255 where its value is below 0 or a truth holds, else 0, NaN included.

    ``colours`` of the image are those of a painted shape, see ``shapes.Shape.paint``. Without
    ``ink`` and ``paper`` files of other shapes are white on black.

    Parameters
    ----------
    tape : Tape, Expr or Shape
    size : int or (int, int)
        Pixels a side, or (width, height).
    region : Region or four floats, optional
        The part of the plane, a ``Region`` or (x0, x1, y0, y1); by default -1..1 along the shorter
        side.
    crop : (int, int, int, int), optional
        Draw only the pixels (left, top, right, bottom) of the picture, at the same samples.
    grid : {"linspace", "center", "fidget"}
        Where the samples lie: from end to end, at the centres or at the lower ends of equal parts.
    z : float
        The height of the slice.
    variables : dict of str to float, optional
        Values of free variables.
    mode : {"bitmap", "value"}
        With "value" pixels are the values, in ``dtype``, as by ``evaluate``.
    dtype : {"float32", "float64"}
        The arithmetic.
    prove : {None, "point", "area"}
        Prove pixels for the real function, at the sample or at every point of the pixel: 255 where
        it is below 0, 0 where it is undefined or >= 0 everywhere, 128 where neither is proven.
    antialias : int
        Samples of a pixel each way, up to 16. With more than one, pixels are their coverage: the
        rounded mean of the pixels of the picture at so many times the size, on the same grid.
    engine : {"pruned", "dense", "naive"}
        All engines and back ends give the same bits.
    backend : {None, "numba", "numpy", "cupy", "cuda"}
        By default the engine's first.
    threads : int, optional
        By default the CPUs of this process.
    depth : int, optional
        Levels of the quadtree; by default leaves are 16 pixels wide.
    max_memory : int, float or str, optional
        Bytes, or text such as "4G"; by default the available memory.
    fold : {"exact", "fast"}
        With "fast" identities of real numbers are used, which change values: see ``fold``.
    progress : callable or bool, optional
        Called with (done, total) pixels; True draws a bar.
    ink : colour, optional
        What is inside, and parts of a painted shape without a colour, in files and on the screen:
        "#c84", "#cc8844", a name of CSS, or three integers from 0 to 255. By default white on dark
        paper, black on light or transparent paper.
    paper : colour, optional
        What is outside, or "none" for transparent. By default black below light ink or none, white
        below dark ink.
    out : array, optional
        Draw into this array of the image's shape and dtype, C-contiguous and writable, such as
        ``pixels`` of an earlier image, instead of new memory: a large image takes half the time.
        It is ``pixels`` of the result. After an exception, such as an interrupt, it holds parts of
        the frame, and threads may write to it for some milliseconds more.

    Returns
    -------
    Image

    Raises
    ------
    OptionError, ArgumentTypeError
        For an invalid argument.
    VariableError
        For a free variable without a value.
    BackendError, DeviceError
        If the back end is not available, or a GPU fails.
    DoesNotFit
        If ``max_memory`` is not enough.
    """
    asked = Options(**options)
    job = asked.job(as_tape(tape), settings_for(tape, asked.variables))
    return in_colour(draw(job, asked.progress), job, tape, asked.look)


def in_colour(image: Image, job: Job, shape: TapeLike, look: Look) -> Image:
    """The image of a shape in ink on paper, with the colours of a painted one."""
    paint = paint_of(shape)
    if paint is None:
        return replace(image, _look=look)
    from intervalvm.api.paint import colours_of

    found = partial(colours_of, job, paint, look.ink, partial(draw, progress=None))
    return replace(image, _look=look, _colours_of=found)


def draw(job: Job, progress: Progress | bool | None, find_plan: FindPlan | None = None) -> Image:
    """Carry out a job; ``find_plan`` may shorten a plan for a part of its domain."""
    with reporting(progress, "rendering") as report:
        start = time.perf_counter()
        if job.antialias == 1 or job.way is Way.COMPILED:
            drawn = _drawn(job, report, find_plan)
        else:
            drawn = _drawn(_of_samples(job), report, find_plan).coverage(job)
        rendering = time.perf_counter() - start - drawn.compiling
    return replace(drawn.image(job, rendering), _maps=MapsOf(job))


class MapsOf:
    """The maps of the tiles of a job, walked again when one is first asked for."""

    def __init__(self, job: Job) -> None:
        self._job = job._replace(out=None, way=Way.COMPILED if job.way.on_gpu else job.way)

    @cached_property
    def maps(self) -> Maps:
        job = self._job
        check_prunes(job)
        found = new_maps(job.steps)
        if job.way is Way.READABLE:
            from intervalvm.raster import quadtree

            quadtree.draw(_of_samples(job), None, found)
        else:
            _compiled(job, None, None, found)
        return Maps.of(found, job.steps, job.shape)

    def __call__(self, kind: MapKind, per: MapPer) -> NDArray[np.int32]:
        """As ``Image.map``."""
        by_pixel = is_by_pixel(kind, per)
        found: NDArray[np.int32] = getattr(self.maps, kind)
        return self.maps.of_pixels(found) if by_pixel else found


def _of_samples(job: Job) -> Job:
    """The job of drawing the samples of a job as pixels. Raises DoesNotFit."""
    fine = job._replace(antialias=1, out=None)
    height, width = fine.shape
    fine.require(0, f"{width}x{height} samples", "use backend='numba', or fewer samples")
    return fine


def _drawn(job: Job, report: Progress | None, find_plan: FindPlan | None) -> Drawn:
    """The pixels of a job by its engine on its back end."""
    match job.way:
        case Way.COMPILED | Way.GPU_LEAVES:
            return _compiled(job, report, find_plan)
        case Way.GPU_WALK:
            return _on_device(job, report, find_plan)
        case Way.READABLE:
            from intervalvm.raster import quadtree

            return quadtree.draw(job, report)
        case _:
            from intervalvm.raster import bands

            return bands.draw(job, report)


def _compiled(
    job: Job, report: Progress | None, find_plan: FindPlan | None, tiles: Sequence[Map] = ()
) -> Drawn:
    """The pruned engine through compiled kernels."""
    start = time.perf_counter()
    from intervalvm.jit import native, walk

    native.prepare(walk.kernels_of(job.dtype, job.meaning), usable_cpus())
    plan = _plan(job, find_plan)
    walk.load(plan)
    compiling = time.perf_counter() - start
    pixels = job.canvas()
    hooked: AbstractContextManager[LeafHook | None] = nullcontext()
    if job.way is Way.GPU_LEAVES:
        from intervalvm.gpu.batches import batches

        hooked = batches(plan, job.shape[1], job.threads)
    with hooked as leaf_hook:
        counts = walk.render(
            plan,
            *job.sides,
            pixels,
            job.steps,
            threads=job.threads,
            samples=job.antialias,
            tiles=tiles,
            progress=report,
            leaf_hook=leaf_hook,
        )
    return Drawn(pixels, [Counts(*row) for row in counts.tolist()], compiling, job.threads)


def _plan(job: Job, find_plan: FindPlan | None) -> Plan:
    """The plan of a job. Raises DoesNotFit if planning or the walk needs too much memory."""
    from intervalvm.jit.plan import PLANNING_BYTES, domain_of, plan_of

    job.require(PLANNING_BYTES * len(job.tape), "making the tape ready", "use a shorter tape")
    (x, y), (x_upper, y_upper) = job.sides
    box = float(x[0]), float(x_upper[-1]), float(y[-1]), float(y_upper[0])
    question = Question.SIGN if job.is_bitmap else Question.VALUE
    domain = domain_of(box, job.dtype)
    plan = plan_of(job.tape, question, job.meaning, job.dtype, job.settings, domain)
    if job.way is not Way.GPU_WALK:  # which has no workspaces on the host
        needed = (job.threads + 1) * plan.workspace_bytes(len(job.steps))
        if find_plan is not None:
            needed += 2 * plan.workspace_bytes(1)
        job.require(needed, f"an image with {job.threads} threads", "use fewer threads")
    return plan if find_plan is None else find_plan(plan, box)


def _on_device(job: Job, report: Progress | None, find_plan: FindPlan | None) -> Drawn:
    """The pruned engine on a GPU."""
    start = time.perf_counter()
    from intervalvm.gpu.walk import renderer

    render = renderer(_plan(job, find_plan), job.shape, job.steps)
    compiling = time.perf_counter() - start
    pixels, counts = render(*job.samples)
    if job.out is not None:
        job.out[...] = pixels.get()
        pixels = job.out
    if report is not None:
        report(pixels.size, pixels.size)
    return Drawn(pixels, [Counts(*row) for row in counts], compiling)


@contextmanager
def reporting(progress: Progress | bool | None, what: str) -> Iterator[Progress | None]:
    """The function to call with (done, total), if any; True draws a bar, with ``what`` before."""
    if progress is None or progress is False:
        yield None
    elif progress is True:
        from rich.progress import Progress as Bars

        with Bars(transient=True) as bars:
            task = bars.add_task(what)

            def compiling(done: int, total: int, share: float) -> None:
                """The bar is of kernels until they are there."""
                said = f"compiling kernels, {done} of {total}"
                shown = (what, 0.0) if done == total else (said, share)
                bars.update(task, description=shown[0], completed=shown[1], total=1.0)

            with watched(compiling):
                yield lambda done, total: bars.update(task, completed=done, total=total)
    else:
        yield back_in_default_environment(progress)
