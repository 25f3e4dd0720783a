"""The tracer: from a tape and a region to curves around what is inside."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np

from intervalvm.cells.border import cut
from intervalvm.cells.frame import Frame
from intervalvm.cells.measure import Measure
from intervalvm.cells.slices import Slice
from intervalvm.evaluate.points import reads
from intervalvm.memory import Amount, require
from intervalvm.outlines.bends import SHARE
from intervalvm.outlines.chains import loops
from intervalvm.outlines.field import Array, Evaluator, Field
from intervalvm.outlines.lattice import FINEST
from intervalvm.outlines.merging import merged
from intervalvm.outlines.quadtree import DEEPER, UNDECIDED, Tally, quadtree
from intervalvm.outlines.start import Start, all_cells, undecided_cells
from intervalvm.tape import Tape
from intervalvm.words import Meaning

FLOAT = np.dtype(np.float64)
KEPT = 4
"""Shapes whose tapes, cut by a region, are kept."""
FIRST, LAST = 4, 10
"""The levels from which a trace starts."""
LONG = 200
"""Clauses from which the walk of pictures finds the cells to start from."""
CELL_BYTES = 800
"""Measured bytes for each cell of a level, with its share of the curves."""
FEW, FEW_CLAUSES = (100, 100_000), 1_000_000
"""Cells of a level that are always split for a proof: so many clauses, but from and to so many."""
ULPS = 1024 << DEEPER
"""The least tolerance, in spacings of floats: crossings are kept 1/128 of it apart."""
Ends = tuple[float, float]
Report = Callable[[int, int], None]
MakeEvaluator = Callable[[Tape, tuple[str, ...], Meaning], Evaluator]


@dataclass(frozen=True)
class Job:
    """What to trace: where ``tape`` is below 0 within a region.

    ``settings`` are the values of z and of the variables. With ``closed`` the region's border
    closes curves, else they end there; ``cuts`` says that the shape may reach it. Cells are refined
    down to ``floor`` where the curve is in doubt, and some levels more for proofs. With ``dense``
    the pieces of cells are not merged.
    """

    tape: Tape
    settings: dict[str, float]
    region: tuple[Ends, Ends]
    tolerance: float
    floor: float
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
    frame = job.frame
    finest = max(math.ceil(math.log2(max(frame.sides) / job.floor)), FIRST + 1) + DEEPER
    inputs = ("x", "y", *(["z"] if "z" in reads(job.tape) else []), *job.tape.variables)
    settings = tuple(job.settings[name] for name in inputs[2:])
    tape = job.tape
    if job.closed and job.cuts:
        tape = _cut(tape, job.region, frame, inputs, settings, job.make)
    points, real = (job.make(tape, inputs, meaning) for meaning in Meaning)
    field = Field(points, real, [np.array([value]) for value in settings])
    start = _start(job, tape, frame, finest)
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
    area = Measure(
        frame,
        job.region,
        np.array(tally.inside),
        tree.leaves.at.astype(np.int32),
        tree.leaves.level.astype(np.int8),
        job.tape,
        partial(_slice, make=job.make, inputs=inputs, settings=settings),
    )
    return Traced(curves, field, cells, area, {"trace": time.perf_counter() - begin})


@lru_cache(maxsize=KEPT)
def _cut(
    tape: Tape,
    region: tuple[Ends, Ends],
    frame: Frame,
    inputs: tuple[str, ...],
    settings: tuple[float, ...],
    make: MakeEvaluator,
) -> Tape:
    """The tape, cut by the region. A shape is often traced again, finer."""
    return cut(tape, _slice(tape, make, inputs, settings), region, frame)


def _slice(
    tape: Tape, make: MakeEvaluator, inputs: tuple[str, ...], settings: Sequence[float]
) -> Slice:
    """The real function of x and y."""
    return Slice(make(tape, inputs, Meaning.REAL), settings)


def _start(job: Job, tape: Tape, frame: Frame, finest: int) -> Start:
    """The cells to start from: about as large as pieces of smooth curves are long."""
    if not job.walks or len(tape) < LONG:
        return all_cells(FIRST)
    level = round(0.5 * math.log2(max(frame.sides) / job.tolerance)) + 1
    level = min(max(level, FIRST), LAST, finest - DEEPER)
    settings = {"var-z": job.settings["z"]} | {n: job.settings[n] for n in job.tape.variables}
    return undecided_cells(tape, settings, frame, level, job.threads)
