"""``evaluate`` and ``grad``: values and derivatives of a tape at points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from intervalvm import late
from intervalvm.api.options import array_way
from intervalvm.environment import in_default_environment
from intervalvm.evaluate.gradients import gradients
from intervalvm.evaluate.points import prepare, run
from intervalvm.expr import TapeLike
from intervalvm.gpu.arrays import array_module, with_rules
from intervalvm.gpu.device import device_errors
from intervalvm.memory import Amount, require
from intervalvm.ops import AXES
from intervalvm.words import ArrayBackend, ArrayEngine


@late.provides
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
    """The value of ``tape`` at each point, in ``dtype``, of the shape that the inputs broadcast to.

    ``x``, ``y``, ``z`` and the values of ``variables`` are real numbers or arrays of them; each is
    rounded once to ``dtype``. NaN and infinity go through as IEEE 754 has it. A truth, such as
    ``x < y``, is 1 or 0. With ``backend="cupy"`` arrays are CuPy's, and so is the result. Raises
    ArgumentTypeError for what is no real number, such as text, None or a complex number,
    OptionError for an integer beyond float64, DoesNotFit if the arrays would need more than
    ``max_memory`` bytes (by default: than is available), VariableError for a variable that is not
    set, BackendError where the back end is not there, DeviceError where the GPU fails.
    """
    way = array_way(engine, backend)
    with device_errors():
        module = array_module(on_gpu=way.on_gpu)
        points = prepare(tape, x, y, z, variables=variables, module=module, dtype=dtype)
        if not way.on_gpu:
            points.require_room(max_memory, keep=way.keeps)
        return run(*with_rules(points), keep=way.keeps)


class Gradient(NamedTuple):
    """The values of a tape and its derivatives, arrays of one shape."""

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
    """The value of ``tape`` at each point and its partial derivatives by x, y and z.

    Each has the shape that the inputs broadcast to. The value is that of ``evaluate``, bit for bit;
    the derivatives are those of the real function, computed in ``dtype``. Where branches meet, as
    those of ``min``, ``max``, ``abs`` and ``floor`` do, the slopes on both sides of the point are
    compared along each axis: equal ones, up to the root of the dtype's epsilon, are the derivative.
    Where they differ there is none, and the slope of one branch is given: that of the operand that
    the value is, the right one where ``min`` or ``max`` tie; 1 for ``abs`` at 0; 0 for ``floor``
    and other steps. ``sqrt`` at 0 gives infinity, or NaN where its operand's slope is 0. Raises as
    ``evaluate`` does.
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
        return Gradient(*gradients(points, *with_rules(points)))
