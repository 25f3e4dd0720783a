"""A tape over one box: its bounds, and a shorter tape that is the same inside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from intervalvm.arguments import brief, flag, is_word, mapping, parts_of, real
from intervalvm.arith.arrays import DTYPE_NAMES, as_dtype
from intervalvm.arith.directed import DirectedArrays
from intervalvm.compiler.pipeline import shortened
from intervalvm.digits import shown
from intervalvm.environment import in_default_environment
from intervalvm.errors import ArgumentTypeError, OptionError
from intervalvm.evaluate import decorated
from intervalvm.evaluate.decorated import Decoration
from intervalvm.evaluate.evaluators import Floats, Inputs
from intervalvm.expr import TapeLike, as_tape, as_value_tape, settings_for
from intervalvm.ops import AXES
from intervalvm.ops.choices import Interval
from intervalvm.tape import Tape

ROUNDINGS = ("nearest", "outward")
Side = Any
"""A number, or a pair (low, high) of numbers."""


@dataclass(frozen=True)
class Box:
    """Bounds on all values of a tape over a box; ``maybe_nan`` if some of them may be NaN.

    The bounds hold for the values that are not NaN. A real function (``rounding="outward"``) has no
    value that is: then ``maybe_nan`` says that it may be undefined at some point, and the box is
    empty, from inf to -inf, where it is undefined at all of them. ``decoration`` says more, where
    it was asked for. As text it has six digits, rounded outwards.
    """

    lower: float
    upper: float
    maybe_nan: bool
    decoration: Decoration | None = None

    @property
    def is_empty(self) -> bool:
        return self.lower > self.upper

    @in_default_environment
    def __str__(self) -> str:
        bounds = "[empty]" if self.is_empty else f"[{', '.join(shown(self.lower, self.upper))}]"
        if self.decoration is not None:
            return f"{bounds}_{self.decoration}"
        return f"{bounds}{' or NaN' if self.maybe_nan else ''}"


@in_default_environment
def interval(
    tape: TapeLike,
    *,
    x: Side,
    y: Side,
    z: Side = 0.0,
    variables: Mapping[str, Side] | None = None,
    rounding: str | None = None,
    decoration: bool = False,
    dtype: Any = "float32",
) -> Box:
    """Bounds in ``dtype`` on the values of a tape over a box.

    With ``rounding="nearest"``, the default, they enclose every value that ``evaluate`` computes in
    ``dtype`` at the float points of the box, 1 or 0 for a truth such as ``x < y``; with "outward"
    every value of the real function at its real points (``ops.real`` says what operations
    mean there; a constant is the float64 that its text is rounded to). With ``decoration`` the box
    tells whether the function is defined, continuous and bounded, by the decorations of IEEE 1788;
    this is about the real function, so ``rounding`` is "outward".

    Each side is a number or a pair (low, high); its ends are rounded to ``dtype``, outwards for
    "outward". Infinite ends are allowed, and mean that the side is unbounded for "outward". Raises
    OptionError for a NaN or a pair the wrong way round, for a side of no real number with
    "outward", and for decorations with "nearest"; VariableError for a variable that is not set.
    """
    variables, tape = settings_for(tape, variables), as_value_tape(tape)
    if rounding is None:
        rounding = "outward" if flag("decoration", decoration) else "nearest"
    if not is_word(rounding, ROUNDINGS):
        raise OptionError(
            f"no rounding {brief(rounding)}: choose {' or '.join(map(repr, ROUNDINGS))}"
        )
    if flag("decoration", decoration) and rounding != "outward":
        raise OptionError("decorations are about the real function: give rounding='outward'")
    free = [
        _side(name, value)
        for name, value in zip(tape.variables, tape.settings(variables), strict=True)
    ]
    if rounding == "outward":
        return _outward(tape, (x, y, z), free, as_dtype(dtype), decoration=decoration)
    evaluator = Floats(as_dtype(dtype))
    root = evaluator.bounds(tape, _inputs((x, y, z), free, evaluator.dtype)).root
    # Adding 0 makes 0 of -0: as a bound either stands for both.
    return Box(float(root.lower[0]) + 0.0, float(root.upper[0]) + 0.0, bool(root.maybe_nan[0]))


def _outward(
    tape: Tape,
    sides: tuple[Side, Side, Side],
    free: list[tuple[float, float, bool]],
    dtype: np.dtype[Any],
    *,
    decoration: bool,
) -> Box:
    named = [_side(name, side) for name, side in zip("xyz", sides, strict=True)]
    xp = DirectedArrays(dtype)
    reals = []
    for name, (low, high, _) in zip(("x", "y", "z", *tape.variables), (*named, *free), strict=True):
        if low == np.inf or high == -np.inf:
            raise OptionError(f"{name} is ({low}, {high}): there is no real number")
        with np.errstate(over="ignore"):
            reals.append(decorated.given(xp, np.float64(low), np.float64(high)))
    axes = dict(zip(AXES.values(), reals, strict=False))
    root = decorated.bounds(tape, axes, reals[len(axes) :], dtype)[-1]
    return Box(
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
    keep: str = "value",
    dtype: Any = None,
) -> Tape:
    """A tape, never longer, that is the same at every float point of a box.

    With ``keep="value"`` it has the same bits, with ``keep="sign"`` the same answer to ``v < 0``:
    in float32 and in float64, or in ``dtype`` alone if one is named, which allows more: constants
    are folded, and for the sign whole chains of clauses become a comparison with the exact float
    at which the answer changes. Sides as for ``interval``. A free variable may have any value, NaN
    included, unless ``variables`` bounds it; all stay free.
    """
    tape = as_tape(tape)
    if not is_word(keep, ("value", "sign")):
        raise OptionError(f"keep={brief(keep)} is neither 'value' nor 'sign'")
    anything = (-np.inf, np.inf)
    given = mapping("variables", variables)
    tape.settings({**dict.fromkeys(tape.variables, anything), **given})
    free = [
        _side(name, given.get(name, anything), maybe_nan=name not in given)
        for name in tape.variables
    ]
    evaluators = [Floats(each) for each in (DTYPE_NAMES if dtype is None else [as_dtype(dtype)])]
    boxes = [_inputs((x, y, z), free, evaluator.dtype) for evaluator in evaluators]
    return shortened(tape, "sign" if keep == "sign" else "value", evaluators, boxes)


def _inputs(
    sides: tuple[Side, Side, Side], free: list[tuple[float, float, bool]], dtype: np.dtype[Any]
) -> Inputs:
    """The box as intervals of one region."""
    named = [_side(name, side) for name, side in zip("xyz", sides, strict=True)]
    with np.errstate(over="ignore"):
        x, y, z, *rest = (
            Interval(np.array([low], dtype), np.array([high], dtype), np.array([maybe_nan]))
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
