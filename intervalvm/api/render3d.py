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

from intervalvm.api.options import usable_cpus
from intervalvm.api.options3d import SolidOptions, takes_solid_options
from intervalvm.api.render import reporting
from intervalvm.arith.arrays import DTYPE_NAMES
from intervalvm.compiler.truths import is_truth
from intervalvm.environment import in_default_environment
from intervalvm.evaluate.points import reads
from intervalvm.expr import Expr, TapeLike, as_tape, settings_for
from intervalvm.expr.paint import paint_of
from intervalvm.raster.job import Progress
from intervalvm.voxel import dense
from intervalvm.voxel.job import Drawn, Job
from intervalvm.voxel.linear import normalised, tangents
from intervalvm.voxel.solid import SolidImage, SolidStats
from intervalvm.voxel.volume import voxels_in
from intervalvm.words import Backend, SolidEngine, SolidMode


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
    mode : {"shaded", "normals", "heightmap"}
        What ``pixels`` show: lit surfaces; the normals, from -1 to 1, as red, green and blue from 0
        to 255; the depth, brighter where nearer.
    max_memory : int, float or str, optional
        Bytes, or text such as "4G"; by default the available memory.
    progress : callable or bool, optional
        Called with (done, total) pixels; True draws a bar.

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
        stats=_stats(job, drawn, backend),
        _shade=SHADINGS[asked.mode],
        _paint=_paint(shape, job),
    )


def _paint(shape: TapeLike, job: Job) -> Callable[[SolidImage], NDArray[np.uint8]] | None:
    """What finds the colours of a picture of a painted shape."""
    paint = paint_of(shape)
    if paint is None:
        return None
    settings = dict(zip(job.tape.variables, job.settings, strict=True))
    return partial(_colours, paint, settings)


def _colours(
    paint: Expr, settings: dict[str, NDArray[Any]], image: SolidImage
) -> NDArray[np.uint8]:
    """uint8[height, width, 3]: the colours of what is seen, 0 where there is nothing."""
    from intervalvm.api.paint import colours_at

    found = np.zeros((*image.depth.shape, 3), np.uint8)
    rows = max(1, BAND_PX // image.width)
    for top in range(0, image.height, rows):
        depth = image.depth[top : top + rows]
        j, i = np.nonzero(depth)
        points = zip("xyz", image.volume.points(i, j + top, depth[j, i] - 1), strict=True)
        inputs = {**dict(points), **settings}
        some = colours_at(paint, inputs, bare=MATERIAL, dtype=image.volume.dtype)
        found[j + top, i] = np.broadcast_to(some, (len(i), 3))
    return found


MATERIAL = 216, 216, 216
"""The colour of what is not painted."""
BAND_PX = 1 << 20
"""The pixels of a band of rows, whose colours are found together."""


def _pruned(job: Job, report: Progress | None) -> Drawn:
    from intervalvm.jit import workers  # imports the compiler's library
    from intervalvm.voxel import pruned

    # the first time on a machine side by side
    workers.compile_together(pruned.kernels_of(job.dtype), usable_cpus(), None)
    return pruned.draw(job, report)


ENGINES: dict[SolidEngine, tuple[Callable[[Job, Progress | None], Drawn], Backend]] = {
    "pruned": (_pruned, "numba"),
    "dense": (dense.draw, "numpy"),
}
"""The engines, with the back end of each."""


def _stats(job: Job, drawn: Drawn, backend: Backend) -> SolidStats:
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
    )


# --- shading --------------------------------------------------------------------------------------

LIGHT = (-0.35, 0.5, 0.8)
"""The direction of the light in view space: from the upper left, behind the viewer."""
AMBIENT = 0.25


def _shaded(image: SolidImage) -> NDArray[np.uint8]:
    """Lambert's law for one light and ambient light, grey on white."""
    light = normalised(tangents(image.view.matrix) @ np.array(LIGHT)).astype(np.float32)
    facing = np.clip(image.normals @ light, 0, 1)
    grey = np.where(image.depth > 0, 255 * (AMBIENT + (1 - AMBIENT) * facing), 255)
    return _grey(grey)


def _heights(image: SolidImage) -> NDArray[np.uint8]:
    return _grey(image.depth * (255 / image.volume.size[2]))


def _directions(image: SolidImage) -> NDArray[np.uint8]:
    shown = np.where(image.depth[..., None] > 0, (image.normals + 1) * 127.5, 0)
    return np.rint(shown).astype(np.uint8)


def _grey(values: NDArray[Any]) -> NDArray[np.uint8]:
    return np.repeat(np.rint(values).astype(np.uint8)[..., None], 3, axis=2)


SHADINGS: dict[SolidMode, Callable[[SolidImage], NDArray[np.uint8]]] = {
    "shaded": _shaded,
    "normals": _directions,
    "heightmap": _heights,
}
