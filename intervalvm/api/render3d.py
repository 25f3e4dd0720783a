"""``render3d``: from a shape to a picture of a solid.

``api.options3d`` checks the options and makes a job; an engine finds what is seen, which
``SolidImage`` shows.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.api.limits import usable_cpus
from intervalvm.api.options3d import SolidOptions, takes_solid_options
from intervalvm.api.render import reporting
from intervalvm.arith.arrays import DTYPE_NAMES
from intervalvm.colours import Rgb, colour
from intervalvm.compiler.truths import is_truth
from intervalvm.environment import in_default_environment
from intervalvm.evaluate.points import reads
from intervalvm.expr import TapeLike, as_tape, settings_for
from intervalvm.expr.paint import paint_of
from intervalvm.raster.job import Progress
from intervalvm.voxel import dense
from intervalvm.voxel.job import Drawn, Job
from intervalvm.voxel.samples import means
from intervalvm.voxel.solid import SolidImage, SolidStats
from intervalvm.voxel.style import Shading
from intervalvm.voxel.volume import voxels_in
from intervalvm.words import Backend, SolidEngine


@in_default_environment
@takes_solid_options
def render3d(shape: TapeLike, **options: Any) -> SolidImage:
    """Draw a solid: where its value is below 0 or a truth holds; NaN is outside.

    The picture is of a volume of cubic voxels. What is seen in a column of voxels is the nearest
    one whose centre is inside. A shape that does not read z is a prism along z without ends.

    Parameters
    ----------
    shape : Tape, Expr or Shape
    size : int, (int, int) or (int, int, int)
        Width, height and depth in voxels. One number is a cube; without a depth it is the longer of
        the others.
    antialias : int
        Samples of a pixel each way, up to 16: the picture is drawn at so many times the size, and
        ``pixels`` are its means. ``depth``, ``normals`` and statistics are of the large one.
    view : View, optional
        By default from the front: x to the right, y up, each from -1 to 1 in a square picture.
    grid : {"center", "fidget"}
        Where the samples lie: at the centres of voxels, or as Fidget has them.
    engine : {"pruned", "dense"}
        Interval pruning with compiled kernels, or every voxel evaluated in NumPy. Both give the
        same bits.
    threads : int, optional
        By default the CPUs of this process.
    dtype : {"float32", "float64"}
        The arithmetic.
    variables : dict of str to float, optional
        Values of free variables.
    mode : {"shaded", "normals", "heightmap", "occlusion"}
        What ``pixels`` show: lit surfaces; normals in view space, from -1 to 1, as red, green and
        blue from 0 to 255; the depth, brighter where nearer; or the light that occlusion leaves.
    material : colour
        Of parts without a colour of their own: "#c84", "#cc8844", a name of CSS, or three integers
        from 0 to 255.
    lights : sequence of Light
        At most 16; by default a warm one from the upper left, a weak cool one from the right and
        one from behind.
    sky, floor : colour
        Of the light from all sides, on what faces up and down.
    occlusion : float
        How dark hollows are, 0 (off) to 4.
    radius : float
        How far away occlusion is caused, 0.001 to 1 in halves of the picture's shorter side.
    smooth : int
        Pixels each way over which normals are averaged for shading, 0 (off) to 4.
    edges : float
        How dark lines are where depth steps or the surface bends, 0 (off) to 1.
    background : colour or (colour, colour)
        One colour, or those of the top and the bottom, or "none" for transparent.
    shadow : float
        How dark a shadow on the ground is, 0 (off, the default) to 1.
    max_memory : int, float or str, optional
        Bytes, or text such as "4G"; by default the available memory.
    progress : callable or bool, optional
        Called with (done, total) as the work goes on; True draws a bar.

    Returns
    -------
    SolidImage

    Raises
    ------
    OptionError, ArgumentTypeError
        For an invalid argument, and a view that overflows the dtype or that looks from inside
        infinity.
    VariableError
        For a free variable without a value.
    DoesNotFit
        If ``max_memory`` is not enough.
    """
    asked = SolidOptions(**options)
    job = asked.job(as_tape(shape), settings_for(shape, asked.variables))
    with reporting(asked.progress, "rendering") as report:
        engine, backend = ENGINES[job.engine]
        drawn = engine(job, report)
    return SolidImage(
        depth=drawn.depth,
        normals=drawn.normals,
        volume=job.volume,
        mode=asked.mode,
        stats=_stats(job, drawn, backend, asked.antialias),
        antialias=asked.antialias,
        _shade=partial(_pixels, asked.shading, job.threads),
        _paint=_paint(shape, job, colour(asked.shading.material)),
    )


def _pixels(style: Shading, threads: int, image: SolidImage) -> NDArray[np.uint8]:
    """The pixels of a picture."""
    from intervalvm.voxel.shading import shade  # imports the compiler's library

    depth = image.volume.size[2]
    fine = shade(
        image.depth, image.normals, depth, image.view.matrix, style, image.colours, threads
    )
    return means(fine, image.antialias, image.depth > 0 if style.is_clear else None)


def _paint(
    shape: TapeLike, job: Job, bare: Rgb
) -> Callable[[SolidImage], NDArray[np.uint8]] | None:
    """What finds the colours of a picture of a painted shape."""
    paint = paint_of(shape)
    if paint is None:
        return None
    from intervalvm.api.paint import colours_of_solid

    settings = dict(zip(job.tape.variables, job.settings, strict=True))
    return partial(colours_of_solid, paint, settings, bare)


def _pruned(job: Job, report: Progress | None) -> Drawn:
    from intervalvm.jit import native  # imports the compiler's library
    from intervalvm.voxel import pruned

    native.prepare(pruned.kernels_of(job.dtype), usable_cpus())
    return pruned.draw(job, report)


ENGINES: dict[SolidEngine, tuple[Callable[[Job, Progress | None], Drawn], Backend]] = {
    "pruned": (_pruned, "numba"),
    "dense": (dense.draw, "numpy"),
}
"""The engines, with the back end of each."""


def _stats(job: Job, drawn: Drawn, backend: Backend, antialias: int) -> SolidStats:
    volume, depth = job.volume, drawn.depth
    return SolidStats(
        clauses=len(job.tape),
        size=volume.size,
        engine=job.engine,
        backend=backend,
        dtype=DTYPE_NAMES[job.dtype],
        threads=drawn.threads,
        grid=volume.grid,
        seconds=drawn.seconds,
        voxels={
            "hit": int(np.count_nonzero(depth)),
            "full": int(np.count_nonzero(depth == volume.size[2])),
            "evaluated": drawn.evaluated,
            "total": voxels_in(volume.size),
        },
        levels=drawn.levels,
        is_prism="z" not in reads(job.tape),
        is_truth=is_truth(job.tape),
        antialias=antialias,
    )
