"""Proven pixels: what is known of the real function over each pixel's sample or area.

In: a job of ``api``. Out: ``uint8`` pixels, INSIDE, OUTSIDE or UNPROVEN. ``render`` is the
definition that every other engine is held to: all clauses, over every pixel, by the rules of
``ops``. Another engine may leave a pixel unproven that this one proves, and the other
way round, but what one proves no other may contradict.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.arguments import brief, is_word
from intervalvm.arith.directed import DirectedArrays
from intervalvm.errors import OptionError
from intervalvm.evaluate.decorated import Real, given, root_bounds
from intervalvm.evaluate.points import peak_bytes
from intervalvm.jit.layout import INSIDE, OUTSIDE, UNPROVEN
from intervalvm.memory import available

if TYPE_CHECKING:
    from intervalvm.raster.job import Job

OVERS = ("point", "area")
BAND_PX = 1 << 16
"""Pixels that are evaluated together: what one operation holds meanwhile then stays in a cache."""
TEMPORARIES = 24
"""float64 arrays that a rule holds at most, its result among them: ``div`` does."""


def check_over(
    rounding: str, over: str | None, *, engine: str, backend: str | None, mode: str, fold: str
) -> str | None:
    """What the verdicts are about, "point" or "area"; None where they are about floats.

    Raises OptionError for options that do not go together.
    """
    check_words(rounding, over)
    if rounding == "nearest":
        if over is not None:
            raise OptionError(f"over={over!r} is about proven pixels: give rounding='outward'")
        return None
    wrong = {
        "mode": mode != "bitmap" and "proven pixels have no value: choose mode='bitmap'",
        "fold": fold != "exact" and "it changes values, so it proves nothing: choose fold='exact'",
        "engine": is_word(engine, ("naive",)) and "choose 'pruned' or 'dense'",
        "backend": is_word(backend, ("cupy", "cuda")) and "choose 'numba' or 'numpy'",
    }
    options = {"mode": mode, "fold": fold, "engine": engine, "backend": backend}
    for name, way_out in wrong.items():
        if way_out:
            raise OptionError(f"rounding='outward' with {name}={brief(options[name])}: {way_out}")
    return over or "point"


def check_words(rounding: str, over: str | None) -> None:
    """Raise OptionError for a word that is none of those that there are."""
    if not is_word(rounding, ("nearest", "outward")):
        raise OptionError(f"no rounding {brief(rounding)}: choose 'nearest' or 'outward'")
    if over is not None and not is_word(over, OVERS):
        raise OptionError(f"over={brief(over)}: choose 'point' or 'area'")


def verdict(value: Real) -> NDArray[np.uint8]:
    """What the interval of a tape proves of each box: undefined is outside, as NaN is."""
    outside = value.is_empty | (value.lower >= 0)
    inside = ~value.is_empty & (value.upper < 0) & ~value.maybe_nan
    return np.where(outside, OUTSIDE, np.where(inside, INSIDE, UNPROVEN))


def render(job: Job, report: Callable[[int, int], None] | None) -> NDArray[np.uint8]:
    """The verdict of every pixel, in bands of rows. Raises DoesNotFit if one row does not fit."""
    height, width = job.shape
    rows = _rows(job)
    job.require(_peak_bytes(job, rows), "proving at this size", "make it narrower")
    (left, lower), (right, upper) = job.sides
    free = {name: _number(job, value) for name, value in job.settings.items()}
    xp = DirectedArrays(job.x.dtype)
    x = _between(xp, left, right)
    pixels = np.empty(job.shape, np.uint8)
    for top in range(0, height, rows):
        band = slice(top, min(height, top + rows))
        y = _between(xp, lower[band, None], upper[band, None])
        axes = {"var-x": x, "var-y": y, "var-z": free["var-z"]}
        variables = [free[name] for name in job.tape.variables]
        pixels[band] = verdict(root_bounds(job.tape, axes, variables, job.x.dtype))
        if report is not None:
            report(band.stop * width, height * width)
    return pixels


def _between(xp: DirectedArrays, low: NDArray[Any], high: NDArray[Any]) -> Real:
    """Both ends are floats of the dtype already."""
    return given(xp, xp.wide(low), xp.wide(high))


def _number(job: Job, value: float) -> Real:
    return given(DirectedArrays(job.x.dtype), np.float64(value), np.float64(value))


def _rows(job: Job) -> int:
    """Rows of a band: no more than fit, if more than one."""
    height, width = job.shape
    rows = max(1, min(height, BAND_PX // width))
    limit = job.max_memory if job.max_memory is not None else available()
    while rows > 1 and _peak_bytes(job, rows) + job.image_bytes > limit:
        rows = -(-rows // 2)
    return rows


def _peak_bytes(job: Job, rows: int) -> int:
    """The most bytes that a band takes: two bounds and a decoration a value, and temporaries."""
    width = job.shape[1]
    free: list[tuple[int, ...]] = [()] * len(job.tape.variables)
    values = peak_bytes(job.tape, [(1, width), (rows, 1), ()], free, job.x.dtype, "dense")
    return 3 * values + TEMPORARIES * 8 * rows * width
