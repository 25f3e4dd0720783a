"""The tracer: from a tape and a region to curves around what is inside."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from intervalvm.cells.frame import Frame
from intervalvm.cells.measure import Measure
from intervalvm.evaluate.points import reads
from intervalvm.memory import Amount, require
from intervalvm.outlines.area import Slice, area_of
from intervalvm.outlines.bends import SHARE
from intervalvm.outlines.chains import loops
from intervalvm.outlines.field import Array, Evaluator, Field
from intervalvm.outlines.lattice import FINEST
from intervalvm.outlines.merging import merged
from intervalvm.outlines.quadtree import UNDECIDED, Tally, quadtree
from intervalvm.outlines.start import Start, all_cells, undecided_cells
from intervalvm.tape import Tape
from intervalvm.words import Meaning

FLOAT = np.dtype(np.float64)
FIRST, LAST = 4, 10
"""The levels from which a trace starts."""
LONG = 200
"""Clauses from which the walk of pictures finds the cells to start from."""
CELL_BYTES = 800
"""Measured bytes for each cell of a level, with its share of the curves."""
FEW, FEW_CLAUSES = (100, 100_000), 1_000_000
"""Cells of a level that are always split for a proof: so many clauses, but from and to so many."""
DEEPER = 2
"""Levels of cells smaller than the tolerance, for proofs: sharp tips hide between corners."""
ULPS = 1024 << DEEPER
"""The least tolerance, in spacings of floats: crossings are kept 1/128 of it apart."""
Ends = tuple[float, float]
Report = Callable[[int, int], None]
MakeEvaluator = Callable[[Tape, tuple[str, ...], Meaning], Evaluator]


@dataclass(frozen=True)
class Job:
    """What to trace: where ``tape`` is below 0 within a region.

    ``settings`` are the values of z and of the variables. With ``closed`` the region's border
    closes curves, else they end there; ``cuts`` says that the shape may reach it. With ``dense``
    the pieces of cells are not merged.
    """

    tape: Tape
    settings: dict[str, float]
    region: tuple[Ends, Ends]
    tolerance: float
    closed: bool
    cuts: bool
    dense: bool
    make: MakeEvaluator
    walks: bool
    threads: int
    max_memory: Amount | None
    report: Report | None

    @property
    def frame(self) -> Frame:
        """With margins if curves are closed, so that none reaches its border."""
        if self.closed:
            return Frame.around(self.region)
        low, high = zip(*self.region, strict=True)
        return Frame(low, tuple(b - a for a, b in zip(low, high, strict=True)))


class Traced(NamedTuple):
    """The curves, float64[n, 2] each, of a field, counts of cells, the area inside, and times;
    bulges and counts of pieces where lines and arcs were fitted."""

    curves: Sequence[Array]
    field: Field
    cells: dict[str, int]
    area: Measure
    seconds: dict[str, float]
    bulges: Sequence[Array] = ()
    pieces: dict[str, int] = {}  # noqa: RUF012 never written to


def least_tolerance(region: tuple[Ends, Ends]) -> float:
    """The least tolerance for which there are numbers of cells, and floats, in a region."""
    largest = max(abs(end) for side in region for end in side)
    size = max(high - low for low, high in region)
    return max(size * 2.0 ** (1 + DEEPER - FINEST), ULPS * float(np.spacing(largest)))


def trace(job: Job) -> Traced:
    """Trace curves. Raises DoesNotFit if the cells of a level do."""
    begin = time.perf_counter()
    frame, clip = job.frame, None
    if job.closed and job.cuts:
        (x0, x1), (y0, y1) = job.region
        clip = x0, x1, y0, y1
    finest = max(math.ceil(math.log2(max(frame.sides) / job.tolerance)), FIRST + 1) + DEEPER
    inputs = ("x", "y", *(["z"] if "z" in reads(job.tape) else []), *job.tape.variables)
    settings = [np.array([job.settings[name]]) for name in inputs[2:]]
    points, real = (job.make(job.tape, inputs, meaning) for meaning in Meaning)
    field = Field(points, real, settings, clip)
    start = _start(job, frame, finest, clip)
    if start.division is not None:
        level, at, codes = start.division
        field = field.divided(frame.boxes(at, level), codes, 2 * level)

    def watch(level: int, cells: int) -> None:
        what = f"an outline of {cells} cells at once"
        require(CELL_BYTES * cells, what, "give a larger tolerance", job.max_memory)
        if job.report is not None:
            job.report(level - start.level, finest - start.level + 1)

    few = min(max(FEW_CLAUSES // len(job.tape), FEW[0]), FEW[1])
    tally = Tally(few)
    tree = quadtree(field, frame, job.tolerance, finest, start, tally, watch)
    found = loops(tree)
    curves = merged(found, 0.0 if job.dense else (1.0 - SHARE) * job.tolerance)
    if job.report is not None:
        job.report(1, 1)
    undecided = int(np.count_nonzero(tree.leaves.kind == UNDECIDED))
    cells = {
        "proven": len(tree.leaves.kind) + len(tree.decided.kind) - undecided,
        "undecided": undecided,
        "evaluated": tally.evaluated,
    }
    slices = partial(Slice, make=job.make, inputs=inputs, settings=settings)
    area = area_of(tree.leaves, tally, frame, job.region, job.tape, slices)
    return Traced(curves, field, cells, area, {"trace": time.perf_counter() - begin})


def _start(job: Job, frame: Frame, finest: int, clip: tuple[float, ...] | None) -> Start:
    """The cells to start from: about as large as pieces of smooth curves are long."""
    if not job.walks or len(job.tape) < LONG:
        return all_cells(FIRST)
    level = round(0.5 * math.log2(max(frame.sides) / job.tolerance)) + 1
    level = min(max(level, FIRST), LAST, finest - DEEPER)
    settings = {"var-z": job.settings["z"]} | {n: job.settings[n] for n in job.tape.variables}
    return undecided_cells(job.tape, settings, frame, level, clip, job.threads)  # type: ignore[arg-type]
