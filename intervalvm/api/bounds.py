"""``interval``, ``simplify`` and ``fold``: bounds of a tape over a box, and shorter tapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from intervalvm.api.options import is_fast, keeps_sign, proves_real
from intervalvm.arguments import bounds_text, brief, flag, mapping, parts_of, real
from intervalvm.arith.arrays import DTYPE_NAMES, as_dtype
from intervalvm.arith.directed import DirectedArrays
from intervalvm.environment import in_default_environment
from intervalvm.errors import ArgumentTypeError, OptionError
from intervalvm.evaluate import decorated
from intervalvm.evaluate.decorated import Decoration
from intervalvm.evaluate.evaluators import Floats, Inputs
from intervalvm.expr import TapeLike, as_tape, as_value_tape, settings_for
from intervalvm.hints import hinted
from intervalvm.ops import AXES, row
from intervalvm.tape import Tape
from intervalvm.words import Fold, Keep, Prove, Question

Side = Any
"""A number, or a pair (low, high) of numbers."""
Sides = list[tuple[float, float, bool]]
"""(low, high, may be NaN) of each."""


@dataclass(frozen=True)
class Interval:
    """Bounds on the values of a tape over a box.

    They enclose all values that are not NaN. As text they have six digits, rounded outwards.

    Attributes
    ----------
    lower, upper : float
        Inf and -inf if the real function is undefined at every point.
    maybe_nan : bool
        Whether a value may be NaN, or the real function undefined.
    decoration : Decoration or None
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
        ends = ["empty"] if self.is_empty else bounds_text(self.lower, self.upper)
        nan = " or NaN" if self.maybe_nan else ""
        return f"[{', '.join(ends)}]{nan if self.decoration is None else f'_{self.decoration}'}"


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
    """Bound the values of a tape over a box.

    The bounds enclose every value that ``evaluate`` computes in ``dtype`` at float points of the
    box; with ``prove``, every value of the real function at real points, as defined in ``ops``. A
    constant is the float64 of its text. A truth is 1 or 0.

    Parameters
    ----------
    tape : Tape, Expr or Shape
    x, y, z : float or (float, float)
        Sides, numbers or pairs (low, high), rounded to ``dtype``, outwards with ``prove``. Ends may
        be infinite; for the real function the side is then unbounded.
    variables : dict of str to float or (float, float), optional
    prove : {None, "point", "area"}
        Bound the real function; "point" takes one number a side.
    decoration : bool
        Decorate the result by IEEE 1788, for the real function.
    dtype : {"float32", "float64"}

    Returns
    -------
    Interval

    Raises
    ------
    OptionError
        For a NaN, a pair in the wrong order, a pair with ``prove="point"``, or a side without a
        real number.
    VariableError
        For a free variable without a value.
    """
    variables, tape = settings_for(tape, variables), as_value_tape(tape)
    named = list(map(_side, "xyz", (x, y, z)))
    free = list(map(_side, tape.variables, tape.settings(variables)))
    at_point = all(low == high for low, high, _ in (*named, *free))
    if proves_real(prove, decoration=flag("decoration", decoration), at_point=at_point):
        return _of_reals(tape, named, free, as_dtype(dtype), decoration=decoration)
    evaluator = Floats(as_dtype(dtype))
    root = evaluator.bounds(tape, _inputs(named, free, evaluator.dtype)).root
    # adding 0 turns -0 into 0: as bounds they are equal
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
    """Shorten a tape for a box; it keeps its values at every float point of it.

    Parameters
    ----------
    tape : Tape, Expr or Shape
    x, y, z : float or (float, float)
        As for ``interval``.
    variables : dict of str to float or (float, float), optional
        Bounds of free variables, which may else have any value, NaN included. All stay free.
    keep : {"value", "sign"}
        Keep the bits of the value, or only whether it is below 0.
    dtype : {None, "float32", "float64"}
        Keep it in one dtype only, which shortens more: constants are folded, and for the sign
        chains of clauses become comparisons with a threshold.

    Returns
    -------
    Tape
        Never longer than ``tape``.

    Raises
    ------
    OptionError, VariableError
        As ``interval`` does.
    """
    tape, sign_only = as_tape(tape), keeps_sign(keep)
    given, anything = tape.known(variables), (-np.inf, np.inf, True)
    free = [_side(name, given[name]) if name in given else anything for name in tape.variables]
    named = list(map(_side, "xyz", (x, y, z)))
    evaluators = [Floats(each) for each in (DTYPE_NAMES if dtype is None else [as_dtype(dtype)])]
    boxes = [_inputs(named, free, evaluator.dtype) for evaluator in evaluators]
    from intervalvm.compiler.pipeline import shortened

    return shortened(tape, Question.SIGN if sign_only else Question.VALUE, evaluators, boxes)


def _inputs(named: Sides, free: Sides, dtype: np.dtype[Any]) -> Inputs:
    """The box as intervals of one region."""
    with np.errstate(over="ignore"):
        x, y, z, *rest = (
            row.Interval(np.array([low], dtype), np.array([high], dtype), np.array([maybe_nan]))
            for low, high, maybe_nan in (*named, *free)
        )
    return Inputs({"var-x": x, "var-y": y, "var-z": z}, rest)


def _side(name: str, side: Side) -> tuple[float, float, bool]:
    """(low, high, False) of a number or a pair."""
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
    return low, high, False


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
    from intervalvm.compiler.pipeline import folded

    return folded(bound, Floats(as_dtype(dtype)), fast=is_fast(how))
