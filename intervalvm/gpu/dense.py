"""Dense evaluation on a GPU: one launch a clause, of the rules that all other kernels run.

CuPy's own functions cannot be used: CuPy always compiles with ``-ftz=true``, which flushes
subnormal float32 to 0, so points just below 0 would be outside. A ``min`` would also need several.

Operands are arrays of the result's shape, or one number; others are broadcast first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from intervalvm.compiler.program import NUMBER, Variant
from intervalvm.gpu import devices
from intervalvm.gpu.clauses import THREADS
from intervalvm.gpu.kernels import Kernel
from intervalvm.gpu.target import check_target
from intervalvm.ops import ROWS

if TYPE_CHECKING:
    from intervalvm.evaluate.points import Points

VARIANTS = [NUMBER[Variant(op.name, "f" * op.arity, "f")] if op.arity else None for op in ROWS]
"""By operation: the variant of ``compiler.program`` that computes it."""


class Clauses:
    """The operations of ``ops`` on CuPy arrays of one dtype, on the current device.

    Raises BackendError where numba-cuda is not installed.
    """

    def __init__(self, module: ModuleType, dtype: np.dtype[Any]) -> None:
        check_target()
        self.module, self.dtype, self.device = module, dtype, devices.current()
        self._clause = Kernel("clause", dtype.name, tame=False, is_bitmap=False)
        self._inside = Kernel("inside", dtype.name, tame=False, is_bitmap=True)
        self.device.load(self._clause)

    @property
    def rules(self) -> list[Callable[..., Any] | None]:
        """By operation what computes it, called as the rules of ``ops`` are."""
        return [None if v is None else partial(self._run, v) for v in VARIANTS]

    def prepared(self, points: Points) -> Points:
        """Points with all inputs as flat arrays of the device."""
        module = self.module
        constants = module.asarray(points.tape.constants(self.dtype))
        axes, free = (
            [module.ascontiguousarray(a).reshape(a.shape) for a in arrays]
            for arrays in (points.axes, points.free)
        )
        return replace(points, axes=axes, free=free, constants=constants)

    def _run(self, variant: int, _xp: Any, a: Any, b: Any = None) -> Any:
        b = a if b is None else b
        # that of most clauses; the general lookup takes a third of a launch
        shape = a.shape if a.shape == b.shape else np.broadcast_shapes(a.shape, b.shape)
        out = self.module.empty(shape, self.dtype)
        (a, a_step), (b, b_step) = (self._operand(operand, shape) for operand in (a, b))
        count = out.size
        if count:
            self.device.launch(
                self._clause, -(-count // THREADS), THREADS,
                variant, count, out, a, a_step, b, b_step,
            )  # fmt: skip
        return out

    def _operand(self, a: Any, shape: tuple[int, ...]) -> tuple[Any, int]:
        if a.size == 1:
            return a, 0
        if a.shape != shape:
            a = self.module.ascontiguousarray(self.module.broadcast_to(a, shape))
        return a, 1

    def inside(self, values: Any) -> Any:
        """255 where a value is below 0, else 0."""
        self.device.load(self._inside)
        image = self.module.empty(values.shape, np.uint8)
        count = values.size
        self.device.launch(self._inside, -(-count // THREADS), THREADS, count, values, image)
        return image
