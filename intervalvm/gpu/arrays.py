"""Where arrays lie, in the host's memory or on a GPU, and what computes with them there.

Dense evaluation on a GPU is one launch a clause, of the rules that all other kernels run. CuPy's
own functions cannot be used: CuPy always compiles with ``-ftz=true``, which flushes subnormal
float32 to 0, so points just below 0 would be outside. A ``min`` would also need several.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

from intervalvm.evaluate.points import POINT_RULES, PointRules, Points
from intervalvm.gpu import device
from intervalvm.ops import CODE, ROWS


def array_module(*, on_gpu: bool) -> ModuleType:
    """The library of arrays: NumPy, or CuPy. Raises what ``device.cupy`` does."""
    return device.cupy() if on_gpu else np


def with_rules(points: Points) -> tuple[Points, PointRules]:
    """What computes the operations where the arrays lie, and the points as that takes them."""
    if points.xp.module is np:
        return points, POINT_RULES
    clauses = Clauses(points.xp.module, points.xp.dtype)
    return clauses.prepared(points), clauses.rules


class Clauses:
    """The operations of ``ops`` on CuPy arrays of one dtype, on the current device.

    Operands are arrays of the result's shape, or one number; others are broadcast first. Raises
    BackendError where numba-cuda is not installed.
    """

    def __init__(self, module: ModuleType, dtype: np.dtype[Any]) -> None:
        # evaluation on the host need not wait for numba
        from intervalvm.gpu import devices
        from intervalvm.gpu.kernels import Kernel
        from intervalvm.gpu.layout import THREADS
        from intervalvm.gpu.target import check_target

        check_target()
        self.module, self.dtype, self.device = module, dtype, devices.current()
        self._threads = THREADS
        self._clause = Kernel("clause", dtype.name, tame=False, is_bitmap=False)
        self._inside = Kernel("inside", dtype.name, tame=False, is_bitmap=True)
        self.device.load(self._clause)

    @property
    def rules(self) -> list[Callable[..., Any] | None]:
        """By operation what computes it, called as the rules of ``ops`` are."""
        from intervalvm.compiler.program import FIRST_WORD, VARIANT_MASK

        words = (FIRST_WORD[op.name, "f" * op.arity, "f"] if op.arity else None for op in ROWS)
        return [None if w is None else partial(self._run, w & VARIANT_MASK) for w in words]

    def prepared(self, points: Points) -> Points:
        """Points with all inputs as flat arrays of the device."""
        constants = self.module.asarray(points.tape.constants(self.dtype))
        arrays = {name: self._flat(array) for name, array in points.arrays.items()}
        return replace(points, arrays=arrays, constants=constants)

    def _flat(self, array: Any) -> Any:
        return self.module.ascontiguousarray(array).reshape(array.shape)

    def run(self, name: str, *operands: Any) -> Any:
        """An operation on arrays that broadcast, in whatever order their numbers lie."""
        rule = self.rules[CODE[name]]
        assert rule is not None
        return rule(None, *map(self._flat, operands))

    def _run(self, variant: int, _xp: Any, a: Any, b: Any = None) -> Any:
        b = a if b is None else b
        # that of most clauses; the general lookup takes a third of a launch
        shape = a.shape if a.shape == b.shape else np.broadcast_shapes(a.shape, b.shape)
        out = self.module.empty(shape, self.dtype)
        (a, a_stride), (b, b_stride) = (self._operand(operand, shape) for operand in (a, b))
        if count := out.size:
            self._launch(self._clause, count, (variant, count, out, a, a_stride, b, b_stride))
        return out

    def _launch(self, kernel: Any, count: int, arguments: tuple[Any, ...]) -> None:
        self.device.launch(kernel, -(-count // self._threads), self._threads, *arguments)

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
        self._launch(self._inside, values.size, (values.size, values, image))
        return image
