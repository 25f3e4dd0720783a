"""The inputs of calls as arrays: coordinates and variables of points, and sides of boxes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from intervalvm.arguments import brief, did_you_mean, parts_of, real
from intervalvm.arith.directed import DOWN, UP, DirectedArrays
from intervalvm.errors import ArgumentTypeError, OptionError, VariableError
from intervalvm.evaluate.points import reads
from intervalvm.gpu import exchange
from intervalvm.ops import AXES
from intervalvm.ops.row import Interval
from intervalvm.raster import canvas
from intervalvm.tape import Tape
from intervalvm.words import Meaning

Side = Any
"""A number, or a pair (low, high) of numbers or of arrays of them."""


class Range(NamedTuple):
    """The sides of boxes along one input: numbers, or float64 arrays, with low <= high."""

    low: Any
    high: Any
    maybe_nan: bool = False


ANYTHING = Range(-np.inf, np.inf, maybe_nan=True)


LEAST, MOST = math.ldexp(1, -126), math.ldexp(1, 127)
"""Between them, and for 0, rounding a number to float32 neither overflows nor underflows."""


def arrays_of(
    names: Iterable[str], values: Iterable[Any], dtype: np.dtype[Any], module: Any = np
) -> list[Any]:
    """Inputs of points as arrays, rounded to ``dtype``. Raises as ``exchange.of_host`` does."""
    found = []
    for name, value in zip(names, values, strict=True):
        kind = type(value)
        if module is np and kind is np.ndarray and value.dtype is dtype and value.flags.aligned:
            found.append(value)
        elif module is np and kind is float and (not value or LEAST <= abs(value) < MOST):
            found.append(np.array(value, dtype))  # the context below takes ten times as long
        else:
            with np.errstate(all="ignore"):
                found.append(_read(name, value, dtype, module))
    return found


def _read(name: str, value: Any, dtype: np.dtype[Any], module: Any = np) -> Any:
    """``exchange.of_host``, at an address where compiled code may read such numbers."""
    if module is not np:
        return exchange.read(name, value, dtype)
    found = exchange.of_host(name, value, dtype)
    return found if found.flags.aligned else found.copy()


def broadcast_shape(shapes: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape to which inputs broadcast. Raises OptionError."""
    shapes = list(shapes)
    if all(shape == shapes[0] or not shape for shape in shapes):  # sooner than NumPy
        return shapes[0]
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError as error:
        listed = ", ".join(map(str, shapes))
        raise OptionError(
            f"x, y, z and the variables do not broadcast together: {listed}"
        ) from error


def side_of(name: str, side: Side) -> Range:
    """The range of a side. Raises OptionError for anything but numbers in order."""
    try:
        low, high = (_end(name, part) for part in _parts(name, side))
    except (TypeError, ValueError):
        raise _no_side(name, side) from None
    if isinstance(low, np.ndarray) or isinstance(high, np.ndarray):
        broadcast_shape([np.shape(low), np.shape(high)])
        low, high = np.broadcast_arrays(low, high)
    if not np.all(low <= high):
        raise _no_order(name, side)
    return Range(low, high)


def _parts(name: str, side: Side) -> tuple[Any, ...]:
    """Those of a pair, or twice what has none."""
    try:
        return parts_of(name, side)
    except ArgumentTypeError:
        return side, side


def _no_side(name: str, side: Side) -> OptionError:
    return OptionError(
        f"{name}={brief(side)}: give a number or a pair (low, high) of numbers or arrays"
    )


def _no_order(name: str, side: Side) -> OptionError:
    return OptionError(f"{name}={brief(side)}: give numbers, the lower one first")


def _end(name: str, part: Any) -> Any:
    """A number as a float, or an array of float64."""
    try:
        return real(name, part)
    except ArgumentTypeError:
        return _read(name, part, np.dtype(np.float64))


def side_on_host(name: str, side: Side) -> tuple[Any, ...]:
    """The parts of a side, copied if they lie on the GPU. Raises as ``exchange.in_place`` does."""
    return tuple(
        exchange.on_host(part) if exchange.is_shared(part) else part
        for part in _shared_parts(name, side)
    )


def _shared_parts(name: str, side: Side) -> tuple[Any, ...]:
    """The parts of a side, as CuPy arrays those that lie on the GPU."""
    whole = exchange.in_place(name, side)
    parts = _parts(name, side if whole is None else whole)
    shared = [exchange.in_place(name, part) for part in parts]
    return tuple(
        part if array is None else array for part, array in zip(parts, shared, strict=True)
    )


def box_on_gpu(name: str, side: Side, dtype: np.dtype[Any]) -> Interval:
    """The side in ``dtype`` as arrays of the GPU, for the float program.

    Raises as ``side_of`` does: a box whose ends are in the wrong order has bounds that look right.
    So it waits for those that lie on the GPU, in an order that CuPy finds by no comparison of its
    own: it would not see that of subnormal numbers.
    """
    parts, wide = _shared_parts(name, side), np.dtype(np.float64)
    if not any(map(exchange.is_shared, parts)):
        lower, upper, _ = box_of(side_of(name, side), dtype, Meaning.FLOAT)
        ends = [exchange.read(name, end, dtype) for end in (lower, upper)]
    else:
        # as numbers of the host are compared: before they are rounded
        ready = all(exchange.is_shared(part) and part.dtype == dtype for part in parts)
        try:
            low, high = (exchange.read(name, part, dtype if ready else wide) for part in parts)
        except (TypeError, ValueError):
            raise _no_side(name, side) from None
        broadcast_shape([low.shape, high.shape])
        if not exchange.in_order(low, high):
            raise _no_order(name, side)
        ends = [exchange.converted(end, dtype) for end in (low, high)]
    lower, upper = exchange.broadcast(*ends)
    return Interval(lower, upper, exchange.read(name, False, np.dtype(np.bool_)))


def box_of(range_: Range, dtype: np.dtype[Any], meaning: Meaning) -> Interval:
    """The side in ``dtype``: ends to nearest for the float program, outwards for the real function.

    Raises OptionError if the real function has no number there.
    """
    low, high, maybe_nan = range_
    with np.errstate(all="ignore"):
        if meaning is Meaning.FLOAT:
            return Interval(np.asarray(low, dtype), np.asarray(high, dtype), np.asarray(maybe_nan))
        xp = DirectedArrays(dtype)
        ends = xp.towards(DOWN, np.float64(low), np.nan), xp.towards(UP, np.float64(high), np.nan)
        lower, upper = map(np.asarray, ends)
        return Interval(lower, upper, np.asarray(maybe_nan))


def check_real(name: str, range_: Range) -> None:
    """Raise OptionError for a side without a real number, as from inf to inf."""
    if np.any(range_.low == np.inf) or np.any(range_.high == -np.inf):
        shown = f"({brief(range_.low)}, {brief(range_.high)})"
        raise OptionError(f"{name} is {shown}: there is no real number")


def out_of(out: Any, shape: tuple[int, ...], dtype: np.dtype[Any], module: Any) -> Any:
    """``out`` as an array of ``module``, which can take a result of this shape.

    Raises as ``canvas.check_out`` and ``exchange.writable`` do, OptionError if it does not fit.
    """
    if module is np:
        canvas.check_out(out)
        array = out
    else:
        array = exchange.writable(out)
    if array.dtype != dtype or array.shape != shape:
        raise OptionError(
            f"out is {array.dtype.str} of shape {array.shape}: the result is {dtype.str} of "
            f"shape {shape}"
        )
    return array


def input_names(tape: Tape, inputs: Sequence[str] | None) -> tuple[str, ...]:
    """The names of the inputs of an evaluator, checked; None is the default."""
    read = reads(tape)
    if inputs is None:
        return ("x", "y", *(["z"] if "z" in read else []), *tape.variables)
    known = *AXES, *tape.variables
    names = names_of("inputs", inputs, known)
    if not names:
        raise OptionError("inputs is empty: give at least one name")
    if missing := [name for name in known if name in read and name not in names]:
        raise VariableError(f"inputs={brief(inputs)} lacks {', '.join(missing)}: the tape reads it")
    return names


def names_of(name: str, given: Any, inputs: Sequence[str]) -> tuple[str, ...]:
    """Names of inputs, each once: those of the argument ``name``."""
    names = (given,) if isinstance(given, str) else parts_of(name, given, len(inputs))
    for each in names:
        if not isinstance(each, str):
            raise ArgumentTypeError(f"{name}={brief(given)}: give names, as in ('x', 'y')")
        if each not in inputs:
            raise unknown_input(each, inputs)
    if len(set(names)) < len(names):
        raise OptionError(f"{name}={brief(given)} names an input twice")
    return names


def unknown_input(name: str, inputs: Sequence[str]) -> VariableError:
    """The error for a name that is no input."""
    hint, listed = did_you_mean(name, inputs), ", ".join(inputs)
    return VariableError(f"there is no input {brief(name)}{hint}; there are {listed}")


def given_in_order(
    inputs: Sequence[str],
    call: str,
    places: tuple[Any, ...],
    named: Mapping[str, Any],
    defaults: Mapping[str, Any],
) -> list[Any]:
    """What is given of ``inputs``, in their order, by position and by name.

    Raises for one too many or too few.
    """
    if len(places) > len(inputs):
        listed = ", ".join(inputs)
        raise ArgumentTypeError(
            f"{call} was given {len(places)} inputs, but there are {len(inputs)}: {listed}"
        )
    known = dict(zip(inputs, places, strict=False))
    for name, value in named.items():
        if name not in inputs:
            raise unknown_input(name, inputs)
        if name in known:
            raise ArgumentTypeError(f"{call} was given {name} by position and by name")
        known[name] = value
    found = {name: defaults[name] for name in inputs if name in defaults} | known
    if missing := [name for name in inputs if name not in found]:
        raise VariableError(
            f"{call} lacks {', '.join(missing)}: give {', '.join(inputs)} in this order, or by name"
        )
    return [found[name] for name in inputs]
