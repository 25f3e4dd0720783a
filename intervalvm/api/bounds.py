"""A tape over one box: its bounds, a shorter tape for it; and a shorter one for everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from intervalvm.api.options import is_fast, keeps_sign, proves_real
from intervalvm.arguments import bounds_text, brief, flag, mapping, parts_of, real
from intervalvm.arith.arrays import DTYPE_NAMES, as_dtype
from intervalvm.arith.directed import DirectedArrays
from intervalvm.compiler.pipeline import folded, shortened
from intervalvm.compiler.program import Question
from intervalvm.environment import in_default_environment
from intervalvm.errors import ArgumentTypeError, OptionError
from intervalvm.evaluate import decorated
from intervalvm.evaluate.decorated import Decoration
from intervalvm.evaluate.evaluators import Floats, Inputs
from intervalvm.expr import TapeLike, as_tape, as_value_tape, settings_for
from intervalvm.hints import hinted
from intervalvm.ops import AXES, choices
from intervalvm.tape import Tape
from intervalvm.words import Fold, Keep, Prove

Side = Any
"""A number, or a pair (low, high) of numbers."""
Sides = list[tuple[float, float, bool]]
"""Of each (low, high, may be NaN)."""


@dataclass(frozen=True)
class Interval:
    """Bounds on all values of a tape over a box; ``maybe_nan`` if some of them may be NaN.

    The bounds hold for the values that are not NaN. A real function (``prove="area"``) has no value
    that is: then ``maybe_nan`` says that it may be undefined at some point, and the interval is
    empty, from inf to -inf, where it is undefined at all of them. ``decoration`` says more, where
    it was asked for. As text it has six digits, rounded outwards.
    """

    lower: float
    upper: float
    maybe_nan: bool
    decoration: Decoration | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the function is undefined at every point of the box."""
        return self.lower > self.upper

    @in_default_environment
    def __str__(self) -> str:
        bounds = (
            "[empty]" if self.is_empty else f"[{', '.join(bounds_text(self.lower, self.upper))}]"
        )
        if self.decoration is not None:
            return f"{bounds}_{self.decoration}"
        return f"{bounds}{' or NaN' if self.maybe_nan else ''}"


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
    dtype: Any = "float32",
) -> Interval:
    """Bounds in ``dtype`` on the values of a tape over a box.

    They enclose every value that ``evaluate`` computes in ``dtype`` at the float points of the box,
    1 or 0 for a truth such as ``x < y``. With ``prove="area"`` they enclose every value of the real
    function at the real points of the box (``ops.real`` says what operations mean there; a constant
    is the float64 that its text is rounded to); with ``prove="point"`` likewise, of a box that is
    one point. With ``decoration`` the interval tells whether the function is defined, continuous
    and bounded, by the decorations of IEEE 1788; this is about the real function, so ``prove`` is
    then "area".

    Each side is a number or a pair (low, high); its ends are rounded to ``dtype``, outwards for
    the real function. Infinite ends are allowed, and mean that the side is unbounded for the real
    function. Raises OptionError for a NaN or a pair the wrong way round, for ``prove="point"`` with
    a side that is no single number, and for a side of no real number where the real function is
    meant; VariableError for a variable that is not set.
    """
    variables, tape = settings_for(tape, variables), as_value_tape(tape)
    named = [_side(name, side) for name, side in zip("xyz", (x, y, z), strict=True)]
    free = [
        _side(name, value)
        for name, value in zip(tape.variables, tape.settings(variables), strict=True)
    ]
    at_point = all(low == high for low, high, _ in (*named, *free))
    if proves_real(prove, decoration=flag("decoration", decoration), at_point=at_point):
        return _of_reals(tape, named, free, as_dtype(dtype), decoration=decoration)
    evaluator = Floats(as_dtype(dtype))
    root = evaluator.bounds(tape, _inputs(named, free, evaluator.dtype)).root
    # Adding 0 makes 0 of -0: as a bound either stands for both.
    return Interval(float(root.lower[0]) + 0.0, float(root.upper[0]) + 0.0, bool(root.maybe_nan[0]))


def _of_reals(
    tape: Tape, named: Sides, free: Sides, dtype: np.dtype[Any], *, decoration: bool
) -> Interval:
    xp = DirectedArrays(dtype)
    reals = []
    for name, (low, high, _) in zip(("x", "y", "z", *tape.variables), (*named, *free), strict=True):
        if low == np.inf or high == -np.inf:
            raise OptionError(f"{name} is ({low}, {high}): there is no real number")
        with np.errstate(over="ignore"):
            reals.append(decorated.given(xp, np.float64(low), np.float64(high)))
    axes = dict(zip(AXES.values(), reals, strict=False))
    root = decorated.bounds(tape, axes, reals[len(axes) :], dtype)[-1]
    return Interval(
        float(root.lower) + 0.0,
        float(root.upper) + 0.0,
        bool(root.maybe_nan),
        Decoration(int(root.decoration)) if decoration else None,
    )


@in_default_environment
def simplify(
    tape: TapeLike,
    *,
    x: Side,
    y: Side,
    z: Side = 0.0,
    variables: Mapping[str, Side] | None = None,
    keep: Keep = "value",
    dtype: Any = None,
) -> Tape:
    """A tape, never longer, that is the same at every float point of a box.

    With ``keep="value"`` it has the same bits, with ``keep="sign"`` the same answer to ``v < 0``:
    in float32 and in float64, or in ``dtype`` alone if one is named, which allows more: constants
    are folded, and for the sign whole chains of clauses become a comparison with the exact float
    at which the answer changes. Sides as for ``interval``. A free variable may have any value, NaN
    included, unless ``variables`` bounds it; all stay free.
    """
    tape, sign_only = as_tape(tape), keeps_sign(keep)
    anything = (-np.inf, np.inf)
    given = mapping("variables", variables)
    tape.settings({**dict.fromkeys(tape.variables, anything), **given})
    free = [
        _side(name, given.get(name, anything), maybe_nan=name not in given)
        for name in tape.variables
    ]
    named = [_side(name, side) for name, side in zip("xyz", (x, y, z), strict=True)]
    evaluators = [Floats(each) for each in (DTYPE_NAMES if dtype is None else [as_dtype(dtype)])]
    boxes = [_inputs(named, free, evaluator.dtype) for evaluator in evaluators]
    return shortened(tape, Question.SIGN if sign_only else Question.VALUE, evaluators, boxes)


def _inputs(named: Sides, free: Sides, dtype: np.dtype[Any]) -> Inputs:
    """The box as intervals of one region."""
    with np.errstate(over="ignore"):
        x, y, z, *rest = (
            choices.Interval(np.array([low], dtype), np.array([high], dtype), np.array([maybe_nan]))
            for low, high, maybe_nan in (*named, *free)
        )
    return Inputs({"var-x": x, "var-y": y, "var-z": z}, rest)


def _side(name: str, side: Side, *, maybe_nan: bool = False) -> tuple[float, float, bool]:
    """(low, high, may be NaN) of a number or a pair."""
    try:
        parts = parts_of(name, side)
    except ArgumentTypeError:
        parts = (side, side)
    try:
        low, high = (real(name, part) for part in parts)
    except (TypeError, ValueError):
        raise OptionError(f"{name}={brief(side)}: give a number or a pair (low, high)") from None
    if not low <= high:
        raise OptionError(f"{name}={brief(side)}: give numbers, the lower one first")
    return low, high, maybe_nan


@in_default_environment
def fold(
    tape: TapeLike,
    how: Fold = "exact",
    *,
    dtype: Any = "float32",
    variables: Mapping[str, float] | None = None,
) -> Tape:
    """A shorter tape of the same value: constants computed, common parts shared, identities used.

    Every bit is the same, for every float, in ``dtype``, to which its constants are rounded;
    rendering does this anyway. With "fast" identities of real numbers are used too, each of which
    breaks something: ``compiler.identities.FAST`` and the page on expressions list them. The given
    ``variables`` become constants, the rest stay free.

    Raises OptionError for another word or dtype, VariableError for a variable that the tape does
    not have.
    """
    bound = as_tape(tape).bind(**mapping("variables", variables))
    return folded(bound, Floats(as_dtype(dtype)), fast=is_fast(how))
