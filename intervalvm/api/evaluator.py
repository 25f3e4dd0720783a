"""``Evaluator``: a tape prepared for callers who ask often."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.api.bounds import Interval, public
from intervalvm.api.dispatch import compiled_evaluator, cuda_evaluator
from intervalvm.api.inputs import (
    ANYTHING,
    Side,
    arrays_of,
    box_of,
    box_on_gpu,
    broadcast_shape,
    check_real,
    given_in_order,
    input_names,
    names_of,
    out_of,
    side_of,
    side_on_host,
)
from intervalvm.api.options import evaluator_way, keeps_sign, proves_real
from intervalvm.arith.arrays import as_dtype
from intervalvm.environment import in_default_environment
from intervalvm.errors import OptionError
from intervalvm.evaluate import evaluator as protocol
from intervalvm.evaluate.evaluator import NumpyEvaluator
from intervalvm.expr import TapeLike, as_value_tape
from intervalvm.expr.convert import defaults_of
from intervalvm.gpu.device import device_errors
from intervalvm.ops import row
from intervalvm.tape import Tape
from intervalvm.words import EvaluatorBackend, Keep, Meaning, Prove


class Evaluator:
    """A tape prepared for callers who ask often: nothing that depends on it alone is done twice.

    Inputs are given by position, in the order of ``inputs``, or by name; one called like an option,
    such as "out", by position only. "z" may be left out, which is then 0, and a variable of a shape
    that has a default. An array of ``dtype`` is read where it lies; anything else is converted as
    ``evaluate`` does. The bits are those of ``evaluate``, ``grad``, ``interval`` and ``simplify``.

    An evaluator may be pickled and shared by any number of threads: compiled code runs side by
    side, without Python's lock.

    Parameters
    ----------
    tape : Tape, Expr or Shape
    dtype : {"float32", "float64"}
    inputs : sequence of str, optional
        The order of the inputs: "x", "y", "z" and names of variables, with all that the tape
        reads. By default x, y, z if the tape reads it, and its variables.
    prove : {None, "point", "area"}
        Bound and shorten the real function, in place of the float program; "point" takes one number
        a side. It has no ``values`` and no ``gradients``.
    backend : {"numba", "numpy", "cuda"}
        All give the same bits. "numba" is compiled when first asked, once on a machine. "cuda" runs
        on the GPU, without ``prove`` and ``slopes``. Results are CuPy arrays there, of no dimension
        for numbers. Inputs and ``out`` may be arrays of any library that shares those of a CUDA
        device, by DLPack or ``__cuda_array_interface__``. All work runs on CuPy's current stream.
        No GPU has run it yet.

    Raises
    ------
    OptionError, ArgumentTypeError
        For an invalid argument.
    BackendError, DeviceError
        If the back end is not available, or a GPU fails.
    VariableError
        For inputs that lack what the tape reads, or that it does not have.
    """

    __slots__ = ("_defaults", "_evaluator", "_on_gpu", "_prove")

    @in_default_environment
    def __init__(
        self,
        tape: TapeLike,
        *,
        dtype: Any = "float32",
        inputs: Sequence[str] | None = None,
        prove: Prove | None = None,
        backend: EvaluatorBackend = "numba",
    ) -> None:
        ready, chosen = as_value_tape(tape), as_dtype(dtype)
        names, way = input_names(ready, inputs), evaluator_way(backend, prove)
        meaning = Meaning.FLOAT if prove is None else Meaning.REAL
        self._evaluator: protocol.Evaluator
        if way.on_gpu:
            self._evaluator = cuda_evaluator(ready, names, chosen)
        else:
            make = compiled_evaluator if way.is_compiled else NumpyEvaluator
            self._evaluator = make(ready, names, chosen, meaning)
        self._prove, self._defaults = prove, {"z": 0.0, **defaults_of(tape)}
        self._on_gpu = way.on_gpu

    @property
    def tape(self) -> Tape:
        """The tape."""
        return self._evaluator.tape

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs, in order."""
        return self._evaluator.inputs

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of values and bounds."""
        return self._evaluator.dtype

    def __repr__(self) -> str:
        proves = "" if self._prove is None else f", prove={self._prove!r}"
        where = " on a GPU" if self._on_gpu else ""
        return f"<Evaluator of {len(self.tape)} clauses in {', '.join(self.inputs)}{proves}{where}>"

    @in_default_environment
    def values(self, /, *arrays: Any, out: Any = None, **named: Any) -> Any:
        """The values at points.

        Parameters
        ----------
        *arrays : float or array
            The inputs, which broadcast.
        out : array, optional
            Takes the values: of ``dtype`` and the broadcast shape, C-contiguous and writable.
        **named : float or array
            Inputs by name.

        Returns
        -------
        array
            ``out`` if given; a scalar for scalars.

        Raises
        ------
        OptionError, ArgumentTypeError, VariableError
            For inputs as ``evaluate`` does, and for another ``out``.
        """
        points, shape = self._points("values", arrays, named)
        if out is None:
            found = self._evaluator.values(points)
            return found if shape else found[()]
        return self._written(out, shape, points, partial(self._evaluator.values, points))

    @in_default_environment
    def gradients(
        self,
        /,
        *arrays: Any,
        by: Sequence[str] | None = None,
        out: Any = None,
        **named: Any,
    ) -> Any:
        """The values at points, and the derivatives by inputs, as ``grad`` computes them.

        Parameters
        ----------
        *arrays : float or array
            The inputs, which broadcast.
        by : sequence of str, optional
            The inputs to differentiate by; by default all.
        out : array, optional
            Takes the result: of ``dtype`` and its shape, C-contiguous and writable.
        **named : float or array
            Inputs by name.

        Returns
        -------
        array [1 + len(by), ...]
            The values, then the derivative by each of ``by``; ``out`` if given.

        Raises
        ------
        OptionError, ArgumentTypeError, VariableError
            As ``values`` does, and for ``by``.
        """
        points, shape = self._points("gradients", arrays, named)
        names = self.inputs if by is None else names_of("by", by, self.inputs)
        if out is None:
            return self._evaluator.gradients(points, names)
        whole = 1 + len(names), *shape
        return self._written(out, whole, points, partial(self._evaluator.gradients, points, names))

    @in_default_environment
    def bounds(self, /, *sides: Side, **named: Side) -> Interval:
        """Bounds of the values over a box, or over each of many boxes.

        With ``prove`` those of the real function: up to two ulps a clause wider than those of
        ``interval``.

        Parameters
        ----------
        *sides : float or (float, float) or (array, array)
            The sides by input: numbers, or pairs (low, high), as for ``interval``.
        **named : float or (float, float) or (array, array)
            Sides by name.

        Returns
        -------
        Interval
            Of numbers for one box, else of arrays of the broadcast shape.

        Raises
        ------
        OptionError, VariableError
            As ``interval`` does.
        """
        boxes, shape = self._boxes("bounds", sides, named)
        found = self._evaluator.bounds(boxes)
        parts = [part.reshape(shape) for part in found]
        return public(row.Interval(*parts)) if self._module is np else Interval(*parts)

    @in_default_environment
    def slopes(self, /, *sides: Side, by: Sequence[str] | None = None, **named: Side) -> Interval:
        """Bounds of the values and of the derivatives over a box, or over each of many boxes.

        The derivatives are those of the real function, also without ``prove``. All difference
        quotients between two points of the box that differ in one input lie within: where branches
        of ``min`` meet, both count, and what may jump has infinite bounds. Over a box that is flat
        in an input of ``by`` they hold the generalised gradient, which looks to both sides of it.

        Parameters
        ----------
        *sides : float or (float, float) or (array, array)
            The sides by input: numbers, or pairs (low, high), as for ``interval``.
        by : sequence of str, optional
            The inputs to differentiate by; by default all.
        **named : float or (float, float) or (array, array)
            Sides by name.

        Returns
        -------
        Interval
            Of arrays [1 + len(by), ...] of the broadcast shape: bounds of the values, then of the
            derivative by each of ``by``, infinite where nothing is known. ``maybe_nan`` is that of
            the value.

        Raises
        ------
        OptionError, ArgumentTypeError, VariableError
            As ``bounds`` does, and for ``by``.
        """
        names = self.inputs if by is None else names_of("by", by, self.inputs)
        boxes, shape = self._boxes("slopes", sides, named)
        found = self._evaluator.slope_bounds(boxes, names)
        whole = 1 + len(names), *shape
        lower, upper = (
            np.concatenate((np.reshape(value, (1, *shape)), np.reshape(ends, (-1, *shape))))
            for value, ends in ((found.value.lower, found.lower), (found.value.upper, found.upper))
        )
        maybe_nan = np.broadcast_to(np.reshape(found.value.maybe_nan, shape), whole).copy()
        return public(row.Interval(lower, upper, maybe_nan))

    @in_default_environment
    def shorten(self, /, *sides: Side, keep: Keep = "value", **named: Side) -> list[Evaluator]:
        """For each box an evaluator of a shorter tape, with the same bits at every point of it.

        The inputs stay the same, even those that the tape no longer reads.

        Parameters
        ----------
        *sides : float or (float, float) or (array, array)
            The sides by input, as for ``bounds``. A variable may be left out, which may then have
            any value, NaN included.
        keep : {"value", "sign"}
            Keep the bits of the value, or only whether it is below 0.
        **named : float or (float, float) or (array, array)
            Sides by name.

        Returns
        -------
        list of Evaluator
            One a box, in C order of the broadcast shape.

        Raises
        ------
        OptionError, VariableError
            As ``simplify`` does.
        """
        sign_only = keeps_sign(keep)
        free = dict.fromkeys(self.tape.variables, ANYTHING)
        given = given_in_order(self.inputs, "shorten", sides, named, {**self._defaults, **free})
        if self._module is not np:  # tapes are shortened on the host
            given = [
                side if side is ANYTHING else side_on_host(name, side)
                for name, side in zip(self.inputs, given, strict=True)
            ]
        boxes, _ = self._boxes_on_host(given)
        return [self._with(short) for short in self._evaluator.shorten(boxes, sign_only=sign_only)]

    def _with(self, evaluator: protocol.Evaluator) -> Evaluator:
        """The same with another tape."""
        made = Evaluator.__new__(Evaluator)
        made._evaluator, made._prove, made._defaults = evaluator, self._prove, self._defaults
        made._on_gpu = self._on_gpu
        return made

    @property
    def _module(self) -> Any:
        """The library of its arrays: NumPy, or CuPy."""
        if not self._on_gpu:
            return np
        from intervalvm.gpu import devices

        return devices.current().module

    def _written(
        self,
        out: Any,
        shape: tuple[int, ...],
        points: Sequence[Any],
        ask: Callable[[Any], Any],
    ) -> Any:
        """``out`` with a result, which is of new memory first if an input may lie in ``out``."""
        module = self._module
        array = out_of(out, shape, self.dtype, module)
        if any(module.may_share_memory(array, point) for point in points):
            with device_errors():
                array[...] = ask(None)
        else:
            ask(array)
        return out

    def _points(
        self, call: str, arrays: tuple[Any, ...], named: dict[str, Any]
    ) -> tuple[list[NDArray[Any]], tuple[int, ...]]:
        """The inputs as arrays, and their broadcast shape."""
        if self._prove is not None:
            raise OptionError(
                f"prove={self._prove!r} has no {call}, only bounds and shorten: make an evaluator "
                "without prove"
            )
        inputs, dtype = self.inputs, self.dtype
        if named or len(arrays) != len(inputs):
            arrays = tuple(given_in_order(inputs, call, arrays, named, self._defaults))
        points = arrays_of(inputs, arrays, dtype, self._module)
        shape: tuple[int, ...] = points[0].shape
        for point in points:
            if point.shape != shape:
                return points, broadcast_shape([each.shape for each in points])
        return points, shape

    def _boxes(
        self, call: str, sides: tuple[Side, ...], named: dict[str, Side]
    ) -> tuple[list[row.Interval], tuple[int, ...]]:
        """The sides as intervals of the evaluator's arrays, and their broadcast shape."""
        given = given_in_order(self.inputs, call, sides, named, self._defaults)
        if self._module is np:
            return self._boxes_on_host(given)
        boxes = [
            box_on_gpu(name, side, self.dtype)
            for name, side in zip(self.inputs, given, strict=True)
        ]
        return boxes, broadcast_shape([side.lower.shape for side in boxes])

    def _boxes_on_host(self, given: Sequence[Side]) -> tuple[list[row.Interval], tuple[int, ...]]:
        """The sides by input as intervals of NumPy's arrays, and their broadcast shape."""
        ranges = [
            side if side is ANYTHING else side_of(name, side)
            for name, side in zip(self.inputs, given, strict=True)
        ]
        if self._prove is not None:
            is_point = all(side is ANYTHING or np.all(side.low == side.high) for side in ranges)
            proves_real(self._prove, decoration=False, at_point=is_point)
            for name, side in zip(self.inputs, ranges, strict=True):
                if side is not ANYTHING:
                    check_real(name, side)
        boxes = [box_of(side, self.dtype, self._evaluator.meaning) for side in ranges]
        return boxes, broadcast_shape([side.lower.shape for side in boxes])
