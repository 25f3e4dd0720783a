"""The evaluators: a suite runs over each, and a new one is a line here."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from intervalvm import BackendError
from intervalvm.evaluate.evaluator import NumpyEvaluator
from intervalvm.jit.evaluator import CompiledEvaluator
from intervalvm.ops.row import Interval
from intervalvm.words import Meaning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import numpy as np

    from intervalvm import Tape


class GpuEvaluator:
    """That of a GPU, of arrays of the host. Skips a test where there is none."""

    def __init__(
        self,
        tape: Tape,
        inputs: tuple[str, ...],
        dtype: np.dtype[Any],
        meaning: Meaning = Meaning.FLOAT,
    ) -> None:
        from intervalvm.gpu import devices
        from intervalvm.gpu.evaluator import CudaEvaluator

        if meaning is Meaning.REAL:
            pytest.skip("a GPU has no evaluator of the real function")
        try:
            self.device = devices.current()
        except BackendError as error:
            pytest.skip(str(error))
        self.found = CudaEvaluator(tape, inputs, dtype)
        self.tape, self.inputs, self.dtype, self.meaning = tape, inputs, dtype, meaning

    def _up(self, arrays: Iterable[Any]) -> list[Any]:
        return [self.device.module.asarray(array) for array in arrays]

    def _boxes(self, boxes: Iterable[Interval]) -> list[Interval]:
        return [Interval(*self._up(side)) for side in boxes]

    def values(self, points: Any, out: Any = None) -> Any:
        return self._down(self.found.values(self._up(points)), out)

    def gradients(self, points: Any, by: Any, out: Any = None) -> Any:
        return self._down(self.found.gradients(self._up(points), by), out)

    def _down(self, found: Any, out: Any) -> Any:
        if out is None:
            return self.device.host(found)
        out[...] = self.device.host(found)
        return out

    def bounds(self, boxes: Any) -> Interval:
        return Interval(*map(self.device.host, self.found.bounds(self._boxes(boxes))))

    def slope_bounds(self, _boxes: Any, _by: Any) -> Any:
        pytest.skip("a GPU has no bounds of derivatives")

    def shorten(self, boxes: Any, *, sign_only: bool = False, also: Any = ()) -> list[GpuEvaluator]:
        others = [(each.found, each._boxes(sides)) for each, sides in also]
        found = self.found.shorten(self._boxes(boxes), sign_only=sign_only, also=others)
        return [GpuEvaluator(short.tape, self.inputs, self.dtype) for short in found]


EVALUATORS: dict[str, Callable[..., Any]] = {
    "numpy": NumpyEvaluator,
    "compiled": CompiledEvaluator,
    "cuda": GpuEvaluator,
}
"""By name what makes one, of (tape, inputs, dtype, meaning)."""
every_evaluator = pytest.mark.parametrize(
    "make",
    [
        pytest.param(make, marks=[pytest.mark.gpu] if make is GpuEvaluator else [], id=name)
        for name, make in EVALUATORS.items()
    ],
)


@contextmanager
def compiled_at_once() -> Iterator[None]:
    """Calls are answered by compiled code, also as long as NumPy would cost less."""
    with patch("intervalvm.api.dispatch.pays", return_value=True):
        yield
