"""``why``: how a picture decides one point, from the whole region down to the tile around it.

The chain of tiles is that of the readable walk, over the shape's own tape, so that its clauses have
their numbers: a tape is bounded over a tile, and shortened by the choices which that proves for the
next one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from intervalvm.api import bounds
from intervalvm.api.bounds import public
from intervalvm.api.dispatch import compiled_evaluator, evaluators_of_boxes, inputs_of, pays
from intervalvm.api.evaluate import evaluate
from intervalvm.api.explanation import Choice, Look, Why
from intervalvm.api.inputs import arrays_of
from intervalvm.api.options import Options
from intervalvm.arguments import real
from intervalvm.arith.arrays import DTYPE_NAMES
from intervalvm.environment import in_default_environment
from intervalvm.errors import OptionError
from intervalvm.evaluate.arithmetic import Floats, Inputs
from intervalvm.evaluate.evaluator import Evaluator, NumpyEvaluator
from intervalvm.expr import TapeLike, as_tape, settings_for
from intervalvm.ops import AXES, CODE, ROWS
from intervalvm.ops.row import Interval
from intervalvm.raster.quadtree import Tile, decided
from intervalvm.tape import shorten
from intervalvm.words import Meaning

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from intervalvm.evaluate.boxes import Bounds
    from intervalvm.raster.job import Job
    from intervalvm.raster.region import RegionLike
    from intervalvm.tape import Tape
    from intervalvm.tape.shorten import Trace
    from intervalvm.words import Grid

WIDE = np.dtype(np.float64)
AMBIGUOUS = "ambiguous"
KINDS = "boxes", "shorten"
"""Of kernels, for what is asked of evaluators here."""


@in_default_environment
def why(
    shape: TapeLike,
    x: float,
    y: float,
    *,
    z: float = 0.0,
    size: int | tuple[int, int] = 1024,
    region: RegionLike | None = None,
    grid: Grid = "linspace",
    depth: int | None = None,
    variables: Mapping[str, float] | None = None,
    dtype: DTypeLike = "float32",
) -> Why:
    """Explain one point of a picture: its value, the tile around it, the choices made there.

    The tiles are those of ``render`` with the same size, region, grid, depth and dtype, and
    ``backend="numpy"``; at a sample of the picture also their boxes. Another point is added to
    the box of each tile of the nearest sample, so all that is said of a tile holds at the point.

    Parameters
    ----------
    shape : Tape, Expr or Shape
    x, y : float
        A point of the region, rounded to ``dtype``.
    z : float
        The height of the slice.
    size, region, grid, depth, variables, dtype
        As for ``render``.

    Returns
    -------
    Why

    Raises
    ------
    OptionError, ArgumentTypeError
        For an invalid argument, and a point beyond the region.
    VariableError
        For a free variable without a value.
    """
    tape = as_tape(shape)
    asked = Options(size=size, region=region, grid=grid, depth=depth, z=z, dtype=dtype)
    job = asked.job(tape, settings_for(shape, variables))
    found = _Descent(job, _point_of(job, real("x", x), real("y", y)))
    found.go_down()
    return found.why()


def _point_of(job: Job, x: float, y: float) -> Any:
    """The point in the dtype. Raises OptionError for one beyond the region."""
    region = job.region
    point = np.array(arrays_of("xy", (x, y), job.dtype))
    # in the dtype: samples of the ends may be rounded beyond them
    low, high = (arrays_of("xy", (region.x[end], region.y[end]), job.dtype) for end in (0, 1))
    if not (np.less_equal(low, point).all() and np.less_equal(point, high).all()):
        raise OptionError(
            f"the point ({x:g}, {y:g}) is not in the region {region}: "
            "give a region that holds it, as in region=Region.around((x, y), 0.5)"
        )
    return point


def _nearest(samples: NDArray[Any], place: Any) -> int:
    """The index of the sample nearest to a place, the first of equal ones."""
    with np.errstate(over="ignore"):
        return int(np.argmin(np.abs(samples.astype(WIDE) - WIDE.type(place))))


class _Descent:
    """From the whole region down to the tile around a point."""

    def __init__(self, job: Job, point: NDArray[Any]) -> None:
        self.job, self.point = job, point
        fixed = arrays_of(job.settings, job.settings.values(), job.dtype)
        self.fixed = [np.reshape(value, 1) for value in fixed]
        """z and the variables."""
        x, y = job.samples
        self.column, self.line = _nearest(x, point[0]), _nearest(y, point[1])
        self.tape = job.tape
        """What is left of the shape's tape."""
        self.clauses = np.arange(len(job.tape))
        """Their indices in it."""
        self.chain: list[Look] = []
        self.made: list[Choice] = []
        self.open: list[Choice] = []

    def go_down(self) -> None:
        """Look at the tile of each split, until one is proven."""
        level, arithmetic = 0, Floats(self.job.dtype)
        if self.job.steps[0]:  # a whole that is cut before it is bounded
            self.look(0, self.evaluator().bounds(self.sides(0)))
        for levels in self.job.steps:
            level += levels
            axes = dict(zip(AXES.values(), sides := self.sides(level), strict=False))
            inputs = Inputs(axes, sides[len(axes) :])
            found = arithmetic.bounds(self.tape, inputs, sign_only=True)
            self.shorten(found, level)
            self.look(level, found.root)
            if self.chain[-1].verdict != AMBIGUOUS:
                break

    def shorten(self, found: Bounds, level: int) -> None:
        """Note the choices of a tile, and go on with the tape that they leave."""
        tape, trace = self.tape, found.trace
        read = _read(tape, trace)
        self.open = []
        for i in np.flatnonzero(read).tolist():
            op = ROWS[tape.codes[i]]
            if not op.has_choice:
                continue
            left, right = (public(_single(found.values[k])) for k in tape.operands(i))
            side = "left" if trace.left_only[i] else "right" if trace.right_only[i] else "both"
            notes = self.open if side == "both" else self.made
            notes.append(Choice(int(self.clauses[i]), op.name, side, level, left, right))
        stays = [not (trace.left_only[i] or trace.right_only[i]) for i in range(len(tape))]
        self.clauses = self.clauses[read & np.array(stays) & (tape.codes != CODE["copy"])]
        self.tape = shorten.simplify(tape, trace)

    def look(self, level: int, root: Interval) -> None:
        """Add the tile of a level, with bounds of the tape, to the chain."""
        rows, columns = self.tile(level)
        x, y, *_ = self.sides(level)
        inside, outside = decided(root, Meaning.FLOAT)
        verdict = "inside" if inside.all() else "outside" if outside.all() else AMBIGUOUS
        self.chain.append(
            Look(
                level=level,
                pixels=(columns.stop - columns.start, rows.stop - rows.start),
                x=(float(x.lower[0]), float(x.upper[0])),
                y=(float(y.lower[0]), float(y.upper[0])),
                bounds=public(_single(root)),
                verdict=verdict,
                clauses=len(self.tape),
            )
        )

    def tile(self, level: int) -> tuple[slice, slice]:
        """The rows and columns of the tile of a level."""
        height, width = self.job.shape
        cells = (
            (((k + 1) << level) - 1) // n for k, n in ((self.column, width), (self.line, height))
        )
        return Tile(level, *cells).pixels(width, height)

    def sides(self, level: int) -> list[Interval]:
        """The box of the tile of a level: a side for each of ``inputs_of``."""
        found, never = [], np.zeros(1, bool)
        for samples, part, at in zip(
            self.job.samples, reversed(self.tile(level)), self.point, strict=True
        ):
            ends = np.array([samples[part.start], samples[part.stop - 1], at])
            found.append(Interval(ends.min(keepdims=True), ends.max(keepdims=True), never))
        return [*found, *(Interval(value, value, never) for value in self.fixed)]

    def evaluator(self) -> Evaluator:
        """That of the whole tape, of floats over one box."""
        tape, dtype = self.job.tape, self.job.dtype
        (found,) = evaluators_of_boxes(tape, [dtype], 1, *KINDS, compiled=True)
        return found

    def proven(self) -> bounds.Interval:
        """Bounds of the real function at the point.

        They are those of a shorter tape, which is the same real function there.
        """
        tape, inputs, never = self.job.tape, inputs_of(self.job.tape), np.zeros(1, bool)
        places = [np.array(value, WIDE).reshape(1) for value in (*self.point, *self.fixed)]
        kernels = [(kind, DTYPE_NAMES[WIDE]) for kind in KINDS]
        make = compiled_evaluator if pays(kernels, len(tape), 1) else NumpyEvaluator
        whole = make(tape, inputs, WIDE, Meaning.REAL)
        (short,) = whole.shorten([Interval(place, place, never) for place in places])
        x, y, z, *free = (float(place[0]) for place in places)
        variables = dict(zip(tape.variables, free, strict=True))
        return bounds.interval(
            short.tape, x=x, y=y, z=z, variables=variables, prove="point", dtype=WIDE
        )

    def why(self) -> Why:
        """All of it."""
        tape, dtype = self.job.tape, self.job.dtype
        x, y = (float(part) for part in self.point)
        z, *free = (float(value[0]) for value in self.fixed)
        variables = dict(zip(tape.variables, free, strict=True))
        leaf = self.sides(self.chain[-1].level)
        (short,) = self.evaluator().shorten(leaf)
        return Why(
            x=x, y=y, z=z, dtype=DTYPE_NAMES[dtype],
            value=float(evaluate(tape, x, y, z, variables=variables, dtype=dtype)),
            proven=self.proven(),
            bounds=public(_single(self.evaluator().bounds(leaf))),
            pixel=(self.column, self.line),
            chain=tuple(self.chain),
            tape=self.tape,
            value_tape=short.tape,
            clauses=tuple(self.clauses.tolist()),
            of=len(tape),
            choices=(*reversed(self.open), *reversed(self.made)),
        )  # fmt: skip


def _read(tape: Tape, trace: Trace) -> NDArray[np.bool_]:
    """The clauses whose value is asked for; a decided choice asks for one operand."""
    asked = np.zeros(len(tape), bool)
    asked[-1] = True
    for i in range(len(tape) - 1, -1, -1):
        if asked[i]:
            operands = tape.operands(i)
            if trace.left_only[i] or trace.right_only[i]:
                operands = (operands[0 if trace.left_only[i] else 1],)
            asked[list(operands)] = True
    return asked


def _single(bounds: Interval) -> Interval:
    """Bounds over one box, as scalars."""
    return Interval(*(np.ravel(part)[0] for part in bounds))
