"""``interval``, ``simplify`` and ``fold``: bounds of a tape over a box, and shorter tapes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from intervalvm.api.dispatch import evaluators_of_boxes, runner_of
from intervalvm.api.inputs import (
    ANYTHING,
    Range,
    Side,
    box_of,
    broadcast_shape,
    check_real,
    side_of,
)
from intervalvm.api.options import is_compiled, is_fast, keeps_sign, proves_real
from intervalvm.arguments import bounds_text, flag, mapping
from intervalvm.arith.arrays import DTYPE_NAMES, as_dtype
from intervalvm.arith.directed import DirectedArrays
from intervalvm.environment import in_default_environment
from intervalvm.evaluate import decorated
from intervalvm.evaluate.arithmetic import Floats
from intervalvm.evaluate.decorated import Decoration, Real
from intervalvm.evaluate.evaluator import TOGETHER, Evaluator, flattened
from intervalvm.expr import TapeLike, as_tape, as_value_tape, settings_for
from intervalvm.gpu.exchange import on_host
from intervalvm.hints import hinted
from intervalvm.ops import AXES, row
from intervalvm.tape import Tape
from intervalvm.words import BoxBackend, Fold, Keep, Meaning, Prove, Question

Ranges = dict[str, Range]
"""A box, or arrays of boxes: the range by each input."""
MOST_LINES = 8
"""Boxes that are printed."""


@dataclass(frozen=True)
class Interval:
    """Bounds on the values of a tape over a box, or over arrays of boxes.

    They enclose all values that are not NaN. As text they have six digits, rounded outwards.

    Attributes
    ----------
    lower, upper : float or array
        Inf and -inf if the real function is undefined at every point.
    maybe_nan : bool or array of bool
        Whether a value may be NaN, or the real function undefined.
    decoration : Decoration, array of int8, or None
        An array has the numbers of decorations.
    """

    lower: Any
    upper: Any
    maybe_nan: Any
    decoration: Any = None

    @property
    def is_empty(self) -> Any:
        """Whether the function is undefined at every point of the box."""
        return self.lower > self.upper

    @in_default_environment
    def __str__(self) -> str:
        if hasattr(self.lower, "get"):  # of CuPy, whose own functions lose subnormal numbers
            parts = map(on_host, (self.lower, self.upper, self.maybe_nan))
            return str(public(row.Interval(*parts)))
        if np.ndim(self.lower) == 0:
            return self._text()
        boxes = islice(self._boxes(), MOST_LINES)
        more = [f"... ({self.lower.size} boxes)"] if self.lower.size > MOST_LINES else []
        return "\n".join([*map(Interval._text, boxes), *more])

    def _boxes(self) -> Iterator[Interval]:
        """One by one."""
        for k in np.ndindex(self.lower.shape):
            each = None if self.decoration is None else Decoration(self.decoration[k])
            lower, upper = float(self.lower[k]), float(self.upper[k])
            yield Interval(lower, upper, bool(self.maybe_nan[k]), each)

    def _text(self) -> str:
        ends = ["empty"] if self.is_empty else bounds_text(self.lower, self.upper)
        nan = " or NaN" if self.maybe_nan else ""
        return f"[{', '.join(ends)}]{nan if self.decoration is None else f'_{self.decoration}'}"


def public(root: row.Interval) -> Interval:
    """Bounds as a caller gets them: those of one box are numbers, and -0 is 0."""
    if np.ndim(root.lower) == 0:
        return Interval(float(root.lower) + 0.0, float(root.upper) + 0.0, bool(root.maybe_nan))
    # as bounds both zeros are equal
    return Interval(root.lower + 0.0, root.upper + 0.0, root.maybe_nan)


@in_default_environment
@hinted
def interval(
    tape: TapeLike,
    *,
    x: Side,
    y: Side,
    z: Side = 0.0,
    variables: Mapping[str, Side] | None = None,
    prove: Prove | None = None,
    decoration: bool = False,
    backend: BoxBackend = "numba",
    dtype: Any = "float32",
) -> Interval:
    """Bound the values of a tape over a box, or over each of many boxes.

    The bounds enclose every value that ``evaluate`` computes in ``dtype`` at float points of the
    box; with ``prove``, every value of the real function at real points, as defined in ``ops``. A
    constant is the float64 of its text. A truth is 1 or 0.

    Parameters
    ----------
    tape : Tape, Expr or Shape
    x, y, z : float or (float, float) or (array, array)
        Sides, numbers or pairs (low, high), rounded to ``dtype``, outwards with ``prove``. Ends may
        be infinite; for the real function the side is then unbounded. Arrays of ends are those of
        many boxes; sides and variables broadcast together.
    variables : dict of str to float or (float, float) or (array, array), optional
    prove : {None, "point", "area"}
        Bound the real function; "point" takes one number a side.
    decoration : bool
        Decorate the result by IEEE 1788, for the real function.
    backend : {"numba", "numpy"}
        Both give the same bits. "numba" is compiled, and NumPy runs while compiling would cost more
        than it saves, and for the real function.
    dtype : {"float32", "float64"}

    Returns
    -------
    Interval
        Of numbers for one box, else of arrays of the broadcast shape.

    Raises
    ------
    OptionError
        For a NaN, a pair in the wrong order, a pair with ``prove="point"``, or a side without a
        real number.
    VariableError
        For a free variable without a value.
    """
    variables, tape = settings_for(tape, variables), as_value_tape(tape)
    ranges = _ranges({"x": x, "y": y, "z": z})
    if tape.variables or variables is not None:
        ranges |= _ranges(dict(zip(tape.variables, tape.settings(variables), strict=True)))
    at_point = all(np.all(side.low == side.high) for side in ranges.values())
    if proves_real(prove, decoration=flag("decoration", decoration), at_point=at_point):
        return _of_reals(tape, ranges, as_dtype(dtype), decoration=decoration)
    chosen, compiled = as_dtype(dtype), is_compiled(backend)
    boxes = [box_of(side, chosen, Meaning.FLOAT) for side in ranges.values()]
    count = math.prod(broadcast_shape([side.lower.shape for side in boxes]))
    (evaluator,) = evaluators_of_boxes(tape, [chosen], count, "boxes", compiled=compiled)
    return public(evaluator.bounds(boxes))


def _ranges(sides: Mapping[str, Side]) -> Ranges:
    return {name: side_of(name, side) for name, side in sides.items()}


def _of_reals(tape: Tape, ranges: Ranges, dtype: np.dtype[Any], *, decoration: bool) -> Interval:
    """Tight bounds of the real function, of ``TOGETHER`` boxes at a time."""
    for name, side in ranges.items():
        check_real(name, side)
    wide = [
        row.Interval(np.asarray(side.low), np.asarray(side.high), np.False_)
        for side in ranges.values()
    ]
    shape = broadcast_shape([side.lower.shape for side in wide])
    flat = flattened(wide)[1]
    parts = []
    for start in range(0, max(1, len(flat[0].lower)), TOGETHER):
        some = slice(start, start + TOGETHER)
        sides = [(side.lower[some], side.upper[some]) for side in flat]
        parts.append(_real_root(tape, sides, dtype))
    lower, upper, found = (np.concatenate(ends).reshape(shape) for ends in zip(*parts, strict=True))
    root = public(row.Interval(lower, upper, found < decorated.DEF))
    if not decoration:
        return root
    return replace(root, decoration=found if shape else Decoration(int(found)))


def _real_root(tape: Tape, sides: Sequence[tuple[Any, Any]], dtype: np.dtype[Any]) -> Real:
    xp = DirectedArrays(dtype)
    with np.errstate(over="ignore"):
        reals = [decorated.given(xp, low, high) for low, high in sides]
    axes = dict(zip(AXES.values(), reals, strict=False))
    root = decorated.root_bounds(tape, axes, reals[len(axes) :], dtype)
    return Real(*(np.broadcast_to(part, reals[0].lower.shape) for part in root))


@in_default_environment
def simplify(
    tape: TapeLike,
    *,
    x: Side,
    y: Side,
    z: Side = 0.0,
    variables: Mapping[str, Side] | None = None,
    keep: Keep = "value",
    backend: BoxBackend = "numba",
    dtype: Any = None,
) -> Any:
    """Shorten a tape for a box, or for each of many; it keeps its values at every float point.

    Parameters
    ----------
    tape : Tape, Expr or Shape
    x, y, z : float or (float, float) or (array, array)
        As for ``interval``.
    variables : dict of str to float or (float, float) or (array, array), optional
        Bounds of free variables, which may else have any value, NaN included. All stay free.
    keep : {"value", "sign"}
        Keep the bits of the value, or only whether it is below 0.
    backend : {"numba", "numpy"}
        As for ``interval``.
    dtype : {None, "float32", "float64"}
        Keep it in one dtype only, which shortens more: constants are folded, and for the sign
        chains of clauses become comparisons with a threshold.

    Returns
    -------
    Tape or list of Tape
        One for a box of numbers; for arrays one a box, in C order of the broadcast shape. Never
        longer than ``tape``.

    Raises
    ------
    OptionError, VariableError
        As ``interval`` does.
    """
    tape, sign_only, compiled = as_tape(tape), keeps_sign(keep), is_compiled(backend)
    given = tape.known(variables)
    ranges = _ranges({"x": x, "y": y, "z": z}) | {
        name: side_of(name, given[name]) if name in given else ANYTHING for name in tape.variables
    }
    dtypes = DTYPE_NAMES if dtype is None else [as_dtype(dtype)]
    boxes = [[box_of(side, each, Meaning.FLOAT) for side in ranges.values()] for each in dtypes]
    shape = broadcast_shape([side.lower.shape for side in boxes[0]])

    def evaluators(found: Tape) -> list[Evaluator]:
        count, kinds = math.prod(shape), ("boxes", "shorten")
        return evaluators_of_boxes(found, dtypes, count, *kinds, compiled=compiled)

    if dtype is None:
        # rounding, and so ties, depend on the dtype: a choice must hold in both
        (first, sides), *also = zip(evaluators(tape), boxes, strict=True)
        tapes = [short.tape for short in first.shorten(sides, sign_only=sign_only, also=also)]
    else:
        from intervalvm.compiler.pipeline import shortened

        question = Question.SIGN if sign_only else Question.VALUE
        runners = {"runner_of": runner_of} if compiled else {}
        tapes = shortened(
            tape, question, Floats(*dtypes), boxes[0], lambda tape: evaluators(tape)[0], **runners
        )
    return tapes if shape else tapes[0]


@in_default_environment
def fold(
    tape: TapeLike,
    how: Fold = "exact",
    *,
    dtype: Any = "float32",
    variables: Mapping[str, float] | None = None,
) -> Tape:
    """Shorten a tape everywhere: fold constants, merge common subexpressions, use identities.

    Parameters
    ----------
    tape : Tape, Expr or Shape
    how : {"exact", "fast"}
        "exact" keeps every bit in ``dtype``; rendering does it anyway. "fast" also uses identities
        of real numbers, which change values: the page on expressions lists them.
    dtype : {"float32", "float64"}
        Constants are rounded to it.
    variables : dict of str to float, optional
        Free variables to replace by constants.

    Returns
    -------
    Tape

    Raises
    ------
    OptionError
        For another word or dtype.
    VariableError
        For an unknown variable.
    """
    bound = as_tape(tape).bind(**mapping("variables", variables))
    from intervalvm.compiler.folding import PASS
    from intervalvm.compiler.pipeline import folded

    of, runner = Floats(as_dtype(dtype)), runner_of(PASS, bound)
    return folded(bound, of, fast=is_fast(how), runner=runner)
