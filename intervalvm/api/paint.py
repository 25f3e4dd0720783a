"""The colours of painted shapes: at points, and of the pixels of a picture.

A paint is an expression, see ``expr.paint``: it is evaluated as any other, then decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.api.evaluator import Evaluator
from intervalvm.api.options import check_depth
from intervalvm.colours import Rgb
from intervalvm.expr import Expr
from intervalvm.expr.paint import code_of, rgb_of
from intervalvm.jit.layout import OUTSIDE, UNPROVEN
from intervalvm.memory import require
from intervalvm.raster.image import Image
from intervalvm.raster.job import Job, split_levels
from intervalvm.raster.look import PLAIN
from intervalvm.words import BoxBackend, Way

if TYPE_CHECKING:
    from intervalvm.voxel.solid import SolidImage

SHOWN = {pixel: code_of((pixel, pixel, pixel)) for pixel in map(int, (OUTSIDE, UNPROVEN))}
"""What is shown of pixels without a part, by their value."""
BAND_PX = 1 << 20
"""The pixels of a band of rows, whose colours are found together: their codes take 4 MiB."""


def colours_at(
    paint: Expr,
    inputs: Mapping[str, Any],
    *,
    bare: Rgb = PLAIN.ink,
    dtype: Any = "float32",
    backend: BoxBackend = "numba",
) -> NDArray[np.uint8]:
    """uint8[..., 3], the colours of a paint at points.

    ``inputs`` are numbers and arrays by name, which broadcast: x, y, the z and the variables that
    the paint reads, and perhaps others. ``bare`` is the colour of parts without one.
    """
    evaluator = Evaluator(paint, dtype=dtype, backend=backend)
    codes = evaluator.values(*[inputs[name] for name in evaluator.inputs])
    return rgb_of(np.asarray(codes), bare)


def colours_of_solid(
    paint: Expr, settings: Mapping[str, Any], bare: Rgb, image: SolidImage
) -> NDArray[np.uint8]:
    """uint8[height, width, 3], the colours of what a picture of a solid shows, 0 where nothing is.

    ``settings`` are the values of variables, ``bare`` is the colour of parts without one.
    """
    found = np.zeros((image.height, image.width, 3), np.uint8)
    rows = max(1, BAND_PX // image.width)
    for top in range(0, image.height, rows):
        depth = image.depth[top : top + rows]
        j, i = np.nonzero(depth)
        points = zip("xyz", image.volume.points(i, j + top, depth[j, i] - 1), strict=True)
        inputs = {**dict(points), **settings}
        some = colours_at(paint, inputs, bare=bare, dtype=image.volume.dtype)
        found[j + top, i] = np.broadcast_to(some, (len(i), 3))
    return found


def colours_of(
    job: Job, paint: Expr, bare: Rgb, draw: Callable[[Job], Image], bitmap: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """uint8[height, width, 3], the colours of the image of a job, whose bitmap is given.

    ``bare`` is the colour of parts without one; ``draw`` carries out a job. Raises DoesNotFit.
    """
    height, width = job.shape
    rows = min(height, max(1, BAND_PX // width))
    needed = 3 * height * width + 16 * rows * width
    require(needed, "the colours of the image", "draw parts of it, by crop", job.max_memory)
    colours = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, rows):
        band = slice(top, min(height, top + rows))
        codes = draw(_codes(job, paint, band)).pixels
        for pixel, code in SHOWN.items():
            np.copyto(codes, code, where=bitmap[band] == pixel)
        rgb_of(codes, bare, out=colours[band])
    return colours


def _codes(job: Job, paint: Expr, band: slice) -> Job:
    """The job of drawing the values of a paint in a band of rows, on the CPU."""
    tape, (x, y) = paint.tape(), job.samples
    way = Way.COMPILED if job.way.on_gpu else job.way
    depth = check_depth(None, len(x), len(y[band]))
    return job._replace(
        tape=tape,
        samples=(x, y[band]),
        edges=None,
        pixel_type=job.dtype,
        prove=None,
        settings={name: job.settings[name] for name in ("var-z", *tape.variables)},
        way=way,
        depth=depth,
        steps=split_levels(depth) if way.prunes else [],
        out=None,
    )
