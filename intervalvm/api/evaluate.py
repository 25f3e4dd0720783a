"""``evaluate`` and ``grad``: values and derivatives of a tape at points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from intervalvm.api.options import array_way
from intervalvm.environment import in_default_environment
from intervalvm.evaluate.points import prepare, run
from intervalvm.expr import TapeLike
from intervalvm.gpu.arrays import array_module, with_rules
from intervalvm.gpu.device import device_errors
from intervalvm.memory import Amount, require
from intervalvm.ops import AXES
from intervalvm.words import ArrayBackend, ArrayEngine


@in_default_environment
def evaluate(
    tape: TapeLike,
    x: Any,
    y: Any,
    z: Any = 0.0,
    *,
    variables: Mapping[str, Any] | None = None,
    engine: ArrayEngine = "dense",
    backend: ArrayBackend = "numpy",
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
    backend : {"numpy", "cupy"}
        With "cupy" the result is a CuPy array.
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
    with device_errors():
        module = array_module(on_gpu=way.on_gpu)
        points = prepare(tape, x, y, z, variables=variables, module=module, dtype=dtype)
        if not way.on_gpu:
            points.require_room(max_memory, keep=way.keeps)
        return run(*with_rules(points), keep=way.keeps)


class Gradient(NamedTuple):
    """The values of a tape and its derivatives: arrays of one shape and dtype."""

    value: Any
    dx: Any
    dy: Any
    dz: Any


@in_default_environment
def grad(
    tape: TapeLike,
    x: Any,
    y: Any,
    z: Any = 0.0,
    *,
    variables: Mapping[str, Any] | None = None,
    backend: ArrayBackend = "numpy",
    dtype: Any = "float32",
    max_memory: Amount | None = None,
) -> Gradient:
    """The values of a tape at points, and its partial derivatives.

    Derivatives are those of the real function, computed in ``dtype``. Where branches of ``min``,
    ``max``, ``abs``, ``floor`` and the like meet, the one-sided derivatives along each axis are
    compared: if they are equal, up to the square root of the dtype's epsilon, they are the
    derivative. Otherwise it is that of one branch: of the selected operand, the right one of a tie;
    1 for ``abs`` at 0; 0 for steps. ``sqrt`` at 0 gives infinity, or NaN if its operand's
    derivative is 0.

    Parameters
    ----------
    tape, x, y, z, variables, backend, dtype, max_memory
        As for ``evaluate``, which also raises the same errors.

    Returns
    -------
    Gradient
        Its value is bit for bit that of ``evaluate``.
    """
    way = array_way("dense", backend)
    with device_errors():
        module = array_module(on_gpu=way.on_gpu)
        points = prepare(tape, x, y, z, variables=variables, module=module, dtype=dtype)
        if not way.on_gpu:
            held = points.peak_bytes()
            needed = (1 + len(AXES)) * held + held // points.xp.dtype.itemsize  # and a mask
            what = f"a gradient on {points.shape} points"
            require(needed, what, "take fewer points at a time", max_memory)
        from intervalvm.evaluate.gradients import gradients

        return Gradient(*gradients(points, *with_rules(points)))
