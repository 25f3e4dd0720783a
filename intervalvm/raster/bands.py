"""The dense and the naive engine: whole arrays of pixels, in bands of rows that fit into memory.

A band is evaluated where the back end's arrays lie and copied into the image, which lies in the
host's memory. Where the memory turns out to be less than it said, as on a GPU that others use too,
the band is halved and tried again, down to a single row.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.errors import DoesNotFit
from intervalvm.evaluate.points import peak_bytes, prepare, run
from intervalvm.gpu import device
from intervalvm.gpu.arrays import array_module, with_rules
from intervalvm.memory import available, in_units
from intervalvm.raster.job import Drawn, Job, Progress

WAY_OUT = {"dense": "use engine='pruned'", "naive": "use engine='dense' or 'pruned'"}
"""What takes less memory."""

WATCHED_PX = 1 << 16
"""Pixels a band at most where somebody watches: a bar moves, and it takes no longer."""


def draw(job: Job, report: Progress | None) -> Drawn:
    """The image of a job of an engine that prunes nothing.

    Raises DoesNotFit where the naive engine's arrays, or those of one row, do not fit.
    """
    height, width = job.shape
    rows = _rows_that_fit(job)
    if report is not None and job.engine == "dense" and job.backend == "numpy":
        rows = min(rows, max(1, WATCHED_PX // width))
    pixels = np.zeros(job.shape, job.pixel_type)
    top = 0
    while top < height:
        band = slice(top, min(height, top + rows))
        done = _try_band(job, band, pixels, may_halve=rows > 1 and job.engine == "dense")
        if not done:
            rows = -(-rows // 2)
            continue
        top = band.stop
        if report is not None:
            report(top * width, height * width)
    return Drawn(pixels, [])


def _rows_that_fit(job: Job) -> int:
    """How many rows are evaluated at once: all of them, but for the dense engine in bands."""
    rows, peak = len(job.y), partial(_peak_bytes, job)
    on_device = job.backend == "cupy"
    beside = 0 if on_device else job.image_bytes
    limit = device.free_bytes() if on_device else available()
    if job.max_memory is not None:
        limit = min(limit, job.max_memory) if on_device else job.max_memory
    if job.engine == "dense":
        while rows > 1 and peak(rows) + beside > limit:
            rows = -(-rows // 2)
    what = f"engine={job.engine!r} at this size"
    way_out = WAY_OUT[job.engine]
    if not on_device:
        job.require(peak(rows), what, way_out)
    elif peak(rows) > limit:
        raise DoesNotFit(
            f"{what} needs about {in_units(peak(rows))} on the GPU, of which it may take "
            f"{in_units(limit)}: {way_out}"
        )
    return rows


def _peak_bytes(job: Job, rows: int) -> int:
    """The most that arrays of so many rows take at once."""
    points = (rows, len(job.x))
    inputs = 2 * rows * len(job.x) * job.x.dtype.itemsize
    free: list[tuple[int, ...]] = [()] * len(job.tape.variables)
    shapes: list[tuple[int, ...]] = [points, points, ()]
    return inputs + peak_bytes(job.tape, shapes, free, job.x.dtype, job.engine)


def _try_band(job: Job, band: slice, pixels: NDArray[Any], *, may_halve: bool) -> bool:
    """Evaluate the rows of ``band``; False where they did not fit and half of them may.

    By the time it returns, the arrays that the error's frames held are free.
    """
    try:
        pixels[band] = _band(job, band)
    except MemoryError as error:
        if not may_halve and job.backend == "cupy":
            what = f"engine={job.engine!r} ran out of memory on the GPU"
            least = ", one row at a time" if job.engine == "dense" else ""
            raise DoesNotFit(f"{what}{least}: {WAY_OUT[job.engine]}") from error
        if not may_halve:
            raise
    else:
        return True
    if job.backend == "cupy":
        device.release()
    return False


def _band(job: Job, band: slice) -> NDArray[Any]:
    """The pixels of the rows of ``band``, in the host's memory."""
    with device.device_errors():
        module = array_module(job.backend)
        shape = (band.stop - band.start, len(job.x))
        x, y = (
            module.ascontiguousarray(module.broadcast_to(module.asarray(axis), shape))
            for axis in (job.x, job.y[band, None])
        )
        points = prepare(
            job.tape,
            x,
            y,
            job.settings["var-z"],
            variables={name: v for name, v in job.settings.items() if name != "var-z"},
            module=module,
            dtype=job.x.dtype,
        )
        if job.backend == "numpy":
            points.require_room(job.engine, job.max_memory)
        values = run(*with_rules(points, job.backend), keep=job.engine == "naive")
        if job.backend == "cupy":
            from intervalvm.gpu.dense import Clauses

            if job.pixel_type == np.uint8:
                values = Clauses(module, job.x.dtype).inside(values)
            found: NDArray[Any] = values.get()
        elif job.pixel_type == np.uint8:
            found = (values < 0).astype(np.uint8) * np.uint8(255)
        else:
            found = values
    return found
