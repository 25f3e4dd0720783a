"""``evaluate`` and ``grad``: values and derivatives of a tape at points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, overload

import numpy as np

from intervalvm.api.dispatch import cuda_evaluator, evaluator_of_points, inputs_of
from intervalvm.api.inputs import arrays_of, broadcast_shape, names_of
from intervalvm.api.options import array_way
from intervalvm.arith.arrays import as_dtype
from intervalvm.environment import in_default_environment
from intervalvm.evaluate.points import Points, run
from intervalvm.expr import TapeLike, as_value_tape, settings_for
from intervalvm.gpu.arrays import array_module, with_rules
from intervalvm.gpu.device import device_errors
from intervalvm.memory import Amount
from intervalvm.ops import AXES
from intervalvm.tape import Tape
from intervalvm.words import ArrayBackend, ArrayEngine, Way


@in_default_environment
def evaluate(
    tape: TapeLike,
    x: Any,
    y: Any,
    z: Any = 0.0,
    *,
    variables: Mapping[str, Any] | None = None,
    engine: ArrayEngine = "dense",
    backend: ArrayBackend | None = None,
    dtype: Any = "float32",
    max_memory: Amount | None = None,
) -> Any:
    """The values of a tape at points; those of a truth are 1 or 0.

    Parameters
    ----------
    tape : Tape, Expr or Shape
    x, y, z : float or array
        They broadcast, and are rounded once to ``dtype``. NaN and infinity follow IEEE 754.
    variables : dict of str to float or array, optional
    engine : {"dense", "naive"}
        "naive" keeps every array.
    backend : {"numba", "numpy", "cupy"}, optional
        All give the same bits. "numba", the default of "dense", is compiled, and NumPy runs while
        compiling would cost more than it saves. "naive" has the others. With "cupy" the result is a
        CuPy array, and inputs may be arrays of a GPU, as for ``Evaluator`` with "cuda".
    dtype : {"float32", "float64"}
    max_memory : int, float or str, optional
        Bytes, or text such as "4G"; by default the available memory.

    Returns
    -------
    array
        Of ``dtype`` and the broadcast shape; a scalar for scalars.

    Raises
    ------
    ArgumentTypeError, OptionError
        For an input that is no real number, or an integer beyond float64.
    VariableError
        For a free variable without a value.
    DoesNotFit
        If ``max_memory`` is not enough.
    BackendError, DeviceError
        If the back end is not available, or a GPU fails.
    """
    way = array_way(engine, backend)
    if way.on_gpu:
        with device_errors():
            return run(*with_rules(_points(way, tape, x, y, z, variables, dtype)), keep=way.keeps)
    if way.keeps:
        points = _points(way, tape, x, y, z, variables, dtype)
        points.require_room(max_memory, keep=True)
        return run(points, keep=True)
    ready, arrays, chosen = _inputs(tape, x, y, z, variables, dtype)
    shapes = [array.shape for array in arrays]
    shape, compiled = broadcast_shape(shapes), way.is_compiled
    evaluator = evaluator_of_points(ready, chosen, shapes, shape, max_memory, compiled=compiled)
    found = evaluator.values(arrays)
    return found if shape else found[()]


def _inputs(
    tape: TapeLike,
    x: Any,
    y: Any,
    z: Any,
    variables: Mapping[str, Any] | None,
    dtype: Any,
    *,
    module: Any = np,
) -> tuple[Tape, list[Any], np.dtype[Any]]:
    """The tape, the arrays of its ``inputs_of``, and their dtype. Raises as ``evaluate`` does."""
    given, ready = settings_for(tape, variables), as_value_tape(tape)
    chosen = as_dtype(dtype)
    arrays = arrays_of(AXES, (x, y, z), chosen, module)
    if ready.variables or given is not None:
        arrays += arrays_of(ready.variables, ready.settings(given), chosen, module)
    return ready, arrays, chosen


def _points(
    way: Way,
    tape: TapeLike,
    x: Any,
    y: Any,
    z: Any,
    variables: Mapping[str, Any] | None,
    dtype: Any,
) -> Points:
    """The points of an evaluation by whole arrays of NumPy or of CuPy."""
    module = array_module(on_gpu=way.on_gpu)
    ready, arrays, chosen = _inputs(tape, x, y, z, variables, dtype, module=module)
    broadcast_shape([array.shape for array in arrays])
    return Points.of(ready, dict(zip(inputs_of(ready), arrays, strict=True)), chosen, module)


class Gradient(NamedTuple):
    """The values of a tape and its derivatives: arrays of one shape and dtype."""

    value: Any
    dx: Any
    dy: Any
    dz: Any


class Derivatives(NamedTuple):
    """The values of a tape, and its derivatives by named inputs: arrays of one shape and dtype."""

    value: Any
    by: dict[str, Any]
    """The derivative by each, in the order in which they were asked for."""


@overload
def grad(
    tape: TapeLike,
    x: Any,
    y: Any,
    z: Any = 0.0,
    *,
    by: None = None,
    variables: Mapping[str, Any] | None = None,
    backend: ArrayBackend | None = None,
    dtype: Any = "float32",
    max_memory: Amount | None = None,
) -> Gradient: ...


@overload
def grad(
    tape: TapeLike,
    x: Any,
    y: Any,
    z: Any = 0.0,
    *,
    by: Sequence[str],
    variables: Mapping[str, Any] | None = None,
    backend: ArrayBackend | None = None,
    dtype: Any = "float32",
    max_memory: Amount | None = None,
) -> Derivatives: ...


@in_default_environment
def grad(
    tape: TapeLike,
    x: Any,
    y: Any,
    z: Any = 0.0,
    *,
    by: Sequence[str] | None = None,
    variables: Mapping[str, Any] | None = None,
    backend: ArrayBackend | None = None,
    dtype: Any = "float32",
    max_memory: Amount | None = None,
) -> Gradient | Derivatives:
    """The values of a tape at points, and its partial derivatives.

    Derivatives are those of the real function, computed in ``dtype``. Where branches of ``min``,
    ``max``, ``abs``, ``floor`` and the like meet, the one-sided derivatives along each axis are
    compared: if they are equal, up to the square root of the dtype's epsilon, they are the
    derivative. Otherwise it is that of one branch: of the selected operand, the right one of a tie;
    1 for ``abs`` at 0; 0 for steps. ``sqrt`` at 0 gives infinity, or NaN if its operand's
    derivative is 0.

    Parameters
    ----------
    tape, x, y, z
        As for ``evaluate``, which also raises the same errors.
    by : sequence of str, optional
        The inputs to differentiate by: "x", "y", "z" or names of variables.
    variables, backend, dtype, max_memory
        As for ``evaluate``.

    Returns
    -------
    Gradient or Derivatives
        Without ``by`` a ``Gradient``: value, dx, dy, dz. With it ``Derivatives``: value, and a dict
        by name. The value is bit for bit that of ``evaluate``.
    """
    way = array_way("dense", backend)
    module = array_module(on_gpu=way.on_gpu)
    ready, arrays, chosen = _inputs(tape, x, y, z, variables, dtype, module=module)
    names = _directions(by, inputs_of(ready))
    shapes = [array.shape for array in arrays]
    shape, slopes = broadcast_shape(shapes), len(names)
    if way.on_gpu:
        evaluator = cuda_evaluator(ready, inputs_of(ready), chosen)
    else:
        compiled = way.is_compiled
        evaluator = evaluator_of_points(
            ready, chosen, shapes, shape, max_memory, compiled=compiled, slopes=slopes
        )
    found = evaluator.gradients(arrays, names)
    return _named(by, names, [found[k, ...] for k in range(1 + slopes)])


def _directions(by: Sequence[str] | None, inputs: tuple[str, ...]) -> tuple[str, ...]:
    """The inputs to differentiate by; None is the axes."""
    return tuple(AXES) if by is None else names_of("by", by, inputs)


def _named(by: Any, names: tuple[str, ...], found: Any) -> Gradient | Derivatives:
    value, *slopes = found
    if by is None:
        return Gradient(value, *slopes)
    return Derivatives(value, dict(zip(names, slopes, strict=True)))
