"""The dense and the naive engine: whole arrays of pixels, in bands of rows that fit into memory.

A band is evaluated on the back end and copied to the image in host memory. If memory runs out
unexpectedly, as on a shared GPU, the band is halved, down to a single row. Verdicts of the real
function come from all clauses by the tight real bounds: the reference for all engines, which may
differ in which pixels are unproven, but never contradict each other.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.arith.directed import DirectedArrays
from intervalvm.errors import DoesNotFit
from intervalvm.evaluate.decorated import given, root_bounds
from intervalvm.evaluate.points import Points, peak_bytes, run
from intervalvm.gpu import device
from intervalvm.gpu.arrays import Clauses, array_module, with_rules
from intervalvm.gpu.exchange import read
from intervalvm.jit.layout import INSIDE, OUTSIDE
from intervalvm.memory import available, in_units
from intervalvm.raster.job import Drawn, Job, Progress, verdicts

BAND_PX = 1 << 16
"""The most pixels of a band of verdicts, so that the working set of an operation fits the cache,
and of a band when progress is reported."""
EVERY = 0.1
"""Seconds between reports of a band."""
After = Callable[[int], object] | None
TEMPORARIES = 24
"""The most float64 arrays of a real rule, with its result: that of ``div``."""


def draw(job: Job, report: Progress | None) -> Drawn:
    """Draw a job of the dense or naive engine.

    Raises DoesNotFit if the naive engine's arrays, or those of one row, do not fit.
    """
    height, width = job.shape
    rows = _rows_that_fit(job, watched=report is not None)
    pixels = job.canvas()
    top = 0
    while top < height:
        band = slice(top, min(height, top + rows))
        after = None if report is None else _Reports(report, job, band)
        if not _try_band(job, band, pixels, after, may_halve=rows > 1 and not job.way.keeps):
            rows = -(-rows // 2)
            continue
        top = band.stop
        if report is not None:
            report(top * width, height * width)
    return Drawn(pixels, [])


class _Reports:
    """Reports of a band while its clauses are evaluated, as if each made a part of the pixels."""

    def __init__(self, report: Progress, job: Job, band: slice) -> None:
        self._report, self._clauses = report, len(job.tape)
        (height, width), rows = job.shape, band.stop - band.start
        self._start, self._pixels, self._total = band.start * width, rows * width, height * width
        self._last = time.monotonic()

    def __call__(self, i: int) -> None:
        if time.monotonic() - self._last > EVERY:
            self._report(self._start + self._pixels * i // self._clauses, self._total)
            self._last = time.monotonic()


def _rows_that_fit(job: Job, *, watched: bool) -> int:
    """The rows of a band; the naive engine has one band."""
    rows, width = job.shape
    on_device, proves = job.way.on_gpu, job.prove is not None
    beside = 0 if on_device else job.image_bytes
    limit = device.free_bytes() if on_device else available()
    if job.max_memory is not None:
        limit = min(limit, job.max_memory) if on_device else job.max_memory
    if not job.way.keeps:
        if proves or (watched and not on_device):
            rows = min(rows, max(1, BAND_PX // width))
        while rows > 1 and band_bytes(job, rows) + beside > limit:
            rows = -(-rows // 2)
    needed = band_bytes(job, rows)
    if proves:
        job.require(needed, "proving at this size", "make it narrower")
    elif not on_device:
        job.require(needed, f"engine={job.way.engine!r} at this size", _way_out(job))
    elif needed > limit:
        raise DoesNotFit(
            f"engine={job.way.engine!r} at this size needs about {in_units(needed)} on the GPU, "
            f"of which it may take {in_units(limit)}: {_way_out(job)}"
        )
    return rows


def _way_out(job: Job) -> str:
    """The way out if memory is too small."""
    return "use engine='dense' or 'pruned'" if job.way.keeps else "use engine='pruned'"


def band_bytes(job: Job, rows: int) -> int:
    """The peak memory of a band: inputs and arrays of clauses.

    A verdict takes two bounds and a decoration for each value, and temporaries.
    """
    width, proves = job.shape[1], job.prove is not None
    points = (rows, width)
    x, y = ((1, width), (rows, 1)) if proves else (points, points)
    inputs = {"x": x, "y": y, "z": ()} | dict.fromkeys(job.tape.variables, ())
    values = peak_bytes(job.tape, inputs, job.dtype, keep=job.way.keeps)
    if proves:
        return 3 * values + TEMPORARIES * 8 * rows * width
    return 2 * rows * width * job.dtype.itemsize + values


def _try_band(
    job: Job, band: slice, pixels: NDArray[Any], after: After, *, may_halve: bool
) -> bool:
    """Evaluate the rows of ``band``; False if they did not fit, and half of them may.

    On return, the arrays referenced by the error's frames are freed.
    """
    try:
        find = _values if job.prove is None else _verdicts
        pixels[band] = find(job, band, after)
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


def _values(job: Job, band: slice, after: After) -> NDArray[Any]:
    """The pixels of the rows of ``band`` in host memory."""
    with device.device_errors():
        module, (x, y) = array_module(on_gpu=job.way.on_gpu), job.samples
        shape = (band.stop - band.start, len(x))
        x, y = (
            module.ascontiguousarray(module.broadcast_to(module.asarray(axis), shape))
            for axis in (x, y[band, None])
        )
        settings = dict(job.settings)
        if job.way.on_gpu:
            settings = {name: read(name, value, job.dtype) for name, value in settings.items()}
        inputs = {"x": x, "y": y, "z": settings["var-z"]} | {
            name: settings[name] for name in job.tape.variables
        }
        points = Points.of(job.tape, inputs, job.dtype, module)
        if not job.way.on_gpu:
            points.require_room(job.max_memory, keep=job.way.keeps)
        values = run(*with_rules(points), keep=job.way.keeps, after=after)
        if job.way.on_gpu:
            found: NDArray[Any] = (
                Clauses(module, job.dtype).inside(values) if job.is_bitmap else values
            ).get()
            return found
        return np.where(values < 0, INSIDE, OUTSIDE) if job.is_bitmap else values


def _verdicts(job: Job, band: slice, after: After) -> NDArray[np.uint8]:
    """The verdicts of the rows of ``band``."""
    xp = DirectedArrays(job.dtype)
    (left, lower), (right, upper) = job.sides
    free = {name: given(xp, *[np.float64(value)] * 2) for name, value in job.settings.items()}
    axes = {
        "var-x": given(xp, xp.wide(left), xp.wide(right)),
        "var-y": given(xp, xp.wide(lower[band, None]), xp.wide(upper[band, None])),
        "var-z": free["var-z"],
    }
    variables = [free[name] for name in job.tape.variables]
    return verdicts(root_bounds(job.tape, axes, variables, job.dtype, after))
