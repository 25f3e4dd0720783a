"""The dense and the naive engine: whole arrays of pixels, in bands of rows that fit into memory.

A band is evaluated on the back end and copied to the image in host memory. If memory runs out
unexpectedly, as on a shared GPU, the band is halved, down to a single row.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.errors import DoesNotFit
from intervalvm.evaluate.points import peak_bytes, prepare, run
from intervalvm.gpu import device
from intervalvm.gpu.arrays import Clauses, array_module, with_rules
from intervalvm.memory import available, in_units
from intervalvm.raster.job import Drawn, Job, Progress

WATCHED_PX = 1 << 16
"""The most pixels of a band when progress is reported."""


def draw(job: Job, report: Progress | None) -> Drawn:
    """Draw a job of the dense or naive engine.

    Raises DoesNotFit if the naive engine's arrays, or those of one row, do not fit.
    """
    height, width = job.shape
    rows = _rows_that_fit(job)
    if report is not None and not job.way.keeps and not job.way.on_gpu:
        rows = min(rows, max(1, WATCHED_PX // width))
    pixels = np.zeros(job.shape, job.pixel_type)
    top = 0
    while top < height:
        band = slice(top, min(height, top + rows))
        done = _try_band(job, band, pixels, may_halve=rows > 1 and not job.way.keeps)
        if not done:
            rows = -(-rows // 2)
            continue
        top = band.stop
        if report is not None:
            report(top * width, height * width)
    return Drawn(pixels, [])


def _rows_that_fit(job: Job) -> int:
    """The rows of a band; the naive engine has one band."""
    rows, peak = job.shape[0], partial(_peak_bytes, job)
    on_device = job.way.on_gpu
    beside = 0 if on_device else job.image_bytes
    limit = device.free_bytes() if on_device else available()
    if job.max_memory is not None:
        limit = min(limit, job.max_memory) if on_device else job.max_memory
    if not job.way.keeps:
        while rows > 1 and peak(rows) + beside > limit:
            rows = -(-rows // 2)
    what, way_out = f"engine={job.way.engine!r} at this size", _way_out(job)
    if not on_device:
        job.require(peak(rows), what, way_out)
    elif peak(rows) > limit:
        raise DoesNotFit(
            f"{what} needs about {in_units(peak(rows))} on the GPU, of which it may take "
            f"{in_units(limit)}: {way_out}"
        )
    return rows


def _way_out(job: Job) -> str:
    """The way out if memory is too small."""
    return "use engine='dense' or 'pruned'" if job.way.keeps else "use engine='pruned'"


def _peak_bytes(job: Job, rows: int) -> int:
    """The peak memory of the arrays of some rows."""
    points = (rows, job.shape[1])
    inputs = 2 * rows * job.shape[1] * job.dtype.itemsize
    free: list[tuple[int, ...]] = [()] * len(job.tape.variables)
    shapes: list[tuple[int, ...]] = [points, points, ()]
    return inputs + peak_bytes(job.tape, shapes, free, job.dtype, keep=job.way.keeps)


def _try_band(job: Job, band: slice, pixels: NDArray[Any], *, may_halve: bool) -> bool:
    """Evaluate the rows of ``band``; False if they did not fit, and half of them may.

    On return, the arrays referenced by the error's frames are freed.
    """
    try:
        pixels[band] = _band(job, band)
    except MemoryError as error:
        if not may_halve and job.way.on_gpu:
            what = f"engine={job.way.engine!r} ran out of memory on the GPU"
            least = "" if job.way.keeps else ", one row at a time"
            raise DoesNotFit(f"{what}{least}: {_way_out(job)}") from error
        if not may_halve:
            raise
    else:
        return True
    if job.way.on_gpu:
        device.release()
    return False


def _band(job: Job, band: slice) -> NDArray[Any]:
    """The pixels of the rows of ``band`` in host memory."""
    with device.device_errors():
        module, (x, y) = array_module(on_gpu=job.way.on_gpu), job.samples
        shape = (band.stop - band.start, len(x))
        x, y = (
            module.ascontiguousarray(module.broadcast_to(module.asarray(axis), shape))
            for axis in (x, y[band, None])
        )
        points = prepare(
            job.tape,
            x,
            y,
            job.settings["var-z"],
            variables={name: v for name, v in job.settings.items() if name != "var-z"},
            module=module,
            dtype=job.dtype,
        )
        if not job.way.on_gpu:
            points.require_room(job.max_memory, keep=job.way.keeps)
        values = run(*with_rules(points), keep=job.way.keeps)
        if job.way.on_gpu:
            found: NDArray[Any] = (
                Clauses(module, job.dtype).inside(values) if job.is_bitmap else values
            ).get()
        elif job.is_bitmap:
            found = (values < 0).astype(np.uint8) * np.uint8(255)
        else:
            found = values
    return found
