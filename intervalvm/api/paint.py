"""The colours of painted shapes: at points, and of the pixels of a picture.

A paint is an expression, see ``expr.paint``: it is evaluated as any other, then decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.api.evaluator import Evaluator
from intervalvm.api.limits import check_depth
from intervalvm.colours import Rgb
from intervalvm.expr import Expr
from intervalvm.expr.paint import code_of, rgb_of
from intervalvm.jit.layout import OUTSIDE, UNPROVEN
from intervalvm.memory import require
from intervalvm.raster.image import Image
from intervalvm.raster.job import Job, split_levels
from intervalvm.raster.look import PLAIN
from intervalvm.voxel.samples import rounded_mean
from intervalvm.words import BoxBackend, Way

if TYPE_CHECKING:
    from intervalvm.voxel.solid import SolidImage

SHOWN = {pixel: code_of((pixel, pixel, pixel)) for pixel in map(int, (OUTSIDE, UNPROVEN))}
"""What is shown of pixels without a part, by their value."""
BAND_PX = 1 << 20
"""The pixels, or samples, of a band of rows, whose colours are found together: their codes take
4 MiB."""
Draw = Callable[[Job], Image]


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
    """uint8[..., 3], the colours of what a picture of a solid has in its depth, 0 where nothing is.

    ``settings`` are the values of variables, ``bare`` is the colour of parts without one.
    """
    height, width = image.depth.shape
    found = np.zeros((height, width, 3), np.uint8)
    rows = max(1, BAND_PX // width)
    for top in range(0, height, rows):
        depth = image.depth[top : top + rows]
        j, i = np.nonzero(depth)
        points = zip("xyz", image.volume.points(i, j + top, depth[j, i] - 1), strict=True)
        inputs = {**dict(points), **settings}
        some = colours_at(paint, inputs, bare=bare, dtype=image.volume.dtype)
        found[j + top, i] = np.broadcast_to(some, (len(i), 3))
    return found


def colours_of(
    job: Job, paint: Expr, bare: Rgb, draw: Draw, pixels: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """uint8[height, width, 3], the colours of the image of a job, whose pixels are given.

    With samples, the mean of those inside. ``bare`` is the colour of parts without one; ``draw``
    carries out a job. Raises DoesNotFit.
    """
    (height, width), n = job.shape, job.antialias
    rows = min(height, max(1, BAND_PX // (width * n * n)))
    needed = 3 * height * width + 16 * rows * width * n * n
    require(needed, "the colours of the image", "draw parts of it, by crop", job.max_memory)
    colours = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, rows):
        band = slice(top, min(height, top + rows))
        if n > 1 and not pixels[band].any():
            colours[band] = 0
            continue
        codes = draw(_codes(job, paint, slice(n * band.start, n * band.stop))).pixels
        if n == 1:
            for pixel, code in SHOWN.items():
                np.copyto(codes, code, where=pixels[band] == pixel)
            rgb_of(codes, bare, out=colours[band])
        else:
            colours[band] = _means(job, codes, n * top, bare, pixels[band])
    return colours


def _means(
    job: Job, codes: NDArray[Any], top: int, bare: Rgb, coverage: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """The mean colours of the samples inside, of rows of samples from ``top`` on; 0 where none is.

    A pixel whose samples have one colour has it, whichever are inside. Of others it is looked at
    each sample.
    """
    (height, width), n = coverage.shape, job.antialias
    rows = codes.reshape(height, n, width * n)
    first = rows[:, 0].reshape(height, width, n)
    one = np.ascontiguousarray(first[..., 0])
    # down long rows first: what is left to compare across is short
    is_same = (rows == rows[:, :1]).all(axis=1).reshape(height, width, n)
    is_same &= first == one[..., None]
    is_mixed = ~is_same.all(axis=2) & (coverage > 0)
    np.copyto(one, SHOWN[int(OUTSIDE)], where=coverage == 0)
    colours = rgb_of(one, bare)
    j, i = np.nonzero(is_mixed)
    if len(j):
        down, across = (n * k[:, None, None] + np.arange(n) for k in (j, i))
        down = down.transpose(0, 2, 1)
        inside = _inside(job, down + top, across)
        found = rgb_of(codes[down, across], bare).astype(np.int64)
        total = (found * inside[..., None]).sum(axis=(1, 2))
        count = inside.sum(axis=(1, 2))[:, None]
        colours[j, i] = rounded_mean(total, count)
    return colours


def _inside(job: Job, rows: NDArray[Any], columns: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether samples of a job are inside."""
    x, y = job.samples
    backend: BoxBackend = "numba" if job.way.is_compiled else "numpy"
    evaluator = Evaluator(job.tape, dtype=job.dtype, backend=backend)
    named = {"x": x[columns], "y": y[rows], "z": job.settings["var-z"]} | job.settings
    found = evaluator.values(*[named[name] for name in evaluator.inputs])
    return np.broadcast_to(np.asarray(found) < 0, np.broadcast_shapes(rows.shape, columns.shape))


def _codes(job: Job, paint: Expr, band: slice) -> Job:
    """The job of drawing the values of a paint at rows of samples, on the CPU."""
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
        antialias=1,
    )
