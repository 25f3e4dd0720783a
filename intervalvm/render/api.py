"""``render``: a tape to an image, by the engine and back end that the caller chooses."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.compiler.fold import fold
from intervalvm.errors import OptionError
from intervalvm.evaluate.arrays import Arrays, array_module, as_dtype
from intervalvm.evaluate.dense import evaluate, peak_bytes
from intervalvm.expr import Shape, as_tape, settings_for
from intervalvm.memory import available, require
from intervalvm.render.grid import Region, check_depth, check_size, coordinates
from intervalvm.render.image import Image, Level, Stats
from intervalvm.render.quadtree import Counts, split_levels

if TYPE_CHECKING:
    from intervalvm.tape import Tape

BACKENDS = {"naive": ("numpy", "cupy"), "dense": ("numpy", "cupy"), "pruned": ("numba", "numpy")}
"""The back ends of each engine; the first is the default."""
MODES = ("bitmap", "value")
MOST_THREADS = 64
"""There are at most 64 tasks to share."""
Progress = Callable[[int, int], None]


def render(
    tape: Shape,
    *,
    size: int | tuple[int, int] = 1024,
    region: Region | None = None,
    grid: str = "linspace",
    depth: int | None = None,
    engine: str = "pruned",
    backend: str | None = None,
    threads: int | None = None,
    dtype: Any = "float32",
    mode: str = "bitmap",
    variables: Mapping[str, float] | None = None,
    z: float = 0.0,
    max_memory: int | None = None,
    progress: Progress | bool | None = None,
) -> Image:
    """The image of ``tape``: 255 where its value is below 0, else 0, NaN included.

    ``size`` is in pixels, one number or (width, height). ``region`` is what the image shows, by
    default -1..1 along its shorter side; ``grid`` says where in it the samples lie. The quadtree
    has ``depth`` levels, by default as many as make leaves of 16 pixels. ``engine`` is "pruned",
    "dense" or "naive": all give the same bits, and so do all back ends, except that functions of
    libm may differ in the last bit of float64. ``threads`` defaults to the CPUs that this process
    may use. With ``mode="value"`` pixels are values in ``dtype``: where ``v < 0`` or ``v >= 0`` was
    proven for a whole tile the bound nearest 0, elsewhere exact. ``progress(done, total)`` is
    called with pixels from time to time; True draws a bar.

    Raises OptionError for an argument that means nothing, VariableError for a free variable that
    is not set, BackendError for a back end that is not there, DoesNotFit for what would need more
    than ``max_memory`` bytes (by default: than is available).
    """
    variables, tape = settings_for(tape, variables), as_tape(tape)
    width, height = check_size(size)
    depth = check_depth(depth, width, height)
    chosen, backend = as_dtype(dtype), _check_backend(engine, backend)
    threads = _check_threads(threads)
    if mode not in MODES:
        raise OptionError(f"no mode {mode!r}: choose 'bitmap' or 'value'")
    given = tape.settings(variables)
    settings = {"var-z": _number("z", z)} | {
        name: _number(name, value) for name, value in zip(tape.variables, given, strict=True)
    }
    pixel_type = np.dtype(np.uint8) if mode == "bitmap" else chosen
    size_bytes = width * height * pixel_type.itemsize
    require(size_bytes, f"a {width}x{height} image", "make it smaller", max_memory)
    x, y = coordinates(region, width, height, grid, chosen)
    with _reporting(progress) as report:
        start = time.perf_counter()
        if engine == "pruned":
            steps = split_levels(depth)
            pixels, counts, compiling, used = _pruned(
                tape, x, y, pixel_type, steps, backend, threads, settings, max_memory, report
            )
        else:
            steps, counts, compiling, used = [], [], 0.0, 1
            pixels = _dense(
                tape, x, y, pixel_type, engine, backend, settings, max_memory, size_bytes, report
            )
        seconds = {"compile": compiling, "render": time.perf_counter() - start - compiling}
    stats = Stats(
        clauses=len(tape),
        size=(width, height),
        depth=depth,
        engine=engine,
        backend=backend,
        dtype=chosen.name,
        threads=used,
        grid=grid,
        seconds=seconds,
        pixels={
            "inside": sum(c.inside_px for c in counts)
            if counts
            else int(np.count_nonzero(pixels if mode == "bitmap" else pixels < 0)),
            "evaluated": sum(c.evaluated_px for c in counts) if counts else pixels.size,
            "total": pixels.size,
        },
        levels=_levels(counts, steps, width, height),
    )
    return Image(pixels, (region or Region.square()).fitted(width, height), stats)


def _pruned(
    tape: Tape,
    x: NDArray[Any],
    y: NDArray[Any],
    pixel_type: np.dtype[Any],
    steps: list[int],
    backend: str,
    threads: int,
    settings: dict[str, float],
    max_memory: int | None,
    report: Progress | None,
) -> tuple[NDArray[Any], list[Counts], float, int]:
    """(pixels, counts of each split, seconds spent on the tape, threads used)."""
    start = time.perf_counter()
    bitmap = pixel_type == np.uint8
    shape = len(y), len(x)
    if backend == "numpy":
        from intervalvm.render import quadtree

        folded = fold(tape, Arrays(np, x.dtype), settings)
        compiling = time.perf_counter() - start
        pixels = np.zeros(shape, pixel_type)
        counts = quadtree.render(folded, x, y, pixels, steps, progress=report)
        return pixels, counts, compiling, 1
    from intervalvm.render import compiled
    from intervalvm.render.plan import domain_of, plan_of

    plan = plan_of(tape, x.dtype, settings, domain_of(x, y), sign_only=bitmap)
    compiled.load(plan)
    compiling = time.perf_counter() - start
    needed = (threads + 1) * plan.workspace_bytes(len(steps)) + shape[0] * shape[
        1
    ] * pixel_type.itemsize
    require(needed, f"an image with {threads} threads", "use fewer threads", max_memory)
    pixels = np.zeros(shape, pixel_type)
    counts = compiled.render(plan, x, y, pixels, steps, threads=threads, progress=report)
    return pixels, counts, compiling, threads


def _dense(
    tape: Tape,
    x: NDArray[Any],
    y: NDArray[Any],
    pixel_type: np.dtype[Any],
    engine: str,
    backend: str,
    settings: dict[str, float],
    max_memory: int | None,
    size_bytes: int,
    report: Progress | None,
) -> NDArray[Any]:
    """Whole arrays where they fit; else, but for the naive engine, bands of rows."""
    module = array_module(backend)
    height, width = len(y), len(x)
    z = settings["var-z"]
    variables = {name: value for name, value in settings.items() if name != "var-z"}

    def peak(rows: int) -> int:
        shapes = [(rows, width), (rows, width), ()]
        inputs = 2 * rows * width * x.dtype.itemsize
        free: list[tuple[int, ...]] = [()] * len(variables)
        return inputs + peak_bytes(tape, shapes, free, x.dtype, engine)

    rows = height
    if engine == "dense":
        limit = max_memory if max_memory is not None else available()
        while rows > 1 and peak(rows) + size_bytes > limit:
            rows = -(-rows // 2)
    way_out = "use engine='dense' or 'pruned'" if engine == "naive" else "use engine='pruned'"
    require(peak(rows) + size_bytes, f"engine={engine!r} at this size", way_out, max_memory)
    pixels = np.zeros((height, width), pixel_type)
    for top in range(0, height, rows):
        band = slice(top, min(height, top + rows))
        shape = (band.stop - band.start, width)
        values = evaluate(
            tape,
            module.array(module.broadcast_to(module.asarray(x), shape)),
            module.array(module.broadcast_to(module.asarray(y[band, None]), shape)),
            z,
            variables=variables,
            engine=engine,
            backend=backend,
            dtype=x.dtype,
            max_memory=max_memory,
        )
        if pixel_type == np.uint8:
            values = (values < 0).astype(np.uint8) * np.uint8(255)
        pixels[band] = values.get() if backend == "cupy" else values
        if report is not None:
            report(band.stop * width, height * width)
    return pixels


def _levels(counts: list[Counts], steps: list[int], width: int, height: int) -> tuple[Level, ...]:
    found, level = [], 0
    for count, levels in zip(counts, steps, strict=True):
        level += levels
        tile = -(-width // (1 << level)), -(-height // (1 << level))
        mean = count.clauses / count.ambiguous if count.ambiguous else 0.0
        found.append(
            Level(
                tile,
                count.regions,
                count.inside,
                count.outside,
                count.ambiguous,
                mean,
            )
        )
    return tuple(found)


def _check_backend(engine: str, backend: str | None) -> str:
    if engine not in BACKENDS:
        raise OptionError(f"no engine {engine!r}: choose {', '.join(map(repr, BACKENDS))}")
    if backend is None:
        return BACKENDS[engine][0]
    if backend in ("cupy", "cuda"):
        array_module("cupy")  # says how to install it
    if backend not in BACKENDS[engine]:
        choices = " or ".join(map(repr, BACKENDS[engine]))
        raise OptionError(f"engine {engine!r} has no back end {backend!r}: choose {choices}")
    return backend


def _check_threads(threads: int | None) -> int:
    if threads is None:
        usable = getattr(os, "sched_getaffinity", None)
        return len(usable(0)) if usable else os.cpu_count() or 1
    if isinstance(threads, bool) or not isinstance(threads, (int, np.integer)) or threads < 1:
        raise OptionError(f"threads={threads!r}: give a number from 1")
    return min(int(threads), MOST_THREADS)


@contextmanager
def _reporting(progress: Progress | bool | None) -> Iterator[Progress | None]:
    """What to call with (done, total) pixels: nothing, the caller's function, or a bar."""
    if progress is None or progress is False:
        yield None
    elif progress is True:
        from rich.progress import Progress as Bars

        with Bars(transient=True) as bars:
            task = bars.add_task("rendering")
            yield lambda done, total: bars.update(task, completed=done, total=total)
    else:
        yield progress


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise OptionError(f"{name}={value!r} is not a number") from None
