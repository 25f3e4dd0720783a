"""``contour``: from a shape of the plane to an ``Outline``."""

from __future__ import annotations

import time
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np

from intervalvm.api.limits import usable_cpus
from intervalvm.api.options_contour import ContourOptions, takes_contour_options
from intervalvm.api.render import reporting
from intervalvm.arguments import real
from intervalvm.cells.measure import Measure
from intervalvm.colours import Rgb
from intervalvm.environment import in_default_environment
from intervalvm.errors import OptionError
from intervalvm.expr import Expr, TapeLike, as_tape, expression, settings_for
from intervalvm.expr.functions import maximum
from intervalvm.expr.node import is_truth
from intervalvm.expr.paint import NO_COLOUR, paint_of, parts_of, rgb_of
from intervalvm.outlines.field import Evaluator
from intervalvm.outlines.outline import Outline
from intervalvm.outlines.stats import OutlineStats
from intervalvm.outlines.tracer import FLOAT, Ends, Job, Traced, trace
from intervalvm.raster.job import Progress
from intervalvm.raster.region import Region
from intervalvm.tape import Tape
from intervalvm.words import Meaning

KERNELS = [
    ("boxes", "float64", Meaning.REAL),
    ("slopes", "float64", Meaning.FLOAT),
    ("divide", "float64", Meaning.FLOAT),
    ("divide", "float64", Meaning.REAL),
    ("points", "float64", Meaning.FLOAT),
    ("duals", "float64", Meaning.FLOAT),
    ("outline", "float64", Meaning.FLOAT),
]
"""What is compiled the first time on a machine."""
ARC_KERNELS = [("shorten", "float64", Meaning.FLOAT)]
"""What lines and arcs take besides."""
STEPS = 100
"""What progress counts of a part."""
TRACING = 0.5
"""The share of the work that tracing takes, where lines and arcs are fitted after it."""
DENSER = 4.0
"""Curves are traced to this part of the tolerance before lines and arcs are fitted."""


@in_default_environment
@takes_contour_options
def contour(shape: TapeLike, **options: Any) -> Outline:
    """The curves around a shape: where its value is below 0 or a truth holds; NaN is outside.

    Curves are simple and do not cross, and the inside is on their left: outer curves run
    counter-clockwise, holes clockwise. A quadtree of cells is refined where bounds of the value and
    of the gradient do not prove how the curve runs. Cells that are not proven at the smallest
    size, or that are too many along a seam, are counted in ``stats.cells["undecided"]``: there thin
    parts may be missed. Corners are found where the gradients on both sides meet.

    Parameters
    ----------
    shape : Tape, Expr or Shape
    region : Region or four floats, optional
        The part of the plane, a ``Region`` or (x0, x1, y0, y1); by default a box proven to hold the
        shape.
    tolerance : float, optional
        The largest distance between curves and the shape's border; by default a thousandth of the
        region's longer side. It is proven for the topology, and measured by the value over the
        gradient for the distance. Where a value jumps, cells are refined down to it.
    arcs : bool
        Fit few lines and arcs to the curves, see ``Outline.bulges``. Each is proven to lie within
        the tolerance of the shape's border, or counted in ``stats.pieces["unproven"]``. Curves of
        one level do not cross.
    offset : float
        Trace where the value is below this: a curve around the shape at this distance, if the value
        is one, as that of most shapes outside is; rounded at corners, as by a round tool.
    levels : float or sequence of float, optional
        Trace the value's iso-lines at these levels, all curves in one outline, see
        ``Outline.levels``. Values below a level lie to the left.
    closed : bool
        The region's border closes curves; otherwise those that meet it are open and end there.
    z : float
        The height of the slice.
    variables : dict of str to float, optional
        Values of free variables.
    backend : {"numba", "numpy"}
        Compiled code, or NumPy alone, which compiles nothing and is slow.
    threads : int, optional
        By default the CPUs of this process.
    max_memory : int, float or str, optional
        Bytes, or text such as "4G"; by default the available memory.
    progress : callable or bool, optional
        Called with (done, total) as the work goes on; True draws a bar.

    Returns
    -------
    Outline
        Without curves if nothing is inside.

    Raises
    ------
    OptionError, ArgumentTypeError
        For an invalid argument, and without a region for a shape that has no proven bounds.
    VariableError
        For a free variable without a value.
    DoesNotFit
        If ``max_memory`` is not enough.
    """
    asked = ContourOptions(**options)
    tape = as_tape(shape)
    if (asked.offset or asked.levels) and isinstance(shape, Expr) and is_truth(shape):
        raise OptionError("a truth has no offset and no levels: it holds or not")
    given = zip(tape.variables, tape.settings(settings_for(shape, asked.variables)), strict=True)
    settings = {"z": asked.z} | {name: real(name, value) for name, value in given}
    levels = asked.levels if isinstance(asked.levels, tuple) else (asked.offset,)
    with reporting(asked.progress, "tracing") as report:
        if asked.compiled:
            from intervalvm.jit import native  # imports the compiler's library

            native.prepare(KERNELS + ARC_KERNELS if asked.arcs else KERNELS, usable_cpus())
        region = _region(asked, shape if not any(levels) else _less(tape, max(levels)))
        if region is None:
            stats = OutlineStats(len(tape), 0.0, {}, {})
            return Outline((), stats=stats, measure=Measure.of_nothing(2))
        tolerance = asked.tolerance_in(region)
        parts = _parts(shape, tape, levels, asked)
        found = []
        for i, part in enumerate(parts):
            tell = None if report is None else partial(_tell, report, i, len(parts), asked.arcs)
            job = Job(
                tape=part.tape,
                settings=settings,
                region=region,
                tolerance=tolerance / DENSER if asked.arcs else tolerance,
                floor=tolerance,
                closed=asked.closed,
                cuts=asked.region is not None,
                dense=asked.arcs,
                make=_compiled if asked.compiled else _of_arrays,
                walks=asked.compiled,
                threads=asked.threads or usable_cpus(),
                max_memory=asked.max_memory,
                report=tell,
            )
            traced = trace(job)
            found.append(_fitted(traced, tolerance) if asked.arcs else traced)
            if report is not None and asked.arcs:
                report(STEPS * (i + 1), STEPS * len(parts))
    return _outline(found, parts, tape, tolerance, has_arcs=asked.arcs)


def _tell(report: Progress, i: int, parts: int, has_arcs: bool, done: int, total: int) -> None:
    """Report the tracing of part ``i`` as a share of all work."""
    share = TRACING if has_arcs else 1.0
    report(int(STEPS * (i + share * done / total)), STEPS * parts)


class Part(NamedTuple):
    """A tape to trace, its level, and its colour, None for none; False if there are no colours."""

    tape: Tape
    level: float = 0.0
    colour: Rgb | Literal[False] | None = False


def _parts(
    shape: TapeLike, tape: Tape, levels: tuple[float, ...], asked: ContourOptions
) -> list[Part]:
    """What to trace: the shape at each level, or each colour of a painted one."""
    paint = paint_of(shape)
    if asked.levels is not None or paint is None:
        return [Part(_less(tape, level), level if asked.levels else 0.0) for level in levels]
    whole = expression(_less(tape, asked.offset))
    parts = []
    for code, where in parts_of(paint).items():
        red, green, blue = rgb_of(np.array(code, np.float32), (0, 0, 0)).tolist()
        colour = None if code == NO_COLOUR else (red, green, blue)
        field = whole if isinstance(where, bool) else maximum(whole, where)
        parts.append(Part(field.tape(), colour=colour))
    return parts


def _fitted(found: Traced, tolerance: float) -> Traced:
    """The curves as lines and arcs."""
    from intervalvm.outlines.arcs import fit

    begin = time.perf_counter()
    fitted, report = fit(found.curves, found.field, tolerance)
    return found._replace(
        curves=fitted.vertices,
        bulges=fitted.bulges,
        seconds={**found.seconds, "arcs": time.perf_counter() - begin},
        pieces=report.counts(),
    )


def _region(asked: ContourOptions, shape: TapeLike) -> tuple[Ends, Ends] | None:
    """The region, None for an empty shape. Raises OptionError for a shape without proven bounds."""
    if isinstance(asked.region, Region):
        return asked.region.x, asked.region.y
    from intervalvm.api.bounding import default_region

    box = default_region(shape, z=asked.z, variables=asked.variables)
    return None if box is None else (box.x, box.y)


def _less(tape: Tape, level: float) -> Tape:
    """The tape less a level."""
    if not level:
        return tape
    return (expression(tape) - level).tape()


def _compiled(tape: Tape, inputs: tuple[str, ...], meaning: Meaning) -> Evaluator:
    from intervalvm.api.dispatch import compiled_evaluator

    found: Evaluator = compiled_evaluator(tape, inputs, FLOAT, meaning)
    return found


def _of_arrays(tape: Tape, inputs: tuple[str, ...], meaning: Meaning) -> Evaluator:
    from intervalvm.evaluate.evaluator import NumpyEvaluator

    return NumpyEvaluator(tape, inputs, FLOAT, meaning)


def _outline(
    found: list[Traced], parts: list[Part], tape: Tape, tolerance: float, *, has_arcs: bool
) -> Outline:
    """The outline of the curves of all parts."""
    counts = [len(each.curves) for each in found]
    cells = {name: sum(each.cells[name] for each in found) for name in found[0].cells}
    seconds = {name: sum(each.seconds[name] for each in found) for name in found[0].seconds}
    pieces = {name: sum(each.pieces[name] for each in found) for name in found[0].pieces}
    colours = None
    if parts[0].colour is not False:
        colours = tuple(
            part.colour or None for part, n in zip(parts, counts, strict=True) for _ in range(n)
        )
    bulges = tuple(each for part in found for each in part.bulges) if has_arcs else None
    return Outline(
        curves=tuple(curve for each in found for curve in each.curves),
        bulges=bulges,
        levels=np.repeat([part.level for part in parts], counts),
        colours=colours,
        stats=OutlineStats(len(tape), tolerance, cells, seconds, pieces),
        measure=found[0].area if len(found) == 1 else None,
    )
