"""The options of ``render``: each checked by itself, all against the others, made a ``Job``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from intervalvm.api.fold import check_fold, prefolded
from intervalvm.arguments import brief, integer, is_word, real
from intervalvm.arith.arrays import as_dtype
from intervalvm.errors import ArgumentTypeError, OptionError
from intervalvm.expr import TapeLike, as_tape, settings_for
from intervalvm.gpu.arrays import array_module
from intervalvm.memory import Amount, as_bytes, require, require_lists
from intervalvm.raster import verdicts
from intervalvm.raster.grid import (
    RegionLike,
    as_region,
    check_grid,
    coordinates,
    cropped_region,
    edges,
    shown_region,
)
from intervalvm.raster.job import Job
from intervalvm.raster.size import Crop, as_levels, check_crop, check_depth, check_size

if TYPE_CHECKING:
    from intervalvm.tape import Tape

BACKENDS = {
    "naive": ("numpy", "cupy"),
    "dense": ("numpy", "cupy"),
    "pruned": ("numba", "numpy", "cupy", "cuda"),
}
"""The back ends of each engine; the first is the default."""
MODES = ("bitmap", "value")
COORDINATE_BYTES = 64
"""What each column and row takes while its coordinate is made, at most."""
MOST_THREADS = 64
"""There are at most 64 tasks to share."""


def check(
    shape: TapeLike,
    *,
    size: Any,
    region: RegionLike | None,
    crop: Crop | None,
    grid: str,
    depth: int | None,
    engine: str,
    backend: str | None,
    threads: int | None,
    dtype: Any,
    mode: str,
    variables: Mapping[str, float] | None,
    z: float,
    max_memory: Amount | None,
    fold: str,
    rounding: str,
    over: str | None,
) -> Job:
    """The options of ``render`` as a Job, or the error that ``render`` promises."""
    variables, tape = settings_for(shape, variables), as_tape(shape)
    whole = check_size(size)
    crop = check_crop(crop, *whole)
    left, top, right, bottom = crop or (0, 0, *whole)
    width, height = right - left, bottom - top
    depth = check_depth(depth, width, height)
    _check_mode(mode)
    check_fold(fold)
    if not is_word(rounding, ("nearest",)) or over is not None:
        over = verdicts.check_over(
            rounding, over, engine=engine, backend=backend, mode=mode, fold=fold
        )
    chosen, backend = as_dtype(dtype), _check_backend(engine, backend)
    tape = prefolded(tape, fold, chosen)
    threads = _check_threads(threads)
    given = tape.settings(variables)
    settings = {"var-z": real("z", z)} | {
        name: real(name, value) for name, value in zip(tape.variables, given, strict=True)
    }
    if max_memory is not None:
        max_memory = as_bytes("max_memory", max_memory)
    pixel_type = np.dtype(np.uint8) if mode == "bitmap" else chosen
    # of an image that is one pixel wide the coordinates are the larger part
    needed = max(width * height * pixel_type.itemsize, COORDINATE_BYTES * (width + height))
    require(needed, f"an image of {width}x{height} pixels", "make it smaller", max_memory)
    require_lists(len(tape), max_memory)
    shown = shown_region(as_region(region), *whole)
    x, y = coordinates(shown, *whole, grid, chosen, crop)
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
        shown if crop is None else cropped_region(shown, *whole, crop),
        max_memory,
        over,
        edges(shown, *whole, grid, chosen, crop) if over == "area" else None,
        None if crop is None else (shown, *whole, crop),
    )


def check_alone(tape: Tape, given: Mapping[str, Any]) -> None:
    """Raise as ``check`` does for options each of which means nothing whatever the others are."""
    check_size(given["size"])
    as_region(given["region"])
    check_crop(given["crop"])
    check_grid(given["grid"])
    if given["depth"] is not None and as_levels(given["depth"]) < 0:
        raise OptionError(f"the depth is {brief(given['depth'])}: give a number from 0, or None")
    _check_backend(given["engine"], given["backend"])
    _check_threads(given["threads"])
    as_dtype(given["dtype"])
    _check_mode(given["mode"])
    for name, value in {"z": given["z"], **tape.known(given["variables"])}.items():
        real(name, value)
    if given["max_memory"] is not None:
        as_bytes("max_memory", given["max_memory"])
    check_fold(given["fold"])
    verdicts.check_words(given["rounding"], given["over"])
    check_progress(given["progress"])


def _check_backend(engine: str, backend: str | None) -> str:
    if not is_word(engine, BACKENDS):
        raise OptionError(f"no engine {brief(engine)}: choose {', '.join(map(repr, BACKENDS))}")
    if backend is None:
        return BACKENDS[engine][0]
    if is_word(backend, ("cupy",)):
        array_module("cupy")  # says how to install it
    if not is_word(backend, BACKENDS[engine]):
        choices = " or ".join(map(repr, BACKENDS[engine]))
        raise OptionError(f"engine {engine!r} has no back end {brief(backend)}: choose {choices}")
    if backend in ("cupy", "cuda"):
        from intervalvm.gpu.target import check_target

        check_target()
    return backend


def _check_threads(threads: int | None) -> int:
    if threads is None:
        return usable_cpus()
    try:
        count = integer(threads)
    except TypeError:
        count = 0
    if count < 1:
        raise OptionError(f"threads={brief(threads)}: give a number from 1")
    return min(count, MOST_THREADS)


def usable_cpus() -> int:
    """The processors that this process may use."""
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else os.cpu_count() or 1


def _check_mode(mode: str) -> None:
    if not is_word(mode, MODES):
        raise OptionError(f"no mode {brief(mode)}: choose 'bitmap' or 'value'")


def check_progress(progress: Any) -> None:
    if not (progress is None or isinstance(progress, bool) or callable(progress)):
        raise ArgumentTypeError(f"progress={brief(progress)}: give a function of two, or True")
