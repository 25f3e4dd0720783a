"""``intervalvm bench``: the engines side by side, each checked against the dense one first."""

from __future__ import annotations

import json
import statistics
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from intervalvm.api.limits import usable_cpus
from intervalvm.api.render import render
from intervalvm.cli.streams import Progress, log_shown, read_shape, say
from intervalvm.errors import DoesNotFit
from intervalvm.expr import as_tape
from intervalvm.raster.region import check_size
from intervalvm.raster.stats import milliseconds, text_table
from intervalvm.words import Way

if TYPE_CHECKING:
    import argparse

    from intervalvm.raster.image import Image
    from intervalvm.tape import Tape

Ways = list[tuple[Way, dict[str, Any]]]
"""The engines, with their options."""
NAIVE_PX = 256
"""The naive engine keeps every clause's array: thousands of them, so the image is small."""

Row = dict[str, Any]
"""The result of an engine, as in JSON; "seconds" is the median of "runs"."""
RUNS, ENOUGH_SECONDS = 15, 2.0
"""The limits of runs and of seconds for a row, which has at least one run."""


def bench(options: argparse.Namespace) -> int:
    """Print the table; returns 1 if an image differs from the dense one of its dtype."""
    given: dict[str, Any] = {"variables": dict(options.set)}
    if options.z is not None:
        given["z"] = options.z
    width, height = check_size(options.size)
    small = (min(width, NAIVE_PX), min(height, NAIVE_PX))
    with log_shown(quiet=options.quiet), Progress(wanted=not options.quiet) as progress:
        progress.stage("reading")
        tape = as_tape(read_shape(options))
        rows = _small_rows(tape, small, given, progress)
        ways: Ways = [(Way.DENSE, {"dtype": dtype}) for dtype in ("float64", "float32")]
        ways += [(Way.READABLE, {})]
        ways += [(Way.COMPILED, {"threads": n}) for n in sorted({1, usable_cpus()})]
        rows += _rows(tape, ways, {"size": (width, height), **given}, progress)
    if options.json:
        say(json.dumps({"file": options.file, "rows": rows}))
    else:
        say(f"{text_table([HEAD, *map(_cells, rows)], left=3)}\n{NOTE}")
    return 0 if all(row["identical"] for row in rows) else 1


def _small_rows(
    tape: Tape, size: tuple[int, int], given: dict[str, Any], progress: Progress
) -> list[Row]:
    """The naive engine beside the dense one, at the largest size that fits up to ``size``."""
    ways: Ways = [(Way.DENSE, {"dtype": "float64"}), (Way.NAIVE, {"dtype": "float32"})]
    while True:
        try:
            return _rows(tape, ways, {"size": size, **given}, progress)
        except DoesNotFit:
            if max(size) == 1:
                raise
            size = (max(1, size[0] // 2), max(1, size[1] // 2))


def _rows(tape: Tape, ways: Ways, given: dict[str, Any], progress: Progress) -> list[Row]:
    """A row for each engine; ratios are to the first, dense float64."""
    rows: list[Row] = []
    reference: dict[str, Image] = {}
    for way, own in ways:
        progress.stage(f"timing {way.engine} on {way.backend}")
        options = {"dtype": "float32", **_by(way), **own, **given}
        image, seconds = _timed(tape, options)  # checks and warms up
        dtype = options["dtype"]
        if dtype not in reference:
            is_dense = way is Way.DENSE
            reference[dtype] = image if is_dense else render(tape, **options | _by(Way.DENSE))
        identical = bool(np.array_equal(image.pixels, reference[dtype].pixels))
        times = [] if way.prunes else [seconds]  # the others prepare nothing, and may take long
        while len(times) < RUNS and sum(times) < ENOUGH_SECONDS:
            times.append(_timed(tape, options)[1])
        median = statistics.median(times)
        rows.append(
            {
                **_by(way),
                "dtype": dtype,
                "threads": options.get("threads", 1),
                "size": options["size"],
                "seconds": median,
                "runs": len(times),
                "ratio": (rows[0]["seconds"] if rows else median) / median,
                "identical": identical,
            }
        )
    return rows


def _by(way: Way) -> dict[str, Any]:
    return {"engine": way.engine, "backend": way.backend}


def _timed(tape: Tape, options: dict[str, Any]) -> tuple[Image, float]:
    start = time.perf_counter()
    image = render(tape, **options)
    return image, time.perf_counter() - start


HEAD = ("engine", "backend", "dtype", "threads", "size", "median", "runs", "ratio", "identical")
NOTE = "ratio: against dense float64 at the same size; identical: to dense of the same dtype"


def _cells(row: Row) -> tuple[str, ...]:
    width, height = row["size"]
    return (
        *(str(row[name]) for name in HEAD[:4]),
        f"{width}x{height}",
        milliseconds(row["seconds"]),
        str(row["runs"]),
        f"{row['ratio']:.{1 if row['ratio'] >= 10 else 2}f}",
        "yes" if row["identical"] else "NO",
    )
